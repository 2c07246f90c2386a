"""Enterprise: the hosts with everything that runs on them, started and stopped as one."""

import json
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.enterprise.configuration import write_configuration
from bench.enterprise.hosts import Machines, everyone, new_folder, wait_until
from bench.enterprise.plan import ADDRESS, BEACON_PORT, BRANCHES
from bench.enterprise.servers import AGENT_HOSTS, SERVICES, prepare, start_host


class Enterprise:
    """Use it as a context: inside it everything runs and users work; afterwards nothing is left."""

    def __init__(self, folder: Path | None = None) -> None:
        self.machines = Machines(folder or new_folder())

    @property
    def folder(self) -> Path:
        """Where everything of the enterprise lies."""
        return self.machines.folder

    @property
    def authority(self) -> Path:
        """The authority that signs its certificates."""
        return self.folder / "certificates" / "authority.pem"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Build the network, start the servers, then the users."""
        try:
            self.machines.up()
            prepare(self.machines)
            first = [host for host in dict.fromkeys((*SERVICES, *AGENT_HOSTS)) if host not in BRANCHES]
            everyone(lambda host: start_host(self.machines, host), sorted(first, key=lambda host: host != "mq1"))
            everyone(lambda host: start_host(self.machines, host), BRANCHES)
            wait_until(self._works, 60, "every transaction of every branch to succeed")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take everything away; may be called twice."""
        self.machines.down()

    def configuration(self) -> Path:
        """Write what btimd is configured with; return the folder."""
        return write_configuration(self.folder / "btimd", self.authority)

    def _works(self) -> bool:
        return all(self.attempt(branch, name) for branch in BRANCHES for name in ("shop", "erp", "mail", "directory"))

    @staticmethod
    def attempt(branch: str, business: str) -> bool:
        """Let the beacon of a branch do a transaction; tell whether it succeeded."""
        try:
            with urllib.request.urlopen(
                f"http://{ADDRESS[branch]}:{BEACON_PORT}/try/{business}", timeout=5
            ) as answer:  # fmt: skip
                return bool(answer.status == 200)
        except OSError:
            return False

    @staticmethod
    def felt(branch: str) -> dict[str, tuple[int, int]]:
        """Return (failed, all) transactions of a branch's users in the last ten seconds, per business."""
        try:
            with urllib.request.urlopen(f"http://{ADDRESS[branch]}:{BEACON_PORT}/felt", timeout=3) as answer:
                found = json.load(answer)
        except OSError:
            return {}
        return {name: (bad, count) for name, (bad, count) in found.items()}

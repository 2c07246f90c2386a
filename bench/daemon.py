"""btimd as its operator runs it: a configuration folder with the plan and the services, `btimd run`, `btimd replay`."""

import json
import re
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import duckdb

from bench.datagrams import FILLER_CELL
from bench.machine import Pinned, udp_socket, wait_until
from bench.traffic import BUSINESSES, CELL_FIELDS, Cells
from btimd.daemon.addresses import read_addresses
from btimd.flows.plan import PlanEntry
from btimd.model.service import ServiceRule

USERS = 1 << 21
BTIMD = Path(sys.executable).with_name("btimd")
COUNTERS = {
    "records": "btimd_flows_records_total",
    "datagrams": "btimd_capture_datagrams_total",
    "kernel_drops": "btimd_capture_kernel_dropped_datagrams_total",
    "queue_drops": "btimd_capture_dropped_datagrams_total",
    "lost": "btimd_capture_decode_lost_units_total",
    "restarts": "btimd_capture_decode_restarts_total",
    "refused_users": "btimd_flows_refused_users_total",
    "users": "btimd_flows_users_entries",
    "templates": "btimd_capture_decode_templates",
}


def write_config(
    folder: Path, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], *, port: int = 0, buffer: int = 4 << 20,
    users: int = USERS,
) -> Path:  # fmt: skip
    """Write a configuration; all that is not the default is where it listens, its buffer and the room for users."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "btimd.toml").write_text(
        f'[daemon]\nstate_directory = "state"\n[capture.netflow]\nlisten = ["127.0.0.1:{port}"]\n'
        f"receive_buffer_bytes = {buffer}\n[flows]\nmax_users = {users}\n"
        # The load's exporters take turns, so one connection comes from several of them, as in no network.
        '[flows.duplicates]\nmode = "off"\n'
        '[api]\ngrpc_listen = "127.0.0.1:0"\nhttp_listen = "127.0.0.1:0"\nopen_reads = true\n'
    )
    rows = [f"{entry.prefix},{entry.region},{entry.segment},{entry.person}" for entry in entries]
    (folder / "ipplan.csv").write_text("\n".join(["prefix,region,segment,person", *rows]) + "\n")
    lines = [f'[service.business-{number}]\nname = "Business {number}"\n' for number in range(BUSINESSES)]
    for number, rule in enumerate(rules):
        owners = ", ".join(f'"{business}"' for business in rule.businesses)
        ports = f'"{rule.port_low}-{rule.port_high}"'
        server = f'"{rule.server}"'
        lines.append(
            f'[rule.rule-{number}]\nservices = [{owners}]\nprefixes = [{server}]\nprotocol = "tcp"\nports = [{ports}]\n'
        )
    (folder / "services.toml").write_text("\n".join(lines))
    return folder


def replay_command(capture: Path, config: Path) -> list[str | Path]:
    """Return the command that prints every cell of 60 s of a capture."""
    return [BTIMD, "replay", capture, "--json", "--interval", "60s", "-c", config]


def replayed_cells(output: Path) -> Cells:
    """Return what `btimd replay --json` printed, without the filler."""
    found: Cells = {}
    for line in output.read_text().splitlines():
        row = json.loads(line)
        key = (int(row["interval_start_milliseconds"]), row["business"], row["region"], row["segment"])
        assert row["users_exact"], key
        found[key] = tuple(int(row[field]) for field in CELL_FIELDS)
    return without_filler(found)


def without_filler(cells: Cells) -> Cells:
    """Return the cells of the load."""
    return {key: sums for key, sums in cells.items() if key[1:] != FILLER_CELL}


class Daemon:
    """`btimd run` on its core."""

    def __init__(self, config: Path) -> None:
        self._state = config / "state"
        self.process = Pinned([BTIMD, "run", "-c", config], config / "log")

    def wait(self) -> float:
        """Return once it is ready, and after how many seconds that was."""
        return wait_until(lambda: self.ready, 120, f"btimd to be ready:\n{self.process.log}")

    @property
    def ready(self) -> bool:
        """Tell whether it has started; ends the bench when it has ended."""
        if not self.process.alive:
            raise SystemExit(f"btimd ended:\n{self.process.log}")
        return read_addresses(self._state) is not None

    @property
    def port(self) -> int:
        """Where it receives."""
        addresses = read_addresses(self._state)
        assert addresses
        return addresses.capture[0][1]

    def counters(self) -> dict[str, int]:
        """Return what it says of itself at /metrics."""
        addresses = read_addresses(self._state)
        assert addresses
        host, port = addresses.http
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        found = {}
        for name, metric in COUNTERS.items():
            match = re.search(rf"^{metric}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
            found[name] = int(float(match[1])) if match else 0
        return found

    def drained(self, records: int) -> bool:
        """Tell whether so many records were processed."""
        return self.counters()["records"] >= records

    def drops(self) -> int:
        """Return what the kernel says its socket lost."""
        found = udp_socket(self.port)
        return found.dropped if found else 0

    def cells(self, interval: str) -> Cells:
        """Return what its store holds, without the filler; only after it was stopped."""
        fields = ", ".join(CELL_FIELDS)
        with duckdb.connect(str(self._state / "series.duckdb"), read_only=True) as store:
            rows = store.execute(
                f"SELECT epoch_ms(time), coalesce(business, ''), coalesce(region, ''), coalesce(segment, ''), {fields} "  # noqa: S608
                "FROM btimd_traffic WHERE interval = ?",
                [interval],
            ).fetchall()
        return without_filler({(row[0], row[1], row[2], row[3]): tuple(map(int, row[4:])) for row in rows})

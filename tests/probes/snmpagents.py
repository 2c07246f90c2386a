"""Real SNMP agents on loopback: net-snmp's snmpd, and snmpsim with records of devices."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from btimd.probes.snmp import SnmpClient
from btimd.probes.snmpsession import Answered, Get
from btimd.probes.snmptargets import Community, Target
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes.snmpdevices import Record, write_records
from tests.programs import need

SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SNMP_IN_PACKETS = (1, 3, 6, 1, 2, 1, 11, 1, 0)


def target(port: int, community: str = "public", **more: object) -> Target:
    given = {"name": "device", "timeout": 20.0, "requests_per_second": 1000.0, **more}
    credentials = given.pop("credentials", Community(community.encode()))
    return Target(**{"address": "127.0.0.1", "port": port, "credentials": credentials, **given})  # type: ignore[arg-type]


async def until_it_answers(of: Target, within_seconds: float = PATIENCE_SECONDS) -> None:
    client = SnmpClient()
    try:
        async with asyncio.timeout(within_seconds):
            while not isinstance(await client.ask(of, Get((SYS_NAME,))), Answered):
                pass
    finally:
        client.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220  starting takes no time that matters here
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )
    try:
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


@contextlib.asynccontextmanager
async def snmpd(
    folder: Path, *lines: str, prefix: Sequence[str] = (), address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Run snmpd with the community public; yields its port, a free one if none is given."""
    program = need("snmpd")
    port = port or free_port(address)
    configuration = folder / "snmpd.conf"
    place, community = (f"udp6:[{address}]", "rocommunity6") if ":" in address else (f"udp:{address}", "rocommunity")
    text = [f"agentAddress {place}:{port}", f"{community} public", *lines]
    configuration.write_text("\n".join(text) + "\n")
    configuration.chmod(0o600)
    command = [*prefix, program, "-f", "-Lf", str(folder / "snmpd.log"), "-C", "-c", str(configuration)]
    environment = {"SNMP_PERSISTENT_DIR": str(folder / "persistent"), "MIBS": ""}
    async with running(command, environment, folder / "snmpd.out"):
        if not prefix:
            await until_it_answers(target(port, timeout=0.3, address=address))
        yield port


@contextlib.asynccontextmanager
async def simulator(folder: Path, **devices: Sequence[Record]) -> AsyncIterator[int]:
    """Run snmpsim; the name of a device is its community. Yields the port."""
    program = need("snmpsim-command-responder", at=Path(sys.executable).parent)
    data, cache = folder / "data", folder / "cache"
    data.mkdir()
    cache.mkdir()
    for name, records in devices.items():
        write_records(records, data / f"{name}.snmprec")
    port = free_port()
    user = ["--process-user=root", "--process-group=root"] if os.geteuid() == 0 else []
    command = [
        program,
        f"--data-dir={data}",
        f"--cache-dir={cache}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        *user,
        "--log-level=error",
        "--logging-method=null",
    ]
    async with running(command, {}, folder / "snmpsim.out"):
        await until_it_answers(target(port, next(iter(devices)), timeout=0.3))
        yield port

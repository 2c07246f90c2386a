"""Two network namespaces on one wire, each with snmpd and lldpd; run as a program it polls an agent from inside one."""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from btimd.probes.inventory import Inventory
from btimd.probes.settings import SnmpDefaultSettings
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.probes import snmpagents


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def wire() -> Iterator[tuple[str, str]]:
    """Make two namespaces whose wire0 hang on each other: 10.213.0.1 and .2; yields their names."""
    tag = uuid.uuid4().hex[:6]
    names = (f"bs{tag}a", f"bs{tag}b")
    made = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "wire0", "type", "veth", "peer", "name", "wire0", "netns", names[1])
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.213.0.{number}/24", "dev", "wire0")
            ip("-n", name, "link", "set", "wire0", "up")
        yield names
    finally:
        for name in made:
            ip("netns", "del", name)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder for sockets: lldpd serves as a user of its own, for whom pytest's folders are closed."""
    Path("/run/lldpd").mkdir(exist_ok=True)  # it wants to be there
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextlib.asynccontextmanager
async def lldp_agent(folder: Path, namespace: str) -> AsyncIterator[int]:
    """Run snmpd and an lldpd that says hello every second in a namespace; yields snmpd's port on 127.0.0.1 there.

    lldpd begins paused until an lldpcli of its own has read its files. Each lldpcli reads the whole configuration and
    writes it back whole: one started beside that would undo what the other did, and leave lldpd paused for ever or
    saying hello every 30 s. So the interval is in a file, and nobody else configures.
    """
    inside = ("ip", "netns", "exec", namespace)
    agentx, log = folder / "agentx", folder / "lldpd.out"
    with open_folder() as sockets:
        configuration = sockets / "lldpd.conf"
        configuration.write_text("configure lldp tx-interval 1\n")
        places = ["-u", str(sockets / "lldp"), "-O", str(configuration)]
        lldpd = [*inside, "lldpd", "-d", *places, "-x", "-X", str(agentx), "-C", "wire*", "-I", "wire*"]
        async with snmpagents.snmpd(folder, "master agentx", f"agentXSocket {agentx}", prefix=inside) as port:
            # lldpd that finds no master tries again after 15 s only
            await asyncio.to_thread(wait_until, agentx.exists, "snmpd")
            async with snmpagents.running(lldpd, {}, log):
                await asyncio.to_thread(wait_until, lambda: b"should resume" in log.read_bytes(), "lldpd")
                yield port


async def neighbours_in(namespace: str, port: int) -> list[dict[str, Any]]:
    """Return what an inventory inside a namespace is told of neighbours."""
    command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "tests.probes.snmplldp", str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    found: list[dict[str, Any]] = json.loads(output)
    return found


async def ask(port: int) -> list[dict[str, Any]]:
    inventory = Inventory(
        settings=SnmpDefaultSettings(),
        targets=(),
        metrics=Metrics(),
        clock=SystemClock(),
        log=Log("lldp"),
        on_facts=lambda _: None,
    )
    target = snmpagents.target(port, groups=("lldp",))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (facts := await inventory.ask_once(target)).neighbours:
            pass
    await inventory.stop()
    names = {one.index: one.name for one in facts.interfaces}
    return [
        {
            "interface": names.get(one.interface, ""),
            "chassis": one.chassis,
            "port": one.port_description or one.port,
            "address": next((text for text in one.addresses if "." in text), ""),
        }
        for one in facts.neighbours
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(int(sys.argv[1])))))  # noqa: T201  its answer

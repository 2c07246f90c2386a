"""A configuration folder as small as can be: one business, one server, one check; and what runs on it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.runtime.clock import Clock
from tests.patience import PATIENCE_SECONDS

PLAN = "prefix,region,segment,person\n10.1.0.0/16,north,,\n10.1.1.0/24,,sales,\n10.1.1.7/32,,,Li Wei\n"


def settings_text(*, capture: str = "127.0.0.1:0", grpc: str = "127.0.0.1:0", http: str = "127.0.0.1:0") -> str:
    """Return btimd.toml: every listener on loopback, the state below the folder."""
    return (
        '[daemon]\nstate_directory = "state"\n'
        f'[capture.netflow]\nlisten = ["{capture}"]\nreceive_buffer_bytes = 65536\n'
        f'[api]\ngrpc_listen = "{grpc}"\nhttp_listen = "{http}"\n'
    )


def services_text(port: int = 9, *, business: str = "erp", name: str = "ERP") -> str:
    """Return services.toml: one business on 10.2.0.10:443, its database, and a check of 127.0.0.1:port."""
    return (
        f'[service.{business}]\nname = "{name}"\ncriticality = "high"\nneeds = ["db1"]\n'
        'prefixes = ["10.2.0.10/32"]\nprotocol = "tcp"\nports = [443]\n'
        '[node.db1]\nkind = "database"\nname = "Database"\n'
        f'[check.{business}-port]\nnode = "{business}"\nkind = "tcp"\nhost = "127.0.0.1"\nport = {port}\nevery = "1s"\n'
        f'[check.db1-port]\nnode = "db1"\nkind = "tcp"\nhost = "127.0.0.1"\nport = {port}\n'
    )


def write_small(folder: Path, *, settings: str | None = None, services: str | None = None, plan: str = PLAN) -> Path:
    """Write the three files; return the folder."""
    (folder / "btimd.toml").write_text(settings if settings is not None else settings_text(), encoding="utf-8")
    (folder / "services.toml").write_text(services if services is not None else services_text(), encoding="utf-8")
    (folder / "ipplan.csv").write_text(plan, encoding="utf-8")
    return folder


@asynccontextmanager
async def running(
    folder: Path, clock: Clock | None = None, settle: Callable[[], None] = lambda: None
) -> AsyncIterator[App]:
    """Start a btimd on a folder, run it, and stop it in the end."""
    app = App(load_config(folder), clock=clock, settle=settle)
    await app.start()
    work = asyncio.create_task(app.run())
    try:
        yield app
    finally:
        app.request_stop()
        try:
            await work
        finally:
            await app.stop()


@asynccontextmanager
async def listener() -> AsyncIterator[int]:
    """Listen on a port of 127.0.0.1 and close whatever connects."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something on the loop has become true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.002)


def taken_udp_port() -> socket.socket:
    """Return a socket on a UDP port of 127.0.0.1; close it after use."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    return taken


def taken_tcp_port() -> socket.socket:
    """Return a socket that listens on a TCP port of 127.0.0.1; close it after use."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken

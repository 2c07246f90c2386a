"""A receiver of webhooks on loopback that answers by script and remembers what it took."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from btimd.itsm.emit.signing import verify
from tests.patience import PATIENCE_SECONDS

SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix(b"whsec_"))


@dataclass(frozen=True)
class Request:
    """What came in. ce_id: the CloudEvents id of the body."""

    ce_id: str
    kind: str
    headers: dict[str, str]
    data: dict[str, Any]


@dataclass
class Receiver:
    """Checks every signature. script: answers to give first, then 204; a status, None: cut the connection without one."""

    now: Callable[[], float]
    script: list[int | None] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    hold: asyncio.Event | None = None
    port: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [request.ce_id for request in self.requests]

    async def wait_for(self, count: int) -> None:
        """Wait until that many requests came in."""
        async with self._changed, asyncio.timeout(PATIENCE_SECONDS):
            await self._changed.wait_for(lambda: len(self.requests) >= count)

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        verify([KEY], headers, body, self.now())
        event = json.loads(body)
        async with self._changed:
            self.requests.append(Request(event["id"], event["type"].split(".")[3], headers, event["data"]))
            self._changed.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        status = self.script.pop(0) if self.script else 204
        if status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status, headers=self.answer_headers)

    @asynccontextmanager
    async def up(self, port: int = 0) -> AsyncIterator["Receiver"]:
        """Listen; port 0: any."""
        app = web.Application()
        app.router.add_post("/hook", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            if self.hold is not None:
                self.hold.set()
            await runner.cleanup()


def secret_file(folder: Path) -> Path:
    """Return a file with the secret, mode 0600."""
    path = folder / "secret"
    path.touch(mode=0o600)
    path.write_bytes(SECRET + b"\n")
    return path

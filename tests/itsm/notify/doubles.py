"""Stand-ins for chat robots and gateways over real HTTP, that enforce what their makers publish.

They are no copies of the real ones: what is enforced is the form of a message, its size, its signature and its rate,
with the published codes. Each keeps what it took.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = tuple[int, dict[str, str], bytes]
SECRET = b"SEC-0123456789abcdef-very-secret"
KEY = "7f3c9a51-robot-key-00d1"


def signed(secret: bytes, stamp: str) -> str:
    return base64.b64encode(hmac.new(secret, f"{stamp}\n".encode() + secret, hashlib.sha256).digest()).decode()


def said(document: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


@dataclass
class Double:
    """One robot. now: its clock. script: answers to give first."""

    now: Callable[[], float]
    kind: str = "wecom"
    secret: bytes = b""
    script: list[Answer | None] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hold: asyncio.Event | None = None
    port: int = 0
    _times: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        return {
            "wecom": f"http://127.0.0.1:{self.port}/cgi-bin/webhook/send?key={KEY}",
            "dingtalk": f"http://127.0.0.1:{self.port}/robot/send?access_token={KEY}",
            "feishu": f"http://127.0.0.1:{self.port}/open-apis/bot/v2/hook/{KEY}",
            "slack": f"http://127.0.0.1:{self.port}/services/T000/B000/{KEY}",
            "teams": f"http://127.0.0.1:{self.port}/workflows/{KEY}/triggers?sig={KEY}",
            "webhook": f"http://127.0.0.1:{self.port}/hook/{KEY}",
        }[self.kind]

    def too_fast(self, per_minute: int) -> bool:
        self._times = [at for at in self._times if at > self.now() - 60] + [self.now()]
        return len(self._times) > per_minute

    async def take(self, request: web.Request) -> web.StreamResponse:
        octets = await request.read()
        self.requests.append(request)
        self.bodies.append(octets)
        if self.hold is not None:
            await self.hold.wait()
        answer = self.script.pop(0) if self.script else getattr(self, f"_{self.kind}")(request, octets)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        status, headers, body = answer
        return web.Response(status=status, headers=headers, body=body)

    def _wecom(self, request: web.Request, octets: bytes) -> Answer:
        if request.query.get("key") != KEY:
            return said({"errcode": 93000, "errmsg": f"invalid webhook url, key {request.query.get('key')}"})
        if self.too_fast(20):
            return said({"errcode": 45009, "errmsg": "api freq out of limit"})
        body = json.loads(octets)
        limit = {"markdown": 4096, "text": 2048}.get(body.get("msgtype"))
        if limit is None:
            return said({"errcode": 40008, "errmsg": "invalid message type"})
        if len(body[body["msgtype"]]["content"].encode()) > limit:
            return said({"errcode": 40058, "errmsg": f"exceed max length {limit}"})
        self.taken.append(body)
        return said({"errcode": 0, "errmsg": "ok"})

    def _dingtalk(self, request: web.Request, octets: bytes) -> Answer:
        if request.query.get("access_token") != KEY:
            return said({"errcode": 300005, "errmsg": "token is not exist"})
        if self.secret:
            stamp = request.query.get("timestamp", "")
            if not stamp.isdigit() or abs(int(stamp) / 1000 - self.now()) > 3600:
                return said({"errcode": 310000, "errmsg": "invalid timestamp"})
            if request.query.get("sign") != signed(self.secret, stamp):
                return said({"errcode": 310000, "errmsg": "sign not match"})
        if self.too_fast(20):
            return said({"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"})
        body = json.loads(octets)
        if len(octets) > 20_000 or body["msgtype"] != "markdown" or not body["markdown"]["title"]:
            return said({"errcode": 40035, "errmsg": "invalid parameter"})
        self.taken.append(body)
        return said({"errcode": 0, "errmsg": "ok"})

    def _feishu(self, request: web.Request, octets: bytes) -> Answer:
        body = json.loads(octets)
        if not request.path.endswith(KEY):
            return said({"code": 19001, "msg": "param invalid: incoming webhook access token invalid"})
        if self.secret:
            stamp = body.get("timestamp", "")
            wanted = base64.b64encode(
                hmac.new(f"{stamp}\n".encode() + self.secret, b"", hashlib.sha256).digest()
            ).decode()
            if not stamp.isdigit() or abs(int(stamp) - self.now()) > 3600 or body.get("sign") != wanted:
                return said(
                    {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
                )
        if self.too_fast(100):
            return said({"code": 11232, "msg": "frequency limited"})
        if len(octets) > 20_480 or body.get("msg_type") != "post":
            return said({"code": 9499, "msg": "Bad Request", "data": {}})
        self.taken.append(body)
        return said({"code": 0, "msg": "success", "data": {}})

    def _slack(self, request: web.Request, octets: bytes) -> Answer:
        if not request.path.endswith(KEY):
            return 404, {}, b"no_service"
        if self.too_fast(60):
            return 429, {"Retry-After": "30"}, b"rate_limited"
        body = json.loads(octets)
        if not body.get("text") or len(body["text"]) > 40_000:
            return 400, {}, b"invalid_payload"
        self.taken.append(body)
        return 200, {}, b"ok"

    def _teams(self, request: web.Request, octets: bytes) -> Answer:
        if request.query.get("sig") != KEY:
            return 401, {}, b""
        if len(octets) > 28_000:
            return 413, {}, b""
        body = json.loads(octets)
        (attachment,) = body["attachments"]
        if body["type"] != "message" or attachment["content"]["type"] != "AdaptiveCard":
            return 400, {}, b""
        self.taken.append(body)
        return 202, {}, b""

    def _webhook(self, request: web.Request, octets: bytes) -> Answer:
        if self.secret:
            text = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + octets
            wanted = base64.b64encode(hmac.new(self.secret, text, hashlib.sha256).digest()).decode()
            if request.headers["webhook-signature"] != f"v1,{wanted}":
                return 401, {}, b""
        self.taken.append(json.loads(octets))
        return 204, {}, b""

    @asynccontextmanager
    async def up(self) -> AsyncIterator["Double"]:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            if self.hold is not None:
                self.hold.set()
            await runner.cleanup()

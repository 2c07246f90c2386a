"""WebhookReceiver: a ticket system's front door on loopback, which checks signatures, keeps what it got, and can fail.

Signatures follow Standard Webhooks: header webhook-signature holds one or more "v1,<base64>", each an HMAC-SHA256 over
"<webhook-id>.<webhook-timestamp>.<body>". This is written from the scheme and shares no code with the sender, so that
the two check each other.
"""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock, SystemClock

TOLERANCE_SECONDS: Final = 300.0
"""A message older or newer than this may be a replay and is refused."""
PATH: Final = "/btimd/events"
_MAX_BODY_OCTETS: Final = 1 << 20
_WHSEC: Final = "whsec_"
_SHUTDOWN_SECONDS: Final = 0.5


class Behaviour(StrEnum):
    """What the receiver does with those who call."""

    ACCEPT = "accept"
    ERROR = "error"
    """Answers 500 and keeps nothing."""
    HANG = "hang"
    """Keeps nothing and never answers."""
    SWALLOW = "swallow"
    """Keeps the message and never answers: the sender cannot know that it arrived."""
    REFUSE = "refuse"
    """Does not listen at all."""


class BadSignatureError(ValueError):
    """A message that was not signed with the shared secret, or not in time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it arrived. event: the body, parsed; an empty mapping where it is no JSON object."""

    id: str
    received_at: UnixSeconds
    body: bytes
    event: Mapping[str, Any]


def secret_octets(secret: str) -> bytes:
    """Return the key of a shared secret: base64 behind "whsec_", its own octets otherwise."""
    if secret.startswith(_WHSEC):
        return base64.b64decode(secret.removeprefix(_WHSEC), validate=True)
    return secret.encode()


def check_signature(key: bytes, headers: Mapping[str, str], body: bytes, now: UnixSeconds) -> str:
    """Return the id of a message that was signed with the key; raises BadSignatureError for any other."""
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isascii() or not stamp.isdigit():
        raise BadSignatureError("webhook-id or webhook-timestamp is missing")
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        raise BadSignatureError(f"signed {now - int(stamp):.0f} s ago")
    expected = hmac.digest(key, b".".join((message_id.encode(), stamp.encode(), body)), "sha256")
    for signature in headers.get("webhook-signature", "").split():
        version, _, text = signature.partition(",")
        if version != "v1":
            continue
        try:
            given = base64.b64decode(text, validate=True)
        except binascii.Error:
            continue
        if hmac.compare_digest(given, expected):
            return message_id
    raise BadSignatureError("no signature of this secret")


class WebhookReceiver:
    """Listens on a free port of 127.0.0.1.

    deliveries: each message once, in the order of arrival. duplicates: messages that came again. rejected: calls
    without a good signature, answered 401. failed: calls that the behaviour turned away.
    """

    def __init__(self, secret: str, clock: Clock | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self.duplicates = 0
        self.rejected = 0
        self.failed = 0
        self.behaviour = Behaviour.ACCEPT
        self._key = secret_octets(secret)
        self._clock: Clock = clock or SystemClock()
        self._known: set[str] = set()
        self._changed = asyncio.Condition()
        self._leaving = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Listen; the port stays the same for the object's life."""
        self._leaving.clear()
        application = web.Application(client_max_size=_MAX_BODY_OCTETS)
        application.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut every connection. May be called twice."""
        self._leaving.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def become(self, behaviour: Behaviour) -> None:
        """Treat callers another way from now on; those who hang are let go."""
        refuse = behaviour is Behaviour.REFUSE
        if refuse or self.behaviour in {Behaviour.HANG, Behaviour.SWALLOW}:
            await self.stop()
        self.behaviour = behaviour
        if self._runner is None and not refuse:
            await self.start()

    @property
    def url(self) -> str:
        """Where to post to. Known after start."""
        return f"http://127.0.0.1:{self._port}{PATH}"

    async def wait_for(self, count: int, timeout_seconds: Seconds) -> list[Delivery]:
        """Return the deliveries once there are `count`; raises TimeoutError when they do not come in time."""
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.deliveries) >= count)
        return list(self.deliveries)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.behaviour is Behaviour.ERROR:
            self.failed += 1
            return web.Response(status=500, text="the ticket system is out of order\n")
        if self.behaviour is Behaviour.HANG:
            self.failed += 1
            return await self._never()
        now = self._clock.wall()
        try:
            message_id = check_signature(self._key, request.headers, body, now)
        except BadSignatureError as problem:
            self.rejected += 1
            return web.Response(status=401, text=f"{problem}\n")
        await self._keep(Delivery(message_id, now, body, _event(body)))
        if self.behaviour is Behaviour.SWALLOW:
            self.failed += 1
            return await self._never()
        return web.Response(status=204)

    async def _keep(self, delivery: Delivery) -> None:
        if delivery.id in self._known:
            self.duplicates += 1
            return
        self._known.add(delivery.id)
        self.deliveries.append(delivery)
        async with self._changed:
            self._changed.notify_all()

    async def _never(self) -> web.Response:
        await self._leaving.wait()
        return web.Response(status=503)


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}

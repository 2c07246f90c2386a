"""POST /events: takes webhook events of other systems."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from aiohttp import web

from btimd.api.auth import Gate, Role
from btimd.api.errors import ApiError
from btimd.api.webhookevents import MOST_OCTETS, EventError, SeenIds, left_out, read_events
from btimd.model.heard import Heard, Told
from btimd.model.report import IntakeBusyError, ReportReceipt
from btimd.runtime.clock import Clock
from btimd.runtime.metrics import Metrics

_STATUS: Final = {grpc.StatusCode.UNAUTHENTICATED: 401, grpc.StatusCode.PERMISSION_DENIED: 403}
_COME_AGAIN_SECONDS: Final = 10

KeepEvent = Callable[[Told, str], Awaitable[ReportReceipt]]
"""Makes an event durable; the text is its id, the same when it is sent again. Raises IntakeBusyError."""


class EventsFace:
    """Answers POST /events; needs a token of role handler, wherever it listens.

    keep: makes events durable before they are answered; what is new is then handed to `take`.
    """

    def __init__(
        self, gate: Gate, take: Callable[[Told], Heard], clock: Clock, metrics: Metrics, keep: KeepEvent | None = None
    ) -> None:
        self._gate = gate
        self._take = take
        self._keep = keep
        self._clock = clock
        self._seen = SeenIds()
        self._count = metrics.counter(
            "btimd_webhook_events_total",
            "Webhook events: taken, repeated, left out by their sender, not kept; or requests refused.",
            ("outcome",),
        )

    async def post(self, request: web.Request) -> web.Response:
        """Take the events of a request; all of them or, where one is wrong, none.

        What the disk did not take is answered with 503: the sender comes again, and what was kept is known by its id.
        """
        try:
            caller = self._gate.admit(request.headers.get("Authorization"), Role.HANDLER, reads_are_open=False)
        except ApiError as error:
            return self._refused(_STATUS.get(error.code, 401), error.message)
        if (request.content_length or 0) > MOST_OCTETS:
            return self._refused(413, f"{request.content_length} octets; {MOST_OCTETS} at most")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await request.read()
            found = read_events(body, request.content_type, headers, caller.name, self._clock.wall())
        except web.HTTPRequestEntityTooLarge:
            return self._refused(413, f"{MOST_OCTETS} octets at most")
        except EventError as error:
            return self._refused(error.status, str(error))
        kept = await asyncio.gather(*(self._kept(told, identity) for identity, told in found), return_exceptions=True)
        bugs = [one for one in kept if isinstance(one, BaseException) and not isinstance(one, IntakeBusyError)]
        if bugs:
            raise bugs[0]
        answers = [
            self._answer(told, identity, one)
            for (identity, told), one in zip(found, kept, strict=True)
            if not isinstance(one, BaseException)
        ]
        if len(answers) < len(found):
            self._count.labels("not-kept").inc(len(found) - len(answers))
            return web.json_response(
                {"error": "not all of it could be kept; send it again", "events": answers},
                status=503,
                headers={"Retry-After": str(_COME_AGAIN_SECONDS)},
            )
        self._count.labels("left-out-by-sender").inc(left_out(body))
        return web.json_response({"events": answers})

    async def _kept(self, told: Told, identity: str) -> ReportReceipt | None:
        return None if self._keep is None else await self._keep(told, identity)

    def _answer(self, told: Told, identity: str, receipt: ReportReceipt | None) -> dict[str, Any]:
        known: dict[str, Any] = {} if receipt is None else {"report": receipt.report_id}
        if not self._seen.is_new(identity) or (receipt is not None and not receipt.is_new):
            self._count.labels("repeated").inc()
            return {"heard_as": "repeated", **known}
        self._count.labels("taken").inc()
        heard = self._take(told)
        return {"heard_as": heard.heard_as.value, "node": heard.node, "text": heard.text, **known}

    def _refused(self, status: int, text: str) -> web.Response:
        self._count.labels("refused").inc()
        return web.json_response({"error": text}, status=status)

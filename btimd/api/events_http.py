"""POST /events: takes webhook events of other systems."""

from collections.abc import Callable
from typing import Final

import grpc
from aiohttp import web

from btimd.api.auth import Gate, Role
from btimd.api.errors import ApiError
from btimd.api.webhookevents import MOST_OCTETS, EventError, SeenIds, read_events
from btimd.model.heard import Heard, Told
from btimd.runtime.clock import Clock
from btimd.runtime.metrics import Metrics

_STATUS: Final = {grpc.StatusCode.UNAUTHENTICATED: 401, grpc.StatusCode.PERMISSION_DENIED: 403}


class EventsFace:
    """Answers POST /events; needs a token of role handler, wherever it listens."""

    def __init__(self, gate: Gate, take: Callable[[Told], Heard], clock: Clock, metrics: Metrics) -> None:
        self._gate = gate
        self._take = take
        self._clock = clock
        self._seen = SeenIds()
        self._count = metrics.counter(
            "btimd_webhook_events_total", "Webhook events: taken, repeated, or requests refused.", ("outcome",)
        )

    async def post(self, request: web.Request) -> web.Response:
        """Take the events of a request; all of them or, where one is wrong, none."""
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
        answers = []
        for identity, told in found:
            if not self._seen.is_new(identity):
                self._count.labels("repeated").inc()
                answers.append({"heard_as": "repeated"})
                continue
            self._count.labels("taken").inc()
            heard = self._take(told)
            answers.append({"heard_as": heard.heard_as.value, "node": heard.node, "text": heard.text})
        return web.json_response({"events": answers})

    def _refused(self, status: int, text: str) -> web.Response:
        self._count.labels("refused").inc()
        return web.json_response({"error": text}, status=status)

"""POST /callbacks/NAME: takes signed calls of the systems that incidents are delivered to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from btimd.model.delivery import CallbackRefusal, CallbackRefusedError

PATH: Final = "/callbacks/{target}"
_MOST_OCTETS: Final = 1 << 20
_STATUS: Final[Mapping[CallbackRefusal, int]] = {
    CallbackRefusal.UNKNOWN_TARGET: 404,
    CallbackRefusal.NOT_SIGNED: 401,
    CallbackRefusal.NOT_UNDERSTOOD: 400,
    CallbackRefusal.TOO_LARGE: 413,
    CallbackRefusal.BUSY: 503,
}

TakeCallback = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""(name of the target, headers in lower case, body) -> new changes; raises CallbackRefusedError."""


class CallbacksFace:
    """Answers 202 when what a call says is durable; the signature stands for a token."""

    def __init__(self, take: TakeCallback) -> None:
        self._take = take

    async def post(self, request: web.Request) -> web.Response:
        """Take a call."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await _body(request)
            taken = await self._take(request.match_info["target"], headers, body)
        except CallbackRefusedError as refusal:
            again = {"Retry-After": "30"} if refusal.why is CallbackRefusal.BUSY else None
            return web.json_response({"error": str(refusal)}, status=_STATUS[refusal.why], headers=again)
        return web.json_response({"new_changes": taken}, status=202)


async def _body(request: web.Request) -> bytes:
    """Return the body; what other systems send may be larger than what the rest of this server takes."""
    parts: list[bytes] = []
    room = _MOST_OCTETS
    async for part in request.content.iter_chunked(65_536):
        room -= len(part)
        if room < 0:
            raise CallbackRefusedError(CallbackRefusal.TOO_LARGE, f"{_MOST_OCTETS} octets at most")
        parts.append(part)
    return b"".join(parts)

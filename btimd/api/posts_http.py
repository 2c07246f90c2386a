"""POST routes whose callers are known by a secret of their own: callbacks of gateways and robots."""

from typing import Final

from aiohttp import web

from btimd.model.posted import Posted, TakePost

MOST_OCTETS: Final = 65_536
_MOST_FIELDS: Final = 100


class PostFace:
    """Hands requests on; what is larger than MOST_OCTETS is refused before it is read."""

    def __init__(self, take: TakePost) -> None:
        self._take = take

    async def post(self, request: web.Request) -> web.Response:
        """Take a request."""
        if (request.content_length or 0) > MOST_OCTETS:
            return web.Response(status=413, text=f"{MOST_OCTETS} octets at most\n")
        try:
            body = await request.content.read(MOST_OCTETS + 1)
            while len(body) <= MOST_OCTETS and not request.content.at_eof():
                body += await request.content.read(MOST_OCTETS + 1 - len(body))
        except web.HTTPRequestEntityTooLarge:
            body = b"x" * (MOST_OCTETS + 1)
        if len(body) > MOST_OCTETS:
            return web.Response(status=413, text=f"{MOST_OCTETS} octets at most\n")
        answer = await self._take(
            Posted(
                name=request.match_info.get("name", ""),
                headers={name.lower(): value for name, value in list(request.headers.items())[:_MOST_FIELDS]},
                query=dict(list(request.query.items())[:_MOST_FIELDS]),
                content_type=request.headers.get("Content-Type", ""),
                body=body,
            )
        )
        return web.Response(status=answer.status, text=answer.text)

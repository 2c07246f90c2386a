import aiohttp
import pytest

from btimd.api.auth import Gate
from btimd.api.http import HttpServer
from btimd.api.posts_http import MOST_OCTETS, PostFace
from btimd.model.posted import PostAnswer, Posted
from btimd.runtime.metrics import Metrics


class Taker:
    def __init__(self) -> None:
        self.taken: list[Posted] = []

    async def take(self, posted: Posted) -> PostAnswer:
        self.taken.append(posted)
        return PostAnswer(202, "kept")


async def answered(taker: Taker, path: str, body: bytes, **more: str) -> tuple[int, str]:
    metrics = Metrics()
    server = HttpServer(gate=Gate((), metrics), reads_are_open=True, metrics=metrics, health=dict)
    server.more["/answers/{name}"] = PostFace(taker.take).post
    host, port = await server.start("127.0.0.1", 0, None)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{host}:{port}{path}", data=body, headers=more) as response,
        ):
            return response.status, await response.text()
    finally:
        await server.stop()


async def test_a_request_is_handed_on_whole_with_headers_in_lower_case() -> None:
    taker = Taker()
    found = await answered(taker, "/answers/sms?token=t", b'{"a": 1}', **{"X-Sign": "s", "Content-Type": "text/json"})
    (posted,) = taker.taken
    assert found == (202, "kept")
    assert (posted.name, posted.body, posted.query, posted.content_type) == ("sms", b'{"a": 1}', {"token": "t"},
        "text/json")  # fmt: skip
    assert posted.headers["x-sign"] == "s"
    assert "X-Sign" not in repr(posted)


@pytest.mark.parametrize("octets", [MOST_OCTETS + 1, 400_000])
async def test_what_is_too_large_is_refused_unread(octets: int) -> None:
    taker = Taker()
    status, _ = await answered(taker, "/answers/sms", b"x" * octets)
    assert (status, taker.taken) == (413, [])

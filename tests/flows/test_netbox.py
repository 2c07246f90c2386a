"""The reader of NetBox against a real HTTP server on loopback that answers as NetBox documents it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from btimd.flows.netbox import ADDRESSES, PREFIXES, NetBox, NetBoxError, NetBoxLimits

DATA = Path(__file__).parent / "data" / "netbox"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve on a free port of 127.0.0.1."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def saying(status: int, body: object = "", **headers: str) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(
            status=status, text=text, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    return handler


async def refused(handler: Handler, limits: NetBoxLimits | None = None) -> tuple[str, list[float]]:
    """Return what is said of a server, and the pauses made, without making them."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with serving(handler) as url:
        async with NetBox(url, "abc", limits=limits, sleep=sleep) as netbox:
            with pytest.raises(NetBoxError) as caught:
                await netbox.objects(PREFIXES)
        return str(caught.value).replace(url, "URL"), pauses


async def test_all_pages_are_read_with_the_token_and_the_statuses() -> None:
    asked: list[tuple[str, str]] = []
    told: list[tuple[str, int, int]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append((request.path_qs, request.headers["Authorization"]))
        name = "prefixes-2.json" if "offset" in request.query else "prefixes-1.json"
        return web.Response(text=(DATA / name).read_text(), content_type="application/json")

    async with (
        serving(handler) as url,
        NetBox(f"{url}/netbox/", "0123abc", progress=lambda *one: told.append(one)) as netbox,
    ):
        found = await netbox.objects(PREFIXES, ("active", "container"))

    assert [one["id"] for one in found] == [1, 2, 3, 4, 5, 6, 7]
    assert asked == [
        ("/netbox/api/ipam/prefixes/?limit=500&status=active&status=container", "Token 0123abc"),
        ("/netbox/api/ipam/prefixes/?limit=3&offset=3", "Token 0123abc"),
    ]
    assert told == [("prefixes", 3, 7), ("prefixes", 7, 7)]


async def test_tokens_of_the_second_version_are_bearers() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({"count": 0, "next": None, "previous": None, "results": []})

    async with serving(handler) as url:
        for token in ("nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S", ""):
            async with NetBox(f"{url}/api/", token) as netbox:
                assert await netbox.objects(ADDRESSES) == []

    assert seen == ["Bearer nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S", ""]


async def test_what_is_refused_says_why_and_what_to_do() -> None:
    where = "URL/api/ipam/prefixes/?limit=500"
    assert await refused(saying(403, {"detail": "Invalid v1 token"})) == (
        (
            f"{where} answered 403 ('Invalid v1 token'): the token is not valid, or may not view prefixes and IP addresses; "
            "check --token-file and the token's permissions"
        ),
        [],
    )
    assert await refused(saying(404, "nothing")) == (f"{where} answered 404: there is no NetBox API; check --url", [])
    assert await refused(saying(301, "", Location="http://other/api/")) == (
        f"{where} sends to http://other/api/; give the address it sends to", [],
    )  # fmt: skip
    assert await refused(saying(200, "<html>login</html>")) == (
        "URL/api/ipam/prefixes/ answers no list of NetBox's API ('<html>login</html>'); give the address of NetBox itself",
        [],
    )
    assert await refused(saying(400, {"detail": 7})) == (f"{where} answered 400", [])


async def test_a_busy_or_failing_server_is_asked_again_a_few_times() -> None:
    assert await refused(saying(429, {"detail": "throttled"}, Retry_After="7")) == (
        "URL/api/ipam/prefixes/?limit=500 answered 429 ('throttled'): too many requests; try later", [7.0, 7.0, 7.0],
    )  # fmt: skip
    assert (await refused(saying(502, ""), NetBoxLimits(tries=3)))[1] == [1.0, 2.0]
    assert (await refused(saying(503, "", Retry_After="99999"), NetBoxLimits(tries=2, wait_seconds=5)))[1] == [5]


async def test_a_server_that_comes_back_is_read() -> None:
    answers = [503, 200]

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"count": 1, "next": None, "results": [{"id": 1}]}, status=answers.pop(0))

    async def sleep(_seconds: float) -> None:
        return

    async with serving(handler) as url, NetBox(url, sleep=sleep) as netbox:
        assert await netbox.objects(PREFIXES) == [{"id": 1}]


async def test_what_a_server_may_send_is_bounded() -> None:
    again = {"count": 9, "next": "http://x/?limit=500", "results": []}
    text, _ = await refused(saying(200, again))
    assert text.startswith("URL/api/ipam/prefixes/ gives the same page as next again (limit=500)")

    async def endless(request: web.Request) -> web.StreamResponse:
        offset = int(request.query.get("offset", "0")) + 1
        return web.json_response({"count": 9, "next": f"http://x/?offset={offset}", "results": [1]})

    assert (await refused(endless, NetBoxLimits(pages=3)))[0] == (
        "URL/api/ipam/prefixes/ has more than 3 pages; narrow it with --status"
    )
    assert "holds more than 0 MiB" in (await refused(endless, NetBoxLimits(octets=60)))[0]
    long = {"count": 1, "next": None, "results": ["x" * 300]}
    assert (
        "answers more than 0 MiB; is it a NetBox?"
        in (await refused(saying(200, long), NetBoxLimits(page_octets=200)))[0]
    )
    odd = {"count": 1, "next": 7, "results": []}
    assert (await refused(saying(200, odd)))[0] == "URL/api/ipam/prefixes/ names a next page that is no link: '7'"


async def test_nobody_there_and_no_answer_in_time_are_told() -> None:
    async def hanging_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    never = asyncio.Event()

    async def silent(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    text, pauses = await refused(hanging_up, NetBoxLimits(tries=2))
    assert (text, pauses) == ("cannot reach URL/api/ipam/: Server disconnected", [1.0])
    text, pauses = await refused(silent, NetBoxLimits(tries=1, timeout_seconds=0.05))
    assert (text, pauses) == ("URL/api/ipam/ did not answer within 0.05 s; try again, or ask for less", [])
    async with NetBox("http://127.0.0.1:9", limits=NetBoxLimits(tries=1)) as netbox:
        with pytest.raises(NetBoxError, match="cannot reach http://127.0.0.1:9/api/ipam/"):
            await netbox.objects(PREFIXES)


def test_a_token_never_goes_unencrypted_to_another_machine() -> None:
    with pytest.raises(
        NetBoxError, match="the token would go to netbox.example unencrypted; use https, or --plaintext"
    ):
        NetBox("http://netbox.example", "abc")
    NetBox("http://netbox.example", "abc", plaintext=True)
    NetBox("http://netbox.example")
    NetBox("netbox.example", "abc")


def test_what_is_no_address_or_token_is_refused() -> None:
    for url in ("ftp://netbox", "https://", "http:///x"):
        with pytest.raises(NetBoxError, match="is no address of a NetBox"):
            NetBox(url)
    with pytest.raises(NetBoxError, match="holds a user or password"):
        NetBox("https://me:secret@netbox")
    for token in ("a b", "ä", "a\nb"):
        with pytest.raises(NetBoxError, match="the token file holds no token"):
            NetBox("https://netbox", token)

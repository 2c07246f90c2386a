import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from btimd.itsm.emit.exchange import Dialogue, Done, HaltError, Work, ask, json_request, query
from btimd.itsm.emit.httptarget import (
    ANSWER_LIMIT,
    REQUESTS_LIMIT,
    Adapter,
    CheckedResolver,
    Headers,
    HttpTarget,
    address_is_allowed,
    redacted,
    shapes_of,
)
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import HttpTargetSettings
from btimd.model.delivery import ExternalReference
from btimd.runtime.clock import ManualClock
from tests.fakes.journal import FakeJournal
from tests.itsm.messages import message
from tests.itsm.posts import T0

SECRET = "a-secret-that-nobody-sees"
WRITE = json_request("POST", "ticket", {"a": 1})
CHANGE = json_request("PUT", "ticket/7", {"a": 1})
READ = query("ticket/7")


class Script:
    """An adapter that makes the requests it was given."""

    def __init__(self, *requests: Any) -> None:
        self.requests = requests

    def deliver(self, work: Work) -> Dialogue[Done]:
        for request in self.requests:
            yield from ask(request, good=(200, 201))
        return Done(ExternalReference("desk", work.message.incident_id, "7", work.message.seq), "ticket 7")


class Server:
    """Answers by script: a status, None for a cut connection, "hang"; then 200. Remembers (method, path, headers)."""

    def __init__(self, *script: Any, body: bytes = b"{}") -> None:
        self.script = list(script)
        self.body = body
        self.seen: list[tuple[str, str]] = []
        self.headers: list[Mapping[str, str]] = []
        self.port = 0
        self.released = asyncio.Event()

    async def take(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.seen.append((request.method, request.path))
        self.headers.append(request.headers)
        what = self.script.pop(0) if self.script else 200
        if what == "hang":
            await self.released.wait()
        if what is None:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=what if isinstance(what, int) else 200, body=self.body)

    @asynccontextmanager
    async def up(self) -> AsyncIterator["Server"]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            self.released.set()
            await runner.cleanup()


def target(
    server: Server, folder: Path, adapter: Adapter, journal: FakeJournal | None = None, **settings: Any
) -> HttpTarget:
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)

    def make(secrets: Mapping[str, str]) -> tuple[Adapter, Headers]:
        return adapter, {"Authorization": f"token {secrets['token_file']}"}

    return HttpTarget(
        name="desk",
        kind="request_tracker",
        settings=HttpTargetSettings(url=f"http://127.0.0.1:{server.port}/base/", **settings),
        secret_files={"token_file": secret},
        make=make,
        journal=journal or FakeJournal(),
        clock=ManualClock(now=T0),
    )


async def deliver(server: Server, folder: Path, *requests: Any, **settings: Any) -> Outcome:
    made = target(server, folder, Script(*requests), **settings)
    await made.start()
    try:
        return await made.deliver(message())
    finally:
        await made.stop()
        await made.stop()


async def test_requests_go_below_the_url_with_the_secret_and_the_reference_is_kept(tmp_path: Path) -> None:
    journal = FakeJournal()
    async with Server().up() as server:
        made = target(server, tmp_path, Script(WRITE, READ), journal)
        assert (await made.deliver(message())).kind is OutcomeKind.NOT_SENT, "not started"
        await made.start()
        assert await made.deliver(message()) == Outcome(OutcomeKind.DELIVERED, "ticket 7")
        await made.stop()

    assert server.seen == [("POST", "/base/ticket"), ("GET", "/base/ticket/7")]
    assert server.headers[0]["Authorization"] == f"token {SECRET}"
    assert await journal.load_reference("desk", "INC-1") == ExternalReference("desk", "INC-1", "7", 1)


@pytest.mark.parametrize(
    ("script", "requests", "kind", "partly", "seen"),
    [
        ((None,), (WRITE,), OutcomeKind.UNCERTAIN, False, 1),
        ((None,), (CHANGE,), OutcomeKind.UNCERTAIN, False, 1),  # not sent again by the HTTP library
        ((None,), (READ, WRITE), OutcomeKind.NOT_SENT, False, 1),
        ((201, None), (WRITE, READ), OutcomeKind.NOT_SENT, True, 2),
        ((201, 400), (WRITE, CHANGE), OutcomeKind.REFUSED, True, 2),
        ((400,), (WRITE,), OutcomeKind.REFUSED, False, 1),
        ((201, 429), (WRITE, CHANGE), OutcomeKind.RETRY_AFTER, True, 2),
        ((302,), (WRITE,), OutcomeKind.PAUSED, False, 1),
        (("hang",), (WRITE,), OutcomeKind.UNCERTAIN, False, 1),
        (("hang",), (READ,), OutcomeKind.NOT_SENT, False, 1),
    ],
)  # fmt: skip
async def test_what_is_certain_depends_on_what_was_being_done(
    tmp_path: Path, script: Any, requests: Any, kind: OutcomeKind, partly: bool, seen: int
) -> None:
    async with Server(*script).up() as server:
        outcome = await deliver(server, tmp_path, *requests, timeout=0.3)

    assert (outcome.kind, outcome.partly, len(server.seen)) == (kind, partly, seen)


async def test_nobody_there_is_certainly_not_sent(tmp_path: Path) -> None:
    async with Server().up() as server:
        pass
    outcome = await deliver(server, tmp_path, WRITE)

    assert outcome == Outcome(OutcomeKind.NOT_SENT, f"no connection: 127.0.0.1:{server.port}: Connection refused")


async def test_a_secret_that_the_target_repeats_is_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with Server(400, body=f"bad token {SECRET}".encode()).up() as server:
            outcome = await deliver(server, tmp_path, WRITE)

    assert outcome.detail == "HTTP 400: bad token ***"
    assert SECRET not in caplog.text
    assert redacted("x", ()) == "x"


async def test_a_target_that_leads_in_circles_is_left(tmp_path: Path) -> None:
    async with Server().up() as server:
        outcome = await deliver(server, tmp_path, *[READ] * (REQUESTS_LIMIT + 5))

    assert outcome.detail == f"{REQUESTS_LIMIT} requests came to no end"


async def test_a_ticket_that_vanishes_twice_is_looked_for_again_later(tmp_path: Path) -> None:
    class Vanishing:
        def deliver(self, work: Work) -> Dialogue[Done]:
            yield from ask(READ, gone=True)
            return Done(None, work.message.id)

    async with Server(404).up() as server:
        made = target(server, tmp_path, Vanishing())
        await made.start()
        outcome = await made.deliver(message())
        await made.stop()

    assert outcome == Outcome(OutcomeKind.SERVER_ERROR, "ticket/7 was there and is not any more")


async def test_an_endless_answer_is_read_up_to_a_limit(tmp_path: Path) -> None:
    seen: list[int] = []

    class Reader:
        def deliver(self, work: Work) -> Dialogue[Done]:
            answer = yield READ
            seen.append(len(answer.body))
            raise HaltError(Outcome(OutcomeKind.REFUSED, work.message.id))

    async with Server(body=b"x" * (ANSWER_LIMIT + 99)).up() as server:
        made = target(server, tmp_path, Reader())
        await made.start()
        await made.deliver(message())
        await made.stop()

    assert seen == [ANSWER_LIMIT]


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("10.1.2.3", (), True),
        ("127.0.0.1", (), True),
        ("169.254.169.254", (), False),
        ("::ffff:169.254.169.254", (), False),
        ("fe80::1", (), False),
        ("224.0.0.1", (), False),
        ("0.0.0.0", (), False),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
    ],
)
def test_addresses_that_targets_may_have(address: str, networks: tuple[str, ...], allowed: bool) -> None:
    assert address_is_allowed(ip_address(address), networks) is allowed


async def test_a_name_that_points_elsewhere_is_not_called(tmp_path: Path) -> None:
    async with Server().up() as server:
        literal = await deliver(server, tmp_path, WRITE, networks=("10.0.0.0/8",))
    assert literal == Outcome(OutcomeKind.NOT_SENT, "no connection: the address is not in networks")

    resolver = CheckedResolver(["10.0.0.0/8"])
    with pytest.raises(OSError, match="is not in networks"):
        await resolver.resolve("localhost", 80)
    await resolver.close()


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [(b"", 0o600, "is empty"), ("é".encode(), 0o600, "not plain ASCII"), (b"x", 0o644, "chmod 600")],
)
async def test_a_bad_secret_is_said_at_the_start(tmp_path: Path, content: bytes, mode: int, reason: str) -> None:
    made = target(Server(), tmp_path, Script())
    (tmp_path / "secret").write_bytes(content)
    (tmp_path / "secret").chmod(mode)

    with pytest.raises(ValueError, match=reason) as refused:
        await made.start()
    assert str(refused.value).startswith("itsm.request_tracker.desk: secret in ")


def test_secrets_are_hidden_in_every_shape_they_have_on_the_wire_and_where_a_text_was_cut() -> None:
    headers = {"Authorization": "Basic YnRpbWQ6YS9zZWNyZXQr"}
    shapes = shapes_of(["a/secret+"], headers, "https://desk.example/hooks/T0123456789/x?key=0815")
    said = "a/secret+ a%2Fsecret%2B YnRpbWQ6YS9zZWNyZXQr /hooks/T0123456789/x key=0815 YnRpbWQ6YS9z"
    assert redacted(said, shapes) == "*** *** *** *** *** ***"
    assert redacted("nothing of it", shapes) == "nothing of it"

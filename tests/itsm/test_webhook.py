import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from btimd import __version__
from btimd.itsm.emit.exchange import classify_status
from btimd.itsm.emit.webhook import Webhook
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.settings import WebhookSettings
from btimd.model.ports import OutboxMessage
from btimd.runtime.clock import ManualClock
from tests.itsm.examples import T0
from tests.itsm.receivers import Receiver, secret_file

MESSAGE = OutboxMessage(
    id="INC-1.2@desk",
    target="desk",
    incident_id="INC-1",
    seq=2,
    content_type="application/cloudevents+json; charset=utf-8",
    body=b'{"id":"INC-1.2","type":"io.btimd.incident.opened.v1","data":{}}',
    attempts=3,
    next_at=T0,
    uncertain=False,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=T0)


@pytest.fixture
async def receiver(clock: ManualClock) -> AsyncIterator[Receiver]:
    async with Receiver(clock.wall).up() as receiver:
        yield receiver


async def deliver(clock: ManualClock, folder: Path, **settings: Any) -> Outcome:
    hook = Webhook("desk", WebhookSettings(secret_file=secret_file(folder), **settings), clock)
    await hook.start()
    try:
        return await hook.deliver(MESSAGE)
    finally:
        await hook.stop()
        await hook.stop()


async def test_a_message_arrives_signed_with_its_id_and_its_attempt(
    receiver: Receiver, clock: ManualClock, tmp_path: Path
) -> None:
    assert await deliver(clock, tmp_path, url=receiver.url) == Outcome(OutcomeKind.DELIVERED, "HTTP 204")

    headers = receiver.requests[0].headers
    assert {name: headers[name] for name in headers if name not in {"webhook-signature", "host", "accept"}} == {
        "webhook-id": "INC-1.2",
        "webhook-timestamp": "1700000000",
        "webhook-attempt": "3",
        "idempotency-key": "INC-1.2",
        "content-type": "application/cloudevents+json; charset=utf-8",
        "content-length": str(len(MESSAGE.body)),
        "accept-encoding": headers["accept-encoding"],
        "connection": "close",
        "user-agent": f"btimd/{__version__}",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeKind.DELIVERED), (202, OutcomeKind.DELIVERED), (299, OutcomeKind.DELIVERED),
        (301, OutcomeKind.PAUSED), (304, OutcomeKind.PAUSED), (308, OutcomeKind.PAUSED),
        (400, OutcomeKind.REFUSED), (409, OutcomeKind.REFUSED), (413, OutcomeKind.REFUSED), (422, OutcomeKind.REFUSED),
        (401, OutcomeKind.PAUSED), (403, OutcomeKind.PAUSED), (407, OutcomeKind.PAUSED),
        (404, OutcomeKind.PAUSED), (405, OutcomeKind.PAUSED), (410, OutcomeKind.PAUSED),
        (408, OutcomeKind.SERVER_ERROR), (425, OutcomeKind.SERVER_ERROR),
        (429, OutcomeKind.RETRY_AFTER), (503, OutcomeKind.RETRY_AFTER),
        (500, OutcomeKind.SERVER_ERROR), (501, OutcomeKind.SERVER_ERROR), (599, OutcomeKind.SERVER_ERROR),
        (502, OutcomeKind.UNCERTAIN), (504, OutcomeKind.UNCERTAIN),
    ],
)  # fmt: skip
def test_every_status_has_its_meaning(status: int, kind: OutcomeKind) -> None:
    assert classify_status(status, {}, "", T0).kind is kind


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:14:20", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        ("٣", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    headers = {} if value is None else {"Retry-After": value}

    assert classify_status(429, headers, "busy", T0) == Outcome(OutcomeKind.RETRY_AFTER, "HTTP 429: busy", seconds)


async def test_a_redirect_is_not_followed(receiver: Receiver, clock: ManualClock, tmp_path: Path) -> None:
    receiver.script, receiver.answer_headers = [307], {"Location": receiver.url}

    assert (await deliver(clock, tmp_path, url=receiver.url)).kind is OutcomeKind.PAUSED
    assert len(receiver.requests) == 1


async def test_a_refused_connection_certainly_sent_nothing(clock: ManualClock, tmp_path: Path) -> None:
    async with Receiver(clock.wall).up() as gone:
        url = gone.url

    assert await deliver(clock, tmp_path, url=url) == Outcome(
        OutcomeKind.NOT_SENT, f"no connection: 127.0.0.1:{gone.port}: Connection refused"
    )


async def test_an_unknown_name_certainly_sent_nothing(clock: ManualClock, tmp_path: Path) -> None:
    outcome = await deliver(clock, tmp_path, url="https://desk.invalid/secret-path")

    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.detail.startswith("no connection: desk.invalid:443: ")
    assert "secret-path" not in outcome.detail


async def test_a_connection_cut_after_the_request_is_uncertain(
    receiver: Receiver, clock: ManualClock, tmp_path: Path
) -> None:
    receiver.script = [None]

    assert await deliver(clock, tmp_path, url=receiver.url) == Outcome(
        OutcomeKind.UNCERTAIN, "the connection broke: ServerDisconnectedError"
    )


async def test_no_answer_in_time_is_uncertain(receiver: Receiver, clock: ManualClock, tmp_path: Path) -> None:
    receiver.hold = asyncio.Event()

    assert await deliver(clock, tmp_path, url=receiver.url, timeout=0.1) == Outcome(
        OutcomeKind.UNCERTAIN, "no answer within 0.1 s"
    )
    assert len(receiver.requests) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Return the key and the self-signed certificate of 127.0.0.1."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


async def test_only_certificates_of_the_given_authority_are_trusted(
    clock: ManualClock, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate[1], certificate[0])
    receiver = Receiver(clock.wall)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
        untrusted = await deliver(clock, tmp_path, url=url)
        trusted = await deliver(clock, tmp_path, url=url, ca_file=certificate[1])
    finally:
        await runner.cleanup()

    assert trusted == Outcome(OutcomeKind.DELIVERED, "HTTP 204")
    assert untrusted.kind is OutcomeKind.NOT_SENT
    assert untrusted.detail.endswith("the certificate is not trusted; give ca_file or renew it")
    assert len(receiver.requests) == 1


async def test_a_refusal_repeats_what_the_target_said_on_one_line(clock: ManualClock, tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=400, text="no\n\x1b[31m" + "x" * 999)

    app = web.Application()
    app.router.add_post("/hook", refuse)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        outcome = await deliver(clock, tmp_path, url=f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    finally:
        await runner.cleanup()

    assert outcome == Outcome(OutcomeKind.REFUSED, "HTTP 400: no [31m" + "x" * 192)


@pytest.mark.parametrize(
    ("secret", "mode", "message"),
    [
        (b"", 0o600, "is empty"),
        (b"short", 0o600, "has 5 octets; use at least 24"),
        (b"a-secret-of-24-octets-or-more", 0o644, "can be read by others"),
        (None, 0, "No such file"),
    ],
)
async def test_a_bad_secret_is_said_at_the_start(
    clock: ManualClock, tmp_path: Path, secret: bytes | None, mode: int, message: str
) -> None:
    path = tmp_path / "bad"
    if secret is not None:
        path.write_bytes(secret)
        path.chmod(mode)
    hook = Webhook("desk", WebhookSettings(url="https://desk.example/", secret_file=path), clock)

    with pytest.raises(ValueError, match=message) as refused:
        await hook.start()
    assert str(refused.value).startswith("itsm.webhook.desk: secret in ")
    assert not secret or secret.decode() not in str(refused.value)
    assert (await hook.deliver(MESSAGE)).kind is OutcomeKind.NOT_SENT


async def test_a_missing_certificate_file_is_said_at_the_start(clock: ManualClock, tmp_path: Path) -> None:
    settings = WebhookSettings(
        url="https://desk.example/", secret_file=secret_file(tmp_path), ca_file=tmp_path / "none.pem"
    )

    with pytest.raises(ValueError, match=r"itsm\.webhook\.desk: ca_file .*none\.pem: .*No such file"):
        await Webhook("desk", settings, clock).start()

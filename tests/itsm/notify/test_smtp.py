# ruff: noqa: N802, ARG001, ARG002  the names and arguments of hooks are aiosmtpd's
import asyncio
import datetime as dt
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from btimd.itsm.notify.channels import mail_of
from btimd.itsm.notify.settings import MailSettings
from btimd.itsm.notify.smtp import MailSender
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.examples import notice
from tests.itsm.notify.test_post import secret

MAIL = notice(
    means=Means.EMAIL, address="zhang@corp.test", text="[P2] 请接单\n单号: #4711", subject="[P2] 请接单 #4711"
)
PASSWORD = "mail-password-0815"


class Box:
    """What a server does with a mail. answer: to DATA; None = drop the connection."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.answer: str | None = "250 OK"
        self.rcpt = "250 OK"
        self.sender = "250 OK"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        if self.answer is None:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "421 gone"
        return self.answer


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate of 127.0.0.1, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.pem", folder / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@asynccontextmanager
async def server(box: Box, *, ssl_context: ssl.SSLContext | None = None, **given: Any) -> AsyncIterator[int]:
    """Run a server on this loop; yields its port."""
    loop = asyncio.get_running_loop()
    made = await loop.create_server(
        lambda: SMTP(box, hostname="mail.test", loop=loop, **given), "127.0.0.1", 0, ssl=ssl_context
    )
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()
        await made.wait_closed()


Make = Callable[..., MailSender]


@pytest.fixture
def make(clock: ManualClock) -> Make:
    def made(port: int, **settings: Any) -> MailSender:
        given: dict[str, Any] = {
            "server": f"127.0.0.1:{port}",
            "sender": "btimd@corp.test",
            "security": "none",
            **settings,
        }
        return mail_of("corp", MailSettings.model_validate(given), clock)

    return made


async def sent(sender: MailSender) -> Outcome:
    await sender.start()
    return (await sender.send(MAIL)).outcome


async def test_a_mail_arrives_once(make: Make) -> None:
    box = Box()
    async with server(box) as port:
        sender = make(port)
        assert (await sender.send(MAIL)).outcome == Outcome(OutcomeKind.NOT_SENT, "corp is not started")
        await sender.start()
        result = await sender.send(MAIL)
        await sender.stop()

    assert (result.outcome, result.provider_id) == (Outcome(OutcomeKind.DELIVERED, "250"), "<n-1@corp.test>")
    (mail,) = box.mails
    assert (mail.mail_from, mail.rcpt_tos) == ("btimd@corp.test", ["zhang@corp.test"])
    assert isinstance(mail.content, bytes)
    assert b"Message-ID: <n-1@corp.test>\r\n" in mail.content


@pytest.mark.slow
async def test_password_and_mail_go_through_tls_only(make: Make, tmp_path: Path) -> None:
    public, context = certificate(tmp_path)
    password = secret(tmp_path / "password", PASSWORD)
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    box = Box()
    login = {"user": "btimd", "password_file": password}
    async with server(
        box, tls_context=context, authenticator=authenticate, auth_required=True, require_starttls=True
    ) as port:
        starttls = await sent(make(port, security="starttls", ca_file=public, **login))
        untrusted = await sent(make(port, security="starttls", **login))
        secret(password, "a wrong one")
        wrong = await sent(make(port, security="starttls", ca_file=public, **login))
    secret(password, PASSWORD)
    async with server(box, ssl_context=context, authenticator=authenticate, auth_require_tls=False) as port:
        tls = await sent(make(port, security="tls", ca_file=public, **login))
    async with server(box) as port:
        without = await sent(make(port, security="starttls", ca_file=public))

    assert [outcome.kind.value for outcome in (starttls, untrusted, wrong, tls, without)] == [
        "delivered", "not-sent", "paused", "delivered", "paused",
    ]  # fmt: skip
    assert untrusted.detail == "the certificate is not trusted; give ca_file or renew it"
    assert wrong.detail == "the server refuses user 'btimd': 535; check user and password_file"
    assert seen[0] == (b"btimd", PASSWORD.encode())
    assert len(box.mails) == 2


async def test_each_step_of_a_failure_is_told_apart(make: Make) -> None:
    box = Box()
    async with server(box) as port:
        sender = make(port)
        box.sender = "550 not from you"
        not_ours = await sent(sender)
        box.sender, box.rcpt = "250 OK", "550 no such user\x07 here"
        nobody = await sent(sender)
        box.rcpt = "450 greylisted"
        later = await sent(sender)
        box.rcpt, box.answer = "250 OK", "552 too big"
        big = await sent(sender)
        box.answer = "451 disk full"
        full = await sent(sender)
        box.answer = None
        broken = await sent(sender)
        bad = (await sender.send(notice(means=Means.EMAIL, address="x"))).outcome
    gone = await sent(sender)

    assert [not_ours, nobody, later, big, full] == [
        Outcome(OutcomeKind.PAUSED, "MAIL: 550 not from you"),
        Outcome(OutcomeKind.REFUSED, "RCPT: 550 no such user here"),
        Outcome(OutcomeKind.NOT_SENT, "RCPT: 450 greylisted"),
        Outcome(OutcomeKind.REFUSED, "DATA: 552 too big"),
        Outcome(OutcomeKind.NOT_SENT, "DATA: 451 disk full"),
    ]
    assert broken.kind is OutcomeKind.UNCERTAIN
    assert broken.detail.startswith("DATA: ")
    assert bad == Outcome(OutcomeKind.REFUSED, "'x' is no mailbox; write name@domain in ASCII")
    assert gone == Outcome(OutcomeKind.NOT_SENT, "no connection: SMTPConnectError")


async def test_no_password_is_in_a_log_an_error_or_a_repr(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sender = make(1, user="btimd", password_file=secret(tmp_path / "password", PASSWORD))
    outcome = await sent(sender)

    assert PASSWORD not in f"{outcome!r} {sender!r} {caplog.text}"


async def test_what_is_wrong_with_files_is_said_at_the_start(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"itsm\.notify\.mail\.corp: .* can be read by others"):
        await make(1, user="u", password_file=secret(tmp_path / "p", "x", 0o644)).start()
    with pytest.raises(ValueError, match=r"itsm\.notify\.mail\.corp: ca_file .*none\.pem"):
        await make(1, ca_file=tmp_path / "none.pem").start()

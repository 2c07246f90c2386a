"""Certificates that real servers show: right ones, and every way of being wrong."""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.service import Check, CheckKind
from btimd.probes.catalogue import dialogue_for
from tests.probes import servers
from tests.probes.authorities import Issued, issue
from tests.probes.running import probe
from tests.probes.samples import check


@contextlib.asynccontextmanager
async def serving(issued: Issued, directory: Path) -> AsyncIterator[int]:
    """Serve TLS with a certificate; yield the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*issued.write(directory, "server"))

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


def tls_check(port: int, **options: str) -> Check:
    return check(kind=CheckKind.TLS, port=port, options={"server_name": "erp.example", **options})


async def asked(of: Check, ca: str) -> ProbeResult:
    return await probe(of, dialogue_for(of, 1, {"ca": ca} if ca else {}))


@pytest.mark.slow
async def test_every_way_of_being_wrong_has_its_words(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    root = issue("Corp CA", is_authority=True, now=now)
    middle = issue("Corp CA 2", by=root, is_authority=True, now=now)
    old_middle = issue("Corp CA 3", by=root, is_authority=True, now=now, days=(-9, -2))
    name = ("erp.example",)
    found = {}
    for what, leaf, trusted in (
        ("good", issue("erp", name, by=middle, now=now), root.pem),
        ("soon", issue("erp", name, by=root, now=now, days=(-1, 3)), root.pem),
        ("expired", issue("erp", name, by=root, now=now, days=(-9, -2)), root.pem),
        ("early", issue("erp", name, by=root, now=now, days=(2, 9)), root.pem),
        ("self-signed", issue("erp", name, now=now), root.pem),
        ("unknown", issue("erp", name, by=middle, now=now), ""),
        ("cut", issue("erp", name, by=middle, now=now, sent=False), root.pem),
        ("old authority", issue("erp", name, by=old_middle, now=now), root.pem),
        ("name", issue("crm", ("crm.example", "10.0.0.1"), by=root, now=now), root.pem),
    ):
        async with serving(leaf, tmp_path) as port:
            result = await asked(tls_check(port), trusted)
        days = result.values["certificate_expires_seconds"] / 86_400
        found[what] = (result.error, round(days, 1), result.detail.partition(": ")[2])
    expired = (now - dt.timedelta(days=2)).strftime("%Y-%m-%d %H:%M UTC")
    early = (now + dt.timedelta(days=2)).strftime("%Y-%m-%d %H:%M UTC")
    soon = (now + dt.timedelta(days=3)).strftime("%Y-%m-%d %H:%M UTC")
    bad = ErrorClass.PROTOCOL_ERROR
    assert found == {
        "good": (ErrorClass.NONE, 90.0, ""),
        "soon": (bad, 3.0, f"certificate of erp expires on {soon}, in 3.0 days; critical below 7 days"),
        "expired": (bad, -2.0, f"certificate of erp expired on {expired}, 2.0 days ago"),
        "early": (bad, 9.0, f"certificate of erp is not valid before {early}"),
        "self-signed": (bad, 90.0, "certificate of erp is self-signed and not trusted"),
        "unknown": (
            bad,
            90.0,
            (
                "certificate of erp: the server sends 2 certificates, the last issued by Corp CA, an authority not known "
                "here"
            ),
        ),
        "cut": (
            bad,
            90.0,
            (
                "certificate of erp: the server sends it alone, issued by Corp CA 2, which is not trusted here: an unknown "
                "authority, or the server must send the certificate between them too"
            ),
        ),
        "old authority": (
            bad,
            90.0,
            f"certificate of erp: that of its authority Corp CA 3 expired on {expired}, 2.0 days ago",
        ),
        "name": (bad, 90.0, "certificate of crm is for crm.example, 10.0.0.1, not for erp.example"),
    }


async def test_any_certificate_is_accepted_where_the_operator_says_so(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    async with serving(issue("erp", now=now, days=(-9, -2)), tmp_path) as port:
        lenient = await asked(tls_check(port, verify="false", critical_days=""), "")
        strict = await asked(tls_check(port, verify="false"), "")
    assert (lenient.health, strict.health) == (Health.GOOD, Health.BAD)
    assert "certificate of erp by erp (not verified) expired on" in lenient.detail
    assert "certificate of erp expired on" in strict.detail


async def test_authorities_that_cannot_be_read_say_nothing_about_the_server(tmp_path: Path) -> None:
    async with serving(issue("erp"), tmp_path) as port:
        result = await asked(tls_check(port), "no PEM")
    assert (result.health, result.error) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    assert "the certificates of the authorities (ca_file) cannot be read" in result.detail


async def test_a_server_without_tls_is_told() -> None:
    async with servers.tcp_server(servers.saying(b"220 mail.example ESMTP\r\n")) as port:
        plain = await asked(tls_check(port), "")
    async with servers.tcp_server(servers.silent) as port:
        hangs = await asked(check(kind=CheckKind.TLS, port=port, timeout=0.2), "")
    assert (plain.error, hangs.error) == (ErrorClass.PROTOCOL_ERROR, ErrorClass.NO_ANSWER)
    assert "TLS handshake failed: WRONG_VERSION_NUMBER" in plain.detail

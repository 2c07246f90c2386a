"""The SMTP listener over real sockets: 250 means durable, 4xx means come again, 5xx what will never be taken."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from btimd.itsm.intake.desk import IntakeDesk, Receipt
from btimd.itsm.intake.mail import Mail
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.intake.smtp import SmtpListener
from btimd.itsm.intake.storms import StormRules
from btimd.model.report import IntakeBusyError, Report
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable
from tests.itsm.intake import mails
from tests.itsm.intake.certificates import self_signed
from tests.itsm.intake.mails import READER
from tests.patience import PATIENCE_SECONDS

TO = "reports@btimd.example"


@dataclass
class Bench:
    journal: SqliteJournal
    store: ReportTable
    metrics: Metrics = field(default_factory=Metrics)

    async def listener(self, desk: Any = None, **smtp: Any) -> SmtpListener:
        taken = desk or IntakeDesk(
            store=self.store,
            on_report=_nothing,
            rules=StormRules(),
            metrics=self.metrics,
            clock=ManualClock(),
            log=Log("t"),
        )
        settings = IntakeSettings.model_validate({
            "smtp": {"listen": "127.0.0.1:0", **smtp}, "own_domains": ["btimd.example"],
        })  # fmt: skip
        found = SmtpListener(
            settings, reader=READER, desk=taken, metrics=self.metrics, clock=ManualClock(), log=Log("test")
        )
        await found.start()
        return found


async def _nothing(_: Report) -> str:
    await asyncio.sleep(0)
    return ""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield Bench(journal, ReportTable(journal.run))
    await asyncio.to_thread(journal.close)


async def send(listener: SmtpListener, octets: bytes, to: str = TO, **options: Any) -> str:
    assert listener.address is not None
    host, port = listener.address
    client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=False, timeout=PATIENCE_SECONDS, **options)
    await client.connect()
    try:
        _, answer = await client.sendmail("mon@example.net", [to], octets)
        return answer
    finally:
        client.close()


async def test_a_mail_is_answered_with_250_when_its_report_is_durable_and_again_as_the_first(bench: Bench) -> None:
    listener = await bench.listener()
    first = await send(listener, mails.octets(mails.ZABBIX_PROBLEM))
    (kept,) = await bench.store.newest(10)
    assert (kept.report.host, kept.report.template) == ("web01", "zabbix")
    assert first == f"2.0.0 kept as {kept.report.id}"
    assert await send(listener, mails.octets(mails.ZABBIX_PROBLEM)) == first
    assert len(await bench.store.newest(10)) == 1
    await listener.stop()


async def test_a_mail_that_answers_an_order_is_taken_as_that(bench: Bench) -> None:
    async def answered(mail: Mail) -> str:
        await asyncio.sleep(0)
        return "refused: 不是\r\n250 yours" if mail.sender else ""

    listener = await bench.listener()
    listener._answered = answered
    assert await send(listener, mails.octets(mails.UNKNOWN)) == "2.0.0 refused: ????250 yours"
    assert await bench.store.newest(9) == []
    assert bench.metrics.value("btimd_intake_smtp_mails_total", {"answer": "answer"}) == 1.0
    await listener.stop()


async def test_where_it_cannot_be_kept_the_sender_keeps_it(bench: Bench) -> None:
    class Full:
        async def take(self, one: Report) -> Receipt:
            await asyncio.sleep(0)
            raise IntakeBusyError(one.id) if "Disk" in one.check else OSError("disk full")

    listener = await bench.listener(Full())
    for mail in (mails.ZABBIX_PROBLEM, mails.UNKNOWN):
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(listener, mails.octets(mail))
        assert (refused.value.code, refused.value.message) == (451, "4.3.0 cannot keep it now; send it again later")
    assert bench.metrics.value("btimd_intake_smtp_mails_total", {"answer": "later"}) == 2.0
    await listener.stop()


async def test_loops_and_strange_recipients_and_huge_mails_are_refused_for_good(bench: Bench) -> None:
    listener = await bench.listener(recipients=["reports@*"], max_octets=2048)
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(listener, mails.octets(mails.UNKNOWN, message_id="<7.1@btimd.example>"))
    assert (refused.value.code, refused.value.message) == (550, "5.4.6 refused: own mail")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(listener, mails.octets(mails.UNKNOWN), to="ann@example.net")
    with pytest.raises(aiosmtplib.SMTPResponseException) as large:
        await send(listener, mails.octets(("x", "line\n" * 1000)))
    assert large.value.code == 552
    assert await bench.store.newest(10) == []
    await listener.stop()


async def test_who_is_not_allowed_or_one_too_many_is_told_so_at_once(bench: Bench) -> None:
    listener = await bench.listener(allow=["192.0.2.0/24"])
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(listener, mails.octets(mails.UNKNOWN))
    assert bench.metrics.value("btimd_intake_smtp_refused_total", {"reason": "not-allowed"}) == 1.0
    await listener.stop()
    listener = await bench.listener(connections=1)
    assert listener.address is not None
    reader, writer = await asyncio.open_connection(*listener.address)
    assert (await reader.readline()).startswith(b"220 ")
    reader2, writer2 = await asyncio.open_connection(*listener.address)
    assert await reader2.readline() == b"421 4.3.2 too many connections\r\n"
    writer.close()
    writer2.close()
    await writer.wait_closed()
    assert (await reader.read()) == b""
    await send(listener, mails.octets(mails.UNKNOWN))
    await listener.stop()


async def test_a_password_is_asked_for_where_one_is_set(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("right\n")
    secret.chmod(0o600)
    listener = await bench.listener(user="mon", password_file=str(secret))
    with pytest.raises(aiosmtplib.SMTPResponseException) as without:
        await send(listener, mails.octets(mails.UNKNOWN))
    assert without.value.code == 530
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(listener, mails.octets(mails.UNKNOWN), username="mon", password="wrong")
    assert (await send(listener, mails.octets(mails.UNKNOWN), username="mon", password="right")).startswith(
        "2.0.0 kept"
    )
    await listener.stop()


async def test_with_a_certificate_mails_come_only_after_starttls(bench: Bench, tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    listener = await bench.listener(cert_file=str(cert), key_file=str(key))
    with pytest.raises(aiosmtplib.SMTPResponseException) as plain:
        await send(listener, mails.octets(mails.UNKNOWN))
    assert plain.value.code == 530
    assert listener.address is not None
    host, port = listener.address
    context = ssl.create_default_context(cafile=str(cert))
    client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=True, tls_context=context, timeout=PATIENCE_SECONDS)
    await client.connect()
    _, answer = await client.sendmail("mon@example.net", [TO], mails.octets(mails.UNKNOWN))
    client.close()
    assert answer.startswith("2.0.0 kept")
    await listener.stop()

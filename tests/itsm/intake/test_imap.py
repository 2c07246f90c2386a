"""A mailbox of real servers is emptied: each mail once, moved only after its report is durable, nothing lost."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from imap_tools import MailBoxUnencrypted

from btimd.itsm.intake.desk import IntakeDesk, Receipt
from btimd.itsm.intake.imap import ImapPoller
from btimd.itsm.intake.mail import Mail, no_answer
from btimd.itsm.intake.settings import ImapSettings, IntakeSettings
from btimd.itsm.intake.smtp import SmtpListener
from btimd.itsm.intake.storms import StormRules
from btimd.model.report import IntakeBusyError, Report
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable
from tests.itsm.intake import mails
from tests.itsm.intake.mails import READER
from tests.itsm.intake.mailserver import ADDRESS, PASSWORD, USER, MailServer, mail_server
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.real_server]
RULES = StormRules(burst=10_000.0)


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _empty(server: MailServer) -> None:
    with MailBoxUnencrypted("127.0.0.1", server.imap, timeout=PATIENCE_SECONDS).login(USER, PASSWORD) as box:
        box.delete(box.uids())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ReportTable]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield ReportTable(journal.run)
    await asyncio.to_thread(journal.close)


async def _nothing(_: Report) -> str:
    await asyncio.sleep(0)
    return ""


def desk(store: ReportTable) -> IntakeDesk:
    return IntakeDesk(
        store=store, on_report=_nothing, rules=RULES, metrics=Metrics(), clock=ManualClock(), log=Log("test")
    )


def give(server: MailServer, *octets: bytes, to: str = ADDRESS) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=PATIENCE_SECONDS) as client:
        for one in octets:
            client.sendmail("mon@example.net", [to], one)


def folder(server: MailServer, name: str) -> int:
    with MailBoxUnencrypted("127.0.0.1", server.imap, timeout=PATIENCE_SECONDS).login(
        USER, PASSWORD, initial_folder=None
    ) as box:
        if not box.folder.exists(name):
            return 0
        box.folder.set(name)
        return len(box.uids())


@asynccontextmanager
async def polling(
    server: MailServer, where: Path, taker: Any, metrics: Metrics, answered: Any = no_answer, **settings: Any
) -> AsyncIterator[ImapPoller]:
    secret = where / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    wanted = ImapSettings.model_validate({
        "server": f"127.0.0.1:{server.imap}", "user": USER, "password_file": str(secret), "security": "none",
        "every": "1s", "timeout": "10s", **settings,
    })  # fmt: skip
    poller = ImapPoller(
        "ops",
        wanted,
        own_domains=("btimd.example",),
        reader=READER,
        desk=taker,
        metrics=metrics,
        clock=ManualClock(),
        log=Log("t"),
        answered=answered,
    )
    await poller.start()
    running = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await poller.stop()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await true():  # noqa: ASYNC110  other processes tell nobody
            await asyncio.sleep(0.05)


async def test_a_mailbox_is_emptied_each_mail_becomes_one_report_and_loops_go_to_a_folder(
    server: MailServer, store: ReportTable, tmp_path: Path
) -> None:
    metrics = Metrics()
    give(server, *(mails.octets((f"Problem {at} 支付", "x"), message_id=f"<{at}@example.net>") for at in range(20)))
    give(server, mails.octets(mails.ZABBIX_PROBLEM, message_id="<z@example.net>"), b"\xff\x00\r\n\r\nbroken \xff")
    give(server, mails.octets(mails.UNKNOWN, message_id="<9.9@btimd.example>"))
    async with polling(server, tmp_path, desk(store), metrics):
        await until(lambda: _has(store, 22))
        await until(lambda: _in(server, "btimd-refused", 1))
        await until(lambda: _in(server, "INBOX", 0))
        give(server, mails.octets(mails.NAGIOS_HOST, message_id="<pushed@example.net>"))
        await until(lambda: _has(store, 23))
        await until(lambda: _kept(metrics, 23))
    found = {one.report.key: one.report for one in await store.newest(100)}
    assert found["<3@example.net>"].title == "Problem 3 支付"
    assert found["<z@example.net>"].node == "web01"
    assert metrics.value("btimd_intake_imap_mails_total", {"mailbox": "ops", "as": "refused"}) == 1.0


async def test_a_mail_that_answers_an_order_becomes_no_report(
    server: MailServer, store: ReportTable, tmp_path: Path
) -> None:
    metrics = Metrics()

    async def answered(mail: Mail) -> str:
        await asyncio.sleep(0)
        return "accepted" if mail.subject.startswith("Re:") else ""

    give(server, mails.octets(("Re: order", "1"), message_id="<re@example.net>"))
    give(server, mails.octets(("printer", "is broken"), message_id="<new@example.net>"))
    async with polling(server, tmp_path, desk(store), metrics, answered):
        await until(lambda: _has(store, 1))
        await until(lambda: _in(server, "INBOX", 0))
    assert [one.report.key for one in await store.newest(9)] == ["<new@example.net>"]
    assert metrics.value("btimd_intake_imap_mails_total", {"mailbox": "ops", "as": "answer"}) == 1.0


async def test_a_poller_that_ends_before_it_moved_a_mail_reads_it_again_and_the_report_is_one(
    server: MailServer, store: ReportTable, tmp_path: Path
) -> None:
    inner = desk(store)

    class Dying:
        async def take(self, one: Report) -> Receipt:
            await inner.take(one)
            raise IntakeBusyError("the process ends here")

    give(server, mails.octets(mails.UNKNOWN, message_id="<again@example.net>"))
    async with polling(server, tmp_path, Dying(), Metrics()):
        await until(lambda: _has(store, 1))
    assert folder(server, "INBOX") == 1
    metrics = Metrics()
    async with polling(server, tmp_path, desk(store), metrics):
        await until(lambda: _in(server, "INBOX", 0))
    assert len(await store.newest(10)) == 1
    assert metrics.value("btimd_intake_imap_mails_total", {"mailbox": "ops", "as": "repeated"}) == 1.0


async def test_a_server_that_goes_away_is_said_and_what_came_meanwhile_is_taken_when_it_is_back(
    server: MailServer, store: ReportTable, tmp_path: Path
) -> None:
    metrics = Metrics()
    async with polling(server, tmp_path, desk(store), metrics, done_folder="") as poller:
        give(server, mails.octets(mails.UNKNOWN, message_id="<before@example.net>"))
        await until(lambda: _has(store, 1))
        await asyncio.to_thread(server.kill_imap)
        try:
            give(server, mails.octets(mails.UNKNOWN, message_id="<meanwhile@example.net>"))
            await until(lambda: _true(poller.health().level is HealthLevel.WARNING))
        finally:
            await asyncio.to_thread(server.start_imap)
        await until(lambda: _has(store, 2))
        await until(lambda: _true(poller.health().level is HealthLevel.OK))
    assert folder(server, "INBOX") == 2, "they stay, marked as seen"
    assert metrics.value("btimd_intake_imap_failures_total", {"mailbox": "ops"}) >= 1.0


async def test_postfix_keeps_a_mail_that_could_not_be_kept_and_brings_it_again(
    server: MailServer, store: ReportTable
) -> None:
    inner = desk(store)
    attempts: list[str] = []

    class SlowAtFirst:
        async def take(self, one: Report) -> Receipt:
            attempts.append(one.key)
            if len(attempts) == 1:
                raise IntakeBusyError("slow")
            return await inner.take(one)

    settings = IntakeSettings.model_validate({"smtp": {"listen": f"127.0.0.1:{server.direct}"}})
    taker: Any = SlowAtFirst()
    listener = SmtpListener(
        settings, reader=READER, desk=taker, metrics=Metrics(), clock=ManualClock(), log=Log("test")
    )
    await listener.start()
    await asyncio.to_thread(
        give, server, mails.octets(mails.ZABBIX_PROBLEM, message_id="<p@example.net>"), to="x@direct.test"
    )
    await until(lambda: _has(store, 1))
    assert attempts == ["<p@example.net>"] * 2
    await listener.stop()


async def _kept(metrics: Metrics, number: int) -> bool:
    return metrics.value("btimd_intake_imap_mails_total", {"mailbox": "ops", "as": "kept"}) == number


async def _has(store: ReportTable, wanted: int) -> bool:
    return len(await store.newest(1000)) == wanted


async def _in(server: MailServer, name: str, wanted: int) -> bool:
    return await asyncio.to_thread(folder, server, name) == wanted


async def _true(value: bool) -> bool:
    await asyncio.sleep(0)
    return value

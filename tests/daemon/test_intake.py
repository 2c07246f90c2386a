"""Mails of other systems on their way to incidents, through a whole btimd."""

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiohttp import ClientSession

from btimd.daemon.app import App
from btimd.daemon.intake import Intake, names_of
from btimd.itsm.intake.asreports import problem_of
from btimd.itsm.intake.classify import NodeMatch
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.intake.storms import StormRules
from btimd.itsm.triggers import ReportProblem
from btimd.model.heard import Told
from btimd.model.incident import Difficulty, Incident, IncidentState, Signal
from btimd.model.probe import Health
from btimd.model.report import (
    IntakeBusyError,
    Report,
    ReportChannel,
    ReportFilter,
    ReportReceipt,
    ReportSeverity,
    ReportSignal,
    ReportState,
    StoredReport,
)
from btimd.model.service import NodeKind
from btimd.model.sign import SignSource
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import JournalFailedError
from tests.daemon.small import listener, running, services_text, settings_text, until, write_small
from tests.fakes.journal import FakeJournal
from tests.patience import PATIENCE_SECONDS
from tests.rca.worlds import graph_of, node

_HELD = ("pass", "repeat")
SETTINGS = settings_text() + '[itsm.intake.smtp]\nlisten = "127.0.0.1:0"\n'


def nagios(kind: str, state: str, number: int) -> EmailMessage:
    """Return a mail as Nagios' sample commands write it."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "nagios@mon.example", "btimd@example.org"
    mail["Subject"] = f"** {kind} Service Alert: db1/PGSQL is {state} **"
    mail["Message-ID"] = f"<{number}@mon.example>"
    mail.set_content(
        f"***** Nagios *****\n\nNotification Type: {kind}\n\nService: PGSQL\nHost: db1\nAddress: 10.2.0.30\n"
        f"State: {state}\n\nDate/Time: Sun Nov 22 10:00:00 UTC 2026\n\nAdditional Info:\n\nconnection refused\n"
    )
    return mail


def send(app: App, *mails: EmailMessage) -> None:
    address = app.wired.intake.smtp.address
    assert address is not None
    with smtplib.SMTP(*address, timeout=PATIENCE_SECONDS) as server:
        for mail in mails:
            server.send_message(mail)


async def incidents(app: App) -> list[Incident]:
    """Return those that were reported, not found by btimd's own checks."""
    found = await app.wired.incidents.incidents(only_open=False, business=None, limit=9)
    return [one for one in found if not one.verdict_id]


@pytest.mark.slow
async def test_mails_of_nagios_open_one_incident_and_its_recovery_ends_it(tmp_path: Path) -> None:
    async with (
        listener() as port,
        running(write_small(tmp_path, settings=SETTINGS, services=services_text(port))) as app,
    ):
        problem = nagios("PROBLEM", "CRITICAL", 1)
        await asyncio.to_thread(send, app, problem, problem, nagios("PROBLEM", "CRITICAL", 2))
        found: list[Incident] = []

        async def look() -> list[Incident]:
            found[:] = await incidents(app)
            return found

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not [one for one in await look() if one.report_count == 1]:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(0.05)
        (opened,) = found
        await asyncio.to_thread(send, app, nagios("RECOVERY", "OK", 3))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await look())[0].signal is not Signal.CLEARED:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(0.05)

    assert (opened.cause, opened.assessment.businesses, opened.report_count) == ("db1", ("erp",), 1)
    assert [(one.id, one.state) for one in found] == [(opened.id, IncidentState.RESOLVED)]
    kept = [app.wired.metrics.value("btimd_intake_reports_total", {"channel": "email", "as": how}) for how in _HELD]
    assert kept == [2.0, 1.0]  # the same mail again is no other; the second report waits for the summary


async def test_who_reports_from_a_verified_address_is_that_person() -> None:
    taken: list[ReportProblem] = []

    class Desk:
        async def report(self, problem: ReportProblem, *, weigh: bool) -> None:
            await asyncio.sleep(0)
            taken.append(problem)

    intake = Intake(
        IntakeSettings(), store=None, journal=FakeJournal(), incidents=Desk(), graph=graph_of,  # type: ignore[arg-type]  # all that is asked
        metrics=Metrics(), clock=ManualClock(), log=Log("t"), person_of={"eve@corp.test": "eve"}.get,  # type: ignore[arg-type]  # as above
    )  # fmt: skip
    await intake.hand_on(intake.reader.manual(key="1", reporter="eve@corp.test", title="slow", now=1.0))
    assert [one.reporter for one in taken] == ["eve"]


def test_nodes_are_found_by_every_name_that_is_theirs_alone() -> None:
    graph = graph_of(
        node("erp", "business", "web", text="ERP"),
        node("hr", "business", "dns"),
        node("web", "application", "dns", "http", text="Shop"),
        node("dns", "shared", "", "dns"),
    )
    names = names_of(graph)

    assert names["shop"] == NodeMatch("web", NodeKind.APPLICATION, "erp")
    assert names["dns"] == NodeMatch("dns", NodeKind.SHARED, "")
    assert "192.0.2.1" not in names  # two nodes are asked there


def test_the_id_of_a_node_is_its_own_whatever_others_are_called() -> None:
    names = names_of(
        graph_of(
            node("erp", "business", "db1"),
            node("db1", "database", "host-db1", text="ERP database"),
            node("host-db1", "host", "", text="db1"),
        )
    )

    assert names["db1"] == NodeMatch("db1", NodeKind.DATABASE, "erp")


def test_who_wrote_a_mail_is_the_reporter_and_what_a_system_sent_has_none() -> None:
    by_hand = report_of_mail(reporter="ann@example.org")
    of_system = report_of_mail(reporter="", node="db1")

    assert (problem_of(by_hand, 9.0).actor, problem_of(by_hand, 9.0).by_human) == ("ann@example.org", True)
    assert (problem_of(of_system, 9.0).actor, problem_of(of_system, 9.0).by_human) == ("mon@example.org", False)
    assert problem_of(by_hand, 9.0).difficulty is Difficulty.HIGH
    assert problem_of(of_system, 9.0).difficulty is Difficulty.MEDIUM


def report_of_mail(*, reporter: str, node: str = "") -> Report:
    return Report(
        id="R-1",
        channel=ReportChannel.EMAIL,
        source=reporter or "mon@example.org",
        reporter=reporter,
        received_at=9.0,
        key="<1@example.org>",
        signal=ReportSignal.PROBLEM,
        title="ERP hangs",
        text="since this morning",
        node=node,
    )


OPENS = '[itsm.intake.class.power]\nchannels = ["trap", "syslog", "webhook"]\ntemplates = ["onBattery", "webhook"]\nseverities = ["critical", "high"]\nopens = true\n'


def told(number: int, rule: str = "disk", health: Health = Health.BAD, node: str = "db1") -> Told:
    """Return a syslog message that a rule understood."""
    return Told(SignSource.SYSLOG, "10.9.9.9", ("db1",), rule, f"line {number}", 4e9, health, subject=rule, node=node)


def alerts(*severities: str, status: str = "firing") -> dict[str, object]:
    """Return a group of Alertmanager's, version 4."""
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 3,
        "status": status,
        "alerts": [
            {
                "status": status,
                "fingerprint": f"f{number}",
                "startsAt": "2026-11-22T10:00:00Z",
                "labels": {"alertname": f"A{number}", "instance": "db1:9100", "severity": severity},
                "annotations": {"summary": f"{severity} thing"},
            }
            for number, severity in enumerate(severities)
        ],
    }


async def reports_of(app: App, channel: ReportChannel, count: int) -> list[StoredReport]:
    """Return the reports of a channel, oldest first, once so many were handed on."""
    while True:
        found = await app.wired.intake.reports(ReportFilter(channel=channel), 999)
        if len(found) == count and all(one.state is ReportState.HANDED for one in found):
            return list(reversed(found))
        await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_a_group_of_alerts_is_kept_before_it_is_answered_and_opens_only_what_a_class_says(tmp_path: Path) -> None:
    async with running(write_small(tmp_path, settings=settings_text() + OPENS)) as app, ClientSession() as session:
        host, port = app.wired.api.http_address
        token = (tmp_path / "state" / "token").read_text().strip()
        told: list[list[str]] = []

        async def post(body: object) -> list[str]:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"http://{host}:{port}/events", json=body, headers=headers) as answer:
                assert answer.status == 200
                said = (await answer.json())["events"]
            for one in said:
                assert await app.wired.intake.report(one["report"]) is not None
            return [one["heard_as"] for one in said]

        async with asyncio.timeout(20):
            told += [await post(alerts("critical", "warning")), await post(alerts("critical", "warning"))]
            kept = await reports_of(app, ReportChannel.WEBHOOK, 2)
            (opened,) = await incidents(app)
            told.append(await post(alerts("critical", "warning", status="resolved")))
            while (await incidents(app))[0].signal is not Signal.CLEARED:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(0.02)

    assert told == [["bad", "bad"], ["repeated", "repeated"], ["over", "over"]]
    assert [(one.report.title, one.report.severity.value, one.report.opens, bool(one.incident_id)) for one in kept] == [
        ("A0: critical thing", "critical", True, True), ("A1: warning thing", "medium", False, False),
    ]  # fmt: skip
    assert (opened.title, opened.cause) == ("A0: critical thing", "db1")
    assert app.wired.metrics.value("btimd_webhook_events_total", {"outcome": "left-out-by-sender"}) == 9.0


@pytest.mark.slow
async def test_a_flood_of_syslog_lines_is_counted_and_makes_no_incident(tmp_path: Path) -> None:
    flood = 3000
    async with running(write_small(tmp_path)) as app:
        for number in range(flood):
            app.wired.intake.hear(told(number, rule=f"rule-{chr(97 + number % 25)}{chr(97 + number // 25 % 25)}"))
        value = app.wired.metrics.value
        passed = [("syslog", how) for how in ("pass", "repeat", "flood")]

        def seen() -> float:
            kept = sum(value("btimd_intake_reports_total", {"channel": one, "as": how}) for one, how in passed)
            return kept + value("btimd_intake_dropped_total", {"channel": "syslog"})

        await until(lambda: seen() == flood)
        storms = app.wired.intake.storms()
        await app.wired.intake.desk.flush()
        found = await incidents(app)
        counts = {(one.channel.value, one.state.value): one.count for one in await app.wired.intake.counts()}

    assert seen() == flood
    assert value("btimd_intake_dropped_total", {"channel": "syslog"}) == 1000.0
    assert found == []
    assert storms[0].source == "10.9.9.9"
    assert not storms[0].is_one_cause
    assert sum(counts.values()) == 2000


@pytest.mark.slow
async def test_a_message_of_a_class_that_opens_makes_an_incident_and_other_messages_of_its_cause_add_to_it(
    tmp_path: Path,
) -> None:
    async with running(write_small(tmp_path)) as app, asyncio.timeout(20):
        intake = app.wired.intake
        intake.hear(told(1, "onBattery"))
        await reports_of(app, ReportChannel.SYSLOG, 1)
        assert await incidents(app) == []
        write_small(tmp_path, settings=settings_text() + OPENS)
        assert await app.reload()
        intake.desk.use(StormRules(interval_seconds=0.001))
        await asyncio.sleep(0.01)
        intake.hear(told(2, "onBattery", node="erp"))
        kept = await reports_of(app, ReportChannel.SYSLOG, 2)
        (opened,) = await incidents(app)
    assert [one.incident_id for one in kept] == ["", opened.id]


@pytest.mark.slow
async def test_what_a_person_reports_in_one_call_has_its_incident_at_once(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app, asyncio.timeout(20):

        async def create() -> ReportReceipt:
            return await app.wired.intake.create(
                command_id="c1", reporter="rita", title="ERP is slow", text="", node="", business="erp",
                severity=ReportSeverity.UNKNOWN,
            )  # fmt: skip

        first, again = await create(), await create()
        (incident,) = await incidents(app)
    assert (first.incident_id, first.is_new) == (incident.id, True)
    assert (again.report_id, again.incident_id) == (first.report_id, incident.id)
    assert incident.assessment.businesses == ("erp",)


async def test_an_event_is_not_acknowledged_where_the_journal_has_failed(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        intake = app.wired.intake

        async def failed(*_: object, **__: object) -> ReportReceipt:
            raise JournalFailedError("disk")

        intake.desk.take = failed  # type: ignore[method-assign]  # a disk that is full
        with pytest.raises(IntakeBusyError, match="the journal has failed"):
            await intake.keep(told(1), "e1")
        intake.hear(told(2))
        await until(lambda: app.wired.metrics.value("btimd_intake_dropped_total", {"channel": "syslog"}) == 1.0)

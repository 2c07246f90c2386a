"""Mails of other systems on their way to incidents, through a whole btimd."""

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from btimd.daemon.app import App
from btimd.daemon.intake import names_of
from btimd.itsm.intake.asreports import problem_of
from btimd.itsm.intake.classify import NodeMatch
from btimd.model.incident import Difficulty, Incident, IncidentState, Signal
from btimd.model.report import Report, ReportChannel, ReportSignal
from btimd.model.service import NodeKind
from tests.daemon.small import listener, running, services_text, settings_text, write_small
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
    return list(await app.wired.incidents.incidents(only_open=False, business=None, limit=9))


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

"""Mails of other systems on their way to incidents, through a whole btimd."""

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from btimd.daemon.app import App
from btimd.daemon.intake import Intake, names_of
from btimd.itsm.intake.classify import NodeMatch
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.triggers import ReportProblem
from btimd.model.incident import Incident, IncidentState, Signal
from btimd.model.service import NodeKind
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.daemon.small import listener, running, services_text, settings_text, write_small
from tests.fakes.journal import FakeJournal
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
    with smtplib.SMTP(*address, timeout=20) as server:
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

        async with asyncio.timeout(20):
            while not [one for one in await look() if one.report_count == 1]:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(0.05)
        (opened,) = found
        await asyncio.to_thread(send, app, nagios("RECOVERY", "OK", 3))
        async with asyncio.timeout(20):
            while (await look())[0].signal is not Signal.CLEARED:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(0.05)

    assert (opened.cause, opened.assessment.businesses, opened.report_count) == ("db1", ("erp",), 1)
    assert [(one.id, one.state) for one in found] == [(opened.id, IncidentState.RESOLVED)]
    kept = [app.wired.metrics.value("btimd_intake_reports_total", {"channel": "email", "as": how}) for how in _HELD]
    assert kept == [2.0, 1.0]  # the same mail again is no other; the second report waits for the summary


async def test_who_reports_from_a_verified_address_is_that_person() -> None:
    taken: list[ReportProblem] = []

    class Desk:
        async def report(self, problem: ReportProblem) -> None:
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

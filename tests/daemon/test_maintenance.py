"""The maintenance desk beside running incidents and accounts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from btimd.api.calls_maintenance import declare_maintenance, end_maintenance, suppressed_reports
from btimd.api.client import Client, Page
from btimd.daemon.heldreports import report_from_json, report_to_json
from btimd.daemon.maintenance import Files, MaintenanceDesk
from btimd.itsm.priority import ITIL_MATRIX
from btimd.itsm.triggers import ReportClear
from btimd.model.agreement import AuditEntry, Revision
from btimd.model.incident import Impact, Incident, IncidentState, Priority, Urgency
from btimd.model.maintenance import (
    HeldState,
    Matcher,
    MinuteSpan,
    NewSuppression,
    Recurrence,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
    SuppressionView,
)
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.sla.windows import WindowBook
from btimd.store.journal import SqliteJournal
from btimd.store.suppressions import SuppressionTable
from tests.daemon.small import listener, running, services_text, write_small
from tests.itsm.desks import HIT, Desk
from tests.itsm.examples import T0, report, verdict

HOUR = 3600.0
NODES = {"erp": ("erp-db",), "erp-db": ()}
GRAPH = ServiceGraph(
    MappingProxyType({
        name: Node(name, NodeKind.BUSINESS if name == "erp" else NodeKind.DATABASE, name, needs)
        for name, needs in NODES.items()
    }),
    MappingProxyType({"erp": BusinessService("erp", "ERP")}),
    1,
)  # fmt: skip
AGREED = Suppression(
    id="bank/1", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.ACCOUNTS, matcher=Matcher(businesses=("erp",)),
    start_at=T0, end_at=T0 + HOUR, source="sla.agreement.bank.maintenance",
)  # fmt: skip


class Accounts:
    """Takes windows. looked_at: the time of each business that was to be reckoned again."""

    def __init__(self) -> None:
        self.book = WindowBook()
        self.looked_at: list[tuple[str, float, float, str]] = []

    def plan(self, windows: WindowBook, revisions: Any = ()) -> list[AuditEntry]:
        self.book = windows
        found: list[Revision] = list(revisions)
        self.looked_at += [(one.subject, one.start - T0, one.end - T0, one.why) for one in found]
        return []


class World:
    """A desk of incidents with maintenance before it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sla = Accounts()
        self.build()

    def build(self) -> None:
        journal = self.desk.journal
        assert isinstance(journal, SqliteJournal)
        self.maintenance = MaintenanceDesk(
            Files(GRAPH, {}, ("north",), (AGREED,)),
            store=SuppressionTable(journal.run),
            sla=self.sla,
            release=lambda one: self.desk.component.report(one),  # noqa: PLW0108  it is built later
            matrix=ITIL_MATRIX,
            seen_again_seconds=60.0,
            metrics=self.desk.metrics,
            clock=self.desk.clock,
            log=Log("maintenance"),
        )

    async def start(self) -> None:
        await self.maintenance.start()
        await self.desk.start(suppressor=self.maintenance)

    async def restart(self) -> None:
        await self.desk.stop()
        self.desk._reopen(kill=False)
        self.desk.metrics = type(self.desk.metrics)()
        self.build()
        await self.start()

    async def found(self, name: str = "D1", **what: Any) -> Incident | None:
        return await self.desk.component.verdict(verdict(id=name, **what), HIT, Impact.MEDIUM, Urgency.MEDIUM)

    async def declare(self, command_id: str = "c1", **what: Any) -> SuppressionView:
        plain: dict[str, Any] = {
            "kind": SuppressionKind.WINDOW,
            "effect": SuppressionEffect.INCIDENTS,
            "matcher": Matcher(businesses=("erp",)),
            "start_at": T0,
            "end_at": T0 + HOUR,
            "reason": "new disks",
        }
        return await self.maintenance.declare(NewSuppression(**plain | what), by="mona", command_id=command_id)

    async def what_became(self) -> list[tuple[str, HeldState, str, int]]:
        return [
            (one.suppression_id, one.state, one.incident_id, one.count)
            for one in await self.maintenance.suppressed("", 9)
        ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    desk = Desk("sqlite", tmp_path)
    made = World(desk)
    await made.start()
    yield made
    await desk.close()


async def test_trouble_under_maintenance_makes_no_incident_until_it_outlasts_it(world: World) -> None:
    await world.declare()
    assert await world.found("D1") is None
    assert await world.found("D2") is None
    world.desk.advance(HOUR - 1)
    await world.maintenance.look()
    assert await world.desk.component.incidents(only_open=False, business=None, limit=9) == []
    (view,) = [one for one in world.maintenance.suppressions(past=False) if one.suppression.id == "M-1"]
    assert (view.active, view.holds_until, view.suppressed, view.lasting) == (True, T0 + HOUR, 1, 1)
    assert world.desk.metrics.value("btimd_maintenance_held") == 1
    assert world.desk.metrics.value("btimd_maintenance_active", {"kind": "window"}) == 2

    world.desk.advance(1)
    await world.maintenance.look()
    (opened,) = await world.desk.component.incidents(only_open=True, business=None, limit=9)
    assert (opened.state, opened.verdict_id, opened.report_count) == (IncidentState.NEW, "D2", 2)
    assert await world.what_became() == [("M-1", HeldState.OPENED, opened.id, 2)]
    (event,) = await world.desk.component.timeline(opened.id)
    assert event.details["suppressed_by"] == "M-1"
    assert world.desk.metrics.value("btimd_maintenance_settled_total", {"state": "opened"}) == 1

    await world.desk.component.cleared(verdict(id="D2"))
    closed = await world.desk.component.incident(opened.id)
    assert closed is not None
    assert closed.state is IncidentState.RESOLVED  # its symptoms were known


async def test_trouble_that_ends_before_the_maintenance_does_is_only_counted(world: World) -> None:
    await world.declare()
    await world.found("D1")
    await world.desk.component.report(report(fingerprint="mail/x", cause="erp-db", notes={"symptoms": "a\nb"}))
    await world.desk.component.cleared(verdict(id="D1"))
    await world.desk.component.report_cleared("mail/x", frozenset({"a"}), ReportClear(remaining=0))
    world.desk.advance(HOUR)
    await world.maintenance.look()

    made = await world.desk.component.incidents(only_open=False, business=None, limit=9)
    assert [one.fingerprint for one in made] == ["mail/x"]  # only the half of it was over
    assert await world.what_became() == [
        ("M-1", HeldState.OPENED, made[0].id, 1),
        ("M-1", HeldState.CLEARED, "", 1),
    ]


async def test_what_is_held_survives_a_restart_and_a_diagnosis_must_be_made_again(world: World) -> None:
    await world.declare()
    await world.found("D1")
    await world.desk.component.report(report(fingerprint="mail/x", cause="erp-db", verdict_id=""))
    await world.restart()
    world.desk.advance(HOUR)
    await world.maintenance.look()

    made = await world.desk.component.incidents(only_open=False, business=None, limit=9)
    assert [one.fingerprint for one in made] == ["mail/x"]
    assert [one[1] for one in await world.what_became()] == [HeldState.OPENED, HeldState.LOST]


async def test_a_second_window_goes_on_with_what_the_first_held(world: World) -> None:
    await world.declare()
    await world.declare("c2", end_at=T0 + 2 * HOUR, matcher=Matcher(nodes=("erp-db",)))
    await world.found("D1")
    world.desk.advance(HOUR)
    await world.maintenance.look()
    assert [one[:2] for one in await world.what_became()] == [("M-1", HeldState.HELD)]
    await world.maintenance.end("M-2", by="otto", reason="done early")
    await world.maintenance.look()

    assert [one[1] for one in await world.what_became()] == [HeldState.OPENED]
    ended = world.maintenance.suppressions(past=True)[0].suppression
    assert (ended.ended_at, ended.ended_by, ended.end_reason) == (T0 + HOUR, "otto", "done early")


async def test_an_end_that_comes_while_a_trouble_is_let_go_opens_nothing(world: World) -> None:
    await world.declare()
    await world.found("D1")
    (held,) = world.maintenance._held.values()
    released = replace(held.report, notes={**held.report.notes, "suppressed_by": "M-1"})
    await world.desk.component.cleared(verdict(id="D1"))
    world.desk.advance(HOUR)

    assert await world.desk.component.report(released) is None
    assert await world.what_became() == [("M-1", HeldState.CLEARED, "", 1)]


async def test_a_window_that_began_in_the_past_has_the_accounts_look_again_and_a_mistake_is_taken_back(
    world: World,
) -> None:
    world.desk.advance(2 * HOUR)
    await world.declare("c1", start_at=T0 - HOUR, end_at=T0 + HOUR)
    await world.declare("c1", start_at=T0 - HOUR, end_at=T0 + HOUR)  # the same again
    await world.declare("c2", start_at=T0 + 3 * HOUR, end_at=T0 + 4 * HOUR)
    taken = await world.maintenance.end("M-1", by="mona", reason="", void=True)

    assert world.sla.looked_at == [
        ("erp", -HOUR, HOUR, "M-1 was declared: new disks"),
        ("erp", -HOUR, HOUR, "M-1 was taken back: declared by mistake"),
    ]
    assert world.sla.book.timed["M-1"].stretches(0.0, T0 + 9 * HOUR) == []
    assert (taken.active, taken.suppression.end_reason) == (False, "declared by mistake")
    with pytest.raises(ValueError, match="M-1 is over already"):
        await world.maintenance.end("M-1", by="mona", reason="", void=True)


async def test_a_silence_of_notices_holds_them_and_nothing_else(world: World) -> None:
    quiet = Matcher(nodes=("erp-db",), least_priority=Priority.P3)
    await world.declare(kind=SuppressionKind.SILENCE, effect=SuppressionEffect.NOTICES, matcher=quiet)
    opened = await world.found("D1")
    assert opened is not None

    held = world.maintenance.notices_held_until
    assert held(opened, T0 + 1) == T0 + HOUR
    assert held(replace(opened, priority=Priority.P1), T0 + 1) is None
    assert held(opened, T0 + HOUR) is None


async def test_what_makes_no_sense_is_refused(world: World) -> None:
    for wrong, words in (
        ({"matcher": Matcher(businesses=("erb",))}, "no business 'erb'; did you mean 'erp'?"),
        ({"matcher": Matcher(nodes=("x",))}, "no node 'x'"),
        ({"matcher": Matcher(regions=("south",))}, "no region 'south'"),
        ({"matcher": Matcher(words=("disk",))}, "a window needs businesses, nodes or regions"),
        ({"effect": SuppressionEffect.NOTICES}, "a window holds back incidents"),
        ({"end_at": T0}, "ends before it begins"),
        ({"end_at": None}, "needs its end"),
        ({"end_at": T0 + 401 * 86_400.0}, "lasts longer than 400 days"),
        ({"reason": " "}, "needs a reason"),
        ({"recurrence": Recurrence(calendar="office")}, "no calendar 'office'"),
        ({"recurrence": Recurrence(weekdays=(7,), hours=(MinuteSpan(0, 60),))}, "a weekday is from 0"),
        ({"recurrence": Recurrence(weekdays=(1,), hours=(MinuteSpan(60, 60),))}, "hours are pairs"),
        (
            {"recurrence": Recurrence(weekdays=(1,), hours=(MinuteSpan(0, 60),), timezone="Mars")},
            "'Mars' is no time zone",
        ),
        ({"kind": SuppressionKind.SILENCE, "matcher": Matcher()}, "says nothing of what is meant"),
        ({"kind": SuppressionKind.SILENCE, "start_at": T0 - 9, "end_at": T0 - 1}, "cannot be declared afterwards"),
    ):
        with pytest.raises(ValueError, match=words.replace("?", r"\?")):
            await world.declare(**wrong)
    with pytest.raises(ValueError, match="bank/1 stands in btimd.toml"):
        await world.maintenance.end("bank/1", by="mona", reason="")
    with pytest.raises(KeyError):
        await world.maintenance.end("M-9", by="mona", reason="")


async def test_what_holds_for_a_week_is_asked_about_and_businesses_say_what_holds(world: World) -> None:
    await world.declare(end_at=T0 + 30 * 86_400.0)
    assert world.maintenance.health().level is HealthLevel.OK
    assert world.maintenance.sentences() == [
        ("erp", "maintenance until 2023-12-14 22:13 UTC (M-1): new disks"),
        ("erp", "maintenance until 2023-11-14 23:13 UTC (bank/1): businesses erp"),
    ]
    world.desk.clock.advance(8 * 86_400.0)

    assert world.maintenance.health().level is HealthLevel.WARNING
    assert world.maintenance.health().reason == "M-1 (new disks) holds for 8 days already; end it?"


def test_a_report_is_read_back_as_it_was_kept() -> None:
    one = report(notes={"symptoms": "a"}, priority=Priority.P2, assessment=HIT, count=3)

    assert report_from_json(report_to_json(one)) == one


@pytest.mark.slow
async def test_a_running_btimd_holds_back_what_its_own_diagnosis_finds_and_opens_it_when_the_window_ends(
    tmp_path: Path,
) -> None:
    async with listener() as port:
        folder = write_small(tmp_path, services=services_text(port))
    async with running(folder) as app:  # nobody listens there any more
        host, grpc = app.wired.api.grpc_address
        token = (app.config.state_directory / "token").read_text().strip()
        with Client(f"{host}:{grpc}", token=token) as client:
            now = app.clock.wall()
            new = NewSuppression(
                kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS, matcher=Matcher(businesses=("erp",)),
                start_at=now - 60, end_at=now + HOUR, reason="new server",
            )  # fmt: skip
            view = await asyncio.to_thread(declare_maintenance, client, "c1", new)
            assert (view.suppression.id, view.active, view.suppression.created_by) == ("M-1", True, "local")

            async def count() -> int:
                return len((await asyncio.to_thread(suppressed_reports, client)).items)

            async with asyncio.timeout(60):
                while not await count():  # noqa: ASYNC110  it is told by nobody
                    await asyncio.sleep(0.1)
            assert (await asyncio.to_thread(client.incidents, include_closed=True)).items == []
            assert await asyncio.to_thread(client.verdicts) != Page([], more=False)
            await asyncio.to_thread(end_maintenance, client, "M-1", "done")
            async with asyncio.timeout(60):
                while not (found := (await asyncio.to_thread(client.incidents)).items):  # noqa: ASYNC110  the same
                    await asyncio.sleep(0.1)
            (held,) = (await asyncio.to_thread(suppressed_reports, client)).items
            assert (held.state, held.incident_id) == (HeldState.OPENED, found[0].id)

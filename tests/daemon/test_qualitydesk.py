"""Figures made from the journal of a running desk."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from btimd.daemon.qualitydesk import LONGEST_WINDOW_SECONDS, QualityDesk, hours_of
from btimd.itsm.quality import WALL
from btimd.model.agreement import Promise as Agreed
from btimd.model.incident import CommandKind, Priority
from btimd.model.qualityview import FigureGroup, FigureQuery
from btimd.model.sla import Availability, Outage, SlaState, SlaStatus, SlaTarget
from btimd.model.workfigures import IncidentFacts, Trend, TrendSeries
from btimd.store.journal import SqliteJournal
from btimd.store.timelines import Timelines
from tests.daemon.test_knowledge import Knowing
from tests.itsm.examples import DAY, T0, verdict

DB = "erp-db"


class Book:
    """Accounts of one business: a month with one outage; no agreement."""

    def __init__(self) -> None:
        self.named = "INC-1"

    def agreements(self) -> Any:
        return ()

    def promises(self, **_: Any) -> tuple[Agreed | None, Agreed | None]:
        return None, None

    def states(self) -> list[SlaState]:
        outage = Outage("erp", T0, T0 + 600, DB, self.named)
        return [
            SlaState(
                SlaTarget("erp", 99.9), T0 - DAY, T0 + 30 * DAY, T0 + DAY, Availability.UP, 86_400.0, 600.0, 85_800.0,
                0.99, 0.5, 10.0, 0.1, SlaStatus.MET, (outage,),
            )
        ]  # fmt: skip

    def closed_months(self, _business: str) -> list[SlaState]:
        return []


class Figuring:
    def __init__(self, knowing: Knowing) -> None:
        assert isinstance(knowing.desk.journal, SqliteJournal)
        self.knowing = knowing
        self.book = Book()
        self.quality = QualityDesk(Timelines(knowing.desk.journal.run), knowing.knowledge.base, self.book)

    def query(self, **said: Any) -> FigureQuery:
        return FigureQuery(T0 - DAY, self.knowing.desk.clock.wall() + 1, **said)


def all_seen(_businesses: object, _regions: object) -> bool:
    return True


@pytest.fixture
async def figuring(tmp_path: Path) -> AsyncIterator[Figuring]:
    knowing = Knowing(tmp_path)
    await knowing.start()
    yield Figuring(knowing)
    await knowing.close()


async def lived(figuring: Figuring) -> list[str]:
    """Let one incident be found and dealt with and answered, one reported and wait; return their ids."""
    knowing = figuring.knowing
    found = await knowing.desk.report(verdict())
    knowing.desk.clock.advance(60.0)
    await knowing.dealt_with(found.id)
    await knowing.command(CommandKind.CONFIRM, found.id, "zhao")
    reported = await knowing.reported(category="network")
    knowing.desk.clock.advance(30.0)
    await knowing.work()
    return [found.id, reported]


async def test_figures_come_from_the_timelines_and_follow_what_happens(figuring: Figuring) -> None:
    _, reported = await lived(figuring)
    found, coverage = await figuring.quality.figures(figuring.query(), all_seen)
    assert (found.opened, found.resolved, found.closed, found.waiting_resolution.count) == (2, 1, 1, 1)
    assert (found.response.mean, found.first_time_fix.rate) == (60.0, 1.0)
    assert (coverage.incidents, coverage.unread, coverage.left_out, coverage.known_since) == (2, 0, 0, T0)

    await figuring.knowing.dealt_with(reported)
    await figuring.knowing.work()
    await figuring.knowing.command(CommandKind.SURVEY, reported, "zhao", score=5)
    await figuring.knowing.work()
    found, coverage = await figuring.quality.figures(figuring.query(), all_seen)
    assert (found.resolved, found.satisfaction.satisfaction, found.satisfaction.response_rate) == (2, 1.0, 1.0)
    assert coverage.surveys_known


async def test_groups_filters_and_scopes_choose_incidents(figuring: Figuring) -> None:
    await lived(figuring)
    groups, _ = await figuring.quality.grouped(figuring.query(), FigureGroup.NODE, all_seen)
    assert sorted((one.name, one.figures.opened) for one in groups) == [("", 1), (DB, 1)]
    found, coverage = await figuring.quality.figures(figuring.query(category="network"), all_seen)
    assert (found.opened, coverage.incidents) == (1, 2)
    found, coverage = await figuring.quality.figures(figuring.query(), lambda names, _: "hr" in names)
    assert (found.opened, coverage.incidents) == (0, 0)


async def test_without_surveys_the_rest_is_still_there_and_that_is_said(figuring: Figuring) -> None:
    await lived(figuring)
    await figuring.knowing.knowledge.stop()
    found, coverage = await figuring.quality.figures(figuring.query(), all_seen)
    assert (found.opened, found.satisfaction.satisfaction, coverage.surveys_known) == (2, None, False)


async def test_time_before_the_first_incident_on_record_is_no_time_without_incidents(figuring: Figuring) -> None:
    query = FigureQuery(T0 - 20 * DAY, T0)
    empty = Trend((T0,), TrendSeries("", ()), ())
    found, coverage = await figuring.quality.trend(query, FigureGroup.PRIORITY, bucket=DAY, ahead=3, visible=all_seen)
    assert (found, coverage.known_since) == (empty, None)
    await lived(figuring)
    figuring.knowing.desk.clock.advance(3 * DAY)
    query = FigureQuery(T0 - 20 * DAY, T0 + 3 * DAY)
    found, _ = await figuring.quality.trend(query, FigureGroup.PRIORITY, bucket=DAY, ahead=3, visible=all_seen)
    assert found.edges == (T0, T0 + DAY, T0 + 2 * DAY, T0 + 3 * DAY)
    assert (found.total.counts, found.total.forecast) == ((2, 0, 0), ())


async def test_reliability_is_by_business_node_and_class(figuring: Figuring) -> None:
    figuring.book.named = (await lived(figuring))[1]
    for by, name in ((FigureGroup.BUSINESS, "erp"), (FigureGroup.NODE, DB), (FigureGroup.CLASS, "network")):
        (row,) = await figuring.quality.reliability(T0, T0 + DAY, by, all_seen)
        assert (row.name, row.failures, row.mttr_seconds) == (name, 1, 600.0)
    assert await figuring.quality.reliability(T0, T0 + DAY, FigureGroup.NODE, lambda *_: False) == []
    assert await figuring.quality.reliability(T0 + 40 * DAY, T0 + 50 * DAY, FigureGroup.BUSINESS, all_seen) == []
    with pytest.raises(ValueError, match="by business, node and class"):
        await figuring.quality.reliability(T0, T0 + DAY, FigureGroup.PERSON, all_seen)


async def test_a_window_that_makes_no_sense_is_refused(figuring: Figuring) -> None:
    with pytest.raises(ValueError, match="the window ends before it begins"):
        await figuring.quality.figures(FigureQuery(T0, T0), all_seen)
    with pytest.raises(ValueError, match="the window has 1101 days; 1100 at most"):
        await figuring.quality.figures(FigureQuery(T0, T0 + LONGEST_WINDOW_SECONDS + DAY), all_seen)


def test_who_has_no_agreement_has_all_hours() -> None:
    incident = IncidentFacts("INC-1", state=None, priority=Priority.P1, opened_at=T0)  # type: ignore[arg-type]  # not looked at
    assert hours_of(Book())(incident) is WALL

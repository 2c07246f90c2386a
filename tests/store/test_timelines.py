"""Timelines of many incidents, read from a real journal."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.incident import IncidentEvent, IncidentState
from btimd.model.ports import IncidentWrite
from btimd.store.journal import SqliteJournal
from btimd.store.timelines import CHUNK, Listed, Timelines
from tests.itsm.examples import DAY, T0, incident_after, report


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "journal.sqlite")
    made.open()
    yield made
    made.close()


async def written(journal: SqliteJournal, name: str, opened_at: float, state: IncidentState) -> None:
    made = incident_after(report(incident_id=name, fingerprint=f"{name}/down"))
    incident = replace(made, opened_at=opened_at, state=state)
    event = IncidentEvent(name, 1, opened_at, "btimd", "opened", None, IncidentState.NEW, "", {"title": name})
    await journal.write_incident(IncidentWrite(incident, (event,), (), {}))


async def test_what_was_opened_then_and_what_is_still_open_is_listed(journal: SqliteJournal) -> None:
    timelines = Timelines(journal.run)
    assert await timelines.listed(T0, T0 + DAY, 10) == Listed([], 0, None)
    await written(journal, "old-open", T0 - 9 * DAY, IncidentState.ACCEPTED)
    await written(journal, "old-done", T0 - 8 * DAY, IncidentState.CLOSED)
    await written(journal, "done", T0, IncidentState.CLOSED)
    await written(journal, "new", T0 + 5, IncidentState.NEW)
    await written(journal, "later", T0 + DAY, IncidentState.NEW)

    assert await timelines.listed(T0, T0 + DAY, 10) == Listed(
        [("new", 1), ("done", 1), ("old-open", 1)], 3, T0 - 9 * DAY
    )
    assert await timelines.listed(T0, T0 + DAY, 1) == Listed([("new", 1)], 3, T0 - 9 * DAY)


async def test_each_timeline_is_read_and_a_damaged_one_costs_itself_only(journal: SqliteJournal) -> None:
    timelines = Timelines(journal.run)
    names = [f"INC-{number}" for number in range(CHUNK + 1)]
    for name in names[:3]:
        await written(journal, name, T0, IncidentState.NEW)

    def titles(events: Sequence[IncidentEvent]) -> list[str]:
        return [event.details["title"] for event in events]

    await journal.run(lambda connection: connection.execute("UPDATE event SET body = 'x' WHERE incident_id = 'INC-1'"))
    found = await timelines.read(names, titles)
    assert (found["INC-0"], found["INC-1"], found["INC-2"], found["INC-3"]) == (["INC-0"], None, ["INC-2"], [])
    assert len(found) == len(names)

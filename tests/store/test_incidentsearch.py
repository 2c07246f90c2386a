"""Searches in the journal, held against the same filters in plain Python."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.api.desksearch import DeskSearch
from btimd.model.incident import ClosingReport, ImpactAssessment, Incident, IncidentState, Priority
from btimd.model.incidentquery import IncidentCount, IncidentDimension, IncidentQuery, Sight
from btimd.model.ports import IncidentWrite
from btimd.store import incidentsearch
from btimd.store.incidentsearch import IncidentTable, count, find
from btimd.store.journal import SqliteJournal
from tests.fakes.views import INCIDENT, FakeDesk

NAMES = st.sampled_from(["", "ann", "bob"])
SETS = st.lists(st.sampled_from(["erp", "hr", "crm"]), unique=True, max_size=2).map(tuple)
INCIDENTS = st.lists(
    st.builds(
        lambda state, priority, hit, names, category, node, text, at: replace(
            INCIDENT,
            state=state,
            priority=priority,
            assessment=ImpactAssessment(*hit),
            assignee=names[0],
            reporter=names[1],
            group=names[2],
            category=category,
            cause=node[0],
            closing=ClosingReport(node=node[1]) if node[1] else None,
            title=text,
            opened_at=float(at),
        ),
        st.sampled_from(IncidentState),
        st.sampled_from(Priority),
        st.tuples(SETS, st.lists(st.sampled_from(["north", "south"]), unique=True).map(tuple)),
        st.tuples(NAMES, NAMES, NAMES),
        st.sampled_from(["", "db", "db.oracle", "dbx"]),
        st.tuples(st.sampled_from(["", "db1", "sw1"]), st.sampled_from(["", "db1"])),
        st.sampled_from(["Slow ERP", "slow%", "支付 Ärger", "it's"]),
        st.integers(1_790_000_000, 1_800_000_000),
    ),
    max_size=12,
)
QUERIES = st.builds(
    IncidentQuery,
    only_open=st.booleans(),
    states=st.frozensets(st.sampled_from(IncidentState), max_size=2),
    priorities=st.frozensets(st.sampled_from(Priority), max_size=2),
    business=st.sampled_from(["", "", "erp"]),
    region=st.sampled_from(["", "", "north"]),
    assignee=st.sampled_from(["", "", "ann"]),
    group=st.sampled_from(["", "", "ann"]),
    category=st.sampled_from(["", "", "db"]),
    node=st.sampled_from(["", "", "db1"]),
    reporter=st.sampled_from(["", "", "bob"]),
    opened_from=st.sampled_from([None, 1_795_000_000.0]),
    opened_before=st.sampled_from([None, 1_796_000_000.0]),
    text=st.sampled_from(["", "", "SLOW", "%", "'", "Ä", "付", "i-3"]),
    sight=st.builds(
        Sight,
        st.sampled_from([frozenset(), frozenset({"hr"})]),
        st.sampled_from([frozenset(), frozenset({"south"})]),
        NAMES,
    ),
)


async def kept(journal: SqliteJournal, incidents: list[Incident]) -> FakeDesk:
    """Store incidents; return a desk that knows the same."""
    desk = FakeDesk(known={})
    for number, one in enumerate(incidents, 1):
        incident = replace(one, id=f"I-{number}", version=1)
        desk.known[incident.id] = incident
        await journal.write_incident(IncidentWrite(incident, (), (), {}))
    return desk


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.sqlite")


@pytest.mark.slow
async def test_the_journal_finds_and_counts_what_plain_filters_do(tmp_path: Path) -> None:
    number = 0

    @given(incidents=INCIDENTS, queries=st.lists(QUERIES, min_size=1, max_size=4))
    @settings(max_examples=30)
    def check(incidents: list[Incident], queries: list[IncidentQuery]) -> None:
        nonlocal number
        number += 1
        cases.append((number, incidents, queries))

    cases: list[tuple[int, list[Incident], list[IncidentQuery]]] = []
    check()
    for case, incidents, queries in cases:
        opened = SqliteJournal(tmp_path / f"{case}.sqlite")
        opened.open()
        try:
            table, plain = IncidentTable(opened.run), DeskSearch(await kept(opened, incidents))
            for query in queries:
                by = (IncidentDimension.STATE, IncidentDimension.NODE)
                assert await table.find(query, 5) == await plain.find(query, 5), query
                assert await table.count(query, by, 5) == await plain.count(query, by, 5), query
        finally:
            opened.close()


async def test_incidents_are_counted_by_every_dimension(journal: SqliteJournal) -> None:
    journal.open()
    one = replace(INCIDENT, assignee="ann", group="db", category="db.oracle", reporter="bob")
    plain = DeskSearch(await kept(journal, [one, replace(one, state=IncidentState.CLOSED), INCIDENT]))
    table, query = IncidentTable(journal.run), IncidentQuery(only_open=False)
    try:
        for dimension in IncidentDimension:
            assert await table.count(query, [dimension], 9) == await plain.count(query, [dimension], 9)
        months = await table.count(query, [IncidentDimension.PRIORITY, IncidentDimension.MONTH], 9)
        everything = await table.count(query, [], 9)
        nothing = await table.count(replace(query, business="none"), [], 9)
    finally:
        journal.close()

    assert months.counts == (IncidentCount(("P2", "2026-09"), 3, 2),)
    assert (everything.counts, nothing.counts) == ((IncidentCount((), 3, 2),), ())


async def test_what_lies_beyond_the_bound_is_told_of(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidentsearch, "MOST_SEARCHED", 2)
    journal.open()
    await kept(journal, [replace(INCIDENT, opened_at=float(at)) for at in (10, 20, 30)])
    table = IncidentTable(journal.run)
    try:
        found = await table.find(IncidentQuery(only_open=False), 9)
        within = await table.find(IncidentQuery(only_open=False, opened_before=25.0), 9)
    finally:
        journal.close()

    assert ([one.opened_at for one in found.incidents], found.older_left_out) == ([30.0, 20.0], True)
    assert ([one.opened_at for one in within.incidents], within.older_left_out) == ([20.0, 10.0], False)


async def test_a_question_that_cannot_be_answered_leaves_the_journal_working(journal: SqliteJournal) -> None:
    journal.open()
    await kept(journal, [INCIDENT])
    try:
        await journal.run(lambda connection: connection.execute("UPDATE incident SET body = 'no JSON'"))
        with pytest.raises(ValueError, match="the journal cannot answer this: malformed JSON"):
            await journal.run(lambda connection: find(connection, IncidentQuery(), 9))
        with pytest.raises(ValueError, match="the journal cannot answer this: malformed JSON"):
            await journal.run(lambda connection: count(connection, IncidentQuery(node="x"), (), 9))
        assert journal.failure is None
    finally:
        journal.close()

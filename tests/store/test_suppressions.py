"""Windows, silences and what they held back, in a real journal file."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.incident import Priority
from btimd.model.maintenance import (
    HeldState,
    Matcher,
    MinuteSpan,
    Recurrence,
    SuppressedReport,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
)
from btimd.store.journal import SqliteJournal
from btimd.store.suppressions import SuppressionTable

WINDOW = Suppression(
    id="",
    kind=SuppressionKind.WINDOW,
    effect=SuppressionEffect.INCIDENTS,
    matcher=Matcher(businesses=("erp",), words=("磁盘",), least_priority=Priority.P3),
    start_at=100.5,
    end_at=None,
    recurrence=Recurrence(weekdays=(6,), hours=(MinuteSpan(120, 240), MinuteSpan(300, 360)), timezone="Asia/Shanghai"),
    reason="new disks",
    reference="CHG-7",
    created_by="mona",
    created_at=90.0,
)
SILENCE = replace(
    WINDOW, kind=SuppressionKind.SILENCE, effect=SuppressionEffect.NOTICES, recurrence=None, end_at=200.0,
    matcher=Matcher(nodes=("ora1",)),
)  # fmt: skip
TROUBLE = SuppressedReport(
    position=0, suppression_id="M-1", fingerprint="ora1/down", title="ora1 is down", cause="ora1",
    businesses=("erp", "crm"), regions=(), verdict_id="D1", first_at=110.0, last_at=110.0, count=1,
    state=HeldState.HELD,
)  # fmt: skip


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "journal.sqlite")
    made.open()
    yield made
    made.close()


async def test_what_was_declared_is_read_back_as_it_was_and_a_command_counts_once(journal: SqliteJournal) -> None:
    table = SuppressionTable(journal.run)
    first = await table.add(WINDOW, "c1")
    second = await table.add(SILENCE, "c2")

    assert (first, second) == (replace(WINDOW, id="M-1"), replace(SILENCE, id="S-2"))
    assert await table.add(replace(WINDOW, reason="another"), "c1") == first
    ended = replace(second, ended_at=150.0, ended_by="otto", end_reason="done")
    await table.replace(ended)
    assert await table.load() == [first, ended]
    with pytest.raises(KeyError):
        await table.replace(replace(second, id="S-9"))


async def test_a_trouble_is_held_once_counted_with_what_follows_and_settled(journal: SqliteJournal) -> None:
    table = SuppressionTable(journal.run)
    first = await table.hold(TROUBLE, "one")
    again = await table.hold(replace(TROUBLE, last_at=120.0, count=2, verdict_id="D2"), "two")

    assert first == replace(TROUBLE, position=1)
    assert again == replace(first, last_at=120.0, count=3, verdict_id="D2")
    assert await table.held() == [(again, "two")]
    assert await table.settle("ora1/down", HeldState.OPENED, "INC-1", 130.0)
    assert not await table.settle("ora1/down", HeldState.CLEARED, "", 131.0)
    assert await table.held() == []
    assert await table.of("M-1", 10) == [replace(again, state=HeldState.OPENED, incident_id="INC-1", last_at=130.0)]


async def test_a_trouble_that_goes_on_under_another_window_is_counted_at_both(journal: SqliteJournal) -> None:
    table = SuppressionTable(journal.run)
    await table.hold(TROUBLE, "one")
    await table.hold(replace(TROUBLE, suppression_id="S-2"), "two")
    await table.hold(replace(TROUBLE, fingerprint="psu/down", suppression_id="S-2"), "three")

    assert await table.counts() == {"M-1": 1, "S-2": 2}
    assert [(one.suppression_id, one.state) for one in await table.of("", 2)] == [
        ("S-2", HeldState.HELD),
        ("S-2", HeldState.HELD),
    ]
    assert [body for _, body in await table.held()] == ["two", "three"]

"""The knowledge base as a file: what survives, what strangers and full disks cost, what is bounded."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.knowledge import (
    ArticleQuery,
    ArticleState,
    KnowledgeRefusedError,
    KnowledgeUnavailableError,
    RecordKind,
)
from btimd.store.knowledge import QUEUE_LIMIT, SqliteKnowledge
from tests.patience import PATIENCE_SECONDS
from tests.store.knowledge_examples import article, event, problem, step

ARTICLE, PROBLEM = RecordKind.ARTICLE, RecordKind.PROBLEM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "knowledge.sqlite"


@pytest.fixture
async def base(path: Path) -> AsyncIterator[SqliteKnowledge]:
    opened = SqliteKnowledge(path)
    opened.open()
    yield opened
    opened.close()


async def test_an_empty_base_knows_nothing(base: SqliteKnowledge) -> None:
    assert await base.load(ARTICLE, "KB-1") is None
    assert await base.load_events(ARTICLE, "KB-1") == []
    assert await base.find(ARTICLE) == []
    assert await base.search(ArticleQuery("支付")) == []
    assert await base.use_of("KB-1", "INC-1") is None
    assert await base.counts() == {}


async def test_what_was_written_is_there_whole_after_a_restart(base: SqliteKnowledge) -> None:
    first, second = article(), problem(incidents=("INC-1",))
    await base.write([step(first), step(second, about="INC-1", command_id="C1")])
    await asyncio.to_thread(base.close)
    base.open()
    assert await base.load(ARTICLE, "KB-1") == first
    assert await base.load(PROBLEM, "PRB-1") == second
    assert await base.load_events(PROBLEM, "PRB-1") == [event(second, about="INC-1", command_id="C1")]
    assert await base.find_command("C1") == (PROBLEM, "PRB-1")
    assert await base.find(PROBLEM, about="INC-1") == [second]
    assert await base.counts() == {("article", "published"): 1, ("problem", "open"): 1}
    assert [hit.article.id for hit in await base.search(ArticleQuery("listener"))] == ["KB-1"]


async def test_a_write_of_several_records_is_stored_whole_or_not_at_all(base: SqliteKnowledge) -> None:
    with pytest.raises(KnowledgeRefusedError) as refused:
        await base.write([step(article(1)), step(article(2, version=2))])
    assert str(refused.value) == "article KB-2 is stored with version 0; version 2 cannot follow"
    assert await base.load(ARTICLE, "KB-1") is None
    assert (base.failures, base.failure) == (0, "")


async def test_a_command_is_carried_out_once(base: SqliteKnowledge) -> None:
    await base.write([step(article(1), command_id="C1")])
    with pytest.raises(KnowledgeRefusedError) as refused:
        await base.write([step(article(2), command_id="C1")])
    assert str(refused.value) == "command C1 was carried out before, on KB-1"


async def test_only_the_owner_may_read_the_file(base: SqliteKnowledge, path: Path) -> None:
    await base.counts()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600  # noqa: ASYNC240  a local file


def test_a_file_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(KnowledgeUnavailableError) as refused:
        SqliteKnowledge(path).open()
    assert str(refused.value) == (
        f"cannot use the knowledge base {path}: it is a database of something else; move it away"
    )


async def test_a_base_of_a_newer_release_is_left_alone(base: SqliteKnowledge, path: Path) -> None:
    base.close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(KnowledgeUnavailableError, match="its schema is version 99, this btimd knows up to 1"):
        base.open()


async def test_one_process_at_a_time(base: SqliteKnowledge, path: Path) -> None:
    await base.write([step(article())])
    with pytest.raises(KnowledgeUnavailableError, match="is another btimd running"):
        SqliteKnowledge(path).open()


async def test_a_closed_base_says_so(base: SqliteKnowledge, path: Path) -> None:
    base.close()
    base.close()
    with pytest.raises(KnowledgeUnavailableError) as refused:
        await base.counts()
    assert str(refused.value) == f"the knowledge base {path} is closed"


async def test_a_failure_costs_its_call_alone_and_is_counted(base: SqliteKnowledge, path: Path) -> None:
    def break_off(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(KnowledgeUnavailableError) as failed:
        await base._ask(break_off)
    assert str(failed.value) == f"the knowledge base {path} failed: database or disk is full; ask again"
    assert (base.failures, base.failure) == (1, "database or disk is full")
    await base.write([step(article())])
    assert (base.failures, base.failure) == (1, "")


async def test_a_call_that_takes_too_long_is_given_up(path: Path) -> None:
    base = SqliteKnowledge(path, call_seconds=0.05)
    base.open()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(KnowledgeUnavailableError, match=r"failed: it took over 0\.05 s; ask again"):
        await base._ask(lambda connection: connection.execute(endless).fetchone())
    assert await base.counts() == {}
    base.close()


async def test_more_calls_than_anybody_would_wait_for_are_refused_and_counted(base: SqliteKnowledge) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        busy.set()
        go_on.wait(PATIENCE_SECONDS)

    held = asyncio.create_task(base._ask(hold))
    await asyncio.to_thread(busy.wait, 10)
    waiting = [asyncio.create_task(base.counts()) for _ in range(QUEUE_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(KnowledgeUnavailableError, match="has too much to do; ask again"):
        await base.counts()
    go_on.set()
    await asyncio.gather(held, *waiting)
    assert base.refused == 1


async def test_a_damaged_index_is_made_anew_from_the_articles(base: SqliteKnowledge) -> None:
    await base.write([step(article(1)), step(article(2, state=ArticleState.DRAFT))])
    await base._ask(lambda connection: connection.execute("DELETE FROM article_words").rowcount)
    assert await base.search(ArticleQuery("listener")) == []
    assert await base.index_anew() == 2
    assert [hit.article.id for hit in await base.search(ArticleQuery("listener"))] == ["KB-1"]
    assert await base.matching_ids("listener") == {"KB-1", "KB-2"}


async def test_the_latest_changed_records_come_first_and_can_be_filtered(base: SqliteKnowledge) -> None:
    old, new = problem(id="PRB-1"), problem(id="PRB-2")
    await base.write([step(old), step(new, at=event(new).at + 1)])
    later = replace(old, version=2, state=type(old.state).CLOSED)
    await base.write([step(later, at=event(new).at + 2)])
    assert await base.find(PROBLEM) == [later, new]
    assert await base.find(PROBLEM, states=["open", "known-error"]) == [new]
    assert await base.find(PROBLEM, limit=1) == [later]
    assert await base.find(PROBLEM, oldest_first=True) == [new, later]


async def test_a_new_id_counts_on_from_the_highest_of_its_prefix(base: SqliteKnowledge) -> None:
    assert await base.next_id(ARTICLE, "KB-20231114-") == "KB-20231114-000001"
    others = [article(id=name) for name in ("KB-20231114-000041", "KB-20231115-000099", "KB-20231114-x")]
    await base.write([step(one) for one in others])
    assert await base.next_id(ARTICLE, "KB-20231114-") == "KB-20231114-000042"
    assert await base.next_id(PROBLEM, "KB-20231114-") == "KB-20231114-000001"

"""Finding articles: exact in Chinese, filtered, ranked by fit and by what became of them."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from btimd.model.knowledge import Article, ArticleQuery, ArticleState, IncidentLook, Language, UseOutcome
from btimd.store import knowledgetables as tables
from tests.store.knowledge_examples import CHINESE, article, step


@pytest.fixture
def connection(tmp_path: Any) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "k.sqlite", isolation_level=None)
    tables.prepare(opened)
    yield opened
    opened.close()


def found(connection: sqlite3.Connection, text: str = "", **filters: Any) -> list[str]:
    return [hit.article.id for hit in tables.search(connection, ArticleQuery(text, **filters), 200)]


def put(connection: sqlite3.Connection, *articles: Article) -> None:
    tables.write(connection, [step(one) for one in articles])


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("支付", ["KB-1"]),
        ("付数", ["KB-1"]),
        ("支付 重启", ["KB-1"]),
        ("监听中断", ["KB-1"]),
        ("中断监听", []),
        ("断", ["KB-1"]),
        ("数", ["KB-1"]),
        ("listener", ["KB-2"]),
        ("LISTENERS", ["KB-2"]),
        ("oracle listener", ["KB-2"]),
        ("database", ["KB-2", "KB-1"]),
        ("ora1", ["KB-2", "KB-1"]),
        ("lsnrctl start", ["KB-2"]),
        ("\"' OR 1=1 --", []),
        ("支付*", ["KB-1"]),
    ],
)
def test_words_find_articles(connection: sqlite3.Connection, query: str, ids: list[str]) -> None:
    put(connection, article(1, **CHINESE), article(2))
    assert sorted(found(connection, query), reverse=True) == ids


def test_where_none_has_all_words_those_with_some_are_given_and_said_to_be_such(connection: sqlite3.Connection) -> None:
    put(connection, article(1, **CHINESE), article(2))
    hits = tables.search(connection, ArticleQuery("支付 防火墙"), 200)
    assert [(hit.article.id, hit.every_word) for hit in hits] == [("KB-1", False)]
    assert [hit.every_word for hit in tables.search(connection, ArticleQuery("支付 网银"), 200)] == [True]


def test_only_published_articles_are_found_unless_others_are_asked_for(connection: sqlite3.Connection) -> None:
    put(connection, article(1), article(2, state=ArticleState.DRAFT), article(3, state=ArticleState.RETIRED))
    assert found(connection, "listener") == ["KB-1"]
    assert found(connection, "listener", states=(ArticleState.DRAFT,)) == ["KB-2"]
    assert found(connection, "listener", states=()) == ["KB-3", "KB-2", "KB-1"]


def test_filters_narrow_what_is_found(connection: sqlite3.Connection) -> None:
    put(
        connection,
        article(1),
        article(2, category="network"),
        article(3, nodes=("sw1",), kinds=("switch",)),
        article(4, language=Language.ZH),
    )
    assert found(connection, "listener", category="network") == ["KB-2"]
    assert found(connection, "listener", node="sw1") == ["KB-3"]
    assert found(connection, "listener", node_kind="switch") == ["KB-3"]
    assert found(connection, "listener", language=Language.ZH) == ["KB-4"]
    assert found(connection, category="database") == ["KB-4", "KB-3", "KB-1"]
    assert found(connection, limit=2) == ["KB-4", "KB-3"]


def test_nothing_to_look_for_is_not_everything(connection: sqlite3.Connection) -> None:
    put(connection, article(1))
    assert found(connection, '"*"') == []
    assert found(connection, "") == ["KB-1"]


def test_of_articles_that_fit_alike_the_one_that_helped_comes_first(connection: sqlite3.Connection) -> None:
    put(connection, article(1, failed_count=8), article(2), article(3, helped_count=8))
    assert found(connection, "listener") == ["KB-3", "KB-2", "KB-1"]


def test_a_word_in_the_title_counts_more_than_in_the_text(connection: sqlite3.Connection) -> None:
    put(connection, article(1, title="Firewall"), article(2, title="Other", symptom="the firewall, the firewall"))
    put(connection, *(article(number) for number in range(3, 12)))
    assert found(connection, "firewall") == ["KB-1", "KB-2"]


def test_an_edited_article_is_found_by_its_new_words_only(connection: sqlite3.Connection) -> None:
    put(connection, article(1))
    edited = article(1, version=2, title="Disk full", nodes=("ora2",), signatures=())
    tables.write(connection, [step(edited, action="edited", changes=json.dumps({"title": 1, "nodes": []}))])
    assert (found(connection, "disk"), found(connection, "oracle")) == (["KB-1"], [])
    assert (found(connection, node="ora2"), found(connection, node="ora1")) == (["KB-1"], [])


def test_uses_are_kept_for_each_incident_and_move_the_rank(connection: sqlite3.Connection) -> None:
    put(connection, article(1), article(2))
    used = article(1, version=2, used_count=1)
    note = {"action": "used", "about": "INC-1", "changes": '{"used_count":1}'}
    tables.write(connection, [step(used, note="used", **note)])
    assert tables.use_of(connection, "KB-1", "INC-1") is UseOutcome.USED
    helped = replace(used, version=3, helped_count=1)
    tables.write(connection, [step(helped, note="helped", **note)])
    assert tables.use_of(connection, "KB-1", "INC-1") is UseOutcome.HELPED
    assert found(connection, "listener") == ["KB-1", "KB-2"]


def test_articles_for_an_incident_share_its_cause_its_node_its_kind_or_words(connection: sqlite3.Connection) -> None:
    plain = {"signatures": (), "nodes": (), "kinds": (), "title": "x", "symptom": "y", "workaround": "z"}
    put(
        connection,
        article(1, **(plain | {"signatures": ("ora1/down",)})),
        article(2, **(plain | {"nodes": ("ora1",)})),
        article(3, **(plain | {"kinds": ("database",)})),
        article(4, **(plain | {"symptom": "监听没有响应"})),
        article(5, **plain),
        article(6, **(plain | {"nodes": ("ora1",), "state": ArticleState.DRAFT})),
    )
    look = IncidentLook(("ora1/down",), "", ("ora1",), ("database",), "核心监听中断")
    hits = tables.candidates(connection, look, 10, frozenset())
    assert [(hit.article.id, hit.relevance > 0) for hit in hits] == [
        ("KB-1", False), ("KB-2", False), ("KB-3", False), ("KB-4", True),
    ]  # fmt: skip
    assert [hit.article.id for hit in tables.candidates(connection, IncidentLook(), 10, frozenset())] == []


def test_words_that_nearly_all_articles_have_are_known(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "COMMON_FROM", 1)
    put(connection, article(1, title="disk", nodes=()), article(2, title="memory", nodes=()))
    assert {"payment", "databas"} <= tables.common_terms(connection)
    assert not {"disk", "memory"} & tables.common_terms(connection)

"""What the index holds of a text, and what becomes of what a stranger types."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.store.knowledgewords import every, excerpt, indexed, some, telling, terms


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("支付数据库", "支付 付数 数据 据库 库"),
        ("库", "库"),
        ("ORA-01555 监听Down!", "ora 01555 监听 听 down"),
        ("Restarting restarted restarts", "restart restart restart"),
        ("dropped class \uff11\uff12", "drop class 12"),
        ("𠮷野家", "𠮷野 野家 家"),
        ("-- '\" *", ""),
    ],
)
def test_chinese_is_held_in_pairs_other_words_by_their_stems(text: str, entries: str) -> None:
    assert indexed(text) == entries


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ("支付", ['"支付"']),
        ("支付失败 ORA-01555", ['"支付 付失 失败"', '"ora 01555"']),
        ("库", ['"库"*']),
        ("oracle监听", ['"oracl"', '"监听"']),
        ('title:x" OR NEAR(a b) *', ['"titl x"', '"or"', '"near a"', '"b"']),
        ("down DOWN downs", ['"down"']),
        ('"" -- ()', []),
        ("字 " * 500, ['"字"*']),
        (" ".join(f"w{number}" for number in range(30)), [f'"w{number}"' for number in range(16)]),
    ],
)
def test_what_is_typed_becomes_quoted_phrases(query: str, phrases: list[str]) -> None:
    assert list(terms(query)) == phrases


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE VIRTUAL TABLE w USING fts5 (a, tokenize = "unicode61 remove_diacritics 0")')
    return connection


@given(text=st.text(max_size=60), around=st.text(max_size=20))
def test_no_text_is_syntax_and_every_text_finds_itself(index: sqlite3.Connection, text: str, around: str) -> None:
    index.execute("DELETE FROM w")
    index.execute("INSERT INTO w VALUES (?)", (indexed(f"{around} {text} {around}"),))
    for phrases in (every(terms(text)), some(terms(text)), telling(text, frozenset())):
        if phrases:
            assert index.execute("SELECT count(*) FROM w WHERE w MATCH ?", (phrases,)).fetchone() == (1,)


def test_of_a_whole_text_the_words_that_few_articles_have_are_looked_for() -> None:
    common = frozenset({"数据", "据库", "down"})
    assert telling("数据库 Down ora1 锁", common) == '"ora1"'
    assert telling("数据库 down", common) == '"数据" AND "据库" AND "down"'
    assert telling("锁", common) == ""
    assert telling(" ".join(f"w{number}" for number in range(99)), common).count(" OR ") == 23


def test_an_excerpt_shows_the_place_of_the_first_word_found() -> None:
    text = "Payments fail.\nThe   listener of ora1 ran out of processes and refused every connection after ten."
    assert excerpt(text, "LISTENER nothing", 40) == "…fail. The listener of ora1 ran out of pr…"
    assert excerpt("短文", "不在", 40) == "短文"
    assert excerpt("昨夜批处理之后数据库监听没有响应", "核心监听中断", 8) == "…据库监听没有响应"

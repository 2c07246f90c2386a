"""The tables of the knowledge base and the statements on them; each function runs inside its caller's transaction."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

from btimd.model.knowledge import (
    RECORD_TYPES,
    Article,
    ArticleHit,
    ArticleQuery,
    ArticleState,
    IncidentLook,
    KnowledgeRefusedError,
    Record,
    RecordEvent,
    RecordKind,
    UseOutcome,
)
from btimd.model.plain import from_plain, to_plain
from btimd.store import knowledgewords as words
from btimd.store.schema import migrate

REFUSALS: Final = (KnowledgeRefusedError,)
"""What a write may be refused with; anything else is a failure of the file or a bug."""

_APPLICATION_ID: Final = 0x6274696B  # "btik"

_MIGRATIONS: Final = (
    """
    CREATE TABLE record (
        kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, at REAL NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (kind, id)
    );
    CREATE INDEX record_newest ON record (kind, at, id);
    CREATE INDEX record_state ON record (kind, state, at, id);
    CREATE TABLE event (
        kind TEXT NOT NULL, record_id TEXT NOT NULL, seq INTEGER NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, record_id, seq)
    );
    CREATE INDEX event_about ON event (kind, about, record_id) WHERE about != '';
    CREATE TABLE command (id TEXT PRIMARY KEY, kind TEXT NOT NULL, record_id TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE article_use (
        article_id TEXT NOT NULL, incident_id TEXT NOT NULL, outcome TEXT NOT NULL,
        PRIMARY KEY (article_id, incident_id)
    ) WITHOUT ROWID;
    CREATE TABLE article (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, category TEXT NOT NULL,
        language TEXT NOT NULL, success REAL NOT NULL, at REAL NOT NULL
    );
    CREATE INDEX article_newest ON article (state, at);
    CREATE TABLE article_about (
        what TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (what, name, number)
    ) WITHOUT ROWID;
    CREATE INDEX article_about_number ON article_about (number);
    CREATE VIRTUAL TABLE article_words USING fts5 (
        title, keywords, body, tokenize = "unicode61 remove_diacritics 0"
    );
    CREATE VIRTUAL TABLE article_vocabulary USING fts5vocab (article_words, row);
    """,
)
"""One script per schema version, applied in order; a released script is never changed."""

COMMON_FROM: Final = 1_000
"""Articles; a word of more than that is not looked for where a whole text is compared."""
_SIGNATURE, _NODE, _KIND = "signature", "node", "kind"
_NUMBER_DIGITS: Final = 6
_WEIGHTS: Final = "8.0, 4.0, 1.0"
"""What a word counts in the title, among the key words, in the text."""
_BEST: Final = f"-bm25(article_words, {_WEIGHTS}) * article.success"  # bm25 of SQLite is below 0, the better the lower


def prepare(connection: sqlite3.Connection) -> None:
    """Set the file up for one process and bring its schema up to date."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -32768")  # KiB: the words of some 20,000 articles
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrate(connection, _APPLICATION_ID, _MIGRATIONS)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


# Records.


def write(connection: sqlite3.Connection, steps: Iterable[tuple[Record, RecordEvent]]) -> None:
    """Store steps; raises KnowledgeRefusedError where one does not follow what is stored."""
    for record, event in steps:
        _write_step(connection, record, event)


def _write_step(connection: sqlite3.Connection, record: Record, event: RecordEvent) -> None:
    kind = event.kind.value
    row = connection.execute("SELECT version FROM record WHERE (kind, id) = (?, ?)", (kind, record.id)).fetchone()
    stored = row[0] if row else 0
    if not stored + 1 == record.version == event.seq or record.id != event.record_id:
        raise KnowledgeRefusedError(
            f"{kind} {record.id} is stored with version {stored}; version {record.version} cannot follow"
        )
    if event.command_id:
        known = connection.execute("SELECT record_id FROM command WHERE id = ?", (event.command_id,)).fetchone()
        if known:
            raise KnowledgeRefusedError(f"command {event.command_id} was carried out before, on {known[0]}")
        connection.execute("INSERT INTO command VALUES (?, ?, ?)", (event.command_id, kind, record.id))
    connection.execute(
        "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version,"
        " state = excluded.state, at = excluded.at, body = excluded.body",
        (kind, record.id, record.version, record.state.value, event.at, _text(record)),
    )
    connection.execute(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?)", (kind, record.id, event.seq, event.about, _text(event))
    )
    if isinstance(record, Article):
        _index(connection, record, event)


def load(connection: sqlite3.Connection, kind: RecordKind, record_id: str) -> Record | None:
    """Return a record; None: there is none."""
    row = connection.execute("SELECT body FROM record WHERE (kind, id) = (?, ?)", (kind.value, record_id)).fetchone()
    return None if row is None else _record(kind, row[0])


def load_events(connection: sqlite3.Connection, kind: RecordKind, record_id: str) -> Sequence[RecordEvent]:
    """Return the history of a record, oldest first."""
    rows = connection.execute(
        "SELECT body FROM event WHERE (kind, record_id) = (?, ?) ORDER BY seq", (kind.value, record_id)
    )
    return [from_plain(RecordEvent, json.loads(body)) for (body,) in rows]


def find(
    connection: sqlite3.Connection,
    kind: RecordKind,
    *,
    states: Sequence[str],
    about: str,
    limit: int,
    oldest_first: bool,
) -> Sequence[Record]:
    """Return records, the latest changed first, or last."""
    order = "ASC" if oldest_first else "DESC"
    conditions, values = ["kind = ?"], [kind.value]
    if states:
        conditions.append(f"state IN ({', '.join('?' * len(states))})")
        values += states
    if about:
        conditions.append("id IN (SELECT record_id FROM event WHERE kind = ? AND about = ? AND about != '')")
        values += (kind.value, about)
    rows = connection.execute(
        f"SELECT body FROM record WHERE {' AND '.join(conditions)} ORDER BY at {order}, id {order} LIMIT ?",  # noqa: S608
        (*values, limit),
    )
    return [_record(kind, body) for (body,) in rows]


def everything(connection: sqlite3.Connection, kind: RecordKind, since: float, limit: int) -> Sequence[Record]:
    """Return all records of a kind that were changed since a moment, the latest changed first."""
    rows = connection.execute(
        "SELECT body FROM record WHERE kind = ? AND at >= ? ORDER BY at DESC, id DESC LIMIT ?",
        (kind.value, since, limit),
    )
    return [_record(kind, body) for (body,) in rows]


def use_of(connection: sqlite3.Connection, article_id: str, incident_id: str) -> UseOutcome | None:
    """Return what became of an article in an incident; None: it was not used there."""
    row = connection.execute(
        "SELECT outcome FROM article_use WHERE (article_id, incident_id) = (?, ?)", (article_id, incident_id)
    ).fetchone()
    return None if row is None else UseOutcome(row[0])


def find_command(connection: sqlite3.Connection, command_id: str) -> tuple[RecordKind, str] | None:
    """Return the record that a command was carried out on; None: it was not."""
    row = connection.execute("SELECT kind, record_id FROM command WHERE id = ?", (command_id,)).fetchone()
    return None if row is None else (RecordKind(row[0]), row[1])


def next_id(connection: sqlite3.Connection, kind: RecordKind, prefix: str) -> str:
    """Return an id with that prefix and a number after it that no record has yet."""
    row = connection.execute(
        "SELECT max(id) FROM record WHERE kind = ? AND id >= ? AND id < ? AND length(id) = ?",
        (kind.value, f"{prefix}0", f"{prefix}:", len(prefix) + _NUMBER_DIGITS),
    ).fetchone()
    last = (row[0] or "").removeprefix(prefix)
    return f"{prefix}{int(last) + 1 if last.isdecimal() else 1:0{_NUMBER_DIGITS}d}"


def counts(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return how many records there are, by kind and state."""
    rows = connection.execute("SELECT kind, state, count(*) FROM record GROUP BY kind, state")
    return {(kind, state): number for kind, state, number in rows}


# Articles as they are looked for.


def _index(connection: sqlite3.Connection, article: Article, event: RecordEvent) -> None:
    changes = json.loads(event.changes)
    if event.action == "used":
        connection.execute(
            "INSERT INTO article_use VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
            (article.id, event.about, UseOutcome(event.note).value),
        )
    row = connection.execute("SELECT number FROM article WHERE id = ?", (article.id,)).fetchone()
    facts = (
        article.state.value,
        article.category,
        article.language.value,
        article.expected_success,
        article.changed_at,
    )
    if row is None:
        cursor = connection.execute(
            "INSERT INTO article (id, state, category, language, success, at) VALUES (?, ?, ?, ?, ?, ?)",
            (article.id, *facts),
        )
        number = cursor.lastrowid
    else:
        number = row[0]
        connection.execute(
            "UPDATE article SET state = ?, category = ?, language = ?, success = ?, at = ? WHERE number = ?",
            (*facts, number),
        )
        if not changes.keys() & _INDEXED_FIELDS:
            return
        connection.execute("DELETE FROM article_words WHERE rowid = ?", (number,))
        connection.execute("DELETE FROM article_about WHERE number = ?", (number,))
    connection.execute(
        "INSERT INTO article_words (rowid, title, keywords, body) VALUES (?, ?, ?, ?)", (number, *_words(article))
    )
    about = (
        *((_SIGNATURE, name, number) for name in article.signatures),
        *((_NODE, name, number) for name in article.nodes),
        *((_KIND, name, number) for name in article.kinds),
    )
    connection.executemany("INSERT OR IGNORE INTO article_about VALUES (?, ?, ?)", about)


_INDEXED_FIELDS: Final = frozenset({
    "title", "symptom", "cause", "workaround", "solution", "nodes", "kinds", "signatures", "keywords", "category",
})  # fmt: skip


def _text_of(article: Article) -> str:
    return f"{article.symptom}\n{article.cause}\n{article.workaround}\n{article.solution}"


def _words(article: Article) -> tuple[str, str, str]:
    names = " ".join((*article.keywords, *article.nodes, *article.kinds, article.category))
    text = _text_of(article)
    return words.indexed(article.title), words.indexed(names), words.indexed(text)


def search(connection: sqlite3.Connection, query: ArticleQuery, most: int) -> Sequence[ArticleHit]:
    """Return the articles that fit a query, best first: all of its words, and where none has all, some of them."""
    phrases = words.terms(query.text)
    conditions, values = _filters(query)
    if not phrases:
        if query.text.strip():
            return []  # nothing in it can be looked for; everything would be no answer
        rows = connection.execute(
            f"SELECT id, 0.0 FROM article WHERE {conditions} ORDER BY at DESC, number DESC LIMIT ?",  # noqa: S608
            (*values, min(query.limit, most)),
        ).fetchall()
        return _hits(connection, rows, query.text, every_word=True)
    for every_word, expression in ((True, words.every(phrases)), (False, words.some(phrases))):
        rows = connection.execute(
            f"SELECT article.id, {_BEST} AS best FROM article_words JOIN article ON number = article_words.rowid"  # noqa: S608
            f" WHERE article_words MATCH ? AND {conditions} ORDER BY best DESC, at DESC, number DESC LIMIT ?",
            (expression, *values, min(query.limit, most)),
        ).fetchall()
        if rows or len(phrases) == 1:
            return _hits(connection, rows, query.text, every_word=every_word)
    return []


def matching_ids(connection: sqlite3.Connection, text: str) -> set[str]:
    """Return the ids of all articles that have all the words of a text, whatever their state."""
    rows = connection.execute(
        "SELECT article.id FROM article_words JOIN article ON number = article_words.rowid WHERE article_words MATCH ?",
        (words.every(words.terms(text)) or '""',),
    )
    return {article_id for (article_id,) in rows}


def _filters(query: ArticleQuery) -> tuple[str, list[str]]:
    states = query.states or tuple(ArticleState)
    conditions, values = [f"state IN ({', '.join('?' * len(states))})"], [state.value for state in states]
    if query.category:
        conditions.append("category = ?")
        values.append(query.category)
    if query.language is not None:
        conditions.append("language = ?")
        values.append(query.language.value)
    for what, name in ((_NODE, query.node), (_KIND, query.node_kind)):
        if name:
            conditions.append("number IN (SELECT number FROM article_about WHERE what = ? AND name = ?)")
            values += (what, name)
    return " AND ".join(conditions), values


def common_terms(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the entries of the index that so many articles have that they tell little and cost much."""
    rows = connection.execute("SELECT term FROM article_vocabulary WHERE doc > ?", (COMMON_FROM,))
    return frozenset(term for (term,) in rows)


def candidates(
    connection: sqlite3.Connection, look: IncidentLook, limit: int, common: frozenset[str]
) -> Sequence[ArticleHit]:
    """Return published articles with a signature, a node, a kind or words of an incident; at most `limit` for each."""
    found: dict[str, float] = {}
    names = (
        *((_SIGNATURE, name) for name in look.signatures),
        *((_NODE, name) for name in look.nodes),
        *((_KIND, name) for name in look.kinds),
    )
    for what, name in names:
        rows = connection.execute(
            "SELECT id FROM article_about JOIN article USING (number) WHERE what = ? AND name = ? AND state = ?"
            " ORDER BY success DESC, at DESC LIMIT ?",
            (what, name, ArticleState.PUBLISHED.value, limit),
        )
        found.update((article_id, 0.0) for (article_id,) in rows if article_id not in found)
    expression = words.telling(look.text, common)
    if expression:
        rows = connection.execute(
            f"SELECT article.id, -bm25(article_words, {_WEIGHTS}) FROM article_words"  # noqa: S608
            " JOIN article ON number = article_words.rowid WHERE article_words MATCH ? AND state = ?"
            " ORDER BY 2 DESC LIMIT ?",
            (expression, ArticleState.PUBLISHED.value, limit),
        )
        found.update(rows)
    return _hits(connection, list(found.items()), look.text, every_word=False)


def _hits(
    connection: sqlite3.Connection, rows: Iterable[tuple[str, float]], wanted: str, *, every_word: bool
) -> Sequence[ArticleHit]:
    hits: list[ArticleHit] = []
    for article_id, relevance in rows:
        article = load(connection, RecordKind.ARTICLE, article_id)
        if isinstance(article, Article):
            text = f"{article.title}\n{_text_of(article)}"
            hits.append(ArticleHit(article, float(relevance), every_word, words.excerpt(text, wanted)))
    return hits


def index_anew(connection: sqlite3.Connection) -> int:
    """Make the index of words anew from the articles; return how many there are. For an index that was damaged."""
    connection.execute("DELETE FROM article_words")
    number = 0
    rows = connection.execute("SELECT number, body FROM article JOIN record USING (id) WHERE kind = 'article'")
    for number, (row, body) in enumerate(rows.fetchall(), 1):  # noqa: B007
        connection.execute(
            "INSERT INTO article_words (rowid, title, keywords, body) VALUES (?, ?, ?, ?)",
            (row, *_words(from_plain(Article, json.loads(body)))),
        )
    return number


def _record(kind: RecordKind, body: str) -> Record:
    found: Record = from_plain(RECORD_TYPES[kind], json.loads(body))
    return found


def _text(value: Any) -> str:
    plain = {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

"""Articles and other records, with events, that the tests of the knowledge base share."""

import json
from typing import Any

from btimd.model.knowledge import Article, ArticleState, Language, Problem, ProblemState, RecordEvent, RecordKind

T0 = 1_700_000_000.0


def article(number: int = 1, **changes: Any) -> Article:
    fields: dict[str, Any] = {
        "id": f"KB-{number}",
        "version": 1,
        "state": ArticleState.PUBLISHED,
        "title": "Oracle listener down",
        "symptom": "Payments fail",
        "workaround": "lsnrctl start",
        "category": "database",
        "nodes": ("ora1",),
        "kinds": ("database",),
        "signatures": ("ora1/down",),
        "changed_at": T0 + number,
    }
    return Article(**(fields | changes))


CHINESE = {
    "language": Language.ZH,
    "title": "支付数据库监听中断",
    "symptom": "网银支付失败",
    "workaround": "重启监听",
    "solution": "调大进程数",
}


def event(record: Article | Problem, action: str = "drafted", **changes: Any) -> RecordEvent:
    fields: dict[str, Any] = {
        "kind": RecordKind.ARTICLE if isinstance(record, Article) else RecordKind.PROBLEM,
        "record_id": record.id,
        "seq": record.version,
        "at": T0 + record.version,
        "actor": "li",
        "action": action,
        "from_state": "",
        "to_state": record.state.value,
        "changes": json.dumps({"title": record.title}),
    }
    return RecordEvent(**(fields | changes))


def step(record: Article | Problem, **changes: Any) -> tuple[Article | Problem, RecordEvent]:
    return record, event(record, **changes)


def problem(**changes: Any) -> Problem:
    fields: dict[str, Any] = {"id": "PRB-1", "version": 1, "state": ProblemState.OPEN, "title": "ora1"}
    return Problem(**(fields | changes))

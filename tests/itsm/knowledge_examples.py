"""Articles, problems and actions that the tests of knowledge share."""

from typing import Any

from btimd.itsm.knowledge import ARTICLES, Draft
from btimd.itsm.knowledgesteps import Action, Machine
from btimd.model.incident import CommandRefusedError
from btimd.model.knowledge import Article, Record, RecordEvent
from btimd.model.knowledgework import ArticleText

T0 = 1_700_000_000.0

TEXT = ArticleText(
    title="Oracle listener down",
    symptom="Payments fail at once",
    cause="The listener ran out of processes",
    workaround="lsnrctl start",
    solution="Raise PROCESSES to 500",
    category="database",
    nodes=("ora1",),
    kinds=("database",),
    signatures=("ora1/down", "kind:database/down"),
    keywords=("TNS-12541",),
)


def draft(**changes: Any) -> Draft:
    fields: dict[str, Any] = {"actor": "li", "text": TEXT}
    return Draft(**(fields | changes))


def history(machine: Machine[Any], record_id: str, *actions: Action) -> tuple[Any, list[RecordEvent]]:
    """Return the record after these actions, a second apart, the first at T0, with its events."""
    record: Record | None = None
    events: list[RecordEvent] = []
    for at, action in enumerate(actions):
        record, event = machine.step(record, record_id, action, T0 + at)
        events.append(event)
    return record, events


def article(*actions: Action) -> Article:
    made, _ = history(ARTICLES, "KB-1", draft(), *actions)
    assert isinstance(made, Article)
    return made


def refusal(machine: Machine[Any], record: Record | None, action: Action) -> str:
    """Return the words in which an action is refused."""
    try:
        machine.step(record, "X-1", action, T0)
    except CommandRefusedError as error:
        return f"{error.code}: {error}"
    raise AssertionError("it was not refused")

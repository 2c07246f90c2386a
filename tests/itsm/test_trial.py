"""Trials change nothing at a target and say what they prove."""

from typing import Any

import pytest

from btimd.itsm.emit.alertmanager import Alertmanager
from btimd.itsm.emit.exchange import HaltError, HttpAnswer, HttpRequest
from btimd.itsm.emit.jsmalerts import JsmAlerts
from btimd.itsm.emit.pagerduty import PagerDuty
from btimd.itsm.emit.redmine import Redmine
from btimd.itsm.emit.servicenowevents import ServiceNowEvents
from btimd.itsm.emit.tickets import States
from btimd.itsm.emit.trial import TrialResult, TrialTold, trial_of
from btimd.itsm.outbox import Outcome, OutcomeKind

REDMINE = Redmine("p", 1, 7, 8, "btimd", States({}, {}, {}))


def ask(adapter: Any, status: int, body: bytes = b"{}") -> tuple[HttpRequest, TrialTold]:
    """Return what is asked of a target that answers so, and what is made of it."""
    dialogue = trial_of(adapter)
    request = next(dialogue)
    with pytest.raises(StopIteration) as end:
        dialogue.send(HttpAnswer(status, {}, body))
    return request, end.value.value


@pytest.mark.parametrize(
    ("adapter", "status", "body", "method", "path", "proves"),
    [
        (REDMINE, 200, b'{"issues": []}', "GET", "issues.json?", True),
        (Alertmanager({}), 200, b"{}", "GET", "api/v2/status", True),
        (JsmAlerts("btimd"), 404, b"{}", "GET", "jsm/ops/integration/v2/alerts/btimd-trial?", True),
        (PagerDuty("key", "btimd"), 202, b"{}", "POST", "v2/enqueue", False),
        (ServiceNowEvents("btimd"), 200, b"", "POST", "api/global/em/jsonv2", True),
    ],
)
def test_a_trial_asks_what_changes_nothing(
    adapter: Any, status: int, body: bytes, method: str, path: str, proves: bool
) -> None:
    request, told = ask(adapter, status, body)
    assert (request.method, request.path[: len(path)], request.writes) == (method, path, False)
    assert told.tests_credentials is proves


def test_a_search_that_finds_strangers_is_no_search_for_our_ids() -> None:
    dialogue = trial_of(REDMINE)
    next(dialogue)
    with pytest.raises(HaltError, match="also found ticket 5; make the key field searchable"):
        dialogue.send(HttpAnswer(200, {}, b'{"issues": [{"id": 5, "custom_fields": []}]}'))


def test_who_gave_no_answer_was_not_reached() -> None:
    kinds = {kind: TrialResult(Outcome(kind)).is_reachable for kind in OutcomeKind}
    assert {kind for kind, reached in kinds.items() if not reached} == {OutcomeKind.NOT_SENT, OutcomeKind.UNCERTAIN}

import hashlib
import hmac
import json
from typing import Any

import pytest

from btimd.itsm.emit.callbacks import BODY_LIMIT, READERS, CallbackError
from btimd.itsm.emit.polling import OutsideChange
from btimd.itsm.emit.signing import SignatureError, signed_headers
from btimd.model.delivery import UpdateKind
from tests.itsm.posts import T0

KEY, OLD = b"a-key-of-more-than-24-octets", b"another-key-of-many-octets-x"


def signed(kind: str, body: bytes, key: bytes = KEY) -> dict[str, str]:
    digest = hmac.new(key, body, hashlib.sha256).hexdigest()
    return {
        "generic": signed_headers([key], message_id="m", at=T0, body=body),
        "jira": {"x-hub-signature": f"sha256={digest}"},
        "pagerduty": {"x-pagerduty-signature": f"v1={'0' * 64},v1={digest}"},
    }[kind]


def read(kind: str, document: Any, key: bytes = KEY) -> list[OutsideChange]:
    body = json.dumps(document).encode()
    return READERS[kind]([OLD, KEY], signed(kind, body, key), body, T0)


def test_a_script_says_what_was_changed_in_btimds_own_form() -> None:
    said = {
        "external_id": "abc", "incident": "INC-1", "event_id": "e1", "actor": "ann", "kind": "status", "value": "6",
        "at": "2023-11-14T22:13:20Z", "text": "replaced",
    }  # fmt: skip
    assert read("generic", said) == [
        OutsideChange("abc", "INC-1", "e1", "ann", UpdateKind.STATUS, "6", "2023-11-14T22:13:20Z", "replaced")
    ]
    for change, problem in (({"kind": "x"}, "kind is 'x'"), ({"actor": ""}, "actor is missing")):
        with pytest.raises(CallbackError, match=problem):
            read("generic", said | change)


def test_jira_tells_of_changes_and_comments() -> None:
    issue = {"id": "7", "fields": {"labels": ["btimd", "btim-INC-1"]}}
    items = [{"field": "status", "toString": "Done"}, {"field": "rank"}, {"field": "assignee", "toString": "Ann"}]
    moved = {
        "timestamp": 1_700_000_000_000,
        "user": {"accountId": "ann"},
        "issue": issue,
        "changelog": {"id": "9", "items": items},
    }
    at = "2023-11-14T22:13:20.000Z"
    assert read("jira", moved) == [
        OutsideChange("7", "INC-1", "history-9-0", "ann", UpdateKind.STATUS, "Done", at),
        OutsideChange("7", "INC-1", "history-9-2", "ann", UpdateKind.ASSIGNEE, "Ann", at),
    ]
    comment = {"id": "5", "body": "on it", "author": {"name": "bob"}}
    assert read("jira", {"issue": issue, "comment": comment}) == [
        OutsideChange("7", "INC-1", "comment-5", "bob", UpdateKind.COMMENT, "on it", at)
    ]


def test_pagerduty_tells_who_acknowledged_and_what_was_noted() -> None:
    event = {
        "id": "E", "event_type": "incident.acknowledged", "occurred_at": "t", "agent": {"summary": "Ann"},
        "data": {"id": "P1", "incident_key": "INC-1"},
    }  # fmt: skip
    assert read("pagerduty", {"event": event}) == [
        OutsideChange("P1", "INC-1", "E", "Ann", UpdateKind.STATUS, "acknowledged", "t")
    ]
    noted = event | {
        "event_type": "incident.annotated",
        "data": {"incident": {"incident_key": "INC-1"}, "content": "hm"},
    }
    assert read("pagerduty", {"event": noted})[0].value == "hm"
    assert read("pagerduty", {"event": event | {"event_type": "incident.workflow.started"}}) == []


@pytest.mark.parametrize("kind", sorted(READERS))
def test_who_did_not_sign_says_nothing(kind: str) -> None:
    with pytest.raises(SignatureError):
        read(kind, {}, b"a-key-that-nobody-here-knows")
    with pytest.raises(SignatureError):
        READERS[kind]([KEY], {}, b"{}", T0)


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("body", [b"", b"[", b"[" * 200_000, b"\xff", b" " * (BODY_LIMIT + 1)])
def test_a_signed_body_that_is_no_document_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(CallbackError, match="the body"):
        READERS[kind]([KEY], signed(kind, body), body, T0)


@pytest.mark.parametrize("kind", ["jira", "pagerduty"])
@pytest.mark.parametrize("document", [[], 1, {"issue": 3, "event": []}, {"changelog": {"items": [1]}, "comment": []}])
def test_a_strange_document_says_nothing(kind: str, document: Any) -> None:
    assert read(kind, document) == []

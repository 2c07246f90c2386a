"""What other systems send by themselves: signed calls, made into changes. Pure; who has the HTTP server hands it in.

`generic` takes what a ServiceNow business rule, or any script, can send: the body below, signed as btimd signs its own
webhooks (itsm.emit.signing). Jira and PagerDuty sign in their own way.

    {"external_id": "...", "incident": "INC-...", "event_id": "...", "actor": "...", "kind": "status|assignee|comment",
     "value": "...", "at": "2026-11-21T10:00:00Z", "text": "..."}
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from btimd.itsm.emit.exchange import member, members, text
from btimd.itsm.emit.polling import OutsideChange
from btimd.itsm.emit.signing import SignatureError, verify
from btimd.itsm.timestamp import rfc3339
from btimd.model.delivery import UpdateKind
from btimd.model.units import UnixSeconds

BODY_LIMIT: Final = 1 << 20
_LABEL: Final = "btim-"
_PAGERDUTY: Final = {
    "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
    "incident.reopened": "reopened",
    "incident.reassigned": "",
    "incident.annotated": "",
}


class CallbackError(ValueError):
    """A call that says nothing that can be understood."""


Reader = Callable[[Sequence[bytes], Mapping[str, str], bytes, UnixSeconds], list[OutsideChange]]
"""(keys, headers in lower case, body, now) -> changes. Raises SignatureError for who did not sign, CallbackError."""


def _document(body: bytes) -> Any:
    if len(body) > BODY_LIMIT:
        raise CallbackError(f"the body has {len(body)} octets; {BODY_LIMIT} are allowed")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallbackError(f"the body is no JSON: {error}") from None


def _check_hex(keys: Sequence[bytes], given: Sequence[str], body: bytes) -> None:
    """Check HMAC-SHA256 in hexadecimal digits: any of those given, by any of our keys, in constant time."""
    good = False
    for key in keys:
        wanted = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
        for signature in given:
            good |= hmac.compare_digest(wanted, signature.encode("utf-8", "surrogateescape"))
    if not good:
        raise SignatureError("no signature fits; the body was changed or another secret was used")


def generic(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: UnixSeconds) -> list[OutsideChange]:
    """Read btimd's own form."""
    verify(keys, headers, body, now)
    document = _document(body)
    if text(document, "kind") not in set(UpdateKind):
        raise CallbackError(f"kind is {text(document, 'kind')[:40]!r}; write one of {', '.join(UpdateKind)}")
    missing = [name for name in ("external_id", "incident", "event_id", "actor", "value") if not text(document, name)]
    if missing:
        raise CallbackError(f"{missing[0]} is missing")
    return [
        OutsideChange(
            external_id=text(document, "external_id"),
            key=text(document, "incident"),
            event_id=text(document, "event_id"),
            actor=text(document, "actor"),
            kind=UpdateKind(text(document, "kind")),
            value=text(document, "value"),
            at=text(document, "at"),
            text=text(document, "text"),
        )
    ]


def jira(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: UnixSeconds) -> list[OutsideChange]:
    """Read a Jira webhook: X-Hub-Signature "sha256=..." (Cloud; Data Center from 10 on)."""
    _check_hex(keys, [headers.get("x-hub-signature", "").removeprefix("sha256=")], body)
    document = _document(body)
    labels = member(document, "issue", "fields", "labels")
    named = [str(one) for one in labels if str(one).startswith(_LABEL)] if isinstance(labels, list) else []
    stamp = text(document, "timestamp")
    at = rfc3339(int(stamp) / 1000) if stamp.isdigit() and len(stamp) < 15 else rfc3339(now)  # noqa: PLR2004  ms
    said: list[tuple[str, UpdateKind, str]] = []
    comment = text(document, "comment", "body")
    if comment:
        said.append((f"comment-{text(document, 'comment', 'id')}", UpdateKind.COMMENT, comment))
    kinds = {"status": UpdateKind.STATUS, "assignee": UpdateKind.ASSIGNEE}
    for index, item in enumerate(members(document, "changelog", "items")):
        kind = kinds.get(text(item, "field"))
        if kind is not None:
            said.append((f"history-{text(document, 'changelog', 'id')}-{index}", kind, text(item, "toString")))
    author = "comment" if comment else "user"
    user = member(document, author, "author") if comment else member(document, author)
    return [
        OutsideChange(
            external_id=text(document, "issue", "id"),
            key=named[0].removeprefix(_LABEL) if named else "",
            event_id=event_id,
            actor=text(user, "accountId") or text(user, "name"),
            kind=kind,
            value=value,
            at=at,
        )
        for event_id, kind, value in said
    ]


def pagerduty(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: UnixSeconds) -> list[OutsideChange]:
    """Read a PagerDuty V3 webhook: X-PagerDuty-Signature "v1=...[,v1=...]". The incident_key is our incident's id."""
    given = [one.strip().removeprefix("v1=") for one in headers.get("x-pagerduty-signature", "").split(",")]
    _check_hex(keys, given, body)
    event = member(_document(body), "event")
    kind = text(event, "event_type")
    if kind not in _PAGERDUTY or text(event, "agent", "type").endswith("integration_reference"):
        return []  # what an integration did is our own event, come back
    data = member(event, "data")
    at = text(event, "occurred_at") or rfc3339(now)
    key = text(data, "incident_key") or text(data, "incident", "incident_key")
    change = (UpdateKind.STATUS, _PAGERDUTY[kind])
    if kind == "incident.annotated":
        change = (UpdateKind.COMMENT, text(data, "content"))
    elif kind == "incident.reassigned":
        change = (UpdateKind.ASSIGNEE, text(data, "assignees", 0, "summary"))
    return [
        OutsideChange(
            external_id=text(data, "id"),
            key=key,
            event_id=text(event, "id"),
            actor=text(event, "agent", "summary") or text(event, "agent", "id") or "pagerduty",
            kind=change[0],
            value=change[1],
            at=at,
        )
    ]


READERS: Final[Mapping[str, Reader]] = {"generic": generic, "jira": jira, "pagerduty": pagerduty}

"""What an answer over HTTP means for a notice: the status first, then the body, where robots say their errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import NoticeState
from btimd.model.units import Seconds, UnixSeconds

ANSWER_OCTETS: Final = 65_536
"""Octets of an answer that are read."""
DETAIL_LIMIT: Final = 200
_DEPTH: Final = 10
_PAUSED: Final = frozenset({401, 403, 404, 405, 407, 410})
_LATER: Final = frozenset({429, 503})
_AGAIN: Final = frozenset({408, 425})
_GATEWAY: Final = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Request:
    """A POST to be sent. Address, headers and body may hold secrets: they are in no repr."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The end of one sending. state: of a notice that was taken. provider_id: what the other side calls it."""

    outcome: Outcome
    provider_id: str = ""
    state: NoticeState = NoticeState.ACCEPTED_BY_GATEWAY


def by_status(  # noqa: PLR0911  one return per class of answer is the table
    status: int, headers: Mapping[str, str], now: UnixSeconds
) -> Outcome:
    """Return what the status alone says; DELIVERED = go on with the body. The body stays out: it may repeat secrets."""
    said = f"HTTP {status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(OutcomeKind.DELIVERED, said)
    if status < HTTPStatus.BAD_REQUEST:
        return Outcome(OutcomeKind.PAUSED, f"{said}; redirects are not followed, write the final address")
    if status in _PAUSED:
        return Outcome(OutcomeKind.PAUSED, f"{said}; check address and secret")
    if status in _LATER:
        return Outcome(OutcomeKind.RETRY_AFTER, said, retry_after(headers.get("Retry-After"), now))
    if status in _GATEWAY:
        return Outcome(OutcomeKind.UNCERTAIN, said)
    if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome(OutcomeKind.SERVER_ERROR, said)
    return Outcome(OutcomeKind.REFUSED, said)


def retry_after(value: str | None, now: UnixSeconds) -> Seconds | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), None where it says nothing usable."""
    if value is None:
        return None
    if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004  nine digits are 30 years
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max((zoned - datetime.fromtimestamp(now, UTC)).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None


def parsed(body: bytes) -> Any:
    """Return the JSON document of a body, None where it is none."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def at_path(document: Any, path: str) -> Any:
    """Return what stands at "a.b.0.c" of a document, None where there is nothing."""
    for name in path.split(".")[:_DEPTH]:
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdigit() and len(name) < 6 and int(name) < len(document):  # noqa: PLR2004  no list is longer
            document = document[int(name)]
        else:
            return None
    return document


def said(value: Any, secrets: tuple[str, ...] = ()) -> str:
    """Return a value of an answer as text fit for a log and a row, without the secrets that it may repeat."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)
    for secret in secrets:  # before it is cut: a part of a secret is one too
        text = text.replace(secret, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text[:DETAIL_LIMIT]).split())

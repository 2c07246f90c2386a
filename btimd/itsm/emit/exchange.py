"""Talking to a target without a socket: requests that an adapter wants made, answers, and how an answer is judged.

An adapter is a pure generator: it yields requests, is sent their answers, and returns what is known in the end, or
raises HaltError. The shell (emit/httptarget.py) makes the requests; a test plays the target by hand.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlencode

from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.delivery import ExternalReference
from btimd.model.ports import OutboxMessage
from btimd.model.units import Seconds, UnixSeconds

T = TypeVar("T")

DETAIL_CHARACTERS: Final = 200
_AUTH: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})
_ADDRESS: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE})
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_GATEWAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a target. path: below the target's url, with its query. writes: it changes something there.

    Not in repr: what it carries, as secrets may be in it.
    """

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    writes: bool = False


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the target answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Work:
    """A message to be delivered. reference: what the target is known to call its incident. now: wall clock."""

    message: OutboxMessage
    reference: ExternalReference | None
    now: UnixSeconds


@dataclass(frozen=True, slots=True)
class Done:
    """The target has the message. reference: what it calls the incident from now on, None: nothing of its own."""

    reference: ExternalReference | None = None
    detail: str = ""


class HaltError(Exception):
    """The work cannot go on; outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class GoneError(Exception):
    """What a target was asked about is not there."""


Dialogue: TypeAlias = Generator[HttpRequest, HttpAnswer, T]


def refused(detail: str) -> HaltError:
    """Return the end of work that the target does not take as it is."""
    return HaltError(Outcome(OutcomeKind.REFUSED, detail))


def paused(detail: str) -> HaltError:
    """Return the end of work that no message of ours would do better; a person must look."""
    return HaltError(Outcome(OutcomeKind.PAUSED, detail))


def json_request(method: str, path: str, document: Any = None, *, writes: bool = True) -> HttpRequest:
    """Return a request with a JSON document."""
    body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    headers = {"Accept": "application/json"}
    if document is not None:
        headers["Content-Type"] = "application/json"
    return HttpRequest(method, path, body, headers, writes)


def query(path: str, given: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> HttpRequest:
    """Return a question with its parameters."""
    return HttpRequest("GET", f"{path}?{urlencode(given)}" if given else path, headers={"Accept": "application/json"})


def ask(request: HttpRequest, good: Sequence[int] = (200,), *, gone: bool = False) -> Dialogue[HttpAnswer]:
    """Make a request; raises HaltError where the answer is no good one, GoneError for 404 where gone is set."""
    answer = yield request
    if answer.status in good:
        return answer
    if gone and answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise GoneError(request.path)
    judged = classify_status(answer.status, answer.headers, text_of(answer.body), 0.0)
    if judged.kind is OutcomeKind.DELIVERED:
        wanted = " or ".join(map(str, good))
        raise HaltError(Outcome(OutcomeKind.SERVER_ERROR, f"{judged.detail}; {wanted} was expected"))
    raise HaltError(judged)


def ask_json(request: HttpRequest, good: Sequence[int] = (200,), *, gone: bool = False) -> Dialogue[Any]:
    """Make a request and return the document of the answer; HaltError where it is none."""
    answer = yield from ask(request, good, gone=gone)
    return document_of(answer)


def document_of(answer: HttpAnswer) -> Any:
    """Return the JSON document of an answer; HaltError where it is none: a proxy or a log-in page answered."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        said = text_of(answer.body)
        raise HaltError(Outcome(OutcomeKind.SERVER_ERROR, f"HTTP {answer.status} without JSON: {said}")) from None


def text_of(body: bytes) -> str:
    """Return the beginning of an answer on one line, fit for a log."""
    text = body[:DETAIL_CHARACTERS].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def member(document: Any, *names: str | int) -> Any:
    """Return what stands at a path in somebody's JSON, None where nothing does."""
    for name in names:
        if isinstance(document, dict) and isinstance(name, str):
            document = document.get(name)
        elif isinstance(document, list) and isinstance(name, int) and -len(document) <= name < len(document):
            document = document[name]
        else:
            return None
    return document


def members(document: Any, *names: str | int) -> list[dict[str, Any]]:
    """Return the objects of the list at a path in somebody's JSON, none where there is no list."""
    found = member(document, *names)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(document: Any, *names: str | int) -> str:
    """Return what stands at a path as text, "" where nothing does."""
    found = member(document, *names)
    return "" if found is None or isinstance(found, (dict, list)) else str(found)


def number(document: Any, *names: str | int) -> int:
    """Return the whole number at a path, 0 where there is none."""
    found = text(document, *names).strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) < 19 else 0  # noqa: PLR2004  below 2^63


def classify_status(  # noqa: PLR0911  one return per class of answer is the table
    status: int, headers: Mapping[str, str], text: str, now: UnixSeconds
) -> Outcome:
    """Return what an HTTP answer says about the message. text: the beginning of its body."""
    said = f"HTTP {status}" + (f": {text}" if text else "")
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(OutcomeKind.DELIVERED, said)
    if status < HTTPStatus.BAD_REQUEST:
        return Outcome(OutcomeKind.PAUSED, f"{said}; redirects are not followed, write the final address into url")
    if status in _AUTH:
        return Outcome(OutcomeKind.PAUSED, f"{said}; compare the secret at both ends")
    if status in _ADDRESS:
        return Outcome(OutcomeKind.PAUSED, f"{said}; the address takes no webhooks, check url")
    if status in _LATER:
        return Outcome(OutcomeKind.RETRY_AFTER, said, _retry_after(headers.get("Retry-After"), headers, now))
    if status in _GATEWAY:
        return Outcome(OutcomeKind.UNCERTAIN, said)  # what stands behind the gateway may still be at it
    if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome(OutcomeKind.SERVER_ERROR, said)
    return Outcome(OutcomeKind.REFUSED, said)


def _retry_after(value: str | None, headers: Mapping[str, str], now: UnixSeconds) -> Seconds | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), None where it says nothing usable."""
    if value is None:
        return None
    if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004  nine digits are 30 years
        return float(value)
    moment = _moment(value)
    if moment is None:
        return None
    asked_at = datetime.fromtimestamp(now, UTC) if now else _moment(headers.get("Date", ""))
    return None if asked_at is None else max((moment - asked_at).total_seconds(), 0.0)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

"""What gateways and robots post to btimd: answers of people, and how far a message got. Pure; others' bytes, bounded.

A caller proves itself by a token (of its own, in the Authorization header, X-Btimd-Token or the query), by a Standard
Webhooks signature, or as DingTalk's outgoing robots do (header `timestamp` and `sign`, open.dingtalk.com: receive
messages). Everything is compared in constant time.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from btimd.itsm.notify.answers import at_path, parsed
from btimd.model.notification import Means, NoticeState
from btimd.model.posted import Posted
from btimd.model.units import UnixSeconds

MOST_OCTETS: Final = 65_536
_MOST_FIELDS: Final = 200
_MOST_TEXT: Final = 4096
_MOST_ID: Final = 200
_DINGTALK_WINDOW: Final = 3600.0

Scheme = Literal["token", "signed", "dingtalk"]


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """How a callback is understood. Paths as "text.content" in JSON, names of fields in forms and queries.

    means, channel: of the addresses that answers come from, and of the text that tells of a refusal. refers_path: the
    gateway's id of the message that is answered, or that `state_path` is about. ok_text: what the caller wants to read.
    """

    scheme: Scheme
    means: Means
    channel: str = ""
    from_path: str = ""
    text_path: str = ""
    id_path: str = ""
    refers_path: str = ""
    state_path: str = ""
    delivered_values: tuple[str, ...] = ()
    read_values: tuple[str, ...] = ()
    failed_values: tuple[str, ...] = ()
    ok_text: str = "ok"


@dataclass(frozen=True, slots=True)
class Called:
    """What a callback says. key: the same when it is posted again. state: of a message, None = it is an answer."""

    key: str
    sender: str
    text: str
    refers: str
    state: NoticeState | None


class CallbackError(Exception):
    """A callback that is not taken. status: of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def read_callback(
    rules: CallbackRules, posted: Posted, secret: bytes, now: UnixSeconds, verify: Callable[[Posted, bytes], None]
) -> Called:
    """Return what a callback says; raises CallbackError. verify: Standard Webhooks, raises ValueError."""
    if len(posted.body) > MOST_OCTETS:
        raise CallbackError(413, f"{len(posted.body)} octets; {MOST_OCTETS} at most")
    if rules.scheme == "signed":
        try:
            verify(posted, secret)
        except ValueError as error:
            raise CallbackError(401, str(error)) from None
    elif rules.scheme == "dingtalk":
        _check_dingtalk(posted, secret, now)
    else:
        _check_token(posted, secret)
    document = _document(posted)

    def value(path: str, most: int) -> str:
        found = at_path(document, path) if path else None
        return str(found)[:most] if isinstance(found, str | int | float) and not isinstance(found, bool) else ""

    sender, text = value(rules.from_path, _MOST_ID), value(rules.text_path, _MOST_TEXT)
    refers, said = value(rules.refers_path, _MOST_ID), value(rules.state_path, _MOST_ID)
    state = None
    for values, meant in (
        (rules.delivered_values, NoticeState.DELIVERED),
        (rules.read_values, NoticeState.READ),
        (rules.failed_values, NoticeState.FAILED),
    ):
        state = meant if said and said in values else state
    if state is None and not (sender and text):
        raise CallbackError(422, f"neither an answer ({rules.from_path}, {rules.text_path}) nor a state that is known")
    given = value(rules.id_path, _MOST_ID)
    key = given or hashlib.sha256(posted.body).hexdigest()
    return Called(f"{posted.name} {key}", sender, text, refers, state)


def _check_dingtalk(posted: Posted, secret: bytes, now: UnixSeconds) -> None:
    stamp = posted.headers.get("timestamp", "")
    good = stamp.isascii() and stamp.isdigit() and len(stamp) < 20  # noqa: PLR2004  milliseconds
    if not good or abs(int(stamp) / 1000 - now) > _DINGTALK_WINDOW:
        raise CallbackError(401, "the timestamp is missing or more than an hour off")
    wanted = base64.b64encode(hmac.new(secret, f"{stamp}\n".encode() + secret, hashlib.sha256).digest())
    if not hmac.compare_digest(posted.headers.get("sign", "").encode("utf-8", "replace"), wanted):
        raise CallbackError(401, "the signature is wrong")


def _check_token(posted: Posted, secret: bytes) -> None:
    scheme, _, bearer = posted.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        given = bearer.strip()
    else:
        given = posted.headers.get("x-btimd-token", posted.query.get("token", ""))
    if not hmac.compare_digest(given.encode("utf-8", "replace"), secret):
        raise CallbackError(401, "the token is missing or wrong")


def _document(posted: Posted) -> Mapping[str, Any]:
    kind = posted.content_type.partition(";")[0].strip().lower()
    fields: dict[str, Any] = {name: text for name, text in posted.query.items() if name != "token"}
    if "json" in kind:
        document = parsed(posted.body)
        if not isinstance(document, dict):
            raise CallbackError(400, "the body is no JSON object")
        return {**fields, **document}
    if kind in {"application/x-www-form-urlencoded", "", "application/octet-stream"}:
        try:
            pairs = parse_qsl(posted.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise CallbackError(400, f"more than {_MOST_FIELDS} fields") from None
        return {**fields, **dict(pairs)}
    raise CallbackError(415, f"content type {kind[:80]!r}; send JSON or a form")

"""SMS and voice gateways over HTTP, described by templates: every provider has its own form of the same two fields."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from btimd.itsm.notify.answers import Request, SendResult, at_path, by_status, parsed, said
from btimd.itsm.notify.templates import check, filled
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Notice
from btimd.model.units import UnixSeconds

PLACEHOLDERS: Final = frozenset({"to", "text", "id", "number", "priority", "language", "person", "secret"})
"""Names in url, headers and fields. secret: what stands in secret_file."""
_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class GatewayTemplate:
    """How a gateway is called and how it answers.

    fields: of the body, as JSON or as a form, or of the query; values are templates, numbers and lists are kept.
    ok_path: where the answer says how it went, "" = the status is enough; ok_values: as text. busy_values: it wants to
    be left alone; account_values: it takes nothing of ours. id_path: what it calls the message.
    """

    url: str = field(repr=False)
    method: Literal["POST", "PUT", "GET"] = "POST"
    format: Literal["json", "form", "query"] = "json"
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    user: str = ""
    ok_path: str = ""
    ok_values: tuple[str, ...] = ()
    busy_values: tuple[str, ...] = ()
    account_values: tuple[str, ...] = ()
    id_path: str = ""
    text_path: str = ""


def check_fields(value: Any, path: str = "fields", depth: int = 0) -> None:
    """Raise ValueError for an unknown name anywhere in the fields."""
    if depth > _DEPTH:
        raise ValueError(f"{path}: nested deeper than {_DEPTH}")
    if isinstance(value, str):
        try:
            check(value, PLACEHOLDERS)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            check_fields(inner, f"{path}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            check_fields(inner, f"{path}[{index}]", depth + 1)


def request_of(template: GatewayTemplate, secret: str, notice: Notice) -> Request:
    """Return the request for one notice. Values are encoded for the place they stand in: none can break out of it."""
    values = {
        "to": notice.address,
        "text": notice.text,
        "id": notice.id,
        "number": notice.number,
        "priority": notice.priority.name,
        "language": notice.language,
        "person": notice.person,
        "secret": secret,
    }
    url = filled(template.url, {name: quote(value, safe="") for name, value in values.items()})
    headers = {name: _header(filled(text, values)) for name, text in template.headers.items()}
    if template.user:
        pair = base64.b64encode(f"{template.user}:{secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    fields = _filled_fields(template.fields, values)
    if template.format == "json" and template.method != "GET":
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
        return Request(url, headers, json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"), template.method)
    pairs = urlencode([(name, _flat(value)) for name, value in fields.items()], errors="replace")
    if template.format == "form" and template.method != "GET":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return Request(url, headers, pairs.encode(), template.method)
    if pairs:
        url += ("&" if urlsplit(url).query else "?") + pairs
    return Request(url, headers, b"", template.method)


def _filled_fields(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, values)
    if isinstance(value, Mapping):
        return {name: _filled_fields(inner, values) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled_fields(inner, values) for inner in value]
    return value


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _header(text: str) -> str:
    """Return a value without what would end a header; latin-1, as HTTP has nothing else."""
    return "".join(c if c.isprintable() else " " for c in text).encode("latin-1", "replace").decode("latin-1")


def judged(  # noqa: PLR0911  one return per class of answer is the table
    template: GatewayTemplate,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: UnixSeconds,
    secrets: tuple[str, ...],
) -> SendResult:
    """Return what an answer means, by the template's rules."""
    outcome = by_status(status, headers, now)
    if outcome.kind is not OutcomeKind.DELIVERED:
        return SendResult(outcome)
    document = parsed(body)
    provider_id = said(at_path(document, template.id_path)) if template.id_path else ""
    if not template.ok_path:
        return SendResult(outcome, provider_id)
    value = at_path(document, template.ok_path)
    if value is None:
        return SendResult(Outcome(OutcomeKind.UNCERTAIN, f"the answer has nothing at {template.ok_path!r}"))
    found = said(value)
    if found in template.ok_values:
        return SendResult(outcome, provider_id)
    text = said(at_path(document, template.text_path), secrets) if template.text_path else ""
    detail = f"{template.ok_path} is {said(value, secrets)!r}" + (f": {text}" if text else "")
    if found in template.busy_values:
        return SendResult(Outcome(OutcomeKind.RETRY_AFTER, detail, 60.0))
    if found in template.account_values:
        return SendResult(Outcome(OutcomeKind.PAUSED, f"{detail}; check account and secret"))
    return SendResult(Outcome(OutcomeKind.REFUSED, detail))

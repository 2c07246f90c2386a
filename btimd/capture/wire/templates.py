"""Templates of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): parsing template sets, remembering templates.

NetFlow v9 template     | id | field count | (type, length) ...
NetFlow v9 options      | id | scope octets | option octets | (scope type, length) ... | (type, length) ...
IPFIX template          | id | field count | (E + element, length [, enterprise]) ...
IPFIX options           | id | field count | scope field count | (E + element, length [, enterprise]) ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from btimd.capture.wire.errors import WireError

NETFLOW_V9: Final = 9
IPFIX: Final = 10
VARIABLE_LENGTH: Final = 65535
FIRST_DATA_SET: Final = 256
MAX_RECORD_OCTETS: Final = 65535
_ENTERPRISE_BIT: Final = 0x8000


class Field(NamedTuple):
    """One field of a template: enterprise 0 is IANA; length VARIABLE_LENGTH stands for "written in the record"."""

    enterprise: int
    element: int
    length: int


@dataclass(frozen=True, slots=True)
class Template:
    """A record layout. scope_count fields at the beginning are the scope of an options record; is_options says which.

    definition: the octets it was defined by; the same octets again are a refresh.
    """

    id: int
    fields: tuple[Field, ...]
    is_options: bool
    scope_count: int
    definition: bytes

    @property
    def is_variable(self) -> bool:
        """Tell whether records differ in length."""
        return any(field.length == VARIABLE_LENGTH for field in self.fields)

    @property
    def minimum_octets(self) -> int:
        """Return the length of the shortest record."""
        return sum(1 if field.length == VARIABLE_LENGTH else field.length for field in self.fields)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An exporter takes a template back; over UDP that is ignored (RFC 7011 section 8.4)."""

    id: int


class Invalid(NamedTuple):
    """A definition that cannot be used; an earlier one of the same id must not be used any longer either."""

    id: int
    error: WireError


def is_template_set(version: int, set_id: int) -> bool:
    """Tell whether a set defines templates or options templates."""
    return set_id in ((0, 1) if version == NETFLOW_V9 else (2, 3))


def parse_template_set(
    version: int, set_id: int, body: bytes, *, exporter: str, domain: int, max_fields: int
) -> Iterator[Template | Withdrawal | Invalid]:
    """Yield what a template set (without its header) defines, in wire order; behind a definition cut off is nothing.

    Octets at the end that cannot be a definition (an id below 256, less than four) are padding.
    """
    at = 0
    while len(body) - at >= 4:
        template_id = _number(body, at)
        if template_id < FIRST_DATA_SET:
            return
        if version == IPFIX and _number(body, at + 2) == 0:
            yield Withdrawal(template_id)
            at += 4
            continue
        start = at
        try:
            template, at = _definition(version, body, start, options=set_id in (1, 3))
            reason = _objection(template, max_fields)
            if not reason:
                yield template
        except _CutOffError as error:
            reason, at = str(error), len(body)
        if reason:
            error_of = WireError(exporter=exporter, domain=domain, template=template_id, offset=start, reason=reason)
            yield Invalid(template_id, error_of)


class _CutOffError(Exception):
    """A definition that goes beyond its set."""


def _definition(version: int, body: bytes, start: int, *, options: bool) -> tuple[Template, int]:
    """Return the template that begins at `start`, and where it ends."""
    if options and len(body) - start < 6:
        raise _CutOffError("options template without its counts")
    at = start + (6 if options else 4)
    count, scope_count, end = _number(body, start + 2), 0, at
    if options and version == NETFLOW_V9:
        scope_octets = count
        end = at + scope_octets + _number(body, start + 4)
        count, scope_count = (end - at) // 4, scope_octets // 4
    elif options:
        scope_count = _number(body, start + 4)
    fields: list[Field] = []
    for _ in range(count):
        if at + 4 > len(body):
            raise _CutOffError(f"{count} fields announced, {len(fields)} found")
        element, length = _number(body, at), _number(body, at + 2)
        at += 4
        enterprise = 0
        if version == IPFIX and element & _ENTERPRISE_BIT:
            if at + 4 > len(body):
                raise _CutOffError("enterprise number cut off")
            enterprise = (_number(body, at) << 16) | _number(body, at + 2)
            element &= ~_ENTERPRISE_BIT
            at += 4
        fields.append(Field(enterprise, element, length))
    at = max(at, end)
    return Template(_number(body, start), tuple(fields), options, scope_count, body[start:at]), at


def _objection(template: Template, max_fields: int) -> str:
    if not template.fields:
        return "template without fields"
    if len(template.fields) > max_fields:
        return f"{len(template.fields)} fields, more than the limit of {max_fields}"
    if template.scope_count > len(template.fields):
        return f"{template.scope_count} scope fields of {len(template.fields)}"
    if template.minimum_octets > MAX_RECORD_OCTETS:
        return f"records of {template.minimum_octets} octets fit no datagram"
    return ""


def _number(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 2], "big")


class TemplateKey(NamedTuple):
    """What a template belongs to. The exporter's UDP port is no part of it: exporters change it and keep templates."""

    exporter: str
    version: int
    domain: int
    template_id: int


class Stored(StrEnum):
    """What a definition did to the store."""

    NEW = "new"
    CHANGED = "changed"
    REFRESHED = "refreshed"
    REFUSED = "refused"


class TemplateStore:
    """The templates in force. A redefinition replaces at once, in wire order.

    Bounded are the exporters, the template ids of each, and the fields of all templates together.
    """

    def __init__(self, *, max_exporters: int, max_templates: int, max_total_fields: int) -> None:
        self._max_exporters = max_exporters
        self._max_templates = max_templates
        self._max_total_fields = max_total_fields
        self._total_fields = 0
        self._templates: dict[TemplateKey, Template | None] = {}
        self._per_exporter: dict[str, int] = {}

    def put(self, key: TemplateKey, template: Template) -> Stored:
        """Put a template in force; REFUSED where the exporter, or all of them, have too many."""
        known = self._templates.get(key)
        total = self._total_fields + len(template.fields) - (len(known.fields) if known else 0)
        if total > self._max_total_fields:
            return Stored.REFUSED
        if key not in self._templates:
            count = self._per_exporter.get(key.exporter, 0)
            if count >= self._max_templates or (count == 0 and len(self._per_exporter) >= self._max_exporters):
                return Stored.REFUSED
            self._per_exporter[key.exporter] = count + 1
            outcome = Stored.NEW
        elif known is not None and (known.definition, known.is_options) == (template.definition, template.is_options):
            outcome = Stored.REFRESHED
        else:
            outcome = Stored.CHANGED
        self._templates[key] = template
        self._total_fields = total
        return outcome

    def get(self, key: TemplateKey) -> Template | None:
        """Return the template in force."""
        return self._templates.get(key)

    def discard(self, key: TemplateKey) -> None:
        """Put a template out of force. It keeps counting, so that ids cannot be used up over and over."""
        known = self._templates.get(key)
        if known is not None:
            self._templates[key] = None
            self._total_fields -= len(known.fields)

    def count(self, exporter: str) -> int:
        """Return how many template ids an exporter used."""
        return self._per_exporter.get(exporter, 0)

    def __len__(self) -> int:
        return len(self._templates)

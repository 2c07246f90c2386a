"""Templates of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): parsing template sets, remembering templates.

NetFlow v9 template     | id | field count | (type, length) ...
NetFlow v9 options      | id | scope octets | option octets | (scope type, length) ... | (type, length) ...
IPFIX template          | id | field count | (E + element, length [, enterprise]) ...
IPFIX options           | id | field count | scope field count | (E + element, length [, enterprise]) ...
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from btimd.capture.wire.errors import WireError

NETFLOW_V9: Final = 9
IPFIX: Final = 10
VARIABLE_LENGTH: Final = 65535
FIRST_DATA_SET: Final = 256
MAX_RECORD_OCTETS: Final = 65535
_ENTERPRISE_BIT: Final = 0x8000
_LONG_LENGTH: Final = 255  # two octets with the length follow
_MAX_SHARED_FIELDS: Final = 65_536


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

    def fits(self, body: bytes) -> bool:
        """Tell whether a data set (without its header) is whole records, and zeros fewer than another would take."""
        minimum, at = self.minimum_octets, 0
        if not minimum:
            return False
        if not self.is_variable:
            return not any(body[len(body) // minimum * minimum :])
        while len(body) - at >= minimum:
            for field in self.fields:
                length = field.length
                if length == VARIABLE_LENGTH:
                    length = body[at] if at < len(body) else 0
                    at += 1
                    if length == _LONG_LENGTH:
                        length = _number(body, at)
                        at += 2
                at += length
            if at > len(body):
                return False
        return not any(body[at:])


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An exporter takes a template back; over UDP that is ignored (RFC 7011 section 8.4).

    id 2 or 3: all templates, or all options templates, of the observation domain.
    """

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
        if version == IPFIX and template_id == set_id and _number(body, at + 2) == 0:
            yield Withdrawal(template_id)
            at += 4
            continue
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
    """What a template belongs to. The exporter's UDP port is no part of it: exporters change it and keep templates.

    scope: 0, or what tells apart the exporters behind one address, or connections (tables.scope_of).
    """

    exporter: str
    version: int
    domain: int
    template_id: int
    scope: int = 0


class Stored(StrEnum):
    """What a definition did to the store."""

    NEW = "new"
    CHANGED = "changed"
    REFRESHED = "refreshed"
    REFUSED = "refused"


@dataclass(slots=True)
class _Entry:
    """A template, None = out of force; the port that defined it last; what another port had defined before."""

    template: Template | None
    port: int = 0
    confirmed: bool = True
    earlier: tuple[int, Template] | None = None


class TemplateStore:
    """The templates in force. A redefinition replaces at once, in wire order.

    Bounded are the exporters, the template ids of each, and the fields of all templates together. A template of 20
    fields takes 0.5 KiB, and 0.9 KiB in the kernel's tables; fields that are alike are kept once.
    """

    def __init__(self, *, max_exporters: int, max_templates: int, max_total_fields: int) -> None:
        self._max_exporters = max_exporters
        self._max_templates = max_templates
        self._max_total_fields = max_total_fields
        self._total_fields = 0
        self._entries: dict[TemplateKey, _Entry] = {}
        self._per_exporter: dict[str, int] = {}
        self._unconfirmed: dict[str, int] = {}
        self._same: dict[Field, Field] = {}

    def put(self, key: TemplateKey, template: Template, *, port: int = 0, confirmed: bool = True) -> Stored:
        """Put a template in force; REFUSED where the exporter, or all of them, have too many.

        port: the UDP port it came from. confirmed: sent by the exporter, not remembered from an earlier run.
        """
        entry = self._entries.get(key)
        known = entry.template if entry else None
        if entry and known and (known.definition, known.is_options) == (template.definition, template.is_options):
            self._confirm(key.exporter, entry, confirmed=confirmed)
            entry.port = port
            return Stored.REFRESHED
        total = self._total_fields + len(template.fields) - (len(known.fields) if known else 0)
        if total > self._max_total_fields:
            return Stored.REFUSED
        template = replace(template, fields=tuple(self._shared(field) for field in template.fields))
        self._total_fields = total
        if entry is not None:
            if known is not None and port != entry.port:
                entry.earlier = entry.port, known
            self._confirm(key.exporter, entry, confirmed=confirmed)
            entry.template, entry.port = template, port
            return Stored.CHANGED
        count = self._per_exporter.get(key.exporter, 0)
        if count >= self._max_templates or (count == 0 and len(self._per_exporter) >= self._max_exporters):
            self._total_fields -= len(template.fields)
            return Stored.REFUSED
        self._per_exporter[key.exporter] = count + 1
        self._entries[key] = entry = _Entry(template, port)
        self._confirm(key.exporter, entry, confirmed=confirmed)
        return Stored.NEW

    def _shared(self, field: Field) -> Field:
        return self._same.setdefault(field, field) if len(self._same) < _MAX_SHARED_FIELDS else field

    def _confirm(self, exporter: str, entry: _Entry, *, confirmed: bool) -> None:
        self._unconfirmed[exporter] = self._unconfirmed.get(exporter, 0) + entry.confirmed - confirmed
        entry.confirmed = confirmed

    def get(self, key: TemplateKey) -> Template | None:
        """Return the template in force."""
        entry = self._entries.get(key)
        return entry.template if entry else None

    def for_port(self, key: TemplateKey, port: int) -> Template | None:
        """Return what a port defined, or what only one port ever defined; None where that is open."""
        entry = self._entries.get(key)
        if entry is None or entry.earlier is None or entry.port == port:
            return entry.template if entry else None
        return entry.earlier[1] if entry.earlier[0] == port else None

    def is_disputed(self, key: TemplateKey) -> bool:
        """Tell whether ports defined a template differently."""
        entry = self._entries.get(key)
        return entry is not None and entry.earlier is not None

    def port_of(self, key: TemplateKey) -> int | None:
        """Return the port that defined a template last."""
        entry = self._entries.get(key)
        return entry.port if entry and entry.template else None

    def is_confirmed(self, key: TemplateKey) -> bool:
        """Tell whether the exporter itself sent the template that is in force."""
        entry = self._entries.get(key)
        return entry is not None and entry.confirmed

    def discard(self, key: TemplateKey) -> None:
        """Put a template out of force. It keeps counting, so that ids cannot be used up over and over."""
        entry = self._entries.get(key)
        if entry is not None and entry.template is not None:
            self._total_fields -= len(entry.template.fields)
            self._confirm(key.exporter, entry, confirmed=True)
            entry.template = entry.earlier = None

    def remove(self, key: TemplateKey) -> None:
        """Forget a template: it counts no longer."""
        if key in self._entries:
            self.discard(key)
            del self._entries[key]
            self._per_exporter[key.exporter] -= 1
            if not self._per_exporter[key.exporter]:
                del self._per_exporter[key.exporter]
                self._unconfirmed.pop(key.exporter, None)

    def count(self, exporter: str) -> int:
        """Return how many template ids an exporter used."""
        return self._per_exporter.get(exporter, 0)

    def unconfirmed(self, exporter: str | None = None) -> int:
        """Return how many templates of an exporter, or of all, are remembered and were not sent again yet."""
        return sum(list(self._unconfirmed.values())) if exporter is None else self._unconfirmed.get(exporter, 0)

    def __len__(self) -> int:
        return len(self._entries)

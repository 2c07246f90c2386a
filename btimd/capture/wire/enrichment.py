"""Names that exporters tell: of interfaces, VRFs, applications, samplers, and of themselves.

NetFlow and IPFIX tell them in options records: an index (10, 14, 252, 253, or NetFlow v9's scope "interface") with 82
and 83; 234 or 235 with 236; 95 with 96 and 94 (RFC 6759); 48 or 302 with 84 or 335; 130 and 131. sFlow tells them in
counter samples; its decoder calls `name_interface` and `name_host`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from btimd.model.address import address_text
from btimd.model.ports import ExporterInterface

Value = TypeVar("Value")
MAX_NAME_CHARACTERS: Final = 128
MAX_OWN_ADDRESSES: Final = 16
NAMING_ELEMENTS: Final = frozenset({82, 83, 84, 94, 96, 130, 131, 236, 335})
_INTERFACES: Final = (10, 14, 252, 253)
_VRFS: Final = (234, 235)
_SAMPLERS: Final = (48, 302)
_MAX_INTEGER_OCTETS: Final = 8
_MAX_INDEX: Final = (1 << 63) - 1
_OCTETS_PER_CHARACTER: Final = 4
_PEN_ENGINE: Final = 20  # RFC 6759 section 4.1: the selector begins with a private enterprise number
_IPV4_MAPPED: Final = 0xFFFF_0000_0000


def clean_text(raw: bytes) -> str:
    """Return text of the network as it can be shown: up to its first NUL, one line, no control characters."""
    text = raw.partition(b"\0")[0][: _OCTETS_PER_CHARACTER * MAX_NAME_CHARACTERS].decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:MAX_NAME_CHARACTERS]


def application_number(value: bytes) -> int:
    """Return an applicationId as the number that records carry: its octets, one of engine and then the selector."""
    return int.from_bytes(value[-_MAX_INTEGER_OCTETS:], "big") & _MAX_INDEX


def application_text(value: bytes) -> str:
    """Return an applicationId as people write it: engine:selector, or engine:enterprise:selector (RFC 6759)."""
    if len(value) > 5 and value[0] == _PEN_ENGINE:
        return f"{_PEN_ENGINE}:{int.from_bytes(value[1:5], 'big')}:{int.from_bytes(value[5:], 'big')}"
    return f"{value[0]}:{int.from_bytes(value[1:], 'big')}" if value else ""


@dataclass(frozen=True, slots=True)
class Application:
    """What an exporter calls an application it recognised. id: as people write it."""

    id: str
    name: str
    description: str


@dataclass(slots=True)
class ExporterNames:
    """All that one exporter told. Applications by application_number, the rest by the number in the records."""

    host: str = ""
    own_addresses: list[str] = field(default_factory=list)
    interfaces: dict[int, ExporterInterface] = field(default_factory=dict)
    vrfs: dict[int, str] = field(default_factory=dict)
    applications: dict[int, Application] = field(default_factory=dict)
    samplers: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many things have a name."""
        return len(self.interfaces) + len(self.vrfs) + len(self.applications) + len(self.samplers)


class Enrichment:
    """The names of all exporters; a later one replaces an earlier one. `refused` counts those beyond the bounds.

    A name takes up to 1 KiB; interfaces with short names about 0.4 KiB.
    """

    def __init__(self, *, max_names: int = 131_072, max_names_per_exporter: int = 16_384) -> None:
        self._max_names = max_names
        self._max_names_per_exporter = max_names_per_exporter
        self._exporters: dict[int, ExporterNames] = {}
        self._total = 0
        self.refused = 0

    def of(self, exporter_id: int) -> ExporterNames:
        """Return what an exporter told, not to be changed; other threads than the decoder's copy before iterating."""
        return self._exporters.get(exporter_id) or ExporterNames()

    def interfaces(self, exporter_id: int) -> tuple[ExporterInterface, ...]:
        """Return the interfaces an exporter named, by index."""
        known = list(self.of(exporter_id).interfaces.values())  # at once: another thread may add to them
        return tuple(sorted(known, key=lambda one: one.index))

    def learn(self, exporter_id: int, values: Mapping[int, bytes]) -> None:
        """Take an options record (element -> octets; v9's scope "interface" as element 10) into account."""
        if not NAMING_ELEMENTS.isdisjoint(values):
            self._learn_interfaces(exporter_id, values)
            if 236 in values:
                for index in _numbers(values, _VRFS):
                    self._put(exporter_id, lambda names: names.vrfs, index, clean_text(values[236]))
            self._learn_applications(exporter_id, values)
            sampler = clean_text(values.get(84, b"")) or clean_text(values.get(335, b""))
            for index in _numbers(values, _SAMPLERS) if sampler else ():
                self._put(exporter_id, lambda names: names.samplers, index, sampler)
            self._learn_own_addresses(exporter_id, values)

    def _learn_interfaces(self, exporter_id: int, values: Mapping[int, bytes]) -> None:
        name, description = values.get(82), values.get(83)
        if name is not None or description is not None:
            for index in _numbers(values, _INTERFACES) - {0}:
                self.name_interface(exporter_id, index, name=name, description=description)

    def name_interface(
        self,
        exporter_id: int,
        index: int,
        *,
        name: bytes | None = None,
        description: bytes | None = None,
        speed: int | None = None,
    ) -> None:
        """Name an interface (ifIndex); None leaves what was told before. speed: bit/s."""
        known = self.of(exporter_id).interfaces.get(index) or ExporterInterface(index, "", "", 0)
        told = replace(
            known,
            name=known.name if name is None else clean_text(name),
            description=known.description if description is None else clean_text(description),
            speed=known.speed if speed is None else min(max(speed, 0), _MAX_INDEX),
        )
        if told != known:
            self._put(exporter_id, lambda names: names.interfaces, index, told)

    def name_host(self, exporter_id: int, host: bytes) -> None:
        """Take over what an exporter calls itself."""
        self._exporters.setdefault(exporter_id, ExporterNames()).host = clean_text(host)

    def _learn_applications(self, exporter_id: int, values: Mapping[int, bytes]) -> None:
        value = values.get(95, b"")
        if value and (96 in values or 94 in values):
            number = application_number(value)
            known = self.of(exporter_id).applications.get(number) or Application(application_text(value), "", "")
            told = Application(
                known.id,
                clean_text(values[96]) if 96 in values else known.name,
                clean_text(values[94]) if 94 in values else known.description,
            )
            self._put(exporter_id, lambda names: names.applications, number, told)

    def _learn_own_addresses(self, exporter_id: int, values: Mapping[int, bytes]) -> None:
        for element, octets in ((130, 4), (131, 16)):
            value = values.get(element, b"")
            if len(value) == octets and any(value):
                number = int.from_bytes(value, "big") | (_IPV4_MAPPED if octets == 4 else 0)
                text = address_text(number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)
                names = self._exporters.setdefault(exporter_id, ExporterNames())
                if text not in names.own_addresses:
                    names.own_addresses = [*names.own_addresses, text][-MAX_OWN_ADDRESSES:]

    def _put(
        self, exporter_id: int, table_of: Callable[[ExporterNames], dict[int, Value]], index: int, value: Value
    ) -> None:
        names = self._exporters.setdefault(exporter_id, ExporterNames())
        table = table_of(names)
        if index not in table:
            if self._total >= self._max_names or names.count >= self._max_names_per_exporter:
                self.refused += 1
                return
            self._total += 1
        table[index] = value

    def restore(self, exporter_id: int, names: ExporterNames) -> None:
        """Take over the names of an exporter that told none yet, if they fit the bounds."""
        if self._total + names.count > self._max_names or names.count > self._max_names_per_exporter:
            self.refused += names.count
            return
        self._exporters[exporter_id] = names
        self._total += names.count

    def __len__(self) -> int:
        return self._total


def _numbers(values: Mapping[int, bytes], elements: tuple[int, ...]) -> set[int]:
    """Return the numbers that these elements have in the record."""
    return {
        int.from_bytes(values[element], "big") & _MAX_INDEX
        for element in elements
        if 1 <= len(values.get(element, b"")) <= _MAX_INTEGER_OCTETS
    }

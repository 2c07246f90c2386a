"""What a decoder remembers over a restart, as octets: templates, sampling rates, clocks and names of its exporters.

 magic 8 | version 2 | length of the body 4 | SHA-256 of the body 32 | body: zlib of JSON

The octets are checked as if somebody else had written them: whatever is wrong is a SnapshotError, and all is bounded.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from struct import Struct
from typing import Any, Final, TypeVar

from btimd.capture.wire.enrichment import Application, Enrichment, ExporterNames, clean_text
from btimd.capture.wire.sampling import SamplingBook
from btimd.capture.wire.tables import ExporterRow, Tables
from btimd.capture.wire.templates import NETFLOW_V9, Template, TemplateKey, TemplateStore, parse_template_set
from btimd.kernels import flowlayout as fl
from btimd.model.ports import ExporterInterface
from btimd.model.units import UnixMillis

_MAGIC: Final = b"btimdtpl"
_VERSION: Final = 1
_HEADER: Final = Struct(">8sHI32s")
MAX_SNAPSHOT_OCTETS: Final = 64 * 1024 * 1024
_MAX_BODY_OCTETS: Final = 256 * 1024 * 1024
_MAX_ITEMS: Final = 4_000_000
MAX_AGE_MILLISECONDS: Final = 7 * 86_400_000
Item = TypeVar("Item")


class SnapshotError(ValueError):
    """A snapshot that is none, or is damaged."""


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """A template as it was defined. used: when it was last defined or used, ms."""

    id: int
    is_options: bool
    port: int
    used: int
    definition: bytes


@dataclass(frozen=True, slots=True)
class SavedDomain:
    """An observation domain: its templates, announced rates, and the start of the exporter's clock (D_INIT)."""

    version: int
    domain: int
    scope: int
    strict: bool
    init: int
    rate: int
    template_rates: tuple[tuple[int, int], ...]
    sampler_rates: tuple[tuple[int, int], ...]
    templates: tuple[SavedTemplate, ...]


@dataclass(frozen=True, slots=True)
class SavedNames:
    """Names: (index, name, description, speed), (index, name), (number, id, name, description), (index, name)."""

    host: str = ""
    own_addresses: tuple[str, ...] = ()
    interfaces: tuple[tuple[int, str, str, int], ...] = ()
    vrfs: tuple[tuple[int, str], ...] = ()
    applications: tuple[tuple[int, str, str, str], ...] = ()
    samplers: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SavedExporter:
    """An exporter by its address (unsigned halves), and the rate it announced last, 0 = none."""

    hi: int
    lo: int
    rate: int
    domains: tuple[SavedDomain, ...]
    names: SavedNames = field(default_factory=SavedNames)


def encode(exporters: Iterable[SavedExporter]) -> bytes:
    """Return a snapshot."""
    plain = [asdict(exporter) for exporter in exporters]
    text = json.dumps(plain, separators=(",", ":"), default=bytes.hex)
    body = zlib.compress(text.encode("ascii"), 1)
    return _HEADER.pack(_MAGIC, _VERSION, len(body), sha256(body).digest()) + body


def decode(octets: bytes) -> tuple[SavedExporter, ...]:
    """Return what a snapshot holds; raises SnapshotError that says what is wrong with it."""
    if len(octets) > MAX_SNAPSHOT_OCTETS:
        raise SnapshotError(f"{len(octets)} octets, more than {MAX_SNAPSHOT_OCTETS}")
    if len(octets) < _HEADER.size:
        raise SnapshotError(f"cut off after {len(octets)} octets")
    magic, version, length, digest = _HEADER.unpack_from(octets)
    body = octets[_HEADER.size :]
    if magic != _MAGIC:
        raise SnapshotError("no snapshot of btimd's templates")
    if version != _VERSION:
        raise SnapshotError(f"format {version}; this btimd reads format {_VERSION}")
    if length != len(body):
        raise SnapshotError(f"{length} octets announced, {len(body)} found")
    if sha256(body).digest() != digest:
        raise SnapshotError("checksum does not match: the file is damaged")
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(body, _MAX_BODY_OCTETS)
        if inflater.unconsumed_tail or not inflater.eof:
            raise SnapshotError(f"more than {_MAX_BODY_OCTETS} octets of text, or cut off")
        return _Reader().many(json.loads(text), _Reader.exporter)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"what it says makes no sense: {type(error).__name__} {error}") from error


class Memory:
    """What an earlier run knew of exporters that did not send yet, and the way to and from octets."""

    def __init__(self, tables: Tables, store: TemplateStore, sampling: SamplingBook, names: Enrichment) -> None:
        self._tables, self._store, self._sampling, self._names = tables, store, sampling, names
        self._exporters: dict[tuple[int, int], SavedExporter] = {}
        self._domains: dict[tuple[int, int], dict[tuple[int, int, int], SavedDomain]] = {}

    def snapshot(self) -> bytes:
        """Return all that is known now, and what is remembered of those that did not send yet."""
        live = [self._save_exporter(row) for row in self._tables.senders]
        return encode([*(saved for saved in live if saved), *tuple(self._exporters.values())])

    def restore(self, octets: bytes, now: UnixMillis, max_exporters: int, max_domains: int) -> int:
        """Remember what a snapshot says of exporters that did not send yet; return the number of templates."""
        count = 0
        found: dict[tuple[int, int], SavedExporter] = {}
        for saved in decode(octets)[:max_exporters]:
            domains = [
                replace(
                    domain, templates=tuple(one for one in domain.templates if one.used >= now - MAX_AGE_MILLISECONDS)
                )
                for domain in saved.domains[:max_domains]
            ]
            if self._tables.exporter(saved.hi, saved.lo) is None:
                found[saved.hi, saved.lo] = replace(saved, domains=tuple(domains))
                count += sum(len(domain.templates) for domain in domains)
        self._exporters = found
        return count

    def recall_exporter(self, exporter: ExporterRow, hi: int, lo: int) -> None:
        """Give an exporter that sends for the first time its names and its rate; its domains wait."""
        saved = self._exporters.pop((hi, lo), None)
        if saved is not None:
            self._domains[hi, lo] = {(one.version, one.domain, one.scope): one for one in saved.domains}
            restore_names(self._names, exporter.id, saved.names)
            if saved.rate:
                self._sampling.set_exporter_rate(exporter, saved.rate)

    def recall_domain(
        self, exporter: ExporterRow, row: int, *, max_fields: int
    ) -> Iterator[tuple[Template, int, UnixMillis]]:
        """Give a domain that sends for the first time its rates; yield its templates, their port, when last used."""
        domain, place = self._tables.domains[row], self._tables.places[row]
        waiting = self._domains.get((place.hi, place.lo), {})
        saved = waiting.pop((int(domain[fl.D_VERSION]), int(domain[fl.D_ID]), place.scope), None)
        if saved is None:
            return
        domain[fl.D_INIT], domain[fl.D_STRICT] = saved.init, int(saved.strict)
        for template_id, rate in saved.template_rates:
            self._sampling.set_rates(exporter, row, rate, sampler=None, template_id=template_id)
        for sampler, rate in saved.sampler_rates:
            self._sampling.set_rates(exporter, row, rate, sampler=sampler, template_id=None)
        if saved.rate:
            self._sampling.set_rates(exporter, row, saved.rate, sampler=None, template_id=None)
        for one in saved.templates:
            set_id = int(one.is_options) + (0 if saved.version == NETFLOW_V9 else 2)
            for template in parse_template_set(
                saved.version, set_id, one.definition, exporter=exporter.address, domain=saved.domain,
                max_fields=max_fields,
            ):  # fmt: skip
                if isinstance(template, Template) and template.id == one.id:
                    yield template, one.port, one.used

    def _save_exporter(self, row: ExporterRow) -> SavedExporter | None:
        rows = [each for each in list(row.domains) if not self._tables.places[each].scope & fl.KEY_STREAM]
        if not rows:
            return None
        place = self._tables.places[rows[0]]
        waiting = tuple(self._domains.get((place.hi, place.lo), {}).values())
        domains = (*(self._save_domain(row, each) for each in rows), *waiting)
        names = save_names(self._names.of(row.id))
        return SavedExporter(place.hi, place.lo, self._sampling.announced_by(row), domains, names)

    def _save_domain(self, exporter: ExporterRow, row: int) -> SavedDomain:
        domain, scope = self._tables.domains[row], self._tables.places[row].scope
        rates = self._sampling.rates_of(row)
        version, number = int(domain[fl.D_VERSION]), int(domain[fl.D_ID])
        templates = []
        for template_id in self._tables.template_ids(row):
            key = TemplateKey(exporter.address, version, number, template_id, scope)
            template, at = self._store.get(key), self._tables.template_row(row, template_id)
            disputed = domain[fl.D_STRICT] and self._store.is_disputed(key)  # its ports have it each
            if template is not None and at >= 0 and not disputed:
                used = max(int(self._tables.templates[at, fl.T_USED]), 0)
                port = self._store.port_of(key) or 0
                templates.append(SavedTemplate(template_id, template.is_options, port, used, template.definition))
        return SavedDomain(
            version, number, scope, bool(domain[fl.D_STRICT]), int(domain[fl.D_INIT]), rates.rate,
            tuple(rates.by_template.items()), tuple(rates.by_sampler.items()), tuple(templates),
        )  # fmt: skip


def save_names(names: ExporterNames) -> SavedNames:
    """Return names as they are kept."""
    interfaces = tuple(names.interfaces.values())
    applications = tuple(names.applications.items())
    return SavedNames(
        names.host,
        tuple(names.own_addresses),
        tuple((one.index, one.name, one.description, one.speed) for one in interfaces),
        tuple(names.vrfs.items()),
        tuple((number, one.id, one.name, one.description) for number, one in applications),
        tuple(names.samplers.items()),
    )


def restore_names(names: Enrichment, exporter_id: int, saved: SavedNames) -> None:
    """Take over names that were kept, within the bounds."""
    names.restore(
        exporter_id,
        ExporterNames(
            clean_text(saved.host.encode()),
            [clean_text(one.encode()) for one in saved.own_addresses],
            {
                index: ExporterInterface(index, clean_text(name.encode()), clean_text(text.encode()), speed)
                for index, name, text, speed in saved.interfaces
            },
            {index: clean_text(name.encode()) for index, name in saved.vrfs},
            {
                number: Application(*(clean_text(one.encode()) for one in texts))
                for number, *texts in saved.applications
            },
            {index: clean_text(name.encode()) for index, name in saved.samplers},
        ),
    )


class _Reader:
    """Builds what JSON says, and refuses what cannot be."""

    def __init__(self) -> None:
        self._items = 0

    def many(self, values: Any, make: "Callable[[_Reader, Any], Item]") -> tuple[Item, ...]:
        if not isinstance(values, list):
            raise SnapshotError("a list is missing")
        self._items += len(values)
        if self._items > _MAX_ITEMS:
            raise SnapshotError(f"more than {_MAX_ITEMS} items")
        return tuple(make(self, value) for value in values)

    def exporter(self, value: Any) -> SavedExporter:
        return SavedExporter(
            _number(value["hi"], 64), _number(value["lo"], 64), _rate(value["rate"]),
            self.many(value["domains"], _Reader.domain), self.names(value["names"]),
        )  # fmt: skip

    def domain(self, value: Any) -> SavedDomain:
        return SavedDomain(
            version=_number(value["version"], 8), domain=_number(value["domain"], 32),
            scope=_number(value["scope"], 54), strict=value["strict"] is True, init=_number(value["init"], 62),
            rate=_rate(value["rate"]), template_rates=self.many(value["template_rates"], _Reader.rate_of),
            sampler_rates=self.many(value["sampler_rates"], _Reader.rate_of),
            templates=self.many(value["templates"], _Reader.template),
        )  # fmt: skip

    def rate_of(self, value: Any) -> tuple[int, int]:
        key, rate = value
        return _number(key, 31), _rate(rate)

    def template(self, value: Any) -> SavedTemplate:
        definition = bytes.fromhex(value["definition"])
        return SavedTemplate(
            _number(value["id"], 16), value["is_options"] is True, _number(value["port"], 16),
            _number(value["used"], 62), definition,
        )  # fmt: skip

    def names(self, value: Any) -> SavedNames:
        return SavedNames(
            _text(value["host"]), self.many(value["own_addresses"], _Reader.text),
            self.many(value["interfaces"], _Reader.interface), self.many(value["vrfs"], _Reader.named),
            self.many(value["applications"], _Reader.application), self.many(value["samplers"], _Reader.named),
        )  # fmt: skip

    def text(self, value: Any) -> str:
        return _text(value)

    def interface(self, value: Any) -> tuple[int, str, str, int]:
        index, name, description, speed = value
        return _number(index, 63), _text(name), _text(description), _number(speed, 63)

    def named(self, value: Any) -> tuple[int, str]:
        index, name = value
        return _number(index, 63), _text(name)

    def application(self, value: Any) -> tuple[int, str, str, str]:
        number, text, name, description = value
        return _number(number, 63), _text(text), _text(name), _text(description)


def _number(value: Any, bits: int) -> int:
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise SnapshotError(f"a number of {bits} bits is missing")
    return value


def _rate(value: Any) -> int:
    rate = _number(value, 32)
    if rate > fl.LIMIT_RATE:
        raise SnapshotError(f"a sampling rate of {rate}")
    return rate


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise SnapshotError("a text is missing")
    return value

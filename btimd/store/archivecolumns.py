"""What a file of the archive holds: flow records seen from the client, and what their codes mean.

A record is turned so that client and server stand in columns of their own: both directions of a conversation then lie
side by side, and one order of rows serves the search for either. `client_is_source` tells which way it went.
Names are kept as codes, a number per file and name, with their texts in the file's own metadata: ids of rules, plan
rows and exporters change from run to run, and a file must still be understood in a year.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import AttributedBatch
from btimd.model.taps import Names

SCHEMA_VERSION: Final = 1
METADATA_KEY: Final = "btimd"
HOUR_MILLISECONDS: Final = 3_600_000
_MAX_CODES: Final = 1 << 24
_MOST_SUM: Final = 2**63 - 1

SWAPPED: Final[Mapping[str, tuple[str, str]]] = {
    "client_address_hi": ("source_address_hi", "destination_address_hi"),
    "client_address_lo": ("source_address_lo", "destination_address_lo"),
    "server_address_hi": ("destination_address_hi", "source_address_hi"),
    "server_address_lo": ("destination_address_lo", "source_address_lo"),
    "client_port": ("source_transport_port", "destination_transport_port"),
    "server_port": ("destination_transport_port", "source_transport_port"),
}
"""Column of the archive -> column of the batch where the client is the source, and where it is the destination."""
SAME: Final[tuple[str, ...]] = (
    "flow_start_milliseconds",
    "flow_end_milliseconds",
    "protocol_identifier",
    "ip_class_of_service",
    "tcp_control_bits",
    "ingress_interface",
    "egress_interface",
    "vlan_id",
    "flow_direction",
    "octet_delta_count",
    "packet_delta_count",
    "observation_domain_id",
    "sampling_rate",
    "record_quality",
)
"""Columns that are those of the batch."""
CODES: Final[tuple[str, ...]] = ("exporter_code", "rule_code", "place_code")
FLAGS: Final[tuple[str, ...]] = ("client_is_source", "duplicate")
COLUMN_NAMES: Final[tuple[str, ...]] = (*SAME, *SWAPPED, *CODES, *FLAGS)


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a rule code means: the id of the service rule, "" = none matched, and who owns its traffic."""

    rule: str
    businesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceText:
    """What a place code means: where the client is, by the IP plan of the time; empty where it said nothing."""

    region: str
    segment: str


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the codes of a file mean."""

    exporters: Mapping[int, str]
    rules: Mapping[int, RuleText]
    places: Mapping[int, PlaceText]

    def columns(self) -> tuple[Mapping[int, Any], ...]:
        """Return the texts by code in the order of CODES."""
        return self.exporters, self.rules, self.places


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file says of itself. replaces: names of the files in its folder that it was made of.

    first_start, last_start, first_end, last_end: ms since 1970, of its records. most: no record has more octets or
    packets, times its sampling rate; -1 = not known.
    """

    records: int
    first_start: int
    last_start: int
    first_end: int
    last_end: int
    dictionary: Dictionary
    replaces: tuple[str, ...] = ()
    version: int = SCHEMA_VERSION
    most: int = -1

    @property
    def sums_fit(self) -> bool:
        """Tell whether no sum over the file leaves 64 bits, so that it need not be done in more, which is slow."""
        return 0 <= self.most * self.records <= _MOST_SUM

    def to_json(self) -> str:
        """Return what stands in the file's metadata."""
        own = self.dictionary
        return json.dumps(
            {
                "version": self.version,
                "records": self.records,
                "first_start": self.first_start,
                "last_start": self.last_start,
                "first_end": self.first_end,
                "last_end": self.last_end,
                "replaces": list(self.replaces),
                "most": self.most,
                "exporters": {str(code): text for code, text in own.exporters.items()},
                "rules": {str(code): [one.rule, *one.businesses] for code, one in own.rules.items()},
                "places": {str(code): [one.region, one.segment] for code, one in own.places.items()},
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "FileFacts":
        """Return what a file says; raises ValueError for a file of somebody else or of a version not known here."""
        try:
            said = json.loads(text)
            version = said["version"]
            if version != SCHEMA_VERSION:
                raise ValueError(f"written in version {version}, this btimd reads {SCHEMA_VERSION}")
            dictionary = Dictionary(
                {_code(code): str(name) for code, name in said["exporters"].items()},
                {_code(code): RuleText(str(one[0]), tuple(map(str, one[1:]))) for code, one in said["rules"].items()},
                {_code(code): PlaceText(str(one[0]), str(one[1])) for code, one in said["places"].items()},
            )
            return cls(
                records=int(said["records"]),
                first_start=int(said["first_start"]),
                last_start=int(said["last_start"]),
                first_end=int(said["first_end"]),
                last_end=int(said["last_end"]),
                dictionary=dictionary,
                replaces=tuple(map(str, said["replaces"])),
                most=int(said.get("most", -1)),
            )
        except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise ValueError(f"its metadata is not that of a btimd archive: {error!r}") from error


@dataclass(slots=True)
class _Interned:
    """Texts and their codes, counted up from 0."""

    codes: dict[Any, int] = field(default_factory=dict)
    texts: list[Any] = field(default_factory=list)

    def code(self, text: Any) -> int:
        found = self.codes.get(text)
        if found is None:
            found = self.codes[text] = len(self.texts)
            self.texts.append(text)
        return found

    def used(self, codes: Iterable[int]) -> dict[int, Any]:
        return {code: self.texts[code] for code in codes}


class Codebook:
    """Codes for names, the same for as long as the object lives, so that files of one run can be put together."""

    def __init__(self) -> None:
        self._exporters = _Interned()
        self._rules = _Interned()
        self._places = _Interned()
        self._names: Names | None = None
        self._rule_codes = np.zeros(1, np.int32)
        self._place_codes = np.zeros(1, np.int32)

    def know(self, names: Names) -> None:
        """Go over to the names of another generation."""
        if names is self._names:
            return
        offsets, owners = names.owner_offsets.tolist(), names.owner_business.tolist()
        rules = [
            RuleText(
                rule.id,
                tuple(names.businesses[one] for one in owners[offsets[number] : offsets[number + 1]] if one >= 0),
            )
            for number, rule in enumerate(names.rules)
        ]
        places = [PlaceText(row.region, row.segment) for row in names.plan.rows]
        # the last entry is for id -1, which is how numpy reads that index
        self._rule_codes = np.array([self._rules.code(one) for one in (*rules, RuleText("", ()))], np.int32)
        self._place_codes = np.array([self._places.code(one) for one in (*places, PlaceText("", ""))], np.int32)
        self._names = names

    def rule_codes(self, rule_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return the code of each rule id, of the names known last; -1: the code of no rule."""
        return self._rule_codes[rule_id]

    def place_codes(self, plan_row: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return the code of the place of each plan row, -1: of no place."""
        return self._place_codes[plan_row]

    def exporter_codes(self, exporter_id: npt.NDArray[np.int32], texts: Mapping[int, str]) -> npt.NDArray[np.int32]:
        """Return the code of each exporter; one that `texts` does not have is called by its number."""
        known, place = np.unique(exporter_id, return_inverse=True)
        codes = [self._exporters.code(texts.get(one) or f"exporter {one}") for one in known.tolist()]
        return np.array(codes, np.int32)[place] if codes else np.zeros(0, np.int32)

    def dictionary(self, columns: Mapping[str, npt.NDArray[Any]]) -> Dictionary:
        """Return what the codes that occur in these columns mean."""
        exporters, rules, places = (np.unique(columns[name]).tolist() for name in CODES)
        return Dictionary(self._exporters.used(exporters), self._rules.used(rules), self._places.used(places))


def columns_of(
    batch: AttributedBatch,
    duplicate: npt.NDArray[np.bool_] | None,
    book: Codebook,
    exporters: Mapping[int, str],
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a file for records of the generation that the book knows."""
    flows = batch.flows
    from_client = batch.client_is_source.astype(np.bool_)
    columns: dict[str, npt.NDArray[Any]] = {name: flows[name] for name in SAME}
    for name, (as_source, as_destination) in SWAPPED.items():
        columns[name] = np.where(from_client, flows[as_source], flows[as_destination])
    columns["exporter_code"] = book.exporter_codes(flows["exporter_id"], exporters)
    columns["rule_code"] = book.rule_codes(batch.service_rule_id)
    columns["place_code"] = book.place_codes(batch.client_plan_id)
    columns["client_is_source"] = from_client
    columns["duplicate"] = np.zeros(len(batch), np.bool_) if duplicate is None else duplicate
    return columns


def facts_of(columns: Mapping[str, npt.NDArray[Any]], book: Codebook) -> FileFacts:
    """Return what a file of these records says of itself; there must be some."""
    start = columns["flow_start_milliseconds"]
    return FileFacts(
        records=len(start),
        first_start=int(start.min()),
        last_start=int(start.max()),
        first_end=int(columns["flow_end_milliseconds"].min()),
        last_end=int(columns["flow_end_milliseconds"].max()),
        dictionary=book.dictionary(columns),
        most=_most(columns),
    )


def _most(columns: Mapping[str, npt.NDArray[Any]]) -> int:
    greatest = 0
    for name in ("octet_delta_count", "packet_delta_count"):
        greatest = max(greatest, int(columns[name].max()), -int(columns[name].min()))
    return greatest * max(int(columns["sampling_rate"].max()), -int(columns["sampling_rate"].min()))


def united(facts: Sequence[FileFacts], names: Sequence[str]) -> tuple[FileFacts, Mapping[str, Sequence[Sequence[int]]]]:
    """Return the facts of files put together, and what becomes of their codes.

    names: the files' names, which the new one replaces. The answer holds, for a code column in which files contradict
    each other, one list per file: new code by old code, -1 where the file has no such code.
    """
    columns: list[Mapping[int, Any]] = []
    recodings: dict[str, Sequence[Sequence[int]]] = {}
    for column, texts in zip(CODES, zip(*(one.dictionary.columns() for one in facts), strict=True), strict=True):
        whole: dict[int, Any] = {}
        for mapping in texts:
            whole.update({code: text for code, text in mapping.items() if code not in whole})
        if any(whole[code] != text for mapping in texts for code, text in mapping.items()):
            interned = _Interned()
            recodings[column] = [_recoding(mapping, interned) for mapping in texts]
            whole = dict(enumerate(interned.texts))
        columns.append(whole)
    return FileFacts(
        records=sum(one.records for one in facts),
        first_start=min(one.first_start for one in facts),
        last_start=max(one.last_start for one in facts),
        first_end=min(one.first_end for one in facts),
        last_end=max(one.last_end for one in facts),
        dictionary=Dictionary(*columns),
        replaces=tuple(names),
        most=-1 if any(one.most < 0 for one in facts) else max(one.most for one in facts),
    ), recodings


def _recoding(texts: Mapping[int, Any], interned: _Interned) -> Sequence[int]:
    table = [-1] * (max(texts, default=-1) + 1)
    for code, text in texts.items():
        table[code] = interned.code(text)
    return table


def _code(text: str) -> int:
    code = int(text)
    if not 0 <= code < _MAX_CODES:
        raise ValueError(f"code {code} in its metadata")
    return code

"""Lines of the IP plan out of other people's registers: phpIPAM exports, any CSV; merging, and their text."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import islice
from typing import Any, Final

from btimd.flows.plan import PlanEntry
from btimd.model.address import Prefix

MOST_LINES: Final = 1_000_000
MOST_PROBLEMS: Final = 1000
MOST_CHARACTERS: Final = 200
_DELIMITERS: Final = ",;\t|"
_BLANKS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")

PHPIPAM_SOURCES: Final = (
    "section", "description", "vlan", "vlan-domain", "vrf", "customer", "owner", "hostname", "device", "note", "tag",
    "column:NAME", "none",
)  # fmt: skip
_PHPIPAM_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "section": ("section", "sectionid"),
    "description": ("description",),
    "vlan": ("vlan", "vlanid", "vlan number"),
    "vlan-domain": ("vlan domain",),
    "vrf": ("vrf", "vrfid"),
    "customer": ("customer", "customer_id"),
    "owner": ("owner",),
    "hostname": ("hostname", "dns_name"),
    "device": ("device",),
    "note": ("note",),
    "tag": ("tag", "ip state", "state"),
}
_IP_COLUMNS: Final = ("ip address", "ip", "ip_addr", "ip addr")
_SUBNET_COLUMNS: Final = ("subnet",)
_MASK_COLUMNS: Final = ("mask", "bitmask", "netmask")
_NOTHING: Final = frozenset({"", "/", "na", "n/a", "null", "none"})


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A line to be of the IP plan. where: what of the source it comes from, for messages; vrf: "" = none."""

    prefix: str
    region: str
    segment: str
    person: str
    where: str
    vrf: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of a source. problems: what was left out and why, at most MOST_PROBLEMS; skipped: how many."""

    lines: tuple[ImportLine, ...]
    problems: tuple[str, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where region, segment and person are taken from, by the words of the source; "none" = nowhere."""

    region: str = "none"
    segment: str = "none"
    person: str = "none"


@dataclass
class Collected:
    """Lines by prefix, in the order they came, and what did not become one."""

    lines: dict[Prefix, ImportLine] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: int = 0

    def problem(self, text: str) -> None:
        """Count what was left out, and say why."""
        self.skipped += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(text)

    def add(self, line: ImportLine, remedy: str) -> None:
        """Take a line; where the prefix is known, fill what it does not say. remedy: what to do where they differ."""
        prefix = Prefix.parse(line.prefix)
        if not (line.region or line.segment or line.person):
            self.problem(f"{line.where}: {prefix} names no region, segment or person; left out")
            return
        known = self.lines.get(prefix)
        if known is None and len(self.lines) >= MOST_LINES:
            self.problem(f"{line.where}: {prefix} is more than {MOST_LINES} lines; left out")
            return
        if known is not None and differ(known, line):
            self.problem(
                f"{line.where}: {prefix} says {_said(line)}, but {known.where} says {_said(known)}; kept the latter"
                + (f"; {remedy}" if remedy else "")
            )
        self.lines[prefix] = line if known is None else filled(known, line)

    def fill_regions(self, default_region: str) -> None:
        """Give a prefix without region that lies in no other the default one; "" = none."""
        end = -1
        for prefix in sorted(self.lines, key=lambda one: (one.first, one.length)) if default_region else ():
            if prefix.first > end:  # else it lies in a prefix that has one, or inherits it
                end = prefix.last
                if not self.lines[prefix].region:
                    self.lines[prefix] = replace(self.lines[prefix], region=default_region)

    def imported(self) -> Imported:
        """Return what has come together, in the order of addresses."""
        lines = tuple(self.lines[prefix] for prefix in sorted(self.lines, key=lambda one: (one.first, one.length)))
        return Imported(lines, tuple(self.problems), self.skipped)


def differ(one: ImportLine, other: ImportLine) -> bool:
    """Tell whether two lines say different things; a cell that is empty says nothing."""
    return any(mine and theirs and mine != theirs for mine, theirs in zip(_cells(one), _cells(other), strict=True))


def filled(line: ImportLine, other: ImportLine) -> ImportLine:
    """Return a line, what it does not say taken from another."""
    return replace(
        line,
        region=line.region or other.region,
        segment=line.segment or other.segment,
        person=line.person or other.person,
    )


def _cells(line: ImportLine | PlanEntry) -> tuple[str, str, str]:
    return line.region.strip(), line.segment.strip(), line.person.strip()


def _said(line: ImportLine | PlanEntry) -> str:
    return " / ".join(cell or "-" for cell in _cells(line))


def cell(value: Any) -> str:
    """Return a value of a source as a cell of one line: blanks and control characters are one space, and bounded."""
    if isinstance(value, bool) or value is None:
        return ""
    text = str(value) if isinstance(value, str | int | float) else ""
    return _BLANKS.sub(" ", text).strip()[:MOST_CHARACTERS].rstrip()


def network_text(text: str) -> str:
    """Return a prefix without host bits; raises ValueError."""
    network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    return str(network)


def from_phpipam_json(answer: Any, *, mapping: Sources, vrf: str | None = None, default_region: str = "") -> Imported:
    """Return the lines of an answer of phpIPAM's API: `data` of /subnets/ or /addresses/. Ids stay numbers there."""
    data = answer.get("data") if isinstance(answer, Mapping) else answer
    if isinstance(data, Mapping):
        data = [data]
    if not isinstance(data, list):
        raise ValueError("is no answer of phpIPAM; wanted an object with the list `data`")  # noqa: TRY004  a value of others
    rows = [
        (f"entry {number}", {str(key): cell(value) for key, value in one.items()})
        for number, one in enumerate(data, start=1)
        if isinstance(one, Mapping)
    ]
    return _from_phpipam(rows, mapping, vrf, default_region)


def from_phpipam_csv(text: str, *, mapping: Sources, vrf: str | None = None, default_region: str = "") -> Imported:
    """Return the lines of phpIPAM's export of subnets or of IP addresses, saved as CSV.

    Raises ValueError where there is no header with Subnet or IP address, and for a mapping that cannot be.
    """
    return _from_phpipam(list(_csv_rows(text)), mapping, vrf, default_region)


def _from_phpipam(
    rows: Sequence[tuple[str, Mapping[str, str]]], mapping: Sources, vrf: str | None, default_region: str
) -> Imported:
    for source in (mapping.region, mapping.segment, mapping.person):
        if source.partition(":")[0] not in {one.partition(":")[0] for one in PHPIPAM_SOURCES}:
            raise ValueError(f"'{source}' is nothing that phpIPAM has; known: {', '.join(PHPIPAM_SOURCES)}")
    out = Collected()
    if rows and not _column(rows[0][1], _IP_COLUMNS) and not _column(rows[0][1], _SUBNET_COLUMNS):
        raise ValueError(f"has neither a column 'Subnet' nor 'IP address'; found: {', '.join(rows[0][1])}")
    remedy = "choose a VRF with --vrf" if vrf is None else ""
    for where, row in rows:
        line = _phpipam_line(where, row, mapping, out)
        if line is not None and (vrf is None or vrf == (line.vrf or "global")):
            out.add(line, remedy)
    out.fill_regions(default_region)
    return out.imported()


def _phpipam_line(where: str, row: Mapping[str, str], mapping: Sources, out: Collected) -> ImportLine | None:
    value = _values_of(row, {name.casefold(): name for name in row})
    address, text = value(_IP_COLUMNS), value(_SUBNET_COLUMNS)
    region, segment, person = (
        value((source.partition(":")[2],) if ":" in source else _PHPIPAM_COLUMNS.get(source, ()))
        for source in (mapping.region, mapping.segment, mapping.person)
    )
    vrf = value(_PHPIPAM_COLUMNS["vrf"])
    vrf = "" if vrf.casefold() in {"default", "0"} else vrf
    if address:
        if not person:
            return None
        try:
            return ImportLine(network_text(address), "", "", person, where, vrf)
        except ValueError:
            out.problem(f"{where}: {address!r} is no address; left out")
            return None
    if value(("isfolder", "is folder")) in {"1", "yes"} or text.endswith("(folder)") or not text:
        return None
    mask = value(_MASK_COLUMNS)
    try:
        prefix = network_text(text if "/" in text or not mask else f"{text}/{mask.removeprefix('/')}")
    except ValueError:
        out.problem(f"{where}: {text!r} is no subnet; left out")
        return None
    return ImportLine(prefix, region, segment, person if ip_network(prefix).num_addresses == 1 else "", where, vrf)


def _values_of(row: Mapping[str, str], names: Mapping[str, str]) -> Callable[[Sequence[str]], str]:
    def value(columns: Sequence[str]) -> str:
        for column in columns:
            name = names.get(column.casefold())
            if name is not None and row[name].casefold() not in _NOTHING:
                return row[name]
        return ""

    return value


def _column(row: Mapping[str, str], columns: Sequence[str]) -> str:
    names = {name.casefold(): name for name in row}
    return next((names[column] for column in columns if column in names), "")


def from_csv(
    text: str, *, prefix_column: str, columns: Sources, mask_column: str = "", default_region: str = ""
) -> Imported:
    """Return the lines of any CSV with a header. columns: the names of its columns, "none" = there is none.

    Prefixes with host bits lose them, addresses become lines of one. Raises ValueError for a column that is not there.
    """
    rows = list(_csv_rows(text))
    out = Collected()
    chosen = [prefix_column, *(one for one in (columns.region, columns.segment, columns.person) if one != "none")]
    if mask_column:
        chosen.append(mask_column)
    for name in chosen:
        if rows and not _column(rows[0][1], (name.casefold(),)):
            raise ValueError(f"has no column '{name}'; found: {', '.join(rows[0][1])}")
    for where, row in rows:
        value = _values_of(row, {name.casefold(): name for name in row})
        prefix, mask = value((prefix_column,)), value((mask_column,)) if mask_column else ""
        if not prefix:
            continue
        try:
            prefix = network_text(f"{prefix}/{mask.removeprefix('/')}" if mask and "/" not in prefix else prefix)
        except ValueError:
            out.problem(f"{where}: {prefix!r} is no prefix; left out")
            continue
        region, segment, person = (
            "" if one == "none" else value((one,)) for one in (columns.region, columns.segment, columns.person)
        )
        out.add(ImportLine(prefix, region, segment, person, where), "")
    out.fill_regions(default_region)
    return out.imported()


def _csv_rows(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield rows below the header with the line each begins on; the delimiter is the one the header has most of."""
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=header_line.count)
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: is no CSV: {error}") from error
        cells = [cell(one) for one in row]
        if not any(cells):
            continue
        if not header:
            header = cells
            continue
        yield f"line {begin}", dict(zip(header, [*cells, *[""] * len(header)], strict=False))


def joined(parts: Iterable[Imported], default_region: str = "") -> Imported:
    """Return the lines of several sources as those of one."""
    out = Collected()
    for part in parts:
        for line in part.lines:
            out.add(line, "")
        out.skipped += part.skipped
        out.problems += part.problems[: MOST_PROBLEMS - len(out.problems)]
    out.fill_regions(default_region)
    return out.imported()


def merged(imported: Imported, existing: Sequence[PlanEntry], *, prefer_existing: bool = False) -> Imported:
    """Return the imported lines with those of an existing plan that the source does not know.

    Where both know a prefix, an empty cell is filled from the other; two different values are a problem, and the
    source's is kept, or the existing one with `prefer_existing`.
    """
    out = Collected({Prefix.parse(line.prefix): line for line in imported.lines})
    for entry in existing:
        try:
            prefix = Prefix.parse(entry.prefix.strip())
        except ValueError:
            out.problem(f"line {entry.line} of the existing plan: {entry.prefix!r} is no prefix; left out")
            continue
        region, segment, person = _cells(entry)
        old = ImportLine(str(prefix), region, segment, person, f"line {entry.line} of the existing plan")
        new = out.lines.get(prefix)
        if new is None:
            out.lines[prefix] = old
            continue
        if differ(old, new):
            kept = "the existing plan" if prefer_existing else "the source"
            out.problem(f"{prefix}: {old.where} says {_said(old)}, {new.where} says {_said(new)}; kept {kept}")
        out.lines[prefix] = filled(old, new) if prefer_existing else filled(new, old)
    found = out.imported()
    problems = tuple(islice((*imported.problems, *found.problems), MOST_PROBLEMS))
    return Imported(found.lines, problems, imported.skipped + found.skipped)


def plan_text(lines: Iterable[ImportLine], comments: Sequence[str]) -> str:
    """Return ipplan.csv: comments, the header, the lines in their order. The same lines give the same text."""
    out = io.StringIO()
    for comment in comments:
        out.write(f"# {_BLANKS.sub(' ', comment).strip()}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("prefix", "region", "segment", "person"))
    for line in lines:
        writer.writerow((str(Prefix.parse(line.prefix)), line.region, line.segment, line.person))
    return out.getvalue()


def entries_of(lines: Iterable[ImportLine]) -> list[PlanEntry]:
    """Return the lines as those of a plan, counted from 1."""
    return [
        PlanEntry(line.prefix, line.region, line.segment, line.person, number)
        for number, line in enumerate(lines, start=1)
    ]

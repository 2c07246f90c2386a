"""The operator's prefixes -> IpPlan: nesting is flattened, each attribute comes from the longest prefix that has it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import netaddr
import numpy as np

from btimd.model.address import HALF_MASK, IPV4_MAPPED_LO, Prefix, address_text
from btimd.model.ipplan import IpPlan, PlanRow

MAPPED_IPV4: Final = Prefix(0, IPV4_MAPPED_LO, 96)
"""All of IPv4 in the 128-bit space. An IPv6 prefix around it (::/0) says nothing of IPv4."""

_FULL_LENGTH: Final = 128
_SHOWN_SUGGESTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One line of the IP plan as written; empty cells are inherited from the next larger prefix."""

    prefix: str
    region: str
    segment: str
    person: str
    line: int


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """What is wrong with a line of the IP plan and what to write instead."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class _Parsed:
    prefix: Prefix
    first: int
    last: int
    entry: PlanEntry


def prefix_problem(text: str) -> str:
    """Return what is wrong with a text that is no prefix, and what to write instead."""
    if not text.strip():
        return "the prefix is empty; write one, for example 10.1.0.0/16"
    try:
        network = netaddr.IPNetwork(text)
    except (netaddr.AddrFormatError, ValueError):
        suggestion = _suggest(text)
        written = f"write {suggestion}" if suggestion else "write an address and a length, for example 10.1.0.0/16"
        return f"{text!r} is no prefix; {written}"
    return f"{text} has host bits; write {network.cidr}"


def _suggest(text: str) -> str:
    """Return the prefixes that a range (10.1.0.1-10.1.0.9) or a pattern (10.1.2.*) stands for, empty if it is none."""
    first, separator, last = (piece.strip() for piece in text.partition("-"))
    try:
        if separator:
            found = netaddr.iprange_to_cidrs(first, last)
        elif netaddr.valid_glob(text):
            found = netaddr.glob_to_cidrs(text)
        else:
            return ""
    except (netaddr.AddrFormatError, ValueError):
        return ""
    shown = [str(cidr) for cidr in found[:_SHOWN_SUGGESTIONS]]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return f"{'a line each for ' if len(found) > 1 else ''}{', '.join(shown)}{more}"


def range_text(first: int, last: int) -> str:
    """Return a range of 128-bit numbers for people: as a prefix where it is one, else first-last."""
    span = last - first + 1
    if span & (span - 1) == 0 and first % span == 0:
        return str(Prefix(first >> 64, first & HALF_MASK, _FULL_LENGTH - span.bit_length() + 1))
    return f"{address_text(first >> 64, first & HALF_MASK)}-{address_text(last >> 64, last & HALF_MASK)}"


class PlanIndex:
    """Finds the lines of the IP plan that speak of an address, for explanations."""

    def __init__(self, entries: Iterable[PlanEntry]) -> None:
        self._by_length: dict[int, dict[int, PlanEntry]] = {}
        for entry in entries:
            try:
                prefix = Prefix.parse(entry.prefix.strip())
            except ValueError:  # compile_plan has reported it
                continue
            self._by_length.setdefault(prefix.length, {}).setdefault(prefix.first, entry)

    def covering(self, hi: int, lo: int) -> Iterator[PlanEntry]:
        """Yield the entries whose prefix contains an address, longest prefix first."""
        address = (hi << 64) | lo
        mapped = MAPPED_IPV4.contains(hi, lo)
        for length in sorted(self._by_length, reverse=True):
            if mapped and length < MAPPED_IPV4.length:
                return
            mask = ((1 << length) - 1) << (_FULL_LENGTH - length)
            entry = self._by_length[length].get(address & mask)
            if entry is not None:
                yield entry


def compile_plan(entries: Sequence[PlanEntry], generation: int) -> tuple[IpPlan, tuple[PlanProblem, ...]]:
    """Return the plan of all good entries and the problems of the others, in the order of their lines.

    The longest prefix wins for each attribute by itself; an empty cell inherits from the next larger prefix that
    fills it. A prefix that ends up without a region is a problem: windows are kept by region and segment.
    """
    problems: list[PlanProblem] = []
    parsed = _unique(_parse(entries, problems), problems)
    ranges, rows = _flatten(parsed, problems)
    halves = np.array(
        [(first >> 64, first & HALF_MASK, last >> 64, last & HALF_MASK) for first, last, _ in ranges], np.uint64
    ).reshape(len(ranges), 4)
    start_hi, start_lo, end_hi, end_lo = (np.ascontiguousarray(halves[:, column]) for column in range(4))
    numbers = np.array([row for _, _, row in ranges], np.int32)
    plan = IpPlan(start_hi, start_lo, end_hi, end_lo, numbers, rows, generation)
    return plan, tuple(sorted(problems, key=lambda problem: problem.line))


def _parse(entries: Sequence[PlanEntry], problems: list[PlanProblem]) -> Iterator[_Parsed]:
    for entry in entries:
        try:
            prefix = Prefix.parse(entry.prefix.strip())
        except ValueError:
            problems.append(PlanProblem(entry.line, prefix_problem(entry.prefix.strip())))
            continue
        cells = (entry.region.strip(), entry.segment.strip(), entry.person.strip())
        if not any(cells):
            problems.append(
                PlanProblem(entry.line, f"{prefix} says nothing; fill in region, segment or person, or delete the line")
            )
            continue
        yield _Parsed(prefix, prefix.first, prefix.last, PlanEntry(str(prefix), *cells, entry.line))


def _unique(parsed: Iterable[_Parsed], problems: list[PlanProblem]) -> list[_Parsed]:
    known: dict[Prefix, _Parsed] = {}
    for item in parsed:
        before = known.setdefault(item.prefix, item)
        if before is item:
            continue
        same = _cells(before.entry) == _cells(item.entry)
        verb = "is already" if same else "has other values"
        problems.append(
            PlanProblem(item.entry.line, f"{item.prefix} {verb} in line {before.entry.line}; keep one of the two lines")
        )
    return sorted(known.values(), key=lambda item: (item.first, item.prefix.length))


def _cells(entry: PlanEntry) -> tuple[str, str, str]:
    return entry.region, entry.segment, entry.person


class _Ranges:
    """Collects ranges from left to right, joining neighbours that say the same."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int, int]] = []
        self._numbers: dict[PlanRow, int] = {}

    @property
    def rows(self) -> tuple[PlanRow, ...]:
        return tuple(self._numbers)

    def add(self, first: int, last: int, row: PlanRow | None) -> None:
        if row is None or first > last:
            return
        number = self._numbers.setdefault(row, len(self._numbers))
        if self.ranges and self.ranges[-1][1] == first - 1 and self.ranges[-1][2] == number:
            self.ranges[-1] = (self.ranges[-1][0], last, number)
        else:
            self.ranges.append((first, last, number))


def _flatten(
    parsed: Sequence[_Parsed], problems: list[PlanProblem]
) -> tuple[list[tuple[int, int, int]], tuple[PlanRow, ...]]:
    """Return disjoint ranges and their rows. `parsed` is unique and sorted by (first address, length)."""
    out = _Ranges()
    # Prefixes nest or are disjoint, so the open ones form a stack; the mapped block is a hole in any larger prefix.
    stack: list[tuple[int, PlanRow | None]] = []
    cursor = 0
    for first, last, entry in _with_hole(parsed):
        while stack and stack[-1][0] < first:
            end, row = stack.pop()
            out.add(cursor, end, row)
            cursor = max(cursor, end + 1)
        if stack:
            out.add(cursor, first - 1, stack[-1][1])
        cursor = first
        above = stack[-1][1] if stack else None
        stack.append((last, None if entry is None else _inherit(entry, above, problems)))
    while stack:
        end, row = stack.pop()
        out.add(cursor, end, row)
        cursor = max(cursor, end + 1)
    return out.ranges, out.rows


def _with_hole(parsed: Sequence[_Parsed]) -> Iterator[tuple[int, int, PlanEntry | None]]:
    hole_at, hole_length = MAPPED_IPV4.first, MAPPED_IPV4.length
    pending = True
    for item in parsed:
        if pending and (item.first, item.prefix.length) >= (hole_at, hole_length):
            yield hole_at, MAPPED_IPV4.last, None
            pending = False
        yield item.first, item.last, item.entry
    if pending:
        yield hole_at, MAPPED_IPV4.last, None


def _inherit(entry: PlanEntry, above: PlanRow | None, problems: list[PlanProblem]) -> PlanRow:
    row = PlanRow(
        entry.region or (above.region if above else ""),
        entry.segment or (above.segment if above else ""),
        entry.person or (above.person if above else ""),
    )
    if not row.region:
        problems.append(
            PlanProblem(
                entry.line,
                f"{entry.prefix} has no region, and no larger prefix gives it one; fill in the region",
            )
        )
    return row

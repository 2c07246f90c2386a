"""How full the lines of the IP plan are: addresses seen, lately and ever, octets, the busiest business."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.plan import MAPPED_IPV4, PlanEntry, compile_plan
from btimd.flows.segments import compile_segments
from btimd.model.address import Prefix
from btimd.model.ipplan import PlanRow
from btimd.model.planuse import PrefixUse
from btimd.model.units import UNKNOWN_ID, UnixMillis
from btimd.model.users import ClientColumns

USE_ORDERS: Final = ("plan", "octets", "seen", "empty")
_FULL_LENGTH: Final = 128

Addresses = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
"""Upper and lower halves of addresses."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line of the plan with what is in force there. parent: index of the line around it, -1 = none."""

    prefix: Prefix
    entry: PlanEntry
    row: PlanRow
    parent: int


class PlanLines:
    """The lines of a plan, each prefix once, in the order of their addresses; finds the line an address belongs to."""

    def __init__(self, entries: Iterable[PlanEntry]) -> None:
        self.lines = _nested(entries)
        # A plan whose regions are the numbers of the lines: the deepest line wins, as it does for each attribute.
        numbered = [PlanEntry(str(line.prefix), str(index), "", "", 0) for index, line in enumerate(self.lines)]
        plan, _ = compile_plan(numbered, 1)
        self._segments = compile_segments(plan, (), ())
        rows = [int(row.region) for row in plan.rows]
        self._line_of_row = np.array([*rows, UNKNOWN_ID], np.int64)  # the last one stands for row -1

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the index of the longest line around each address, -1 = none."""
        at = self._segments.locate(np.ascontiguousarray(hi), np.ascontiguousarray(lo))
        return self._line_of_row[self._segments.row[at]]


def _nested(entries: Iterable[PlanEntry]) -> tuple[PlanLine, ...]:
    parsed: dict[Prefix, PlanEntry] = {}
    for entry in entries:
        try:
            parsed.setdefault(Prefix.parse(entry.prefix.strip()), entry)
        except ValueError:  # compile_plan reports it
            continue
    lines: list[PlanLine] = []
    stack: list[int] = []
    for prefix in sorted(parsed, key=lambda one: (one.first, one.length)):
        while stack and lines[stack[-1]].prefix.last < prefix.first:
            stack.pop()
        # ::/0 is around the mapped block in numbers only: it stays open for the IPv6 prefixes behind that block
        parent = stack[-1] if stack and _around(lines[stack[-1]].prefix, prefix) else UNKNOWN_ID
        above = lines[parent].row if parent >= 0 else PlanRow("", "", "")
        entry = parsed[prefix]
        row = PlanRow(
            entry.region.strip() or above.region,
            entry.segment.strip() or above.segment,
            entry.person.strip() or above.person,
        )
        lines.append(PlanLine(prefix, entry, row, parent))
        stack.append(len(lines) - 1)
    return tuple(lines)


def _around(outer: Prefix, inner: Prefix) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last and (is_mapped(outer) or not is_mapped(inner))


def is_mapped(prefix: Prefix) -> bool:
    """Tell whether a prefix is one of IPv4."""
    return prefix.length >= MAPPED_IPV4.length and MAPPED_IPV4.contains(prefix.hi, prefix.lo)


@dataclass(frozen=True, slots=True)
class Distinct:
    """Clients by address. order: sorts rows by address; begin: where in it each address begins."""

    order: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64]
    hi: npt.NDArray[np.uint64]
    lo: npt.NDArray[np.uint64]


def distinct(hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64]) -> Distinct:
    """Return rows by address."""
    order = np.lexsort((lo, hi)) if hi.any() else np.argsort(lo)
    sorted_hi, sorted_lo = hi[order], lo[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (sorted_hi[1:] != sorted_hi[:-1]) | (sorted_lo[1:] != sorted_lo[:-1])
    begin = np.flatnonzero(new)
    return Distinct(order, begin, sorted_hi[begin], sorted_lo[begin])


def distinct_addresses(hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64]) -> Addresses:
    """Return each address once, in the order of addresses."""
    found = distinct(hi, lo)
    return found.hi, found.lo


def prefix_use(
    plan: PlanLines,
    clients: ClientColumns,
    *,
    now: UnixMillis,
    lately_milliseconds: int,
    servers: Addresses | None = None,
) -> list[PrefixUse]:
    """Return the use of every line, in the order of addresses. servers: addresses that rules name."""
    count = len(plan)
    if not count:
        return []
    found = distinct(clients.address_hi, clients.address_lo)
    line = plan.find(found.hi, found.lo)
    last = folded(np.maximum, clients.last_seen, found)
    octets = folded(np.add, clients.octets, found)
    known = line >= 0
    line, last, octets = line[known], last[known], octets[known]
    own_seen = np.bincount(line, minlength=count)
    own_active = np.bincount(line[last >= now - lately_milliseconds], minlength=count)
    own_octets, own_last = np.zeros(count, np.int64), np.full(count, np.iinfo(np.int64).min)
    np.add.at(own_octets, line, octets)
    np.maximum.at(own_last, line, last)
    own_servers = np.zeros(count, np.int64)
    if servers is not None and len(servers[0]):
        at = plan.find(*distinct_addresses(*servers))
        own_servers = np.bincount(at[at >= 0], minlength=count)
    parents = [one.parent for one in plan.lines]
    seen, active, all_octets, all_servers = (
        _with_nested(own, parents) for own in (own_seen, own_active, own_octets, own_servers)
    )
    all_last = own_last.tolist()
    nested = [0] * count
    for index in range(count - 1, -1, -1):
        if parents[index] >= 0:
            all_last[parents[index]] = max(all_last[parents[index]], all_last[index])
            nested[parents[index]] += nested[index] + 1
    busiest = _busiest(plan, clients)
    return [
        PrefixUse(
            prefix=str(one.prefix),
            line=one.entry.line,
            region=one.row.region,
            segment=one.row.segment,
            person=one.row.person,
            host_bits=_FULL_LENGTH - one.prefix.length,
            nested=nested[index],
            seen=seen[index],
            active=active[index],
            octets=all_octets[index],
            own_seen=int(own_seen[index]),
            own_active=int(own_active[index]),
            own_octets=int(own_octets[index]),
            servers=all_servers[index],
            last_seen_milliseconds=all_last[index] if seen[index] else None,
            busiest_business=busiest.get(index, ("", 0))[0],
            busiest_octets=busiest.get(index, ("", 0))[1],
        )
        for index, one in enumerate(plan.lines)
    ]


def ordered_use(rows: Sequence[PrefixUse], order: str) -> list[PrefixUse]:
    """Return lines as in the plan, by most octets, by most clients seen, or those without any, largest first."""
    match order:
        case "plan":
            return list(rows)
        case "octets":
            return sorted(rows, key=lambda row: -row.octets)
        case "seen":
            return sorted(rows, key=lambda row: -row.seen)
        case "empty":
            empty = [row for row in rows if not row.seen and not row.servers]
            return sorted(empty, key=lambda row: -row.host_bits)
    raise ValueError(f"'{order}' is no order of prefixes; known: {', '.join(USE_ORDERS)}")


def folded(how: np.ufunc, values: npt.NDArray[np.int64], found: Distinct) -> npt.NDArray[np.int64]:
    """Fold the values of the rows of each address into one."""
    if not len(found.begin):
        return np.zeros(0, np.int64)
    result: npt.NDArray[np.int64] = how.reduceat(values[found.order], found.begin)
    return result


def _with_nested(own: npt.NDArray[np.int64], parents: Sequence[int]) -> list[int]:
    """Add what lies in nested lines; a parent stands before its children."""
    total: list[int] = own.tolist()
    for index in range(len(parents) - 1, -1, -1):
        if parents[index] >= 0:
            total[parents[index]] += total[index]
    return total


def _busiest(plan: PlanLines, clients: ClientColumns) -> dict[int, tuple[str, int]]:
    """Return for each line with traffic of businesses the one with the most octets, nested lines included."""
    number = len(clients.businesses)
    chosen = np.flatnonzero(clients.business_id >= 0)
    line = plan.find(clients.address_hi[chosen], clients.address_lo[chosen])
    chosen, line = chosen[line >= 0], line[line >= 0]
    if not len(chosen):
        return {}
    keys, sums = summed(line * number + clients.business_id[chosen], clients.octets[chosen])
    parents = np.array([one.parent for one in plan.lines], np.int64)
    every_key, every_sum = [keys], [sums]
    at, business, octets = parents[keys // number], keys % number, sums
    while (at >= 0).any():
        business, octets, at = business[at >= 0], octets[at >= 0], at[at >= 0]
        every_key.append(at * number + business)
        every_sum.append(octets)
        at = parents[at]
    keys, sums = summed(np.concatenate(every_key), np.concatenate(every_sum))
    order = np.lexsort((keys, -sums, keys // number))
    first = np.unique(keys[order] // number, return_index=True)[1]
    best = order[first]
    return {
        key // number: (clients.businesses[key % number], octets)
        for key, octets in zip(keys[best].tolist(), sums[best].tolist(), strict=True)
    }


def summed(
    keys: npt.NDArray[np.int64], values: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each key once, ascending, and the sum of its values."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begin = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(keys) else order
    return ordered[begin], np.add.reduceat(values[order], begin) if len(keys) else values

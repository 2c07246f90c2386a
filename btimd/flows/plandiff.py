"""What a new IP plan changes: lines, and the addresses and clients that go from one region to another."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.planuse import distinct, folded
from btimd.flows.segments import compile_segments, plan_ranges
from btimd.model.address import Prefix
from btimd.model.ipplan import IpPlan
from btimd.model.planuse import PlanChange, PlanLineChange, PlanMove
from btimd.model.units import UnixMillis
from btimd.model.users import ClientColumns

MOST_LINES: Final = 500
MOST_MOVES: Final = 100
_KEPT: Final = 20
_TOLD_MOVES: Final = 3
_WRITTEN_OUT: Final = 1e12
NO_REGION: Final = "(no region)"

Cells = tuple[str, str, str]


def diff(
    before: Sequence[PlanEntry],
    after: Sequence[PlanEntry],
    *,
    clients: ClientColumns | None = None,
    at: UnixMillis = 0,
    from_generation: int = 0,
    to_generation: int = 0,
) -> PlanChange:
    """Return what is different in `after`; clients: those known now, to count who moves."""
    lines = list(_line_changes(_cells_of(before), _cells_of(after)))
    old, new = compile_plan(before, 1)[0], compile_plan(after, 2)[0]
    moves = _moves(old, new, clients)
    counts = {what: sum(line.what == what for line in lines) for what in ("added", "removed", "changed")}
    return PlanChange(
        at_milliseconds=at,
        from_generation=from_generation,
        to_generation=to_generation,
        added=counts["added"],
        removed=counts["removed"],
        changed=counts["changed"],
        moves=tuple(moves[:MOST_MOVES]),
        lines=tuple(lines[:MOST_LINES]),
        summary=_summary(counts, moves),
    )


def is_empty(change: PlanChange) -> bool:
    """Tell whether two plans say the same."""
    return not (change.added or change.removed or change.changed or change.moves)


class PlanHistory:
    """The latest changes, newest first; older ones are forgotten."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._changes: deque[PlanChange] = deque(maxlen=kept)

    def note(self, change: PlanChange) -> None:
        """Remember a change; one that changes nothing is none."""
        if not is_empty(change):
            self._changes.appendleft(change)

    def changes(self) -> tuple[PlanChange, ...]:
        """Return what is remembered."""
        return tuple(self._changes)


def _cells_of(entries: Iterable[PlanEntry]) -> dict[Prefix, Cells]:
    cells: dict[Prefix, Cells] = {}
    for entry in entries:
        try:
            prefix = Prefix.parse(entry.prefix.strip())
        except ValueError:  # compile_plan reports it
            continue
        cells.setdefault(prefix, (entry.region.strip(), entry.segment.strip(), entry.person.strip()))
    return cells


def _line_changes(before: dict[Prefix, Cells], after: dict[Prefix, Cells]) -> Iterator[PlanLineChange]:
    for prefix in sorted(before.keys() | after.keys(), key=lambda one: (one.first, one.length)):
        old, new = before.get(prefix), after.get(prefix)
        if old != new:
            what = "added" if old is None else "removed" if new is None else "changed"
            yield PlanLineChange(what, str(prefix), _text(old), _text(new))


def _text(cells: Cells | None) -> str:
    return "" if cells is None else " / ".join(cell or "-" for cell in cells)


def _moves(old: IpPlan, new: IpPlan, clients: ClientColumns | None) -> list[PlanMove]:
    """Return the moves between regions, most clients first, then most addresses."""
    addresses: dict[tuple[str, str], int] = {}
    for first, last, before, after in _common_ranges(old, new):
        if before != after:
            addresses[before, after] = addresses.get((before, after), 0) + last - first + 1
    moved = _moved_clients(old, new, clients) if clients is not None and len(clients) else {}
    moves = [
        PlanMove(*regions, float(addresses.get(regions, 0)), *moved.get(regions, (0, 0)))
        for regions in addresses.keys() | moved.keys()
    ]
    return sorted(moves, key=lambda move: (-move.clients, -move.addresses, move.from_region, move.to_region))


def _common_ranges(old: IpPlan, new: IpPlan) -> Iterator[tuple[int, int, str, str]]:
    """Yield ranges in which neither plan changes, with the region of each; "" = not in the plan."""
    edges: set[int] = set()
    regions: list[dict[int, str]] = []
    for plan in (old, new):
        begins: dict[int, str] = {}
        for first, last, row in plan_ranges(plan):
            begins[first] = plan.rows[row].region
            begins.setdefault(last + 1, "")
        edges |= begins.keys()
        regions.append(begins)
    ordered = sorted(edges)
    before = after = ""
    for position, first in enumerate(ordered[:-1]):
        before, after = regions[0].get(first, before), regions[1].get(first, after)
        yield first, ordered[position + 1] - 1, before, after


def _moved_clients(old: IpPlan, new: IpPlan, clients: ClientColumns) -> dict[tuple[str, str], tuple[int, int]]:
    found = distinct(clients.address_hi, clients.address_lo)
    octets = folded(np.add, clients.octets, found)
    names: dict[str, int] = {}
    before, after = (_regions(plan, found.hi, found.lo, names) for plan in (old, new))
    changed = np.flatnonzero(before != after)
    keys = before[changed] * len(names) + after[changed]
    by_number = list(names)
    moved = {}
    for key in np.unique(keys).tolist():
        rows = changed[keys == key]
        regions = by_number[key // len(names)], by_number[key % len(names)]
        moved[regions] = len(rows), int(octets[rows].sum())
    return moved


def _regions(
    plan: IpPlan, hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64], names: dict[str, int]
) -> npt.NDArray[np.int64]:
    """Return the number of each address's region, the same in every plan that shares `names`."""
    of_row = [names.setdefault(row.region, len(names)) for row in plan.rows]
    of_row.append(names.setdefault("", len(names)))  # the last one stands for row -1
    segments = compile_segments(plan, (), ())
    return np.array(of_row, np.int64)[segments.row[segments.locate(hi, lo)]]


def _summary(counts: dict[str, int], moves: Sequence[PlanMove]) -> str:
    lines = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if not lines and not moves:
        return "nothing changed"
    told = [
        f"{move.from_region or NO_REGION} -> {move.to_region or NO_REGION}: "
        f"{count_text(move.addresses)} addresses, {move.clients} known clients"
        for move in moves[:_TOLD_MOVES]
    ]
    more = f"; and {len(moves) - _TOLD_MOVES} more moves" if len(moves) > _TOLD_MOVES else ""
    return f"lines: {lines or 'none'}" + (f"; {'; '.join(told)}{more}" if told else "; no address changes its region")


def count_text(addresses: float) -> str:
    """Return a number of addresses; those of IPv6 prefixes are too many to be written out."""
    return f"{addresses:.0f}" if addresses < _WRITTEN_OUT else f"{addresses:.2g}"

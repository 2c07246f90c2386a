"""Shadow run: real flow records through two plans and rule sets, and what the second would change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.model.address import address_text
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.units import UNKNOWN_ID

MOST_USERS: Final = 1 << 22
MOST_MOVES: Final = 1 << 16
_TOGETHER_BELOW: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ShadowTotals:
    """What one configuration makes of the records: octets (estimated from sampling), records, distinct clients."""

    octets: int = 0
    records: int = 0
    users: int = 0


@dataclass(frozen=True, slots=True)
class ShadowCell:
    """A business ("" = none) and a region ("" = unknown) before and after."""

    business: str
    region: str
    before: ShadowTotals
    after: ShadowTotals


@dataclass(frozen=True, slots=True)
class ShadowMove:
    """Records that would count elsewhere. businesses: of the rule's owners, () = unattributed. example: one of them."""

    from_businesses: tuple[str, ...]
    from_region: str
    to_businesses: tuple[str, ...]
    to_region: str
    octets: int
    records: int
    example: str


@dataclass(frozen=True, slots=True)
class ShadowResult:
    """What would change. cells: those that differ, most octets moved first; moves: most octets first.

    newly_unattributed, newly_attributed: records. unknown_before, unknown_after: distinct clients the plan does not
    know. users_exact: False where there were more pairs of client and cell than are kept, so users are lower bounds.
    other_octets, other_records: of moves beyond those that are kept.
    """

    records: int
    octets: int
    changed_records: int
    changed_octets: int
    newly_unattributed: int
    newly_attributed: int
    unknown_before: int
    unknown_after: int
    users_exact: bool
    cells: tuple[ShadowCell, ...]
    moves: tuple[ShadowMove, ...]
    other_octets: int
    other_records: int

    @property
    def differs(self) -> bool:
        """Tell whether any record would count elsewhere."""
        return self.changed_records > 0


class _Numbers:
    """Numbers for names that both sides share."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, ...], int] = {}

    def tables(self, names: Sequence[tuple[str, ...]]) -> npt.NDArray[np.int64]:
        """Return the number of each name, and at the end that of nobody, for the row -1."""
        return np.array([self.of.setdefault(name, len(self.of)) for name in (*names, ())], np.int64)

    def names(self) -> list[tuple[str, ...]]:
        return list(self.of)


class _Users:
    """Distinct pairs of a cell and an address, bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[npt.NDArray[np.uint64]] = []
        self._pending = 0
        self.exact = True

    def add(self, cell: npt.NDArray[np.int64], hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64]) -> None:
        """Take pairs; they are made distinct at once, and together when many have come."""
        self._parts.append(_distinct_rows(np.stack([cell.view(np.uint64), hi, lo])))
        self._pending += self._parts[-1].shape[1]
        if self._pending > _TOGETHER_BELOW and len(self._parts) > 1:
            self._fold()

    def count(self, cells: Collection[int]) -> int:
        """Return how many addresses these cells have together."""
        self._fold()
        if not self._parts:
            return 0
        whole = self._parts[0]
        bounds = [(np.uint64(cell), np.uint64(cell + 1)) for cell in cells]
        spans = [np.searchsorted(whole[0], bound) for bound in bounds]  # the first column is in order
        if len(spans) == 1:
            return int(spans[0][1] - spans[0][0])
        together = np.concatenate([whole[:, begin:end] for begin, end in spans], axis=1)
        together[0] = 0
        return int(_distinct_rows(together).shape[1])

    def _fold(self) -> None:
        if not self._pending:
            return
        whole = _distinct_rows(np.concatenate(self._parts, axis=1))
        if whole.shape[1] > self._most:
            whole, self.exact = whole[:, : self._most], False
        self._parts = [whole]
        self._pending = 0


def _distinct_rows(columns: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    order = np.lexsort((columns[2], columns[1], columns[0]))
    ordered = columns[:, order]
    new = np.ones(ordered.shape[1], np.bool_)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    return np.ascontiguousarray(ordered[:, new])


class Shadow:
    """Takes records, adds up what two Attributions make of them. A client is who the rule says, else who began."""

    def __init__(self, before: Attribution, after: Attribution, *, most_users: int = MOST_USERS) -> None:
        self._sides = (before, after)
        self._owners = _Numbers()
        self._regions = _Numbers()
        self._owner_of = [
            self._owners.tables([_owners(rule.businesses) for rule in side.rules]) for side in self._sides
        ]
        self._region_of = [self._regions.tables([(row.region,) for row in side.plan.rows]) for side in self._sides]
        self._names, self._region_names = self._owners.names(), self._regions.names()
        self._users = tuple(_Users(most_users) for _ in self._sides)
        self._unknown = tuple(_Users(most_users) for _ in self._sides)
        self._sums: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
        self._moves: dict[int, list[int]] = {}
        self._examples: dict[int, str] = {}
        self._other = [0, 0]
        self._records = self._octets = self._changed_records = self._changed_octets = 0
        self._lost = self._gained = 0

    @property
    def records(self) -> int:
        """How many records were taken."""
        return self._records

    def add(self, flows: FlowBatch) -> None:
        """Take records, each of them once: duplicates are to be left out by whoever reads them."""
        if not len(flows):
            return
        octets = _estimated(flows)
        sides = [side.attribute(flows) for side in self._sides]
        owners = [table[batch.service_rule_id] for table, batch in zip(self._owner_of, sides, strict=True)]
        regions = [table[batch.client_plan_id] for table, batch in zip(self._region_of, sides, strict=True)]
        self._records += len(flows)
        self._octets += int(octets.sum())
        for number, batch in enumerate(sides):
            cell = owners[number] * len(self._region_names) + regions[number]
            _add_up(self._sums[number], cell, octets)
            hi, lo = _clients(batch)
            self._users[number].add(cell, hi, lo)
            unknown = batch.client_plan_id == UNKNOWN_ID
            self._unknown[number].add(np.zeros(int(unknown.sum()), np.int64), hi[unknown], lo[unknown])
        nobody = self._owners.of[()]
        self._lost += int(((owners[0] != nobody) & (owners[1] == nobody)).sum())
        self._gained += int(((owners[0] == nobody) & (owners[1] != nobody)).sum())
        changed = np.flatnonzero((owners[0] != owners[1]) | (regions[0] != regions[1]))
        if len(changed):
            self._note_moves(flows, sides[1], changed, octets[changed], [one[changed] for one in (*owners, *regions)])

    def _note_moves(
        self,
        flows: FlowBatch,
        after: AttributedBatch,
        rows: npt.NDArray[np.int64],
        octets: npt.NDArray[np.int64],
        numbers: Sequence[npt.NDArray[np.int64]],
    ) -> None:
        self._changed_records += len(rows)
        self._changed_octets += int(octets.sum())
        owner_before, owner_after, region_before, region_after = numbers
        regions, owners = len(self._region_names), len(self._names)
        keys = ((owner_before * regions + region_before) * owners + owner_after) * regions + region_after
        unique, first = np.unique(keys, return_index=True)
        sums: dict[int, list[int]] = {}
        _add_up(sums, keys, octets)
        for key, at in zip(unique.tolist(), first.tolist(), strict=True):
            move = self._moves.get(key)
            if move is None and len(self._moves) >= MOST_MOVES:
                move = self._other
            elif move is None:
                move = self._moves[key] = [0, 0]
                self._examples[key] = _example(flows, after, int(rows[at]))
            move[0] += sums[key][0]
            move[1] += sums[key][1]

    def result(self) -> ShadowResult:
        """Return what has come of the records so far."""
        unknown = [one.count((0,)) for one in self._unknown]
        cells = self._cells()
        return ShadowResult(
            records=self._records,
            octets=self._octets,
            changed_records=self._changed_records,
            changed_octets=self._changed_octets,
            newly_unattributed=self._lost,
            newly_attributed=self._gained,
            unknown_before=unknown[0],
            unknown_after=unknown[1],
            users_exact=all(one.exact for one in (*self._users, *self._unknown)),
            cells=cells,
            moves=tuple(
                sorted(
                    (self._move(key) for key in self._moves), key=lambda one: (-one.octets, -one.records, one.example)
                )
            ),
            other_octets=self._other[0],
            other_records=self._other[1],
        )

    def _cells(self) -> tuple[ShadowCell, ...]:
        """Return the cells that differ. A rule's traffic counts for each of its owners."""
        regions = len(self._region_names)
        parts: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        for number, sums in enumerate(self._sums):
            for cell in sums:
                for business in self._names[cell // regions] or ("",):
                    parts.setdefault((business, self._region(cell % regions)), ([], []))[number].append(cell)
        cells = []
        for (business, region), sides in parts.items():
            before, after = (self._totals(number, own) for number, own in enumerate(sides))
            if before != after:
                cells.append(ShadowCell(business, region, before, after))
        return tuple(
            sorted(cells, key=lambda one: (-abs(one.after.octets - one.before.octets), one.business, one.region))
        )

    def _totals(self, number: int, cells: Sequence[int]) -> ShadowTotals:
        if not cells:
            return ShadowTotals()
        sums = self._sums[number]
        return ShadowTotals(
            sum(sums[cell][0] for cell in cells), sum(sums[cell][1] for cell in cells), self._users[number].count(cells)
        )

    def _move(self, key: int) -> ShadowMove:
        regions, owners = len(self._region_names), len(self._names)
        rest, region_after = divmod(key, regions)
        rest, owner_after = divmod(rest, owners)
        owner_before, region_before = divmod(rest, regions)
        octets, records = self._moves[key]
        return ShadowMove(
            self._names[owner_before], self._region(region_before), self._names[owner_after],
            self._region(region_after), octets, records, self._examples[key],
        )  # fmt: skip

    def _region(self, number: int) -> str:
        name = self._region_names[number]
        return name[0] if name else ""


def _owners(businesses: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(businesses)))


def _estimated(flows: FlowBatch) -> npt.NDArray[np.int64]:
    """Return octets times the sampling rate; what no link can have carried is cut off below 2^53."""
    rate = np.maximum(flows["sampling_rate"].astype(np.int64), 1)
    most = np.int64(1 << 53) // rate
    estimated: npt.NDArray[np.int64] = np.clip(flows["octet_delta_count"], 0, most) * rate
    return estimated


def _add_up(sums: dict[int, list[int]], keys: npt.NDArray[np.int64], octets: npt.NDArray[np.int64]) -> None:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begin = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    totals = np.add.reduceat(octets[order], begin)
    counts = np.diff(np.append(begin, len(keys)))
    for key, total, count in zip(ordered[begin].tolist(), totals.tolist(), counts.tolist(), strict=True):
        found = sums.setdefault(key, [0, 0])
        found[0] += total
        found[1] += count


def _clients(batch: AttributedBatch) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    source = batch.client_is_source.astype(np.bool_)
    flows = batch.flows
    hi: npt.NDArray[np.uint64] = np.where(source, flows["source_address_hi"], flows["destination_address_hi"])
    lo: npt.NDArray[np.uint64] = np.where(source, flows["source_address_lo"], flows["destination_address_lo"])
    return hi, lo


def _example(flows: FlowBatch, after: AttributedBatch, row: int) -> str:
    """Return a record in words, the client first."""
    ends = [
        (
            address_text(int(flows[f"{end}_address_hi"][row]), int(flows[f"{end}_address_lo"][row])),
            int(flows[f"{end}_transport_port"][row]),
        )
        for end in ("source", "destination")
    ]
    (client, _), (server, port) = ends if after.client_is_source[row] else ends[::-1]
    return f"{client} to {server} port {port} protocol {int(flows['protocol_identifier'][row])}"

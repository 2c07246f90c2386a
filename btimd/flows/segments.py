"""The address space cut into segments: in each, one row of the IP plan and one list of candidate rules hold.

Plan and rules are folded into one table so that one search per address answers both questions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows.plan import MAPPED_IPV4
from btimd.kernels import prefix as kernels
from btimd.kernels.attribute import L_END, L_FIRST, L_ROW, LABEL_SIZE
from btimd.model.address import HALF_MASK
from btimd.model.ipplan import IpPlan
from btimd.model.service import ServiceRule
from btimd.model.units import UNKNOWN_ID

_SIGN: Final = 1 << 63
_MORE_BITS: Final = 32
_MORE: Final = (1 << _MORE_BITS) - 1
_SITE_SHIFT: Final = 64 + kernels.SITE_SHIFT
_IPV4_END: Final = (1 << 32) - 1
_IPV6_END: Final = (1 << 128) - 1

Span = tuple[int, int, int]
"""First address, last address, number of the row or rule."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The compiled tables; shapes as in kernels.prefix.locate and kernels.attribute.match."""

    tree4: npt.NDArray[np.int32]
    start4: npt.NDArray[np.int64]
    sites6: npt.NDArray[np.int64]
    start6_hi: npt.NDArray[np.int64]
    start6_lo: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    candidates: npt.NDArray[np.int32]
    candidate_offsets: npt.NDArray[np.int32]
    candidate_rule: npt.NDArray[np.int32]

    def locate(self, hi: npt.NDArray[Any], lo: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the segment of each address; hi, lo: uint64 or int64 of equal length, contiguous."""
        if hi.shape != lo.shape:
            raise ValueError(f"{len(hi)} upper halves for {len(lo)} lower ones")
        segment = np.empty(len(hi), np.int32)
        kernels.locate(
            hi.view(np.int64),
            lo.view(np.int64),
            self.tree4,
            self.start4,
            self.sites6,
            self.start6_hi,
            self.start6_lo,
            segment,
        )
        return segment


def signed_halves(address: int) -> tuple[int, int]:
    """Return (hi, lo) of a 128-bit number as signed numbers in address order: the top bits flipped."""
    return (address >> 64) - _SIGN, (address & HALF_MASK) - _SIGN


def is_ipv4(rule_prefix_length: int, first: int) -> bool:
    """Tell whether a prefix lies in the block of mapped IPv4 addresses."""
    return rule_prefix_length >= MAPPED_IPV4.length and MAPPED_IPV4.first <= first <= MAPPED_IPV4.last


def compile_segments(plan: IpPlan, rules: Sequence[ServiceRule], rank: Sequence[int]) -> Segments:
    """Return the segments of a plan and rules; rank[r] orders the candidates, lowest first."""
    lists: dict[tuple[int, ...], int] = {}
    four = _sweep(*_spans4(plan, rules), _IPV4_END, rank, lists)
    six = _sweep(*_spans6(plan, rules), _IPV6_END, rank, lists)
    start4 = np.array(four[0], np.int64)
    halves = np.array([signed_halves(first) for first in six[0]], np.int64).reshape(-1, 2)
    lengths = [len(candidates) for candidates in lists]
    return Segments(
        tree4=tree_of(start4),
        start4=start4,
        sites6=sites_of(six[0]),
        start6_hi=np.ascontiguousarray(halves[:, 0]),
        start6_lo=np.ascontiguousarray(halves[:, 1]),
        row=np.array(four[1] + six[1], np.int32),
        candidates=np.array(four[2] + six[2], np.int32),
        candidate_offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int32),
        candidate_rule=np.array([rule for candidates in lists for rule in candidates], np.int32),
    )


def sites_of(starts: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the table of kernels.prefix.locate for ascending first addresses of IPv6, the first one 0."""
    within: dict[int, int] = {}
    for start in starts:
        site = start >> _SITE_SHIFT
        within[site] = within.get(site, 0) + 1
    table = np.zeros((1 << (4 * len(within)).bit_length(), 2), np.int64)
    mask, below = len(table) - 1, 0
    for site, count in within.items():
        slot = kernels.site_hash(site) & mask
        while table[slot, 1]:
            slot = (slot + 1) & mask
        before = int(starts[below] != site << _SITE_SHIFT)  # the segment that reaches into the site
        table[slot] = site, (below - before) << kernels.COUNT_BITS | (count + before)
        below += count
    return table


def tree_of(starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return the tree of tables of kernels.prefix.locate for ascending first addresses of IPv4, the first one 0.

    A part of the address space becomes a table of its own where more than 3 segments start in it, so the tree has at
    most 512 octets for every segment, and 256 KiB.
    """
    levels = [_entries(starts, np.zeros(1, np.int64), 32, kernels.ROOT_BITS)]
    firsts = np.zeros(1, np.int64)
    bits = 32
    for step in (kernels.ROOT_BITS, kernels.BLOCK_BITS):
        level = levels[-1]
        split = np.flatnonzero((level & _MORE) > kernels.MOST_STARTS)
        below = sum(len(level) for level in levels)
        firsts = firsts[split >> step] + ((split & ((1 << step) - 1)) << (bits - step))
        bits -= step
        level[:] = (level >> _MORE_BITS) << 2 | (level & _MORE)
        level[split] = ~(below + (np.arange(len(split), dtype=np.int64) << kernels.BLOCK_BITS))
        levels.append(_entries(starts, firsts, bits, kernels.BLOCK_BITS))
    levels[-1][:] = levels[-1] >> _MORE_BITS << 2  # single addresses: nothing starts within
    return np.concatenate(levels).astype(np.int32)


def _entries(
    starts: npt.NDArray[np.int64], firsts: npt.NDArray[np.int64], bits: int, step: int
) -> npt.NDArray[np.int64]:
    """Return the entries of the tables that begin at `firsts` and cover 2^bits addresses in 2^step parts each.

    An entry is the segment of the part's first address and, in the low bits, how many more start behind it.
    """
    part = 1 << (bits - step)
    edges = (firsts[:, None] + np.arange(1 << step, dtype=np.int64) * part).ravel()
    segment = np.searchsorted(starts, edges, side="right") - 1
    last = np.searchsorted(starts, edges + (part - 1), side="right") - 1
    return segment << _MORE_BITS | (last - segment)


def labels_of(segments: Segments, rules: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return labels and candidates of kernels.attribute; rules: int64[r, 2], the two words of each rule."""
    labels = np.zeros((len(segments.row), LABEL_SIZE), np.int32)
    labels[:, L_ROW] = segments.row
    chosen = segments.candidates >= 0
    labels[chosen, L_FIRST] = segments.candidate_offsets[segments.candidates[chosen]]
    labels[chosen, L_END] = segments.candidate_offsets[segments.candidates[chosen] + 1]
    return labels, rules[segments.candidate_rule]


def plan_ranges(plan: IpPlan) -> Iterator[Span]:
    """Yield the ranges of a plan as 128-bit numbers with their rows."""
    columns = (plan.start_hi, plan.start_lo, plan.end_hi, plan.end_lo, plan.row)
    for start_hi, start_lo, end_hi, end_lo, row in zip(*(column.tolist() for column in columns), strict=True):
        yield (start_hi << 64) | start_lo, (end_hi << 64) | end_lo, row


def _spans4(plan: IpPlan, rules: Sequence[ServiceRule]) -> tuple[list[Span], list[Span]]:
    base, end = MAPPED_IPV4.first, MAPPED_IPV4.last
    rows = [
        (max(first, base) - base, min(last, end) - base, row)
        for first, last, row in plan_ranges(plan)
        if last >= base and first <= end
    ]
    servers = [
        (rule.server.first - base, rule.server.last - base, number)
        for number, rule in enumerate(rules)
        if is_ipv4(rule.server.length, rule.server.first)
    ]
    return rows, servers


def _spans6(plan: IpPlan, rules: Sequence[ServiceRule]) -> tuple[list[Span], list[Span]]:
    # Mapped addresses never get here, so ranges around the mapped block need no hole.
    servers = [
        (rule.server.first, rule.server.last, number)
        for number, rule in enumerate(rules)
        if not is_ipv4(rule.server.length, rule.server.first)
    ]
    base, end = MAPPED_IPV4.first, MAPPED_IPV4.last
    return [span for span in plan_ranges(plan) if not (base <= span[0] and span[1] <= end)], servers


def _sweep(
    rows: Sequence[Span],
    servers: Sequence[Span],
    space_end: int,
    rank: Sequence[int],
    lists: dict[tuple[int, ...], int],
) -> tuple[list[int], list[int], list[int]]:
    """Return first address, plan row and candidate list of each segment; new lists are added to `lists`."""
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for first, last, rule in servers:
        begins.setdefault(first, []).append(rule)
        ends.setdefault(last + 1, []).append(rule)
    row_at: dict[int, int] = {}
    for first, last, row in rows:
        row_at[first] = row
        row_at.setdefault(last + 1, UNKNOWN_ID)
    starts: list[int] = []
    out_rows: list[int] = []
    out_lists: list[int] = []
    row, candidates = UNKNOWN_ID, UNKNOWN_ID
    active: set[int] = set()
    for start in sorted({0, *begins, *ends, *row_at}):
        if start > space_end:
            break
        row = row_at.get(start, row)
        if start in begins or start in ends:
            active.difference_update(ends.get(start, ()))
            active.update(begins.get(start, ()))
            ordered = tuple(sorted(active, key=rank.__getitem__))
            candidates = lists.setdefault(ordered, len(lists)) if ordered else UNKNOWN_ID
        starts.append(start)
        out_rows.append(row)
        out_lists.append(candidates)
    return starts, out_rows, out_lists

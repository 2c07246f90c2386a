"""Connection quality of each business per place and server, in intervals of 10 s and of 60 s kept at the same time.

`now` is the wall clock. An interval is emitted when its end and the grace have passed; what comes for it later, within
the lateness, is added, and its changed rows are emitted again, as the next revision and with their full sums. Sums are
kept for intervals of 10 s; those of 60 s are made of their six, which are held until the 60 s are too old.
Durations are kept as sketches, so that any rows can be merged (flows/qualityrows.py).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.flows.qualityrows import Cells, QualityInterval, interval_of
from btimd.kernels import qualitycells as kernels
from btimd.kernels.sketch import add_samples, add_sketches
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.packets import SpanTraffic
from btimd.model.quality import COUNTERS, QualityBatch
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis

FINE_MILLISECONDS: Final = 10_000
FINE_PER_COARSE: Final = 6
INTERVALS_MILLISECONDS: Final = (FINE_MILLISECONDS, FINE_MILLISECONDS * FINE_PER_COARSE)
_MARKS: Final = (kernels.FINE_CHANGED, kernels.COARSE_CHANGED)
_POINTS: Final = 63
"""Observation points are told apart by their number modulo this: of more, some share what the capture lost."""


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """How long an interval is waited for, how long after that it can change, and how many cells it has at most.

    future_seconds: what is later than this after now is lost and counted. max_cells: (business, place, server) in one
    interval of 10 s; a quarter is for places. A cell that is used takes about 0.3 KB, and 2 KB for each kind of
    duration measured there, per 10 s of grace + lateness + 60 s.
    """

    grace_seconds: Seconds = 3.0
    lateness_seconds: Seconds = 30.0
    future_seconds: Seconds = 60.0
    max_cells: int = 2048


class _Names:
    """Numbers for names that outlive a generation of plan and rules, so that open intervals need no renumbering."""

    def __init__(self) -> None:
        self.names: list[Hashable] = []
        self._numbers: dict[Hashable, int] = {}

    def numbers(self, names: Sequence[Hashable]) -> npt.NDArray[np.int32]:
        """Return the number of each name, and a last element -1 for the number -1."""
        for name in names:
            if name not in self._numbers:
                self._numbers[name] = len(self.names)
                self.names.append(name)
        return np.array([*(self._numbers[name] for name in names), UNKNOWN_ID], np.int32)


class QualityWindows:
    """Adds up connection quality and emits closed intervals. Not thread-safe: one thread owns it."""

    def __init__(self, attribution: Attribution, limits: QualityLimits | None = None) -> None:
        self._limits = limits or QualityLimits()
        self._grace = round(self._limits.grace_seconds * 1000)
        self._kept = self._grace + round(self._limits.lateness_seconds * 1000)
        self._future = round(self._limits.future_seconds * 1000)
        self._businesses, self._places = _Names(), _Names()
        self._cells: dict[int, Cells] = {}
        self._lost: dict[int, dict[int, tuple[int, int]]] = {}
        self._noted_at: dict[int, int] = {}
        self._revisions: tuple[dict[int, int], ...] = tuple({} for _ in INTERVALS_MILLISECONDS)
        self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
        self._held = 0
        self._now: UnixMillis | None = None
        self._pending: list[QualityInterval] = []
        self.records = self.samples = 0
        """Quality records and durations taken."""
        self.late = self.future = 0
        """Records and durations too late for their interval, or too far in the future to be kept."""
        self.restarts = 0
        """How often the clock was set back so far that everything was emitted and begun anew."""
        self._overflowed_before = 0
        self.swap(attribution)

    @property
    def attribution(self) -> Attribution:
        """The plan and rules in force."""
        return self._attribution

    @property
    def overflowed(self) -> int:
        """Shares whose server, or place, was not told apart because the interval had max_cells already."""
        return self._overflowed_before + sum(int(one.state[kernels.S_OVERFLOWED]) for one in self._cells.values())

    @property
    def cells(self) -> int:
        """Cells of all intervals held."""
        return sum(len(one) for one in self._cells.values())

    @property
    def octets(self) -> int:
        """Memory set aside for the intervals held; the system gives it as it is written to."""
        return sum(one.octets for one in self._cells.values())

    def swap(self, attribution: Attribution) -> None:
        """Go over to another generation of plan and rules; intervals keep what they hold under its names."""
        self._attribution = attribution
        businesses = self._businesses.numbers(attribution.businesses)
        places = self._places.numbers(attribution.places)
        self._owner_business = businesses[attribution.owners.business]
        self._place_of_row = places[attribution.plan.place_of_row]

    def add(self, traffic: SpanTraffic, now_milliseconds: UnixMillis) -> None:
        """Add the quality records and durations of a harvest, and what the capture lost meanwhile."""
        now, quality = self._advance(now_milliseconds), traffic.quality
        self._note_packets(traffic, now)
        point = 1 << traffic.observation_point % _POINTS
        self.records += len(quality)
        self.samples += len(quality.sample_time_milliseconds)
        self._gather(_Records(quality, self._attribution), point, now)
        self._gather(_Samples(quality, self._attribution), point, now)

    def close(self, now_milliseconds: UnixMillis) -> list[QualityInterval]:
        """Return what is to be emitted now: intervals that closed, and earlier ones that changed since."""
        now = self._advance(now_milliseconds)
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            closed_upto = (now - self._grace) // interval
            if closed_upto > self._closed_upto[level]:
                self._closed_upto[level] = closed_upto
                self._emit(level, closed_upto)
        return self._take()

    def flush(self) -> list[QualityInterval]:
        """Return everything that changed since it was last emitted, open intervals too; for the end of a run."""
        for level in range(len(INTERVALS_MILLISECONDS)):
            self._emit(level, None)
        return self._take()

    def _advance(self, given: UnixMillis) -> UnixMillis:
        """Move to a time, let go of the intervals that became too old, and return the time in force."""
        now = given if self._now is None else max(self._now, given)
        if given < now - self._kept:
            self.restarts += 1
            self._let_go(None)
            self._noted_at.clear()
            self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
            now = given
        self._now = now
        held = max(0, (now - self._kept) // INTERVALS_MILLISECONDS[1]) * FINE_PER_COARSE
        if held != self._held:
            self._held = held
            self._let_go(held)
        return now

    def _let_go(self, below: int | None) -> None:
        """Emit what changed before an interval of 10 s (None: in all), and forget it."""
        self._emit(0, below)
        self._emit(1, None if below is None else below // FINE_PER_COARSE)
        for interval in [one for one in self._cells if below is None or one < below]:
            self._overflowed_before += int(self._cells.pop(interval).state[kernels.S_OVERFLOWED])
        for held, parts in ((self._lost, 1), (self._revisions[0], 1), (self._revisions[1], FINE_PER_COARSE)):
            for interval in [one for one in held if below is None or one * parts < below]:
                del held[interval]

    def _note_packets(self, traffic: SpanTraffic, now: UnixMillis) -> None:
        """Book what was seen and lost since the harvest before, to each interval that this time touches."""
        point, last = traffic.observation_point % _POINTS, now // FINE_MILLISECONDS
        first = max(self._noted_at.get(point, last), last - FINE_PER_COARSE)
        self._noted_at[point] = last
        for interval in range(first, last + 1):
            booked = self._lost.setdefault(interval, {})
            seen, lost = booked.get(point, (0, 0))
            booked[point] = seen + max(traffic.packets, 0), lost + max(traffic.lost_packets, 0)

    def _gather(self, told: "_Records | _Samples", point: int, now: UnixMillis) -> None:
        times = told.times
        if not len(times):
            return
        first, end = self._held, (now + self._future) // FINE_MILLISECONDS + 1
        self.late += int((times < first * FINE_MILLISECONDS).sum())
        self.future += int((times >= end * FINE_MILLISECONDS).sum())
        first = max(first, int(times.min()) // FINE_MILLISECONDS)
        end = min(end, int(times.max()) // FINE_MILLISECONDS + 1)
        for interval in range(first, end):
            begin = interval * FINE_MILLISECONDS
            if end - first > 1 and not ((times >= begin) & (times < begin + FINE_MILLISECONDS)).any():
                continue
            cells = self._cells.get(interval)
            if cells is None:
                cells = self._cells[interval] = self._new_cells()
            cells.changed |= kernels.FINE_CHANGED | kernels.COARSE_CHANGED
            done = 0
            while True:
                done = told.gather(done, begin, point, self._owner_business, self._place_of_row, cells)
                if done == len(times):
                    break
                cells.grow(told.most_owners)

    def _new_cells(self) -> Cells:
        """Return cells of an interval, with as much room as the latest one took: to grow is to copy."""
        latest = self._cells[max(self._cells)] if self._cells else None
        return Cells(self._limits.max_cells, *(latest.room if latest is not None else ()))

    def _emit(self, level: int, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        parts, mark = (1, FINE_PER_COARSE)[level], _MARKS[level]
        changed = {interval // parts for interval, cells in self._cells.items() if cells.changed & mark}
        for interval in sorted(changed):
            if below is None or interval < below:
                self._pending.append(self._interval(level, interval))

    def _interval(self, level: int, interval: int) -> QualityInterval:
        """Return the changed rows of an interval, whose mark of change at this level is taken away."""
        parts, mark = (1, FINE_PER_COARSE)[level], _MARKS[level]
        wanted = range(interval * parts, (interval + 1) * parts)
        held = [self._cells[one] for one in wanted if one in self._cells]
        whole = held[0] if len(held) == 1 else Cells.merged(held)
        chosen = np.flatnonzero(whole.lines[: len(whole), kernels.L_FLAGS] & mark)
        revision = self._revisions[level].get(interval, 0)
        self._revisions[level][interval] = revision + 1
        found = interval_of(
            whole,
            chosen,
            interval_start_milliseconds=interval * INTERVALS_MILLISECONDS[level],
            interval_milliseconds=INTERVALS_MILLISECONDS[level],
            revision=revision,
            businesses=self._businesses.names,
            places=self._places.names,
            loss=self._loss(wanted),
        )
        for cells in held:
            cells.changed &= ~mark
            cells.lines[: len(cells), kernels.L_FLAGS] &= ~mark
        return found

    def _loss(self, intervals: range) -> dict[int, tuple[int, int]]:
        """Return packets seen and lost during some intervals by observation point."""
        summed: dict[int, tuple[int, int]] = {}
        for interval in intervals:
            for point, (seen, lost) in self._lost.get(interval, {}).items():
                before = summed.get(point, (0, 0))
                summed[point] = before[0] + seen, before[1] + lost
        return summed

    def _take(self) -> list[QualityInterval]:
        taken, self._pending = self._pending, []
        return taken


def attributed_connections(
    attribution: Attribution,
    addresses: npt.NDArray[np.int64],
    ports: npt.NDArray[np.uint16],
    protocol: npt.NDArray[np.uint8],
) -> AttributedBatch:
    """Return what connections belong to, the client being the source and the server the destination."""
    halves = np.ascontiguousarray(addresses).view(np.uint64)
    both = np.ascontiguousarray(ports)
    columns = dict(FlowBatch.zeros(len(protocol)).columns)
    columns |= {
        "source_address_hi": halves[0],
        "source_address_lo": halves[1],
        "destination_address_hi": halves[2],
        "destination_address_lo": halves[3],
        "source_transport_port": both[0],
        "destination_transport_port": both[1],
        "protocol_identifier": np.ascontiguousarray(protocol),
    }
    return attribution.attribute(FlowBatch(columns))


class _Told:
    """What a batch says at some times, and who owns it."""

    def __init__(self, quality: QualityBatch, times: npt.NDArray[np.int64], attribution: Attribution) -> None:
        self._quality = quality
        self.times = times
        self._owners = attribution.owners.offsets
        self.most_owners = int(np.diff(self._owners).max(initial=1))


class _Records(_Told):
    """The quality records of a batch, attributed."""

    def __init__(self, quality: QualityBatch, attribution: Attribution) -> None:
        super().__init__(quality, quality.time_milliseconds, attribution)
        self._of = attributed_connections(attribution, quality.addresses, quality.ports, quality.protocol)

    def gather(
        self,
        done: int,
        begin: int,
        point: int,
        owner_business: npt.NDArray[np.int32],
        place_of_row: npt.NDArray[np.int32],
        cells: Cells,
    ) -> int:
        """Add those of one interval, from number `done` on; return the first that found no room."""
        quality, of = self._quality, self._of
        return kernels.gather_records(
            done,
            begin,
            begin + FINE_MILLISECONDS,
            quality.addresses,
            quality.ports,
            quality.time_milliseconds,
            quality.counters,
            of.service_rule_id,
            of.client_plan_id,
            of.client_is_source,
            self._owners,
            owner_business,
            place_of_row,
            point,
            cells.table,
            cells.cells,
            cells.lines,
            cells.state,
            cells.most,
        )


class _Samples(_Told):
    """The measured durations of a batch, attributed."""

    def __init__(self, quality: QualityBatch, attribution: Attribution) -> None:
        super().__init__(quality, quality.sample_time_milliseconds, attribution)
        self._scratch = np.zeros((3, max(kernels.SAMPLES_AT_ONCE, self.most_owners)), np.int64)
        self._of = attributed_connections(
            attribution, quality.sample_addresses, quality.sample_ports, quality.sample_protocol
        )

    def gather(
        self,
        done: int,
        begin: int,
        point: int,
        owner_business: npt.NDArray[np.int32],
        place_of_row: npt.NDArray[np.int32],
        cells: Cells,
    ) -> int:
        """Add those of one interval, from number `done` on; return the first that found no room."""
        quality, of = self._quality, self._of
        first_left: int = kernels.gather_samples(
            done,
            begin,
            begin + FINE_MILLISECONDS,
            quality.sample_addresses,
            quality.sample_ports,
            quality.sample_time_milliseconds,
            quality.sample_kind,
            quality.sample_nanoseconds,
            of.service_rule_id,
            of.client_plan_id,
            of.client_is_source,
            self._owners,
            owner_business,
            place_of_row,
            point,
            cells.table,
            cells.cells,
            cells.lines,
            cells.stats,
            cells.buckets,
            cells.state,
            cells.most,
            cells.lines.reshape(-1, 8),
            cells.buckets.reshape(-1),
            self._scratch,
        )
        return first_left


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    one, word = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    quality = QualityBatch(
        np.zeros((4, 1), np.int64), np.zeros((2, 1), np.uint16), word, one, np.zeros((len(COUNTERS), 1), np.int64),
        np.zeros((4, 1), np.int64), np.zeros((2, 1), np.uint16), word, one, word, one,
    )  # fmt: skip
    windows = QualityWindows(Attribution(IpPlan.empty(), (), (), 0), QualityLimits(max_cells=8))
    for interval in range(2):
        one[:] = interval * FINE_MILLISECONDS
        windows.add(SpanTraffic(0, FlowBatch.zeros(0), quality, 1, 0), 0)
    cells = Cells(8)
    cells.grow(len(cells.cells) + 1)
    none = one[:0]
    add_samples(none, none, cells.stats, cells.buckets)
    add_sketches(none, none, cells.stats, cells.buckets, cells.stats, cells.buckets)
    windows.flush()

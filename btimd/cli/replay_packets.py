"""Packets of a capture file on the way a mirror port's go, to windows or to quality, at the pace of their own times.

Times in files are not always in order: files are put one behind the other, and single packets bear any time. Time goes
back where packets are older than the windows wait for: what came before is reported as it stands, and time begins anew.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TextIO

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from btimd.capture.packetfile import PacketFile
from btimd.daemon.config import Config
from btimd.daemon.spans import table_limits
from btimd.daemon.wiring import build_attribution
from btimd.flows.attribution import Attribution
from btimd.flows.packetsink import MOST_PENDING
from btimd.flows.quality import QualityLimits, QualityWindows
from btimd.flows.qualityrows import QualityInterval, grouped, merged
from btimd.flows.table import FlowTable, TableCounters, TableLimits
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.kernels.packetlayout import F_TIME
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.quality import QualityRow
from btimd.model.units import UnixMillis
from btimd.model.window import WindowBatch, WindowRow

RowKey = tuple[int, str, str, str]
_SECOND: Final = 1_000_000_000
_SLACK_SECONDS: Final = 60
_MOST_JUMPS: Final = 16
_NEIGHBOURS: Final = 2
_SHOWN_EVERY_SECONDS: Final = 0.5


def row_key(row: WindowRow) -> RowKey:
    """Return what rows are told apart and sorted by."""
    return row.interval_start_milliseconds, row.business, row.region, row.segment


def said(counts: Mapping[str, int]) -> list[str]:
    """Return in words what there was any of."""
    return [f"{count} {what}" for what, count in counts.items() if count > 0]


def replay_packets(path: Path, config: Config, interval_milliseconds: int) -> tuple[list[WindowRow], str]:
    """Return the rows of every interval of one length, in order, and a sentence about what was read and left out."""
    limits = replace(_table_limits(config), quality=False)
    line = _Traffic(build_attribution(config), config, _patience_seconds(limits), interval_milliseconds)
    summary = _play(path, limits, line)
    return [line.rows[key] for key in sorted(line.rows)], summary


def replay_quality(
    path: Path, config: Config, interval_milliseconds: int, by: Sequence[str]
) -> tuple[list[QualityRow], str]:
    """Return how connections did in every interval of one length, and a sentence about what was read and left out.

    by: the names that tell rows apart, some of flows.qualityrows.DIMENSIONS.
    """
    limits = replace(_table_limits(config), quality=True)
    line = _Quality(build_attribution(config), config, _patience_seconds(limits), interval_milliseconds, by)
    summary = _play(path, limits, line)
    return [line.rows[key] for key in sorted(line.rows)], summary


def _table_limits(config: Config) -> TableLimits:
    """Return the limits of the first mirror port that is configured, or the usual ones."""
    span = next(iter(config.settings.capture.span.values()), None)
    return TableLimits() if span is None else table_limits(span)


def _patience_seconds(limits: TableLimits) -> int:
    """Return how far behind the packets' time a flow can be told at most; for so long windows wait."""
    return -(-(limits.active_nanoseconds + limits.inactive_nanoseconds) // _SECOND) + _SLACK_SECONDS


class _Line(Protocol):
    """Where traffic goes. `end`: all that was added is to be reported as it stands, as time goes back or ends."""

    patience_seconds: int

    def add(self, traffic: SpanTraffic, now: UnixMillis) -> None: ...
    def close(self, now: UnixMillis) -> None: ...
    def end(self) -> None: ...
    def left_out(self) -> Mapping[str, int]: ...


class _Traffic:
    """Windows, and the rows they gave."""

    def __init__(self, attribution: Attribution, config: Config, patience_seconds: int, interval: int) -> None:
        settings = config.settings.flows
        self.patience_seconds = patience_seconds
        self.rows: dict[RowKey, WindowRow] = {}
        self._interval = interval
        self._attribution = attribution
        # Who waits long enough emits each interval once.
        limits = WindowLimits(patience_seconds, 0.0, _SLACK_SECONDS, settings.max_cells)
        self._windows = Windows(attribution, Users(attribution, UserLimits(settings.max_users)), limits)

    def add(self, traffic: SpanTraffic, now: UnixMillis) -> None:
        if len(traffic.flows):
            self._windows.add(self._attribution.attribute(traffic.flows), now)

    def close(self, now: UnixMillis) -> None:
        self._keep(self._windows.close(now))

    def end(self) -> None:
        self._keep(self._windows.flush())

    def left_out(self) -> Mapping[str, int]:
        level = INTERVALS_MILLISECONDS.index(self._interval)
        return {
            "records too late": self._windows.late_records(level),
            "records too far in the future": self._windows.future_records,
        }

    def _keep(self, batches: Sequence[WindowBatch]) -> None:
        for batch in batches:
            if batch.interval_milliseconds == self._interval:
                for row in batch.rows():
                    key = row_key(row)
                    self.rows[key] = _added(self.rows[key], row) if key in self.rows else row


def _added(one: WindowRow, other: WindowRow) -> WindowRow:
    """Return the sum of two rows of an interval that was gone through twice; users may have been there both times."""
    return replace(
        one,
        octets_to_server=one.octets_to_server + other.octets_to_server,
        octets_to_client=one.octets_to_client + other.octets_to_client,
        packets=one.packets + other.packets,
        flows=one.flows + other.flows,
        users=max(one.users, other.users),
        users_exact=False,
    )


class _Quality:
    """Quality windows, and the rows they gave."""

    def __init__(
        self, attribution: Attribution, config: Config, patience_seconds: int, interval: int, by: Sequence[str]
    ) -> None:
        self.patience_seconds = patience_seconds
        self.rows: dict[tuple[int, tuple[str, ...]], QualityRow] = {}
        self._interval = interval
        self._by = by
        most = config.settings.flows.quality.max_cells
        self._windows = QualityWindows(attribution, QualityLimits(patience_seconds, 0.0, _SLACK_SECONDS, most))

    def add(self, traffic: SpanTraffic, now: UnixMillis) -> None:
        if len(traffic.quality) or len(traffic.quality.sample_time_milliseconds):
            # What the capture lost when the file was made, the file does not tell: so it is not known to be nothing.
            self._windows.add(replace(traffic, packets=0, lost_packets=0), now)

    def close(self, now: UnixMillis) -> None:
        self._keep(self._windows.close(now))

    def end(self) -> None:
        self._keep(self._windows.flush())

    def left_out(self) -> Mapping[str, int]:
        return {
            "quality records and durations too late": self._windows.late,
            "quality records and durations too far in the future": self._windows.future,
            "servers or places not told apart, as there were max_cells": self._windows.overflowed,
        }

    def _keep(self, intervals: Sequence[QualityInterval]) -> None:
        for interval in intervals:
            if interval.interval_milliseconds == self._interval:
                for row in grouped(interval.rows, self._by):
                    names = row.business, row.region, row.segment, row.server
                    key = row.interval_start_milliseconds, names
                    self.rows[key] = merged([self.rows[key], row], names) if key in self.rows else row


def _play(path: Path, limits: TableLimits, line: _Line) -> str:
    """Send a file through a flow table into a line; return a sentence about what was read and left out."""
    file, table, pace = PacketFile(path), FlowTable(limits), Pace(line.patience_seconds)
    progress, second = _Progress(sys.stderr, path.name), 0
    for block in file.blocks():
        for step in pace.steps(block):
            if step.goes_back:
                line.add(table.flush(), second * 1000)
                line.end()
            elif step.second != second:
                line.add(table.harvest(step.second * _SECOND), second * 1000)
            if step.second != second:
                second = step.second
                line.close(second * 1000)
            table.add(step.block)
            if table.waiting > MOST_PENDING:
                line.add(table.harvest(second * _SECOND), second * 1000)
        progress.show(table.counters.packets, second)
    line.add(table.flush(), second * 1000)
    line.end()
    progress.end()
    return _summary(path, file, table.counters, line)


@dataclass(frozen=True, slots=True)
class Step:
    """Packets that are counted together, and the second it is then, since 1970; goes_back: time goes back to there."""

    block: PacketBlock
    second: int
    goes_back: bool


class Pace:
    """Cuts blocks into steps of a second of the packets' time.

    A packet of another time than its neighbours does not move time. Time only goes on, but where packets are older than
    the patience; it does so a few times in a block at most, so that nobody can make every packet a step back.
    """

    def __init__(self, patience_seconds: int) -> None:
        self._patience = patience_seconds
        self._second: int | None = None

    def steps(self, block: PacketBlock) -> Iterator[Step]:
        """Yield the block in parts, all of it."""
        seconds = _smooth(block.frames[F_TIME]) // _SECOND
        begin = 0
        for _ in range(_MOST_JUMPS):
            if begin == len(seconds):
                return
            first = int(seconds[begin])
            goes_back = self._second is not None and first < self._second - self._patience
            if goes_back or self._second is None:
                self._second = first
            reached = np.maximum.accumulate(np.maximum(seconds[begin:], self._second))
            older = np.flatnonzero(seconds[begin:] < reached - self._patience)
            end = begin + int(older[0]) if len(older) else len(seconds)
            changes = np.flatnonzero(np.diff(reached[: end - begin])) + 1
            for at, until in pairwise([0, *changes.tolist(), end - begin]):
                self._second = int(reached[at])
                yield Step(_part(block, begin + at, begin + until), self._second, goes_back and at == 0)
            begin = end
        if begin < len(seconds) and self._second is not None:
            yield Step(_part(block, begin, len(seconds)), self._second, goes_back=False)


def _part(block: PacketBlock, begin: int, end: int) -> PacketBlock:
    whole = begin == 0 and end == len(block)
    return block if whole else PacketBlock(block.slab, block.frames[:, begin:end])


def _smooth(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return times without those that neither of their neighbours bears out, and none before 1970."""
    if (np.diff(times) >= 0).all() or len(times) <= 2 * _NEIGHBOURS:
        return np.maximum(times, 0)
    padded = np.pad(times, _NEIGHBOURS, mode="edge")
    around = np.sort(sliding_window_view(padded, 2 * _NEIGHBOURS + 1), axis=1)
    return np.maximum(around[:, _NEIGHBOURS], 0)


class _Progress:
    """Says on a terminal how far a file has been read."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream if stream.isatty() else None
        self._name = name
        self._due = time.monotonic() + _SHOWN_EVERY_SECONDS
        self._shown = False

    def show(self, packets: int, second: int) -> None:
        if self._stream is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _SHOWN_EVERY_SECONDS
        self._shown = True
        self._stream.write(f"\r{self._name}: {packets:,} packets, until {_moment(second)}\x1b[K")
        self._stream.flush()

    def end(self) -> None:
        if self._stream is not None and self._shown:
            self._stream.write("\r\x1b[K")


def _moment(second: int) -> str:
    return (
        str(np.datetime64(second, "s")) + "Z" if second >= 1 << 37 else f"{datetime.fromtimestamp(second, UTC):%FT%TZ}"
    )


def _summary(path: Path, file: PacketFile, table: TableCounters, line: _Line) -> str:
    """Return what was read and, by reason, what is in no row."""
    found = file.counters
    left_out = {
        "packets that are not IP": table.not_ip,
        "packets cut off before their addresses end": table.cut_off,
        "malformed packets": table.malformed,
        "packets of link types that are not read": table.unknown_link,
        "packets cut off by the end of the file": found.cut_off,
        "packets longer than 256 KiB": found.too_long,
        "broken blocks": found.bad_blocks,
        "packets of interfaces that are not described": found.unknown_interface,
        "octets unread, as no block begins there": found.unread_octets,
        **line.left_out(),
    }
    text = f"{path.name}: {found.packets} packets, {table.created} flows, {table.records} records"
    if table.evicted:
        text += f" ({table.evicted} flows reported early, as there were more than max_flows)"
    words = said(left_out)
    return f"{text}; left out: {', '.join(words)}" if words else text

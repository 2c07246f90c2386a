"""The spool: a durable queue on disk between btimd and a series server.

Entries lie in segments, files named by a growing number; `position` says up to where the server has them.

    segment:  entry entry entry ...
    entry:    magic "bsp1" | length u32 | points u32 | appended at f64 | CRC-32 u32 | payload     (little endian)
              the CRC covers length, points, time and payload
    position: two slots of segment u64 | offset u64 | generation u64 | CRC-32 u32, written in turn; the newer one counts

append returns when the entry is on the disk (fsync); advance when the position is. After kill -9 or power loss a torn
entry at the end is cut off, everything before it is there. What was sent but not yet advanced over is sent once more:
line protocol is idempotent, as the same point written again replaces itself, so the one payload in doubt does no harm.

The spool is bounded by bytes: when full, the oldest segment goes and its points are counted.
"""

import fcntl
import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from btimd.model.units import UnixSeconds

_HEADER: Final = struct.Struct("<4sIIdI")
_COVERED: Final = struct.Struct("<IId")
_SLOT: Final = struct.Struct("<QQQ")
_SLOT_BYTES: Final = _SLOT.size + 4
_MAGIC: Final = b"bsp1"
_SEGMENTS_PER_SPOOL: Final = 16
_SUFFIX: Final = ".spool"


class SpoolError(Exception):
    """The spool cannot be used."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A payload that waits. segment and end: where the entry after it begins, for advance."""

    payload: bytes
    points: int
    appended_at: UnixSeconds
    segment: int
    end: int


@dataclass(slots=True)
class _Segment:
    number: int
    size: int
    points: int
    first_at: UnixSeconds | None


class Spool:
    """The spool in a directory, for one process; append, peek and advance may be called from any thread."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Open what is there or begin; raises SpoolError when another process uses it or the disk refuses."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = max(max_bytes // _SEGMENTS_PER_SPOOL, 1)
        self._lock = threading.Lock()
        self._damaged_bytes = 0
        self._damaged_points = 0
        self._generation = 0
        self._closed = False
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._position_file = os.open(directory / "position", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._position_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._open_segments()
            except BaseException:
                os.close(self._position_file)
                raise
        except BlockingIOError as error:
            raise SpoolError(f"the spool {directory} is in use; is another btimd running?") from error
        except OSError as error:
            reason = f"{error.strerror}; check disk, owner and mode"
            raise SpoolError(f"cannot open the spool {directory}: {reason}") from error

    def _open_segments(self) -> None:
        numbers = sorted(int(path.stem) for path in self._directory.glob(f"*{_SUFFIX}"))
        self._head, self._offset = self._read_position()
        for number in [number for number in numbers if number < self._head]:
            self._path(number).unlink()
        kept = [number for number in numbers if number >= self._head]
        if kept and kept[0] != self._head:
            self._head, self._offset = kept[0], 0
        self._segments = deque(self._scan(number) for number in kept)
        if not self._segments:
            self._head, self._offset = max(self._head, 1), 0
            self._segments.append(_Segment(self._head, 0, 0, None))
        last = self._segments[-1]
        self._tail = os.open(self._path(last.number), os.O_WRONLY | os.O_CREAT, 0o600)
        os.ftruncate(self._tail, last.size)
        self._offset = min(self._offset, self._segments[0].size)
        self._sync_directory()
        self._write_position()  # it may have pointed into a segment that is gone, whose number is used again

    def _scan(self, number: int) -> _Segment:
        """Read a segment through; what follows its last sound entry is no part of it."""
        start = self._offset if number == self._head else 0
        segment = _Segment(number, 0, 0, None)
        with self._path(number).open("rb") as file:
            total = os.fstat(file.fileno()).st_size
            while (entry := _read_entry(file.read, number, segment.size)) is not None:
                if entry.end > start:
                    segment.points += entry.points
                    segment.first_at = entry.appended_at if segment.first_at is None else segment.first_at
                segment.size = entry.end
        self._damaged_bytes += total - segment.size
        return segment

    def _read_position(self) -> tuple[int, int]:
        best = (0, 0, 0)
        for slot in range(2):
            raw = os.pread(self._position_file, _SLOT_BYTES, slot * _SLOT_BYTES)
            if len(raw) == _SLOT_BYTES and zlib.crc32(raw[:-4]) == int.from_bytes(raw[-4:], "little"):
                segment, offset, generation = _SLOT.unpack(raw[:-4])
                best = max(best, (generation, segment, offset))
        self._generation, head, offset = best
        return head, offset

    def _write_position(self) -> None:
        self._generation += 1
        raw = _SLOT.pack(self._head, self._offset, self._generation)
        raw += zlib.crc32(raw).to_bytes(4, "little")
        os.pwrite(self._position_file, raw, (self._generation % 2) * _SLOT_BYTES)
        os.fsync(self._position_file)

    def append(self, payload: bytes, points: int, at: UnixSeconds) -> int:
        """Make a payload durable behind all others; return how many points of the oldest had to go for it.

        Raises OSError when the disk refuses; the spool is then as it was.
        """
        covered = _COVERED.pack(len(payload), points, at)
        crc = zlib.crc32(payload, zlib.crc32(covered))
        raw = _HEADER.pack(_MAGIC, len(payload), points, at, crc) + payload
        with self._lock:
            if self._closed:
                raise OSError("the spool is closed")
            dropped = self._make_room(len(raw))
            last = self._segments[-1]
            try:
                view = memoryview(raw)
                written = 0
                while written < len(raw):
                    written += os.pwrite(self._tail, view[written:], last.size + written)
                os.fsync(self._tail)
            except OSError:
                os.ftruncate(self._tail, last.size)
                raise
            last.size += len(raw)
            last.points += points
            last.first_at = at if last.first_at is None else last.first_at
            return dropped

    def _make_room(self, size: int) -> int:
        if self._segments[-1].size and self._segments[-1].size + size > self._segment_bytes:
            self._begin_segment()
        dropped = 0
        while len(self._segments) > 1 and self._total_bytes() + size > self._max_bytes:
            dropped += self._segments[0].points
            self._drop_head()
            self._write_position()
        return dropped

    def _begin_segment(self) -> None:
        number = self._segments[-1].number + 1
        tail = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.close(self._tail)
        self._tail = tail
        self._segments.append(_Segment(number, 0, 0, None))
        self._sync_directory()

    def _drop_head(self) -> None:
        """Remove the oldest segment; the position moves to the next one. There is a next one."""
        self._path(self._segments.popleft().number).unlink(missing_ok=True)
        self._head, self._offset = self._segments[0].number, 0

    def _sync_directory(self) -> None:
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def peek(self, max_bytes: int) -> Sequence[Entry]:
        """Return the oldest entries of one segment, at least one if any waits, together no more than max_bytes."""
        with self._lock:
            if self._closed:
                return []
            while self._offset >= self._segments[0].size and len(self._segments) > 1:
                self._drop_head()
            head = self._segments[0]
            if self._offset >= head.size:
                return []
            entries: list[Entry] = []
            taken = 0
            with self._path(head.number).open("rb") as file:
                file.seek(self._offset)
                end = self._offset
                while end < head.size:
                    entry = _read_entry(file.read, head.number, end)
                    if entry is None:
                        self._give_up_rest(head, end)
                        break
                    taken += len(entry.payload)
                    if entries and taken > max_bytes:
                        break
                    entries.append(entry)
                    end = entry.end
            return entries

    def _give_up_rest(self, segment: _Segment, sound_until: int) -> None:
        """Pass over what cannot be read any more (the disk changed it), and count it."""
        sound_points = self._points_until(segment, sound_until)
        self._damaged_points += segment.points - sound_points
        self._damaged_bytes += segment.size - sound_until
        segment.points = sound_points
        if segment is self._segments[-1]:
            self._begin_segment()
        segment.size = sound_until

    def advance(self, entry: Entry) -> None:
        """Record durably that the server has this entry and all before it."""
        with self._lock:
            if self._closed or (entry.segment, entry.end) <= (self._head, self._offset):
                return
            segment = self._segments[0]
            segment.points -= self._points_until(segment, entry.end)
            segment.first_at = entry.appended_at if segment.points else None
            self._offset = entry.end
            self._write_position()
            if entry.end >= segment.size and len(self._segments) > 1:
                self._drop_head()

    def _points_until(self, segment: _Segment, end: int) -> int:
        """Count the points between the position and `end` by the headers alone."""
        points, at = 0, self._offset
        with self._path(segment.number).open("rb") as file:
            while at < end:
                file.seek(at)
                _, length, entry_points, _, _ = _HEADER.unpack(file.read(_HEADER.size))
                points += entry_points
                at += _HEADER.size + length
        return points

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:012d}{_SUFFIX}"

    def _total_bytes(self) -> int:
        return sum(segment.size for segment in self._segments)

    @property
    def waiting_bytes(self) -> int:
        """Bytes on disk that the server does not have yet."""
        with self._lock:
            return self._total_bytes() - self._offset

    @property
    def waiting_points(self) -> int:
        """Points that the server does not have yet."""
        with self._lock:
            return sum(segment.points for segment in self._segments)

    @property
    def oldest_at(self) -> UnixSeconds | None:
        """When about the oldest waiting entry was appended; None when nothing waits."""
        with self._lock:
            return next((segment.first_at for segment in self._segments if segment.first_at is not None), None)

    @property
    def damaged_bytes(self) -> int:
        """Bytes that were torn or could not be read since the spool was opened."""
        return self._damaged_bytes

    @property
    def damaged_points(self) -> int:
        """Points that were written well but could not be read back since the spool was opened."""
        return self._damaged_points

    def close(self) -> None:
        """Give the files back; may be called twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._tail)
                os.close(self._position_file)


def _read_entry(read: Callable[[int], bytes], segment: int, at: int) -> Entry | None:
    """Return the entry that `read` stands before, None where none is or where it is torn or damaged."""
    header = read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    magic, length, points, appended_at, crc = _HEADER.unpack(header)
    if magic != _MAGIC:
        return None
    payload = read(length)
    covered = _COVERED.pack(length, points, appended_at)
    if len(payload) < length or zlib.crc32(payload, zlib.crc32(covered)) != crc:
        return None
    return Entry(payload, points, appended_at, segment, at + _HEADER.size + length)

"""Delivery: takes points over, makes them durable in the spool, and brings them to a server in order.

One rule for every server. All points go through the spool: an intake thread encodes what was written and appends it
once per flush interval; a sender thread posts the oldest entries and advances. So nothing that was flushed is lost by a
server's or btimd's death, and the order of writing is the order of sending, which makes the last revision win.

| the server says | what happens |
|---|---|
| 2xx | advance |
| nothing, 408, 429, 5xx | wait (1 s, doubling, up to retry_at_most_every; Retry-After), try the same again; warn once |
| 401, 403, 404 | the same, and the log says what to fix |
| any other 4xx | the batch is halved until the refused points stand alone; they are counted, logged and dropped |
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from btimd.model.points import PointBlock
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.store import lineprotocol
from btimd.store.blockqueue import BlockQueue
from btimd.store.spool import Entry, Spool
from btimd.store.storemetrics import StoreMetrics

_FIRST_PAUSE_SECONDS: Final = 1.0
_REQUESTS_PER_REFUSED_BATCH: Final = 256


class PostError(ConnectionError):
    """A server did not take what it was sent. status None: there was no answer."""

    def __init__(self, status: int | None, message: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class Poster(Protocol):
    """Sends line protocol to one server, from the sender's thread."""

    def post(self, payloads: Sequence[bytes]) -> None:
        """Return when the server has taken all; raises PostError."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class Outcome(StrEnum):
    """What a server's status means for the queue."""

    AWAY = "away"
    MISCONFIGURED = "misconfigured"
    REFUSED = "refused"


def classify(status: int | None) -> Outcome:
    """Say what an answer other than success means."""
    if status in {401, 403, 404}:
        return Outcome.MISCONFIGURED
    if status is not None and 400 <= status < 500 and status not in {408, 429}:  # noqa: PLR2004  HTTP classes
        return Outcome.REFUSED
    return Outcome.AWAY


def pause_seconds(failures: int, longest: float, retry_after_seconds: float) -> float:
    """Return how long to wait after so many failures in a row: doubling, or what the server asked for, bounded."""
    return min(longest, max(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 30), retry_after_seconds))


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """flush_seconds: how long points wait in memory. queue_points: how many may. longest_pause_seconds: of a retry."""

    flush_seconds: float
    queue_points: int
    batch_bytes: int
    longest_pause_seconds: float
    remedies: dict[int, str]
    """What the operator should do about a 401, 403 or 404 of this kind of server."""


class Delivery:
    """Runs the two threads between `start` and `stop`. It owns the spool and the poster and closes both."""

    def __init__(
        self,
        *,
        poster: Poster,
        spool: Spool,
        settings: DeliverySettings,
        metrics: StoreMetrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._poster = poster
        self._spool = spool
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._queue = BlockQueue(settings.queue_points, settings.longest_pause_seconds, metrics)
        self._stopping = threading.Event()
        self._appended = threading.Event()
        self._trouble = ""
        self._level = HealthLevel.OK
        self._away_since: float | None = None
        self._refusals = OncePerInterval()
        self._disk_trouble = ""
        self._damaged_points = 0
        self._intake = threading.Thread(target=self._take_in, name="store-intake", daemon=True)
        self._sender = threading.Thread(target=self._send, name="store-sender", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._report_spool()
        self._intake.start()
        self._sender.start()

    def write(self, block: PointBlock) -> None:
        """Take points over; see BlockQueue for what happens when the disk does not keep up."""
        self._queue.put(block)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was written before is durable in the spool; tell whether it is."""
        return self._queue.flush(timeout_seconds)

    def stop(self, timeout_seconds: float = 4.0) -> None:
        """Make everything durable, try once to empty the spool, end the threads. What waits is sent after a restart."""
        self._queue.close()
        if self._intake.ident is not None:
            self._intake.join(timeout_seconds / 2)
        self._stopping.set()
        self._appended.set()
        if self._sender.ident is not None:
            self._sender.join(timeout_seconds / 2)
        self._spool.close()
        if self._sender.ident is None:
            self._poster.close()

    def health(self) -> ComponentHealth:
        """Say how the way to the server is."""
        if self._disk_trouble:
            return ComponentHealth(HealthLevel.ERROR, self._disk_trouble)
        if self._level is HealthLevel.OK:
            return ComponentHealth()
        return ComponentHealth(self._level, f"{self._trouble}; {self._spool.waiting_points} points wait in the spool")

    # The intake thread.

    def _take_in(self) -> None:
        ended = False
        while not ended:
            ended = self._queue.closed
            blocks, ticket = self._queue.take(self._settings.flush_seconds)
            taken = self._spool_blocks(blocks)
            self._queue.stored(taken, ticket if taken == len(blocks) else None)
            if taken < len(blocks) and not ended:
                self._stopping.wait(self._settings.flush_seconds)
        self._queue.give_up("disk")

    def _spool_blocks(self, blocks: Sequence[PointBlock]) -> int:
        """Append blocks in batches; return how many are durable. What cannot be encoded is refused and passed over."""
        durable = 0
        payload = bytearray()
        points = 0
        for number, block in enumerate(blocks):
            try:
                encoded = lineprotocol.encode(block)
            except ValueError as error:
                self._refuse(len(block), str(error))
                encoded = b""
            payload += encoded
            points += encoded.count(b"\n")
            if len(payload) < self._settings.batch_bytes and number + 1 < len(blocks):
                continue
            if payload and not self._append(bytes(payload), points):
                return durable
            durable = number + 1
            payload.clear()
            points = 0
        return durable

    def _append(self, payload: bytes, points: int) -> bool:
        try:
            lost = self._spool.append(payload, points, self._clock.wall())
        except OSError as error:
            reason = f"the spool cannot be written: {error.strerror or error}; free disk space"
            if not self._disk_trouble:
                self._log.error("store-spool-failed", reason=reason)
            self._disk_trouble = reason
            return False
        self._disk_trouble = ""
        if lost:
            self._metrics.dropped.labels("spool-full").inc(lost)
            self._log.warning("store-spool-full", dropped_points=lost)
        self._metrics.spooled.inc(points)
        self._report_spool()
        self._appended.set()
        return True

    def _report_spool(self) -> None:
        oldest_at = self._spool.oldest_at
        self._metrics.spool_bytes.set(self._spool.waiting_bytes)
        self._metrics.spool_points.set(self._spool.waiting_points)
        self._metrics.spool_age.set(0.0 if oldest_at is None else max(0.0, self._clock.wall() - oldest_at))

    def _count_damage(self) -> None:
        damage = self._spool.damaged_points - self._damaged_points
        if damage:
            self._damaged_points += damage
            self._metrics.dropped.labels("damaged").inc(damage)
            self._log.error("store-spool-damaged", dropped_points=damage, remedy="check the disk")

    # The sender thread.

    def _send(self) -> None:
        try:
            self._send_until_stopped()
        finally:
            self._poster.close()

    def _send_until_stopped(self) -> None:
        failures = 0
        while True:
            last_round = self._stopping.is_set()
            self._appended.clear()
            entries = self._spool.peek(self._settings.batch_bytes)
            self._count_damage()
            if not entries:
                if last_round:
                    return
                self._appended.wait(self._settings.flush_seconds)
                continue
            try:
                self._deliver(entries)
            except PostError as error:
                failures += 1
                self._say_trouble(error)
                self._report_spool()
                if last_round:
                    return
                longest = self._settings.longest_pause_seconds
                self._stopping.wait(pause_seconds(failures, longest, error.retry_after_seconds))
                continue
            failures = 0
            self._spool.advance(entries[-1])
            self._report_spool()
            self._say_recovered()

    def _deliver(self, entries: Sequence[Entry]) -> None:
        """Post entries, or all of them that the server does not refuse for good."""
        payloads = [entry.payload for entry in entries]
        points = sum(entry.points for entry in entries)
        try:
            self._poster.post(payloads)
        except PostError as error:
            if classify(error.status) is not Outcome.REFUSED:
                raise
            refused = _Refused(self._poster)
            refused.halve(b"".join(payloads).splitlines(keepends=True), error)
            self._refuse(refused.points, refused.message)
            points -= refused.points
        self._metrics.written.inc(points)

    def _refuse(self, points: int, message: str) -> None:
        """Count points that nobody will take, and say so, at most once a minute."""
        if not points:
            return
        self._metrics.rejected.inc(points)
        held = self._refusals.take(self._clock.monotonic())
        if held is not None:
            self._log.warning("store-points-refused", points=points, reason=message, held_back=held)

    def _say_trouble(self, error: PostError) -> None:
        remedy = self._settings.remedies.get(error.status or 0, "")
        text = f"{error}; {remedy}" if remedy else str(error)
        if self._away_since is None:
            self._away_since = self._clock.monotonic()
        if classify(error.status) is Outcome.MISCONFIGURED:
            if self._level is not HealthLevel.ERROR:
                self._log.error("store-server-refuses-us", reason=text, meanwhile="points are kept in the spool")
            self._level = HealthLevel.ERROR
        else:
            if self._level is HealthLevel.OK:
                self._log.warning("store-server-away", reason=text, meanwhile="points are kept in the spool")
            self._level = HealthLevel.WARNING
        self._trouble = text
        self._metrics.failures.inc()

    def _say_recovered(self) -> None:
        if self._away_since is None:
            return
        if self._spool.waiting_points:
            self._level, self._trouble = HealthLevel.WARNING, "the server is back, catching up"
            return
        seconds = self._clock.monotonic() - self._away_since
        self._log.info("store-caught-up", after_seconds=round(seconds, 1))
        self._away_since = None
        self._level = HealthLevel.OK


class _Refused:
    """Finds the lines a server refuses by halving; with its requests spent, the rest counts as refused."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._requests = _REQUESTS_PER_REFUSED_BATCH
        self.points = 0
        self.message = ""

    def halve(self, lines: list[bytes], error: PostError) -> None:
        """Post the two halves of refused lines, each on its own; raises PostError when the server goes away."""
        if len(lines) <= 1 or self._requests <= 0:
            self.points += len(lines)
            self.message = str(error)
            return
        middle = len(lines) // 2
        for half in (lines[:middle], lines[middle:]):
            self._requests -= 1
            try:
                self._poster.post([b"".join(half)])
            except PostError as found:
                if classify(found.status) is not Outcome.REFUSED:
                    raise
                self.halve(half, found)

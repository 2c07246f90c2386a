"""Sends the flow records that btimd makes of packets to other collectors, as IPFIX over UDP (RFC 7011 section 10.3)."""

import errno
import select
import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btimd.capture.wire.ipfixexport import ExportLimits, FlowEncoder, Message
from btimd.model.flowbatch import FlowBatch
from btimd.runtime.clock import Clock, SystemClock, wall_milliseconds
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

BURST_MESSAGES: Final = 32
PAUSE_SECONDS: Final = 0.001
"""After so many messages to each collector a pause: records come once a second, and a collector's socket holds few."""
BUSY_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 1.0
_SEND_BUFFER_OCTETS: Final = 4 * 1024 * 1024
_BUSY: Final = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
_METRICS: Final = {
    "records": ("btimd_capture_export_records_total", "Flow records sent to another collector, once for each of them"),
    "messages": ("btimd_capture_export_messages_total", "IPFIX messages sent to another collector, templates included"),
    "errors": ("btimd_capture_export_errors_total", "Errors of sending to another collector, refusals included"),
    "dropped_records": (
        "btimd_capture_export_dropped_records_total",
        "Flow records not sent to another collector: too many waited, or sending failed",
    ),
}


@dataclass(slots=True)
class ExportCounters:
    """Counted by the thread, read by anyone; each collector counts for itself."""

    records: int = 0
    messages: int = 0
    errors: int = 0
    dropped_records: int = 0


class _Collector:
    """A collector and the socket that is connected to it. A name is looked up again after errors, by the thread."""

    def __init__(self, host: str, port: int, counters: ExportCounters, log: Log) -> None:
        self._host, self._port = host, port
        self._counters = counters
        self._log = log
        self._log_limit = OncePerInterval()
        self._socket: socket.socket | None = None
        self._retry_at = float("-inf")
        self._refused = False

    def open(self, now: float) -> bool:
        """Make sure that there is a socket; return whether it is a new one. Tries every half a minute at most."""
        if self._socket is not None or now < self._retry_at:
            return False
        self._retry_at = now + RETRY_SECONDS
        made = None
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
            made = socket.socket(family, kind, protocol)
            made.settimeout(0)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_OCTETS)
            made.connect(address)
        except OSError as error:
            if made is not None:
                made.close()
            self._failed(error, now)
            return False
        self._socket = made
        return True

    def send(self, message: Message, now: float) -> None:
        """Send a message or count why not; takes BUSY_SECONDS at most."""
        if self._socket is None:
            self._counters.dropped_records += message.records
            return
        error = self._try(self._socket, message)
        if error is not None and error.errno == errno.ECONNREFUSED:
            # The refusal of a message before this one, which was not sent for that.
            self._refused = True
            self._failed(error, now)
            error = self._try(self._socket, message)
        if error is not None and error.errno in _BUSY:
            self._failed(error, now)
            select.select([], [self._socket], [], BUSY_SECONDS)
            error = self._try(self._socket, message)
        if error is None:
            self._counters.messages += 1
            self._counters.records += message.records
            return
        self._failed(error, now)
        self._counters.dropped_records += message.records
        if error.errno not in _BUSY and error.errno not in {errno.ECONNREFUSED, errno.EPERM}:
            self.close()  # the way to the collector has changed, or its address has
            self._retry_at = now + RETRY_SECONDS

    def take_refused(self) -> bool:
        """Tell whether nobody listened since the last time: one that does now knows no templates."""
        found, self._refused = self._refused, False
        return found

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _try(file: socket.socket, message: Message) -> OSError | None:
        try:
            file.send(message.octets)
        except OSError as error:
            return error
        return None

    def _failed(self, error: OSError, now: float) -> None:
        self._counters.errors += 1
        held = self._log_limit.take(now)
        if held is not None:
            self._log.warning(
                "capture-export-failed", host=self._host, port=self._port, reason=error, more_since_last_line=held
            )


class FlowExporter:
    """Takes batches of flow records from any thread and sends them to every collector from a thread of its own.

    `put` never waits: when more than `queue_records` wait, the oldest batches are dropped and counted, and sequence
    numbers show that they are missing. A collector that cannot be reached costs the others nothing but time.
    Memory: about 200 octets per waiting record, and as much for the batch that is being sent.
    """

    def __init__(
        self,
        collectors: Sequence[tuple[str, int]],
        metrics: Metrics,
        log: Log,
        *,
        limits: ExportLimits | None = None,
        queue_records: int = 1_000_000,
        clock: Clock | None = None,
    ) -> None:
        self.counters = ExportCounters()
        self._clock = clock or SystemClock()
        self._collectors = [_Collector(host, port, self.counters, log) for host, port in collectors]
        self._encoder = FlowEncoder(limits)
        self._queue_records = queue_records
        self._metrics = {key: metrics.counter(name, text) for key, (name, text) in _METRICS.items()}
        self._reported = ExportCounters()
        self._waiting: deque[tuple[FlowBatch, int]] = deque()
        self._waiting_records = 0
        self._skipped: dict[int, int] = {}
        self._changed = threading.Condition()
        self._dropped = 0
        self._stopping = threading.Event()
        self._hurry_until = 0.0
        self._log = log
        self._log_limit = OncePerInterval()
        self._thread = threading.Thread(target=self._work, name="capture-export", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, flows: FlowBatch, domain: int) -> None:
        """Hand over records of an observation domain; nobody may write to the batch any more."""
        if not len(flows):
            return
        with self._changed:
            if self._stopping.is_set():
                self._dropped += len(flows) * len(self._collectors)
                return
            self._waiting.append((flows, domain))
            self._waiting_records += len(flows)
            # The newest one is kept, however large: its arrays exist anyway.
            while self._waiting_records > self._queue_records and len(self._waiting) > 1:
                oldest, its_domain = self._waiting.popleft()
                self._waiting_records -= len(oldest)
                self._skipped[its_domain] = self._skipped.get(its_domain, 0) + len(oldest)
                self._dropped += len(oldest) * len(self._collectors)
            self._changed.notify()

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> bool:
        """Send what waits, as far as the time goes, drop the rest and end; return whether the thread ended in time."""
        with self._changed:
            self._hurry_until = self._clock.monotonic() + timeout_seconds
            self._stopping.set()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds + 2 * BUSY_SECONDS)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting_records(self) -> int:
        """How many records wait to be sent."""
        return self._waiting_records

    def report(self) -> None:
        """Bring the metrics up to date; for one thread."""
        for key, counter in self._metrics.items():
            total = getattr(self.counters, key) + (self._dropped if key == "dropped_records" else 0)
            counter.inc(total - getattr(self._reported, key))
            setattr(self._reported, key, total)

    def _work(self) -> None:
        while True:
            taken = self._take()
            if taken is None:
                break
            flows, domain = taken
            try:
                self._send(flows, domain)
            except Exception as error:  # noqa: BLE001  the barrier of this path: a bug costs a batch, not the thread
                self.counters.errors += 1
                self.counters.dropped_records += len(flows) * len(self._collectors)  # some may have been sent
                held = self._log_limit.take(self._clock.monotonic())
                if held is not None:
                    self._log.exception("capture-export-bug", reason=error, more_since_last_line=held)
        for collector in self._collectors:
            collector.close()

    def _take(self) -> tuple[FlowBatch, int] | None:
        """Return what has waited longest, waiting for it; None at the end."""
        with self._changed:
            while not self._waiting and not self._stopping.is_set():
                self._changed.wait()
            for domain, records in self._skipped.items():
                self._encoder.skip(domain, records)
            self._skipped.clear()
            if self._waiting and self._is_late():
                self._dropped += self._waiting_records * len(self._collectors)
                self._waiting.clear()
                self._waiting_records = 0
            if not self._waiting:
                return None
            flows, domain = self._waiting.popleft()
            self._waiting_records -= len(flows)
            return flows, domain

    def _send(self, flows: FlowBatch, domain: int) -> None:
        now = self._clock.monotonic()
        for collector in self._collectors:
            if collector.take_refused() | collector.open(now):
                self._encoder.announce()
        messages = self._encoder.encode(flows, domain, wall_milliseconds(self._clock))
        for begin in range(0, len(messages), BURST_MESSAGES):
            if self._is_late():
                left = sum(message.records for message in messages[begin:])
                self.counters.dropped_records += left * len(self._collectors)
                return
            now = self._clock.monotonic()
            for message in messages[begin : begin + BURST_MESSAGES]:
                for collector in self._collectors:
                    collector.send(message, now)
            if begin + BURST_MESSAGES < len(messages):
                threading.Event().wait(PAUSE_SECONDS)

    def _is_late(self) -> bool:
        """Tell whether it is to end and the time for that is over."""
        return self._stopping.is_set() and self._clock.monotonic() >= self._hurry_until

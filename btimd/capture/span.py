"""SpanCapture: the threads that receive the frames of mirror ports, as a component of the daemon."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Final

from btimd.capture.ring import FanoutGroup, PacketRing, RingOptions, interface_names, warm
from btimd.capture.settings import SpanSettings
from btimd.kernels import ring
from btimd.kernels.packetlayout import F_TIME
from btimd.model.packets import PacketBlock
from btimd.model.ports import PacketSink, SpanInterface
from btimd.model.units import UnixMillis
from btimd.runtime.clock import Clock, SystemClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

SinkFactory = Callable[[str, int], PacketSink]
"""Makes the sink of a thread: (name of the span, number of the thread from 0)."""
STOP_SECONDS: Final = 4.0
REPORT_SECONDS: Final = 1.0
WAIT_MILLISECONDS: Final = 90
BLOCKS_AT_ONCE: Final = 16
LINK_SECONDS: Final = 1.0
FIRST_PAUSE_SECONDS: Final = 0.1
LAST_PAUSE_SECONDS: Final = 10.0
_NANOSECONDS: Final = 1_000_000_000
_COUNTERS: Final = {
    "packets": ("packets", "Frames captured"),
    "octets": ("received_bytes", "Octets on the wire of the frames captured"),
    "kernel_drops": ("kernel_dropped_packets", "Frames lost because the ring was full"),
    "freezes": ("ring_freezes", "How often the ring was full"),
    "truncated": ("truncated_packets", "Frames of which only the first snap_octets octets were captured"),
    "bad": ("bad_packets", "Frames that were not where the ring's block said"),
    "errors": ("errors", "Errors of the interface: it went down or vanished, or its ring could not be opened"),
    "reopened": ("reopened", "Rings opened again because their interface had vanished"),
    "sink_errors": ("sink_errors", "Blocks lost to an error in what takes the frames"),
}
_GAUGES: Final = {
    "up": ("up", "1 while the interface is up and has a carrier"),
    "ring": ("ring_bytes", "Memory of the rings"),
}


class SpanThread:
    """One ring and its thread. The counters are written by the thread and may be read by anyone."""

    def __init__(
        self, name: str, number: int, settings: SpanSettings, group: FanoutGroup | None, log: Log, clock: Clock
    ) -> None:
        self.name = name
        self.number = number
        self.errors = 0
        self.reopened = 0
        self.sink_errors = 0
        self.first_nanoseconds = 0
        self.last_nanoseconds = 0
        self.link_up = False
        self.problem = ""
        self.merges_frames = False
        self._settings = settings
        self._group = group
        self._log = log
        self._clock = clock
        self._held: tuple[PacketRing | None, dict[str, int]] = (None, _counted(None))  # the ring; what was before it
        self._lost_untold = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"span-{name}-{number}", daemon=True)
        self._sink: PacketSink | None = None
        self._sink_log = OncePerInterval()
        self._open_log = OncePerInterval()
        self._link_at = 0.0
        self.progress_at = clock.monotonic()

    def open(self) -> None:
        """Open the ring; raises OSError that names the interface and what to do."""
        interface = self._settings.interface
        options = RingOptions(
            block_octets=self._settings.block_bytes,
            blocks=self._settings.ring_bytes // self._settings.block_bytes,
            snap_octets=self._settings.snap_octets,
            expression=self._settings.filter,
            promiscuous=self._settings.promiscuous,
            outgoing=self._settings.outgoing,
            hardware_time=self._settings.hardware_time,
        )
        try:
            opened = PacketRing(interface, options, self._group)
        except (OSError, ValueError) as error:
            text = f"cannot capture on {interface} for [capture.span.{self.name}]: "
            if isinstance(error, OSError):
                raise OSError(error.errno, text + (error.strerror or str(error))) from error
            raise OSError(text + str(error)) from error
        self._held = (opened, self._held[1])
        self.link_up = opened.link_up()
        self.merges_frames = opened.merges_frames()
        self.problem = ""

    def start(self, sink: PacketSink) -> None:
        """Begin to receive; the ring is open."""
        self._sink = sink
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Hand over what was received and end; return whether the thread ended in time."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            return False
        self._close()
        return True

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def totals(self) -> dict[str, int]:
        """Return the counters, of rings that were closed too."""
        ring_now, past = self._held
        found = {key: past[key] + value for key, value in _counted(ring_now).items()}
        return found | {"errors": self.errors, "reopened": self.reopened, "sink_errors": self.sink_errors}

    @property
    def _ring(self) -> PacketRing | None:
        return self._held[0]

    def _close(self) -> None:
        closed, past = self._held
        if closed is not None:
            counted = _counted(closed)
            self._held = (None, {key: value + counted[key] for key, value in past.items()})
            closed.close()

    def _work(self) -> None:
        try:
            self._capture()
        except Exception:  # noqa: BLE001  a mistake here: the thread ends, and health says so
            self._log.exception("span-thread-died", span=self.name, thread=self.number)

    def _capture(self) -> None:
        """Receive until told to stop, whatever happens to the interface and in the sink."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                if self._ring is None:
                    self.open()
                    self.reopened += 1
                    self._log.info("span-opened-again", span=self.name, interface=self._settings.interface)
                    self._open_log = OncePerInterval()
                if self._ring is not None:
                    self._receive(self._ring)
                    pause = FIRST_PAUSE_SECONDS
            except OSError as error:
                self._note(error)
                self._pause(pause)
                pause = min(2 * pause, LAST_PAUSE_SECONDS)
        self._drain()
        self._tick()
        self._guarded(self._sink_close)

    def _receive(self, receiver: PacketRing) -> None:
        """Take what is ready, or wait for it; raises OSError where the interface is gone."""
        now = self.progress_at = self._clock.monotonic()
        taken = 0
        try:
            taken = receiver.take(self._add, BLOCKS_AT_ONCE)
            if not taken:
                receiver.wait(WAIT_MILLISECONDS)
        except OSError as error:
            self.errors += 1
            self._link_at = now
            self._log.warning(
                "span-interface-error", span=self.name, interface=self._settings.interface, reason=error.strerror
            )
        self._tick(behind=taken == BLOCKS_AT_ONCE)
        if now >= self._link_at:
            self._link_at = now + LINK_SECONDS
            self._look_at_link(receiver)

    def _look_at_link(self, receiver: PacketRing) -> None:
        if not receiver.is_there():
            self.link_up = False
            self._take_rest(receiver)
            self._close()
            raise OSError(f"interface {self._settings.interface} has vanished; this machine has {_names()}")
        link_up = receiver.link_up()
        if link_up != self.link_up:
            self.link_up = link_up
            event = "span-link-up" if link_up else "span-link-down"
            self._log.warning(event, span=self.name, interface=self._settings.interface)

    def _note(self, error: OSError) -> None:
        """Remember and log why there is no ring."""
        self.errors += 1
        self.problem = error.strerror or str(error)
        held = self._open_log.take(self._clock.monotonic())
        if held is not None:
            self._log.error("span-not-receiving", span=self.name, reason=self.problem, then="tries again")

    def _pause(self, seconds: float) -> None:
        """Wait; the sink still gets its ticks."""
        left = seconds
        while left > 0 and not self._stopping.wait(min(left, WAIT_MILLISECONDS / 1000)):
            left -= WAIT_MILLISECONDS / 1000
            self.progress_at = self._clock.monotonic()
            self._tick()

    def _drain(self) -> None:
        """Take what the kernel holds at the end; its last block comes when it is full or its time is over."""
        receiver = self._ring
        if receiver is None:
            return
        receiver.receive_nothing_more()
        self._take_rest(receiver)
        try:
            if receiver.wait(2 * WAIT_MILLISECONDS):
                self._take_rest(receiver)
        except OSError:  # its interface went down: nothing is on its way
            self._take_rest(receiver)

    def _take_rest(self, receiver: PacketRing) -> None:
        for _ in range(self._settings.ring_bytes // self._settings.block_bytes // BLOCKS_AT_ONCE + 1):
            if not receiver.take(self._add, BLOCKS_AT_ONCE):
                break

    def _add(self, block: PacketBlock) -> None:
        times = block.frames[F_TIME]
        if not self.first_nanoseconds:
            self.first_nanoseconds = int(times[0])
        self.last_nanoseconds = int(times[-1])
        if self._sink is not None:
            sink = self._sink
            self._guarded(lambda: sink.add(block))

    def _tick(self, *, behind: bool = False) -> None:
        """Tell the sink the time, and what was lost. behind: frames wait, so that it is as late as they are."""
        if self._ring is not None:
            self._lost_untold += self._ring.count()
        if self._sink is not None:
            sink, lost = self._sink, self._lost_untold
            self._lost_untold = 0
            now = self.last_nanoseconds if behind else int(self._clock.wall() * _NANOSECONDS)
            self._guarded(lambda: sink.tick(now, lost))

    def _sink_close(self) -> None:
        if self._sink is not None:
            self._sink.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something of the sink's; what it raises costs that, and one line of the log a minute."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  the one barrier: a mistake over there must not end the capture
            self.sink_errors += 1
            held = self._sink_log.take(self._clock.monotonic())
            if held is not None:
                self._log.exception("span-sink-failed", span=self.name, reason=error, more_since_last_line=held)


def _counted(receiver: PacketRing | None) -> dict[str, int]:
    """Return what a ring counted, nothing for none."""
    walk = receiver.walk if receiver else [0] * ring.WALK_SIZE
    return {
        "packets": int(walk[ring.W_FRAMES]),
        "octets": int(walk[ring.W_OCTETS]),
        "kernel_drops": receiver.drops if receiver else 0,
        "freezes": receiver.freezes if receiver else 0,
        "truncated": int(walk[ring.W_CUT_OFF]),
        "bad": int(walk[ring.W_BAD]),
    }


class SpanCapture:
    """Captures on every configured interface; each thread hands its frames to a sink of its own.

    A missing interface at start is an error; one that goes down or vanishes later is waited for.
    """

    def __init__(
        self,
        settings: Mapping[str, SpanSettings],
        sink_factory: SinkFactory,
        metrics: Metrics,
        log: Log,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._sink_factory = sink_factory
        self._log = log
        self._clock = clock or SystemClock()
        self._threads: dict[str, list[SpanThread]] = {}
        self._counters = {
            key: metrics.counter(f"btimd_capture_span_{name}_total", text, ("span",))
            for key, (name, text) in _COUNTERS.items()
        }
        self._gauges = {
            key: metrics.gauge(f"btimd_capture_span_{name}", text, ("span",)) for key, (name, text) in _GAUGES.items()
        }
        self._reported = {name: dict.fromkeys(_COUNTERS, 0) for name in settings}
        self._dropping: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "capture.span"

    @property
    def progress_at(self) -> float:
        """Monotonic time at which the slowest thread last came round; for the watchdog."""
        return min((thread.progress_at for thread in self._all()), default=self._clock.monotonic())

    def _all(self) -> list[SpanThread]:
        return [thread for threads in self._threads.values() for thread in threads]

    async def start(self) -> None:
        """Open every ring, then start the threads; raises OSError that names the interface and what to do."""
        if self._settings:
            await asyncio.to_thread(warm)
        for name, span in self._settings.items():
            group = FanoutGroup() if span.threads > 1 else None
            self._threads[name] = [
                SpanThread(name, number, span, group, self._log, self._clock) for number in range(span.threads)
            ]
        try:
            for thread in self._all():
                await asyncio.to_thread(thread.open)
        except OSError:
            for thread in self._all():
                thread.stop(0.0)
            self._threads = {}
            raise
        for name, threads in self._threads.items():
            if threads[0].merges_frames:
                interface = self._settings[name].interface
                self._log.warning(
                    "span-frames-merged", span=name, interface=interface,
                    effect="packets are counted too few and too long, and lost segments are not seen",
                    remedy=f"ethtool -K {interface} gro off lro off",
                )  # fmt: skip
            for thread in threads:
                thread.start(self._sink_factory(name, thread.number))

    async def run(self) -> None:
        """Report counters until cancelled."""
        while True:
            self.report()
            await asyncio.sleep(REPORT_SECONDS)

    def report(self) -> None:
        """Bring the metrics up to date."""
        for name, threads in self._threads.items():
            now = _sum_of(threads)
            for key, metric in self._counters.items():
                metric.labels(name).inc(max(now[key] - self._reported[name][key], 0))
            self._dropping[name] = now["kernel_drops"] - self._reported[name]["kernel_drops"]
            self._reported[name] = now
            self._gauges["up"].labels(name).set(all(thread.link_up for thread in threads))
            self._gauges["ring"].labels(name).set(self._settings[name].ring_bytes * len(threads))

    async def stop(self) -> None:
        """End the threads, hand over what they hold, and close the rings."""
        threads = self._all()
        ended = await asyncio.gather(*(asyncio.to_thread(thread.stop, STOP_SECONDS) for thread in threads))
        for thread, in_time in zip(threads, ended, strict=True):
            if not in_time:
                self._log.error("span-thread-stuck", span=thread.name, thread=thread.number)
        self.report()

    def health(self) -> ComponentHealth:
        """Say whether every thread receives, every interface is up, and nothing is lost."""
        warnings = []
        for name, threads in self._threads.items():
            interface = self._settings[name].interface
            if not all(thread.alive for thread in threads):
                return ComponentHealth(HealthLevel.ERROR, f"a thread that captures on {interface} has died")
            problems = [thread.problem for thread in threads if thread.problem]
            if problems:
                warnings.append(problems[0])
            elif not all(thread.link_up for thread in threads):
                warnings.append(f"{interface} of [capture.span.{name}] is down")
            elif self._dropping.get(name):
                warnings.append(
                    f"the kernel loses frames of {interface}, {self._dropping[name]} in the last second: "
                    f"give [capture.span.{name}] more threads or ring_bytes, or a filter"
                )
        if warnings:
            return ComponentHealth(HealthLevel.WARNING, warnings[0])
        return ComponentHealth()

    def interfaces(self) -> tuple[SpanInterface, ...]:
        """Return what is captured where."""
        return tuple(
            _describe(name, self._settings[name], threads, _sum_of(threads)) for name, threads in self._threads.items()
        )


def _sum_of(threads: list[SpanThread]) -> dict[str, int]:
    totals = [thread.totals() for thread in threads]
    return {key: sum(one[key] for one in totals) for key in _COUNTERS}


def _describe(name: str, span: SpanSettings, threads: list[SpanThread], totals: Mapping[str, int]) -> SpanInterface:
    firsts = [one.first_nanoseconds for one in threads if one.first_nanoseconds]
    return SpanInterface(
        name=name,
        interface=span.interface,
        threads=len(threads),
        packets=totals["packets"],
        octets=totals["octets"],
        kernel_drops=totals["kernel_drops"],
        freezes=totals["freezes"],
        truncated=totals["truncated"],
        filter=span.filter,
        link_up=all(thread.link_up for thread in threads),
        first_packet_milliseconds=_milliseconds(min(firsts, default=0)),
        last_packet_milliseconds=_milliseconds(max(one.last_nanoseconds for one in threads)),
        ring_octets=span.ring_bytes * len(threads),
        problem=next((thread.problem for thread in threads if thread.problem), ""),
    )


def _milliseconds(nanoseconds: int) -> UnixMillis | None:
    return nanoseconds // 1_000_000 or None


def _names() -> str:
    return ", ".join(interface_names())

"""Threads on virtual wires: every frame reaches the sink or is counted, whatever happens to the interface."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from btimd.capture import span as span_module
from btimd.capture.ring import PacketRing
from btimd.capture.settings import SpanSettings
from btimd.capture.span import SpanCapture
from btimd.model.packets import PacketBlock
from btimd.model.ports import SpanInterface
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.wires import ip, make_wire, namespace, sender, udp_frame
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.programs import need

pytestmark = [pytest.mark.net]

FRAME = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"x" * 300)
MEBIBYTE = 1 << 20


@dataclass
class Sink:
    """Keeps what it gets, and does what a test tells it to."""

    frames: int = 0
    octets: int = 0
    lost: int = 0
    ticks: int = 0
    closed: int = 0
    now: int = 0
    last: int = 0
    told_late: int = 0
    waiting: bool = False
    thread: str = ""
    fails: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def add(self, block: PacketBlock) -> None:
        self.waiting = True
        self.gate.wait(PATIENCE_SECONDS)
        self.last = int(block.frames[3, -1])
        if "add" in self.fails:
            self.fails.remove("add")
            raise ZeroDivisionError("in the sink")
        self.frames += len(block)
        self.octets += int(block.frames[2].sum())
        self.thread = threading.current_thread().name

    def tick(self, now_nanoseconds: int, lost_packets: int) -> None:
        self.ticks += 1
        self.lost += lost_packets
        self.now = now_nanoseconds
        self.told_late += now_nanoseconds == self.last
        if "tick" in self.fails:
            self.fails.remove("tick")
            raise ZeroDivisionError("in the tick")

    def close(self) -> None:
        self.closed += 1
        if "close" in self.fails:
            raise ZeroDivisionError("in the end")


class Capture:
    """A SpanCapture with the sinks of its threads."""

    def __init__(self, spans: dict[str, SpanSettings]) -> None:
        self.sinks: dict[tuple[str, int], Sink] = {}
        self.metrics = Metrics()
        self.component = SpanCapture(spans, self._make, self.metrics, Log("test"))

    def _make(self, name: str, thread: int) -> Sink:
        return self.sinks.setdefault((name, thread), Sink())

    def __getitem__(self, name: str) -> Sink:
        return self.sinks[name, 0]

    def value(self, name: str, span: str = "core") -> float:
        self.component.report()
        return self.metrics.value(f"btimd_capture_span_{name}", {"span": span})

    def until_frames(self, count: int, name: str = "core") -> None:
        sinks = [sink for (span, _), sink in self.sinks.items() if span == name]
        wait_until(lambda: sum(sink.frames for sink in sinks) >= count, f"{count} frames")


@pytest.fixture
def wire() -> Iterator[None]:
    """Interfaces out0 and in0, the ends of a wire."""
    with namespace():
        make_wire("out0", "in0")
        yield


@contextlib.asynccontextmanager
async def running(**spans: SpanSettings) -> AsyncIterator[Capture]:
    capture = Capture(spans)
    await capture.component.start()
    try:
        yield capture
    finally:
        await capture.component.stop()


def core(**values: object) -> SpanSettings:
    return SpanSettings.model_validate({"interface": "in0", "ring_bytes": 4 * MEBIBYTE} | values)


def open_files() -> list[str]:
    """Return what the sockets and files of this process are."""
    return sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


def send(count: int, interface: str = "out0", frame: bytes = FRAME) -> None:
    with sender(interface) as raw:
        for _ in range(count):
            raw.send(frame)


@pytest.mark.usefixtures("wire")
async def test_every_frame_comes_to_the_sink_and_is_described() -> None:
    async with running(core=core(filter="udp")) as capture:
        send(1000)
        send(10, frame=bytes(12) + b"\x08\x06" + bytes(46))  # ARP
        capture.until_frames(1000)
        sink = capture["core"]
        wait_until(lambda: sink.ticks > 3, "ticks")
        assert (sink.frames, sink.octets, sink.lost) == (1000, 1000 * len(FRAME), 0)
        assert sink.thread == "span-core-0"
        (found,) = capture.component.interfaces()
        assert found.first_packet_milliseconds is not None
        assert found.last_packet_milliseconds is not None
        assert 0 < found.first_packet_milliseconds <= found.last_packet_milliseconds <= sink.now // 1_000_000 + 1000
        assert found == SpanInterface(
            name="core", interface="in0", threads=1, packets=1000, octets=1000 * len(FRAME), kernel_drops=0, freezes=0,
            truncated=1000, filter="udp", link_up=True, first_packet_milliseconds=found.first_packet_milliseconds,
            last_packet_milliseconds=found.last_packet_milliseconds, ring_octets=4 * MEBIBYTE,
        )  # fmt: skip
        assert {name: capture.value(name) for name in (
            "packets_total", "received_bytes_total", "kernel_dropped_packets_total", "ring_freezes_total",
            "truncated_packets_total", "errors_total", "up", "ring_bytes",
        )} == {
            "packets_total": 1000, "received_bytes_total": 1000 * len(FRAME), "kernel_dropped_packets_total": 0,
            "ring_freezes_total": 0, "truncated_packets_total": 1000, "errors_total": 0, "up": 1,
            "ring_bytes": 4 * MEBIBYTE,
        }  # fmt: skip
        assert capture.component.health() == ComponentHealth()
        assert capture.component.name == "capture.span"


@pytest.mark.usefixtures("wire")
async def test_stopping_hands_over_what_the_kernel_still_holds_and_closes_the_sink() -> None:
    async with running(core=core()) as capture:
        send(50)
    assert (capture["core"].frames, capture["core"].closed) == (50, 1)
    await capture.component.stop()
    assert capture["core"].closed == 1
    assert capture.value("packets_total") == 50


@pytest.mark.usefixtures("wire")
async def test_threads_of_a_span_share_its_frames_and_several_spans_have_their_own() -> None:
    make_wire("out1", "in1")
    async with running(core=core(threads=2), edge=core(interface="in1")) as capture:
        with sender("out0") as raw:
            for n in range(400):
                raw.send(udp_frame("10.0.0.1", "10.0.0.2", (n, 2)))
        send(7, "out1")
        capture.until_frames(400)
        capture.until_frames(7, "edge")
    assert sorted(capture.sinks) == [("core", 0), ("core", 1), ("edge", 0)]
    shares = [capture.sinks["core", n].frames for n in (0, 1)]
    assert sum(shares) == 400
    assert min(shares) > 100
    assert capture["edge"].frames == 7
    assert [one.ring_octets for one in capture.component.interfaces()] == [8 * MEBIBYTE, 4 * MEBIBYTE]


@pytest.mark.usefixtures("wire")
async def test_what_a_slow_sink_loses_is_told_to_it_and_to_the_operator() -> None:
    async with running(core=core(ring_bytes=MEBIBYTE // 4, block_bytes=MEBIBYTE // 8)) as capture:
        sink = capture["core"]
        sink.gate.clear()
        send(5000)
        sink.gate.set()
        wait_until(lambda: sink.frames + sink.lost >= 5000, "an account of every frame")
        assert sink.lost > 1000
        capture.component.report()
        assert capture.component.health() == ComponentHealth(
            HealthLevel.WARNING,
            f"the kernel loses frames of in0, {sink.lost} in the last second: give [capture.span.core] more threads or "
            "ring_bytes, or a filter",
        )
        assert capture.value("kernel_dropped_packets_total") == sink.lost
        assert capture.value("ring_freezes_total") >= 1
        assert capture.component.health() == ComponentHealth()
    assert sink.frames + sink.lost == 5000


@pytest.mark.usefixtures("wire")
async def test_while_frames_wait_the_time_told_is_that_of_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_module, "BLOCKS_AT_ONCE", 1)
    async with running(core=core(block_bytes=MEBIBYTE // 8)) as capture:
        sink = capture["core"]
        sink.gate.clear()
        send(1500)
        wait_until(lambda: sink.waiting, "the first block")
        sink.gate.set()
        capture.until_frames(1500)
        wait_until(lambda: sink.ticks > 12, "ticks")
    assert sink.told_late >= 2  # one for each block that was ready, and none while there was nothing to take


@pytest.mark.usefixtures("wire")
async def test_an_error_in_the_sink_costs_its_block_and_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async with running(core=core()) as capture:
        sink = capture["core"]
        sink.fails = ["add", "tick", "tick"]
        send(20)
        wait_until(lambda: not sink.fails, "the failures")
        send(5)
        capture.until_frames(5)
        assert sink.frames == 5
        assert capture.value("sink_errors_total") == 3
        assert capture.value("packets_total") == 25
        assert capture.component.health() == ComponentHealth()
        sink.fails = ["close"]
    assert capture.value("sink_errors_total") == 4
    lines = [record.getMessage() for record in caplog.records if "span-sink-failed" in record.getMessage()]
    assert len(lines) == 1


@pytest.mark.usefixtures("wire")
async def test_a_link_that_is_down_is_said_and_capture_goes_on_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(span_module, "LINK_SECONDS", 0.01)
    async with running(core=core()) as capture:
        ip("link", "set", "in0", "down")
        wait_until(lambda: not capture.component.interfaces()[0].link_up, "the loss of the link")
        assert capture.component.health() == ComponentHealth(HealthLevel.WARNING, "in0 of [capture.span.core] is down")
        assert capture.value("up") == 0
        ip("link", "set", "in0", "up")
        wait_until(lambda: capture.component.interfaces()[0].link_up, "the link")
        send(3)
        capture.until_frames(3)
        assert capture.component.health() == ComponentHealth()
        assert capture.value("errors_total") == 1
        assert capture.value("reopened_total") == 0


@pytest.mark.usefixtures("wire")
async def test_an_interface_that_vanishes_is_waited_for_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_module, "LAST_PAUSE_SECONDS", 0.1)
    async with running(core=core(threads=2)) as capture:
        with sender("out0") as raw:
            for n in range(64):
                raw.send(udp_frame("10.0.0.1", "10.0.0.2", (n, 2)))
        capture.until_frames(64)
        ip("link", "del", "in0")
        wait_until(lambda: capture.component.health().level is HealthLevel.WARNING, "the warning")
        wait_until(lambda: "this machine has" in capture.component.interfaces()[0].problem, "the reason")
        before = capture["core"].ticks
        wait_until(lambda: capture["core"].ticks > before + 3, "ticks meanwhile")
        make_wire("out0", "in0")
        wait_until(lambda: capture.value("reopened_total") == 2, "two rings opened again")
        with sender("out0") as raw:
            for n in range(64):
                raw.send(udp_frame("10.0.0.1", "10.0.0.2", (n, 2)))
        capture.until_frames(128)
        assert sum(sink.frames for sink in capture.sinks.values()) == 128
        # a ring may be opened before its interface is up; that it is up is seen by the next tick
        wait_until(lambda: capture.component.health() == ComponentHealth(), "the end of the warning")
        assert capture.value("packets_total") == 128
        assert capture.value("errors_total") >= 4
    assert [sink.closed for sink in capture.sinks.values()] == [1, 1]


@pytest.mark.usefixtures("wire")
async def test_it_starts_on_an_interface_that_is_down() -> None:
    ip("link", "set", "in0", "down")
    async with running(core=core()) as capture:
        assert not capture.component.interfaces()[0].link_up
        ip("link", "set", "in0", "up")
        wait_until(lambda: capture.component.interfaces()[0].link_up, "the link")
        send(3)
        capture.until_frames(3)


@pytest.mark.usefixtures("wire")
async def test_a_missing_interface_at_start_is_an_error_and_leaves_nothing_open() -> None:
    files = open_files()
    capture = Capture({"core": core(), "edge": core(interface="eth9")})
    with pytest.raises(
        OSError, match=r"cannot capture on eth9 for \[capture.span.edge\]: No such device; this machine has lo, "
    ):
        await capture.component.start()
    await capture.component.stop()
    assert open_files() == files
    assert capture.sinks == {}


async def test_a_filter_that_does_not_fit_the_interface_is_an_error_at_start() -> None:
    with namespace():
        ip("tuntap", "add", "tun0", "mode", "tun")
        capture = Capture({"core": core(interface="tun0", filter="ether host 02:00:00:00:00:01")})
        with pytest.raises(OSError, match="libpcap refuses the filter: ") as caught:
            await capture.component.start()
    assert str(caught.value).startswith("cannot capture on tun0 for [capture.span.core]: libpcap refuses the filter: ")


@pytest.mark.usefixtures("wire")
async def test_frames_that_the_machine_merges_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.to_thread(subprocess.run, [need("ethtool"), "-K", "in0", "gro", "on"], check=True)
    async with running(core=core()):
        pass
    assert 'remedy="ethtool -K in0 gro off lro off"' in caplog.text


@pytest.mark.usefixtures("wire")
async def test_a_thread_that_died_is_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(core=core()) as capture:
        monkeypatch.setattr(PacketRing, "wait", lambda *_: 1 // 0)
        wait_until(lambda: capture.component.health().level is HealthLevel.ERROR, "the error")
        assert capture.component.health().reason == "a thread that captures on in0 has died"
    assert "span-thread-died span=core thread=0" in caplog.text


@pytest.mark.usefixtures("wire")
async def test_progress_is_the_slowest_threads() -> None:
    clock = ManualClock()
    component = SpanCapture({"core": core()}, lambda *_: Sink(), Metrics(), Log("test"), clock)
    assert component.progress_at == clock.ticks
    await component.start()
    try:
        clock.advance(50)
        wait_until(lambda: component.progress_at == clock.ticks, "progress")
        task = asyncio.ensure_future(component.run())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        await component.stop()


async def test_without_spans_there_is_nothing_to_do() -> None:
    component = SpanCapture({}, lambda *_: Sink(), Metrics(), Log("test"))
    await component.start()
    component.report()
    assert (component.health(), component.interfaces()) == (ComponentHealth(), ())
    await component.stop()

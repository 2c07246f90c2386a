"""Live over a pair of virtual interfaces: what each tool takes and loses of packets at a high rate.

The sender is in one network namespace and on one core, the receiver in another and on the other core. A frame on the
wire is the first 96 octets of one, so that the sender is as fast as it can be; so only packets are compared, not octets
(softflowd counts those of the frame). Of what softflowd does not count, up to a block of its ring is not lost: it sees
a block when it is full.

python -m bench.spanlive INTERFACE OUT is btimd as the receiver: its capture, flow table, attribution, windows and
quality, on all of its threads, without store and API.
"""

import argparse
import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import SENDER_CORE, Pinned, wait_until
from bench.packetpeers import RING_MEGABYTES, LivePeer, Totals
from btimd.flows.plan import PlanEntry
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.service import ServiceRule
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

SENDING, RECEIVING = "btb-span0", "btb-span1"
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one run. lost: sent, but not counted; reported: what the tool says it lost, -1: nothing at all."""

    tool: str
    rate: float
    sent: int
    counted: int
    lost: int
    reported: int
    cpu_nanoseconds_per_packet: float
    peak_megabytes: float


class Wire:
    """Two namespaces and what joins them."""

    def __init__(self) -> None:
        self.sender, self.receiver = (f"btb-{os.getpid()}-{end}" for end in ("s", "r"))

    def inside(self, command: Sequence[str | Path], *, sender: bool = False) -> list[str]:
        """Return a command as it is run at one end."""
        return ["ip", "netns", "exec", self.sender if sender else self.receiver, *map(str, command)]

    @contextmanager
    def up(self) -> Iterator["Wire"]:
        """Make it, and take it away again."""
        try:
            for name in (self.sender, self.receiver):
                _ip("netns", "add", name)
            _ip(
                "link",
                "add",
                SENDING,
                "netns",
                self.sender,
                "type",
                "veth",
                "peer",
                "name",
                RECEIVING,
                "netns",
                self.receiver,
            )
            for name, interface in ((self.sender, SENDING), (self.receiver, RECEIVING)):
                quiet = (
                    f"for each in all default {interface}; do echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; done"
                )
                subprocess.run(["ip", "netns", "exec", name, "sh", "-c", quiet], check=False, stderr=subprocess.DEVNULL)
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "link", "set", interface, "up", "arp", "off")
            yield self
        finally:
            for name in (self.sender, self.receiver):
                subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


class Btimd:
    """btimd as a receiver on its core."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        folder.mkdir(parents=True)
        self._out = folder / "out"
        command = [sys.executable, "-m", "bench.spanlive", RECEIVING, str(self._out)]
        self.process = Pinned(wire.inside(command), folder / "log")
        wait_until(lambda: "ready" in self.process.log or not self.process.alive, 600, "btimd", every=0.1)
        if not self.process.alive:
            raise SystemExit(self.process.log[-3000:])

    def finish(self) -> Totals:
        """End it and return what it counted."""
        self.process.stop(signal.SIGTERM, 60)
        found = json.loads(self._out.read_text())
        if found["table"] != found["packets"] or found["records"] != found["packets"]:
            raise SystemExit(f"btimd captured {found['packets']} packets, but: {found}")
        return Totals(found["packets"], found["octets"], found["kernel_drops"])


def trial(
    tool: str, folder: Path, capture: Path, wire: Wire, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule],
    rate: float = 0.0,
) -> Trial:  # fmt: skip
    """Send a capture to a tool."""
    receiver: Btimd | LivePeer
    if tool == "btimd":
        receiver = Btimd(folder, wire)
    else:
        receiver = LivePeer(tool, folder, RECEIVING, wire.inside, entries, rules)
    command = wire.inside(
        [sys.executable, "-m", "bench.packetsender", str(capture), SENDING, "--core", str(SENDER_CORE)], sender=True
    )
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdout.readline()
        before = receiver.process.cpu_seconds()
        print(rate, file=sender.stdin, flush=True)
        sent = json.loads(sender.stdout.readline())
        time.sleep(SETTLE_SECONDS)
        spent, peak = receiver.process.cpu_seconds() - before, receiver.process.peak_megabytes()
        sender.stdin.close()
    found = receiver.finish()
    return Trial(
        tool, sent["rate"], sent["packets"], found.packets, sent["packets"] - found.packets, found.dropped,
        spent / max(1, found.packets) * 1e9, peak,
    )  # fmt: skip


class _Sink:
    """Takes the frames of the capture thread; harvests go to a thread that owns the rest of the line."""

    def __init__(self, line: Any, harvests: "queue.SimpleQueue[tuple[SpanTraffic, int] | None]") -> None:
        self._line, self._harvests = line, harvests
        self._due = self._lost = 0

    def add(self, block: PacketBlock) -> None:
        """Count frames."""
        self._line.table.add(block)

    def tick(self, now_nanoseconds: int, lost_packets: int) -> None:
        """Harvest once a second."""
        self._lost += lost_packets
        if now_nanoseconds >= self._due:
            self._due = now_nanoseconds + 1_000_000_000
            traffic = self._line.table.harvest(now_nanoseconds, lost_packets=self._lost)
            self._lost = 0
            self._harvests.put((traffic, now_nanoseconds // 1_000_000))

    def close(self) -> None:
        """Hand over what is left."""
        self._harvests.put(None)


async def receive(interface: str, out: Path) -> None:
    """Capture until told to end."""
    # Here, as the sender and the peers are to run without them.
    from bench.pipeline import build
    from bench.spanline import Line
    from btimd.capture.settings import SpanSettings
    from btimd.capture.span import SpanCapture
    from btimd.flows.component import warm

    _, _, attribution = build()
    warm()
    line = Line(attribution, "quality")
    line.table.warm()
    harvests: queue.SimpleQueue[tuple[SpanTraffic, int] | None] = queue.SimpleQueue()

    def work() -> None:
        while (found := harvests.get()) is not None:
            line.take(*found)

    worker = threading.Thread(target=work)
    worker.start()
    settings = {"bench": SpanSettings(interface=interface, snap_octets=96, ring_bytes=RING_MEGABYTES << 20)}
    capture = SpanCapture(settings, lambda *_: _Sink(line, harvests), Metrics(), Log("bench"))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await capture.start()
    running = asyncio.create_task(capture.run())
    print("ready", flush=True)
    await ended.wait()
    running.cancel()
    await capture.stop()
    await asyncio.to_thread(worker.join)
    line.finish()
    (seen,) = capture.interfaces()
    found = {
        "packets": seen.packets, "octets": line.octets, "kernel_drops": seen.kernel_drops,
        "table": line.table.counters.packets, "records": line.packets,
    }  # fmt: skip
    await asyncio.to_thread(out.write_text, json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interface")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    asyncio.run(receive(arguments.interface, arguments.out))


if __name__ == "__main__":
    main()

"""How fast datagrams are received on loopback, alone and with the whole line behind; loss to the datagram.

python -m bench.receive [--seconds N] [--rates N,N,...] [--buffer BYTES] [--sockets N] [--only receive|line] [--json]

NetFlow v9 datagrams of 24 records and 1,320 octets, from eight senders, with the present time and right sequence
numbers, sent 64 per system call by a process on one core. The receiver is a process on the other core: `receive` hands
blocks to a thread that forgets them; `line` decodes, attributes and counts them by business, as the daemon does. Of
each rate is printed what was sent, what was received, and what the receiver says the kernel dropped. sent = received +
dropped, and with `line` 24 records for each datagram that was received, or it is an error. Times are CPU time of the
whole process divided by the datagrams received, ours and the kernel's. Rate 0: as fast as the sender can.
"""

import argparse
import asyncio
import ctypes
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from btimd.capture import udp
from btimd.capture.blocks import BlockChannel
from btimd.capture.component import FlowCapture
from btimd.capture.settings import CaptureSettings
from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

# Fields of a record: the column each is filled from, its NetFlow v9 type, its octets.
FIELDS = (
    ("source_address_lo", 8, 4), ("destination_address_lo", 12, 4), ("", 15, 4), ("", 10, 4), ("", 14, 4),
    ("source_transport_port", 7, 2), ("destination_transport_port", 11, 2), ("", 16, 4), ("", 17, 4), ("", 9, 1),
    ("", 13, 1), ("protocol_identifier", 4, 1), ("", 5, 1), ("", 6, 1), ("", 61, 1), ("packet_delta_count", 2, 4),
    ("octet_delta_count", 1, 4), ("flow_start_milliseconds", 22, 4), ("flow_end_milliseconds", 21, 4),
)  # fmt: skip
UPTIME = 5_000_000
LAYOUT, RECORDS, SENDERS, AT_ONCE, PATTERNS = 256, 24, 8, 64, 256
HEADER_OCTETS, SET_HEADER_OCTETS = 20, 4
TEMPLATE_OCTETS = 4 + 4 + 4 * len(FIELDS)
OCTETS = HEADER_OCTETS + SET_HEADER_OCTETS + RECORDS * sum(octets for *_, octets in FIELDS)


class MessageHeader(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p), ("name_octets", ctypes.c_uint32), ("parts", ctypes.c_void_p),
        ("parts_count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_octets", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )  # fmt: skip


class ManyHeader(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("header", MessageHeader), ("length", ctypes.c_uint))


class Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def patterns() -> npt.NDArray[np.uint8]:
    """Return datagrams without sequence numbers and times: uint8[PATTERNS, octets]."""
    from bench.pipeline import build  # these need all of flows, and `receive` nothing of it
    from bench.traffic import ADDRESSES, Network

    entries, rules, _ = build()
    now = 1_700_000_000_000
    drawn = Network.of(entries, rules, ADDRESSES).draw(PATTERNS * RECORDS * 2, now, np.random.default_rng(1)).flows
    rows = np.flatnonzero(drawn["source_address_hi"] == 0)[: PATTERNS * RECORDS]
    records = np.zeros(len(rows), [(f"e{element}", f">u{octets}") for _, element, octets in FIELDS])
    for column, element, _ in FIELDS:
        if column:
            values = drawn[column][rows].astype(np.int64)
            records[f"e{element}"] = values - now + UPTIME if column.startswith("flow_") else values & 0xFFFF_FFFF
    set_head = np.array([LAYOUT, SET_HEADER_OCTETS + RECORDS * records.itemsize], ">u2").tobytes()
    head = np.array([9 << 16 | RECORDS, UPTIME, 0, 0, 7], ">u4").tobytes() + set_head
    body = np.frombuffer(records.tobytes(), np.uint8).reshape(PATTERNS, -1)
    return np.hstack([np.tile(np.frombuffer(head, np.uint8), (PATTERNS, 1)), body])


def template_datagram() -> bytes:
    fields = [number for _, element, octets in FIELDS for number in (element, octets)]
    body = np.array([0, TEMPLATE_OCTETS, LAYOUT, len(FIELDS), *fields], ">u2").tobytes()
    return np.array([9 << 16 | 1, UPTIME, int(time.time()), 0, 7], ">u4").tobytes() + body


def send(port: int, seconds: float, rate: int, *, line: bool) -> None:
    """Send for a while, templates first; print how many datagrams and how long it took."""
    # Every sender has rows of its own: sequence numbers stand in them.
    data = np.concatenate([patterns() if line else np.zeros((PATTERNS, OCTETS), np.uint8)] * SENDERS)
    libc = ctypes.CDLL(None, use_errno=True)
    sources = []
    for number in range(SENDERS):
        source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        source.bind((f"127.0.0.{number + 1}", 0))
        source.connect(("127.0.0.1", port))
        source.send(template_datagram())
        sources.append(source)
    parts = (Part * len(data))(*(Part(data[row].ctypes.data, data.shape[1]) for row in range(len(data))))
    headers = (ManyHeader * len(data))()
    for row in range(len(data)):
        headers[row].header.parts = ctypes.addressof(parts[row])
        headers[row].header.parts_count = 1
    words = data[:, :HEADER_OCTETS].copy().view(">u4")
    sequence = [1] * SENDERS
    sent, turn = SENDERS, 0
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        if rate and sent > (now - began) * rate:
            continue
        sender, row = turn % SENDERS, turn // SENDERS * AT_ONCE % PATTERNS + turn % SENDERS * PATTERNS
        head = words[row : row + AT_ONCE]
        head[:, 2] = int(time.time())
        head[:, 3] = np.arange(sequence[sender], sequence[sender] + AT_ONCE)
        data[row : row + AT_ONCE, :HEADER_OCTETS] = head.view(np.uint8)
        count = libc.sendmmsg(sources[sender].fileno(), ctypes.byref(headers[row]), AT_ONCE, 0)
        assert count == AT_ONCE, os.strerror(ctypes.get_errno())
        sequence[sender] += count
        sent += count
        turn += 1
    print(json.dumps({"sent": sent, "seconds": time.perf_counter() - began}))


def settings(buffer: int, sockets: int) -> CaptureSettings:
    given = {"listen": ["127.0.0.1:0"], "receive_buffer_bytes": buffer, "sockets": sockets}
    return CaptureSettings.model_validate({"netflow": given})


def forget(channel: Channel[DatagramBlock]) -> None:
    """Take every block and do nothing with it."""
    while True:
        channel.get(1.0)


async def receive(buffer: int, sockets: int, *, line: bool) -> dict[str, Any]:
    """Receive until told to end on standard input; return what was counted."""
    channel = BlockChannel(1024, 256 * 1024 * 1024)
    metrics, decoder, clock = Metrics(), FlowDecoder(), SystemClock()
    capture = FlowCapture(settings(buffer, sockets), channel, metrics, Log("capture"), clock, decoder)
    udp.warm()
    flows = None
    if line:
        from bench.pipeline import build
        from btimd.flows.component import FlowPipeline
        from btimd.flows.component import warm as warm_flows
        from btimd.flows.settings import FlowSettings

        _, _, attribution = build()
        await asyncio.to_thread(warm_flows)
        decoder.warm()
        flows = FlowPipeline(
            settings=FlowSettings(), source=channel, decode=decoder.decode, exporters=decoder.exporters,
            attribution=attribution, series=None, metrics=metrics, clock=clock,
            log=Log("flows"),
        )  # fmt: skip
        await flows.start()
    else:
        threading.Thread(target=forget, args=(channel,), daemon=True).start()
    await capture.start()
    print(capture.addresses[0][1], capture.receivers[0].bound.receive_buffer_bytes, flush=True)
    running = asyncio.create_task(capture.run())
    began = os.times()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    ended = os.times()
    running.cancel()
    await capture.stop()
    if flows is not None:
        await flows.stop()
    counters, receivers = decoder.counters, capture.receivers
    return {
        "received": sum(each.datagrams for each in receivers),
        "of_each_socket": [each.datagrams for each in receivers],
        "kernel_drops": sum(each.kernel_drops for each in receivers),
        "channel_drops": channel.dropped_weight,
        "blocks": sum(each.blocks for each in receivers),
        "user_seconds": ended.user - began.user,
        "system_seconds": ended.system - began.system,
        "records": counters.records,
        "lost_by_sequence": counters.lost_units,
        "peak_rss_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def child(role: str, core: int, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.receive", "--role", role, "--core", str(core), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def measure(mode: str, rate: int, options: argparse.Namespace) -> dict[str, Any]:
    """Send at one rate; return what both sides say."""
    cores = sorted(os.sched_getaffinity(0))
    receiver = child(mode, cores[0], "--buffer", options.buffer, "--sockets", options.sockets)
    assert receiver.stdout is not None
    port, granted = receiver.stdout.readline().split()
    sender = child("send", cores[-1], "--port", port, "--seconds", options.seconds, "--rates", rate, "--only",
                   mode)  # fmt: skip
    sent = json.loads(sender.communicate()[0])
    time.sleep(1.0)  # what is on its way arrives
    found = json.loads(receiver.communicate("end\n")[0].splitlines()[-1])
    assert sent["sent"] == found["received"] + found["kernel_drops"], (sent, found)
    if mode == "line" and not found["channel_drops"]:
        assert found["records"] == RECORDS * (found["received"] - SENDERS), found
    return {"mode": mode, "wanted": rate, "granted_buffer_bytes": int(granted), **sent, **found}


def report(row: dict[str, Any]) -> None:
    lost = row["kernel_drops"] + row["channel_drops"]
    rate = row["sent"] / row["seconds"]
    print(f"{row['mode']:8} {rate:10,.0f}/s sent {row['sent']:10,} received {row['received']:10,}"
          f" dropped by the kernel {row['kernel_drops']:8,} by the channel {row['channel_drops']:6,}"
          f" lost {100 * lost / row['sent']:.3f} % CPU {row['user_seconds'] / row['received'] * 1e6:5.2f} us own"
          f" + {row['system_seconds'] / row['received'] * 1e6:5.2f} us system"
          f" {row['received'] / max(row['blocks'], 1):6.0f} per block {row['peak_rss_megabytes']:5} MB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rates", default="50000,100000,200000,0")
    parser.add_argument("--buffer", type=int, default=4 * 1024 * 1024)
    parser.add_argument("--sockets", type=int, default=1)
    parser.add_argument("--only", choices=("receive", "line"))
    parser.add_argument("--json", action="store_true", help="print one object for each rate and nothing else")
    parser.add_argument("--role", choices=("send", "receive", "line"), help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    rates = [int(rate) for rate in options.rates.split(",")]
    if options.role:
        os.sched_setaffinity(0, {options.core})
        if options.role == "send":
            send(options.port, options.seconds, rates[0], line=options.only == "line")
        else:
            print(json.dumps(asyncio.run(receive(options.buffer, options.sockets, line=options.role == "line"))))
        return
    if not options.json:
        cap = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="utf-8"))
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}; buffer {options.buffer:,} bytes asked "
              f"(net.core.rmem_max {cap:,}), sockets {options.sockets}, datagrams of {RECORDS} records")  # fmt: skip
    for mode in [options.only] if options.only else ["receive", "line"]:
        for rate in rates:
            row = measure(mode, rate, options)
            print(json.dumps(row)) if options.json else report(row)


if __name__ == "__main__":
    main()

"""nfcapd and nfdump on the records that the archive's benchmark writes: size, cost of storing, times of searches.

The records go to nfcapd as NetFlow v5 over the loopback; a comparison counts only if it stored every one of them, and
if both find the same number of flows and octets.
"""

import os
import re
import resource
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from btimd.model.archive import FlowSearch, SearchResult
from btimd.model.flowbatch import AttributedBatch

_PORT: Final = 29_555
_PER_DATAGRAM: Final = 30
_DATAGRAMS_PER_SECOND: Final = 6_000
_BURST: Final = 40
_HEADER: Final = np.dtype([
    ("version", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("seconds", ">u4"), ("nanoseconds", ">u4"),
    ("sequence", ">u4"), ("engine", ">u2"), ("sampling", ">u2"),
])  # fmt: skip
_RECORD: Final = np.dtype([
    ("source", ">u4"), ("destination", ">u4"), ("next_hop", ">u4"), ("input", ">u2"), ("output", ">u2"),
    ("packets", ">u4"), ("octets", ">u4"), ("first", ">u4"), ("last", ">u4"), ("source_port", ">u2"),
    ("destination_port", ">u2"), ("pad1", "u1"), ("flags", "u1"), ("protocol", "u1"), ("tos", "u1"),
    ("source_as", ">u2"), ("destination_as", ">u2"), ("masks", ">u2"), ("pad2", ">u2"),
])  # fmt: skip
_LOW: Final = np.uint64(0xFFFF_FFFF)
_SUMMARY: Final = re.compile(r"Summary: total flows: (\d+), total bytes: (\d+)")


def datagrams(batch: AttributedBatch, day: int, sequence: int) -> Iterable[bytes]:
    """Yield a batch as datagrams; day: ms since 1970 at which the exporter was switched on."""
    flows = batch.flows
    out = np.zeros(len(batch), _RECORD)
    for name, column in (("source", "source_address_lo"), ("destination", "destination_address_lo")):
        out[name] = flows[column] & _LOW
    for name, column in (
        ("input", "ingress_interface"), ("output", "egress_interface"), ("packets", "packet_delta_count"),
        ("octets", "octet_delta_count"), ("source_port", "source_transport_port"), ("flags", "tcp_control_bits"),
        ("destination_port", "destination_transport_port"), ("protocol", "protocol_identifier"),
    ):  # fmt: skip
        out[name] = flows[column]
    for name, column in (("first", "flow_start_milliseconds"), ("last", "flow_end_milliseconds")):
        out[name] = flows[column] - day
    for at in range(0, len(out), _PER_DATAGRAM):
        some = out[at : at + _PER_DATAGRAM]
        uptime = int(some["last"].max())
        header = np.array((5, len(some), uptime, (day + uptime) // 1000, (day + uptime) % 1000 * 1_000_000,
                           sequence + at, 0, 0), _HEADER)  # fmt: skip
        yield header.tobytes() + some.tobytes()


def store(folder: Path, batches: Iterable[AttributedBatch], day: int) -> tuple[int, float]:
    """Have nfcapd store batches; return how many records were sent and its CPU seconds."""
    folder.mkdir(parents=True)
    command = ["nfcapd", "-w", str(folder), "-b", "127.0.0.1", "-p", str(_PORT), "-B", "8000000", "-t", "86400", "-y"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(1.0)
        sent = number = 0
        begun = time.perf_counter()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", _PORT))
            for batch in batches:
                for datagram in datagrams(batch, day, sent):
                    sender.send(datagram)
                    number += 1
                    if number % _BURST == 0:
                        time.sleep(max(0.0, begun + number / _DATAGRAMS_PER_SECOND - time.perf_counter()))
                sent += len(batch)
                begun, number = time.perf_counter(), 0
        time.sleep(2.0)
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        process.terminate()
    return sent, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(folder: Path, *words: str) -> tuple[int, int, float, float]:
    """Return the flows and octets that nfdump finds, and its CPU and wall seconds."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(["nfdump", "-R", str(folder), *words], capture_output=True, text=True, check=True)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = _SUMMARY.search(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (int(found[1]), int(found[2]), cpu, wall) if found else (0, 0, cpu, wall)


def compare(
    folder: Path,
    batches: Iterable[AttributedBatch],
    day: int,
    own: tuple[float, float],
    pairs: Sequence[tuple[str, FlowSearch, tuple[str, ...]]],
    run: Callable[[FlowSearch], SearchResult],
) -> None:
    """Say how both do. own: octets and CPU seconds of the archive per record; run: searches in it."""
    sent, cpu = store(folder, batches, day)
    size = sum(path.stat().st_size for path in folder.rglob("nfcapd.*"))
    stored = ask(folder, "-N", "-n", "1", "-s", "proto")[0]
    print(f"nfcapd (lz4) stored {stored:,} of {sent:,}, {size / max(stored, 1):.1f} bytes a record,"
          f" {cpu / max(stored, 1) * 1e9:.0f} ns CPU a record")  # fmt: skip
    if stored != sent:
        print("  it lost some: nothing is compared")
        return
    print(f"  btimd: {own[0]:.1f} bytes ({own[0] * stored / size:.2f} of it),"
          f" {own[1] * 1e9:.0f} ns CPU ({own[1] * stored / cpu:.2f} of it)")  # fmt: skip
    for what, search, words in pairs:
        flows, octets, their_cpu, their_wall = min(
            (ask(folder, "-N", *words) for _ in range(3)), key=lambda one: one[3]
        )
        found, tries = run(search), []
        for _ in range(3):
            cpu_begun, begun = time.process_time(), time.perf_counter()
            found = run(search)
            tries.append((time.perf_counter() - begun, time.process_time() - cpu_begun))
        our_wall, our_cpu = min(tries)
        if found.total is not None:
            same = (found.total.flows, found.total.octets_to_server + found.total.octets_to_client) == (flows, octets)
        else:
            same = found.more or len(found.flows) == flows
        print(
            f"  {what:26} nfdump {their_wall:5.2f} s (CPU {their_cpu:5.2f})"
            f"  btimd {our_wall:5.2f} s (CPU {our_cpu:5.2f})"
            f"  {our_wall / their_wall:5.2f} of it" + ("" if same else f"  SUMS DIFFER: {flows:,} flows {octets:,}"),
            flush=True,
        )

"""Sends a load of `bench.datagrams.write_lap` over loopback at a given rate, as fast as 400,000 datagrams/s and more.

python -m bench.sender LOAD PORT [--core N] [--host ADDRESS] [--first ADDRESS]

It obeys lines of standard input: `RATE LAPS` sends the load so many times at so many datagrams per second (0 = as fast
as it can), `filler` sends the filler slowly. It answers each with one JSON line. Sequence numbers go on from lap to
lap. Each exporter is a socket of its own with an address of its own; datagrams leave in bursts of about a
millisecond, sendmmsg taking one exporter's share of a burst at a time.
"""

import argparse
import ctypes
import errno
import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.datagrams import V9
from bench.traffic import EXPORTERS

FILLER_RATE = 8_000
SEQUENCE_AT = {9: 12, 10: 8}
MESSAGE = np.dtype(
    [
        ("name", "u8"), ("name_length", "u4"), ("pad", "u4"), ("parts", "u8"), ("part_count", "u8"), ("control", "u8"),
        ("control_length", "u8"), ("flags", "i4"), ("pad2", "i4"), ("sent", "u4"), ("pad3", "u4"),
    ]
)  # fmt: skip
"""struct mmsghdr of 64-bit Linux."""
PART = np.dtype([("base", "u8"), ("length", "u8")])
SEGMENT = 4_096
"""Datagrams whose sequence numbers are written at a time, so that no lap begins with a pause."""


class Load:
    """Datagrams in memory, in the order in which they leave, with the structures that sendmmsg reads."""

    def __init__(self, path: Path, burst: int) -> None:
        with np.load(path) as file:
            self.octets = file["octets"].copy()
            offsets, self.lap = file["offsets"], int(file["lap"])
            self.version = int(file["version"])
            per_lap = file["per_lap"]
        self.exporters = exporters = len(per_lap)
        count = len(offsets) - 1
        number = np.arange(count)
        exporter = number % exporters
        # Within a burst exporter by exporter; the filler is a burst of its own.
        group = np.where(number < self.lap, number // burst, 1 << 40)
        order = np.lexsort((number, exporter, group))
        self.exporter = exporter[order]
        start = offsets[:-1][order]
        self.parts = np.zeros(count, PART)
        self.parts["base"] = self.octets.ctypes.data + start
        self.parts["length"] = (offsets[1:] - offsets[:-1])[order]
        self.messages = np.zeros(count, MESSAGE)
        self.messages["parts"] = self.parts.ctypes.data + np.arange(count) * PART.itemsize
        self.messages["part_count"] = 1
        self._places = start[:, None] + SEQUENCE_AT[self.version] + np.arange(4)
        self._sequence = self.octets[self._places].copy().view(">u4")[:, 0].astype(np.int64)
        self._per_lap = per_lap[self.exporter]
        cuts = np.flatnonzero(np.diff(self.exporter) | np.diff(group[order])) + 1
        self.cuts = np.concatenate([[0], cuts, [count]])
        """Where runs of one exporter's datagrams begin."""

    def number(self, begin: int, end: int, laps_before: int) -> None:
        """Write the sequence numbers of some datagrams for a lap."""
        now = ((self._sequence[begin:end] + laps_before * self._per_lap[begin:end]) & 0xFFFF_FFFF).astype(">u4")
        self.octets[self._places[begin:end]] = now.view(np.uint8).reshape(-1, 4)


class Sender:
    """Sockets of the exporters, all connected to one receiver."""

    def __init__(self, load: Load, host: str, port: int, first: str) -> None:
        self._load = load
        self._sockets = []
        for number in range(load.exporters):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
            made.bind((str(ipaddress.IPv4Address(first) + number), 0))
            made.connect((host, port))
            self._sockets.append(made)
        self._call = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
        self._base = load.messages.ctypes.data
        self.laps = 0

    def send_laps(self, rate: float, laps: int) -> dict[str, Any]:
        """Send the load so many times."""
        began = time.perf_counter()
        sent = 0
        for _ in range(laps):
            self._send(0, self._load.lap, rate, began, sent)
            sent += self._load.lap
            self.laps += 1
        seconds = time.perf_counter() - began
        return {"datagrams": sent, "seconds": seconds, "rate": sent / seconds}

    def send_filler(self) -> dict[str, Any]:
        """Send what follows the load, with the sequence numbers that follow."""
        count = len(self._load.parts) - self._load.lap
        began = time.perf_counter()
        self._load.number(self._load.lap, len(self._load.parts), max(0, self.laps - 1))
        for at in range(self._load.lap, len(self._load.parts)):
            self._one_run(at, at + 1)
            _wait_until(began + (at - self._load.lap) / FILLER_RATE)
        return {"datagrams": count, "seconds": time.perf_counter() - began}

    def _send(self, begin: int, end: int, rate: float, began: float, sent: int) -> None:
        cuts = self._load.cuts[(self._load.cuts >= begin) & (self._load.cuts <= end)].tolist()
        numbered = begin
        for at, (low, high) in enumerate(pairwise(cuts)):
            while high > numbered:
                self._load.number(numbered, min(numbered + SEGMENT, end), self.laps)
                numbered = min(numbered + SEGMENT, end)
            self._one_run(low, high)
            if rate and at % self._load.exporters == self._load.exporters - 1:
                _wait_until(began + (sent + high) / rate)

    def _one_run(self, low: int, high: int) -> None:
        """Send neighbours of one exporter."""
        file = self._sockets[int(self._load.exporter[low])].fileno()
        while low < high:
            done = self._call(file, self._base + low * MESSAGE.itemsize, high - low, 0)
            if done > 0:
                low += done
            elif ctypes.get_errno() not in {errno.ECONNREFUSED, errno.EINTR, errno.ENOBUFS, errno.EAGAIN}:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _wait_until(when: float) -> None:
    while (left := when - time.perf_counter()) > 0:
        if left > 0.002:
            time.sleep(left - 0.001)


class SenderProcess:
    """The sender in a process and on a core of its own."""

    def __init__(self, load: Path, port: int, *, core: int, burst: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sender", str(load), str(port), "--core", str(core), "--burst", str(burst)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()  # it has read the load

    def laps(self, rate: float, laps: int) -> dict[str, Any]:
        """Send laps and return what was reached, once they are sent."""
        return self._ask(f"{rate} {laps}")

    def filler(self) -> dict[str, Any]:
        """Send the filler."""
        return self._ask("filler")

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()

    def _ask(self, line: str) -> dict[str, Any]:
        if self._process.stdin:
            print(line, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("the sender ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer


def burst_of(rate: float) -> int:
    """Return how many datagrams leave within a millisecond, a multiple of the exporters; 512 at most."""
    return int(min(512, max(EXPORTERS, rate // 1000 // EXPORTERS * EXPORTERS))) if rate else 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("load", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--first", default="127.0.0.2", help="address of the first exporter")
    parser.add_argument("--core", type=int)
    parser.add_argument("--burst", type=int, default=512)
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    load = Load(arguments.load, arguments.burst)
    assert load.version in {V9, 10}
    sender = Sender(load, arguments.host, arguments.port, arguments.first)
    print(json.dumps({"ready": load.lap}), flush=True)
    for line in sys.stdin:
        if line.strip() == "filler":
            answer = sender.send_filler()
        else:
            rate, laps = line.split()
            answer = sender.send_laps(float(rate), int(laps))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

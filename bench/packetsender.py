"""Sends the frames of a capture of `bench.packets` into an interface: python -m bench.packetsender FILE INTERFACE.

It says so when it has read them, and begins at a line of standard input: the packets per second, 0 = as fast as it can;
its answer is one JSON line. sendmmsg on a packet socket past the queueing discipline: on a veth pair the kernel works
on each frame up to the receiver's ring in the sender's time, on the sender's core.
"""

import argparse
import ctypes
import errno
import json
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np

from bench.frames import FILE_HEADER, RECORD_OCTETS
from bench.sender import MESSAGE, PART

QDISC_BYPASS = 20
SOL_PACKET = 263
BURST = 64


class Frames:
    """Frames in memory with the structures that sendmmsg reads. The lengths lie beside the capture, in a .npy file."""

    def __init__(self, path: Path) -> None:
        self._octets = np.fromfile(path, np.uint8)
        lengths = np.load(path.with_suffix(".npy"))
        step = lengths + RECORD_OCTETS
        begin = FILE_HEADER.size + np.cumsum(step) - step + RECORD_OCTETS
        self._parts = np.zeros(len(lengths), PART)
        self._parts["base"] = self._octets.ctypes.data + begin
        self._parts["length"] = lengths
        self._messages = np.zeros(len(lengths), MESSAGE)
        self._messages["parts"] = self._parts.ctypes.data + np.arange(len(lengths)) * PART.itemsize
        self._messages["part_count"] = 1

    def __len__(self) -> int:
        return len(self._messages)

    def send(self, sender: socket.socket, rate: float) -> float:
        """Send all; return the seconds it took."""
        call = ctypes.CDLL(None, use_errno=True).sendmmsg
        call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
        file, base, count, at = sender.fileno(), self._messages.ctypes.data, len(self), 0
        began = time.perf_counter()
        while at < count:
            done = call(file, base + at * MESSAGE.itemsize, min(BURST, count - at), 0)
            if done > 0:
                at += done
            elif ctypes.get_errno() not in {errno.EINTR, errno.ENOBUFS, errno.EAGAIN}:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            if rate:
                while time.perf_counter() < began + at / rate:
                    pass
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("interface")
    parser.add_argument("--core", type=int)
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    frames = Frames(arguments.path)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.setsockopt(SOL_PACKET, QDISC_BYPASS, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        sender.bind((arguments.interface, 0))
        print(json.dumps({"ready": len(frames)}), flush=True)
        for line in sys.stdin:
            seconds = frames.send(sender, float(line))
            print(json.dumps({"packets": len(frames), "seconds": seconds, "rate": len(frames) / seconds}), flush=True)


if __name__ == "__main__":
    main()

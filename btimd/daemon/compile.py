"""Compiles kernels before the daemon uses them, in processes of their own.

A compiler that has run keeps a hundred megabytes for good, and holds the interpreter's lock while it runs. Processes of
their own give the memory back, leave the loop alone, and compile on several cores at the same time. What they
compile lies in numba's cache on disk, from which the daemon loads it.
"""

import asyncio
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from btimd.capture.component import warm as warm_receiving
from btimd.capture.evidence import warm as warm_evidence
from btimd.capture.replay import CaptureFile, holds_flow_export
from btimd.capture.ring import warm as warm_ring
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.output import OutputChunk
from btimd.capture.wire.sflow import SflowReader
from btimd.capture.wire.tables import Tables
from btimd.capture.wire.walk import Run
from btimd.flows.component import warm as warm_flows
from btimd.flows.table import warm as warm_table
from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import all_cached
from btimd.model.datagrams import DatagramBlock
from btimd.rca.adaptive import warm as warm_diagnosis
from btimd.runtime.log import Log


def _nothing() -> DatagramBlock:
    empty = np.zeros(0, np.uint64)
    return DatagramBlock(
        slab=np.zeros(0, np.uint8),
        offsets=np.zeros(1, np.int64),
        source_hi=empty,
        source_lo=empty,
        source_port=np.zeros(0, np.uint16),
        arrival_milliseconds=np.zeros(0, np.int64),
    )


def _warm_netflow() -> None:
    FlowDecoder().decode(_nothing())


def _warm_sflow() -> None:
    run, counts = Run.over(_nothing(), replay=False), np.zeros(fl.COUNTS_SIZE, np.int64)
    SflowReader(Enrichment()).warm(run, Tables(1), counts, OutputChunk(0))


def _warm_replay() -> None:
    """Read a capture file of each format, with a packet in one of them."""
    with TemporaryDirectory() as folder:
        for number, head in enumerate((_PCAP_HEAD, _PCAPNG_HEAD)):
            path = Path(folder, f"{number}.pcap")
            path.write_bytes(head)
            holds_flow_export(path)
            list(CaptureFile(path).blocks())


def warm_packets() -> None:
    """Load, or compile, what captured packets go through."""
    warm_table()
    warm_evidence()
    warm_ring()


def _warm_rest() -> None:
    warm_receiving()
    _warm_replay()
    warm_flows()


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "netflow": _warm_netflow,
    "sflow": _warm_sflow,
    "packets": warm_packets,
    "diagnosis": warm_diagnosis,
    "rest": _warm_rest,
}
"""The decoders and the flow table take most of the time, so each has a process; what several parts need is small."""
_PCAP_HEAD: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1) + bytes(16)
_PCAPNG_HEAD: Final = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
_LIMIT_SECONDS: Final = 300.0


async def compile_missing(log: Log) -> None:
    """Compile what is not in the cache; returns at once where everything is. A failure costs speed only."""
    if await asyncio.to_thread(all_cached):
        return
    await asyncio.gather(*(_compile(part, log) for part in PARTS))


async def _compile(part: str, log: Log) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "btimd.daemon.compile",
        part,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        errors = f"took longer than {_LIMIT_SECONDS:g} s".encode()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("kernels-not-compiled-ahead", part=part, reason=reason, then="they compile when they are used")


if __name__ == "__main__":
    PARTS[sys.argv[1]]()

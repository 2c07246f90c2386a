from pathlib import Path

import numpy as np
import pytest

from bench.datagrams import FILLER_RECORDS, IPFIX, V9, write_capture, write_lap
from bench.sender import Load
from bench.traffic import EXPORTERS, START, Drawn, Network, make_plan, make_rules
from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.address import address_halves
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch

NETWORK = Network.of(make_plan(60), make_rules(20, 5), 300)
COMPARED = (
    "source_address_hi", "source_address_lo", "destination_address_hi", "destination_address_lo",
    "source_transport_port", "destination_transport_port", "octet_delta_count", "packet_delta_count", "sampling_rate",
    "flow_start_milliseconds", "flow_end_milliseconds",
)  # fmt: skip


def rows(*batches: FlowBatch) -> list[tuple[int, ...]]:
    return sorted(
        tuple(row)
        for batch in batches
        for row in zip(*(batch[name].astype(object).tolist() for name in COMPARED), strict=True)
    )


def sent(drawn: list[Drawn]) -> list[tuple[int, ...]]:
    return rows(*(batch.flows for batch in drawn))


def test_a_capture_decodes_to_what_was_drawn(tmp_path: Path) -> None:
    drawn = write_capture(tmp_path / "load.pcap", NETWORK, 3_000)
    decoder = FlowDecoder()
    batches = [decoder.decode(block) for block in CaptureFile(tmp_path / "load.pcap").blocks()]
    assert rows(*batches) == sent(drawn)
    assert decoder.counters.lost_units == 0


def block(payloads: list[bytes], exporters: list[int]) -> DatagramBlock:
    count = len(payloads)
    return DatagramBlock(
        slab=np.frombuffer(b"".join(payloads), np.uint8),
        offsets=np.cumsum([0, *map(len, payloads)]),
        source_hi=np.zeros(count, np.uint64),
        source_lo=np.array([address_halves(f"127.0.0.{2 + each}")[1] for each in exporters], np.uint64),
        source_port=np.full(count, 40_000, np.uint16),
        arrival_milliseconds=np.full(count, START),
    )


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_laps_of_the_sender_follow_each_other_without_a_gap(tmp_path: Path, version: int) -> None:
    lap = write_lap(tmp_path / "lap.npz", NETWORK, 2_000, start=START - 10_000, seconds=10, version=version)
    load = Load(lap.path, 16)
    decoder = FlowDecoder()
    found = []

    def play(begin: int, end: int, laps_before: int) -> None:
        load.number(begin, end, laps_before)
        starts = (load.parts["base"][begin:end] - load.octets.ctypes.data).tolist()
        lengths = load.parts["length"][begin:end].tolist()
        payloads = [load.octets[at : at + length].tobytes() for at, length in zip(starts, lengths, strict=True)]
        found.append(decoder.decode(block(payloads, load.exporter[begin:end].tolist())))

    play(0, lap.datagrams, 0)
    play(0, lap.datagrams, 1)
    play(lap.datagrams, lap.datagrams + lap.filler_datagrams, 1)
    assert [len(batch) for batch in found] == [lap.records, lap.records, FILLER_RECORDS]
    assert lap.datagrams % EXPORTERS == 0
    assert (decoder.counters.lost_units, decoder.counters.restarts, decoder.counters.reordered_datagrams) == (0, 0, 0)
    assert set(sent(lap.drawn)) <= set(rows(found[1]))

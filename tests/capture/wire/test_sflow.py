import struct
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.output import OutputChunk
from btimd.capture.wire.sflow import NOT_COUNTED, InterfaceCounters, SflowReader, read_counter_sample
from btimd.capture.wire.tables import Tables
from btimd.kernels import flowlayout as fl
from btimd.kernels.sflow import COUNTERS_EVERY
from btimd.model.address import Prefix
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.wire.crafting import ARRIVAL, block, v5, v5_record
from tests.kernels.sflowcrafting import (
    counters,
    datagram,
    expanded_counters,
    flow,
    interface_counters,
    raw_header,
    record,
)  # fmt: skip
from tests.kernels.test_headers import OCTETS

PACKET = raw_header(OCTETS["tcp"])
NAME = record(1005, b"\0\0\0\4eth7")


def counted(decoder: FlowDecoder) -> dict[str, int]:
    return {name: value for name, value in asdict(decoder.sflow.counters).items() if value}


@captures.needs_captures
@pytest.mark.parametrize("path", captures.sflow_captures(), ids=lambda path: path.stem)
def test_a_capture_gives_the_records_and_frame_octets_that_were_counted_in_it(path: Path) -> None:
    truth = captures.sflow_truth()[path.stem]
    decoder = FlowDecoder()
    batch = FlowBatch.concat([decoder.decode(item) for item in CaptureFile(path).blocks()])
    assert len(batch) == int(truth["data_records"])
    assert decoder.counters.sflow_datagrams == int(truth["datagrams"])
    if len(batch):
        frames = int((batch["layer2_octet_delta_count"] * batch["sampling_rate"]).sum())
        # One packet of pmacct's capture is malformed: IP says 2 octets more than its frame has; 10 stand for it.
        assert frames == int(truth["sum_octets"]) + (20 if path.stem == "pmacctd-sfprobe-s10-dev" else 0)
        assert int((batch["packet_delta_count"] * batch["sampling_rate"]).sum()) == int(truth["sum_packets"])
        assert (batch["octet_delta_count"] < batch["layer2_octet_delta_count"]).all()
        assert (batch["record_quality"] & fl.Q_PACKET != 0).all()
    if "sf_counter" in truth:
        assert decoder.sflow.counters.counter_samples == int(truth["sf_counter"])


def test_sflow_and_netflow_in_one_block_come_out_in_the_order_they_came_in() -> None:
    sflow, other = datagram(flow(PACKET), flow(PACKET, sequence=2)), v5(v5_record(777))
    again = datagram(flow(PACKET, sequence=3), sequence=2)
    decoder = FlowDecoder()
    batch = decoder.decode(block(other, sflow, other, b"\xff" * 9, again, other, datagram(agent="192.0.2.9")[:20]))
    assert batch["octet_delta_count"].tolist() == [777, 52, 52, 777, 52, 777]
    assert batch["exporter_id"].tolist() == [0, 1, 1, 0, 1, 0]
    assert [(exporter.address, exporter.version, exporter.datagrams, exporter.records) for exporter in
            decoder.exporters()] == [("192.0.2.1", 5, 3, 3), ("192.0.2.77", 105, 2, 3)]  # fmt: skip
    found = decoder.counters
    assert (found.datagrams, found.sflow_datagrams, found.records, found.short_datagrams,
            found.unknown_version_datagrams) == (7, 3, 6, 1, 1)  # fmt: skip


def test_datagrams_missing_between_those_of_an_agent_are_lost_and_sub_agents_count_apart() -> None:
    decoder = FlowDecoder()
    for sequence in (*range(1, 40), *range(42, 80)):
        decoder.decode(block(*(datagram(flow(PACKET, sequence=sequence), sequence=sequence, sub_agent=sub) for sub in (0, 1)),
                             arrival=ARRIVAL + 1000 * sequence))  # fmt: skip
    assert decoder.counters.lost_units == 4
    assert counted(decoder) == {"flow_samples": 154, "lost_samples": 4, "sources": 2}


def test_more_agents_than_may_be_are_refused_and_counted() -> None:
    decoder = FlowDecoder(DecodeLimits(max_exporters=2))
    octets = [datagram(flow(PACKET), agent=f"192.0.2.{k}") for k in range(1, 6)]
    assert len(decoder.decode(block(*octets))) == 2
    assert (decoder.counters.refused_datagrams, decoder.counters.datagrams) == (3, 5)


def test_who_may_export_is_decided_by_the_sender_and_not_by_the_agent_it_names() -> None:
    decoder = FlowDecoder(allowed=[Prefix.parse("192.0.2.0/24")])
    octets = datagram(flow(PACKET), agent="10.9.9.9")
    assert len(decoder.decode(block(octets))) == 1
    senders = ["192.0.2.1", "198.51.100.7", "192.0.2.2", "198.51.100.7"]
    assert len(decoder.decode(block(*[octets] * 4, sources=senders))) == 2
    assert decoder.counters.refused_exporters == 2
    assert [(one.address, one.datagrams) for one in decoder.refused_exporters()] == [("198.51.100.7", 2)]


def test_a_block_larger_than_the_output_loses_nothing() -> None:
    octets = datagram(*(flow(PACKET, sequence=k) for k in range(500)))
    decoder = FlowDecoder()
    assert len(decoder.decode(block(*[octets] * 100))) == 50_000


def test_counter_samples_tell_what_interfaces_count_and_what_they_and_their_host_are_called() -> None:
    decoder = FlowDecoder()
    host = record(2000, b"\0\0\0\5sw-01\0\0\0" + bytes(40))
    decoder.decode(block(datagram(
        counters(interface_counters(7, octets=(5, 9)), NAME, source=7), expanded_counters(host, source=(2, 1)),
    )))  # fmt: skip
    assert list(decoder.sflow.interfaces()) == [(0, InterfaceCounters(
        interface=7, speed=10**9, admin_up=True, oper_up=True, in_octets=5, in_packets=6, in_discards=4, in_errors=5,
        out_octets=9, out_packets=60, out_discards=40, out_errors=50, milliseconds=ARRIVAL,
    ))]  # fmt: skip
    [interface] = decoder.names.interfaces(0)
    assert (interface.index, interface.name, interface.speed) == (7, "eth7", 10**9)
    assert decoder.names.of(0).host == "sw-01"


def test_an_interface_s_counters_are_read_at_most_every_few_seconds() -> None:
    decoder = FlowDecoder()
    for later, octets in ((0, 5), (COUNTERS_EVERY - 1, 6), (COUNTERS_EVERY, 7)):
        sample = counters(interface_counters(octets=(octets, 0)))
        decoder.decode(block(datagram(sample), arrival=ARRIVAL + later))
        [(_, found)] = decoder.sflow.interfaces()
        assert found.in_octets == (7 if later == COUNTERS_EVERY else 5)
    assert counted(decoder) == {"counter_samples": 3, "counters_left_out": 1, "sources": 1}


def test_what_a_device_does_not_count_is_not_counted_as_nothing() -> None:
    body = struct.pack(">IIQII", 3, 6, 0, 1, 0xFFFF_FFFF) + b"\xff" * 64
    [found] = read_counter_sample(counters(record(1, body)), ARRIVAL).interfaces
    assert not found.admin_up
    assert not found.oper_up
    assert {found.in_octets, found.in_packets, found.in_discards, found.out_octets, found.out_errors} == {NOT_COUNTED}


@pytest.mark.parametrize("sample", [
    counters(interface_counters(), NAME), expanded_counters(NAME, interface_counters()),
    counters(record(1005, b"\xff\xff\xff\xffx")), counters(record(1005, b"")), counters(record(2000, b"\0")),
    counters(record(1, bytes(80))), counters(record(77, b"1234"), record(1, bytes(88), enterprise=9)),
])  # fmt: skip
def test_a_counter_sample_cut_off_anywhere_says_no_more_than_is_there(sample: bytes) -> None:
    whole = read_counter_sample(sample, ARRIVAL)
    for cut in range(20, len(sample)):
        found = read_counter_sample(sample[:cut], ARRIVAL)
        assert found.interfaces in ((), whole.interfaces)
        assert whole.interface_name.startswith(found.interface_name)


def test_sources_and_interfaces_are_bounded() -> None:
    decoder = FlowDecoder()
    decoder.sflow = SflowReader(decoder.names, max_sources=1024, max_interfaces=100)
    for first in range(1, 3001, 100):
        samples = [part for k in range(first, first + 100) for part in
                   (flow(PACKET, source=k), counters(interface_counters(k), source=k))]  # fmt: skip
        assert len(decoder.decode(block(datagram(*samples)))) == 100
    assert [found.interface for _, found in decoder.sflow.interfaces()] == list(range(2901, 3001))
    assert counted(decoder)["source_resets"] == 2
    assert counted(decoder)["sources"] <= 1024


def test_the_kernels_are_warm_before_the_first_datagram() -> None:
    reader, tables = SflowReader(Enrichment()), Tables(1)

    class Run:
        slab = np.zeros(0, np.uint8)
        offsets = np.zeros(1, np.int64)
        source_hi = source_lo = arrival = np.zeros(0, np.int64)
        source_port = np.zeros(0, np.uint16)
        cursor = np.zeros(fl.CURSOR_SIZE, np.int64)

    counts = np.zeros(fl.COUNTS_SIZE, np.int64)
    reader.warm(Run(), tables, counts, OutputChunk(0))
    assert not counts.any()

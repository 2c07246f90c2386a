"""Packets go in, flow records come out: nothing is lost and nothing counts twice, however small the table is."""

import dataclasses
import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows import table as table_module
from btimd.flows.table import FlowTable, TableCounters, TableLimits
from btimd.model.address import address_text
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import PacketBlock, SpanTraffic
from tests.capture.spanfiles import frames_of
from tests.capture.test_span_frames import FILES, OTHER_FLOWS, SPAN, truth_of
from tests.kernels import oracle_flowcache as oracle
from tests.kernels.oracle_flowcache import ACK, FIN, ICMP, MAPPED, RST, SECOND, START, SYN, UDP, Packet, block_of

pytestmark = pytest.mark.bounds
A, B = MAPPED | 0x0A000001, MAPPED | 0x0A000002
BACK = Packet(source=B, destination=A, ports=(443, 40_000))


def rows_of(traffic: SpanTraffic) -> list[oracle.Row]:
    flows = traffic.flows
    names = (
        "source_transport_port", "destination_transport_port", "protocol_identifier", "flow_start_milliseconds",
        "flow_end_milliseconds", "packet_delta_count", "octet_delta_count", "layer2_octet_delta_count",
        "tcp_control_bits", "ip_class_of_service", "vlan_id",
    )  # fmt: skip
    return sorted(
        (
            int(flows["source_address_hi"][at]) << 64 | int(flows["source_address_lo"][at]),
            int(flows["destination_address_hi"][at]) << 64 | int(flows["destination_address_lo"][at]),
            *(int(flows[name][at]) for name in names),
        )
        for at in range(len(flows))
    )


def row(packet: Packet, **other: int) -> oracle.Row:
    """Return the record of one packet, with what is said otherwise."""
    time = packet.time // 1_000_000
    fields = {
        "first": time, "last": time, "packets": 1, "octets": packet.ip_octets, "frames": packet.frame_octets,
        "flags": packet.flags if packet.protocol == 6 else 0, "class_of_service": packet.class_of_service,
        "vlan": packet.vlan,
    } | other  # fmt: skip
    return (*packet.key, *fields.values())


def sums(rows: list[oracle.Row]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return for each direction of a 5-tuple what its records add up to."""
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    for each in rows:
        key = (*each[:3], 0 if each[4] in {1, 58} else each[3], each[4])
        first, last, packets, octets, frames, flags = found.get(key, (2**63, 0, 0, 0, 0, 0))
        found[key] = (
            min(first, each[5]), max(last, each[6]), packets + each[7], octets + each[8], frames + each[9],
            flags | each[10],
        )  # fmt: skip
    return found


def timed(packets: list[tuple[Packet, int]], start: int) -> tuple[list[Packet], int]:
    """Return packets with their times, and the latest of them."""
    now, stamped = start, []
    for packet, later in packets:
        now += later * 1_000_000
        stamped.append(dataclasses.replace(packet, time=now))
    return stamped, now


@settings(max_examples=60)
@given(st.lists(st.tuples(oracle.TIMED, st.integers(1000, 70_000)), max_size=5), st.integers(0, 2**31))
def test_records_are_what_a_dictionary_of_flows_gives(batches: list[Any], seed: int) -> None:
    table, wanted = FlowTable(TableLimits(flows=4096, quality=False), seed=seed), oracle.Table()
    now = START
    for packets, later in batches:
        stamped, now = timed(packets, now)
        table.add(block_of(stamped))
        wanted.add(stamped)
        now += later * 1_000_000
        assert rows_of(table.harvest(now)) == wanted.harvest(now)
        assert table.counters.flows == len(wanted.flows)
    assert rows_of(table.flush()) == wanted.flush()
    assert table.counters.flows == 0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(oracle.TIMED, st.integers(0, 5000)), max_size=5),
    st.integers(1, 40),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_no_packet_is_lost_or_counted_twice_however_few_flows_have_room(
    batches: list[Any], capacity: int, quality: bool, seed: int
) -> None:
    table, wanted = FlowTable(TableLimits(flows=capacity, quality=quality), seed=seed), oracle.Table()
    now, rows, packets_told = START, [], 0
    for packets, later in batches:
        stamped, now = timed(packets, now)
        table.add(block_of(stamped))
        wanted.add(stamped)
        now += later * 1_000_000
        traffic = table.harvest(now)
        rows += rows_of(traffic)
        packets_told += traffic.packets
        assert table.counters.flows <= capacity
    traffic = table.flush()
    rows += rows_of(traffic)
    assert sums(rows) == sums(wanted.flush())
    counters = table.counters
    assert counters.records == len(rows)
    assert counters.packets == packets_told + traffic.packets == sum(len(packets) for packets, _ in batches)
    assert all(each[5] <= each[6] for each in rows)


def test_both_directions_of_a_flow_meet_and_give_a_record_each() -> None:
    table = FlowTable()
    there, again = Packet(time=START), Packet(time=START + 5 * SECOND, flags=8 | ACK, vlan=5)
    back = dataclasses.replace(BACK, time=START + SECOND)
    table.add(block_of([there, back, again]))
    assert table.counters.flows == 1
    assert rows_of(table.flush()) == [
        row(there, last=1_700_000_005_000, packets=2, octets=100, frames=132, flags=8 | ACK),
        row(back),
    ]


def test_records_stand_in_the_name_of_the_observation_point_and_carry_octets_of_frames() -> None:
    table = FlowTable(observation_point=7)
    table.add(block_of([Packet()]))
    traffic = table.harvest(START, lost_packets=3)
    assert (traffic.observation_point, len(traffic.flows), traffic.packets, traffic.lost_packets) == (7, 0, 1, 3)
    traffic = table.flush()
    (found,) = traffic.flows.rows()
    assert (found["exporter_id"], found["sampling_rate"], found["octet_delta_count"]) == (7, 1, 50)
    assert traffic.flows["layer2_octet_delta_count"].tolist() == [64]


def test_a_flow_with_traffic_is_reported_at_the_active_time_out_with_its_growth_and_stays() -> None:
    table = FlowTable()
    table.add(block_of([Packet()]))
    assert rows_of(table.harvest(START + 9 * SECOND)) == []
    assert rows_of(table.harvest(START + 10 * SECOND)) == [row(Packet())]
    assert rows_of(table.harvest(START + 20 * SECOND)) == []
    later = Packet(time=START + 21 * SECOND)
    table.add(block_of([later]))
    assert rows_of(table.harvest(START + 31 * SECOND)) == [row(later)]
    assert table.counters.flows == 1
    assert rows_of(table.harvest(START + 81 * SECOND)) == []
    assert table.counters.flows == 0


@pytest.mark.parametrize(
    "packets",
    [[Packet(flags=RST)], [Packet(flags=FIN | ACK), dataclasses.replace(BACK, flags=FIN | ACK)]],
    ids=["RST", "FIN of both"],
)
def test_a_connection_that_ended_is_forgotten_soon(packets: list[Packet]) -> None:
    table = FlowTable(TableLimits(quality=False))
    table.add(block_of(packets))
    assert rows_of(table.harvest(START + 1 * SECOND)) == []
    assert rows_of(table.harvest(START + 2 * SECOND)) == [row(packet) for packet in packets]
    assert table.counters.flows == 0


def test_a_connection_with_the_ports_of_one_that_ended_is_another_flow() -> None:
    table = FlowTable(TableLimits(quality=False))
    table.add(block_of([Packet(flags=RST), Packet(flags=SYN, vlan=3)]))
    assert rows_of(table.flush()) == [row(Packet(flags=RST)), row(Packet(flags=SYN, vlan=3))]
    assert (table.counters.created, table.counters.flows) == (2, 0)


def test_requests_and_replies_of_icmp_are_one_flow_and_records_carry_type_and_code() -> None:
    table = FlowTable()
    echo = Packet(protocol=ICMP, ports=(8, 0))
    reply = Packet(protocol=ICMP, ports=(0, 0), source=B, destination=A)
    table.add(block_of([echo, reply]))
    assert table.counters.flows == 1
    assert table.flush().flows["destination_transport_port"].tolist() == [0x800, 0]


def test_what_the_card_took_off_is_the_vlan() -> None:
    table = FlowTable()
    table.add(block_of([Packet(vlan=5, tag=0x8100 << 16 | 0xA000 | 77)]))
    assert table.flush().flows["vlan_id"].tolist() == [77]


def test_a_label_is_told_where_any_packet_had_one() -> None:
    labelled = bytes(12) + struct.pack(">HI", 0x8847, 1234 << 12 | 0x1FF) + Packet(ports=(1, 2)).frame()[14:]
    block = block_of([Packet(), Packet(ports=(1, 2))])
    slab = np.frombuffer(block.slab.tobytes() + labelled, np.uint8)
    block.frames[:2, 1] = len(block.slab), len(slab)
    table = FlowTable()
    table.add(PacketBlock(slab, block.frames))
    assert sorted(table.flush().flows["mpls_top_label"].tolist()) == [0, 1234]


def test_octets_stop_at_the_frame_where_the_header_claims_more_and_are_the_frames_where_it_says_nothing() -> None:
    claims = bytearray(Packet(payload=0).frame())
    claims[16:18] = b"\xff\xff"
    silent = bytearray(Packet(payload=0, ports=(1, 2)).frame())
    silent[16:18] = b"\0\0"
    slab = np.frombuffer(bytes(claims + silent), np.uint8)
    frames = np.array([[0, 54], [54, 108], [54, 60_054], [START, START], [1, 1], [0, 0]])
    table = FlowTable()
    table.add(PacketBlock(slab, frames))
    assert sorted(table.flush().flows["octet_delta_count"].tolist()) == [40, 60_040]


def test_frames_in_no_flow_are_counted_by_reason() -> None:
    arp, good = bytes(12) + b"\x08\x06" + bytes(28), Packet().frame()
    version = bytearray(good)
    version[14] = 0x55
    spanning = bytes(12) + b"\0\x26\x42\x42\x03" + bytes(35)
    frames = [
        (arp, 42, 1), (spanning, 52, 1), (good[:20], 64, 1), (bytes(version), len(version), 1), (good, 64, -1),
        (good[:8], 8, 1), (good, 64, 1),
    ]  # fmt: skip
    slab, rows, at = b"".join(frame for frame, _, _ in frames), [], 0
    for frame, octets, link in frames:
        rows.append((at, at + len(frame), octets, START, link, 0))
        at += len(frame)
    table = FlowTable()
    table.add(PacketBlock(np.frombuffer(slab, np.uint8), np.array(rows).T))
    assert table.counters == TableCounters(
        packets=7, octets=42 + 52 + 64 + 54 + 64 + 8 + 64, not_ip=2, not_ip_octets=94, cut_off=1, cut_off_octets=64,
        malformed=2, malformed_octets=62, unknown_link=1, unknown_link_octets=64, flows=1, created=1, evicted=0,
        records=0, quality_records=0, samples=0,
    )  # fmt: skip


@pytest.mark.parametrize("time", [0, -1, 2**63 - 1, -(2**63), START])
@pytest.mark.parametrize("now", [0, START, 2**63 - 1])
def test_absurd_times_lose_nothing_and_no_flow_stays_for_ever(time: int, now: int) -> None:
    table = FlowTable()
    table.add(block_of([Packet(time=START)] * 5 + [Packet(time=time, ports=(1, 2)), Packet(time=START)]))
    rows = rows_of(table.harvest(now)) + rows_of(table.harvest(START + 61 * SECOND))
    assert sum(each[7] for each in rows) == 7
    assert table.counters.flows == 0
    assert all(each[5] <= each[6] for each in rows)


def test_a_table_that_runs_for_years_keeps_telling_the_time() -> None:
    table, rows, stamps = FlowTable(), [], []
    for day in range(0, 1000, 7):
        stamps.append(START + day * 86_400 * SECOND)
        table.add(block_of([Packet(time=stamps[-1]), Packet(time=stamps[-1] + 1, ports=(1, day))]))
        rows += rows_of(table.harvest(stamps[-1] + 30 * SECOND))
    firsts = sorted(each[5] for each in rows)
    assert firsts == sorted([stamp // 1_000_000 for stamp in stamps] * 2)


def test_those_silent_for_longest_go_first_where_room_is_wanted() -> None:
    table = FlowTable(TableLimits(flows=64))
    for number in range(64):
        table.add(block_of([Packet(ports=(1, number), time=START + number * SECOND)]))
    table.add(block_of([Packet(ports=(2, 1), time=START + 64 * SECOND)]))
    assert 0 < table.waiting == table.counters.evicted <= 8
    gone = sorted(each[3] for each in rows_of(table.harvest(START + 64 * SECOND - 10**9)) if each[6] < START + 60)
    assert set(range(table.counters.evicted)) <= set(gone)


def test_more_flows_than_the_outputs_have_room_for_come_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "_ROOM", 256)
    packets = [Packet(ports=(53, number), protocol=UDP if number % 2 else 6) for number in range(2000)]
    table = FlowTable()
    table.add(block_of(packets))
    assert (table.counters.flows, table.counters.evicted) == (2000, 0)
    assert rows_of(table.flush()) == sorted(row(packet) for packet in packets)


def test_a_harvest_after_part_of_a_second_looks_at_part_of_the_flows_and_misses_none() -> None:
    table = FlowTable()
    table.harvest(START)
    table.add(block_of([Packet(ports=(1, number)) for number in range(100)]))
    table.harvest(START + 60 * SECOND - 1)
    numbers = []
    for step in range(1, 11):
        numbers.append(len(table.harvest(START + 70 * SECOND + step * SECOND // 10).flows))
        assert table.counters.flows >= 0
    assert sum(numbers) <= 100
    assert table.counters.flows == 0


@dataclasses.dataclass
class Recorder:
    tags: npt.NDArray[np.int16]
    table: FlowTable | None = None
    seen: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)

    def record(self, block: PacketBlock, slots: npt.NDArray[np.int32], payload_at: npt.NDArray[np.int64]) -> None:
        assert len(block) == len(slots) == len(payload_at)
        for number, slot in enumerate(slots.tolist()):
            begin = int(block.frames[0, number])
            self.seen.append((slot, int(self.tags[slot]) if slot >= 0 else -1, int(payload_at[number]) - begin))


def labels(flows: FlowBatch) -> npt.NDArray[np.int16]:
    return flows["destination_transport_port"].astype(np.int16)


def test_the_recorder_gets_each_packet_with_the_slot_and_label_of_its_flow() -> None:
    recorder = Recorder(np.zeros(64, np.int16))
    table = FlowTable(TableLimits(flows=64), label=labels, recorder=recorder)
    wide = Packet(source=1, destination=2, ports=(9, 81), protocol=UDP)
    table.add(block_of([Packet(), BACK, wide]))
    arp = PacketBlock(np.zeros(60, np.uint8), np.array([[0], [60], [60], [START], [1], [0]]))
    table.add(arp)
    assert recorder.seen == [(0, 443, 54), (0, 443, 54), (1, 81, 62), (-1, -1, 0)]
    table.add(block_of([Packet(), Packet(flags=SYN), BACK]))
    assert [tag for _, tag, _ in recorder.seen[4:]] == [443, 443, 443]


def test_labels_are_right_even_while_flows_make_room_for_each_other() -> None:
    recorder = Recorder(np.zeros(20, np.int16))
    table = FlowTable(TableLimits(flows=20), label=labels, recorder=recorder)
    packets = [Packet(ports=(7, number % 50), protocol=UDP) for number in range(500)]
    table.add(block_of(packets))
    assert [tag for _, tag, _ in recorder.seen] == [packet.ports[1] for packet in packets]
    assert table.counters.evicted > 0


def test_labels_are_asked_for_anew_when_their_meaning_changes() -> None:
    recorder = Recorder(np.zeros(10_000, np.int16))
    offset = 0
    table = FlowTable(
        TableLimits(flows=10_000),
        label=lambda flows: (flows["destination_transport_port"] + offset).astype(np.int16),
        recorder=recorder,
    )
    table.add(block_of([Packet(ports=(7, number), protocol=UDP) for number in range(6000)]))
    offset = 5
    table.relabel()
    assert recorder.tags[:6000].tolist() == [number + 5 for number in range(6000)]


def test_a_label_without_recorder_is_not_asked_for() -> None:
    def refuse(_flows: FlowBatch) -> npt.NDArray[np.int16]:
        raise AssertionError

    FlowTable(label=refuse).add(block_of([Packet()]))


def test_a_recorder_with_fewer_tags_than_flows_is_refused() -> None:
    with pytest.raises(ValueError, match="the recorder has 3 tags, the table 64 flows"):
        FlowTable(TableLimits(flows=64), recorder=Recorder(np.zeros(3, np.int16)))


@pytest.mark.parametrize(
    "wrong", [{"flows": 0}, {"flows": 2**24 + 1}, {"inactive_nanoseconds": 0}, {"active_nanoseconds": -1}]
)
def test_limits_that_no_table_can_have_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        TableLimits(**wrong)  # type: ignore[arg-type]


def test_blocks_of_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match="frames have 5 rows, wanted 6"):
        FlowTable().add(PacketBlock(np.zeros(0, np.uint8), np.zeros((5, 0), np.int64)))


def test_warming_leaves_nothing_behind() -> None:
    table_module.warm()
    table = FlowTable(TableLimits(flows=8))
    table.warm()
    assert set(dataclasses.astuple(table.counters)) == {0}


MEMORY = """
import resource
import numpy as np
from btimd.flows.table import FlowTable, TableLimits, warm
from btimd.model.packets import PacketBlock
from tests.kernels.oracle_flowcache import Packet, START
warm()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count, part = 1 << 20, 1 << 14
table = FlowTable(TableLimits(flows=count))
packet = Packet().frame()  # TCP: its quality is measured, too
slab = np.tile(np.frombuffer(packet, np.uint8), part).reshape(part, -1)
number = np.arange(part)
frames = np.zeros((6, part), np.int64)
frames[0], frames[1], frames[2], frames[3], frames[4] = number * len(packet), (number + 1) * len(packet), 64, START, 1
for begin in range(0, count - 4 * part, part):
    flow = number + begin
    slab[:, 27], slab[:, 28], slab[:, 29] = flow >> 16, (flow >> 8) & 255, flow & 255
    for flags in (2, 16):  # SYN, ACK
        slab[:, 47] = flags
        table.add(PacketBlock(slab.reshape(-1), frames))
assert table.counters.evicted == 0
assert table.counters.flows == count - 4 * part
assert table._quality[: count - 4 * part].any(axis=1).all()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, table.memory_octets // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="a million packets take plain Python minutes"
)
def test_a_million_connections_take_less_than_400_megabytes() -> None:
    output = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    taken_kibibytes, claimed_kibibytes = map(int, output.split())
    assert taken_kibibytes < 400_000
    assert claimed_kibibytes < 400_000


def found_in(flows: FlowBatch) -> Counter[tuple[Any, ...]]:
    """Return packets and octets of frames of each 5-tuple, both directions together, ports of ICMP as 0."""
    found: Counter[tuple[Any, ...]] = Counter()
    frames = flows["layer2_octet_delta_count"]
    for at, each in enumerate(flows.rows()):
        protocol = each["protocol_identifier"]
        ends = sorted(
            (
                address_text(each[f"{end}_address_hi"], each[f"{end}_address_lo"]),
                each[f"{end}_transport_port"] if protocol not in {1, 58} else 0,
            )
            for end in ("source", "destination")
        )
        found[protocol, *ends] += each["packet_delta_count"]
        found[protocol, *ends, "octets"] += int(frames[at])
    return found


@pytest.mark.skipif(not SPAN.is_dir(), reason=f"the captures are not published with the project: {SPAN} is absent")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_packets_and_octets_of_each_flow_of_a_capture_are_as_its_truth_says(path: Path) -> None:
    table = FlowTable()
    table.add(frames_of(path))
    wanted = truth_of(path).flows
    for key, (packets, octets) in OTHER_FLOWS.get(f"{path.parent.name}/{path.name}", ({}, ""))[0].items():
        wanted[key] += packets
        wanted[*key, "octets"] += octets
    assert found_in(table.flush().flows) == wanted

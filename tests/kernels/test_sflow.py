import itertools
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.sflowrecords import sflow_samples
from btimd.kernels import flowlayout as fl
from btimd.kernels import sflow, sflowsample
from tests.capture import captures
from tests.kernels.oracle_sflow import Row, row_of
from tests.kernels.sflowcrafting import (
    ARRIVAL,
    LOCAL,
    Walker,
    counters,
    datagram,
    discarded,
    ethernet,
    expanded_counters,
    expanded_flow,
    flow,
    interface_counters,
    raw_header,
    record,
    sampled_ipv4,
)  # fmt: skip
from tests.kernels.test_headers import OCTETS

TCP = OCTETS["tcp"]


def oracle_rows(*datagrams: bytes) -> list[Row]:
    """Return the rows of datagrams, in plain Python."""
    samples = (
        sample
        for number, octets in enumerate(datagrams)
        if octets[:4] == b"\0\0\0\5" and len(octets) >= 8
        for sample in sflow_samples(octets, number=number, exporter="", note=lambda _: None)
    )
    rows = (row_of(sample, ARRIVAL) for sample in samples)
    return [row | ({"agent": "192.0.2.1"} if row["agent"] in {"0.0.0.0", "::"} else {}) for row in rows if row]


def datagrams_of(path: Path) -> list[bytes]:
    return [
        item.slab[begin:end].tobytes()
        for item in CaptureFile(path).blocks()
        for begin, end in itertools.pairwise(item.offsets)
    ]


def test_a_sampled_packet_counts_for_its_ip_packets_length_and_its_frames_stands_beside_it() -> None:
    walker = Walker()
    [row] = walker.walk(datagram(flow(raw_header(OCTETS["qinq"], octets=1000), source=4), sub_agent=5))
    assert row == {
        "agent": "192.0.2.77", "domain": 5, "start": ARRIVAL, "end": ARRIVAL,
        "source": bytes.fromhex("20010db8000000000000000000000001"),
        "destination": bytes.fromhex("20010db8000000000000000000000002"), "sport": 40_000, "dport": 443,
        "protocol": 6, "class": 0x48, "flags": 0xD2, "ingress": 3, "egress": 4, "vlan": 421, "direction": 1,
        "octets": 72, "packets": 1, "rate": 512, "quality": fl.Q_PACKET, "layer2": 1000, "status": 0, "label": 0,
        "source_mac": 0x020000000001, "destination_mac": 0x020000000002,
    }  # fmt: skip
    assert walker.statuses == [fl.NEW_DOMAIN, fl.NEED_EXTRA, fl.DONE]
    assert walker.tally() == {"flow_samples": 1, "sources": 1}
    assert (walker.counts[fl.N_RECORDS], walker.counts[fl.N_SFLOW], walker.counts[fl.N_DATAGRAMS]) == (1, 1, 1)


PACKET = fl.Q_PACKET


@pytest.mark.parametrize(("sample", "wanted"), [
    (flow(raw_header(OCTETS["arp"], octets=68)), {"octets": 68, "layer2": 68, "quality": PACKET | fl.Q_LAYER2}),
    (flow(raw_header(OCTETS["offloaded"], octets=9014)), {"octets": 9014, "quality": PACKET | fl.Q_LAYER2}),
    (flow(raw_header(TCP[:30], octets=70)), {"octets": 70, "quality": PACKET | fl.Q_LAYER2}),
    (flow(raw_header(TCP[:36], octets=70)), {"octets": 52, "dport": 0, "quality": PACKET}),
    (flow(raw_header(TCP[14:], octets=52, link=11)), {"octets": 52, "dport": 443, "source_mac": 0}),
    (flow(sampled_ipv4()), {"octets": 576, "layer2": 0, "dport": 53, "class": 0x48, "flags": 0x12}),
    (flow(sampled_ipv4(source="2001:db8::1", destination="::2")), {"octets": 576, "dport": 53, "destination": bytes(15) + b"\2"}),
    (flow(sampled_ipv4(octets=1 << 30)), {"octets": 0, "quality": PACKET | fl.Q_NO_COUNTERS}),
    (flow(ethernet()), {"octets": 64, "quality": PACKET | fl.Q_LAYER2, "source_mac": 0x020000000001}),
    (flow(ethernet(90), sampled_ipv4(72)), {"octets": 72, "layer2": 90, "quality": PACKET}),
    (flow(raw_header(TCP), record(1001, struct.pack(">IIII", 33, 0, 44, 0))), {"vlan": 33}),
    (flow(raw_header(OCTETS["vlan"]), record(1001, struct.pack(">IIII", 33, 0, 44, 0))), {"vlan": 100}),
    (flow(raw_header(TCP), record(1001, b"\xff" * 16)), {"vlan": 0}),
    (flow(sampled_ipv4(), raw_header(TCP)), {"dport": 53}),
    (flow(raw_header(OCTETS["mpls"])), {"label": 70_000, "dport": 443}),
    (flow(raw_header(TCP), out=1 << 30 | 2), {"egress": 0, "status": 128, "quality": PACKET | fl.Q_DROPPED}),
    (flow(raw_header(TCP), out=2 << 30 | 7), {"egress": 0, "status": 0, "quality": PACKET}),
    (flow(raw_header(TCP), into=LOCAL, out=LOCAL), {"ingress": 0, "egress": 0}),
    (expanded_flow(raw_header(TCP), into=(0, 1 << 31), out=(0, 1_285_816_721)), {"ingress": 1 << 31, "egress": 1_285_816_721}),
    (expanded_flow(raw_header(TCP), out=(1, 256)), {"egress": 0, "quality": PACKET | fl.Q_DROPPED}),
    (discarded(raw_header(TCP)), {"rate": 1, "ingress": 3, "egress": 4, "status": 128, "quality": PACKET | fl.Q_DROPPED}),
    (flow(raw_header(TCP), rate=0), {"rate": 1, "quality": PACKET | fl.Q_RATE_ASSUMED}),
    (flow(raw_header(TCP), rate=1 << 31), {"rate": 1, "quality": PACKET | fl.Q_RATE_ASSUMED}),
    (flow(raw_header(TCP), source=1 << 24 | 4), {"direction": 0}),
    (flow(record(1, b"x" * 40, enterprise=9), raw_header(TCP)), {"dport": 443}),
], ids=itertools.count())  # fmt: skip
def test_what_the_records_of_a_sample_give(sample: bytes, wanted: Row) -> None:
    [row] = Walker().walk(datagram(sample))
    assert {key: row[key] for key in wanted} == wanted


def test_a_frame_shorter_than_the_ip_packet_in_it_is_corrected_and_counted() -> None:
    walker = Walker()
    long = TCP[:16] + struct.pack(">H", 1500) + TCP[18:]
    rows = walker.walk(datagram(flow(raw_header(long, octets=70)), flow(raw_header(TCP, octets=1 << 31), sequence=2)))
    assert [(row["octets"], row["layer2"]) for row in rows] == [(1500, 1514), (52, 66)]
    assert walker.tally()["false_frames"] == 2


def test_addresses_and_ports_before_translation_come_with_those_after_it() -> None:
    address = struct.pack(">I4s", 1, b"\xcb\0\x71\1")
    walker = Walker()
    walker.walk(datagram(flow(raw_header(TCP), record(1007, address, address), record(1020, struct.pack(">II", 7, 8)))))
    extra = walker.last_extra
    assert [int(extra[row, 0]) for row in (fl.X_POST_SOURCE_LO, fl.X_POST_DESTINATION_LO, fl.X_POST_SOURCE_PORT,
                                           fl.X_POST_DESTINATION_PORT)] == [0xFFFF_CB00_7101, 0xFFFF_CB00_7101, 7, 8]  # fmt: skip


def test_samples_that_say_nothing_of_a_packet_are_counted() -> None:
    walker = Walker()
    unknown = record(9, bytes(20)), record(1, bytes(60), enterprise=4413)
    empty = discarded(record(1036, bytes(4)), drops=9), flow(), flow(record(1, bytes(8))), record(1, bytes(20))
    assert walker.walk(datagram(*unknown, *empty, flow(raw_header(TCP), sequence=3))) != []
    assert walker.tally() == {"flow_samples": 3, "discarded_samples": 1, "unknown_samples": 2, "empty_samples": 4, "sources": 1,
                              "lost_samples": 1}  # fmt: skip


def test_missing_sample_numbers_and_drops_of_a_source_are_counted_and_late_samples_taken_back() -> None:
    walker = Walker()

    def lost(*numbers: tuple[int, int], source: int = 3) -> tuple[int, int]:
        walker.walk(
            datagram(*(flow(raw_header(TCP), sequence=one, drops=drops, source=source) for one, drops in numbers))
        )
        return int(walker.tallies[sflowsample.Y_LOST_SAMPLES]), int(walker.tallies[sflowsample.Y_DROPS])

    assert lost((10, 100), (11, 100), (14, 105)) == (2, 5)
    assert lost((13, 103), (15, 106)) == (1, 6)
    assert lost((900, 50), (901, 51), source=4) == (1, 7)
    assert lost((5_000_000, 99), (1, 0), (2, 1)) == (1, 8)  # restarts
    assert lost(((1 << 32) - 1, 5), (0, 6), source=5) == (1, 9)


def test_the_agent_is_the_exporter_and_where_it_is_zero_the_sender() -> None:
    walker = Walker()
    sample = flow(raw_header(TCP))
    rows = walker.walk(
        datagram(sample), datagram(sample, agent="2001:db8::7"), datagram(sample, agent="0.0.0.0"),
        datagram(sample, sub_agent=9), b"\0\0\0\5" + bytes(4) + datagram(sample)[12:],
    )  # fmt: skip
    assert [(row["agent"], row["domain"]) for row in rows] == [
        ("192.0.2.77", 0), ("2001:db8::7", 0), ("192.0.2.1", 0), ("192.0.2.77", 9), ("192.0.2.1", 0),
    ]  # fmt: skip


def test_a_source_s_counters_are_handed_over_at_most_every_few_seconds() -> None:
    walker = Walker()
    both = datagram(counters(interface_counters()), flow(raw_header(TCP)), expanded_counters(source=(0, 70_000)))
    for later in (0, sflow.COUNTERS_EVERY - 1, sflow.COUNTERS_EVERY):
        assert len(walker.walk(both, arrival=ARRIVAL + later)) == 1
    assert [len(octets) for octets in walker.counter_samples] == [116, 24, 116, 24]
    assert (walker.tally()["counter_samples"], walker.tally()["counters_left_out"]) == (6, 2)


def test_more_sources_than_there_is_room_for_are_decoded_but_not_followed() -> None:
    walker = Walker(slots=4)
    rows = walker.walk(datagram(*(flow(raw_header(TCP), source=k) for k in range(1, 6)), counters(source=9)))
    assert len(rows) == 5
    assert (walker.tally()["sources"], walker.tally()["untracked"]) == (2, 4)
    assert walker.counter_samples == []


def test_a_full_output_loses_and_repeats_nothing() -> None:
    samples = [flow(raw_header(TCP), sequence=k, into=k) for k in range(1, 30)]
    walker = Walker(room=4)
    rows = walker.walk(datagram(*samples[:20]), datagram(*samples[20:], sequence=2))
    assert [row["ingress"] for row in rows] == list(range(1, 30))
    assert walker.tally() == {"flow_samples": 29, "sources": 1}


def test_it_stops_before_a_datagram_that_is_not_sflow() -> None:
    walker = Walker()
    one = datagram(flow(raw_header(TCP)))
    assert len(walker.walk(one, b"\0\5" + bytes(40), b"", b"\0\0\0\5", one)) == 2
    assert (walker.counts[fl.N_DATAGRAMS], walker.counts[fl.N_SHORT]) == (3, 1)


@captures.needs_captures
@pytest.mark.bounds
@pytest.mark.parametrize("path", captures.sflow_captures(), ids=lambda path: path.stem)
def test_the_rows_are_what_plain_python_makes_of_the_same_capture(path: Path) -> None:
    found = datagrams_of(path)
    assert Walker(room=64).walk(*found) == oracle_rows(*found)


@captures.needs_captures
@pytest.mark.bounds
@pytest.mark.parametrize("path", captures.sflow_captures(), ids=lambda path: path.stem)
def test_a_capture_cut_off_anywhere_gives_what_plain_python_makes_of_the_rest(path: Path) -> None:
    walker = Walker(room=64, slots=1 << 12)
    for octets in datagrams_of(path)[:3]:
        for cut in range(len(octets)):
            assert walker.walk(octets[:cut]) == oracle_rows(octets[:cut])


@captures.needs_captures
@pytest.mark.bounds
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_mutated_and_spliced_captures_give_what_plain_python_makes_of_them(seed: int) -> None:
    chance = random.Random(seed)
    whole = [octets for path in captures.sflow_captures() for octets in datagrams_of(path)[:12]]
    for _ in range(150):
        octets = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(28, len(octets)) if len(octets) > 28 else 0
            octets[at] = chance.choice([0, 1, 2, 3, 4, 5, 0xFF, chance.randrange(256)])
        if chance.random() < 0.4:
            other = chance.choice(whole)
            at = chance.randrange(len(octets)) & ~3
            octets[at:] = other[chance.randrange(len(other)) & ~3 :]
        assert Walker(room=1024, slots=1 << 12).walk(bytes(octets)) == oracle_rows(bytes(octets))


FRAMES = st.sampled_from(sorted(OCTETS.values()))
NUMBER = st.one_of(st.integers(0, 20), st.integers(0, (1 << 32) - 1), st.sampled_from([LOCAL, 1 << 30, 1 << 31]))
RECORDS = st.one_of(
    st.builds(lambda frame, cut, octets, link: raw_header(frame[:cut], octets=octets, link=link), FRAMES,
              st.integers(0, 90), st.one_of(st.integers(0, 2000), NUMBER), st.sampled_from([1, 1, 1, 11, 12, 13, 7])),
    st.builds(sampled_ipv4, NUMBER, st.integers(0, 255)),
    st.builds(lambda octets: sampled_ipv4(octets, source="::1", destination="2001:db8::5"), NUMBER),
    st.builds(ethernet, NUMBER),
    st.builds(lambda vlan: record(1001, struct.pack(">IIII", vlan, 0, 1, 0)), NUMBER),
    st.builds(record, st.integers(0, 1050), st.binary(max_size=60)),
    st.builds(lambda form, body, length: record(form, body, length=length), st.integers(0, 6), st.binary(max_size=60),
              st.integers(0, 80)),
)  # fmt: skip
SAMPLES = st.one_of(
    st.builds(lambda records, source, rate, into, out: flow(*records, source=source, rate=rate, into=into, out=out),
              st.lists(RECORDS, max_size=4), NUMBER, NUMBER, NUMBER, NUMBER),
    st.builds(lambda records, source, into, out: expanded_flow(*records, source=(0, source), into=into, out=out),
              st.lists(RECORDS, max_size=4), NUMBER, st.tuples(st.integers(0, 3), NUMBER),
              st.tuples(st.integers(0, 3), NUMBER)),
    st.builds(lambda records: discarded(*records), st.lists(RECORDS, max_size=3)),
    st.builds(lambda body: record(2, body), st.binary(max_size=40)),
    st.builds(record, st.integers(0, 9), st.binary(max_size=40)),
    st.just(bytes(8)),
)  # fmt: skip


@pytest.mark.bounds
@settings(max_examples=300)
@given(samples=st.lists(SAMPLES, max_size=4), cut=st.integers(0, 60), agent=st.sampled_from(["192.0.2.77", "::7"]),
       behind=st.binary(max_size=20))  # fmt: skip
def test_any_samples_give_what_plain_python_makes_of_them(
    samples: list[bytes], cut: int, agent: str, behind: bytes
) -> None:
    octets = datagram(*samples, agent=agent) + behind
    octets = octets[: max(len(octets) - cut, 0)]
    assert Walker(room=64).walk(octets, datagram(flow(raw_header(TCP)))) == oracle_rows(
        octets, datagram(flow(raw_header(TCP)))
    )


def test_a_sample_that_says_nothing_leaves_nothing_behind_for_the_next() -> None:
    address = struct.pack(">I4s", 1, b"\xcb\0\x71\1")
    walker = Walker()
    walker.walk(datagram(flow(record(1007, address, address)), flow(raw_header(TCP), sequence=2)))
    assert (walker.tally()["empty_samples"], walker.last_extra[fl.X_POST_SOURCE_LO, 0]) == (1, 0)

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapWriter

from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.ipfixexport import ExportLimits, FlowEncoder, Message
from btimd.kernels import flowlayout as fl
from btimd.model.address import address_halves
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import Array, FlowBatch
from tests.programs import need

NOW = 1_700_000_002_000
DOMAIN = 7
WIDTHS = {
    "source_transport_port": 16, "destination_transport_port": 16, "protocol_identifier": 8, "ip_class_of_service": 8,
    "tcp_control_bits": 16, "vlan_id": 12, "flow_direction": 1, "ingress_interface": 32, "octet_delta_count": 40,
    "packet_delta_count": 30,
}  # fmt: skip

TIMES = ("flow_start_milliseconds", "flow_end_milliseconds")
COLUMNS = (*WIDTHS, *(f"{end}_address_{half}" for end in ("source", "destination") for half in ("hi", "lo")), *TIMES)


def flows_of(families: Sequence[bool], *, layer2: bool = True, seed: int = 1) -> FlowBatch:
    """Return records of IPv6 where true, else of IPv4, that say something in every column."""
    chance, count = np.random.default_rng(seed), len(families)
    six = np.array(families, np.bool_)
    columns: dict[str, Array] = {name: chance.integers(1, 1 << bits, count) for name, bits in WIDTHS.items()}
    for end in ("source", "destination"):
        hi, lo = chance.integers(1, 1 << 62, (2, count)).astype(np.uint64)
        columns[f"{end}_address_hi"] = np.where(six, hi, 0).astype(np.uint64)
        columns[f"{end}_address_lo"] = np.where(six, lo, 0xFFFF << 32 | lo & np.uint64(0xFFFF_FFFF)).astype(np.uint64)
    columns["flow_start_milliseconds"] = NOW - chance.integers(1_000, 2_000, count)
    columns["flow_end_milliseconds"] = NOW - chance.integers(0, 1_000, count)
    if layer2:
        columns["layer2_octet_delta_count"] = chance.integers(1, 1 << 40, count)
    return FlowBatch.of(**columns)


def block_of(messages: Sequence[Message]) -> DatagramBlock:
    count = len(messages)
    hi, lo = address_halves("127.0.0.1")
    return DatagramBlock(
        slab=np.frombuffer(b"".join(message.octets for message in messages), np.uint8),
        offsets=np.cumsum([0, *(len(message.octets) for message in messages)]).astype(np.int64),
        source_hi=np.full(count, hi, np.uint64),
        source_lo=np.full(count, lo, np.uint64),
        source_port=np.full(count, 9, np.uint16),
        arrival_milliseconds=np.full(count, NOW, np.int64),
    )


def told(flows: FlowBatch) -> list[tuple[tuple[str, int], ...]]:
    """Return what a record says, without what only the decoder knows."""
    names = (*COLUMNS, "layer2_octet_delta_count")
    return [
        tuple(zip(names, row, strict=True))
        for row in zip(*(flows.column(name).tolist() for name in names), strict=True)
    ]


def lost(decoder: FlowDecoder) -> int:
    """Return how many records the sequence numbers miss, those still waited for among them."""
    return decoder.counters.lost_units + int(decoder._tables.sequences[:, fl.E_PENDING].sum())


def header(message: Message) -> tuple[int, int, int, int, int]:
    """Return version, length, export time, sequence number and observation domain."""
    octets = bytes(message.octets)
    parts = (octets[0:2], octets[2:4], octets[4:8], octets[8:12], octets[12:16])
    version, length, seconds, sequence, domain = (int.from_bytes(part, "big") for part in parts)
    return version, length, seconds, sequence, domain


def test_one_record_octet_by_octet() -> None:
    hi, lo = address_halves("10.1.2.3")
    flows = FlowBatch.of(
        flow_start_milliseconds=[1], flow_end_milliseconds=[2], source_address_hi=[hi], source_address_lo=[lo],
        destination_address_hi=[hi], destination_address_lo=[lo + 1], source_transport_port=[40_000],
        destination_transport_port=[443], protocol_identifier=[6], ip_class_of_service=[0xB8], tcp_control_bits=[0x1B],
        ingress_interface=[3], vlan_id=[20], flow_direction=[1], octet_delta_count=[1_500], packet_delta_count=[2],
    )  # fmt: skip
    templates, data = FlowEncoder().encode(flows, 7, 1_999)
    assert (templates.records, data.records) == (0, 1)
    four = (8, 4), (12, 4)
    six = (27, 16), (28, 16)
    common = (
        (7, 2), (11, 2), (4, 1), (5, 1), (6, 2), (58, 2), (61, 1), (10, 4), (1, 8), (2, 8), (152, 8), (153, 8)
    )  # fmt: skip
    body = b"".join(
        number.to_bytes(2, "big") + (14).to_bytes(2, "big") + b"".join(
            element.to_bytes(2, "big") + octets.to_bytes(2, "big") for element, octets in (*addresses, *common)
        )
        for number, addresses in ((258, four), (259, six))
    )  # fmt: skip
    assert bytes(templates.octets).hex() == "000a008c" + "00000001" + "00000000" + "00000007" + "0002007c" + body.hex()
    assert bytes(data.octets).hex(" ", -2) == bytes.fromhex(
        "000a004b 00000001 00000000 00000007 0102003b"
        "0a010203 0a010204 9c40 01bb 06 b8 001b 0014 01 00000003"
        "00000000000005dc 0000000000000002 0000000000000001 0000000000000002"
    ).hex(" ", -2)


def test_the_decoder_reads_what_was_written() -> None:
    flows = flows_of([number % 3 == 1 for number in range(1_000)])
    decoder = FlowDecoder()
    found = decoder.decode(block_of(FlowEncoder().encode(flows, DOMAIN, NOW)))
    six = flows["source_address_hi"] > 0
    assert told(found) == told(FlowBatch.concat([flows.select(~six), flows.select(six)]))
    assert set(found["observation_domain_id"].tolist()) == {DOMAIN}
    assert (decoder.counters.records, lost(decoder), decoder.counters.bad_sets) == (1_000, 0, 0)


@given(
    batches=st.lists(
        st.tuples(st.lists(st.booleans(), max_size=40), st.booleans(), st.sampled_from([1, 2])), max_size=5
    ),
    octets=st.integers(512, 3_000),
    refresh=st.integers(1, 4),
)
def test_any_batches_come_back_whole_and_without_false_gaps(
    batches: list[tuple[list[bool], bool, int]], octets: int, refresh: int
) -> None:
    encoder, decoder = FlowEncoder(ExportLimits(octets, template_refresh_messages=refresh)), FlowDecoder()
    for number, (families, layer2, domain) in enumerate(batches):
        flows = flows_of(families, layer2=layer2, seed=number)
        messages = encoder.encode(flows, domain, NOW)
        assert all(header(message)[1] == len(message.octets) <= octets for message in messages)
        found = decoder.decode(block_of(messages))
        six = flows["source_address_hi"] > 0
        assert told(found) == told(FlowBatch.concat([flows.select(~six), flows.select(six)]))
    assert (lost(decoder), decoder.counters.restarts, decoder.counters.bad_sets) == (0, 0, 0)


def test_sequence_numbers_count_the_records_of_each_domain_and_wrap() -> None:
    encoder = FlowEncoder(ExportLimits(512))
    four = flows_of([False] * 17, layer2=False)  # 8, 8 and 1 in a message
    encoder.skip(1, (1 << 32) - 10)
    found = [[header(each)[3] for each in encoder.encode(four, domain, NOW)] for domain in (1, 2, 1)]
    assert found == [[(1 << 32) - 10, (1 << 32) - 10, (1 << 32) - 2, 6], [0, 0, 8, 16], [7, 15, 23]]


def test_records_that_were_skipped_are_missing_to_the_last_one() -> None:
    encoder, decoder = FlowEncoder(), FlowDecoder()
    for skipped in (0, 37):
        encoder.skip(DOMAIN, skipped)
        decoder.decode(block_of(encoder.encode(flows_of([False, True]), DOMAIN, NOW)))
    assert lost(decoder) == 37


def test_templates_come_first_and_again_after_a_time_and_after_many_messages() -> None:
    encoder = FlowEncoder(ExportLimits(512, template_refresh_milliseconds=60_000, template_refresh_messages=3))
    one, many = flows_of([False], layer2=False), flows_of([False] * 32, layer2=False)

    def records(flows: FlowBatch, now: int) -> list[int]:
        return [message.records for message in encoder.encode(flows, DOMAIN, now)]

    assert records(one, NOW) == [0, 1]
    assert records(one, NOW + 59_999) == [1]
    assert records(one, NOW + 60_000) == [0, 1]
    assert records(many, NOW + 60_001) == [8, 8, 0, 8, 8]
    assert records(one, NOW) == [0, 1]  # the clock was set back
    encoder.announce()
    assert records(one, NOW) == [0, 1]


def test_octets_of_frames_are_in_templates_of_their_own() -> None:
    encoder, decoder = FlowEncoder(), FlowDecoder()
    both = [flows_of([False, True], layer2=layer2) for layer2 in (True, False, True)]
    found = [decoder.decode(block_of(encoder.encode(flows, DOMAIN, NOW))) for flows in both]
    assert ["layer2_octet_delta_count" in flows.columns for flows in found] == [True, False, True]
    assert [told(flows) for flows in found] == [told(flows) for flows in both]


def test_what_is_below_nothing_is_sent_as_nothing() -> None:
    flows = FlowBatch.of(flow_start_milliseconds=[-5], octet_delta_count=[-1], packet_delta_count=[1 << 62])
    octets = bytes(FlowEncoder().encode(flows, DOMAIN, NOW)[-1].octets)
    assert octets[-32:].hex(" ", -8) == (
        "0000000000000000 4000000000000000 0000000000000000 0000000000000000"
    )  # fmt: skip


def test_no_records_make_no_message() -> None:
    assert FlowEncoder().encode(FlowBatch.zeros(0), DOMAIN, NOW) == []


@pytest.mark.parametrize(
    "limits", [{"message_octets": 511}, {"message_octets": 65_488}, {"template_refresh_messages": 0},
               {"template_refresh_milliseconds": 0}],
)  # fmt: skip
def test_limits_that_no_message_can_keep_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        ExportLimits(**limits)


@pytest.mark.slow
def test_tshark_reads_every_field(tmp_path: Path) -> None:
    tshark = need("tshark")
    flows = flows_of([False, False, True])
    path = tmp_path / "export.pcap"
    with PcapWriter(str(path)) as file:
        for message in FlowEncoder().encode(flows, DOMAIN, NOW):
            file.write(Ether() / IP(dst="127.0.0.1") / UDP(sport=9, dport=4739) / bytes(message.octets))
    names = {
        "cflow.srcport": "source_transport_port", "cflow.dstport": "destination_transport_port",
        "cflow.octets": "octet_delta_count", "cflow.packets": "packet_delta_count", "cflow.vlanid": "vlan_id",
        "cflow.inputint": "ingress_interface", "cflow.protocol": "protocol_identifier",
        "cflow.direction": "flow_direction", "cflow.layer2_octet_delta_count": "layer2_octet_delta_count",
    }  # fmt: skip
    asked = [word for name in names for word in ("-e", name)]
    done = subprocess.run(
        [tshark, "-r", path, "-d", "udp.port==4739,cflow", "-T", "fields", "-E", "occurrence=a", *asked,
         "-e", "_ws.expert.message"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[-1] for row in rows] == [""] * 3
    for number, (name, column) in enumerate(names.items()):
        found = [int(value) for row in rows for value in row[number].split(",") if value]
        assert found == flows[column].tolist(), name


def test_messages_own_their_octets_together() -> None:
    """A message is a view: one piece of memory per family and batch, besides a last message that is shorter."""
    messages = FlowEncoder(ExportLimits(512)).encode(flows_of([False] * 100, layer2=False), DOMAIN, NOW)
    owners = {id(each.octets.obj) for each in messages if isinstance(each.octets, memoryview)}
    assert len(owners) == 2

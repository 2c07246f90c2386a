"""What softflowd and pmacctd made of one mirrored capture, against the packets of that capture.

Every difference between an exporter's sums and the frames is explained exactly: which packets it leaves out, and whether
it counts octets from the IP header (pmacctd) or what follows the Ethernet header, padding and all (softflowd).
"""

import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.records import FieldRecord, FixedRecord, RawDecoder
from btimd.capture.wire.sflowrecords import SflowSample
from btimd.model.address import address_text
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.frames import Frame, dissect

# The first capture may compile every kernel.
pytestmark = [captures.needs_captures, pytest.mark.timeout(600)]

MIRRORED = captures.DATA / "span" / "mix"


@cache
def packets() -> tuple[Frame, ...]:
    octets = (MIRRORED / "span_dev.pcap").read_bytes()
    found, at = [], 24
    while at < len(octets):
        _, _, captured, length = struct.unpack_from("<IIII", octets, at)
        found.append(dissect(octets[at + 16 : at + 16 + captured], length))
        at += 16 + captured
    return tuple(found)


def test_the_capture_is_the_one_the_truth_was_taken_from() -> None:
    stated = json.loads((MIRRORED / "span_dev.json").read_text())
    octets = (MIRRORED / "span_dev.pcap").stat().st_size - 24 - 16 * len(packets())
    assert (len(packets()), octets) == (stated["packets"], stated["bytes"]) == (16_047, 3_804_013)


def pmacctd(packet: Frame, versions: set[int]) -> int:
    """Count IP packets behind any tags, PPPoE and VN-Tag, by their own length; not those behind backbone bridges."""
    return packet.ip_octets if packet.ip in versions and packet.inside != "backbone" else 0


def softflowd(packet: Frame, versions: set[int]) -> int:
    """Count IP packets behind one tag at most, with the padding of short frames."""
    return packet.rest_octets if packet.ip in versions and packet.tags < 2 and not packet.inside else 0


@pytest.mark.parametrize(
    ("name", "counts", "versions"),
    [
        ("pmacctd-nfprobe-v5-dev", pmacctd, {4}),
        ("pmacctd-nfprobe-v9-dev", pmacctd, {4, 6}),
        ("pmacctd-nfprobe-v10-dev", pmacctd, {4, 6}),
        ("softflowd-v5-dev", softflowd, {4}),
        ("softflowd-v9-dev", softflowd, {4, 6}),
        ("softflowd-v9-vlan-dev", softflowd, {4, 6}),
        ("softflowd-ipfix-dev", softflowd, {4, 6}),
        ("softflowd-ipfix-micro-dev", softflowd, {4, 6}),
        ("softflowd-ipfix-bidir-ether-dev", softflowd, {4, 6}),
        ("softflowd-ipfix-nano-bidir-dev", softflowd, {4, 6}),
    ],
)
def test_flows_add_up_to_the_packets_their_exporter_saw(
    name: str, counts: Callable[[Frame, set[int]], int], versions: set[int]
) -> None:
    batch = flows(name)
    seen = [counts(packet, versions) for packet in packets()]
    found = (int(batch["octet_delta_count"].sum()), int(batch["packet_delta_count"].sum()))
    assert found == (sum(seen), sum(octets > 0 for octets in seen))


@pytest.mark.parametrize("name", captures.tool_truth())
def test_flows_add_up_to_the_table_of_truth(name: str) -> None:
    row = captures.tool_truth()[name]
    batch = flows(name)
    found = (int(batch["octet_delta_count"].sum()), int(batch["packet_delta_count"].sum()))
    wanted = (int(row["sum_octets"]) + int(row["rev_octets"]), int(row["sum_packets"]) + int(row["rev_packets"]))
    if name == "softflowd-psamp-s10-dev":  # the table sums counters, and these are frames without any
        wanted = (sum(packet.ip_octets for packet in packets()[::10]), 1605)
    assert found == wanted


def test_packet_sampling_exports_every_tenth_frame_as_it_was() -> None:
    sections = [
        field.value
        for record in records("softflowd-psamp-s10-dev")
        if isinstance(record, FieldRecord)
        for field in record.fields
        if field.element == 315
    ]
    every_tenth = packets()[::10]
    assert len(sections) == len(every_tenth) == 1605
    assert all(
        section[: len(packet.octets)] == packet.octets[: len(section)]
        for section, packet in zip(sections, every_tenth, strict=True)
    )


def test_flow_sampling_sees_one_packet_in_a_hundred() -> None:
    batch = flows("softflowd-v9-s100-dev")
    assert int(batch["packet_delta_count"].sum()) == -(-len(packets()) // 100)
    assert set(batch["sampling_rate"].tolist()) == {100}


def test_samples_of_sflow_are_parts_of_frames_of_the_capture() -> None:
    beginnings = {packet.octets[:64] for packet in packets()}
    kinds: Counter[tuple[int, bool]] = Counter()
    for record in records("pmacctd-sfprobe-s10-dev"):
        for inner in record.as_json().get("records", []):
            header = bytes.fromhex(inner.get("hdr", ""))
            if header:
                whole = header[:64] in beginnings
                kinds[inner["proto"], whole] += 1
                assert whole or any(packet.octets[14:].startswith(header[:60]) for packet in packets())
    # Ethernet frames, and packets of its loopback without their Ethernet header.
    assert kinds == {(1, True): 1548, (11, False): 30}


def flows(name: str) -> FlowBatch:
    decoder = FlowDecoder()
    return FlowBatch.concat([decoder.decode(item) for item in CaptureFile(captures.TOOLS / f"{name}.pcap").blocks()])


def records(name: str) -> Iterator[FixedRecord | FieldRecord | SflowSample]:
    decoder = RawDecoder()
    for item in CaptureFile(captures.TOOLS / f"{name}.pcap").blocks():
        for index in range(len(item)):
            octets = item.slab[item.offsets[index] : item.offsets[index + 1]].tobytes()
            exporter = address_text(int(item.source_hi[index]), int(item.source_lo[index]))
            yield from decoder.decode(octets, exporter)

import itertools
import json
from pathlib import Path

import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.errors import WireError
from btimd.capture.wire.sflowrecords import SflowSample, sflow_samples
from tests.capture import captures
from tests.kernels.sflowcrafting import (
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

# The UDP header of this capture's only packet announces 8 octets of payload, in an IP packet of 896: no receiver is
# given more. Its golden record is what the octets behind those would say.
CUT_BY_UDP = "tcpdump-sflow__sflow_print-segv"


def read(octets: bytes) -> tuple[list[SflowSample], list[str]]:
    errors: list[WireError] = []
    found = list(sflow_samples(octets, number=1, exporter="192.0.2.1", note=errors.append))
    return found, [error.reason for error in errors]


def golden(path: Path) -> list[object]:
    return [json.loads(line) for line in path.with_name(f"{path.stem}.golden.jsonl").read_text().splitlines()]


@captures.needs_captures
@pytest.mark.parametrize("path", captures.golden_sflow_captures(), ids=lambda path: path.stem)
def test_every_sample_of_a_real_device_is_as_it_stands_on_the_wire(path: Path) -> None:
    datagrams = [
        item.slab[begin:end].tobytes()
        for item in CaptureFile(path).blocks()
        for begin, end in itertools.pairwise(item.offsets)
    ]
    if path.stem == CUT_BY_UDP:
        assert [len(octets) for octets in datagrams] == [8]
        packet = path.read_bytes()[24 + 16 :]
        datagrams = [packet[14 + 28 : 14 + int.from_bytes(packet[16:18], "big")]]
    found = [
        sample.as_json()
        for number, octets in enumerate(datagrams, 1)
        for sample in sflow_samples(octets, number=number, exporter="", note=lambda _: None)
    ]
    assert found == golden(path)


def test_samples_of_all_formats_are_read() -> None:
    found, errors = read(datagram(
        flow(raw_header(b"x" * 6), sequence=9, into=1 << 30 | 5, drops=7),
        expanded_flow(sampled_ipv4(), source=(2, 70_000), into=(0, 1 << 30), out=(1, 256)),
        discarded(ethernet(), drops=4, reason=257), counters(interface_counters(), source=1 << 24 | 6),
        expanded_counters(record(1005, b"\0\0\0\3eth\0"), source=(3, 9)), record(7, b"1234", enterprise=4413),
        agent="2001:db8::7", sub_agent=4,
    ))  # fmt: skip
    assert errors == []
    assert [(sample.kind, sample.agent, sample.sub_agent) for sample in found] == [
        (kind, "2001:db8::7", 4)
        for kind in ("flow_sample", "expanded_flow_sample", "drop_sample", "counter_sample", "expanded_counter_sample",
                     "unknown_sample")
    ]  # fmt: skip
    assert [(sample.source_type, sample.source, sample.drops, sample.input, sample.output) for sample in found] == [
        (0, 3, 7, (1, 5), (0, 4)), (2, 70_000, 0, (0, 1 << 30), (1, 256)), (0, 3, 4, (0, 3), (0, 4)),
        (1, 6, 0, (0, 0), (0, 0)), (3, 9, 0, (0, 0), (0, 0)), (0, 0, 0, (0, 0), (0, 0)),
    ]  # fmt: skip
    assert found[0].records[0].raw_header == (1, 10, 4, 6, b"x" * 6)
    assert found[2].reason == 257
    assert found[4].as_json()["records"] == [{"ent": 0, "fmt": 1005, "len": 8, "hex": "0000000365746800"}]
    assert found[5].as_json() == {
        "dg": 1, "v": "sflow5", "kind": "unknown_sample", "agent": "2001:db8::7", "sub": 4, "ent": 4413, "fmt": 7,
        "len": 4,
    }  # fmt: skip


def test_what_is_cut_off_is_noted_and_read_as_far_as_it_goes() -> None:
    found, errors = read(datagram(flow(raw_header(b"x" * 6)))[:-4])
    assert [sample.records[0].raw_header for sample in found] == [(1, 10, 4, 6, b"x" * 4)]
    assert errors == ["sample of 64 octets, 60 are left", "record of 24 octets, 20 are left"]
    assert read(datagram(flow())[:40])[1] == ["sample of 32 octets, 4 are left", "flow_sample of 4 octets"]
    assert read(b"\0\0\0\5\0\0\0\1")[1] == ["header of sFlow cut off or with an agent address of type 1"]
    assert read(datagram(flow()) + b"\x99" * 12)[1] == ["sample of 2576980377 octets, 4 are left"]


def test_counts_are_not_believed_and_padding_is_no_sample() -> None:
    found, errors = read(datagram(flow(), bytes(8), flow(sequence=2), count=0xFFFF_FFFF))
    assert ([sample.sequence for sample in found], errors) == ([1, 2], [])
    assert len(read(datagram(flow(), flow(), count=0))[0]) == 2


def test_an_agent_that_does_not_tell_its_address_is_zero() -> None:
    [sample] = read(b"\0\0\0\5" + bytes(4) + datagram(flow())[12:])[0]
    assert sample.agent == "0.0.0.0"

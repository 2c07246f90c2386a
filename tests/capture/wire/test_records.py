import json
import struct
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.netflow import (
    NetflowDataflowsetV9,
    NetflowFlowsetV9,
    NetflowHeader,
    NetflowHeaderV9,
    NetflowHeaderV10,
    NetflowTemplateFieldV9,
    NetflowTemplateV9,
)  # fmt: skip

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.records import FieldRecord, RawDecoder
from btimd.model.address import address_text
from tests.capture import captures
from tests.capture.wire.crafting import (
        block,
    ipfix,
    one_set,
    options_template,
        template,
    v5,
    v5_record,
    v9,
)  # fmt: skip
from tests.kernels.sflowcrafting import datagram as sflow_datagram
from tests.kernels.sflowcrafting import flow, raw_header


@captures.needs_captures
@pytest.mark.parametrize("path", captures.flow_captures(), ids=lambda path: path.stem)
def test_every_record_of_a_real_device_is_as_it_stands_on_the_wire(path: Path) -> None:
    decoder = RawDecoder()
    found = []
    for item in CaptureFile(path).blocks():
        for index in range(len(item)):
            octets = item.slab[item.offsets[index] : item.offsets[index + 1]].tobytes()
            exporter = address_text(int(item.source_hi[index]), int(item.source_lo[index]))
            found += [record.as_json() for record in decoder.decode(octets, exporter)]
    golden = path.with_name(f"{path.stem}.golden.jsonl").read_text().splitlines()
    assert found == [json.loads(line) for line in golden]


def test_what_scapy_crafts_is_read_back() -> None:
    fields = [(8, 4), (12, 4), (1, 4)]
    make: Any = NetflowTemplateFieldV9
    specs = [make(fieldType=element, fieldLength=length) for element, length in fields]
    definition = NetflowTemplateV9(template_fields=specs, templateID=300, fieldCount=3)
    data = NetflowDataflowsetV9(templateID=300, length=16) / (
        bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">I", 777)
    )
    headers = (
        (NetflowHeader(version=9) / NetflowHeaderV9(SourceID=4, unixSecs=1_700_000_000, sysUptime=1), 0),
        (NetflowHeader(version=10) / NetflowHeaderV10(ObservationDomainID=4, ExportTime=1_700_000_000), 2),
    )
    for header, set_id in headers:
        datagram = bytes(header / NetflowFlowsetV9(flowSetID=set_id, templates=[definition]) / data)
        [record] = RawDecoder().decode(datagram, "192.0.2.1")
        assert isinstance(record, FieldRecord)
        assert (record.domain, record.set_id, record.fields) == (
            4, 300, ((0, 8, b"\x0a\0\0\1"), (0, 12, b"\x0a\2\0\x0a"), (0, 1, b"\0\0\3\t")),
        )  # fmt: skip
        batch = FlowDecoder().decode(block(datagram))
        assert (batch["octet_delta_count"].tolist(), batch["observation_domain_id"].tolist()) == ([777], [4])


def test_options_records_say_how_much_of_them_is_scope() -> None:
    definition = one_set(1, options_template(300, [(1, 4), (2, 2)], [(34, 4)]))
    [record] = RawDecoder().decode(v9(definition, one_set(300, bytes(6) + b"\0\0\0\x64"), domain=3), "192.0.2.1")
    assert record.as_json() == {
        "dg": 1, "v": 9, "exporter": "192.0.2.1", "domain": 3, "set": 300, "kind": "options", "scope": 2,
        "fields": [[0, 1, "00000000"], [0, 2, "0000"], [0, 34, "00000064"]],
    }  # fmt: skip


def test_records_of_a_datagram_with_a_false_count_are_marked_and_noted() -> None:
    decoder = RawDecoder()
    kinds = [record.as_json()["kind"] for record in decoder.decode(v5(v5_record(), count=9), "192.0.2.1")]
    assert kinds == ["data_in_invalid_datagram"]
    assert [str(error) for error in decoder.counters.errors] == [
        "192.0.2.1 domain 0 template 0 octet 2: header announces 9 records, 1 whole ones follow"
    ]


def test_what_cannot_be_decoded_is_noted_and_costs_nothing_else() -> None:
    decoder = RawDecoder()
    definition = one_set(2, template(256, ((8, 4), (82, 65535)), ipfix=True))
    broken = one_set(256, bytes(4) + b"\x09abc"), one_set(2, struct.pack(">HH", 257, 9))
    good = one_set(256, bytes(4) + b"\x03abc")
    found = list(decoder.decode(ipfix(definition, *broken, good, one_set(999, b"1234"), b"\1\2\3\4"), "192.0.2.1"))
    assert [record.as_json()["fields"] for record in found] == [[[0, 8, "00000000"], [0, 82, "616263"]]]
    assert [error.reason for error in decoder.counters.errors] == [
        "field 0:82 of 9 octets, 3 are left", "9 fields announced, 0 found", "set 258 of 772 octets, 4 are left",
    ]  # fmt: skip
    assert decoder.counters.sets_without_template == 1


def test_samples_of_sflow_come_like_other_records_and_other_datagrams_are_counted() -> None:
    decoder = RawDecoder()
    sample = flow(raw_header(b"x" * 8))
    for octets in (b"\xff" * 30, b"\0\5", b"", b"\0\0\0\5" + b"\0\0\0\7" * 8):
        assert list(decoder.decode(octets, "192.0.2.1")) == []
    [found] = decoder.decode(sflow_datagram(sample), "192.0.2.1")
    assert (found.datagram, found.as_json()["kind"]) == (5, "flow_sample")
    assert (decoder.counters.sflow_datagrams, decoder.counters.unsupported_datagrams) == (2, 3)
    assert [error.reason for error in decoder.counters.errors] == [
        "header of sFlow cut off or with an agent address of type 7"
    ]

import argparse
import json
import struct
from pathlib import Path

import pytest

from btimd.cli import decode
from tests.capture.test_replay import ipv4, pcap, udp
from tests.capture.wire.crafting import FieldSpec, ipfix, one_set, options_template, template, v5, v5_record, v9
from tests.kernels.sflowcrafting import datagram as sflow_datagram
from tests.kernels.sflowcrafting import flow, sampled_ipv4


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    decode.add_parser(parser.add_subparsers())
    args = parser.parse_args(["decode", *words])
    return int(args.run(args))


def capture(folder: Path, *datagrams: bytes) -> str:
    path = folder / "export.pcap"
    path.write_bytes(pcap(*[ipv4(udp(datagram)) for datagram in datagrams], link=101))
    return str(path)


def test_records_are_printed_with_names_and_readable_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields: list[FieldSpec] = [(8, 4), (152, 8), (82, 65535), (1, 2, 29305), (7, 2, 6871), (1, 2), (1, 2)]
    record = (
        bytes([10, 0, 0, 1]) + struct.pack(">Q", 1_700_000_000_250) + b"\4eth0" + bytes([0, 1, 0xBE, 0xEF, 0, 2, 0, 3])
    )
    datagram = ipfix(one_set(2, template(256, fields, ipfix=True)), one_set(256, record), domain=9)
    assert run(capture(tmp_path, datagram)) == 0
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == [
        {
            "datagram": 1, "version": 10, "exporter": "192.0.2.7", "domain": 9, "template": 256, "kind": "data",
            "sourceIPv4Address": "10.0.0.1", "flowStartMilliseconds": "2023-11-14T22:13:20.250Z",
            "interfaceName": "eth0", "reverseOctetDeltaCount": 1, "6871:7": "beef", "octetDeltaCount": 2,
            "octetDeltaCount'": 3,
        }
    ]  # fmt: skip
    assert "1 packets, 1 datagrams of flow export" in printed.err


def test_scopes_of_v9_have_numbers_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = one_set(1, options_template(300, [(1, 4)], [(34, 4)]))
    assert run(capture(tmp_path, v9(definition, one_set(300, bytes(4) + b"\0\0\0\x64")))) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "datagram": 1, "version": 9, "exporter": "192.0.2.7", "domain": 0, "template": 300, "kind": "options",
        "scope:1": "00000000", "samplingInterval": 100,
    }  # fmt: skip


def test_raw_prints_fields_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    datagram = v9(one_set(0, template(256, [(8, 4), (1, 4)])), one_set(256, bytes([10, 0, 0, 1]) + b"\0\0\0\7"))
    assert run("--raw", capture(tmp_path, datagram)) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "dg": 1, "v": 9, "exporter": "192.0.2.7", "domain": 0, "set": 256, "kind": "data", "scope": 0,
        "fields": [[0, 8, "0a000001"], [0, 1, "00000007"]],
    }  # fmt: skip


def test_records_of_v5_are_printed_and_what_is_wrong_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capture(tmp_path, v5(v5_record(77)), v5(v5_record(), count=9), b"\0\0\0\5" + bytes(20))) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [(line["valid"], line["octetDeltaCount"], line["sourceIPv4Address"]) for line in lines] == [
        (True, 77, "10.0.0.1"), (False, 1000, "10.0.0.1"),
    ]  # fmt: skip
    assert "header announces 9 records" in printed.err
    assert "1 sFlow" in printed.err


def test_samples_of_sflow_are_printed_in_both_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = capture(tmp_path, sflow_datagram(flow(sampled_ipv4(), sequence=9)))
    assert run(path) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "datagram": 1, "version": "sFlow v5", "exporter": "192.0.2.77", "domain": 0, "kind": "flow sample",
        "sequence": 9, "source": "0:3", "samplingInterval": 512, "samplePool": 9, "drops": 0, "ingressInterface": 3,
        "egressInterface": 4,
        "ipv4": {
            "ipTotalLength": 576, "protocolIdentifier": 17, "sourceAddress": "10.0.0.1",
            "destinationAddress": "10.2.0.10", "sourceTransportPort": 5000, "destinationTransportPort": 53,
            "tcpControlBits": 18, "ipClassOfService": 72,
        },
    }  # fmt: skip
    assert run("--raw", path) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "dg": 1, "v": "sflow5", "kind": "flow_sample", "agent": "192.0.2.77", "sub": 0,
        "records": [{"ent": 0, "fmt": 3, "len": 32, "hex": sampled_ipv4()[8:].hex()}], "rate": 512, "pool": 9,
        "drops": 0, "input": 3, "output": 4,
    }  # fmt: skip


def test_a_file_that_is_no_capture_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a capture at all")
    assert run(str(path)) == 1
    assert "neither pcap nor pcapng" in capsys.readouterr().err


def test_plain_packets_are_printed_where_there_is_no_flow_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "traffic.pcap"
    path.write_bytes(pcap(*[ipv4(udp(b"GET /"))] * 9, ipv4(udp()), link=101))
    assert run("--as", "packets", str(path)) == 0
    packets = capsys.readouterr()
    assert run(str(path)) == 0
    assert "1 datagrams of flow export" in capsys.readouterr().err
    path.write_bytes(pcap(*[ipv4(udp(b"GET /"))] * 10, ipv4(udp()), link=101))
    assert run(str(path)) == 0
    printed = capsys.readouterr()
    assert len(packets.out.splitlines()) == 10
    assert json.loads(printed.out.splitlines()[0]) == {
        "packet": 1, "time": "2023-11-14T22:13:20.250000000Z", "octets": 33, "captured": 33, "link": "IP",
        "sourceAddress": "192.0.2.7", "destinationAddress": "192.0.2.254", "protocolIdentifier": 17,
        "ipClassOfService": 0, "ipTTL": 64, "ipTotalLength": 33, "sourceTransportPort": 40_001,
        "destinationTransportPort": 2055,
    }  # fmt: skip
    assert "11 packets" in printed.err
    assert run("--as", "export", str(path)) == 0
    assert "1 datagrams of flow export" in capsys.readouterr().err
    assert run("--raw", str(path)) == 0
    assert "1 datagrams of flow export" in capsys.readouterr().err

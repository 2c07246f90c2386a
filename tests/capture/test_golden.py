"""Captures of real devices: what `btimd decode --raw` prints and what FlowDecoder counts, against their truth.

docs/exporters.md explains every exception below.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.cli import decode
from btimd.model.address import address_halves
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.frames import dissect

# The first capture may compile every kernel.
pytestmark = [captures.needs_captures, pytest.mark.timeout(600)]


class Totals(NamedTuple):
    """What a capture holds: records, options records, octets and packets as exported."""

    records: int
    options: int
    octets: int
    packets: int


# scenario: (what FlowDecoder finds, why the truth says something else)
OTHER_TOTALS = {
    "logstash/50-ipfix-netscaler-with-variable-length-fields": (
        Totals(3, 0, 3106, 5), "data comes before its templates: the truth drops it, FlowDecoder waits",
    ),
    "akvorado/testtemplatesmixedwithdata": (
        Totals(21, 1, 58_329, 66), "data comes before its template: the truth drops it, FlowDecoder waits",
    ),
    "telegraf/ipfix_example": (
        Totals(29, 2, 577_437, 1070), "bidirectional records: the truth sums one direction, FlowDecoder gives both",
    ),
    "akvorado/testjunipercpiddrop": (
        Totals(1, 0, 104, 1), "frames without counters: the truth sums counters, akvorado expects 104 octets as well",
    ),
    "akvorado/testdecodeevpn": (
        Totals(10, 0, 14_337, 10), "frames without counters: the truth sums counters; akvorado expects 1492 for one",
    ),
}  # fmt: skip
# scenario: (what is printed, why the golden file says something else)
OTHER_RAW = {
    "tcpdump-sflow/sflow_print-segv": (
        b"", "its UDP header gives it 8 octets of payload, and a socket would; the truth reads to the end of the packet",
    ),
}  # fmt: skip
# scenario: how many records tshark 4.0.17 shows, and why
TSHARK_SHOWS = {
    "logstash/01-netflow-5-invalid-01": (30, "shows the records of a datagram whose count is false"),
    "logstash/21-ipfix-from-ixia-something-something": (0, "does not decode Ixia's variable-length records"),
}
# With the decapsulation of that test switched on; flows here are those between the ends of the tunnel.
AKVORADO_LOOKS_INTO_TUNNELS = {"akvorado/testdecode-encap-vxlan"}
# scenario: how many records the project it comes from expects, and why
UPSTREAM_EXPECTS = {
    "logstash/10-ipfix": (7, "decodes the first message only"),
}


def truth() -> dict[str, dict[str, str]]:
    """Return the rows of the table of truth by scenario; nothing where the captures are absent."""
    path = captures.FLOWS / "ground_truth.csv"
    if not path.is_file():
        return {}
    with path.open() as file:
        return {row["scenario"]: row for row in csv.DictReader(file)}


def capture_of(scenario: str) -> Path:
    return captures.FLOWS / f"{scenario.replace('/', '__')}.pcap"


def decoded(scenario: str) -> tuple[FlowBatch, DecodeCounters]:
    decoder = FlowDecoder()
    batches = [decoder.decode(item) for item in CaptureFile(capture_of(scenario)).blocks()]
    return FlowBatch.concat(batches) if batches else FlowBatch.zeros(0), decoder.counters


def number(row: dict[str, str], column: str) -> int:
    return int(row[column] or 0)


def is_sflow(row: dict[str, str]) -> bool:
    return "sflow" in row["versions"]


@pytest.mark.parametrize("scenario", truth())
def test_raw_output_is_the_golden_file_octet_by_octet(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    decode.add_parser(parser.add_subparsers())
    args = parser.parse_args(["decode", "--raw", str(capture_of(scenario))])
    assert args.run(args) == 0
    golden = capture_of(scenario).with_suffix(".golden.jsonl").read_bytes()
    wanted, why = OTHER_RAW.get(scenario, (golden, ""))
    assert capsys.readouterr().out.encode() == wanted, why
    assert wanted != golden or not why, "an exception that is none"


@pytest.mark.parametrize("scenario", truth())
def test_flows_add_up_to_the_truth(scenario: str) -> None:
    row = truth()[scenario]
    batch, counters = decoded(scenario)
    # The truth scales the samples of sFlow; records keep what was sampled and the rate.
    scale = batch["sampling_rate"] if is_sflow(row) else 1
    found = Totals(
        counters.records + counters.skipped_records, counters.options_records,
        int((batch["octet_delta_count"] * scale).sum()), int((batch["packet_delta_count"] * scale).sum()),
    )  # fmt: skip
    columns = ("data_records", "options_records", "sum_octets", "sum_packets")
    listed = Totals(*(number(row, column) for column in columns))
    if is_sflow(row):  # the truth sums frames, flows are counted from the IP header on
        frames, packets = sampled_octets(scenario)
        assert frames == listed.octets
        listed = listed._replace(octets=packets)
    wanted, why = OTHER_TOTALS.get(scenario, (listed, ""))
    assert found == wanted, why
    assert wanted != listed or not why, "an exception that is none"


def sampled_octets(scenario: str) -> tuple[int, int]:
    """Return octets of the frames, and of the IP packets in them, that the samples of a golden file stand for."""
    frames = packets = 0
    for line in capture_of(scenario).with_suffix(".golden.jsonl").read_text().splitlines():
        sample = json.loads(line)
        for inner in sample["records"]:
            if "hdr" in inner:
                frames += sample["rate"] * inner["frame_len"]
                packets += sample["rate"] * dissect(bytes.fromhex(inner["hdr"]), inner["frame_len"]).ip_octets
    return frames, packets


@pytest.mark.parametrize("scenario", truth())
def test_every_datagram_is_counted(scenario: str) -> None:
    row = truth()[scenario]
    # A capture of something else than flow export is left out before it is decoded.
    wanted = 0 if row["versions"].startswith("v65535") else number(row, "datagrams")
    assert decoded(scenario)[1].datagrams == wanted


@pytest.mark.parametrize("scenario", truth())
def test_records_are_as_many_as_tshark_shows(scenario: str) -> None:
    row = truth()[scenario]
    shown = number(row, "tshark_flows") + number(row, "tshark_v5pdus") + number(row, "tshark_sf_flow")
    found = number(row, "data_records") + number(row, "options_records")
    wanted, why = TSHARK_SHOWS.get(scenario, (found, ""))
    assert shown == wanted, why
    assert wanted != found or not why, "an exception that is none"


def upstream(scenario: str) -> dict[str, Any]:
    path = capture_of(scenario).with_suffix(".upstream.json")
    expected: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return expected


def scenarios_with(field: str) -> list[str]:
    return [scenario for scenario in truth() if upstream(scenario).get(field)]


def ports_of(columns: dict[str, Any]) -> tuple[int, int]:
    """Return the ports of an expected flow; of ICMP, type and code stand in the destination port."""
    for version in ("v4", "v6"):
        if columns.get("Proto") == f"ProtoICMP{version}":
            return 0, columns.get(f"ICMP{version}Type", 0) << 8 | columns.get(f"ICMP{version}Code", 0)
    return columns.get("SrcPort", 0), columns.get("DstPort", 0)


def rows_of(batch: FlowBatch) -> set[tuple[int, ...]]:
    names = ("source_address_hi", "source_address_lo", "destination_address_hi", "destination_address_lo",
             "source_transport_port", "destination_transport_port")  # fmt: skip
    return {tuple(row[name] for name in names) for row in batch.rows()}


@pytest.mark.parametrize("scenario", scenarios_with("expected_flows"))
def test_the_flows_akvorado_expects_are_among_ours(scenario: str) -> None:
    batch, _ = decoded(scenario)
    wanted = {
        (*address_halves(flow["SrcAddr"]), *address_halves(flow["DstAddr"]), *ports_of(flow["columns"]))
        for flow in upstream(scenario)["expected_flows"]
        if "SrcAddr" in flow and "DstAddr" in flow
    }
    octets = {flow["columns"].get("Bytes", 0) for flow in upstream(scenario)["expected_flows"]} - {0}
    missing = {*(wanted - rows_of(batch)), *(octets - set(batch["octet_delta_count"].tolist()))}
    assert bool(missing) == (scenario in AKVORADO_LOOKS_INTO_TUNNELS), missing


@pytest.mark.parametrize("scenario", scenarios_with("decode_size"))
def test_as_many_records_as_logstash_expects(scenario: str) -> None:
    _, counters = decoded(scenario)
    found = counters.records + counters.skipped_records + counters.options_records
    wanted, why = UPSTREAM_EXPECTS.get(scenario, (found, ""))
    assert sum(upstream(scenario)["decode_size"]) == wanted, why


@pytest.mark.parametrize("scenario", scenarios_with("json_events"))
def test_the_flows_logstash_expects_are_among_ours(scenario: str) -> None:
    batch, _ = decoded(scenario)
    octets = batch["octet_delta_count"].tolist()
    sources = {
        (int(hi), int(lo)) for hi, lo in zip(batch["source_address_hi"], batch["source_address_lo"], strict=True)
    }
    for event in upstream(scenario)["json_events"]:
        fields = event["netflow"]
        source = fields.get("ipv4_src_addr") or fields.get("sourceIPv4Address")
        sent = fields.get("in_bytes") or fields.get("octetDeltaCount")
        if source and sent:
            assert address_halves(source) in sources
            assert sent in octets

"""`btimd suggest` on captures made by hand: packets as a mirror port brings them, and flow export."""

import json
import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.daemon.config import load_config
from tests.capture.wire.crafting import EXPORTED_AT, PLAIN, UPTIME, one_set, template, v9
from tests.cli.test_replay import capture, packet
from tests.daemon.small import write_small

SYN, ACK, DATA, FIN = 0x02, 0x10, 0x18, 0x11


def segment(source: str, source_port: int, target: str, port: int, flags: int, octets: int = 0) -> bytes:
    """Return an Ethernet frame with IPv4 and TCP."""
    tcp = struct.pack(">HHIIBBHHH", source_port, port, 1, 1, 0x50, flags, 8192, 0, 0) + bytes(octets)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0)
    return bytes(12) + b"\x08\x00" + head + ip_address(source).packed + ip_address(target).packed + tcp


def connection(client: str, client_port: int, server: str, port: int) -> list[bytes]:
    there, back = (client, client_port, server, port), (server, port, client, client_port)
    return [
        segment(*there, SYN), segment(*back, SYN | ACK), segment(*there, ACK), segment(*there, DATA, 300),
        segment(*back, DATA, 1200), segment(*there, FIN), segment(*back, FIN), segment(*there, ACK),
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    return write_small(tmp_path)


@pytest.fixture
def packets(folder: Path) -> Path:
    """Ten clients of a web server that no rule names, and it a client of a database."""
    frames = []
    for client in range(1, 11):
        for time in range(3):
            frames += connection(f"10.1.1.{client}", 40_000 + time, "10.2.0.77", 8443)
            frames += connection("10.2.0.77", 41_000 + client * 3 + time, "10.2.0.78", 1521)
    return capture(folder / "packets.pcap", frames)


def test_packets_propose_services_and_needs_that_may_be_appended(
    folder: Path, packets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = folder / "services.new.toml"
    names = folder / "hosts"
    names.write_text("# servers\n10.2.0.77 web7.example.org web7\nnothing\n10.2.0.78\tora8  # the old one\n")
    status = main(["suggest", "-c", str(folder), "--capture", str(packets), "--names", str(names), "--write", str(new),
                   "--json"])  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    (folder / "services.toml").write_text((folder / "services.toml").read_text() + "\n" + new.read_text())

    assert status == 0
    assert [(one["id"], one["kind"], one["ports"], one["clients"]) for one in found["services"]] == [
        ("web-web7", "service", ["8443"], 10),
        ("oracle-ora8", "component", ["1521"], 1),
    ]
    assert [(one["from_id"], one["to_id"]) for one in found["dependencies"]] == [("web-web7", "oracle-ora8")]
    graph = load_config(folder).services.graph
    assert graph.nodes["web-web7-servers"].needs == ("oracle-ora8",)


def test_people_see_a_table_and_what_was_left_out(
    folder: Path, packets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suggest", "-c", str(folder), "--capture", str(packets)]) == 0
    printed = capsys.readouterr().out

    assert "web-10-2-0-77" in printed
    assert "11 conversations, 120 records" in printed


def test_flow_export_is_read_and_traffic_that_rules_name_is_not_proposed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, server = ip_address("10.1.1.7").packed, ip_address("10.2.0.10").packed
    row = struct.pack(">4s4sHHBIIII", client, server, 40_000, 443, 6, 10, 1000, UPTIME - 3000, UPTIME - 1000)
    export = v9(one_set(0, template(256, PLAIN)), one_set(256, row), count=2)
    file = capture(folder / "export.pcap", [packet(export)], at=EXPORTED_AT)

    assert main(["suggest", "-c", str(folder), "--capture", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing to propose"


def test_what_cannot_be_read_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "-c", str(folder), "--archive", str(folder / "none")]) == 2
    assert main(["suggest", "-c", str(folder), "--capture", str(folder / "none.pcap")]) == 2
    assert main(["suggest", "-c", str(folder), "--since", "soon"]) == 2
    assert main(["suggest", "-c", str(folder), "--names", str(folder / "none"), "--capture", "x"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 4

"""`btimd replay` on captures made by hand: NetFlow v9 to the server, IPFIX back, and what cannot be used."""

import json
import struct
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from tests.capture.wire.crafting import EXPORTED_AT, PLAIN, UPTIME, FieldSpec, ipfix, one_set, template, v9
from tests.daemon.small import settings_text, write_small

CLIENT, SERVER = ip_address("10.1.1.7").packed, ip_address("10.2.0.10").packed
IPFIX_FIELDS: tuple[FieldSpec, ...] = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 8), (1, 8), (152, 8), (153, 8))
TO_SERVER = struct.pack(">4s4sHHBIIII", CLIENT, SERVER, 40_000, 443, 6, 10, 1000, UPTIME - 3000, UPTIME - 1000)
TO_CLIENT = struct.pack(">4s4sHHBQQQQ", SERVER, CLIENT, 443, 40_000, 6, 20, 50_000,
                        EXPORTED_AT * 1000 - 13_000, EXPORTED_AT * 1000 - 3000)  # fmt: skip
OTHERS = struct.pack(">4s4sHHBIIII", CLIENT, SERVER, 40_001, 80, 6, 1, 60, UPTIME - 2000, UPTIME - 2000)
NETFLOW = v9(one_set(0, template(256, PLAIN)), one_set(256, TO_SERVER, OTHERS), count=3)
IPFIX = ipfix(one_set(2, template(300, IPFIX_FIELDS, ipfix=True)), one_set(300, TO_CLIENT))
WITHOUT_TEMPLATE = ipfix(one_set(301, TO_CLIENT), domain=9)


def packet(payload: bytes, *, protocol: int = 17) -> bytes:
    """Return an Ethernet frame with IPv4 and UDP from 192.0.2.7 to port 2055."""
    udp = struct.pack(">HHHH", 40_001, 2055, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, protocol, 0)
    return bytes(12) + b"\x08\x00" + head + ip_address("192.0.2.7").packed + ip_address("192.0.2.254").packed + udp


def capture(path: Path, packets: Sequence[bytes], *, at: int = EXPORTED_AT) -> Path:
    """Write a pcap file."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame in packets:
        octets += struct.pack("<IIII", at, 250_000, len(frame), len(frame)) + frame
    path.write_bytes(octets)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    return write_small(tmp_path)


def row(start: str, business: str, **figures: int) -> dict[str, object]:
    """Return the JSON object of a window cell at Li Wei's place."""
    milliseconds = {"22:13:00": EXPORTED_AT - 20, "22:13:10": EXPORTED_AT - 10}[start] * 1000
    return {
        "interval_start": f"2023-11-14T{start}Z", "interval_start_milliseconds": milliseconds,
        "business": business, "region": "north", "segment": "sales",
        "users_exact": True, "sampled": False, "revision": 0, "sampling_error_ratio": 0.0, "export_loss_ratio": 0.0,
        "times_adjusted": False, "rate_assumed": True, "users_error_ratio": 0.0, **figures,
    }  # fmt: skip


def test_windows_are_printed_as_json_lines_per_business_and_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = capture(folder / "export.pcap", [packet(NETFLOW), packet(IPFIX)])
    status = main(["replay", str(file), "--interval", "60s", "--json", "-c", str(folder)])
    printed = capsys.readouterr()

    minute = {"interval_milliseconds": 60_000}
    assert status == 0
    assert [json.loads(line) for line in printed.out.splitlines()] == [
        row("22:13:00", "", octets_to_server=60, octets_to_client=0, packets=1, flows=1, users=1, **minute),
        row("22:13:00", "erp", octets_to_server=1000, octets_to_client=50_000, packets=30, flows=2, users=1, **minute),
    ]
    assert printed.err == "export.pcap: 2 packets, 2 flow export datagrams, 3 records\n"


def test_octets_are_spread_over_the_intervals_of_the_flow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = capture(folder / "export.pcap", [packet(IPFIX)])
    status = main(["replay", str(file), "--interval", "10s", "--json", "-c", str(folder)])

    ten = {"interval_milliseconds": 10_000, "octets_to_server": 0, "users": 1}
    assert status == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        row("22:13:00", "erp", octets_to_client=14_998, packets=5, flows=0, **ten) | {"export_loss_ratio": None},
        row("22:13:10", "erp", octets_to_client=35_002, packets=15, flows=1, **ten),
    ]


def test_windows_are_printed_as_a_table_for_people(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    file = capture(folder / "export.pcap", [packet(NETFLOW), packet(IPFIX)])
    status = main(["replay", str(file), "-c", str(folder)])

    assert status == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "window                business  region  segment  to server  to client  packets  flows  users  error  lost",
        "2023-11-14T22:13:00Z  (none)    north   sales           60          0        1      1      1      -  0.0%",
        "2023-11-14T22:13:00Z  erp       north   sales        1,000     50,000       30      2      1      -  0.0%",
    ]


def test_what_the_configuration_says_of_exporters_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exporter = '[capture.exporter.core]\naddress = "192.0.2.7"\nsampling_rate = 100\n'
    write_small(folder, settings=settings_text() + exporter)
    status = main(["replay", str(capture(folder / "export.pcap", [packet(IPFIX)])), "-c", str(folder)])

    assert status == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "window                business  region  segment  to server  to client  packets  flows  users  error  lost",
        "2023-11-14T22:13:00Z  erp       north   sales            0  5,000,000    2,000      1   >= 1  43.8%  0.0%",
    ]


@pytest.mark.parametrize(
    ("settings", "left_out"),
    [
        ('[flows.duplicates]\nmode = "on"\n', "1 records another exporter had reported"),
        ('[flows.duplicates]\nmode = "off"\n', ""),
        ("allow", "2 datagrams of exporters that are not allowed"),
    ],
)
def test_what_the_daemon_would_leave_out_is_left_out_and_said(
    folder: Path, settings: str, left_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = settings_text() + settings
    if settings == "allow":
        text = settings_text().replace("[api]", 'allow = ["198.51.100.0/24"]\n[api]')
    again = ipfix(one_set(2, template(300, IPFIX_FIELDS, ipfix=True)), one_set(300, TO_CLIENT), domain=9)
    file = capture(write_small(folder, settings=text) / "export.pcap", [packet(IPFIX), packet(again)])
    status = main(["replay", str(file), "--json", "-c", str(folder)])

    assert status == 0
    assert capsys.readouterr().err.rstrip().partition("; left out: ")[2] == left_out


def test_what_is_in_no_window_is_said_by_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = v9(one_set(256, TO_SERVER), sequence=3, at=EXPORTED_AT - 80_000)
    packets = [packet(NETFLOW), packet(b"", protocol=6), packet(b"GET /"), packet(NETFLOW)[:50], packet(late)]
    packets += [packet(WITHOUT_TEMPLATE), packet(b"\x00\x0a\x00"), packet(b"\x00\x01" + bytes(30))]
    file = capture(folder / "export.pcap", packets)
    file.write_bytes(file.read_bytes()[:-5])
    status = main(["replay", str(file), "--json", "-c", str(folder)])
    printed = capsys.readouterr()

    assert status == 0
    assert len(printed.out.splitlines()) == 2
    assert printed.err == (
        "export.pcap: 8 packets, 4 flow export datagrams, 3 records; left out: 2 packets that are no flow export, "
        "2 packets cut off, 1 datagrams that cannot be decoded, 1 sets whose template never came, 1 records too late\n"
    )


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "is empty; give a pcap or pcapng file"),
        (b"not a capture at all, but long", "begins with 6e6f7420, which is neither pcap nor pcapng; record one with tcpdump -w"),
        (struct.pack("<IHH", 0xA1B2C3D4, 2, 4), "begins with d4c3b2a1, which is neither pcap nor pcapng; record one with tcpdump -w"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_clear_sentence_and_status_2(
    folder: Path, octets: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "export.pcap"
    file.write_bytes(octets)
    status = main(["replay", str(file), "-c", str(folder)])

    assert (status, capsys.readouterr()) == (2, ("", f"replay: {file} {reason}\n"))


@pytest.mark.parametrize(("name", "reason"), [("nope.pcap", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["replay", str(folder / name), "-c", str(folder)])

    assert (status, capsys.readouterr()) == (2, ("", f"replay: cannot read {folder / name}: {reason}\n"))


@pytest.mark.slow
def test_a_quiet_capture_of_a_day_loses_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for minute in range(1440):
        at = EXPORTED_AT + 60 * minute
        frame = packet(v9(one_set(0, template(256, PLAIN)), one_set(256, TO_SERVER), at=at, sequence=minute, count=2))
        octets += struct.pack("<IIII", at, 0, len(frame), len(frame)) + frame
    (folder / "day.pcap").write_bytes(octets)
    status = main(["replay", str(folder / "day.pcap"), "--json", "-c", str(folder)])
    printed = capsys.readouterr()

    assert (status, printed.err) == (0, "day.pcap: 1440 packets, 1440 flow export datagrams, 1440 records\n")
    assert sum(json.loads(line)["octets_to_server"] for line in printed.out.splitlines()) == 1_440_000

"""`btimd replay` on captures of packets: who carried what, how connections did, and what is in no row, with the reason."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from typing_extensions import override

from btimd.cli import replay_packets as module
from btimd.cli.btimd import main
from btimd.cli.replay_packets import Pace
from btimd.kernels.packetlayout import F_TIME, FRAME_ROWS
from btimd.model.packets import PacketBlock
from tests.capture.conversations import START, Frames, conversation, write_pcapng
from tests.daemon.small import settings_text, write_small

pytestmark = pytest.mark.timeout(600)  # the first may compile every kernel
CLIENT, SERVER = "10.1.1.7", "10.2.0.10"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
SAID = ((">", b"q" * 100), ("<", b"a" * 1000))
OCTETS = {"octets_to_server": 3 * 40 + 100, "octets_to_client": 2 * 40 + 1000}
"""IP octets of such a conversation: SYN, ACK and the question to the server, SYN-ACK and the answer to the client."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    return write_small(tmp_path)


def talk(at: int = START, *, port: int = 443, client_port: int = 40_000, **more: Any) -> Frames:
    """Return a conversation of Li Wei with the ERP server."""
    more.setdefault("said", SAID)
    return conversation(port, at=at, client=CLIENT, server=SERVER, client_port=client_port, **more)


def pcap(path: Path, frames: Frames, *, link: int = 1, snap: int = 65_535) -> Path:
    """Write frames to a pcap file with times in ns, in the order they are given, up to `snap` octets of each."""
    octets = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link)
    for at, frame in frames:
        octets += struct.pack("<IIII", at // SECOND % 2**32, at % SECOND, len(frame[:snap]), len(frame)) + frame[:snap]
    path.write_bytes(octets)
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], str]:
    printed = capsys.readouterr()
    return [json.loads(line) for line in printed.out.splitlines()], printed.err


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("interval_start", "business", "octets_to_server", "octets_to_client", "packets", "flows", "users")
    return tuple(row[name] for name in names)


def test_packets_are_printed_as_windows_per_business_and_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = talk(port=80, client_port=40_001)
    file = write_pcapng(folder / "span.pcapng", talk(), other)
    status = main(["replay", str(file), "--json", "-c", str(folder)])
    rows, said = lines(capsys)

    row = {
        "interval_start": "2023-11-14T22:13:00Z", "interval_start_milliseconds": START // 1_000_000 - 20_000,
        "interval_milliseconds": 60_000, "region": "north", "segment": "sales", **OCTETS, "packets": 5, "flows": 2,
        "users": 1, "users_exact": True, "sampled": False, "revision": 0, "sampling_error_ratio": 0.0,
        "export_loss_ratio": None, "times_adjusted": False, "rate_assumed": False, "users_error_ratio": 0.0,
    }  # fmt: skip
    assert (status, said) == (0, "span.pcapng: 10 packets, 2 flows, 4 records\n")
    assert rows == [row | {"business": ""}, row | {"business": "erp"}]


def test_packets_are_printed_as_the_same_table_as_flow_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["replay", str(write_pcapng(folder / "span.pcapng", talk())), "-c", str(folder)])

    assert status == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "window                business  region  segment  to server  to client  packets  flows  users  error     lost",
        "2023-11-14T22:13:00Z  erp       north   sales          220      1,080        5      2      1      -  unknown",
    ]


def test_quality_is_printed_as_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = talk(client_port=40_001, end="refused")
    file = write_pcapng(folder / "span.pcapng", talk(), refused)
    status = main(["replay", str(file), "--quality", "--by", "region", "--by", "server", "-c", str(folder)])

    assert status == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()][:3] == [
        "11-14 22:13:00, 1 min; what the capture lost is unknown",
        "business  region  server         tries  failed  client net  server net  response  resent %  full  slow",
        "erp       north   10.2.0.10:443      2   1/0/0      1/1 ms      1/1 ms    1/1 ms   0.0/0.0     0  -",
    ]


def test_quality_is_printed_as_json_with_figures_instead_of_sketches(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_pcapng(folder / "span.pcapng", talk())
    status = main(["replay", str(file), "--quality", "--interval", "10s", "--json", "-c", str(folder)])
    rows, said = lines(capsys)

    assert (status, said) == (0, "span.pcapng: 5 packets, 1 flows, 2 records\n")
    took = pytest.approx(0.001, rel=0.02)
    names = ("least", "mean", "p50", "p95", "p99", "greatest")
    assert [row["interval_start"] for row in rows] == ["2023-11-14T22:13:20Z"]
    assert (rows[0]["business"], rows[0]["connections_established"], rows[0]["capture_loss_ratio"]) == ("erp", 1, None)
    assert rows[0]["server_leg"] == {"count": 1, **{f"{name}_seconds": took for name in names}}


def test_no_connections_at_all_are_no_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pcap(folder / "arp.pcap", [(START, bytes(Ether() / ARP()))])
    status = main(["replay", str(file), "--quality", "-c", str(folder)])

    summary = "arp.pcap: 1 packets, 0 flows, 0 records; left out: 1 packets that are not IP\n"
    assert (status, capsys.readouterr()) == (0, ("", summary))


def test_what_is_in_no_row_is_said_by_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = talk()
    broken = whole[0][1][:14] + b"\x41" + whole[0][1][15:]
    frames = [*whole, (START, bytes(Ether() / ARP())), (START, broken), (START + SECOND, whole[4][1])]
    file = pcap(folder / "span.pcap", frames)
    file.write_bytes(file.read_bytes()[:-5])
    status = main(["replay", str(file), "--json", "-c", str(folder)])
    rows, said = lines(capsys)

    assert status == 0
    assert [row["packets"] for row in rows] == [5]
    assert said == (
        "span.pcap: 7 packets, 1 flows, 2 records; left out: 1 packets that are not IP, 1 malformed packets, "
        "1 packets cut off by the end of the file\n"
    )


def test_packets_without_addresses_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(pcap(folder / "span.pcap", talk(), snap=20)), "--json", "-c", str(folder)]) == 0
    summary = "span.pcap: 5 packets, 0 flows, 0 records; left out: 5 packets cut off before their addresses end\n"
    assert capsys.readouterr() == ("", summary)


def test_packets_of_links_that_are_not_read_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pcap(folder / "usb.pcap", talk(), link=220)
    assert main(["replay", str(file), "--json", "-c", str(folder)]) == 0
    summary = "usb.pcap: 5 packets, 0 flows, 0 records; left out: 5 packets of link types that are not read\n"
    assert capsys.readouterr() == ("", summary)


def test_limits_are_those_of_the_first_mirror_port(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = '[capture.span.core]\ninterface = "eth9"\nmax_flows = 1024\nquality = false\n'
    write_small(folder, settings=settings_text() + span)
    head = Ether() / IP(src=CLIENT, dst=SERVER)
    frames = [(START + number, bytes(head / UDP(sport=1000 + number, dport=443))) for number in range(3000)]
    file = pcap(folder / "span.pcap", frames)
    assert main(["replay", str(file), "--json", "-c", str(folder)]) == 0
    rows, said = lines(capsys)
    early = int(said.partition("(")[2].partition(" ")[0])

    assert sum(row["packets"] for row in rows) == 3000
    assert 3000 - 1024 <= early < 3000
    assert said == (
        f"span.pcap: 3000 packets, 3000 flows, 3000 records ({early} flows reported early, as there were more than "
        "max_flows)\n"
    )
    assert main(["replay", str(file), "--json", "--quality", "-c", str(folder)]) == 0  # asked for, so it is measured


def test_files_put_one_behind_the_other_are_added_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = talk(START + 5 * 60 * MINUTE, client_port=40_003)
    file = pcap(folder / "span.pcap", [*talk(), *hours, *talk(client_port=40_001), *talk(START + 3 * SECOND)])
    status = main(["replay", str(file), "--json", "-c", str(folder)])
    rows, said = lines(capsys)

    assert (status, said) == (0, "span.pcap: 20 packets, 4 flows, 8 records\n")
    assert [figures(row) for row in rows] == [
        ("2023-11-14T22:13:00Z", "erp", 660, 3240, 15, 6, 1),
        ("2023-11-15T03:13:00Z", "erp", 220, 1080, 5, 2, 1),
    ]
    assert [row["users_exact"] for row in rows] == [False, True]


def test_quality_of_files_put_one_behind_the_other_is_added_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = talk(START + 5 * 60 * MINUTE, client_port=40_003)
    file = pcap(folder / "span.pcap", [*talk(), *hours, *talk(client_port=40_001)])
    status = main(["replay", str(file), "--json", "--quality", "-c", str(folder)])
    rows, _ = lines(capsys)

    assert status == 0
    assert [(row["connections_established"], row["response"]["count"]) for row in rows] == [(2, 2), (1, 1)]


@pytest.mark.parametrize("wrong", [0, START + 10_000 * MINUTE, (2**32 - 1) * SECOND])
def test_a_packet_with_another_time_than_its_neighbours_costs_itself_only(
    folder: Path, wrong: int, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = talk()
    file = pcap(folder / "span.pcap", [*frames, *talk(START + SECOND, client_port=40_001)])
    assert main(["replay", str(file), "--json", "-c", str(folder)]) == 0
    wanted, _ = lines(capsys)
    stray = (wrong, talk(client_port=40_002)[0][1])
    pcap(file, [*frames, stray, *talk(START + SECOND, client_port=40_001)])
    assert main(["replay", str(file), "--json", "-c", str(folder)]) == 0
    rows, said = lines(capsys)

    assert [row for row in rows if row in wanted] == wanted
    assert sum(row["packets"] for row in rows) + said.count("1 records too") == 11


def test_a_quiet_hour_does_not_make_one_record_of_two_conversations(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pcap(folder / "span.pcap", [*talk(), *talk(START + 60 * MINUTE)])
    assert main(["replay", str(file), "--json", "-c", str(folder)]) == 0
    rows, said = lines(capsys)

    assert said == "span.pcap: 10 packets, 2 flows, 4 records\n"
    assert [figures(row) for row in rows] == [
        ("2023-11-14T22:13:00Z", "erp", 220, 1080, 5, 2, 1),
        ("2023-11-14T23:13:00Z", "erp", 220, 1080, 5, 2, 1),
    ]


def test_an_unanswered_connection_of_long_ago_counts_in_its_own_interval(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = [
        frame for second in range(200) for frame in talk(START + (1 + second) * SECOND, client_port=50_000 + second)
    ]
    file = pcap(folder / "span.pcap", [*talk(client_port=40_009, end="silent"), *later])
    status = main(["replay", str(file), "--json", "--quality", "--by", "server", "-c", str(folder)])
    rows, said = lines(capsys)

    assert (status, said) == (0, f"span.pcap: 1001 packets, 201 flows, {said.split()[5]} records\n")
    assert sum(row["connections_attempted"] for row in rows) == 201
    assert [row["connections_unanswered"] for row in rows] == [1, 0, 0, 0]


def test_what_the_packets_are_is_found_out_or_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_pcapng(folder / "span.pcapng", talk())
    assert main(["replay", str(file), "--as", "export", "--json", "-c", str(folder)]) == 0
    assert capsys.readouterr().err == (
        "span.pcapng: 5 packets, 0 flow export datagrams, 0 records; left out: 5 packets that are no flow export\n"
    )
    assert main(["replay", str(file), "--as", "packets", "--json", "-c", str(folder)]) == 0
    assert capsys.readouterr().err == "span.pcapng: 5 packets, 1 flows, 2 records\n"


def test_quality_of_flow_export_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pcap(folder / "empty.pcap", [])
    assert main(["replay", str(file), "--quality", "-c", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"replay: {file} holds flow export, which does not tell how connections did; leave out --quality, or, where "
        "the packets themselves are meant, add --as packets\n"
    )


def test_by_without_quality_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "x.pcap", "--by", "server", "-c", str(folder)]) == 2
    assert capsys.readouterr().err == (
        "replay: --by goes with --quality; without it, rows are per region and segment anyway\n"
    )


@pytest.mark.parametrize("option", ["--as=packets", "--quality"])
def test_a_file_that_is_not_there_is_named(folder: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(folder / "nope.pcap"), option, "-c", str(folder)]) == 2
    assert capsys.readouterr().err == f"replay: cannot read {folder / 'nope.pcap'}: No such file or directory\n"


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_how_far_a_file_has_been_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(module, "_SHOWN_EVERY_SECONDS", 0.0)
    assert main(["replay", str(write_pcapng(folder / "span.pcapng", talk())), "-c", str(folder)]) == 0
    assert terminal.getvalue() == (
        "\rspan.pcapng: 5 packets, until 2023-11-14T22:13:20Z\x1b[K\r\x1b[Kspan.pcapng: 5 packets, 1 flows, 2 records\n"
    )


def paced(seconds: list[float], *, patience: int = 100) -> list[tuple[list[float], int, bool]]:
    """Return the steps of packets with these times, each as times, second, and whether time goes back."""
    frames = np.zeros((FRAME_ROWS, len(seconds)), np.int64)
    frames[F_TIME] = [round(one * SECOND) for one in seconds]
    return [
        ((step.block.frames[F_TIME] / SECOND).tolist(), step.second, step.goes_back)
        for step in Pace(patience).steps(PacketBlock(np.zeros(0, np.uint8), frames))
    ]


def test_packets_of_a_second_are_a_step() -> None:
    assert paced([7.1, 7.9, 8.0, 8.5, 12.0]) == [([7.1, 7.9], 7, False), ([8.0, 8.5], 8, False), ([12.0], 12, False)]
    assert paced([]) == []


def test_time_does_not_go_back_for_packets_that_are_a_little_late() -> None:
    late = [8.1, 8.2, 8.3, 7.7, 7.8, 7.9, 8.4, 8.5, 8.6]
    assert paced([7.5, *late, 9.0]) == [([7.5], 7, False), (late, 8, False), ([9.0], 9, False)]


def test_time_goes_back_for_packets_older_than_the_patience() -> None:
    late = [500.0, 500.1, 500.2, 399.0, 399.1, 399.2, 401.0, 401.1, 401.2]
    assert paced(late, patience=101) == [(late, 500, False)]
    assert paced(late) == [(late[:3], 500, False), (late[3:6], 399, True), (late[6:], 401, False)]


def test_time_goes_back_a_few_times_in_a_block_at_most() -> None:
    hostile = [one for _ in range(400) for one in (1e6, 1e6, 1e6, 0.0, 0.0, 0.0)]
    steps = paced(hostile)
    assert [time for times, _, _ in steps for time in times] == hostile
    assert sum(goes_back for _, _, goes_back in steps) == 15
    assert len(steps) == 32


def test_times_before_1970_and_at_the_end_of_time_are_taken_as_they_are_or_as_1970() -> None:
    frames = np.zeros((FRAME_ROWS, 2), np.int64)
    frames[F_TIME] = [-5, 2**63 - 1]
    steps = list(Pace(100).steps(PacketBlock(np.zeros(0, np.uint8), frames)))
    assert [step.second for step in steps] == [0, (2**63 - 1) // SECOND]

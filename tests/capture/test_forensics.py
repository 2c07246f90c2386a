import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scapy.utils import PcapReader

from btimd.capture import forensics
from btimd.capture.evidence import PacketRecorder, RingLimits, as_pcapng
from btimd.capture.forensics import MISSING, DissectLimits, Subject, dissect, find_tshark
from btimd.model.evidence import Finding
from tests.capture.captures import DATA
from tests.capture.conversations import (
    CLIENT,
    HTTP_QUESTION,
    SERVER,
    START,
    STEP,
    Frames,
    block_of,
    conversation,
    dns_message,
    http_answer,
    ldap_bind,
    ldap_bind_answer,
    mysql_error,
    mysql_greeting,
    mysql_login,
    postgresql_error,
    postgresql_message,
    postgresql_startup,
    tcp_frame,
    tds_error,
    tls_alert,
    tls_client_hello,
    udp_exchange,
    write_pcapng,
)
from tests.programs import need

SPAN = DATA / "span"
ERP = Subject("erp")
BODY = b"swordfish" * 5_000


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have the copies for dissection where a test can look whether they are gone, and nobody may pass."""
    assert tmp_path.is_dir()  # it is made where temporary folders usually are
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    shutil.rmtree(folder)


def children() -> set[str]:
    """Return the processes whose parent is this one."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(path.parent.name)
    return found


def runs(*command: str) -> bool:
    """Tell whether any process was started with this command line."""
    wanted = "\0".join(command).encode()
    found = False
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found |= wanted in path.read_bytes()
    return found


def several(port: int, said: list[list[tuple[str, bytes]]], first: int = 0) -> list[Frames]:
    return [
        conversation(port, each, client_port=40_000 + first + n, at=START + (first + n) * 50 * STEP)
        for n, each in enumerate(said)
    ]  # fmt: skip


@pytest.mark.slow
async def test_errors_of_every_protocol_are_found_and_nothing_that_was_said(tmp_path: Path) -> None:
    need("tshark")
    asked = (">", HTTP_QUESTION)
    conversations = [
        *several(80, [[asked, ("<", http_answer(code, b"swordfish"))] for code in (503, 200, 503, 404)]),
        *several(8080, [[asked, ("<", http_answer(500))]], 10),
        *several(443, [[(">", tls_client_hello()), ("<", tls_alert(40))]] * 2, 20),
        *several(443, [[(">", tls_client_hello()), (">", tls_alert(48))]], 30),
        *several(5432, [[(">", postgresql_startup()), ("<", postgresql_error("53300"))]] * 3, 40),
        *several(5432, [[
            (">", postgresql_startup()), ("<", postgresql_message("R", bytes(4)) + postgresql_message("Z", b"I")),
            (">", postgresql_message("Q", b"select swordfish\0")),
            ("<", postgresql_error("42P01", "ERROR") + postgresql_message("Z", b"I")),
        ]], 50),
        *several(3306, [[("<", mysql_error(1040, "08004"))]], 60),
        *several(3306, [[("<", mysql_greeting()), (">", mysql_login()), ("<", mysql_error(1045, "28000", number=2))]], 70),
        *several(389, [[(">", ldap_bind()), ("<", ldap_bind_answer(49))], [(">", ldap_bind()), ("<", ldap_bind_answer(0))]], 80),
        *several(1433, [[("<", tds_error(18456))]], 90),
        *several(1521, [[("<", b"\0\0ORA-12516: TNS:swordfish\n")]], 100),
        *several(25, [[("<", b"220 swordfish\r\n"), (">", b"MAIL FROM:<swordfish@x>\r\n"), ("<", b"451 swordfish\r\n")]], 110),
        *several(21, [[("<", b"220 swordfish\r\n"), (">", b"PASS swordfish\r\n"), ("<", b"530 swordfish\r\n")]], 120),
        conversation(81, client_port=41_000, end="refused"),
        conversation(82, client_port=41_001, end="silent"),
        conversation(83, [(">", b"swordfish")], client_port=41_002, end="R"),
        udp_exchange(53, dns_message(None), dns_message(2)),
        udp_exchange(53, dns_message(None, 8), dns_message(0, 8), client_port=40_001),
    ]  # fmt: skip
    path = write_pcapng(tmp_path / "x.pcapng", *conversations)
    found = await dissect(path, Subject("erp", {8080: "http"}))

    assert found.sentences == (
        "HTTP 503 in 2 of 4 answers of 10.1.2.3:80",
        "HTTP 500 in 1 of 1 answer of 10.1.2.3:8080",
        "DNS SERVFAIL in 1 of 2 answers of 10.1.2.3:53",
        "TLS alert handshake_failure (40) of the server in 2 of 3 handshakes with 10.1.2.3:443",
        "TLS alert unknown_ca (48) of the client in 1 of 3 handshakes with 10.1.2.3:443",
        "MySQL error 1040 (08004) in 1 answer of 10.1.2.3:3306",
        "MySQL error 1045 (28000) in 1 answer of 10.1.2.3:3306",
        "PostgreSQL FATAL 53300 in 3 of 5 answers of 10.1.2.3:5432",
        "PostgreSQL ERROR 42P01 in 1 of 5 answers of 10.1.2.3:5432",
        "MSSQL error 18456 in 1 of 1 answer of 10.1.2.3:1433",
        "Oracle error ORA-12516 in 1 answer of 10.1.2.3:1521",
        "LDAP invalidCredentials (49) in 1 of 2 answers of 10.1.2.3:389",
        "SMTP 451 in 1 of 2 answers of 10.1.2.3:25",
        "FTP 530 in 1 of 2 answers of 10.1.2.3:21",
        "connection refused in 1 of 1 attempt to connect to 10.1.2.3:81",
        "no answer in 1 of 1 attempt to connect to 10.1.2.3:82",
        "reset by the server of 1 connection with 10.1.2.3:83",
        "HTTP 404 in 1 of 4 answers of 10.1.2.3:80",
    )
    frames = [frame for one in conversations for frame in one]
    last = max(time for time, _octets in frames)
    assert replace(found, observations=()) == Finding(
        "erp", "x.pcapng", len(frames), START // 1_000_000, last // 1_000_000
    )
    assert found.observations[0].first_seen == (START + 4 * STEP) // 1_000_000
    for said in ("swordfish", "secret", "select", "Whatever"):
        assert said not in repr(found)


def recorded(frames: Frames, payload: int) -> bytes:
    recorder = PacketRecorder(RingLimits(flows=1, payload_octets={"erp": payload}, window=10**18))
    recorder.tags[0] = recorder.ring_of("erp")
    block, positions = block_of(frames)
    recorder.record(block, np.zeros(len(block), np.int32), positions)
    future = recorder.freeze("erp", frames[-1][0])
    recorder.tick(frames[-1][0])
    return as_pcapng(future.result(timeout=0))


@pytest.mark.slow
async def test_headers_alone_tell_what_tcp_did(tmp_path: Path) -> None:
    need("tshark")
    frames = conversation(80, [(">", HTTP_QUESTION), ("<", http_answer(503))], client_port=40_000)
    frames.append((frames[-1][0] + 300 * STEP, frames[-1][1]))  # once more
    ports = (40_000, 80)
    full = tcp_frame(
        to_server=False, client=CLIENT, server=SERVER, ports=ports, flags="A", seq=9_001 + len(http_answer(503)),
        ack=1_001 + len(HTTP_QUESTION), window=0,
    )  # fmt: skip
    frames.append((frames[-1][0] + STEP, full))
    frames += conversation(81, client_port=40_001, at=frames[-1][0] + STEP, end="refused")
    path = tmp_path / "x.pcapng"
    path.write_bytes(recorded(frames, 0))
    found = await dissect(path, ERP)

    assert found.sentences == (
        "connection refused in 1 of 1 attempt to connect to 10.1.2.3:81",
        "retransmission to the client of 1 segment of connections with 10.1.2.3:80",
        "zero window by the server in 1 segment of connections with 10.1.2.3:80",
    )
    assert found.problem == ""


@pytest.mark.slow
async def test_an_answer_is_understood_though_its_body_was_cut_off(tmp_path: Path) -> None:
    need("tshark")
    answer = http_answer(503, BODY)
    parts = [("<", answer[at : at + 1400]) for at in range(0, len(answer), 1400)]
    frames = conversation(80, [(">", HTTP_QUESTION), *parts])
    path = tmp_path / "x.pcapng"
    path.write_bytes(recorded(frames, 64))
    found = await dissect(path, ERP)

    assert found.sentences == ("HTTP 503 in 1 of 1 answer of 10.1.2.3:80",)


@pytest.mark.slow
@pytest.mark.skipif(not SPAN.is_dir(), reason=f"the captures are not published with the project: {SPAN} is absent")
@pytest.mark.parametrize(
    ("capture", "sentences"),
    [
        ("business-db/zeek-postgresql_psql-select-now.pcap", ()),
        (
            "business-app/zeek-http_methods.pcap",
            (
                "HTTP 400 in 30 of 49 answers of 173.194.75.103:80",
                "HTTP 405 in 8 of 49 answers of 173.194.75.103:80",
                "HTTP 411 in 5 of 49 answers of 173.194.75.103:80",
                "HTTP 403 in 1 of 49 answers of 173.194.75.103:80",
            ),
        ),
        ("business-app/ndpi-smtp.pcap", ("SMTP 500 in 1 of 37 answers of 172.16.114.207:25",)),
    ],
)
async def test_real_captures(tmp_path: Path, capture: str, sentences: tuple[str, ...]) -> None:
    need("tshark")
    with PcapReader(str(SPAN / capture)) as reader:
        frames = [(int(packet.time * 1_000_000_000), bytes(packet)) for packet in reader]
    path = tmp_path / "x.pcapng"
    path.write_bytes(recorded(frames, 9_000))
    found = await dissect(path, ERP)

    assert found.problem == ""
    assert found.packets == len(frames)
    assert found.sentences == sentences


async def test_without_tshark_the_finding_says_so(tmp_path: Path) -> None:
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    limits = DissectLimits(tshark=str(tmp_path / "tshark"))
    assert find_tshark(limits.tshark) is None
    assert await dissect(path, ERP, limits) == Finding("erp", "x.pcapng", problem=MISSING)


@pytest.mark.slow
@pytest.mark.parametrize("octets", [b"swordfish" * 1_000, b"\x0a\x0d\x0d\x0a" + bytes(range(256)) * 20])
async def test_a_file_that_is_no_capture_is_no_finding(tmp_path: Path, octets: bytes) -> None:
    need("tshark")
    path = tmp_path / "x.pcapng"
    path.write_bytes(octets)
    found = await dissect(path, ERP)
    assert found.observations == ()
    assert found.problem in {"tshark failed with status 2", "no packet was recognised in the file"}


@pytest.mark.slow
async def test_what_was_found_before_the_damage_is_kept(tmp_path: Path) -> None:
    need("tshark")
    path = write_pcapng(tmp_path / "x.pcapng", *several(80, [[(">", HTTP_QUESTION), ("<", http_answer(503))]] * 2))
    path.write_bytes(path.read_bytes() + b"\x06\0\0\0\xff\xff\xff\x7f" + b"swordfish" * 9)
    found = await dissect(path, ERP)
    assert found.sentences == ("HTTP 503 in 2 of 2 answers of 10.1.2.3:80",)
    assert found.problem == "tshark failed with status 2"


async def test_a_file_too_large_or_gone_is_not_dissected(tmp_path: Path) -> None:
    need("tshark")
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    assert await dissect(path, ERP, DissectLimits(file_octets=100)) == Finding(
        "erp", "x.pcapng", problem="cannot dissect x.pcapng: it is larger than 100 octets"
    )
    assert await dissect(tmp_path / "gone", ERP) == Finding(
        "erp", "gone", problem="cannot dissect gone: No such file or directory"
    )


@pytest.mark.slow
async def test_so_many_packets_and_no_more_are_looked_at(tmp_path: Path) -> None:
    need("tshark")
    path = write_pcapng(tmp_path / "x.pcapng", *several(80, [[(">", HTTP_QUESTION), ("<", http_answer(503))]] * 9))
    found = await dissect(path, ERP, DissectLimits(packets=6))
    assert found.problem == "only the first 6 packets that say something were looked at"
    assert found.sentences == ("HTTP 503 in 2 of 2 answers of 10.1.2.3:80",)


def fake_tshark(folder: Path, script: str) -> str:
    """Return a program that says it is tshark, and then does something else."""
    folder = folder / "bin"
    folder.mkdir()
    path = folder / "tshark"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = -v ] && echo "TShark (Wireshark) 4.0.17" && exit\n{script}\n', encoding="utf-8"
    )
    path.chmod(0o755)
    for each in (path, *path.parents):
        if each.is_relative_to(tempfile.gettempdir()) or each.name.startswith(("pytest-", "test_")):
            each.chmod(0o755)
    return str(path)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder into which a process without rights can look too."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


HEAD = """printf '<?xml version="1.0"?>\\n<pdml>\\n'"""


FIELDS = "".join(f"<field name='{name}' show='1' value='1'/>" for name in ("num", "len", "caplen", "timestamp"))
PACKET = f"<packet><proto name='geninfo'>{FIELDS}</proto><proto name='frame'/></packet>"


@pytest.mark.slow
async def test_what_was_found_when_time_is_up_is_told(
    tmp_path: Path, shared_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forensics, "_USEFUL_SHARE", 0.15)
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80, client_port=40_000, end="silent"))
    tshark = fake_tshark(shared_folder, f'{HEAD}\nwhile :; do echo "{PACKET}"; sleep 0.1; done')
    found = await dissect(path, ERP, DissectLimits(seconds=20, tshark=tshark))
    assert re.fullmatch(r"only the first \d+ packets that say something were looked at", found.problem)


@pytest.mark.slow
async def test_a_dissection_that_does_not_end_is_stopped_with_all_it_started(
    tmp_path: Path, shared_folder: Path
) -> None:
    before = children()
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    tshark = fake_tshark(shared_folder, "sleep 98765 & sleep 98765")
    found = await dissect(path, ERP, DissectLimits(seconds=1, tshark=tshark))
    assert found.problem == "the dissection was stopped after 1 s"
    assert found.packets == 3
    assert found.observations == ()
    assert children() <= before
    assert not runs("sleep", "98765")


@pytest.mark.slow
async def test_a_dissection_that_takes_too_much_processor_time_is_stopped(tmp_path: Path, shared_folder: Path) -> None:
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    tshark = fake_tshark(shared_folder, "while :; do :; done")
    found = await dissect(path, ERP, DissectLimits(cpu_seconds=1, seconds=60, tshark=tshark))
    assert found.problem in {
        "tshark was stopped because it took too much processor time",
        "the dissection was stopped because it took too much processor time",
    }


@pytest.mark.slow
async def test_what_tshark_says_may_be_garbage_without_end(tmp_path: Path, shared_folder: Path) -> None:
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    tshark = fake_tshark(shared_folder, f"{HEAD}\nexec yes '<packet><proto name=\"swordfish\"></packet>'")
    found = await dissect(path, ERP, DissectLimits(cpu_seconds=5, seconds=20, tshark=tshark))
    assert found.problem
    assert "swordfish" not in repr(found)
    assert found.observations == ()


@pytest.mark.slow
async def test_memory_is_bounded(tmp_path: Path) -> None:
    need("tshark")
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80, [("<", http_answer(503))]))
    found = await dissect(path, ERP, DissectLimits(memory_octets=64 << 20))
    assert found.observations == ()
    assert found.problem


@pytest.mark.slow
async def test_the_child_has_no_rights_no_settings_and_nowhere_to_write(tmp_path: Path, shared_folder: Path) -> None:
    script = """
        [ $(id -u) != 0 ] || exit 11
        [ $(nice) = 19 ] || exit 12
        [ $(ulimit -f) = 0 ] && [ $(ulimit -c) = 0 ] && [ $(ulimit -n) = 64 ] && [ $(ulimit -t) = 20 ] || exit 13
        grep -q "^CapEff:.0000000000000000" /proc/self/status || exit 14
        grep -q "^CapAmb:.0000000000000000" /proc/self/status || exit 15
        grep -q "^NoNewPrivs:.1" /proc/self/status || exit 16
        [ "$HOME" = "$PWD" ] && [ "$WIRESHARK_CONFIG_DIR" = "$PWD" ] && [ "$XDG_CONFIG_HOME" = "$PWD" ] || exit 17
        [ "$(ls)" = capture ] || exit 18
        [ -z "$SWORDFISH" ] || exit 19
        case " $* " in *" -n "*) ;; *) exit 20 ;; esac
        exit 42"""
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWORDFISH", "1")
        found = await dissect(path, ERP, DissectLimits(tshark=fake_tshark(shared_folder, script)))
    assert found.problem == "tshark failed with status 42"


async def test_the_childs_answer_is_not_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("tshark")
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    good = b'["http", "503", "10.1.2.3:80", 1, 2, 3]'
    answers = {
        b"": None,
        b"[]": None,
        b'{"observations": []}': None,
        b"[" * 60_000: None,
        b'{"observations": [["http", "GET /swordfish?", "10.1.2.3:80", 1, 2, 3]], "problem": ""}': None,
        b'{"observations": [["telepathy", "", "10.1.2.3:80", 1, 2, 3]], "problem": ""}': None,
        b'{"observations": [["http", "503", "swordfish", 1, 2, 3]], "problem": ""}': None,
        b'{"observations": [["http", "503", "10.1.2.3:80", 3, 2, 3]], "problem": ""}': None,
        b'{"observations": [["http", "503", "10.1.2.3:80", 1e400, 2, 3]], "problem": ""}': None,
        b'{"observations": [["http", "503"]], "problem": ""}': None,
        b'{"observations": [' + good + b'], "problem": "line\\nbreak"}': "linebreak",
    }
    for answer, problem in answers.items():

        async def answered(*_arguments: object, said: bytes = answer) -> tuple[bytes, str]:
            return said, ""

        monkeypatch.setattr(forensics, "_run_child", answered)
        found = await dissect(path, ERP)
        assert found.problem == (problem or "the dissection gave an answer that makes no sense")
        assert len(found.observations) == (problem is not None)


@pytest.mark.slow
async def test_who_gives_up_waiting_leaves_no_process_behind(tmp_path: Path, shared_folder: Path) -> None:
    before = children()
    path = write_pcapng(tmp_path / "x.pcapng", conversation(80))
    task = asyncio.create_task(dissect(path, ERP, DissectLimits(tshark=fake_tshark(shared_folder, "sleep 999"))))
    while children() <= before:  # noqa: ASYNC110  nothing tells when a child has been started
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before


def test_the_daemon_itself_never_loads_pyshark() -> None:
    assert "pyshark" not in sys.modules

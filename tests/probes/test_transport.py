"""Dialogues on real sockets, against servers that hang, drip, reset and lie; test_real_servers has the real ones."""

import asyncio
import contextlib
import errno
import gc
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from btimd.model.probe import ErrorClass, Health, ProbeSpec
from btimd.model.service import CheckKind
from btimd.probes.catalogue import dialogue_for
from btimd.probes.transport import FIREWALL_FIX, SystemResolver, Transport, event_of
from btimd.probes.wire.dialogue import (
    Action,
    Connect,
    Deadline,
    Dialogue,
    Event,
    Line,
    LocalFailure,
    NotPermitted,
    Refused,
    Reset,
    Resolved,
    Unreachable,
)
from btimd.probes.wire.icmp import ICMP_FIX
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes import servers
from tests.probes.running import probe, told, web
from tests.probes.samples import check

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_socket_is_left_open() -> Iterator[None]:
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield
    gc.collect()
    # The loop's own descriptors live at most as long as the test.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3


# --- TCP ---------------------------------------------------------------------------------------------------------


async def test_a_listening_port_is_good_and_a_closed_one_refuses() -> None:
    async with servers.tcp_server(servers.silent) as port:
        result = await probe(check(kind=CheckKind.TCP, port=port))
        assert told(result) == (Health.GOOD, ErrorClass.NONE, f"127.0.0.1:{port} accepts connections")
        assert 0.0 <= result.values["connect_seconds"] <= result.elapsed_seconds
    closed = free_port()
    assert told(await probe(check(kind=CheckKind.TCP, port=closed))) == (
        Health.BAD,
        ErrorClass.REFUSED,
        f"127.0.0.1:{closed} refuses: the host answers, nobody listens there",
    )


async def test_a_host_that_swallows_the_connect_is_a_timeout_at_the_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        for _ in range(4):  # a full accept queue drops further handshakes
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        result = await probe(check(kind=CheckKind.TCP, port=port, timeout=0.3))
        for filler in fillers:
            filler.close()
    assert (result.health, result.error) == (Health.BAD, ErrorClass.TIMEOUT)
    assert result.elapsed_seconds >= 0.3


async def test_a_name_is_resolved_by_the_system() -> None:
    async with servers.tcp_server(servers.silent) as port:
        result = await probe(check(kind=CheckKind.TCP, host="localhost", port=port))
    assert result.health is Health.GOOD or "[::1]" in result.detail
    assert "resolve_seconds" in result.values


async def test_a_name_that_nobody_knows_is_a_name_error() -> None:
    result = await probe(check(kind=CheckKind.TCP, host="no-such-host.invalid", timeout=20.0))
    assert (result.health, result.error) == (Health.BAD, ErrorClass.NAME_ERROR)


# --- HTTP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (servers.silent, ErrorClass.NO_ANSWER),
        (servers.closing, ErrorClass.NO_ANSWER),
        (servers.resetting, ErrorClass.RESET),
        (servers.saying(b"SSH-2.0-OpenSSH_9.2\r\n"), ErrorClass.PROTOCOL_ERROR),
        (servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), ErrorClass.PROTOCOL_ERROR),
        (
            servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then_close=False),
            ErrorClass.NO_ANSWER,
        ),
        (
            servers.saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chun", b"ked\r\n\r\n4\r\nwe", b"ll!\r\n0\r\n\r\n"),
            ErrorClass.PROTOCOL_ERROR,
        ),
        (
            servers.saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chun", b"ked\r\n\r\n4\r\nwe", b"ll\r\n0\r\n\r\n"),
            ErrorClass.NONE,
        ),
    ],
)
async def test_servers_that_behave_badly_are_told_apart(handler: servers.Handler, error: ErrorClass) -> None:
    async with servers.tcp_server(handler) as port:
        result = await probe(web(port, timeout=0.4 if error is ErrorClass.NO_ANSWER else 60.0))
    assert result.error is error


async def test_a_server_that_never_stops_talking_is_cut_off_and_starves_nobody() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with servers.tcp_server(babble) as port:
        result = await probe(web(port, timeout=5.0))
    assert result.health is Health.GOOD
    assert 1024 * 1024 < result.values["body_octets"] < 1024 * 1024 + 65_536


async def test_a_flood_of_strange_datagrams_does_not_stop_the_deadline() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
        flooder.bind(("127.0.0.1", 0))
        flooder.setblocking(False)
        loop = asyncio.get_running_loop()
        strange = bytes.fromhex("ffff 8180 0001 0000 0000 0000 0161 00 0001 0001")

        async def flood() -> None:
            _, victim = await loop.sock_recvfrom(flooder, 512)
            while True:
                for _ in range(50):
                    with contextlib.suppress(BlockingIOError):
                        flooder.sendto(strange, victim)
                await asyncio.sleep(0)

        flooding = asyncio.create_task(flood())
        of = check(kind=CheckKind.DNS, port=flooder.getsockname()[1], timeout=0.3, options={"name": "erp.example"})
        result = await probe(of)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
    assert result.error is ErrorClass.TIMEOUT


async def test_a_good_answer_over_the_limit_is_slow() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with servers.tcp_server(late) as port:
        result = await probe(check(kind=CheckKind.HTTP, port=port, slow_over=0.05))
    assert (result.health, result.error) == (Health.BAD, ErrorClass.SLOW)
    assert result.detail.endswith(f"more than 0.05 s: 127.0.0.1:{port}/ answers HTTP 200 OK")


# --- DNS ---------------------------------------------------------------------------------------------------------


async def test_a_name_server_that_says_nothing_is_a_timeout() -> None:
    async with servers.udp_server(lambda _: None) as port:
        result = await probe(check(kind=CheckKind.DNS, port=port, timeout=0.2, options={"name": "erp.example"}))
    assert (result.health, result.error) == (Health.BAD, ErrorClass.TIMEOUT)


# --- ICMP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_echo_comes_back_or_the_machine_does_not_let_it_out(host: str) -> None:
    result = await probe(check(kind=CheckKind.ICMP, host=host, port=0))
    if os.geteuid() == 0:
        assert told(result) == (Health.GOOD, ErrorClass.NONE, f"{host} answers echo requests")
        assert 0.0 < result.values["rtt_seconds"] < 1.0
    elif result.health is not Health.GOOD:
        assert told(result) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED, ICMP_FIX)


async def test_many_echoes_at_once_find_their_own_answers() -> None:
    if os.geteuid() != 0:
        pytest.skip("raw sockets need root; the other test says what happens without")
    of = check(kind=CheckKind.ICMP, port=0)
    results = await asyncio.gather(*(probe(of, dialogue_for(of, token)) for token in range(40)))
    assert {result.health for result in results} == {Health.GOOD}


def without_root(checks: list[tuple[str, str, int]], prepare: str = "true") -> dict[str, str]:
    """Run checks (kind, host, port) as nobody in a network namespace of their own; return error and detail by host."""
    script = f"""
import asyncio, json, os, sys
sys.path.insert(0, os.getcwd())
from btimd.model.probe import ProbeSpec
from btimd.probes.catalogue import dialogue_for
from btimd.probes.transport import Transport
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.model.service import Check, CheckKind
"localhost".encode("idna")  # the codec is loaded late, and nobody may not read it
os.setgroups([]); os.setgid(65534); os.setuid(65534)
async def main():
    found = {{}}
    for kind, host, port in {checks!r}:
        check = Check("check", "node", CheckKind(kind), host, port)
        result = await Transport(SystemClock(), Log("x")).run(ProbeSpec(1, check), dialogue_for(check, 77))
        found[host] = result.error.value + " " + result.detail
    print(json.dumps(found))
asyncio.run(main())
"""
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", f'ip link set lo up && {prepare} && exec "$0" -c "$1"', sys.executable, script],
        check=True, capture_output=True, timeout=PATIENCE_SECONDS, cwd=ROOT,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.net
@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")
def test_without_privilege_the_group_range_decides_and_the_answer_says_so() -> None:
    pings = [("icmp", "127.0.0.1", 0), ("icmp", "::1", 0)]
    assert without_root(pings, "sysctl -qw net.ipv4.ping_group_range='0 2147483647'") == {
        "127.0.0.1": "none 127.0.0.1 answers echo requests",
        "::1": "none ::1 answers echo requests",
    }
    assert without_root(pings, "sysctl -qw net.ipv4.ping_group_range='1 0'") == {
        "127.0.0.1": f"not-permitted {ICMP_FIX}",
        "::1": f"not-permitted {ICMP_FIX}",
    }


@pytest.mark.slow
@pytest.mark.net
@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")
def test_a_network_without_a_way_is_unreachable_and_a_closed_firewall_is_our_own_fault() -> None:
    assert without_root(
        [("tcp", "198.51.100.1", 80), ("tcp", "198.51.100.2", 80), ("tcp", "198.51.100.3", 80)],
        "ip route add unreachable 198.51.100.2 && ip route add prohibit 198.51.100.3",
    ) == {
        "198.51.100.1": "unreachable 198.51.100.1:80 cannot be reached: network is unreachable",
        "198.51.100.2": "unreachable 198.51.100.2:80 cannot be reached: no route to host",
        "198.51.100.3": f"not-permitted {FIREWALL_FIX}",
    }


# --- the runner itself -------------------------------------------------------------------------------------------


async def test_a_probe_that_is_cancelled_closes_its_socket_at_once() -> None:
    closed = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass
        closed.set()

    async with servers.tcp_server(watch) as port:
        task = asyncio.create_task(probe(web(port, timeout=60.0)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not task.done() and not closed.is_set():
                await asyncio.sleep(0.01)
                if len(asyncio.all_tasks()) >= 3:  # the server has the connection
                    task.cancel()
            await closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


class Broken(Dialogue):
    """A dialogue with a bug: it raises, or it does what it was given and then never ends."""

    def __init__(self, *first: Action) -> None:
        super().__init__("127.0.0.1", 9)
        self._first = list(first)
        self.events: list[Event] = []

    @override
    def start(self, now: float) -> list[Action]:
        if not self._first:
            raise KeyError("bug")
        return self._first

    @override
    def handle(self, event: Event, now: float) -> list[Action]:
        self.events.append(event)
        return []

    @override
    def _ready(self, now: float) -> list[Action]:
        return []

    @override
    def _received(self, data: bytes, now: float) -> list[Action]:
        return []


@pytest.mark.parametrize(
    ("dialogue", "what"),
    [(Broken(), "KeyError('bug')"), (Broken(Connect(Line.UDP, "127.0.0.1", 9)), "did not end at its deadline")],
)
async def test_a_bug_in_a_dialogue_costs_that_probe_and_is_counted(dialogue: Broken, what: str) -> None:
    bugs: list[str] = []
    transport = Transport(SystemClock(), Log("probes"), lambda: bugs.append("bug"))
    result = await transport.run(ProbeSpec(1, check(timeout=0.1)), dialogue)
    assert (result.health, result.error) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    assert what in result.detail
    assert bugs == ["bug"]


async def test_an_address_of_no_kind_is_a_local_failure() -> None:
    dialogue = Broken(Connect(Line.TCP, "no address", 9))
    await probe(check(timeout=0.1), dialogue)
    assert isinstance(dialogue.events[0], LocalFailure)


def test_socket_errors_have_their_meaning() -> None:
    assert event_of(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) == Refused()
    assert event_of(OSError(errno.ECONNRESET, "reset")) == Reset()
    assert event_of(OSError(errno.EPIPE, "pipe")) == Reset()
    assert event_of(OSError(errno.EHOSTUNREACH, "No route to host")) == Unreachable("no route to host")
    assert event_of(OSError(errno.ETIMEDOUT, "timed out")) == Deadline()
    assert isinstance(event_of(OSError(errno.EPERM, "not permitted")), NotPermitted)
    assert event_of(OSError(errno.EMFILE, "Too many open files")) == LocalFailure(
        "this machine cannot send the probe: Too many open files"
    )


async def test_one_name_is_looked_up_once_at_a_time() -> None:
    resolver = SystemResolver()
    answers = await asyncio.gather(*(resolver.resolve("localhost") for _ in range(5)))
    assert len(answers) == 5
    assert all(isinstance(answer, Resolved) for answer in answers)
    names = ("one.invalid", "two.invalid", "three.invalid")
    last = (await asyncio.gather(*(resolver.resolve(name) for name in names)))[2]
    assert last == LocalFailure(
        "the system's resolver is busy with one.invalid, two.invalid; set options.resolver or use addresses"
    )


# --- Own addresses and ports -----------------------------------------------------------------------------------------


async def test_a_probe_that_must_come_from_a_port_in_use_says_nothing_about_the_target() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        options = {"relay": "127.0.0.1", "source_port": str(port)}
        result = await probe(check(kind=CheckKind.DHCP, port=free_port(), options=options))
    assert told(result) == (
        Health.UNKNOWN,
        ErrorClass.LOCAL_FAILURE,
        f"cannot send from 127.0.0.1:{port}: Address already in use",
    )


async def test_a_name_that_tls_cannot_send_says_nothing_about_the_target() -> None:
    async with servers.tcp_server(servers.silent) as port:
        result = await probe(check(kind=CheckKind.TLS, port=port, options={"server_name": ".erp"}))
    assert (result.health, result.error) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    assert "'.erp' cannot be sent as the name of a server" in result.detail

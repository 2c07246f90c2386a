"""PersonService as a whole: real files, a real socket; with real DHCP servers and a RADIUS client where they are."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btimd.flows.persons import PersonTable
from btimd.flows.personservice import PersonService, RadiusListener
from btimd.flows.radiusdesk import RadiusDesk
from btimd.flows.settings import PersonSettings
from btimd.model.address import address_halves
from btimd.model.persons import PersonBinding, PersonSourceKind
from btimd.runtime.clock import ManualClock, SystemClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.wires import ip, make_wire, namespace
from tests.flows.radiuspackets import SECRET, attribute, start
from tests.flows.test_personfiles import HEAD, isc, kea
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.programs import need, need_as_root

NOW = 1_795_324_000.0


def who(table: PersonTable, address: str) -> str | None:
    hi, lo = address_halves(address)
    number = int(table.find(np.array([hi], np.uint64), np.array([lo], np.uint64))[0])
    return None if number < 0 else table.persons[number]


class Running:
    """A started service and what it is made of."""

    def __init__(self, settings: dict[str, Any], clock: ManualClock | SystemClock) -> None:
        self.clock = clock
        self.metrics = Metrics()
        self.service = PersonService(PersonSettings.model_validate(settings), self.metrics, clock, Log("test"))

    def who(self, address: str) -> str | None:
        self.service.poll()
        return who(self.service.lookup(), address)

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.value(f"btimd_flows_person_{name}", labels)


@asynccontextmanager
async def running(settings: dict[str, Any], clock: ManualClock | SystemClock | None = None) -> AsyncIterator[Running]:
    found = Running(settings, clock or ManualClock(NOW))
    try:
        await found.service.start()
        yield found
    finally:
        await found.service.stop()
        await found.service.stop()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(SECRET + b"\n")
    return path


def ask(address: tuple[str, int] | None, packet: bytes, seconds: float = PATIENCE_SECONDS) -> bytes | None:
    assert address is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(seconds)
        client.sendto(packet, address)
        with contextlib.suppress(TimeoutError):
            return client.recv(4096)
    return None


async def test_files_of_every_kind_are_read_and_each_says_how_it_does(tmp_path: Path) -> None:
    (tmp_path / "kea.csv").write_text(HEAD + kea("10.0.0.1", "pc-1") + "nonsense\n")
    (tmp_path / "dhcpd.leases").write_text(isc("10.0.0.2", "pc-2") + isc("10.0.0.3", "pc-3"))
    (tmp_path / "list.csv").write_text("10.0.0.3,anna\n")
    (tmp_path / "macs.csv").write_text("02:00:00:00:00:11,bert\n")
    settings = {
        "dhcp": {
            "a": {"kind": "kea", "file": tmp_path / "kea.csv"},
            "b": {"kind": "isc", "file": tmp_path / "dhcpd.leases"},
            "c": {"kind": "isc", "file": tmp_path / "missing"},
        },
        "list": {"file": tmp_path / "list.csv", "macs": tmp_path / "macs.csv"},
    }
    async with running(settings) as found:
        assert [found.who(f"10.0.0.{at}") for at in range(1, 5)] == ["bert", "pc-2", "anna", None]
        sources = {one.name: one for one in found.service.person_sources()}
        assert list(sources) == ["macs", "list", "dhcp.a", "dhcp.b", "dhcp.c"]
        assert [(one.bindings, one.records, one.refused) for one in sources.values()] == [
            (0, 1, 0), (1, 1, 0), (1, 2, 1), (2, 2, 0), (0, 0, 0),
        ]  # fmt: skip
        assert (
            sources["dhcp.a"].last_error
            == "kea.csv, line 3: a lease whose address, times or state cannot be understood"
        )
        problem = f"cannot read {tmp_path / 'missing'}: No such file or directory; btimd's user must be able to read it"
        assert found.service.health() == ComponentHealth(HealthLevel.WARNING, f"dhcp.c: {problem}")
        assert [found.value("records_refused_total", source=f"dhcp.{name}") for name in "abc"] == [1, 0, 0]
        assert [found.value("records_total", source=f"dhcp.{name}") for name in "abc"] == [2, 2, 0]
        assert [found.value("bindings", source=f"dhcp.{name}") for name in "abc"] == [1, 2, 0]
        assert [found.value("source_up", source=f"dhcp.{name}") for name in "abc"] == [1, 1, 0]
        assert await found.service.persons("10.0.0.3", 10) == [
            PersonBinding("10.0.0.3", "anna", "list", PersonSourceKind.LIST, None, None, in_force=True),
            PersonBinding("10.0.0.3", "pc-3", "dhcp.b", PersonSourceKind.DHCP, None, None, in_force=False),
        ]
        assert [one.address for one in await found.service.persons("bert", 10)] == ["10.0.0.1"]
        assert [one.address for one in await found.service.persons("10.0.0.0/31", 10)] == ["10.0.0.1"]
        assert [one.person for one in await found.service.persons(None, 3)] == ["bert", "pc-2", "anna"]


async def test_a_lease_ends_when_its_time_has_come_though_no_file_changes(tmp_path: Path) -> None:
    (tmp_path / "kea.csv").write_text(HEAD + kea("10.0.0.1", "pc-1"))
    clock = ManualClock(1_795_327_199.0)
    async with running({"dhcp": {"a": {"kind": "kea", "file": tmp_path / "kea.csv"}}}, clock) as found:
        held = found.service.lookup()
        assert found.who("10.0.0.1") == "pc-1"
        clock.advance(1.0)
        assert found.who("10.0.0.1") is None
        assert who(held, "10.0.0.1") == "pc-1"


async def test_sessions_come_and_go_by_radius_and_only_who_knows_the_secret_gets_an_answer(secret: Path) -> None:
    radius = {"listen": "127.0.0.1:0", "secret_file": secret, "clients": ["127.0.0.0/8"], "session_timeout": "1h"}
    async with running({"radius": radius}) as found:
        address = found.service.radius_address
        answer = await asyncio.to_thread(ask, address, start("anna", "s1", "10.0.0.1", identifier=9))
        assert answer is not None
        assert answer[:4] == b"\x05\x09\x00\x14"
        assert found.who("10.0.0.1") == "anna"
        wrong = start("bert", "s2", "10.0.0.1")[:-1] + b"\x09"
        assert await asyncio.to_thread(ask, address, wrong, 0.3) is None
        assert await asyncio.to_thread(ask, address, b"x" * 5000, 0.3) is None
        late = start("anna", "s1", "10.0.0.1", more=attribute(55, round(NOW - 60).to_bytes(4)))
        assert await asyncio.to_thread(ask, address, late) is not None
        strange = start("anna", "s1", "10.0.0.1", more=attribute(55, bytes(4)))
        assert await asyncio.to_thread(ask, address, strange) is not None
        assert found.who("10.0.0.1") == "anna"
        assert await asyncio.to_thread(ask, address, start("anna", "s1", None, status=2)) is not None
        assert found.who("10.0.0.1") is None
        state = found.service.person_sources()[0]
        assert (state.name, state.records, state.refused, state.problem) == ("radius", 4, 2, "")
        assert state.last_error == "without an answer: authenticator 1, length 1"
        assert [found.value("radius_refused_total", reason=one) for one in ("authenticator", "length", "client")] == [
            1,
            1,
            0,
        ]
        assert (found.value("radius_packets_total"), found.value("sessions_stale_total")) == (4, 1)
        assert found.value("radius_times_adjusted_total") == 1


async def test_what_finds_no_room_is_counted_and_said(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("".join(f"10.0.0.{at},p{at}\n" for at in range(103)))
    async with running({"list": {"file": tmp_path / "list.csv"}, "max_bindings": 100}) as found:
        assert (len(found.service.lookup().bindings), found.value("bindings_refused_total")) == (100, 3)
        assert found.service.health().reason == "more than 100 bindings; raise flows.persons.max_bindings"


async def test_with_pseudonyms_no_name_is_kept_shown_or_logged(
    tmp_path: Path, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kea.csv").write_text(HEAD + kea("10.0.0.1", "anna") + kea("10.0.0.2", "anna,", 7))
    (tmp_path / "list.csv").write_text("10.0.0.3,Anna\n10.0.0.4,anna,anna\n")
    settings = {
        "pseudonyms": True,
        "pseudonym_key_file": tmp_path / "key",
        "dhcp": {"a": {"kind": "kea", "file": tmp_path / "kea.csv"}},
        "list": {"file": tmp_path / "list.csv"},
        "radius": {"listen": "127.0.0.1:0", "secret_file": secret},
    }
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_text("0123456789abcdef")
    with caplog.at_level(logging.DEBUG):
        async with running(settings) as found:
            await asyncio.to_thread(ask, found.service.radius_address, start("ANNA", "s1", "10.0.0.5"))
            names = {found.who(f"10.0.0.{at}") for at in (1, 3, 5)}
            assert len(names) == 1
            assert str(names.pop()).startswith("p-")
            everything = [
                *await found.service.persons(None, 100),
                *found.service.person_sources(),
                found.metrics.text(),
            ]
            assert "anna" not in f"{everything} {caplog.text} {found.service._persons._told}".lower()


async def test_a_bug_costs_a_round_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.csv").write_text("10.0.0.1,anna\n")
    async with running({"list": {"file": tmp_path / "list.csv"}}) as found:
        monkeypatch.setattr(found.service._sources[0], "poll", lambda: 1 // 0)
        found.service.poll()
        assert found.service.health().reason == "persons are not brought up to date: ZeroDivisionError"
        assert found.value("failures_total") == 1
        monkeypatch.undo()
        assert found.who("10.0.0.1") == "anna"
        assert found.service.health() == ComponentHealth()


async def test_a_key_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        async with running({"pseudonyms": True, "pseudonym_key_file": tmp_path / "missing"}):
            pass


async def test_a_secret_that_others_can_read_or_a_taken_port_ends_the_start(secret: Path) -> None:
    radius = {"listen": "127.0.0.1:0", "secret_file": secret}
    async with running({"radius": radius}) as found:
        assert found.service.radius_address is not None
        taken = {**radius, "listen": f"127.0.0.1:{found.service.radius_address[1]}"}
        with pytest.raises(OSError, match=r"flows\.persons\.radius\.listen"):
            async with running({"radius": taken}):
                pass
    os.chmod(secret, 0o644)  # noqa: PTH101  quick, and nobody waits
    with pytest.raises(ValueError, match="can be read by others"):
        async with running({"radius": radius}):
            pass


async def test_after_a_reload_other_files_are_followed_and_what_is_not_named_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "kea.csv").write_text(HEAD + kea("10.0.0.1", "pc-1"))
    (tmp_path / "dhcpd.leases").write_text(isc("10.0.0.2", "pc-2"))
    (tmp_path / "list.csv").write_text("10.0.0.3,anna\n")
    first = {"kind": "kea", "file": tmp_path / "kea.csv"}
    second = {"kind": "isc", "file": tmp_path / "dhcpd.leases"}
    async with running({"dhcp": {"a": first, "b": second}}) as found:
        assert [found.who(f"10.0.0.{at}") for at in (1, 2, 3)] == ["pc-1", "pc-2", None]
        settings = {"dhcp": {"b": second}, "list": {"file": tmp_path / "list.csv"}}
        await found.service.reload(PersonSettings.model_validate(settings))
        assert [found.who(f"10.0.0.{at}") for at in (1, 2, 3)] == [None, "pc-2", "anna"]
        assert [one.name for one in found.service.person_sources()] == ["list", "dhcp.b"]
        assert found.value("records_total", source="dhcp.b") == 2


async def test_the_service_looks_by_itself_until_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("10.0.0.1,anna\n")
    async with running({"list": {"file": tmp_path / "list.csv"}, "poll": "100ms"}) as found:
        task = asyncio.create_task(found.service.run())
        (tmp_path / "list.csv").write_text("10.0.0.1,bertram\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while who(found.service.lookup(), "10.0.0.1") != "bertram":  # noqa: ASYNC110  a thread makes it true
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_more_packets_than_may_be_looked_at_wait_in_the_socket_and_are_counted_where_they_are_lost() -> None:
    clock = ManualClock(NOW)
    listener = RadiusListener(("127.0.0.1", 0), RadiusDesk("radius", SECRET, (), str), 10, clock)
    listener.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(4000):
                client.sendto(bytes(1000), listener.address)
        wait_until(lambda: listener.desk.refused.total() >= 11)
        assert listener.desk.refused.total() < 20
        clock.advance(1.0)
        wait_until(lambda: listener.dropped > 1000)
    finally:
        listener.stop()


@pytest.mark.slow
@pytest.mark.real_server
async def test_radclient_is_answered_and_its_sessions_are_known(secret: Path) -> None:
    radclient = need("radclient")
    radius = {"listen": "127.0.0.1:0", "secret_file": secret}
    async with running({"radius": radius}, SystemClock()) as found:
        assert found.service.radius_address is not None
        port = found.service.radius_address[1]

        def send(status: str, key: bytes = SECRET) -> str:
            request = (
                f'Acct-Status-Type = {status}, User-Name = "anna", Acct-Session-Id = "s1", NAS-Identifier = "wlc"\n'
                "Framed-IP-Address = 10.0.0.1, Framed-IPv6-Prefix = 2001:db8:0:7::/64, Event-Timestamp = "
                f"{int(time.time())}\n"
            )
            command = [radclient, "-x", "-r", "1", "-t", "1", f"127.0.0.1:{port}", "acct", key.decode()]
            return subprocess.run(command, input=request, capture_output=True, text=True, check=False).stdout

        assert "Received Accounting-Response" in await asyncio.to_thread(send, "Start")
        assert [found.who("10.0.0.1"), found.who("2001:db8:0:7::42"), found.who("2001:db8:0:8::")] == [
            "anna",
            "anna",
            None,
        ]
        assert "Received" not in await asyncio.to_thread(send, "Stop", b"wrong")
        assert found.who("10.0.0.1") == "anna"
        assert "Received Accounting-Response" in await asyncio.to_thread(send, "Stop")
        assert found.who("10.0.0.1") is None
        assert found.value("radius_refused_total", reason="authenticator") == 1


KEA_CONFIG = """{"Dhcp4": {"interfaces-config": {"interfaces": ["ps"], "dhcp-socket-type": "raw"},
 "lease-database": {"type": "memfile", "persist": true, "name": "DIR/leases", "lfc-interval": 0},
 "valid-lifetime": 600, "subnet4": [{"subnet": "10.77.0.0/24", "pools": [{"pool": "10.77.0.100-10.77.0.120"}]}]}}"""
DHCPD_CONFIG = """subnet 10.77.0.0 netmask 255.255.255.0 { range 10.77.0.100 10.77.0.120; default-lease-time 600; }
authoritative;"""


@contextlib.contextmanager
def program(command: Sequence[str], log: Path, **environment: str) -> Iterator[None]:
    """Run a server in the foreground."""
    with log.open("w") as file:
        started = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **environment})
    try:
        yield
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def served_lease(kind: str, folder: Path) -> str:
    """Let a real client get an address of a real server of this namespace; return the address."""
    make_wire("ps", "pc")
    ip("addr", "add", "10.77.0.1/24", "dev", "ps")
    (folder / "config").write_text((KEA_CONFIG if kind == "kea" else DHCPD_CONFIG).replace("DIR", str(folder)))
    (folder / "leases").touch()
    if kind == "kea":
        server = ["kea-dhcp4", "-c", str(folder / "config")]
    else:
        server = ["dhcpd", "-4", "-f", "-cf", str(folder / "config"), "-lf", str(folder / "leases"), "-user", "root"]
        server += ["-group", "root", "-pf", str(folder / "pid"), "ps"]
    client = [
        "dhclient",
        "-4",
        "-1",
        "-v",
        "-sf",
        "/bin/true",
        "-lf",
        str(folder / "client"),
        "-pf",
        str(folder / "cpid"),
    ]
    client += ["-cf", str(folder / "client.conf"), "-d", "pc"]
    (folder / "client.conf").write_text('send host-name "anna-pc";\ninitial-interval 1;\n')
    places = {"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)}
    with program(server, folder / "log", **places):
        ready = "DHCP4_STARTED" if kind == "kea" else "fallback-net"
        wait_until(lambda: ready in (folder / "log").read_text())
        with program(client, folder / "client.log"):
            wait_until(lambda: "bound to" in (folder / "client.log").read_text())
            wait_until(lambda: "anna-pc" in (folder / "leases").read_text())
    told = (folder / "client.log").read_text()
    return told.split("bound to ")[1].split()[0]


@pytest.mark.net
@pytest.mark.slow
@pytest.mark.real_server
@pytest.mark.parametrize(("kind", "server"), [("kea", "kea-dhcp4"), ("isc", "dhcpd")])
async def test_who_got_a_lease_of_a_real_server_is_known(kind: str, server: str, tmp_path: Path) -> None:
    need_as_root("ip", server, "dhclient")
    with namespace():
        address = served_lease(kind, tmp_path)
    settings = {"dhcp": {"real": {"kind": kind, "file": tmp_path / "leases"}}}
    async with running(settings, SystemClock()) as found:
        assert found.who(address) == "anna-pc", (tmp_path / "leases").read_text()
        [told] = await found.service.persons(address, 10)
        assert told.since_milliseconds is not None
        assert told.until_milliseconds is not None
        assert told.until_milliseconds - told.since_milliseconds == 600_000
        assert found.service.person_sources()[0].refused == 0


@pytest.mark.net
@pytest.mark.slow
@pytest.mark.real_server
async def test_addresses_and_prefixes_of_a_real_dhcpv6_server_belong_to_the_device(tmp_path: Path) -> None:
    need_as_root("ip", "dhcpd", "dhclient")
    (tmp_path / "config").write_text(
        "subnet6 2001:db8:77::/64 { range6 2001:db8:77::100 2001:db8:77::200;"
        " prefix6 2001:db8:100:: 2001:db8:1ff:: /56; default-lease-time 600; }"
    )
    for name in ("leases", "client"):
        (tmp_path / name).touch()
    server = ["dhcpd", "-6", "-f", "-cf", str(tmp_path / "config"), "-lf", str(tmp_path / "leases"), "-user", "root"]
    server += ["-group", "root", "-pf", str(tmp_path / "pid"), "ps"]
    client = ["dhclient", "-6", "-1", "-v", "-N", "-P", "-D", "LL", "-sf", "/bin/true", "-lf", str(tmp_path / "client")]
    client += ["-pf", str(tmp_path / "cpid"), "-d", "pc"]
    with namespace():
        for key, value in (("disable_ipv6", "0"), ("accept_dad", "0")):
            Path(f"/proc/sys/net/ipv6/conf/default/{key}").write_text(value)  # noqa: ASYNC240  at once
        make_wire("ps", "pc")
        ip("link", "set", "pc", "address", "02:00:00:00:00:11")
        for end in ("ps", "pc"):
            ip("link", "set", end, "arp", "on")  # IPv6 finds its neighbours only with it
        ip("addr", "add", "2001:db8:77::1/64", "dev", "ps", "nodad")
        ip("link", "set", "lo", "up")
        with program(server, tmp_path / "log"):
            wait_until(lambda: "Bound to" in (tmp_path / "log").read_text())
            with program(client, tmp_path / "client.log"):
                wait_until(lambda: "Bound to lease" in (tmp_path / "client.log").read_text())
                wait_until(lambda: (tmp_path / "leases").read_text().count("binding state active") == 2)
    settings = {"dhcp": {"real": {"kind": "isc", "file": tmp_path / "leases", "person_from": ["mac"]}}}
    async with running(settings, SystemClock()) as found:
        prefixes = [one.address for one in await found.service.persons("02:00:00:00:00:11", 10)]
        assert len(prefixes) == 2
        assert {found.who(prefix.partition("/")[0]) for prefix in prefixes} == {"02:00:00:00:00:11"}
        assert [prefix.endswith("/56") for prefix in sorted(prefixes)] == [True, False]

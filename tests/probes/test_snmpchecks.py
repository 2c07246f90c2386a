"""Checks of hosts by SNMP against real agents: net-snmp's snmpd, and snmpsim with records of other systems."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, CheckKind
from btimd.probes.catalogue import work_for
from btimd.probes.hostmibs import HostErrand
from btimd.probes.snmpchecks import SnmpChecks, merged
from btimd.probes.snmpsession import Scalars, Table
from btimd.probes.snmptargets import Target
from btimd.probes.wire.dialogue import Outcome
from btimd.runtime.clock import SystemClock
from btimd.runtime.metrics import Metrics
from tests.ports import free_port
from tests.probes.hostrecords import aix, cisco_router, hp_ux, sensors, ups, windows
from tests.probes.samples import check
from tests.probes.snmpagents import simulator, snmpd, target
from tests.programs import need, need_as_root

SECRETS = {"community": "public", "auth_key": "authpass123", "priv_key": "privpass123"}


@contextlib.asynccontextmanager
async def checks(*devices: Target, metrics: Metrics | None = None) -> AsyncIterator[SnmpChecks]:
    runner = SnmpChecks(devices, clock=SystemClock(), metrics=metrics or Metrics())
    try:
        yield runner
    finally:
        await runner.close()


def of(kind: CheckKind, port: int, *, host: str = "127.0.0.1", timeout: float = 60.0, **options: str) -> Check:
    return of_options(kind, port, options, host=host, timeout=timeout)


def of_options(
    kind: CheckKind, port: int, options: dict[str, str], *, host: str = "127.0.0.1", timeout: float = 60.0
) -> Check:
    access = {} if {"device", "user", "community_file"} & options.keys() else {"community_file": "c"}
    return check(kind=kind, host=host, port=port, timeout=timeout, options={**access, **options})


async def ran(runner: SnmpChecks, asked: Check, community: str = "public") -> Outcome:
    errand = work_for(asked, 1, {**SECRETS, "community": community})
    assert isinstance(errand, HostErrand)
    return await runner.run(errand, asked.timeout_seconds)


def brief(outcome: Outcome) -> tuple[Health, ErrorClass, str]:
    return outcome.health, outcome.error, outcome.detail


@pytest.mark.real_server
async def test_a_linux_host_tells_how_it_is(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"x" * 300_000)
    lines = (
        "disk / 1%",
        f"file {log}",
        f"file {tmp_path}/none",
        "proc snmpd",
        "proc nosuchprogram",
        "load 9999 9999 9999",
    )
    async with snmpd(tmp_path, *lines) as port, checks() as runner:
        outcomes = await asyncio.gather(
            ran(runner, of(CheckKind.CPU, port, critical="none", warn="none", load_warn="none")),
            ran(runner, of(CheckKind.MEMORY, port, critical="none", warn="none")),
            ran(runner, of(CheckKind.FILESYSTEM, port, path="/", critical="> 99.9")),
            ran(runner, of(CheckKind.FILE, port, path=str(log), critical="> 100000")),
            ran(runner, of(CheckKind.FILE, port, path=str(log), critical="> 1000000")),
            ran(runner, of(CheckKind.FILE, port, path=f"{tmp_path}/none", critical="< 1")),
            ran(runner, of(CheckKind.FILE, port, path="/not/watched")),
            ran(runner, of(CheckKind.PROCESS, port, name="snmpd")),
            ran(runner, of(CheckKind.PROCESS, port, name="nosuchprogram")),
            ran(runner, of(CheckKind.UPTIME, port, of="agent")),
            ran(runner, of(CheckKind.UPTIME, port, within="1s")),
            ran(runner, of(CheckKind.INTERFACE, port, interface="lo", counters="false")),
            ran(runner, of(CheckKind.SNMP, port, oid="1.3.6.1.2.1.1.3.0", critical="< 0")),
            ran(runner, of(CheckKind.UPS, port)),
            ran(runner, of(CheckKind.SENSOR, port)),
        )
    healths = [one.health for one in outcomes]
    good, bad, unknown = Health.GOOD, Health.BAD, Health.UNKNOWN
    assert healths == [good, good, good, bad, good, bad, unknown, good, bad, bad, good, good, good, unknown, unknown], [
        one.detail for one in outcomes
    ]
    assert {"busy_ratio", "load_1m"} & outcomes[0].values.keys()  # an agent that has just begun may know no ticks
    assert 0 < outcomes[1].values["memory_used_ratio"] < 1
    assert 0 < outcomes[2].values["used_ratio"] < 1
    assert outcomes[3].detail == f"127.0.0.1: {log} has 292.0 KiB (limit > 100000)"
    assert outcomes[5].detail == f"127.0.0.1: {tmp_path}/none has 0 octets (limit < 1)"
    assert outcomes[8].detail == "127.0.0.1: 0 processes run as nosuchprogram (limit 1:)"
    assert outcomes[9].detail.startswith("127.0.0.1: the agent restarted ")
    assert outcomes[11].detail == "127.0.0.1: lo is up"


@pytest.mark.real_server
async def test_checks_of_one_agent_share_few_requests(tmp_path: Path) -> None:
    metrics = Metrics()
    asked = (CheckKind.CPU, CheckKind.MEMORY, CheckKind.UPTIME, CheckKind.FILESYSTEM)
    async with snmpd(tmp_path, "disk /") as port, checks(metrics=metrics) as runner:
        await asyncio.gather(*(ran(runner, of(kind, port)) for kind in asked for _ in range(5)))
        together = metrics.value("btimd_probes_snmp_check_requests_total")
        # One session; on a busy machine it may be over before the last of them has read its community.
        assert metrics.value("btimd_probes_snmp_check_sessions_total") <= 3.0
        assert metrics.value("btimd_probes_snmp_checks_total") == 20.0
        for kind in asked:
            await ran(runner, of(kind, port))
        alone = metrics.value("btimd_probes_snmp_check_requests_total") - together
    assert together <= alone


@pytest.mark.real_server
async def test_every_version_is_spoken(tmp_path: Path) -> None:
    lines = ("createUser btimd SHA-256 authpass123 AES privpass123", "rouser btimd authPriv", "disk /")
    v3 = {
        "user": "btimd",
        "auth_protocol": "sha256",
        "auth_key_file": "a",
        "priv_protocol": "aes128",
        "priv_key_file": "p",
    }
    async with snmpd(tmp_path, *lines) as port, checks(target(port, name="core")) as runner:
        for options in ({"version": "1", "community_file": "c"}, {"community_file": "c"}, v3, {"device": "core"}):
            outcomes = [
                await ran(runner, of_options(kind, port, {**options, **more}))
                for kind, more in (
                    (CheckKind.UPTIME, {"within": "0s"}),
                    (CheckKind.FILESYSTEM, {"path": "/", "critical": "none"}),
                    (CheckKind.INTERFACE, {"interface": "lo", "counters": "false"}),
                )
            ]
            assert [one.health for one in outcomes] == [Health.GOOD] * 3, [one.detail for one in outcomes]
        wrong = await ran(runner, of_options(CheckKind.CPU, port, {**v3, "user": "nobody"}))
        unknown = await ran(runner, of(CheckKind.CPU, port, device="core2"))
    assert (wrong.health, wrong.error) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    assert "does not know the user 'nobody'" in wrong.detail
    assert unknown.detail == "there is no table [probes.snmp.core2]; write it, or correct device"


@pytest.mark.real_server
async def test_the_silence_of_an_agent_is_bad_for_the_agent_and_tells_nothing_of_the_host(tmp_path: Path) -> None:
    closed = free_port()
    async with snmpd(tmp_path) as port, checks() as runner:
        outcomes = await asyncio.gather(
            ran(runner, of(CheckKind.SNMP, closed, timeout=0.8, oid="1.3.6.1.2.1.1.3.0")),
            ran(runner, of(CheckKind.CPU, closed, timeout=0.8)),
            ran(runner, of(CheckKind.SNMP, port, timeout=0.8, oid="1.3.6.1.2.1.1.3.0"), community="wrong"),
            ran(runner, of(CheckKind.MEMORY, port, timeout=0.8), community="wrong"),
            ran(runner, of(CheckKind.CPU, port, host="no-such-host.invalid")),
        )
    assert [(one.health, one.error) for one in outcomes] == [
        (Health.BAD, ErrorClass.TIMEOUT),
        (Health.UNKNOWN, ErrorClass.TIMEOUT),
        (Health.BAD, ErrorClass.TIMEOUT),
        (Health.UNKNOWN, ErrorClass.TIMEOUT),
        (Health.UNKNOWN, ErrorClass.NAME_ERROR),
    ]
    assert "asked with SNMPv2c: no answer to" in outcomes[1].detail


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a name longer than Linux keeps."""
    program = tmp_path / "erpworkerwithalongname"
    program.write_bytes(Path(need("sleep")).read_bytes())
    program.chmod(0o755)
    running = subprocess.Popen([program, "4711"])
    yield running
    running.kill()
    running.wait()


@pytest.mark.real_server
async def test_a_process_is_found_by_name_and_arguments_and_missed_when_it_is_gone(
    tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    name = "erpworkerwithalongname"
    options = {"name": name, "arguments": "^4711$", "memory_critical": "> 1000000000"}
    async with snmpd(tmp_path) as port, checks() as runner:
        there = await ran(runner, of_options(CheckKind.PROCESS, port, options))
        other = await ran(runner, of_options(CheckKind.PROCESS, port, {**options, "arguments": "4712"}))
    worker.kill()
    worker.wait()
    async with snmpd(tmp_path) as port, checks() as runner:  # a new one, as snmpd holds its table for 30 s
        gone = await ran(runner, of_options(CheckKind.PROCESS, port, options))
    assert (there.health, there.values["processes"]) == (Health.GOOD, 1.0), there.detail
    assert other.health is Health.BAD
    assert gone.detail == f"127.0.0.1: 0 processes run as {name} ^4711$ (limit 1:)"


@pytest.mark.net
async def test_a_full_disk_is_seen(tmp_path: Path) -> None:
    need_as_root("mount", "umount", "snmpd")
    place = tmp_path / "full"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "btimd-test", place], check=True)  # noqa: ASYNC221
    try:
        (place / "data").write_bytes(b"x" * 4_150_000)
        async with snmpd(tmp_path, f"disk {place}") as port, checks() as runner:
            outcome = await ran(runner, of(CheckKind.FILESYSTEM, port, path=str(place)))
            absent = await ran(runner, of(CheckKind.FILESYSTEM, port, path="/none"))
    finally:
        subprocess.run(["umount", place], check=True)  # noqa: ASYNC221
    assert (outcome.health, outcome.error) == (Health.BAD, ErrorClass.EXCEEDED)
    assert outcome.detail.startswith(f"127.0.0.1: {place} is 99 % full, ")
    assert absent.detail.startswith("127.0.0.1 has no filesystem /none; it tells of ")


@pytest.mark.real_server
async def test_the_use_of_an_interface_is_read_twice(tmp_path: Path) -> None:
    records = cisco_router(rate=10_000_000)
    async with simulator(tmp_path, router=records) as port, checks() as runner:
        first = await ran(runner, of(CheckKind.INTERFACE, port, interface="Gi0/1", use_critical="> 4"), "router")
        down = await ran(runner, of(CheckKind.INTERFACE, port, interface="Gi0/2"), "router")
        off = await ran(runner, of(CheckKind.INTERFACE, port, interface="3"), "router")
        may = await ran(runner, of(CheckKind.INTERFACE, port, interface="3", switched_off="good"), "router")
        none = await ran(runner, of(CheckKind.INTERFACE, port, interface="Gi9/9"), "router")
        cpu = await ran(runner, of(CheckKind.CPU, port, critical="> 50"), "router")
        memory = await ran(runner, of(CheckKind.MEMORY, port), "router")
    assert first.health is Health.BAD
    assert first.values["use_ratio"] > 0.04  # how fast the simulator's clock runs depends on the machine
    assert brief(down) == (Health.BAD, ErrorClass.EXCEEDED, "127.0.0.1: Gi0/2 is down")
    assert off.detail == "127.0.0.1: GigabitEthernet0/3 was switched off by its administrator"
    assert (off.health, may.health) == (Health.BAD, Health.GOOD)
    assert none.detail == "127.0.0.1: has no interface Gi9/9; it tells of Gi0/1, Gi0/2, Gi0/3"
    assert cpu.detail == "127.0.0.1: processors are 61 % busy (limit > 50)"
    assert memory.detail == "127.0.0.1: memory pool Processor is 75 % used of 381.5 MiB"


@pytest.mark.real_server
async def test_other_systems_tell_by_their_own_tables(tmp_path: Path) -> None:
    devices = {"windows": windows(), "aix": aix(), "hpux": hp_ux(), "rack": sensors(), "ups": ups()}
    async with simulator(tmp_path, **devices) as port, checks() as runner:

        async def told(device: str, kind: CheckKind, **options: str) -> tuple[Health, str]:
            outcome = await ran(runner, of_options(kind, port, options), device)
            return outcome.health, outcome.detail.removeprefix("127.0.0.1: ")

        found = [
            await told("windows", CheckKind.CPU),
            await told("windows", CheckKind.MEMORY),
            await told("windows", CheckKind.FILESYSTEM, path="C:"),
            await told("windows", CheckKind.FILESYSTEM, path="D:\\", free_critical="< 2e12"),
            await told("windows", CheckKind.PROCESS, name="SQLSERVR.EXE"),
            await told("aix", CheckKind.CPU),
            await told("aix", CheckKind.MEMORY),
            await told("aix", CheckKind.FILESYSTEM, path="/home", inodes_critical="> 95"),
            await told("hpux", CheckKind.MEMORY),
            await told("hpux", CheckKind.FILESYSTEM),
            await told("rack", CheckKind.SENSOR, sensor="inlet", critical="> 30"),
            await told("rack", CheckKind.SENSOR, unit="rpm"),
            await told("rack", CheckKind.SENSOR, unit="volts"),
            await told("ups", CheckKind.UPS),
        ]
        ticks = await told("hpux", CheckKind.CPU)  # how busy depends on the simulator's clock
    assert ticks[1].startswith("processors are ")
    assert found == [
        (Health.GOOD, "warning: processors are 95 % busy (limit > 90)"),
        (Health.GOOD, "Physical Memory is 50 % used of 16.0 GiB; Virtual Memory is 25 % used of 32.0 GiB"),
        (Health.BAD, "C:\\ is 99 % full, 1.0 GiB free (limit > 97)"),
        (Health.BAD, "D:\\ is 92 % full, 1.0 TiB free (limit < 2e12)"),
        (Health.GOOD, "1 process runs as SQLSERVR.EXE"),
        (Health.GOOD, "processors are 12 % busy"),
        (Health.BAD, "paging space hd6 is 97 % used of 8.0 GiB (limit > 95)"),
        (Health.BAD, "/home has 99 % inodes used (limit > 95)"),
        (Health.GOOD, "memory is 50 % used of 8.0 GiB; swap is 25 % used of 4.0 GiB"),
        (Health.GOOD, "/stand is 40 % full, 292.5 MiB free"),
        (Health.BAD, "Inlet temperature is 31.5 °C (limit > 30)"),
        (Health.BAD, "Fan 2 says that it is broken"),
        (Health.GOOD, "PSU 1 output is 11.98 V"),
        (Health.BAD, "4 minutes left (limit < 5)"),
    ]


def test_steps_of_several_questions_are_put_together() -> None:
    one, two = (1, 3, 6, 1), (1, 3, 6, 2)
    assert merged([
        Scalars("a", (one, two)),
        Table("t", one, (1, 2), 10),
        Scalars("b", (two, (1, 3))),
        Table("u", one, (2, 3), 20),
        Table("v", two, (1,), 5),
    ]) == (Scalars("objects", (one, two, (1, 3))), Table("t", one, (1, 2, 3), 20), Table("v", two, (1,), 5))  # fmt: skip
    assert [
        len(step.oids) for step in merged([Scalars("s", tuple((1, n) for n in range(60)))]) if isinstance(step, Scalars)
    ] == [24, 24, 12]


async def test_one_that_gives_up_leaves_others_alone(tmp_path: Path) -> None:
    async with snmpd(tmp_path) as port, checks() as runner:
        hasty = asyncio.ensure_future(ran(runner, of(CheckKind.CPU, port)))
        patient = asyncio.ensure_future(ran(runner, of(CheckKind.UPTIME, port, within="0s")))
        await asyncio.sleep(0)
        hasty.cancel()
        assert (await patient).health is Health.GOOD

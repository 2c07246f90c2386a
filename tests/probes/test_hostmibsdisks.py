import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.probes.hostmibsdisks import File, Filesystem, Process
from btimd.probes.limits import Limits, limit_of, limits_of
from tests.probes.hostrecords import (
    ENTERPRISES,
    HOST,
    aix,
    hostile,
    hp_ux,
    judged,
    ordered,
    process,
    storage,
    told,
    windows,
)
from tests.probes.snmpdevices import INTEGER, OBJECT_ID, OCTETS, Record

NONE = Limits()
FULL = limits_of({}, warn="> 80", critical="> 95")
UCD = f"{ENTERPRISES}.2021"
GIB = 2**30
LINUX = ordered(
    storage(1, 2, "Physical memory", 1024, 100, 100),
    storage(31, 4, "/", 4096, 10 * GIB // 4096, 5 * GIB // 4096),
    storage(32, 4, "/var", 4096, 10 * GIB // 4096, 9 * GIB // 4096),
    [
        Record(f"{HOST}.3.8.1.2.1", OCTETS, "/"),
        Record(f"{HOST}.3.8.1.5.1", INTEGER, 2),
        Record(f"{HOST}.3.8.1.7.1", INTEGER, 31),
        Record(f"{UCD}.9.1.2.1", OCTETS, "/var"),
        Record(f"{UCD}.9.1.6.1", INTEGER, 10 * GIB // 1024),
        Record(f"{UCD}.9.1.8.1", INTEGER, 9 * GIB // 1024),
        Record(f"{UCD}.9.1.10.1", INTEGER, 97),
    ],
)


def disks(path: str = "", limits: Limits = FULL, **more: object) -> Filesystem:
    given = {"free": NONE, "inodes": limits_of({}, critical="> 99"), **more}
    return Filesystem(path, limits, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "health", "detail"),
    [
        (disks(), "good", "host: warning: /var is 90 % full, 1.0 GiB free (limit > 80)"),
        (disks(exclude="^/var"), "good", "host: / is 50 % full, 5.0 GiB free"),
        (disks(exclude="."), "unknown", "host: all excluded"),
        (disks("/"), "bad", "host: / is mounted read-only"),
        (disks("/", read_only_is_bad=False), "good", "host: / is 50 % full, 5.0 GiB free"),
        (disks("/", free=limits_of({}, critical="< 1e10"), read_only_is_bad=False), "bad", "host: / is 50 % full, 5.0 GiB free (limit < 1e10)"),
        (disks("/var", inodes=limits_of({}, critical="> 95")), "bad", "host: /var has 97 % inodes used (limit > 95)"),
        (disks("/home"), "bad", "host has no filesystem /home; it tells of /, /var"),
    ],
)  # fmt: skip
def test_filesystems_are_held_against_limits(question: Filesystem, health: str, detail: str) -> None:
    assert told(judged(question, LINUX)) == (health, detail)


def test_filesystems_of_other_systems() -> None:
    assert told(judged(disks("c:"), windows())) == ("bad", "host: C:\\ is 99 % full, 1.0 GiB free (limit > 95)")
    assert told(judged(disks(), aix()))[1] == "host: / is 50 % full, 1.0 GiB free; /home is 50 % full, 2.0 GiB free"
    assert told(judged(disks("/stand"), hp_ux()))[1] == "host: /stand is 40 % full, 292.5 MiB free"
    assert told(judged(disks(), []))[0] == "unknown"


FILES = [
    Record(f"{UCD}.15.1.2.1", OCTETS, "/var/log/erp.log"),
    Record(f"{UCD}.15.1.2.2", OCTETS, "/gone"),
    Record(f"{UCD}.15.1.3.1", INTEGER, 2048),
    Record(f"{UCD}.15.1.3.2", INTEGER, -1),
    Record(f"{UCD}.15.1.100.1", INTEGER, 1),
]


def test_files_are_held_against_limits() -> None:
    assert told(judged(File("/var/log/erp.log", limits_of({}, critical="> 1e6")), FILES)) == (
        "bad",
        "host: /var/log/erp.log has 2.0 MiB (limit > 1e6); /var/log/erp.log is beyond the limit that the agent has for it",
    )
    assert told(judged(File("/gone", NONE), FILES)) == ("bad", "host has no file /gone")
    assert told(judged(File("/other", NONE), FILES)) == (
        "unknown",
        "host does not tell of /other; add 'file /other' to its snmpd.conf",
    )


def running(cpu: int) -> list[Record]:
    performance = f"{HOST}.5.1.1"
    return ordered(
        process(1, "java", "/usr/bin/java", "-Xmx1g -jar erp.jar"),
        process(2, "java", "/usr/bin/java", "-jar other.jar"),
        process(3, "verylongprogram", "/opt/verylongprogramname", ""),
        [Record(f"{HOST}.4.2.1.2.4", OCTETS, "java"), Record(f"{HOST}.4.2.1.7.4", INTEGER, 4)],
        [
            Record(f"{performance}.1.1", INTEGER, cpu),
            Record(f"{performance}.2.1", INTEGER, 2048),
            Record(f"{performance}.2.2", INTEGER, 1024),
        ],
    )


COUNTED = [
    Record(f"{UCD}.2.1.2.1", OCTETS, "ora_pmon_ERP"),
    Record(f"{UCD}.2.1.5.1", INTEGER, 0),
    Record(f"{ENTERPRISES}.1.1", OBJECT_ID, "1.2"),
]
ONE = Limits(critical=limit_of("1:"))


@pytest.mark.parametrize(
    ("question", "health", "detail"),
    [
        (Process("java", ONE, NONE, NONE), "good", "2 processes run as java"),
        (Process("java", Limits(critical=limit_of("1:1")), NONE, NONE), "bad", "2 processes run as java (limit 1:1)"),
        (Process("java", ONE, NONE, NONE, "erp"), "good", "1 process runs as java erp"),
        (Process("verylongprogramname", ONE, NONE, NONE), "good", "1 process runs as verylongprogramname"),
        (Process("verylongprogramxxxx", ONE, NONE, NONE), "good", "1 process runs as verylongprogramxxxx"),
        (Process("nginx", ONE, NONE, NONE), "bad", "0 processes run as nginx (limit 1:)"),
        (Process("java", ONE, limits_of({}, critical="> 2e6"), NONE), "bad", "java takes 3.0 MiB (limit > 2e6)"),
        (
            Process("java", ONE, NONE, limits_of({}, critical="> 90")),
            "bad",
            "java takes 95 % of a processor (limit > 90)",
        ),
    ],
)
def test_processes_are_counted_and_what_they_take(question: Process, health: str, detail: str) -> None:
    outcome = judged(question, running(100), running(1050))
    assert (str(outcome.health), outcome.detail) == (health, f"host: {detail}")


def test_an_agent_that_counts_them_itself_is_asked_for_no_more() -> None:
    question = Process("ora_pmon_ERP", ONE, NONE, NONE)
    assert told(judged(question, COUNTED)) == ("bad", "host: 0 processes run as ora_pmon_ERP (limit 1:)")
    assert told(judged(Process("java", ONE, NONE, NONE), []))[0] == "unknown"


@settings(max_examples=15)
@given(st.data())
def test_whatever_an_agent_says_is_judged(data: st.DataObject) -> None:
    questions = (disks(), disks("/"), File("/", FULL), Process("a", ONE, ONE, ONE), Process("a", ONE, NONE, NONE))
    for question in questions:
        question.judge(data.draw(hostile(question)), data.draw(st.none() | hostile(question)), "host")

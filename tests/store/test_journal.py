"""The journal's port, on the fake and on SQLite; then what only a file can be asked: kill -9, full disks, strangers."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btimd.model.incident import IncidentState
from btimd.model.ports import CommandDone, Journal, Telling, TellKind, Timer, TimerGoneError, VersionConflictError
from btimd.store.journal import JournalFailedError, SqliteJournal
from tests.fakes.journal import FakeJournal
from tests.patience import PATIENCE_SECONDS
from tests.store.examples import T0, event, incident, message, write

Reopen = Callable[[], Awaitable[Journal]]


@pytest.fixture(params=["fake", "sqlite"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Journal, Reopen]]:
    """A journal, and what gives it again as it is after a restart."""
    if request.param == "fake":
        fake = FakeJournal()

        async def reopen_fake() -> Journal:
            await asyncio.sleep(0)
            fake.reopen()
            return fake

        yield fake, reopen_fake
        return
    current = SqliteJournal(tmp_path / "journal.sqlite")
    current.open()

    async def reopen() -> Journal:
        await asyncio.to_thread(current.close)
        current.open()
        return current

    yield current, reopen
    current.close()


@pytest.fixture
def journal(opened: tuple[Journal, Reopen]) -> Journal:
    return opened[0]


@pytest.fixture
def reopen(opened: tuple[Journal, Reopen]) -> Reopen:
    return opened[1]


async def test_an_empty_journal_knows_nothing(journal: Journal) -> None:
    assert await journal.load_incidents(only_open=False, limit=10) == []
    assert await journal.load_incident("I1") is None
    assert await journal.load_events("I1") == []
    assert await journal.find_command("C1") is None
    assert await journal.timers_due(T0, 10) == []
    assert await journal.next_timer_at() is None
    assert await journal.claim_messages(T0, 10) == []
    assert await journal.next_message_at() is None
    assert await journal.outbox_depth() == {"pending": 0, "inflight": 0, "done": 0, "dead": 0}
    assert await journal.load_state("sla") is None


async def test_a_step_of_an_incident_is_there_whole_after_a_restart(journal: Journal, reopen: Reopen) -> None:
    first = event(seq=1, command_id="C1")
    await journal.write_incident(write(incident(), first, messages=(message("M1"),), timers={"wait": T0 + 30}))
    second = incident(version=2, state=IncidentState.ACCEPTED)
    await journal.write_incident(write(second, event(seq=2), event(seq=3), timers={"stage": T0 + 60}))
    journal = await reopen()
    assert await journal.load_incident("I1") == second
    assert await journal.load_events("I1") == [first, event(seq=2), event(seq=3)]
    assert await journal.find_command("C1") == CommandDone("I1", 1, T0 + 1)
    assert await journal.timers_due(T0 + 60, 10) == [
        Timer("I1", "wait", T0 + 30, 1),
        Timer("I1", "stage", T0 + 60, 2),
    ]
    assert await journal.outbox_depth() == {"pending": 1, "inflight": 0, "done": 0, "dead": 0}


@pytest.mark.parametrize("version", [0, 2, 3])
async def test_a_step_from_another_version_is_refused_and_changes_nothing(journal: Journal, version: int) -> None:
    await journal.write_incident(write(incident(), event()))
    wrong = write(incident(version=version if version != 2 else 1), event(seq=2), messages=(message("M1"),))
    with pytest.raises(VersionConflictError, match="incident I1 is stored with version 1; version . cannot follow"):
        await journal.write_incident(wrong)
    assert await journal.load_incident("I1") == incident()
    assert await journal.load_events("I1") == [event()]
    assert await journal.claim_messages(T0, 10) == []


async def test_of_two_writers_with_the_same_version_one_wins(journal: Journal) -> None:
    outcomes = await asyncio.gather(
        *(journal.write_incident(write(incident(), event())) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "VersionConflictError"]


async def test_an_event_or_a_message_is_written_once_and_a_refused_write_leaves_no_trace(journal: Journal) -> None:
    await journal.write_incident(write(incident(), event(), messages=(message("M1"),)))
    for wrong, text in (
        (write(incident(version=2), event(seq=1)), "incident I1: event 1 was written before"),
        (write(incident(version=2), event(seq=2), event(seq=2)), "incident I1: event 2 was written before"),
        (write(incident(version=2), event(seq=2), messages=(message("M1"),)), "a message of this write"),
        (write(incident(version=2), event("I2", seq=2)), "an event of incident I2 in a write of I1"),
    ):
        with pytest.raises(ValueError, match=text):
            await journal.write_incident(wrong)
    assert await journal.load_incident("I1") == incident()
    assert await journal.load_events("I1") == [event()]
    assert await journal.load_incident("I2") is None


async def test_incidents_come_newest_first_and_closed_ones_only_when_asked_for(journal: Journal) -> None:
    old = incident("A", opened_at=T0)
    closed = incident("B", opened_at=T0 + 1, state=IncidentState.CLOSED)
    new = incident("C", opened_at=T0 + 2)
    for each in (closed, new, old):
        await journal.write_incident(write(each))
    assert await journal.load_incidents(only_open=False, limit=10) == [new, closed, old]
    assert await journal.load_incidents(only_open=True, limit=10) == [new, old]
    assert await journal.load_incidents(only_open=False, limit=1) == [new]


async def test_a_command_belongs_to_the_incident_it_was_carried_out_on_first(journal: Journal) -> None:
    await journal.write_incident(write(incident("A"), event("A", command_id="merge-1")))
    await journal.write_incident(write(incident("B"), event("B", command_id="merge-1")))
    assert await journal.find_command("merge-1") == CommandDone("A", 1, T0 + 1)


async def test_a_timer_fires_once_and_only_in_its_own_generation(journal: Journal) -> None:
    await journal.write_incident(write(incident("A"), timers={"x": T0, "y": T0}))
    await journal.write_incident(write(incident("A", version=2), timers={"x": T0 + 1}))
    stale, fresh = Timer("A", "x", T0, 1), Timer("A", "x", T0 + 1, 2)
    with pytest.raises(TimerGoneError, match="timer x of A in generation 1 runs no more"):
        await journal.write_incident(replace(write(incident("A", version=3)), fired=stale))
    await journal.drop_timer(stale)
    assert await journal.timers_due(T0 + 9, 9) == [Timer("A", "y", T0, 1), fresh]
    await journal.write_incident(replace(write(incident("A", version=3)), fired=fresh))
    await journal.drop_timer(Timer("A", "y", T0, 1))
    assert await journal.next_timer_at() is None


def telling(telling_id: str, kind: TellKind = TellKind.ORDER, **fields: Any) -> Telling:
    plain: dict[str, Any] = {"recipient": "ann", "what": "order", "dispatch_id": "A/1", "at": T0, "next_at": T0}
    return Telling(telling_id, "A", 1, kind, **plain | fields)


async def test_tellings_are_claimed_once_and_again_after_a_failure_or_a_restart(
    journal: Journal, reopen: Reopen
) -> None:
    await journal.write_incident(replace(write(incident("A")), tellings=(telling("1"), telling("2", next_at=T0 + 5))))
    assert await journal.next_telling_at() == T0
    assert await journal.claim_tellings(T0, 9) == [telling("1", attempts=1)]
    assert await journal.claim_tellings(T0, 9) == []
    await journal.telling_failed("1", next_at=T0 + 9, error="no gateway")
    assert await journal.next_telling_at() == T0 + 5
    assert await journal.claim_tellings(T0 + 9, 9) == [
        telling("2", attempts=1, next_at=T0 + 5),
        telling("1", attempts=2, next_at=T0 + 9, last_error="no gateway"),
    ]
    await journal.telling_done("2", T0 + 9)
    with pytest.raises(ValueError, match="telling 2 is done, not claimed"):
        await journal.telling_done("2", T0 + 9)
    with pytest.raises(KeyError):
        await journal.telling_done("3", T0)
    journal = await reopen()
    assert [one.id for one in await journal.claim_tellings(T0 + 9, 9)] == ["1"]


async def test_a_recall_makes_void_what_was_not_told_of_the_order(journal: Journal) -> None:
    await journal.write_incident(
        replace(write(incident("A")), tellings=(telling("1"), telling("2", dispatch_id="A/2")))
    )
    recall = telling("3", TellKind.RECALL)
    await journal.write_incident(replace(write(incident("A", version=2)), tellings=(recall,)))
    assert [one.id for one in await journal.claim_tellings(T0, 9)] == ["2", "3"]
    with pytest.raises(ValueError, match="a telling of this write was written before"):
        await journal.write_incident(replace(write(incident("A", version=3)), tellings=(recall,)))


async def test_timers_are_moved_stopped_and_come_in_due_order(journal: Journal) -> None:
    await journal.write_incident(write(incident("A"), timers={"x": T0 + 3, "y": T0 + 2, "z": T0 + 1}))
    await journal.write_incident(write(incident("B"), timers={"x": T0 + 1.5}))
    await journal.write_incident(write(incident("A", version=2), timers={"z": None, "x": T0 + 0.5, "unknown": None}))
    assert await journal.next_timer_at() == T0 + 0.5
    due = [Timer("A", "x", T0 + 0.5, 2), Timer("B", "x", T0 + 1.5, 1), Timer("A", "y", T0 + 2, 1)]
    assert await journal.timers_due(T0 + 2, 10) == due
    assert await journal.timers_due(T0 + 2, 2) == due[:2]
    assert await journal.timers_due(T0 + 1.5, 10) == due[:2]


async def test_only_the_head_of_each_line_is_claimed_and_only_when_due(journal: Journal) -> None:
    messages = (
        message("m2", seq=2, next_at=T0 - 5),
        message("m1", seq=1, next_at=T0),
        message("w1", target="webhook", seq=1, next_at=T0 - 1),
        message("late", target="rt", seq=1, next_at=T0 + 9),
    )
    await journal.write_incident(write(incident("I1"), messages=messages))
    other = message("o1", incident_id="I2", seq=1)
    await journal.write_incident(write(incident("I2"), messages=(other,)))
    assert await journal.next_message_at() == T0 - 1
    claimed = await journal.claim_messages(T0, 10)
    assert claimed == [replace(each, attempts=1) for each in (messages[2], messages[1], other)]
    assert await journal.claim_messages(T0, 10) == []
    assert await journal.next_message_at() == T0 + 9
    await journal.message_delivered("m1", T0 + 1)
    assert await journal.next_message_at() == T0 - 5
    assert [each.id for each in await journal.claim_messages(T0, 10)] == ["m2"]
    assert await journal.outbox_depth() == {"pending": 1, "inflight": 3, "done": 1, "dead": 0}


async def test_a_claim_takes_no_more_than_asked_and_the_longest_due_first(journal: Journal) -> None:
    for number in range(5):
        owed = message(f"m{number}", incident_id=f"I{number}", next_at=T0 - number)
        await journal.write_incident(write(incident(f"I{number}"), messages=(owed,)))
    assert [each.id for each in await journal.claim_messages(T0, 2)] == ["m4", "m3"]
    assert [each.id for each in await journal.claim_messages(T0, 10)] == ["m2", "m1", "m0"]


async def test_a_failed_message_holds_its_line_until_it_is_due_again(journal: Journal) -> None:
    await journal.write_incident(write(incident(), messages=(message("m1"), message("m2", seq=2))))
    await journal.claim_messages(T0, 10)
    await journal.message_failed("m1", next_at=T0 + 4, error="connection refused", uncertain=False)
    assert await journal.claim_messages(T0 + 3, 10) == []
    again = replace(message("m1"), attempts=2, next_at=T0 + 4, last_error="connection refused")
    assert await journal.claim_messages(T0 + 4, 10) == [again]


async def test_what_was_uncertain_once_stays_uncertain(journal: Journal) -> None:
    await journal.write_incident(write(incident(), messages=(message("m1"),)))
    for uncertain in (True, False):
        (claimed,) = await journal.claim_messages(T0, 10)
        await journal.message_failed(claimed.id, next_at=T0, error="time-out", uncertain=uncertain)
    (claimed,) = await journal.claim_messages(T0, 10)
    assert claimed.uncertain
    assert claimed.attempts == 3


async def test_a_dead_message_lets_the_next_one_pass(journal: Journal) -> None:
    await journal.write_incident(write(incident(), messages=(message("m1"), message("m2", seq=2))))
    await journal.claim_messages(T0, 10)
    await journal.message_dead("m1", error="400 no such queue", now=T0)
    assert [each.id for each in await journal.claim_messages(T0, 10)] == ["m2"]
    assert await journal.outbox_depth() == {"pending": 0, "inflight": 1, "done": 0, "dead": 1}


async def test_only_a_message_in_flight_has_an_outcome(journal: Journal) -> None:
    await journal.write_incident(write(incident(), messages=(message("m1"),)))
    with pytest.raises(ValueError, match="message m1 is pending, not in flight"):
        await journal.message_delivered("m1", T0)
    with pytest.raises(KeyError, match="unheard-of"):
        await journal.message_failed("unheard-of", next_at=T0, error="", uncertain=False)
    await journal.claim_messages(T0, 10)
    await journal.message_delivered("m1", T0)
    with pytest.raises(ValueError, match="message m1 is done, not in flight"):
        await journal.message_dead("m1", error="", now=T0)


async def test_after_a_restart_what_was_in_flight_is_pending_and_uncertain(journal: Journal, reopen: Reopen) -> None:
    messages = (message("m1"), message("w1", target="webhook"), message("x1", target="x", next_at=T0 + 9))
    await journal.write_incident(write(incident(), messages=messages))
    await journal.claim_messages(T0, 10)
    await journal.message_delivered("w1", T0)
    journal = await reopen()
    assert await journal.outbox_depth() == {"pending": 2, "inflight": 0, "done": 1, "dead": 0}
    assert await journal.claim_messages(T0 + 9, 10) == [
        replace(messages[0], attempts=2, uncertain=True),
        replace(messages[2], attempts=1),
    ]


async def test_a_named_state_is_replaced(journal: Journal, reopen: Reopen) -> None:
    await journal.save_state("sla", b"\x00one")
    await journal.save_state("sla", b"two")
    journal = await reopen()
    assert await journal.load_state("sla") == b"two"


# What only the file can be asked.


@pytest.fixture
async def sqlite_journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield journal
    journal.close()


async def test_the_file_can_be_read_by_its_owner_only(sqlite_journal: SqliteJournal, tmp_path: Path) -> None:
    await sqlite_journal.save_state("a", b"1")
    assert modes(tmp_path) == {"journal.sqlite": "0o600", "journal.sqlite-wal": "0o600"}


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


async def test_calls_that_wait_together_share_a_transaction(tmp_path: Path) -> None:
    commits: list[int] = []
    journal = SqliteJournal(tmp_path / "journal.sqlite", commits.append)
    journal.open()
    writes = [journal.write_incident(write(incident(f"I{n}"), event(f"I{n}"))) for n in range(100)]
    refused = journal.write_incident(write(incident("I5", version=7)))
    outcomes = await asyncio.gather(*writes, refused, return_exceptions=True)
    journal.close()
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType"] * 100 + ["VersionConflictError"]
    assert sum(commits) == 101
    assert len(commits) < 10


async def test_diagnoses_are_kept_and_old_ones_forgotten_with_old_deliveries(sqlite_journal: SqliteJournal) -> None:
    for number in range(3):
        await sqlite_journal.save_verdict(f"V{number}", T0 + number, b"{}")
    await sqlite_journal.write_incident(write(incident(), messages=(message("m1"), message("m2", seq=2))))
    for number in (1, 2):
        await sqlite_journal.claim_messages(T0, 1)
        await sqlite_journal.message_delivered(f"m{number}", T0 + number)
    assert await sqlite_journal.load_verdicts(2) == [("V2", T0 + 2, b"{}"), ("V1", T0 + 1, b"{}")]
    assert await sqlite_journal.forget(messages_before=T0 + 2, verdicts_before=T0 + 1) == 2
    assert await sqlite_journal.load_verdicts(9) == [("V2", T0 + 2, b"{}"), ("V1", T0 + 1, b"{}")]
    assert (await sqlite_journal.outbox_depth())["done"] == 1


async def test_a_second_process_is_told_who_holds_the_file(sqlite_journal: SqliteJournal, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with pytest.raises(JournalFailedError, match="cannot open the journal .*locked; is another btimd running"):
        SqliteJournal(path).open()
    assert await sqlite_journal.load_state("a") is None


def test_a_database_of_something_else_or_of_a_newer_btimd_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (id)")
    connection.close()
    with pytest.raises(JournalFailedError, match="it is a database of something else; move it away"):
        SqliteJournal(path).open()
    path.unlink()
    journal = SqliteJournal(path)
    journal.open()
    journal.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalFailedError, match="its schema is version 99, this btimd knows up to"):
        journal.open()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(JournalFailedError, match="file is not a database; check disk, owner and mode"):
        SqliteJournal(path).open()


async def test_a_closed_journal_refuses_and_may_be_closed_twice(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.close()
    journal.open()
    journal.close()
    journal.close()
    with pytest.raises(JournalFailedError, match="it is closed"):
        await journal.save_state("a", b"1")


WRITER = """
import asyncio, sys
from pathlib import Path
from btimd.store.journal import SqliteJournal
from tests.store.examples import T0, event, incident, message, write

async def work(journal, name):
    for version in range(1, 10_000):
        step = write(incident(name, version), event(name, version, command_id=f"{name}.{version}"),
                     messages=(message(f"{name}.{version}", incident_id=name, seq=version),), timers={"t": T0 + version})
        await journal.write_incident(step)
        sys.stdout.write(f"{name} {version}\\n")
        sys.stdout.flush()

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    journal.open()
    await asyncio.gather(*(work(journal, name) for name in "ABCD"))

asyncio.run(main())
"""


def killed_after(acknowledgements: int, path: Path) -> dict[str, int]:
    """Run WRITER, kill it after so many lines, return the last version it acknowledged per incident."""
    acknowledged = dict.fromkeys("ABCD", 0)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout):
            name, version = line.split()
            acknowledged[name] = int(version)
            if count == acknowledgements:
                process.kill()
    assert process.returncode == -9
    return acknowledged


@pytest.mark.slow
async def test_everything_that_was_acknowledged_survives_kill_9_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    acknowledged = killed_after(200, path)
    journal = SqliteJournal(path)
    journal.open()
    for name, version in acknowledged.items():
        stored = await journal.load_incident(name)
        assert stored is not None
        assert version <= stored.version <= version + 1
        assert stored == incident(name, stored.version)
        every = range(1, stored.version + 1)
        assert await journal.load_events(name) == [event(name, seq, command_id=f"{name}.{seq}") for seq in every]
        assert await journal.find_command(f"{name}.{stored.version}") == CommandDone(
            name, stored.version, T0 + stored.version
        )
        assert await journal.find_command(f"{name}.{stored.version + 1}") is None
    versions = [stored.version for stored in await journal.load_incidents(only_open=True, limit=9)]
    assert (await journal.outbox_depth())["pending"] == sum(versions)
    assert [timer.due_at - T0 for timer in await journal.timers_due(T0 + 10_000, 9)] == sorted(versions)
    journal.close()


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from btimd.store.journal import JournalFailedError, SqliteJournal

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
    told = []
    journal = SqliteJournal(Path(sys.argv[1]), on_failure=lambda: told.append(True))
    journal.open()
    saved = 0
    try:
        for number in range(1000):
            await journal.save_state(str(number), b"x" * 10_000)
            saved += 1
    except JournalFailedError as error:
        print(saved, told, error)
    try:
        await journal.load_state("0")
    except JournalFailedError as error:
        print("still", error)
    journal.close()

asyncio.run(main())
"""


def output_of(program: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    ).stdout.splitlines()


@pytest.mark.slow
async def test_a_full_disk_ends_the_journal_loudly_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first, second = await asyncio.to_thread(output_of, FULL_DISK, str(path))
    saved = int(first.split()[0])
    assert saved > 5
    assert f"[True] the journal {path} failed: " in first
    assert second.startswith(f"still the journal {path} failed: ")
    journal = SqliteJournal(path)
    journal.open()
    assert [await journal.load_state(str(number)) for number in range(saved)] == [b"x" * 10_000] * saved
    journal.close()

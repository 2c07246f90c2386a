"""kill -9 at any moment: nothing is lost, the order holds, and what comes twice says so by its id."""

import asyncio
import random
import sys
import time
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from btimd.itsm.replay import rebuild
from btimd.store.journal import SqliteJournal
from tests.itsm.receivers import Receiver, secret_file
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


async def run_desk(folder: Path, url: str, run: str, count: int, *, kill_after: float | None) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.itsm.killed_desk",
        str(folder / "journal.sqlite"), str(folder / "secret"), url, run, str(count),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if kill_after is None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
        assert (process.returncode, output) == (0, b"done\n")
    else:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (folder / "journal.sqlite").exists():  # noqa: ASYNC110  another process makes it
                await asyncio.sleep(0.02)
            await asyncio.sleep(kill_after)
            if process.returncode is None:
                process.kill()
            await process.wait()
            assert process.stdout is not None
            await process.stdout.read()


@pytest.mark.slow
async def test_whenever_it_is_killed_nothing_is_lost_and_the_order_holds(tmp_path: Path) -> None:
    chance = random.Random(4)
    secret_file(tmp_path)
    receiver = Receiver(time.time)
    async with receiver.up():
        receiver.script = [chance.choice((204, 204, 204, 500, None)) for _ in range(40)]
        for number in range(6):
            await run_desk(tmp_path, receiver.url, str(number), 200, kill_after=chance.uniform(0.8, 2.0))
        killed_after = len(receiver.requests)
        await run_desk(tmp_path, receiver.url, "last", 1, kill_after=None)

    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    try:
        incidents = await journal.load_incidents(only_open=False, limit=10_000)
        owed = []
        for incident in incidents:
            events = await journal.load_events(incident.id)
            assert rebuild(events) == incident, "the timeline adds up to the row"
            owed += [f"{incident.id}.{event.seq}" for event in events]
        assert await journal.outbox_depth() == {"pending": 0, "inflight": 0, "done": len(owed), "dead": 0}
    finally:
        journal.close()
    assert killed_after > 20, "it was killed at work"
    assert set(receiver.ids) == set(owed), "nothing is lost, nothing is invented"
    for incident_id, ids in groupby(sorted(receiver.ids, key=lambda id_: id_.partition(".")[0]), _incident_of):
        seqs = [int(id_.partition(".")[2]) for id_ in ids]
        assert seqs == sorted(seqs), f"{incident_id} came out of order"
    seen: Counter[str] = Counter()
    for request in receiver.requests:
        assert not seen[request.ce_id] or request.headers["webhook-attempt"] != "1", "a repeat says that it is one"
        seen[request.ce_id] += 1


def _incident_of(ce_id: str) -> str:
    return ce_id.partition(".")[0]

"""Does delivery keep its promise? A real ticket system behind a faulty line, and an emitter that is killed -9 at work.

    python -m bench.delivery_chaos [--server redmine] [--incidents 500] [--kills 100] [--outages 10] [--drop 0.05]

Starts a private Request Tracker or Redmine, puts a proxy before it that loses answers and has outages, and lets a
process of its own open incidents and work them through. When all is quiet, every ticket is read past the proxy: what is
missing, twice or out of order is counted. The exit status is 1 where anything is.
"""

import argparse
import asyncio
import json
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from btimd.store.journal import SqliteJournal
from tests.itsm import ticketservers
from tests.itsm.posts import STEPS, Post
from tests.itsm.ticketservers import TicketServer

EVENTS: Final = 5
"""Events per incident: opened, accepted, a comment, another priority, resolved."""
PIECE: Final = 65_536


@dataclass
class Line:
    """The way to the server: loses a share of the answers, and can be cut."""

    server_port: int
    drop: float
    chance: random.Random
    port: int = 0
    cut: bool = False
    dropped: int = 0
    refused: int = 0
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def up(self) -> AsyncIterator["Line"]:
        """Listen on a port of its own."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self.connections:
                task.cancel()
            await asyncio.gather(*self.connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            await self._carry(reader, writer)
        except OSError:
            pass
        finally:
            self.connections.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            self.refused += 1
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        lost = self.chance.random() < self.drop
        there = asyncio.create_task(_pump(reader, there_writer))
        try:
            while data := await there_reader.read(PIECE):
                if lost or self.cut:
                    self.dropped += 1
                    return  # the server has done it; nobody will hear of that
                writer.write(data)
                await writer.drain()
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            there_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(PIECE):
        writer.write(data)
        await writer.drain()


async def emit(folder: Path, settings: dict[str, Any], incidents: int, pause: float) -> None:
    """Open incidents and work them through, from where the journal stands; end when everything is delivered."""
    post = Post(folder, **settings)
    async with post.open() as office:
        for number in range(1, incidents + 1):
            stored = await office.journal.load_incident(f"CHAOS-{number}")
            for event in range((stored.version if stored else 0) + 1, EVENTS + 1):
                await office.tell(f"CHAOS-{number}", event)
                await asyncio.sleep(pause)
        await office.until_delivered(within=3600.0)
    print("done")


@dataclass
class Score:
    """What came of it. Everything up to wrong_status must be 0."""

    server: str
    lost_tickets: int = 0
    lost_notes: int = 0
    duplicate_tickets: int = 0
    duplicate_notes: int = 0
    out_of_order: int = 0
    wrong_status: int = 0
    dead: int = 0
    incidents: int = 0
    events: int = 0
    kills: int = 0
    outages: int = 0
    answers_dropped: int = 0
    connections_refused: int = 0
    repeated_events: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Tell whether the promise was kept."""
        faults = (
            self.lost_tickets, self.lost_notes, self.duplicate_tickets, self.duplicate_notes, self.out_of_order,
            self.wrong_status, self.dead,
        )  # fmt: skip
        return not any(faults)


def count(score: Score, tickets: dict[str, list[tuple[str, list[str]]]], incidents: int, resolved: str) -> None:
    """Compare what the server has with what it must have. tickets: (status, notes) of each, by incident."""
    for number in range(1, incidents + 1):
        mine = tickets.get(f"CHAOS-{number}", [])
        score.lost_tickets += not mine
        score.duplicate_tickets += max(len(mine) - 1, 0)
        said = [
            int(note.partition(f"[btimd CHAOS-{number}.")[2].partition("]")[0])
            for _, notes in mine
            for note in notes
            if note.startswith("[btimd ")
        ]
        times = Counter(said)
        score.lost_notes += sum(not times[event] for event in range(2, EVENTS + 1))
        score.duplicate_notes += sum(many - 1 for many in times.values() if many > 1)
        score.out_of_order += said != sorted(said)
        score.wrong_status += any(status != resolved for status, _ in mine)


async def run(options: argparse.Namespace, kind: str) -> Score:
    """Let it happen on one kind of server."""
    chance = random.Random(options.seed)
    score = Score(kind, incidents=options.incidents, events=options.incidents * EVENTS)
    with tempfile.TemporaryDirectory(prefix="btimd-chaos-") as name:
        folder = Path(name)
        (folder / "server").mkdir()
        server: TicketServer = await asyncio.to_thread(getattr(ticketservers, kind), folder / "server")
        try:
            line = Line(int(server.url.rpartition(":")[2]), options.drop, chance)
            async with line.up():
                started = time.monotonic()
                await _disturb(options, score, line, chance, folder, _settings(options, kind, line, server))
                score.seconds = round(time.monotonic() - started, 1)
                score.answers_dropped, score.connections_refused = line.dropped, line.refused
            tickets = await asyncio.to_thread(READERS[kind], server)
            count(score, tickets, options.incidents, "resolved" if kind == "request_tracker" else "3")
            await _count_journal(score, folder)
        finally:
            await asyncio.to_thread(server.stop)
    return score


def _settings(options: argparse.Namespace, kind: str, line: Line, server: TicketServer) -> dict[str, Any]:
    target = {"url": f"http://127.0.0.1:{line.port}", **server.values, "timeout": f"{options.timeout:g}s"}
    return {"settle": options.settle, "backoff_cap": 3.0, kind: {"desk": target}}


async def _disturb(
    options: argparse.Namespace, score: Score, line: Line, chance: random.Random, folder: Path, settings: dict[str, Any]
) -> None:
    """Run the emitter, kill it again and again, cut the line now and then, and let it end in peace."""
    (folder / "settings.json").write_text(json.dumps(settings))
    cutting = asyncio.create_task(_cut(options, score, line, chance))
    for kill in range(options.kills + 1):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.delivery_chaos", "--emitter", str(folder),
            "--incidents", str(options.incidents), "--pause", str(options.pause),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        if kill == options.kills:
            await cutting
            output, _ = await process.communicate()
            assert output == b"done\n", (process.returncode, output)
            return
        try:
            await asyncio.wait_for(process.wait(), chance.uniform(1.0, options.longest))
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            score.kills += 1
        else:
            cutting.cancel()
            return  # it was done before it could be killed as often


async def _cut(options: argparse.Namespace, score: Score, line: Line, chance: random.Random) -> None:
    for _ in range(options.outages):
        await asyncio.sleep(chance.uniform(1.0, 2 * options.longest))
        line.cut = True
        score.outages += 1
        await asyncio.sleep(chance.uniform(0.5, 4.0))
        line.cut = False


async def _count_journal(score: Score, folder: Path) -> None:
    journal = SqliteJournal(folder / "journal.sqlite")
    journal.open()
    try:
        score.dead = (await journal.outbox_depth())["dead"]
    finally:
        await asyncio.to_thread(journal.close)
    with sqlite3.connect(folder / "journal.sqlite") as file:
        (score.repeated_events,) = file.execute("SELECT count(*) FROM outbox WHERE attempts > 1").fetchone()
    file.close()


Tickets = dict[str, list[tuple[str, list[str]]]]


def read_redmine(server: TicketServer) -> Tickets:
    """Return the issues by incident."""
    header = {"X-Redmine-API-Key": server.secret_file.read_text()}
    field_id = server.values["incident_field"]
    found: Tickets = {}
    offset = 0
    while True:
        page = server.get(f"/issues.json?project_id=network&status_id=*&sort=id&limit=100&offset={offset}", header)
        for one in page["issues"]:
            issue = server.get(f"/issues/{one['id']}.json?include=journals", header)["issue"]
            key = next(entry["value"] for entry in issue["custom_fields"] if entry["id"] == field_id)
            notes = [journal.get("notes") or "" for journal in issue["journals"]]
            found.setdefault(key, []).append((str(issue["status"]["id"]), notes))
        offset += len(page["issues"])
        if offset >= page["total_count"]:
            return found


def read_request_tracker(server: TicketServer) -> Tickets:
    """Return the tickets by incident."""
    header = {"Authorization": f"token {server.secret_file.read_text()}"}
    found: Tickets = {}
    number = 1
    while True:  # a private server: its tickets are 1, 2, 3 ...
        try:
            ticket = server.get(f"/REST/2.0/ticket/{number}", header)
        except OSError:
            return found
        key = next(one["values"][0] for one in ticket["CustomFields"] if one["name"] == "BtimIncident")
        history = server.get(f"/REST/2.0/ticket/{number}/history?fields=Type&per_page=100", header)
        notes = []
        for change in history["items"]:
            if change["Type"] in {"Comment", "Correspond"}:
                path = f"/REST/2.0/transaction/{change['id']}/attachments?fields=Content"
                notes += [one["Content"] for one in server.get(path, header)["items"]]
        found.setdefault(key, []).append((ticket["Status"], notes))
        number += 1


READERS: Final = {"redmine": read_redmine, "request_tracker": read_request_tracker}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=sorted(READERS), action="append")
    parser.add_argument("--incidents", type=int, default=40)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--outages", type=int, default=3)
    parser.add_argument("--drop", type=float, default=0.05, help="share of answers that are lost")
    parser.add_argument("--settle", type=float, default=6.0, help="seconds a lost request may still be worked on")
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument(
        "--longest", type=float, default=6.0, help="seconds an emitter lives at most before it is killed"
    )
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between events")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--emitter", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> int:
    """Run and tell."""
    options = parse()
    if options.emitter is not None:
        settings = json.loads((options.emitter / "settings.json").read_text())
        asyncio.run(emit(options.emitter, settings, options.incidents, options.pause))
        return 0
    scores = [asyncio.run(run(options, kind)) for kind in options.server or sorted(READERS)]
    for score in scores:
        print(" ".join(f"{name}={value}" for name, value in asdict(score).items()))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(score) for score in scores], indent=1))
    return 0 if all(score.good for score in scores) else 1


assert len(STEPS) >= EVENTS

if __name__ == "__main__":
    sys.exit(main())

"""The figures of handling from many incidents: the first request, which reads all timelines, and those after it.

python -m bench.figures [INCIDENTS] [--json]

Lives are random ones of the real engine (tests/itsm/story.py), written into a journal under other ids.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machine import load, machine
from btimd.daemon.qualitydesk import QualityDesk
from btimd.model.qualityview import FigureGroup, FigureQuery
from btimd.store.journal import SqliteJournal
from btimd.store.journalcodec import event_to_json, incident_to_json
from btimd.store.knowledge import SqliteKnowledge
from btimd.store.timelines import Timelines
from tests.itsm.story import Story, tell

DAY = 86_400.0
T0 = 1_700_000_000.0
EVENTS = 30
"""Happenings of one life; some are refused."""


class Book:
    """No agreements, no accounts."""

    def agreements(self) -> Any:
        """Return none."""
        return ()

    def promises(self, **_: Any) -> tuple[None, None]:
        """Promise nothing."""
        return None, None

    def states(self) -> Any:
        """Return none."""
        return ()

    def closed_months(self, _business: str) -> Any:
        """Return none."""
        return ()


def fill(connection: sqlite3.Connection, stories: list[Story], count: int) -> int:
    events = 0
    for number in range(count):
        story = stories[number % len(stories)]
        assert story.incident is not None
        name, shift = f"INC-{number:06d}", number / count * 30 * DAY
        row = replace(story.incident, id=name, opened_at=story.incident.opened_at + shift)
        connection.execute(
            "INSERT INTO incident VALUES (?, ?, ?, ?, ?)",
            (name, row.version, row.state.is_open, row.opened_at, incident_to_json(row)),
        )
        for event in story.events:
            moved = replace(event, incident_id=name, at=event.at + shift)
            connection.execute("INSERT INTO event VALUES (?, ?, ?)", (name, event.seq, event_to_json(moved)))
            events += 1
    return events


async def timed(call: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return CPU seconds of the process and wall seconds of a call."""
    cpu, wall = time.process_time(), time.monotonic()
    await call()
    return round(time.process_time() - cpu, 2), round(time.monotonic() - wall, 2)


async def run(count: int) -> dict[str, Any]:
    stories = [story for story in (tell(seed, EVENTS) for seed in range(200)) if story.incident is not None]
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.sqlite")
        journal.open()
        base = SqliteKnowledge(Path(folder) / "knowledge.sqlite")
        base.open()
        events = await journal.run(lambda connection: fill(connection, stories, count))
        desk = QualityDesk(Timelines(journal.run), base, Book())
        query = FigureQuery(T0 - DAY, T0 + 400 * DAY)

        def everything(_businesses: object, _regions: object) -> bool:
            return True

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report: dict[str, Any] = {"machine": machine(), "load": round(load(), 1), "incidents": count, "events": events}
        report["first request, CPU and wall seconds"] = await timed(lambda: desk.figures(query, everything))
        report["second request"] = await timed(lambda: desk.figures(query, everything))
        report["by class"] = await timed(lambda: desk.grouped(query, FigureGroup.CLASS, everything))
        report["by person"] = await timed(lambda: desk.grouped(query, FigureGroup.PERSON, everything))
        report["trend of 30 days"] = await timed(
            lambda: desk.trend(
                FigureQuery(T0, T0 + 30 * DAY), FigureGroup.PRIORITY, bucket=DAY, ahead=7, visible=everything
            )
        )
        report["memory, MB"] = round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
        journal.close()
        base.close()
        return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("incidents", nargs="?", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = asyncio.run(run(options.incidents))
    print(json.dumps(report) if options.json else "\n".join(f"{name}: {value}" for name, value in report.items()))


if __name__ == "__main__":
    main()

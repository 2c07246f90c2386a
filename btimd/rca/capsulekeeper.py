"""CapsuleKeeper: writes the capsules of diagnoses as they come, keeps the newest, and tells their stories."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStory
from btimd.model.service import ServiceGraph
from btimd.model.verdict import VerdictStatus
from btimd.rca.capsule import Capsule
from btimd.rca.capsulefiles import SUFFIX, CapsuleError, model_hash, read, read_head, write
from btimd.rca.events import SymptomSeen
from btimd.rca.story import entry_of, story_of
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

FOLDER: Final = "diagnoses"
_WAITING: Final = 64
_DRAIN_SECONDS: Final = 4.0
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")


class CapsuleKeeper:
    """Takes capsules on the loop and writes them beside it, one after the other, in the order in which they came.

    keep: how many stay; 0 keeps none. Where more than a few wait, the oldest that wait are dropped and counted. Answers
    DiagnosisView: a story is made by making the diagnosis again, one at a time, beside the loop.
    """

    name = "rca.capsules"

    def __init__(self, *, state_directory: Path, keep: int, metrics: Metrics, log: Log) -> None:
        self._folder = state_directory / FOLDER
        self._keep = keep
        self._log = log
        self._waiting: deque[Capsule] = deque()
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()
        self._telling = asyncio.Lock()
        self._entries: dict[str, DiagnosisEntry] = {}
        self._graph: ServiceGraph | None = None
        self._model = ""
        self._problem = ""
        self._written = metrics.counter("btimd_rca_capsules_written_total", "Diagnoses written to files.")
        self._dropped = metrics.counter(
            "btimd_rca_capsules_dropped_total", "Diagnoses not written: too many at once, or the disk refused."
        )

    # -- life

    async def start(self) -> None:
        """Look at what is kept already; a file that cannot be read is left alone."""
        self._entries = await asyncio.to_thread(self._kept) if self._keep else {}

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            await self._write_next()

    async def stop(self) -> None:
        """Write what still waits, as far as the time allows."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._waiting:
                    await self._write_next()
        except TimeoutError:
            self._dropped.inc(len(self._waiting))
            self._waiting.clear()

    def health(self) -> ComponentHealth:
        """Say whether diagnoses can be kept."""
        return ComponentHealth(HealthLevel.WARNING, self._problem) if self._problem else ComponentHealth()

    # -- what happens

    def take(self, capsule: Capsule) -> None:
        """Take the capsule of a verdict that was given or has grown; the last one of an id stays."""
        if not self._keep:
            return
        if len(self._waiting) >= _WAITING:
            lost = self._waiting.popleft()
            self._dropped.inc()
            self._log.warning("capsule-dropped", id=lost.verdict.id)
        self._waiting.append(capsule)
        self._arrived.set()

    async def _write_next(self) -> None:
        async with self._writing:
            if not self._waiting:
                self._arrived.clear()
                return
            capsule = self._waiting.popleft()
            try:
                entry, left = await asyncio.to_thread(self._store, capsule)
            except Exception as error:  # noqa: BLE001  a capsule is an extra: whatever fails here costs that and no more
                self._dropped.inc()
                self._problem = f"diagnosis {capsule.verdict.id} could not be kept: {error}"
                self._log.warning("capsule-not-written", id=capsule.verdict.id, reason=str(error) or repr(error))
                return
            self._problem = ""
            self._written.inc()
            self._entries[entry.id] = entry
            for gone in self._entries.keys() - left:
                del self._entries[gone]

    # -- beside the loop

    def _store(self, capsule: Capsule) -> tuple[DiagnosisEntry, frozenset[str]]:
        """Write one capsule; return its entry and the ids of all that are kept now."""
        capsule = replace(capsule, model=self._model_of(capsule.graph))
        before = self._folder / f"{capsule.verdict.id}{SUFFIX}"
        if before.exists():
            try:
                capsule = grown(read(before), capsule)
            except CapsuleError as error:
                self._log.warning("capsule-unreadable", reason=str(error))
        write(self._folder, capsule, self._keep)
        left = frozenset(path.name.removesuffix(SUFFIX) for path in self._folder.glob(f"*{SUFFIX}"))
        return _entry(capsule), left

    def _model_of(self, graph: ServiceGraph) -> str:
        if graph is not self._graph:
            self._graph, self._model = graph, model_hash(graph)
        return self._model

    def _kept(self) -> dict[str, DiagnosisEntry]:
        found = {}
        for path in self._folder.glob(f"*{SUFFIX}"):
            try:
                head = read_head(path)
            except CapsuleError as error:
                self._log.warning("capsule-unreadable", reason=str(error))
                continue
            entry = entry_of(head.verdict, complete=head.complete, model=head.model, program=head.program)
            if entry.id == path.name.removesuffix(SUFFIX):
                found[entry.id] = entry
        return found

    def _path(self, diagnosis_id: str) -> Path:
        """Return where a diagnosis is kept; raises KeyError for one that is not."""
        if not _ID.fullmatch(diagnosis_id) or diagnosis_id not in self._entries:
            raise KeyError(diagnosis_id)
        return self._folder / f"{diagnosis_id}{SUFFIX}"

    # -- the view

    def diagnoses(self, limit: int) -> Sequence[DiagnosisEntry]:
        """Return the kept ones, newest first."""
        return sorted(self._entries.values(), key=lambda entry: (-entry.ended_at, entry.id))[: max(limit, 0)]

    async def diagnosis(self, diagnosis_id: str) -> DiagnosisStory:
        """Return the story of one; raises KeyError for an unknown one, CapsuleError for one that cannot be read."""
        path = self._path(diagnosis_id)
        async with self._telling:
            return await asyncio.to_thread(lambda: story_of(read(path)))

    async def export(self, diagnosis_id: str) -> bytes:
        """Return the file of one; raises KeyError for an unknown one, CapsuleError for one that cannot be read."""
        path = self._path(diagnosis_id)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise CapsuleError(f"{path.name}: cannot be read: {error.strerror}") from error


def grown(before: Capsule, now: Capsule) -> Capsule:
    """Return the capsule of a verdict that has grown.

    Where a new symptom only joined a cause that was certain before, the new capsule does not hold the search that found
    it; the old one does, and gets the symptom. Else the new one stands for itself.
    """
    known = next((one for one in now.state.known if one.verdict.id == now.verdict.id), None)
    if known is None or before.verdict.id != now.verdict.id:
        return now
    if known.verdict.status is not VerdictStatus.CAUSE_FOUND or known.verdict.cause != before.verdict.cause:
        return now
    joined = tuple(
        timed
        for timed in now.events
        if isinstance(timed.event, SymptomSeen)
        and timed.event.symptom.id in now.verdict.symptoms
        and timed.event.symptom.id not in before.verdict.symptoms
    )
    return replace(before, events=(*before.events, *joined), verdict=now.verdict)


def _entry(capsule: Capsule) -> DiagnosisEntry:
    return entry_of(capsule.verdict, complete=capsule.complete, model=capsule.model, program=capsule.program)

"""Changes that people make in other systems: asked for from time to time, taken once, handed on until they are done."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from btimd.itsm.emit.exchange import Dialogue
from btimd.itsm.emit.polling import Changes, OutsideChange, Pollable, is_ours, update_of
from btimd.itsm.outbox import Outcome
from btimd.itsm.timestamp import rfc3339
from btimd.model.delivery import ExternalUpdate, UpdateKind
from btimd.model.ports import Journal
from btimd.model.units import Seconds
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_AT_ONCE: Final = 100
_TRY_AGAIN: Final = 15.0

OnUpdate = Callable[[ExternalUpdate], Awaitable[str]]
"""Carries an update out and returns what became of it, in a few words; raises where it must be tried again later."""
CarryOut = Callable[[Dialogue[Changes]], Awaitable[tuple[Changes | None, Outcome]]]


class TakenFrom(Protocol):
    """Where a change comes from. meanings: what its statuses mean here; own_users: btimd itself there."""

    @property
    def name(self) -> str:
        """Name of the target."""
        ...

    @property
    def meanings(self) -> Mapping[str, str]:
        """What its statuses mean here."""
        ...

    @property
    def own_users(self) -> frozenset[str]:
        """What btimd's own user is called there."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A target that is asked for changes every `every` seconds. adapter: asked for when it is time, None = not yet."""

    name: str
    every: Seconds
    adapter: Callable[[], Pollable | None]
    carry_out: CarryOut
    meanings: Mapping[str, str]
    own_users: frozenset[str]


class Inbox:
    """Polls, takes what comes by callbacks, and hands everything on in the order it was taken.

    on_update: see OnUpdate. An update of an incident that waits for its turn holds up those behind it: their order says
    what people wanted.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        sources: Sequence[Source],
        on_update: OnUpdate,
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._journal = journal
        self._sources = sources
        self._on_update = on_update
        self._clock = clock
        self._log = log
        self._wake = asyncio.Event()
        self._polls = metrics.counter("btimd_itsm_polls_total", "Questions what people changed", ("target", "outcome"))
        self._updates = metrics.counter(
            "btimd_itsm_updates_total", "Changes that came from a target, by what became of them", ("target", "result")
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._poll_for_ever(source))
            group.create_task(self._hand_on_for_ever())

    async def _poll_for_ever(self, source: Source) -> None:
        while True:
            await self.poll(source)
            await asyncio.sleep(source.every)

    async def poll(self, source: Source) -> int:
        """Ask a target once; return how many changes were new."""
        adapter = source.adapter()
        if adapter is None:
            return 0
        name = f"itsm.poll.{source.name}"
        stored = await self._journal.load_state(name)
        cursor = rfc3339(self._clock.wall()) if stored is None else stored.decode()
        changes, outcome = await source.carry_out(adapter.changes(cursor))
        self._polls.labels(source.name, outcome.kind.value).inc()
        if changes is None:
            self._log.warning("poll-failed", target=source.name, reason=outcome.detail)
            return 0
        taken = 0
        for change in changes.found:
            taken += await self.take(source, change)
        if stored is None or changes.cursor != cursor:
            await self._journal.save_state(name, changes.cursor.encode())
        return taken

    async def take(self, source: TakenFrom, change: OutsideChange) -> bool:
        """Take a change, however it came; False where it is known or is our own."""
        if not change.key:
            known = await self._journal.find_reference(source.name, change.external_id)
            change = change if known is None else replace(change, key=known.incident_id)
        own = change.actor in source.own_users or (change.kind is UpdateKind.COMMENT and is_ours(change.value))
        if own or not change.key:
            self._updates.labels(source.name, "own" if own else "unknown-incident").inc()
            return False
        update = update_of(change, source.name, source.meanings, self._clock.wall())
        fresh = await self._journal.take_update(update, self._clock.wall())
        self._updates.labels(source.name, "taken" if fresh else "known").inc()
        if fresh:
            self._wake.set()
        return fresh

    async def _hand_on_for_ever(self) -> None:
        while True:
            self._wake.clear()
            done = await self.hand_on()
            try:
                async with asyncio.timeout(None if done else _TRY_AGAIN):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def hand_on(self) -> bool:
        """Hand on what waits; False where something has to be tried again."""
        while waiting := await self._journal.waiting_updates(_AT_ONCE):
            for update in waiting:
                try:
                    result = await self._on_update(update)
                except Exception:  # noqa: BLE001  whatever it was, the update is kept and tried again
                    self._log.exception("update-waits", target=update.target, update=update.event_id)
                    self._updates.labels(update.target, "failed").inc()
                    return False
                self._updates.labels(update.target, "done").inc()
                await self._journal.update_done(
                    update.target, update.event_id, result=result[:200], now=self._clock.wall()
                )
        return True

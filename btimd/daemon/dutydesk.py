"""The duty desk: people, rota and dispatcher of the running daemon, kept over restarts, told of what becomes of orders.

A step of an incident asks the dispatcher while it is made, so that no incident is ever between two states; the answers
come from memory, and nothing here waits.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.dispatchfollow import follow
from btimd.itsm.dispatchlevels import LevelDispatcher
from btimd.itsm.moment import Choice, OrderLimits
from btimd.itsm.rota import Rota
from btimd.model.duty import DutySlot, People, RotaRules
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.ports import Journal
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log

STATE_NAME: Final = "dispatch"
_SAVE_SECONDS: Final = 5.0
_LONGEST_WAIT: Final = 300.0


class DutyDesk:
    """A Component. on_duty_change: called when somebody else is on duty or got free, or other people are known.

    agreement_of: the agreement that decides about an incident, "" = none, for classes with paths of their own for it.

    It is the Dispatcher of the life cycle. What was told since the last save is lost with a crash: that changes how
    the next orders are spread, not who has what, which the incidents themselves say.
    """

    name = "duty"

    def __init__(
        self,
        people: People,
        rota: RotaRules,
        *,
        journal: Journal,
        on_duty_change: Callable[[], Coroutine[Any, Any, None]],
        clock: Clock,
        log: Log,
        agreement_of: Callable[[Incident], str] = lambda _: "",
    ) -> None:
        self.desk = DispatchDesk(people, Rota(rota, people))
        self._journal = journal
        self._on_duty_change = on_duty_change
        self._agreement_of = agreement_of
        self._clock = clock
        self._log = log
        self._dirty = False
        self._trouble = ""
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Take back orders and history."""
        saved = await self._journal.load_state(STATE_NAME)
        if saved is None:
            return
        try:
            self.desk.restore(json.loads(saved))
        except (ValueError, KeyError, TypeError) as error:
            self._trouble = f"the saved history of orders could not be read and began anew: {error}"
            self._log.error("dispatch-begins-anew", error=str(error))

    async def run(self) -> None:
        """Save what was told, and say when the shift changes."""
        change_at = self._next_change()
        while True:
            wait = _SAVE_SECONDS if self._dirty else _LONGEST_WAIT
            if change_at is not None:
                wait = min(wait, max(change_at - self._clock.wall(), 0.0))
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                pass
            if self._changed.is_set() or (change_at is not None and self._clock.wall() >= change_at):
                self._changed.clear()
                await self._on_duty_change()
                change_at = self._next_change()
            await self._save()

    async def stop(self) -> None:
        """Save."""
        await self._save()

    def health(self) -> ComponentHealth:
        """Say whether history could be read."""
        return ComponentHealth(HealthLevel.WARNING if self._trouble else HealthLevel.OK, self._trouble)

    def reload(self, people: People, rota: RotaRules) -> None:
        """Go on with other people and another rota; orders and history stay."""
        self.desk.reload(people, Rota(rota, people))
        self._changed.set()

    @property
    def rota(self) -> Rota:
        """The rota in force."""
        return self.desk.rota

    def imported(self, slots: Sequence[DutySlot]) -> None:
        """Take what calendars say now."""
        self.desk.imported(slots)
        self._changed.set()

    def followed(self, incident: Incident, events: Sequence[IncidentEvent]) -> None:
        """Take what happened to an incident. Who has dealt with one may be free for what stalled."""
        before = self.desk.workload.order_of(incident.id)
        for event in events:
            self._dirty |= follow(self.desk, incident, event)
        ended = before is not None and self.desk.workload.order_of(incident.id) is None
        if ended and not incident.state.is_open:  # not who let an order pass
            self._changed.set()

    # -- the dispatcher of the life cycle

    def levels(self, incident: Incident, now: UnixSeconds) -> int:
        """Return how many levels the escalation path of an incident has."""
        return self._asked(incident).levels(incident, now)

    def decide(self, incident: Incident, level: int, excluded: frozenset[str], now: UnixSeconds) -> Choice:
        """Return who at a level should get an incident."""
        return self._asked(incident).decide(incident, level, excluded, now)

    def limits(self, incident: Incident, level: int) -> OrderLimits:
        """Return what is said of orders at a level of an incident's path."""
        return self._asked(incident).limits(incident, level)

    def transfer_candidates(self, incident: Incident, now: UnixSeconds) -> Sequence[str] | None:
        """Return the peers its handler may hand an incident to."""
        return self._asked(incident).transfer_candidates(incident, now)

    def on_duty(self, person: str, now: UnixSeconds) -> bool | None:
        """Tell whether a person is on duty."""
        return LevelDispatcher(self.desk, Choice).on_duty(person, now)

    def _asked(self, incident: Incident) -> LevelDispatcher[Choice]:
        agreement = self._agreement_of(incident)
        return LevelDispatcher(self.desk, Choice, lambda _: agreement)

    def _next_change(self) -> UnixSeconds | None:
        return self.desk.rota.next_change_of_any(self._clock.wall())

    async def _save(self) -> None:
        if self._dirty:
            self._dirty = False
            body = json.dumps(self.desk.document(), ensure_ascii=False, separators=(",", ":")).encode()
            await self._journal.save_state(STATE_NAME, body)

"""The watch over delivery: a target that is behind, refuses, or has dead letters becomes an incident told elsewhere.

The incident about a target is never sent to that target (`about_target`), and it is opened once: what such an incident
itself owes to a target that refuses it too makes no further one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from btimd.itsm.emit.courier import LaneState
from btimd.itsm.replay import SYMPTOMS
from btimd.itsm.triggers import ReportClear, ReportProblem
from btimd.model.incident import Impact, ImpactAssessment, Incident, Urgency
from btimd.model.ports import Journal
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock

CATEGORY: Final = "delivery"
_PREFIX: Final = "delivery|"
_EVERY: Final = 15.0


def fingerprint_of(target: str, trouble: str) -> str:
    """Return what makes trouble with a target one incident. trouble: "dead-letters" or "backlog"."""
    return f"{_PREFIX}{target}|{trouble}"


def about_target(fingerprint: str) -> str:
    """Return the target whose trouble an incident is about, "" where it is about none."""
    return fingerprint.removeprefix(_PREFIX).rpartition("|")[0] if fingerprint.startswith(_PREFIX) else ""


class Hears(Protocol):
    """Who makes incidents."""

    def is_active(self, fingerprint: str) -> bool:
        """Tell whether an open incident says that this is wrong now."""
        ...

    async def report(self, report: ReportProblem) -> Incident | None:
        """Take a report."""
        ...

    async def report_cleared(self, fingerprint: str, symptoms: frozenset[str], clear: ReportClear) -> Incident | None:
        """Take note that it is over."""
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a target. level: how bad; only what is worse than what was told is told again."""

    target: str
    kind: str
    level: int
    title: str
    text: str
    since: UnixSeconds


def troubles(
    states: Sequence[LaneState], dead: dict[str, int], now: UnixSeconds, backlog_after: Seconds
) -> list[Trouble]:
    """Return what is wrong. What a person paused is not: they know."""
    found = []
    known = {state.name: state for state in states}
    for name, count in sorted(dead.items()):
        error = known[name].last_error if name in known else "it is no longer configured"
        found.append(
            Trouble(
                name,
                "dead-letters",
                count,
                f"{name} refused {count} event{'s' if count > 1 else ''} for good",
                f"They will not arrive by themselves: edit them, send them again, or drop them. Last: {error}",
                now,
            )
        )
    for state in states:
        waits = 0.0 if state.oldest_at is None else now - state.oldest_at
        if state.hold is not None or not (state.breaker.paused or waits >= backlog_after):
            continue
        why = "refuses everything of ours" if state.breaker.paused else f"is {waits / 60:.0f} min behind"
        text = f"Incidents do not reach {state.name}. {state.breaker.reason or state.last_error}".rstrip()
        found.append(Trouble(state.name, "backlog", 1, f"{state.name} {why}", text, state.oldest_at or now))
    return found


class DeliveryWatch:
    """Looks from time to time, and when it is woken."""

    def __init__(
        self,
        *,
        journal: Journal,
        states: Callable[[], Sequence[LaneState]],
        hears: Hears,
        clock: Clock,
        backlog_after: Seconds,
    ) -> None:
        self._journal = journal
        self._states = states
        self._hears = hears
        self._clock = clock
        self._backlog_after = backlog_after
        self._told: dict[str, int] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._wake.clear()
            await self.look()
            try:
                async with asyncio.timeout(_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Report what is wrong now, and what no longer is."""
        now = self._clock.wall()
        states = self._states()
        dead = {line.target: line.dead for line in await self._journal.outbox_lines() if line.dead}
        bad = {fingerprint_of(one.target, one.kind): one for one in troubles(states, dead, now, self._backlog_after)}
        for fingerprint, trouble in bad.items():
            if trouble.level > self._told.get(fingerprint, 0):
                self._told[fingerprint] = trouble.level
                if not self._hears.is_active(fingerprint):
                    await self._hears.report(_report(fingerprint, trouble, now))
        held = {state.name for state in states if state.hold is not None}
        for name in (*(state.name for state in states), *(about_target(one) for one in tuple(self._told))):
            for kind in ("dead-letters", "backlog"):
                fingerprint = fingerprint_of(name, kind)
                if fingerprint in bad or (kind == "backlog" and name in held):
                    continue
                self._told.pop(fingerprint, None)
                if self._hears.is_active(fingerprint):
                    await self._hears.report_cleared(
                        fingerprint, frozenset({fingerprint}), ReportClear(remaining=0, reason=_OVER[kind])
                    )


_OVER: Final = {
    "dead-letters": "no dead letter of this target is left",
    "backlog": "what waited for this target was delivered",
}


def _report(fingerprint: str, trouble: Trouble, now: UnixSeconds) -> ReportProblem:
    return ReportProblem(
        notes={SYMPTOMS: fingerprint},
        incident_id="",
        fingerprint=fingerprint,
        title=trouble.title,
        description=trouble.text,
        cause="",
        verdict_id="",
        confidence=0.0,
        impact=Impact.MEDIUM,
        urgency=Urgency.MEDIUM,
        assessment=ImpactAssessment(),
        began_at=min(trouble.since, now),
        category=CATEGORY,
    )

"""From samples of key indicators to symptoms: one bad answer is a question, two of three are a symptom.

A false alarm costs a diagnosis, a missed one costs users. So the first bad sample does not wait for the next period:
it is confirmed at once. The way back is slower on purpose: the symptom is cleared when the whole window is good at
the usual period (three good samples in a row by default). An indicator that keeps coming and going all the same is one
symptom, not one per turn: it stays open, with a note, until it has been steady for a while.
A sample that could not be taken (UNKNOWN) changes nothing.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from btimd.model.indicator import Flapping, Threshold
from btimd.model.probe import Health, ProbeResult
from btimd.model.service import Check
from btimd.model.symptom import Symptom
from btimd.model.units import Seconds, UnixSeconds

_MOST_TURNS: Final = 100


@dataclass(frozen=True, slots=True)
class ConfirmSoon:
    """Take another sample of the check after so many seconds; it must be a fresh one."""

    check: Check
    after_seconds: Seconds


@dataclass(frozen=True, slots=True)
class SymptomOpened:
    """The threshold is met."""

    symptom: Symptom


@dataclass(frozen=True, slots=True)
class SymptomCleared:
    """The indicator is good again, or is watched no more."""

    symptom: Symptom


@dataclass(frozen=True, slots=True)
class SymptomFlaps:
    """An open symptom's indicator comes and goes; the symptom (its id is the same) stays until that is over."""

    symptom: Symptom


Command: TypeAlias = ConfirmSoon | SymptomOpened | SymptomCleared | SymptomFlaps


@dataclass(slots=True)
class _Watch:
    check: Check
    window: deque[ProbeResult]
    symptom: Symptom | None = None
    turns: deque[UnixSeconds] = field(default_factory=deque)
    last_bad_at: UnixSeconds = 0.0
    flaps: bool = False


@dataclass(slots=True)
class Debounce:
    """Judges the samples of the key indicators it was given; results of other checks are ignored.

    Takes only samples of its own asking: an answer that was shared would count one observation twice.
    """

    threshold: Threshold = field(default_factory=Threshold)
    confirm_after_seconds: Seconds = 0.3
    flapping: Flapping = field(default_factory=Flapping)
    open_count: int = 0
    flapping_count: int = 0
    _watches: dict[str, _Watch] = field(default_factory=dict)

    def replace(self, checks: Iterable[Check]) -> list[Command]:
        """Watch these checks from now on; symptoms of those that are gone are cleared, changed ones start anew."""
        before = self._watches
        self._watches = {}
        for check in checks:
            if not check.is_key_indicator:
                continue
            old = before.get(check.id)
            if old is not None and old.check.node == check.node:
                window = old.window if _same_question(old.check, check) else self._empty()
                self._watches[check.id] = replace(old, check=check, window=window)
            else:
                self._watches[check.id] = _Watch(check, self._empty())
        kept = {watch.symptom.id for watch in self._watches.values() if watch.symptom is not None}
        self._count()
        gone = [watch.symptom for watch in before.values() if watch.symptom is not None]
        return [SymptomCleared(symptom) for symptom in gone if symptom.id not in kept]

    def handle(self, result: ProbeResult, now: UnixSeconds) -> list[Command]:
        """Take a sample; say what follows from it. `now`: wall clock."""
        watch = self._watches.get(result.spec.check.id)
        if watch is None or result.health is Health.UNKNOWN or not _same_question(watch.check, result.spec.check):
            return []
        was_good = not watch.window or watch.window[-1].health is Health.GOOD
        watch.window.append(result)
        bad = [sample for sample in watch.window if sample.health is Health.BAD]
        if result.health is Health.BAD:
            watch.last_bad_at = now
        if watch.symptom is not None:
            return self._while_open(watch, watch.symptom, result, now, turned_bad=was_good)
        if result.health is Health.GOOD:
            return []
        if len(bad) < self.threshold.bad_of:
            return [ConfirmSoon(watch.check, self.confirm_after_seconds)]
        watch.symptom = _symptom(watch.check, _first_of_run(watch.window), result, now)
        self._turned(watch, now)
        if watch.flaps:
            watch.symptom = self._noted(watch, watch.symptom)
        self._count()
        return [SymptomOpened(watch.symptom)]

    def _while_open(
        self, watch: _Watch, symptom: Symptom, result: ProbeResult, now: UnixSeconds, *, turned_bad: bool
    ) -> list[Command]:
        if result.health is Health.BAD:
            flapped = watch.flaps
            if turned_bad:
                self._turned(watch, now)
            if flapped or not watch.flaps:
                return []
            watch.symptom = self._noted(watch, symptom)
            self._count()
            return [SymptomFlaps(watch.symptom)]
        if len(watch.window) < self.threshold.window or any(one.health is Health.BAD for one in watch.window):
            return []
        if watch.flaps and now - watch.last_bad_at < self.flapping.steady_seconds:
            return []
        watch.symptom, watch.flaps = None, False
        self._count()
        return [SymptomCleared(symptom)]

    def _turned(self, watch: _Watch, now: UnixSeconds) -> None:
        """Note that an indicator turned bad, and whether it did so too often of late."""
        watch.turns.append(now)
        while watch.turns and (watch.turns[0] <= now - self.flapping.window_seconds or len(watch.turns) > _MOST_TURNS):
            watch.turns.popleft()
        if self.flapping.count and len(watch.turns) >= self.flapping.count:
            watch.flaps = True

    def _noted(self, watch: _Watch, symptom: Symptom) -> Symptom:
        within = f"{len(watch.turns)} times in {self.flapping.window_seconds / 60:g} minutes"
        return replace(symptom, text=f"{symptom.text} (comes and goes: turned bad {within})")

    def _count(self) -> None:
        """Count what stands; only when something opened or cleared, because there may be tens of thousands."""
        standing = [watch for watch in self._watches.values() if watch.symptom is not None]
        self.open_count = len(standing)
        self.flapping_count = sum(watch.flaps for watch in standing)

    def open_symptoms(self) -> list[Symptom]:
        """Return the symptoms that stand."""
        return [watch.symptom for watch in self._watches.values() if watch.symptom is not None]

    def _empty(self) -> deque[ProbeResult]:
        return deque(maxlen=self.threshold.window)


def _same_question(old: Check, new: Check) -> bool:
    return (old.kind, old.host, old.port, dict(old.options)) == (new.kind, new.host, new.port, dict(new.options))


def _first_of_run(window: Sequence[ProbeResult]) -> ProbeResult:
    """Return the first of the bad samples at the end of a window.

    A good one before it may end another trouble: what was seen well during that one proves nothing about this one.
    """
    first = window[-1]
    for sample in reversed(window):
        if sample.health is not Health.BAD:
            break
        first = sample
    return first


def _symptom(check: Check, first: ProbeResult, last: ProbeResult, now: UnixSeconds) -> Symptom:
    since = min(first.started_at, now)  # the wall clock may have been set back in between
    return Symptom(
        id=f"{check.id}@{int(since * 1000)}",
        check_id=check.id,
        node=check.node,
        error=last.error,
        text=f"{check.id}: {last.detail}",
        since=since,
        seen_at=now,
    )

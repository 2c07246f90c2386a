"""From samples of key indicators to symptoms: one bad answer is a question, two of three are a symptom.

A false alarm costs a diagnosis, a missed one costs users. So the first bad sample does not wait for the next period:
it is confirmed at once. The way back is slower on purpose: the symptom is cleared when the whole window is good at
the usual period (three good samples in a row by default), so that a service that flaps is one symptom, not many.
A sample that could not be taken (UNKNOWN) changes nothing.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from btimd.model.indicator import Threshold
from btimd.model.probe import Health, ProbeResult
from btimd.model.service import Check
from btimd.model.symptom import Symptom
from btimd.model.units import Seconds, UnixSeconds


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


Command: TypeAlias = ConfirmSoon | SymptomOpened | SymptomCleared


@dataclass(slots=True)
class _Watch:
    check: Check
    window: deque[ProbeResult]
    symptom: Symptom | None = None


@dataclass(slots=True)
class Debounce:
    """Judges the samples of the key indicators it was given; results of other checks are ignored.

    Takes only samples of its own asking: an answer that was shared would count one observation twice.
    """

    threshold: Threshold = field(default_factory=Threshold)
    confirm_after_seconds: Seconds = 0.3
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
                self._watches[check.id] = _Watch(check, window, old.symptom)
            else:
                self._watches[check.id] = _Watch(check, self._empty())
        kept = {watch.symptom.id for watch in self._watches.values() if watch.symptom is not None}
        gone = [watch.symptom for watch in before.values() if watch.symptom is not None]
        return [SymptomCleared(symptom) for symptom in gone if symptom.id not in kept]

    def handle(self, result: ProbeResult, now: UnixSeconds) -> list[Command]:
        """Take a sample; say what follows from it. `now`: wall clock."""
        watch = self._watches.get(result.spec.check.id)
        if watch is None or result.health is Health.UNKNOWN or not _same_question(watch.check, result.spec.check):
            return []
        watch.window.append(result)
        bad = [sample for sample in watch.window if sample.health is Health.BAD]
        if watch.symptom is not None:
            if not bad and len(watch.window) == self.threshold.window:
                cleared, watch.symptom = watch.symptom, None
                return [SymptomCleared(cleared)]
            return []
        if result.health is Health.GOOD:
            return []
        if len(bad) < self.threshold.bad_of:
            return [ConfirmSoon(watch.check, self.confirm_after_seconds)]
        watch.symptom = _symptom(watch.check, bad[0], result, now)
        return [SymptomOpened(watch.symptom)]

    def open_symptoms(self) -> list[Symptom]:
        """Return the symptoms that stand."""
        return [watch.symptom for watch in self._watches.values() if watch.symptom is not None]

    def _empty(self) -> deque[ProbeResult]:
        return deque(maxlen=self.threshold.window)


def _same_question(old: Check, new: Check) -> bool:
    return (old.kind, old.host, old.port, dict(old.options)) == (new.kind, new.host, new.port, dict(new.options))


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

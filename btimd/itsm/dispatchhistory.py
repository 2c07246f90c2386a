"""How orders ended, person by person: what skill, idleness and acquaintance with a cause are judged by.

The past fades: what lies 180 days back counts half. Only sums are kept, so the state does not grow with the number of
orders, and folding the same outcomes in the same order gives the same state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from btimd.model.units import Seconds, UnixSeconds

HALF_LIFE_SECONDS: Final = 180 * 86_400.0
KNOWN_SECONDS: Final = 90 * 86_400.0
"""For so long somebody who dealt with a cause counts as knowing it."""
MOST_CLASSES: Final = 200
"""Of which the outcomes of a person are kept apart; the one not heard of for longest is forgotten."""
MOST_CAUSES: Final = 64
"""That a person is remembered to have dealt with."""
MOST_PERSONS: Final = 5000


class OutcomeKind(StrEnum):
    """What became of an order."""

    GIVEN = "given"
    ACCEPTED = "accepted"
    TIMEOUT = "timeout"
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    RECALLED = "recalled"
    RESOLVED_IN_TIME = "resolved-in-time"
    RESOLVED_LATE = "resolved-late"


_GOOD: Final = frozenset({OutcomeKind.RESOLVED_IN_TIME})
_BAD: Final = frozenset({OutcomeKind.TIMEOUT, OutcomeKind.RETURNED, OutcomeKind.TRANSFERRED, OutcomeKind.RESOLVED_LATE})
_BUSY: Final = frozenset(
    {OutcomeKind.GIVEN, OutcomeKind.ACCEPTED, OutcomeKind.RESOLVED_IN_TIME, OutcomeKind.RESOLVED_LATE}
)
_KNOWS: Final = frozenset({OutcomeKind.RESOLVED_IN_TIME, OutcomeKind.RESOLVED_LATE})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. causes: fingerprint and component of the incident, "" is none."""

    at: UnixSeconds
    person: str
    work_class: str
    kind: OutcomeKind
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Orders that ended well and not, each counted less the longer ago, as of a moment."""

    good: float = 0.0
    bad: float = 0.0
    at: UnixSeconds = 0.0

    def as_of(self, now: UnixSeconds) -> tuple[float, float]:
        """Return good and bad as of a later moment; an earlier one changes nothing."""
        share = fading(now - self.at)
        return self.good * share, self.bad * share


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What is known of a person's orders. busy_at: when one was last given, accepted or ended; None = never."""

    tallies: Mapping[str, Tally] = field(default_factory=lambda: MappingProxyType({}))
    causes: Mapping[str, UnixSeconds] = field(default_factory=lambda: MappingProxyType({}))
    busy_at: UnixSeconds | None = None


_NOTHING: Final = PersonRecord()


@dataclass(frozen=True, slots=True)
class History:
    """The records of all persons. `folded` returns another one; nothing changes in place."""

    persons: Mapping[str, PersonRecord] = field(default_factory=lambda: MappingProxyType({}))

    def record(self, person: str) -> PersonRecord:
        """Return what is known of a person, perhaps nothing."""
        return self.persons.get(person, _NOTHING)

    def folded(self, outcome: Outcome) -> "History":
        """Return the history with one outcome more. Outcomes come in the order of time; a late one counts as of now."""
        old = self.record(outcome.person)
        busy_at = old.busy_at
        if outcome.kind in _BUSY:
            busy_at = outcome.at if busy_at is None else max(busy_at, outcome.at)
        record = PersonRecord(_tallied(old.tallies, outcome), _remembered(old.causes, outcome), busy_at)
        persons = dict(self.persons)
        persons.pop(outcome.person, None)  # the latest stands last, so that the first can be forgotten
        persons[outcome.person] = record
        while len(persons) > MOST_PERSONS:
            del persons[next(iter(persons))]
        return History(MappingProxyType(persons))


def fading(age: Seconds) -> float:
    """Return what a past outcome still counts, 1 = fully."""
    return float(0.5 ** (max(age, 0.0) / HALF_LIFE_SECONDS))


def fold(history: History, outcomes: Iterable[Outcome]) -> History:
    """Return a history with many outcomes more."""
    for outcome in outcomes:
        history = history.folded(outcome)
    return history


def _tallied(tallies: Mapping[str, Tally], outcome: Outcome) -> Mapping[str, Tally]:
    if outcome.kind not in _GOOD and outcome.kind not in _BAD:
        return tallies
    old = tallies.get(outcome.work_class, Tally())
    at = max(old.at, outcome.at)
    good, bad = old.as_of(at)
    if outcome.kind in _GOOD:
        good += 1.0
    else:
        bad += 1.0
    found = dict(tallies)
    found.pop(outcome.work_class, None)
    found[outcome.work_class] = Tally(good, bad, at)
    while len(found) > MOST_CLASSES:
        del found[next(iter(found))]
    return MappingProxyType(found)


def _remembered(causes: Mapping[str, UnixSeconds], outcome: Outcome) -> Mapping[str, UnixSeconds]:
    if outcome.kind not in _KNOWS or not any(outcome.causes):
        return causes
    found = dict(causes)
    for cause in filter(None, outcome.causes):
        found[cause] = max(outcome.at, found.pop(cause, outcome.at))
    while len(found) > MOST_CAUSES:
        del found[next(iter(found))]
    return MappingProxyType(found)


def history_document(history: History) -> list[dict[str, Any]]:
    """Return the history as JSON values; lists, as their order says what is forgotten first."""
    return [
        {
            "person": person,
            "classes": [[name, tally.good, tally.bad, tally.at] for name, tally in record.tallies.items()],
            "causes": [[cause, at] for cause, at in record.causes.items()],
            "busy_at": record.busy_at,
        }
        for person, record in history.persons.items()
    ]


def history_from(document: Iterable[Mapping[str, Any]]) -> History:
    """Return what history_document wrote."""
    return History(
        MappingProxyType(
            {
                one["person"]: PersonRecord(
                    MappingProxyType({name: Tally(good, bad, at) for name, good, bad, at in one["classes"]}),
                    MappingProxyType(dict(one["causes"])),
                    one["busy_at"],
                )
                for one in document
            }
        )
    )

"""WindowBook: which trouble falls under a window or silence, and which down time was planned because of one.

A node is covered with its parts: what it needs and nobody outside needs. A switch that many servers need is no part of
one of them, so that maintenance of a server hides no trouble of the switch.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.model.agreement import OutageFact
from btimd.model.calendar import ALWAYS, ServiceCalendar
from btimd.model.incident import Priority
from btimd.model.maintenance import (
    LONG_SECONDS,
    Matcher,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
    Timed,
    weekly,
)
from btimd.model.service import ServiceGraph
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds
from btimd.sla.agreedtime import Span, union
from btimd.sla.chain import links
from btimd.sla.providers import Needs, below

_LOOK_AHEAD: Final = 400 * 86_400.0
_OVERLAPS: Final = 14 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is known of something that is wrong. cause "": not known."""

    cause: str
    businesses: tuple[str, ...]
    regions: tuple[str, ...] = ()
    category: str = ""
    title: str = ""
    priority: Priority = Priority.P3


def parts(needs: Needs, nodes: Iterable[str]) -> frozenset[str]:
    """Return nodes with what they need and nobody outside needs."""
    found = below(needs, nodes)
    roots = frozenset(nodes) & found
    users: dict[str, list[str]] = {}
    for name, needed in needs.items():
        for one in needed:
            users.setdefault(one, []).append(name)
    while True:
        outside = {one for one in found - roots if not found.issuperset(users.get(one, ()))}
        if not outside:
            return found
        found -= outside


class WindowBook:
    """All windows and silences there are, with what their matchers mean in a service graph."""

    def __init__(
        self,
        suppressions: Iterable[Suppression] = (),
        calendars: Mapping[str, ServiceCalendar] | None = None,
        graph: ServiceGraph | None = None,
    ) -> None:
        known = {ALWAYS.name: ALWAYS, **(calendars or {})}
        self.timed = {one.id: Timed(one, _calendar(one, known)) for one in suppressions}
        self._graph = graph
        needs = {} if graph is None else {name: node.needs for name, node in graph.nodes.items()}
        self._parts = {one.id: parts(needs, one.matcher.nodes) for one in self.all() if one.matcher.nodes}
        self._serial = {} if graph is None else {name: links(graph, name).serial for name in graph.businesses}

    def all(self) -> list[Suppression]:
        """Return them in the order they came."""
        return [one.suppression for one in self.timed.values()]

    def covering(self, trouble: Trouble, effect: SuppressionEffect, now: UnixSeconds) -> Suppression | None:
        """Return what a trouble falls under now, None where it shall be dealt with.

        Businesses under several windows of their own may be hit together.
        """
        there = [one.suppression for one in self.timed.values() if one.holds(now)]
        holding = [one for one in there if one.effect is effect]
        together = frozenset(
            business for one in holding if _only_businesses(one.matcher) for business in one.matcher.businesses
        )
        return next((one for one in holding if self._covers(one, trouble, together)), None)

    def holds_until(self, trouble: Trouble, effect: SuppressionEffect, now: UnixSeconds) -> UnixSeconds | None:
        """Return until when what covers a trouble now holds, at the latest; None where nothing does."""
        one = self.covering(trouble, effect, now)
        if one is None:
            return None
        change = self.timed[one.id].next_change(now)
        return now + _LOOK_AHEAD if change is None else change

    def _covers(self, one: Suppression, trouble: Trouble, together: frozenset[str]) -> bool:
        matcher = one.matcher
        hit = frozenset(trouble.businesses)
        if matcher.businesses:
            allowed = frozenset(matcher.businesses) | (together if _only_businesses(matcher) else frozenset())
            if not hit or not hit <= allowed or hit.isdisjoint(matcher.businesses):
                return False
        if matcher.nodes and not self._is_of_nodes(one, trouble.cause, hit):
            return False
        if matcher.regions and not (trouble.regions and set(trouble.regions) <= set(matcher.regions)):
            return False
        if matcher.categories and not any(_is_within(trouble.category, one) for one in matcher.categories):
            return False
        title = trouble.title.casefold()
        if not all(word.casefold() in title for word in matcher.words):
            return False
        return matcher.least_priority is None or trouble.priority >= matcher.least_priority

    def _is_of_nodes(self, one: Suppression, cause: str, hit: frozenset[str]) -> bool:
        covered = self._parts.get(one.id, frozenset()) | frozenset(one.matcher.nodes)
        if cause:
            return cause in covered
        return bool(hit) and all(not covered.isdisjoint(self._serial.get(name, frozenset())) for name in hit)

    # -- what was planned

    def planned(self, business: str, cause: str, low: UnixMillis, high: UnixMillis) -> list[Span]:
        """Return when down time of a business, by a cause, was planned by a window that somebody declared."""
        found: list[Span] = []
        for one in self.timed.values():
            if not _plans(one.suppression) or not self._covers(one.suppression, _down(business, cause), frozenset()):
                continue
            for start, end in one.stretches(low / MILLIS_PER_SECOND, high / MILLIS_PER_SECOND):
                found.append((round(start * MILLIS_PER_SECOND), round(end * MILLIS_PER_SECOND)))
        return union(found)

    def judged(self, facts: Sequence[OutageFact], now: UnixSeconds) -> list[OutageFact]:
        """Return outages cut at the borders of windows, those within as planned."""
        return [part for fact in facts for part in self._judged(fact, now)]

    def _judged(self, fact: OutageFact, now: UnixSeconds) -> list[OutageFact]:
        low = round(fact.began_at * MILLIS_PER_SECOND)
        high = round((max(now, fact.began_at) if fact.ended_at is None else fact.ended_at) * MILLIS_PER_SECOND)
        spans = [] if fact.planned else self.planned(fact.subject, fact.cause, low, high)
        if not spans:
            return [fact]
        edges = sorted({low, high, *(at for span in spans for at in span)})
        cut = []
        for begin, stop in itertools.pairwise(edges):
            inside = any(start <= begin and stop <= end for start, end in spans)
            last = fact.ended_at is None and stop == high
            ends = None if last else stop / MILLIS_PER_SECOND
            cut.append(replace(fact, began_at=begin / MILLIS_PER_SECOND, ended_at=ends, planned=inside))
        return cut or [replace(fact, planned=True)]

    def touched(self, matcher: Matcher) -> frozenset[str]:
        """Return the businesses that a matcher is about: those it names, and those that need one of its nodes."""
        named = frozenset(matcher.businesses)
        if self._graph is None or not matcher.nodes:
            return named
        needs = {name: node.needs for name, node in self._graph.nodes.items()}
        above = {name for name in self._graph.businesses if not below(needs, (name,)).isdisjoint(matcher.nodes)}
        return frozenset(above) & named if named else frozenset(above)

    # -- what is probably not meant

    def warnings(self, one: Suppression, now: UnixSeconds) -> tuple[str, ...]:
        """Return what is probably not meant by a suppression."""
        found = []
        timed = self.timed[one.id]
        coming = timed.coming(now, _LOOK_AHEAD)
        if coming is not None and coming[1] - coming[0] > LONG_SECONDS:
            days = (coming[1] - coming[0]) / 86_400.0
            found.append(f"holds for {days:.1f} days at a stretch; is its end right?")
        if one.end_at is None and one.ended_at is None and not one.source:
            found.append("has no end; end it when it is not needed any more")
        if one.matcher.is_empty:
            found.append("is about everything")
        if one.is_past(now):
            return tuple(found)
        others = [
            other.suppression.id
            for other in self.timed.values()
            if other.suppression.id != one.id
            and other.suppression.effect is one.effect
            and not other.suppression.is_past(now)
            and _meet(one.matcher, other.suppression.matcher)
            and _overlap(timed, other, now)
        ]
        if others:
            found.append(f"overlaps with {', '.join(others[:5])}" + (" and others" if len(others) > 5 else ""))  # noqa: PLR2004  as many as are named
        return tuple(found)


def _calendar(one: Suppression, calendars: Mapping[str, ServiceCalendar]) -> ServiceCalendar | None:
    if one.recurrence is None:
        return None
    if one.recurrence.calendar:
        # a calendar that was taken out of the file: nothing is left alone because of it
        return calendars.get(one.recurrence.calendar, weekly(replace(one.recurrence, weekdays=(), hours=())))
    return weekly(one.recurrence)


def _plans(one: Suppression) -> bool:
    return one.kind is SuppressionKind.WINDOW and not one.source and not one.matcher.regions


def _down(business: str, cause: str) -> Trouble:
    return Trouble(cause=cause, businesses=(business,))


def _only_businesses(matcher: Matcher) -> bool:
    return matcher == Matcher(businesses=matcher.businesses) and bool(matcher.businesses)


def _is_within(category: str, wanted: str) -> bool:
    return category == wanted or category.startswith(f"{wanted}.")


def _meet(one: Matcher, other: Matcher) -> bool:
    """Tell whether two matchers may be about the same."""
    pairs = ((one.businesses, other.businesses), (one.nodes, other.nodes), (one.regions, other.regions))
    return all(not a or not b or not set(a).isdisjoint(b) for a, b in pairs) and any(a and b for a, b in pairs)


def _overlap(one: Timed, other: Timed, now: UnixSeconds) -> bool:
    mine, theirs = one.stretches(now, now + _OVERLAPS), other.stretches(now, now + _OVERLAPS)
    index = 0
    for low, high in mine:
        while index < len(theirs) and theirs[index][1] <= low:
            index += 1
        if index < len(theirs) and theirs[index][0] < high:
            return True
    return False

"""A service graph that grows by what topology and traffic tell: declared needs stay, found ones come and fade.

What is found never closes a circle and never takes a declared need away. A found need of a redundant node is followed
by diagnoses, and does not count as one of its members. The same facts at the same time give the same graph.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from btimd.model.growth import FoundNeed, GrownNeed
from btimd.model.service import Need, Node, Provenance, ServiceGraph
from btimd.model.units import Ratio, Seconds, UnixSeconds
from btimd.rca.rollup import REDUNDANT

_SHOWN: Final = 8

Key = tuple[str, str, Provenance]


@dataclass(frozen=True, slots=True)
class GrowthOptions:
    """What of the found counts.

    counts: whose finds come into force. min_confidence: those that are less sure are shown only. half_life_seconds: so
    long unseen, a need is half as sure; below forget_below it is forgotten. most: needs that are remembered.
    """

    counts: frozenset[Provenance] = frozenset()
    min_confidence: Ratio = 0.9
    half_life_seconds: Seconds = 7 * 86_400.0
    forget_below: Ratio = 0.1
    most: int = 20_000


@dataclass(frozen=True, slots=True)
class Grown:
    """A graph with what is in force, and every need that was found, those in force first, then the surest."""

    graph: ServiceGraph
    needs: tuple[GrownNeed, ...]

    @property
    def in_force(self) -> frozenset[tuple[str, str]]:
        """The needs that were added to the graph."""
        return frozenset((one.node, one.need) for one in self.needs if one.in_force)


@dataclass(slots=True)
class _Known:
    confidence: float
    since: UnixSeconds
    seen_at: UnixSeconds
    count: int


@dataclass(slots=True)
class _Growing:
    """Needs while they are being added. needs: of every node that was given some more."""

    graph: ServiceGraph
    added: dict[str, list[Need]] = field(default_factory=dict)

    def needs(self, name: str) -> Iterable[str]:
        yield from self.graph.nodes[name].needs
        yield from (need.node for need in self.added.get(name, ()))

    def way(self, start: str, end: str) -> tuple[str, ...]:
        """Return the shortest way from a node down to another, () where there is none."""
        came: dict[str, str] = {start: start}
        queue = [start]
        for current in queue:
            if current == end:
                steps = [end]
                while steps[-1] != start:
                    steps.append(came[steps[-1]])
                return tuple(reversed(steps))
            for need in self.needs(current):
                if need not in came:
                    came[need] = current
                    queue.append(need)
        return ()


class Growth:
    """Remembers what was found, and grows graphs by it. left_out: finds for which there was no room."""

    def __init__(self, options: GrowthOptions) -> None:
        self._options = options
        self._known: dict[Key, _Known] = {}
        self.left_out = 0

    def reconfigure(self, options: GrowthOptions) -> None:
        """Go on with other options."""
        self._options = options

    def take(self, found: Iterable[FoundNeed]) -> None:
        """Take what was found; a need that was known keeps when it was first seen."""
        for one in sorted(found, key=lambda one: (one.node, one.need, one.provenance, one.seen_at, one.confidence)):
            key = one.node, one.need, one.provenance
            known = self._known.get(key)
            if known is None and len(self._known) >= self._options.most:
                self.left_out += 1
            elif known is None:
                self._known[key] = _Known(one.confidence, one.seen_at, one.seen_at, one.count)
            elif one.seen_at >= known.seen_at:
                known.confidence, known.seen_at, known.count = one.confidence, one.seen_at, one.count

    def known(self) -> frozenset[Key]:
        """Return which needs are remembered: node, need, and who told it."""
        return frozenset(self._known)

    def to_document(self) -> list[list[Any]]:
        """Return what is remembered, to be written down as JSON."""
        return [
            [*key, float(known.confidence), float(known.since), float(known.seen_at), known.count]
            for key, known in self._known.items()
        ]

    def restore(self, document: object, now: UnixSeconds) -> None:
        """Remember what was written down, as far as nothing newer is known; raises ValueError for what it cannot be.

        Times after `now` are of a clock that was wrong: they count as now, so that they fade and give way.
        """
        if not isinstance(document, list):
            raise ValueError("needs that were found are a list")  # noqa: TRY004  the document is wrong, not its caller
        read = dict(_entry(line, now) for line in document[: self._options.most])
        for key, known in read.items():
            if len(self._known) < self._options.most:
                self._known.setdefault(key, known)

    def grow(self, declared: ServiceGraph, now: UnixSeconds) -> Grown:
        """Return a declared graph grown by what is known now; what has faded away is forgotten."""
        options = self._options
        sure = {key: self._confidence(known, now) for key, known in self._known.items()}
        self._known = {key: known for key, known in self._known.items() if sure[key] >= options.forget_below}
        growing = _Growing(declared)
        needs: list[GrownNeed] = []
        for key in sorted(self._known, key=lambda key: (-sure[key], key)):
            name, need, provenance = key
            remark = self._remark(growing, key, sure[key])
            if remark is None:
                continue
            known = self._known[key]
            needs.append(
                GrownNeed(
                    name, need, provenance, sure[key], known.since, known.seen_at, known.count, not remark, remark
                )
            )
            if not remark:
                fact = Need(need, provenance, confidence=sure[key], since=known.since)
                growing.added.setdefault(name, []).append(fact)
        needs.sort(key=lambda one: not one.in_force)
        return Grown(_with(declared, growing.added), tuple(needs))

    def _confidence(self, known: _Known, now: UnixSeconds) -> float:
        return float(known.confidence * 0.5 ** (max(now - known.seen_at, 0.0) / self._options.half_life_seconds))

    def _remark(self, growing: _Growing, key: Key, sure: float) -> str | None:
        """Return why a need does not come into force, "" where it does, None where there is nothing to tell."""
        name, need, provenance = key
        nodes = growing.graph.nodes
        if name not in nodes or need not in nodes or name == need or need in growing.needs(name):
            return None
        back = growing.way(need, name)
        if back:
            return f"would make a circle: {_told((name, *back))}"
        there = growing.way(name, need)
        if there:
            return f"needed already: {_told(there)}"
        if provenance not in self._options.counts:
            return f"what {provenance.value} tells is shown only; [rca.growth] use says what counts"
        if sure < self._options.min_confidence:
            return f"not sure enough: {self._options.min_confidence:.0%} is wanted"
        return ""


def _entry(line: object, now: UnixSeconds) -> tuple[Key, _Known]:
    """Return a need as it was written down; raises ValueError."""
    match line:
        case [str(name), str(need), str(told), float(sure), float(since), float(seen_at), int(count)]:
            if 0.0 <= sure <= 1.0 and isfinite(since) and isfinite(seen_at):
                seen_at = min(seen_at, now)
                return (name, need, Provenance(told)), _Known(sure, min(since, seen_at), seen_at, count)
    raise ValueError(f"{line!r:.80} is no need that was found")


def _with(declared: ServiceGraph, added: Mapping[str, list[Need]]) -> ServiceGraph:
    if not added:
        return declared
    nodes = dict(declared.nodes)
    for name, facts in added.items():
        nodes[name] = _needing(nodes[name], facts)
    return ServiceGraph(MappingProxyType(nodes), declared.businesses, declared.generation)


def _needing(node: Node, facts: Iterable[Need]) -> Node:
    facts = tuple(facts)
    more = tuple(fact.node for fact in facts)
    return replace(
        node,
        needs=(*node.needs, *more),
        need_facts=(*node.need_facts, *facts),
        ignore=(*node.ignore, *more) if node.rollup in REDUNDANT else node.ignore,
    )


def _told(way: tuple[str, ...]) -> str:
    return " -> ".join(way if len(way) <= _SHOWN else (*way[: _SHOWN - 1], "...", way[-1]))

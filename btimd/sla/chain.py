"""Whether what groups and suppliers promise can make up what was promised to a business.

A business works while everything works that it needs without a substitute: the availabilities of the agreements that
cover those nodes are multiplied. A node that is one of several (roll-ups other than worst and degrade, stand-bys) is
left out and told of, nodes without any agreement too: for both the product is better than what can be relied on.

An incident is handed on as soon as the agreement above has responded: what is resolved last under an SLA is done
after the responses of the SLA and of each agreement down to that one, and after its own time to resolve.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.agreement import Agreement, AgreementKind
from btimd.model.incident import Priority
from btimd.model.service import Node, Rollup, ServiceGraph
from btimd.model.units import Seconds, UnixSeconds
from btimd.sla.providers import covers

_SERIAL: Final = frozenset({Rollup.WORST, Rollup.DEGRADE})
_LOOK_AHEAD: Final = 28 * 86400.0
_HOUR: Final = 3600.0
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class ChainNote:
    """Something that does not add up, in words. is_gap: nothing is wrong in itself, but something is not known."""

    agreement: str
    text: str
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """What a business needs: without a substitute (serial), and as one of several (redundant)."""

    serial: frozenset[str]
    redundant: frozenset[str]


def links(graph: ServiceGraph, business: str) -> Links:
    """Return the nodes below a business, itself left out."""
    serial: set[str] = set()
    everything: set[str] = set()
    open_ends = [(business, True)]
    seen: set[tuple[str, bool]] = set()
    while open_ends:
        name, is_serial = open_ends.pop()
        if (name, is_serial) in seen:
            continue
        seen.add((name, is_serial))
        everything.add(name)
        if is_serial:
            serial.add(name)
        node = graph.nodes[name]
        open_ends += [(need, is_serial and _is_serial(node, need)) for need in node.needs if need not in node.ignore]
    return Links(frozenset(serial - {business}), frozenset(everything - serial))


def _is_serial(node: Node, need: str) -> bool:
    return (node.rollup in _SERIAL or len(node.needs) == 1) and need not in node.standby


def chain_notes(agreements: Sequence[Agreement], graph: ServiceGraph, now: UnixSeconds) -> list[ChainNote]:
    """Return what does not add up between agreements. now: the four weeks from here are compared by the calendars."""
    cover = covers(agreements, {name: node.needs for name, node in graph.nodes.items()})
    notes: list[ChainNote] = []
    for sla in agreements:
        if sla.kind is not AgreementKind.SLA:
            continue
        for business in sla.businesses:
            if business in graph.nodes:
                notes += _notes_of(sla, business, links(graph, business), agreements, cover, now)
    notes += _nested_notes(agreements, cover)
    return list(dict.fromkeys(notes))


def _notes_of(
    sla: Agreement,
    business: str,
    needed: Links,
    agreements: Iterable[Agreement],
    cover: Mapping[str, frozenset[str]],
    now: UnixSeconds,
) -> Iterator[ChainNote]:
    under = [one for one in agreements if one.name in cover and not cover[one.name].isdisjoint(needed.serial)]
    if not under:
        return
    # what lies wholly inside another agreement is a part of what that one promises
    outer = [
        one
        for one in under
        if not any(
            cover[one.name] & needed.serial < cover[other.name] & needed.serial
            for other in under
            if other.name != one.name
        )
    ]
    product = 1.0
    for one in outer:
        product *= one.availability_percent / 100.0
    if product * 100.0 < sla.availability_percent - 1e-9:
        parts = ", ".join(f"{one.name} {one.availability_percent:g} %" for one in outer)
        yield ChainNote(
            sla.name,
            f"promises {sla.availability_percent:g} % of {business}, but what it stands on makes up"
            f" {product * 100.0:.4g} % at most ({parts}); ask more of them or promise less",
        )
    bare = sorted(needed.serial - frozenset[str]().union(*(cover[one.name] for one in under)))
    if bare:
        yield ChainNote(
            sla.name,
            f"{_names(bare)} that {business} needs: no agreement covers {'it' if len(bare) == 1 else 'them'}",
            is_gap=True,
        )
    for one in under:
        lost = _uncovered(sla, one, now)
        if lost >= _HOUR:
            yield ChainNote(
                sla.name,
                f"is in service {lost / _HOUR:g} h in the next four weeks when {one.name} (calendar"
                f" {one.calendar.name}) is not",
            )
        for path in _paths(one, under, cover):
            yield from _time_notes(sla, path)


def _names(nodes: Sequence[str]) -> str:
    shown = ", ".join(nodes[:_MOST_NAMES])
    return shown if len(nodes) <= _MOST_NAMES else f"{shown} and {len(nodes) - _MOST_NAMES} more"


def _uncovered(sla: Agreement, other: Agreement, now: UnixSeconds) -> Seconds:
    """Return the service time of the coming four weeks that is none under the other agreement."""
    return sum(
        end - start - other.calendar.between(start, end)
        for start, end in sla.calendar.stretches(now, now + _LOOK_AHEAD)
    )


def _paths(
    last: Agreement, under: Sequence[Agreement], cover: Mapping[str, frozenset[str]]
) -> Iterator[list[Agreement]]:
    """Yield the agreements from the outermost around one down to it."""
    around = [one for one in under if one.name != last.name and cover[last.name] < cover[one.name]]
    yield [*sorted(around, key=lambda one: -len(cover[one.name])), last]


def _time_notes(sla: Agreement, path: Sequence[Agreement]) -> Iterator[ChainNote]:
    last = path[-1]
    for priority in Priority:
        promised = sla.resolve.get(priority)
        needed = last.resolve.get(priority)
        if promised is None or needed is None:
            continue
        steps = [one.response.get(priority, 0.0) for one in (sla, *path[:-1])]
        total = sum(steps) + needed
        if total > promised:
            before = " + ".join(
                f"{one.name} responds in {_span(step)}" for one, step in zip((sla, *path), steps, strict=False)
            )
            yield ChainNote(
                sla.name,
                f"promises to resolve {priority.name} in {_span(promised)}, but {before} + {last.name} resolves in"
                f" {_span(needed)} is {_span(total)}; ask for less or promise more time",
            )


def _span(seconds: Seconds) -> str:
    return f"{seconds / _HOUR:g} h" if seconds >= _HOUR else f"{seconds / 60:g} min"


def _nested_notes(agreements: Sequence[Agreement], cover: Mapping[str, frozenset[str]]) -> Iterator[ChainNote]:
    for outer in agreements:
        for inner in agreements:
            if outer.name not in cover or inner.name not in cover or not cover[inner.name] < cover[outer.name]:
                continue
            if inner.availability_percent < outer.availability_percent:
                yield ChainNote(
                    outer.name,
                    f"promises {outer.availability_percent:g} %, but {inner.name}, which it stands on, only"
                    f" {inner.availability_percent:g} %",
                )

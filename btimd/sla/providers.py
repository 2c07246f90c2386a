"""What an OLA or UC is answerable for: the conditions of its nodes, as the businesses that need them show them.

Nodes have no accounts of their own. While a business that needs one of the nodes works, they work. While one is down
because of one of them, they are down. All else says nothing of them: unmeasured time, outages whose cause is not
known, and outages of another cause (what worked behind it was not tried by anybody).
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from btimd.model.agreement import Agreement, AgreementKind, OutageFact
from btimd.model.sla import Availability
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis
from btimd.sla.availability import Stretch

Needs: TypeAlias = Mapping[str, Sequence[str]]
"""What each node of the graph cannot work without, by its id."""


def below(needs: Needs, roots: Iterable[str]) -> frozenset[str]:
    """Return nodes and all that they need, all the way down; nodes that are not there are left out."""
    found: set[str] = set()
    open_ends = [one for one in roots if one in needs]
    while open_ends:
        node = open_ends.pop()
        if node not in found:
            found.add(node)
            open_ends += [one for one in needs[node] if one in needs]
    return frozenset(found)


def covers(agreements: Iterable[Agreement], needs: Needs) -> dict[str, frozenset[str]]:
    """Return the nodes of each OLA and UC by its name."""
    return {one.name: below(needs, one.nodes) for one in agreements if one.kind is not AgreementKind.SLA}


def supplier_of(cause: str, contracts: Iterable[Agreement], cover: Mapping[str, frozenset[str]]) -> str:
    """Return whose contract a cause falls under: of those that cover it the one that covers least; "" for none."""
    fitting = [
        (len(cover[one.name]), one.name, one.provider)
        for one in contracts
        if one.kind is AgreementKind.UC and cause in cover.get(one.name, ())
    ]
    return min(fitting)[2] if fitting else ""


def with_suppliers(
    facts: Iterable[OutageFact], contracts: Sequence[Agreement], cover: Mapping[str, frozenset[str]]
) -> list[OutageFact]:
    """Return outages with the supplier their cause falls under, where nobody said another."""
    return [one if one.supplier else replace(one, supplier=supplier_of(one.cause, contracts, cover)) for one in facts]


def provided(
    agreement: Agreement,
    cover: frozenset[str],
    seen: Iterable[tuple[Sequence[Stretch], Sequence[OutageFact]]],
) -> tuple[list[Stretch], list[OutageFact]]:
    """Return the conditions of what an OLA or UC covers, and its outages.

    seen: of every business that needs any of it, its stretches and its outages (suppliers filled in), in order. Users
    of an outage: the most of any business, which is a lower bound, because different users may need several.
    """
    spans = [span for stretches, facts in seen for span in _judged(agreement, cover, stretches, facts)]
    moments = sorted({moment for low, high, _, _ in spans for moment in (low, high)})
    by_start = sorted(spans, key=lambda span: span[0])
    stretches: list[Stretch] = []
    facts: list[OutageFact] = []
    active: list[tuple[UnixMillis, UnixMillis, Availability, OutageFact | None]] = []
    index = 0
    for low, high in itertools.pairwise(moments):
        active = [span for span in active if span[1] > low]
        while index < len(by_start) and by_start[index][0] == low:
            active.append(by_start[index])
            index += 1
        if not active:
            continue
        down = [fact for _, _, condition, fact in active if condition is Availability.DOWN and fact is not None]
        if down:
            condition = Availability.DOWN
            _go_on(facts, agreement.name, low, high, down)
        else:
            is_up = any(one is Availability.UP for _, _, one, _ in active)
            condition = Availability.UP if is_up else Availability.UNKNOWN
        if stretches and stretches[-1][1] == low and stretches[-1][2] is condition:
            stretches[-1] = (stretches[-1][0], high, condition)
        else:
            stretches.append((low, high, condition))
    return stretches, facts


def _judged(
    agreement: Agreement, cover: frozenset[str], stretches: Sequence[Stretch], facts: Sequence[OutageFact]
) -> Iterator[tuple[UnixMillis, UnixMillis, Availability, OutageFact | None]]:
    """Yield what the stretches of one business say of the nodes."""
    index = 0
    for low, high, condition in stretches:
        if condition is not Availability.DOWN:
            yield low, high, condition, None
            continue
        at = low
        while index < len(facts) and _end(facts[index], low) <= low:
            index += 1
        for fact in facts[index:]:
            begin, stop = max(round(fact.began_at * MILLIS_PER_SECOND), at), min(_end(fact, high), high)
            if begin >= high:
                break
            if begin >= stop:
                continue
            if begin > at:
                yield at, begin, Availability.UNKNOWN, None
            theirs = _is_theirs(agreement, cover, fact)
            yield begin, stop, Availability.DOWN if theirs else Availability.UNKNOWN, fact
            at = stop
        if at < high:
            yield at, high, Availability.UNKNOWN, None


def _is_theirs(agreement: Agreement, cover: frozenset[str], fact: OutageFact) -> bool:
    if agreement.kind is AgreementKind.UC and fact.supplier:
        return fact.supplier == agreement.provider
    return fact.cause in cover


def _end(fact: OutageFact, otherwise: UnixMillis) -> UnixMillis:
    return otherwise + 1 if fact.ended_at is None else round(fact.ended_at * MILLIS_PER_SECOND)


def _go_on(
    facts: list[OutageFact], subject: str, low: UnixMillis, high: UnixMillis, causes: Sequence[OutageFact]
) -> None:
    """Add a stretch of down time to the outages, to the last one where it goes on with the same cause."""
    first = causes[0]
    users = max((one.users for one in causes if one.users is not None), default=None)
    is_exact = len(causes) == 1 and first.users_exact
    begins, ends = low / MILLIS_PER_SECOND, high / MILLIS_PER_SECOND
    last = facts[-1] if facts else None
    if last is None or (last.ended_at, last.cause, last.planned) != (begins, first.cause, first.planned):
        facts.append(replace(first, subject=subject, began_at=begins, ended_at=ends, users=users, users_exact=is_exact))
        return
    known = [one for one in (last.users, users) if one is not None]
    is_exact = is_exact and last.users_exact and last.users == users
    facts[-1] = replace(last, ended_at=ends, users=max(known, default=None), users_exact=is_exact)

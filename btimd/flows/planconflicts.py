"""What is wrong, doubtful or worth a look in the IP plan, and between it and the service rules."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.planuse import PlanLine, PlanLines, is_mapped
from btimd.model.address import Prefix
from btimd.model.planuse import PlanConflict
from btimd.model.service import BusinessService, ServiceRule

SEVERITIES: Final = ("wrong", "doubtful", "note")
_FULL_LENGTH: Final = 128
_SHOWN: Final = 5


def plan_conflicts(
    entries: Sequence[PlanEntry],
    rules: Sequence[ServiceRule] = (),
    businesses: Mapping[str, BusinessService] | None = None,
) -> tuple[PlanConflict, ...]:
    """Return what there is, the worst first, then by line."""
    plan = PlanLines(entries)
    services = businesses or {}
    found = [
        *_written_twice(entries),
        *_wrong_lines(entries),
        *_nested(plan),
        *_persons(plan),
        *_spellings(plan),
        *_unknown_regions(plan, services),
        *_servers(plan, rules, services),
    ]
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.lines, one.where, one.kind)))


def _repeats(entries: Iterable[PlanEntry]) -> dict[Prefix, list[PlanEntry]]:
    by_prefix: dict[Prefix, list[PlanEntry]] = defaultdict(list)
    for entry in entries:
        try:
            by_prefix[Prefix.parse(entry.prefix.strip())].append(entry)
        except ValueError:  # compile_plan reports it
            continue
    return {prefix: lines for prefix, lines in by_prefix.items() if len(lines) > 1}


def _written_twice(entries: Sequence[PlanEntry]) -> Iterator[PlanConflict]:
    for prefix, lines in _repeats(entries).items():
        cells = {(line.region.strip(), line.segment.strip(), line.person.strip()) for line in lines}
        where = " and ".join(str(line.line) for line in lines)
        said = "with other values" if len(cells) > 1 else "with the same values"
        yield PlanConflict(
            "wrong", "written-twice", tuple(line.line for line in lines), "",
            f"{prefix} is written in lines {where} {said}", "keep one of the lines",
        )  # fmt: skip


def _wrong_lines(entries: Sequence[PlanEntry]) -> Iterator[PlanConflict]:
    twice = {line.line for lines in _repeats(entries).values() for line in lines}
    for problem in compile_plan(entries, 1)[1]:
        if problem.line not in twice:
            text, _, remedy = problem.text.rpartition("; ")
            yield PlanConflict("wrong", "wrong-line", (problem.line,), "", text or remedy, remedy if text else "")


def _nested(plan: PlanLines) -> Iterator[PlanConflict]:
    for line in plan.lines:
        if line.parent < 0:
            continue
        outer, entry = plan.lines[line.parent], line.entry
        lines = (outer.entry.line, entry.line)
        if line.row == outer.row:
            yield PlanConflict(
                "note", "says-nothing-new", lines, "",
                f"{line.prefix} (line {entry.line}) says what {outer.prefix} (line {outer.entry.line}) around it says",
                "delete the line, unless its own utilisation is wanted",
            )  # fmt: skip
        elif entry.region.strip() and line.row.region != outer.row.region and outer.row.region:
            yield PlanConflict(
                "note", "region-differs", lines, "",
                f"{line.prefix} (line {entry.line}) is in region {line.row.region}, "
                f"{outer.prefix} (line {outer.entry.line}) around it in {outer.row.region}",
                "legal: the longer prefix wins; check that it is meant",
            )  # fmt: skip


def _persons(plan: PlanLines) -> Iterator[PlanConflict]:
    places: dict[str, dict[str, int]] = defaultdict(dict)
    for line in plan.lines:
        person = line.entry.person.strip()
        if not person:
            continue
        places[person].setdefault(line.row.region, line.entry.line)
        if line.prefix.length < _FULL_LENGTH:
            severity = "doubtful" if is_mapped(line.prefix) or line.prefix.length < 64 else "note"  # noqa: PLR2004  the upper half
            yield PlanConflict(
                severity, "person-on-network", (line.entry.line,), "",
                f"{line.prefix} stands for 2^{_FULL_LENGTH - line.prefix.length} addresses, all of them {person}'s",
                "give the person a line of one address (/32 or /128), and the network a segment",
            )  # fmt: skip
    for person, regions in places.items():
        if len(regions) > 1:
            yield PlanConflict(
                "note", "person-in-regions", tuple(sorted(regions.values())), "",
                f"{person} has addresses in {_listed(region or '?' for region in sorted(regions))}",
                "check that it is one person; two of the same name count as one",
            )  # fmt: skip


def _spellings(plan: PlanLines) -> Iterator[PlanConflict]:
    by_fold: dict[str, dict[str, int]] = defaultdict(dict)
    for line in plan.lines:
        region = line.entry.region.strip()
        if region:
            by_fold["".join(region.casefold().split())].setdefault(region, line.entry.line)
    for spellings in by_fold.values():
        if len(spellings) > 1:
            yield PlanConflict(
                "doubtful", "spelling", tuple(sorted(spellings.values())), "",
                f"{_listed(repr(one) for one in sorted(spellings))} count as different regions",
                "write one of them everywhere",
            )  # fmt: skip


def _unknown_regions(plan: PlanLines, businesses: Mapping[str, BusinessService]) -> Iterator[PlanConflict]:
    known = {line.row.region for line in plan.lines}
    for business in businesses.values():
        for region in business.regions:
            if region not in known:
                yield PlanConflict(
                    "wrong", "unknown-region", (), f"service.{business.id}.regions",
                    f"no line of the plan has the region '{region}' that {business.id} expects its users in",
                    f"write one of {_listed(sorted(known)) or '(none)'}, or add the region to the plan",
                )  # fmt: skip


def _servers(
    plan: PlanLines, rules: Sequence[ServiceRule], businesses: Mapping[str, BusinessService]
) -> Iterator[PlanConflict]:
    told: set[tuple[str, Prefix]] = set()
    firsts = [line.prefix.first for line in plan.lines]
    for rule, line in zip(rules, _lines_around(plan, [rule.server for rule in rules]), strict=True):
        at = bisect_left(firsts, rule.server.first)
        inside = at < len(firsts) and _inside(plan.lines[at].prefix, rule.server)
        for found in _server_findings(rule, line, businesses, has_lines=inside):
            if (found.kind, rule.server) not in told:
                told.add((found.kind, rule.server))
                yield found


def _server_findings(
    rule: ServiceRule, line: PlanLine | None, businesses: Mapping[str, BusinessService], *, has_lines: bool
) -> Iterator[PlanConflict]:
    where = rule.source
    named = f"{rule.server}, a server of rule {rule.id},"
    if line is None:
        if not has_lines:
            yield PlanConflict(
                "note", "server-not-in-plan", (), where, f"{named} is not in the plan",
                "add a line, so that what the server itself asks of others has a place",
            )  # fmt: skip
        return
    if line.row.person:
        yield PlanConflict(
            "doubtful", "server-is-a-persons", (line.entry.line,), where,
            f"{named} is {line.row.person}'s address by line {line.entry.line}",
            "correct the one that is old: the person's line or the rule",
        )  # fmt: skip
    expecting = [one for one in rule.businesses if one in businesses and line.row.region in businesses[one].regions]
    if expecting:
        yield PlanConflict(
            "note", "server-among-clients", (line.entry.line,), where,
            f"{named} lies in {line.row.region}, a region that {_listed(expecting)} expects users in",
            "give the servers a line of their own; else traffic between servers counts as users",
        )  # fmt: skip


def _lines_around(plan: PlanLines, prefixes: Sequence[Prefix]) -> Iterator[PlanLine | None]:
    """Yield for each prefix the longest line that holds all of it."""
    hi = np.array([prefix.hi for prefix in prefixes], np.uint64)
    lo = np.array([prefix.lo for prefix in prefixes], np.uint64)
    for prefix, found in zip(prefixes, plan.find(hi, lo).tolist(), strict=True):
        at: int = found
        while at >= 0 and not _inside(prefix, plan.lines[at].prefix):
            at = plan.lines[at].parent
        yield plan.lines[at] if at >= 0 else None


def _inside(inner: Prefix, outer: Prefix) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last and (is_mapped(outer) or not is_mapped(inner))


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more

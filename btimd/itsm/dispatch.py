"""Whom an incident is given to: the members of a level who are there, judged one against another.

A decision holds the whole table it was made by. The same inputs give the same decision, and the table alone gives the
same choice again (`replayed`), so "why her" can be answered years later.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from btimd.itsm.dispatchhistory import KNOWN_SECONDS, History, Tally
from btimd.itsm.dispatchscore import LEAST_SCORE, WEIGHTS, Facts, Row, Weights, best, judge, row_document, row_from
from btimd.itsm.workload import Workload
from btimd.model.duty import CENTRE, DEFAULT_CLASS, PathLevel, People, Person, Presence
from btimd.model.incident import Priority
from btimd.model.units import UnixSeconds

PresenceOf = Callable[[str, UnixSeconds], Mapping[str, Presence]]
"""(group, at) -> presence of those who are not OFF, as Rota.presences."""
_NO_TALLY: Final = Tally()


@dataclass(frozen=True, slots=True)
class DispatchOrder:
    """What is to be given to somebody. causes: fingerprint and component of the incident, for who knows them.

    level: from which level of its path on, 1 = first. excluded: who was asked already, or must not be.
    """

    incident_id: str
    category: str
    priority: Priority
    causes: tuple[str, ...] = ()
    agreement: str = ""
    level: int = 1
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LevelTable:
    """How one level was judged: rows best first; off duty and excluded people by id."""

    level: int
    group: str
    rota: str
    rows: tuple[Row, ...] = ()
    off: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was chosen and why. chosen "" = nobody, then level is CENTRE. tables: of every level looked at, in order.

    manual: a person of the centre decided; reason says why, and the table holds the facts on the one chosen.
    """

    incident_id: str
    chosen: str
    level: int
    group: str
    path: str
    work_class: str
    priority: Priority
    at: UnixSeconds
    weights: Weights
    tables: tuple[LevelTable, ...]
    manual: bool = False
    reason: str = ""

    @property
    def row(self) -> Row | None:
        """The row of the chosen one."""
        if not self.chosen:
            return None
        return next((row for row in self.tables[-1].rows if row.person == self.chosen), None)


def decide(
    order: DispatchOrder,
    *,
    people: People,
    presence: PresenceOf,
    workload: Workload,
    history: History,
    now: UnixSeconds,
    weights: Mapping[Priority, Weights] = WEIGHTS,
    climb: bool = True,
) -> Decision:
    """Return whom to ask; levels are tried upwards from the order's until somebody suits.

    climb False: only the order's level is looked at, whoever asks goes up by itself.
    """
    judges = _Judges(order, people, presence, workload, history, now, weights[order.priority])
    path = people.path_of(order.category, order.priority, order.agreement)
    if path is None:
        return judges.decision("", CENTRE, "", "", ())
    tables: list[LevelTable] = []
    first = max(order.level, 1)
    for number in range(first, (len(path.levels) if climb else min(first, len(path.levels))) + 1):
        tables.append(judges.table(path.levels[number - 1], number))
        row = best(tables[-1].rows)
        if row is not None:
            return judges.decision(row.person, number, tables[-1].group, path.id, tables)
    return judges.decision("", CENTRE, "", path.id, tables)


def transfer_candidates(
    order: DispatchOrder,
    handler: str,
    *,
    people: People,
    presence: PresenceOf,
    workload: Workload,
    history: History,
    now: UnixSeconds,
    weights: Mapping[Priority, Weights] = WEIGHTS,
    limit: int = 10,
) -> tuple[Row, ...]:
    """Return to whom a handler may hand an order over: fit and free people of the order's level, best first.

    Fit: would be asked if the order were new. Free: the load leaves room within the capacity.
    """
    path = people.path_of(order.category, order.priority, order.agreement)
    level = path.level(order.level) if path is not None else None
    if level is None:
        return ()
    judges = _Judges(order, people, presence, workload, history, now, weights[order.priority])
    rows = judges.table(level, order.level).rows
    free = (row for row in rows if row.person != handler and row.facts.load < row.facts.capacity)
    return tuple(row for row in free if row.score >= LEAST_SCORE)[:limit]


def assign(
    order: DispatchOrder,
    person: Person,
    group: str,
    reason: str,
    *,
    people: People,
    presence: PresenceOf,
    workload: Workload,
    history: History,
    now: UnixSeconds,
    weights: Mapping[Priority, Weights] = WEIGHTS,
) -> Decision:
    """Return the centre's own choice as a decision, with the facts on that person as of now.

    group: whose duty counts. Raises ValueError where the person is off duty and no reason is given.
    """
    judges = _Judges(order, people, presence, workload, history, now, weights[order.priority])
    stands = presence(group, now).get(person.id, Presence.OFF)
    if stands is Presence.OFF and not reason.strip():
        raise ValueError(f"{person.id} is off duty in group {group}; say why all the same")
    table = LevelTable(order.level, group, group, (judges.row(person, stands),))
    path = people.path_of(order.category, order.priority, order.agreement)
    made = judges.decision(person.id, order.level, group, path.id if path else "", [table])
    return replace(made, manual=True, reason=reason.strip())


@dataclass(frozen=True, slots=True)
class _Judges:
    """All that a table is made from."""

    order: DispatchOrder
    people: People
    presence: PresenceOf
    workload: Workload
    history: History
    now: UnixSeconds
    weights: Weights

    @property
    def work_class(self) -> str:
        found = self.people.class_of(self.order.category)
        return found.id if found else DEFAULT_CLASS

    def table(self, level: PathLevel, number: int) -> LevelTable:
        """Judge the members of a level."""
        there = self.presence(level.rota, self.now)
        rows: list[Row] = []
        off: list[str] = []
        excluded: list[str] = []
        for person in self.people.members(level.group, level.member_levels):
            if person.id in self.order.excluded:
                excluded.append(person.id)
            elif (stands := there.get(person.id, Presence.OFF)) is Presence.OFF:
                off.append(person.id)
            else:
                rows.append(self.row(person, stands))
        rows.sort(key=lambda row: row.rank)
        return LevelTable(number, level.group, level.rota, tuple(rows), tuple(off), tuple(excluded))

    def row(self, person: Person, stands: Presence) -> Row:
        """Judge one person."""
        name, record = self.work_class, self.history.record(person.id)
        good, bad = record.tallies.get(name, _NO_TALLY).as_of(self.now)
        busy_at = record.busy_at
        facts = Facts(
            person=person.id,
            presence=stands,
            declared=_declared(person.skills, name),
            good=good,
            bad=bad,
            load=self.workload.load_of(person.id, self.now),
            capacity=person.capacity,
            idle_seconds=None if busy_at is None else max(self.now - busy_at, 0.0),
            knows=any(
                cause and self.now - record.causes.get(cause, float("-inf")) <= KNOWN_SECONDS
                for cause in self.order.causes
            ),
        )
        return judge(facts, self.weights)

    def decision(self, chosen: str, level: int, group: str, path: str, tables: Iterable[LevelTable]) -> Decision:
        order = self.order
        return Decision(
            incident_id=order.incident_id,
            chosen=chosen,
            level=level,
            group=group,
            path=path,
            work_class=self.work_class,
            priority=order.priority,
            at=self.now,
            weights=self.weights,
            tables=tuple(tables),
        )


def _declared(skills: Mapping[str, float], work_class: str) -> float | None:
    """Return the declared skill for a class, else for what it is a part of ("db" for "db.oracle"), None = not said."""
    name = work_class
    while name:
        if name in skills:
            return skills[name]
        name = name.rpartition(".")[0]
    return skills.get(DEFAULT_CLASS)


def decision_document(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON values, with all that it was made by."""
    return {
        "incident": decision.incident_id,
        "chosen": decision.chosen,
        "level": decision.level,
        "group": decision.group,
        "path": decision.path,
        "class": decision.work_class,
        "priority": int(decision.priority),
        "at": decision.at,
        "weights": asdict(decision.weights),
        "manual": decision.manual,
        "reason": decision.reason,
        "tables": [
            {
                "level": table.level,
                "group": table.group,
                "rota": table.rota,
                "rows": [row_document(row) for row in table.rows],
                "off": list(table.off),
                "excluded": list(table.excluded),
            }
            for table in decision.tables
        ],
    }


def decision_from(document: Mapping[str, Any]) -> Decision:
    """Return what decision_document wrote."""
    return Decision(
        incident_id=document["incident"],
        chosen=document["chosen"],
        level=document["level"],
        group=document["group"],
        path=document["path"],
        work_class=document["class"],
        priority=Priority(document["priority"]),
        at=document["at"],
        weights=Weights(**document["weights"]),
        manual=document["manual"],
        reason=document["reason"],
        tables=tuple(
            LevelTable(
                level=table["level"],
                group=table["group"],
                rota=table["rota"],
                rows=tuple(row_from(row) for row in table["rows"]),
                off=tuple(table["off"]),
                excluded=tuple(table["excluded"]),
            )
            for table in document["tables"]
        ),
    )


def replayed(decision: Decision) -> str:
    """Return whom the table's facts give again by the rules, whoever was chosen; "" = nobody."""
    for table in decision.tables:
        row = best([judge(row.facts, decision.weights) for row in table.rows])
        if row is not None:
            return row.person
    return ""

"""Random lives of an incident, and what must be true of every step of them.

`python -m tests.itsm.story EVENTS` tells so many events by hand and prints how often each kind happened.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from btimd.itsm.deadlines import Promise
from btimd.itsm.lifecycle import LIVE, TIMED, Publish, StartTimer, Step, StopTimer, step
from btimd.itsm.moment import LifecycleConfig, NoDispatcher, Tell
from btimd.itsm.replay import dispatches, rebuild
from btimd.itsm.timers import TimerName, allowed
from btimd.itsm.triggers import (
    Absorb,
    Accept,
    AskSurvey,
    Assign,
    Cancel,
    Comment,
    Confirm,
    Escalate,
    ExternalUpdate,
    ExternalWish,
    ForceEscalate,
    Hold,
    LetGo,
    MergeInto,
    Observe,
    Pend,
    PeopleChanged,
    Reassess,
    Referenced,
    Reject,
    Release,
    ReportClear,
    Resolve,
    Resume,
    Return,
    SetPriority,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
)
from btimd.model.incident import (
    ActorRole,
    ClockStatus,
    ClosingReport,
    CommandRefusedError,
    Difficulty,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    IncidentState,
    Priority,
    Urgency,
)
from btimd.model.ports import TellKind
from tests.itsm.examples import DAY, REPORT, T0, incident_after, report
from tests.itsm.people import Team

NAMES: Final = ("ann", "bob", "cai", "dan", "eve")
OWNED: Final = frozenset({IncidentState.DISPATCHED, IncidentState.ACCEPTED, IncidentState.PENDING})
PARENT: Final = incident_after(report(incident_id="INC-20231114-0002", fingerprint="host-1/down", cause="host-1"))
CLOSINGS: Final = (
    None,
    ClosingReport(cause="a leak", node="host-1", category="db", effort_minutes=45),
    ClosingReport(action="restarted"),
)
_WAITED_FOR: Final = {
    IncidentState.HELD: {"hold"},
    IncidentState.DISPATCHED: {"accept"},
    IncidentState.ACCEPTED: {"stage", "stage-grace"},
    IncidentState.PENDING: {"pending"},
    IncidentState.STALLED: {"centre"},
    IncidentState.RESOLVED: {"reopen"},
}


class Story:
    """One incident's life; `tell` lets one more thing happen and checks it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.team = Team() if self.dice.random() < 0.8 else None
        self.config = LifecycleConfig(
            reopen_within=self.dice.choice([None, 600.0, DAY]),
            auto_resolve=self.dice.random() < 0.5,
            promise=self.dice.choice([lambda _: Promise(), lambda _: Promise(0.0, 0.0), lambda _: Promise(300.0)]),
            max_candidates=self.dice.choice([1, 2, 3]),
            dispatch_cleared=self.dice.random() < 0.5,
            pending_stops_clock=self.dice.random() < 0.5,
            escalate_response_percent=self.dice.choice([0, 75]),
            escalate_resolution_percent=self.dice.choice([0, 90]),
            digest_seconds=self.dice.choice([0.0, 300.0]),
        )
        self.now = T0
        self.incident: Incident | None = None
        self.events: list[IncidentEvent] = []
        self.index: dict[str, float] = {}
        self.refused = 0
        self.centre_told = False

    def tell(self) -> str:
        """Let something happen; return its kind, "" where it was refused."""
        if self.dice.random() < 0.35:
            self.now += self.dice.choice([0.0, 1.0, 60.0, 300.0, 3600.0, 20_000.0, DAY])
        due = sorted((at, name) for name, at in self.index.items() if at <= self.now)
        if due and self.dice.random() < 0.8:
            trigger: Trigger = TIMED[TimerName(due[0][1])]()
        else:
            if self.team is not None:
                self.team.away = {name for name in NAMES if self.dice.random() < 0.3}
            trigger = self._trigger()
        try:
            made = step(self.incident, trigger, self.now, self.config, self.team or NoDispatcher())
        except CommandRefusedError:
            assert not (due and type(trigger) is TIMED[TimerName(due[0][1])]), f"a timer found nothing to do: {due[0]}"
            self.refused += 1
            return ""
        self._check(made, trigger)
        self.incident = made.incident
        self.events.extend(made.events)
        return made.events[0].kind

    def _trigger(self) -> Trigger:
        made = self.dice.choice(_MAKERS)(self.dice, self.now, self.incident)
        roles = self.dice.choice([None, frozenset[ActorRole](), frozenset({ActorRole.CENTRE})])
        return replace(made, roles=roles)

    def _check(self, made: Step, trigger: Trigger) -> None:
        before, after, event = self.incident, made.incident, made.events[0]
        late = {"survey", "survey-asked", "survey-reminded", "unmerged", "referenced"}
        assert before is None or before.state in LIVE or event.kind in late, "final states are final"
        assert after.version == event.seq == (0 if before is None else before.version) + 1
        assert (event.from_state, event.to_state) == (None if before is None else before.state, after.state)
        self._check_people(before, after, made)
        self._check_timers(after, made)
        self._check_clocks(before, after)
        if after.state in {IncidentState.RESOLVED, IncidentState.CLOSED}:
            assert len(after.closing_report) >= 20, "every end has a report"
            assert after.resolved_at is not None
        if before is not None and before.state is not IncidentState.RESOLVED:
            may_sink = {"priority-set"} if before.priority_is_manual or before.state is not IncidentState.NEW else {
                "priority-set", "reported", "reassessed",
            }  # fmt: skip
            assert after.priority <= before.priority or event.kind in may_sink
        if trigger.roles == frozenset() and type(trigger) in {Cancel, Hold, Assign, ForceEscalate, SetPriority}:
            raise AssertionError("only the centre may do that")

    def _check_people(self, before: Incident | None, after: Incident, made: Step) -> None:
        tells = [effect for effect in made.effects if isinstance(effect, Tell)]
        assert (after.dispatch is not None) == (after.state is IncidentState.DISPATCHED)
        if after.state.is_open:
            assert bool(after.assignee) == (after.state in OWNED)
        if after.dispatch is not None:
            assert after.dispatch.person == after.assignee
            if before is None or before.dispatch is None or before.dispatch.id != after.dispatch.id:
                assert any(tell.kind is TellKind.ORDER and tell.to == after.assignee for tell in tells)
                chosen = not after.dispatch.by_hand and made.events[0].kind != "reopened"
                assert not (chosen and after.assignee in after.excluded), "who had it once gets it by hand only"
        if before is not None and made.events[0].details.get("outcome") in {"timeout", "returned"}:
            assert before.assignee in after.excluded
        if before is not None and before.dispatch is not None and after.dispatch != before.dispatch:
            was = before.dispatch
            still = after.dispatch is not None and after.dispatch.id == was.id
            assert still or made.events[0].details["ended_dispatch"] == was.id, "every order ends audibly"
        entered = before is None or before.state is not after.state
        if after.state is IncidentState.STALLED and entered:
            assert any(tell.kind is TellKind.CENTRE for tell in tells), "never silent"
        assert all(tell.to or tell.kind in {TellKind.CENTRE, TellKind.WATCHERS} for tell in tells)
        self.centre_told |= any(tell.kind is TellKind.CENTRE for tell in tells)

    def _check_timers(self, after: Incident, made: Step) -> None:
        for effect in made.effects:
            if isinstance(effect, StartTimer):
                self.index[effect.name] = effect.due_at
            elif isinstance(effect, StopTimer):
                del self.index[effect.name]  # never one that does not run
            else:
                assert isinstance(effect, Publish | Tell)
        assert self.index == {timer.name: timer.due_at for timer in after.timers}
        assert self.index.keys() <= allowed(after.state)
        assert all(1 <= timer.generation <= after.version for timer in after.timers)
        wanted = _WAITED_FOR.get(after.state)
        assert wanted is None or wanted & self.index.keys(), "every state that is not NEW ends by itself"
        if after.state is IncidentState.NEW and self.team is not None and "wait" not in self.index:
            assert self.centre_told, "a new incident is dispatched, or somebody knows that it is not"
        if after.dispatch is not None:
            assert self.index["accept"] == after.dispatch.accept_by

    @staticmethod
    def _check_clocks(before: Incident | None, after: Incident) -> None:
        for name in ("response", "resolution"):
            clock = getattr(after, name)
            if clock.status is ClockStatus.RUNNING:
                assert clock.due_at is not None
                assert clock.ended_at is None
                assert after.state.is_open
            if clock.status in {ClockStatus.MET, ClockStatus.STOPPED}:
                assert clock.ended_at is not None
            if clock.status is ClockStatus.PAUSED:
                assert after.state is IncidentState.PENDING
            was = getattr(before, name) if before is not None else clock
            if was.status is clock.status is ClockStatus.RUNNING and before is not None and before.state.is_open:
                assert clock.due_at <= was.due_at, "no deadline moves away"
            if was.status is ClockStatus.BREACHED:
                assert clock.status is ClockStatus.BREACHED, "a broken promise stays broken"

    def check_replay(self) -> None:
        """Check that the timeline adds up to the row, and that it tells of every order."""
        assert rebuild(self.events) == self.incident
        if self.incident is not None:
            orders = dispatches(self.events)
            assert [one.dispatch.number for one in orders] == list(range(1, self.incident.dispatch_count + 1))
            waiting = [one.dispatch for one in orders if one.outcome is None]
            assert waiting == ([self.incident.dispatch] if self.incident.dispatch else [])


Maker = Callable[[random.Random, float, Incident | None], Trigger]


def _actor(dice: random.Random, incident: Incident | None) -> str:
    if incident is not None and incident.assignee and dice.random() < 0.7:
        return incident.assignee
    return dice.choice(NAMES)


def _hit(dice: random.Random) -> ImpactAssessment:
    names = tuple(name for name in ("erp", "hr", "mail") if dice.random() < 0.4)
    return ImpactAssessment(names, names[:1], dice.choice([None, 3, 40, 500]), users_exact=dice.random() < 0.5)


def _report(dice: random.Random, _now: float, _incident: Incident | None) -> Trigger:
    return report(
        actor=dice.choice(["btimd", "eve"]),
        impact=dice.choice(list(Impact)),
        urgency=dice.choice(list(Urgency)),
        assessment=_hit(dice),
        by_human=dice.random() < 0.3,
        priority=dice.choice([None, None, *Priority]),
        fingerprint=dice.choice(["erp-db/down", "other/slow"]),
        verdict_id=dice.choice(["", "D1"]),
        difficulty=dice.choice(list(Difficulty)),
    )


def _clear(dice: random.Random, _now: float, _incident: Incident | None) -> Trigger:
    return ReportClear(remaining=dice.choice([0, 0, 1]))


def _reassess(dice: random.Random, _now: float, _incident: Incident | None) -> Trigger:
    return Reassess(
        impact=dice.choice(list(Impact)),
        urgency=dice.choice(list(Urgency)),
        assessment=_hit(dice),
        cause="users",
        covers_all=dice.random() < 0.5,
    )


def _external(dice: random.Random, _now: float, _incident: Incident | None) -> Trigger:
    return ExternalUpdate(
        actor=dice.choice(["btimd", *NAMES]),
        target="rt",
        reference="4711",
        seq=dice.randrange(30),
        wish=dice.choice(list(ExternalWish)),
        text=dice.choice(["", "the fan was dead"]),
    )


_MAKERS: Final[tuple[Maker, ...]] = (
    _report,
    _report,
    _clear,
    _reassess,
    _external,
    lambda d, _, i: Accept(actor=_actor(d, i)),
    lambda d, _, i: Accept(actor=_actor(d, i)),
    lambda d, _, i: Resolve(
        actor=_actor(d, i),
        closing_report=d.choice(["short", REPORT]),
        override_reason="lag",
        closing=d.choice(CLOSINGS),
    ),
    lambda d, _, i: Confirm(actor=_actor(d, i)),
    lambda d, _, i: Cancel(actor=_actor(d, i), reason=d.choice(["", "", "", "drill"])),
    lambda d, _, i: Comment(actor=_actor(d, i), text="hm"),
    lambda d, _, i: SetPriority(actor=_actor(d, i), priority=d.choice(list(Priority)), reason=d.choice(["", "vip"])),
    lambda d, _, i: MergeInto(actor=_actor(d, i), parent=d.choice([PARENT, i or PARENT]), reason="same"),
    lambda d, _, i: Unmerge(actor=_actor(d, i), parent=PARENT, reason="not the same"),
    lambda _d, _n, _i: Absorb(child=PARENT, reason=""),
    lambda _d, _n, _i: LetGo(child=PARENT, reason=""),
    lambda _d, _n, _i: Observe(text="resets"),
    lambda _d, _n, _i: PeopleChanged(),
    lambda d, _, _i: Referenced(target=d.choice(["rt", "jira"]), reference="4711"),
    lambda d, _, i: Hold(actor=_actor(d, i), reason=d.choice(["", "wait for news"])),
    lambda d, _, i: Release(actor=_actor(d, i)),
    lambda d, _, i: Assign(actor=_actor(d, i), person=d.choice([*NAMES, ""]), reason=d.choice(["", "knows it"])),
    lambda d, _, i: Return(actor=_actor(d, i), reason=d.choice(["", "not mine"])),
    lambda d, _, i: Transfer(actor=_actor(d, i), person=d.choice(NAMES), reason="on leave"),
    lambda d, _, i: Escalate(actor=_actor(d, i), reason="too hard"),
    lambda d, _, i: ForceEscalate(actor=_actor(d, i), reason="urgent", level=d.choice([0, 0, 1, 2, 3])),
    lambda d, n, i: StageReport(actor=_actor(d, i), text=REPORT, next_at=d.choice([None, n, n + 60])),
    lambda d, n, i: Pend(actor=_actor(d, i), reason="vendor", until=n + d.choice([0.0, 60.0, 9000.0])),
    lambda d, n, i: Pend(actor=_actor(d, i), reason="vendor", until=n + d.choice([60.0, 9000.0])),
    lambda d, _, i: Resume(actor=_actor(d, i)),
    lambda d, _, i: Reject(actor=_actor(d, i), reason="still broken"),
    lambda d, _, i: Survey(actor=_actor(d, i), score=d.randrange(7)),
    lambda d, _n, _i: AskSurvey(reminder=d.random() < 0.5),
)


def tell(seed: int, events: int, kinds: Counter[str] | None = None) -> Story:
    """Return a story of so many happenings, all checked."""
    story = Story(seed)
    for _ in range(events):
        kind = story.tell()
        if kinds is not None and kind:
            kinds[kind] += 1
    story.check_replay()
    return story


def main(wanted: int) -> None:
    """Tell stories until so many events have happened."""
    kinds: Counter[str] = Counter()
    seed = refused = 0
    while kinds.total() < wanted:
        refused += tell(seed, 120, kinds).refused
        seed += 1
    print(f"{kinds.total()} events in {seed} stories, {refused} refusals, every invariant held")  # noqa: T201  a tool for people
    for kind, count in kinds.most_common():
        print(f"{count:9} {kind}")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))

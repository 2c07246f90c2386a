"""What one package found reaches those that act on it: who is told what, in which order, and what a stop leaves."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from typing_extensions import override

from btimd.daemon.decisions import Decisions
from btimd.flows.deviation import DeviationCleared, DeviationOpened
from btimd.model.deviation import Deviation, DeviationKind, Indicator
from btimd.model.evidence import Finding, Observation
from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Incident, IncidentState, Urgency
from btimd.model.ports import Exporter, OnlineUser, SpanInterface
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import BusinessService, Check, CheckKind, Criticality, Node, NodeKind, ServiceGraph
from btimd.model.sla import Availability
from btimd.model.symptom import Symptom
from btimd.model.users import UserCount
from btimd.model.verdict import Evidence, Verdict, VerdictStatus
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from tests.fakes.views import EXPORTER, INCIDENT, SPAN, USER, FakeFlows
from tests.patience import PATIENCE_SECONDS

PAGE = Check("erp-page", "erp", CheckKind.TCP, "127.0.0.1", 80, every_seconds=5.0)
SQL = Check("db1-sql", "db1", CheckKind.TCP, "127.0.0.1", 81, every_seconds=5.0)
PORT = Check("db1-port", "db1", CheckKind.TCP, "127.0.0.1", 82)
GRAPH = ServiceGraph(
    {
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("db1",), (PAGE,)),
        "hr": Node("hr", NodeKind.BUSINESS, "HR", ("db1",)),
        "db1": Node("db1", NodeKind.DATABASE, "Database", (), (SQL, PORT)),
    },
    {"erp": BusinessService("erp", "ERP", criticality=Criticality.HIGH), "hr": BusinessService("hr", "HR")},
)
CLOCK = ManualClock(now=2000.0)
SYMPTOM = Symptom("s1", "erp-page", "erp", ErrorClass.TIMEOUT, "no page", since=1990.0, seen_at=1992.0)


def verdict(name: str, cause: str = "db1", businesses: tuple[str, ...] = ("erp",)) -> Verdict:
    return Verdict(
        id=name, symptoms=("s1",), symptom_nodes=("erp",), status=VerdictStatus.CAUSE_FOUND, cause=cause,
        cause_error=ErrorClass.REFUSED, path=("erp", cause), confidence=0.9, ranked=(), evidence=(),
        businesses=businesses, probes_used=2, started_at=1990.0, ended_at=1993.0, seconds_taken=3.0, summary="db1",
    )  # fmt: skip


def result(check: Check, health: Health) -> ProbeResult:
    return ProbeResult(ProbeSpec(1, check), health, ErrorClass.NONE, "", 1999.0, 0.1)


@dataclass
class Accounts:
    """Keeps what it was told."""

    told: list[tuple[str, str, float, str, str]] = field(default_factory=list)
    users: list[tuple[str, int, bool]] = field(default_factory=list)

    def business_state(
        self,
        business: str,
        availability: Availability,
        now: float,
        *,
        cause: str = "",
        incident_id: str = "",
        users: int | None = None,
        users_exact: bool = False,
    ) -> None:
        self.told.append((business, availability.value, now, cause, incident_id))
        if users is not None:
            self.users.append((business, users, users_exact))


@dataclass
class Diagnosis:
    """Keeps what it was told."""

    told: list[object] = field(default_factory=list)

    def result(self, result: ProbeResult) -> None:
        self.told.append((result.spec.check.id, result.health))

    def symptom_opened(self, symptom: Symptom) -> None:
        self.told.append(("opened", symptom.id))

    def symptom_cleared(self, symptom: Symptom) -> None:
        self.told.append(("cleared", symptom.id))


@dataclass
class Desk:
    """Keeps what it was told; each step ends when the gate is open, and fails where it is told to."""

    told: list[object] = field(default_factory=list)
    difficulties: list[Difficulty] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    async def verdict(
        self,
        verdict: Verdict,
        assessment: ImpactAssessment,
        impact: Impact,
        urgency: Urgency,
        difficulty: Difficulty = Difficulty.LOW,
    ) -> Incident:
        self.begun.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.difficulties.append(difficulty)
        self.told.append(("verdict", verdict.id, assessment, impact, urgency))
        return INCIDENT

    async def cleared(self, verdict: Verdict) -> None:
        self.begun.set()
        await self.gate.wait()
        self.told.append(("cleared", verdict.id))

    async def observed(self, business: str, text: str, notes: Mapping[str, str]) -> None:
        self.told.append((business, text, notes))


@dataclass
class Crowd(FakeFlows):
    """Users of several businesses."""

    crowd: Sequence[OnlineUser] = ()
    exporting: Sequence[Exporter] = (EXPORTER,)
    captured: Sequence[SpanInterface] = ()

    @override
    def exporters(self) -> Sequence[Exporter]:
        return self.exporting

    @override
    def spans(self) -> Sequence[SpanInterface]:
        return self.captured

    @override
    def user_counts(self, **_: object) -> Sequence[UserCount]:
        states: dict[tuple[str, str], list[str]] = {}
        for user in self.crowd:
            states.setdefault((user.business, user.region), []).append(user.state)
        return [
            UserCount(
                business, region, "", "",
                active=found.count("active"), idle=found.count("idle"), gone=found.count("gone"),
                persons=0, octets=0, octets_per_second=0.0,
            )
            for (business, region), found in states.items()
        ]  # fmt: skip


@dataclass
class World:
    """Decisions among fakes."""

    flows: Crowd = field(default_factory=Crowd)
    rca: Diagnosis = field(default_factory=Diagnosis)
    desk: Desk = field(default_factory=Desk)
    sla: Accounts = field(default_factory=Accounts)
    rechecked: list[str] = field(default_factory=list)
    hit: list[tuple[Sequence[str], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.decisions = Decisions(
            graph=GRAPH,
            flows=self.flows,
            rca=self.rca,
            incidents=self.desk,
            sla=self.sla,
            recheck=lambda check: self.rechecked.append(check.id),
            on_symptom=lambda businesses, now: self.hit.append((businesses, now)),
            clock=CLOCK,
            log=Log("test"),
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give Decisions whose worker runs."""
    made = World()
    await made.decisions.start()
    work = asyncio.create_task(made.decisions.run())
    yield made
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await made.decisions.stop()


async def done(world: World, count: int) -> list[Any]:
    """Return what the desk was told, once it is so much."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(world.desk.told) < count:  # noqa: ASYNC110  the desk has no event for "so much"
            await asyncio.sleep(0.001)
    return world.desk.told


async def test_a_sample_of_a_business_goes_to_its_account_and_to_the_diagnosis(world: World) -> None:
    world.decisions.result(result(PAGE, Health.GOOD))
    world.decisions.result(result(SQL, Health.GOOD))
    world.decisions.result(result(PAGE, Health.BAD))

    assert world.sla.told == [("erp", "up", 2000.0, "", ""), ("erp", "up", 2000.0, "", "")]
    assert world.rca.told == [("erp-page", "good"), ("db1-sql", "good"), ("erp-page", "bad")]


async def test_a_symptom_is_told_with_the_businesses_that_need_its_node(world: World) -> None:
    world.decisions.symptom_opened(SYMPTOM)
    world.decisions.symptom_opened(replace(SYMPTOM, id="s2", check_id="db1-sql", node="db1"))

    assert world.hit == [(("erp",), 2000.0), (("erp", "hr"), 2000.0)]


async def test_what_packets_showed_goes_to_the_desk_and_nothing_does_while_btimd_stops(world: World) -> None:
    seen = Observation("http", "503", "10.2.0.10:80", 14, 20, 1_990_000)
    world.decisions.found(Finding("erp", "a.pcapng", 40, 1_980_000, 1_999_000, (seen, replace(seen, value="500"))))
    world.decisions.found(Finding("hr", "b.pcapng", 7))
    told = await done(world, 2)
    world.decisions.close()
    world.decisions.found(Finding("hr", "c.pcapng", 7))
    await world.decisions.stop()

    assert told == [
        (
            "erp",
            "packets of erp: HTTP 503 in 14 of 20 answers of 10.2.0.10:80; HTTP 500 in 14 of 20 answers of 10.2.0.10:80",
            {"evidence_file": "a.pcapng", "packets": "40", "problem": ""},
        ),
        (
            "hr",
            "packets of hr: nothing wrong in 7 packets",
            {"evidence_file": "b.pcapng", "packets": "7", "problem": ""},
        ),
    ]


async def test_a_business_is_down_since_the_first_bad_sample_and_up_from_the_next_good_one(world: World) -> None:
    world.decisions.symptom_opened(SYMPTOM)
    world.decisions.result(result(PAGE, Health.GOOD))
    world.decisions.symptom_cleared(SYMPTOM)

    assert world.sla.told == [
        ("erp", "down", 1990.0, "", ""),
        ("erp", "down", 2000.0, "", ""),
        ("erp", "up", 2000.0, "", ""),
    ]
    assert world.rca.told == [("opened", "s1"), ("erp-page", "good"), ("cleared", "s1")]


async def test_a_symptom_of_a_component_is_nothing_to_the_accounts(world: World) -> None:
    world.decisions.symptom_opened(replace(SYMPTOM, node="db1", check_id="db1-sql"))

    assert (world.sla.told, world.rca.told) == ([], [("opened", "s1")])


async def test_verdicts_and_their_ends_become_durable_in_the_order_they_came(world: World) -> None:
    world.desk.gate.clear()
    world.decisions.verdict(verdict("a"))
    world.decisions.cleared(verdict("a"))
    world.decisions.verdict(verdict("b"))
    world.decisions.cleared(verdict("b"))
    world.desk.gate.set()

    assert [(kind, name) for kind, name, *_ in await done(world, 4)] == [
        ("verdict", "a"), ("cleared", "a"), ("verdict", "b"), ("cleared", "b"),
    ]  # fmt: skip


async def test_what_only_the_diagnosis_found_bad_is_looked_at_again_when_the_trouble_is_over(world: World) -> None:
    evidence = tuple(
        Evidence(check_id, "db1", health, ErrorClass.NONE, "", "", 0.5, 1.5, 1991.0)
        for check_id, health in (("db1-port", Health.BAD), ("db1-sql", Health.BAD), ("erp-page", Health.GOOD))
    )

    world.decisions.cleared(replace(verdict("v1"), evidence=evidence))

    assert world.rechecked == ["db1-port"]


async def test_users_on_line_are_counted_by_region_where_flows_are_seen(world: World) -> None:
    world.flows.crowd = [
        replace(USER, address="10.1.0.1", region="north"),
        replace(USER, address="10.1.0.2", region="north", state="idle"),
        replace(USER, address="10.1.0.3", region="north", state="gone"),
        replace(USER, address="10.2.0.1", region=""),
        replace(USER, address="10.2.0.1", region="south", business="hr"),
    ]
    world.decisions.verdict(verdict("a"))

    hit = ImpactAssessment(("erp",), ("north",), 3, users_exact=True)
    assert await done(world, 1) == [("verdict", "a", hit, Impact.HIGH, Urgency.HIGH)]


async def test_users_are_not_known_where_nobody_exports_flows(world: World) -> None:
    world.flows.crowd, world.flows.exporting = [USER], ()
    world.decisions.verdict(verdict("a"))

    hit = ImpactAssessment(("erp",), (), None, users_exact=False)
    assert await done(world, 1) == [("verdict", "a", hit, Impact.MEDIUM, Urgency.HIGH)]


async def test_users_are_known_where_packets_are_captured_though_nobody_exports_flows(world: World) -> None:
    world.flows.crowd, world.flows.exporting = [replace(USER, business="erp", state="active")], ()
    world.flows.captured = (SPAN,)
    world.decisions.verdict(verdict("a"))

    [told] = await done(world, 1)
    assert told[2].users == 1


async def test_less_traffic_than_usual_is_a_symptom_without_being_an_outage(world: World) -> None:
    drop = Deviation(
        id="erp/north/traffic/drop/1", business="erp", region="north", indicator=Indicator.TRAFFIC,
        kind=DeviationKind.DROP, value=41e6, expected=87e6, low=80e6, high=95e6, score=1.5, since=1900.0,
        seen_at=1990.0, text="ERP, region north: traffic 41 Mbit/s",
    )  # fmt: skip
    world.decisions.deviation(DeviationOpened(drop))
    world.decisions.deviation(DeviationCleared(drop))

    assert world.rca.told == [("opened", drop.id), ("cleared", drop.id)]
    assert {condition for _, condition, *_ in world.sla.told} <= {"unknown"}
    assert await done(world, 1) == [("erp", drop.text, {"deviation": drop.id})]


async def test_more_traffic_than_usual_is_shown_and_no_symptom(world: World) -> None:
    rise = Deviation(
        id="x", business="erp", region="north", indicator=Indicator.TRAFFIC, kind=DeviationKind.RISE, value=41e6,
        expected=20e6, low=10e6, high=30e6, score=1.5, since=1900.0, seen_at=1990.0, text="much",
    )  # fmt: skip
    world.decisions.deviation(DeviationOpened(rise))

    assert world.rca.told == []


async def test_a_change_of_a_device_stands_on_the_timelines_of_the_businesses_that_run_over_it(world: World) -> None:
    world.decisions.device_changed("core", "Gi0/1 went down", ["erp"])

    assert await done(world, 1) == [("erp", "core: Gi0/1 went down", {"device": "core"})]


async def test_the_incident_is_written_into_the_outages_it_explains(world: World) -> None:
    world.decisions.symptom_opened(SYMPTOM)
    incident = replace(INCIDENT, assessment=ImpactAssessment(("erp", "hr", "gone")), cause="db1")
    world.decisions.incident_changed(incident)
    world.decisions.incident_changed(replace(incident, id="I-2", state=IncidentState.RESOLVED))
    world.decisions.incident_changed(replace(incident, id="I-3", state=IncidentState.CLOSED))
    world.decisions.incident_changed(replace(incident, id="I-4", state=IncidentState.MERGED))

    assert world.sla.told == [
        ("erp", "down", 1990.0, "", ""),
        ("erp", "down", 2000.0, "db1", "I-1"),
        ("erp", "down", 2000.0, "db1", "I-2"),
    ]


async def test_an_incident_of_a_business_that_works_changes_no_account(world: World) -> None:
    world.decisions.result(result(PAGE, Health.GOOD))
    world.decisions.incident_changed(replace(INCIDENT, assessment=ImpactAssessment(("erp",))))

    assert world.sla.told == [("erp", "up", 2000.0, "", "")]


async def test_another_graph_counts_from_the_next_event_on(world: World) -> None:
    smaller = ServiceGraph({"hr": Node("hr", NodeKind.BUSINESS, "HR")}, {"hr": BusinessService("hr", "HR")}, 2)
    world.decisions.swap(smaller)
    world.decisions.symptom_opened(SYMPTOM)
    world.decisions.verdict(verdict("a", businesses=("erp", "hr")))

    assert world.decisions.graph is smaller
    assert world.sla.told == []
    assert (await done(world, 1))[0][2].businesses == ("hr",)


async def test_a_stop_ends_the_decision_that_has_begun_and_does_the_rest_in_order() -> None:
    world = World()
    world.desk.gate.clear()
    work = asyncio.create_task(world.decisions.run())
    world.decisions.verdict(verdict("a"))
    world.decisions.cleared(verdict("a"))
    world.decisions.verdict(verdict("b"))
    await asyncio.wait_for(world.desk.begun.wait(), PATIENCE_SECONDS)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    stopping = asyncio.create_task(world.decisions.stop())
    world.desk.gate.set()
    await stopping
    await world.decisions.stop()

    assert [(kind, name) for kind, name, *_ in await done(world, 3)] == [
        ("verdict", "a"), ("cleared", "a"), ("verdict", "b"),
    ]  # fmt: skip


async def test_what_a_diagnosis_makes_of_probes_that_the_stop_broke_off_becomes_nothing(world: World) -> None:
    world.decisions.result(result(PAGE, Health.GOOD))
    world.decisions.close()
    world.decisions.result(result(PAGE, Health.UNKNOWN))
    world.decisions.symptom_opened(SYMPTOM)
    world.decisions.symptom_cleared(SYMPTOM)
    world.decisions.verdict(verdict("a"))
    world.decisions.cleared(verdict("a"))
    await world.decisions.stop()

    assert (world.desk.told, world.sla.told) == ([], [("erp", "up", 2000.0, "", "")])
    assert world.rca.told == [("erp-page", "good")]


async def test_a_journal_that_refuses_ends_the_worker_and_does_not_keep_the_stop_from_the_rest() -> None:
    world = World()
    world.desk.failure = OSError("the disk is full")
    world.decisions.verdict(verdict("a"))
    world.decisions.cleared(verdict("b"))
    with pytest.raises(OSError, match="the disk is full"):
        await world.decisions.run()
    await world.decisions.stop()

    assert world.desk.told == [("cleared", "b")]


async def test_it_warns_where_the_journal_does_not_keep_up() -> None:
    world = World()
    for _ in range(100):
        world.decisions.cleared(verdict("a"))
    assert world.decisions.health() == ComponentHealth()

    world.decisions.cleared(verdict("a"))
    assert world.decisions.health() == ComponentHealth(
        HealthLevel.WARNING, "101 decisions wait for the journal; is its disk slow?"
    )
    await world.decisions.stop()
    assert (len(world.desk.told), world.decisions.health()) == (101, ComponentHealth())

from dataclasses import replace

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.capsule import Capsule
from btimd.rca.engine import Engine
from btimd.rca.events import ProbeDone, ReportVerdict, RunProbe, SymptomSeen, Tick, VerdictExtended
from btimd.rca.graph import GraphIndex
from btimd.rca.replay import Recorder, differences, replay
from tests.rca.test_engine import FAULTS, broken
from tests.rca.worlds import World, enterprise, graph_of, node, shop

NOW = 1000.0


def recorded(world: World, *, limit: int = 1000, engine: Engine | None = None, now: float = NOW) -> list[Capsule]:
    """Diagnose a world and return the capsules of its verdicts."""
    engine = engine if engine is not None else Engine(world.graph)
    recorder = Recorder(limit, "test")
    capsules: list[Capsule] = []
    pending: list[ProbeSpec] = []

    def feed(event: SymptomSeen | ProbeDone | Tick, at: float) -> None:
        recorder.before(engine, event, at)
        for command in engine.handle(event, at):
            if isinstance(command, RunProbe):
                pending.append(command.spec)
            if isinstance(command, ReportVerdict | VerdictExtended):
                capsule = recorder.capsule(command.verdict)
                assert capsule is not None
                capsules.append(capsule)

    for symptom in world.symptoms(now):
        feed(SymptomSeen(symptom), now)
    while engine.running:
        if pending:
            now += 0.02
            feed(ProbeDone(world.answer(pending.pop(0), now)), now)
        else:
            now = engine.next_deadline() or now
            feed(Tick(), now)
    return capsules


@pytest.mark.parametrize(("mode", "name"), FAULTS[::4])
def test_every_diagnosis_can_be_made_again_from_its_capsule(mode: str, name: str) -> None:
    (capsule,) = recorded(broken(mode, name, 1))
    assert capsule.complete
    assert differences(capsule.verdict, replay(capsule)) == ()
    assert replay(capsule) == capsule.verdict


def test_what_was_known_before_is_part_of_the_capsule() -> None:
    graph = enterprise()
    engine = Engine(graph)
    recorded(World(graph, dead=frozenset(["erp-db"])), engine=engine)
    spec = ProbeSpec(900, engine.index.checks["hr-app-tcp"])
    engine.observe(ProbeResult(spec, Health.BAD, ErrorClass.REFUSED, "as told", NOW + 59.5, 0.01), NOW + 59.5)
    both = World(graph, dead=frozenset(["erp-db", "hr-app"]))
    first = [symptom for symptom in both.symptoms(NOW + 60) if symptom.node == "hr"]
    both.symptoms = lambda _now, *_checks: first  # type: ignore[method-assign]
    (capsule,) = recorded(both, engine=engine, now=NOW + 60)
    assert capsule.verdict.cause == "hr-app"
    assert len(capsule.state.known) == 1
    assert replay(capsule) == capsule.verdict


def test_a_capsule_that_lost_its_beginning_says_so() -> None:
    (capsule,) = recorded(broken("dead", "erp-db", 1), limit=3)
    assert not capsule.complete
    assert len(capsule.events) == 3


def test_what_differs_is_said_in_words() -> None:
    (capsule,) = recorded(World(shop(), dead=frozenset(["db1"])))
    verdict: Verdict = capsule.verdict
    other = replace(verdict, status=VerdictStatus.SHORTLIST, confidence=0.5, evidence=verdict.evidence[:1])
    assert differences(verdict, other) == (
        "status: cause-found before, shortlist now",
        f"evidence: {', '.join(line.check_id for line in verdict.evidence)} before, {verdict.evidence[0].check_id} now",
        f"confidence: {verdict.confidence:.2f} before, 0.50 now",
    )
    assert differences(verdict, None) == ("there is no verdict",)


def test_over_another_graph_a_capsule_has_no_verdict() -> None:
    (capsule,) = recorded(World(shop(), dead=frozenset(["db1"])))
    elsewhere = graph_of(node("other", "host", "", "icmp"))
    assert replay(replace(capsule, graph=elsewhere, state=replace(capsule.state, answers=()))) is None
    assert GraphIndex(elsewhere).checks.keys() == {"other-icmp"}

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
import pytest_asyncio

from btimd.model.ports import NodeState
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Check
from btimd.model.sign import Change, Sign, SignSource
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.capsule import Capsule
from btimd.rca.component import RcaComponent
from btimd.rca.engine import Engine
from btimd.rca.events import Event, ReportVerdict
from btimd.rca.settings import RcaSettings
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.rca.worlds import World, graph_of, node, shop


class WorldProber:
    """Answers checks from a world when told to."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world = world
        self._clock = clock
        self.waiting: list[tuple[ProbeSpec, Callable[[ProbeResult], None]]] = []

    def submit(self, spec: ProbeSpec, done: Callable[[ProbeResult], None]) -> None:
        self.waiting.append((spec, done))

    async def ask(self, check: Check, why: str) -> ProbeResult:
        return self.world.answer(ProbeSpec(1, check, why), self._clock.wall())

    def answer_all(self) -> None:
        while self.waiting:
            spec, done = self.waiting.pop(0)
            self._clock.advance(0.02)
            done(self.world.answer(spec, self._clock.wall()))


class Bench:
    """A component in a world, with what it told."""

    def __init__(self, world: World) -> None:
        self.clock = ManualClock()
        self.world = world
        self.prober = WorldProber(world, self.clock)
        self.metrics = Metrics()
        self.verdicts: list[Verdict] = []
        self.cleared: list[Verdict] = []
        self.capsules: list[Capsule] = []
        self.rca = RcaComponent(
            settings=RcaSettings(),
            graph=world.graph,
            prober=self.prober,
            metrics=self.metrics,
            clock=self.clock,
            log=Log("rca"),
            on_verdict=self.verdicts.append,
            on_cleared=self.cleared.append,
            on_capsule=self.capsules.append,
        )

    def break_down(self) -> None:
        """Raise the symptoms of the world and answer until the verdict is there."""
        for symptom in self.world.symptoms(self.clock.wall()):
            self.rca.symptom_opened(symptom)
        self.clock.advance(0.3)
        self.rca.tick()
        self.prober.answer_all()


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    built = Bench(World(shop(), dead=frozenset(["db1"])))
    await built.rca.start()
    yield built
    await built.rca.stop()
    await built.rca.stop()


async def test_a_symptom_becomes_a_verdict_and_is_cleared_with_it(bench: Bench) -> None:
    bench.break_down()
    (verdict,) = bench.verdicts
    assert (verdict.status, verdict.cause) == (VerdictStatus.CAUSE_FOUND, "db1")
    assert bench.rca.verdicts(10) == [verdict]
    assert bench.rca.verdicts(0) == []
    (symptom,) = bench.rca.symptoms()
    bench.world.dead = frozenset()
    bench.rca.symptom_cleared(symptom)
    assert (bench.cleared, bench.rca.symptoms()) == ([], ())
    bench.prober.answer_all()
    assert bench.cleared == [verdict]


async def test_a_change_and_a_sign_reach_the_diagnosis(bench: Bench) -> None:
    now = bench.clock.wall()
    bench.rca.changed(Change("db1", "db1 was restarted", now, "snmp"))
    said = "somebody at the console says so"
    bench.rca.signed(Sign("s", "db1", Health.BAD, ErrorClass.EXCEEDED, said, SignSource.SYSLOG, now))
    bench.break_down()
    assert [verdict.cause for verdict in bench.verdicts] == ["db1"]
    (capsule,) = bench.capsules
    assert [type(one.event).__name__ for one in capsule.events][:1] == ["SymptomSeen"]
    assert ([change.node for change in capsule.state.changes], [sign.id for sign in capsule.state.signs]) == (
        ["db1"], ["s"],
    )  # fmt: skip


async def test_what_happens_is_counted(bench: Bench) -> None:
    bench.break_down()
    value = bench.metrics.value
    assert value("btimd_rca_verdicts_total", {"status": "cause-found"}) == 1
    assert value("btimd_rca_probes_total") == bench.verdicts[0].probes_used > 0
    assert value("btimd_rca_time_to_verdict_seconds_count") == 1
    assert value("btimd_rca_probes_per_verdict_sum") == bench.verdicts[0].probes_used
    assert (value("btimd_rca_running_diagnoses"), value("btimd_rca_open_symptoms")) == (0, 1)
    (symptom,) = bench.rca.symptoms()
    bench.rca.symptom_opened(symptom)
    assert value("btimd_rca_ignored_events_total", {"reason": "repeated symptom"}) == 1


async def test_a_recovery_before_the_verdict_is_counted_as_such(bench: Bench) -> None:
    (symptom,) = bench.world.symptoms(bench.clock.wall())
    watching = bench.rca.watch_diagnoses()
    bench.rca.symptom_opened(symptom)
    bench.rca.symptom_cleared(symptom)
    assert bench.metrics.value("btimd_rca_verdicts_total", {"status": "recovered"}) == 1
    assert bench.rca.watch_diagnoses().snapshot == []
    watching.close()
    assert bench.verdicts == []


async def test_the_timer_begins_the_search_by_itself(bench: Bench) -> None:
    (symptom,) = bench.world.symptoms(bench.clock.wall())
    begun = asyncio.Event()
    submit = bench.prober.submit

    def note(spec: ProbeSpec, done: Callable[[ProbeResult], None]) -> None:
        submit(spec, done)
        begun.set()

    bench.prober.submit = note  # type: ignore[method-assign]
    bench.rca.symptom_opened(symptom)
    bench.clock.advance(0.3)
    await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    assert bench.prober.waiting


async def test_a_wall_clock_that_is_set_back_does_not_stall_a_diagnosis(bench: Bench) -> None:
    for symptom in bench.world.symptoms(bench.clock.wall()):
        bench.rca.symptom_opened(symptom)
    bench.clock.now -= 3600.0
    bench.clock.ticks += 0.3
    bench.rca.tick()
    assert len(bench.prober.waiting) == 4


async def test_the_recorded_events_replay_to_the_same_verdict(bench: Bench) -> None:
    bench.break_down()
    (capsule,) = bench.capsules
    engine = Engine.restored(capsule.graph, capsule.state)
    commands = [command for one in capsule.events for command in engine.handle(one.event, one.at)]
    assert commands[-1] == ReportVerdict(bench.verdicts[0])


async def test_node_states_follow_the_answers(bench: Bench) -> None:
    subscription = bench.rca.watch_nodes()
    assert {state.status for state in subscription.snapshot} == {"unknown"}
    result = await bench.rca.run_probe("db1-tcp", "anna")
    assert (result.health, result.spec.why) == (Health.BAD, "asked for by anna")
    changed = [state async for batch in _first(subscription.changes()) for state in batch]
    assert [(state.node, state.status) for state in changed] == [
        ("db1", "bad"), ("erp-app", "degraded"), ("erp-web", "degraded"), ("erp", "degraded"),
    ]  # fmt: skip
    subscription.close()
    with pytest.raises(KeyError):
        await bench.rca.run_probe("nothing", "anna")


async def _first(stream: AsyncIterator[Sequence[NodeState]]) -> AsyncIterator[Sequence[NodeState]]:
    async for item in stream:
        yield item
        return


async def test_a_new_graph_takes_its_nodes_out_of_the_view(bench: Bench) -> None:
    bench.rca.swap(graph_of(node("db1", "database", "", "tcp")))
    assert [state.node for state in bench.rca.node_states()] == ["db1"]
    assert [state.node for state in bench.rca.watch_nodes().snapshot] == ["db1"]
    assert list(bench.rca.graph().nodes) == ["db1"]


async def test_an_engine_that_fails_ends_run_and_begins_anew_with_the_open_symptoms(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (symptom,) = bench.world.symptoms(bench.clock.wall())
    bench.rca.symptom_opened(symptom)
    running = asyncio.create_task(bench.rca.run())

    def broken(_engine: Engine, _event: Event, _now: float) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "handle", broken)
        bench.rca.tick()
    assert bench.rca.health().level is HealthLevel.ERROR
    with pytest.raises(ZeroDivisionError):
        await running
    await bench.rca.start()
    assert bench.rca.health().level is HealthLevel.OK
    bench.clock.advance(0.3)
    bench.rca.tick()
    bench.prober.answer_all()
    assert [verdict.cause for verdict in bench.verdicts] == ["db1"]


async def test_run_ends_when_stopped(bench: Bench) -> None:
    running = asyncio.create_task(bench.rca.run())
    await asyncio.sleep(0)
    await bench.rca.stop()
    await asyncio.wait_for(running, PATIENCE_SECONDS)


async def test_unknown_results_are_no_evidence_and_change_no_state(bench: Bench) -> None:
    spec = ProbeSpec(3, next(iter(bench.world.graph.checks())))
    bench.rca.result(ProbeResult(spec, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "no socket", 1.0, 0.0))
    assert {state.status for state in bench.rca.node_states()} == {"unknown"}

"""RcaComponent: the diagnosis engine on the event loop, and the view of the graph for the API."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from btimd import __version__
from btimd.model.ports import DiagnosisProgress, NodeState, Prober
from btimd.model.probe import ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sign import Change, Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict
from btimd.rca.capsule import Capsule
from btimd.rca.engine import Engine
from btimd.rca.events import (
    CauseCleared,
    ChangeSeen,
    Command,
    DiagnosisDropped,
    Event,
    GraphSwapped,
    Observed,
    ProbeDone,
    ReportProgress,
    ReportVerdict,
    RunProbe,
    SignSeen,
    SymptomGone,
    SymptomSeen,
    Tick,
    VerdictExtended,
)
from btimd.rca.graph import GraphIndex
from btimd.rca.replay import Recorder
from btimd.rca.settings import RcaSettings
from btimd.rca.states import UNKNOWN, NodeStates
from btimd.runtime.clock import Clock
from btimd.runtime.feed import Feed, FeedSubscription
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_DIAGNOSES_SHOWN = 256
_NODES_SHOWN = 200_000
_NODE_GONE = "no longer in the graph"
_SECONDS_BUCKETS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0)
_PROBES_BUCKETS = (0.0, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 40.0)


class RcaComponent:
    """Feeds the engine, carries out its commands, and answers GraphView. Every method is called on the loop.

    on_verdict is called for a new verdict and again, with the same id, when it has grown: its cause shows in more
    places, or the search that went on after a weak answer has found it; on_cleared when nothing is left of what it
    explained; on_capsule with everything that a verdict was made from, where it came of a diagnosis.
    """

    name = "rca"

    def __init__(
        self,
        *,
        settings: RcaSettings,
        graph: ServiceGraph,
        prober: Prober,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        on_verdict: Callable[[Verdict], None],
        on_cleared: Callable[[Verdict], None],
        on_capsule: Callable[[Capsule], None] = lambda _capsule: None,
    ) -> None:
        self._settings = settings
        self._prober = prober
        self._clock = clock
        self._log = log
        self._on_verdict = on_verdict
        self._on_cleared = on_cleared
        self._on_capsule = on_capsule
        self._recorder = Recorder(settings.events_kept, __version__)
        self._engine = Engine(graph, settings.options(), first_probe_id=settings.first_probe_id)
        self._states = NodeStates(GraphIndex(graph))
        self._nodes: Feed[str, NodeState] = Feed(_NODES_SHOWN, keep=lambda state: state.detail != _NODE_GONE)
        self._diagnoses: Feed[str, DiagnosisProgress] = Feed(
            _DIAGNOSES_SHOWN, keep=lambda progress: progress.verdict is None and bool(progress.symptom_nodes)
        )
        self._verdicts: dict[str, Verdict] = {}
        self._anchor = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()
        self._failure: Exception | None = None
        for state in self._states.all():
            self._nodes.publish(state.node, state)
        self._count_verdicts = metrics.counter("btimd_rca_verdicts_total", "Diagnoses ended, by outcome.", ("status",))
        self._count_probes = metrics.counter("btimd_rca_probes_total", "Checks that diagnoses asked for.")
        self._count_ignored = metrics.counter(
            "btimd_rca_ignored_events_total", "Events that made no sense to the diagnosis, by reason.", ("reason",)
        )
        self._running = metrics.gauge("btimd_rca_running_diagnoses", "Diagnoses without a verdict yet.")
        self._open = metrics.gauge("btimd_rca_open_symptoms", "Symptoms that are there now.")
        self._seconds = metrics.histogram(
            "btimd_rca_time_to_verdict_seconds", "From the first bad sample to the verdict.", _SECONDS_BUCKETS
        )
        self._probes_used = metrics.histogram("btimd_rca_probes_per_verdict", "Checks a verdict took.", _PROBES_BUCKETS)

    # -- life

    async def start(self) -> None:
        """Take no resource; a restart after a failure begins again with the symptoms that are open."""
        self._stopped.clear()
        if self._failure is None:
            return
        self._failure = None
        symptoms = self._engine.open_symptoms()
        self._engine = Engine(
            self._engine.index.graph,
            self._settings.options(),
            first_probe_id=self._engine.next_probe_id,
            first_diagnosis=self._engine.next_diagnosis,
        )
        for symptom in symptoms:
            self._feed(SymptomSeen(symptom))

    async def run(self) -> None:
        """Wait until stopped; raises what went wrong in an event, so that the supervisor begins anew."""
        await self._stopped.wait()
        if self._failure is not None:
            raise self._failure

    async def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stopped.set()

    def health(self) -> ComponentHealth:
        """Say whether the engine works."""
        if self._failure is not None:
            return ComponentHealth(HealthLevel.ERROR, f"the diagnosis failed: {self._failure!r}")
        return ComponentHealth()

    # -- what happens

    def symptom_opened(self, symptom: Symptom) -> None:
        """Take a symptom."""
        self._feed(SymptomSeen(symptom))

    def symptom_cleared(self, symptom: Symptom) -> None:
        """Take the end of a symptom."""
        self._feed(SymptomGone(symptom.id))

    def result(self, result: ProbeResult) -> None:
        """Take the answer of a check that ran by itself or for a person."""
        self._publish_states(result)
        self._feed(Observed(result))

    def swap(self, graph: ServiceGraph) -> None:
        """Go on with another graph."""
        before = self._states.all()
        self._feed(GraphSwapped(graph))
        for state in before:
            if state.node not in graph.nodes:
                self._nodes.publish(state.node, replace(state, status=UNKNOWN, own_health=UNKNOWN, detail=_NODE_GONE))
        for state in self._states.swap(GraphIndex(graph)):
            self._nodes.publish(state.node, state)

    def signed(self, sign: Sign) -> None:
        """Take something that was seen or told without asking."""
        self._feed(SignSeen(sign))

    def changed(self, change: Change) -> None:
        """Take a change on a node: it is suspected first for some hours."""
        self._feed(ChangeSeen(change))

    def tick(self) -> None:
        """Do what has become due (called by the timer)."""
        self._timer = None
        self._feed(Tick())

    def _answered(self, result: ProbeResult) -> None:
        self._publish_states(result)
        self._feed(ProbeDone(result))

    def _publish_states(self, result: ProbeResult) -> None:
        for state in self._states.take(result):
            self._nodes.publish(state.node, state)

    def _feed(self, event: Event) -> None:
        """Give the engine an event and do what it asks; a bug in it ends this component, not the loop."""
        if self._failure is not None:
            return
        now = self._now()
        self._recorder.before(self._engine, event, now)
        try:
            commands = self._engine.handle(event, now)
        except Exception as error:  # noqa: BLE001  the supervisor restarts this component, whatever the bug is
            self._log.exception("rca-engine-failed", kind=type(event).__name__)
            self._failure = error
            self._stopped.set()
            return
        for command in commands:
            self._carry_out(command)
        self._after()

    def _now(self) -> UnixSeconds:
        """Return wall time that does not jump while diagnoses run: it is read anew only between them."""
        if not self._engine.running:
            self._anchor = self._clock.wall() - self._clock.monotonic()
        return self._anchor + self._clock.monotonic()

    def _carry_out(self, command: Command) -> None:
        match command:
            case RunProbe(spec):
                self._count_probes.inc()
                self._prober.submit(spec, self._answered)
            case ReportProgress(progress):
                self._diagnoses.publish(progress.id, progress)
            case ReportVerdict(verdict):
                self._count_verdicts.labels(verdict.status.value).inc()
                self._seconds.observe(verdict.seconds_taken)
                self._probes_used.observe(verdict.probes_used)
                self._log.info(
                    "rca-verdict",
                    id=verdict.id,
                    status=verdict.status,
                    cause=verdict.cause,
                    confidence=round(verdict.confidence, 3),
                    probes=verdict.probes_used,
                    seconds=round(verdict.seconds_taken, 2),
                    summary=verdict.summary,
                )
                self._keep(verdict)
            case VerdictExtended(verdict):
                self._log.info(
                    "rca-verdict-extended",
                    id=verdict.id,
                    status=verdict.status,
                    cause=verdict.cause,
                    businesses=",".join(verdict.businesses),
                )
                self._keep(verdict)
            case CauseCleared(verdict):
                self._log.info("rca-cause-cleared", id=verdict.id, cause=verdict.cause)
                self._on_cleared(verdict)
            case DiagnosisDropped(diagnosis_id, joined):
                self._count_verdicts.labels("joined" if joined else "recovered").inc()
                self._log.info("rca-diagnosis-dropped", id=diagnosis_id, joined=joined)

    def _keep(self, verdict: Verdict) -> None:
        capsule = self._recorder.capsule(verdict)
        if capsule is not None:
            self._on_capsule(capsule)
        self._verdicts[verdict.id] = verdict
        if len(self._verdicts) > self._settings.verdicts_kept:
            del self._verdicts[next(iter(self._verdicts))]
        self._on_verdict(verdict)

    def _after(self) -> None:
        self._running.set(self._engine.running)
        self._open.set(len(self._engine.open_symptoms()))
        for reason, count in self._engine.ignored.items():
            self._count_ignored.labels(reason).inc(count)
        self._engine.ignored.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._engine.next_deadline()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_later(max(deadline - self._now(), 0.0), self.tick)

    # -- the view

    def graph(self) -> ServiceGraph:
        """Return the present graph."""
        return self._engine.index.graph

    def node_states(self) -> Sequence[NodeState]:
        """Return the state of every node."""
        return self._states.all()

    def watch_nodes(self) -> FeedSubscription[str, NodeState]:
        """Subscribe to node states."""
        return self._nodes.subscribe()

    def symptoms(self) -> Sequence[Symptom]:
        """Return the open symptoms."""
        return self._engine.open_symptoms()

    def verdicts(self, limit: int) -> Sequence[Verdict]:
        """Return the latest verdicts, newest first."""
        return list(reversed(self._verdicts.values()))[: max(limit, 0)]

    def open_verdicts(self) -> Sequence[Verdict]:
        """Return the verdicts whose trouble is not over."""
        return self._engine.open_verdicts()

    def watch_diagnoses(self) -> FeedSubscription[str, DiagnosisProgress]:
        """Subscribe to running diagnoses."""
        return self._diagnoses.subscribe()

    async def run_probe(self, check_id: str, actor: str) -> ProbeResult:
        """Run one check now, within the budget; raises KeyError for an unknown check."""
        check = self._engine.index.checks[check_id]
        result = await self._prober.ask(check, f"asked for by {actor}")
        self.result(result)
        return result

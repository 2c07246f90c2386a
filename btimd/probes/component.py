"""Probes: the shell that runs key indicators on schedule and asks what a diagnosis wants to know, within the budget."""

import asyncio
import heapq
import itertools
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from btimd.model.budget import BudgetReason, BudgetReport, BudgetScope
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, ServiceGraph
from btimd.model.symptom import Symptom
from btimd.model.units import MonotonicSeconds, Ratio
from btimd.probes.budget import Budget, Go, Refuse, WaitUntil
from btimd.probes.catalogue import SPECS, work_for
from btimd.probes.debounce import Command, ConfirmSoon, Debounce, SymptomCleared, SymptomFlaps, SymptomOpened
from btimd.probes.errands import Errands, Runner
from btimd.probes.jobs import Done, Job, Question, devices_of, octets_of, question_of
from btimd.probes.kinds import SECRET_SUFFIX, Errand, Secrets
from btimd.probes.probemetrics import ProbeMetrics
from btimd.probes.schedule import Schedule
from btimd.probes.settings import ProbeSettings
from btimd.probes.transport import Transport
from btimd.probes.waiting import WaitingLines
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_NO_RUNNERS: Final[Mapping[type[Errand], Runner]] = MappingProxyType({})
_TIDY_EVERY_SECONDS: Final = 60.0
_STOP_WITHIN_SECONDS: Final = 4.0


class Probes:
    """Runs checks: key indicators by itself, others when asked (ports.Prober).

    Every probe passes the one budget; one that the budget does not allow within twice its time-out is answered with
    unknown, over-budget. Questions of a diagnosis go before key indicators. A diagnosis may get an answer to the same
    question that was begun at most settings.share_within ago and not before the latest bad sample; a key indicator
    never does.
    runners: who carries out what is no single dialogue, by the class of the errand. read_secret: returns what a file
    holds; raises OSError.
    on_result gets the result of every probe once, also an unknown one; on_symptom and on_clear follow the indicators.
    """

    def __init__(
        self,
        *,
        settings: ProbeSettings,
        graph: ServiceGraph,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        on_symptom: Callable[[Symptom], None],
        on_clear: Callable[[Symptom], None],
        on_result: Callable[[ProbeResult], None],
        runners: Mapping[type[Errand], Runner] = _NO_RUNNERS,
        read_secret: Callable[[str], str] = lambda _path: "",
    ) -> None:
        self._settings = settings
        self._graph = graph
        self._clock = clock
        self._log = log
        self._on_symptom = on_symptom
        self._on_clear = on_clear
        self._on_result = on_result
        self._budget = Budget(settings.limits, devices_of(graph))
        self._schedule = Schedule((), 0.0)
        self._debounce = Debounce(settings.threshold, settings.confirm_after, settings.flapping)
        self._confirms: list[tuple[MonotonicSeconds, str]] = []
        self._fresh: list[Job] = []
        self._lines: WaitingLines[Job] = WaitingLines()
        self._running: dict[asyncio.Task[ProbeResult], Job] = {}
        self._asked: dict[Question, Job] = {}
        self._sampled: set[str] = set()
        self._orders = itertools.count()
        self._recent: dict[Question, tuple[MonotonicSeconds, ProbeResult]] = {}
        self._ids = itertools.count(-1, -1)  # own specs count down, so they never meet those of a diagnosis
        self._wake = asyncio.Event()
        self._tidy_at = 0.0
        self._trouble_began_at: MonotonicSeconds = float("-inf")
        self._is_stopped = False
        self._back_offs_told = 0
        self._not_permitted = ""
        self._metrics = ProbeMetrics(metrics)
        self._transport = Transport(clock, log, self._metrics.failures.inc)
        self._errands = Errands(runners, clock, log, self._metrics.failures.inc)
        self._read_secret = read_secret
        self._secrets: dict[str, Secrets] = {}

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "probes"

    async def start(self) -> None:
        """Begin to watch the graph's key indicators; takes no resources."""
        self._is_stopped = False
        now = self._clock.monotonic()
        self._schedule.replace(self._graph.checks(), now)
        self._follow(self._debounce.replace(self._graph.checks()))

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            now = self._clock.monotonic()
            self._take_samples(now)
            wait = self._pump(now)
            if now >= self._tidy_at:
                self._tidy(now)
            timeout = max(0.0, wait - self._clock.monotonic())
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Break off what runs; everybody who waits is answered with unknown."""
        self._is_stopped = True
        self._confirms.clear()
        waiting, self._fresh = [*self._fresh, *self._lines.clear()], []
        for job in waiting:
            self._answer(job, self._unknown(job.spec, ErrorClass.LOCAL_FAILURE, "btimd is stopping"))
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running), timeout=_STOP_WITHIN_SECONDS)
        self._gauge()

    def health(self) -> ComponentHealth:
        """Warn where this machine does not let probes out."""
        if self._not_permitted:
            return ComponentHealth(HealthLevel.WARNING, self._not_permitted)
        return ComponentHealth()

    def swap(self, graph: ServiceGraph) -> None:
        """Watch another graph from now on; indicators that stay keep their rhythm and their symptoms."""
        self._graph = graph
        self._budget.share_devices(devices_of(graph))
        self._secrets.clear()
        self._schedule.replace(graph.checks(), self._clock.monotonic())
        self._follow(self._debounce.replace(graph.checks()))
        self._wake.set()

    def open_symptoms(self) -> list[Symptom]:
        """Return the symptoms that stand."""
        return self._debounce.open_symptoms()

    def budget(self, scope: BudgetScope | None, name: str, limit: int) -> BudgetReport:
        """Return the busiest scopes of the load budget (model.budget.BudgetView)."""
        now = self._clock.monotonic()
        return self._budget.report(scope, name, limit, now=now, queued=self._waiting)

    def room(self, check: Check) -> Ratio:
        """Return the free share of what is fullest among the things a check would load; 0 = it would have to wait."""
        return self._budget.room(check, self._clock.monotonic())

    def submit(self, spec: ProbeSpec, done: Done) -> None:
        """Run a probe soon; `done` is called on the loop exactly once, also when it could not be asked."""
        now = self._clock.monotonic()
        question = question_of(spec.check)
        if self._settings.share_within > 0 and self._share(question, spec, done, now):
            self._metrics.shared.inc()
            return
        self._enqueue(Job(spec, question, [(spec, done)], is_sample=False, asked_at=now))

    async def ask(self, check: Check, why: str) -> ProbeResult:
        """Run one check and return its answer."""
        answered: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()

        def done(result: ProbeResult) -> None:
            if not answered.done():
                answered.set_result(result)

        self.submit(ProbeSpec(next(self._ids), check, why), done)
        return await answered

    def _share(self, question: Question, spec: ProbeSpec, done: Done, now: MonotonicSeconds) -> bool:
        """Join a probe of the same question that has not begun long ago; tell whether there was one."""
        oldest = max(now - self._settings.share_within, self._trouble_began_at)
        known = self._recent.get(question)
        if known is not None and known[0] >= oldest:
            asyncio.get_running_loop().call_soon(self._tell, done, replace(known[1], spec=spec))
            return True
        job = self._asked.get(question)
        if job is None or (job.began_at is not None and job.began_at < oldest):
            return False
        job.waiting.append((spec, done))
        self._lines.promote(job)
        self._wake.set()
        return True

    def _take_samples(self, now: MonotonicSeconds) -> None:
        """Ask for the key indicators that are due and for the confirmations that are."""
        missed = self._schedule.missed
        checks = self._schedule.due(now)
        self._metrics.skipped.inc(self._schedule.missed - missed)
        while self._confirms and self._confirms[0][0] <= now:
            check = self._schedule.check(heapq.heappop(self._confirms)[1])
            if check is not None:
                checks.append(check)
        for check in checks:
            if check.id in self._sampled:
                self._metrics.skipped.inc()
                continue
            self._sampled.add(check.id)
            spec = ProbeSpec(next(self._ids), check, "key indicator")
            self._enqueue(Job(spec, question_of(check), [], is_sample=True, asked_at=now))

    def _enqueue(self, job: Job) -> None:
        if self._is_stopped:
            self._refuse(job, ErrorClass.LOCAL_FAILURE, "btimd is stopping")
        elif self._waiting >= self._settings.queue_limit:
            detail = f"{self._waiting} probes are waiting already (probes.queue_limit)"
            self._refuse(job, ErrorClass.OVER_BUDGET, detail)
        else:
            job.order = next(self._orders)
            self._fresh.append(job)
            self._asked[job.question] = job
            self._wake.set()

    @property
    def _waiting(self) -> int:
        return len(self._fresh) + len(self._lines)

    def _pump(self, now: MonotonicSeconds) -> MonotonicSeconds:
        """Start what the budget allows; return when to look again, however that is not later than _tidy_at."""
        for job in self._lines.expired(now):
            self._give_up(job, now)
        for scope in self._lines.due(now):
            while (head := self._lines.head(scope)) is not None:
                wait = self._try(head, now)
                if wait is not None and wait.scope == scope:
                    self._lines.stay(scope, wait.at)
                    break
                self._lines.take(scope)
                if wait is not None:
                    self._stand(head, wait)
        fresh, self._fresh = self._fresh, []
        fresh.sort(key=lambda job: not job.is_urgent)  # stable: what somebody waits for goes first, then by age
        for job in fresh:
            wait = self._try(job, now)
            if wait is not None:
                self._stand(job, wait)
        self._gauge()
        due = (self._schedule.next_due(), self._confirms[0][0] if self._confirms else None)
        return min(self._tidy_at, self._lines.next_at(), *(at for at in due if at is not None))

    def _try(self, job: Job, now: MonotonicSeconds) -> WaitUntil | None:
        """Start a job where the budget allows it, give it up where that is in vain; else say what it waits for."""
        match self._budget.ask(job.spec.check, now, urgent=job.is_urgent):
            case Go() as go:
                job.go = go
                self._begin(job, now)
            case Refuse(reason):
                self._metrics.refusals.labels(BudgetScope.ALL.value, BudgetReason.HEAVY.value).inc()
                self._refuse(job, ErrorClass.OVER_BUDGET, reason)
            case WaitUntil(at) as wait:
                if job.waits is None or job.waits.scope != wait.scope:
                    self._metrics.waits.labels(wait.scope[0].value, wait.why.value).inc()
                job.waits = wait
                if now < job.expires_at and (at <= job.expires_at or at == float("inf")):
                    return wait
                self._give_up(job, now)
        return None

    def _stand(self, job: Job, wait: WaitUntil) -> None:
        expires, urgent = job.expires_at, job.is_urgent
        self._lines.add(job, wait.scope, at=wait.at, expires_at=expires, urgent=urgent, order=job.order)

    def _give_up(self, job: Job, now: MonotonicSeconds) -> None:
        """Answer a job that waited in vain with what it waited for."""
        wait = job.waits
        if wait is not None:
            self._metrics.refusals.labels(wait.scope[0].value, wait.why.value).inc()
            self._budget.gave_up(wait, now)
        self._refuse(job, ErrorClass.OVER_BUDGET, "the load budget did not allow it" if wait is None else wait.reason)

    def _begin(self, job: Job, now: MonotonicSeconds) -> None:
        job.began_at = now
        if job.waits is not None:
            self._metrics.waited.inc()
        task = asyncio.get_running_loop().create_task(self._probe(job), name=f"probe {job.spec.check.id}")
        self._running[task] = job
        task.add_done_callback(self._ended)

    async def _probe(self, job: Job) -> ProbeResult:
        check = job.spec.check
        try:
            work = work_for(check, secrets.randbits(64), self._secrets_of(check))
        except (OSError, ValueError) as error:
            return self._unknown(job.spec, ErrorClass.LOCAL_FAILURE, f"check {check.id} cannot be asked: {error}")
        if isinstance(work, Errand):
            return await self._errands.run(job.spec, work)  # its runner tells what it sent among its values
        return await self._transport.run(job.spec, work, job.meter)

    def _secrets_of(self, check: Check) -> Secrets:
        """Return what the files of a check's options hold; read once per configuration. Raises OSError."""
        found = self._secrets.get(check.id)
        if found is None:
            named = (name for name in SPECS[check.kind].secrets if name in check.options)
            found = {name.removesuffix(SECRET_SUFFIX): self._read_secret(check.options[name]) for name in named}
            self._secrets[check.id] = found
        return found

    def _ended(self, task: asyncio.Task[ProbeResult]) -> None:
        """Take the end of a probe, also of one that was cancelled before its first step."""
        job = self._running.pop(task)
        if task.cancelled():
            result = None
        elif task.exception() is not None:
            self._metrics.failures.inc()
            self._log.error("probe-task-failed", check=job.spec.check.id, error=repr(task.exception()))
            result = None
        else:
            result = task.result()
        octets = octets_of(job, result)
        for scope in self._budget.finished(job.go, job.spec.check, result, self._clock.monotonic(), octets):
            self._lines.has_room(scope)
        self._metrics.octets.labels(job.spec.check.kind).inc(job.go.octets if octets is None else octets)
        if result is None:
            result = self._unknown(job.spec, ErrorClass.LOCAL_FAILURE, "btimd broke the probe off")
        self._count(result)
        self._answer(job, result)
        self._wake.set()
        self._gauge()

    def _count(self, result: ProbeResult) -> None:
        kind = result.spec.check.kind
        self._metrics.results.labels(kind, result.health).inc()
        self._metrics.cost.labels(kind).inc(result.spec.check.cost)
        self._metrics.elapsed.observe(result.elapsed_seconds)
        if result.error is ErrorClass.NOT_PERMITTED:
            if not self._not_permitted:
                self._log.warning("probe-not-permitted", check=result.spec.check.id, detail=result.detail)
            self._not_permitted = f"{kind} probes: {result.detail}"
        elif self._not_permitted.startswith(f"{kind} "):
            self._not_permitted = ""

    def _answer(self, job: Job, result: ProbeResult) -> None:
        """Tell all who wait, once; `result` is the answer to the job's own spec."""
        if self._asked.get(job.question) is job:
            del self._asked[job.question]
        if job.is_sample:
            self._sampled.discard(job.spec.check.id)
        if job.began_at is not None and result.health is not Health.UNKNOWN:
            self._recent[job.question] = (job.began_at, result)
        self._tell(self._on_result, result)
        waiting, job.waiting = job.waiting, []
        for spec, done in waiting:
            self._tell(done, replace(result, spec=spec))
        if job.is_sample:
            if result.health is Health.BAD and job.began_at is not None:
                # What was good before this sample may be the very thing that broke.
                self._trouble_began_at = max(self._trouble_began_at, job.began_at)
            self._follow(self._debounce.handle(result, self._clock.wall()))

    def _follow(self, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case ConfirmSoon(check, after_seconds):
                    heapq.heappush(self._confirms, (self._clock.monotonic() + after_seconds, check.id))
                    self._wake.set()
                case SymptomOpened(symptom):
                    self._metrics.symptoms.inc()
                    self._log.warning("symptom-opened", check=symptom.check_id, node=symptom.node, text=symptom.text)
                    self._tell(self._on_symptom, symptom)
                case SymptomFlaps(symptom):
                    self._log.warning("symptom-flaps", check=symptom.check_id, node=symptom.node, text=symptom.text)
                case SymptomCleared(symptom):
                    self._log.info("symptom-cleared", check=symptom.check_id, node=symptom.node)
                    self._tell(self._on_clear, symptom)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call somebody else's code; what it raises is counted and logged and stops nothing here."""
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001  the panic barrier between probes and who takes their results
            self._metrics.failures.inc()
            self._log.exception("probe-callback-failed")

    def _refuse(self, job: Job, error: ErrorClass, detail: str) -> None:
        if self._asked.get(job.question) is job:
            del self._asked[job.question]
        if error is ErrorClass.OVER_BUDGET:
            self._metrics.over_budget.inc()
        if job.is_sample:
            self._metrics.skipped.inc()
        result = self._unknown(job.spec, error, detail)
        asyncio.get_running_loop().call_soon(self._answer, job, result)

    def _unknown(self, spec: ProbeSpec, error: ErrorClass, detail: str) -> ProbeResult:
        return ProbeResult(spec, Health.UNKNOWN, error, detail, self._clock.wall(), 0.0)

    def _tidy(self, now: MonotonicSeconds) -> None:
        self._tidy_at = now + _TIDY_EVERY_SECONDS
        self._budget.tidy(now)
        oldest = now - self._settings.share_within
        self._recent = {question: known for question, known in self._recent.items() if known[0] >= oldest}

    def _gauge(self) -> None:
        self._metrics.in_flight.set(self._budget.in_flight)
        self._metrics.queued.set(self._waiting)
        self._metrics.open.set(self._debounce.open_count)
        self._metrics.flapping.set(self._debounce.flapping_count)
        self._metrics.scopes.set(self._budget.scopes)
        back_offs = self._budget.counters.back_offs
        self._metrics.back_offs.inc(back_offs - self._back_offs_told)
        self._back_offs_told = back_offs

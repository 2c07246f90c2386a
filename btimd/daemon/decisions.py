"""Carries what one package found to those that act on it: samples to SLA, symptoms to diagnosis, verdicts to incidents.

Packages of one level do not know each other; this is where their events meet. What becomes durable is done by one
worker in the order it happened, so that an incident is never cleared before it was opened.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from btimd.daemon.businesses import BusinessConditions
from btimd.daemon.usercounts import users_by_region
from btimd.flows.deviation import DeviationCleared, DeviationOpened
from btimd.model.deviation import symptom_of
from btimd.model.evidence import Finding
from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Incident, IncidentState, Urgency
from btimd.model.outage import UsersByRegion
from btimd.model.ports import FlowView
from btimd.model.probe import Health, ProbeResult
from btimd.model.service import Check, ServiceGraph
from btimd.model.sla import Availability
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.graph import GraphIndex
from btimd.rca.impact import assess
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log

_BACKLOG_WARNING = 100
_SENTENCES = 5


class Diagnosis(Protocol):
    """Who searches for causes."""

    def result(self, result: ProbeResult) -> None:
        """Take the answer of a check that ran by itself."""
        ...

    def symptom_opened(self, symptom: Symptom) -> None:
        """Take a symptom."""
        ...

    def symptom_cleared(self, symptom: Symptom) -> None:
        """Take the end of a symptom."""
        ...


class Incidents(Protocol):
    """Who keeps incidents; what a method returned from is durable."""

    async def verdict(
        self,
        verdict: Verdict,
        assessment: ImpactAssessment,
        impact: Impact,
        urgency: Urgency,
        difficulty: Difficulty = Difficulty.LOW,
    ) -> Incident | None:
        """Take the end of a diagnosis, or a verdict that has grown; None: it is suppressed."""
        ...

    async def cleared(self, verdict: Verdict) -> None:
        """Take note that what a verdict explained is gone."""
        ...

    async def observed(self, business: str, text: str, notes: Mapping[str, str]) -> None:
        """Take what was seen of a business in trouble."""
        ...


class Accounts(Protocol):
    """Who keeps the availability of businesses."""

    def business_state(
        self,
        business: str,
        availability: Availability,
        now: UnixSeconds,
        *,
        cause: str = "",
        incident_id: str = "",
        users: int | None = None,
        users_exact: bool = False,
    ) -> None:
        """Take the condition of a business at `now`; users: those on line when it went down."""
        ...


class Decisions:
    """The hub between key indicators, SLA, diagnosis and incidents; a Component. All methods are called on the loop.

    recheck: runs a check once, soon; its answer comes back as a result. on_symptom: told which businesses a symptom
    hits, when it opens. on_users: told who was on line when a verdict was given.
    """

    name = "decisions"

    def __init__(
        self,
        *,
        graph: ServiceGraph,
        flows: FlowView,
        rca: Diagnosis,
        incidents: Incidents,
        sla: Accounts,
        recheck: Callable[[Check], None],
        on_symptom: Callable[[Sequence[str], UnixSeconds], None] = lambda _businesses, _now: None,
        on_users: Callable[[Verdict, UsersByRegion], None] = lambda _verdict, _users: None,
        clock: Clock,
        log: Log,
    ) -> None:
        self._recheck = recheck
        self._on_symptom = on_symptom
        self._on_users = on_users
        self._conditions = BusinessConditions(graph)
        self._index = GraphIndex(graph)
        self._flows = flows
        self._rca = rca
        self._incidents = incidents
        self._sla = sla
        self._clock = clock
        self._log = log
        self._work: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()
        self._current: asyncio.Task[None] | None = None
        self._closed = False
        self._users_before: dict[str, int] = {}

    async def start(self) -> None:
        """Take nothing."""

    async def run(self) -> None:
        """Do the durable part of each decision, one after the other; one that has begun is not broken off."""
        while True:
            work = await self._work.get()
            self._current = asyncio.create_task(work())
            await asyncio.shield(self._current)

    def close(self) -> None:
        """Take nothing in any more, because btimd stops.

        From now on probes are broken off. What a diagnosis concludes from that must not become an incident, and a
        business is not unknown because of it; whatever is true is found again after the next start.
        """
        self._closed = True

    async def stop(self) -> None:
        """Do what is left: an incident that was found is not forgotten because btimd stops."""
        self.close()
        if self._current is not None:
            for outcome in await asyncio.gather(self._current, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    self._log.error("decision-failed", error=repr(outcome))
        while not self._work.empty():
            await self._work.get_nowait()()

    def health(self) -> ComponentHealth:
        """Say whether the worker keeps up."""
        waiting = self._work.qsize()
        if waiting > _BACKLOG_WARNING:
            return ComponentHealth(HealthLevel.WARNING, f"{waiting} decisions wait for the journal; is its disk slow?")
        return ComponentHealth()

    @property
    def graph(self) -> ServiceGraph:
        """The graph in force."""
        return self._conditions.graph

    def availability(self, business: str) -> Availability:
        """Return what a business's key indicators say of it; unknown for one that is not there."""
        known = business in self.graph.businesses
        return self._conditions.availability(business) if known else Availability.UNKNOWN

    def swap(self, graph: ServiceGraph) -> None:
        """Go on with another graph."""
        self._conditions.swap(graph)
        self._index = GraphIndex(graph)

    def result(self, result: ProbeResult) -> None:
        """Take the answer of a probe."""
        if self._closed:
            return
        business = self._conditions.result(result)
        if business is not None:
            self._observe(business)
        self._rca.result(result)

    def symptom_opened(self, symptom: Symptom) -> None:
        """Take a symptom: its business is down from the first bad sample on."""
        if self._closed:
            return
        self._conditions.opened(symptom)
        self._observe(symptom.node, since=symptom.since)
        self._rca.symptom_opened(symptom)
        if symptom.node in self.graph.nodes:
            self._on_symptom(self._index.businesses_above(symptom.node), self._clock.wall())

    def symptom_cleared(self, symptom: Symptom) -> None:
        """Take a symptom back."""
        if self._closed:
            return
        self._conditions.cleared(symptom)
        self._observe(symptom.node)
        self._rca.symptom_cleared(symptom)

    def verdict(self, verdict: Verdict) -> None:
        """Make an incident of a verdict, or let the incident grow with it.

        Where probes fail and users are served all the same there is nothing to restore: that is told, and no more.
        """
        if verdict.status is VerdictStatus.NOT_CONFIRMED:
            self._log.warning("probes-contradicted-by-users", id=verdict.id, summary=verdict.summary)
        elif not self._closed:
            self._work.put_nowait(partial(self._open, verdict))

    def found(self, finding: Finding) -> None:
        """Tell the incidents of a business what its packets showed."""
        if not self._closed:
            text = "; ".join(finding.sentences[:_SENTENCES]) or finding.summary
            notes = {"evidence_file": finding.file, "packets": str(finding.packets), "problem": finding.problem}
            self.noticed(finding.business, f"packets of {finding.business}: {text}", notes)

    def deviation(self, event: DeviationOpened | DeviationCleared) -> None:
        """Take what is not as usual, or is again: what users feel of it is a symptom, the SLA is not concerned."""
        symptom = symptom_of(event.deviation)
        if symptom is None:
            return
        if isinstance(event, DeviationOpened):
            self.symptom_opened(symptom)
            self.noticed(symptom.node, symptom.text, {"deviation": event.deviation.id})
        else:
            self.symptom_cleared(symptom)

    def device_changed(self, device: str, text: str, businesses: Sequence[str]) -> None:
        """Take a change that was seen on a device that these businesses run over."""
        self._log.info("device-changed", device=device, text=text)
        for business in businesses:
            self.noticed(business, f"{device}: {text}", {"device": device})

    def noticed(self, business: str, text: str, notes: Mapping[str, str]) -> None:
        """Put a sentence on the timelines of a business's open incidents."""
        if not self._closed:
            self._work.put_nowait(partial(self._incidents.observed, business, text, notes))

    def cleared(self, verdict: Verdict) -> None:
        """Tell the incident that nothing is left of what the verdict explained, and look again at what was bad."""
        if self._closed or verdict.status is VerdictStatus.NOT_CONFIRMED:
            return
        self._work.put_nowait(partial(self._incidents.cleared, verdict))
        # What was bad by a check that only a diagnosis asks would be shown as bad until the next diagnosis.
        bad = {evidence.check_id for evidence in verdict.evidence if evidence.health is Health.BAD}
        for check in self.graph.checks():
            if check.id in bad and not check.is_key_indicator:
                self._recheck(check)

    def incident_changed(self, incident: Incident) -> None:
        """Write the incident's cause and id into the outages it explains."""
        if not incident.state.is_open and incident.state is not IncidentState.RESOLVED:
            return
        for business in incident.assessment.businesses:
            if business in self._conditions.graph.businesses and self._is_down(business):
                now = self._clock.wall()
                self._sla.business_state(
                    business,
                    Availability.DOWN,
                    now,
                    cause=incident.cause,
                    incident_id=incident.id,
                    users=self._users_before.get(business),
                    users_exact=incident.assessment.users_exact,
                )

    async def _open(self, verdict: Verdict) -> None:
        graph = self._conditions.graph
        # Waits for the flow thread's guard.
        users = await asyncio.to_thread(users_by_region, self._flows, tuple(graph.businesses))
        self._users_before.update((business, sum(regions.values())) for business, regions in users.items())
        self._on_users(verdict, users)
        judgement = assess(verdict, graph, users)
        await self._incidents.verdict(
            verdict, judgement.assessment, judgement.impact, judgement.urgency, judgement.difficulty
        )

    def _is_down(self, business: str) -> bool:
        return self._conditions.availability(business) is Availability.DOWN

    def _observe(self, business: str, since: float | None = None) -> None:
        if business not in self._conditions.graph.businesses:
            return
        condition = self._conditions.availability(business)
        at = since if since is not None and condition is Availability.DOWN else self._clock.wall()
        self._sla.business_state(business, condition, at)

"""Reports: what diagnoses, checks, people and targets say becomes steps of incidents. One cause, one incident."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from btimd.itsm import diagnosis, lifecycle, merge, outside
from btimd.itsm.changes import worth_telling
from btimd.itsm.engine import Engine
from btimd.itsm.kinship import merge as merge_into
from btimd.itsm.priority import ImpactLimits, impact_of
from btimd.itsm.register import sorted_for_work
from btimd.itsm.replay import SYMPTOMS, SYMPTOMS_GONE
from btimd.itsm.triggers import (
    AskSurvey,
    MergeInto,
    Observe,
    PeopleChanged,
    Reassess,
    Referenced,
    ReopenTimeOver,
    ReportClear,
    ReportProblem,
)
from btimd.model.delivery import ExternalUpdate
from btimd.model.incident import (
    CommandRefusedError,
    Difficulty,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentState,
    Urgency,
)
from btimd.model.service import Criticality
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict
from btimd.runtime.metrics import Metrics

_OBSERVATIONS: Final = 64
_OBSERVATION_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What reports are weighed by. class_of: the class of work of what is wrong with a node, by id, "" = none."""

    criticality: Callable[[str], Criticality]
    limits: ImpactLimits
    class_of: Callable[[str], str] = lambda _node: ""

    def impact(self, assessment: ImpactAssessment) -> Impact:
        """Return the impact that what is hit makes."""
        return impact_of(assessment, self.criticality, self.limits)


class Suppressor(Protocol):
    """Knows what is left alone on purpose: maintenance, silences."""

    def reason(self, report: ReportProblem, now: UnixSeconds) -> str:
        """Return why a report shall make no incident, "" where it shall."""
        ...

    async def keep(self, report: ReportProblem, reason: str, now: UnixSeconds) -> None:
        """Keep a report that makes no incident; durable when it returns."""
        ...

    async def cleared(self, fingerprint: str, symptoms: frozenset[str], now: UnixSeconds) -> bool:
        """Take note that symptoms are gone; tell whether a report with them is kept."""
        ...


class NothingSuppressed:
    """The suppressor where nothing is left alone."""

    def reason(self, _report: ReportProblem, _now: UnixSeconds) -> str:
        """Return that it shall."""
        return ""

    async def keep(self, _report: ReportProblem, _reason: str, _now: UnixSeconds) -> None:
        """Keep nothing."""

    async def cleared(self, _fingerprint: str, _symptoms: frozenset[str], _now: UnixSeconds) -> bool:
        """Return that nothing is kept."""
        return False


class Reports:
    """Everything that incidents learn from other parts of btimd."""

    def __init__(
        self,
        engine: Engine,
        weights: Weights,
        suppressor: Suppressor,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._weights = weights
        self._suppressor = suppressor
        self._observations: deque[tuple[UnixSeconds, str, Observe]] = deque(maxlen=_OBSERVATIONS)
        self._unmatched = metrics.counter(
            "btimd_itsm_clears_unmatched_total", "Reports that trouble is over of which no live incident tells"
        )
        self._withheld = metrics.counter(
            "btimd_itsm_reports_suppressed_total", "Reports that made no incident, as of maintenance"
        )

    async def observed(self, business: str, seen: Observe) -> None:
        """Write what was seen of a business into its open incidents, and into one that opens soon after."""
        self._observations.append((self._engine.clock.wall(), business, seen))
        for incident in self._engine.register.live():
            if incident.state.is_open and business in incident.assessment.businesses:
                await self._engine.step(incident, seen)

    async def noted(self, incident_id: str, seen: Observe) -> Incident | None:
        """Write what was found out into one incident; None: nothing can happen to it any more."""
        incident = self._engine.register.get(incident_id)
        return None if incident is None else await self._engine.step(incident, seen)

    async def survey(self, incident_id: str, ask: AskSurvey) -> Incident:
        """Have the reporter of an incident asked how content they are."""
        return await self._engine.step(await self._engine.get(incident_id), ask)

    async def verdict(
        self,
        verdict: Verdict,
        assessment: ImpactAssessment,
        impact: Impact,
        urgency: Urgency,
        difficulty: Difficulty,
    ) -> Incident | None:
        """Take the end of a diagnosis, or a verdict that has grown; return the incident it became part of.

        None where it is suppressed: the diagnosis is kept all the same.
        """
        engine, register = self._engine, self._engine.register
        now = engine.clock.wall()
        await engine.journal.save_verdict(verdict.id, verdict.ended_at, diagnosis.verdict_json(verdict))
        known = await self._still_live(register.find(verdict), now)
        report = diagnosis.report_of(
            verdict,
            incident_id=engine.numbers.next(now) if known is None else known.id,
            assessment=assessment,
            impact=min(impact, self._weights.impact(assessment)),
            urgency=urgency,
            difficulty=difficulty,
            category=self._weights.class_of(verdict.cause) if verdict.cause else "",
        )
        if await self._is_suppressed(known, report, now):
            return None
        if known is not None and known.fingerprint != report.fingerprint:  # a child's cause; the parent has its own
            report = replace(report, notes={SYMPTOMS: report.notes[SYMPTOMS]})
        if known is not None:
            forgotten = register.take_unconfirmed(known.id) - diagnosis.symptom_lines(verdict)
            if forgotten:
                report = replace(report, notes={**report.notes, SYMPTOMS_GONE: "\n".join(sorted(forgotten))})
        incident = await engine.step(known, report)
        if known is None:
            for at, business, seen in tuple(self._observations):
                if now - at < _OBSERVATION_SECONDS and business in assessment.businesses:
                    incident = await engine.step(incident, seen)
        for other in register.live():
            if other.id != incident.id and other.state.is_open and merge.explains(verdict, other.fingerprint):
                parent = register.get(incident.id) or incident
                await merge_into(
                    engine, other, MergeInto(parent=parent, reason=f"diagnosis {verdict.id} found its cause")
                )
        return register.get(incident.id) or incident

    async def cleared(self, verdict: Verdict) -> None:
        """Take note that the symptoms of a verdict are gone."""
        incident = self._engine.register.find(verdict)
        now = self._engine.clock.wall()
        kept = await self._suppressor.cleared(merge.fingerprint(verdict), diagnosis.symptom_lines(verdict), now)
        if incident is None:
            self._unmatched.inc(0 if kept else 1)
            return
        await self.clear(incident, diagnosis.symptom_lines(verdict), ReportClear(remaining=0))

    async def clear(self, incident: Incident, gone: frozenset[str], report: ReportClear) -> None:
        """Take note that some symptoms of an incident are gone, and those of an earlier run that nobody saw again."""
        register = self._engine.register
        known = register.dossier(incident.id).symptoms
        gone = known & (gone | register.take_unconfirmed(incident.id))
        notes = {SYMPTOMS_GONE: "\n".join(sorted(gone))} if gone else {}
        await self._engine.step(incident, replace(report, remaining=len(known - gone), notes=notes))

    async def report(self, report: ReportProblem, *, weigh: bool) -> Incident | None:
        """Take a report that is no diagnosis; return the incident it became part of, None where it is suppressed.

        weigh: the impact is at least what the businesses that are hit make it.
        """
        engine = self._engine
        if weigh:
            report = replace(report, impact=min(report.impact, self._weights.impact(report.assessment)))
        now = engine.clock.wall()
        owner = engine.register.owner_of_fingerprint(report.fingerprint)
        known = await self._still_live(engine.register.get(owner), now)
        if await self._is_suppressed(known, report, now):
            return None
        return await engine.step(
            known, replace(report, incident_id=engine.numbers.next(now) if known is None else known.id)
        )

    async def _is_suppressed(self, known: Incident | None, report: ReportProblem, now: UnixSeconds) -> bool:
        """Tell whether a report makes no incident and reopens none; it is kept then. One that is open goes on."""
        if known is not None and known.state is not IncidentState.RESOLVED:
            return False
        reason = self._suppressor.reason(report, now)
        if not reason:
            return False
        await self._suppressor.keep(report, reason, now)
        self._withheld.inc()
        self._engine.log.info("report-suppressed", fingerprint=report.fingerprint, title=report.title, reason=reason)
        return True

    async def report_cleared(self, fingerprint: str, symptoms: frozenset[str], clear: ReportClear) -> Incident | None:
        """Take note that symptoms are gone that `report` told of in its notes."""
        register = self._engine.register
        incident = register.get(register.owner_of_fingerprint(fingerprint))
        kept = await self._suppressor.cleared(fingerprint, symptoms, self._engine.clock.wall())
        if incident is None:
            self._unmatched.inc(0 if kept else 1)
            return None
        await self.clear(incident, symptoms, clear)
        return register.get(incident.id)

    async def _still_live(self, known: Incident | None, now: UnixSeconds) -> Incident | None:
        """Return the incident a report belongs to; one that was resolved too long ago is closed instead."""
        if known is not None and lifecycle.reopen_time_is_over(known, now, self._engine.config):
            await self._engine.step(known, ReopenTimeOver())
            return None
        return known

    async def reassess(self, incident_id: str, news: Reassess) -> Incident | None:
        """Judge an open incident anew; where nothing is news nothing is written."""
        incident = self._engine.register.get(incident_id)
        if incident is None or not incident.state.is_open:
            return None
        after = self._engine.try_step(incident, news).incident
        if not worth_telling(incident, after) and incident.difficulty is after.difficulty:
            return incident
        return await self._engine.step(incident, news)

    async def people_changed(self) -> int:
        """Try again to give away what stalled or never had groups, the most urgent first.

        Returns how many found somebody, or an order is to go out for after a while.
        """
        found = 0
        for incident in sorted_for_work(self._engine.register.live()):
            if incident.state in {IncidentState.STALLED, IncidentState.NEW}:
                with suppress(CommandRefusedError):  # nobody is there for it yet, or an order is on its way
                    await self._engine.step(incident, PeopleChanged())
                    found += 1
        return found

    async def external(self, update: ExternalUpdate) -> Incident:
        """Take over what a person changed in a target's ticket."""
        incident = await self._engine.get(update.incident_id)
        return await self._engine.step(incident, outside.trigger_of(update, incident))

    async def referenced(self, incident_id: str, news: Referenced) -> None:
        """Keep what a target calls an incident; asked again it writes nothing."""
        incident = await self._engine.get(incident_id)
        if all((one.target, one.reference) != (news.target, news.reference) for one in incident.references):
            await self._engine.step(incident, news)

    async def give_up_unconfirmed(self) -> None:
        """Count what an earlier run saw and nobody has seen since as cleared."""
        for incident_id in self._engine.register.unconfirmed:
            incident = self._engine.register.get(incident_id)
            if incident is not None:
                reason = "it was not seen again after btimd was restarted"
                await self.clear(incident, frozenset(), ReportClear(remaining=0, reason=reason))

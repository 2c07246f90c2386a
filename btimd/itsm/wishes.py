"""Wishes: what people ask for, done once, or refused with a reason."""

from dataclasses import dataclass

from btimd.itsm.commands import check_command, check_version, manual_report, trigger_of
from btimd.itsm.engine import Engine
from btimd.itsm.kinship import merge, unmerge
from btimd.itsm.replay import rebuild
from btimd.itsm.reports import Weights
from btimd.itsm.triggers import MergeInto, Unmerge
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    ImpactAssessment,
    Incident,
    IncidentCommand,
)
from btimd.model.ports import CommandDone
from btimd.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. roles: in what capacity, beside handler and reporter; None: that is not asked."""

    name: str
    roles: frozenset[ActorRole] | None = None


class Wishes:
    """Commands of people."""

    def __init__(self, engine: Engine, weights: Weights, metrics: Metrics) -> None:
        self._engine = engine
        self._weights = weights
        self._refused = metrics.counter("btimd_itsm_commands_refused_total", "Commands refused, by reason", ("code",))

    async def command(self, command: IncidentCommand, asker: Asker) -> Incident:
        """Do what a person wants; a command that was done before returns what it did. Raises CommandRefusedError."""
        try:
            check_command(command)
            done = await self._engine.journal.find_command(command.command_id)
            if done is not None:
                return await self._done_before(done)
            if command.kind is CommandKind.CREATE:
                return await self._create(command, asker)
            return await self._on_incident(command, asker)
        except CommandRefusedError as refusal:
            self._refused.labels(refusal.code.value).inc()
            raise

    async def _on_incident(self, command: IncidentCommand, asker: Asker) -> Incident:
        engine = self._engine
        incident = await engine.get(command.incident_id)
        check_version(command, incident)
        parent_id = incident.parent_id if command.kind is CommandKind.UNMERGE else command.parent_id
        parent = await engine.get(parent_id) if parent_id else None
        trigger = trigger_of(command, asker.name, parent, asker.roles)
        if isinstance(trigger, MergeInto):
            return await merge(engine, incident, trigger)
        if isinstance(trigger, Unmerge):
            return await unmerge(engine, incident, trigger)
        return await engine.step(incident, trigger)

    async def _done_before(self, done: CommandDone) -> Incident:
        """Return the incident as a command left it."""
        events = await self._engine.journal.load_events(done.incident_id)
        return rebuild(event for event in events if event.seq <= done.seq) or await self._engine.get(done.incident_id)

    async def _create(self, command: IncidentCommand, asker: Asker) -> Incident:
        now = self._engine.clock.wall()
        hit = ImpactAssessment(businesses=command.businesses)
        impact = self._weights.impact(hit)
        incident_id = self._engine.numbers.next(now)
        report = manual_report(command, asker.name, incident_id=incident_id, impact=impact, now=now)
        return await self._engine.step(None, report)

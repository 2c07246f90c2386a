"""FakeJournal: the Journal of model/ports.py in memory, with the semantics of store/journal.py.

tests/store/test_journal.py runs the same port tests on both, so what is true of this one is true of the real one.
Every method gives the loop up once, as the real one does, so that code which relies on not being suspended is found.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from btimd.model.delivery import ExternalReference, ExternalUpdate, OutboxLine
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.ports import (
    CommandDone,
    IncidentWrite,
    Journal,
    OutboxMessage,
    Telling,
    TellKind,
    Timer,
    TimerGoneError,
    VersionConflictError,
)
from btimd.model.units import Seconds, UnixSeconds

PENDING, INFLIGHT, DONE, DEAD, CLAIMED, VOID = "pending", "inflight", "done", "dead", "claimed", "void"
SUPERSEDED, DROPPED = "superseded", "dropped"


def _line(message: OutboxMessage) -> tuple[str, str]:
    return message.target, message.incident_id


class FakeJournal(Journal):
    """Keeps everything in dictionaries; `reopen` does what a restart after kill -9 does."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.events: dict[str, list[IncidentEvent]] = {}
        self.commands: dict[str, CommandDone] = {}
        self.timers: dict[tuple[str, str], Timer] = {}
        self.tellings: dict[str, Telling] = {}
        self.telling_states: dict[str, str] = {}
        self.messages: dict[str, OutboxMessage] = {}
        self.message_states: dict[str, str] = {}
        self.states: dict[str, bytes] = {}
        self.verdicts: dict[str, tuple[UnixSeconds, bytes]] = {}
        self.message_times: dict[str, tuple[UnixSeconds, UnixSeconds | None]] = {}
        self.dead_order: dict[str, UnixSeconds] = {}
        self.references: dict[tuple[str, str], ExternalReference] = {}
        self.inbox: dict[tuple[str, str], ExternalUpdate] = {}
        self.inbox_results: dict[tuple[str, str], str] = {}

    def reopen(self) -> None:
        """Do what opening the file again does: what was in flight may have arrived."""
        for message_id, state in self.message_states.items():
            if state == INFLIGHT:
                self.message_states[message_id] = PENDING
                self.messages[message_id] = replace(self.messages[message_id], uncertain=True)
        for telling_id, state in self.telling_states.items():
            if state == CLAIMED:
                self.telling_states[telling_id] = PENDING

    def _check(self, write: IncidentWrite) -> None:
        """Refuse what must not be written, before anything is."""
        incident = write.incident
        stored = self.incidents.get(incident.id)
        if (stored.version if stored else 0) != incident.version - 1:
            raise VersionConflictError(
                f"incident {incident.id} is stored with version {stored.version if stored else 0}; "
                f"version {incident.version} cannot follow"
            )
        if write.fired is not None and not self._runs(write.fired):
            fired = write.fired
            raise TimerGoneError(
                f"timer {fired.name} of {fired.incident_id} in generation {fired.generation} runs no more"
            )
        known = {event.seq for event in self.events.get(incident.id, ())}
        for event in write.events:
            if event.incident_id != incident.id:
                raise ValueError(f"an event of incident {event.incident_id} in a write of {incident.id}")
            if event.seq in known:
                raise ValueError(f"incident {incident.id}: event {event.seq} was written before")
            known.add(event.seq)
        fresh = {message.id for message in write.messages}
        if len(fresh) != len(write.messages) or fresh & self.messages.keys():
            raise ValueError(f"incident {incident.id}: a message of this write was written before")
        told = {telling.id for telling in write.tellings}
        if len(told) != len(write.tellings) or told & self.tellings.keys():
            raise ValueError(f"incident {incident.id}: a telling of this write was written before")

    def _runs(self, timer: Timer) -> bool:
        known = self.timers.get((timer.incident_id, timer.name))
        return known is not None and known.generation == timer.generation

    @override
    async def write_incident(self, write: IncidentWrite) -> None:
        await asyncio.sleep(0)
        incident = write.incident
        self._check(write)
        self.incidents[incident.id] = incident
        self.events.setdefault(incident.id, []).extend(write.events)
        self.events[incident.id].sort(key=lambda event: event.seq)
        for event in write.events:
            if event.command_id:
                self.commands.setdefault(event.command_id, CommandDone(incident.id, event.seq, event.at))
        if write.fired is not None:
            del self.timers[write.fired.incident_id, write.fired.name]
        for name, due_at in write.timers.items():
            if due_at is None:
                self.timers.pop((incident.id, name), None)
            else:
                self.timers[incident.id, name] = Timer(incident.id, name, due_at, incident.version)
        for message in write.messages:
            for other in self.messages.values() if message.collapses else ():
                never_sent = self.message_states[other.id] == PENDING and not other.attempts
                if never_sent and other.collapses and _line(other) == _line(message):
                    self.message_states[other.id] = SUPERSEDED
            self.messages[message.id] = message
            self.message_states[message.id] = PENDING
            self.message_times[message.id] = (message.next_at, None)
        self._keep_tellings(write.tellings)

    def _keep_tellings(self, tellings: Sequence[Telling]) -> None:
        for telling in tellings:
            if telling.kind is TellKind.RECALL and telling.dispatch_id:
                for earlier in self.tellings.values():
                    if earlier.dispatch_id == telling.dispatch_id and self.telling_states[earlier.id] == PENDING:
                        self.telling_states[earlier.id] = VOID
            self.tellings[telling.id] = telling
            self.telling_states[telling.id] = PENDING

    @override
    async def load_incidents(self, *, only_open: bool, limit: int) -> Sequence[Incident]:
        await asyncio.sleep(0)
        chosen = [incident for incident in self.incidents.values() if incident.state.is_open or not only_open]
        chosen.sort(key=lambda incident: (incident.opened_at, incident.id), reverse=True)
        return chosen[:limit]

    @override
    async def load_incident(self, incident_id: str) -> Incident | None:
        await asyncio.sleep(0)
        return self.incidents.get(incident_id)

    @override
    async def load_events(self, incident_id: str) -> Sequence[IncidentEvent]:
        await asyncio.sleep(0)
        return list(self.events.get(incident_id, ()))

    @override
    async def find_command(self, command_id: str) -> CommandDone | None:
        await asyncio.sleep(0)
        return self.commands.get(command_id)

    @override
    async def timers_due(self, now: UnixSeconds, limit: int) -> Sequence[Timer]:
        await asyncio.sleep(0)
        due = [timer for timer in self.timers.values() if timer.due_at <= now]
        return sorted(due, key=lambda timer: (timer.due_at, timer.incident_id, timer.name))[:limit]

    @override
    async def next_timer_at(self) -> UnixSeconds | None:
        await asyncio.sleep(0)
        return min((timer.due_at for timer in self.timers.values()), default=None)

    @override
    async def drop_timer(self, timer: Timer) -> None:
        await asyncio.sleep(0)
        if self._runs(timer):
            del self.timers[timer.incident_id, timer.name]

    @override
    async def claim_tellings(self, now: UnixSeconds, limit: int) -> Sequence[Telling]:
        await asyncio.sleep(0)
        due = [one for one in self.tellings.values() if self.telling_states[one.id] == PENDING and one.next_at <= now]
        claimed = [replace(one, attempts=one.attempts + 1) for one in sorted(due, key=lambda one: one.next_at)[:limit]]
        for telling in claimed:
            self.tellings[telling.id] = telling
            self.telling_states[telling.id] = CLAIMED
        return claimed

    def _claimed(self, telling_id: str) -> Telling:
        state = self.telling_states.get(telling_id)
        if state is None:
            raise KeyError(telling_id)
        if state != CLAIMED:
            raise ValueError(f"telling {telling_id} is {state}, not claimed; its outcome cannot be recorded")
        return self.tellings[telling_id]

    @override
    async def telling_done(self, telling_id: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        self._claimed(telling_id)
        self.telling_states[telling_id] = DONE

    @override
    async def telling_failed(self, telling_id: str, *, next_at: UnixSeconds, error: str) -> None:
        await asyncio.sleep(0)
        self.tellings[telling_id] = replace(self._claimed(telling_id), next_at=next_at, last_error=error)
        self.telling_states[telling_id] = PENDING

    @override
    async def next_telling_at(self) -> UnixSeconds | None:
        await asyncio.sleep(0)
        waiting = [one.next_at for one in self.tellings.values() if self.telling_states[one.id] == PENDING]
        return min(waiting, default=None)

    def _heads(self, target: str | None) -> Iterator[OutboxMessage]:
        """Yield the pending messages that have no undelivered message of their target and incident before them."""
        first: dict[tuple[str, str], OutboxMessage] = {}
        for message in sorted(self.messages.values(), key=lambda message: message.seq):
            if self.message_states[message.id] in {PENDING, INFLIGHT} and target in {None, message.target}:
                first.setdefault(_line(message), message)
        return (message for message in first.values() if self.message_states[message.id] == PENDING)

    @override
    async def claim_messages(
        self, now: UnixSeconds, limit: int, *, target: str | None = None
    ) -> Sequence[OutboxMessage]:
        await asyncio.sleep(0)
        due = sorted((m for m in self._heads(target) if m.next_at <= now), key=lambda m: (m.next_at, m.id))[:limit]
        claimed = [replace(message, attempts=message.attempts + 1) for message in due]
        for message in claimed:
            self.messages[message.id] = message
            self.message_states[message.id] = INFLIGHT
            self.message_times[message.id] = (self.message_times[message.id][0], now)
        return claimed

    def _in_flight(self, message_id: str) -> OutboxMessage:
        state = self.message_states.get(message_id)
        if state is None:
            raise KeyError(message_id)
        if state != INFLIGHT:
            raise ValueError(f"message {message_id} is {state}, not in flight; its outcome cannot be recorded")
        return self.messages[message_id]

    @override
    async def message_delivered(self, message_id: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        self._in_flight(message_id)
        self.message_states[message_id] = DONE

    @override
    async def message_failed(
        self,
        message_id: str,
        *,
        next_at: UnixSeconds,
        error: str,
        uncertain: bool,
        refused_since: UnixSeconds | None = None,
    ) -> None:
        await asyncio.sleep(0)
        message = self._in_flight(message_id)
        self.messages[message_id] = replace(
            message,
            next_at=next_at,
            last_error=error,
            uncertain=message.uncertain or uncertain,
            refused_since=refused_since,
        )
        self.message_states[message_id] = PENDING

    @override
    async def message_dead(self, message_id: str, *, error: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        self._bury(self._in_flight(message_id), error, now)

    def _bury(self, message: OutboxMessage, error: str, now: UnixSeconds) -> None:
        self.messages[message.id] = replace(message, last_error=error)
        self.message_states[message.id] = DEAD
        self.dead_order[message.id] = now

    @override
    async def next_message_at(self, target: str | None = None) -> UnixSeconds | None:
        await asyncio.sleep(0)
        return min((message.next_at for message in self._heads(target)), default=None)

    @override
    async def outbox_lines(self) -> Sequence[OutboxLine]:
        await asyncio.sleep(0)
        lines = []
        for target in sorted({message.target for message in self.messages.values()}):
            mine = {m.id: self.message_states[m.id] for m in self.messages.values() if m.target == target}
            counts = [list(mine.values()).count(state) for state in (PENDING, INFLIGHT, DEAD)]
            times = [self.message_times[key][0] for key, state in mine.items() if state in {PENDING, INFLIGHT}]
            if any(counts):
                lines.append(OutboxLine(target, counts[0], counts[1], counts[2], min(times, default=None)))
        return lines

    @override
    async def settle_messages(self, target: str, seconds: Seconds, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        for message in tuple(self.messages.values()):
            if message.target == target and message.uncertain and self.message_states[message.id] == PENDING:
                started_at = self.message_times[message.id][1]
                settled_at = (now if started_at is None else started_at) + seconds
                self.messages[message.id] = replace(message, next_at=max(message.next_at, settled_at))

    @override
    async def bury_messages(self, keep: Collection[str], *, error: str, now: UnixSeconds) -> Sequence[str]:
        await asyncio.sleep(0)
        buried = [m for m in self.messages.values() if self.message_states[m.id] == PENDING and m.target not in keep]
        for message in buried:
            self._bury(message, error, now)
        return [message.id for message in buried]

    @override
    async def dead_messages(self, limit: int) -> Sequence[OutboxMessage]:
        await asyncio.sleep(0)
        dead = [message for message in self.messages.values() if self.message_states[message.id] == DEAD]
        return sorted(dead, key=lambda message: self.dead_order[message.id], reverse=True)[:limit]

    def _dead(self, message_id: str, consequence: str) -> OutboxMessage:
        if self.message_states[message_id] != DEAD:
            raise ValueError(f"message {message_id} is {self.message_states[message_id]}, not dead; {consequence}")
        return self.messages[message_id]

    @override
    async def edit_dead(self, message_id: str, body: bytes) -> None:
        await asyncio.sleep(0)
        self.messages[message_id] = replace(self._dead(message_id, "only dead letters can be edited"), body=body)

    @override
    async def resend_dead(self, message_id: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        message = self._dead(message_id, "only dead letters can be sent again")
        self.messages[message_id] = replace(message, next_at=now, refused_since=None)
        self.message_times[message_id] = (now, self.message_times[message_id][1])
        self.message_states[message_id] = PENDING

    @override
    async def drop_dead(self, message_id: str, *, reason: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        message = self._dead(message_id, "only dead letters can be dropped")
        self.messages[message_id] = replace(message, last_error=reason)
        self.message_states[message_id] = DROPPED

    @override
    async def save_reference(self, reference: ExternalReference) -> None:
        await asyncio.sleep(0)
        self.references[reference.target, reference.incident_id] = reference

    @override
    async def load_reference(self, target: str, incident_id: str) -> ExternalReference | None:
        await asyncio.sleep(0)
        return self.references.get((target, incident_id))

    @override
    async def find_reference(self, target: str, external_id: str) -> ExternalReference | None:
        await asyncio.sleep(0)
        named = (one for one in self.references.values() if (one.target, one.external_id) == (target, external_id))
        return next(named, None)

    @override
    async def open_references(self, target: str, limit: int) -> Sequence[ExternalReference]:
        await asyncio.sleep(0)
        found = [one for one in self.references.values() if one.target == target and one.is_open]
        return sorted(found, key=lambda one: one.incident_id)[:limit]

    @override
    async def take_update(self, update: ExternalUpdate, now: UnixSeconds) -> bool:
        await asyncio.sleep(0)
        key = (update.target, update.event_id)
        fresh = key not in self.inbox
        self.inbox.setdefault(key, update)
        return fresh

    @override
    async def waiting_updates(self, limit: int) -> Sequence[ExternalUpdate]:
        await asyncio.sleep(0)
        return [update for key, update in self.inbox.items() if key not in self.inbox_results][:limit]

    @override
    async def update_done(self, target: str, event_id: str, *, result: str, now: UnixSeconds) -> None:
        await asyncio.sleep(0)
        if (target, event_id) not in self.inbox:
            raise KeyError(event_id)
        self.inbox_results[target, event_id] = result

    @override
    async def outbox_depth(self) -> Mapping[str, int]:
        await asyncio.sleep(0)
        states = list(self.message_states.values())
        return {state: states.count(state) for state in (PENDING, INFLIGHT, DONE, DEAD)}

    @override
    async def save_state(self, name: str, value: bytes) -> None:
        await asyncio.sleep(0)
        self.states[name] = value

    @override
    async def load_state(self, name: str) -> bytes | None:
        await asyncio.sleep(0)
        return self.states.get(name)

    @override
    async def save_verdict(self, verdict_id: str, at: UnixSeconds, body: bytes) -> None:
        await asyncio.sleep(0)
        self.verdicts[verdict_id] = (at, body)

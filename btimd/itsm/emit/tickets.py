"""How a ticket is kept in step with an incident, whatever the ticket system: one algorithm over five primitives.

Every ticket carries the incident's id (the key) and the number of the last event written into it (the marker), which is
written together with that event's note. So a process that does not know whether its last request arrived can find out:
look the ticket up by its key, compare the marker, and write only what is not there. What was written is read back, as
some systems answer 200 or 204 and change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from btimd.itsm.emit.exchange import Dialogue, Done, GoneError, Work, paused, refused
from btimd.itsm.emit.facts import Facts, facts_of, note
from btimd.model.delivery import ExternalReference


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it was read. key: our incident's id. seq: the marker, 0 = none."""

    id: str
    key: str
    seq: int
    status: str


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be written into a ticket in one go. seq: the marker afterwards, None = as it is.

    status, priority: "" = as they are. note: "" = none. closing: the note is for who reported it, too.
    """

    facts: Facts
    seq: int | None
    status: str = ""
    priority: str = ""
    note: str = ""
    closing: bool = False


class TicketSystem(Protocol):
    """The primitives of a ticket system. Each raises HaltError for what the target refuses."""

    @property
    def states(self) -> "States":
        """Which of its words stand for our states and priorities."""
        ...

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the tickets of an incident, oldest first."""
        ...

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return a ticket as it is; raises GoneError."""
        ...

    def create(self, change: Change) -> Dialogue[str]:
        """Make a ticket with key and marker; return its id."""
        ...

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change a ticket; the note goes together with the marker, or after everything else. Raises GoneError."""
        ...


@dataclass(frozen=True, slots=True)
class States:
    """What our states and priorities are called there. status: by our state's name, and by "reopened".

    A state that is not named leaves the ticket's alone. meanings: what a status set by people means here.
    """

    status: Mapping[str, str]
    priority: Mapping[str, str]
    meanings: Mapping[str, str]

    def status_for(self, facts: Facts) -> str:
        """Return the status an event asks for, "" where it asks for none: what people set otherwise stays."""
        if not facts.moved:
            return ""
        if facts.kind == "reopened":
            return self.status.get("reopened", self.status.get(facts.state, ""))
        return self.status.get(facts.state, "")

    def priority_for(self, facts: Facts) -> str:
        """Return the priority an event asks for, "" where it asks for none."""
        return self.priority.get(facts.priority, "")


def deliver(system: TicketSystem, work: Work) -> Dialogue[Done]:
    """Bring the ticket of an incident up to an event, once."""
    facts = facts_of(work.message.body)
    known = work.reference
    change = Change(
        facts,
        facts.seq,
        status=system.states.status_for(facts),
        priority=system.states.priority_for(facts),
        note=note(facts),
        closing=facts.kind == "resolved",
    )
    if known is not None and known.seq > facts.seq:  # a dead letter sent late: the ticket is further than this
        change = replace(change, seq=None, status="", priority="")
    duplicates = ""
    try:
        if known is None or work.message.uncertain:
            ticket, duplicates = yield from _look_up(system, facts.incident_id)
        else:
            ticket = Ticket(known.external_id, facts.incident_id, known.seq, "")
        ticket = yield from _bring_up(system, ticket, change)
    except GoneError:  # somebody deleted or merged it; the incident needs one
        ticket, duplicates = yield from _look_up(system, facts.incident_id)
        ticket = yield from _bring_up(system, ticket, change)
    seq = facts.seq if known is None else max(known.seq, facts.seq)
    reference = ExternalReference(work.message.target, facts.incident_id, ticket.id, seq, facts.is_open)
    return Done(reference, f"ticket {ticket.id}{duplicates}")


def _look_up(system: TicketSystem, key: str) -> Dialogue[tuple[Ticket | None, str]]:
    found = yield from system.find(key)
    strangers = [ticket for ticket in found if ticket.key != key]
    if strangers:  # a search that ignores the condition would make every ticket ours
        raise paused(f"a search for {key} also found ticket {strangers[0].id}; make the key field searchable")
    if not found:
        return None, ""
    return found[0], f" ({len(found)} tickets carry {key})" if len(found) > 1 else ""


def _bring_up(system: TicketSystem, ticket: Ticket | None, change: Change) -> Dialogue[Ticket]:
    """Create or write what is not there yet, then read what is there now."""
    if ticket is None:
        ticket_id = yield from system.create(change)
    else:
        ticket_id = ticket.id
        if change.seq is None or ticket.seq < change.seq:
            yield from system.write(ticket_id, change)
    now = yield from system.read(ticket_id)
    if change.seq is None:
        return now
    if now.seq < change.seq or now.key != change.facts.incident_id:
        raise refused(
            f"ticket {ticket_id} does not show the incident's id and the event's number after they were written; "
            "check that both fields exist and may be changed"
        )
    if change.status and now.status != change.status and now.seq == change.seq:
        yield from system.write(ticket_id, Change(change.facts, None, status=change.status))
        now = yield from system.read(ticket_id)
        if now.status != change.status:
            raise refused(
                f"ticket {ticket_id} stays {now.status!r}, it does not become {change.status!r}; check states"
            )
    return now

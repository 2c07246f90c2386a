"""The ticket algorithm, on a system in a dictionary that can lie, lose and forget."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from btimd.itsm.emit.exchange import Dialogue, GoneError, HaltError, HttpRequest, Work
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver
from btimd.itsm.outbox import OutcomeKind
from btimd.model.delivery import ExternalReference
from tests.itsm.messages import answer, message, play
from tests.itsm.posts import T0

STATES = States({"new": "new", "accepted": "open", "resolved": "done", "reopened": "open"}, {"P1": "hot"}, {})
FIRST = ExternalReference("desk", "INC-1", "7", 1)


@dataclass
class Shelf:
    """Tickets in memory. lies: statuses it takes without changing anything. blind: searches find everything."""

    states: States = STATES
    tickets: dict[str, Ticket] = field(default_factory=dict)
    notes: list[tuple[str, int | None, str]] = field(default_factory=list)
    lies: tuple[str, ...] = ()
    blind: bool = False
    forgetful: bool = False
    done: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> Dialogue[None]:
        self.done.append(what)
        yield HttpRequest("GET", what)

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        yield from self._ask("find")
        return [one for one in self.tickets.values() if self.blind or one.key == key]

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        yield from self._ask("read")
        return self.tickets[ticket_id]

    def create(self, change: Change) -> Dialogue[str]:
        yield from self._ask("create")
        seq = 0 if self.forgetful else change.seq or 0
        self.tickets["9"] = Ticket("9", change.facts.incident_id, seq, change.status)
        return "9"

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        yield from self._ask("write")
        if ticket_id not in self.tickets:
            raise GoneError(ticket_id)
        status = change.status if change.status not in self.lies else ""
        old = self.tickets[ticket_id]
        seq = old.seq if change.seq is None else change.seq
        self.tickets[ticket_id] = replace(old, status=status or old.status, seq=seq)
        if change.note:
            self.notes.append((ticket_id, change.seq, change.note.splitlines()[0]))


def run(shelf: Shelf, number: int, reference: ExternalReference | None = None, *, uncertain: bool = False) -> Any:
    work = Work(replace(message(number), uncertain=uncertain), reference, T0)
    return play(deliver(shelf, work), lambda _: answer(200))[0].reference


def with_ticket(seq: int = 1, status: str = "new", **more: Any) -> Shelf:
    return Shelf(tickets={"7": Ticket("7", "INC-1", seq, status)}, **more)


def test_the_first_event_makes_a_ticket_and_looks_whether_it_is_right() -> None:
    shelf = Shelf()

    assert run(shelf, 1) == ExternalReference("desk", "INC-1", "9", 1, is_open=True)
    assert shelf.done == ["find", "create", "read"]


def test_a_further_event_is_written_with_its_number_into_the_ticket_that_is_known() -> None:
    shelf = with_ticket()

    assert run(shelf, 2, FIRST) == ExternalReference("desk", "INC-1", "7", 2, is_open=True)
    assert shelf.done == ["write", "read"]
    assert shelf.tickets["7"] == Ticket("7", "INC-1", 2, "open")
    assert shelf.notes == [("7", 2, "[btimd INC-1.2] accepted by ann at 2023-11-14T22:15:20.000Z")]


@pytest.mark.parametrize(("there", "written"), [(2, 0), (3, 0), (1, 1)])
def test_what_may_have_arrived_is_written_only_where_it_is_not_there(there: int, written: int) -> None:
    shelf = with_ticket(there, "open")
    run(shelf, 2, FIRST, uncertain=True)

    assert shelf.done[0] == "find"
    assert len(shelf.notes) == written


def test_a_lost_creation_is_found_again() -> None:
    shelf = with_ticket()

    assert run(shelf, 1, uncertain=True) == ExternalReference("desk", "INC-1", "7", 1, is_open=True)
    assert shelf.done == ["find", "read"]


def test_an_incident_whose_first_event_never_came_gets_its_ticket_with_the_next() -> None:
    shelf = Shelf()

    assert run(shelf, 2) == ExternalReference("desk", "INC-1", "9", 2, is_open=True)
    assert shelf.tickets["9"].status == "open"


def test_a_status_that_was_not_taken_is_asked_for_again_and_then_refused() -> None:
    shelf = with_ticket(lies=("open",))
    with pytest.raises(HaltError) as halted:
        run(shelf, 2, FIRST)

    assert halted.value.outcome.kind is OutcomeKind.REFUSED
    assert halted.value.outcome.detail == "ticket 7 stays 'new', it does not become 'open'; check states"
    assert shelf.done == ["write", "read", "write", "read"]
    assert len(shelf.notes) == 1
    shelf.lies = ()
    run(shelf, 2, FIRST, uncertain=True)
    assert (shelf.tickets["7"].status, len(shelf.notes)) == ("open", 1)


def test_what_people_set_stays_where_an_event_changes_no_state() -> None:
    shelf = with_ticket(2, "waiting for a part")
    run(shelf, 3, replace(FIRST, seq=2))

    assert shelf.tickets["7"] == Ticket("7", "INC-1", 3, "waiting for a part")


def test_a_dead_letter_that_is_sent_late_is_only_a_note() -> None:
    shelf = with_ticket(5, "done")
    late = run(shelf, 2, replace(FIRST, seq=5))

    assert late.seq == 5
    assert shelf.tickets["7"] == Ticket("7", "INC-1", 5, "done")
    assert [(seq, note[:16]) for _, seq, note in shelf.notes] == [(None, "[btimd INC-1.2] ")]


def test_a_ticket_that_somebody_deleted_is_made_again() -> None:
    shelf = Shelf()

    assert run(shelf, 2, FIRST) == ExternalReference("desk", "INC-1", "9", 2, is_open=True)
    assert shelf.done == ["write", "find", "create", "read"]


def test_a_search_that_finds_strangers_stops_everything() -> None:
    shelf = Shelf(tickets={"1": Ticket("1", "", 0, "new")}, blind=True)
    with pytest.raises(HaltError) as halted:
        run(shelf, 1)

    assert halted.value.outcome.kind is OutcomeKind.PAUSED
    assert halted.value.outcome.detail == "a search for INC-1 also found ticket 1; make the key field searchable"
    assert shelf.done == ["find"]


def test_a_system_without_the_marker_is_found_out_at_once() -> None:
    with pytest.raises(HaltError, match="ticket 9 does not show the incident's id and the event's number"):
        run(Shelf(forgetful=True), 1)


def test_two_tickets_with_one_key_are_told_and_the_older_is_used() -> None:
    shelf = with_ticket(1)
    shelf.tickets["8"] = Ticket("8", "INC-1", 1, "new")
    work = Work(replace(message(2), uncertain=True), FIRST, T0)
    done, _ = play(deliver(shelf, work), lambda _: answer(200))

    assert done.detail == "ticket 7 (2 tickets carry INC-1)"
    assert shelf.tickets["8"].seq == 1

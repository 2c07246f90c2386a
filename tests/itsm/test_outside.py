from dataclasses import replace

import pytest

from btimd.itsm.outside import trigger_of
from btimd.itsm.triggers import Confirm, ExternalUpdate, ExternalWish, Reject
from btimd.model.delivery import ExternalUpdate as Update
from btimd.model.delivery import UpdateKind
from btimd.model.incident import IncidentState, TicketReference
from tests.store.examples import incident

OPEN = replace(incident(), state=IncidentState.NEW, references=(TicketReference("rt", "7", 3),))
RESOLVED = replace(OPEN, state=IncidentState.RESOLVED)
STATUS = Update("rt", "7", "e1", OPEN.id, "zoe", UpdateKind.STATUS, "open", 5.0, "accept")


def taken(wish: ExternalWish, status: str, text: str) -> ExternalUpdate:
    return ExternalUpdate(actor="zoe", target="rt", reference="7", seq=4, wish=wish, status=status, text=text)


@pytest.mark.parametrize(
    ("update", "trigger"),
    [
        (STATUS, taken(ExternalWish.ACCEPT, "open", "status 'open' set in rt (7)")),
        (
            replace(STATUS, value="done", meaning="resolve", text="the disk was replaced"),
            taken(ExternalWish.RESOLVE, "done", "the disk was replaced"),
        ),
        (
            replace(STATUS, value="stalled", meaning=""),
            taken(ExternalWish.COMMENT, "stalled", "status 'stalled' set in rt (7)"),
        ),
        (
            replace(STATUS, value="closed", meaning="close"),
            taken(ExternalWish.COMMENT, "closed", "status 'closed' set in rt (7)"),
        ),
        (
            replace(STATUS, kind=UpdateKind.ASSIGNEE, value="bob", meaning=""),
            taken(ExternalWish.COMMENT, "", "assignee 'bob' set in rt (7)"),
        ),
        (
            replace(STATUS, kind=UpdateKind.COMMENT, value="", meaning="", text="looking"),
            taken(ExternalWish.COMMENT, "", "looking"),
        ),
    ],
)
def test_a_change_of_an_open_ticket_accepts_resolves_or_is_a_comment(update: Update, trigger: ExternalUpdate) -> None:
    assert trigger_of(update, OPEN) == trigger


def test_a_close_confirms_a_resolution_and_a_reopening_rejects_it() -> None:
    assert trigger_of(replace(STATUS, value="closed", meaning="close"), RESOLVED) == Confirm(
        actor="zoe", text="status 'closed' set in rt (7)"
    )
    assert trigger_of(replace(STATUS, value="open", meaning="reopen", text="again"), RESOLVED) == Reject(
        actor="zoe", reason="status 'open' set in rt (7): again"
    )

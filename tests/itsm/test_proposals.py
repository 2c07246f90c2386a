"""What was proposed, what people decided, and that a restart brings nothing back."""

import json

import pytest

from btimd.itsm.problems import OpenProblem
from btimd.itsm.problemwatch import Proposal
from btimd.itsm.proposals import BOOK_LIMIT, ProposalBook
from btimd.model.incident import CommandRefusedError
from btimd.model.knowledge import SECONDS_PER_DAY, ProblemOrigin
from btimd.model.knowledgework import ProposedProblem

T0 = 1_700_000_000.0


def proposal(key: str = "db/down", *incidents: str) -> Proposal:
    opened = OpenProblem(
        actor="btimd", title="Recurring", key=key, node="db", origin=ProblemOrigin.RECURRING,
        incidents=incidents or ("INC-1", "INC-2", "INC-3"),
    )  # fmt: skip
    return Proposal(opened, "3 incidents")


PROPOSED = ProposedProblem(
    "db/down", "Recurring", "3 incidents", ProblemOrigin.RECURRING, "db", ("INC-1", "INC-2", "INC-3"), T0
)


def test_a_proposal_is_shown_until_somebody_decides() -> None:
    book = ProposalBook()
    assert book.take(proposal(), T0)
    assert not book.take(proposal(), T0 + 1)
    assert book.open() == [PROPOSED]
    assert book.dismiss("db/down", T0 + 2, by="wang", reason=" a drill ") == PROPOSED
    assert book.open() == []


def test_a_problem_on_record_ends_its_proposal() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    assert book.taken("db/down", "PRB-1", T0 + 1, "wang")
    assert (book.open(), book.taken("db/down", "PRB-2", T0 + 1, "wang")) == ([], False)


def test_further_incidents_of_an_open_proposal_are_added_to_it() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    assert not book.take(proposal("db/down", "INC-2", "INC-9"), T0)
    assert book.open()[0].incidents == ("INC-1", "INC-2", "INC-3", "INC-9")


def test_what_was_decided_is_there_after_a_restart_and_only_a_new_incident_makes_it_news() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    book.dismiss("db/down", T0, by="wang", reason="a drill")
    again = ProposalBook()
    again.restore(json.loads(json.dumps(book.document())))
    assert not again.take(proposal(), T0 + 5, again=True)
    assert again.take(proposal("db/down", "INC-1", "INC-2", "INC-4"), T0 + 6, again=True)


def test_a_decision_holds_for_as_long_as_incidents_are_counted() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    book.dismiss("db/down", T0, by="wang", reason="a drill")
    assert book.take(proposal(), T0 + 31 * SECONDS_PER_DAY, again=True)


def test_the_watch_decides_what_is_news_while_it_runs() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    book.dismiss("db/down", T0, by="wang", reason="a drill")
    assert book.take(proposal(), T0 + 5)


@pytest.mark.parametrize(
    ("key", "reason", "words"),
    [
        ("db/down", "", "no reason was given; write it"),
        ("x", "why", "nothing is proposed under 'x'; look at the list"),
    ],
)
def test_a_dismissal_needs_a_proposal_and_a_reason(key: str, reason: str, words: str) -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    with pytest.raises(CommandRefusedError) as refused:
        book.dismiss(key, T0, by="wang", reason=reason)
    assert str(refused.value) == words


def test_it_is_bounded_and_counts_what_it_gave_up() -> None:
    book = ProposalBook()
    for number in range(BOOK_LIMIT):
        book.take(proposal(f"n{number}/down"), T0 + number)
    book.dismiss("n5/down", T0, by="wang", reason="x")
    book.take(proposal("a/down"), T0 + BOOK_LIMIT)
    assert (len(book.open()), book.forgotten) == (BOOK_LIMIT, 0)
    book.take(proposal("b/down"), T0 + BOOK_LIMIT)
    assert (len(book.open()), book.forgotten) == (BOOK_LIMIT, 1)
    assert "n0/down" not in {one.key for one in book.open()}


def test_a_document_of_another_format_changes_nothing() -> None:
    book = ProposalBook()
    book.take(proposal(), T0)
    with pytest.raises(ValueError, match="format 9 is not known here"):
        book.restore({"format": 9})
    assert book.open() == [PROPOSED]

import pytest

from btimd.itsm.emit.exchange import (
    GoneError,
    HaltError,
    HttpAnswer,
    HttpRequest,
    ask,
    ask_json,
    json_request,
    member,
    members,
    number,
    query,
    text,
)
from btimd.itsm.outbox import OutcomeKind
from tests.itsm.messages import answer, play

QUESTION = query("tickets", {"q": "a b", "x": "'"})


def test_a_question_carries_its_parameters_and_a_request_its_document() -> None:
    assert HttpRequest("GET", "tickets?q=a+b&x=%27", headers={"Accept": "application/json"}) == QUESTION
    asked = json_request("POST", "ticket", {"a": "é"})
    assert (asked.body, asked.writes, asked.headers["Content-Type"]) == (
        '{"a": "é"}'.encode(),
        True,
        "application/json",
    )
    assert "é" not in repr(asked), "a body may hold secrets"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeKind.SERVER_ERROR), (302, OutcomeKind.PAUSED), (400, OutcomeKind.REFUSED),
        (401, OutcomeKind.PAUSED), (404, OutcomeKind.PAUSED), (429, OutcomeKind.RETRY_AFTER),
        (500, OutcomeKind.SERVER_ERROR), (504, OutcomeKind.UNCERTAIN),
    ],
)  # fmt: skip
def test_an_answer_that_was_not_expected_ends_the_work(status: int, kind: OutcomeKind) -> None:
    with pytest.raises(HaltError) as halted:
        play(ask(QUESTION, (201,)), lambda _: answer(status))
    assert halted.value.outcome.kind is kind


def test_a_retry_after_date_is_measured_by_the_servers_own_clock() -> None:
    headers = {"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT", "Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    with pytest.raises(HaltError) as halted:
        play(ask(QUESTION), lambda _: HttpAnswer(503, headers))
    assert halted.value.outcome.retry_after_seconds == 60.0


def test_what_is_gone_is_told_only_to_who_asks_for_it() -> None:
    with pytest.raises(GoneError):
        play(ask(QUESTION, gone=True), lambda _: answer(404))


def test_a_log_in_page_is_no_answer() -> None:
    with pytest.raises(HaltError) as halted:
        play(ask_json(QUESTION), lambda _: HttpAnswer(200, {}, b"<html>\nlog in"))
    assert halted.value.outcome.detail == "HTTP 200 without JSON: <html> log in"
    with pytest.raises(HaltError, match="HTTP 200 without JSON"):
        play(ask_json(QUESTION), lambda _: HttpAnswer(200, {}, b"[" * 200_000))


def test_strange_json_is_walked_without_falling() -> None:
    strange = {"a": [{"b": 1}, 2, {"b": None}], "n": "12", "t": {"x": 1}}

    assert member(strange, "a", 0, "b") == 1
    assert member(strange, "a", 9, "b") is None
    assert member("text", "a") is None
    assert members(strange, "a") == [{"b": 1}, {"b": None}]
    assert members(strange, "n") == []
    assert (text(strange, "n"), text(strange, "t"), text(strange, "z")) == ("12", "", "")
    assert (number(strange, "n"), number(strange, "t"), number({"n": "9" * 30}, "n")) == (12, 0, 0)

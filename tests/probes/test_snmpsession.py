"""The poll of one device: what is asked, and that it ends whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.mibs import RowBounds, counter_steps, full_steps
from btimd.probes.snmpsession import (
    Answer,
    Answered,
    GetBulk,
    NoAnswer,
    Oid,
    Rejected,
    Rejection,
    Request,
    Scalars,
    Session,
    SessionLimits,
    Step,
    Table,
    Value,
)
from tests.probes.snmpdevices import ALL, Agent, agent, cisco, huawei, poll

ENTRY = (1, 3, 9, 1)
NAME = (1, 3, 1, 0)
OTHER = (1, 3, 2, 0)


def objects(rows: int, columns: int = 2) -> dict[Oid, Value]:
    return {
        (*ENTRY, column, row): column * 1000 + row for column in range(1, columns + 1) for row in range(1, rows + 1)
    }


def table(max_rows: int = 100, columns: int = 2, *, head_only: bool = False) -> Table:
    return Table("things", ENTRY, tuple(range(1, columns + 1)), max_rows, head_only=head_only)


def test_columns_are_walked_side_by_side_and_no_further_than_their_end() -> None:
    of = Agent({**objects(7), (1, 4, 0): 5})
    session = poll(of, [table()])

    assert session.readings.columns == {
        (*ENTRY, 1): {(row,): 1000 + row for row in range(1, 8)},
        (*ENTRY, 2): {(row,): 2000 + row for row in range(1, 8)},
    }
    assert session.readings.partial == []
    assert of.asked == [
        GetBulk(((*ENTRY, 1), (*ENTRY, 2)), 5),
        GetBulk(((*ENTRY, 1, 5), (*ENTRY, 2, 5)), 25),
    ]


def test_the_next_poll_asks_for_as_many_rows_as_there_were_and_one() -> None:
    of = Agent({**objects(7), (1, 4, 0): 5})
    first = poll(of, [table()])
    of.asked.clear()
    poll(of, [table()], expected=first.readings.rows)

    assert of.asked == [GetBulk(((*ENTRY, 1), (*ENTRY, 2)), 8)]


def test_columns_with_holes_are_read_whole() -> None:
    holes = {oid: value for oid, value in objects(30, 3).items() if oid[-1] % oid[-2] == 0}
    session = poll(Agent(holes, most=7), [table(columns=3)])

    assert {
        (*column, *index): value for column, rows in session.readings.columns.items() for index, value in rows.items()
    } == holes


def test_an_agent_that_finds_answers_too_big_is_asked_for_less() -> None:
    def small(_: int, request: Request, answer: Answer) -> Answer:
        assert isinstance(request, GetBulk)
        asked = len(request.oids) * request.max_repetitions
        return Answered((), error_status=1) if asked > 4 else answer

    session = poll(Agent(objects(9), twist=small), [table()])

    assert len(session.readings.column((*ENTRY, 2))) == 9
    assert (session.varbinds, session.readings.partial) == (3, [])


def test_silence_is_met_by_asking_again_and_for_less() -> None:
    def deaf_at_first(number: int, _: Request, answer: Answer) -> Answer:
        return NoAnswer() if number in {2, 3} else answer

    session = poll(Agent({**objects(9), NAME: b"x"}, twist=deaf_at_first), [Scalars("system", (NAME,)), table()])

    assert (len(session.readings.column((*ENTRY, 1))), session.varbinds, session.failure) == (9, 12, None)


def test_a_device_that_never_answers_is_asked_three_times() -> None:
    session = poll(Agent({}, twist=lambda *_: NoAnswer()), [Scalars("system", (NAME,)), table()])

    assert (session.requests, session.failure) == (3, NoAnswer())


def test_a_device_that_stops_answering_loses_one_table_then_the_rest() -> None:
    steps: list[Step] = [
        Scalars("system", (NAME,)),
        *(Table(f"t{number}", (*ENTRY, number), (1,), 10) for number in range(5)),
    ]
    session = poll(Agent({NAME: b"x"}, twist=lambda n, _, answer: answer if n == 1 else NoAnswer()), steps)

    assert session.failure is None
    assert session.requests == 7
    assert session.readings.partial == [
        "t0: no answer",
        "t1: the device stopped answering",
        "t2, t3, t4: not asked, the device stopped answering",
    ]


def test_a_refusal_ends_the_poll_at_once() -> None:
    session = poll(Agent({}, twist=lambda *_: Rejected(Rejection.WRONG_DIGEST)), [Scalars("system", (NAME,)), table()])

    assert (session.requests, session.failure) == (1, Rejected(Rejection.WRONG_DIGEST))


def test_one_without_rights_is_told_so() -> None:
    session = poll(Agent({}, twist=lambda *_: Answered((), error_status=16)), [Scalars("system", (NAME,))])

    assert (session.requests, session.failure) == (1, Rejected(Rejection.NO_RIGHTS))


def test_objects_an_agent_stumbles_over_are_left_out_one_by_one() -> None:
    def stumbles(_: int, request: Request, answer: Answer) -> Answer:
        return Answered((), 5, request.oids.index(OTHER) + 1) if OTHER in request.oids else answer

    session = poll(Agent({NAME: b"x", OTHER: 1}, twist=stumbles), [Scalars("system", (OTHER, NAME))])

    assert session.readings.scalars == {NAME: b"x", OTHER: None}


def test_an_agent_that_repeats_itself_is_left_with_what_it_told() -> None:
    def repeats(number: int, _: Request, answer: Answer) -> Answer:
        return Answered((((*ENTRY, 1, 3), 1),)) if number > 1 else answer

    session = poll(Agent(objects(9, 1), twist=repeats), [table(columns=1)])

    assert (len(session.readings.column((*ENTRY, 1))), session.readings.partial) == (
        5,
        ["things: the agent repeats itself"],
    )


def test_an_endless_table_ends_at_its_bound() -> None:
    def endless(_: int, request: Request, __: Answer) -> Answer:
        assert isinstance(request, GetBulk)
        last = request.oids[0][len(ENTRY) + 1 :]
        start = last[0] if last else 0
        return Answered(tuple(((*ENTRY, 1, start + 1 + n), n) for n in range(request.max_repetitions)))

    session = poll(Agent({}, twist=endless), [table(60, columns=1)])

    assert session.readings.partial == ["things: more than 60 rows"]
    assert session.requests <= 8
    assert poll(Agent(objects(90, 1)), [table(60, columns=1, head_only=True)]).readings.partial == []


def test_the_deadline_ends_a_poll_and_says_what_is_missing() -> None:
    session = poll(
        Agent(objects(90)), [table(), Table("more", (2, 1), (1,), 9)], SessionLimits(within_seconds=0.3, varbinds=4)
    )

    assert session.readings.partial == [
        "things: the poll took longer than 0.3 s",
        "more: not asked, the poll took longer than 0.3 s",
    ]
    assert session.requests == 3


def test_so_does_the_bound_of_requests() -> None:
    session = poll(Agent(objects(90)), [table()], SessionLimits(max_requests=2))

    assert session.readings.partial == ["things: the poll took more than 2 requests"]


def test_rows_of_timed_tables_carry_when_they_came() -> None:
    session = poll(Agent(objects(7)), [Table("things", ENTRY, (1, 2), 10, timed=True)])

    assert session.readings.arrived == {"things": {(row,): 100 if row <= 5 else 200 for row in range(1, 8)}}


def test_a_switch_of_25_ports_costs_few_requests() -> None:
    access, core = poll(agent(cisco())), poll(agent(huawei()))
    again = poll(agent(cisco()), expected=access.readings.rows)
    counters = poll(agent(cisco()), counter_steps(RowBounds()), expected=access.readings.rows)

    assert (access.requests, core.requests, again.requests, counters.requests) == (32, 27, 27, 6)
    assert (access.readings.partial, core.readings.partial) == ([], [])


OIDS = st.one_of(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8).map(tuple),
    st.tuples(
        st.sampled_from(sorted(record.numbers for record in cisco())), st.lists(st.integers(0, 3), max_size=3)
    ).map(lambda pair: (*pair[0], *pair[1])),
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.integers(-(2**31), 2**64 - 1),
    st.binary(max_size=20),
    st.lists(st.integers(0, 9), max_size=5).map(tuple),
)
ANSWERS: st.SearchStrategy[Answer] = st.one_of(
    st.builds(
        Answered,
        st.lists(st.tuples(OIDS, VALUES), max_size=12).map(tuple),
        st.sampled_from([0, 0, 0, 1, 2, 5, 16, 99]),
        st.integers(-1, 60),
    ),
    st.just(NoAnswer()),
)


@given(st.lists(ANSWERS, min_size=1, max_size=30))
def test_whatever_is_answered_a_poll_ends(answers: list[Answer]) -> None:
    of = Agent({}, twist=lambda number, _request, _answer: answers[number % len(answers)])
    session = poll(of, full_steps(ALL, RowBounds(30, 30, 30)), SessionLimits(max_requests=500))

    assert session.requests <= 500
    assert all(len(rows) <= 30 for rows in session.readings.columns.values())


def test_an_answer_that_nobody_asked_for_is_a_bug() -> None:
    session = Session([], SessionLimits(), 0.0)
    assert session.next(0.0) is None
    with pytest.raises(ValueError, match="needs a next"):
        session.take(NoAnswer(), 0)


def test_no_such_name_is_how_version_1_says_that_nothing_follows() -> None:
    of = Agent(
        {(*ENTRY, column, row): row for column in (1, 2) for row in range(1, 4)},
        twist=lambda _number, request, answer: first_row(request, answer),
    )

    def first_row(request: Request, answer: Answer) -> Answer:
        assert isinstance(answer, Answered)
        row = answer.varbinds[: len(request.oids)]
        ended = next((at for at, (oid, _) in enumerate(row, 1) if oid[: len(ENTRY)] != ENTRY or oid in request.oids), 0)
        return Answered(row, 2, ended) if ended else Answered(row)

    session = poll(of, [Table("table", ENTRY, (1, 2), 100)])

    assert session.readings.columns == {(*ENTRY, column): {(row,): row for row in range(1, 4)} for column in (1, 2)}
    assert session.readings.partial == []

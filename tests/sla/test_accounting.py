import json
from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.model.agreement import OutageChange, OutageFact
from btimd.model.sla import Availability, Outage, SlaState, SlaStatus, SlaTarget
from btimd.sla.accounting import MAX_OUTAGES_PER_MONTH, AvailabilityAccount
from btimd.sla.months import month_bounds

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, *, month: int = 4) -> float:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC).timestamp()


START, END = at(1), at(1, month=5)


def account(
    opened_at: float = START, *, percent: float = 99.9, stale: float = 60.0, kept: int = 13
) -> AvailabilityAccount:
    target = SlaTarget("erp", percent)
    return AvailabilityAccount(target, opened_at=opened_at, stale_after_seconds=stale, months_kept=kept)


def keep(one: AvailabilityAccount, condition: Availability, begin: float, end: float, every: float = 30.0) -> None:
    """Observe a condition again and again, as a key indicator does, and count to the end."""
    moment = begin
    while moment < end:
        one.observe(condition, moment)
        moment += every
    one.advance(end)


@pytest.mark.parametrize(
    ("moment", "bounds"),
    [
        (at(1), (at(1), at(1, month=5))),
        (at(30, 23, 59, 59), (at(1), at(1, month=5))),
        (at(1, month=12), (at(1, month=12), datetime(2027, 1, 1, tzinfo=UTC).timestamp())),
    ],
)
def test_a_month_is_a_calendar_month_of_utc(moment: float, bounds: tuple[float, float]) -> None:
    assert month_bounds(round(moment * 1000)) == tuple(round(bound * 1000) for bound in bounds)


def near(value: float) -> float:
    """Return something that equals what is almost `value`."""
    return cast("float", pytest.approx(value))


def test_an_account_tells_the_whole_state_of_the_month() -> None:
    one = account(at(11))
    keep(one, UP, at(11), at(11, 1))
    one.observe(DOWN, at(11, 1), cause="db1")
    one.observe(DOWN, at(11, 1, 0, 30), incident_id="INC-1")
    one.observe(UP, at(11, 1, 1))
    assert one.state(at(11, 1, 2)) == SlaState(
        target=SlaTarget("erp", 99.9),
        period_start=START,
        period_end=END,
        at=at(11, 1, 2),
        current=UP,
        up_seconds=3660.0,
        down_seconds=60.0,
        unknown_seconds=864_000.0,
        availability=3660.0 / 3720.0,
        coverage=3720.0 / 867_720.0,
        error_budget_seconds=near(2592.0),
        burn_ratio=near(60.0 / 2592.0),
        status=SlaStatus.MET,
        outages=(Outage("erp", at(11, 1), at(11, 1, 1), "db1", "INC-1"),),
    )


def test_time_before_the_account_was_opened_is_unknown_and_nothing_is_measured() -> None:
    state = account(at(3)).state(at(3))
    assert (state.unknown_seconds, state.availability, state.coverage, state.status) == (
        2 * 86_400.0, None, 0.0, SlaStatus.UNMEASURED,
    )  # fmt: skip


def test_the_first_instant_of_a_month_has_no_coverage() -> None:
    assert account().state(START).coverage is None


def test_a_condition_that_nobody_confirms_becomes_unknown_after_the_limit() -> None:
    one = account()
    one.observe(DOWN, START, cause="db1")
    assert one.advance(START + 60.0) is False
    assert one.advance(START + 60.001) is True
    state = one.state(START + 100.0)
    assert (state.down_seconds, state.unknown_seconds, state.current) == (60.0, 40.0, UNKNOWN)
    assert state.outages == (Outage("erp", START, START + 60.0, "db1", ""),)


def test_a_late_observation_after_silence_counts_the_silence_as_unknown() -> None:
    one = account()
    one.observe(UP, START)
    one.observe(UP, START + 1000.0)
    state = one.state(START + 1010.0)
    assert (state.up_seconds, state.unknown_seconds) == (70.0, 940.0)


def test_a_restart_makes_the_gap_unknown() -> None:
    one = account()
    one.observe(DOWN, START)
    one.advance(START + 10.0)
    again = AvailabilityAccount.from_bytes(one.to_bytes())
    again.interrupted(START + 40.0)
    again.observe(DOWN, START + 40.0)
    state = again.state(START + 50.0)
    assert (state.down_seconds, state.unknown_seconds) == (20.0, 30.0)
    assert [(outage.began_at, outage.ended_at) for outage in state.outages] == [
        (START, START + 10.0),
        (START + 40.0, None),
    ]


def test_a_month_ends_at_midnight_and_an_outage_over_it_belongs_to_both() -> None:
    one = account(at(30, 23, 59))
    one.observe(DOWN, at(30, 23, 59, 30), cause="switch-1")
    one.observe(UP, END + 15.0)
    new = one.state(END + 20.0)
    (old,) = one.closed_months()
    assert (old.period_end, old.at, old.down_seconds, old.unknown_seconds) == (END, END, 30.0, END - START - 30.0)
    assert (new.period_start, new.down_seconds, new.up_seconds) == (END, 15.0, 5.0)
    assert [outage.began_at for outage in (*old.outages, *new.outages)] == [at(30, 23, 59, 30)] * 2
    assert (old.outages[0].ended_at, new.outages[0].ended_at) == (None, END + 15.0)


def test_only_so_many_closed_months_are_kept() -> None:
    one = account(kept=2)
    one.advance(at(15, month=9))
    assert [state.period_start for state in one.closed_months()] == [at(1, month=7), at(1, month=8)]


def test_an_outage_that_is_certain_only_later_is_counted_from_its_beginning() -> None:
    one = account()
    one.observe(UP, START)
    one.observe(UP, START + 30.0)
    one.advance(START + 40.0)
    one.observe(DOWN, START + 28.0)
    state = one.state(START + 50.0)
    assert (state.up_seconds, state.down_seconds, state.outages[0].began_at) == (28.0, 22.0, START + 28.0)


def test_an_observation_reaches_back_to_where_the_present_condition_began_and_no_further() -> None:
    one = account()
    one.observe(UP, START + 30.0)
    one.advance(START + 40.0)
    one.observe(DOWN, START + 10.0)
    state = one.state(START + 50.0)
    assert (state.unknown_seconds, state.up_seconds, state.down_seconds) == (30.0, 0.0, 20.0)


def test_an_observation_does_not_reach_back_over_the_start_of_a_month_nor_over_a_restart() -> None:
    one = account(at(30, 23, 59))
    one.observe(UP, at(30, 23, 59))
    one.advance(END + 10.0)
    one.observe(DOWN, END - 5.0)
    state = one.state(END + 10.0)
    assert (state.down_seconds, one.closed_months()[0].up_seconds) == (10.0, 60.0)
    again = AvailabilityAccount.from_bytes(one.to_bytes())
    again.interrupted(END + 100.0)
    again.observe(DOWN, END + 50.0)
    assert again.state(END + 100.0).down_seconds == 10.0


def test_a_name_that_comes_later_completes_the_outage_and_an_empty_one_erases_nothing() -> None:
    one = account()
    one.observe(DOWN, START)
    one.observe(DOWN, START + 1.0, cause="db1", incident_id="INC-1")
    one.observe(DOWN, START + 2.0)
    assert one.state(START + 3.0).outages == (Outage("erp", START, None, "db1", "INC-1"),)


def test_outages_beyond_the_limit_are_not_listed_but_counted_in_full() -> None:
    one = account()
    for number in range(MAX_OUTAGES_PER_MONTH + 5):
        one.observe(DOWN, START + 2.0 * number)
        one.observe(UP, START + 2.0 * number + 1.0)
    state = one.state(START + 3000.0)
    assert (len(state.outages), state.down_seconds) == (MAX_OUTAGES_PER_MONTH, MAX_OUTAGES_PER_MONTH + 5.0)
    assert one.to_document()["months"][0]["dropped_outages"] == 5


@pytest.mark.parametrize(
    ("down_minutes", "then", "status"),
    [
        (0, UP, SlaStatus.MET),
        (5, UP, SlaStatus.MET),  # 12 % of 43.2 minutes
        (12, UP, SlaStatus.AT_RISK),  # 28 % used, 10 % of the month over
        (33, UP, SlaStatus.AT_RISK),  # 76 %
        (42, DOWN, SlaStatus.AT_RISK),
        (44, UP, SlaStatus.BREACHED),
    ],
)
def test_the_status_follows_the_budget(down_minutes: int, then: Availability, status: SlaStatus) -> None:
    one = account(stale=1e9)
    one.observe(UP, START)
    one.observe(DOWN, at(4) - 60.0 * down_minutes)
    one.observe(then, at(4))
    assert one.state(at(4)).status is status


def test_an_outage_that_will_soon_use_up_the_budget_is_a_risk_from_the_start() -> None:
    one = account(percent=99.99, stale=1e9)  # 4.3 minutes a month
    one.observe(UP, START)
    one.observe(DOWN, at(20))
    assert one.state(at(20)).status is SlaStatus.AT_RISK
    one.observe(UP, at(20, 0, 0, 30))
    assert one.state(at(20, 0, 0, 30)).status is SlaStatus.MET


def test_unmeasured_time_shrinks_what_may_fail() -> None:
    one = account(at(29), percent=99.0, stale=1e9)  # two measured days allow 28.8 minutes
    one.observe(UP, at(29))
    one.observe(DOWN, at(30))
    one.observe(UP, at(30, 0, 40))
    state = one.state(at(30, 1))
    assert state.status is SlaStatus.BREACHED
    assert state.burn_ratio < 0.1  # of the budget of a whole month
    one.advance(END)
    (closed,) = one.closed_months()
    assert closed.status is SlaStatus.BREACHED
    assert closed.availability is not None
    assert closed.availability < 0.99


def test_a_target_of_one_hundred_percent_is_breached_by_any_downtime() -> None:
    one = account(percent=100.0)
    one.observe(UP, START)
    assert one.state(START + 1.0).status is SlaStatus.MET
    one.observe(DOWN, START + 1.0)
    assert one.state(START + 1.5).status is SlaStatus.BREACHED


def test_a_reload_changes_the_promise_and_keeps_the_time() -> None:
    one = account()
    one.observe(UP, START)
    one.advance(START + 30.0)
    one.retarget(SlaTarget("erp", 95.0), stale_after_seconds=10.0, months_kept=1)
    state = one.state(START + 30.0)
    assert (state.target.availability_percent, state.error_budget_seconds, state.up_seconds) == (
        95.0, near(129_600.0), 30.0,
    )  # fmt: skip


def test_an_account_survives_writing_and_reading() -> None:
    one = account(at(30))
    one.observe(UP, at(30))
    one.observe(DOWN, at(30, 0, 1), cause="数据库", incident_id="INC-1")
    one.advance(at(2, month=5))
    again = AvailabilityAccount.from_bytes(one.to_bytes())
    assert again.to_bytes() == one.to_bytes()
    assert again.state(at(3, month=5)) == one.state(at(3, month=5))
    assert again.closed_months() == one.closed_months()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff", "is no JSON"),
        (b"[]", "version 'list'"),
        (b'{"version":3}', "version 3"),
        (b'{"version":2}', "is damaged"),
        (b'{"version":1}', "is damaged"),
        (json.dumps(account().to_document() | {"months": []}).encode(), "is damaged"),
        (json.dumps(account().to_document() | {"current": "sideways"}).encode(), "is damaged"),
        (json.dumps({**account().to_document(), "months": [
            {**account().to_document()["months"][0], "up": 5}]}).encode(), "do not make up its elapsed time"),
    ],
)  # fmt: skip
def test_what_is_no_account_is_refused_with_its_reason(data: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AvailabilityAccount.from_bytes(data)


# -- against a second-by-second count

_STALE = 20
_SPAN = 400
_STEPS = st.lists(
    st.tuples(st.integers(0, 45), st.sampled_from([UP, DOWN, UNKNOWN, None, "restart"])), min_size=1, max_size=40
)


def brute_force(steps: list[tuple[int, object]], begin: int, end: int) -> dict[int, dict[Availability, int]]:
    """Colour every second by walking over them; return seconds per condition per month's start."""
    observations: dict[int, list[object]] = {}
    moment = begin
    for wait, what in steps:
        moment += wait
        observations.setdefault(moment, []).append(what)
    condition, confirmed = UNKNOWN, -(10**9)
    sums: dict[int, dict[Availability, int]] = {}
    last_counted = begin
    interrupted: set[int] = set()
    moment = begin
    for wait, what in steps:
        moment += wait
        if what == "restart":
            interrupted.update(range(last_counted, moment))
        last_counted = moment
    first_month = round(month_bounds(begin * 1000)[0] / 1000)
    sums[first_month] = dict.fromkeys(Availability, 0) | {UNKNOWN: begin - first_month}
    for second in range(begin, end):
        for what in observations.get(second, []):
            if what == "restart":
                condition = UNKNOWN
            elif isinstance(what, Availability):
                condition, confirmed = what, second
        stale = second >= confirmed + _STALE
        colour = UNKNOWN if stale or second in interrupted else condition
        month = round(month_bounds(second * 1000)[0] / 1000)
        sums.setdefault(month, dict.fromkeys(Availability, 0))[colour] += 1
    return sums


@settings(max_examples=60)
@given(_STEPS)
def test_up_down_and_unknown_make_up_every_second_as_counted_one_by_one(steps: list[tuple[int, object]]) -> None:
    begin = round(END) - _SPAN
    one = account(float(begin), stale=float(_STALE))
    moment = begin
    for wait, what in steps:
        moment += wait
        if isinstance(what, Availability):
            one.observe(what, float(moment))
        elif what == "restart":
            one = AvailabilityAccount.from_bytes(one.to_bytes())
            one.interrupted(float(moment))
        else:
            one.advance(float(moment))
    end = moment + 30
    one.advance(float(end))
    states = (*one.closed_months(), one.state(float(end)))
    expected = brute_force(steps, begin, end)
    found = {
        round(state.period_start): {UP: state.up_seconds, DOWN: state.down_seconds, UNKNOWN: state.unknown_seconds}
        for state in states
        if state.at > state.period_start
    }
    assert found == expected
    for state in states:
        assert state.up_seconds + state.down_seconds + state.unknown_seconds == state.at - state.period_start


# -- the log, facts of outages, and what is put right


def spans(one: AvailabilityAccount) -> list[tuple[float, float, Availability]]:
    return [(low / 1000, high / 1000, condition) for low, high, condition in one.log.stretches(0, 2**53)]


def test_the_account_keeps_the_conditions_it_has_counted() -> None:
    one = account(at(11))
    one.observe(UP, at(11))
    one.advance(at(11, 0, 1))
    one.observe(DOWN, at(11, 0, 0, 30))
    one.advance(at(11, 0, 1, 30))

    assert spans(one) == [
        (START, at(11), UNKNOWN),
        (at(11), at(11, 0, 0, 30), UP),
        (at(11, 0, 0, 30), at(11, 0, 1, 30), DOWN),
    ]


def test_an_outage_that_is_over_the_end_of_a_month_is_one_fact() -> None:
    one = account(at(30, 23, 59), stale=600.0)
    one.observe(DOWN, at(30, 23, 59), cause="db1", users=40, users_exact=True)
    one.observe(DOWN, at(1, 0, 1, month=5), incident_id="INC-1")
    one.observe(UP, at(1, 0, 2, month=5))

    assert one.facts(0, 2**53) == [
        OutageFact(
            subject="erp",
            began_at=at(30, 23, 59),
            ended_at=at(1, 0, 2, month=5),
            cause="db1",
            incident_id="INC-1",
            users=40,
            users_exact=True,
        )
    ]
    assert one.facts(0, round(at(30) * 1000)) == []


def outage_account() -> AvailabilityAccount:
    """Return an account that was up for an hour, down from 10:00 to 10:10, and up until 11:00."""
    one = account(at(11, 9), stale=7200.0)
    one.observe(UP, at(11, 9))
    one.observe(DOWN, at(11, 10), cause="db1")
    one.observe(UP, at(11, 10, 10))
    one.advance(at(11, 11))
    return one


def test_a_shorter_outage_gives_its_time_back_and_keeps_its_name() -> None:
    one = outage_account()

    assert one.revise(at(11, 10, 5), at(11, 10, 10), OutageChange(availability=UP)) == (at(11, 10, 5), at(11, 10, 10))
    state = one.state(at(11, 11))
    assert (state.up_seconds, state.down_seconds) == (6900.0, 300.0)
    assert state.outages == (Outage("erp", at(11, 10), at(11, 10, 5), "db1", ""),)


def test_an_outage_cut_in_two_is_two_with_the_same_name() -> None:
    one = outage_account()
    one.revise(at(11, 10, 4), at(11, 10, 6), OutageChange(availability=UNKNOWN))

    assert [(fact.began_at, fact.ended_at, fact.cause) for fact in one.facts(0, 2**53)] == [
        (at(11, 10), at(11, 10, 4), "db1"),
        (at(11, 10, 6), at(11, 10, 10), "db1"),
    ]
    assert one.state(at(11, 11)).unknown_seconds == at(11, 9) - START + 120.0


def test_an_outage_nobody_saw_is_put_in_and_one_that_touches_another_becomes_part_of_it() -> None:
    one = outage_account()
    one.revise(at(11, 9, 30), at(11, 9, 40), OutageChange(availability=DOWN, cause="isp", supplier="Telecom"))
    one.revise(at(11, 10, 10), at(11, 10, 20), OutageChange(availability=DOWN))

    assert [(fact.began_at, fact.ended_at, fact.cause, fact.supplier) for fact in one.facts(0, 2**53)] == [
        (at(11, 9, 30), at(11, 9, 40), "isp", "Telecom"),
        (at(11, 10), at(11, 10, 20), "db1", ""),
    ]
    assert one.state(at(11, 11)).down_seconds == 1800.0


def test_an_outage_is_named_anew_without_touching_its_time() -> None:
    one = outage_account()
    before = one.state(at(11, 11))
    one.revise(at(11, 10, 1), at(11, 10, 2), OutageChange(cause="ups1", supplier="Power", planned=True, users=7))

    fact = one.facts(0, 2**53)[0]
    assert (fact.cause, fact.supplier, fact.planned, fact.users, fact.users_exact) == ("ups1", "Power", True, 7, True)
    assert one.state(at(11, 11)).down_seconds == before.down_seconds


def test_an_outage_that_goes_on_is_cut_where_it_was_put_right_and_goes_on_as_a_new_one() -> None:
    one = account(at(11, 9), stale=7200.0)
    one.observe(DOWN, at(11, 9), cause="db1")
    one.advance(at(11, 10))
    one.revise(at(11, 9), at(11, 11), OutageChange(availability=UP))
    one.advance(at(11, 10, 30))

    assert [(fact.began_at, fact.ended_at) for fact in one.facts(0, 2**53)] == [(at(11, 10), None)]
    assert (one.state(at(11, 10, 30)).up_seconds, one.state(at(11, 10, 30)).down_seconds) == (3600.0, 1800.0)


@pytest.mark.parametrize(("begin", "end"), [(at(12), at(13)), (START - 86400, START), (at(11, 10), at(11, 10))])
def test_time_that_is_not_counted_cannot_be_put_right(begin: float, end: float) -> None:
    with pytest.raises(ValueError, match="can be revised; the conditions are known from"):
        outage_account().revise(begin, end, OutageChange(availability=UP))


_REVISIONS = st.tuples(
    st.just("revise"), st.integers(-30, 500), st.integers(1, 200), st.sampled_from([UP, DOWN, UNKNOWN])
)
_SIGHTS = st.tuples(
    st.just("observe"), st.integers(0, 45), st.integers(0, 30), st.sampled_from([UP, DOWN, UNKNOWN, None])
)


@settings(max_examples=80)
@given(st.lists(_REVISIONS | _SIGHTS, min_size=1, max_size=40))
def test_whatever_is_put_right_sums_outages_and_log_say_the_same(
    steps: list[tuple[str, int, int, Availability | None]],
) -> None:
    begin = round(END) - 400
    one = account(float(begin), stale=40.0)
    moment = begin
    for what, first, second, condition in steps:
        if what == "observe":
            moment += first
            if condition is None:
                one.advance(float(moment))
            else:
                one.observe(condition, float(moment - second))
                one.advance(float(moment))
        elif begin + first < moment and moment > begin:
            one.revise(float(begin + first), float(begin + first + second), OutageChange(availability=condition))
    states = [*one.closed_months(), one.state(float(moment))]
    for state in states:
        low, high = round(state.period_start * 1000), round(state.at * 1000)
        sums = {UP: state.up_seconds, DOWN: state.down_seconds, UNKNOWN: state.unknown_seconds}
        assert {key: span / 1000 for key, span in one.log.sums(low, high).items()} == sums
    listed = [(fact.began_at, moment if fact.ended_at is None else fact.ended_at) for fact in one.facts(0, 2**53)]
    logged = [(low, high) for low, high, condition in spans(one) if condition is DOWN]
    assert [span for span in joined(listed) if span[0] < span[1]] == logged
    assert AvailabilityAccount.from_bytes(one.to_bytes()).to_bytes() == one.to_bytes()


def joined(listed: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Put outages together that follow each other at once, as a cut and a new beginning at the same moment leave them."""
    found: list[tuple[float, float]] = []
    for low, high in listed:
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def old_document(**months: object) -> dict[str, object]:
    """Return what version 1 wrote: an account opened on 11 April, with an outage of ten minutes that had ended."""
    month = {
        "start": round(START * 1000),
        "until": round(at(11, 11) * 1000),
        "up": 6_600_000,
        "down": 600_000,
        "unknown": round((at(11, 9) - START) * 1000),
        "dropped_outages": 0,
        "outages": [[round(at(11, 10) * 1000), round(at(11, 10, 10) * 1000), "db1", "INC-1"]],
    }
    return {
        "version": 1,
        "business": "erp",
        "availability_percent": 99.9,
        "stale_after_milliseconds": 60_000,
        "months_kept": 13,
        "current": "up",
        "observed_at": round(at(11, 11) * 1000),
        "turned_at": round(at(11, 10, 10) * 1000),
        "months": [month | months],
    }


def test_an_account_of_the_first_version_goes_on_with_its_sums() -> None:
    one = AvailabilityAccount.from_document(old_document())
    one.observe(DOWN, at(11, 11, 0, 30))
    state = one.state(at(11, 11, 1))

    assert (state.up_seconds, state.down_seconds) == (6630.0, 630.0)
    assert state.outages == (
        Outage("erp", at(11, 10), at(11, 10, 10), "db1", "INC-1"),
        Outage("erp", at(11, 11, 0, 30), None, "", ""),
    )


def test_what_the_first_version_did_not_keep_is_unknown_in_the_log_and_cannot_be_put_right() -> None:
    one = AvailabilityAccount.from_document(old_document())

    assert spans(one) == [
        (START, at(11, 10), UNKNOWN),
        (at(11, 10), at(11, 10, 10), DOWN),
        (at(11, 10, 10), at(11, 11), UNKNOWN),
    ]
    assert one.exact_from == round(at(11, 11) * 1000)
    with pytest.raises(ValueError, match="can be revised"):
        one.revise(at(11, 10), at(11, 10, 5), OutageChange(availability=UP))


def test_a_month_the_first_version_measured_as_a_whole_is_known_as_a_whole() -> None:
    up = round((at(11, 11) - START) * 1000) - 600_000
    one = AvailabilityAccount.from_document(old_document(up=up, unknown=0))

    assert spans(one) == [(START, at(11, 10), UP), (at(11, 10), at(11, 10, 10), DOWN), (at(11, 10, 10), at(11, 11), UP)]

import pytest

from btimd.itsm.notify.limits import DEFAULT_LIMITS, CostCap, RateLimit, affordable, free_at
from btimd.model.incident import Priority
from btimd.model.notification import Means, NoticeState
from tests.itsm.notify.examples import NOW, notice


def test_a_fourth_call_within_a_quarter_of_an_hour_waits_for_the_first_to_be_that_old() -> None:
    calls = [notice(means=Means.VOICE, at=NOW - ago, due_at=NOW - ago) for ago in (880, 600, 300)]

    assert free_at(Means.VOICE, "13800000000", calls, NOW, DEFAULT_LIMITS) == NOW + 20
    assert free_at(Means.VOICE, "13800000000", calls, NOW + 21, DEFAULT_LIMITS) <= NOW + 21
    assert free_at(Means.VOICE, "13900000000", calls, NOW, DEFAULT_LIMITS) == NOW
    assert free_at(Means.SMS, "13800000000", calls, NOW, DEFAULT_LIMITS) == NOW
    assert free_at(Means.SCREEN, "", calls, NOW, DEFAULT_LIMITS) == NOW


def test_what_never_left_or_was_told_by_another_does_not_count() -> None:
    limits = {Means.SMS: RateLimit(1, 60.0)}

    assert free_at(Means.SMS, "13800000000", [notice(state=NoticeState.FAILED)], NOW, limits) == NOW
    assert free_at(Means.SMS, "13800000000", [notice(folded_into="n-0")], NOW, limits) == NOW
    assert (
        free_at(Means.SMS, "13800000000", [notice(state=NoticeState.FAILED, uncertain=True)], NOW, limits) == NOW + 60
    )
    assert free_at(Means.SMS, "13800000000", [], NOW, {Means.SMS: RateLimit(0, 60.0)}) == NOW + 60


@pytest.mark.parametrize(
    ("cost", "spent", "priority", "may"),
    [(0.5, 9.5, 2, True), (0.6, 9.5, 2, False), (0.6, 9.5, 1, True), (0.0, 99.0, 5, True)],
)
def test_a_day_has_a_cap_that_the_most_urgent_do_not_know(cost: float, spent: float, priority: int, may: bool) -> None:
    assert affordable(cost, spent, Priority(priority), CostCap(10.0)) is may
    assert affordable(cost, spent, Priority(priority), None)

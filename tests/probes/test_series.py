import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.limits import limits_of
from btimd.probes.series import Aggregate, Question, judge, read
from btimd.probes.wire.dialogue import Outcome
from btimd.probes.wire.openmetrics import selector_of

PAGE = """\
avail{mountpoint="/"} 40
avail{mountpoint="/var"} 3
size{mountpoint="/"} 100
size{mountpoint="/var"} 50
cores 4
load1 6
errors_total{code="500"} 10
errors_total{code="502"} 20
broken{a=1} 5
odd NaN
"""


def question(
    series: str, aggregate: str = "each", per: str = "", absent: Health = Health.UNKNOWN, **limits: str
) -> Question:
    return Question(
        selector_of(series), limits_of(limits), Aggregate(aggregate), selector_of(per) if per else None, absent
    )


def judged(asked: Question, page: str = PAGE) -> Outcome:
    return judge(asked, read(asked, page, 10.0), None, about="host:9100/metrics")


@pytest.mark.parametrize(
    ("asked", "health", "detail"),
    [
        (question("load1"), Health.GOOD, "load1 is 6"),
        (question("load1", warn="> 5"), Health.GOOD, "warning: load1 is 6 (limit > 5)"),
        (question("load1", warn="> 5", critical="> 5.5"), Health.BAD, "load1 is 6 (limit > 5.5)"),
        (question("load1", per="cores", critical="> 1"), Health.BAD, "load1 per cores is 1.5 (limit > 1)"),
        (
            question("avail", per="size", warn="< 0.5", critical="< 0.1"),
            Health.BAD,
            "avail{mountpoint=/var} per size is 0.06 (limit < 0.1)",
        ),
        (question("avail", "sum", per="size"), Health.GOOD, "sum of avail per size is 0.286667"),
        (question("avail", "max"), Health.GOOD, "max of avail is 40"),
        (question("avail", "min"), Health.GOOD, "min of avail is 3"),
        (question("avail", "avg"), Health.GOOD, "avg of avail is 21.5"),
        (question("avail", "count", critical="!= 2"), Health.GOOD, "count of avail is 2"),
        (question("none", "count", critical="< 1"), Health.BAD, "count of none is 0 (limit < 1)"),
    ],
)
def test_series_are_put_together_and_held_against_limits(asked: Question, health: Health, detail: str) -> None:
    outcome = judged(asked)
    error = ErrorClass.EXCEEDED if health is Health.BAD else ErrorClass.NONE
    assert (outcome.health, outcome.error, outcome.detail) == (health, error, f"host:9100/metrics: {detail}")


@pytest.mark.parametrize(
    ("absent", "error"),
    [
        (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE),
        (Health.BAD, ErrorClass.WRONG_ANSWER),
        (Health.GOOD, ErrorClass.NONE),
    ],
)
def test_what_is_not_there_means_what_the_operator_said(absent: Health, error: ErrorClass) -> None:
    for name in ("none", "odd"):
        assert judged(question(name, absent=absent)) == Outcome(absent, error, f"host:9100/metrics tells no {name}")


@pytest.mark.parametrize(
    ("asked", "page", "detail"),
    [
        (question("broken", absent=Health.BAD), PAGE, "labels that cannot be read: 'a=1} 5'"),
        (question("up", absent=Health.BAD), "<html></html>", "there are no metrics on the page"),
        (question("load1", per="none"), PAGE, "load1 has no none to be divided by"),
        (question("load1", "rate"), PAGE, "load1 was read once only; a rate needs two readings"),
    ],
)
def test_what_cannot_be_said_is_unknown(asked: Question, page: str, detail: str) -> None:
    outcome = judged(asked, page)
    assert (outcome.health, outcome.detail) == (Health.UNKNOWN, f"host:9100/metrics: {detail}")


def test_a_rate_is_the_growth_of_all_series_that_both_readings_have() -> None:
    asked = question("errors_total", "rate", critical="> 1")
    first = read(asked, PAGE, 10.0)
    later = read(asked, 'errors_total{code="500"} 14\nerrors_total{code="502"} 6\nerrors_total{code="503"} 99\n', 20.0)
    assert judge(asked, later, first, about="h") == Outcome(
        Health.GOOD, ErrorClass.NONE, "h: rate of errors_total is 1", {"value": 1.0, "series": 3.0}
    )

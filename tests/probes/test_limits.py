import math

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.limits import Limits, cannot_say, found, limit_of, limits_of, verdict
from btimd.probes.wire.dialogue import Outcome

VALUES = (-1.0, 0.0, 9.9, 10.0, 15.0, 20.0, 20.1)


@pytest.mark.parametrize(
    ("text", "beyond"),
    [
        ("> 10", (15.0, 20.0, 20.1)),
        (">=10", (10.0, 15.0, 20.0, 20.1)),
        ("< 10", (-1.0, 0.0, 9.9)),
        ("<= 10", (-1.0, 0.0, 9.9, 10.0)),
        ("== 10", (10.0,)),
        ("!= 10", (-1.0, 0.0, 9.9, 15.0, 20.0, 20.1)),
        ("10", (-1.0, 15.0, 20.0, 20.1)),
        ("10:", (-1.0, 0.0, 9.9)),
        ("~:10", (15.0, 20.0, 20.1)),
        (":10", (-1.0, 15.0, 20.0, 20.1)),
        ("10:20", (-1.0, 0.0, 9.9, 20.1)),
        ("@10:20", (10.0, 15.0, 20.0)),
        ("-5:1e1", (15.0, 20.0, 20.1)),
    ],
)
def test_a_limit_says_what_is_beyond_it(text: str, beyond: tuple[float, ...]) -> None:
    limit = limit_of(text)
    assert tuple(value for value in VALUES if limit.met_by(value)) == beyond
    assert limit.met_by(math.nan)


@pytest.mark.parametrize("text", ["", "ten", "20:10", ">", "@", "~:", "1:2:3", "> 1 2", "90%"])
def test_what_is_no_limit_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match='write "> 90"'):
        limit_of(text)


def test_limits_come_from_options_or_their_defaults() -> None:
    options = {"warn": "none", "free_critical": "< 5"}
    assert limits_of(options, warn="> 1", critical="> 2") == Limits(None, limit_of("> 2"))
    assert limits_of(options, prefix="free_") == Limits(None, limit_of("< 5"))
    with pytest.raises(ValueError, match="free_critical: limit 'much' is none"):
        limits_of({"free_critical": "much"}, prefix="free_")


def test_the_worst_finding_decides_and_is_told_first() -> None:
    limits = limits_of({}, warn="> 80", critical="> 90")
    findings = [found(limits, value, f"disk {value:g} %") for value in (10.0, 95.0, 85.0)]
    assert verdict(findings[:1], {}, about="host") == Outcome(Health.GOOD, ErrorClass.NONE, "host: disk 10 %")
    assert verdict(findings[::2], {"x": 1.0}, about="host") == Outcome(
        Health.GOOD, ErrorClass.NONE, "host: warning: disk 85 % (limit > 80)", {"x": 1.0}
    )
    assert verdict(findings, {}, about="host") == Outcome(
        Health.BAD, ErrorClass.EXCEEDED, "host: disk 95 % (limit > 90)"
    )
    many = [found(limits, 99.0, f"d{number}") for number in range(6)]
    assert verdict(many, {}, about="h").detail.endswith("d3 (limit > 90) and 2 more")
    assert cannot_say("no table") == Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "no table")

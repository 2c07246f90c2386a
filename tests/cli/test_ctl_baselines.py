import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from btimd.cli.ctl_baselines import baselines_table, deviations_table, figure, forecast_text, plot, threshold
from btimd.model.deviation import ALL, BaselinePoint, Indicator
from tests.fakes.baselines import DEVIATION, FORECAST, MOST, NEW, ROW


def shown(picture: Any) -> list[str]:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def cells(picture: Any) -> Sequence[str]:
    return [" ".join(line.split()) for line in shown(picture)[1:]]


def test_deviations_say_what_is_off_and_what_is_over() -> None:
    over = replace(DEVIATION, cleared_at=1.0, reason="over after 10 minutes")
    lines = cells(deviations_table([DEVIATION, MOST, over]))
    assert [line.split(" ", 2)[2] for line in lines] == [
        "erp north drop erp, region north: traffic 41 Mbit/s",
        "(most) (all) drop erp, region north: traffic 41 Mbit/s",
        "erp north over erp, region north: traffic 41 Mbit/s: over after 10 minutes",
    ]


def test_baselines_say_what_is_and_what_is_usual() -> None:
    assert cells(baselines_table([ROW, NEW])) == [
        "erp (all) users ● usual 120 118 90 150 12",
        "erp - response · learning - - - - 0",
    ]


def test_a_day_is_drawn_by_the_hour() -> None:
    hour = [BaselinePoint(900_000 * at, 40.0, 80.0, 60.0, 100.0) for at in range(4)]
    fine = [BaselinePoint(3_600_000 + 900_000 * at, 80.0, 80.0, 60.0, 100.0) for at in range(4)]
    none = [BaselinePoint(7_200_000 + 900_000 * at, None, None, None, None) for at in range(4)]
    lines = shown(plot([*hour, *fine, *none], Indicator.USERS))

    assert lines[0] == "0 to 120; * was, | usual, - its band, ! off"
    assert lines[1][12:] == " " * 20 + "!" + " " * 9 + "-" * 10 + "|" + "-" * 10 + " " * 10 + " 40"
    assert lines[2][12:] == " " * 30 + "-" * 10 + "*" + "-" * 10 + " " * 10 + " 80"
    assert lines[3][12:].split() == ["-"]


def test_values_have_their_units() -> None:
    values = [
        (Indicator.TRAFFIC, 2e6),
        (Indicator.USERS, 3.2),
        (Indicator.FAILURES, 0.031),
        (Indicator.RESPONSE, 0.0184),
    ]
    assert [figure(indicator, value) for indicator, value in values] == ["2 Mbit/s", "3", "3.10 %", "18.4 ms"]


@pytest.mark.parametrize(("text", "value"), [("90%", 0.9), ("5000", 5000.0), ("250ms", 0.25), ("2s", 2.0)])
def test_thresholds_are_shares_counts_or_times(text: str, value: float) -> None:
    assert threshold(text) == value


def test_a_threshold_that_is_none_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="'much' is no threshold"):
        threshold("much")


def test_a_forecast_is_its_sentence() -> None:
    assert shown(forecast_text(FORECAST)) == ["crosses 90 %"]
    assert ALL == "*"

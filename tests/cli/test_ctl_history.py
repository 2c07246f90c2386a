"""Windows of time as people write them."""

import argparse

import pytest

from btimd.cli.ctl_history import add_window, day_of, window_of

T0 = 1_700_000_000.0


def window(line: str) -> tuple[float, float]:
    parser = argparse.ArgumentParser()
    add_window(parser, "30d")
    return window_of(parser.parse_args(line.split()), T0)


def test_a_window_goes_back_from_now_or_between_days() -> None:
    assert window("") == (T0 - 30 * 86_400.0, T0)
    assert window("--since 24h") == (T0 - 86_400.0, T0)
    assert window("--from 2023-11-01") == (1_698_796_800.0, T0)
    assert window("--since 1d --until 2023-11-02") == (1_698_796_800.0, 1_698_883_200.0)


def test_a_day_is_in_utc_unless_it_says_another_zone() -> None:
    assert day_of("2023-11-01T08:00+08:00") == day_of("2023-11-01")
    with pytest.raises(argparse.ArgumentTypeError, match="'tomorrow' is no day; write it as 2026-11-01"):
        day_of("tomorrow")

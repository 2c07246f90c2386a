"""Pictures of service levels."""

from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from btimd.cli.ctl_leveltables import (
    agreement_picture,
    bar,
    calendar_picture,
    contributions_table,
    periods_picture,
    revision_picture,
    standings_picture,
)
from tests.fakes.levels import BEFORE, CONTRIBUTION, ENTRY, FIGURES, OF_HR, OFFICE, QUIET, SLA, STANDING, UC


def shown(picture: RenderableType) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (0.0, "[----------] 0 %"),
        (0.694, "[#######---] 69 %"),
        (1.5, "[##########] 150 %"),
        (-1.0, "[----------] -100 %"),
    ],
)
def test_a_budget_is_a_bar(used: float, text: str) -> None:
    assert bar(used).plain == text


def test_a_standing_is_a_line_and_what_to_look_at_stands_below() -> None:
    lines = shown(standings_picture([STANDING, QUIET]))

    assert lines[1].split("  ")[0] == "bank"
    assert lines[1].endswith("99.900 %  99.770 %  30 min  13 min 12 s  [#######---] 69 %")
    assert next(line for line in lines if line.startswith("bank (erp): ")) == (
        "bank (erp): burns 15.2 times as fast as the budget allows (fast)"
    )
    assert "bank (erp): at the end probably 99.700 % to 99.850 %, missed with 80 %" in lines
    assert (
        "bank (erp): 4 incidents: 2 of 3 taken up in time, 2 of 2 resolved in time, 1 overdue; response 5 min" in lines
    )


def test_periods_have_a_strip_of_how_each_was_kept() -> None:
    lines = shown(periods_picture([BEFORE, FIGURES, OF_HR]))

    assert lines[:2] == ["erp  x!", "hr  +"]
    assert "unmeasured" in lines[4]
    assert lines[-1].endswith("of maintenance do not count")


def test_an_agreement_is_told_with_what_does_not_add_up() -> None:
    assert shown(agreement_picture(replace(SLA, title="Bank\x1b[2J")))[0] == "bank: SLA, Bank\ufffd[2J / 网上银行"
    assert shown(agreement_picture(UC)) == [
        "line: UC (draft)",
        "provider      China Telecom",
        "covers        line1 (3 nodes)",
        "matters to    hr",
        "availability  99.9 % of always, by the month of Asia/Shanghai",
        "valid         from 2026-01-01, review on 2027-01-15",
    ]


def test_a_correction_says_what_it_changed() -> None:
    lines = shown(revision_picture(ENTRY))

    assert lines[1].endswith("10 min  planned, cause ora1: change 4711")
    assert [line.partition(": ")[2] for line in lines[3:]] == [
        "down 30 min -> 20 min, kept 99.770 % -> unmeasured, at-risk -> met",
        "down 30 min -> 20 min, kept 99.770 % -> 99.850 %, at-risk -> met",
    ]
    assert shown(revision_picture(replace(ENTRY, effects=())))[-1] == "no agreement is touched by it"


def test_components_and_calendars_are_tables() -> None:
    assert shown(contributions_table([CONTRIBUTION]))[1].split() == (
        ["ora1", "20", "min", "1", "66", "%", "20", "min", "99.850", "%", "99.920", "%", "99.9", "%", "line"]
    )
    assert shown(calendar_picture(OFFICE, ["always", "office"])) == [
        "office (Asia/Shanghai): open now, until 2026-11-01 01:00:00 +0800; 9 h open in these days",
        "",
        "day              open",
        "2026-11-02  Mon  10:00-19:00",
        "2026-11-03  Tue  closed       not as usual",
        "",
        "calendars: always, office",
    ]

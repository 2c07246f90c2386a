"""Pictures of windows and silences; the commands themselves are asked in test_btimctl."""

from dataclasses import replace

from btimd.cli.ctl_maintenance import maintenance_picture, recurrence_text, suppression_picture
from tests.cli.test_ctl_leveltables import shown
from tests.fakes.maintenance import AGREED, HELD, VIEWS


def test_each_is_a_line_and_what_is_not_meant_stands_below() -> None:
    lines = shown(maintenance_picture(VIEWS[1:]))

    assert lines[0].split() == ["id", "now", "from", "until", "held", "back", "last", "by", "what", "and", "why"]
    assert (lines[1].split()[:2], lines[1].endswith("businesses erp: new disks (CHG-7)")) == (["M-1", "holds"], True)
    assert lines[2].split()[:2] == ["bank/1", "later"]
    assert lines[-1] == "M-1 overlaps with M-9"


def test_one_is_told_with_what_it_held_back() -> None:
    lines = shown(suppression_picture(VIEWS[1], [HELD, replace(HELD, title="\x1b[31mred")]))

    assert lines[0] == "M-1: maintenance window, holds now"
    assert "held back 2 troubles, of which 1 last" in lines
    assert lines[-1].endswith("INC-1   ora1   erp         \ufffd[31mred")


def test_an_ended_silence_says_by_whom() -> None:
    lines = shown(suppression_picture(VIEWS[0], ()))

    assert lines[:2] == [
        "S-2: silence of notices, does not hold now",
        "what      nodes ora1; regions north; categories db; words full; P3 and less urgent",
    ]
    assert any(line.startswith("ended     by otto at ") and line.endswith(": done") for line in lines)


def test_what_recurs_says_when() -> None:
    assert recurrence_text(AGREED) == "sun 02:00-04:00 Asia/Shanghai"

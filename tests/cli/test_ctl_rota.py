"""What was read of calendars; the commands themselves are asked in test_btimctl."""

from btimd.cli.ctl_rota import calendars_picture
from tests.cli.test_ctl_leveltables import shown
from tests.fakes.rota import CALENDARS, GAP


def test_calendars_are_shown_with_what_was_not_understood_and_the_gaps() -> None:
    lines = shown(calendars_picture(CALENDARS, [GAP]))

    assert lines[2].split() == ["dba", "dba.ics", "-", "0", "0"]
    assert lines[3:] == ["noc: event 'x': nobody of that name", f"gap: {GAP}"]
    assert shown(calendars_picture([], [])) == ["rota.toml names no calendar, and the coming week has no gap"]

"""What a new plan changes."""

from btimd.flows.plandiff import PlanHistory, count_text, diff, is_empty
from btimd.model.planuse import PlanChange, PlanLineChange, PlanMove
from tests.flows.planclients import clients, entries

NOW = 1_700_000_000_000
OLD = entries("10.0.0.0/8,all,,", "10.1.0.0/16,north,,", "10.1.1.0/24,,sales,", "10.1.1.7/32,,,Li Wei")
NEW = entries("10.0.0.0/8,all,,", "10.1.1.0/24,south,sales,", "10.1.1.7/32,,,Wang", "2001:db8::/32,v6,,")


def test_lines_and_moves_are_told() -> None:
    known = clients(
        ("10.1.1.7", "erp", 1, 100), ("10.1.1.7", "hr", 1, 1), ("10.1.2.1", "erp", 1, 7), ("10.9.0.1", "erp", 1, 8),
        ("2001:db8::1", "", 1, 3),
        now=NOW,
    )  # fmt: skip

    change = diff(OLD, NEW, clients=known, at=NOW, from_generation=1, to_generation=2)

    assert change == PlanChange(
        at_milliseconds=NOW,
        from_generation=1,
        to_generation=2,
        added=1,
        removed=1,
        changed=2,
        moves=(
            PlanMove("", "v6", float(1 << 96), 1, 3),
            PlanMove("north", "all", 65536.0 - 256, 1, 7),
            PlanMove("north", "south", 256.0, 1, 101),
        ),
        lines=(
            PlanLineChange("removed", "10.1.0.0/16", "north / - / -", ""),
            PlanLineChange("changed", "10.1.1.0/24", "- / sales / -", "south / sales / -"),
            PlanLineChange("changed", "10.1.1.7/32", "- / - / Li Wei", "- / - / Wang"),
            PlanLineChange("added", "2001:db8::/32", "", "v6 / - / -"),
        ),
        summary="lines: 1 added, 1 removed, 2 changed; (no region) -> v6: 7.9e+28 addresses, 1 known clients; "
        "north -> all: 65280 addresses, 1 known clients; north -> south: 256 addresses, 1 known clients",
    )


def test_the_same_lines_in_another_order_change_nothing() -> None:
    change = diff(OLD, OLD[::-1], clients=clients(("10.1.1.7", "erp", 1, 1), now=NOW))

    assert is_empty(change)
    assert (change.summary, change.lines, change.moves) == ("nothing changed", (), ())


def test_a_line_that_moves_nobody_is_a_change_all_the_same() -> None:
    change = diff(OLD, [*OLD, *entries("10.1.9.0/24,north,,")])

    assert not is_empty(change)
    assert change.summary == "lines: 1 added; no address changes its region"


def test_the_latest_changes_are_kept_newest_first() -> None:
    history = PlanHistory(kept=2)
    changes = [diff((), entries(f"10.{number}.0.0/16,r{number},,"), at=number) for number in range(3)]
    for change in (*changes, diff((), ())):
        history.note(change)

    assert [change.at_milliseconds for change in history.changes()] == [2, 1]


def test_large_numbers_are_short() -> None:
    assert (count_text(256.0), count_text(2.0**64)) == ("256", "1.8e+19")

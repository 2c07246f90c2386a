"""How a node stands by its needs: each roll-up, with the sentence it gives."""

from collections.abc import Mapping

import pytest

from btimd.model.service import Need, Node, NodeKind, Rollup
from btimd.rca.rollup import counted_needs, roll_up


def standing(rollup: Rollup, states: str, **more: object) -> tuple[str, str]:
    """Return the roll-up over needs a, b, c, ...; states: a letter each: good, degraded, bad, unknown."""
    words: Mapping[str, str] = {"g": "good", "d": "degraded", "b": "bad", "u": "unknown"}
    names = tuple("abcdefghij"[: len(states)])
    node = Node("x", NodeKind.DATABASE, "x", names, rollup=rollup, **more)  # type: ignore[arg-type]
    state, text = roll_up(node, {name: words[letter] for name, letter in zip(names, states, strict=True)})
    return state.value, text


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("gg", ("good", "")),
        ("gu", ("unknown", "")),
        ("ud", ("degraded", "b is degraded")),
        ("gbdb", ("bad", "b, d are bad, c is degraded")),
        ("", ("good", "")),
    ],
)
def test_worst_is_the_worst_need(states: str, expected: tuple[str, str]) -> None:
    assert standing(Rollup.WORST, states) == expected


def test_a_soft_need_and_the_roll_up_degrade_make_a_bad_need_a_degradation() -> None:
    soft, hard = (Need("a", strength=0.3),), (Need("a", strength=0.5),)
    assert standing(Rollup.WORST, "bg", need_facts=soft) == ("degraded", "a is bad")
    assert standing(Rollup.WORST, "bg", need_facts=hard) == ("bad", "a is bad")
    assert standing(Rollup.DEGRADE, "bg") == ("degraded", "a is bad")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("gg", ("good", "")),
        ("gu", ("good", "b is unknown")),
        ("uu", ("unknown", "a, b are unknown")),
        ("bu", ("unknown", "a is bad, b is unknown")),
        ("gb", ("degraded", "b is bad; carried by a")),
        ("db", ("degraded", "b is bad, a is degraded; carried by a")),
        ("bb", ("bad", "a, b are bad, and there is no other")),
        ("b", ("bad", "a is bad, and there is no other")),
    ],
)
def test_of_a_cluster_one_member_is_enough_and_a_lost_one_is_told(states: str, expected: tuple[str, str]) -> None:
    assert standing(Rollup.BEST, states) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("gg", ("good", "")),
        ("gb", ("degraded", "standby b is bad: nothing takes over if a fails")),
        ("bg", ("degraded", "runs on standby b: a is bad")),
        ("bu", ("unknown", "a is bad, b is unknown")),
        ("bb", ("bad", "a, b are bad, and there is no other")),
    ],
)
def test_a_standby_that_fails_is_told_and_one_that_took_over_too(states: str, expected: tuple[str, str]) -> None:
    assert standing(Rollup.BEST, states, standby=("b",)) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("gggg", ("good", "")),
        ("gggb", ("good", "d is bad; 3 of 4 are needed")),
        ("ggdb", ("degraded", "d is bad, c is degraded; 3 of 4 are needed")),
        ("ggub", ("unknown", "d is bad, c is unknown; 3 of 4 are needed")),
        ("ggbb", ("bad", "c, d are bad; 3 of 4 are needed")),
    ],
)
def test_a_quorum_holds_while_so_many_are_good(states: str, expected: tuple[str, str]) -> None:
    assert standing(Rollup.QUORUM, states, quorum=3) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("ggg", ("good", "")),
        ("ggb", ("good", "c is bad: 20% of the weight")),
        ("gdb", ("degraded", "c is bad, b is degraded: 40% of the weight")),
        ("bgg", ("bad", "a is bad: 60% of the weight")),
        ("ugg", ("unknown", "a is unknown: 60% of the weight")),
    ],
)
def test_weights_say_how_much_a_member_matters(states: str, expected: tuple[str, str]) -> None:
    assert standing(Rollup.WEIGHTED, states, weights={"a": 3.0}) == expected


def test_ignored_needs_do_not_count() -> None:
    node = Node("x", NodeKind.HOST, "x", ("a", "b", "a"), ignore=("b",))
    assert counted_needs(node) == ("a",)
    assert standing(Rollup.WORST, "gb", ignore=("b",)) == ("good", "")


def test_of_many_members_some_are_named() -> None:
    assert standing(Rollup.BEST, "bbbbbbbg")[1] == "a, b, c, d, e and 2 more are bad; carried by h"

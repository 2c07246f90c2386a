"""Dataclasses as JSON can hold them, and back."""

import json
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from btimd.model.plain import from_plain, to_plain


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 1


@dataclass(frozen=True)
class Part:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Whole:
    colour: Colour
    level: Level
    parts: tuple[Part, ...] = ()
    spare: Part | None = None
    good: bool = False


def test_what_was_written_reads_back_to_the_same_value() -> None:
    whole = Whole(Colour.RED, Level.HIGH, (Part("支"), Part("b", 0.1)), Part("c"), good=True)
    assert from_plain(Whole, json.loads(json.dumps(to_plain(whole)))) == whole


def test_fields_of_another_release_are_filled_in_or_passed_over() -> None:
    assert from_plain(Whole, {"colour": "red", "level": 1, "new": [1]}) == Whole(Colour.RED, Level.HIGH)
    assert from_plain(Part, {"name": "a", "weight": 2}) == Part("a", 2.0)


@pytest.mark.parametrize(
    "plain",
    [{"colour": "blue", "level": 1}, {"colour": "red"}, {"colour": "red", "level": 1, "parts": [{"name": 5}]}],
)
def test_anything_else_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_plain(Whole, plain)

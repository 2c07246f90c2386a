"""Regular expressions that others write: refused where they could take exponential time, applied to short lines only.

The check is conservative: it refuses a repetition without end inside another one, alternatives inside one that can
begin alike, and more than a few repetitions without end one after the other (their time is a power of the length).
"""

import re
from functools import lru_cache
from math import factorial
from typing import Any, Final

MOST_PATTERN: Final = 500
MOST_LINE: Final = 300
"""Characters of a line that patterns see."""
MOST_DEGREE: Final = 3
_MANY: Final = 16
"""A repetition that may run so often counts as one without end."""


def checked(text: str, most_degree: int = MOST_DEGREE) -> re.Pattern[str]:
    """Return the pattern, compiled for any case; raises ValueError that says what is wrong with it.

    most_degree: its time may grow with that power of a line's length.
    """
    if len(text) > MOST_PATTERN:
        raise ValueError(f"a pattern of {len(text)} characters; {MOST_PATTERN} at most")
    try:
        found = re.compile(text, re.IGNORECASE)
        tree = re._parser.parse(text, re.IGNORECASE)  # type: ignore[attr-defined]  # noqa: SLF001  the one way to see its structure
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    if _unbounded(tree, inside=False, text=text) > most_degree:
        raise ValueError(
            f"{text!r} has more than {most_degree} repetitions without end, which can take very long; "
            "write {1,16} in place of + and {0,16} in place of *"
        )
    return found


@lru_cache(4096)
def degree(pattern: re.Pattern[str]) -> int:
    """Return the power of a line's length that the time of a match may grow with."""
    return _unbounded(re._parser.parse(pattern.pattern, pattern.flags), inside=False, text=pattern.pattern)  # type: ignore[attr-defined]  # noqa: SLF001  as below


def steps(pattern: re.Pattern[str], length: int) -> int:
    """Return about how many steps a match may take with a line of that length, at most."""
    power = degree(pattern)
    return int(max(length, 1) ** power) // factorial(power)


def _unbounded(node: Any, *, inside: bool, text: str) -> int:
    """Count repetitions without end; raises ValueError for one inside another, and for a reference back."""
    count = 0
    for op, given in node:
        name = str(op)
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            _, most, body = given
            endless = int(most) > _MANY
            if inside and int(most) > 1:
                raise ValueError(
                    f"{text!r} repeats a repetition, which can take for ever; write it without the outer one"
                )
            if endless and any(str(inner) == "BRANCH" for inner, _ in _flat(body)):
                raise ValueError(f"{text!r} repeats alternatives, which can take for ever; write [abc] for (a|b|c)")
            repeats = inside or int(most) > 1
            count += int(endless) + _unbounded(body, inside=repeats, text=text)
        elif name == "GROUPREF":
            raise ValueError(f"{text!r} refers back to a group, which can take very long; write what it stands for")
        else:
            count += sum(_unbounded(body, inside=inside, text=text) for body in _bodies(given))
    return count


def _flat(node: Any) -> Any:
    for op, given in node:
        yield op, given
        for body in _bodies(given):
            yield from _flat(body)


def _bodies(given: Any) -> list[Any]:
    """Return the parts of a construct that are patterns themselves."""
    if type(given).__name__ == "SubPattern":
        return [given]
    if isinstance(given, tuple | list):
        return [body for one in given for body in _bodies(one)]
    return []

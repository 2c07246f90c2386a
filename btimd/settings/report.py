"""Problems with what the operator wrote: file, line, path, what is wrong and what to do; all of them at once."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import override

from btimd.settings.positions import KeyPath, Positions

_MOST_KNOWN: Final = 40
"""Names of what could have been written that a message tells."""
_WANTED: Final = {
    "int_parsing": "whole number",
    "int_type": "whole number",
    "int_from_float": "whole number",
    "float_parsing": "number",
    "float_type": "number",
    "bool_parsing": "switch; write true or false",
    "bool_type": "switch; write true or false",
    "string_type": 'text; put it in quotes: "..."',
    "path_type": 'path; put it in quotes: "..."',
    "tuple_type": "list; write it in brackets: [...]",
    "model_type": "table",
    "dict_type": "table",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. line 0: the file as a whole. path: dotted key, empty where the line says it."""

    file: str
    line: int
    path: str
    text: str

    @override
    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.text}" if self.path else f"{where}: {self.text}"


class SettingsError(Exception):
    """The configuration cannot be used; `problems` holds every reason, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Sequence[str | int]) -> str:
    """Return ("a", "b", 1) as "a.b[1]"."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for a near miss, else the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    if len(names) > _MOST_KNOWN:
        names = [*names[:_MOST_KNOWN], f"and {len(names) - _MOST_KNOWN} more"]
    return f"; known: {', '.join(names)}" if names else ""


def problems_of(error: ValidationError, file: Path, positions: Positions, table: KeyPath = ()) -> list[Problem]:
    """Return pydantic's complaints about a table as problems with the line each value was written on."""
    return [_problem(detail, file, positions, table) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, file: Path, positions: Positions, table: KeyPath) -> Problem:
    wrappers = ("function-", "tuple[", "[key]")
    path = (*table, *(part for part in detail["loc"] if not (isinstance(part, str) and part.startswith(wrappers))))
    kind, given = detail["type"], detail.get("input")
    shown = f"{given!r}" if isinstance(given, str | int | float | bool) else f"a {type(given).__name__}"
    match kind:
        case "extra_forbidden":
            text = "unknown key" + did_you_mean(str(path[-1]), positions.known_keys(path[:-1]))
        case "missing":
            text = "is missing; write it"
        case "value_error":
            text = str(detail["ctx"]["error"])
        case "enum" | "literal_error":
            text = f"{shown} is not possible; write {detail['ctx']['expected']}"
        case "too_short":
            text = "is empty; write at least one"
        case _ if kind in _WANTED:
            text = f"{shown} is no {_WANTED[kind]}"
        case _:
            text = f"{shown}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return Problem(file.name, positions.line(path), dotted(path), text)

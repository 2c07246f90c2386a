"""Reads configuration files: TOML with the line of every value, CSV with the line of every row."""

import csv
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from btimd.settings.positions import KeyPath, Positions, toml_lines
from btimd.settings.report import Problem, SettingsError, did_you_mean, dotted, problems_of

Model = TypeVar("Model", bound=BaseModel)
_SYNTAX_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed TOML file and where its values stand."""

    path: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int]

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Return a problem with the value at a path."""
        return Problem(self.path.name, Positions(self.lines).line(path), dotted(path), text)


def read_text(path: Path) -> str:
    """Return a file's text; raises SettingsError that says what to do when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        text = f"byte {error.start} is no UTF-8; save the file as UTF-8"
        raise SettingsError([Problem(path.name, 0, "", text)]) from error
    except OSError as error:
        text = f"cannot be read: {error.strerror}; it is expected at {path}"
        raise SettingsError([Problem(path.name, 0, "", text)]) from error


def read_toml(path: Path) -> TomlFile:
    """Return a TOML file; raises SettingsError with the line of a syntax error."""
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _SYNTAX_LINE.search(str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        message = _SYNTAX_LINE.sub("", str(error))
        raise SettingsError([Problem(path.name, line, "", f"no TOML: {message[:1].lower()}{message[1:]}")]) from error
    return TomlFile(path, data, toml_lines(text))


def validate(file: TomlFile, model: type[Model], table: KeyPath = ()) -> Model:
    """Return the file's values, or those of one of its tables, as a model; raises SettingsError with every mistake."""
    data: Any = file.data
    for part in table:
        data = data[part]
    try:
        return model.model_validate(data, context={"folder": file.path.parent})
    except ValidationError as error:
        positions = Positions(file.lines, lambda path: _keys_of(model, path[len(table) :]))
        raise SettingsError(problems_of(error, file.path, positions, table)) from error


def salvage(file: TomlFile, model: type[Model], table: KeyPath) -> Model | None:
    """Return what is right in a table with mistakes, so that its references can be checked too; None if too little is.

    The result is for finding more mistakes only.
    """
    data: Any = file.data
    for part in table:
        data = data[part]
    if not isinstance(data, dict):
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
    try:
        return model.model_validate({key: value for key, value in data.items() if key not in wrong})
    except ValidationError:
        return None


def _keys_of(model: type[BaseModel], path: KeyPath) -> Iterable[str]:
    """Return the keys of the table at a path of a model."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            if field is None:
                return ()
            current = field.annotation
        elif get_origin(current) is dict:
            current = get_args(current)[1]
        elif get_origin(current) in (tuple, list):
            current = get_args(current)[0]
        options = [option for option in get_args(current) if isinstance(option, type) and issubclass(option, BaseModel)]
        if options and get_origin(current) is not dict:
            current = options[0]
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return ()


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row of a CSV file by column name, and its line."""

    line: int
    cells: dict[str, str]


def read_csv(path: Path, columns: tuple[str, ...], required: tuple[str, ...]) -> tuple[list[CsvRow], list[Problem]]:
    """Return the rows of a CSV file with a header, and what is wrong with it.

    Blank lines and lines starting with # are skipped; columns may come in any order; a required column must be there.
    """
    rows: list[CsvRow] = []
    problems: list[Problem] = []
    header: list[str] | None = None
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([text]))]
        except csv.Error as error:
            problems.append(Problem(path.name, line, "", f"no CSV: {error}"))
            continue
        if header is None:
            header = cells
            problems.extend(
                Problem(path.name, line, "", f"unknown column '{name}'" + did_you_mean(name, columns))
                for name in header
                if name not in columns
            )
            problems.extend(
                Problem(path.name, line, "", f"column '{name}' is missing; the header is {','.join(columns)}")
                for name in required
                if name not in header
            )
            if problems:
                return rows, problems
            continue
        if len(cells) > len(header):
            problems.append(Problem(path.name, line, "", f"{len(cells)} cells for {len(header)} columns; quote commas"))
            continue
        rows.append(CsvRow(line, dict(zip(header, cells, strict=False))))
    if header is None:
        problems.append(Problem(path.name, 0, "", f"is empty; write the header {','.join(columns)}"))
    return rows, problems

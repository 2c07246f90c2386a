"""Files -> values, with the line of every mistake."""

from pathlib import Path

import pytest
from pydantic import Field

from btimd.settings.fields import Duration, Section, SettingsPath
from btimd.settings.load import CsvRow, read_csv, read_toml, validate
from btimd.settings.report import Problem, SettingsError


class Inner(Section):
    receive_buffer_bytes: int = 1
    pause: Duration = 1.0


class Files(Section):
    secret_file: SettingsPath | None = None


def test_a_relative_path_starts_at_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    found = []
    for written in ("secrets/a", "/etc/b"):
        file.write_text(f'secret_file = "{written}"', encoding="utf-8")
        found.append(validate(read_toml(file), Files).secret_file)

    assert found == [tmp_path / "secrets/a", Path("/etc/b")]


class Outer(Section):
    inner: Inner = Inner()
    by_name: dict[str, Inner] = Field(default_factory=dict)


def problems_of(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    try:
        validate(read_toml(file), Outer)
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_every_mistake_of_a_file_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
unknown = 1
[inner]
recieve_buffer_bytes = 1
pause = 5
[by_name.a]
receive_buffer_bytes = "many"
[by_name.b]
paus = "1s"
"""

    assert problems_of(tmp_path, text) == [
        "x.toml:1: unknown: unknown key; known: by_name, inner",
        "x.toml:3: inner.recieve_buffer_bytes: unknown key; did you mean 'receive_buffer_bytes'?",
        'x.toml:4: inner.pause: 5 is no duration; write a number with its unit: "500ms", "2s", "5m", "1h", "7d"',
        "x.toml:6: by_name.a.receive_buffer_bytes: 'many' is no whole number",
        "x.toml:8: by_name.b.paus: unknown key; did you mean 'pause'?",
    ]


def test_text_that_is_no_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "[inner]\npause = \n") == ["x.toml:2: no TOML: invalid value"]


def test_a_file_that_cannot_be_read_says_where_it_is_expected(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"nope.toml: cannot be read: No such file or directory; it is expected at /"
    ):
        read_toml(tmp_path / "nope.toml")


def test_a_file_in_another_encoding_says_at_which_byte(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'a = "\xd6"')

    with pytest.raises(SettingsError, match=r"x.toml: byte 5 is no UTF-8; save the file as UTF-8"):
        read_toml(file)


def test_csv_rows_keep_their_lines_over_comments_and_blanks(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_text('\ufeff# plan\nregion,prefix\n\nnorth,10.0.0.0/8\n"a, b" , 10.1.0.0/16\n', encoding="utf-8")

    rows, problems = read_csv(file, ("prefix", "region"), ("prefix",))

    assert rows == [
        CsvRow(4, {"region": "north", "prefix": "10.0.0.0/8"}),
        CsvRow(5, {"region": "a, b", "prefix": "10.1.0.0/16"}),
    ]
    assert problems == []


def test_csv_mistakes_are_reported_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_text("prefix,regoin\n10.0.0.0/8,a\n", encoding="utf-8")
    assert read_csv(file, ("prefix", "region"), ("prefix", "region"))[1] == [
        Problem("plan.csv", 1, "", "unknown column 'regoin'; did you mean 'region'?"),
        Problem("plan.csv", 1, "", "column 'region' is missing; the header is prefix,region"),
    ]

    file.write_text("prefix\n10.0.0.0/8,a\n", encoding="utf-8")
    assert read_csv(file, ("prefix",), ("prefix",))[1] == [
        Problem("plan.csv", 2, "", "2 cells for 1 columns; quote commas")
    ]

    file.write_text("\n", encoding="utf-8")
    assert read_csv(file, ("prefix",), ("prefix",))[1] == [
        Problem("plan.csv", 0, "", "is empty; write the header prefix")
    ]

import argparse
import io
import sys
from pathlib import Path

import pytest
from rich.table import Table

from btimd.cli.common import add_config_option, never_fail_to_print, plain_console, print_json, seconds_of


def output(encoding: str, monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    return raw


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", '{"name":"企业","list":[1]}\n'.encode()),
        ("UTF8", '{"name":"企业","list":[1]}\n'.encode()),
        ("ascii", b'{"name":"\\u4f01\\u4e1a","list":[1]}\n'),
        ("latin-1", b'{"name":"\\u4f01\\u4e1a","list":[1]}\n'),
    ],
)
def test_json_is_one_line_and_right_in_every_encoding(
    encoding: str, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = output(encoding, monkeypatch)
    print_json({"name": "企业", "list": [1]})

    assert raw.getvalue() == text


def test_text_that_the_terminal_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = output("ascii", monkeypatch)
    never_fail_to_print()
    sys.stdout.write("企业\n")
    sys.stdout.flush()

    assert raw.getvalue() == b"\\u4f01\\u4e1a\n"


def test_an_output_that_is_no_terminal_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    never_fail_to_print()


def test_a_pipe_is_wide_and_text_is_no_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("region")
    table.add_row("[/bold] :smile: [red]north[/]" + "x" * 80)
    plain_console().print(table)

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "region",
        "[/bold] :smile: [red]north[/]" + "x" * 80,
    ]


def test_the_configuration_is_looked_for_in_etc() -> None:
    parser = argparse.ArgumentParser()
    add_config_option(parser)

    assert parser.parse_args([]).config == Path("/etc/btimd")


def test_a_duration_of_the_command_line_is_seconds_and_another_text_says_what_to_write() -> None:
    assert seconds_of("15m") == 900.0
    with pytest.raises(argparse.ArgumentTypeError, match="'soon' is no duration; write a number with its unit"):
        seconds_of("soon")

"""btimctl plan: what it asks and what it shows."""

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from btimd.api import calls_plan
from btimd.api.client import Page, Update
from btimd.cli import ctl_plan
from btimd.cli.ctl_areas import Asking, Run
from btimd.cli.ctl_output import Output
from btimd.model.planuse import UnexpectedTalkers, UnknownClients
from btimd.runtime.clock import ManualClock
from tests.fakes.planviews import CHANGE, CONFLICT, EMPTY_USE, TALKER, UNEXPECTED, UNKNOWN, USE


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctl_plan, "_at", lambda milliseconds: "-" if milliseconds is None else "11-14 22:13:20")
    monkeypatch.setenv("COLUMNS", "150")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    calls: list[tuple[str, dict[str, Any]]] = []

    def answering(name: str, answer: Any) -> None:
        def call(_client: object, *args: Any, **named: Any) -> Any:
            calls.append((name, {**named, **({"limit": args[0]} if args else {})}))
            return answer

        monkeypatch.setattr(calls_plan, name, call)

    def updates() -> Iterator[Update[Any]]:
        yield Update([TALKER], snapshot=True)

    answering("prefix_use", Page([USE, EMPTY_USE], False))
    answering("unknown", UNKNOWN)
    answering("unexpected", UNEXPECTED)
    answering("conflicts", Page([CONFLICT], False))
    answering("changes", Page([CHANGE], False))
    answering("watch_unexpected", updates())
    return calls


def run(line: str, *, as_json: bool = False) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text)
        made.set_defaults(run=run)
        return made

    ctl_plan.add_commands(add)
    options = parser.parse_args(line.split())
    asking = Asking(None, Output(as_json=as_json), ManualClock())  # type: ignore[arg-type]  # the calls are replaced
    status: int = options.run(asking, options)
    return status


def shown(text: str) -> Sequence[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_use_is_shown_with_sizes_and_shares(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan use --order seen --limit 9") == 0

    lines = [" ".join(line.split()) for line in shown(capsys.readouterr().out)]
    assert lines == [
        "prefix place addresses seen active full octets busiest",
        "10.1.1.0/24 north / sales 256 12 5 4.7% 4 MB erp",
        "2001:db8::/32 south / Li Wei 2^96 0 0 - 0 B -",
    ]
    assert asked == [("prefix_use", {"order": "seen", "limit": 9})]


def test_unknown_clients_are_shown_by_prefix_by_address_and_as_lines(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (run("plan unknown"), run("plan unknown --addresses"), run("plan unknown --lines")) == (0, 0, 0)

    out = [" ".join(line.split()) for line in shown(capsys.readouterr().out)]
    assert out == [
        "3 clients in 2 prefixes are not in the plan",
        "prefix scope clients octets last seen beside businesses",
        "10.9.1.0/24 private 2 900 B 11-14 22:13:20 north erp",
        "3 clients in 2 prefixes are not in the plan",
        "address octets first seen last seen businesses",
        "10.9.1.7 800 B 11-14 22:13:20 11-14 22:13:20 erp, hr",
        "10.9.1.0/24,to be named,,",
    ]
    assert len(asked) == 3


@pytest.mark.usefixtures("asked")
def test_unexpected_talkers_conflicts_and_changes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert [run(f"plan {what}") for what in ("unexpected", "unexpected watch", "conflicts", "changes")] == [0] * 4

    out = [" ".join(line.split()) for line in shown(capsys.readouterr().out)]
    assert out == [
        "business expects from elsewhere octets",
        "erp north 1 77 B",
        "",
        "business address region person since last seen octets",
        "erp 10.2.0.1 south Wang 11-14 22:13:20 11-14 22:13:20 77 B",
        "business address region person since last seen octets",
        "erp 10.2.0.1 south Wang 11-14 22:13:20 11-14 22:13:20 77 B",
        "severity where what",
        "doubtful line 2, 3 'a', 'A' count as different regions; write one of them",
        "11-14 22:13:20 generation 1 -> 2",
        "lines: 1 added; (no region) -> north: 65536 addresses, 3 known clients",
        "added 10.3.0.0/16: north / - / -",
    ]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("what", ["use", "unknown", "unknown --addresses", "unexpected", "conflicts", "changes"])
def test_programs_get_lines_of_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"plan {what}", as_json=True) == 0

    assert all(isinstance(json.loads(line), dict) for line in capsys.readouterr().out.splitlines())


def test_nothing_is_said_in_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_plan, "unknown", lambda *_, **__: UnknownClients(0, 0, (), ()))
    monkeypatch.setattr(calls_plan, "unexpected", lambda *_, **__: UnexpectedTalkers((), ()))
    assert (run("plan unknown"), run("plan unexpected")) == (0, 0)

    out = capsys.readouterr().out
    assert "the plan knows every client" in out
    assert "no business says which regions it is for; write regions = [...] in services.toml" in out

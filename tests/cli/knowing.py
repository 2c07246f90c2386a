"""Runs one command of an area of btimctl whose calls are replaced."""

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from btimd.cli.ctl_areas import Asking, Run
from btimd.cli.ctl_output import Output
from btimd.runtime.clock import ManualClock

T0 = 1_700_000_000.0


def run(area: Any, line: str, *, as_json: bool = False) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text)
        made.set_defaults(run=run)
        return made

    area.add_commands(add)
    options = parser.parse_args(shlex.split(line))
    asking = Asking(None, Output(as_json=as_json), ManualClock(now=T0))  # type: ignore[arg-type]  # the calls are replaced
    status: int = options.run(asking, options)
    return status


class Calls:
    """Replaces functions of a module of calls; `made` has each with its arguments, save ids of commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self._patch = monkeypatch
        self._module = module
        self.made: list[tuple[Any, ...]] = []

    def answer(self, name: str, answer: Any) -> None:
        def call(_client: object, *args: Any, **named: Any) -> Any:
            said = [one for one in args if not (isinstance(one, str) and len(one) == 32)]
            self.made.append((name, *said, *([named] if named else [])))
            return answer

        self._patch.setattr(self._module, name, call)


def lines(text: str) -> Sequence[str]:
    """Return what is shown, a blank for every gap."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]

import argparse
from typing import Any

from rich.console import Console

from btimd.cli.ctl_budget import add_commands, budget_picture
from btimd.model.budget import BudgetReport, BudgetScope
from tests.fakes.budget import HOST, SERVER


def shown(picture: Any) -> list[str]:
    console = Console(width=140, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_who_backs_off_who_was_asked_and_the_limits_are_shown() -> None:
    assert shown(budget_picture(BudgetReport((SERVER, HOST), 7, 2, more=True))) == [
        "scope name load probes heavy diag octets now waits refused state",
        "server 10.0.0.1:80 25 % 9 9 2 42 k 1 3 1 ✖ backs off 3.5 s",
        "host 10.0.0.2 10 % 60 0 0 4 k 0 0 0 ●",
        "7 scopes remembered, 2 probes waiting; the last minute (more with --limit)",
        "host 10.0.0.2: 10 probes/s, 8 at a time, 250 kB/s",
    ]


def test_the_command_takes_a_scope_a_name_and_a_limit() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    add_commands(lambda name, _run, text: commands.add_parser(name, help=text))
    args = parser.parse_args(["budget", "--scope", "device", "--name", "vm", "--limit", "3"])
    assert (BudgetScope(args.scope), args.name, args.limit) == (BudgetScope.DEVICE, "vm", 3)

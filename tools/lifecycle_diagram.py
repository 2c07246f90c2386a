"""Writes docs/incident-lifecycle.md from the transition table. With --check: fails where the file is not current."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from btimd.itsm.lifecycle import COMMANDS, OPEN, TABLE, TIMED, Transition, allowed_commands, trigger_name
from btimd.itsm.timers import TimerName, allowed
from btimd.model.incident import IncidentState

PAGE = Path(__file__).parents[1] / "docs" / "incident-lifecycle.md"
TO_RUN = "python tools/lifecycle_diagram.py"


def render() -> str:
    """Return the page."""
    reached = {row.to for row in TABLE if row.to is not None}
    return "\n".join([
        "# The life of an incident",
        "",
        f"Generated from `btimd/itsm/lifecycletable.py` by `{TO_RUN}`; do not edit.",
        "",
        "Open states: " + ", ".join(f"`{state.value}`" for state in IncidentState if state in OPEN) + ".",
        "The technical signal (active, cleared) is apart from the state.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *_arrows(reached),
        "```",
        "",
        "## Transitions",
        "",
        "Rows of one trigger and state are tried from top to bottom; the first whose condition holds is taken.",
        "",
        "`stalled / new`: where nobody can be found it stalls, where no groups are configured it waits. An event that",
        "leaves the incident stalled is called `stalled` in the timeline, whatever the row says.",
        "",
        "| # | from | trigger | who | if | must bring | to | timeline | is told |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {row.number} | {_sources(row)} | {trigger_name(row.on)} | {_who(row)} "
            f"| {row.when.text if row.when else ''} | {'; '.join(need.text for need in row.needs)} | {_to(row)} "
            f"| {row.records} | {', '.join(f'{kind.value}: {what}' for kind, what in row.tells)} |"
            for row in TABLE
        ),
        "",
        "Orders, reminders and recalls are told to the person they are for, beside what the last column says.",
        "",
        "## What is waited for",
        "",
        "| timer | in | when it runs out |",
        "|---|---|---|",
        *(f"| {name.value} | {_waiting(name)} | {trigger_name(kind)} |" for name, kind in TIMED.items()),
        "",
        "## What a person may do",
        "",
        "| state | commands |",
        "|---|---|",
        *(f"| {state.value} | {', '.join(allowed_commands(state)) or '-'} |" for state in IncidentState),
        "",
    ])  # fmt: skip


def _who(row: Transition[Any]) -> str:
    if row.on not in COMMANDS:
        return ""
    return ", ".join(sorted(row.who)) or "anybody"


def _to(row: Transition[Any]) -> str:
    return " / ".join(state.value for state in (row.to, *row.or_to) if state is not None) or "same"


def _waiting(name: TimerName) -> str:
    states = [state for state in IncidentState if name in allowed(state)]
    return "open" if set(states) == OPEN else ", ".join(state.value for state in states)


def _arrows(reached: set[IncidentState]) -> list[str]:
    """Return the arrows between states, one for each pair; rows that keep the state stand in the table only."""
    final = [state for state in IncidentState if state in reached and not _leaves(state)]
    numbers: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        sources = [None] if row.start else [state for state in IncidentState if state in row.sources]
        for target in (row.to, *row.or_to):
            for source in sources:
                if target is not None:
                    numbers.setdefault(("[*]" if source is None else source.value, target.value), []).append(row.number)
    lines = [f"  {source} --> {target}: {', '.join(found)}" for (source, target), found in numbers.items()]
    return [*lines, *(f"  {state.value} --> [*]" for state in final)]


def _leaves(state: IncidentState) -> bool:
    return any(state in row.sources and row.to is not None for row in TABLE)


def _sources(row: Transition[Any]) -> str:
    sources = row.sources
    if row.start:
        return "(none)"
    if sources == OPEN:
        return "open"
    if sources == OPEN | {IncidentState.RESOLVED}:
        return "open, resolved"
    return ", ".join(state.value for state in IncidentState if state in sources)


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    page = render()
    if arguments == ["--check"]:
        if PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE} is not current; run {TO_RUN}")
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

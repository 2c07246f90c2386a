"""Writes docs/incident-lifecycle.md from the transition table. With --check: fails where the file is not current."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from btimd.itsm.lifecycle import OPEN, TABLE, Transition, allowed_commands, trigger_name
from btimd.model.incident import IncidentState

PAGE = Path(__file__).parents[1] / "docs" / "incident-lifecycle.md"
TO_RUN = "python tools/lifecycle_diagram.py"


def render() -> str:
    """Return the page."""
    reached = {row.to for row in TABLE if row.to is not None}
    return "\n".join([
        "# The life of an incident",
        "",
        f"Generated from `btimd/itsm/lifecycle.py` by `{TO_RUN}`; do not edit.",
        "",
        "Open states: " + ", ".join(f"`{state.value}`" for state in IncidentState if state in OPEN)
        + ". Nothing leads to "
        + ", ".join(f"`{state.value}`" for state in IncidentState if state not in reached)
        + " yet: dispatch does not exist.",
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
        "| # | from | trigger | if | must bring | to | timeline |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row.number} | {_sources(row)} | {trigger_name(row.on)} | {row.when.text if row.when else ''} "
            f"| {'; '.join(need.text for need in row.needs)} | {row.to.value if row.to else 'same'} | {row.records} |"
            for row in TABLE
        ),
        "",
        "## What a person may do",
        "",
        "| state | commands |",
        "|---|---|",
        *(f"| {state.value} | {', '.join(allowed_commands(state)) or '-'} |" for state in IncidentState),
        "",
    ])  # fmt: skip


def _arrows(reached: set[IncidentState]) -> list[str]:
    """Return the arrows between states that can be reached; rows that keep the state stand in the table only."""
    final = [state for state in IncidentState if state in reached and not _leaves(state)]
    lines = [
        f"  {'[*]' if source is None else source.value} --> {row.to.value}: {trigger_name(row.on)} ({row.number})"
        for row in TABLE
        if row.to is not None
        for source in ([None] if row.start else [state for state in IncidentState if state in row.sources & reached])
    ]
    return [*lines, *(f"  {state.value} --> [*]" for state in final)]


def _leaves(state: IncidentState) -> bool:
    return any(state in row.sources for row in TABLE)


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

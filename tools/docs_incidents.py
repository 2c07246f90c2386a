"""What docs/incidents.md shows of the rules: default times, who may ask for what, the way of an order upwards."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from btimd.itsm.deadlines import Limit, TimerRules
from btimd.itsm.lifecycle import COMMANDS, TABLE, trigger_name
from btimd.itsm.moment import LifecycleConfig
from btimd.model.incident import ActorRole, Priority
from tools.docs_settings import duration_text

_ROLES: Final = (ActorRole.REPORTER, ActorRole.DESK, ActorRole.HANDLER, ActorRole.CENTRE)
_RULES: Final = TimerRules()


def times_block() -> str:
    """Return the default times of P1 to P5, and which of them run in service hours."""
    rows = ["| `[itsm.timers]` | P1 | P2 | P3 | P4 | P5 | in service hours |", "|---|---|---|---|---|---|---|"]
    for limit in Limit:
        times = " | ".join(duration_text(_RULES.seconds(limit, priority)) for priority in Priority)
        rows.append(f"| `{limit.name.lower()}` | {times} | {_service_hours(limit)} |")
    return "\n".join(rows)


def _service_hours(limit: Limit) -> str:
    found = sorted(_RULES.in_service_hours.get(limit, frozenset()))
    return "all" if len(found) == len(Priority) else ", ".join(priority.name for priority in found) or "-"


def roles_block() -> str:
    """Return what each role may ask for."""
    rows = ["| who | may |", "|---|---|", f"| anybody who may change incidents | {_listed(_commands(None))} |"]
    rows += [f"| {role.value} | {_listed(_commands(role))} |" for role in _ROLES]
    return "\n".join(rows)


def _commands(role: ActorRole | None) -> Sequence[str]:
    found = [row for row in TABLE if row.on in COMMANDS and (role in row.who if role else not row.who)]
    return list(dict.fromkeys(trigger_name(row.on) for row in found))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def ladder_block() -> str:
    """Return the way of an order upwards as a diagram, with the default times."""
    config = LifecycleConfig()
    return "\n".join([
        "```mermaid",
        "flowchart TD",
        f'  new["new: waits to be taken<br/>{_span(Limit.WAIT)}"] -->|nobody took it| order',
        f'  order["dispatched: an order to the best person of this level<br/>repeated every {_span(Limit.RENOTIFY)}"]',
        f'  order -->|"accepted within {_span(Limit.ACCEPT)}"| work["accepted: work goes on"]',
        f'  order -->|"let pass or returned: the next person, up to {config.max_candidates} of a level"| order',
        '  order -->|"nobody left at this level"| next["the next level of the path; the lead is told"]',
        "  next --> order",
        '  next -->|"no level left, nobody on duty, or too much to do"| stalled',
        f'  stalled["stalled: the centre is told at once and every {_span(Limit.CENTRE)}"]',
        '  stalled -->|"somebody comes on duty or gets free, or the centre assigns"| order',
        f'  work -->|"no report on progress in {_span(Limit.STAGE)}, nor {_span(Limit.STAGE_GRACE)} later"| next',
        '  work -->|"returned with a reason"| order',
        '  work -->|"asks for help: escalate"| next',
        f'  work -->|"closing report"| resolved["resolved: may come back for {_span(Limit.REOPEN)}"]',
        "  resolved --> closed[closed]",
        "```",
    ])  # fmt: skip


def _span(limit: Limit) -> str:
    first, last = (duration_text(_RULES.seconds(limit, priority)) for priority in (Priority.P1, Priority.P5))
    return f"{first} (P1) to {last} (P5)"

"""IP plans as files on the command line: reading one, and saying what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

from btimd.daemon.config import PLAN_COLUMNS, plan_entries
from btimd.flows.plan import PlanEntry
from btimd.settings.load import read_csv
from btimd.settings.report import Problem, SettingsError


def read_plan(path: Path) -> tuple[PlanEntry, ...]:
    """Return the lines of an ipplan.csv as written; raises SettingsError for what is no such file."""
    rows, problems = read_csv(path, PLAN_COLUMNS, ("prefix", "region"))
    if problems:
        raise SettingsError(problems)
    return tuple(entry for entry in plan_entries(rows) if entry.prefix)


def wrong(text: str, file: str = "plan") -> SettingsError:
    """Return the error of a wrong command line or file."""
    return SettingsError([Problem(file, 0, "", text)])


def place(cells: Sequence[str]) -> str:
    """Return region, segment and person in one cell."""
    return " / ".join(cell or "-" for cell in cells)

"""Reports that are held back, as text for the journal and back: they outlive the daemon as they were."""

import json
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from btimd.itsm.triggers import ReportProblem
from btimd.model.plain import from_plain, hints_of, to_plain

_APART: Final = frozenset({"roles", "notes"})
_NAMES: Final = frozenset(one.name for one in fields(ReportProblem)) - _APART


def report_to_json(report: ReportProblem) -> str:
    """Return a report as one line of JSON; in what capacity somebody acted is left out, as no report asks for one."""
    plain: dict[str, Any] = {name: to_plain(getattr(report, name)) for name in sorted(_NAMES)}
    return json.dumps({**plain, "notes": dict(report.notes)}, ensure_ascii=False, separators=(",", ":"))


def report_from_json(text: str) -> ReportProblem:
    """Return the report that was written; what a newer release added is passed over."""
    plain: dict[str, Any] = json.loads(text)
    hints = hints_of(ReportProblem)
    found = {name: from_plain(hints[name], value) for name, value in plain.items() if name in _NAMES}
    return ReportProblem(**found, notes=MappingProxyType(dict(plain["notes"])))

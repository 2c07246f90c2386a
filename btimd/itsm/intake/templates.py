"""Templates that read mails of other systems: what a mail must have, and patterns with named groups.

Groups: host, address, service, severity, state, time, id, title. A pattern of `subject` must fit the whole subject,
one of `lines` a whole line; the first that gives a group decides. Lines go before the subject, as they say more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.itsm.intake.mail import Mail
from btimd.itsm.intake.patterns import MOST_LINE, steps
from btimd.model.report import ReportSeverity, ReportSignal

GROUPS: Final = ("host", "address", "service", "severity", "state", "time", "id", "title")
MOST_LINES: Final = 200
MOST_STEPS: Final = 30_000_000
"""Of matching the patterns of one template with one mail; well below a second."""
_MOST_VALUE: Final = 255

SEVERITIES: Final[Mapping[str, ReportSeverity]] = MappingProxyType({
    **dict.fromkeys(("disaster", "critical", "crit", "down", "unreachable", "emergency", "emerg", "fatal", "p1", "sev1",
                     "灾难", "紧急", "严重", "致命"), ReportSeverity.CRITICAL),
    **dict.fromkeys(("high", "major", "error", "err", "p2", "sev2", "alert", "高", "重要"), ReportSeverity.HIGH),
    **dict.fromkeys(("average", "warning", "warn", "minor", "medium", "p3", "sev3", "一般严重", "警告", "中", "次要"),
                    ReportSeverity.MEDIUM),
    **dict.fromkeys(("low", "notice", "p4", "sev4", "低", "提示"), ReportSeverity.LOW),
    **dict.fromkeys(("information", "info", "informational", "normal", "ok", "p5", "信息"), ReportSeverity.INFO),
})  # fmt: skip
STATES: Final[Mapping[str, ReportSignal]] = MappingProxyType({
    **dict.fromkeys(("problem", "critical", "warning", "down", "unreachable", "unknown", "firing", "alerting", "failed",
                     "open", "error", "alarm", "alert", "bad", "no data", "problem started", "告警", "故障", "异常"),
                    ReportSignal.PROBLEM),
    **dict.fromkeys(("recovery", "ok", "up", "resolved", "closed", "cleared", "clear", "normal", "good", "recovered",
                     "restored", "back up", "恢复", "正常", "已恢复", "已解决"), ReportSignal.CLEAR),
    **dict.fromkeys(("acknowledgement", "flappingstart", "flappingstop", "flappingdisabled", "downtimestart",
                     "downtimeend", "downtimeremoved", "downtimecancelled", "custom",
                     "updated", "update", "acknowledged", "确认"), ReportSignal.INFO),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Template:
    """A way to read mails. Every pattern of `subject_has`, `text_has` and `sender_has` that is given must be found.

    severities, states: what the sender's words mean, in lower case; before the words everybody uses. needs: groups
    without which it did not understand the mail. signal: where no state is said. is_trusted: its patterns are known to
    be fast; those of others may take only so many steps per mail.
    """

    name: str
    system: str
    subject_has: re.Pattern[str] | None = None
    text_has: re.Pattern[str] | None = None
    sender_has: re.Pattern[str] | None = None
    subject: tuple[re.Pattern[str], ...] = ()
    lines: tuple[re.Pattern[str], ...] = ()
    severities: Mapping[str, ReportSeverity] = field(default_factory=dict)
    states: Mapping[str, ReportSignal] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    signal: ReportSignal = ReportSignal.PROBLEM
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a template read. fields: as they stand in the mail."""

    template: str
    system: str
    fields: Mapping[str, str]
    signal: ReportSignal
    severity: ReportSeverity


@dataclass(frozen=True, slots=True)
class Tried:
    """Why a template did not take a mail; "" = it did. fields: what it read."""

    template: str
    why_not: str
    fields: Mapping[str, str] = field(default_factory=dict)


def read_with(templates: Sequence[Template], mail: Mail) -> Reading | None:
    """Return what the first template that fits reads."""
    lines = _lines(mail)
    for template in templates:
        tried = _try(template, mail, lines)
        if not tried.why_not:
            return _reading(template, tried.fields)
    return None


def explain(templates: Sequence[Template], mail: Mail) -> tuple[Reading | None, tuple[Tried, ...]]:
    """Return what a mail is read as, and what came of every template up to the one that took it."""
    lines = _lines(mail)
    tried: list[Tried] = []
    for template in templates:
        tried.append(_try(template, mail, lines))
        if not tried[-1].why_not:
            return _reading(template, tried[-1].fields), tuple(tried)
    return None, tuple(tried)


def _lines(mail: Mail) -> list[str]:
    return [line.strip()[:MOST_LINE] for line in mail.text.split("\n", MOST_LINES)[:MOST_LINES] if line.strip()]


def _steps(template: Template, lines: Sequence[str]) -> int:
    searched = () if template.text_has is None else (template.text_has,)
    # A search may begin anywhere: one power more.
    return sum(
        sum(steps(pattern, len(line)) for pattern in template.lines)
        + sum(steps(pattern, len(line)) * len(line) for pattern in searched)
        for line in lines
    )


def _why_not(template: Template, sender: str, subject: str, lines: Sequence[str]) -> str:
    if template.subject_has is not None and template.subject_has.search(subject) is None:
        return f"the subject has no {template.subject_has.pattern!r}"
    if template.sender_has is not None and template.sender_has.search(sender) is None:
        return f"the sender has no {template.sender_has.pattern!r}"
    if template.text_has is not None and not any(template.text_has.search(line) for line in lines):
        return f"no line has {template.text_has.pattern!r}"
    return ""


def _try(template: Template, mail: Mail, lines: Sequence[str]) -> Tried:
    subject = mail.subject[:MOST_LINE]
    if not template.is_trusted and _steps(template, lines) > MOST_STEPS:
        return Tried(template.name, "its patterns could take too long with so many so long lines")
    why_not = _why_not(template, mail.sender, subject, lines)
    if why_not:
        return Tried(template.name, why_not)
    fields: dict[str, str] = {}
    for pattern in template.lines:
        if any(name not in fields for name in pattern.groupindex):
            for line in lines:
                if (match := pattern.fullmatch(line)) is not None:
                    _take(fields, match)
                    break
    for pattern in template.subject:
        if (match := pattern.fullmatch(subject)) is not None:
            _take(fields, match)
    missing = [name for name in template.needs if not fields.get(name)]
    if missing:
        return Tried(template.name, f"it says no {' and no '.join(missing)}", fields)
    return Tried(template.name, "", fields)


def _take(fields: dict[str, str], match: re.Match[str]) -> None:
    for name, value in match.groupdict().items():
        if value and value.strip() and name not in fields:
            fields[name] = " ".join(value.split())[:_MOST_VALUE]


def _reading(template: Template, fields: Mapping[str, str]) -> Reading:
    state = fields.get("state", "").lower()
    severity = fields.get("severity", "").lower()
    signal = template.states.get(state) or STATES.get(state) or template.signal
    # "State: CRITICAL" is a state and a severity; a word nobody knows is no severity.
    named = template.severities.get(severity) or SEVERITIES.get(severity)
    implied = None if signal is ReportSignal.CLEAR else template.severities.get(state) or SEVERITIES.get(state)
    return Reading(
        template.name,
        template.system,
        MappingProxyType(dict(fields)),
        signal,
        named or implied or ReportSeverity.UNKNOWN,
    )

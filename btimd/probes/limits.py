"""Limits that operators write for figures: what is worth a word, and what is bad."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Outcome, printable

_NUMBER: Final = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_SIGNED: Final = re.compile(rf"(>=|<=|==|!=|>|<)\s*({_NUMBER})")
_RANGE: Final = re.compile(rf"(@?)(?:(~|{_NUMBER})?:)?({_NUMBER})?")
_HELP: Final = 'write "> 90", "<= 5", "!= 1" or a range of the monitoring plugins: "90", "10:", "10:20", "@10:20"'


@dataclass(frozen=True, slots=True)
class Limit:
    """Which values are beyond a limit. text: as the operator wrote it.

    Outside low..high, or with `inside` within it, bounds that are `open` not counted in.
    """

    text: str
    low: float
    high: float
    inside: bool = False
    open: bool = False

    def met_by(self, value: float) -> bool:
        """Tell whether a value is beyond the limit; what is no number is."""
        if math.isnan(value):
            return True
        within = self.low < value < self.high if self.open else self.low <= value <= self.high
        return within is self.inside


def limit_of(text: str) -> Limit:
    """Return the limit that a text says; raises ValueError in words for the operator.

    "> 90" and its like say which values are beyond it. "10:20" (Monitoring Plugins Guidelines, threshold format) says
    which are not: beyond is what lies outside; "20" is "0:20", "10:" has no upper end, "~:20" no lower, "@" turns it.
    """
    written = text.strip()
    signed = _SIGNED.fullmatch(written)
    if signed is not None:
        return _signed(written, signed[1], float(signed[2]))
    match = _RANGE.fullmatch(written)
    if match is None or not any(character.isdigit() for character in written):
        raise ValueError(f"limit {text!r} is none; {_HELP}")
    low = -math.inf if match[2] == "~" else float(match[2] or 0.0)
    high = math.inf if match[3] is None else float(match[3])
    if low > high:
        raise ValueError(f"limit {text!r} ends before it begins; {_HELP}")
    return Limit(written, low, high, inside=bool(match[1]))


def _signed(text: str, sign: str, number: float) -> Limit:
    match sign:
        case ">":
            return Limit(text, -math.inf, number)
        case "<":
            return Limit(text, number, math.inf)
        case ">=":
            return Limit(text, -math.inf, number, open=True)
        case "<=":
            return Limit(text, number, math.inf, open=True)
        case "==":
            return Limit(text, number, number, inside=True)
        case _:
            return Limit(text, number, number)


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond warn it is still good, and told; beyond critical it is bad. None: no such limit."""

    warn: Limit | None = None
    critical: Limit | None = None

    def rank(self, value: float) -> int:
        """Return 0 within both, 1 beyond warn, 2 beyond critical."""
        if self.critical is not None and self.critical.met_by(value):
            return 2
        return 1 if self.warn is not None and self.warn.met_by(value) else 0


def limits_of(options: Mapping[str, str], *, warn: str = "", critical: str = "", prefix: str = "") -> Limits:
    """Return the limits of the options PREFIXwarn and PREFIXcritical, "none" = without; raises ValueError."""

    def one(key: str, otherwise: str) -> Limit | None:
        text = options.get(prefix + key, otherwise)
        if text in {"", "none"}:
            return None
        try:
            return limit_of(text)
        except ValueError as error:
            raise ValueError(f"{prefix}{key}: {error}") from error

    return Limits(one("warn", warn), one("critical", critical))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. rank: 0 good, 1 worth a word, 2 bad. text: what was found, for people."""

    rank: int
    text: str


def found(limits: Limits, value: float, text: str) -> Finding:
    """Return what a value means under its limits."""
    rank = limits.rank(value)
    limit = limits.critical if rank == 2 else limits.warn  # noqa: PLR2004  ranks are said in Finding
    return Finding(rank, f"{text} (limit {limit.text})" if rank and limit is not None else text)


def verdict(findings: list[Finding], values: Mapping[str, float], *, about: str, most: int = 4) -> Outcome:
    """Return what all findings come to, the worst first: bad where one is bad, good with a word where one warns."""
    worst_first = sorted(findings, key=lambda one: -one.rank)
    worst = worst_first[0].rank if worst_first else 0
    told = [one.text for one in worst_first if one.rank == worst] if worst else [one.text for one in worst_first]
    more = f" and {len(told) - most} more" if len(told) > most else ""
    text = f"{'; '.join(told[:most])}{more}"
    if worst > 1:
        return Outcome(Health.BAD, ErrorClass.EXCEEDED, printable(f"{about}: {text}"), values)
    head = f"{about}: warning: " if worst else f"{about}: "
    return Outcome(Health.GOOD, ErrorClass.NONE, printable(head + text), values)


def cannot_say(reason: str, error: ErrorClass = ErrorClass.LOCAL_FAILURE) -> Outcome:
    """Return an answer that is no evidence: it could not be asked, or who knows does not say."""
    return Outcome(Health.UNKNOWN, error, printable(reason))

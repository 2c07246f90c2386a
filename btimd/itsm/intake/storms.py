"""Storm control: many reports of one cause become one and a count, too many of one source one summary per interval.

Pure: what is kept and what is handed on is its caller's. Every report it is asked about is either passed or belongs to
a group; a group that took any gives one summary with their count when its interval is over.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from btimd.model.report import Report, ReportSeverity, ReportSignal, ReportStorm, Unsummed
from btimd.model.units import UnixSeconds

CLASS: Final = "storm"
_TITLES: Final = 20
_TURNS: Final = 4
"""How often within an interval the reports of one cause may turn (bad, good, bad) before that is folded too."""


@dataclass(frozen=True, slots=True)
class StormRules:
    """When reports are folded. per_second, burst: of different causes, one source."""

    interval_seconds: float = 60.0
    per_second: float = 2.0
    burst: float = 60.0
    max_groups: int = 20_000
    max_sources: int = 2_000


class Verdict(StrEnum):
    """What storm control says of a report."""

    PASS = "pass"  # noqa: S105  no password
    REPEAT = "repeat"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Admission:
    """folded_into: id of the summary that will stand for the report; "" where it passes."""

    verdict: Verdict
    folded_into: str = ""


@dataclass(slots=True)
class _Group:
    summary_id: str
    ends_at: UnixSeconds
    signal: ReportSignal
    turns: int = 0
    count: int = 0
    first: Report | None = None
    last: Report | None = None
    titles: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: UnixSeconds

    def take(self, rate: float, burst: float, now: UnixSeconds) -> bool:
        self.tokens = min(burst, self.tokens + max(0.0, now - self.at) * rate)
        self.at = max(self.at, now)
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class StormControl:
    """Decides report by report; `now` never goes back by more than the caller's clock does."""

    def __init__(self, rules: StormRules) -> None:
        self._rules = rules
        self._causes: dict[str, _Group] = {}
        self._sources: dict[tuple[str, str], _Group] = {}
        self._buckets: dict[tuple[str, str, bool], _Bucket] = {}

    def admit(self, report: Report, now: UnixSeconds) -> Admission:
        """Say what becomes of a report, and count it."""
        cause = self._causes.get(report.fingerprint)
        if cause is not None and now < cause.ends_at:
            if report.signal is cause.signal or cause.turns >= _TURNS:
                return Admission(Verdict.REPEAT, _fold(cause, report))
            cause.turns += 1
            cause.signal = report.signal
            return Admission(Verdict.PASS)
        if not self._has_token(report, now):
            return Admission(Verdict.FLOOD, _fold(self._source_group(report, now), report))
        if cause is None and len(self._causes) < self._rules.max_groups:
            ends_at = now + self._rules.interval_seconds
            self._causes[report.fingerprint] = _Group(_id("SR", report.fingerprint, report.id), ends_at, report.signal)
        return Admission(Verdict.PASS)

    def take_back(self, admission: Admission) -> None:
        """Do not count what turned out to be kept before."""
        if admission.folded_into:
            for group in (*self._causes.values(), *self._sources.values()):
                if group.summary_id == admission.folded_into:
                    group.count = max(0, group.count - 1)

    def due(self, now: UnixSeconds) -> list[Report]:
        """Return the summaries of the intervals that are over, and forget these."""
        causes = [key for key, group in self._causes.items() if now >= group.ends_at]
        sources = [key for key, group in self._sources.items() if now >= group.ends_at]
        over = [*(self._causes.pop(key) for key in causes), *(self._sources.pop(key) for key in sources)]
        whole = self._rules.burst / self._rules.per_second
        for full in [key for key, bucket in self._buckets.items() if now - bucket.at >= whole]:
            del self._buckets[full]
        return [_summed(group, now) for group in over if group.count]

    def use(self, rules: StormRules) -> None:
        """Go by other rules from now on."""
        self._rules = rules

    def held(self) -> list[ReportStorm]:
        """Return what is being folded now, the largest first."""
        found = [
            ReportStorm(
                summary_id=group.summary_id,
                channel=group.first.channel,
                source=group.first.source,
                title=group.first.title,
                is_one_cause=group.summary_id.startswith("SR"),
                count=group.count,
                ends_at=group.ends_at,
            )
            for groups in (self._causes, self._sources)
            for group in groups.values()
            if group.count and group.first is not None
        ]
        return sorted(found, key=lambda one: (-one.count, one.summary_id))

    def next_due(self) -> UnixSeconds | None:
        """Return when the next interval is over."""
        ends = [group.ends_at for groups in (self._causes, self._sources) for group in groups.values()]
        return min(ends) if ends else None

    def _has_token(self, report: Report, now: UnixSeconds) -> bool:
        """Take a token. Clears have a bucket of their own: they do not wait behind what begins other troubles."""
        key = (str(report.channel), report.source, report.signal is ReportSignal.CLEAR)
        if key not in self._buckets and len(self._buckets) >= 2 * self._rules.max_sources:
            key = (key[0], "", key[2])  # the rest share one
        bucket = self._buckets.setdefault(key, _Bucket(self._rules.burst, now))
        return bucket.take(self._rules.per_second, self._rules.burst, now)

    def _source_group(self, report: Report, now: UnixSeconds) -> _Group:
        key = (str(report.channel), report.source)
        if key not in self._sources and len(self._sources) >= self._rules.max_sources:
            key = (key[0], "")
        if key not in self._sources:
            ends_at = now + self._rules.interval_seconds
            self._sources[key] = _Group(_id("SF", *key, report.id), ends_at, report.signal)
        return self._sources[key]


def summary(
    group: Unsummed, now: UnixSeconds, titles: Sequence[str] = (), signal: ReportSignal = ReportSignal.INFO
) -> Report:
    """Return the report that stands for a group's. Of one cause: its last one with their count; of one source: a list.

    signal: what was said last of the cause, also by a report that passed; INFO where that is not known any more (after
    a start), so that an old "bad" does not overrule a later "good".
    """
    last = group.last
    if group.summary_id.startswith("SR"):
        return replace(
            last, id=group.summary_id, key=group.summary_id, count=group.count, received_at=now, signal=signal
        )
    listed = list(titles) or list(dict.fromkeys((group.first.title, last.title)))
    more = "" if group.count <= len(listed) else "\n..."
    return Report(
        id=group.summary_id,
        channel=last.channel,
        source=last.source,
        reporter="",
        received_at=now,
        key=group.summary_id,
        signal=ReportSignal.PROBLEM,
        title=f"{group.count} more reports of {last.source or 'others'} than its limit lets through",
        text="They are kept, and listed under this report. Among them:\n" + "\n".join(listed) + more,
        severity=ReportSeverity.HIGH,
        class_=CLASS,
        fingerprint=f"storm|{last.channel}|{last.source}",
        count=group.count,
        opens=group.first.opens or last.opens,
    )


def _summed(group: _Group, now: UnixSeconds) -> Report:
    if group.first is None or group.last is None:
        raise ValueError(f"group {group.summary_id} counts what it never saw")
    whole = Unsummed(group.summary_id, group.count, group.first, group.last)
    return summary(whole, now, tuple(group.titles), group.signal)


def _fold(group: _Group, report: Report) -> str:
    group.count += 1
    group.signal = report.signal
    group.first = group.first or report
    group.last = report
    if len(group.titles) < _TITLES:
        group.titles[report.title] = None
    return group.summary_id


def _id(kind: str, *parts: str) -> str:
    return f"{kind}-" + hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24]

"""AgreementBook: all agreements with all they are reckoned from, and the trail of what was put right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from btimd.model.agreement import (
    Agreement,
    AgreementKind,
    AuditEntry,
    BurnAlert,
    BurnWindow,
    OutageFact,
    PeriodFigures,
    RevisedFigures,
    Revision,
    Standing,
)
from btimd.model.sla import Availability
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds
from btimd.sla.accounting import AvailabilityAccount
from btimd.sla.agreedtime import AgreedTime
from btimd.sla.availability import Stretch, agreed_time, figures
from btimd.sla.burn import BURN_RULES, Burn, BurnRule, BurnWatch, budget_gone_at, burn_rate
from btimd.sla.periods import period_bounds, periods_between
from btimd.sla.providers import Needs, below, covers, provided, with_suppliers
from btimd.sla.windows import WindowBook

MOST_AUDIT_ENTRIES: Final = 5000
_MOST_EFFECTS: Final = 200
_MOST_CACHED: Final = 1000
_MOST_LETTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a subject in a stretch of time."""

    stretches: list[Stretch]
    facts: list[OutageFact]


class AgreementBook:
    """Reckons agreements from the accounts of businesses. Nothing is kept but alarms and the audit trail.

    accounts: of the configured businesses; the book reads them, and `revise` changes them. An SLA is reckoned for each
    of its businesses, an OLA or UC as a whole, under its own name. needs: the service graph's, businesses included.
    """

    def __init__(
        self,
        accounts: Mapping[str, AvailabilityAccount],
        agreements: Sequence[Agreement] = (),
        needs: Needs | None = None,
        rules: Mapping[BurnWindow, BurnRule] = BURN_RULES,
    ) -> None:
        self._accounts = accounts
        self._rules = rules
        self._watches: dict[tuple[str, str], BurnWatch] = {}
        self._agreed: dict[tuple[str, UnixSeconds], AgreedTime] = {}
        self._last: dict[tuple[str, str], Standing] = {}
        self._windows = WindowBook()
        self.audit: list[AuditEntry] = []
        self.dropped_entries = 0
        self.swap(agreements, needs or {})

    def swap(self, agreements: Sequence[Agreement], needs: Needs) -> None:
        """Go on with other agreements and another graph; alarms of agreements that stay go on."""
        self._agreements = {one.name: one for one in agreements}
        self._cover = covers(agreements, needs)
        self._below = {name: below(needs, (name,)) for name in needs if name in self._accounts}
        self._agreed.clear()
        self._last = {}
        subjects = {(one.name, subject) for one in agreements for subject in self.subjects(one)}
        self._watches = {key: watch for key, watch in self._watches.items() if key in subjects}

    @property
    def agreements(self) -> Sequence[Agreement]:
        """All agreements, in the order of the file."""
        return tuple(self._agreements.values())

    @property
    def cover(self) -> Mapping[str, frozenset[str]]:
        """The nodes of each OLA and UC, with all below."""
        return self._cover

    def agreement(self, name: str) -> Agreement:
        """Return an agreement; raises KeyError for a name that is not there."""
        return self._agreements[name]

    def subjects(self, agreement: Agreement) -> tuple[str, ...]:
        """Return what an agreement is reckoned for: the businesses of an SLA that have accounts, else its name."""
        if agreement.kind is AgreementKind.SLA:
            return tuple(one for one in agreement.businesses if one in self._accounts)
        return (agreement.name,)

    def pairs(self) -> list[tuple[str, str]]:
        """Return every (agreement, subject)."""
        return [(one.name, subject) for one in self._agreements.values() for subject in self.subjects(one)]

    @property
    def burning(self) -> list[tuple[str, str, BurnWindow]]:
        """Every alarm that is on: agreement, subject, window."""
        return [(*key, window) for key, watch in self._watches.items() for window in sorted(watch.burning)]

    @burning.setter
    def burning(self, alarms: Iterable[tuple[str, str, BurnWindow]]) -> None:
        """Go on with alarms that were raised before; those of subjects that are gone are left out."""
        known = set(self.pairs())
        for name, subject, window in alarms:
            if (name, subject) in known:
                self._watch(name, subject).burning |= {window}

    def _watch(self, name: str, subject: str) -> BurnWatch:
        return self._watches.setdefault((name, subject), BurnWatch(name, subject, self._rules))

    # -- reckoning

    def standing(self, name: str, subject: str, now: UnixSeconds) -> Standing | None:
        """Return how a subject stands in the present period, None while the agreement is not in force.

        The accounts must have been counted up to `now`.
        """
        reckoned = self._reckon(name, subject, now)
        return None if reckoned is None else reckoned[0]

    def _reckon(self, name: str, subject: str, now: UnixSeconds) -> tuple[Standing, dict[BurnWindow, Burn]] | None:
        agreement = self._agreements[name]
        period = period_bounds(agreement.period, agreement.zone, now)
        if not _in_force(agreement, *period):
            return None
        kept, agreed = self._figures(agreement, subject, period, now)
        rates = self._rates(agreement, subject, now)
        current = self._current(agreement, subject, now)
        watch = self._watches.get((name, subject))
        standing = Standing(
            figures=kept,
            current=current,
            burn_fast=rates[BurnWindow.FAST].long,
            burn_slow=rates[BurnWindow.SLOW].long,
            burning=tuple(sorted(watch.burning)) if watch else (),
            budget_gone_at=budget_gone_at(
                agreement, kept, agreed, is_down=current is Availability.DOWN, burn=rates[BurnWindow.SLOW].long
            ),
        )
        return standing, rates

    def periods(self, name: str, subject: str, now: UnixSeconds) -> list[PeriodFigures]:
        """Return the figures of every period of which anything is kept, oldest first, the present one last."""
        agreement = self._agreements[name]
        start = self._known_from(agreement, subject)
        return [
            self._figures(agreement, subject, period, now)[0]
            for period in periods_between(agreement.period, agreement.zone, start, max(now, start + 1.0))
            if _in_force(agreement, *period)
        ]

    def look(self, name: str, subject: str, now: UnixSeconds) -> list[BurnAlert]:
        """Reckon a subject, keep how it stands for `looked_at`, and return the alarms that begin or end now."""
        reckoned = self._reckon(name, subject, now)
        if reckoned is None:
            self._last.pop((name, subject), None)
            return []
        standing, rates = reckoned
        self._last[name, subject] = standing
        if self._agreements[name].draft:
            return []
        return self._watch(name, subject).look(rates, now, standing.budget_gone_at)

    def looked_at(self) -> list[Standing]:
        """Return how every subject stood when it was looked at last."""
        return [self._last[pair] for pair in self.pairs() if pair in self._last]

    def _rates(self, agreement: Agreement, subject: str, now: UnixSeconds) -> dict[BurnWindow, Burn]:
        longest = max(rule.long_seconds for rule in self._rules.values())
        start = round(agreement.calendar.subtract(now, longest) * MILLIS_PER_SECOND)
        seen = self._seen(agreement, subject, start, round(now * MILLIS_PER_SECOND))

        def stretches(low: UnixMillis, high: UnixMillis) -> Iterable[Stretch]:
            return [(max(a, low), min(b, high), one) for a, b, one in seen.stretches if a < high and b > low]

        return {
            window: Burn(
                burn_rate(agreement, stretches, rule.long_seconds, now, facts=seen.facts),
                burn_rate(agreement, stretches, rule.short_seconds, now, facts=seen.facts),
            )
            for window, rule in self._rules.items()
        }

    def _figures(
        self, agreement: Agreement, subject: str, period: tuple[UnixSeconds, UnixSeconds], now: UnixSeconds
    ) -> tuple[PeriodFigures, AgreedTime]:
        low, high = (round(moment * MILLIS_PER_SECOND) for moment in period)
        seen = self._seen(agreement, subject, low, high)
        agreed = self._agreed.get((agreement.name, period[0]))
        if agreed is None:
            agreed = agreed_time(agreement, period, seen.facts, now)
            if not agreement.exclude_planned:  # else it changes with the outages
                if len(self._agreed) >= _MOST_CACHED:
                    self._agreed.clear()
                self._agreed[agreement.name, period[0]] = agreed
        kept = figures(agreement, subject, agreed=agreed, stretches=seen.stretches, facts=seen.facts, now=now)
        return kept, agreed

    def _seen(self, agreement: Agreement, subject: str, low: UnixMillis, high: UnixMillis) -> _Seen:
        contracts = self.agreements
        if agreement.kind is AgreementKind.SLA:
            account = self._accounts[subject]
            facts = with_suppliers(self._facts(account, low, high), contracts, self._cover)
            return _Seen(list(account.log.stretches(low, high)), facts)
        cover = self._cover[agreement.name]
        known = [
            (
                list(self._accounts[business].log.stretches(low, high)),
                with_suppliers(self._facts(self._accounts[business], low, high), contracts, self._cover),
            )
            for business in self._needing(cover)
        ]
        return _Seen(*provided(agreement, cover, known))

    def _facts(self, account: AvailabilityAccount, low: UnixMillis, high: UnixMillis) -> list[OutageFact]:
        """Return outages; those within declared windows are planned."""
        return self._windows.judged(account.facts(low, high), account.counted_until)

    def _needing(self, cover: frozenset[str]) -> list[str]:
        """Return the businesses that need any of some nodes."""
        return [name for name, nodes in self._below.items() if name in self._accounts and not nodes.isdisjoint(cover)]

    def _current(self, agreement: Agreement, subject: str, now: UnixSeconds) -> Availability:
        if agreement.kind is AgreementKind.SLA:
            return self._accounts[subject].current
        at = round(now * MILLIS_PER_SECOND)
        stretches = self._seen(agreement, subject, at - MILLIS_PER_SECOND, at).stretches
        return stretches[-1][2] if stretches else Availability.UNKNOWN

    def _known_from(self, agreement: Agreement, subject: str) -> UnixSeconds:
        names = [subject] if agreement.kind is AgreementKind.SLA else self._needing(self._cover[agreement.name])
        starts = [self._accounts[name].log.start / MILLIS_PER_SECOND for name in names]
        return min(starts, default=0.0) if starts else 0.0

    # -- putting right

    def revise(self, revision: Revision) -> AuditEntry:
        """Put a stretch of time right, reckon again all that it touches, and write down what it changed.

        Raises ValueError for a business that has no account, for a reason or a name that is missing, and for time that
        is not known or not counted yet.
        """
        if revision.subject not in self._accounts:
            raise ValueError(f"no business '{revision.subject}' is accounted for")
        if not revision.by.strip() or not revision.why.strip():
            raise ValueError("a revision needs who makes it and why")
        if len(revision.by) + len(revision.why) > _MOST_LETTERS:
            raise ValueError(f"who and why are longer than {_MOST_LETTERS} letters; say it shorter")
        if not revision.start < revision.end:
            raise ValueError("a revision needs a start before its end")
        account = self._accounts[revision.subject]
        touched = self._touched(account, revision)
        before = [self._figures(*one, account.counted_until)[0] for one in touched]
        account.revise(revision.start, revision.end, revision.change)
        after = [self._figures(*one, account.counted_until)[0] for one in touched]
        effects = tuple(_effect(old, new) for old, new in zip(before, after, strict=True))
        return self._write_down(revision, effects)

    def plan(self, windows: WindowBook, revisions: Sequence[Revision] = ()) -> list[AuditEntry]:
        """Go on with other maintenance windows; return what that changed of the past, written down.

        revisions: of each business, why, and the time that is looked at; nothing is written where nothing changed.
        """
        looked_at = [
            (one, self._touched(self._accounts[one.subject], one)) for one in revisions if one.subject in self._accounts
        ]
        before = [[self._figures(*it, self._counted(one))[0] for it in touched] for one, touched in looked_at]
        self._windows = windows
        self._agreed.clear()
        entries = []
        for (one, touched), old in zip(looked_at, before, strict=True):
            new = [self._figures(*it, self._counted(one))[0] for it in touched]
            effects = tuple(_effect(a, b) for a, b in zip(old, new, strict=True) if a != b)
            if effects:
                entries.append(self._write_down(one, effects))
        return entries

    def _counted(self, revision: Revision) -> UnixSeconds:
        return self._accounts[revision.subject].counted_until

    def _write_down(self, revision: Revision, effects: tuple[RevisedFigures, ...]) -> AuditEntry:
        number = self.audit[-1].number + 1 if self.audit else self.dropped_entries + 1
        entry = AuditEntry(number, revision, effects)
        self.audit.append(entry)
        self.trim()
        return entry

    def trim(self) -> None:
        """Drop the oldest entries beyond the limit, and count them."""
        excess = len(self.audit) - MOST_AUDIT_ENTRIES
        if excess > 0:
            del self.audit[:excess]
            self.dropped_entries += excess

    def _touched(
        self, account: AvailabilityAccount, revision: Revision
    ) -> list[tuple[Agreement, str, tuple[UnixSeconds, UnixSeconds]]]:
        start = max(revision.start, account.log.start / MILLIS_PER_SECOND)
        # an outage that is named anew may reach beyond what was revised
        facts = account.facts(round(start * MILLIS_PER_SECOND), round(revision.end * MILLIS_PER_SECOND))
        start = min([start, *(one.began_at for one in facts)])
        end = max([revision.end, *(account.counted_until if one.ended_at is None else one.ended_at for one in facts)])
        end = min(end, account.counted_until)
        found = []
        for agreement in self._agreements.values():
            if agreement.kind is AgreementKind.SLA:
                subjects = [one for one in self.subjects(agreement) if one == revision.subject]
            else:
                needing = self._needing(self._cover[agreement.name])
                subjects = [agreement.name] if revision.subject in needing else []
            found += [
                (agreement, subject, period)
                for subject in subjects
                for period in periods_between(agreement.period, agreement.zone, start, max(end, start + 1.0))
                if _in_force(agreement, *period)
            ]
        return found[-_MOST_EFFECTS:]


def _in_force(agreement: Agreement, start: UnixSeconds, end: UnixSeconds) -> bool:
    """Tell whether an agreement is in force on any day of a period."""
    first = datetime.fromtimestamp(start, agreement.zone).date()
    last = datetime.fromtimestamp(end - 1.0, agreement.zone).date()
    begun = agreement.valid_from is None or agreement.valid_from <= last
    return begun and (agreement.valid_until is None or agreement.valid_until >= first)


def _effect(old: PeriodFigures, new: PeriodFigures) -> RevisedFigures:
    return RevisedFigures(
        agreement=old.agreement,
        subject=old.subject,
        period_start=old.period_start,
        down_seconds_before=old.down_seconds,
        down_seconds_after=new.down_seconds,
        unknown_seconds_before=old.unknown_seconds,
        unknown_seconds_after=new.unknown_seconds,
        availability_before=old.availability,
        availability_after=new.availability,
        status_before=old.status,
        status_after=new.status,
    )

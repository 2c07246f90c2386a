"""Persons: who is behind an address now, of all that leases, sessions and lists tell, as a table that changes.

Events come in, a lookup comes out: `handle` takes what a source tells, `compile_lookup` makes an unchangeable answer
for the thread that attributes records. Which source is right where two disagree is said by PersonSourceKind.rank; of
equal rank the longer prefix is, then who came later.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from btimd.flows.plan import MAPPED_IPV4
from btimd.flows.radius import Accounting, AccountingStatus
from btimd.flows.segments import Segments, signed_halves, sites_of, tree_of
from btimd.model.address import Prefix
from btimd.model.persons import PersonSourceKind
from btimd.model.units import UNKNOWN_ID, Seconds, UnixSeconds

_TOMBSTONES: Final = 8192
_IPV4_BITS: Final = 32
_IPV6_END: Final = (1 << 128) - 1

Session: TypeAlias = tuple[str, str]
"""NAS and Acct-Session-Id."""


@dataclass(frozen=True, slots=True)
class PersonLimits:
    """max_bindings: kept at a time. session: a session that nobody tells of for so long is over, s."""

    max_bindings: int = 200_000
    session: Seconds = 86_400.0


@dataclass(frozen=True, slots=True)
class Binding:
    """A person behind a prefix, from `since` until just before `until`; None = always, never."""

    source: str
    kind: PersonSourceKind
    prefix: Prefix
    person: str
    since: UnixSeconds | None = None
    until: UnixSeconds | None = None
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A source says who has a prefix; it replaces what it said of the same prefix before."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class Unbound:
    """A source says that nobody has a prefix."""

    source: str
    prefix: Prefix


@dataclass(frozen=True, slots=True)
class Replaced:
    """All that a source says, instead of all that it said before."""

    source: str
    bindings: Sequence[Binding]


@dataclass(frozen=True, slots=True)
class Accounted:
    """A source tells of a session."""

    source: str
    accounting: Accounting


Event: TypeAlias = Bound | Unbound | Replaced | Accounted


@dataclass(slots=True)
class _Held:
    """A session that holds prefixes. heard: when it was last told of, by the teller's time."""

    since: UnixSeconds
    heard: UnixSeconds
    prefixes: set[Prefix] = field(default_factory=set)


class Persons:
    """The bindings of all sources. no_room: bindings refused because there are too many; stale: late news of sessions.

    version: grows with every change. Sessions of all sources are one set: a NAS may be told of by several.
    """

    def __init__(self, limits: PersonLimits | None = None) -> None:
        self._limits = limits or PersonLimits()
        self._told: dict[str, dict[Hashable, Binding]] = {}
        self._sessions: dict[Session, _Held] = {}
        self._of_nas: dict[str, set[Session]] = {}
        self._in_session: dict[Prefix, Binding] = {}
        self._ended: OrderedDict[Session, UnixSeconds] = OrderedDict()
        self._restarted: OrderedDict[str, UnixSeconds] = OrderedDict()
        self._displaced: OrderedDict[Session, UnixSeconds] = OrderedDict()
        self.version = 0
        self.no_room = 0
        self.stale = 0

    def __len__(self) -> int:
        return len(self._in_session) + sum(len(told) for told in self._told.values())

    def count(self, source: str) -> int:
        """Return how many bindings a source of leases or lists has."""
        return len(self._told.get(source, ()))

    @property
    def sessions(self) -> int:
        """How many bindings sessions have."""
        return len(self._in_session)

    def bindings(self) -> Iterable[Binding]:
        """Yield all bindings, also those that are over or have not begun."""
        for told in self._told.values():
            yield from told.values()
        yield from self._in_session.values()

    def handle(self, event: Event, now: UnixSeconds) -> None:
        """Take what a source tells. now: s since 1970."""
        match event:
            case Bound(binding):
                self._bind(binding, now)
            case Unbound(source, prefix):
                if self._told.get(source, {}).pop(prefix, None) is not None:
                    self.version += 1
            case Replaced(source, bindings):
                self._replace(source, bindings, now)
            case Accounted(source, accounting):
                self._account(source, accounting, now)

    def forget(self, source: str) -> None:
        """Forget what a source of leases or lists told."""
        if self._told.pop(source, None):
            self.version += 1

    def expire(self, now: UnixSeconds) -> int:
        """Drop what is over and return how many bindings that was."""
        before = len(self)
        for told in self._told.values():
            for key in [key for key, binding in told.items() if _is_over(binding, now)]:
                del told[key]
        for binding in [binding for binding in self._in_session.values() if _is_over(binding, now)]:
            self._drop(binding)
        dropped = before - len(self)
        self.version += bool(dropped)
        return dropped

    def _has_room(self, now: UnixSeconds) -> bool:
        if len(self) < self._limits.max_bindings:
            return True
        return bool(self.expire(now)) and len(self) < self._limits.max_bindings

    def _bind(self, binding: Binding, now: UnixSeconds) -> None:
        told = self._told.setdefault(binding.source, {})
        key = _key(binding)
        before = told.get(key)
        if before is None and (_is_over(binding, now) or not self._has_room(now)):
            self.no_room += not _is_over(binding, now)
            return
        told[key] = _renewed(before, binding)
        self.version += 1

    def _replace(self, source: str, bindings: Sequence[Binding], now: UnixSeconds) -> None:
        before = self._told.pop(source, {})
        if len(self) + len(bindings) > self._limits.max_bindings:
            self.expire(now)
        room = max(self._limits.max_bindings - len(self), 0)
        kept: dict[Hashable, Binding] = {}
        for binding in bindings:
            key = _key(binding)
            if _is_over(binding, now):
                continue
            if len(kept) >= room and key not in kept:
                self.no_room += 1
                continue
            kept[key] = _renewed(before.get(key), binding)
        self._told[source] = kept
        self.version += 1

    def _account(self, source: str, news: Accounting, now: UnixSeconds) -> None:
        session = (news.nas, news.session)
        if news.status in {AccountingStatus.ON, AccountingStatus.OFF}:
            self._restart(news)
        elif news.status is AccountingStatus.OTHER:
            return
        elif self._is_stale(session, news.at):
            self.stale += 1
        elif news.status is AccountingStatus.STOP:
            self._end(session)
            _remember(self._ended, session, news.at)
        elif news.person:
            self._go_on(source, session, news, now)

    def _is_stale(self, session: Session, at: UnixSeconds) -> bool:
        """Tell whether later news of a session came already: datagrams overtake each other, and are sent again."""
        held = self._sessions.get(session)
        if held is not None:
            return at < held.heard
        return at <= max(self._ended.get(session, at - 1), self._restarted.get(session[0], at - 1))

    def _restart(self, news: Accounting) -> None:
        for session in tuple(self._of_nas.get(news.nas, ())):
            if self._sessions[session].since <= news.at:
                self._end(session)
        _remember(self._restarted, news.nas, news.at)

    def _go_on(self, source: str, session: Session, news: Accounting, now: UnixSeconds) -> None:
        held = self._sessions.get(session)
        told_since = self._displaced.get(session, news.at - max(news.lasted or 0.0, 0.0))
        since = held.since if held else told_since
        prefixes = news.prefixes or tuple(held.prefixes if held else ())
        until = news.at + self._limits.session
        if until <= now:
            return
        if held is not None:
            held.heard = news.at
            for gone in held.prefixes.difference(prefixes):
                self._drop(self._in_session[gone])
        for prefix in prefixes:
            before = self._in_session.get(prefix)
            if before is not None and before.session != session and (before.since or 0.0) > since:
                continue  # who came later has it
            if before is None and not self._has_room(now):
                self.no_room += 1
                continue
            if before is not None and before.session is not None and before.session != session:
                # it began earlier, which must be known if it is told of again: its end may be lost or late
                _remember(self._displaced, before.session, before.since or 0.0)
                self._drop(before)
            self._hold(session, since, news.at).prefixes.add(prefix)
            self._in_session[prefix] = Binding(
                source, PersonSourceKind.RADIUS, prefix, news.person, since, until, session
            )
            self.version += 1

    def _hold(self, session: Session, since: UnixSeconds, heard: UnixSeconds) -> _Held:
        held = self._sessions.get(session)
        if held is None:
            held = self._sessions[session] = _Held(since, heard)
            self._of_nas.setdefault(session[0], set()).add(session)
        return held

    def _end(self, session: Session) -> None:
        held = self._sessions.get(session)
        for prefix in tuple(held.prefixes) if held else ():
            self._drop(self._in_session[prefix])

    def _drop(self, binding: Binding) -> None:
        """Take a prefix from its session; a session without any is forgotten."""
        session = binding.session or ("", "")
        del self._in_session[binding.prefix]
        held = self._sessions[session]
        held.prefixes.discard(binding.prefix)
        if not held.prefixes:
            del self._sessions[session]
            siblings = self._of_nas[session[0]]
            siblings.discard(session)
            if not siblings:
                del self._of_nas[session[0]]
        self.version += 1


def _is_over(binding: Binding, now: UnixSeconds) -> bool:
    return binding.until is not None and binding.until <= now


def _key(binding: Binding) -> Hashable:
    """Return what a binding replaces: a list may say who has a prefix now and who will have it, a lease may not."""
    return (binding.prefix, binding.since) if binding.kind is PersonSourceKind.LIST else binding.prefix


def _renewed(before: Binding | None, binding: Binding) -> Binding:
    """Return a binding that began when the person got the prefix, not when a lease was last renewed."""
    if before is None or before.person != binding.person or before.since is None or binding.since is None:
        return binding
    unbroken = before.until is None or before.until >= binding.since
    return replace(binding, since=before.since) if unbroken and before.since < binding.since else binding


def _remember(ends: OrderedDict[Any, UnixSeconds], key: Any, at: UnixSeconds) -> None:
    ends[key] = max(at, ends.get(key, at))
    ends.move_to_end(key)
    if len(ends) > _TOMBSTONES:
        ends.popitem(last=False)


@dataclass(frozen=True, slots=True)
class PersonTable:
    """The persons of a moment; never changes. It is a model.users.PersonLookup.

    bindings: those that hold now, by address, wider prefixes first; in_force: bool[n], which of them decide.
    changes_at: when the next one begins or ends, None = never. kinds: of what tells of a person, as `persons`, in
    which somebody stands once for each kind.
    """

    persons: tuple[str, ...]
    kinds: tuple[str, ...]
    bindings: tuple[Binding, ...]
    in_force: npt.NDArray[np.bool_]
    changes_at: UnixSeconds | None
    segments: Segments

    def find(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the number of the person behind each address, -1 = nobody is known; uint64 of equal length."""
        if not self.bindings:
            return np.full(len(address_hi), UNKNOWN_ID, np.int32)
        located = self.segments.locate(np.ascontiguousarray(address_hi), np.ascontiguousarray(address_lo))
        return self.segments.row[located]

    def sources(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> tuple[str, ...]:
        """Return what kind of source names the person behind each address, "" = nobody is known."""
        found = self.find(address_hi, address_lo).tolist()
        return tuple(self.kinds[number] if number != UNKNOWN_ID else "" for number in found)


def compile_lookup(bindings: Iterable[Binding], now: UnixSeconds) -> PersonTable:
    """Return who is behind which address at a time."""
    boundaries: list[float] = []
    holding: dict[tuple[int, int, str], Binding] = {}
    best: dict[tuple[int, int], Binding] = {}
    for binding in bindings:
        since, until = binding.since, binding.until
        if until is not None and until <= now:
            continue
        if since is not None and since > now:
            boundaries.append(since)
            continue
        if until is not None:
            boundaries.append(until)
        key = binding.prefix.first, binding.prefix.length
        told = holding.get((*key, binding.source))
        if told is None or _order(told) <= _order(binding):
            holding[*key, binding.source] = binding
        known = best.get(key)
        if known is None or _order(known) < _order(binding):
            best[key] = binding
    ordered = [holding[key] for key in sorted(holding)]
    persons: dict[tuple[str, str], int] = {}
    four = _Sweep(MAPPED_IPV4.last + 1, MAPPED_IPV4.first)
    six = _Sweep(_IPV6_END + 1, 0)
    deciding: set[int] = set()
    for key in sorted(best):
        binding = best[key]
        number = persons.setdefault((binding.person, binding.kind.value), len(persons))
        sweep = four if _is_mapped(binding.prefix) else six
        if sweep.enter(binding, number):
            deciding.add(id(binding))
    return PersonTable(
        persons=tuple(person for person, _ in persons),
        kinds=tuple(kind for _, kind in persons),
        bindings=tuple(ordered),
        in_force=np.array([id(binding) in deciding for binding in ordered], np.bool_),
        changes_at=min(boundaries, default=None),
        segments=_segments(four, six),
    )


def _order(binding: Binding) -> tuple[int, float, str]:
    return binding.kind.rank, binding.since if binding.since is not None else 0.0, binding.source


def _is_mapped(prefix: Prefix) -> bool:
    return prefix.length >= MAPPED_IPV4.length and MAPPED_IPV4.first <= prefix.first <= MAPPED_IPV4.last


class _Sweep:
    """Cuts the address space into segments. Prefixes nest or are apart, so a stack of the open ones is enough.

    Entered in order of their first addresses, wider ones first.
    """

    def __init__(self, end: int, base: int) -> None:
        self.starts = [0]
        self.numbers = [UNKNOWN_ID]
        self._base = base
        self._end = end
        self._open: list[tuple[int, int, int]] = []

    def enter(self, binding: Binding, number: int) -> bool:
        """Open a prefix; return whether it decides there, as nothing of higher rank lies around it."""
        first = binding.prefix.first
        self._close(first)
        rank = binding.kind.rank
        decides = not self._open or rank >= self._open[-1][1]
        if decides:
            self._open.append((binding.prefix.last + 1, rank, number))
            self._cut(first, number)
        return decides

    def finish(self) -> None:
        """Close all that is open."""
        self._close(self._end)

    def _close(self, before: int) -> None:
        while self._open and self._open[-1][0] <= before:
            end = self._open.pop()[0]
            if end < self._end:
                self._cut(end, self._open[-1][2] if self._open else UNKNOWN_ID)

    def _cut(self, at: int, number: int) -> None:
        start = at - self._base
        if self.starts[-1] == start:
            self.numbers[-1] = number
        else:
            self.starts.append(start)
            self.numbers.append(number)


def _segments(four: _Sweep, six: _Sweep) -> Segments:
    four.finish()
    six.finish()
    start4 = np.array(four.starts, np.int64)
    halves = np.array([signed_halves(first) for first in six.starts], np.int64).reshape(-1, 2)
    nothing = np.zeros(0, np.int32)
    return Segments(
        tree4=tree_of(start4),
        start4=start4,
        sites6=sites_of(six.starts),
        start6_hi=np.ascontiguousarray(halves[:, 0]),
        start6_lo=np.ascontiguousarray(halves[:, 1]),
        row=np.array(four.numbers + six.numbers, np.int32),
        candidates=nothing,
        candidate_offsets=nothing,
        candidate_rule=nothing,
    )

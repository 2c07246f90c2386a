"""What users' connections say of a business, a server and a region: signs for diagnoses, made of the pulse of traffic.

Rules of evidence. Nothing is ever good from silence: users must have been answered. What counts is the bound, at 95 %
confidence (Wilson 1927), of the share that succeeded or failed, over the shortest span that suffices. Connections that
succeed say that something answers, not that it answers rightly: where answers take far longer or are far shorter than
usual, as error pages are, users are not called served.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from btimd.flows.pulse import (
    ANSWERS,
    BIN_MILLISECONDS,
    CLIENT_COUNT,
    CLIENT_LOG,
    CONNECTED,
    OCTETS_COUNT,
    OCTETS_LOG,
    REFUSED,
    REQUESTS,
    RESET,
    SERVER_COUNT,
    SERVER_LOG,
    TURN_COUNT,
    TURN_LOG,
    UNANSWERED,
    WRONG,
    Beat,
    Pulse,
)
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Closure
from btimd.model.sign import Sign, SignSource
from btimd.model.taps import Names
from btimd.model.units import UnixMillis, UnixSeconds

SPANS_BINS: Final = (1, 2, 4, 8, 16, 40)
_Z: Final = 1.645
_SERVED: Final = 0.6
"""The share that succeeds is at least this, as sure as the bound."""
_FAILING: Final = 0.2
_NOISE: Final = 0.05
"""Up to this share of failures is the ordinary noise of connections."""
_FEWEST_FAILURES: Final = 3
_FEWEST_ANSWERS: Final = 3
_OPEN_QUESTIONS_BINS: Final = 8
"""A question is given so long to be answered before its missing answer counts."""
_FEWEST_MEASURED: Final = 5
_LONGER: Final = math.log(4.0)
_LEAST_SLOW_LOG: Final = math.log(0.1)
"""Nobody calls a turn slow that takes less, however short it is usually."""
_SHORTER: Final = math.log(3.0)
_USUAL_COUNTS: Final = 20.0
"""So many measured ones make something usual."""
_REMEMBERED: Final = 2000.0
_CORRELATED: Final = 0.6
"""Weight of a sign about what several signs of the same connections tell of."""
_LASTS_SECONDS: Final = 30.0
_FEWEST_SERVERS: Final = 2


def wilson_low(successes: float, tries: float) -> float:
    """Return the lower bound at 95 % (one-sided) of the share that successes have in the long run; 0 of no tries."""
    if tries <= 0:
        return 0.0
    share, square = successes / tries, _Z * _Z
    spread = _Z * math.sqrt(share * (1.0 - share) / tries + square / (4.0 * tries * tries))
    return max((share + square / (2.0 * tries) - spread) / (1.0 + square / tries), 0.0)


@dataclass(slots=True)
class Usual:
    """What a logarithm usually is: a mean over about the last 2,000 that were measured."""

    count: float = 0.0
    mean: float = 0.0

    def learn(self, count: float, total: float) -> None:
        """Take some more measured ones."""
        if count <= 0:
            return
        whole = self.count + count
        self.mean += (total / count - self.mean) * count / whole
        self.count = min(whole, _REMEMBERED)

    @property
    def is_known(self) -> bool:
        """Tell whether enough were measured."""
        return self.count >= _USUAL_COUNTS


_KINDS: Final = (
    ("turn", TURN_COUNT, TURN_LOG),
    ("client network", CLIENT_COUNT, CLIENT_LOG),
    ("server network", SERVER_COUNT, SERVER_LOG),
    ("octets", OCTETS_COUNT, OCTETS_LOG),
)


@dataclass(slots=True)
class _Habits:
    usual: dict[str, Usual] = field(default_factory=lambda: {name: Usual() for name, _, _ in _KINDS})
    learned_upto: int = 0


@dataclass(frozen=True, slots=True)
class CellJudgement:
    """What the connections to one server's rule from one region came to.

    health UNKNOWN: too little, or it contradicts itself (then `doubtful`). slow: name of the leg that takes longer than
    usual. began: of the span. succeeded, failed, answers: connections, and answers where connections are kept open.
    """

    health: Health
    error: ErrorClass = ErrorClass.NONE
    doubtful: bool = False
    slow: str = ""
    began: UnixMillis = 0
    succeeded: int = 0
    failed: int = 0
    answers: int = 0


_Judged = Mapping[tuple[int, int], tuple[int, CellJudgement]]
"""By rule and region: the cell that was judged, and how."""
_NOTHING: Final = CellJudgement(Health.UNKNOWN)


def judge_beat(  # noqa: PLR0911  a return per rule of evidence, in their order
    beat: Beat, waited: Beat | None, habits: Mapping[str, Usual]
) -> CellJudgement:
    """Judge a span. waited: the same figures of a time whose questions have had time to be answered."""
    sums = beat.sums
    refused, unanswered = float(sums[REFUSED]), float(sums[UNANSWERED])
    if not beat.packets:
        unanswered = max(unanswered - refused, 0.0)  # of a refused one, the client's record shows a lonely SYN too
    connected, answers, wrong = float(sums[CONNECTED]), float(sums[ANSWERS]), float(sums[WRONG])
    answers = max(answers - wrong, 0.0)
    reset = float(sums[RESET]) if answers < connected / 2 else 0.0
    succeeded = max(max(connected, answers) - reset, 0.0)
    failed = refused + unanswered + reset + wrong
    told = CellJudgement(
        Health.UNKNOWN, began=beat.began, succeeded=round(succeeded), failed=round(failed), answers=round(answers)
    )
    worst = max(((refused, ErrorClass.REFUSED), (unanswered, ErrorClass.TIMEOUT), (reset, ErrorClass.RESET),
                 (wrong, ErrorClass.WRONG_ANSWER)), key=lambda one: one[0])[1]  # fmt: skip
    tries = succeeded + failed
    if failed >= _FEWEST_FAILURES and wilson_low(failed, tries) >= _FAILING:
        return _with(told, Health.BAD, worst)
    if failed > _NOISE * tries and failed > 0:
        return _with(told, Health.UNKNOWN, doubtful=True)
    if waited is not None:
        asked, heard = float(waited.sums[REQUESTS]), float(waited.sums[ANSWERS])
        if asked >= _FEWEST_FAILURES and heard < asked * 0.1:
            silent = CellJudgement(
                Health.BAD,
                ErrorClass.NO_ANSWER,
                began=waited.began,
                succeeded=round(heard),
                failed=round(asked - heard),
            )
            return silent if answers < asked / 2 else _with(told, Health.UNKNOWN, doubtful=True)
    slow = slow_leg_of(beat, habits)
    if slow:
        return _with(told, Health.BAD, ErrorClass.SLOW, slow=slow)
    shorter = habits["octets"].is_known and sums[OCTETS_COUNT] >= _FEWEST_ANSWERS
    if shorter and sums[OCTETS_LOG] / sums[OCTETS_COUNT] < habits["octets"].mean - _SHORTER:
        return _with(told, Health.UNKNOWN, doubtful=True)
    if answers >= _FEWEST_ANSWERS and wilson_low(succeeded, tries) >= _SERVED:
        return _with(told, Health.GOOD)
    return told


def _with(
    told: CellJudgement, health: Health, error: ErrorClass = ErrorClass.NONE, *, doubtful: bool = False, slow: str = ""
) -> CellJudgement:
    return CellJudgement(health, error, doubtful, slow, told.began, told.succeeded, told.failed, told.answers)


def slow_leg_of(beat: Beat, habits: Mapping[str, Usual]) -> str:
    """Return what takes more than four times as long as usual: a leg's network, the turn of the server, or ""."""
    for name, count, total in (_KINDS[1], _KINDS[2], _KINDS[0]):
        usual = habits[name]
        if usual.is_known and beat.sums[count] >= _FEWEST_MEASURED:
            now = beat.sums[total] / beat.sums[count]
            if now > max(usual.mean + _LONGER, _LEAST_SLOW_LOG):
                return "server" if name == "turn" else name
    return ""


class TrafficJudge:
    """Makes signs of a pulse: of each business as a region's users see it, of servers, of regions. Flow thread only."""

    def __init__(self, pulse: Pulse, names_of: Mapping[str, str] | None = None) -> None:
        self._pulse = pulse
        self._habits: dict[tuple[str, str, bool], _Habits] = {}
        self._judged: dict[int, CellJudgement] = {}
        self._names: Names | None = None
        self.names_of: Mapping[str, str] = names_of or {}
        """What businesses are called by name."""

    def look(self, now: UnixMillis) -> list[Sign]:
        """Return the signs about whatever something came for since the last look."""
        pulse = self._pulse
        pulse.expire(now)
        names = pulse.names
        if names is None or not pulse.changed:
            return []
        if names is not self._names:
            self._names = names
            self._judged.clear()
        per_region = len(pulse.regions)
        touched = {(business, region)
                   for key in pulse.changed
                   for rule, region in ((key // 2 // per_region, pulse.regions[key // 2 % per_region]),)
                   for business in names.rules[rule].businesses}  # fmt: skip
        for key in pulse.changed:
            rule, region = divmod(key // 2, per_region)
            self._judged[key] = self._judge(key, names.rules[rule].id, pulse.regions[region])
        fresh = frozenset(pulse.changed)
        pulse.changed.clear()
        judged = self._present(per_region)
        return [
            *self._of_businesses(names, judged, touched, fresh),
            *self._of_servers(names, judged),
            *self._of_regions(judged),
        ]

    def _present(self, per_region: int) -> dict[tuple[int, int], tuple[int, CellJudgement]]:
        """Return the judgement of each rule and region, without those that are older than the others by far."""
        known = {key: self._pulse.latest(key) for key in self._pulse.cells()}
        for key in self._judged.keys() - known.keys():
            del self._judged[key]
        present: dict[tuple[int, int], tuple[int, CellJudgement]] = {}
        newest = max(known.values(), default=0)
        for key in sorted(known, key=lambda one: one % 2):  # what packets say is exact, and goes before what is told
            if key in self._judged and known[key] >= newest - SPANS_BINS[-1]:
                present[divmod(key // 2, per_region)] = key, self._judged[key]
        return present

    def _judge(self, key: int, rule: str, region: str) -> CellJudgement:
        packets = bool(key % 2)
        habits = self._habits.setdefault((rule, region, packets), _Habits())
        waited = self._pulse.beat(key, SPANS_BINS[-1] // 2, _OPEN_QUESTIONS_BINS) if packets else None
        # Trouble of the last moments is not hidden by the very last one; only then is the shortest span asked.
        whole = self._pulse.beat(key, _OPEN_QUESTIONS_BINS)
        found = judge_beat(whole, waited, habits.usual) if whole is not None else _NOTHING
        for bins in SPANS_BINS:
            beat = self._pulse.beat(key, bins)
            if beat is None or found.health is Health.BAD or found.doubtful:
                break
            found = judge_beat(beat, waited, habits.usual)
            if found.health is Health.GOOD:
                break
        self._learn(key, habits, found)
        return found

    def _learn(self, key: int, habits: _Habits, found: CellJudgement) -> None:
        """Let what works become usual, with a delay, so that trouble that begins is not learned at once."""
        upto = self._pulse.latest(key) - _OPEN_QUESTIONS_BINS
        first = max(habits.learned_upto, upto - SPANS_BINS[-1])
        habits.learned_upto = max(upto, habits.learned_upto)
        if upto <= first or found.health is Health.BAD or (found.doubtful and habits.usual["turn"].is_known):
            return
        beat = self._pulse.beat(key, upto - first, _OPEN_QUESTIONS_BINS)
        if beat is not None:
            for name, count, total in _KINDS:
                habits.usual[name].learn(float(beat.sums[count]), float(beat.sums[total]))

    def _is_usual(self, rule: str, region: str, key: int) -> bool:
        habits = self._habits[rule, region, bool(key % 2)].usual
        return habits["turn"].is_known or habits["octets"].is_known

    # -- businesses

    def _of_businesses(
        self, names: Names, judged: _Judged, touched: set[tuple[str, str]], fresh: frozenset[int]
    ) -> Iterable[Sign]:
        pulse = self._pulse
        cells: dict[tuple[str, str], list[tuple[int, int, CellJudgement]]] = {}
        for (rule, region), (key, found) in judged.items():
            for business in names.rules[rule].businesses:
                name = business, pulse.regions[region]
                if name in touched:
                    cells.setdefault(name, []).append((rule, key, found))
        for (business, where), parts in cells.items():
            bad = [(rule, found) for rule, _, found in parts if found.health is Health.BAD]
            if bad:
                worst = max((found for _, found in bad), key=lambda one: (one.failed, one.answers))
                yield self._bad(business, where, worst)
                continue
            good = [part for part in parts if part[2].health is Health.GOOD and part[1] in fresh]
            if not good or any(found.doubtful for _, _, found in parts):
                continue
            if not all(self._is_usual(names.rules[rule].id, where, key) for rule, key, _ in good):
                continue
            yield self._good(business, where, [key for _, key, _ in good], [found for _, _, found in good])

    def _bad(self, business: str, region: str, found: CellJudgement) -> Sign:
        called = self.names_of.get(business) or business
        return Sign(
            id=f"flows:{business}@{region}",
            node=business,
            health=Health.BAD,
            error=found.error,
            text=f"users of {called}{_in(region)}: {_failures(found)}",
            source=SignSource.FLOWS,
            at=_seconds(found.began),
            scope=Closure.FULL,
            region=region,
            weight=1.0,
            lasts_seconds=_LASTS_SECONDS,
        )

    def _good(self, business: str, region: str, keys: list[int], found: list[CellJudgement]) -> Sign:
        began = min(one.began for one in found)
        users, more = self._pulse.users(keys, began)
        connections = sum(one.succeeded for one in found)
        tries = connections + sum(one.failed for one in found)
        called = self.names_of.get(business) or business
        who = f"{users:,}{' or more' if more else ''} user{'s' if users != 1 else ''} of {called}{_in(region)}"
        return Sign(
            id=f"flows:{business}@{region}",
            node=business,
            health=Health.GOOD,
            error=ErrorClass.NONE,
            text=f"{who} still get{'s' if users == 1 else ''} answers ({connections:,} of {tries:,} connections)",
            source=SignSource.FLOWS,
            at=_seconds(began),
            scope=Closure.FULL,
            region=region,
            weight=1.0,
            lasts_seconds=_LASTS_SECONDS,
        )

    # -- servers and regions

    def _of_servers(self, names: Names, judged: _Judged) -> Iterable[Sign]:
        """Tell of a server's node what all regions agree on: it refuses, does not answer, or is slow itself."""
        by_node: dict[str, list[CellJudgement]] = {}
        for (rule, _), (_, found) in judged.items():
            node = names.rules[rule].node
            if node is not None:
                by_node.setdefault(node, []).append(found)
        for node, parts in by_node.items():
            bad = [one for one in parts if one.health is Health.BAD and one.slow not in {_KINDS[1][0], _KINDS[2][0]}]
            good = [one for one in parts if one.health is Health.GOOD]
            if bad and not good:
                worst = max(bad, key=lambda one: (one.failed, one.answers))
                health, error, text = Health.BAD, worst.error, f"{node}: {_failures(worst)}"
            elif good and not bad and not any(one.doubtful for one in parts):
                answers = sum(one.answers for one in good)
                health, error, text = Health.GOOD, ErrorClass.NONE, f"{node} gave {answers:,} answers to clients"
            else:
                continue
            yield Sign(
                id=f"flows:server:{node}",
                node=node,
                health=health,
                error=error,
                text=text,
                source=SignSource.FLOWS,
                at=_seconds(min(one.began for one in (bad or good))),
                scope=Closure.FULL if bad else Closure.LOCAL,
                weight=_CORRELATED,
                lasts_seconds=_LASTS_SECONDS,
            )

    def _of_regions(self, judged: _Judged) -> Iterable[Sign]:
        """Tell of a region what its users see of all servers: nothing gets through, or its network is slow.

        The node is the region's name; who knows the model puts the region's user node there, or drops the sign.
        """
        by_region: dict[int, list[CellJudgement]] = {}
        served_elsewhere: set[int] = set()
        for (rule, region), (_, found) in judged.items():
            if self._pulse.regions[region]:
                by_region.setdefault(region, []).append(found)
            if found.health is Health.GOOD:
                served_elsewhere.add(rule)
        for region, parts in by_region.items():
            name = self._pulse.regions[region]
            bad = [one for one in parts if one.health is Health.BAD and one.error is not ErrorClass.REFUSED
                   and one.slow in {"", _KINDS[1][0]}]  # fmt: skip
            good = [one for one in parts if one.health is Health.GOOD]
            others_served = any(rule in served_elsewhere for rule, where in judged if where == region)
            if len(bad) >= _FEWEST_SERVERS and not good and others_served:
                worst = max(bad, key=lambda one: (one.failed, one.answers))
                yield Sign(
                    f"flows:region:{name}", name, Health.BAD, worst.error,
                    f"users in {name} of {len(bad)} services: {_failures(worst)}; other regions are served",
                    SignSource.FLOWS, _seconds(min(one.began for one in bad)), Closure.LOCAL, name, _CORRELATED,
                    _LASTS_SECONDS,
                )  # fmt: skip
            elif good and not bad:
                answers = sum(one.answers for one in good)
                yield Sign(
                    f"flows:region:{name}", name, Health.GOOD, ErrorClass.NONE,
                    f"users in {name} got {answers:,} answers", SignSource.FLOWS,
                    _seconds(min(one.began for one in good)), Closure.LOCAL, name, _CORRELATED, _LASTS_SECONDS,
                )  # fmt: skip


_HOW: Final = {
    ErrorClass.REFUSED: "refused",
    ErrorClass.TIMEOUT: "not answered",
    ErrorClass.RESET: "reset by the server",
    ErrorClass.WRONG_ANSWER: "answered with a failure",
}


def _failures(found: CellJudgement) -> str:
    tries = found.succeeded + found.failed
    if found.slow:
        noun = "answers" if found.slow == "server" else "round trips"
        return f"{noun} take far longer than usual ({found.slow}, {tries:,} connections)"
    if found.error is ErrorClass.NO_ANSWER:
        return f"{found.failed:,} of {tries:,} requests without an answer"
    return f"{found.failed:,} of {tries:,} connections {_HOW.get(found.error, 'failed')}"


def _in(region: str) -> str:
    return f" in {region}" if region else ""


def _seconds(at: UnixMillis) -> UnixSeconds:
    return at / 1000.0


LOOK_EVERY_MILLISECONDS: Final = BIN_MILLISECONDS

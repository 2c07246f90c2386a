"""How an interface is: its state, and between two readings its errors, discards and use. IF-MIB (RFC 2863)."""

from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.probes import mibs
from btimd.probes.hostmibs import Question, Reading
from btimd.probes.limits import Finding, Limits, cannot_say, found, verdict
from btimd.probes.mibvalues import text, whole
from btimd.probes.snmpsession import Oid, Readings, Scalars, Step, Table
from btimd.probes.wire.dialogue import Outcome

_IF: Final[Oid] = mibs.IF_OPER[:-1]
_IFX: Final[Oid] = mibs.IF_NAME[:-1]
_UP, _DORMANT = 1, 5
_STATES: Final = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "not there",
    7: "down by what is below",
}
_MOST_ROWS: Final = 10_000
_MEGABIT: Final = 1_000_000
_OCTET_BITS: Final = 8
_SHORT, _LONG = 2**32, 2**64
_SATURATED: Final = 0xFFFF_FFFF
_PLAUSIBLE: Final = 1.2
"""A port cannot carry more than it can; counters that say so began anew."""


@dataclass(frozen=True, slots=True)
class Interface(Question):
    """An interface by its index, or by name: ifName, ifDescr or ifAlias.

    use: percent of its speed, of the busier direction; errors, discards: per second, both directions together.
    admin_down_is_bad: whether one that was switched off is bad. counters: whether two readings are wanted at all.
    """

    name: str
    index: int
    use: Limits
    errors: Limits
    discards: Limits
    admin_down_is_bad: bool = True
    counters: bool = True

    @override
    def steps(self) -> tuple[Step, ...]:
        if self.index:
            return self._row(self.index)
        return (
            Table("ifXTable names", _IFX, (1, 18), _MOST_ROWS),
            Table("ifTable names", _IF, (2,), _MOST_ROWS),
        )

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        if self.index:
            return ()
        index = self._find(readings)
        return () if index is None else self._row(index)

    def _row(self, index: int) -> tuple[Step, ...]:
        return (
            Scalars(
                f"interface {index}", (mibs.SYS_UPTIME, *(oid for column in _COLUMNS for oid in [(*column, index)]))
            ),
        )

    def _find(self, readings: Readings) -> int | None:
        """Return the index of the wanted name; a name comes before a description, and that before an alias."""
        for column in (mibs.IF_NAME, mibs.IF_DESCR, mibs.IF_ALIAS):
            for row, told in readings.column(column).items():
                if len(row) == 1 and text(told).lower() == self.name.lower():
                    return row[0]
        return None

    @override
    def wants_two(self, reading: Reading) -> bool:
        index = self.index or self._find(reading.readings)
        return bool(self.counters and index and reading.number((*mibs.IF_OPER, index)) == _UP)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        index = self.index or self._find(now.readings)
        wanted = self.name or f"with index {self.index}"
        if index is None:
            names = [text(told) for told in now.column(mibs.IF_NAME).values()]
            told = f"; it tells of {', '.join(names[:8])}" if names else ""
            if not names and not now.column(mibs.IF_DESCR):
                return cannot_say(f"{about} does not tell of its interfaces; widen the agent's view")
            return verdict([Finding(2, f"has no interface {wanted}{told}")], {}, about=about)
        state, admin = now.number((*mibs.IF_OPER, index)), now.number((*mibs.IF_ADMIN, index))
        if state is None:
            return cannot_say(f"{about} does not tell how the interface {wanted} is")
        name = self.name or text(now.readings.scalars.get((*mibs.IF_DESCR, index))) or str(index)
        values = {"up": float(state == _UP)}
        if admin is not None and admin != _UP:
            rank = 2 if self.admin_down_is_bad else 0
            return verdict([Finding(rank, f"{name} was switched off by its administrator")], values, about=about)
        if state not in {_UP, _DORMANT}:
            return verdict([Finding(2, f"{name} is {_STATES.get(state, 'in no known state')}")], values, about=about)
        findings = [Finding(0, f"{name} is {_STATES[state]}")]
        if before is not None and _goes_on(now, before):
            findings += self._counted(now, before, index, name, values)
        return verdict(findings, values, about=about)

    def _counted(self, now: Reading, before: Reading, index: int, name: str, values: dict[str, float]) -> list[Finding]:
        seconds = now.at - before.at
        findings = []
        for what, columns, limits in (
            ("errors", (mibs.IF_IN_ERRORS, mibs.IF_OUT_ERRORS), self.errors),
            ("discards", (mibs.IF_IN_DISCARDS, mibs.IF_OUT_DISCARDS), self.discards),
        ):
            grown = [_grown(now, before, (*column, index), _SHORT) for column in columns]
            told = [one for one in grown if one is not None]
            if told:
                rate = sum(told) / seconds
                values[f"{what}_per_second"] = rate
                findings.append(found(limits, rate, f"{name} has {rate:.3g} {what} a second"))
        speed = _speed(now, index)
        rates = [
            bits
            for wide, narrow in ((mibs.IF_HC_IN_OCTETS, mibs.IF_IN_OCTETS), (mibs.IF_HC_OUT_OCTETS, mibs.IF_OUT_OCTETS))
            if (bits := _bits(now, before, index, (wide, narrow), seconds)) is not None
        ]
        if speed and rates and max(rates) <= speed * _PLAUSIBLE:
            percent = 100.0 * max(rates) / speed
            values["use_ratio"] = percent / 100
            findings.append(found(self.use, percent, f"{name} is used to {percent:.0f} %"))
        return findings


_COLUMNS: Final = (
    mibs.IF_DESCR, mibs.IF_SPEED, mibs.IF_ADMIN, mibs.IF_OPER, mibs.IF_IN_OCTETS, mibs.IF_OUT_OCTETS,
    mibs.IF_IN_ERRORS, mibs.IF_OUT_ERRORS, mibs.IF_IN_DISCARDS, mibs.IF_OUT_DISCARDS,
    mibs.IF_HC_IN_OCTETS, mibs.IF_HC_OUT_OCTETS, mibs.IF_HIGH_SPEED,
)  # fmt: skip


def _goes_on(now: Reading, before: Reading) -> bool:
    """Tell whether both readings are of one life of the agent."""
    new, old = now.number(mibs.SYS_UPTIME), before.number(mibs.SYS_UPTIME)
    return now.at > before.at and (new is None or old is None or new >= old)


def _grown(now: Reading, before: Reading, oid: Oid, size: int) -> int | None:
    """Return how much a counter has grown, over its end if need be."""
    new, old = now.number(oid), before.number(oid)
    return None if new is None or old is None else (new - old) % size


def _bits(now: Reading, before: Reading, index: int, columns: tuple[Oid, Oid], seconds: float) -> float | None:
    """Return bits a second, by the wide counter where there is one."""
    wide, narrow = ((*column, index) for column in columns)
    grown = _grown(now, before, wide, _LONG)
    if grown is None:
        grown = _grown(now, before, narrow, _SHORT)
    return None if grown is None else grown * _OCTET_BITS / seconds


def _speed(now: Reading, index: int) -> float:
    """Return bits a second that an interface can carry, 0 where it does not say."""
    mega, speed = now.number((*mibs.IF_HIGH_SPEED, index)), now.number((*mibs.IF_SPEED, index))
    if mega and (speed is None or speed in {0, _SATURATED} or mega * _MEGABIT > speed):
        return float(mega * _MEGABIT)
    return float(speed or 0)


def is_index(written: str) -> bool:
    """Tell whether an interface is named by its index."""
    return written.isascii() and written.isdigit() and whole(int(written)) is not None

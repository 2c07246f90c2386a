"""What hosts tell by SNMP, the part that all such checks share: questions, their readings, and two small ones.

A question is pure: it says what to read, reads more where the first answers ask for it, and judges what came. Sources:
HOST-RESOURCES-MIB (RFC 2790), SNMPv2-MIB (RFC 3418), SNMP-FRAMEWORK-MIB (RFC 3411), UCD-SNMP-MIB (net-snmp).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes import mibs
from btimd.probes.kinds import Errand
from btimd.probes.limits import Finding, Limits, cannot_say, found, verdict
from btimd.probes.mibvalues import text, whole
from btimd.probes.snmpsession import Oid, Readings, Scalars, Step, Value
from btimd.probes.wire.dialogue import Outcome, printable

ENTERPRISES: Final[Oid] = (1, 3, 6, 1, 4, 1)
HOST: Final[Oid] = (1, 3, 6, 1, 2, 1, 25)
UCD: Final[Oid] = (*ENTERPRISES, 2021)
HP_UX: Final[Oid] = (*ENTERPRISES, 11, 2, 3, 1)
AIX: Final[Oid] = (*ENTERPRISES, 2, 6, 191)
SUN_PERFORMANCE: Final[Oid] = (*ENTERPRISES, 42, 3, 13)
HR_SYSTEM_UPTIME: Final[Oid] = (*HOST, 1, 1, 0)
SNMP_ENGINE_TIME: Final[Oid] = (1, 3, 6, 1, 6, 3, 10, 2, 1, 3, 0)
TICKS_PER_SECOND: Final = 100
WRAPS_AT_SECONDS: Final = 2**32 / TICKS_PER_SECOND
_SLACK_SECONDS: Final = 120.0
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS_PER: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FAMILIES: Final[tuple[tuple[str, Oid], ...]] = (
    ("windows", (*ENTERPRISES, 311)),
    ("aix", (*ENTERPRISES, 2)),
    ("hp-ux", (*ENTERPRISES, 11, 2, 3)),
    ("solaris", (*ENTERPRISES, 42)),
    ("cisco", (*ENTERPRISES, 9)),
    ("net-snmp", (*ENTERPRISES, 8072)),
    ("net-snmp", UCD),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and when."""

    at: MonotonicSeconds
    readings: Readings

    def number(self, oid: Oid) -> int | None:
        """Return a scalar that is a number and not negative."""
        return whole(self.readings.scalars.get(oid))

    def column(self, oid: Oid) -> Mapping[Oid, Value]:
        """Return a column."""
        return self.readings.column(oid)


class Question(ABC):
    """What a check wants to know of a host. Frozen and hashable: equal questions are asked once."""

    silence_is_bad: bool = False
    """Whether the agent's silence is what the check is for; for all others it tells nothing."""

    @abstractmethod
    def steps(self) -> tuple[Step, ...]:
        """Return what to read first."""

    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        """Return what to read after the first answers."""
        del readings
        return ()

    def wants_two(self, reading: Reading) -> bool:
        """Tell whether a second reading, a while later, would tell more."""
        del reading
        return False

    @abstractmethod
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        """Return what was found. before: an earlier reading of the same question."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a check asks by itself, where no device table says it. version: "1", "2c" or "3"."""

    version: str = "2c"
    community: str = field(default="", repr=False)
    user: str = ""
    auth: str = ""
    auth_key: str = field(default="", repr=False)
    priv: str = ""
    priv_key: str = field(default="", repr=False)
    context: str = ""


@dataclass(frozen=True, slots=True)
class HostErrand(Errand):
    """A question to a host. device: the name of a table [probes.snmp.NAME], "" = access says how."""

    host: str
    port: int
    device: str
    access: Access
    question: Question
    kind: str


def family_of(readings: Readings) -> str:
    """Return whose agent it is by sysObjectID: windows, aix, hp-ux, solaris, cisco, net-snmp; "" for others."""
    told = readings.scalars.get(mibs.SYS_OBJECT_ID)
    if not isinstance(told, tuple):
        return ""
    return next((name for name, prefix in _FAMILIES if told[: len(prefix)] == prefix), "")


def seconds_of(written: str) -> Seconds:
    """Return the seconds of "10m" and its like; raises ValueError."""
    match = _DURATION.fullmatch(written.strip())
    if match is None:
        raise ValueError(f'{written!r} is no duration; write a number with its unit: "30s", "10m", "1h", "1d"')
    return float(match[1]) * _SECONDS_PER[match[2]]


def span(seconds: Seconds) -> str:
    """Return a duration for people."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def octets(number: float) -> str:
    """Return a quantity of octets for people."""
    for unit, size in (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10)):
        if abs(number) >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} octets"


def unsigned(value: Value) -> int | None:
    """Return a number; one that is negative is what an agent made of 32 bits that are not."""
    return (value + 2**32 if value < 0 else value) if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Uptime(Question):
    """How long since the last restart. within: a younger one is bad. of_agent: of the agent, not of the host."""

    within: Seconds
    of_agent: bool = False

    @override
    def steps(self) -> tuple[Step, ...]:
        return (Scalars("uptime", (mibs.SYS_UPTIME, HR_SYSTEM_UPTIME, SNMP_ENGINE_TIME)),)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        agent = _ticks(now.number(mibs.SYS_UPTIME))
        engine = now.number(SNMP_ENGINE_TIME)
        if agent is not None and engine is not None:
            agent = _unwrapped(agent, float(engine))
        host = _ticks(now.number(HR_SYSTEM_UPTIME))
        if host is not None and agent is not None:
            host = _unwrapped(host, agent)
        seconds = agent if self.of_agent or host is None else host
        what = "the agent" if self.of_agent or host is None else "the host"
        if seconds is None:
            return cannot_say(f"{about} does not tell its uptime")
        values = {"uptime_seconds": seconds}
        if seconds < self.within:
            text_ = f"{about}: {what} restarted {span(seconds)} ago (limit {span(self.within)})"
            return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, printable(text_), values)
        return Outcome(Health.GOOD, ErrorClass.NONE, printable(f"{about}: {what} is up for {span(seconds)}"), values)


def _ticks(number: int | None) -> Seconds | None:
    return None if number is None else number / TICKS_PER_SECOND


def _unwrapped(seconds: Seconds, at_least: Seconds) -> Seconds:
    """Return an uptime of 32 bits of ticks, begun anew every 497 days, that cannot be below another by much."""
    while seconds + _SLACK_SECONDS < at_least and seconds + WRAPS_AT_SECONDS - _SLACK_SECONDS <= at_least + 86400.0:
        seconds += WRAPS_AT_SECONDS
    return seconds


@dataclass(frozen=True, slots=True)
class OneObject(Question):
    """One object: its value is an expected text, or a number within its limits; or it is only there."""

    oid: Oid
    limits: Limits
    expect: str = ""
    scale: float = 1.0

    silence_is_bad = True

    @override
    def steps(self) -> tuple[Step, ...]:
        return (Scalars("object", (self.oid,)),)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        name = ".".join(map(str, self.oid))
        value = now.readings.scalars.get(self.oid)
        if value is None:
            return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, printable(f"{about} has no object {name}"))
        told = text(value) if isinstance(value, bytes) else written(value)
        values: dict[str, float] = {}
        if (number := _number(value)) is not None:
            number *= self.scale
            values["value"] = number
        if self.expect and told != self.expect:
            detail = f"{about}: {name} is {told!r}, expected {self.expect!r}"
            return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, printable(detail), values)
        if self.limits == Limits():
            return verdict([Finding(0, f"{name} is {told}")], values, about=about)
        if number is None:
            return cannot_say(f"{about}: {name} is {told!r}, which is no number")
        return verdict([found(self.limits, number, f"{name} is {number:g}")], values, about=about)


def written(value: Value) -> str:
    """Return a value as text."""
    return ".".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _number(value: Value) -> float | None:
    if isinstance(value, int):
        return float(value)
    if isinstance(value, bytes) and re.fullmatch(rb"\s*[-+]?\d{1,30}(?:\.\d{1,30})?\s*", value):
        return float(value)
    return None

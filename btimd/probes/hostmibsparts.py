"""What sensors and uninterruptible power supplies tell.

ENTITY-SENSOR-MIB (RFC 3433) with the names of ENTITY-MIB (RFC 6933), LM-SENSORS-MIB (net-snmp), UPS-MIB (RFC 1628).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.probes.hostmibs import UCD, Question, Reading, span
from btimd.probes.limits import Finding, Limits, cannot_say, found, verdict
from btimd.probes.mibvalues import text, whole
from btimd.probes.snmpsession import Oid, Readings, Scalars, Step, Table
from btimd.probes.wire.dialogue import Outcome

_MIB_2: Final[Oid] = (1, 3, 6, 1, 2, 1)
_SENSOR: Final[Oid] = (*_MIB_2, 99, 1, 1, 1)
_ENTITY: Final[Oid] = (*_MIB_2, 47, 1, 1, 1, 1)
_LM: Final[Oid] = (*UCD, 13, 16)
_LM_TABLES: Final = (("celsius", (*_LM, 2, 1), 1000.0), ("rpm", (*_LM, 3, 1), 1.0), ("volts", (*_LM, 4, 1), 1000.0))
_KINDS: Final = {
    3: "volts", 4: "volts", 5: "amperes", 6: "watts", 7: "hertz", 8: "celsius", 9: "percent", 10: "rpm", 11: "cmm",
    12: "truth",
}  # fmt: skip
_UNITS: Final = {
    "volts": "V", "amperes": "A", "watts": "W", "hertz": "Hz", "celsius": "°C", "percent": "%", "rpm": "rpm",
    "cmm": "m³/min", "truth": "",
}  # fmt: skip
SENSOR_KINDS: Final = tuple(_UNITS)
_UNIT_SCALE: Final = 9
_SCALES: Final = range(1, 18)  # yocto .. yotta
_PRECISIONS: Final = range(-8, 10)
_OK, _NOT_OPERATIONAL = 1, 3
_MOST_ROWS: Final = 5_000

_UPS: Final[Oid] = (*_MIB_2, 33, 1)
BATTERY_STATUS: Final[Oid] = (*_UPS, 2, 1, 0)
SECONDS_ON_BATTERY: Final[Oid] = (*_UPS, 2, 2, 0)
MINUTES_LEFT: Final[Oid] = (*_UPS, 2, 3, 0)
CHARGE: Final[Oid] = (*_UPS, 2, 4, 0)
BATTERY_CELSIUS: Final[Oid] = (*_UPS, 2, 7, 0)
OUTPUT_SOURCE: Final[Oid] = (*_UPS, 4, 1, 0)
_OUTPUT: Final[Oid] = (*_UPS, 4, 4, 1)
_ALARM: Final[Oid] = (*_UPS, 6, 2, 1)
_WELL_KNOWN_ALARMS: Final[Oid] = (*_UPS, 6, 3)
_BATTERY: Final = {1: ("unknown", 1), 2: ("normal", 0), 3: ("low", 2), 4: ("empty", 2)}
_SOURCES: Final = {
    1: ("another source", 1), 2: ("none", 2), 3: ("normal", 0), 4: ("bypass", 1), 5: ("battery", 1),
    6: ("booster", 0), 7: ("reducer", 0),
}  # fmt: skip
_ALARMS: Final = {
    1: "battery bad", 2: "on battery", 3: "battery low", 4: "battery empty", 5: "temperature out of tolerance",
    6: "input bad", 7: "output bad", 8: "output overloaded", 9: "on bypass", 10: "bypass bad",
    11: "output off as requested", 12: "off as requested", 13: "charger failed", 14: "output off", 15: "system off",
    16: "fan failed", 17: "fuse failed", 18: "general fault", 19: "diagnostic test failed",
    20: "communication lost", 21: "awaiting power", 22: "shutdown pending", 23: "shutdown imminent",
    24: "test in progress",
}  # fmt: skip
_MILD_ALARMS: Final = frozenset({2, 9, 11, 12, 24})
"""Alarms that say no more than the state does, or what somebody wanted: worth a word."""
_ON_BATTERY: Final = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sensor tells. value: in its unit, None = it does not measure now. failed: it says that it is broken."""

    name: str
    kind: str
    value: float | None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Sensor(Question):
    """Sensors whose name holds a text and that are of a kind ("" = any), against limits in their unit."""

    name: str
    kind: str
    limits: Limits

    @override
    def steps(self) -> tuple[Step, ...]:
        return (Table("entPhySensorTable", _SENSOR, (1, 2, 3, 4, 5), _MOST_ROWS),)

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        if readings.column((*_SENSOR, 1)):
            return (Table("entPhysicalTable names", _ENTITY, (2, 7), _MOST_ROWS),)
        return tuple(Table(f"lmSensors {kind}", entry, (2, 3), _MOST_ROWS) for kind, entry, _ in _LM_TABLES)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        measured = list(sensors_of(now))
        if not measured:
            return cannot_say(f"{about} does not tell of sensors; widen the agent's view")
        wanted = [
            one
            for one in measured
            if self.name.lower() in one.name.lower() and self.kind in {"", one.kind} and one.kind
        ]
        if not wanted:
            names = ", ".join(one.name for one in measured[:6])
            return cannot_say(f"{about} has no sensor {self.name!r} of kind {self.kind or 'any'}; it has {names}")
        findings: list[Finding] = []
        values: dict[str, float] = {}
        for one in wanted:
            if one.failed:
                findings.append(Finding(2, f"{one.name} says that it is broken"))
            elif one.value is not None:
                told = f"{one.name} is {one.value:g} {_UNITS[one.kind]}".rstrip()
                findings.append(found(self.limits, one.value, told))
                values.setdefault(one.kind, one.value)
        if not findings:
            return cannot_say(f"{about}: {wanted[0].name} does not measure now")
        return verdict(findings, values, about=about)


def sensors_of(now: Reading) -> Iterator[Measured]:
    """Yield the sensors of a host; values that cannot be are left out."""
    for row, told in now.column((*_SENSOR, 1)).items():
        kind = _KINDS.get(told if isinstance(told, int) else 0, "")
        name = next(
            (label for column in (7, 2) if (label := text(now.column((*_ENTITY, column)).get(row)))),
            f"sensor {'.'.join(map(str, row))}",
        )
        status = now.column((*_SENSOR, 5)).get(row)
        yield Measured(
            name,
            kind,
            _scaled(now, row) if status in {None, _OK} else None,
            failed=status == _NOT_OPERATIONAL,
        )
    for kind, entry, divisor in _LM_TABLES:
        for row, device in now.column((*entry, 2)).items():
            value = whole(now.column((*entry, 3)).get(row))
            # A Gauge32 holds no frost: what is beyond half of it is below zero.
            signed = None if value is None else value - 2**32 if value >= 2**31 else value
            yield Measured(text(device), kind, None if signed is None else signed / divisor)


def _scaled(now: Reading, row: Oid) -> float | None:
    """Return a value with its scale and its digits behind the point (RFC 3433, EntitySensorDataScale, -Precision)."""
    scale, precision, value = (now.column((*_SENSOR, column)).get(row) for column in (2, 3, 4))
    if not isinstance(value, int):
        return None
    exponent = 0
    if isinstance(scale, int) and scale in _SCALES:
        exponent += 3 * (scale - _UNIT_SCALE)
    if isinstance(precision, int) and precision in _PRECISIONS and precision > 0:
        exponent -= precision
    return float(value * 10**exponent) if exponent >= 0 else value / 10**-exponent


@dataclass(frozen=True, slots=True)
class Ups(Question):
    """A power supply: minutes left, charge and load in percent, battery, source of its output, alarms.

    on_battery_is_bad: whether running on battery is bad by itself.
    """

    minutes: Limits
    charge: Limits
    load: Limits
    celsius: Limits
    on_battery_is_bad: bool = False

    @override
    def steps(self) -> tuple[Step, ...]:
        told = (BATTERY_STATUS, SECONDS_ON_BATTERY, MINUTES_LEFT, CHARGE, BATTERY_CELSIUS, OUTPUT_SOURCE)
        return (
            Scalars("ups", told),
            Table("upsOutputTable", _OUTPUT, (5,), 64),
            Table("upsAlarmTable", _ALARM, (2,), 64),
        )

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        source, battery = now.number(OUTPUT_SOURCE), now.number(BATTERY_STATUS)
        if source is None and battery is None:
            return cannot_say(f"{about} does not tell of a power supply (UPS-MIB); widen the agent's view")
        findings: list[Finding] = []
        values: dict[str, float] = {}
        name, rank = _SOURCES.get(source or 0, ("unknown", 1))
        on_battery = source == _ON_BATTERY
        since = now.number(SECONDS_ON_BATTERY)
        if on_battery:
            rank = 2 if self.on_battery_is_bad else 1
            name += f" for {span(since)}" if since else ""
        findings.append(Finding(rank, f"output from {name}"))
        values["on_battery"] = float(on_battery)
        if battery is not None:
            state, rank = _BATTERY.get(battery, ("unknown", 1))
            findings.append(Finding(rank, f"battery {state}"))
        findings += self._figures(now, values)
        findings += _alarms(now)
        return verdict(findings, values, about=about, most=6)

    def _figures(self, now: Reading, values: dict[str, float]) -> Iterator[Finding]:
        loads = [number for told in now.column((*_OUTPUT, 5)).values() if (number := whole(told)) is not None]
        for name, value, limits, told in (
            ("minutes_left", now.number(MINUTES_LEFT), self.minutes, "{:g} minutes left"),
            ("charge_ratio", now.number(CHARGE), self.charge, "charged to {:g} %"),
            ("load_ratio", max(loads, default=None), self.load, "loaded to {:g} %"),
            ("battery_celsius", now.number(BATTERY_CELSIUS), self.celsius, "battery at {:g} °C"),
        ):
            if value is not None:
                values[name] = value / 100 if name.endswith("ratio") else float(value)
                yield found(limits, float(value), told.format(value))


def _alarms(now: Reading) -> Iterator[Finding]:
    for told in now.column((*_ALARM, 2)).values():
        number = 0
        if isinstance(told, tuple) and told[:-1] == _WELL_KNOWN_ALARMS:
            number = told[-1]
        yield Finding(1 if number in _MILD_ALARMS else 2, f"alarm: {_ALARMS.get(number, 'of the maker')}")

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.probes.hostmibsparts import Sensor, Ups
from btimd.probes.limits import Limits, limits_of
from tests.probes.hostrecords import ENTERPRISES, hostile, judged, sensors, told, ups
from tests.probes.snmpdevices import GAUGE, INTEGER, MIB_2, OCTETS, Record

NONE = Limits()
LM = f"{ENTERPRISES}.2021.13.16"
UPS = Ups(
    limits_of({}, warn="< 20", critical="< 5"),
    limits_of({}, warn="< 80", critical="< 20"),
    limits_of({}, warn="> 80", critical="> 100"),
    limits_of({}, warn="> 35", critical="> 50"),
)


def entity(kind: int, scale: int, precision: int, value: int) -> list[Record]:
    numbers = enumerate((kind, scale, precision, value, 1), 1)
    return [Record(f"{MIB_2}.99.1.1.1.{column}.7", INTEGER, number) for column, number in numbers]


@pytest.mark.parametrize(
    ("records", "detail"),
    [
        (entity(8, 9, 1, 235), "sensor 7 is 23.5 °C"),
        (entity(8, 9, 0, -5), "sensor 7 is -5 °C"),
        (entity(4, 8, 0, 11_980), "sensor 7 is 11.98 V"),
        (entity(6, 10, 2, 125), "sensor 7 is 1250 W"),
        (entity(7, 11, 0, 2), "sensor 7 is 2e+06 Hz"),
        (entity(5, 7, 3, 1_500_000), "sensor 7 is 0.0015 A"),
        (entity(12, 9, 0, 1), "sensor 7 is 1"),
        ([Record(f"{LM}.2.1.2.1", OCTETS, "Core 0"), Record(f"{LM}.2.1.3.1", GAUGE, 41_500)], "Core 0 is 41.5 °C"),
        (
            [Record(f"{LM}.2.1.2.1", OCTETS, "Outside"), Record(f"{LM}.2.1.3.1", GAUGE, 2**32 - 2000)],
            "Outside is -2 °C",
        ),
        ([Record(f"{LM}.3.1.2.1", OCTETS, "fan1"), Record(f"{LM}.3.1.3.1", GAUGE, 900)], "fan1 is 900 rpm"),
        ([Record(f"{LM}.4.1.2.1", OCTETS, "VCore"), Record(f"{LM}.4.1.3.1", GAUGE, 1200)], "VCore is 1.2 V"),
    ],
)
def test_sensors_are_read_with_their_scale_and_unit(records: list[Record], detail: str) -> None:
    assert told(judged(Sensor("", "", NONE), records)) == ("good", f"host: {detail}")


@pytest.mark.parametrize(
    ("question", "health", "detail"),
    [
        (Sensor("inlet", "", limits_of({}, critical="> 30")), "bad", "host: Inlet temperature is 31.5 °C (limit > 30)"),
        (Sensor("", "celsius", NONE), "good", "host: Inlet temperature is 31.5 °C"),
        (Sensor("outlet", "", NONE), "unknown", "host: Outlet temperature does not measure now"),
        (Sensor("fan", "", NONE), "bad", "host: Fan 2 says that it is broken"),
        (
            Sensor("door", "truth", NONE),
            "unknown",
            "host has no sensor 'door' of kind truth; it has Inlet temperature, Fan 1, Fan 2, PSU 1 output, Outlet temperature",
        ),
    ],
)
def test_sensors_are_chosen_by_name_and_unit(question: Sensor, health: str, detail: str) -> None:
    assert told(judged(question, sensors())) == (health, detail)


def changed(**values: int) -> list[Record]:
    numbers = {"battery": "2.1", "minutes": "2.3", "charge": "2.4", "source": "4.1", "load": "4.4.1.5.1"}
    wanted = {
        f"{MIB_2}.33.1.{numbers[name]}" + ("" if name == "load" else ".0"): value for name, value in values.items()
    }
    records = [replace(one, value=wanted.get(one.oid, one.value)) for one in ups()]
    return [one for one in records if not one.oid.startswith(f"{MIB_2}.33.1.6.")]


@pytest.mark.parametrize(
    ("records", "health", "detail"),
    [
        (
            changed(source=3, minutes=60, charge=100),
            "good",
            "output from normal; battery normal; 60 minutes left; charged to 100 %; loaded to 60 %; battery at 25 °C",
        ),
        (changed(source=3, minutes=60, charge=100, load=104), "bad", "loaded to 104 % (limit > 100)"),
        (changed(source=3, minutes=60, charge=100, battery=3), "bad", "battery low"),
        (changed(minutes=60, charge=95), "good", "warning: output from battery for 5 min"),
        (changed(source=2, minutes=60, charge=100), "bad", "output from none"),
        (ups(), "bad", "4 minutes left (limit < 5)"),
        ([], "unknown", None),
    ],
)
def test_a_power_supply_tells_how_long_it_lasts(records: list[Record], health: str, detail: str | None) -> None:
    expected = (
        "host does not tell of a power supply (UPS-MIB); widen the agent's view"
        if detail is None
        else f"host: {detail}"
    )
    assert told(judged(UPS, records)) == (health, expected)


def test_running_on_battery_may_be_bad_by_itself_and_alarms_are_told() -> None:
    assert told(judged(replace(UPS, on_battery_is_bad=True), changed(minutes=60, charge=95)))[0] == "bad"
    overload = Record(f"{MIB_2}.33.1.6.2.1.2.1", "6", f"{MIB_2}.33.1.6.3.8")
    records = sorted([*changed(source=3, minutes=60, charge=100), overload], key=lambda one: one.numbers)
    assert told(judged(UPS, records)) == ("bad", "host: alarm: output overloaded")


@settings(max_examples=15)
@given(st.data())
def test_whatever_an_agent_says_is_judged(data: st.DataObject) -> None:
    for question in (UPS, Sensor("", "", limits_of({}, critical="> 1"))):
        question.judge(data.draw(hostile(question)), None, "host")

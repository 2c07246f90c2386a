from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.probes.hostmibsload import Cpu, Memory
from btimd.probes.limits import Limits, limits_of
from tests.probes.hostrecords import (
    ENTERPRISES,
    aix,
    cisco_router,
    hostile,
    hp_ux,
    judged,
    ordered,
    processors,
    told,
    windows,
)
from tests.probes.snmpdevices import COUNTER, GAUGE, INTEGER, Record, system

CPU = Cpu(limits_of({}, warn="> 90", critical="> 98"), limits_of({}, warn="> 4"))
MEMORY = Memory(limits_of({}, warn="> 90", critical="> 97"), limits_of({}, critical="> 95"))
UCD = f"{ENTERPRISES}.2021"


def linux(*more: Record, object_id: str = f"{ENTERPRISES}.8072.3.2.10") -> list[Record]:
    return ordered(system("linux", "Linux", object_id), list(more))


def ticks(user: int, system_: int, idle: int) -> list[Record]:
    numbers = ((50, user), (51, 0), (52, system_), (53, idle), (56, 0))
    return linux(*(Record(f"{UCD}.11.{number}.0", COUNTER, value) for number, value in numbers))


def later(records: list[Record], seconds: int) -> list[Record]:
    return [
        replace(one, value=(one.value + one.rate * seconds) % 2**32) if isinstance(one.value, int) else one
        for one in records
    ]


@pytest.mark.parametrize(
    ("records", "health", "detail"),
    [
        (linux(*processors(10, 20)), "good", "processors are 15 % busy"),
        (linux(*processors(99, 100)), "bad", "processors are 100 % busy (limit > 98)"),
        (linux(Record(f"{UCD}.11.11.0", INTEGER, 30)), "good", "processors are 70 % busy"),
        (
            linux(*processors(10, 20), Record(f"{UCD}.10.1.5.1", INTEGER, 1000)),
            "good",
            "warning: load is 5.00 per processor (limit > 4)",
        ),
        (aix(), "good", "processors are 12 % busy"),
        (cisco_router(0), "good", "processors are 61 % busy"),
        (linux(Record(f"{ENTERPRISES}.9.2.1.57.0", INTEGER, 44), object_id=f"{ENTERPRISES}.9.1.1"), "good", "processors are 44 % busy"),
    ],
)  # fmt: skip
def test_processors_are_read_from_what_the_agent_has(records: list[Record], health: str, detail: str) -> None:
    assert told(judged(CPU, records)) == (health, f"host: {detail}")


def test_ticks_are_read_twice_also_over_their_end() -> None:
    assert told(judged(CPU, hp_ux(), later(hp_ux(), 10))) == ("good", "host: processors are 75 % busy")
    assert told(judged(CPU, ticks(2**32 - 50, 0, 100), ticks(100, 50, 200))) == (
        "good",
        "host: processors are 67 % busy",
    )
    assert told(judged(CPU, hp_ux())) == (
        "unknown",
        "host: its processor ticks were read once only; two readings are needed",
    )
    assert told(judged(CPU, ticks(0, 0, 0), ticks(100, 50, 200))) == (
        "unknown",
        "host does not tell how busy its processors are; widen the agent's view",
    )


@pytest.mark.parametrize(
    ("records", "health", "detail"),
    [
        (
            linux(
                *(
                    Record(f"{UCD}.4.{number}.0", INTEGER, value)
                    for number, value in ((3, 1000), (4, 900), (5, 8000), (6, 100), (14, 100), (15, 1800))
                )
            ),
            "good",
            "memory is 75 % used of 7.8 MiB; swap is 10 % used of 1000.0 KiB",
        ),
        (
            linux(*(Record(f"{UCD}.4.{number}.0", INTEGER, value) for number, value in ((5, 8000), (6, 9), (27, 80)))),
            "bad",
            "memory is 99 % used of 7.8 MiB (limit > 97)",
        ),
        (windows(), "good", "Physical Memory is 50 % used of 16.0 GiB; Virtual Memory is 25 % used of 32.0 GiB"),
        (aix(), "bad", "paging space hd6 is 97 % used of 8.0 GiB (limit > 95)"),
        (hp_ux(), "good", "memory is 50 % used of 8.0 GiB; swap is 25 % used of 4.0 GiB"),
        (cisco_router(0), "good", "memory pool Processor is 75 % used of 381.5 MiB"),
    ],
)
def test_memory_is_read_from_what_the_agent_has(records: list[Record], health: str, detail: str) -> None:
    assert told(judged(MEMORY, records)) == (health, f"host: {detail}")


def test_an_agent_that_tells_nothing_is_no_evidence() -> None:
    assert told(judged(MEMORY, linux())) == ("unknown", "host does not tell of its memory; widen the agent's view")
    assert told(judged(CPU, linux(Record(f"{UCD}.4.3.0", GAUGE, 1))))[0] == "unknown"


@settings(max_examples=15)
@given(st.data())
def test_whatever_an_agent_says_is_judged(data: st.DataObject) -> None:
    for question in (CPU, MEMORY, Cpu(Limits(), Limits())):
        question.judge(data.draw(hostile(question)), data.draw(st.none() | hostile(question)), "host")

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.hostmibs import OneObject, Uptime, family_of, octets, seconds_of, span, unsigned
from btimd.probes.limits import Limits, limit_of
from btimd.probes.snmpsession import Readings
from btimd.probes.wire.dialogue import Outcome
from tests.probes.hostrecords import HOST, hostile, judged, told
from tests.probes.snmpdevices import INTEGER, MIB_2, OCTETS, TICKS, Record

ENGINE = "1.3.6.1.6.3.10.2.1.3.0"
WRAP = 2**32


def uptimes(*, host: int | None = None, agent: int | None = None, engine: int | None = None) -> list[Record]:
    given = ((f"{MIB_2}.1.3.0", TICKS, agent), (f"{HOST}.1.1.0", TICKS, host), (ENGINE, INTEGER, engine))
    return [Record(oid, tag, value) for oid, tag, value in given if value is not None]


@pytest.mark.parametrize(
    ("records", "question", "health", "detail"),
    [
        (uptimes(host=30_000, agent=900), Uptime(600.0), "bad", "host: the host restarted 5 min ago (limit 10 min)"),
        (uptimes(host=90_000_00, agent=900), Uptime(600.0), "good", "host: the host is up for 25 h"),
        (uptimes(host=90_000_00, agent=900), Uptime(600.0, of_agent=True), "bad", "host: the agent restarted 9 s ago (limit 10 min)"),
        (uptimes(agent=900), Uptime(600.0), "bad", "host: the agent restarted 9 s ago (limit 10 min)"),
        # after 497 days of ticks both begin anew; the engine's seconds do not
        (uptimes(host=1000, agent=900, engine=42_949_682), Uptime(600.0), "good", "host: the host is up for 497 d"),
        (uptimes(host=1000, agent=WRAP - 60_000, engine=42_949_073), Uptime(600.0), "good", "host: the host is up for 497 d"),
        # an agent cannot be older than its host by much: no wrap, a host that restarted and an engine time that did not
        (uptimes(host=1000, agent=900, engine=9), Uptime(600.0), "bad", "host: the host restarted 10 s ago (limit 10 min)"),
        ([], Uptime(600.0), "unknown", "host does not tell its uptime"),
    ],
)  # fmt: skip
def test_a_restart_is_told_from_the_end_of_the_counter(
    records: list[Record], question: Uptime, health: str, detail: str
) -> None:
    assert told(judged(question, records)) == (health, detail)


OID = (1, 3, 6, 1, 4, 1, 99999, 1, 0)


@pytest.mark.parametrize(
    ("tag", "value", "question", "health", "detail"),
    [
        (INTEGER, 7, OneObject(OID, Limits()), "good", "is 7"),
        (INTEGER, 7, OneObject(OID, Limits(critical=limit_of("> 5"))), "bad", "is 7 (limit > 5)"),
        (INTEGER, 70, OneObject(OID, Limits(critical=limit_of("> 5")), scale=0.01), "good", "is 0.7"),
        (OCTETS, " 7.5 ", OneObject(OID, Limits(warn=limit_of("> 5"))), "good", "warning: 1.3.6.1.4.1.99999.1.0 is 7.5 (limit > 5)"),
        (OCTETS, "up", OneObject(OID, Limits(), "up"), "good", "is up"),
        (OCTETS, "down", OneObject(OID, Limits(), "up"), "bad", "is 'down', expected 'up'"),
        (OCTETS, "many", OneObject(OID, Limits(warn=limit_of("> 5"))), "unknown", "is 'many', which is no number"),
    ],
)  # fmt: skip
def test_one_object_is_held_against_what_it_should_be(
    tag: str, value: int | str, question: OneObject, health: str, detail: str
) -> None:
    outcome = judged(question, [Record(".".join(map(str, OID)), tag, value)])
    assert (str(outcome.health), outcome.detail.endswith(detail)) == (health, True), outcome.detail


def test_an_object_that_is_not_there_is_bad() -> None:
    assert judged(OneObject(OID, Limits()), []) == Outcome(
        Health.BAD, ErrorClass.WRONG_ANSWER, "host has no object 1.3.6.1.4.1.99999.1.0"
    )


def test_only_the_agent_itself_is_bad_where_it_is_silent() -> None:
    assert (OneObject(OID, Limits()).silence_is_bad, Uptime(1.0).silence_is_bad) == (True, False)


@pytest.mark.parametrize(
    ("object_id", "family"),
    [
        ((1, 3, 6, 1, 4, 1, 311, 1, 1, 3, 1, 2), "windows"),
        ((1, 3, 6, 1, 4, 1, 2, 3, 1, 2, 1, 1, 3), "aix"),
        ((1, 3, 6, 1, 4, 1, 11, 2, 3, 2, 3), "hp-ux"),
        ((1, 3, 6, 1, 4, 1, 11, 2, 14, 11), ""),
        ((1, 3, 6, 1, 4, 1, 8072, 3, 2, 10), "net-snmp"),
        ((1, 3, 6, 1, 4, 1, 42, 2, 1, 1), "solaris"),
        (b"x", ""),
    ],
)
def test_agents_are_told_apart_by_their_object_id(object_id: object, family: str) -> None:
    assert family_of(Readings(scalars={(1, 3, 6, 1, 2, 1, 1, 2, 0): object_id})) == family  # type: ignore[dict-item]


def test_quantities_are_written_for_people() -> None:
    assert [span(5), span(150), span(8000), span(900_000)] == ["5 s", "2 min", "2 h", "10 d"]
    assert [octets(5), octets(2048), octets(3 * 2**30)] == ["5 octets", "2.0 KiB", "3.0 GiB"]
    assert [unsigned(5), unsigned(-1), unsigned(b"x")] == [5, 2**32 - 1, None]
    assert [seconds_of("10m"), seconds_of("1.5 h"), seconds_of("250ms")] == [600.0, 5400.0, 0.25]
    with pytest.raises(ValueError, match="'soon' is no duration"):
        seconds_of("soon")


@settings(max_examples=15)
@given(st.data())
def test_whatever_an_agent_says_is_judged(data: st.DataObject) -> None:
    for question in (Uptime(600.0), OneObject(OID, Limits(critical=limit_of("5")))):
        question.judge(data.draw(hostile(question)), data.draw(hostile(question)), "host")

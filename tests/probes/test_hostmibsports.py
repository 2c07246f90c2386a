import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.probes import mibs
from btimd.probes.hostmibs import Reading
from btimd.probes.hostmibsports import Interface, is_index
from btimd.probes.limits import Limits, limits_of
from btimd.probes.snmpsession import Readings
from tests.probes.hostrecords import cisco_router, hostile, judged, told

NONE = Limits()


def port(name: str = "Gi0/1", index: int = 0, **limits: Limits) -> Interface:
    given = {"use": NONE, "errors": NONE, "discards": NONE, **limits}
    return Interface(name, index, given["use"], given["errors"], given["discards"])


@pytest.mark.parametrize(
    ("question", "health", "detail"),
    [
        (port("gigabitethernet0/1"), "good", "GigabitEthernet0/1 is up"),
        (port("uplink"), "good", "uplink is up"),
        (port("", 2), "bad", "GigabitEthernet0/2 is down"),
        (port("Gi0/3"), "bad", "Gi0/3 was switched off by its administrator"),
        (port("Gi9"), "bad", "has no interface Gi9; it tells of Gi0/1, Gi0/2, Gi0/3"),
        (port("", 77), "unknown", None),
    ],
)
def test_an_interface_is_found_by_any_of_its_names(question: Interface, health: str, detail: str | None) -> None:
    outcome = judged(question, cisco_router(0))
    expected = "host does not tell how the interface with index 77 is" if detail is None else f"host: {detail}"
    assert (str(outcome.health), outcome.detail.lower()) == (health, expected.lower())


def reading(at: float, uptime: int, octets: int, errors: int = 0, *, wide: bool = True) -> Reading:
    columns = {
        mibs.IF_OPER: 1, mibs.IF_ADMIN: 1, mibs.IF_SPEED: 100_000_000, mibs.IF_IN_ERRORS: errors, mibs.IF_OUT_ERRORS: 0,
        (mibs.IF_HC_IN_OCTETS if wide else mibs.IF_IN_OCTETS): octets,
    }  # fmt: skip
    scalars = {(*column, 1): value for column, value in columns.items()} | {mibs.SYS_UPTIME: uptime}
    return Reading(at, Readings(scalars=dict(scalars)))


@pytest.mark.parametrize(
    ("now", "before", "detail"),
    [
        (reading(20.0, 2000, 100_000_000), reading(10.0, 1000, 0), "p is used to 80 % (limit > 50)"),
        (
            reading(20.0, 2000, 50_000_000, wide=False),
            reading(10.0, 1000, 2**32 - 50_000_000, wide=False),
            "p is used to 80 % (limit > 50)",
        ),
        (reading(20.0, 2000, 0, 50), reading(10.0, 1000, 0, 2**32 - 50), "p has 10 errors a second (limit > 1)"),
        # the agent began anew, or the counter did
        (reading(20.0, 100, 100_000_000, 99), reading(10.0, 1000, 0), "p is up"),
        (reading(20.0, 2000, 0), reading(10.0, 1000, 2**40), "p is up; p has 0 errors a second"),
    ],
)
def test_counters_are_compared_over_their_end(now: Reading, before: Reading, detail: str) -> None:
    question = Interface("p", 1, limits_of({}, critical="> 50"), limits_of({}, critical="> 1"), NONE)
    assert told(question.judge(now, before, "host"))[1] == f"host: {detail}"


def test_an_index_is_a_number() -> None:
    assert (is_index("17"), is_index("Gi17"), is_index(""), is_index("²")) == (True, False, False, False)


@settings(max_examples=15)
@given(st.data())
def test_whatever_an_agent_says_is_judged(data: st.DataObject) -> None:
    for question in (port(), port("", 1)):
        question.judge(data.draw(hostile(question)), data.draw(st.none() | hostile(question)), "host")

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.snmpsession import Oid, Value
from btimd.probes.traprules import TRAP_ADDRESS, TRAP_OID, meaning

LINK_DOWN: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3)
IF_DESCR: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 7)
IF_ADMIN: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 7, 7)


def trap(oid: Oid, *more: tuple[Oid, Value]) -> list[tuple[Oid, Value]]:
    return [(TRAP_OID, oid), *more]


def test_an_interface_that_goes_down_is_bad_and_one_that_is_switched_off_is_a_change() -> None:
    down = meaning(trap(LINK_DOWN, (IF_DESCR, b"Gi0/1"), (IF_ADMIN, 1)), "10.0.0.1", 5.0)
    off = meaning(trap(LINK_DOWN, (IF_DESCR, b"Gi0/1"), (IF_ADMIN, 2)), "10.0.0.1", 5.0)
    up = meaning(trap((*LINK_DOWN[:-1], 4), (IF_DESCR, b"Gi0/1")), "10.0.0.1", 5.0)
    assert down is not None
    assert off is not None
    assert up is not None
    assert (down.health, down.error, down.text, down.interface) == (
        Health.BAD,
        ErrorClass.UNREACHABLE,
        "linkDown of interface Gi0/1",
        "Gi0/1",
    )
    assert (off.health, off.text) == (None, "interface Gi0/1 was switched off")
    assert (up.health, up.subject) == (Health.UNKNOWN, down.subject)


@pytest.mark.parametrize(
    ("oid", "rule", "health"),
    [
        ((1, 3, 6, 1, 6, 3, 1, 1, 5, 1), "coldStart", None),
        ((1, 3, 6, 1, 2, 1, 33, 2, 1), "upsTrapOnBattery", Health.BAD),
        ((1, 3, 6, 1, 4, 1, 318, 0, 5), "upsOnBattery", Health.BAD),
        ((1, 3, 6, 1, 4, 1, 9, 9, 43, 2, 0, 1), "ciscoConfigManEvent", None),
    ],
)
def test_notifications_of_standards_and_vendors_are_known(oid: Oid, rule: str, health: Health | None) -> None:
    found = meaning(trap(oid), "10.0.0.1", 5.0)
    assert found is not None
    assert (found.rule, found.health) == (rule, health)


def test_what_is_unknown_or_no_notification_means_nothing() -> None:
    assert meaning(trap((1, 3, 6, 1, 4, 1, 99999, 1)), "10.0.0.1", 5.0) is None
    assert meaning([], "10.0.0.1", 5.0) is None
    assert meaning([(TRAP_OID, b"x")], "10.0.0.1", 5.0) is None


def test_who_sent_it_first_is_asked_first_and_values_are_shown_as_text() -> None:
    found = meaning(
        trap((1, 3, 6, 1, 6, 3, 1, 1, 5, 1), (TRAP_ADDRESS, bytes((10, 0, 0, 9))), ((1, 3), b"a\x00b")), "10.0.0.1", 5.0
    )
    assert found is not None
    assert found.hosts == ("10.0.0.9", "10.0.0.1")
    assert "a.b" in found.text

"""Sentences about devices."""

from dataclasses import replace

import pytest

from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, NeighbourFacts
from btimd.probes.snmpsession import NoAnswer, Rejected, Rejection
from btimd.probes.snmptargets import Community, Target, User
from btimd.probes.snmpwording import changes, failure_text, nothing_told, restarted

V2 = Target("core", "10.0.0.1", Community(b"s3cret"))
V3 = Target("", "2001:db8::1", User("btimd", "sha256", b"authpass123", "aes128", b"privpass123"))


def test_silence_is_told_by_version() -> None:
    assert failure_text(V2, NoAnswer(), requests=3, answers=0) == (
        "core (10.0.0.1:161) asked with SNMPv2c: no answer to 3 requests; it is down or not reachable, or it does not know "
        "the community or this address (SNMPv2c does not tell them apart); check with ping, then its community and access "
        "list"
    )
    assert failure_text(V3, NoAnswer(), requests=3, answers=0) == (
        "[2001:db8::1]:161 asked with SNMPv3 as btimd, authPriv: no answer to 3 requests; check that it is up, that SNMPv3 "
        "is on, and firewalls between"
    )
    assert failure_text(V3, NoAnswer(), requests=4, answers=1) == (
        "[2001:db8::1]:161 asked with SNMPv3 as btimd, authPriv: tells its engine id, but does not answer; check "
        "priv_protocol and priv_key_file"
    )


@pytest.mark.parametrize("why", Rejection)
def test_every_refusal_has_its_own_sentence_without_secrets(why: Rejection) -> None:
    texts = {failure_text(V3, Rejected(one, "detail"), requests=1, answers=1) for one in Rejection}
    text = failure_text(V3, Rejected(why, "detail"), requests=1, answers=1)

    assert len(texts) == len(Rejection)
    assert text.startswith("[2001:db8::1]:161 asked with SNMPv3 as btimd, authPriv: ")
    assert "pass123" not in text + repr(V3) + str(V3)
    assert "s3cret" not in nothing_told(V2) + repr(V2) + str(V2)


def interface(index: int, **more: object) -> InterfaceFacts:
    return InterfaceFacts(index, f"Gi0/{index}", **{"speed": 10**9, **more})  # type: ignore[arg-type]


BEFORE = DeviceFacts(
    "core",
    "10.0.0.1",
    at=1_000_000,
    sys_name="core-1",
    sys_description="V1",
    serial="S1",
    uptime_seconds=5000.0,
    interfaces=(interface(1), interface(2), interface(3)),
    neighbours=(NeighbourFacts(FactSource.LLDP, 1, "02", "edge", "Te1"),),
)


def test_nothing_changed() -> None:
    after = replace(BEFORE, at=1_060_000, uptime_seconds=5060.0)

    assert changes(BEFORE, after) == ()
    assert changes(BEFORE, replace(after, error="no answer", interfaces=())) == ()


def test_what_changed_is_told() -> None:
    after = replace(
        BEFORE,
        at=1_060_000,
        uptime_seconds=20.0,
        sys_description="V2",
        serial="S2",
        interfaces=(interface(1, oper_up=False), interface(2, speed=10**8, admin_up=False), interface(4)),
        neighbours=(NeighbourFacts(FactSource.LLDP, 2, "03", "other"),),
    )

    assert changes(BEFORE, after) == (
        "restarted 20 s ago",
        "serial number was 'S1', is 'S2'",
        "software was 'V1', is 'V2'",
        "interface Gi0/1 went down",
        "interface Gi0/2 was switched off",
        "interface Gi0/2 ran at 1000 Mbit/s, runs at 100 Mbit/s",
        "interface Gi0/3 is gone",
        "interface Gi0/4 is new",
        "neighbour edge is gone from interface Gi0/1",
        "neighbour other is new on interface Gi0/2",
    )


def test_tables_that_were_not_read_whole_are_not_compared() -> None:
    after = replace(
        BEFORE,
        uptime_seconds=5000.0,
        interfaces=(interface(1, oper_up=False),),
        neighbours=(),
        partial=("ifTable: no answer", "ifTable counters: no answer", "lldpRemTable: no answer"),
    )

    assert changes(BEFORE, after) == ()


def test_many_changes_are_counted() -> None:
    after = replace(BEFORE, interfaces=(*BEFORE.interfaces, *(interface(index) for index in range(10, 60))))

    assert len(changes(BEFORE, after)) == 21
    assert changes(BEFORE, after)[-1] == "and 30 more changes"


def test_the_end_of_the_uptime_counter_is_no_restart() -> None:
    old = replace(BEFORE, uptime_seconds=2**32 / 100 - 10)

    assert not restarted(old, replace(old, at=old.at + 60_000, uptime_seconds=50.0))
    assert restarted(old, replace(old, at=old.at + 600_000, uptime_seconds=50.0))
    assert not restarted(old, replace(old, uptime_seconds=None))

from typing import Any

import pytest

from btimd.flows.pulse import Pulse
from btimd.flows.quality import attributed_connections
from btimd.flows.trafficsigns import TrafficJudge, wilson_low
from btimd.model.flowbatch import FlowBatch
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Closure
from btimd.model.sign import Sign, SignSource
from tests.flows.connections import Told, counted, quality_batch, took
from tests.flows.records_of_visits import ACK, PSH, RST, SYN, records
from tests.flows.traffic import ERP, SHARED, T0, attribution

PLAN = attribution()
GOOD = SYN | ACK | PSH


def served(
    count: int, *, at: int, network: str = "10.1.0", server: str = ERP, octets: int = 5000, lasted: int = 50
) -> list[FlowBatch]:
    return [
        records(f"{network}.{one}", server, client=GOOD, server=GOOD, at=at, octets=octets, lasted=lasted)
        for one in range(1, count + 1)
    ]


def refused(count: int, *, at: int, network: str = "10.1.0", server: str = ERP) -> list[FlowBatch]:
    return [records(f"{network}.{one}", server, client=SYN, server=RST | ACK, at=at) for one in range(1, count + 1)]


def lost(count: int, *, at: int, network: str = "10.1.0", server: str = ERP) -> list[FlowBatch]:
    return [records(f"{network}.{one}", server, client=SYN, server=None, at=at) for one in range(1, count + 1)]


class Listening:
    def __init__(self, names: dict[str, str] | None = None) -> None:
        self.pulse = Pulse(1)
        self.judge = TrafficJudge(self.pulse, names)

    def look(self, *batches: FlowBatch, at: int) -> dict[str, Sign]:
        for batch in batches:
            exported = {**batch.columns, "exporter_id": batch["exporter_id"] + 1}
            self.pulse.add_records(PLAN.attribute(FlowBatch(exported)), PLAN.names, T0 + at)
        return {sign.id: sign for sign in self.judge.look(T0 + at)}

    def usual(self, until: int = 20_000, **how: Any) -> None:
        """Serve both regions of both servers for some time."""
        for at in range(0, until, 1000):
            parts = [
                *served(4, at=at, **how),
                *served(4, at=at, network="10.2.0", **how),
                *served(4, at=at, server=SHARED, **how),
                *served(4, at=at, server=SHARED, network="10.2.0", **how),
            ]
            self.look(*parts, at=at + 200)


@pytest.fixture
def listening() -> Listening:
    found = Listening({"erp": "ERP"})
    found.usual()
    return found


@pytest.mark.parametrize(
    ("successes", "tries", "expected"), [(0, 0, 0.0), (4, 4, 0.597), (5, 5, 0.649), (50, 100, 0.419), (0, 9, 0.0)]
)
def test_the_bound_of_a_share_needs_tries(successes: int, tries: int, expected: float) -> None:
    assert wilson_low(successes, tries) == pytest.approx(expected, abs=0.001)


def test_users_who_are_served_are_a_good_sign_from_the_beginning_of_the_shortest_span_that_suffices(
    listening: Listening,
) -> None:
    found = listening.look(*served(12, at=21_000), at=21_300)
    assert found["flows:erp@east"] == Sign(
        id="flows:erp@east",
        node="erp",
        health=Health.GOOD,
        error=ErrorClass.NONE,
        text="12 users of ERP in east still get answers (12 of 12 connections)",
        source=SignSource.FLOWS,
        at=(T0 + 21_000) / 1000,
        scope=Closure.FULL,
        region="east",
        lasts_seconds=30.0,
    )


def test_silence_is_no_sign_and_too_few_answers_are_none_either(listening: Listening) -> None:
    assert listening.look(at=22_000) == {}
    assert "flows:erp@east" not in Listening().look(*served(12, at=0), at=200), "nobody knows yet what is usual"


def test_refused_connections_are_a_bad_sign_about_business_and_users(listening: Listening) -> None:
    found = listening.look(*refused(6, at=40_000), at=40_200)
    sign = found["flows:erp@east"]
    assert (sign.health, sign.error, sign.at, sign.region) == (
        Health.BAD,
        ErrorClass.REFUSED,
        (T0 + 40_000) / 1000,
        "east",
    )
    assert sign.text == "users of ERP in east: 6 of 6 connections refused"


def test_a_business_whose_one_server_refuses_is_not_served_by_its_other_one(listening: Listening) -> None:
    found = listening.look(*served(50, at=40_000, server=SHARED), *refused(4, at=40_000), at=40_200)
    assert found["flows:erp@east"].health is Health.BAD
    assert found["flows:hr@east"].health is Health.GOOD


def test_answers_far_shorter_than_usual_are_not_called_served(listening: Listening) -> None:
    found = listening.look(*served(30, at=40_000, octets=700), at=40_200)
    assert "flows:erp@east" not in found


def test_connections_that_take_far_longer_than_usual_are_slow(listening: Listening) -> None:
    found = listening.look(*served(30, at=40_000, lasted=900), at=41_000)
    sign = found["flows:erp@east"]
    assert (sign.health, sign.error, sign.text) == (
        Health.BAD,
        ErrorClass.SLOW,
        "users of ERP in east: answers take far longer than usual (server, 30 connections)",
    )


def test_what_is_slow_does_not_become_usual_while_it_lasts(listening: Listening) -> None:
    for at in range(40_000, 70_000, 1000):
        found = listening.look(*served(10, at=at, lasted=900), at=at + 900)
        assert found["flows:erp@east"].error is ErrorClass.SLOW


def test_a_region_that_loses_several_services_points_at_its_network_when_others_are_served(
    listening: Listening,
) -> None:
    found = listening.look(
        *lost(6, at=40_000), *lost(6, at=40_000, server=SHARED), *served(6, at=40_000, network="10.2.0"),
        *served(6, at=40_000, network="10.2.0", server=SHARED), at=41_000,
    )  # fmt: skip
    sign = found["flows:region:east"]
    assert (sign.node, sign.health, sign.error, sign.scope, sign.weight) == (
        "east",
        Health.BAD,
        ErrorClass.TIMEOUT,
        Closure.LOCAL,
        0.6,
    )
    assert sign.text == "users in east of 2 services: 6 of 6 connections not answered; other regions are served"
    assert found["flows:region:west"].health is Health.GOOD


def quality(listening: Listening, *told: Told, at: int) -> dict[str, Sign]:
    batch = quality_batch(*told)
    listening.pulse.add_quality(
        batch,
        attributed_connections(PLAN, batch.addresses, batch.ports, batch.protocol),
        attributed_connections(PLAN, batch.sample_addresses, batch.sample_ports, batch.sample_protocol),
        PLAN.names,
        T0 + at,
    )
    return {sign.id: sign for sign in listening.judge.look(T0 + at)}


def test_on_mirrored_packets_requests_that_nobody_answers_are_a_bad_sign_though_connections_stand() -> None:
    listening = Listening()
    for at in range(0, 10_000, 500):
        told = [
            took("server_leg", 0.001, at=at),
            counted(at=at, requests=2),
            took("response", 0.02, at=at),
            took("response", 0.02, at=at),
        ]
        quality(listening, *told, at=at)
    found: dict[str, Sign] = {}
    for at in range(21_000, 31_000, 500):
        found |= quality(listening, took("server_leg", 0.001, at=at), counted(at=at, requests=2), at=at)
    sign = found["flows:erp@east"]
    assert (sign.health, sign.error) == (Health.BAD, ErrorClass.NO_ANSWER)
    assert "requests without an answer" in sign.text


def test_on_mirrored_packets_the_slow_leg_is_named() -> None:
    listening = Listening()
    for at in range(0, 20_000, 500):
        quality(
            listening,
            *(took("client_leg", 0.04, at=at) for _ in range(3)),
            *(took("response", 0.02, at=at) for _ in range(3)),
            at=at,
        )
    found = quality(
        listening,
        *(took("client_leg", 0.4, at=30_000) for _ in range(6)),
        *(took("response", 0.02, at=30_000) for _ in range(6)),
        at=30_000,
    )
    assert (
        found["flows:erp@east"].text
        == "users of erp in east: round trips take far longer than usual (client network, 6 connections)"
    )

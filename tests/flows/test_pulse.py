from typing import Any

import numpy as np

from btimd.flows.pulse import ANSWERS, CONNECTED, OCTETS_COUNT, REFUSED, TURN_COUNT, UNANSWERED, Pulse, PulseLimits
from btimd.flows.quality import attributed_connections
from btimd.model.flowbatch import FlowBatch
from tests.flows.connections import counted, quality_batch, took
from tests.flows.records_of_visits import ACK, PSH, RST, SYN, records
from tests.flows.traffic import T0, attribution

NAMES = attribution()


def pulse_of(*batches: FlowBatch, points: int = 0, limits: PulseLimits | None = None, now: int = T0) -> Pulse:
    pulse = Pulse(points, limits)
    for batch in batches:
        pulse.add_records(NAMES.attribute(batch), NAMES.names, now)
    return pulse


def test_a_record_counts_when_its_connection_began_and_by_what_its_direction_tells() -> None:
    pulse = pulse_of(
        records("10.1.0.1", client=SYN | ACK | PSH, server=SYN | ACK | PSH, at=-1000),
        records("10.1.0.2", client=SYN, server=RST | ACK, at=-600),
        records("10.1.0.3", client=SYN, server=None, at=-100),
    )
    (key,) = pulse.cells()
    beat = pulse.beat(key, 8)
    assert beat is not None
    assert (beat.began, beat.ended, beat.packets, pulse.regions[beat.region]) == (T0 - 1000, T0, False, "east")
    told = {name: beat.sums[name] for name in (CONNECTED, ANSWERS, REFUSED, UNANSWERED, TURN_COUNT, OCTETS_COUNT)}
    assert told == {CONNECTED: 1, ANSWERS: 1, REFUSED: 1, UNANSWERED: 2, TURN_COUNT: 1, OCTETS_COUNT: 1}
    assert pulse.users([key], T0 - 1000) == (1, False)
    assert pulse.users([key], T0) == (0, False)


def test_a_sampled_record_of_a_lonely_syn_does_not_say_that_nobody_answered() -> None:
    pulse = pulse_of(records("10.1.0.1", client=SYN, server=None, rate=100))
    assert pulse.cells() == ()


def test_a_later_part_of_a_long_connection_is_no_answer_to_something_that_began_now() -> None:
    assert pulse_of(records("10.1.0.1", client=ACK | PSH, server=ACK | PSH)).cells() == ()


def test_what_packets_tell_is_booked_when_the_question_was_put() -> None:
    quality = quality_batch(
        took("server_leg", 0.4, at=-100), took("response", 1.0, at=-100), counted(at=-100, connections_refused=3)
    )
    pulse = Pulse(1)
    pulse.add_quality(
        quality,
        attributed_connections(NAMES, quality.addresses, quality.ports, quality.protocol),
        attributed_connections(NAMES, quality.sample_addresses, quality.sample_ports, quality.sample_protocol),
        NAMES.names,
        T0,
    )
    (key,) = pulse.cells()
    newest, all_of_it = pulse.beat(key, 1), pulse.beat(key, 8)
    assert newest is not None
    assert all_of_it is not None
    assert (newest.began, newest.sums[REFUSED], newest.sums[CONNECTED]) == (T0 - 250, 3, 0)
    assert (all_of_it.began, all_of_it.sums[CONNECTED], all_of_it.sums[ANSWERS]) == (T0 - 1250, 1, 1)
    assert all_of_it.packets


def test_records_made_of_own_captures_are_told_by_their_packets_alone() -> None:
    assert pulse_of(records("10.1.0.1", client=SYN | ACK | PSH, server=SYN | ACK | PSH), points=1).cells() == ()


def test_figures_too_old_or_in_the_future_are_counted_and_bins_expire() -> None:
    whole: dict[str, Any] = {"client": SYN | ACK | PSH, "server": SYN | ACK | PSH}
    pulse = pulse_of(records("10.1.0.1", at=-70_000, **whole), records("10.1.0.1", at=70_000, **whole))
    assert (pulse.cells(), pulse.stale) == ((), 2)
    pulse = pulse_of(records("10.1.0.1", **whole))
    pulse.expire(T0 + 59_000)
    assert len(pulse.cells()) == 1
    pulse.expire(T0 + 61_000)
    assert (pulse.cells(), pulse.changed) == ((), set())


def test_cells_and_clients_are_bounded_and_what_found_no_room_is_counted() -> None:
    whole: dict[str, Any] = {"client": SYN | ACK | PSH, "server": SYN | ACK | PSH}
    pulse = pulse_of(
        *(records(f"10.1.0.{one}", **whole) for one in range(1, 5)),
        records("10.2.0.1", **whole),
        limits=PulseLimits(max_cells=1, max_clients_of_bin=3),
    )
    (key,) = pulse.cells()
    assert pulse.overflowed == 1
    assert pulse.users([key], T0) == (3, True)


def test_other_ids_begin_anew() -> None:
    pulse = pulse_of(records("10.1.0.1", client=SYN | ACK | PSH, server=SYN | ACK | PSH))
    pulse.know(attribution(generation=2).names)
    assert pulse.cells() == ()


def test_unattributed_traffic_is_nobodys() -> None:
    pulse = pulse_of(records("10.1.0.1", "198.51.100.1", client=SYN | ACK | PSH, server=SYN | ACK | PSH))
    assert pulse.cells() == ()
    assert not pulse.changed
    assert np.array_equal(pulse_of().cells(), ())

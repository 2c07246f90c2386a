"""How connections begin and end: what counts, and which legs are measured."""

from typing import Any

import pytest

from tests.kernels.qualityflows import Flows, Sample
from tests.kernels.segments import ACK, FIN, MILLISECOND, RST, SECOND, START, SYN, segment

pytestmark = pytest.mark.bounds

Steps = list[tuple[int, bytes]]


def told(steps: Steps, *, until: int = 0) -> tuple[dict[str, int], list[Sample]]:
    """Return the counters and durations of all flows after frames at ms, until a later ms."""
    flows, counters, samples = Flows(), dict[str, int](), list[Sample]()
    for milliseconds, frame in steps:
        noted = flows.note(frame, START + milliseconds * MILLISECOND)
        if noted is not None:
            add(counters, noted.counters)
            samples += noted.samples
    if until:
        for _, row in flows.known.values():
            add(counters, flows.take(row, START + until * MILLISECOND))
    return counters, samples


def add(counters: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        counters[name] = counters.get(name, 0) + count


def syn(seq: int = 100, **more: Any) -> bytes:
    return segment(seq=seq, flags=SYN, **more)


def syn_ack(ack: int = 101, **more: Any) -> bytes:
    return segment(reverse=True, seq=500, ack=ack, flags=SYN | ACK, **more)


OPEN = [(0, syn()), (20, syn_ack()), (23, segment(seq=101, ack=501))]
OPENED = {"connections_attempted": 1, "connections_established": 1, "segments_to_server": 1, "segments_to_client": 1}
LEGS = [("server_leg", 20 * MILLISECOND), ("client_leg", 3 * MILLISECOND)]


def test_a_handshake_is_an_attempt_a_connection_and_two_legs() -> None:
    assert told(OPEN) == (OPENED, LEGS)


def test_a_syn_sent_again_leaves_the_server_leg_out() -> None:
    steps = [(0, syn()), (1000, syn()), (1020, syn_ack()), (1023, segment(seq=101, ack=501))]
    again = {**OPENED, "segments_to_server": 2, "segments_retransmitted_to_server": 1}
    assert told(steps) == (again, LEGS[1:])


def test_a_syn_ack_sent_again_leaves_the_client_leg_out() -> None:
    steps = [(0, syn()), (20, syn_ack()), (1020, syn_ack()), (1023, segment(seq=101, ack=501))]
    again = {**OPENED, "segments_to_client": 2, "segments_retransmitted_to_client": 1}
    assert told(steps) == (again, LEGS[:1])


def test_a_handshake_shown_twice_by_the_mirror_is_one() -> None:
    steps = [step for step in OPEN for _ in range(2)]
    assert told(steps) == ({**OPENED, "packets_repeated_by_mirror": 2}, LEGS)


def test_a_rst_to_a_syn_refuses_once_also_when_the_client_tries_the_same_again() -> None:
    refusal = segment(reverse=True, seq=0, ack=101, flags=RST | ACK)
    counters, samples = told([(0, syn()), (5, refusal), (500, syn()), (505, refusal)], until=9000)
    assert (counters["connections_attempted"], counters["connections_refused"]) == (1, 1)
    assert "connections_unanswered" not in counters
    assert samples == []


@pytest.mark.parametrize(("milliseconds", "wanted"), [(2999, 0), (3000, 1), (60_000, 1)])
def test_a_syn_is_unanswered_after_three_seconds(milliseconds: int, wanted: int) -> None:
    assert told([(0, syn())], until=milliseconds)[0].get("connections_unanswered", 0) == wanted


def test_a_syn_of_a_flow_that_is_forgotten_remains_unanswered() -> None:
    flows = Flows()
    flows.note(syn(), START)
    assert flows.take(0, START + 1, final=True) == {"connections_unanswered": 1}
    assert flows.take(0, START + 10 * SECOND, final=True) == {}


def test_a_rst_later_than_three_seconds_is_no_refusal() -> None:
    counters, _ = told([(0, syn()), (3500, segment(reverse=True, seq=0, ack=101, flags=RST | ACK))])
    assert counters == {"connections_attempted": 1, "connections_unanswered": 1, "segments_to_server": 1}


@pytest.mark.parametrize(
    ("reverse", "name"), [(False, "connections_reset_by_client"), (True, "connections_reset_by_server")]
)
def test_the_first_rst_of_a_connection_is_counted_with_its_sender(*, reverse: bool, name: str) -> None:
    rst = segment(reverse=reverse, seq=501 if reverse else 101, flags=RST)
    assert told([*OPEN, (30, rst), (31, rst)]) == ({**OPENED, name: 1}, LEGS)


def test_a_rst_after_both_sides_sent_fin_is_no_reset() -> None:
    ends = [
        (30, segment(seq=101, ack=501, flags=FIN | ACK)),
        (31, segment(reverse=True, seq=501, ack=102, flags=FIN | ACK)),
    ]
    counters, _ = told([*OPEN, *ends, (32, segment(seq=102, flags=RST))])
    assert counters == {**OPENED, "segments_to_server": 2, "segments_to_client": 2}


def test_data_in_the_syn_is_a_request_that_the_server_may_answer_at_once() -> None:
    answer = segment(reverse=True, seq=501, ack=111, length=50)
    counters, samples = told([(0, syn(length=10)), (20, syn_ack(111)), (25, answer)])
    assert counters == {**OPENED, "segments_to_client": 2, "requests": 1}
    assert samples == [LEGS[0], ("response", 25 * MILLISECOND)]


def test_two_syns_that_cross_open_one_connection_without_legs() -> None:
    steps = [(0, syn()), (1, segment(reverse=True, seq=500, flags=SYN)), (10, segment(seq=100, ack=501, flags=SYN | ACK)),
             (11, syn_ack()), (12, segment(seq=101, ack=501))]  # fmt: skip
    counters, samples = told(steps, until=9000)
    assert (counters["connections_attempted"], counters["connections_established"], samples) == (1, 1, [])
    assert "connections_unanswered" not in counters


def test_a_syn_shown_behind_its_syn_ack_belongs_to_it() -> None:
    counters, samples = told([(0, syn_ack()), (0, syn()), (5, segment(seq=101, ack=501))])
    assert (counters, samples) == (OPENED, [("client_leg", 5 * MILLISECOND)])


def test_a_syn_with_another_number_begins_anew_where_the_first_was_not_answered() -> None:
    counters, _ = told([(0, syn(100)), (100, syn(7000))])
    assert counters == {"connections_attempted": 2, "connections_unanswered": 1, "segments_to_server": 2}


def test_a_closed_connection_gives_its_ports_to_the_next() -> None:
    ends = [
        (30, segment(seq=101, ack=501, flags=FIN | ACK)),
        (31, segment(reverse=True, seq=501, ack=102, flags=FIN | ACK)),
    ]
    assert told([*OPEN, *ends, (40, syn(9000))])[0]["connections_attempted"] == 2


def test_a_stray_syn_does_not_end_a_living_connection_but_a_silent_one() -> None:
    assert told([*OPEN, (40, syn(9000))])[0] == OPENED
    assert told([*OPEN, (20_000, syn(9000))])[0]["connections_attempted"] == 2


def test_a_flow_has_ended_with_both_fins_or_a_rst() -> None:
    flows = Flows()
    for milliseconds, frame in OPEN:
        flows.note(frame, START + milliseconds * MILLISECOND)
    assert not flows.ended()
    flows.note(segment(seq=101, ack=501, flags=FIN | ACK), START + SECOND)
    assert not flows.ended()
    flows.note(segment(reverse=True, seq=501, ack=102, flags=FIN | ACK), START + SECOND)
    assert flows.ended()


def test_of_a_connection_begun_before_the_capture_the_higher_port_is_the_client() -> None:
    flows = Flows()
    flows.note(segment(reverse=True, seq=1, ack=1, length=10), START)
    assert flows.client_is_reverse()
    flows = Flows()
    flows.note(segment(seq=1, ack=1, length=10), START)
    assert not flows.client_is_reverse()

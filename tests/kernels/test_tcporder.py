"""Segments below the next number: sent again, out of order, or shown twice by the mirror."""

import pytest

from tests.kernels.oracle_tcpquality import Segment
from tests.kernels.segments import MILLISECOND, SECOND
from tests.kernels.test_tcpquality import TRIP, Wire

pytestmark = pytest.mark.bounds


def bulk(wire: Wire, *numbers: int, after: int = 0) -> dict[str, int]:
    """Let the server send its segments of 1000 octets with these numbers; return what was counted besides segments."""
    for number in numbers:
        wire.server(1000 * number, 1000, after=after)
    return {name: count for name, count in wire.counters.items() if name != "segments_to_client"}


def test_octets_seen_before_were_sent_again() -> None:
    assert bulk(Wire(), 0, 1, 2, 1, after=5 * MILLISECOND) == {"segments_retransmitted_to_client": 1}


def test_a_hole_filled_within_a_round_trip_is_out_of_order() -> None:
    wanted = {"segments_unseen_to_client": 1, "segments_out_of_order_to_client": 1}
    assert bulk(Wire(), 0, 2, 1, after=TRIP // 2) == wanted


def test_a_hole_filled_later_than_a_round_trip_was_sent_again() -> None:
    wanted = {"segments_unseen_to_client": 1, "segments_retransmitted_to_client": 1}
    assert bulk(Wire(), 0, 2, 1, after=2 * TRIP) == wanted


def test_a_hole_filled_after_two_duplicate_acknowledgments_was_sent_again() -> None:
    wire = Wire()
    bulk(wire, 0, 2)
    for _ in range(3):
        wire.client(0, ack=1000)
    wire.server(1000, 1000, after=TRIP // 2)
    assert wire.counters["segments_retransmitted_to_client"] == 1
    assert "segments_out_of_order_to_client" not in wire.counters


def test_an_empty_hole_holds_nothing_where_numbers_wrap_around() -> None:
    wire = Wire(server=2**32 - 3500)
    bulk(wire, 0, 2, 1)
    wire.server(2900, 1000)
    assert wire.counters["segments_retransmitted_to_client"] == 1


def test_several_holes_are_one_until_they_are_filled() -> None:
    wanted = {"segments_unseen_to_client": 2, "segments_out_of_order_to_client": 2}
    assert bulk(Wire(), 0, 2, 4, 1, 3, after=1000) == wanted


def test_a_packet_shown_twice_is_told_by_its_identification() -> None:
    for identification, name in ((9, "packets_repeated_by_mirror"), (11, "segments_retransmitted_to_client")):
        wire = Wire()
        first = segments(wire, 10)
        assert first == {"segments_to_client": 1}
        assert name in segments(wire, identification, after=MILLISECOND)


def segments(wire: Wire, identification: int, *, after: int = 0) -> dict[str, int]:
    """Let the server send its first octets with an identification."""
    wire.sends(Segment(wire.time + after, reverse=True, seq=0, ack=0, length=1000, identification=identification))
    return wire.counters


def test_a_packet_shown_again_later_than_two_milliseconds_was_sent_again() -> None:
    wire = Wire()
    segments(wire, 10)
    assert segments(wire, 10, after=2 * MILLISECOND)["segments_retransmitted_to_client"] == 1


def test_over_ipv6_another_hop_limit_or_no_duplicate_acknowledgment_tells_a_copy() -> None:
    wire = Wire(version=6)
    wire.server(0, 1000)
    wire.server(0, 1000, after=1000, hops=63)
    wire.server(0, 1000, after=1000)
    assert wire.counters == {"segments_to_client": 1, "packets_repeated_by_mirror": 2}
    for _ in range(2):
        wire.client(0, ack=0)
    wire.server(0, 1000, after=1000)
    assert wire.counters["segments_retransmitted_to_client"] == 1
    wire.server(0, 1000, after=SECOND)
    assert wire.counters["segments_retransmitted_to_client"] == 2

from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.walks import Walk, tag_of_echo, tagged_echo, tagged_payload, untagged
from btimd.probes.wire.icmp import Echo, decode_echo, encode_echo, internet_checksum
from btimd.probes.wire.icmperror import IcmpError, Told

TARGET = "10.0.0.9"


def said(by: str, told: Told = Told.EXPIRED) -> IcmpError:
    return IcmpError(told, told.value, by, 11, 0, 0, 113)


@given(st.integers(1, 0xFFFE))
def test_the_checksum_is_the_same_whatever_the_tag(tag: int) -> None:
    assert internet_checksum(tagged_payload(tag)) == internet_checksum(tagged_payload(1))
    assert tagged_echo(False, 7, tag)[2:4] == tagged_echo(False, 7, 1)[2:4]
    assert untagged(tagged_payload(tag, 40)[:4]) == tag
    assert tag_of_echo(tagged_echo(True, 7, tag), 7) == tag
    assert tag_of_echo(tagged_echo(False, 7, tag)[:8], None) == tag, "routers may quote no more"


def test_what_is_not_ours_has_no_tag() -> None:
    ours = tagged_echo(False, 7, 5)
    assert tag_of_echo(ours, 8) is None
    assert tag_of_echo(ours, None, reply=True) is None
    assert tag_of_echo(ours[:7], None) is None
    assert tag_of_echo(encode_echo(Echo(0, 7, 5, b"anything")), 7, reply=True) is None
    assert tag_of_echo(encode_echo(Echo(0, 7, 5, decode_echo(ours).data)), 7, reply=True) == 5
    assert untagged(b"\0\1\2\3") is None
    assert untagged(b"") is None


@given(st.binary(max_size=40))
def test_garbage_has_a_tag_or_none(data: bytes) -> None:
    for found in (untagged(data), tag_of_echo(data, None), tag_of_echo(data, 1, reply=True)):
        assert found is None or 0 <= found <= 0xFFFF


def test_a_walk_ends_at_the_first_hop_where_the_target_answers() -> None:
    walk = Walk(TARGET, 30)
    tags = [walk.sent(number, 0.0) for number in (1, 2, 3, 4)]
    walk.heard(tags[0], said("10.0.0.1"), 0.1)
    walk.heard(tags[3], None, 0.4)
    walk.heard(tags[2], None, 0.3)
    assert (walk.length, walk.last_useful, walk.outstanding, walk.longest_rtt) == (3, 3, 1, 0.4)
    assert [(hop.number, hop.address, hop.loss) for hop in walk.hops()] == [
        (1, "10.0.0.1", 0.0), (2, "", 1.0), (3, TARGET, 0.0),
    ]  # fmt: skip
    assert walk.worth_asking() == [1, 2, 3]
    assert walk.worth_waiting_for() == [1, 2, 3], "hop 2 may be the target"
    late = walk.sent(2, 1.0)
    walk.heard(late, said("10.0.0.2"), 1.1)
    another = walk.sent(1, 1.0)
    walk.heard(another, said("10.0.0.1"), 1.1)
    assert walk.worth_waiting_for() == [1, 2, 3]


def test_a_router_that_quotes_too_little_speaks_of_the_oldest_packet() -> None:
    walk = Walk(TARGET, 30)
    walk.sent(1, 0.0)
    walk.sent(2, 0.1)
    walk.heard(None, said("10.0.0.1"), 0.2)
    assert walk.hops()[0].address == "10.0.0.1"
    walk.heard(None, said("10.0.0.2"), 0.3)
    walk.heard(None, said("10.0.0.3"), 0.4)
    assert [hop.address for hop in walk.hops()] == ["10.0.0.1", "10.0.0.2"]


def test_an_answer_counts_once_and_one_that_was_not_asked_for_never() -> None:
    walk = Walk(TARGET, 30)
    tag = walk.sent(1, 0.0)
    for _ in range(3):
        walk.heard(tag, said("10.0.0.1"), 0.1)
    walk.heard(999, None, 0.1)
    (hop,) = walk.hops()
    assert (hop.sent, hop.rtts, walk.length) == (1, [0.1], None)


def test_who_says_that_there_is_no_way_ends_the_walk() -> None:
    walk = Walk(TARGET, 30)
    tag = walk.sent(3, 0.0)
    walk.heard(tag, said("10.0.0.2", Told.PROHIBITED), 0.1)
    assert (walk.length, walk.ended_by, walk.last_useful) == (None, 3, 3)
    assert walk.hops()[-1].error == said("10.0.0.2", Told.PROHIBITED)


def test_of_a_silent_target_only_what_is_near_the_last_answer_is_asked_again() -> None:
    walk = Walk(TARGET, 30)
    for number in range(1, 31):
        walk.sent(number, 0.0)
    walk.heard(1, said("10.0.0.1"), 0.1)
    assert walk.worth_asking() == [1, 2, 3, 30]
    assert walk.worth_waiting_for() == [30]
    assert len(walk.hops()) == 1


def test_a_packet_that_could_not_be_sent_was_not_lost() -> None:
    walk = Walk(TARGET, 30)
    walk.unsent(walk.sent(1, 0.0))
    walk.heard(walk.sent(1, 0.0), said("10.0.0.1"), 0.1)
    assert walk.hops()[0].loss == 0.0

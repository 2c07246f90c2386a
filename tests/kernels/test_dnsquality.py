"""Questions to name servers: matched by number, timed, and unanswered after a while."""

import pytest

from tests.kernels.qualityflows import Flows, Sample
from tests.kernels.segments import MILLISECOND, START, answer, question

pytestmark = pytest.mark.bounds


def told(steps: list[tuple[int, bytes]], *, until: int = 0, final: bool = False) -> tuple[dict[str, int], list[Sample]]:
    flows, counters, samples = Flows(), dict[str, int](), list[Sample]()
    for milliseconds, frame in steps:
        noted = flows.note(frame, START + milliseconds * MILLISECOND)
        assert noted is not None
        for name, count in noted.counters.items():
            counters[name] = counters.get(name, 0) + count
        samples += noted.samples
    for name, count in flows.take(0, START + until * MILLISECOND, final=final).items():
        counters[name] = counters.get(name, 0) + count
    return counters, samples


def test_two_questions_at_a_time_are_answered_in_any_order() -> None:
    steps = [(0, question(7)), (1, question(8)), (5, answer(8)), (9, answer(7))]
    samples = [("dns_response", 4 * MILLISECOND), ("dns_response", 9 * MILLISECOND)]
    assert told(steps) == ({"dns_queries": 2, "dns_answers": 2}, samples)


@pytest.mark.parametrize(
    ("rcode", "name"), [(2, "dns_servfail"), (3, "dns_nxdomain"), (1, "dns_other_errors"), (5, "dns_other_errors")]
)
def test_what_went_wrong_is_counted_beside_the_answer(rcode: int, name: str) -> None:
    assert told([(0, question(7)), (5, answer(7, rcode=rcode))])[0] == {"dns_queries": 1, "dns_answers": 1, name: 1}


def test_a_question_asked_again_is_one_and_its_answer_is_not_timed() -> None:
    assert told([(0, question(7)), (1000, question(7)), (1005, answer(7))]) == (
        {"dns_queries": 1, "dns_answers": 1},
        [],
    )


@pytest.mark.parametrize(("until", "final", "wanted"), [(4999, False, 0), (5000, False, 1), (1, True, 1)])
def test_a_question_is_unanswered_after_five_seconds_or_when_forgotten(until: int, wanted: int, *, final: bool) -> None:
    assert told([(0, question(7))], until=until, final=final)[0].get("dns_unanswered", 0) == wanted


def test_a_late_answer_is_an_answer_to_an_unanswered_question() -> None:
    wanted = {"dns_queries": 1, "dns_answers": 1, "dns_unanswered": 1}
    assert told([(0, question(7)), (6000, answer(7))], until=20_000) == (wanted, [])


def test_more_questions_than_are_kept_are_counted_and_never_called_unanswered() -> None:
    steps = [(0, question(number)) for number in range(6)]
    answers = [(3, answer(number)) for number in range(6)]
    counters, samples = told([*steps, *answers], until=20_000)
    assert counters == {"dns_queries": 6, "dns_answers": 6}
    assert samples == [("dns_response", 3 * MILLISECOND)] * 4


def test_what_a_mirror_shows_twice_is_one() -> None:
    steps = [(0, question(7)), (0, question(7)), (5, answer(7)), (5, answer(7))]
    wanted = {"dns_queries": 1, "dns_answers": 1, "packets_repeated_by_mirror": 2}
    assert told(steps) == (wanted, [("dns_response", 5 * MILLISECOND)])


def test_a_datagram_cut_off_before_its_flags_is_left_out() -> None:
    whole = question(7)
    for size in range(42, 46):
        assert told([(0, whole[:size])]) == ({}, [])
    assert told([(0, whole[:46])])[0] == {"dns_queries": 1}


def test_an_answer_alone_tells_who_the_client_is() -> None:
    flows = Flows()
    flows.note(answer(7), START)
    assert flows.client_is_reverse()

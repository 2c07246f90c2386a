from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.packetsizes import SizeSearch, judge_size
from btimd.probes.wire.icmperror import IcmpError, Told


def too_big(mtu: int, by: str = "10.0.0.1") -> IcmpError:
    return IcmpError(Told.TOO_BIG, "fragmentation needed", by, 3, 4, mtu, 90)


def searched(search: SizeSearch, true: int, told: int | None = None) -> int:
    """Search where packets of up to `true` octets pass; return the number of packets."""
    packets = 0
    while sizes := search.sizes():
        packets += len(sizes)
        if told is not None and any(size > true for size in sizes):
            search.hear(too_big(told))
        search.learn({size for size in sizes if size <= true}, sizes)
    return packets


@given(st.integers(576, 1500))
def test_the_size_is_found_with_few_packets(true: int) -> None:
    search = SizeSearch(576, 1501)
    assert searched(search, true) <= 34
    assert search.passed == true


@given(st.integers(576, 1500), st.integers(0, 2000))
def test_what_a_router_says_is_checked_and_not_believed(true: int, told: int) -> None:
    search = SizeSearch(576, 1501)
    searched(search, true, told)
    assert search.passed == true


def test_one_that_says_the_truth_saves_packets() -> None:
    search = SizeSearch(576, 1501)
    assert searched(search, 1400, 1400) == 4


def test_a_target_that_is_silent_is_no_finding_about_sizes() -> None:
    search = SizeSearch(576, 1501)
    search.learn(set(), search.sizes())
    found = judge_size("h", search, None, 1500)
    assert (found.health, found.error) == (Health.BAD, ErrorClass.TIMEOUT)
    assert found.detail == "h does not answer, not even packets of 576 octets"


def test_what_is_too_short_is_bad_and_says_whose_fault_it_is() -> None:
    told, silent, own = (SizeSearch(1400, 1401, confirmed=True) for _ in range(3))
    told.hear(too_big(1400))
    own.hear(too_big(1400, by=""))
    found = [judge_size("h", search, 1500, 1500) for search in (told, silent, own)]
    assert [(one.error, one.detail) for one in found] == [
        (
            ErrorClass.WRONG_ANSWER,
            "only packets of up to 1400 octets pass to h, not 1500: 10.0.0.1 says: fragmentation needed, 1400 octets",
        ),
        (
            ErrorClass.TIMEOUT,
            "only packets of up to 1400 octets pass to h, not 1500, and nobody says why: longer ones vanish (black hole)",
        ),
        (
            ErrorClass.WRONG_ANSWER,
            "only packets of up to 1400 octets pass to h, not 1500: this machine's own link takes no more",
        ),
    ]
    assert judge_size("h", own, None, 1500).health is Health.GOOD, "the route of this machine is all that may be asked"
    assert judge_size("h", told, 1400, 1500).detail == "packets of 1400 octets pass to h"


def test_other_errors_tell_nothing_about_sizes() -> None:
    search = SizeSearch(576, 1501)
    search.hear(IcmpError(Told.EXPIRED, "x", "10.0.0.1", 11, 0, 0, 113))
    assert search.told is None

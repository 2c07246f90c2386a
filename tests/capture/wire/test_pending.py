from btimd.capture.wire.pending import PendingSet, PendingSets


def pending(number: int, arrival: int = 0) -> PendingSet:
    return PendingSet(bytes([number]) * 100, arrival)


def test_sets_come_back_oldest_first_and_once() -> None:
    sets = PendingSets(max_octets=10_000, max_octets_per_template=1000, max_age_milliseconds=100)
    for number in range(3):
        sets.add((1, 256), pending(number))
    assert len(sets) == 3
    assert sets.take((1, 256), 0) == [pending(0), pending(1), pending(2)]
    assert (sets.take((1, 256), 0), sets.octets, sets.dropped) == ((), 0, 0)


def test_every_bound_drops_the_oldest_and_counts_it() -> None:
    sets = PendingSets(max_octets=1500, max_octets_per_template=700, max_age_milliseconds=100)
    for number in range(4):
        sets.add((1, 256), pending(number))
    assert (len(sets), sets.dropped) == (2, 2)
    for number in range(4, 8):
        sets.add((number, 256), pending(number))
    assert (len(sets), sets.dropped, sets.octets) == (5, 3, 1500)
    assert sets.take((1, 256), 0) == [pending(3)]


def test_old_sets_are_dropped_when_newer_ones_come_or_the_template_does() -> None:
    sets = PendingSets(max_octets=10_000, max_octets_per_template=1000, max_age_milliseconds=100)
    sets.add((1, 256), pending(0, arrival=0))
    sets.add((1, 256), pending(1, arrival=101))
    assert (len(sets), sets.dropped) == (1, 1)
    assert sets.take((1, 256), 202) == []
    assert sets.dropped == 2


def test_a_set_larger_than_its_bound_is_not_kept() -> None:
    sets = PendingSets(max_octets=100, max_octets_per_template=0, max_age_milliseconds=100)
    sets.add((1, 256), pending(0))
    assert (len(sets), sets.dropped) == (0, 1)


def test_what_waits_in_vain_is_dropped_while_others_come() -> None:
    sets = PendingSets(max_octets=10_000, max_octets_per_template=1000, max_age_milliseconds=100)
    for number in range(3):
        sets.add((number, 256), pending(number, arrival=0))
    for arrival in range(200, 205):
        sets.add((arrival, 256), pending(9, arrival=arrival))
    assert (len(sets), sets.dropped, sets.take((0, 256), 205)) == (5, 3, ())


def test_what_waits_for_a_domain_is_forgotten_with_it() -> None:
    sets = PendingSets(max_octets=10_000, max_octets_per_template=1000, max_age_milliseconds=100)
    for key in ((1, 256), (1, 257), (2, 256)):
        sets.add(key, pending(1))
    sets.forget(1)
    assert (len(sets), sets.dropped, len(sets.take((2, 256), 0))) == (1, 2, 1)

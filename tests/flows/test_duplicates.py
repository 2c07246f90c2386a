import numpy as np
import pytest

from btimd.flows.duplicates import DuplicateCounters, DuplicateLimits, Duplicates
from btimd.model.flowbatch import FlowBatch

NOW = 1_700_000_000_000
MINUTE = 60_000


def traffic(
    exporter: int, *, flows: int = 1000, first: int = 0, direction: int = 0, domain: int = 0, rate: int = 1
) -> FlowBatch:
    """Return flows number `first` and following as one observation point reports them."""
    at = np.arange(first, first + flows)
    mapped = 0xFFFF_0000_0000
    return FlowBatch.of(
        source_address_lo=(mapped + 0x0A00_0000 + at // 100).astype(np.uint64),
        destination_address_lo=(mapped + 0x0A20_0000 + at % 13).astype(np.uint64),
        source_transport_port=1024 + at % 60_000,
        destination_transport_port=np.full(flows, 443),
        protocol_identifier=np.full(flows, 6),
        octet_delta_count=np.full(flows, 100),
        exporter_id=np.full(flows, exporter),
        flow_direction=np.full(flows, direction),
        observation_domain_id=np.full(flows, domain),
        sampling_rate=np.full(flows, rate),
    )


def every(**more: object) -> Duplicates:
    return Duplicates(DuplicateLimits(mode="on", **more))  # type: ignore[arg-type]


def share(subject: Duplicates, batch: FlowBatch, now: int = NOW) -> float:
    """Return which part of a batch is duplicate."""
    found = subject.mark(batch, now)
    return 0.0 if found is None else float(found.mean())


def test_one_observation_point_has_no_duplicates_and_costs_nothing() -> None:
    subject = every()
    assert [subject.mark(traffic(0), NOW) for _ in range(3)] == [None] * 3
    assert subject.counters == DuplicateCounters(0, 0, 0, 0, 0, 0)


def test_what_two_exporters_report_counts_for_the_first() -> None:
    subject = every()
    assert share(subject, FlowBatch.concat([traffic(0), traffic(1)])) == 0.5
    assert share(subject, traffic(1)) == 1.0
    assert share(subject, traffic(0)) == 0.0
    assert subject.counts() == {1: 2000}
    assert subject.counters == DuplicateCounters(
        tracked=4000, duplicates=2000, octets=200_000, taken_over=0, refused=0, sampled_twice=0
    )


@pytest.mark.parametrize("other", [{"direction": 1}, {"domain": 7}])
def test_an_exporter_that_meters_at_two_points_counts_once(other: dict[str, int]) -> None:
    subject = every()
    assert share(subject, FlowBatch.concat([traffic(0), traffic(0, **other)])) == 0.5


def test_traffic_that_only_one_point_saw_is_never_dropped() -> None:
    subject = every()
    share(subject, FlowBatch.concat([traffic(0), traffic(1, first=1000)]))
    assert [share(subject, batch) for batch in (traffic(0), traffic(1, first=1000))] == [0.0, 0.0]


def test_the_other_direction_is_another_flow() -> None:
    subject, batch = every(), traffic(0)
    columns = dict(batch.columns)
    for one, other in (
        ("source_address_lo", "destination_address_lo"),
        ("source_transport_port", "destination_transport_port"),
    ):
        columns[one], columns[other] = columns[other], columns[one]
    columns["exporter_id"] = columns["exporter_id"] + np.int32(1)
    assert share(subject, FlowBatch.concat([batch, FlowBatch(columns)])) == 0.0


def test_a_flow_that_moves_to_another_path_counts_there_once_its_owner_is_silent() -> None:
    subject = every()
    share(subject, FlowBatch.concat([traffic(0), traffic(1)]))
    assert share(subject, traffic(1), NOW + 2 * MINUTE) == 1.0
    assert share(subject, traffic(1), NOW + 4 * MINUTE) == 0.0
    assert share(subject, traffic(0), NOW + 4 * MINUTE) == 1.0


@pytest.mark.parametrize("preferred", ["2001:DB8:0::9", "core"])
def test_the_operators_choice_takes_flows_over(preferred: str) -> None:
    subject = every(prefer=(preferred,))
    subject.know([(0, "192.0.2.1", ""), (1, "2001:db8::9", "core")])
    assert share(subject, FlowBatch.concat([traffic(0), traffic(1)])) == 0.0
    assert share(subject, FlowBatch.concat([traffic(0), traffic(1)])) == 0.5
    assert (subject.counts(), subject.counters.taken_over) == ({0: 1000}, 1000)


def test_samplers_lose_nothing_to_each_other_but_all_to_a_point_that_sees_everything() -> None:
    subject = every()
    assert share(subject, FlowBatch.concat([traffic(0, rate=1000), traffic(1, rate=500)])) == 0.0
    assert subject.counters.sampled_twice == 1000
    assert share(subject, traffic(2)) == 0.0
    assert share(subject, FlowBatch.concat([traffic(0, rate=1000), traffic(1, rate=500)])) == 1.0


def test_without_duplicates_only_a_sample_is_looked_at() -> None:
    subject = Duplicates()
    for at in range(40):
        assert subject.mark(traffic(at % 8, flows=10_000, first=at * 10_000), NOW + at) is None
    assert not subject.everything
    assert 400_000 / 90 < subject.counters.tracked < 400_000 / 45


def test_many_duplicates_in_the_sample_make_it_look_at_everything_until_there_are_none_for_long() -> None:
    subject = Duplicates()
    both = FlowBatch.concat([traffic(0, flows=10_000), traffic(1, flows=10_000)])
    shares = [share(subject, both, NOW + at) for at in range(20)]
    assert shares[0] < 0.05
    assert shares[-1] == 0.5
    assert subject.everything
    for at in range(20):
        share(subject, traffic(0, flows=10_000), NOW + at * MINUTE)
    assert not subject.everything


def test_switched_off_it_marks_nothing() -> None:
    subject = Duplicates(DuplicateLimits(mode="off"))
    assert subject.mark(FlowBatch.concat([traffic(0), traffic(1)]), NOW) is None


def test_a_table_too_small_counts_what_it_cannot_tell() -> None:
    subject = every(capacity=16)
    share(subject, FlowBatch.concat([traffic(0), traffic(1)]))
    counters = subject.counters
    assert (counters.duplicates, counters.refused) == (32, 1936)


def test_warming_marks_nothing() -> None:
    subject = Duplicates()
    subject.warm()
    assert subject.counters == DuplicateCounters(0, 0, 0, 0, 0, 0)


def test_a_clock_that_goes_back_breaks_nothing() -> None:
    subject = every()
    share(subject, FlowBatch.concat([traffic(0), traffic(1)]))
    assert share(subject, traffic(1), NOW - 10 * MINUTE) == 1.0


def test_it_says_which_share_of_flows_it_looked_at() -> None:
    subject = Duplicates()
    subject.mark(traffic(0), NOW)
    assert subject.compared == 1.0  # a single point reports nothing twice
    subject.mark(traffic(1), NOW)
    assert subject.compared == 1 / 64
    every_flow, none = every(), Duplicates(DuplicateLimits(mode="off"))
    for one in (every_flow, none):
        one.mark(FlowBatch.concat([traffic(0), traffic(1)]), NOW)
    assert (every_flow.compared, none.compared) == (1.0, 0.0)

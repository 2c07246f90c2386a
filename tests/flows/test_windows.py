from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.distinct import ERROR_RATIO
from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.flows.plan import PlanEntry
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import WindowLimits, Windows
from btimd.model.flowbatch import FlowBatch, RecordQuality
from btimd.model.window import WindowBatch
from tests.flows.traffic import EAST, ERP, NOBODY, SHARED, T0, WEST, attribution, cells, flow, stamps


def windows(limits: WindowLimits | None = None, users: UserLimits | None = None) -> Windows:
    subject = attribution()
    return Windows(subject, Users(subject, users or UserLimits(capacity=256)), limits)


def add(subject: Windows, now: int, *flows: FlowBatch) -> None:
    subject.add(subject.attribution.attribute(FlowBatch.concat(flows)), T0 + now)


def test_an_interval_is_emitted_once_its_end_and_the_grace_have_passed() -> None:
    subject = windows()
    add(subject, 5_000, flow("10.1.0.1", octets=1000, packets=10))
    assert subject.close(T0 + 19_999) == []
    (ten,) = subject.close(T0 + 20_000)
    assert stamps([ten]) == [(0, 10, 0)]
    assert cells(ten) == [("erp", "east", 1000, 0, 10, 1, 1, True, False)]
    assert subject.close(T0 + 69_999) == []
    (sixty,) = subject.close(T0 + 70_000)
    assert stamps([sixty]) == [(0, 60, 0)]
    assert cells(sixty) == cells(ten)


def test_octets_are_spread_over_the_time_of_the_flow_and_it_counts_where_it_ended() -> None:
    subject = windows()
    add(subject, 25_000, flow("10.1.0.1", start=5_000, end=24_999, octets=2003, packets=4))
    assert [(stamps([batch])[0], *cells(batch)[0][2:6]) for batch in subject.flush()] == [
        ((0, 10, 0), 500, 0, 1, 0),
        ((10, 10, 0), 1002, 0, 2, 0),
        ((20, 10, 0), 501, 0, 1, 1),
        ((0, 60, 0), 2003, 0, 4, 1),
    ]


def test_every_owner_gets_the_whole_record_and_what_nobody_owns_is_kept_too() -> None:
    subject = windows()
    add(
        subject, 5_000,
        flow("10.1.0.1", SHARED, octets=100), flow("10.1.0.1", SHARED, octets=30, answer=True, rate=10),
        flow("10.2.0.1", NOBODY, octets=7), flow("11.0.0.1", ERP, octets=9), flow("11.0.0.2", ERP, octets=9),
    )  # fmt: skip
    assert cells(subject.close(T0 + 20_000)[0]) == [
        ("", "west", 7, 0, 10, 1, 1, True, False),
        ("erp", "", 18, 0, 20, 2, 2, True, False),
        ("erp", "east", 100, 300, 110, 2, 1, False, True),
        ("hr", "east", 100, 300, 110, 2, 1, False, True),
    ]


def test_late_records_change_their_own_interval_which_is_emitted_again_with_its_full_sums() -> None:
    subject = windows()
    add(subject, 5_000, flow("10.1.0.1"), flow("10.2.0.1"))
    assert stamps(subject.close(T0 + 20_000)) == [(0, 10, 0)]
    add(subject, 25_000, flow("10.1.0.2", start=3_000), flow("10.1.0.1", start=4_000), flow("10.1.0.1", start=15_000))
    assert subject.close(T0 + 25_000) == []
    again, new = subject.close(T0 + 30_000)
    assert stamps([again, new]) == [(0, 10, 1), (10, 10, 0)]
    assert cells(again) == [("erp", "east", 3000, 0, 30, 3, 2, True, False)]
    assert subject.close(T0 + 40_000) == []


def test_records_later_than_the_lateness_are_lost_and_counted() -> None:
    subject = windows(WindowLimits(lateness_seconds=60))
    add(subject, 80_000, flow("10.1.0.1", start=9_000, end=10_999, octets=2000), flow("10.1.0.1", SHARED, octets=50))
    assert (subject.late_records(0), subject.late_octets(0)) == (2, 1050)
    assert (subject.late_records(1), subject.late_octets(1)) == (0, 0)
    assert stamps(subject.flush()) == [(10, 10, 0), (0, 60, 0)]


def test_records_from_the_future_are_lost_and_counted() -> None:
    subject = windows(WindowLimits(future_seconds=30))
    add(subject, 0, flow("10.1.0.1", start=29_000), flow("10.1.0.1", start=40_000, octets=77))
    assert (subject.future_records, subject.future_octets) == (1, 77)
    assert stamps(subject.flush()) == [(20, 10, 0), (0, 60, 0)]


def test_a_jump_in_time_loses_no_interval_that_was_open() -> None:
    subject = windows()
    add(subject, 5_000, flow("10.1.0.1"))
    add(subject, 7_200_000, flow("10.1.0.1", start=7_200_000))
    assert stamps(subject.close(T0 + 7_200_000)) == [(0, 10, 0), (0, 60, 0)]
    assert stamps(subject.flush()) == [(7200, 10, 0), (7200, 60, 0)]


def test_a_slot_used_again_starts_from_nothing() -> None:
    subject = windows()
    for hour in range(4):
        add(subject, hour * 1_280_000, flow("10.1.0.1", start=hour * 1_280_000))
        (batch, *_) = [batch for batch in subject.flush() if batch.interval_milliseconds == 10_000]
        assert cells(batch) == [("erp", "east", 1000, 0, 10, 1, 1, True, False)]
        assert batch.revision == 0


def test_a_clock_set_far_back_emits_everything_begins_anew_and_is_counted() -> None:
    subject = windows()
    add(subject, 7_200_000, flow("10.1.0.1", start=7_200_000))
    add(subject, 5_000, flow("10.1.0.1"))
    assert subject.restarts == 1
    assert stamps(subject.close(T0 + 20_000)) == [(7200, 10, 0), (7200, 60, 0), (0, 10, 0)]
    assert subject.late_records(0) == 0


def test_a_small_step_back_changes_nothing() -> None:
    subject = windows()
    add(subject, 30_000, flow("10.1.0.1", start=25_000))
    add(subject, 20_000, flow("10.1.0.1", start=15_000))
    assert subject.restarts == 0
    assert stamps(subject.close(T0 + 31_000)) == [(10, 10, 0)]


def test_places_beyond_the_limit_of_cells_go_to_the_unknown_place_and_are_counted() -> None:
    subject = windows(WindowLimits(max_cells=4))
    add(subject, 0, flow("10.1.0.1", octets=1), flow("10.2.0.1", octets=2), flow("10.2.0.2", octets=4))
    assert subject.overflowed == 2
    assert cells(subject.flush()[0]) == [
        ("erp", "", 6, 0, 20, 2, 2, True, False),
        ("erp", "east", 1, 0, 10, 1, 1, True, False),
    ]


def test_room_for_more_cells_is_made_when_they_come_and_what_was_there_stays() -> None:
    entries = tuple(
        PlanEntry(f"10.{place // 250}.{place % 250}.0/24", f"region {place}", "", "", 2) for place in range(600)
    )
    subject = attribution(*entries)
    windows_of_many = Windows(subject, Users(subject, UserLimits(capacity=4096)))
    for first in (0, 100, 300):
        for place in range(first, first + 300):
            add(windows_of_many, 0, flow(f"10.{place // 250}.{place % 250}.7", octets=place + 1))
    wanted = {
        (f"region {place}", (place + 1) * sum(first <= place < first + 300 for first in (0, 100, 300)))
        for place in range(600)
    }
    for batch in windows_of_many.flush():
        assert {(row.region, row.octets_to_server) for row in batch.rows()} == wanted
        assert {row.users for row in batch.rows()} == {1}


def test_what_is_late_for_ten_seconds_still_counts_for_the_minute_once() -> None:
    subject = windows(WindowLimits(lateness_seconds=60))
    add(subject, 0, flow("10.1.0.1", start=5_000))
    assert stamps(subject.close(T0 + 70_000)) == [(0, 10, 0), (0, 60, 0)]
    add(subject, 85_000, flow("10.1.0.1", start=5_000), flow("10.1.0.2", start=5_000), flow("10.1.0.1", start=25_000))
    again = subject.close(T0 + 140_000)
    assert stamps(again) == [(20, 10, 0), (0, 60, 1)]
    assert cells(again[1]) == [("erp", "east", 4000, 0, 40, 4, 2, True, False)]
    assert subject.close(T0 + 400_000) == []


def test_users_that_find_no_room_in_the_table_are_estimated_and_the_error_is_stated() -> None:
    subject = windows(users=UserLimits(capacity=8))
    add(subject, 0, *(flow(f"10.1.0.{host}") for host in range(10)), flow("10.1.0.1", NOBODY))
    fine, coarse = subject.flush()
    assert [line[:2] + line[6:8] for line in cells(fine)] == [("", "east", 1, False), ("erp", "east", 10, False)]
    assert cells(coarse) == cells(fine)
    assert fine.users_error_ratio.tolist() == [ERROR_RATIO, pytest.approx(ERROR_RATIO * 2 / 10)]
    assert (subject.sketches, subject.uncounted) == (2, 0)


def test_users_that_find_no_sketch_either_are_lost_and_counted_and_the_rest_is_a_lower_bound() -> None:
    subject = windows(WindowLimits(max_sketches=1), UserLimits(capacity=8))
    add(subject, 0, *(flow(f"10.1.0.{host}") for host in range(8)))
    add(subject, 10_000, *(flow(f"10.1.0.{host}", start=start) for start in (0, 10_000) for host in (1, 9, 10)))
    found = {stamps([batch])[0][:2]: (cells(batch)[0][6:8], *batch.users_error_ratio) for batch in subject.flush()}
    assert found == {
        (0, 10): ((10, False), pytest.approx(ERROR_RATIO * 2 / 10)), (10, 10): ((1, False), 0.0),
        (0, 60): ((9, False), 0.0),
    }  # fmt: skip
    assert subject.uncounted == 2


def test_a_client_in_many_intervals_is_one_user_of_the_minute_whether_it_found_room_or_not() -> None:
    subject = windows(users=UserLimits(capacity=8))
    for start in (0, 10_000, 50_000):
        add(subject, 50_000, *(flow(f"10.1.0.{host}", start=start) for host in range(12)))
    assert [(stamps([batch])[0][:2], cells(batch)[0][6]) for batch in subject.flush()] == [
        ((0, 10), 12), ((10, 10), 12), ((50, 10), 12), ((0, 60), 12),
    ]  # fmt: skip


def test_a_client_that_finds_room_after_it_was_refused_is_not_counted_twice() -> None:
    subject = windows(WindowLimits(0.0, 60.0, 1.0), UserLimits(capacity=8))
    add(subject, 0, *(flow(f"10.1.0.{host}") for host in range(8)))
    add(subject, 125_000, flow("10.1.1.1", start=125_000), flow("10.1.1.2", start=125_000))
    emitted = subject.close(T0 + 131_000)  # forgets the eight
    add(subject, 132_000, flow("10.1.1.1", start=126_000), flow("10.1.1.1", start=131_000), flow("10.1.1.3", start=131_000),
        flow("10.1.1.4", start=139_000), flow("10.1.1.4", start=126_000))  # fmt: skip
    assert subject._users.pairs == 3
    emitted += subject.flush()
    latest = {stamps([batch])[0][:2]: cells(batch)[0][6] for batch in emitted}
    assert {key: users for key, users in latest.items() if key[0] >= 120} == {(120, 10): 3, (130, 10): 3, (120, 60): 4}
    subject.close(T0 + 1_000_000)
    subject.add(subject.attribution.attribute(flow("10.1.0.1", start=1_000_000)), T0 + 1_000_000)
    assert subject.sketches == 0
    assert not subject._sketches.young.any()


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 70), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 50)), min_size=1, max_size=12)
        ),
        max_size=12,
    )
)
def test_counts_are_those_of_sets_within_the_error_though_users_come_and_go(
    steps: list[tuple[int, list[tuple[int, int]]]],
) -> None:
    subject = windows(WindowLimits(0.0, 60.0, 1.0), UserLimits(capacity=8))
    now, wanted, found = 0, defaultdict(set), {}
    emitted: list[WindowBatch] = []
    for passed, seen in steps:
        now += passed * 1000
        add(subject, now, *(flow(f"10.1.0.{host}", start=max(0, now - ago * 1000)) for host, ago in seen))
        for host, ago in seen:
            start = max(0, now - ago * 1000)
            wanted[start // 10_000 * 10, 10].add(host)
            wanted[start // 60_000 * 60, 60].add(host)
        emitted += subject.close(T0 + now)
    for batch in emitted + subject.flush():
        found[stamps([batch])[0][:2]] = cells(batch)[0][6], float(batch.users_error_ratio[0])
    assert found.keys() == wanted.keys()
    for key, hosts in wanted.items():
        users, error = found[key]
        assert abs(users - len(hosts)) <= (2 if error else 0), (key, hosts)


def test_after_a_swap_refused_users_of_two_places_that_became_one_are_counted_once() -> None:
    subject = windows(users=UserLimits(capacity=8))
    add(subject, 0, *(flow(f"10.1.0.{host}") for host in range(8)))
    add(subject, 0, *(flow(f"10.{net}.1.{host}") for net in (1, 2) for host in range(5)))
    subject.swap(attribution(PlanEntry("10.0.0.0/8", "all", "", "", 2), generation=2))
    add(subject, 0, *(flow(f"10.{net}.1.{host}") for net in (1, 2) for host in range(3, 6)))
    (erp,) = [row for row in subject.flush()[0].rows() if row.region == "all"]
    assert (erp.users, erp.users_exact) == (6, False)
    assert subject.close(T0 + 2_000_000) == []


def test_one_client_through_two_exporters_is_one_user_and_its_traffic_counts_once() -> None:
    records = FlowBatch.concat([with_quality(flow("10.1.0.1", octets=500), 0, exporter) for exporter in (0, 1)])
    duplicate = Duplicates(DuplicateLimits("on")).mark(records, T0 + 1_000)
    assert duplicate is not None
    subject, unaware = windows(), windows()
    add(subject, 0, records.select(~duplicate))
    add(unaware, 0, records)
    assert cells(subject.flush()[0]) == [("erp", "east", 500, 0, 10, 1, 1, True, False)]
    assert cells(unaware.flush()[0]) == [("erp", "east", 1000, 0, 20, 2, 1, True, False)]


def test_users_are_forgotten_when_the_table_fills_and_no_interval_needs_them() -> None:
    subject = windows(users=UserLimits(capacity=8))
    add(subject, 0, *(flow(f"10.1.0.{host}") for host in range(8)))
    later = 3_600_000
    subject.close(T0 + later)
    add(subject, later, *(flow(f"10.1.1.{host}", start=later) for host in range(8)))
    assert [line[6:8] for line in cells(subject.flush()[0])] == [(8, True)]


def test_a_batch_of_another_generation_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of generation 2, wanted 1"):
        windows().add(attribution(generation=2).attribute(flow("10.1.0.1")), T0)


def test_a_swap_keeps_open_intervals_under_their_names_and_counts_who_moved_at_both_places() -> None:
    subject = windows()
    add(subject, 0, flow("10.1.0.1"), flow("10.2.0.1", SHARED, octets=5), flow("10.2.0.2", octets=1))
    north = PlanEntry("10.1.0.0/16", "north", "floor 1", "", 2)
    subject.swap(attribution(WEST, north, businesses=("new", "erp"), generation=2, rules=1))
    add(subject, 1_000, flow("10.1.0.1"), flow("10.2.0.1", octets=7), flow("10.2.0.2", octets=1))
    (ten, sixty) = subject.flush()
    assert (
        cells(ten)
        == cells(sixty)
        == [
            ("erp", "north", 1000, 0, 10, 1, 1, True, False),
            ("erp", "west", 14, 0, 40, 4, 2, True, False),
            ("erp", "east", 1000, 0, 10, 1, 1, True, False),
            ("hr", "west", 5, 0, 10, 1, 1, True, False),
        ]
    )
    assert ten.businesses == ("new", "erp", "hr")


def test_a_swap_to_the_same_names_changes_no_sum() -> None:
    subject = windows()
    add(subject, 0, flow("10.1.0.1"), flow("10.1.0.9", NOBODY))
    subject.swap(attribution(EAST, WEST, generation=2))
    add(subject, 0, flow("10.1.0.1"))
    assert cells(subject.flush()[0]) == [
        ("", "east", 1000, 0, 10, 1, 1, True, False),
        ("erp", "east", 2000, 0, 20, 2, 1, True, False),
    ]


def test_names_that_no_interval_holds_any_more_go_with_the_next_swap() -> None:
    subject = windows()
    add(subject, 0, flow("10.1.0.1", SHARED))
    subject.swap(attribution(businesses=("erp",), generation=2, rules=1))
    subject.close(T0 + 7_200_000)
    subject.swap(attribution(businesses=("erp",), generation=3, rules=1))
    add(subject, 7_200_000, flow("10.1.0.1", ERP, start=7_200_000))
    assert subject.flush()[0].businesses == ("erp",)


def with_quality(batch: FlowBatch, quality: int, exporter: int = 0) -> FlowBatch:
    return FlowBatch(
        {
            **batch.columns,
            "record_quality": np.full(len(batch), quality, np.uint16),
            "exporter_id": np.full(len(batch), exporter, np.int32),
        }
    )


def test_a_cell_tells_what_sampling_and_the_exporters_leave_in_doubt() -> None:
    subject = windows()
    sampled = flow("10.1.0.1", rate=100, packets=100)
    add(subject, 5_000, with_quality(sampled, RecordQuality.RATE_ASSUMED), with_quality(flow("10.2.0.1"), 1))
    add(subject, 5_000, with_quality(flow("9.9.9.9", rate=2, packets=1), RecordQuality.NO_TIME))
    unknown, east, west = subject.flush()[0].rows()
    assert east.sampling_error_ratio == pytest.approx(1.96 * (1 / 100) ** 0.5)
    assert (west.sampling_error_ratio, unknown.sampling_error_ratio) == (0.0, 1.0)
    assert [row.times_adjusted for row in (unknown, east, west)] == [True, False, True]
    assert [row.rate_assumed for row in (unknown, east, west)] == [False, True, False]
    assert [row.export_loss_ratio for row in (unknown, east, west)] == [None] * 3


def test_a_late_revision_keeps_the_loss_of_its_interval() -> None:
    subject = windows()
    add(subject, 5_000, with_quality(flow("10.1.0.1"), 0, exporter=1))
    subject.note_exports(np.array([[7, 0], [75, 25]]), T0 + 5_000)
    assert [row.export_loss_ratio for row in subject.close(T0 + 20_000)[0].rows()] == [0.25]
    add(subject, 300_000, with_quality(flow("10.1.0.1"), 0, exporter=1))
    subject.note_exports(np.array([[7, 0], [175, 25]]), T0 + 300_000)
    again = [batch for batch in subject.close(T0 + 300_000) if batch.revision == 1]
    assert [row.export_loss_ratio for row in again[0].rows()] == [0.25]


def test_what_devices_dropped_is_no_traffic_and_is_counted() -> None:
    subject = windows()
    add(subject, 0, with_quality(flow("10.1.0.1"), RecordQuality.DROPPED), flow("10.1.0.1", octets=3))
    assert subject.dropped == 1
    assert cells(subject.flush()[0]) == [("erp", "east", 3, 0, 10, 1, 1, True, False)]


def test_users_seen_long_before_are_not_counted_again_in_their_minute() -> None:
    subject = windows()
    add(subject, 0, flow("10.1.0.1"), flow("10.1.0.2", start=20_000))
    for later in (400_000, 500_000):
        add(subject, later, flow("10.1.0.1", start=later), flow("10.1.0.2", start=later))
    add(subject, 500_000, flow("10.1.0.1"), flow("10.1.0.1", start=5_000, end=25_000), flow("10.1.0.2", start=25_000))
    found = {stamps([batch])[0][:2]: cells(batch)[0][6] for batch in subject.flush()}
    assert (found[0, 10], found[10, 10], found[20, 10], found[0, 60]) == (1, 1, 2, 2)

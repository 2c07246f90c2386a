from dataclasses import replace

import numpy as np
import pytest

from btimd.flows.linkbatches import LinkBatch
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows, warm
from btimd.model.flowbatch import FlowBatch
from tests.flows.linkcrafting import NOW, doubles, names_of, records, rows

NAMES = names_of(["erp"], ["backup"], ["erp", "backup"], [])
ERP, BACKUP, BOTH, OWNED_BY_NOBODY, NO_RULE = 0, 1, 2, 3, -1
LIMITS = LinkLimits(max_interfaces=64, max_cells=128)


@pytest.fixture
def windows() -> LinkWindows:
    return LinkWindows(LIMITS)


def only(batches: list[LinkBatch]) -> LinkBatch:
    (batch,) = batches
    return batch


def test_a_record_counts_where_it_came_in_and_by_estimate_where_it_went_out(windows: LinkWindows) -> None:
    windows.add(records(ERP), None, NAMES, NOW + 2000)
    assert rows(only(windows.close(NOW + 70_000))) == [
        (0, 1, "in", "*", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 1000, 10, 1, ""),
        (0, 2, "out", "*", 1000, 10, 1, "d"),
        (0, 2, "out", "erp", 1000, 10, 1, "d"),
    ]


def test_a_record_metered_at_the_egress_counts_the_other_way_round(windows: LinkWindows) -> None:
    windows.add(records(ERP, flow_direction=1), None, NAMES, NOW + 2000)
    assert [row for row in rows(only(windows.close(NOW + 70_000))) if row[3] == "*"] == [
        (0, 1, "in", "*", 1000, 10, 1, "d"),
        (0, 2, "out", "*", 1000, 10, 1, ""),
    ]


def test_what_an_interface_meters_itself_leaves_out_what_is_derived(windows: LinkWindows) -> None:
    windows.add(
        records(ERP, ERP, BACKUP, flow_direction=[0, 1, 0], octet_delta_count=[1000, 990, 500]),
        None, NAMES, NOW + 2000,
    )  # fmt: skip
    assert rows(only(windows.close(NOW + 70_000))) == [
        (0, 1, "in", "*", 1500, 20, 2, ""),
        (0, 1, "in", "backup", 500, 10, 1, ""),
        (0, 1, "in", "erp", 1000, 10, 1, ""),
        (0, 2, "out", "*", 990, 10, 1, ""),
        (0, 2, "out", "backup", 0, 0, 0, ""),
        (0, 2, "out", "erp", 990, 10, 1, ""),
    ]


def test_several_owners_get_the_whole_record_and_the_total_counts_it_once(windows: LinkWindows) -> None:
    windows.add(records(BOTH, ERP, OWNED_BY_NOBODY, NO_RULE, egress_interface=0), None, NAMES, NOW + 2000)
    assert rows(only(windows.close(NOW + 70_000)))[4:] == [
        (0, 1, "in", "*", 4000, 40, 4, ""),
        (0, 1, "in", "", 2000, 20, 2, ""),
        (0, 1, "in", "backup", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 2000, 20, 2, ""),
    ]


def test_duplicates_count_at_every_hop_and_are_told_apart(windows: LinkWindows) -> None:
    windows.add(records(ERP, ERP, BOTH, exporter_id=[0, 1, 1]), np.array([False, True, False]), NAMES, NOW + 2000)
    batch = only(windows.close(NOW + 70_000))
    assert [row[:5] for row in rows(batch) if row[3] == "erp"] == [
        (0, 1, "in", "erp", 1000), (0, 2, "out", "erp", 1000), (1, 1, "in", "erp", 2000), (1, 2, "out", "erp", 2000),
    ]  # fmt: skip
    assert doubles(batch) == [
        (0, "*", 1, 1000, 0, 0),
        (0, "erp", 1, 1000, 0, 0),
        (1, "*", 1, 1000, 1, 1000),
        (1, "backup", 1, 1000, 0, 0),
        (1, "erp", 1, 1000, 1, 1000),
    ]


def test_sampled_records_are_scaled_and_marked(windows: LinkWindows) -> None:
    windows.add(records(ERP, NO_RULE, sampling_rate=[100, 1]), None, NAMES, NOW + 2000)
    assert rows(only(windows.close(NOW + 70_000)))[:3] == [
        (0, 1, "in", "*", 101_000, 1010, 2, "s"),
        (0, 1, "in", "", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 100_000, 1000, 1, "s"),
    ]


def test_octets_are_spread_over_the_time_of_the_flow_and_the_record_counts_where_it_ends(windows: LinkWindows) -> None:
    windows.add(
        records(ERP, flow_start_milliseconds=NOW + 55_000, flow_end_milliseconds=NOW + 74_999), None, NAMES,
        NOW + 75_000,
    )  # fmt: skip
    found = windows.close(NOW + 130_000)
    assert [
        (one.interval_milliseconds, one.interval_start_milliseconds - NOW, *rows(one)[0][4:7]) for one in found
    ] == [
        (60_000, 0, 250, 2, 0),
        (60_000, 60_000, 750, 8, 1),
    ]


def test_a_late_record_makes_a_revision_of_the_direction_it_changes_in_full(windows: LinkWindows) -> None:
    windows.add(records(ERP, BACKUP, ingress_interface=[1, 3]), None, NAMES, NOW + 2000)
    first = only(windows.close(NOW + 70_000))
    windows.add(records(BACKUP, egress_interface=0), None, NAMES, NOW + 71_000)
    second = only(windows.close(NOW + 130_000))
    assert (first.revision, second.revision) == (0, 1)
    assert [row for row in rows(second) if row[1]] == [
        (0, 1, "in", "*", 2000, 20, 2, ""),
        (0, 1, "in", "backup", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 1000, 10, 1, ""),
    ]
    assert windows.close(NOW + 140_000) == []


def test_what_is_too_late_or_in_the_future_is_lost_and_counted(windows: LinkWindows) -> None:
    late, future = NOW - 400_000, NOW + 120_000
    windows.add(
        records(ERP, ERP, flow_start_milliseconds=[late, future], flow_end_milliseconds=[late, future]),
        None, NAMES, NOW,
    )  # fmt: skip
    counters = windows.counters
    assert (counters.late_records, counters.late_octets) == (1, 1000)
    assert (counters.future_records, counters.future_octets) == (1, 1000)
    assert windows.flush() == []


def test_discarded_packets_came_in_and_never_went_out_and_no_interface_is_kept_apart(windows: LinkWindows) -> None:
    windows.add(
        records(ERP, ERP, record_quality=[32, 0], ingress_interface=[1, 2**31], egress_interface=[2, 3]),
        None, NAMES, NOW + 2000,
    )  # fmt: skip
    assert [row[:5] for row in rows(only(windows.close(NOW + 70_000))) if row[3] == "*"] == [
        (0, 0, "in", "*", 1000), (0, 1, "in", "*", 1000), (0, 3, "out", "*", 1000),
    ]  # fmt: skip


def test_what_an_exporter_tells_twice_under_two_domains_counts_once_and_line_cards_count_each(
    windows: LinkWindows,
) -> None:
    batch = records(ERP, ERP, ERP, observation_domain_id=[1, 2, 2], source_transport_port=[5, 5, 6])
    windows.add(batch, np.array([False, True, False]), NAMES, NOW + 2000)
    found = only(windows.close(NOW + 70_000))
    assert rows(found)[0] == (0, 1, "in", "*", 2000, 20, 2, "")
    assert doubles(found)[0] == (0, "*", 2, 2000, 1, 1000)
    assert windows.counters.repeated == 1
    cards = LinkWindows(LIMITS)
    cards.add(records(ERP, ERP, observation_domain_id=[1, 2], ingress_interface=[1, 3]), None, NAMES, NOW + 2000)
    assert cards.counters.repeated == 0


def test_interfaces_beyond_the_bound_are_counted_and_make_room_when_they_are_silent() -> None:
    windows = LinkWindows(replace(LIMITS, max_interfaces=3))
    windows.add(records(*[ERP] * 4, ingress_interface=[1, 2, 3, 4], egress_interface=0), None, NAMES, NOW + 2000)
    assert (windows.counters.refused, windows.counters.incomplete) == (2, 2)
    assert [row[:3] for row in rows(only(windows.close(NOW + 70_000))) if row[3] == "*"] == [
        (0, 0, "out"), (0, 1, "in"), (0, 2, "in"),
    ]  # fmt: skip
    later = NOW + 600_000
    windows.close(later)
    windows.add(records(ERP, ingress_interface=4, egress_interface=0, flow_start_milliseconds=later,
                        flow_end_milliseconds=later), None, NAMES, later)  # fmt: skip
    windows.close(later + 70_000)
    assert windows.counters.refused >= 2
    windows.add(records(ERP, ingress_interface=5, flow_start_milliseconds=later + 60_000, egress_interface=0,
                        flow_end_milliseconds=later + 60_000), None, NAMES, later + 70_000)  # fmt: skip
    found = only(windows.close(later + 130_000))
    assert [row[:5] for row in rows(found) if row[3] == "*"] == [(0, 0, "out", "*", 1000), (0, 5, "in", "*", 1000)]


def test_what_is_in_use_keeps_its_sums_when_unused_interfaces_make_room() -> None:
    windows = LinkWindows(replace(LIMITS, max_interfaces=3))
    windows.add(records(*[ERP] * 3, ingress_interface=[1, 2, 3], egress_interface=0), None, NAMES, NOW + 2000)
    windows.close(NOW + 70_000)
    windows.add(records(BACKUP, egress_interface=0), None, NAMES, NOW + 71_000)
    assert rows(only(windows.close(NOW + 130_000)))[-3:] == [
        (0, 1, "in", "*", 2000, 20, 2, ""),
        (0, 1, "in", "backup", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 1000, 10, 1, ""),
    ]


def test_new_names_keep_what_the_old_ones_held(windows: LinkWindows) -> None:
    windows.add(records(ERP), None, NAMES, NOW + 2000)
    windows.add(records(0, 1), None, names_of(["crm"], ["erp"], generation=2), NOW + 3000)
    assert rows(only(windows.close(NOW + 70_000)))[:3] == [
        (0, 1, "in", "*", 3000, 30, 3, ""),
        (0, 1, "in", "crm", 1000, 10, 1, ""),
        (0, 1, "in", "erp", 2000, 20, 2, ""),
    ]


def test_names_that_change_without_end_are_given_up() -> None:
    windows = LinkWindows(replace(LIMITS, max_cells=256))
    for number in range(100):
        windows.add(records(0), None, names_of([f"b{number}"], generation=number), NOW + 2000)
    totals = [row for one in windows.close(NOW + 70_000) for row in rows(one) if row[2:4] == ("in", "*")]
    assert [row[6] for row in totals] == [65, 35]
    assert windows.counters.restarts == 1


def test_a_clock_that_is_set_back_far_emits_and_begins_anew(windows: LinkWindows) -> None:
    windows.add(records(ERP), None, NAMES, NOW + 2000)
    back = windows.close(NOW - 3_600_000)
    assert [one.interval_milliseconds for one in back] == [60_000]
    assert windows.counters.restarts == 1


def test_a_flow_that_goes_on_is_metered_where_its_record_has_not_ended(windows: LinkWindows) -> None:
    windows.add(
        records(ERP, ERP, flow_direction=[1, 0], flow_end_milliseconds=[NOW + 70_000, NOW + 2000]), None, NAMES,
        NOW + 70_000,
    )  # fmt: skip
    first = windows.close(NOW + 130_000)[0]
    assert next(row for row in rows(first) if row[:4] == (0, 2, "out", "*")) == (0, 2, "out", "*", 855, 8, 0, "")


def test_nothing_in_means_nothing_out(windows: LinkWindows) -> None:
    warm()
    windows.add(records(), None, NAMES, NOW)
    assert (windows.flush(), len(FlowBatch.zeros(0))) == ([], 0)

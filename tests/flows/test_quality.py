from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btimd.flows.plan import PlanEntry
from btimd.flows.quality import FINE_MILLISECONDS, QualityLimits, QualityWindows, warm
from btimd.flows.qualityrows import QualityInterval
from btimd.kernels._jit import ALL_KERNELS
from btimd.model.quality import COUNTERS, Durations, QualityBatch, QualityRow
from tests.flows.connections import counted, near, quality_batch, span, took
from tests.flows.traffic import ERP, NOBODY, SHARED, T0, WEST, attribution

MINUTE = 60_000
NEVER = 10**15
PROMPT = QualityLimits(grace_seconds=2.0, lateness_seconds=20.0)


def stamps(intervals: list[QualityInterval]) -> list[tuple[int, int, int]]:
    """Return start in s after T0, length in s and revision of each interval."""
    return [
        ((one.interval_start_milliseconds - T0) // 1000, one.interval_milliseconds // 1000, one.revision)
        for one in intervals
    ]


def attempts(interval: QualityInterval) -> list[tuple[str, str, str, int]]:
    """Return business, region, server and attempted connections of each row."""
    return [(row.business, row.region, row.server, row.connections_attempted) for row in interval.rows]


def test_records_and_durations_become_one_row_per_business_place_and_server() -> None:
    windows = QualityWindows(attribution())
    windows.add(
        span(
            counted("10.1.0.1", connections_attempted=4, connections_refused=1),
            counted("10.1.9.9", connections_attempted=2, segments_to_server=10, segments_retransmitted_to_server=1),
            took("response", 0.1, "10.1.0.1"),
            took("response", 0.3, "10.1.9.9"),
            took("server_leg", 0.01, "10.1.9.9"),
            packets=990,
            lost=10,
        ),
        T0 + 1000,
    )
    fine, coarse = windows.flush()
    assert stamps([fine, coarse]) == [(0, 10, 0), (0, 60, 0)]
    assert fine.rows == (
        QualityRow(
            interval_start_milliseconds=T0,
            interval_milliseconds=10_000,
            revision=0,
            business="erp",
            region="east",
            segment="floor 1",
            server=f"{ERP}:443",
            connections_attempted=6,
            connections_refused=1,
            segments_to_server=10,
            segments_retransmitted_to_server=1,
            server_leg=Durations(1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, (231,), (1,)),
            response=Durations(
                2,
                near(0.2),
                0.1,
                near(0.1, rel=0.02),
                near(0.3, rel=0.02),
                near(0.3, rel=0.02),
                0.3,
                (288, 316),
                (1, 1),
            ),
            capture_loss_ratio=0.01,
        ),
    )
    assert coarse.rows == (replace(fine.rows[0], interval_milliseconds=MINUTE),)


def test_every_owner_of_a_service_gets_the_record_and_unattributed_traffic_names_no_server() -> None:
    windows = QualityWindows(attribution())
    many = [counted(server=NOBODY, port=port, connections_attempted=1) for port in range(50)]
    windows.add(span(counted("10.2.0.1", SHARED, connections_attempted=3), *many), T0)
    assert attempts(windows.flush()[0]) == [
        ("", "east", "", 50),
        ("erp", "west", f"{SHARED}:5432", 3),
        ("hr", "west", f"{SHARED}:5432", 3),
    ]


def test_connections_that_a_server_of_a_business_opens_count_for_it_without_naming_whom_it_asks() -> None:
    windows = QualityWindows(attribution())
    batch = quality_batch(counted(SHARED, NOBODY, connections_attempted=2))
    batch.ports[0] = 5432
    windows.add(replace(span(), quality=batch), T0)
    assert attempts(windows.flush()[0]) == [("erp", "", "", 2), ("hr", "", "", 2)]


def test_an_interval_closes_after_the_grace_and_late_records_make_it_a_revision_with_full_sums() -> None:
    windows = QualityWindows(attribution(), PROMPT)
    windows.add(span(counted(connections_attempted=1), counted("10.2.0.1", connections_attempted=5)), T0 + 1000)
    assert windows.close(T0 + 11_999) == []
    first = windows.close(T0 + 12_000)
    windows.add(
        span(counted(at=9_999, connections_attempted=2), counted(at=15_000, connections_attempted=4)), T0 + 16_000
    )
    assert windows.close(T0 + 21_999) == []
    second = windows.close(T0 + 22_000)
    assert (stamps(first), stamps(second)) == ([(0, 10, 0)], [(0, 10, 1), (10, 10, 0)])
    assert attempts(first[0]) == [("erp", "east", f"{ERP}:443", 1), ("erp", "west", f"{ERP}:443", 5)]
    assert attempts(second[0]) == [("erp", "east", f"{ERP}:443", 3)]
    minute = windows.close(T0 + 62_000)
    assert stamps(minute) == [(0, 60, 0)]
    assert attempts(minute[0]) == [("erp", "east", f"{ERP}:443", 7), ("erp", "west", f"{ERP}:443", 5)]
    windows.add(span(counted("10.2.0.1", at=30_000, connections_attempted=1)), T0 + 81_000)
    late = windows.close(T0 + 82_000)
    assert stamps(late) == [(30, 10, 0), (0, 60, 1)]
    assert windows.cells == 0
    assert windows.flush() == []


def test_sketches_of_six_intervals_make_the_quantiles_of_the_minute() -> None:
    windows = QualityWindows(attribution())
    samples = [0.001 * (1 + number) for number in range(60)]
    windows.add(span(*(took("response", one, at=1000 * at) for at, one in enumerate(samples))), T0 + MINUTE)
    found = windows.flush()
    assert stamps(found) == [(at, 10, 0) for at in range(0, 60, 10)] + [(0, 60, 0)]
    response = found[-1].rows[0].response
    assert (response.count, response.p50_seconds, response.p95_seconds) == (
        60,
        near(0.030, rel=0.02),
        near(0.057, rel=0.02),
    )
    assert (response.least_seconds, response.mean_seconds, response.greatest_seconds) == (
        0.001,
        near(0.0305),
        0.06,
    )


def test_what_is_too_late_or_in_the_future_is_lost_and_counted() -> None:
    windows = QualityWindows(attribution(), PROMPT)
    windows.add(span(counted(at=-1, requests=1), took("response", 1.0, at=-1)), T0 + 22_000)
    assert (windows.late, windows.future, windows.records, windows.samples) == (2, 0, 1, 1)
    windows.add(span(counted(at=89_999, requests=1), counted(at=90_000, requests=1)), T0 + 22_000)
    assert (windows.late, windows.future) == (2, 1)
    assert stamps(windows.flush()) == [(80, 10, 0), (60, 60, 0)]


def test_servers_without_room_count_in_their_place_places_in_their_business_and_all_is_counted_once() -> None:
    places = [PlanEntry(f"10.{number}.0.0/16", f"region {number}", "", "", number) for number in range(9)]
    windows = QualityWindows(attribution(*places), QualityLimits(max_cells=8))
    clients = [f"10.{number}.0.1" for number in range(9)]
    windows.add(span(*(counted(client, connections_attempted=1) for client in clients)), T0)
    found = windows.flush()[0]
    assert attempts(found) == [
        ("erp", "", "", 1),
        *(("erp", f"region {number}", f"{ERP}:443", 1) for number in range(6)),
        *(("erp", f"region {number}", "", 1) for number in (6, 7)),
    ]
    assert windows.overflowed == 3
    assert windows.cells == 9


def test_memory_is_bounded_however_many_servers_there_are() -> None:
    limits = QualityLimits(grace_seconds=2.0, lateness_seconds=20.0, future_seconds=10.0, max_cells=64)
    windows = QualityWindows(attribution(PlanEntry("0.0.0.0/0", "all", "", "", 1)), limits)
    rng = np.random.default_rng(7)
    size = 0
    for second in range(0, 300, 5):
        told = [counted(server=ERP, at=1000 * second, requests=1), took("response", 0.1, at=1000 * second)]
        batch = quality_batch(*told * 200)
        batch.addresses[1] = batch.sample_addresses[1] = (0xFFFF << 32) + rng.integers(0, 2**32, 200)
        batch.addresses[3, ::2] = batch.sample_addresses[3, ::2] = (0xFFFF << 32) + rng.integers(0, 2**32, 100)
        windows.add(replace(span(), quality=batch), T0 + 1000 * second)
        windows.close(T0 + 1000 * second)
        size = max(size, windows.octets)
    intervals = (60 + 20 + 2 + 10) // 10 + 1
    assert windows.cells <= intervals * 64
    assert size < intervals * 1_000_000


def test_however_many_clients_of_a_place_there_are_they_take_one_cell_per_server() -> None:
    subject = attribution()
    windows = QualityWindows(subject, QualityLimits(max_cells=16))
    many = [counted(server=ERP, requests=1) for _ in range(500)]
    batch = quality_batch(*many)
    batch.addresses[1] = (0xFFFF << 32) + np.arange(500)  # all at the unknown place
    windows.add(replace(span(), quality=batch), T0)
    assert windows.cells == 1
    assert windows.overflowed == 0


def test_new_plan_and_rules_keep_what_open_intervals_hold() -> None:
    windows = QualityWindows(attribution())
    windows.add(span(counted(connections_attempted=1), took("response", 0.1), packets=3, lost=1), T0)
    windows.swap(attribution(WEST, businesses=("hr", "erp"), generation=2))
    assert windows.attribution.generation == 2
    windows.add(span(counted(connections_attempted=2), counted("10.2.0.1", SHARED, connections_attempted=8)), T0 + 1000)
    found = windows.flush()[0]
    assert attempts(found) == [
        ("erp", "", f"{ERP}:443", 2),
        ("erp", "east", f"{ERP}:443", 1),
        ("erp", "west", f"{SHARED}:5432", 8),
        ("hr", "west", f"{SHARED}:5432", 8),
    ]
    assert found.rows[1].response.count == 1
    assert found.rows[1].capture_loss_ratio == 0.25


def test_a_clock_set_far_back_emits_everything_and_begins_anew() -> None:
    windows = QualityWindows(attribution(), PROMPT)
    windows.add(span(counted(at=3_600_000, requests=1), packets=1), T0 + 3_600_000)
    windows.add(span(counted(requests=2), packets=1), T0)
    assert windows.restarts == 1
    assert stamps(windows.close(T0)) == [(3600, 10, 0), (3600, 60, 0)]
    assert stamps(windows.close(T0 + 12_000)) == [(0, 10, 0)]


def test_what_the_capture_lost_shows_on_every_interval_it_may_belong_to_and_only_on_its_own_traffic() -> None:
    windows = QualityWindows(attribution())
    windows.add(span(counted(requests=1), point=1, packets=50), T0 + 9_500)
    windows.add(span(counted(at=10_000, requests=1), point=1, packets=30, lost=20), T0 + 10_500)
    windows.add(span(counted("10.2.0.1", at=10_000, requests=1), point=2), T0 + 10_500)
    windows.add(span(counted("9.9.9.9", at=10_000, requests=1), point=3, packets=5), T0 + 10_500)
    first, second, _ = windows.flush()
    assert [row.capture_loss_ratio for row in first.rows] == [0.2]
    assert [(row.region, row.capture_loss_ratio) for row in second.rows] == [("", 0.0), ("east", 0.4), ("west", None)]


def test_a_batch_of_unequal_columns_is_refused() -> None:
    nothing = QualityBatch.empty()
    with pytest.raises(ValueError, match=r"protocol is \(1,\), wanted \(0,\)"):
        replace(nothing, protocol=np.zeros(1, np.uint8))


def test_a_row_has_every_counter_and_its_ratios_are_unknown_where_there_was_nothing() -> None:
    empty = QualityRow(T0, FINE_MILLISECONDS, 0, "erp", "", "", "")
    assert [getattr(empty, name) for name in COUNTERS] == [0] * len(COUNTERS)
    ratios = (
        "refused_ratio", "unanswered_ratio", "retransmission_to_server_ratio", "retransmission_to_client_ratio",
        "out_of_order_ratio", "unseen_ratio", "nxdomain_ratio", "servfail_ratio", "dns_unanswered_ratio",
    )  # fmt: skip
    assert [getattr(empty, name) for name in ratios] == [None] * len(ratios)
    counts: dict[str, Any] = {name: number + 1 for number, name in enumerate(COUNTERS)}
    full = replace(empty, **counts)
    assert [getattr(full, name) for name in ratios] == [1.0, 1.0, 1.0, 1.0, 1.0, 27 / (27 + 15), 1.0, 1.0, 1.0]
    some = replace(empty, connections_attempted=4, connections_refused=1, connections_unanswered=5, dns_answers=2)
    assert (some.refused_ratio, some.unanswered_ratio, some.nxdomain_ratio) == (0.25, 1.0, 0.0)


def test_nothing_compiles_after_warm() -> None:
    def compiled() -> list[int]:
        return [len(getattr(kernel, "signatures", ())) for kernel in ALL_KERNELS]

    warm()
    before = compiled()
    windows = QualityWindows(attribution())
    windows.add(span(counted(requests=1), took("response", 0.1)), T0)
    windows.add(span(counted(at=10_000, requests=1), took("response", 0.1, at=10_000)), T0)
    assert len(windows.flush()) == 3
    assert compiled() == before

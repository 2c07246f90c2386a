import math
from dataclasses import replace

import numpy as np
import pytest

from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.flows.linkbatches import Doubles, LinkBatch
from btimd.flows.linkrows import duplication_rows, points_of
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows
from btimd.model.topology import DuplicationRow
from tests.flows.linkcrafting import NOW, names_of, records


@pytest.fixture
def batch() -> LinkBatch:
    """A minute of one record that two exporters report."""
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    told = records(0, 0, exporter_id=[0, 1], egress_interface=0, octet_delta_count=7500)
    windows.add(told, np.array([False, True]), names_of(["erp"]), NOW + 2000)
    return windows.close(NOW + 70_000)[-1]


def test_points_carry_names_where_there_are_any_and_utilisation_of_totals_only(batch: LinkBatch) -> None:
    points = points_of(
        batch, {0: "core"}, lambda exporter, interface: ("wan", 1000) if not exporter and interface else ("", 0)
    )
    rows = list(zip(*points.tags.values(), points.fields["octets"].tolist(), strict=True))
    assert rows == [
        ("core", "0", "out", "*", "60s", 7500),
        ("core", "0", "out", "erp", "60s", 7500),
        ("core", "wan", "in", "*", "60s", 7500),
        ("core", "wan", "in", "erp", "60s", 7500),
        ("1", "0", "out", "*", "60s", 7500),
        ("1", "0", "out", "erp", "60s", 7500),
        ("1", "1", "in", "*", "60s", 7500),
        ("1", "1", "in", "erp", "60s", 7500),
    ]
    utilisation = points.fields["utilisation"].tolist()
    assert utilisation[2] == 1.0
    assert [math.isnan(one) for one in utilisation].count(True) == 7


def test_all_exporters_together_count_what_each_counts(batch: LinkBatch) -> None:
    start = NOW, 60_000
    assert list(duplication_rows(batch, {0: "core"})) == [
        DuplicationRow(*start, "*", "*", 1, 7500, 1, 7500, 2.0),
        DuplicationRow(*start, "*", "erp", 1, 7500, 1, 7500, 2.0),
        DuplicationRow(*start, "1", "*", 0, 0, 1, 7500, None),
        DuplicationRow(*start, "1", "erp", 0, 0, 1, 7500, None),
        DuplicationRow(*start, "core", "*", 1, 7500, 0, 0, 1.0),
        DuplicationRow(*start, "core", "erp", 1, 7500, 0, 0, 1.0),
    ]


def test_a_sample_of_flows_is_scaled_to_all_and_says_how_sure_it_is(batch: LinkBatch) -> None:
    def sampled(counted: int, duplicate: int, compared: float) -> DuplicationRow:
        records, octets = (np.array([value]) for value in (counted, 100 * counted))
        twice = np.array([duplicate]), np.array([100 * duplicate])
        told = Doubles(np.zeros(1, np.int32), np.full(1, -2, np.int32), records, octets, *twice)
        return next(duplication_rows(replace(batch, doubles=told, compared=compared), {0: "core"}))

    start = NOW, 60_000, "*", "*"
    # 64,000 records, half of them duplicates, of which the sample shows 500
    assert sampled(63_500, 500, 1 / 64) == DuplicationRow(
        *start, 32_000, 3_200_000, 32_000, 3_200_000, 2.0, 1 / 64, 1 / math.sqrt(500)
    )
    # about all are duplicates: what is left is no more than the error of the estimate
    assert sampled(6300, 99, 1 / 64) == DuplicationRow(*start, 63, 6300, 6336, 633_600, None, 1 / 64, 1 / math.sqrt(99))
    assert sampled(6300, 100, 1 / 65) == DuplicationRow(*start, 0, 0, 6400, 640_000, None, 1 / 65, 0.1)
    assert sampled(100, 0, 1 / 64) == DuplicationRow(*start, 100, 10_000, 0, 0, 1.0, 1 / 64, None)
    assert sampled(100, 0, 0.0) == DuplicationRow(*start, 100, 10_000, 0, 0, None, 0.0, None)


def test_a_factor_from_the_sample_is_that_of_all_flows() -> None:
    duplicates = Duplicates(DuplicateLimits(threshold=1.0), seed=3)
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    count, names = 20_000, names_of(["erp"])
    duplicates.mark(records(0, 0, exporter_id=[0, 1]).flows, NOW)
    for exporter in (0, 1):
        told = records(*[0] * count, exporter_id=exporter, source_transport_port=list(range(count)))
        windows.add(told, duplicates.mark(told.flows, NOW), names, NOW + 2000, duplicates.compared)
    (batch,) = windows.close(NOW + 70_000)
    row = next(duplication_rows(batch, {}))
    assert row.compared == 1 / 64
    assert row.relative_error == pytest.approx(math.sqrt(64 / count), rel=0.2)
    assert row.duplication_factor == pytest.approx(2.0, rel=3 * math.sqrt(64 / count))


def test_in_a_minute_of_a_sample_and_of_all_flows_nobody_knows() -> None:
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    for compared in (1 / 64, 1.0):
        windows.add(records(0), None, names_of(["erp"]), NOW + 2000, compared)
    later = records(0, flow_start_milliseconds=NOW + 60_000, flow_end_milliseconds=NOW + 60_000)
    windows.add(later, None, names_of(["erp"]), NOW + 62_000, 1.0)
    assert [one.compared for one in windows.close(NOW + 130_000)] == [0.0, 1.0]

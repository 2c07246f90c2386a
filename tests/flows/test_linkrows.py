import math

import numpy as np
import pytest

from btimd.flows.linkrows import duplication_rows, points_of
from btimd.flows.linkwindows import LinkBatch, LinkLimits, LinkWindows
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

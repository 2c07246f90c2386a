"""Columns and their invariants."""

import numpy as np
import pytest

from btimd.model.flowbatch import COLUMN_NAMES, AttributedBatch, FlowBatch


def test_given_columns_are_set_and_the_rest_is_zero_with_a_sampling_rate_of_one() -> None:
    batch = FlowBatch.of(octet_delta_count=[2**62, 5], vlan_id=[1, 2])

    assert [row["octet_delta_count"] for row in batch.rows()] == [2**62, 5]
    assert next(batch.rows()) == dict.fromkeys(COLUMN_NAMES, 0) | {
        "octet_delta_count": 2**62,
        "vlan_id": 1,
        "sampling_rate": 1,
    }


def test_batches_are_joined_and_cut_in_order() -> None:
    joined = FlowBatch.concat([FlowBatch.of(vlan_id=[1, 2]), FlowBatch.zeros(0), FlowBatch.of(vlan_id=[3])])

    assert (joined["vlan_id"].tolist(), joined.head(2)["vlan_id"].tolist(), len(FlowBatch.concat([]))) == (
        [1, 2, 3],
        [1, 2],
        0,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"vlan_id": np.zeros(2, np.int64)},
        {"vlan_id": np.zeros(3, np.uint16)},
        {"vlan_id": np.zeros(4, np.uint16)[::2]},
        {"surprise": np.zeros(2, np.uint16)},
    ],
)
def test_columns_of_another_type_length_layout_or_name_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError):
        FlowBatch(dict(FlowBatch.zeros(2).columns) | change)


def test_an_attribution_of_another_length_is_refused() -> None:
    ids, sides = np.zeros(1, np.int32), np.zeros(1, np.uint8)

    with pytest.raises(ValueError, match="attribution of 1 records for a batch of 2"):
        AttributedBatch(FlowBatch.zeros(2), ids, ids, sides, 1)

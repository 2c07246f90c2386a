"""What it costs every fault that all of some questions are good: made once per model, since nearly all of them are.

An incident begins with thousands of indicators of which a few are bad. Charging every suspect for all that are good
takes most of the first step; from what is known here only the groups with a bad one have to be taken back.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from btimd.kernels.noisyor import good_cost
from btimd.rca.faultmodel import Calm, FaultModel, FloatArray, Group, IntArray

GROUPS_AT_ONCE: Final = 48
"""Of so many groups the rows are made at once."""


def calm_of(
    model: FaultModel, questions: Sequence[int], groups: Sequence[int], weight: float, doubt: float, shared: float
) -> Calm:
    """Return what it costs every fault of the model that all of these are good. See Search.observe_many.

    doubt, shared: group_doubt and group_shared of the options of the searches that will use it.
    """
    ids = np.array(questions, np.int64)
    weights = np.full(len(ids), weight)
    names = named_groups(ids, np.array(groups, np.int64))
    members = {name: (ids[places], weights[places]) for name, places in zip(*places_by_group(names), strict=True)}
    count = model.fault_count
    cost, total, luck, each = (np.zeros(count) for _ in range(4))
    touched = np.zeros(count, np.int32)
    charged = list(members.values())
    for first in range(0, len(charged), GROUPS_AT_ONCE):
        begin, part, part_weight = joined(charged[first : first + GROUPS_AT_ONCE])
        rows = model.rows_among(part, model.every_fault)
        good_cost(
            begin, rows.starts, rows.faults, rows.detection, part_weight, doubt, shared, 1.0, total, luck, each,
            touched, cost,
        )  # fmt: skip
    return Calm(questions, groups, weight, doubt, shared, members, cost)


def named_groups(questions: IntArray, groups: IntArray) -> IntArray:
    """Return a name for the group of each question; those without one are groups of their own."""
    return np.where(groups >= 0, groups, -2 - questions)


def places_by_group(names: IntArray) -> tuple[list[int], list[IntArray]]:
    """Return the names in the order in which they come first, and where each of them stands."""
    found, first, place, counts = np.unique(names, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(place.reshape(-1), kind="stable")
    ends = np.cumsum(counts)
    # The groups keep the order of their first answers, so that sums are made in the same order each time.
    turn = np.argsort(first, kind="stable")
    return found[turn].tolist(), [order[ends[one] - counts[one] : ends[one]] for one in turn]


def joined(groups: Sequence[Group]) -> tuple[IntArray, IntArray, FloatArray]:
    """Return where each group begins (int64[groups + 1]), all their questions, and all their weights."""
    begin = np.zeros(len(groups) + 1, np.int64)
    np.cumsum([len(questions) for questions, _ in groups], out=begin[1:])
    return begin, np.concatenate([one for one, _ in groups]), np.concatenate([weight for _, weight in groups])

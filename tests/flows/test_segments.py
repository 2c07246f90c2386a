import numpy as np
import pytest

from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.segments import compile_segments
from btimd.model.address import Prefix, address_halves
from btimd.model.service import ServiceRule


def test_each_segment_has_the_plan_row_and_the_candidates_by_rank() -> None:
    plan, _ = compile_plan([PlanEntry("10.0.0.0/8", "HQ", "", "", 2), PlanEntry("fd00::/8", "six", "", "", 3)], 1)
    rules = [ServiceRule("wide", (), Prefix.parse("10.0.0.0/16")), ServiceRule("host", (), Prefix.parse("10.0.0.7/32"))]
    segments = compile_segments(plan, rules, rank=[1, 0])
    asked = [
        address_halves(text) for text in ("9.9.9.9", "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.1.0.0", "fd00::1", "::")
    ]
    found = segments.locate(np.array([hi for hi, _ in asked], np.uint64), np.array([lo for _, lo in asked], np.uint64))
    assert [plan.rows[row].region if row >= 0 else "" for row in segments.row[found]] == ["", *["HQ"] * 4, "six", ""]
    offsets = segments.candidate_offsets
    candidates = [
        segments.candidate_rule[offsets[at] : offsets[at + 1]].tolist() if at >= 0 else []
        for at in segments.candidates[found]
    ]
    assert candidates == [[], [0], [1, 0], [0], [], [], []]


def test_halves_of_unequal_length_are_refused() -> None:
    plan, _ = compile_plan([], 1)
    with pytest.raises(ValueError, match="2 upper halves for 1 lower ones"):
        compile_segments(plan, [], []).locate(np.zeros(2, np.uint64), np.zeros(1, np.uint64))

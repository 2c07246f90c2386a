from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.plan import PlanEntry, PlanIndex, PlanProblem, compile_plan, range_text
from btimd.flows.segments import plan_ranges
from btimd.model.address import address_halves
from btimd.model.ipplan import IpPlan, PlanRow
from tests.kernels import oracle


def entries(*lines: tuple[str, str, str, str]) -> list[PlanEntry]:
    return [PlanEntry(*line, number) for number, line in enumerate(lines, start=2)]


def ranges(plan: IpPlan) -> list[tuple[str, PlanRow]]:
    return [(range_text(first, last), plan.rows[row]) for first, last, row in plan_ranges(plan)]


def test_each_attribute_comes_from_the_longest_prefix_that_fills_it() -> None:
    plan, problems = compile_plan(
        entries(
            ("10.1.2.0/24", "", "", "Wang"),
            ("10.0.0.0/8", "HQ", "", ""),
            ("10.1.0.0/16", "", "floor 1", ""),
            ("192.0.2.1", "DMZ", "", ""),
        ),
        generation=3,
    )
    assert problems == ()
    assert plan.generation == 3
    assert ranges(plan) == [
        ("10.0.0.0/16", PlanRow("HQ", "", "")),
        ("10.1.0.0/23", PlanRow("HQ", "floor 1", "")),
        ("10.1.2.0/24", PlanRow("HQ", "floor 1", "Wang")),
        ("10.1.3.0-10.1.255.255", PlanRow("HQ", "floor 1", "")),
        ("10.2.0.0-10.255.255.255", PlanRow("HQ", "", "")),
        ("192.0.2.1/32", PlanRow("DMZ", "", "")),
    ]


def test_neighbours_that_say_the_same_become_one_range() -> None:
    plan, _ = compile_plan(entries(("10.0.0.0/9", "HQ", "", ""), ("10.128.0.0/9", "HQ", "", "")), 1)
    assert ranges(plan) == [("10.0.0.0/8", PlanRow("HQ", "", ""))]


def test_all_of_ipv6_is_not_ipv4_and_all_of_ipv4_is_not_ipv6() -> None:
    plan, problems = compile_plan(entries(("::/0", "six", "", ""), ("0.0.0.0/0", "four", "", "")), 1)
    assert problems == ()
    assert ranges(plan) == [
        ("::-::fffe:ffff:ffff", PlanRow("six", "", "")),
        ("0.0.0.0/0", PlanRow("four", "", "")),
        ("::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", PlanRow("six", "", "")),
    ]


def test_every_problem_is_told_with_its_line_and_what_to_write() -> None:
    plan, problems = compile_plan(
        entries(
            ("10.0.0.0/8", "HQ", "", ""),
            ("10.2.3.4/16", "HQ", "", ""),
            ("10.0.0.0/8", "branch", "", ""),
            ("10.0.0.0/8", "HQ", "", ""),
            ("ten", "HQ", "", ""),
            ("10.3.0.4-10.3.0.9", "HQ", "", ""),
            ("10.3.*.*", "HQ", "", ""),
            ("11.0.0.0/8", "", "floor 1", ""),
            ("12.0.0.0/8", "", " ", ""),
            ("", "HQ", "", ""),
        ),
        1,
    )
    assert problems == (
        PlanProblem(3, "10.2.3.4/16 has host bits; write 10.2.0.0/16"),
        PlanProblem(4, "10.0.0.0/8 has other values in line 2; keep one of the two lines"),
        PlanProblem(5, "10.0.0.0/8 is already in line 2; keep one of the two lines"),
        PlanProblem(6, "'ten' is no prefix; write an address and a length, for example 10.1.0.0/16"),
        PlanProblem(7, "'10.3.0.4-10.3.0.9' is no prefix; write a line each for 10.3.0.4/30, 10.3.0.8/31"),
        PlanProblem(8, "'10.3.*.*' is no prefix; write 10.3.0.0/16"),
        PlanProblem(9, "11.0.0.0/8 has no region, and no larger prefix gives it one; fill in the region"),
        PlanProblem(10, "12.0.0.0/8 says nothing; fill in region, segment or person, or delete the line"),
        PlanProblem(11, "the prefix is empty; write one, for example 10.1.0.0/16"),
    )
    assert ranges(plan)[0] == ("10.0.0.0/8", PlanRow("HQ", "", ""))


def test_no_lines_make_a_plan_that_knows_nobody() -> None:
    plan, problems = compile_plan([], 1)
    assert (ranges(plan), plan.rows, problems) == ([], (), ())


def test_the_index_yields_the_lines_around_an_address_longest_first() -> None:
    lines = entries(
        ("10.0.0.0/8", "HQ", "", ""), ("10.1.0.0/16", "", "s", ""), ("::/0", "six", "", ""), ("x", "", "", "")
    )
    index = PlanIndex(lines)
    assert list(index.covering(*address_halves("10.1.2.3"))) == [lines[1], lines[0]]
    assert list(index.covering(*address_halves("fd00::1"))) == [lines[2]]
    assert list(index.covering(*address_halves("11.0.0.1"))) == []


CELLS = st.tuples(st.sampled_from(["", "r1", "r2"]), st.sampled_from(["", "s1"]), st.sampled_from(["", "p1"])).filter(
    any
)
PREFIXES = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.0/25",
            "10.1.2.255/32", "255.255.255.255/32", "::/0", "::/1", "8000::/1", "fd00::/8", "fd00::1/128", "::/64"]  # fmt: skip
ADDRESSES = ["0.0.0.0", "10.0.0.0", "10.1.2.3", "10.1.2.128", "10.1.2.255", "10.1.3.0", "10.128.0.0", "11.0.0.0",
             "255.255.255.255", "255.255.255.254", "::", "::1", "fd00::1", "fd00::2", "::fffe:ffff:ffff", "::1:0:0:0",
             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]  # fmt: skip


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(PREFIXES), CELLS))
def test_the_plan_says_of_every_address_what_the_prefixes_around_it_say(given: dict[str, tuple[str, str, str]]) -> None:
    lines = [(prefix, *cells) for prefix, cells in given.items()]
    plan, _ = compile_plan(entries(*lines), 1)
    spans = [(first, last, plan.rows[row]) for first, last, row in plan_ranges(plan)]
    for text in ADDRESSES:
        hi, lo = address_halves(text)
        address = (hi << 64) | lo
        found = [row for first, last, row in spans if first <= address <= last]
        assert (found or [PlanRow("", "", "")]) == [PlanRow(*oracle.plan_row(lines, text))]

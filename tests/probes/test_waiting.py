from dataclasses import dataclass
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from btimd.model.budget import BudgetScope
from btimd.probes.scopes import Key
from btimd.probes.waiting import WaitingLines

A: Key = (BudgetScope.HOST, "a")
B: Key = (BudgetScope.HOST, "b")


@dataclass(eq=False)
class Job:
    name: str


def lines_of(*jobs: tuple[str, Key, float, bool]) -> tuple[WaitingLines[Job], dict[str, Job]]:
    lines: WaitingLines[Job] = WaitingLines()
    known = {}
    for order, (name, scope, at, urgent) in enumerate(jobs):
        known[name] = Job(name)
        lines.add(known[name], scope, at=at, expires_at=100.0 + order, urgent=urgent, order=order)
    return lines, known


def emptied(lines: WaitingLines[Job], scope: Key) -> list[str]:
    found = []
    while (head := lines.head(scope)) is not None:
        lines.take(scope)
        found.append(head.name)
    return found


def test_urgent_ones_go_first_then_who_came_first() -> None:
    lines, _ = lines_of(("1", A, 5.0, False), ("2", A, 5.0, True), ("3", A, 5.0, False), ("4", A, 5.0, True))
    assert len(lines) == 4
    assert emptied(lines, A) == ["2", "4", "1", "3"]
    assert len(lines) == 0


def test_a_line_is_due_at_its_earliest_time_and_only_once() -> None:
    lines, _ = lines_of(("1", A, 5.0, False), ("2", A, 3.0, False), ("3", B, inf, False))
    assert lines.next_at() == 3.0
    assert lines.due(2.9) == []
    assert lines.due(3.0) == [A]
    assert lines.due(3.0) == []
    lines.stay(A, 7.0)
    assert (lines.due(6.9), lines.due(7.0)) == ([], [A])


def test_room_in_a_scope_wakes_its_line_and_no_other() -> None:
    lines, _ = lines_of(("1", A, inf, False), ("2", B, inf, False))
    lines.has_room(B)
    lines.has_room((BudgetScope.HOST, "nobody waits for this"))
    assert lines.next_at() == -inf
    assert lines.due(0.0) == [B]


def test_whose_time_is_up_leaves() -> None:
    lines, known = lines_of(("1", A, inf, False), ("2", A, inf, False))
    assert lines.next_at() == 100.0
    assert lines.expired(100.0) == [known["1"]]
    assert emptied(lines, A) == ["2"]
    assert lines.expired(1000.0) == []


def test_one_that_somebody_begins_to_wait_for_goes_ahead() -> None:
    lines, known = lines_of(("1", A, inf, False), ("2", A, inf, False))
    lines.promote(known["2"])
    lines.promote(known["2"])
    lines.promote(Job("a stranger"))
    assert lines.due(0.0) == [A]
    assert len(lines) == 2
    assert emptied(lines, A) == ["2", "1"]
    assert lines.expired(1000.0) == []


def test_all_can_be_sent_away() -> None:
    lines, known = lines_of(("1", A, 1.0, False), ("2", B, 2.0, False))
    assert lines.clear() == list(known.values())
    assert (len(lines), lines.next_at(), lines.due(9.0)) == (0, inf, [])


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 30)), max_size=60))
def test_everybody_leaves_exactly_once(steps: list[tuple[int, bool, int]]) -> None:
    lines: WaitingLines[Job] = WaitingLines()
    added, left = [], []
    for now, (line, urgent, wait) in enumerate(steps):
        job = Job(str(now))
        added.append(job)
        scope = (BudgetScope.HOST, str(line))
        lines.add(job, scope, at=now + wait, expires_at=now + 2.0 * wait, urgent=urgent, order=now)
        if urgent:
            lines.promote(added[now // 2])
        left += lines.expired(float(now))
        for due in lines.due(float(now)):
            head = lines.head(due)
            if head is not None:
                lines.take(due)
                left.append(head)
        assert len(lines) == len(added) - len(left)
    left += lines.expired(1e9)
    assert sorted(job.name for job in left) == sorted(job.name for job in added)

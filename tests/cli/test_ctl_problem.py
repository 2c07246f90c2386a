"""btimctl problem and btimctl changes: what they ask and what they show."""

import json

import pytest

from btimd.api import calls_knowledge
from btimd.api.client import Page
from btimd.cli import ctl_history, ctl_problem
from btimd.model.knowledge import ChangeState, ProblemState
from btimd.model.knowledgework import ChangeFigures
from tests.cli.knowing import T0, Calls, lines, run
from tests.fakes.knowledge import CHANGE, CHANGES, DRAFT, EVENT, PROBLEM, PROPOSAL


@pytest.fixture(autouse=True)
def _shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ctl_history, ctl_problem):
        monkeypatch.setattr(module, "moment", lambda at: "-" if at is None else "11-14 22:13:20")
    monkeypatch.setattr(ctl_problem, "full_moment", lambda _: "2023-11-14 22:13:20 +0000")
    monkeypatch.setenv("COLUMNS", "130")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls(monkeypatch, calls_knowledge)
    made.answer("problems", Page([PROBLEM], False))
    made.answer("problem", (PROBLEM, [EVENT]))
    made.answer("proposals", Page([PROPOSAL], False))
    made.answer("dismiss", PROPOSAL)
    made.answer("on_problem", PROBLEM)
    made.answer("change_request_text", "Request for change: ora1 dies\n")
    made.answer("draft_of_problem", DRAFT)
    made.answer("changes", Page([CHANGE], False))
    made.answer("change", (CHANGE, [EVENT]))
    made.answer("change_figures", CHANGES)
    for name in ("plan_change", "end_change", "blame_change"):
        made.answer(name, CHANGE)
    return made


def test_problems_known_errors_and_proposals_are_shown(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("problem list", "problem known-errors", "problem proposals", "problem list --all --limit 5"):
        assert run(ctl_problem, line) == 0
    shown = lines(capsys.readouterr().out)
    table = [
        "id state opened incidents node owner title",
        "PRB-1 known-error 11-14 22:13:20 2 ora1 wang ora1 dies",
    ]
    assert shown == [
        *table,
        "id incidents node change what", "PRB-1 2 ora1 - ora1 dies", "cause: a leak", "workaround: restart it",
        "proposed key incidents why", "11-14 22:13:20 ora1/down 1 Recurring: ora1: 3 incidents",
        *table,
    ]  # fmt: skip
    live = tuple(state for state in ProblemState if state is not ProblemState.CLOSED)
    known = (ProblemState.KNOWN_ERROR, ProblemState.RFC_RAISED)
    assert calls.made == [
        ("problems", {"states": live, "incident_id": "", "limit": 0}),
        ("problems", {"states": known, "limit": 0}),
        ("proposals",),
        ("problems", {"states": (), "incident_id": "", "limit": 5}),
    ]


def test_one_problem_is_shown_with_its_history(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_problem, "problem show PRB-1") == 0
    shown = lines(capsys.readouterr().out)
    assert shown[:5] == [
        "problem PRB-1, version 3", "title ora1 dies", "state known-error", "why recurring, ora1/down",
        "what is known every week",
    ]  # fmt: skip
    assert calls.made == [("problem", "PRB-1")]


@pytest.mark.parametrize(
    ("line", "what", "said"),
    [
        ("open t --incident INC-1 --incident INC-2 --node n --text d --owner li", "open",
         {"title": "t", "description": "d", "node": "n", "incidents": ["INC-1", "INC-2"], "owner": "li",
          "proposal_key": ""}),
        ("open --proposal ora1/down", "open",
         {"title": "", "description": "", "node": "", "incidents": [], "owner": "", "proposal_key": "ora1/down"}),
        ("investigate PRB-1", "investigate", {"problem_id": "PRB-1", "owner": ""}),
        ("note PRB-1 f", "note", {"problem_id": "PRB-1", "finding": "f"}),
        ("known-error PRB-1 c w --article KB-1", "known-error",
         {"problem_id": "PRB-1", "cause": "c", "workaround": "w", "article_id": "KB-1"}),
        ("rfc PRB-1 --change-id CHG-1", "rfc", {"problem_id": "PRB-1", "change_id": "CHG-1"}),
        ("link PRB-1 INC-1", "link", {"problem_id": "PRB-1", "incident_id": "INC-1"}),
        ("unlink PRB-1 INC-1 r", "unlink", {"problem_id": "PRB-1", "incident_id": "INC-1", "reason": "r"}),
        ("close PRB-1 patched", "close", {"problem_id": "PRB-1", "reason": "patched"}),
    ],
)  # fmt: skip
def test_each_step_is_asked_for(calls: Calls, line: str, what: str, said: dict[str, object]) -> None:
    assert run(ctl_problem, f"problem {line}") == 0
    assert calls.made == [("on_problem", what, said)]


def test_a_request_for_change_is_written_to_standard_output(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_problem, "problem rfc PRB-1 --change upgrade --risk none") == 0
    assert capsys.readouterr().out == "Request for change: ora1 dies\n"
    assert run(ctl_problem, "problem article PRB-1") == 0
    assert run(ctl_problem, "problem dismiss ora1/down drill") == 0
    assert lines(capsys.readouterr().out) == ["KB-2: draft 监听中断", "ora1/down: it is none"]
    assert calls.made == [
        ("change_request_text", "PRB-1", {"change": "upgrade", "risk": "none"}),
        ("draft_of_problem", "PRB-1"), ("dismiss", "ora1/down", "drill"),
    ]  # fmt: skip


def test_changes_are_shown_planned_and_ended(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (
        "list --state planned", "show CHG-1", "plan Upgrade 2023-11-15T06:13:20+08:00 --node ora1 --problem PRB-1",
        "end CHG-1 failed 'no disk'", "blame CHG-1 INC-1",
    ):  # fmt: skip
        assert run(ctl_problem, f"changes {line}") == 0
    assert lines(capsys.readouterr().out)[1] == "CHG-1 planned 11-14 22:13:20 - ora1 PRB-1 INC-9 Upgrade"
    assert calls.made == [
        ("changes", {"states": [ChangeState.PLANNED], "limit": 0}),
        ("change", "CHG-1"),
        ("plan_change", "Upgrade", T0, {"nodes": ["ora1"], "problem_id": "PRB-1"}),
        ("end_change", "CHG-1", ChangeState.FAILED, "no disk"),
        ("blame_change", "CHG-1", "INC-1", ""),
    ]


def test_the_rate_of_success_counts_no_change_whose_end_is_not_known(
    calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ctl_problem, "changes figures --since 7d") == 0
    calls.answer("change_figures", ChangeFigures(overdue=2))
    assert run(ctl_problem, "changes figures") == 0
    assert lines(capsys.readouterr().out) == [
        "60.0 % succeeded (3 of 5 made, without causing an incident)", "incidents caused: 1; cancelled: 1",
        "2 are over time, and nobody said how they ended",
        "no change was made (0 of 0 made, without causing an incident)", "incidents caused: 0; cancelled: 0",
        "2 are over time, and nobody said how they ended",
    ]  # fmt: skip
    assert calls.made[0] == ("change_figures", T0 - 7 * 86_400.0, T0)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    "line", ["problem list", "problem show PRB-1", "problem proposals", "changes list", "changes figures"]
)
def test_programs_get_lines_of_json(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_problem, line, as_json=True) == 0
    assert all(isinstance(json.loads(one), dict) for one in capsys.readouterr().out.splitlines())

"""btimctl knowledge: what it asks and what it shows."""

import json
from pathlib import Path

import pytest

from btimd.api import calls_knowledge
from btimd.api.client import Page
from btimd.cli import ctl_history, ctl_knowledge
from btimd.cli.ctl_articlefiles import read_article, text_of
from btimd.model.knowledge import ArticleQuery, ArticleState, Language, UseOutcome
from btimd.model.knowledgework import ArticleText
from tests.cli.knowing import Calls, lines, run
from tests.fakes.knowledge import ARTICLE, DRAFT, EVENT, FOUND, HELP, PROBLEM


@pytest.fixture(autouse=True)
def _shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctl_history, "moment", lambda _: "11-14 22:13:20")
    monkeypatch.setattr(ctl_knowledge, "full_moment", lambda _: "2023-11-14 22:13:20 +0000")
    monkeypatch.setenv("COLUMNS", "110")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls(monkeypatch, calls_knowledge)
    made.answer("search", Page([FOUND], True))
    made.answer("incident_help", calls_knowledge.Help(HELP.articles, PROBLEM.id, PROBLEM.title, "a leak", "restart it"))
    made.answer("article", (ARTICLE, [EVENT]))
    for name in ("draft", "edit", "on_article", "use"):
        made.answer(name, DRAFT)
    return made


def test_articles_are_shown_with_why_they_were_found(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_knowledge, "knowledge search 监听 中断 --class database --node ora1 --language zh --limit 3") == 0
    shown = capsys.readouterr()
    assert lines(shown.out) == [
        "id state language helped article", "KB-1 published zh 1 of 2 监听中断", "all of the words; helped 1 of 2 times",
    ]  # fmt: skip
    assert "there is more" in shown.err
    query = ArticleQuery("监听 中断", "database", "ora1", "", Language.ZH, (), 3)
    assert calls.made == [("search", query)]


@pytest.mark.usefixtures("calls")
def test_what_helps_with_an_incident_is_shown_known_error_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_knowledge, "knowledge for INC-1") == 0
    assert lines(capsys.readouterr().out) == [
        "known error PRB-1 ora1 dies", "cause: a leak", "workaround: restart it", "id fits article",
        "KB-1 50 % 监听中断", "the same node: ora1", "重启监听",
    ]  # fmt: skip


@pytest.mark.usefixtures("calls")
def test_one_article_is_shown_with_its_history_or_as_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(ctl_knowledge, "knowledge show KB-1") == 0
    shown = lines(capsys.readouterr().out)
    assert shown[:3] == ["article KB-1, version 4", "title 监听中断", "state published"]
    assert shown[-2:] == ["# when who what state why", "1 11-14 22:13:20 li drafted draft INC-1; n; why"]
    assert run(ctl_knowledge, "knowledge show KB-1 --file") == 0
    (tmp_path / "a.toml").write_text(capsys.readouterr().out)
    assert read_article(tmp_path / "a.toml") == text_of(ARTICLE)


def test_each_step_is_asked_for(calls: Calls, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('title = "t"\nsolution = "s"\n')
    text = ArticleText(title="t", solution="s")
    for line in (
        f"knowledge draft {path} --incident INC-1 --replaces KB-1", f"knowledge edit KB-2 {path} --expect-version 3",
        "knowledge submit KB-2", "knowledge review KB-2 fine", "knowledge reject KB-2 'no cause'",
        "knowledge publish KB-2", "knowledge retire KB-2 old", "knowledge use KB-2 INC-1 helped",
    ):  # fmt: skip
        assert run(ctl_knowledge, line) == 0
    assert calls.made == [
        ("draft", text, {"source_incident": "INC-1", "replaces": "KB-1"}),
        ("edit", "KB-2", text, 3),
        ("on_article", "submit", "KB-2", ""),
        ("on_article", "review", "KB-2", "fine"),
        ("on_article", "reject", "KB-2", "no cause"),
        ("on_article", "publish", "KB-2", ""),
        ("on_article", "retire", "KB-2", "old"),
        ("use", "KB-2", "INC-1", UseOutcome.HELPED),
    ]


def test_files_are_imported_with_ids_that_make_a_repeat_harmless_and_a_bad_one_costs_itself(
    calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "a.toml", tmp_path / "b.toml"
    good.write_text('title = "t"\n')
    bad.write_text("x")
    for _ in range(2):
        assert run(ctl_knowledge, f"knowledge import {bad} {good}") == 1
    assert "is no TOML" in capsys.readouterr().err
    first, again = calls.made
    assert first == again
    assert first[2].startswith("import-")


@pytest.mark.usefixtures("calls")
def test_articles_are_exported_as_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_knowledge, f"knowledge export {tmp_path / 'out'} --state draft") == 0
    assert read_article(tmp_path / "out" / "KB-1.toml") == text_of(ARTICLE)
    err = capsys.readouterr().err
    assert "wrote 1 articles" in err
    assert "there are more" in err


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("what", ["search x", "for INC-1", "show KB-1", "submit KB-1"])
def test_programs_get_lines_of_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_knowledge, f"knowledge {what}", as_json=True) == 0
    assert all(isinstance(json.loads(line), dict) for line in capsys.readouterr().out.splitlines())


def test_a_draft_that_waits_for_its_review_says_so(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    calls.answer("article", (DRAFT, []))
    assert run(ctl_knowledge, "knowledge show KB-2") == 0
    assert "state draft, waits for its review since 2023-11-14 22:13:20 +0000" in lines(capsys.readouterr().out)
    assert DRAFT.state is ArticleState.DRAFT

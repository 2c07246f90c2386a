# ruff: noqa: RUF001
#  Chinese has its own punctuation
from string import Formatter

from btimd.cli.story_phrases import (
    FACTS,
    HEALTHS,
    KINDS,
    LANGUAGES,
    NEXT,
    PARTS,
    SENTENCES,
    STATUSES,
    answers,
    kind_word,
    phrase,
    reason,
)
from btimd.model.diagnosis import FactKind, NodePart
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.verdict import VerdictStatus


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    for name, told in SENTENCES.items():
        assert set(told) == set(LANGUAGES), name
        assert places(told["zh"]) == places(told["en"]), name


def test_every_word_there_is_has_its_translation() -> None:
    assert (set(STATUSES), set(NEXT)) == (set(VerdictStatus), set(VerdictStatus))
    assert (set(HEALTHS), set(PARTS), set(KINDS), set(FACTS)) == (
        set(Health), set(NodePart), set(NodeKind), set(FactKind)
    )  # fmt: skip
    assert [kind_word(language, NodeKind.HOST) for language in LANGUAGES] == ["host", "主机"]
    own = {error for error in ErrorClass if error.phrase != "has failed"}
    assert {error for error in ErrorClass if phrase("zh", error) != "有故障"} == own


def test_reasons_are_translated_where_their_pattern_is_known() -> None:
    assert reason("zh", "settles whether it is db1, for cost 6") == "可确定是否为 db1，代价 6"
    assert reason("zh", "splits 3 suspects (a, b or the others): expected 0.50 bit for cost 1.5") == (
        "可把 3 个嫌疑分开（a, b 与其余），预期 0.50 比特，代价 1.5"
    )
    assert (
        reason("zh", "splits 3 suspects: expected 0.50 bit for cost 1") == "可把 3 个嫌疑分开，预期 0.50 比特，代价 1"
    )
    assert reason("zh", "something new") == "something new"
    assert reason("en", "it could not be asked") == "it could not be asked"


def test_only_answers_that_there_are_are_counted() -> None:
    assert [answers("en", bad=bad, good=good) for bad, good in ((0, 0), (1, 0), (1, 2))] == [
        "",
        "1 bad",
        "1 bad, 2 good",
    ]

# ruff: noqa: RUF001
#  Chinese has its own punctuation
from dataclasses import replace
from datetime import UTC

from btimd.cli.story_text import Chapter, chapters, headline
from btimd.model.diagnosis import DiagnosisStory
from btimd.model.symptom import Symptom
from btimd.model.verdict import NotAsked, VerdictStatus
from tests.fakes.diagnoses import shop_story


def by_title(story: DiagnosisStory, language: str = "en") -> dict[str, tuple[str, ...]]:
    told = chapters(story, "zh" if language == "zh" else "en", UTC)
    return {chapter.title: chapter.lines for chapter in told}


def test_the_story_goes_from_what_was_felt_to_what_happens_next() -> None:
    titles = [chapter.title for chapter in chapters(shop_story(), "en", UTC)]
    rounds = [title for title in titles if title.startswith("Round")]
    assert titles == [
        "What was felt", "What was known without asking", *rounds, "The verdict", "What speaks for it and against it",
        "What was not looked at", "What happens next", "Made again now",
    ]  # fmt: skip
    assert rounds[0].startswith("Round 1: ")
    assert rounds[0].endswith(" asked at the same moment, 0.3 s after the start")


def test_what_was_felt_and_known_is_said_with_its_time() -> None:
    told = by_title(shop_story())
    assert told["What was felt"] == ("ERP (erp) answers wrongly since 1970-01-01 00:16:39 +0000: erp-http is bad",)
    sign, change, first = told["What was known without asking"]
    assert sign == "seen at ERP (erp) at 01-01 00:16:39: 12 users get no answer (bad)"
    assert change == "ERP database (db1) was changed at 01-01 00:15:00: restarted"
    assert first.startswith("Likeliest at that moment: ")


def test_every_answer_has_its_reason_and_what_it_changed() -> None:
    lines = next(lines for title, lines in by_title(shop_story()).items() if title.startswith("Round 1: "))
    assert "db1-tcp of ERP database (db1): bad - db1-tcp is bad" in lines
    assert lines[lines.index("db1-tcp of ERP database (db1): bad - db1-tcp is bad") + 1].startswith(
        "  asked because it "
    )
    assert any(line.startswith("=> ERP database (db1) leads with ") for line in lines)
    assert any(line.startswith("   nearly ruled out: ") for line in lines)


def test_what_was_left_out_is_grouped_by_its_reason() -> None:
    left = (NotAsked("a", "a-1", "it could not be asked"), NotAsked("b", "", "it has no check of its own"))
    story = replace(shop_story(), verdict=replace(shop_story().verdict, not_asked=(*left, left[0])))
    assert by_title(story)["What was not looked at"] == ("a-1: it could not be asked", "b: it has no check of its own")
    assert by_title(story, "zh")["没有检查的部分"] == ("a-1：无法探测", "b：没有自己的检查项")


def test_second_causes_and_differences_are_said() -> None:
    verdict = replace(shop_story().verdict, causes=("db1", "dns1"))
    told = by_title(replace(shop_story(), verdict=verdict, differences=("cause: a before, b now",)))
    assert told["Other causes at the same time"] == ("dns1: it has a verdict of its own",)
    assert told["Made again now"] == ("not the same: cause: a before, b now",)
    assert by_title(replace(shop_story(), complete=False))["Made again now"][0].startswith("it cannot be made again")


def test_a_finding_of_every_status_has_a_sentence_in_chinese() -> None:
    story = shop_story()
    found = {status: replace(story.verdict, status=status) for status in VerdictStatus}
    for status in (VerdictStatus.UNKNOWN, VerdictStatus.NOT_CONFIRMED):
        found[status] = replace(found[status], cause=None, path=())
    told = {status: headline(replace(story, verdict=verdict), "zh") for status, verdict in found.items()}
    assert told[VerdictStatus.CAUSE_FOUND] == (
        "ERP database (db1) 拒绝连接；受影响业务：ERP，途经 erp → erp-web → erp-app → db1"
    )
    assert told[VerdictStatus.SHORTLIST].startswith("不确定，最可能是 db1 99 %")
    assert told[VerdictStatus.UNKNOWN] == "ERP 附近的故障原因未知；受影响业务：ERP"
    assert told[VerdictStatus.NOT_CONFIRMED] == "对 ERP 的探测失败，但用户仍得到服务：故障在探测自身的路径上"


def test_a_story_of_nothing_says_so() -> None:
    verdict = replace(shop_story().verdict, evidence=(), ranked=(), not_asked=(), cause=None, path=(), causes=())
    told = by_title(replace(shop_story(), verdict=verdict, symptoms=(), known=(), suspects=(), steps=()))
    assert told["What was felt"] == ("the symptoms are not on record",)
    assert told["What was known without asking"] == ("nothing that was fresh enough to count",)
    assert told["What was not looked at"] == ("nothing near the cause was left out",)
    assert "What speaks for it and against it" not in told


def test_users_of_a_region_are_named() -> None:
    (symptom,) = shop_story().symptoms
    here: Symptom = replace(symptom, region="north")
    assert by_title(replace(shop_story(), symptoms=(here,)))["What was felt"][0].endswith("(users of north)")
    assert Chapter("t", ()).lines == ()

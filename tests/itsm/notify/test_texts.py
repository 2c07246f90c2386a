# ruff: noqa: RUF001  full-width characters are meant
from dataclasses import replace

import pytest

from btimd.itsm.notify import words
from btimd.itsm.notify.sms import Alphabet, Size, size_of
from btimd.itsm.notify.templates import check
from btimd.itsm.notify.texts import Wording, folded, moment, plain, write
from btimd.model.incident import Priority
from btimd.model.notification import Means, NoticeKind, Order, Recipient
from tests.itsm.notify.examples import NOW, ORDER, ZHANG

JOHN = Recipient("john", "John", "en", "Europe/London")


def text(means: Means, order: Order = ORDER, person: Recipient = ZHANG, kind: NoticeKind = NoticeKind.ORDER) -> str:
    return write(kind, means, order, person, now=NOW, wording=Wording()).text


def test_an_order_by_sms_says_source_description_time_reporter_and_time_allowed_in_one_part() -> None:
    said = text(Means.SMS)

    assert said == "[P1] 支付 oracle01 监听中断 来源RCA 10:02 申报人NOC 限10:12接单 #4711 回复 1接 2退 3升"
    assert size_of(said) == Size(Alphabet.UCS2, 67, 1)


def test_the_same_in_english_stays_in_the_cheap_alphabet() -> None:
    order = replace(ORDER, title="listener “LSN1” stopped", business="payments")

    said = text(Means.SMS, order, JOHN)

    assert said == (
        '[P1] payments: listener "LSN1" stopped from RCA 02:02 by NOC accept by 02:12 #4711 '
        "reply 1 accept 2 return 3 escalate"
    )
    assert size_of(said).alphabet is Alphabet.GSM7


def test_a_long_description_is_cut_and_the_limits_stay() -> None:
    said = text(Means.SMS, replace(ORDER, description="数据库监听器不响应连接请求" * 50))

    assert size_of(said).parts == 2
    assert said.endswith("… 来源RCA 10:02 申报人NOC 限10:12接单 #4711 回复 1接 2退 3升")


def test_a_mail_has_everything_and_what_is_not_known_is_said() -> None:
    written = write(
        NoticeKind.ORDER, Means.EMAIL, replace(ORDER, users=None, resolve_due_at=None, accept_by=NOW + 86_400), ZHANG,
        now=NOW, wording=Wording(),
    )  # fmt: skip

    assert written.subject == "[P1] 请接单：支付 oracle01 监听中断 #4711"
    assert written.text.splitlines() == [
        "[P1] 请接单",
        "业务：支付 oracle01",
        "事件：监听中断",
        "来源：RCA",
        "发生时间：10:02",
        "申报人：NOC",
        "接单时限：11-21 10:02",
        "处理时限：未约定",
        "区域：北京",
        "受影响用户：未知",
        "原因：oracle01",
        "单号：#4711",
        "",
        "回复 1 接单；回复 2 加原因退单；回复 3 加原因请求升级",
    ]


def test_a_call_reads_the_number_digit_by_digit() -> None:
    assert text(Means.VOICE) == (
        "一级事件，支付 oracle零一，监听中断。请在10点12分之前接单。单号四七一一。接单请按1，退单请按2，升级请按3。"
    )
    assert text(Means.VOICE, person=JOHN).startswith("priority one incident. 支付 oracle zero one. 监听中断. Please")


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_users_of_a_business_are_told_how_it_stands(language: str) -> None:
    person = replace(ZHANG, language=language)
    said = {
        status: text(Means.SMS, replace(ORDER, status=status), person, NoticeKind.STATUS)
        for status in words.STATUS[language]
    }

    assert (
        said["restored"]
        == {
            "zh": "支付 oracle01 已恢复，请确认 监听中断 10:02起 #4711",
            "en": "支付 oracle01: works again, please confirm 监听中断 since 10:02 #4711",
        }[language]
    )
    assert len(set(said.values())) == len(words.STATUS[language])


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("means", Means)
def test_every_kind_has_words_for_every_means(language: str, kind: NoticeKind, means: Means) -> None:
    check(words.SHORT[language][kind], words.PLACEHOLDERS)
    check(words.SPOKEN[language][kind], words.PLACEHOLDERS)
    written = write(kind, means, ORDER, replace(ZHANG, language=language), now=NOW, wording=Wording())

    assert "4711" in written.text or "四七一一" in written.text or "four seven one one" in written.text
    assert written.subject
    assert "\n" not in written.subject
    assert ("1" in written.text.rpartition("4711")[2]) is (
        kind in {NoticeKind.ORDER, NoticeKind.REMINDER} and means is not Means.VOICE
    ) or means is Means.VOICE


def test_an_operators_template_takes_the_place_of_orders_only() -> None:
    wording = Wording({"zh": {Means.SMS: "{priority} {number} {title}"}}, sms_parts=1)

    assert write(NoticeKind.ORDER, Means.SMS, ORDER, ZHANG, now=NOW, wording=wording).text == "P1 4711 监听中断"
    assert "已撤回" in write(NoticeKind.RECALLED, Means.SMS, ORDER, ZHANG, now=NOW, wording=wording).text


def test_others_text_has_no_lines_and_no_control_characters() -> None:
    assert plain("a\r\nBcc: x\x00\x1b[31m\u202eb") == "a Bcc: x [31m b"
    hostile = replace(ORDER, title="x\r\nBcc: all@corp.test", number="1\n2", reporter="\x07" * 50)
    for means in Means:
        written = write(NoticeKind.ORDER, means, hostile, ZHANG, now=NOW, wording=Wording())
        assert "\r" not in written.subject + written.text
        assert "\nBcc" not in written.text
        assert "\n" not in written.subject


def test_a_long_title_leaves_the_number_in_the_subject() -> None:
    subject = write(
        NoticeKind.ORDER, Means.EMAIL, replace(ORDER, title="很长" * 90), ZHANG, now=NOW, wording=Wording()
    ).subject

    assert len(subject) == 120
    assert subject.endswith("… #4711")


@pytest.mark.parametrize(
    ("at", "said"),
    [(NOW, "10:02"), (NOW + 86_400, "11-21 10:02"), (NOW + 86_400 * 60, "2027-01-19 10:02"), (None, "未约定")],
)
def test_times_are_local_and_have_a_date_where_it_is_another(at: float | None, said: str) -> None:
    assert moment(at, NOW, "Asia/Shanghai", "zh") == said


def test_many_orders_are_one_text_with_as_many_numbers_as_fit() -> None:
    numbers = [str(1000 + n) for n in range(60)]

    assert folded(["1", "2", "3"], "zh") == "共3单待处理：#1 #2 #3。详见屏幕"
    short = folded(numbers, "en", sms_parts=1)
    assert size_of(short).parts == 1
    assert short.startswith("60 orders wait for you: #1000 #1001")
    assert short.endswith(". See the screen")


def test_an_unknown_language_is_the_first_one() -> None:
    assert text(Means.SMS, person=replace(ZHANG, language="fr")).startswith("[P1] 支付")
    assert text(Means.SMS, replace(ORDER, priority=Priority.P5)).startswith("[P5]")

# ruff: noqa: RUF001  full-width characters are meant
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.replies import REASON_LIMIT, parse_reply, parse_score
from btimd.itsm.notify.texts import Wording, write
from btimd.model.notification import Means, NoticeKind, ReplyAction, ReplyKind
from tests.itsm.notify.examples import NOW, ORDER, ZHANG

ACCEPT, RETURN, ESCALATE = ReplyKind.ACCEPT, ReplyKind.RETURN, ReplyKind.ESCALATE


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("1", ReplyAction(ACCEPT)),
        ("１", ReplyAction(ACCEPT)),
        ("\u200b 1 \r\n", ReplyAction(ACCEPT)),
        ("1接单", ReplyAction(ACCEPT)),
        ("接", ReplyAction(ACCEPT)),
        ("接单 #4711", ReplyAction(ACCEPT, "4711")),
        ("1 4711", ReplyAction(ACCEPT, "4711")),
        ("#4711 1", ReplyAction(ACCEPT, "4711")),
        ("@值班机器人 1 #4711", ReplyAction(ACCEPT, "4711")),
        ("ACK", ReplyAction(ACCEPT)),
        ("2 没空", ReplyAction(RETURN, "", "没空")),
        ("2没空 #4711", ReplyAction(RETURN, "4711", "没空")),
        ("退单：不在现场", ReplyAction(RETURN, "", "不在现场")),
        ("2\n正在处理别的单\n> [P1] 支付 #4711 回复 1接", ReplyAction(RETURN, "4711", "正在处理别的单")),
        ("3. need a DBA", ReplyAction(ESCALATE, "", "need a DBA")),
        ("升级 需要DBA #4711", ReplyAction(ESCALATE, "4711", "需要DBA")),
        ("1\n\nOn Fri, NOC wrote:\n> 2\n> #4711", ReplyAction(ACCEPT, "4711")),
        ("1\n-----Original Message-----\nFrom: btimd\n#4711 #4712", ReplyAction(ACCEPT)),
    ],
)
def test_an_answer_is_understood(text: str, action: ReplyAction) -> None:
    assert parse_reply(text) == action


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "12", "10", "1 2", "1.5 GB free", "1:30 meeting", "1月报表", "2月", "21", "1a", "接口故障", "升温",
        "returning soon", "ok", "收到", "回复 1接 2退 3升", "1接 2退 3升", "> 1", "hello\n1", "4", "0", "第1单",
    ],
)  # fmt: skip
def test_what_is_not_clearly_an_answer_is_none(text: str) -> None:
    assert parse_reply(text) is None


@pytest.mark.parametrize("means", [Means.SMS, Means.IM, Means.EMAIL])
def test_an_order_that_is_forwarded_does_not_accept_itself(means: Means) -> None:
    written = write(NoticeKind.ORDER, means, ORDER, ZHANG, now=NOW, wording=Wording())

    assert parse_reply(written.text) is None
    assert parse_reply("\n".join(f"> {line}" for line in written.text.splitlines())) is None
    quoted = "\n".join(f"> {line}" for line in written.text.splitlines())
    assert parse_reply(f"1\n\n{quoted}") == ReplyAction(ACCEPT, "4711")


@given(st.text(max_size=300) | st.text(alphabet="123#接退升单 \n>:.,-@\u200b47return", max_size=60))
def test_any_text_is_an_answer_or_none(text: str) -> None:
    action = parse_reply(text)

    assert action is None or (len(action.reason) <= REASON_LIMIT and len(action.number) <= 40)


def test_a_huge_text_is_read_at_its_beginning_only() -> None:
    assert parse_reply("2 " + "x" * 10_000_000) == ReplyAction(RETURN, "", "x" * REASON_LIMIT)
    assert parse_reply("#" * 1_000_000) is None
    assert parse_reply("@a " * 300_000) is None


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("score 5", 5), ("Score: 3\nthanks", 3), ("评分 4", 4), ("评分：１", 1), ("满意度2", 2),
        ("score 6", None), ("score 1.5", None), ("4", None), ("> score 5", None), ("I like it\nscore 5", None), ("", None),
    ],
)  # fmt: skip
def test_a_score_is_said_on_the_first_line_with_its_word(text: str, score: int | None) -> None:
    assert parse_score(text) == score

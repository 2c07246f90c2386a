# ruff: noqa: RUF001  full-width characters are meant
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.answers import SendResult
from btimd.itsm.notify.robots import TEXT_OCTETS, RobotKind, is_mobile, judged, lines_within, request_of
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means
from tests.itsm.notify.examples import NOW, notice

ORDER = notice(means=Means.IM, address="zhang", text="[P2] 请接单\n事件: *x* <@all> [a](b)\n单号: #4711")


def body(kind: str, made: Any = ORDER, secret: bytes = b"") -> Any:
    return json.loads(request_of(RobotKind(kind), "https://h/p?key=1", secret, made, NOW).body)


def test_wecom_is_sent_markdown_in_which_others_text_is_text() -> None:
    assert body("wecom") == {
        "msgtype": "markdown",
        "markdown": {"content": "**［P2］ 请接单**\n事件: ＊x＊ ＜＠all＞ ［a］（b）\n单号: ＃4711\n<@zhang>"},
    }
    by_number = body("wecom", notice(means=Means.IM, address="13800000000", text="[P2] a\nb"))
    assert by_number == {"msgtype": "text", "text": {"content": "[P2] a\nb", "mentioned_mobile_list": ["13800000000"]}}


def test_dingtalk_is_signed_in_its_address_and_mentions_by_list() -> None:
    request = request_of(
        RobotKind.DINGTALK, "https://h/robot/send?access_token=t", b"this is secret", ORDER, 1_577_262_236.757
    )

    # printf '1577262236757\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    assert request.url == (
        "https://h/robot/send?access_token=t&timestamp=1577262236757"
        "&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
    )
    made = body("dingtalk")
    assert made["at"] == {"atMobiles": [], "atUserIds": ["zhang"], "isAtAll": False}
    assert made["markdown"]["title"] == "[P2] 请接单 #4711"
    assert made["markdown"]["text"].endswith("单号: ＃4711  \n@zhang")


def test_feishu_is_sent_plain_parts_and_signed_in_its_body() -> None:
    made = body("feishu", secret=b"s")

    assert made["timestamp"] == str(int(NOW))
    assert made["msg_type"] == "post"
    assert made["content"]["post"]["zh_cn"]["content"] == [
        [{"tag": "text", "text": "[P2] 请接单"}],
        [{"tag": "text", "text": "事件: *x* <@all> [a](b)"}],
        [{"tag": "text", "text": "单号: #4711"}],
        [{"tag": "at", "user_id": "zhang"}],
    ]
    assert "sign" not in body("feishu")


def test_slack_is_escaped_as_slack_says() -> None:
    assert body("slack")["text"] == "*[P2] 请接单*\n事件: ＊x＊ &lt;@all&gt; [a](b)\n单号: #4711\n<@zhang>"


def test_teams_is_sent_runs_that_are_no_markdown_and_a_mention() -> None:
    card = body("teams")["attachments"][0]["content"]

    assert card["version"] == "1.4"
    assert card["body"][1] == {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": "事件: *x* <@all> [a](b)"}],
    }
    assert card["msteams"]["entities"][0]["mentioned"]["id"] == "zhang"


def test_a_webhook_of_ones_own_is_sent_the_fields() -> None:
    assert body("webhook") == {
        "id": "n-1", "incident": "inc-1", "dispatch": "d-1", "number": "4711", "priority": "P2", "kind": "order",
        "person": "zhang", "address": "zhang", "round": 0, "language": "zh", "subject": "[P2] 请接单 #4711", "text": ORDER.text,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "answer", "outcome"),
    [
        ("wecom", 200, {"errcode": 0}, Outcome(OutcomeKind.DELIVERED, "errcode 0")),
        ("wecom", 200, {"errcode": 45009, "errmsg": "freq"}, Outcome(OutcomeKind.RETRY_AFTER, "errcode 45009: freq", 60.0)),
        ("wecom", 200, {"errcode": -1, "errmsg": "busy"}, Outcome(OutcomeKind.SERVER_ERROR, "errcode -1: busy")),
        ("wecom", 200, {"errcode": 40058, "errmsg": "long"}, Outcome(OutcomeKind.REFUSED, "errcode 40058: long")),
        (
            "dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match, SEC-1"},
            Outcome(OutcomeKind.PAUSED, "errcode 310000: sign not match, ***; check address, secret and the robot's security settings"),
        ),
        ("dingtalk", 200, {"errcode": 130101}, Outcome(OutcomeKind.RETRY_AFTER, "errcode 130101: ", 600.0)),
        ("feishu", 200, {"code": 0, "msg": "success"}, Outcome(OutcomeKind.DELIVERED, "code 0")),
        ("feishu", 200, {"StatusCode": 0}, Outcome(OutcomeKind.DELIVERED, "code 0")),
        ("feishu", 200, {"code": True}, Outcome(OutcomeKind.UNCERTAIN, "the answer has no code; is this the address of a robot?")),
        ("feishu", 200, [], Outcome(OutcomeKind.UNCERTAIN, "the answer has no code; is this the address of a robot?")),
        ("feishu", 500, {}, Outcome(OutcomeKind.SERVER_ERROR, "HTTP 500")),
        ("slack", 429, {}, Outcome(OutcomeKind.RETRY_AFTER, "HTTP 429", 7.0)),
        ("slack", 404, "no_service", Outcome(OutcomeKind.PAUSED, "HTTP 404; check address and secret")),
        ("slack", 200, "invalid", Outcome(OutcomeKind.REFUSED, "Slack answered '\"invalid\"'")),
        ("teams", 200, "Webhook message delivery failed with error: HTTP error 429", Outcome(OutcomeKind.RETRY_AFTER, "Teams: HTTP error 429", 60.0)),
        ("teams", 200, "Webhook message delivery failed with error: HTTP error 413", Outcome(OutcomeKind.REFUSED, "Teams: HTTP error 4xx in the answer")),
        ("teams", 200, "message delivery failed", Outcome(OutcomeKind.SERVER_ERROR, "Teams: delivery failed")),
        ("teams", 202, "", Outcome(OutcomeKind.DELIVERED, "HTTP 202")),
        ("webhook", 504, "", Outcome(OutcomeKind.UNCERTAIN, "HTTP 504")),
        ("webhook", 302, "", Outcome(OutcomeKind.PAUSED, "HTTP 302; redirects are not followed, write the final address")),
        ("webhook", 422, "", Outcome(OutcomeKind.REFUSED, "HTTP 422")),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_status_and_body(kind: str, status: int, answer: object, outcome: Outcome) -> None:
    octets = json.dumps(answer).encode()
    result = judged(RobotKind(kind), status, {"Retry-After": "7"}, octets, now=NOW, secrets=("SEC-1",))

    assert result == SendResult(outcome)


@given(st.sampled_from(RobotKind), st.integers(100, 599), st.binary(max_size=100))
def test_any_answer_is_judged(kind: RobotKind, status: int, octets: bytes) -> None:
    assert judged(kind, status, {}, octets, now=NOW, secrets=()).outcome.kind in OutcomeKind


@given(st.text(max_size=3000), st.sampled_from(RobotKind))
def test_any_text_is_cut_to_what_the_robot_takes(text: str, kind: RobotKind) -> None:
    lines = lines_within(text * 5, TEXT_OCTETS[kind])

    assert sum(len(line.encode()) + 1 for line in lines) <= TEXT_OCTETS[kind] or len(lines) == 1
    assert request_of(kind, "https://h/", b"", notice(text=text), NOW).body


def test_the_longest_line_is_cut_and_the_others_stay() -> None:
    assert lines_within("[P1]\n" + "很长" * 100 + "\n#4711", 100)[::2] == ["[P1]", "#4711"]


def test_a_number_is_told_from_a_user() -> None:
    assert [is_mobile(text) for text in ("13800000000", "+8613800000000", "zhang", "123", "１３８００００")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_nothing_of_a_request_is_in_its_repr() -> None:
    assert repr(request_of(RobotKind.WECOM, "https://h/?key=abc", b"s", ORDER, NOW)) == "Request(method='POST')"

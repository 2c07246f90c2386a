import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.notify.callbacks import CallbackError, CallbackRules, Called, read_callback
from btimd.model.notification import Means, NoticeState
from btimd.model.posted import Posted
from tests.itsm.notify.examples import NOW

SECRET = b"a-token-of-the-gateway"
RULES = CallbackRules(
    "token", Means.SMS, "gw", "from", "text", "id", "sid", "status", ("DELIVRD",), ("READ",), ("UNDELIV", "EXPIRED"),
)  # fmt: skip
JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


def verify(posted: Posted, _secret: bytes) -> None:
    if posted.headers.get("webhook-signature") != "good":
        raise ValueError("the signature is wrong")


def post(body: bytes, kind: str = JSON, headers: dict[str, str] | None = None, **query: str) -> Posted:
    given_headers = {"authorization": f"Bearer {SECRET.decode()}"} if headers is None else headers
    return Posted("sms", given_headers, query, kind, body)


def read(posted: Posted, rules: CallbackRules = RULES) -> Called:
    return read_callback(rules, posted, SECRET, NOW, verify)


@pytest.mark.parametrize(
    "posted",
    [
        post(b'{"from": "138", "text": "1 #4711", "id": "7"}'),
        post(b"from=138&text=1+%234711&id=7", FORM),
        post(b"", "", {}, token=SECRET.decode(), id="7", text="1 #4711", **{"from": "138"}),
        post(b'{"from": 138, "text": "1 #4711", "id": 7}', headers={"x-btimd-token": SECRET.decode()}),
    ],
)
def test_an_answer_is_read_of_json_forms_and_queries(posted: Posted) -> None:
    assert read(posted) == Called("sms 7", "138", "1 #4711", "", None)


def test_without_an_id_the_whole_body_tells_one_answer_from_another() -> None:
    bodies = [b'{"from": "138", "text": "1"}', b'{"from": "138", "text": "1"}', b'{"from": "138", "text": "2"}']
    keys = [read(post(body)).key for body in bodies]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("said", "state"),
    [("DELIVRD", NoticeState.DELIVERED), ("READ", NoticeState.READ), ("EXPIRED", NoticeState.FAILED)],
)
def test_how_far_a_message_got_is_read(said: str, state: NoticeState) -> None:
    found = read(post(json.dumps({"sid": "p1", "status": said}).encode()))
    assert (found.refers, found.state) == ("p1", state)


def dingtalk(stamp: float, secret: bytes = SECRET) -> dict[str, str]:
    text = str(int(stamp * 1000))
    sign = base64.b64encode(hmac.new(secret, f"{text}\n".encode() + secret, hashlib.sha256).digest()).decode()
    return {"timestamp": text, "sign": sign}


def test_dingtalk_signs_its_own_way() -> None:
    rules = CallbackRules("dingtalk", Means.IM, "", "senderStaffId", "text.content", "msgId")
    body = json.dumps({"senderStaffId": "u1", "text": {"content": " 1 #4711 "}, "msgId": "m1"}).encode()
    assert read(post(body, headers=dingtalk(NOW)), rules) == Called("sms m1", "u1", " 1 #4711 ", "", None)
    for headers in (dingtalk(NOW - 3700), dingtalk(NOW, b"other"), {}, {"timestamp": "x", "sign": "y"}):
        with pytest.raises(CallbackError) as caught:
            read(post(body, headers=headers), rules)
        assert caught.value.status == 401


def test_a_signature_is_checked_by_the_scheme_of_webhooks() -> None:
    rules = CallbackRules("signed", Means.SMS, "", "from", "text")
    body = b'{"from": "138", "text": "1"}'
    assert read(post(body, headers={"webhook-signature": "good"}), rules).text == "1"
    with pytest.raises(CallbackError, match="signature is wrong"):
        read(post(body, headers={}), rules)


@pytest.mark.parametrize(
    ("posted", "status"),
    [
        (post(b"{}", headers={}), 401),
        (post(b"{}", headers={"authorization": "Basic x"}), 401),
        (post(b"{}"), 422),
        (post(b"[1]"), 400),
        (post(b"<xml/>", "text/xml"), 415),
        (post(b"x" * 70_000), 413),
        (post(b"&".join(b"a=1" for _ in range(300)), FORM), 400),
        (post(b'{"from": true, "text": ["1"]}'), 422),
    ],
)
def test_what_is_not_understood_or_not_allowed_is_refused(posted: Posted, status: int) -> None:
    with pytest.raises(CallbackError) as caught:
        read(posted)
    assert caught.value.status == status


@settings(max_examples=80)
@given(
    body=st.binary(max_size=300) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "text", "id"]), inner),
    ).map(lambda document: json.dumps(document).encode()),
    kind=st.sampled_from([JSON, FORM, "", "text/plain"]),
)  # fmt: skip
def test_whatever_is_posted_is_read_or_refused(body: bytes, kind: str) -> None:
    try:
        found: Any = read(post(body, kind))
    except CallbackError as refused:
        status = refused.status
    else:
        status = 200 if found.sender and found.text else 0
    assert status in {200, 400, 415, 422}

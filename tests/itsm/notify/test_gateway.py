import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.channels import gateway_of
from btimd.itsm.notify.gateway import GatewayTemplate, judged, request_of
from btimd.itsm.notify.settings import GatewaySettings
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.doubles import Double, said
from tests.itsm.notify.examples import NOW, notice
from tests.itsm.notify.test_post import secret

HOSTILE = '"}],"x":"&to=1\r\nX-Evil: 1 #%/?\\'
FIELDS: dict[str, Any] = {"to": "{to}", "text": "{text}", "nested": {"list": ["{number}", 7, True]}}
RULES = GatewayTemplate(
    "https://h/", ok_path="code", ok_values=("0",), busy_values=("8",), account_values=("5",), id_path="data.sid", text_path="msg"
)  # fmt: skip


def test_json_is_filled_value_by_value() -> None:
    template = GatewayTemplate("https://h/send", fields=FIELDS, headers={"X-Key": "k {secret}"})
    request = request_of(template, "s3", notice(text=HOSTILE))

    assert json.loads(request.body) == {"to": "13800000000", "text": HOSTILE, "nested": {"list": ["4711", 7, True]}}
    assert request.headers == {"X-Key": "k s3", "Content-Type": "application/json; charset=utf-8"}


def test_a_form_and_a_query_are_encoded() -> None:
    form = request_of(GatewayTemplate("https://h/", format="form", fields=FIELDS), "", notice(text=HOSTILE))
    assert parse_qs(form.body.decode())["text"] == [HOSTILE]
    query = request_of(
        GatewayTemplate("https://h/{to}/x?a=1", method="GET", fields={"m": "{text}"}, user="u"), "p", notice(address="+86/../1", text=HOSTILE)
    )  # fmt: skip
    assert urlsplit(query.url).path == "/%2B86%2F..%2F1/x"
    assert parse_qs(urlsplit(query.url).query) == {"a": ["1"], "m": [HOSTILE]}
    assert query.headers == {"Authorization": "Basic dTpw"}
    assert query.body == b""


@given(st.text(max_size=50))
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    given = notice(text=text, address=text)
    template = GatewayTemplate("https://h/a/{to}/b", fields=FIELDS, headers={"X": "{text}"})
    request = request_of(template, "", given)

    assert set(json.loads(request.body)) == {"to", "text", "nested"}
    assert urlsplit(request.url).netloc == "h"
    assert urlsplit(request.url).path.count("/") == 3
    assert all(c.isprintable() for c in request.headers["X"])


@pytest.mark.parametrize(
    ("answer", "outcome", "provider_id"),
    [
        ({"code": 0, "data": {"sid": "m-7"}}, Outcome(OutcomeKind.DELIVERED, "HTTP 200"), "m-7"),
        ({"code": "0"}, Outcome(OutcomeKind.DELIVERED, "HTTP 200"), ""),
        ({"code": 8}, Outcome(OutcomeKind.RETRY_AFTER, "code is '8'", 60.0), ""),
        ({"code": 5, "msg": "bad key s3cret"}, Outcome(OutcomeKind.PAUSED, "code is '5': bad key ***; check account and secret"), ""),
        ({"code": 22, "msg": "no such number"}, Outcome(OutcomeKind.REFUSED, "code is '22': no such number"), ""),
        ({}, Outcome(OutcomeKind.UNCERTAIN, "the answer has nothing at 'code'"), ""),
        ([], Outcome(OutcomeKind.UNCERTAIN, "the answer has nothing at 'code'"), ""),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_the_rules_given(answer: object, outcome: Outcome, provider_id: str) -> None:
    result = judged(RULES, 200, {}, json.dumps(answer).encode(), now=NOW, secrets=("s3cret",))

    assert (result.outcome, result.provider_id) == (outcome, provider_id)


def test_without_rules_the_status_is_enough() -> None:
    template = GatewayTemplate("https://h/")

    assert judged(template, 202, {}, b"", now=NOW, secrets=()).outcome.kind is OutcomeKind.DELIVERED
    assert judged(template, 400, {}, b"", now=NOW, secrets=()).outcome.kind is OutcomeKind.REFUSED


async def test_a_gateway_takes_a_message_and_names_it(clock: ManualClock, tmp_path: Path) -> None:
    async with Double(clock.wall, "webhook").up() as double:
        double.script = [said({"code": "0", "sid": 77}), said({"code": "9", "msg": "key gw-secret-1 is wrong"})]
        settings = GatewaySettings.model_validate({
            "means": "sms", "url": f"{double.url}/send", "fields": {"mobile": "{to}", "content": "{text}", "key": "{secret}"},
            "secret_file": secret(tmp_path / "key", "gw-secret-1"), "ok_path": "code", "ok_values": ["0"], "id_path": "sid",
            "text_path": "msg",
        })  # fmt: skip
        sender = gateway_of("gw", settings, clock)
        await sender.start()
        taken, refused = await sender.send(notice()), await sender.send(notice())
        await sender.stop()

    assert (taken.outcome.kind, taken.provider_id) == (OutcomeKind.DELIVERED, "77")
    assert refused.outcome == Outcome(OutcomeKind.REFUSED, "code is '9': key *** is wrong")
    assert json.loads(double.bodies[0]) == {"mobile": "13800000000", "content": notice().text, "key": "gw-secret-1"}

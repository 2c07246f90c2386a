from typing import Any

import pytest
from pydantic import ValidationError

from btimd.itsm.notify.ladder import DEFAULT_LADDERS, Channel, Rung
from btimd.itsm.notify.limits import CostCap, RateLimit
from btimd.itsm.notify.settings import GatewaySettings, MailSettings, NotifySettings, RobotSettings
from btimd.model.incident import Priority
from btimd.model.notification import Means, QuietHours

SMS: dict[str, Any] = {
    "means": "sms",
    "url": "https://sms.example/send",
    "format": "form",
    "fields": {"mobile": "{to}", "content": "【运维】{text}", "apikey": "{secret}", "tags": ["{id}"]},
    "secret_file": "/run/sms",
    "ok_path": "code",
    "ok_values": ["0"],
    "id_path": "sid",
    "cost": 0.05,
}
WHOLE: dict[str, Any] = {
    "ladder": {"P3": ["screen", "im", "voice after 2"]},
    "limit": {"sms": "3/10m"},
    "quiet": "22:00-07:30",
    "quiet_from": "P3",
    "cost_cap_per_day": 20,
    "text": {"zh": {"sms": "{priority} {title} #{number} 回复 1接"}},
    "robot": {"noc": {"kind": "wecom", "url_file": "/run/noc"}, "own": {"kind": "webhook", "url_file": "/run/own"}},
    "gateway": {"gw": SMS, "call": {**SMS, "means": "voice", "cost": 0.3}},
    "mail": {"corp": {"server": "mail.corp.test:587", "sender": "btimd@corp.test"}},
}


def test_the_settings_become_rules_channels_and_texts() -> None:
    settings = NotifySettings.model_validate(WHOLE)
    rules = settings.rules((60.0, 300.0, 600.0, 1800.0, 3600.0))

    assert rules.ladders[Priority.P3] == (Rung(0, Means.SCREEN), Rung(0, Means.IM), Rung(2, Means.VOICE))
    assert rules.ladders[Priority.P1] == DEFAULT_LADDERS[Priority.P1]
    assert (rules.renotify[Priority.P1], rules.renotify[Priority.P2]) == (60.0, 300.0)
    assert rules.limits[Means.SMS] == RateLimit(3, 600.0)
    assert rules.limits[Means.VOICE] == RateLimit(3, 900.0)
    assert rules.quiet == QuietHours(22 * 60, 7 * 60 + 30, from_priority=Priority.P3)
    assert rules.cost_cap == CostCap(20.0, Priority.P1)
    assert rules.channels == (
        Channel("screen", Means.SCREEN), Channel("noc", Means.IM), Channel("own", Means.WEBHOOK),
        Channel("gw", Means.SMS, 0.05), Channel("call", Means.VOICE, 0.3), Channel("corp", Means.EMAIL),
    )  # fmt: skip
    assert settings.wording().templates == {"zh": {Means.SMS: "{priority} {title} #{number} 回复 1接"}}
    assert NotifySettings().rules().channels == (Channel("screen", Means.SCREEN),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text": {"zh": {"sms": "{tilte}"}}}, "sms: unknown {tilte}; known: accept_by, business, cause, description,"),
        ({"text": {"zh": {"im": "{title.x}"}}}, "im: {title.x} is no plain name; write {name} only"),
        ({"ladder": {"P1": ["pigeon"]}}, "P1: 'pigeon' is no step; write a means (screen, im, email, sms, voice, webhook)"),
        ({"ladder": {"P1": ["sms after 1"]}}, "P1: nothing is sent at first"),
        ({"ladder": {"P1": ["sms", "sms after 1"]}}, "P1: a means stands there twice"),
        ({"limit": {"sms": "5 per hour"}}, "sms: '5 per hour' is no limit; write how many in how many minutes: \"5/15m\""),
        ({"quiet": "22-7"}, "'22-7' are no hours; write \"22:00-07:00\""),
        ({"robot": {"screen": {"kind": "wecom", "url_file": "x"}}}, "channel screen: the name is taken"),
        ({"gateway": {"x": {**SMS, "fields": {"a": {"b": ["{txt}"]}}}}}, "fields.a.b[0]: unknown {txt}; known: id, language,"),
        ({"gateway": {"x": {**SMS, "fields": {"a": "{to}"}}}}, "{text} stand nowhere in url or fields"),
        ({"gateway": {"x": {**SMS, "url": "https://{to}.example/"}}}, "the host of the url cannot be a template"),
        ({"gateway": {"x": {**SMS, "url": "http://sms.example/{secret}"}}}, "http to sms.example shows orders and secrets"),
        ({"gateway": {"x": {**SMS, "url": "https://u:p@sms.example/"}}}, "the url holds a user or password"),
        ({"gateway": {"x": {**SMS, "url": "sms.example"}}}, "the url cannot be called; write https://host/path"),
        ({"gateway": {"x": {**SMS, "secret_file": None}}}, "{secret} or user is used; give secret_file"),
        ({"gateway": {"x": {**SMS, "ok_values": []}}}, "ok_path and ok_values belong together"),
        ({"gateway": {"x": {**SMS, "headers": {"a b": "c"}}}}, "headers: 'a b' is no name of a header"),
        ({"mail": {"x": {"server": "m:25", "sender": "a b@c"}}}, "'a b@c' is no mailbox; write name@domain in ASCII"),
        ({"mail": {"x": {"server": "m:25", "sender": "a@c", "user": "u"}}}, "user and password_file belong together"),
        ({"answer": {"x": {"secret_file": "s", "means": "sms", "state_path": "st"}}}, "states need state_path, refers_path"),
        ({"answer": {"x": {"means": "sms"}}}, "answer.x.secret_file"),
        (
            {"mail": {"x": {"server": "m:25", "sender": "a@c", "user": "u", "password_file": "p", "security": "none"}}},
            "the password would go to m in the clear; use starttls or tls",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_to_write(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NotifySettings.model_validate(settings)
    assert message in str(refused.value)


def test_addresses_are_in_no_repr() -> None:
    gateway = GatewaySettings.model_validate(
        {**SMS, "url": "https://sms.example/k-0123456789", "headers": {"X": "hunter2"}}
    )

    assert "k-0123456789" not in repr(gateway)
    assert "hunter2" not in repr(gateway)
    assert "k-0123456789" not in repr(gateway.template())
    assert RobotSettings.model_validate({"kind": "feishu", "url_file": "/x", "per_minute": 7}).pace == 7
    assert MailSettings.model_validate({"server": "m:25", "sender": "a@b"}).security == "starttls"

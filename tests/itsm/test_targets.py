from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from btimd.itsm.emit.targets import sources_of, targets_of
from btimd.itsm.settings import ItsmSettings
from btimd.runtime.clock import ManualClock
from tests.fakes.journal import FakeJournal

URL = "https://desk.example"
PROFILES = Path(__file__).parents[2] / "config" / "profiles"


def everything(folder: Path) -> dict[str, dict[str, Any]]:
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("a-secret-of-24-octets-or-more")
    user = {"user": "btimd", "password_file": secret}
    there: dict[str, Any] = {"server": ("127.0.0.1", 9)}
    return {
        "webhook": {"secret_file": secret, "url": URL},
        "request_tracker": {"url": URL, "token_file": secret, "queue": "Q", "poll": "1m"},
        "redmine": {"url": URL, "key_file": secret, "project": "p", "tracker_id": 1, "incident_field": 1, "seq_field": 2, "states": {"new": 1}, "poll": "1m"},
        "servicenow": {"url": URL, "poll": "1m", **user},
        "servicenow_events": {"url": URL, **user},
        "jira": {"url": URL, "token_file": secret, "user": "me", "user_email": "me@x.test", "project": "P", "poll": "1m"},
        "jsm_alerts": {"key_file": secret},
        "pagerduty": {"key_file": secret},
        "alertmanager": {"url": URL},
        "profile": {"url": URL, "profile": PROFILES / "glpi.toml", "token_file": secret},
        "mail": {**there, "security": "none", "sender": "a@b.test", "recipients": ["c@d.test"]},
        "syslog": there,
        "snmp": {**there, "user": "u", "authentication_file": secret, "privacy_file": secret},
    }  # fmt: skip


async def test_every_kind_of_the_settings_is_built_started_and_stopped(tmp_path: Path) -> None:
    given = everything(tmp_path)
    settings = ItsmSettings.model_validate({kind: {kind.replace("_", "-"): section} for kind, section in given.items()})
    targets = targets_of(settings, FakeJournal(), ManualClock())
    for target in targets:
        await target.start()
    polled = [source.name for source in sources_of(settings, targets)]
    for target in targets:
        await target.stop()

    assert sorted(target.name for target in targets) == sorted(kind.replace("_", "-") for kind in given)
    assert sorted(name for _, name in settings.target_names()) == sorted(target.name for target in targets)
    assert sorted(polled) == ["jira", "redmine", "request-tracker", "servicenow"]
    assert {target.name: target.limits.refused_for_seconds for target in targets}["webhook"] == 0.0
    assert {target.name: target.limits.refused_for_seconds for target in targets}["redmine"] == 86_400.0


@pytest.mark.parametrize(
    ("kind", "change", "problem"),
    [
        ("redmine", {"url": "http://desk.example"}, "http to desk.example shows incidents to everybody"),
        ("redmine", {"url": "https://a:b@desk.example"}, "the url holds a user or password"),
        ("redmine", {"networks": ["10.0.0.1/8"]}, "is no network"),
        ("jira", {"user_email": ""}, "the cloud wants the e-mail address"),
        ("mail", {"server": ("mail.example", 25)}, "mail without TLS goes to this machine only"),
        ("mail", {"user": "x"}, "user and password_file belong together"),
        ("mail", {"recipients": ["a@b\nBcc: x@y"]}, "is no mail address"),
        ("mail", {"recipients": []}, "at least 1 item"),
        ("request_tracker", {"max_in_flight": 99}, "less than or equal to 16"),
    ],
)
def test_a_wrong_section_is_refused_with_what_to_do(tmp_path: Path, kind: str, change: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ItsmSettings.model_validate({kind: {"desk": {**everything(tmp_path)[kind], **change}}})


def test_names_are_unique_over_all_kinds(tmp_path: Path) -> None:
    given = everything(tmp_path)
    with pytest.raises(ValidationError, match="another target is called 'desk' too"):
        ItsmSettings.model_validate({"jira": {"desk": given["jira"]}, "redmine": {"desk": given["redmine"]}})

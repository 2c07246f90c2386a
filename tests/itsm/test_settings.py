from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from btimd.itsm.deadlines import TimerRules
from btimd.itsm.moment import LifecycleConfig
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.priority import ImpactLimits
from btimd.itsm.settings import ItsmSettings, WebhookSettings


def webhook(**changes: Any) -> WebhookSettings:
    return WebhookSettings(**{"url": "https://desk.example/hook", "secret_file": Path("/run/secret"), **changes})


def test_the_defaults_are_those_of_the_pure_parts() -> None:
    settings = ItsmSettings()

    assert settings.lifecycle_config() == LifecycleConfig()
    assert settings.impact_limits() == ImpactLimits()
    assert settings.delivery_rules() == DeliveryRules()


def test_timers_have_a_column_for_every_priority() -> None:
    settings = ItsmSettings.model_validate({"timers": {"wait": ["10s", "1m", "2m", "3m", "4m"]}})

    assert settings.lifecycle_config().timers == TimerRules(wait=(10.0, 60.0, 120.0, 180.0, 240.0))
    for wrong in (["10s"], ["10s"] * 6, ["0s"] * 5):
        with pytest.raises(ValidationError):
            ItsmSettings.model_validate({"timers": {"wait": wrong}})
    nothing_promised = ItsmSettings.model_validate({"timers": {"response": ["0s"] * 5}})
    assert nothing_promised.lifecycle_config().timers.response == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_other_rules_have_another_name_and_other_targets_have_not() -> None:
    plain = ItsmSettings().policy_version()

    assert ItsmSettings.model_validate({"max_candidates": 2}).policy_version() != plain
    assert ItsmSettings(source="/x", webhook={"desk": webhook()}).policy_version() == plain


def test_durations_are_written_with_units() -> None:
    assert ItsmSettings.model_validate({"reopen_within": "48h"}).reopen_within == 172_800.0


def test_a_matrix_is_checked() -> None:
    with pytest.raises(ValidationError, match="puts a lower urgency before a higher one"):
        ItsmSettings.model_validate({"priority_matrix": [[3, 2, 1], [3, 3, 4], [3, 4, 5]]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "ftp://desk.example/"}, "a url with scheme 'ftp' cannot be called"),
        ({"url": "https:///hook"}, "the url names no host"),
        ({"url": "https://ann:pw@desk.example/"}, "the url holds a user or password"),
        ({"url": "https://desk.example/#x"}, "the url has a #fragment"),
        ({"url": f"https://{'x' * 64}.example/"}, "the url is malformed"),
        ({"url": "https://desk.example:99999/"}, "the url is malformed"),
        ({"url": "http://desk.example/"}, "http to desk.example shows incidents to everybody on the way; use https"),
        ({"max_in_flight": 0}, "greater than or equal to 1"),
        ({"retries": 3}, "Extra inputs"),
    ],
)
def test_a_webhook_that_cannot_or_must_not_be_called_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        webhook(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://127.0.0.1:8080/x"},
        {"url": "http://[::1]/x"},
        {"url": "http://localhost/x"},
        {"url": "http://desk.example/", "allow_plain_http": True},
    ],
)
def test_plain_http_stays_on_this_machine_unless_asked_for(changes: dict[str, Any]) -> None:
    assert webhook(**changes).url == changes["url"]


def test_the_url_is_not_shown() -> None:
    assert "desk.example" not in repr(webhook())

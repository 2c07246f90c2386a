import pytest
from pydantic import ValidationError

from btimd.flows.settings import FlowSettings
from btimd.flows.users import UserLimits
from btimd.flows.windows import WindowLimits


def test_the_defaults_are_those_of_windows_and_users() -> None:
    assert FlowSettings().window_limits() == WindowLimits()
    assert FlowSettings().user_limits() == UserLimits()


def test_durations_are_written_with_units() -> None:
    settings = FlowSettings.model_validate({"grace": "5s", "lateness": "1h", "max_users": 2048, "user_idle": "20m"})
    assert settings.window_limits() == WindowLimits(grace_seconds=5.0, lateness_seconds=3600.0)
    assert settings.user_limits() == UserLimits(2048, 60.0, 1200.0)


@pytest.mark.parametrize("given", [{"grace": 5}, {"lateness": "7d"}, {"max_cells": 1}, {"windows": "10s"}])
def test_what_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FlowSettings.model_validate(given)

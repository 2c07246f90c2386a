import pytest
from pydantic import ValidationError

from btimd.model.indicator import Threshold
from btimd.probes.budget import BudgetLimits
from btimd.probes.settings import ProbeSettings


def test_the_defaults_are_the_budgets_and_the_thresholds_own() -> None:
    settings = ProbeSettings()
    assert settings.limits == BudgetLimits()
    assert settings.threshold == Threshold()


def test_durations_are_written_with_their_unit() -> None:
    settings = ProbeSettings.model_validate({"share_within": "500ms", "confirm_after": "1s", "back_off_max": "1m"})
    assert (settings.share_within, settings.confirm_after, settings.limits.back_off_max_seconds) == (0.5, 1.0, 60.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"bad_of": 4}, "bad_of = 4 of window = 3 can never be met; write bad_of <= window"),
        ({"light_per_second": 0}, "greater than 0"),
        ({"share_within": 1}, "is no duration"),
        ({"concurrency": 1}, "Extra inputs"),
        (
            {"snmp": {"edge": {"address": "fe80::1%eth0"}}},
            "is an address with an interface; write an address that needs",
        ),
    ],
)
def test_what_cannot_work_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProbeSettings.model_validate(table)


def test_plugins_are_switched_off_until_somebody_names_their_folders() -> None:
    plugins = ProbeSettings().plugins
    assert (plugins.directories, plugins.user) == ((), "")


@pytest.mark.parametrize(
    "key", ["concurrent", "cpu_seconds", "memory_bytes", "processes", "open_files", "output_bytes"]
)
def test_limits_of_plugins_cannot_be_nothing(key: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to"):
        ProbeSettings.model_validate({"plugins": {key: 0}})

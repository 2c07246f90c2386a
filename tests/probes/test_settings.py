import pytest
from pydantic import ValidationError

from btimd.model.indicator import Flapping, Threshold
from btimd.model.service import CheckKind
from btimd.probes.budgetlimits import BudgetLimits, Limit
from btimd.probes.settings import ProbeSettings

KEYS = ("per_second", "concurrent", "octets_per_second", "")


def test_the_defaults_are_the_budgets_and_the_thresholds_own() -> None:
    settings = ProbeSettings()
    limits, bare = settings.limits, BudgetLimits()
    assert (limits.host_limit.per_second, limits.server_limit) == (bare.light_per_second, bare.server_limit)
    assert (limits.device.per_second, limits.device.heavy_burst, limits.reserve) == (20.0, 12, 0.25)
    assert settings.threshold == Threshold()
    assert settings.flapping == Flapping()


def test_kinds_and_subnets_have_limits_of_their_own() -> None:
    settings = ProbeSettings.model_validate(
        {
            "kinds": {"http": {"per_second": 5}},
            "subnets": {"branch": {"prefix": "10.2.0.0/16", "concurrent": 2, "octets_per_second": 4000}},
        }
    )
    assert settings.limits.kinds == {
        CheckKind.HTTP: Limit(
            per_second=5.0,
            burst=10,
            keys=tuple(f"probes.kinds.http.{key}" if key else "" for key in KEYS),  # type: ignore[arg-type]
        )
    }
    (subnet,) = settings.limits.subnets
    assert (str(subnet.prefix), subnet.limit.concurrent, subnet.limit.octets_per_second) == ("10.2.0.0/16", 2, 4000.0)
    assert subnet.limit.keys[1] == "probes.subnets.branch.concurrent"


def test_durations_are_written_with_their_unit() -> None:
    settings = ProbeSettings.model_validate({"share_within": "500ms", "confirm_after": "1s", "back_off_max": "1m"})
    assert (settings.share_within, settings.confirm_after, settings.limits.back_off_max_seconds) == (0.5, 1.0, 60.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"bad_of": 4}, "bad_of = 4 of window = 3 can never be met; write bad_of <= window"),
        ({"light_per_second": 0}, "greater than 0"),
        ({"share_within": 1}, "is no duration"),
        ({"subnets": {"a": {"prefix": "10.0.0.1/8"}}}, 'has host bits set; write "10.2.0.0/16"'),
        ({"kinds": {"telepathy": {}}}, "Input should be"),
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

import pytest

from btimd.lab.settings import LabSettings


def test_the_standard_pace_is_one_at_which_tiers_give_up_from_the_bottom() -> None:
    settings = LabSettings()
    assert settings.slow_seconds < settings.application_patience_seconds < settings.web_patience_seconds
    assert settings.web_patience_seconds < settings.user_patience_seconds


def test_tiers_that_would_give_up_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must grow in this order"):
        LabSettings(web_patience_seconds=0.9)
    with pytest.raises(ValueError, match="must grow in this order"):
        LabSettings(slow_seconds=0.0)


@pytest.mark.parametrize("wrong", [{"users_per_segment": 0}, {"think_seconds": 0.0}])
def test_an_enterprise_without_users_or_thought_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one user"):
        LabSettings(**wrong)  # type: ignore[arg-type]  # a float where one field wants an int

import pytest
from pydantic import ValidationError

from btimd.sla.settings import SlaSettings


def test_durations_are_written_with_their_unit() -> None:
    settings = SlaSettings.model_validate({"availability_percent": 99.9, "stale_after": "2m"})
    assert (settings.availability_percent, settings.stale_after, settings.save_every) == (99.9, 120.0, 5.0)


@pytest.mark.parametrize("written", [{"availability_percent": 101.0}, {"months_kept": 0}, {"stale_after": "long"}])
def test_what_makes_no_sense_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SlaSettings.model_validate(written)

import pytest
from pydantic import ValidationError

from btimd.rca.events import EngineOptions
from btimd.rca.settings import RcaSettings


def test_the_defaults_are_those_of_the_engine() -> None:
    assert RcaSettings().options() == EngineOptions()


def test_durations_are_written_with_their_unit() -> None:
    settings = RcaSettings.model_validate({"max_duration": "20s", "grace": "500ms", "confidence": 0.7})
    assert settings.options() == EngineOptions(max_seconds=20.0, grace_seconds=0.5, confident=0.7, walk_ends=0.6)


@pytest.mark.parametrize("written", [{"confidence": 1.5}, {"max_probes": 0}, {"grace": "fast"}, {"confidance": 0.9}])
def test_what_makes_no_sense_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RcaSettings.model_validate(written)

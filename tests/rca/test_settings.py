import pytest
from pydantic import ValidationError

from btimd.model.service import Provenance
from btimd.rca.events import EngineOptions
from btimd.rca.growth import GrowthOptions
from btimd.rca.settings import GrowthSettings, RcaSettings


def test_the_defaults_are_those_of_the_engine() -> None:
    assert RcaSettings().options() == EngineOptions()


def test_durations_are_written_with_their_unit() -> None:
    settings = RcaSettings.model_validate({"max_duration": "20s", "grace": "500ms", "confidence": 0.7})
    assert settings.options() == EngineOptions(max_seconds=20.0, grace_seconds=0.5, confident=0.7, walk_ends=0.6)


@pytest.mark.parametrize("written", [{"confidence": 1.5}, {"max_probes": 0}, {"grace": "fast"}, {"confidance": 0.9}])
def test_what_makes_no_sense_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RcaSettings.model_validate(written)


def test_growth_counts_nothing_unless_it_is_told_to() -> None:
    assert GrowthSettings().options() == GrowthOptions()
    written = {"use": "all", "min_confidence": 0.8, "half_life": "1d", "most": 5}
    both = frozenset({Provenance.TOPOLOGY, Provenance.FLOWS})
    assert GrowthSettings.model_validate(written).options() == GrowthOptions(
        counts=both, min_confidence=0.8, half_life_seconds=86_400.0, most=5
    )
    assert GrowthSettings(use="topology").options().counts == {Provenance.TOPOLOGY}

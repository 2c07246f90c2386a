import pytest
from pydantic import ValidationError

from btimd.capture.settings import CaptureSettings, NetflowSettings
from btimd.capture.wire.decoder import DecodeLimits


def test_the_defaults_listen_on_both_families_and_match_the_decoders() -> None:
    assert CaptureSettings().netflow.listen == (("0.0.0.0", 2055), ("::", 2055))
    assert NetflowSettings().decode_limits() == DecodeLimits()


def test_what_the_operator_wrote_reaches_the_decoder() -> None:
    settings = CaptureSettings.model_validate(
        {"netflow": {"listen": ["[::1]:9995"], "default_sampling_rate": 100, "pending_age": "10s", "max_exporters": 7}}
    )
    assert settings.netflow.listen == (("::1", 9995),)
    assert settings.netflow.decode_limits() == DecodeLimits(
        default_sampling_rate=100, pending_milliseconds=10_000, max_exporters=7
    )


@pytest.mark.parametrize("wrong", [{"listen": ["2055"]}, {"default_sampling_rate": 0}, {"colour": 1}])
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NetflowSettings.model_validate(wrong)

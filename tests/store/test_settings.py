"""What an operator may write under [store], and what is said about mistakes."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from btimd.store.settings import StoreKind, StoreSettings


def test_nothing_written_is_an_embedded_store_that_keeps_400_days() -> None:
    settings = StoreSettings()
    assert (settings.kind, settings.keep, settings.flush_every) == (StoreKind.EMBEDDED, 400 * 86_400.0, 1.0)


def test_everything_can_be_written() -> None:
    settings = StoreSettings.model_validate(
        {
            "kind": "influx1",
            "flush_every": "500ms",
            "keep": "30d",
            "keep_by_series": {"flows,interval=10s": "2d"},
            "influx": {
                "url": "https://influx.example:8086/prefix/",
                "username": "btimd",
                "password_file": "/run/credentials/btimd/influx",
                "ca_file": "/etc/ssl/own.pem",
                "spool_bytes": 5_000_000,
            },
        }
    )
    assert settings.keep_by_series == {"flows,interval=10s": 2 * 86_400.0}
    assert settings.influx.url == "https://influx.example:8086/prefix"
    assert settings.influx.password_file == Path("/run/credentials/btimd/influx")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"kind": "influx3"}, "Input should be 'embedded', 'influx2' or 'influx1'"),
        ({"kind": "influx2"}, 'kind "influx2" needs influx.org; write the name of the organization'),
        ({"kind": "influx1", "influx": {"username": "u"}}, "influx.username needs influx.password_file"),
        ({"influx": {"url": "influx:8086"}}, "'influx:8086' is no address of a server; write"),
        ({"influx": {"url": "http://u:p@influx:8086"}}, "a URL must not hold a password"),
        ({"influx": {"spool_bytes": 10}}, "greater than or equal to 1000000"),
        ({"keep_by_series": {"flows": 2}}, "2 is no duration"),
        ({"retention": "2d"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_named(written: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        StoreSettings.model_validate(written)

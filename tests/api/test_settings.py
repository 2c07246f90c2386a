from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from btimd.api.settings import ApiSettings


@pytest.mark.parametrize("key", ["grpc_listen", "http_listen"])
def test_listening_to_the_network_without_tls_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match=f"{key} = 0.0.0.0:1 is open to the network without TLS"):
        ApiSettings.model_validate({key: "0.0.0.0:1"})


@pytest.mark.parametrize(
    "settings", [{"allow_plaintext": True}, {"cert_file": Path("c.pem"), "key_file": Path("k.pem")}]
)
def test_listening_to_the_network_is_possible_with_tls_or_on_purpose_and_reads_are_never_open(
    settings: dict[str, Any],
) -> None:
    found = ApiSettings.model_validate({"grpc_listen": "0.0.0.0:1", **settings})

    assert (found.reads_are_open("0.0.0.0"), found.reads_are_open("127.0.0.1")) == (False, True)


def test_reads_on_loopback_can_be_closed() -> None:
    assert not ApiSettings(open_reads=False).reads_are_open("127.0.0.1")


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="TLS needs both cert_file and key_file"):
        ApiSettings(cert_file=Path("c.pem"))

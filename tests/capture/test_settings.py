import pytest
from pydantic import ValidationError

from btimd.capture.settings import CaptureSettings, NetflowSettings, repeated_addresses
from btimd.capture.wire.decoder import DecodeLimits
from btimd.capture.wire.exporters import ExporterRule
from btimd.capture.wire.ipfixexport import ExportLimits
from btimd.model.address import Prefix


def test_the_defaults_listen_on_both_families_and_match_the_decoders() -> None:
    assert CaptureSettings().netflow.listen == (("0.0.0.0", 2055), ("::", 2055))
    assert NetflowSettings().decode_limits() == DecodeLimits()


def test_what_the_operator_wrote_reaches_the_decoder() -> None:
    settings = CaptureSettings.model_validate(
        {
            "netflow": {
                "listen": ["[::1]:9995"],
                "default_sampling_rate": 100,
                "pending_age": "10s",
                "max_exporters": 7,
                "template_lifetime": "30m",
                "allow": ["10.0.0.0/8", "2001:db8::1"],
            }
        }
    )
    assert settings.netflow.listen == (("::1", 9995),)
    assert [str(prefix) for prefix in settings.netflow.allow] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert settings.netflow.decode_limits() == DecodeLimits(
        default_sampling_rate=100,
        pending_milliseconds=10_000,
        max_exporters=7,
        template_lifetime_milliseconds=1_800_000,
    )


def test_what_is_known_of_exporters_reaches_the_decoder() -> None:
    settings = CaptureSettings.model_validate(
        {
            "exporter": {
                "core": {"address": "10.0.0.1", "sampling_rate": 1000, "time_source": "arrival"},
                "branches": {"address": "10.1.0.0/16", "default_sampling_rate": 64},
            }
        }
    )
    assert settings.exporter_rules() == (
        ExporterRule("core", Prefix.parse("10.0.0.1"), 1000, None, "arrival"),
        ExporterRule("branches", Prefix.parse("10.1.0.0/16"), None, 64, "flow"),
    )


def test_two_exporters_cannot_have_one_address() -> None:
    tables = {name: {"address": address} for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.1/32"), ("c", "::/0"))}
    assert list(repeated_addresses(CaptureSettings.model_validate({"exporter": tables}).exporter)) == [
        ("b", "10.0.0.1/32 is the address of exporter 'a' too; give each address once")
    ]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"tcp_cert_file": "/c.pem"}, "TLS needs both"),
        ({"tcp_client_ca_file": "/c.pem"}, "needs tcp_cert_file and tcp_key_file"),
        ({"tcp_listen": ["0.0.0.0:4739"]}, "open to the network without TLS"),
        ({"tcp_idle": "0s"}, "greater than 0"),
        ({"allow": ["10.0.0.1/8"]}, "has host bits; write 10.0.0.0/8"),
        ({"sockets": 65}, "less than or equal to 64"),
    ],
)
def test_what_would_not_do_says_what_to_do(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        NetflowSettings.model_validate(wrong)


def test_tcp_without_tls_is_for_loopback_or_for_who_says_so() -> None:
    assert NetflowSettings.model_validate({"tcp_listen": ["127.0.0.1:4739"]}).tls_context() is None
    open_to_all = {"tcp_listen": ["[::]:4739"], "tcp_allow_plaintext": True}
    assert NetflowSettings.model_validate(open_to_all).tcp_listen == (("::", 4739),)


@pytest.mark.parametrize("wrong", [{"listen": ["2055"]}, {"default_sampling_rate": 0}, {"colour": 1}])
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NetflowSettings.model_validate(wrong)


def test_what_the_operator_wrote_reaches_the_encoder_of_flow_records() -> None:
    settings = CaptureSettings.model_validate(
        {
            "export": {
                "collectors": ["10.0.0.9:4739", "[2001:db8::9]:2055"],
                "message_bytes": 8_000,
                "template_refresh": "5m",
                "template_refresh_messages": 100,
            }
        }
    )
    assert settings.export.collectors == (("10.0.0.9", 4739), ("2001:db8::9", 2055))
    assert settings.export.limits() == ExportLimits(8_000, 300_000, 100)
    assert CaptureSettings().export.collectors == ()
    assert CaptureSettings().export.limits() == ExportLimits()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"collectors": ["10.0.0.9:0"]}, "10.0.0.9:0 has no port; collectors of IPFIX mostly listen on 4739"),
        ({"collectors": ["a:1", "a:1"]}, "a:1 is given twice and would get every record twice; give it once"),
        ({"message_bytes": 400}, "greater than or equal to 512"),
    ],
)
def test_an_export_that_cannot_be_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace(";", ".")):
        CaptureSettings.model_validate({"export": table})

import re

import pytest
from pydantic import ValidationError

from btimd.capture.evidence import RingLimits
from btimd.capture.evidencefiles import KeepLimits
from btimd.capture.evidenceservice import ServiceLimits
from btimd.capture.forensics import DissectLimits
from btimd.capture.settings import (
    CaptureSettings,
    EvidenceSettings,
    NetflowSettings,
    SpanSettings,
    repeated_addresses,
    repeated_interfaces,
)
from btimd.capture.wire.decoder import DecodeLimits
from btimd.capture.wire.exporters import ExporterRule
from btimd.capture.wire.ipfixexport import ExportLimits
from btimd.flows.table import TableLimits
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


def test_a_span_needs_an_interface_and_nothing_else() -> None:
    span = CaptureSettings.model_validate({"span": {"core": {"interface": "eth1"}}}).span["core"]
    assert span.model_dump() == {
        "interface": "eth1", "threads": 1, "filter": "", "snap_octets": 192, "block_bytes": 1_048_576,
        "ring_bytes": 67_108_864, "promiscuous": True, "outgoing": True, "hardware_time": False, "max_flows": 262_144,
        "active_timeout": 10.0, "inactive_timeout": 60.0, "quality": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"filter": "tcp prot 80"}, "libpcap refuses the filter: "),
        ({"filter": "vlan 7"}, "'vlan' cannot be used: "),
        ({"block_bytes": 100_000}, "100000 is no power of 2; write 1048576 for 1 MiB"),
        (
            {"ring_bytes": 1_048_576},
            "1048576 is not two or more blocks of block_bytes = 1048576; write a multiple of it",
        ),
        ({"ring_bytes": 5_000_000}, "5000000 is not two or more blocks of block_bytes = 1048576"),
        ({"ring_bytes": 2_097_152, "block_bytes": 2_097_152}, "2097152 is not two or more blocks of block_bytes"),
        ({"interface": "eth 1"}, "'eth 1' is no name of an interface; `ip link` shows those there are"),
        ({"interface": "a/b"}, "'a/b' is no name of an interface"),
        ({"interface": "a-name-too-long-"}, "at most 15 characters"),
        ({"snap_octets": 63}, "greater than or equal to 64"),
        ({"threads": 0}, "greater than or equal to 1"),
    ],
)
def test_a_span_that_cannot_be_is_refused_with_the_reason(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SpanSettings.model_validate({"interface": "eth1"} | values)
    assert message in str(caught.value)


def test_a_span_has_at_most_as_many_flows_as_a_table_can_be_made_of() -> None:
    largest = SpanSettings.model_validate({"interface": "eth1", "max_flows": 1 << 24})
    assert TableLimits(flows=largest.max_flows).flows == 1 << 24
    with pytest.raises(ValidationError, match="less than or equal to 16777216"):
        SpanSettings.model_validate({"interface": "eth1", "max_flows": (1 << 24) + 1})


def test_two_spans_cannot_have_one_interface() -> None:
    spans = {name: {"interface": interface} for name, interface in (("a", "eth1"), ("b", "eth2"), ("c", "eth1"))}
    assert list(repeated_interfaces(CaptureSettings.model_validate({"span": spans}).span)) == [
        ("c", "eth1 is the interface of span 'a' too; give each interface once")
    ]


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


def test_by_default_headers_of_a_minute_are_kept_within_the_components_own_bounds() -> None:
    settings = CaptureSettings().evidence
    assert settings.enabled
    assert settings.ring_limits(flows=9) == RingLimits(flows=9, payload_octets={})
    assert settings.keep_limits() == KeepLimits()
    assert settings.service_limits() == ServiceLimits()
    assert settings.dissect_limits() == DissectLimits()


def test_what_the_operator_wrote_about_evidence_reaches_its_parts() -> None:
    settings = CaptureSettings.model_validate(
        {
            "evidence": {
                "window": "2m", "ring_bytes": 1 << 28, "max_bytes": 1 << 30, "payload": ["erp"], "payload_octets": 64,
                "pause": "1m", "keep_count": 3, "keep_bytes": 1 << 30, "keep_age": "1d", "decode_as": {"8080": "http"},
                "tshark": "/opt/tshark", "dissect_timeout": "9s", "dissect_cpu": "8s",
                "dissect_memory_bytes": 1 << 29, "dissect_packets": 7,
            }
        }
    ).evidence  # fmt: skip
    assert settings.ring_limits(flows=9, threads=2) == RingLimits(
        flows=9, window=120_000_000_000, ring_octets=1 << 27, max_octets=1 << 29, payload_octets={"erp": 64}
    )
    assert settings.keep_limits() == KeepLimits(files=3, octets=1 << 30, seconds=86_400.0)
    assert settings.service_limits() == ServiceLimits(pause=60.0)
    assert settings.dissect_limits() == DissectLimits(
        seconds=9.0, cpu_seconds=8, memory_octets=1 << 29, file_octets=1 << 29, packets=7, tshark="/opt/tshark"
    )
    assert settings.decode_as == {8080: "http"}


@pytest.mark.parametrize(
    ("evidence", "error"),
    [
        ({"max_bytes": 65_536}, "leaves no memory for one ring; make it ring_bytes = 1048576 or more"),
        ({"keep_bytes": 1 << 20}, "is less than the file of one ring may take; make it twice ring_bytes, 2097152"),
        ({"decode_as": {"8080": "gopher"}}, "Input should be 'http', 'http2', 'dns'"),
        ({"decode_as": {"web": "http"}}, "valid integer"),
        ({"payload_octets": 9001}, "less than or equal to 9000"),
    ],
)
def test_settings_of_evidence_that_cannot_work_are_refused(evidence: dict[str, object], error: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(error)):
        EvidenceSettings.model_validate(evidence)

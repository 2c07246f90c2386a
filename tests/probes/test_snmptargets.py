"""Settings -> devices to ask."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from btimd.probes.mibs import RowBounds
from btimd.probes.settings import ProbeSettings
from btimd.probes.snmptargets import Community, Target, User, exporter_target, targets_of
from btimd.settings.fields import read_secret


def secret(path: Path, text: bytes) -> Path:
    path.write_bytes(text + b"\n")
    path.chmod(0o600)
    return path


def built(**tables: Any) -> tuple[tuple[Target, ...], tuple[tuple[str, str], ...]]:
    settings = ProbeSettings.model_validate(tables)
    return targets_of(settings.snmp, settings.snmp_defaults, read_secret)


def test_a_device_takes_what_it_does_not_say_from_the_defaults(tmp_path: Path) -> None:
    community, key = secret(tmp_path / "community", b"public"), secret(tmp_path / "key", b"authpass123")
    targets, problems = built(
        snmp_defaults={"community_file": str(community), "every": "20m", "max_routes": 7},
        snmp={
            "core": {"address": "10.0.0.1", "retries": 0, "tables": ["lldp"]},
            "edge": {"address": "2001:DB8::1", "user": "btimd", "auth_protocol": "sha", "auth_key_file": str(key)},
        },
    )

    assert problems == ()
    assert targets == (
        Target(
            "core",
            "10.0.0.1",
            Community(b"public"),
            every=1200.0,
            retries=0,
            groups=("lldp",),
            bounds=RowBounds(routes=7),
        ),
        Target("edge", "2001:db8::1", User("btimd", "sha", b"authpass123"), every=1200.0, bounds=RowBounds(routes=7)),
    )
    assert [target.who for target in targets] == ["core (10.0.0.1:161)", "edge ([2001:db8::1]:161)"]


def test_what_cannot_be_used_is_told_by_name(tmp_path: Path) -> None:
    open_file = secret(tmp_path / "open", b"public")
    open_file.chmod(0o644)
    short = secret(tmp_path / "short", b"pass")
    targets, problems = built(
        snmp={
            "none": {"address": "10.0.0.1"},
            "open": {"address": "10.0.0.2", "community_file": str(open_file)},
            "short": {"address": "10.0.0.3", "user": "u", "auth_protocol": "md5", "auth_key_file": str(short)},
            "nobody": {"address": "10.0.0.4", "version": "3"},
        }
    )

    assert targets == ()
    assert problems == (
        ("none", "version 2c needs community_file; write the file that holds the community"),
        ("open", f"{open_file} can be read by others (mode 644); run chmod 600 {open_file}"),
        ("short", f"{short} holds 4 characters; SNMPv3 wants at least 8"),
        ("nobody", "version 3 needs user; write the name of the SNMPv3 user"),
    )


def test_a_place_is_asked_once(tmp_path: Path) -> None:
    community = str(secret(tmp_path / "community", b"public"))
    targets, problems = built(
        snmp={name: {"address": "10.0.0.1", "community_file": community} for name in ("core", "same")}
    )

    assert [target.name for target in targets] == ["core"]
    assert problems == (("same", "10.0.0.1 port 161 is asked as 'core' already; remove one"),)


def test_exporters_are_asked_with_the_defaults(tmp_path: Path) -> None:
    community = secret(tmp_path / "community", b"public")
    defaults = ProbeSettings.model_validate({"snmp_defaults": {"community_file": str(community)}}).snmp_defaults

    assert exporter_target("10.0.0.9", defaults, read_secret) == Target("", "10.0.0.9", Community(b"public"))
    with pytest.raises(ValueError, match="needs community_file"):
        exporter_target("10.0.0.9", ProbeSettings().snmp_defaults, read_secret)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"address": "switch.example"}, "'switch.example' is no IP address"),
        ({"address": "10.0.0.1", "priv_protocol": "aes128", "priv_key_file": "k"}, "priv_protocol needs auth_protocol"),
        ({"address": "10.0.0.1", "auth_protocol": "sha"}, "auth_protocol and auth_key_file belong together"),
        ({"address": "10.0.0.1", "tables": ["arp", "arp"]}, "arp stands there twice"),
        ({"address": "10.0.0.1", "tables": ["magic"]}, "magic"),
        ({"address": "10.0.0.1", "version": "1"}, "'2c' or '3'"),
        ({}, "address"),
    ],
)
def test_mistakes_are_told(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProbeSettings.model_validate({"snmp": {"core": table}})


def test_credentials_name_their_version_and_no_secret() -> None:
    assert [str(Community(b"secret")), str(Community(b"secret", "1"))] == ["SNMPv2c", "SNMPv1"]
    assert "secret" not in repr(Community(b"secret", "1"))

import pytest

from btimd.model.service import CheckKind, Closure, Depth, depth_of
from btimd.probes.catalogue import problem_of, work_for
from btimd.probes.hostmibs import Access, HostErrand, Uptime
from btimd.probes.kinds_hosts import KINDS
from tests.probes.samples import check

NEEDED = {
    CheckKind.SNMP: {"oid": ".1.3.6.1.2.1.1.3.0"},
    CheckKind.FILE: {"path": "/var/log/messages"},
    CheckKind.PROCESS: {"name": "sshd"},
    CheckKind.INTERFACE: {"interface": "eth0"},
}


def test_every_kind_says_what_its_options_mean() -> None:
    assert {kind: spec.options for kind, spec in KINDS.items() if not all(spec.options.values())} == {}
    assert set(KINDS) <= set(CheckKind)


@pytest.mark.parametrize("kind", KINDS)
def test_states_are_the_nodes_own_and_the_agent_is_what_it_runs_on_too(kind: CheckKind) -> None:
    is_state = depth_of(kind) is Depth.STATE
    assert KINDS[kind].closure is (Closure.OWN if is_state else Closure.LOCAL)
    options = {"device": "core", **NEEDED.get(kind, {})}
    errand = work_for(check(kind=kind, port=0, options=options), 1)
    assert isinstance(errand, HostErrand)
    assert (errand.port, errand.device, errand.kind) == (161, "core", str(kind))
    assert errand.question.silence_is_bad is not is_state
    assert hash(errand.question) == hash(errand.question)


def test_a_check_may_bring_its_own_credentials_and_keeps_them_to_itself() -> None:
    options = {
        "user": "btimd",
        "auth_protocol": "sha256",
        "auth_key_file": "a",
        "priv_protocol": "aes128",
        "priv_key_file": "p",
    }
    secrets = {"auth_key": "authpass123", "priv_key": "privpass123"}
    errand = work_for(check(kind=CheckKind.UPTIME, port=1161, options=options), 1, secrets)
    assert errand == HostErrand(
        "127.0.0.1",
        1161,
        "",
        Access("3", "", "btimd", "sha256", "authpass123", "aes128", "privpass123"),
        Uptime(600.0),
        "uptime",
    )
    assert "pass123" not in repr(errand)
    v1 = work_for(
        check(kind=CheckKind.CPU, options={"version": "1", "community_file": "c"}), 1, {"community": "public"}
    )
    assert isinstance(v1, HostErrand)
    assert v1.access == Access("1", "public")


OWN = {"community_file": "c"}


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        (CheckKind.CPU, {}, "an SNMP check needs device, community_file, or user"),
        (CheckKind.CPU, {"device": "a", "user": "b"}, "device and user exclude each other"),
        (CheckKind.CPU, {"version": "4", **OWN}, "version '4' is unknown"),
        (CheckKind.CPU, {"version": "3", **OWN}, "version 3 needs user"),
        (CheckKind.CPU, {"user": "a", "auth_protocol": "crc", "auth_key_file": "f"}, "auth_protocol 'crc' is unknown"),
        (CheckKind.CPU, {"user": "a", "auth_protocol": "sha"}, "auth_protocol and auth_key_file belong together"),
        (
            CheckKind.CPU,
            {"user": "a", "priv_protocol": "des", "priv_key_file": "f"},
            "priv_protocol needs auth_protocol",
        ),
        (CheckKind.CPU, {"critical": "very", **OWN}, "critical: limit 'very' is none"),
        (CheckKind.SNMP, OWN, "this check needs oid"),
        (CheckKind.SNMP, {"oid": "sysUpTime.0", **OWN}, "oid 'sysUpTime.0' is none"),
        (CheckKind.SNMP, {"oid": "1.3", "scale": "k", **OWN}, "scale 'k' is no number"),
        (CheckKind.FILESYSTEM, {"exclude": "(", **OWN}, "exclude '(' is no regular expression"),
        (CheckKind.FILESYSTEM, {"read_only": "no", **OWN}, "read_only 'no' is unknown; write bad or good"),
        (CheckKind.UPTIME, {"within": "soon", **OWN}, "'soon' is no duration"),
        (CheckKind.SENSOR, {"unit": "kelvin", **OWN}, "unit 'kelvin' is unknown"),
        (CheckKind.CPU, {"speed": "1", **OWN}, "option 'speed' is unknown for cpu"),
    ],
)
def test_options_that_make_no_sense_are_said_in_words(kind: CheckKind, options: dict[str, str], problem: str) -> None:
    assert problem_of(check(kind=kind, options=options)).startswith(problem)

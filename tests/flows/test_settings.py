import pytest
from pydantic import ValidationError

from btimd.flows.duplicates import DuplicateLimits
from btimd.flows.linktables import LinkLimits
from btimd.flows.persons import PersonLimits
from btimd.flows.quality import QualityLimits
from btimd.flows.settings import FlowSettings
from btimd.flows.topology import TopologyLimits
from btimd.flows.topologyview import TopologySettings
from btimd.flows.users import UserLimits
from btimd.flows.windows import WindowLimits


def test_the_defaults_are_those_of_windows_and_users() -> None:
    assert FlowSettings().window_limits() == WindowLimits()
    assert FlowSettings().user_limits() == UserLimits()
    assert FlowSettings().duplicates.limits() == DuplicateLimits()
    assert FlowSettings().quality.limits(60.0) == QualityLimits()


def test_durations_are_written_with_units() -> None:
    settings = FlowSettings.model_validate({"grace": "5s", "lateness": "1h", "max_users": 2048, "user_idle": "20m"})
    assert settings.window_limits() == WindowLimits(grace_seconds=5.0, lateness_seconds=3600.0)
    assert settings.user_limits() == UserLimits(2048, 60.0, 1200.0)


def test_duplicates_have_a_table_of_their_own() -> None:
    given = {"mode": "on", "capacity": 4096, "silence": "5m", "threshold": 0.01, "prefer": ["192.0.2.9", "core"]}
    settings = FlowSettings.model_validate({"duplicates": given})
    assert settings.duplicates.limits() == DuplicateLimits("on", 4096, 300.0, 0.01, ("192.0.2.9", "core"))


def test_quality_has_a_table_of_its_own() -> None:
    given = {"grace": "1s", "lateness": "2m", "max_cells": 512, "history_rows": 200}
    settings = FlowSettings.model_validate({"quality": given}).quality
    assert settings.limits(30.0) == QualityLimits(1.0, 120.0, 30.0, 512)
    assert settings.history_rows == 200


@pytest.mark.parametrize("given", [{"grace": 5}, {"lateness": "7d"}, {"max_cells": 1}, {"windows": "10s"},
                                   {"duplicates": {"mode": "maybe"}}, {"duplicates": {"threshold": 2}},
                                   {"quality": {"max_cells": 1}}])  # fmt: skip
def test_what_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FlowSettings.model_validate(given)


def test_persons_have_tables_of_their_own() -> None:
    given = {
        "max_bindings": 1000,
        "dhcp": {"hq": {"kind": "kea", "file": "/var/lib/kea/kea-leases4.csv", "person_from": ["mac"]}},
        "radius": {"listen": "127.0.0.1:1813", "secret_file": "/s", "clients": ["10.0.0.0/8"], "session_timeout": "2h"},
        "list": {"macs": "/etc/btimd/macs.csv"},
    }
    settings = FlowSettings.model_validate({"persons": given}).persons
    assert (settings.limits(), settings.wanted) == (PersonLimits(1000, 7200.0), True)
    assert (settings.dhcp["hq"].person_from, settings.radius.listen) == (("mac",), ("127.0.0.1", 1813))
    assert (FlowSettings().persons.limits(), FlowSettings().persons.wanted) == (PersonLimits(), False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pseudonyms": True}, "pseudonyms without pseudonym_key_file"),
        ({"radius": {"listen": "127.0.0.1:1813"}}, "listen without secret_file"),
        ({"radius": {"clients": ["10.0.0.1/8"]}}, "'10.0.0.1/8' is no address or prefix"),
        ({"dhcp": {"hq": {"kind": "isc"}}}, "Field required"),
        ({"dhcp": {"hq": {"kind": "isc", "file": "/f", "person_from": []}}}, "at least 1 item"),
    ],
)
def test_sources_of_persons_that_cannot_be_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        FlowSettings.model_validate({"persons": given})


def test_links_and_topology_have_tables_of_their_own() -> None:
    links = {"grace": "5s", "lateness": "1m", "future": "30s", "max_interfaces": 16, "max_cells": 32,
             "domains_capacity": 1024}  # fmt: skip
    topology = {
        "speeds": {"core:Gi0/1": 1_000_000_000, "[2001:db8::1]:7": "2.5 Gbit/s", "edge:eth0": "64kbit/s"},
        "max_age": "2h", "access_macs": 8, "max_links": 100, "full": 0.8, "warm": 0.5, "restarted": "5m", "max_devices": 9,
    }  # fmt: skip
    settings = FlowSettings.model_validate({"links": links, "topology": topology})
    assert settings.links.limits() == LinkLimits(5.0, 60.0, 30.0, 16, 32, domains_capacity=1024)
    assert settings.topology.settings() == TopologySettings(
        {"core:Gi0/1": 10**9, "[2001:db8::1]:7": 2_500_000_000, "edge:eth0": 64_000},
        TopologyLimits(7200.0, 8, 100), full=0.8, warm=0.5, restarted_seconds=300.0, max_devices=9,
    )  # fmt: skip
    assert (FlowSettings().links.limits(), FlowSettings().links.enabled) == (LinkLimits(), True)
    assert FlowSettings().topology.settings() == TopologySettings()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"speeds": {"core:1": "1G"}}, "'1G' is no speed; write bit/s as a whole number, or \"100 Mbit/s\""),
        ({"speeds": {"core:1": True}}, "True is no speed; write"),
        ({"speeds": {"core:1": 0}}, "0 is no speed of a line; write 1 bit/s up to 100 Tbit/s"),
        ({"speeds": {"Gi0/1": 5}}, '\'Gi0/1\' is no interface; write "DEVICE:INTERFACE", such as "core:Gi0/1"'),
        ({"warm": 0.95}, "warm = 0.95 is above full = 0.9; what is full is warm already"),
    ],
)
def test_a_topology_that_cannot_be_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FlowSettings.model_validate({"topology": given})
    assert says in str(refused.value)

"""Tests of the small ties between the parts that show how businesses are used."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typing_extensions import override

from btimd.daemon.use import Closing, PlanWatch, businesses_over, exporter_text, snmp_access, users_in_all
from btimd.model.topology import PathHop
from btimd.probes.settings import ProbeSettings, SnmpDefaultSettings, SnmpDeviceSettings
from btimd.runtime.metrics import Metrics
from btimd.settings.report import SettingsError
from tests.daemon.test_usercounts import Counted, NoFlows
from tests.fakes.topology import FakeTopology
from tests.fakes.views import EXPORTER


def test_an_exporter_is_called_by_its_name_or_else_its_address() -> None:
    exporters = [replace(EXPORTER, id=1, name="core"), replace(EXPORTER, id=2, name="", address="10.0.0.2")]

    assert [exporter_text(exporters, number) for number in (1, 2, 3)] == ["core", "10.0.0.2", ""]


def test_users_of_a_business_are_those_of_all_its_regions_and_unknown_without_flows() -> None:
    assert users_in_all(Counted(), ("erp", "hr")) == {"erp": 3, "hr": 0}
    assert users_in_all(NoFlows(), ("erp",)) == {}


def test_the_businesses_over_a_device_are_those_whose_path_names_it() -> None:
    class Paths(FakeTopology):
        @override
        def business_path(self, business: str, *, limit: int) -> Sequence[PathHop]:
            (hop, *_) = super().business_path("erp", limit=1)
            return [replace(hop, device="core" if business == "erp" else "edge")]

    assert businesses_over(Paths(), ["erp", "hr"], "core") == ["erp"]


def test_credentials_that_cannot_be_read_are_all_told_before_anything_starts(tmp_path: Path) -> None:
    missing = tmp_path / "community"
    settings = ProbeSettings(
        snmp={"core": SnmpDeviceSettings(address="10.0.0.1", community_file=missing)},
        snmp_defaults=SnmpDefaultSettings(exporters=True),
    )

    with pytest.raises(SettingsError) as raised:
        snmp_access(settings)

    assert [problem.path for problem in raised.value.problems] == ["probes.snmp.core", "probes.snmp_defaults"]
    assert str(missing) in str(raised.value.problems[0])


def test_devices_and_exporters_are_asked_with_the_credentials_there_are(tmp_path: Path) -> None:
    community = tmp_path / "community"
    community.write_text("secret\n")
    community.chmod(0o600)
    settings = ProbeSettings(
        snmp={"core": SnmpDeviceSettings(address="10.0.0.1")},
        snmp_defaults=SnmpDefaultSettings(community_file=community, exporters=True),
    )

    targets, exporter = snmp_access(settings)

    assert [(target.name, target.address) for target in targets] == [("core", "10.0.0.1")]
    assert exporter is not None
    assert exporter("10.0.0.9").address == "10.0.0.9"


async def test_what_must_be_closed_is_closed_when_it_is_stopped() -> None:
    closed: list[str] = []
    closing = Closing("desk", lambda: closed.append("desk"))
    await closing.start()
    running = asyncio.create_task(closing.run())
    await closing.stop()
    running.cancel()
    await asyncio.wait([running])

    assert (closing.name, closing.health().reason, closed) == ("desk", "", ["desk"])


async def test_unexpected_talkers_are_counted_and_those_without_room_too() -> None:
    class Plan:
        def __init__(self) -> None:
            self.watch = SimpleNamespace(untold=0, forgotten=0)

        async def look(self) -> Sequence[str]:
            self.watch = SimpleNamespace(untold=self.watch.untold + 2, forgotten=self.watch.forgotten + 1)
            return ["10.3.0.1"]

    metrics = Metrics()
    watch = PlanWatch(Plan(), metrics)  # type: ignore[arg-type]  # as much of it as is looked at
    await watch.look()
    await watch.look()

    names = ("talkers", "untold", "forgotten")
    assert [metrics.value(f"btimd_flows_unexpected_{name}_total") for name in names] == [2, 4, 2]

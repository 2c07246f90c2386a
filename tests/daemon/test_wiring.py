from pathlib import Path
from random import Random

from btimd.daemon.config import load_config
from btimd.daemon.wiring import Wired, build, build_attribution
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from tests.daemon.small import write_small


def wired(folder: Path) -> Wired:
    return build(load_config(write_small(folder)), clock=ManualClock(), random=Random(1))


def test_sinks_start_first_and_sources_last_and_no_name_is_there_twice(tmp_path: Path) -> None:
    assert [component.name for component in wired(tmp_path).in_order()] == [
        "journal", "store", "sla", "maintenance", "duty", "duty.rota", "itsm.notices", "itsm", "knowledge", "rca", "rca.capsules",
        "decisions", "intake", "rca.growth", "archive", "archive.desk",
        "baselines",
        "links", "flows.persons", "flows", "losses", "plan", "views", "api", "probes.runners", "probes", "inventory", "probes.syslog",
        "probes.traps", "probes.exporters", "capture.netflow", "flows.table", "capture.span",
    ]  # fmt: skip


def test_before_the_start_nothing_is_taken_and_who_is_not_well_says_why(tmp_path: Path) -> None:
    found = wired(tmp_path).health()

    assert {name: health.reason for name, health in found.items() if health.level is not HealthLevel.OK} == {
        "knowledge": "the knowledge base was not opened yet",
        "flows": "the flow thread does not run",
        "api": "not started",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["btimd.toml", "ipplan.csv", "services.toml"]


async def test_every_component_may_be_stopped_twice_though_it_never_started(tmp_path: Path) -> None:
    for component in reversed(wired(tmp_path).in_order() * 2):
        await component.stop()


def test_everybody_sees_the_same_graph(tmp_path: Path) -> None:
    made = wired(tmp_path)

    assert made.rca.graph() is made.decisions.graph
    assert made.flows.explain("10.1.1.7", "10.2.0.10", 443, 6).businesses == ("erp",)


def test_plan_and_rules_are_compiled_with_the_generation_of_the_configuration(tmp_path: Path) -> None:
    attribution = build_attribution(load_config(write_small(tmp_path), generation=7))

    assert (attribution.generation, attribution.businesses, len(attribution.rules)) == (7, ("erp",), 1)

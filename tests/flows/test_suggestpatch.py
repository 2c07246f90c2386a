"""What is proposed can be appended to the sample configuration, and says what was meant."""

import shutil
from dataclasses import replace
from pathlib import Path

from btimd.daemon.config import Config, load_config
from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.suggestpatch import patch_of
from btimd.model.discovery import Suggestions
from btimd.model.service import ServiceGraph
from tests.flows.test_suggest import names_of, proposed
from tests.flows.worlds_discovery import world

SAMPLE = Path(__file__).parents[2] / "config"
NOTHING = ModelAddresses(ServiceGraph({}, {}), ())


def appended(folder: Path, patch: str) -> Config:
    """Return the sample configuration with a patch appended to its services."""
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    with (folder / "services.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + patch)
    return load_config(folder)


def test_the_patch_for_the_sample_configuration_may_be_appended_as_it_is(tmp_path: Path) -> None:
    before = load_config(SAMPLE)
    model = ModelAddresses(before.services.graph, before.services.rules)
    found = proposed(world(1), model)
    after = appended(tmp_path / "config", patch_of(found, model))
    new = set(after.services.graph.nodes) - set(before.services.graph.nodes)

    assert {one.id for one in found.services if not one.extends} <= new
    assert len(after.services.rules) > len(before.services.rules)


def test_an_appended_patch_leaves_nothing_of_the_same_traffic_to_propose(tmp_path: Path) -> None:
    first = proposed(world(1))
    after = appended(tmp_path / "config", patch_of(first, NOTHING))
    model = ModelAddresses(after.services.graph, after.services.rules)
    second = proposed(world(1), model)

    left = {one.id for one in second.services}
    assert {name for name in names_of(second).values() if name not in {"dns", "ldap", "ntp"}} == set()
    assert len(left) < len(first.services) / 2


def test_needs_become_needs_of_the_servers_of_a_service(tmp_path: Path) -> None:
    found = proposed(world(1))
    named = {name: id_ for id_, name in names_of(found).items()}
    graph = appended(tmp_path / "config", patch_of(found, NOTHING)).services.graph

    assert graph.nodes[named["erp-web"]].needs == (f"{named['erp-web']}-servers",)
    assert set(graph.nodes[f"{named['erp-web']}-servers"].needs) == {named["erp-app"], named["dns"]}
    assert set(graph.nodes[named["erp-app"]].needs) == {named["erp-db"], named["dns"], named["ldap"]}


def test_names_of_strangers_stay_text(tmp_path: Path) -> None:
    found = proposed(world(1, 60))
    evil = replace(found.services[0], name='a"\n[service.evil]\nname = "x', evidence=("e\n[node.evil]",))
    patch = patch_of(replace(found, services=(evil,), dependencies=()), NOTHING)
    graph = appended(tmp_path / "config", patch).services.graph

    assert "evil" not in graph.nodes


def test_nothing_proposed_is_no_patch() -> None:
    nothing = Suggestions(0.0, 0.0, 0, 0, truncated=False, left_out={}, services=(), dependencies=())

    assert patch_of(nothing, NOTHING) == ""

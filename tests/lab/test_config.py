import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from btimd.daemon.config import CHECK_RULES
from btimd.lab.config import Webhook, ip_plan_text, services_text, write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import FAULTS
from btimd.lab.settings import LabSettings
from btimd.model.probe import Health, ProbeSpec
from btimd.model.service import CheckKind, Closure, Node, NodeKind
from btimd.probes.catalogue import dialogue_for
from btimd.probes.transport import Transport
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.settings.services import load_services
from tests.lab.observe import QUICK


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    async with Enterprise(QUICK) as enterprise:
        return write_configuration(tmp_path / "etc", enterprise, Webhook("http://127.0.0.1:9/hook", "s" * 32)).parent


async def test_every_need_and_every_check_refers_to_a_node_that_exists(folder: Path) -> None:
    tables = tomllib.loads((folder / "services.toml").read_text(encoding="utf-8"))
    nodes = tables["service"].keys() | tables["node"].keys()
    needs = {
        need for table in (*tables["service"].values(), *tables["node"].values()) for need in table.get("needs", ())
    }
    assert needs <= nodes
    assert {check["node"] for check in tables["check"].values()} <= nodes
    assert {check["kind"] for check in tables["check"].values()} == {
        CheckKind.ICMP,
        CheckKind.TCP,
        CheckKind.HTTP,
        CheckKind.DNS,
        CheckKind.POSTGRES,
    }
    assert {check["closure"] for check in tables["check"].values() if "closure" in check} == {
        Closure.LOCAL,
        Closure.FULL,
    }
    assert tables["rule"]["office-database"]["node"] in nodes


async def test_the_cause_and_the_businesses_of_every_fault_are_in_the_graph(folder: Path) -> None:
    services = load_services(folder / "services.toml", CHECK_RULES)
    assert {fault.cause_node for fault in FAULTS.values()} <= services.graph.nodes.keys()
    for fault in FAULTS.values():
        nodes, businesses = services.graph.nodes, services.graph.businesses
        assert {name for name in businesses if _needs(nodes, name, fault.cause_node)} == set(fault.businesses)


def _needs(nodes: Mapping[str, Node], start: str, wanted: str) -> bool:
    return start == wanted or any(_needs(nodes, need, wanted) for need in nodes[start].needs)


async def test_the_daemon_reads_the_graph_with_a_node_on_every_layer(folder: Path) -> None:
    services = load_services(folder / "services.toml", CHECK_RULES)
    kinds = {node.kind for node in services.graph.nodes.values()}
    assert kinds == set(NodeKind) - {NodeKind.USER, NodeKind.OS}
    indicators = {check.id for check in services.graph.checks() if check.is_key_indicator}
    assert indicators == {
        "net-dc-echo",
        *(f"{business}-page" for business in services.graph.businesses),
        *(f"name-{business}-lookup" for business in services.graph.businesses),
        *(f"{business}-web-connect" for business in services.graph.businesses),
    }


async def test_every_node_but_the_facility_can_be_asked(folder: Path) -> None:
    graph = load_services(folder / "services.toml", CHECK_RULES).graph
    assert {node.id for node in graph.nodes.values() if not node.checks} == {"power-dc"}


async def test_the_main_file_listens_on_free_loopback_ports_and_keeps_its_state_in_the_folder(folder: Path) -> None:
    assert tomllib.loads((folder / "btimd.toml").read_text(encoding="utf-8")) == {
        "daemon": {"state_directory": str(folder / "state")},
        "capture": {"netflow": {"listen": ["127.0.0.1:0"]}},
        "flows": {"grace": "2s"},
        "store": {"kind": "embedded"},
        "probes": {"heavy_per_ten_seconds": 30.0, "heavy_burst": 12, "flap_count": 0},
        "api": {"grpc_listen": "127.0.0.1:0", "http_listen": "127.0.0.1:0"},
        "itsm": {
            "webhook": {"demo": {"url": "http://127.0.0.1:9/hook", "secret_file": str(folder / "webhook.secret")}}
        },
    }


async def test_the_secret_is_readable_by_its_owner_only(folder: Path) -> None:
    secret = folder / "webhook.secret"
    assert (secret.read_text(encoding="utf-8"), secret.stat().st_mode & 0o777) == ("s" * 32 + "\n", 0o600)


async def test_every_check_comes_out_good_while_all_is_well(tmp_path: Path) -> None:
    async with Enterprise(LabSettings()) as enterprise:
        write_configuration(tmp_path, enterprise)
        # An echo request needs a privilege that not every machine gives to tests.
        checks = [
            check
            for check in load_services(tmp_path / "services.toml", CHECK_RULES).graph.checks()
            if check.kind is not CheckKind.ICMP
        ]
        transport = Transport(SystemClock(), Log("test"))
        results = [
            await transport.run(ProbeSpec(number, check), dialogue_for(check, number))
            for number, check in enumerate(checks, 1)
        ]
    assert {result.spec.check.id: result.detail for result in results if result.health is not Health.GOOD} == {}
    assert len(results) == 36


async def test_without_webhook_there_is_none(tmp_path: Path) -> None:
    async with Enterprise(QUICK) as enterprise:
        main = write_configuration(tmp_path, enterprise)
    assert "itsm" not in tomllib.loads(main.read_text(encoding="utf-8"))
    assert not (tmp_path / "webhook.secret").exists()


async def test_the_ports_are_those_on_which_the_enterprise_listens() -> None:
    async with Enterprise(QUICK) as enterprise:
        tables = tomllib.loads(services_text(enterprise))
        for process in enterprise.processes.values():
            places = {(check["host"], check.get("port")) for check in tables["check"].values()}
            assert (process.address, process.port) in places
        assert tables["service"]["hr"]["ports"] == [enterprise.processes["hr-web"].port]


def test_the_ip_plan_names_regions_segments_and_the_people_who_are_there() -> None:
    assert ip_plan_text(1).splitlines() == [
        "prefix,region,segment,person",
        "127.11.0.0/16,north,,",
        "127.12.0.0/16,east,,",
        "127.13.0.0/16,south,,",
        "127.11.1.0/24,,north-sales,",
        "127.11.1.21/32,,,Zhang Wei",
        "127.11.2.0/24,,north-branch,",
        "127.11.2.21/32,,,Liu Yang",
        "127.12.1.0/24,,east-plant,",
        "127.12.1.21/32,,,Chen Jie",
        "127.12.2.0/24,,east-branch,",
        "127.12.2.21/32,,,Zhao Min",
        "127.13.1.0/24,,south-office,",
        "127.13.1.21/32,,,Li Na",
        "127.13.2.0/24,,south-branch,",
        "127.13.2.21/32,,,Zhou Tao",
        "127.20.0.0/16,datacentre,servers,",
    ]

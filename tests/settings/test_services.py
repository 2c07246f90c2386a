"""services.toml -> graph and rules."""

from pathlib import Path

import pytest

from btimd.daemon.config import CHECK_RULES
from btimd.model.address import Prefix
from btimd.model.service import (
    BusinessService,
    Check,
    CheckKind,
    Closure,
    Criticality,
    Need,
    Node,
    NodeKind,
    Rollup,
    ServiceGraph,
    ServiceRule,
)
from btimd.settings.report import SettingsError
from btimd.settings.services import Services, load_services

GOOD = """\
[service.erp]
name = "ERP"
name_zh = "企业资源计划"
criticality = "high"
owner = "erp-team"
availability_percent = 99.9
needs = ["db1"]
prefixes = ["10.2.0.10/32", "2001:db8::/64"]
protocol = "tcp"
ports = [443, "8000-8010"]

[service.hr]
name = "HR"

[rule.shared-db]
services = ["erp", "hr"]
prefixes = ["10.2.0.20/32"]
clients = ["10.0.0.0/8"]
node = "db1"

[node.db1]
kind = "database"

[check.db1-sql]
node = "db1"
kind = "postgres"
host = "10.2.0.20"
port = 5432
every = "5s"
slow_over = "500ms"
options = { user = "probe" }
"""


def load(tmp_path: Path, text: str) -> Services:
    file = tmp_path / "services.toml"
    file.write_text(text, encoding="utf-8")
    return load_services(file, CHECK_RULES, generation=3)


def complaints(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_businesses_a_graph_and_one_rule_per_prefix_port_and_client(tmp_path: Path) -> None:
    services = load(tmp_path, GOOD)

    check = Check(
        id="db1-sql",
        node="db1",
        kind=CheckKind.POSTGRES,
        host="10.2.0.20",
        port=5432,
        options={"user": "probe"},
        timeout_seconds=2.0,
        slow_over_seconds=0.5,
        every_seconds=5.0,
        closure=Closure.FULL,
        cost=6.0,
    )
    assert services.businesses == ("erp", "hr")
    assert services.graph == ServiceGraph(
        nodes={
            "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("db1",)),
            "hr": Node("hr", NodeKind.BUSINESS, "HR"),
            "db1": Node("db1", NodeKind.DATABASE, "db1", (), (check,)),
        },
        businesses={
            "erp": BusinessService("erp", "ERP", "企业资源计划", Criticality.HIGH, "erp-team", 99.9),
            "hr": BusinessService("hr", "HR"),
        },
        generation=3,
    )
    v4, v6, db = Prefix.parse("10.2.0.10/32"), Prefix.parse("2001:db8::/64"), Prefix.parse("10.2.0.20/32")
    assert services.rules == (
        ServiceRule("erp", ("erp",), v4, 6, 443, 443, None, None, "services.toml:8"),
        ServiceRule("erp#2", ("erp",), v4, 6, 8000, 8010, None, None, "services.toml:8"),
        ServiceRule("erp#3", ("erp",), v6, 6, 443, 443, None, None, "services.toml:8"),
        ServiceRule("erp#4", ("erp",), v6, 6, 8000, 8010, None, None, "services.toml:8"),
        ServiceRule(
            "shared-db", ("erp", "hr"), db, None, 0, 65535, Prefix.parse("10.0.0.0/8"), "db1", "services.toml:17"
        ),
    )


def test_wrong_values_and_wrong_references_of_all_tables_are_reported_together(tmp_path: Path) -> None:
    text = """\
[service.erp]
name = "ERP"
criticalty = "high"
needs = ["erp-web",
   "nope"]
prefixes = ["10.2.0.10/32",
  "10.2.3.4/16", "x"]
ports = [443, "80-70"]
protocol = "tpc"
[service.hr]
ports = [1]
name = "HR"
[rule.r]
services = ["epr"]
node = "erp-wbe"
prefixes = []
[rule.s]
services = []
prefixes = ["::/0"]
[node.erp-web]
kind = "applcation"
[node."bad id"]
kind = "host"
[node.hr]
kind = "business"
[check.x]
node = "erp-web"
kind = "http"
host = "1.2.3.4"
timeout = 5
options = { pth = "/", expect_status = "ok" }
[check.y]
node = "gone"
kind = "dns"
host = "1.2.3.4"
port = 53
timeout = "1s"
slow_over = "2s"
[check.z]
node = "hr"
kind = "http"
host = "1.2.3.4"
port = 80
options = { tls = "maybe" }
[servce.z]
"""

    assert complaints(tmp_path, text) == [
        "services.toml:3: service.erp.criticalty: unknown key; did you mean 'criticality'?",
        "services.toml:5: service.erp.needs[1]: no node 'nope'; known: bad id, erp, erp-web, hr",
        "services.toml:7: service.erp.prefixes[1]: 10.2.3.4/16 has host bits; write 10.2.0.0/16",
        "services.toml:7: service.erp.prefixes[2]: 'x' is no prefix; write \"10.2.0.0/16\" or \"2001:db8::/32\"",
        "services.toml:8: service.erp.ports[1]: '80-70' is no port; write 443 or \"8000-8010\", from 0 to 65535",
        "services.toml:9: service.erp.protocol: 'tpc' is no protocol; write icmp, tcp, udp, icmp6, sctp, any, or a number from 0 to 255",
        "services.toml:10: service.hr: ports, protocol and clients say nothing without prefixes",
        "services.toml:13: rule.r: prefixes are missing; a rule without servers matches nothing",
        "services.toml:14: rule.r.services[0]: no service 'epr'; did you mean 'erp'?",
        "services.toml:15: rule.r.node: no node 'erp-wbe'; did you mean 'erp-web'?",
        "services.toml:18: rule.s.services: is empty; write at least one",
        "services.toml:21: node.erp-web.kind: 'applcation' is not possible; write 'business', 'user', 'network', 'application', 'middleware', 'database', 'shared', 'os', 'host' or 'facility'",
        "services.toml:22: node.bad id: an id has letters, digits, '-', '_' and '.', at most 63 of them",
        "services.toml:24: node.hr: is also the id of a service; give the node another id",
        "services.toml:25: node.hr.kind: a business is written as [service.hr]",
        "services.toml:26: check.x.port: is missing; a check of kind http needs one",
        'services.toml:30: check.x.timeout: 5 is no duration; write a number with its unit: "500ms", "2s", "5m", "1h", "7d"',
        "services.toml:31: check.x.options.pth: unknown option of a check of kind http; did you mean 'path'?",
        'services.toml:32: check.y.options: a dns check needs the name to ask for: options = { name = "erp.example" }',
        "services.toml:33: check.y.node: no node 'gone'; known: bad id, erp, erp-web, hr",
        "services.toml:38: check.y.slow_over: is longer than the timeout, so it can never be seen; make it shorter",
        "services.toml:44: check.z.options: tls 'maybe' is unknown; write \"true\", \"unverified\" (any certificate) or \"false\"",
        "services.toml:45: servce: unknown table; did you mean 'service'?",
    ]  # fmt: skip


def test_needs_that_run_in_a_circle_are_refused_with_the_circle(tmp_path: Path) -> None:
    text = '[node.a]\nkind = "host"\nneeds = ["b"]\n[node.b]\nkind = "host"\nneeds = ["a"]\n'

    assert complaints(tmp_path, text) == [
        "services.toml:3: node.a.needs: needs run in a circle: a -> b -> a; take one need away"
    ]


def test_a_table_says_how_a_node_stands_when_part_of_what_it_needs_is_bad(tmp_path: Path) -> None:
    text = """\
[service.shop]
name = "Shop"
rollup = "weighted"
weights = { db = 3 }
needs = ["db", { node = "cache", strength = 0.3 }, "hr"]
[service.hr]
name = "HR"
[node.db]
kind = "database"
rollup = "best"
needs = ["db1", "db2", "hr"]
standby = ["db2"]
ignore = ["hr"]
[node.cache]
kind = "middleware"
rollup = "quorum"
quorum = 2
needs = ["db1", "db2"]
[node.db1]
kind = "database"
device = "blade-7"
[node.db2]
kind = "database"
[node.users]
kind = "user"
region = "north"
needs = ["db1", "db1"]
"""

    graph = load(tmp_path, text).graph

    assert graph.nodes == {
        "shop": Node(
            "shop", NodeKind.BUSINESS, "Shop", ("db", "cache", "hr"), rollup=Rollup.WEIGHTED, weights={"db": 3.0},
            need_facts=(Need("cache", strength=0.3),),
        ),
        "hr": Node("hr", NodeKind.BUSINESS, "HR"),
        "db": Node(
            "db", NodeKind.DATABASE, "db", ("db1", "db2", "hr"), rollup=Rollup.BEST, standby=("db2",), ignore=("hr",)
        ),
        "cache": Node("cache", NodeKind.MIDDLEWARE, "cache", ("db1", "db2"), rollup=Rollup.QUORUM, quorum=2),
        "db1": Node("db1", NodeKind.DATABASE, "db1", device="blade-7"),
        "db2": Node("db2", NodeKind.DATABASE, "db2"),
        "users": Node("users", NodeKind.USER, "users", ("db1",), region="north"),
    }  # fmt: skip
    assert graph.user_node("north") == graph.nodes["users"]
    assert graph.user_node("south") is None
    assert graph.user_node("") is None

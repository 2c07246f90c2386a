from dataclasses import replace

import pytest

from btimd.model.probe import ErrorClass
from btimd.model.service import Check, CheckKind, Closure, Rollup
from btimd.model.symptom import Symptom
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from btimd.rca.likelihood import ERRORS, PROFILE_OF, PROFILES, Mode
from tests.rca.worlds import check, graph_of, node, shop


def seen_by(faults: GraphFaults, check_id: str) -> dict[tuple[str, str], tuple[float, str]]:
    """Return what a check sees: (node, mode) -> (detection, profile)."""
    row = faults.model.row(faults.question_of[check_id])
    names = {number: name for name, number in PROFILE_OF.items()}
    return {
        (faults.nodes[int(faults.model.faults.node[fault])], faults.mode_of(int(fault)).value): (
            round(float(detection), 4),
            names[int(profile)],
        )
        for fault, detection, profile in zip(row.faults, row.detection, row.profile, strict=True)
    }


def test_components_are_dead_or_sick_and_a_business_suffers_from_what_is_not_modelled() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    modes = {
        name: [faults.mode_of(fault).value for fault in faults.model.faults_of(faults.node_number[name])]
        for name in ("erp", "db1", "host-db")
    }
    assert modes == {"erp": ["unmodelled"], "db1": ["dead", "sick"], "host-db": ["dead", "sick"]}


def test_a_check_of_a_database_sees_its_process_and_the_host_below() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    assert seen_by(faults, "db1-tcp") == {
        ("db1", "dead"): (0.96, "process dead"),
        ("db1", "sick"): (0.15, "process sick"),
        ("host-db", "dead"): (0.96, "runs-on dead"),
        ("host-db", "sick"): (0.35, "runs-on sick"),
    }


def test_a_transaction_sees_what_is_needed_further_down_ever_less() -> None:
    seen = seen_by(GraphFaults(GraphIndex(shop())), "erp-web-http")
    assert [seen[name, "dead"][0] for name in ("erp-web", "erp-app", "db1")] == [0.99, 0.94, 0.9212]
    assert seen["db1", "dead"][1] == "needs dead"


def test_one_of_two_redundant_servers_is_seen_less_and_an_ignored_one_not_at_all() -> None:
    graph = graph_of(
        replace(node("pool", "application", "a b c", "http"), rollup=Rollup.BEST, ignore=("c",)),
        *(node(name, "application", "", "http") for name in "abc"),
    )
    seen = seen_by(GraphFaults(GraphIndex(graph)), "pool-http")
    assert {name: seen[name, "dead"][0] for name in ("pool", "a", "b")} == {"pool": 0.99, "a": 0.423, "b": 0.423}
    assert ("c", "dead") not in seen


def test_an_agents_word_is_about_its_node_alone() -> None:
    cpu = Check("cpu", "db1", CheckKind.CPU, host="192.0.2.1", closure=Closure.OWN)
    graph = graph_of(replace(node("db1", "database", "host-db"), checks=(cpu,)), node("host-db", "host"))
    assert seen_by(GraphFaults(GraphIndex(graph)), "cpu") == {
        ("db1", "dead"): (0.6, "state dead"), ("db1", "sick"): (0.45, "state sick"),
    }  # fmt: skip


def test_the_users_of_a_region_reach_everything_over_their_own_lines() -> None:
    graph = graph_of(
        node("erp", "business", "web", "http"),
        node("web", "application", "", "http"),
        replace(node("users-north", "user", "wan-north"), region="north"),
        node("wan-north", "network"),
    )
    faults = GraphFaults(GraphIndex(graph))
    check = faults.index.checks["erp-http"]
    assert faults.nodes_seen_by(check) == ("erp", "web")
    assert faults.nodes_seen_by(check, "north") == ("erp", "web", "users-north", "wan-north")
    assert faults.nodes_seen_by(check, "south") == ("erp", "web")


def test_a_symptom_of_no_known_check_counts_as_a_whole_transaction() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    strange = Symptom("S", "baseline-erp", "erp", ErrorClass.SLOW, "less traffic than usual", 0.0, 0.0)
    known = Symptom("T", "db1-tcp", "db1", ErrorClass.REFUSED, "refused", 0.0, 0.0)
    check = faults.symptom_check(strange)
    assert (check.node, check.closure) == ("erp", Closure.FULL)
    assert faults.nodes_behind(strange) == faults.index.needs_closure("erp")
    assert [faults.explains("host-db", symptom) for symptom in (strange, known)] == [True, True]
    assert [faults.explains("erp-web", symptom) for symptom in (strange, known)] == [True, False]


def test_who_is_asked_about_a_node_begins_with_itself_and_goes_on_with_its_users() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    about = [faults.checks[question].id for question in faults.model.about(faults.node_number["host-db"])]
    assert about == ["host-db-icmp", "db1-postgres", "db1-tcp", "erp-app-http", "erp-app-tcp", "erp-web-http",
                     "erp-web-tcp", "erp-http"]  # fmt: skip


def test_own_checks_are_worth_what_they_show_of_the_ways_in_which_a_node_fails() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    worth = {name: faults.detection_of_own(faults.index.checks[name]) for name in ("db1-tcp", "db1-postgres")}
    wanted = {"db1-tcp": 0.6 * 0.96 + 0.4 * 0.15, "db1-postgres": 0.6 * 0.99 + 0.4 * 0.95}
    assert worth == pytest.approx(wanted, rel=1e-3)


def test_priors_follow_the_kind_unless_the_operator_says_otherwise() -> None:
    graph = graph_of(node("a", "application"), node("h", "host", prior=0.01))
    faults = GraphFaults(GraphIndex(graph))
    assert faults.prior_of(["a"]) == pytest.approx(6e-4, rel=0.01)
    assert faults.prior_of(["a", "h"]) == pytest.approx(0.0106, rel=0.02)


def test_modes_are_told_by_number() -> None:
    assert GraphFaults(GraphIndex(shop())).mode_of(0) is Mode.UNMODELLED
    assert ErrorClass.EXCEEDED.phrase == "is beyond its limits"


def test_a_page_that_asks_nothing_of_what_its_node_needs_shows_less_of_a_sick_one() -> None:
    graph = graph_of(
        node("app", "application", "db host", "http http!"),
        node("worker", "application", "host", "http!"),
        node("db", "database", "", "tcp"),
        node("host", "host", "", "icmp"),
    )
    whole, alive = graph.nodes["app"].checks
    graph = graph_of(
        replace(graph.nodes["app"], checks=(whole, replace(alive, id="app-alive"))),
        *(graph.nodes[name] for name in ("worker", "db", "host")),
    )
    faults = GraphFaults(GraphIndex(graph))
    sick = {check: seen_by(faults, check)[check.split("-")[0], "sick"][0] for check in ("app-http", "app-alive")}
    assert sick == {"app-http": 0.95, "app-alive": 0.65}
    assert seen_by(faults, "app-alive")["app", "dead"][0] == 0.99
    assert seen_by(faults, "worker-http")["worker", "sick"][0] == 0.95  # it needs nothing but its host


def test_a_system_without_room_shows_as_a_limit_in_what_stands_on_it_and_in_its_state() -> None:
    disk = Check("disk-state", "disk", CheckKind.FILESYSTEM, host="192.0.2.1", closure=Closure.OWN)
    graph = graph_of(
        node("app", "application", "db", "http"),
        node("db", "database", "disk", "postgres"),
        replace(node("disk", "os", "host"), checks=(disk,)),
        node("host", "host", "", "icmp"),
    )
    faults = GraphFaults(GraphIndex(graph))
    assert seen_by(faults, "db-postgres")["disk", "sick"] == (0.35, "system")
    assert seen_by(faults, "app-http")["disk", "sick"] == (0.343, "system")
    assert seen_by(faults, "disk-state") == {
        ("disk", "dead"): (0.6, "state dead"),
        ("disk", "sick"): (0.85, "state sick"),
    }


def test_a_record_that_leads_elsewhere_shows_as_another_value_and_as_the_errors_of_another_host() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    asked, used = seen_by(faults, "name-erp-dns"), seen_by(faults, "erp-http")
    assert (asked["name-erp", "dead"][1], asked["name-erp", "sick"][1]) == ("record dead", "record sick")
    assert (used["name-erp", "dead"][1], used["name-erp", "sick"][1]) == ("through names", "through a wrong record")
    assert used["dns1", "sick"][1] == "through names"


def test_without_the_host_of_the_name_server_a_name_error_is_seen_as_often_as_silence() -> None:
    faults = GraphFaults(GraphIndex(shop()))
    used, asked = seen_by(faults, "erp-http"), seen_by(faults, "dns1-dns")
    assert (used["host-dns", "dead"][1], used["host-dns", "sick"][1]) == ("below names dead", "below names sick")
    assert (used["host-web", "dead"][1], asked["host-dns", "dead"][1]) == ("way dead", "runs-on dead")
    assert PROFILES[PROFILE_OF["below names dead"], ERRORS.index(ErrorClass.NAME_ERROR)] > 0.3


def test_a_name_that_a_process_behind_does_not_find_shows_as_its_wrong_answer() -> None:
    graph = graph_of(
        node("erp", "business", "erp-app names", "http"),
        node("erp-app", "application", "names", "http"),
        node("names", "shared", "", "dns"),
    )
    faults = GraphFaults(GraphIndex(graph))
    profiles = {name: seen_by(faults, name)["names", "dead"][1] for name in ("erp-http", "erp-app-http", "names-dns")}
    assert profiles == {
        "erp-http": "through names", "erp-app-http": "names behind it", "names-dns": "names dead",
    }  # fmt: skip


def test_long_packets_show_more_of_a_line_that_works_badly_than_echoes_do() -> None:
    size = Check("line-size", "line", CheckKind.MTU, host="192.0.2.1")
    graph = graph_of(
        replace(node("line", "network", "router"), checks=(check("line", "icmp"), size)),
        node("router", "network", "", "icmp"),
    )
    faults = GraphFaults(GraphIndex(graph))
    assert [seen_by(faults, name)["line", "sick"] for name in ("line-icmp", "line-size")] == [
        (0.3, "runs-on sick"),
        (0.6, "runs-on sick"),
    ]


def test_a_transaction_that_a_beacon_does_is_answered_by_the_beacon() -> None:
    beacon = Check("beacon-http", "beacon", CheckKind.HTTP, host="192.0.2.7", port=80, closure=Closure.LOCAL)
    page = Check("till-http", "till", CheckKind.HTTP, host="192.0.2.7", port=80, closure=Closure.FULL)
    graph = graph_of(
        replace(node("till", "user", "shop beacon"), checks=(page,)),
        node("shop", "business", "web"),
        node("web", "application", "host-web", "tcp"),
        replace(node("beacon", "application", "line"), checks=(beacon,)),
        node("host-web", "host", "", "icmp"),
        node("line", "network", "", "icmp"),
    )
    seen = seen_by(GraphFaults(GraphIndex(graph)), "till-http")
    assert {name: seen[name, "dead"][1] for name in ("beacon", "line", "web", "host-web")} == {
        "beacon": "process dead",
        "line": "way dead",
        "web": "needs dead",
        "host-web": "needs dead",
    }


def test_what_another_one_says_of_a_node_is_a_state_however_it_is_asked() -> None:
    outlet = Check("power-outlet", "power", CheckKind.HTTP, host="192.0.2.9", closure=Closure.OWN)
    graph = graph_of(replace(node("power", "facility"), checks=(outlet,)))
    assert seen_by(GraphFaults(GraphIndex(graph)), "power-outlet") == {
        ("power", "dead"): (0.96, "state dead"),
        ("power", "sick"): (0.7, "state sick"),
    }


def test_the_way_of_a_process_to_another_server_is_a_need_and_not_what_it_runs_on() -> None:
    graph = graph_of(
        node("app", "application", "way host-app", "http tcp"),
        node("way", "network", "host-app host-db", "http!"),
        node("host-app", "host", "lan", "icmp"),
        node("host-db", "host", "lan", "icmp"),
        node("lan", "network", "", "icmp"),
    )
    faults = GraphFaults(GraphIndex(graph))
    assert seen_by(faults, "app-http")["way", "dead"] == (0.94, "needs dead")
    assert ("way", "dead") not in seen_by(faults, "app-tcp")
    assert seen_by(faults, "app-tcp")["lan", "dead"] == (0.96, "runs-on dead")


def test_nobody_who_comes_by_a_network_runs_on_the_servers_behind_it() -> None:
    graph = graph_of(
        node("app", "application", "host-app", "tcp"),
        node("host-app", "host", "san", "icmp"),
        node("san", "network", "host-disk power", "icmp"),
        node("host-disk", "host", "", "icmp"),
        node("power", "facility"),
    )
    faults = GraphFaults(GraphIndex(graph))
    seen = {check: faults.nodes_seen_by(faults.index.checks[check])[1:] for check in ("app-tcp", "san-icmp")}
    assert seen == {"app-tcp": ("host-app", "san", "power"), "san-icmp": ("host-disk", "power")}

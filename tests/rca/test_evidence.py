import numpy as np
import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.rca.evidence import OUTCOMES, EvidenceModel, Hypotheses, Mode, Observation
from btimd.rca.graph import GraphIndex
from tests.rca.worlds import check, shop

INDEX = GraphIndex(shop())


def model(*nodes: str) -> EvidenceModel:
    return EvidenceModel(INDEX, Hypotheses.of(INDEX, nodes))


def seen(node: str, kind: str, health: Health, error: ErrorClass = ErrorClass.NONE, weight: float = 1.0) -> Observation:
    return Observation(check(node, kind), health, error, 0.0, weight)


def probabilities(evidence: EvidenceModel, *observations: Observation) -> dict[str, float]:
    by_node = evidence.hypotheses.by_node(evidence.posterior(observations))
    return {name: round(float(p), 2) for name, p in zip(evidence.hypotheses.nodes, by_node, strict=True)}


def p_bad(evidence: EvidenceModel, node: str, kind: str) -> list[float]:
    return [round(1.0 - float(good), 2) for good in evidence.table(check(node, kind))[:, 0]]


def test_every_row_of_every_table_is_a_distribution() -> None:
    evidence = model(*INDEX.graph.nodes)
    for one in INDEX.graph.checks():
        for symptom in (False, True):
            table = evidence.table(one, symptom=symptom)
            assert table.shape == (len(evidence.hypotheses.modes), OUTCOMES)
            assert (table > 0).all()
            assert np.allclose(table.sum(axis=1), 1.0)


def test_a_connect_finds_a_dead_process_and_hardly_a_sick_one() -> None:
    evidence = model("db1")
    assert evidence.hypotheses.modes == (Mode.DEAD, Mode.SICK)
    assert p_bad(evidence, "db1", "tcp") == [0.96, 0.16]
    assert p_bad(evidence, "db1", "postgres") == [0.96, 0.95]
    assert p_bad(evidence, "db1", "icmp") == [0.06, 0.03]


def test_over_both_modes_a_connect_finds_about_six_faults_of_ten() -> None:
    evidence = model("db1")
    share = np.exp(evidence.hypotheses.log_prior)
    found = float((share * np.array([0.96, 0.15])).sum() / share.sum())
    assert found == pytest.approx(0.63, abs=0.05)


def test_a_check_that_does_not_need_the_cause_fails_by_its_leak_only() -> None:
    evidence = model("db1")
    assert p_bad(evidence, "erp-web", "tcp") == [0.01, 0.01]
    assert p_bad(evidence, "name-erp", "dns") == [0.01, 0.01]


def test_one_good_answer_costs_no_hypothesis_more_than_the_floor() -> None:
    evidence = model(*INDEX.graph.nodes)
    for one in INDEX.graph.checks():
        assert float(evidence.table(one)[:, 0].min()) >= 0.035


def test_refused_says_the_process_and_silence_says_the_host() -> None:
    evidence = model("db1", "host-db")
    refused = probabilities(evidence, seen("db1", "tcp", Health.BAD, ErrorClass.REFUSED))
    silent = probabilities(evidence, seen("db1", "tcp", Health.BAD, ErrorClass.UNREACHABLE))
    assert refused["db1"] > 0.85
    assert silent["host-db"] > 0.8


def test_a_hung_database_accepts_connections_and_never_answers() -> None:
    found = probabilities(
        model("erp-app", "db1", "host-db", "host-app"),
        seen("db1", "tcp", Health.GOOD),
        seen("db1", "postgres", Health.BAD, ErrorClass.NO_ANSWER),
        seen("host-db", "icmp", Health.GOOD),
    )
    assert found["db1"] > 0.9


def test_a_name_error_points_to_the_entry_and_a_silent_server_to_the_server() -> None:
    names = model("erp", "erp-web", "name-erp", "dns1", "host-dns")
    gone = probabilities(
        names,
        seen("erp", "http", Health.BAD, ErrorClass.NAME_ERROR),
        seen("name-erp", "dns", Health.BAD, ErrorClass.NAME_ERROR),
        seen("dns1", "dns", Health.GOOD),
    )
    silent = probabilities(
        names,
        seen("erp", "http", Health.BAD, ErrorClass.NAME_ERROR),
        seen("name-erp", "dns", Health.BAD, ErrorClass.REFUSED),
        seen("dns1", "dns", Health.BAD, ErrorClass.REFUSED),
    )
    assert gone["name-erp"] > 0.9
    assert silent["dns1"] > 0.8


def test_unknown_is_no_evidence() -> None:
    evidence = model("db1", "host-db")
    nothing = evidence.posterior([])
    unknown = evidence.posterior([seen("db1", "postgres", Health.UNKNOWN, ErrorClass.OVER_BUDGET)])
    assert np.array_equal(nothing, unknown)


def test_an_error_of_the_asking_side_still_counts_as_bad_without_saying_why() -> None:
    evidence = model("db1", "erp-web")
    found = probabilities(evidence, seen("db1", "tcp", Health.BAD, ErrorClass.LOCAL_FAILURE))
    assert found["db1"] > 0.9


def test_an_old_answer_weighs_less() -> None:
    evidence = model("db1", "host-db")
    new = probabilities(evidence, seen("host-db", "icmp", Health.GOOD))
    old = probabilities(evidence, seen("host-db", "icmp", Health.GOOD, weight=0.2))
    none = probabilities(evidence)
    assert new["host-db"] < old["host-db"] < none["host-db"]


def test_the_prior_of_a_node_overrides_that_of_its_kind() -> None:
    graph = shop()
    changed = {**graph.nodes}
    changed["db1"] = type(changed["db1"])(**{
        **{name: getattr(changed["db1"], name) for name in ("id", "kind", "name", "needs", "checks")}, "prior": 0.5,
    })  # fmt: skip
    index = GraphIndex(type(graph)(changed, graph.businesses))
    assert probabilities(EvidenceModel(index, Hypotheses.of(index, ("db1", "erp-app"))))["db1"] == 1.0

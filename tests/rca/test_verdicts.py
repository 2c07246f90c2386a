from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.symptom import Symptom
from btimd.model.verdict import VerdictStatus
from btimd.rca.asking import next_checks
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.findings import is_confirmed, judge, open_needs
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from btimd.rca.verdicts import build_verdict, extend_verdict
from tests.rca.worlds import enterprise, graph_of, node, shop

INDEX = GraphIndex(shop())
OPTIONS = EngineOptions()


def diagnosis(index: GraphIndex = INDEX, **answers: tuple[Health, ErrorClass]) -> tuple[Diagnosis, Belief]:
    """Return a diagnosis of a failing ERP with answers, keyed by check with underscores for hyphens."""
    one = Diagnosis("D1", GraphFaults(index), 1000.0, 1000.0, 1010.0, probing=True)
    one.add_symptom(Symptom("S1", "erp-http", "erp", ErrorClass.WRONG_ANSWER, "bad", 999.0, 1000.0))
    cache = {}
    for number, (key, (health, error)) in enumerate(answers.items()):
        check = index.checks[key.replace("_", "-")]
        result = ProbeResult(ProbeSpec(number, check), health, error, "as told", 1001.0, 0.01)
        one.asked.add(check.id)
        one.probes_used += 1
        one.inflight[number] = (result.spec, 0.1)
        one.take(result)
        if health is not Health.UNKNOWN:
            cache[check.id] = result
    return one, one.belief(cache, 1001.0)


GOOD = (Health.GOOD, ErrorClass.NONE)
WRONG = (Health.BAD, ErrorClass.WRONG_ANSWER)
UNKNOWN = (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)


def test_the_walk_down_ends_where_the_own_dialogue_fails_and_all_needs_are_good() -> None:
    one, _belief = diagnosis(erp_app_http=WRONG, db1_postgres=GOOD, host_app_icmp=GOOD)
    assert open_needs(one, "erp-app") == ()


def test_the_walk_stays_open_below_needs_that_were_not_asked_or_could_not_be() -> None:
    one, _belief = diagnosis(erp_app_http=WRONG, db1_postgres=UNKNOWN)
    assert open_needs(one, "erp-app") == ("db1", "host-app")


def test_the_walk_does_not_end_above_a_bad_need_nor_at_a_node_that_is_good() -> None:
    one, _belief = diagnosis(erp_app_http=WRONG, db1_postgres=WRONG)
    assert open_needs(one, "erp-app") is None
    one, _belief = diagnosis(erp_app_http=GOOD)
    assert open_needs(one, "erp-app") is None


def test_a_node_is_confirmed_by_a_bad_own_check_or_when_none_is_left_to_ask() -> None:
    one, _belief = diagnosis(db1_tcp=GOOD)
    assert not is_confirmed(one, "db1")
    one, _belief = diagnosis(db1_postgres=WRONG)
    assert is_confirmed(one, "db1")
    one, _belief = diagnosis(db1_tcp=GOOD, db1_postgres=UNKNOWN)
    assert is_confirmed(one, "db1")


def test_the_next_checks_of_a_sure_suspect_are_its_own() -> None:
    index = GraphIndex(graph_of(node("erp", "business", "db1", "http"), node("db1", "database", "", "tcp postgres")))
    one, belief = diagnosis(index)
    assert belief.leader == "db1"
    assert [choice.check.id for choice in next_checks(one, belief, EngineOptions(confident=0.6))] == ["db1-postgres"]


def test_a_suspect_whose_own_check_is_good_is_only_listed() -> None:
    index = GraphIndex(graph_of(node("erp", "business", "app", "http"), node("app", "application", "", "tcp")))
    loose = EngineOptions(confident=0.6)
    one, belief = diagnosis(index, app_tcp=GOOD)
    outcome = judge(one, belief, loose, budget_spent=False)
    assert belief.leader == "app"
    assert (outcome.status, outcome.cause, outcome.reason) == (VerdictStatus.SHORTLIST, "app", "its own check is good")


def test_a_business_is_no_cause_but_the_place_of_an_unknown_one() -> None:
    every_good = {check.id.replace("-", "_"): GOOD for check in INDEX.checks.values() if check.node != "erp"}
    one, belief = diagnosis(INDEX, **every_good)
    outcome = judge(one, belief, OPTIONS, budget_spent=False)
    assert belief.leader == "erp"
    assert (outcome.status, outcome.cause) == (VerdictStatus.UNKNOWN, None)


def test_a_verdict_tells_the_way_from_the_business_and_grows_with_its_symptoms() -> None:
    index = GraphIndex(enterprise())
    one, belief = diagnosis(index, erp_db_postgres=(Health.BAD, ErrorClass.NO_ANSWER), host_erp_db_icmp=GOOD)
    outcome = judge(one, belief, OPTIONS, budget_spent=False)
    verdict = build_verdict(one, belief, outcome, one.symptoms, 1002.0)
    assert (verdict.cause, verdict.path, verdict.cause_error) == (
        "erp-db", ("erp", "erp-web1", "erp-app", "erp-db"), ErrorClass.NO_ANSWER,
    )  # fmt: skip
    assert verdict.seconds_taken == 3.0
    later = Symptom("S2", "erp-app-http", "erp-app", ErrorClass.SLOW, "bad", 1003.0, 1004.0)
    listed = (*one.symptoms.values(), later)
    grown = extend_verdict(index, verdict, listed, own_error=ErrorClass.NO_ANSWER, reason="")
    assert (grown.id, grown.symptoms, grown.symptom_nodes) == ("D1", ("S1", "S2"), ("erp", "erp-app"))
    assert grown.path == verdict.path

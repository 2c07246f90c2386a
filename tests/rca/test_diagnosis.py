from math import exp

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Closure
from btimd.model.symptom import Symptom
from btimd.rca.diagnosis import Diagnosis, two_causes
from btimd.rca.evidence import Observation
from btimd.rca.graph import GraphIndex
from tests.rca.worlds import enterprise, shop

NOW = 1000.0


def running(index: GraphIndex, *symptoms: tuple[str, ErrorClass]) -> Diagnosis:
    one = Diagnosis("D1", index, NOW, NOW, NOW + 10.0, probing=True)
    for check_id, error in symptoms:
        check = index.checks[check_id]
        one.symptoms[check_id] = Symptom(check_id, check_id, check.node, error, "bad", NOW - 2.0, NOW)
    return one


def known(index: GraphIndex, check_id: str, health: Health, at: float) -> ProbeResult:
    error = ErrorClass.TIMEOUT if health is Health.BAD else ErrorClass.NONE
    return ProbeResult(ProbeSpec(9, index.checks[check_id]), health, error, "as told", at, 0.01)


@pytest.mark.parametrize(
    ("health", "age", "weight"),
    [
        (Health.GOOD, 1.0, exp(-0.1)),
        (Health.GOOD, 3.0, 0.0),  # from before the first symptom
        (Health.BAD, 3.0, exp(-0.3)),
        (Health.UNKNOWN, 1.0, 0.0),
        (Health.GOOD, -5.0, 1.0),  # the prober's clock is ahead
    ],
)
def test_a_known_answer_weighs_by_its_age_and_by_when_the_trouble_began(
    health: Health, age: float, weight: float
) -> None:
    index = GraphIndex(shop())
    one = running(index, ("erp-http", ErrorClass.SLOW))
    assert one.free_weight(known(index, "db1-tcp", health, NOW - age), NOW) == pytest.approx(weight)


def test_known_answers_that_touch_no_suspect_are_left_out() -> None:
    index = GraphIndex(enterprise())
    one = running(index, ("erp-web1-tcp", ErrorClass.REFUSED))
    cache = {name: known(index, name, Health.GOOD, NOW) for name in ("hr-db-tcp", "switch-1-icmp", "erp-web1-http")}
    told = [seen.check.id for seen in one.observations(cache, NOW)]
    assert told == ["erp-web1-tcp", "switch-1-icmp", "erp-web1-http"]


def test_a_symptom_of_no_known_check_counts_as_a_whole_transaction() -> None:
    one = Diagnosis("D1", GraphIndex(shop()), NOW, NOW, NOW + 10.0)
    strange = Symptom("S", "baseline-erp", "erp", ErrorClass.SLOW, "less traffic than usual", NOW, NOW)
    check = one.symptom_check(strange)
    assert (check.node, check.closure) == ("erp", Closure.FULL)
    assert one.explains("host-db", strange)


def test_an_own_answer_is_taken_once() -> None:
    index = GraphIndex(shop())
    one = running(index, ("erp-http", ErrorClass.SLOW))
    result = known(index, "db1-tcp", Health.GOOD, NOW)
    one.inflight[9] = (ProbeSpec(9, index.checks["db1-tcp"], "splits"), 0.4)
    line = one.take(result)
    assert line is not None
    assert (line.check_id, line.why, line.gain_bits, line.cost) == ("db1-tcp", "splits", 0.4, 1.5)
    assert one.take(result) is None
    assert list(one.answers) == ["db1-tcp"]


def test_two_bad_places_that_no_single_node_explains_are_two_causes() -> None:
    index = GraphIndex(enterprise())
    one = running(index, ("erp-http", ErrorClass.WRONG_ANSWER), ("hr-http", ErrorClass.REFUSED))
    for check_id, error in (("erp-db-postgres", ErrorClass.REFUSED), ("hr-web1-tcp", ErrorClass.REFUSED)):
        one.answers[check_id] = Observation(index.checks[check_id], Health.BAD, error, NOW)
    assert set(two_causes(one.belief({}, NOW)) or ()) == {"erp-db", "hr-web1"}


def test_one_shared_cause_is_not_split_in_two() -> None:
    index = GraphIndex(enterprise())
    one = running(index, ("erp-http", ErrorClass.WRONG_ANSWER), ("hr-http", ErrorClass.WRONG_ANSWER))
    for check_id in ("erp-app-http", "hr-app-http"):
        one.answers[check_id] = Observation(index.checks[check_id], Health.BAD, ErrorClass.WRONG_ANSWER, NOW)
    assert two_causes(one.belief({}, NOW)) is None

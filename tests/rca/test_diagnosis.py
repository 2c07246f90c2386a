from dataclasses import replace
from math import exp

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import CheckKind, Closure
from btimd.model.sign import Sign, SignSource
from btimd.model.symptom import Symptom
from btimd.rca.diagnosis import Diagnosis, free_weight, sign_weight, ttl_seconds
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from tests.rca.worlds import enterprise, shop

NOW = 1000.0


def running(faults: GraphFaults, *symptoms: tuple[str, ErrorClass]) -> Diagnosis:
    one = Diagnosis("D1", faults, NOW, NOW, NOW + 10.0, probing=True)
    for check_id, error in symptoms:
        check = faults.index.checks[check_id]
        one.add_symptom(Symptom(check_id, check_id, check.node, error, "bad", NOW - 2.0, NOW))
    return one


def of(graph_name: str) -> GraphFaults:
    return GraphFaults(GraphIndex(shop() if graph_name == "shop" else enterprise()))


def known(faults: GraphFaults, check_id: str, health: Health, at: float) -> ProbeResult:
    error = ErrorClass.TIMEOUT if health is Health.BAD else ErrorClass.NONE
    return ProbeResult(ProbeSpec(9, faults.index.checks[check_id]), health, error, "as told", at, 0.01)


@pytest.mark.parametrize(
    ("health", "age", "weight"),
    [
        (Health.GOOD, 1.0, exp(-0.1)),
        (Health.GOOD, 3.0, 0.0),  # from before the first symptom
        (Health.BAD, 3.0, exp(-0.3)),
        (Health.BAD, 8.0, 0.0),  # of another trouble, from long before the first symptom
        (Health.BAD, 100.0, 0.0),  # forgotten
        (Health.UNKNOWN, 1.0, 0.0),
        (Health.GOOD, -5.0, 1.0),  # the prober's clock is ahead
    ],
)
def test_a_known_answer_weighs_by_its_age_and_by_when_the_trouble_began(
    health: Health, age: float, weight: float
) -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.SLOW))
    assert free_weight(known(faults, "db1-tcp", health, NOW - age), NOW, one.since()) == pytest.approx(weight)


def test_answers_keep_their_worth_by_how_quickly_what_they_tell_of_changes() -> None:
    assert [ttl_seconds(kind) for kind in (CheckKind.ICMP, CheckKind.TCP, CheckKind.HTTP, CheckKind.MYSQL)] == [
        5.0, 10.0, 10.0, 30.0,
    ]  # fmt: skip


def test_a_bad_answer_of_a_slow_schedule_counts_until_its_next_one() -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.SLOW))
    bad = known(faults, "db1-postgres", Health.BAD, NOW - 20.0)
    scheduled = replace(bad, spec=replace(bad.spec, check=replace(bad.spec.check, every_seconds=30.0)))
    assert free_weight(bad, NOW, one.since()) == 0.0
    assert free_weight(scheduled, NOW, one.since()) == pytest.approx(exp(-2 / 3))


def test_known_answers_that_touch_no_suspect_are_left_out() -> None:
    faults = of("enterprise")
    one = running(faults, ("erp-web1-tcp", ErrorClass.REFUSED))
    cache = {name: known(faults, name, Health.GOOD, NOW) for name in ("hr-db-tcp", "switch-1-icmp", "erp-web1-http")}
    one.belief(cache, NOW)
    assert one.settled() == {
        "switch-1-icmp": Health.GOOD, "erp-web1-http": Health.GOOD, "erp-web1-tcp": Health.BAD,
    }  # fmt: skip


def test_what_grew_too_old_is_taken_back() -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.NO_ANSWER))
    cache = dict([bad(faults, "db1-tcp", ErrorClass.REFUSED)])
    before = one.belief(cache, NOW).probability("db1")
    assert before > 0.8
    assert one.belief(cache, NOW + 60).probability("db1") < before / 2


def test_an_own_answer_is_taken_once() -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.SLOW))
    result = known(faults, "db1-tcp", Health.GOOD, NOW)
    one.inflight[9] = (ProbeSpec(9, faults.index.checks["db1-tcp"], "splits"), 0.4)
    line = one.take(result)
    assert line is not None
    assert (line.check_id, line.why, line.gain_bits, line.cost) == ("db1-tcp", "splits", 0.4, 1.5)
    assert one.take(result) is None
    assert list(one.answers) == ["db1-tcp"]


def bad(faults: GraphFaults, check_id: str, error: ErrorClass) -> tuple[str, ProbeResult]:
    spec = ProbeSpec(9, faults.index.checks[check_id])
    return check_id, ProbeResult(spec, Health.BAD, error, "as told", NOW, 0.01)


def test_two_bad_places_that_no_single_node_explains_are_two_causes() -> None:
    faults = of("enterprise")
    one = running(faults, ("erp-http", ErrorClass.WRONG_ANSWER), ("hr-http", ErrorClass.REFUSED))
    cache = dict((
        bad(faults, "erp-db-postgres", ErrorClass.REFUSED), bad(faults, "hr-web1-tcp", ErrorClass.REFUSED),
    ))  # fmt: skip
    belief = one.belief(cache, NOW)
    assert set(belief.causes) == {"erp-db", "hr-web1"}
    assert belief.is_complete


def test_one_shared_cause_is_not_taken_for_two() -> None:
    faults = of("enterprise")
    one = running(faults, ("erp-http", ErrorClass.WRONG_ANSWER), ("hr-http", ErrorClass.WRONG_ANSWER))
    cache = dict(bad(faults, name, ErrorClass.WRONG_ANSWER) for name in ("erp-app-http", "hr-app-http"))
    assert len(one.belief(cache, NOW).causes) == 1


def test_a_diagnosis_gives_its_questions_back() -> None:
    faults = of("shop")
    counts = []
    for number in range(100):
        one = running(faults, ("erp-http", ErrorClass.SLOW), ("db1-tcp", ErrorClass.TIMEOUT))
        one.belief({}, NOW, [sign("s", Health.BAD, NOW + number)])
        one.remove_symptom("db1-tcp")
        one.close()
        counts.append(faults.model.question_count)
    assert counts == counts[:1] * 100


def test_what_was_said_concerns_a_diagnosis_where_it_is_about_a_suspect() -> None:
    faults = of("enterprise")
    one = running(faults, ("erp-http", ErrorClass.WRONG_ANSWER))
    checks = faults.index.checks
    web = checks["erp-app-http"]
    elsewhere = next(check for check in checks.values() if check.node == "switch-2")
    assert one.is_concerned(web, Health.GOOD)  # nothing is believed yet
    belief = one.belief({}, NOW)
    one.inflight[1] = (ProbeSpec(1, web), 0.5)
    assert one.is_concerned(checks["erp-http"], Health.GOOD)
    assert not one.is_concerned(elsewhere, Health.GOOD)
    assert (one.believed is belief, one.is_due(NOW), one.is_due(NOW + 10.0)) == (True, False, True)
    one.remove_symptom("erp-http")
    assert one.believed is None


def sign(key: str, health: Health, at: float, *, node: str = "erp", weight: float = 1.0) -> Sign:
    error = ErrorClass.NONE if health is Health.GOOD else ErrorClass.NO_ANSWER
    return Sign(key, node, health, error, "as seen", SignSource.FLOWS, at, Closure.FULL, weight=weight)


@pytest.mark.parametrize(
    ("health", "at", "weight"),
    [
        (Health.BAD, NOW, 1.0),
        (Health.BAD, NOW - 45, 0.5),
        (Health.BAD, NOW - 60, 0.0),
        (Health.GOOD, NOW - 1, (59 / 60) ** 0.5),
        (Health.GOOD, NOW - 3, 0.0),  # users who were served before the trouble began
    ],
)
def test_a_sign_fades_and_a_good_one_counts_only_after_the_trouble_began(
    health: Health, at: float, weight: float
) -> None:
    assert sign_weight(sign("s", health, at), NOW, NOW - 2.0) == pytest.approx(weight)


def test_signs_are_evidence_while_they_last_and_the_latest_of_an_id_counts() -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.NO_ANSWER))
    calm = one.belief({}, NOW).probability("db1")
    told = Sign("t", "db1", Health.BAD, ErrorClass.EXCEEDED, "no space left", SignSource.SYSLOG, NOW)
    assert one.belief({}, NOW, [told]).probability("db1") > 2 * calm
    assert one.signs_told() == (told,)
    assert one.belief({}, NOW + 61, [told]).probability("db1") == pytest.approx(calm)
    assert one.signs_told() == ()


def test_an_answer_that_comes_into_the_same_cache_later_or_is_replaced_there_counts() -> None:
    faults = of("shop")
    one = running(faults, ("erp-http", ErrorClass.SLOW))
    cache = {"db1-tcp": known(faults, "db1-tcp", Health.GOOD, NOW)}
    one.belief(cache, NOW)
    cache["db1-tcp"] = known(faults, "db1-tcp", Health.BAD, NOW)
    later = [check.id for check in faults.checks if check.id not in ("db1-tcp", "erp-http")]
    cache |= {check_id: known(faults, check_id, Health.GOOD, NOW) for check_id in later}
    after = one.belief(cache, NOW)
    fresh = running(faults, ("erp-http", ErrorClass.SLOW)).belief(dict(cache), NOW)
    assert dict(after.probabilities) == pytest.approx(dict(fresh.probabilities))

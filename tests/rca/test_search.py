from btimd.model.probe import ErrorClass, ProbeSpec
from btimd.model.symptom import Symptom
from btimd.rca.diagnosis import Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.graph import GraphIndex
from btimd.rca.search import next_checks
from tests.rca.worlds import shop


def running() -> Diagnosis:
    one = Diagnosis("D1", GraphIndex(shop()), 1000.0, 1000.0, 1010.0, probing=True)
    one.symptoms["S1"] = Symptom("S1", "erp-http", "erp", ErrorClass.WRONG_ANSWER, "bad", 999.0, 1000.0)
    return one


def test_the_batch_leaves_room_for_what_is_running_and_for_the_budget() -> None:
    one = running()
    assert len(next_checks(one, one.belief({}, 1000.0), EngineOptions(batch=3))) == 3
    assert len(next_checks(one, one.belief({}, 1000.0), EngineOptions(max_probes=2))) == 2
    one.inflight[1] = (ProbeSpec(1, one.index.checks["db1-postgres"]), 0.5)
    chosen = next_checks(one, one.belief({}, 1000.0), EngineOptions(batch=3))
    assert len(chosen) == 2
    assert "db1" not in {choice.check.node for choice in chosen}


def test_the_check_behind_the_symptom_is_not_asked_again() -> None:
    one = running()
    chosen = next_checks(one, one.belief({}, 1000.0), EngineOptions(batch=16, min_gain_bits=1e-9))
    assert "erp-http" not in {choice.check.id for choice in chosen}

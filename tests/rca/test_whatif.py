import pytest

from btimd.model.probe import Health
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.capsule import Capsule
from btimd.rca.replay import differences
from btimd.rca.whatif import what_if
from tests.fakes.diagnoses import shop_capsule
from tests.rca.test_engine import FAULTS, broken
from tests.rca.test_replay import recorded


def verdict(capsule: Capsule, **answers: Health) -> Verdict:
    return what_if(capsule, {name.replace("_", "-"): health for name, health in answers.items()}).verdicts[
        capsule.verdict.id
    ]


@pytest.mark.parametrize(("mode", "name"), FAULTS[::6])
def test_with_the_same_answers_it_comes_to_the_same_cause(mode: str, name: str) -> None:
    (capsule,) = recorded(broken(mode, name, 1))
    now = verdict(capsule)
    assert (now.status, now.cause) == (capsule.verdict.status, capsule.verdict.cause), differences(capsule.verdict, now)


def test_without_the_answer_that_convicted_it_the_cause_is_not_found() -> None:
    capsule = shop_capsule()
    assert capsule.verdict.cause == "db1"
    assert verdict(capsule, db1_tcp=Health.GOOD, db1_postgres=Health.GOOD).cause != "db1"
    assert verdict(capsule, db1_tcp=Health.UNKNOWN, db1_postgres=Health.UNKNOWN).status is not VerdictStatus.CAUSE_FOUND


def test_the_layer_below_takes_the_blame_when_it_is_bad_too() -> None:
    assert verdict(shop_capsule(), host_db_icmp=Health.BAD).cause == "host-db"


def test_a_check_that_is_not_in_the_model_is_refused() -> None:
    with pytest.raises(KeyError, match="nope"):
        what_if(shop_capsule(), {"nope": Health.GOOD})

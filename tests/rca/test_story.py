from dataclasses import replace

import pytest

from btimd.model.diagnosis import FactKind, KnownFact, NodePart
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Closure
from btimd.model.sign import Change, Sign, SignSource
from btimd.rca.capsule import TimedEvent
from btimd.rca.engine import Engine
from btimd.rca.events import ChangeSeen, SignSeen
from btimd.rca.story import diagnosis_of, entry_of, story_of
from tests.fakes.diagnoses import shop_capsule
from tests.rca.test_engine import FAULTS, broken
from tests.rca.test_replay import recorded
from tests.rca.worlds import World, enterprise, shop


@pytest.mark.parametrize(("mode", "name"), FAULTS[::5])
def test_every_step_has_its_batch_its_time_and_who_led_after_it(mode: str, name: str) -> None:
    (capsule,) = recorded(broken(mode, name, 1))
    story = story_of(capsule)
    assert (story.verdict, story.differences) == (capsule.verdict, ())
    assert [step.check_id for step in story.steps] == [line.check_id for line in capsule.verdict.evidence]
    asked = [step for step in story.steps if step.batch]
    assert sorted({step.batch for step in asked}) == list(range(1, max(step.batch for step in asked) + 1))
    assert all(step.asked_at is not None and step.asked_at <= step.answered_at and step.suspects for step in asked)
    assert story.suspects
    assert [symptom.id for symptom in story.symptoms] == list(capsule.verdict.symptoms)


def test_what_was_known_is_no_question() -> None:
    world = World(shop(), dead=frozenset(["db1"]))
    engine = Engine(world.graph)
    spec = ProbeSpec(900, engine.index.checks["dns1-tcp"])
    engine.observe(ProbeResult(spec, Health.GOOD, ErrorClass.NONE, "as told", 999.5, 0.01), 999.6)
    (capsule,) = recorded(world, engine=engine)
    (known,) = [step for step in story_of(capsule).steps if step.check_id == "dns1-tcp"]
    assert (known.batch, known.cost, known.asked_at, known.suspects) == (0, 0.0, None, ())


def test_signs_changes_and_earlier_causes_below_the_symptom_are_facts_newest_first() -> None:
    capsule = shop_capsule()
    sign = Sign("s", "db1", Health.BAD, ErrorClass.EXCEEDED, "disk full", SignSource.SYSLOG, 999.0, Closure.OWN)
    state = replace(
        capsule.state,
        signs=(sign,),
        changes=(Change("host-db", "rebooted", 990.0, "syslog"),),
        failed=(("dns1", 800.0), ("elsewhere", 900.0)),
    )
    late = (
        TimedEvent(1000.1, SignSeen(replace(sign, text="disk still full", at=1000.1))),
        TimedEvent(1000.2, ChangeSeen(Change("db1", "restarted", 1000.2, "person"))),
    )
    story = story_of(replace(capsule, state=state, events=(*late, *capsule.events)))
    assert story.known == (
        KnownFact(FactKind.CHANGE, "db1", Health.UNKNOWN, "restarted", 1000.2),
        KnownFact(FactKind.SIGN, "db1", Health.BAD, "disk still full", 1000.1),
        KnownFact(FactKind.CHANGE, "host-db", Health.UNKNOWN, "rebooted", 990.0),
        KnownFact(FactKind.EARLIER, "dns1", Health.UNKNOWN, "", 800.0),
    )


def test_a_diagnosis_that_comes_out_otherwise_is_told_as_it_was_and_says_what_differs() -> None:
    capsule = shop_capsule()
    told = replace(capsule.verdict, cause="host-db", path=())
    story = story_of(replace(capsule, verdict=told))
    assert story.verdict == told
    assert story.differences[0] == "cause: host-db before, db1 now"
    assert story_of(replace(capsule, verdict=told, complete=False)).differences == ()


def test_of_two_causes_each_verdict_tells_of_the_same_search() -> None:
    world = World(enterprise(), dead=frozenset(["erp-db", "hr-db"]))
    capsules = recorded(world)
    stories = [story_of(capsule) for capsule in capsules]
    assert {story.verdict.cause for story in stories} >= {"erp-db", "hr-db"}
    assert all(story.steps and story.differences == () for story in stories)
    assert [diagnosis_of(name) for name in ("D1-1", "D1-1.2", "D1.x")] == ["D1-1", "D1-1", "D1.x"]


def test_an_entry_says_what_a_list_needs() -> None:
    verdict = shop_capsule().verdict
    entry = entry_of(verdict, complete=True, model="m", program="p")
    assert (entry.id, entry.cause, entry.businesses, entry.complete) == (verdict.id, "db1", ("erp",), True)


def test_the_nodes_play_their_parts() -> None:
    parts = {node.id: node.part for node in story_of(shop_capsule()).nodes}
    assert (parts["erp"], parts["erp-web"], parts["db1"]) == (NodePart.SYMPTOM, NodePart.PATH, NodePart.CAUSE)

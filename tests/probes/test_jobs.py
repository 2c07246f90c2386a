from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Node, NodeKind, ServiceGraph
from btimd.probes.jobs import Job, devices_of, octets_of, question_of
from btimd.probes.wire.dialogue import Line
from tests.probes.samples import check


def job() -> Job:
    of = check(timeout=3.0)
    return Job(ProbeSpec(1, of), question_of(of), [], is_sample=True, asked_at=100.0)


def test_a_job_waits_twice_its_time_and_is_urgent_when_somebody_waits_for_it() -> None:
    made = job()
    assert (made.expires_at, made.is_urgent) == (106.0, False)
    made.waiting.append((made.spec, lambda _: None))
    assert made.is_urgent


def test_the_same_question_has_nothing_to_do_with_its_name() -> None:
    assert question_of(check("a")) == question_of(check("b"))
    assert question_of(check("a", port=1)) != question_of(check("a", port=2))


def test_octets_are_those_of_the_runner_or_of_the_meter_or_unknown() -> None:
    made = job()
    assert octets_of(made, None) is None
    made.meter.opened(Line.TCP)
    assert octets_of(made, None) == 364
    told = ProbeResult(made.spec, Health.GOOD, ErrorClass.NONE, "", 0.0, 0.0, {"octets": 12.0})
    assert octets_of(made, told) == 12


def test_only_nodes_that_share_a_device_are_listed() -> None:
    nodes = (Node("a", NodeKind.HOST, "A", device="box"), Node("b", NodeKind.HOST, "B"))
    assert devices_of(ServiceGraph({node.id: node for node in nodes}, {})) == {"a": "box"}

from dataclasses import replace

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.sign import Sign, SignSource
from btimd.rca.graph import GraphIndex
from btimd.rca.memory import Memory
from tests.rca.worlds import check, graph_of, node, shop

INDEX = GraphIndex(shop())
NOW = 1000.0


def answer(check_id: str, health: Health, at: float) -> ProbeResult:
    asked = INDEX.checks.get(check_id) or check("nowhere", "tcp")
    return ProbeResult(ProbeSpec(1, asked), health, ErrorClass.NONE, "", at, 0.1)


def heard(node_id: str, at: float, source: SignSource = SignSource.FLOWS) -> Sign:
    return Sign(f"{source}:{node_id}", node_id, Health.GOOD, ErrorClass.NONE, "", source, at)


def test_the_latest_answer_that_tells_something_is_kept() -> None:
    memory = Memory()
    good, older = answer("db1-tcp", Health.GOOD, NOW), answer("db1-tcp", Health.BAD, NOW - 1)
    for result in (good, older, answer("db1-tcp", Health.UNKNOWN, NOW + 1), answer("x", Health.BAD, NOW)):
        memory.answered(result, INDEX)
    assert memory.answers == {"db1-tcp": good}


def test_users_are_watched_where_their_traffic_was_seen_lately_and_heard_after_a_moment() -> None:
    memory = Memory()
    memory.signed(heard("erp", NOW))
    memory.signed(heard("db1", NOW, SignSource.SYSLOG))
    assert memory.users_are_watched(["erp"], NOW + 120)
    assert not memory.users_are_watched(["erp"], NOW + 121)
    assert not memory.users_are_watched(["erp", "db1"], NOW)
    assert memory.users_were_heard("erp", NOW)
    assert not memory.users_were_heard("erp", NOW + 1)


def test_another_graph_takes_what_it_does_not_know_with_it() -> None:
    memory = Memory()
    memory.answered(answer("db1-tcp", Health.GOOD, NOW), INDEX)
    memory.signed(heard("erp", NOW))
    memory.keep(GraphIndex(graph_of(node("other", "host", "", "icmp"))))
    assert (memory.answers, memory.signs) == ({}, {})


def test_signs_are_bounded_and_the_oldest_goes_first() -> None:
    memory = Memory()
    one = heard("erp", NOW)
    for number in range(20_001):
        memory.signed(replace(one, id=str(number)))
    assert (len(memory.signs), "0" in memory.signs, "20000" in memory.signs) == (20_000, False, True)

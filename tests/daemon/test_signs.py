from collections.abc import Sequence

import pytest

from btimd.daemon.signs import SignDesk
from btimd.model.evidence import Finding, Observation
from btimd.model.heard import HeardAs, Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import BusinessService, Check, CheckKind, Closure, Node, NodeKind, ServiceGraph
from btimd.model.sign import Change, Sign, SignSource
from btimd.model.symptom import Symptom
from btimd.runtime.clock import ManualClock
from btimd.runtime.metrics import Metrics


def graph(*, port: int = 80) -> ServiceGraph:
    web = Check("web.http", "web", CheckKind.HTTP, "10.0.0.1", port)
    nodes = (
        Node("erp", NodeKind.BUSINESS, "ERP", ("web", "north")),
        Node("web", NodeKind.APPLICATION, "web", checks=(web,)),
        Node("north", NodeKind.USER, "users in north", region="north"),
    )
    return ServiceGraph({node.id: node for node in nodes}, {"erp": BusinessService("erp", "ERP")})


class Rca:
    def __init__(self) -> None:
        self.signs: list[Sign] = []
        self.changes: list[Change] = []
        self.open: list[Symptom] = []

    def signed(self, sign: Sign) -> None:
        self.signs.append(sign)

    def changed(self, change: Change) -> None:
        self.changes.append(change)

    def symptoms(self) -> Sequence[Symptom]:
        return self.open


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.rca = Rca()
        self.metrics = Metrics()
        self.desk = SignDesk(
            graph=graph(), rca=self.rca, clock=self.clock, metrics=self.metrics, devices=lambda: {"box": ("10.0.0.1",)}
        )

    def seen(
        self, health: Health = Health.GOOD, *, node: str = "erp", name: str = "flows:erp@north", ago: float = 0.0
    ) -> list[Sign]:
        before = len(self.rca.signs)
        self.desk.traffic(
            [
                Sign(
                    name,
                    node,
                    health,
                    ErrorClass.NONE,
                    "t",
                    SignSource.FLOWS,
                    self.clock.wall() - ago,
                    Closure.FULL,
                    "north",
                )
            ]
        )
        return self.rca.signs[before:]

    def trouble(self, error: ErrorClass = ErrorClass.TIMEOUT) -> None:
        now = self.clock.wall()
        self.rca.open = [Symptom(id="s", node="erp", check_id="c", error=error, since=now, seen_at=now, text="")]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_while_all_is_well_users_are_told_of_now_and_then_and_in_trouble_at_once(desk: Desk) -> None:
    assert len(desk.seen()) == 1
    desk.clock.advance(1.0)
    assert desk.seen() == []
    desk.clock.advance(20.0)
    assert len(desk.seen()) == 1
    desk.trouble()
    desk.clock.advance(0.25)
    assert len(desk.seen()) == 1
    assert len(desk.seen(Health.BAD)) == 1, "what has turned is told at once"
    assert desk.seen(ago=5.0) == [], "what came late tells of a time that is known already"


def test_after_trouble_it_is_told_soon_that_users_are_back(desk: Desk) -> None:
    assert len(desk.seen(Health.BAD)) == 1
    desk.clock.advance(1.0)
    assert len(desk.seen()) == 1
    desk.clock.advance(1.0)
    assert len(desk.seen()) == 1


def test_users_who_connect_do_not_contradict_a_probe_that_got_a_wrong_answer(desk: Desk) -> None:
    desk.trouble(ErrorClass.WRONG_ANSWER)
    assert desk.seen() == []
    assert len(desk.seen(Health.BAD)) == 1


def test_users_who_connect_do_not_contradict_what_their_packets_said(desk: Desk) -> None:
    finding = Finding(
        "erp",
        "f",
        observations=(
            Observation("http", "503", "10.0.0.1:80", 14, 20, 5000),
            Observation("dns", "NXDOMAIN", "10.0.0.1:53", 9, 9, 0),
        ),
    )
    desk.desk.found(finding)
    (sign,) = desk.rca.signs
    assert (sign.node, sign.health, sign.error, sign.text, sign.at) == (
        "web",
        Health.BAD,
        ErrorClass.WRONG_ANSWER,
        "HTTP 503 in 14 of 20 answers of 10.0.0.1:80",
        5.0,
    )
    assert desk.seen() == []
    desk.clock.advance(61.0)
    assert len(desk.seen()) == 1


def test_what_a_region_sees_is_about_the_node_of_its_users_and_what_no_model_knows_is_dropped(desk: Desk) -> None:
    assert [one.node for one in desk.seen(name="flows:region:north", node="north")] == ["north"]
    desk.desk.traffic(
        [Sign("flows:region:moon", "moon", Health.BAD, ErrorClass.NONE, "", SignSource.FLOWS, 0.0, region="moon")]
    )
    assert desk.seen(node="gone") == []


def told(**change: object) -> Told:
    given: dict[str, object] = {
        "source": SignSource.SYSLOG, "sender": "10.0.0.1", "hosts": ("10.0.0.1",), "rule": "disk-full", "text": "No space left",
        "at": 5.0, "health": Health.BAD, "error": ErrorClass.EXCEEDED,
    }  # fmt: skip
    return Told(**(given | change))  # type: ignore[arg-type]


def test_a_message_becomes_a_sign_its_end_takes_it_back_and_a_change_is_a_change(desk: Desk) -> None:
    assert desk.desk.take(told()).heard_as is HeardAs.BAD
    assert desk.desk.take(told(health=Health.UNKNOWN)).heard_as is HeardAs.OVER
    assert [(one.id, one.node, one.health, one.error, one.scope) for one in desk.rca.signs] == [
        ("syslog:web:disk-full", "web", Health.BAD, ErrorClass.EXCEEDED, Closure.OWN),
        ("syslog:web:disk-full", "web", Health.UNKNOWN, ErrorClass.NONE, Closure.OWN),
    ]
    assert desk.desk.take(told(health=None, text="configured")).heard_as is HeardAs.CHANGE
    assert desk.rca.changes == [Change("web", "configured", 5.0, "syslog")]
    assert [one.heard_as.value for one in desk.desk.heard(limit=9)] == ["change", "over", "bad"]
    assert [one.text for one in desk.desk.heard(limit=1, heard_as=HeardAs.BAD)] == ["No space left"]


def test_what_matches_nothing_is_counted_per_sender_so_that_rules_can_be_written(desk: Desk) -> None:
    desk.desk.take(told(hosts=("192.0.2.1",), sender="192.0.2.1"))
    desk.desk.not_understood(SignSource.SYSLOG, "10.0.0.1", "hello")
    desk.desk.take(told())
    found = [(one.sender, one.matched, one.no_rule, one.no_node, one.last_unmatched) for one in desk.desk.senders()]
    assert found == [
        ("10.0.0.1", 1, 1, 0, "hello"),
        ("192.0.2.1", 0, 0, 1, "No space left (no node stands for 192.0.2.1)"),
    ]
    value = desk.metrics.text().decode()
    assert 'btimd_signs_total{heard_as="no-node",source="syslog"} 1.0' in value


def test_a_change_that_a_person_tells_of_is_suspected_and_an_unknown_node_is_refused(desk: Desk) -> None:
    heard = desk.desk.record_change("web", "release 4.2", "wang")
    assert (heard.sender, heard.heard_as, heard.text) == ("wang", HeardAs.CHANGE, "release 4.2")
    assert desk.rca.changes[0].source == "person"
    with pytest.raises(KeyError):
        desk.desk.record_change("nothing", "x", "wang")


def test_a_change_of_a_device_is_one_of_all_that_runs_on_it(desk: Desk) -> None:
    desk.desk.device_changed("box", "restarted")
    desk.desk.device_changed("other", "restarted")
    assert [(one.node, one.text) for one in desk.rca.changes] == [("web", "restarted")]
    assert desk.desk.heard(limit=1)[0].heard_as is HeardAs.NO_NODE


def test_another_model_and_another_plan_are_changes_of_what_differs(desk: Desk) -> None:
    desk.desk.swap(graph(port=8080))
    desk.desk.plan_changed(
        {"north": frozenset({"10.1.0.0/16"}), "x": frozenset()},
        {"north": frozenset({"10.2.0.0/16"}), "x": frozenset({"a"})},
    )
    assert [(one.node, one.text) for one in desk.rca.changes] == [
        ("web", "its checks in the model were changed"),
        ("north", "the IP plan of north was changed: 10.1.0.0/16, 10.2.0.0/16"),
    ]

"""Windows and silences: what trouble falls under them, and which down time they make planned."""

from types import MappingProxyType
from typing import Any

import pytest

from btimd.model.agreement import OutageFact
from btimd.model.incident import Priority
from btimd.model.maintenance import Matcher, MinuteSpan, Recurrence, Suppression, SuppressionEffect, SuppressionKind
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph
from btimd.sla.windows import Trouble, WindowBook, parts
from tests.sla.agreeing import OFFICE, millis, moment

NEEDS = {
    "erp": ("app",), "web": ("nginx",), "app": ("ora1",), "ora1": ("host1", "disk1"), "nginx": ("host2",),
    "host1": ("switch", "psu1"), "host2": ("switch",), "switch": (), "disk1": (), "psu1": (),
}  # fmt: skip


def graph() -> ServiceGraph:
    businesses = {name: BusinessService(name, name.upper()) for name in ("erp", "web")}
    nodes = {
        name: Node(name, NodeKind.BUSINESS if name in businesses else NodeKind.HOST, name, needs)
        for name, needs in NEEDS.items()
    }
    return ServiceGraph(MappingProxyType(nodes), MappingProxyType(businesses), 1)


def window(name: str = "M-1", **what: Any) -> Suppression:
    plain: dict[str, Any] = {
        "kind": SuppressionKind.WINDOW,
        "effect": SuppressionEffect.INCIDENTS,
        "matcher": Matcher(businesses=("erp",)),
        "start_at": moment("16 02:00"),
        "end_at": moment("16 04:00"),
    }
    return Suppression(id=name, **(plain | what))


def covering(trouble: Trouble, *given: Suppression, at: str = "16 03:00") -> str:
    book = WindowBook(given, {}, graph())
    found = book.covering(trouble, SuppressionEffect.INCIDENTS, moment(at))
    return "" if found is None else found.id


def trouble(cause: str = "", *businesses: str, **more: Any) -> Trouble:
    return Trouble(cause=cause, businesses=businesses, **more)


def test_the_parts_of_a_node_are_what_nobody_else_needs() -> None:
    assert parts(NEEDS, ["ora1"]) == {"ora1", "host1", "disk1", "psu1"}
    assert parts(NEEDS, ["ora1", "host2"]) == {"ora1", "host1", "disk1", "psu1", "host2", "switch"}
    assert parts(NEEDS, ["gone"]) == frozenset()


def test_a_window_over_a_business_covers_what_hits_nobody_else_while_it_holds() -> None:
    assert covering(trouble("app", "erp"), window()) == "M-1"
    assert covering(trouble("app", "erp"), window(), at="16 01:59") == ""
    assert covering(trouble("app", "erp"), window(), at="16 04:00") == ""
    assert covering(trouble("switch", "erp", "web"), window()) == ""
    assert covering(trouble("psu1"), window()) == ""


def test_businesses_under_windows_of_their_own_may_be_hit_together() -> None:
    both = (window(), window("M-2", matcher=Matcher(businesses=("web",))))
    assert covering(trouble("switch", "erp", "web"), *both) == "M-1"


def test_a_window_over_a_node_covers_it_and_its_parts_whoever_is_hit() -> None:
    work = window(matcher=Matcher(nodes=("ora1",)))

    assert covering(trouble("psu1", "erp"), work) == "M-1"
    assert covering(trouble("app", "erp"), work) == ""
    assert covering(trouble("switch", "erp", "web"), work) == ""
    # no cause is known: what is down cannot work without the node
    assert covering(trouble("", "erp"), work) == "M-1"
    assert covering(trouble("", "erp", "web"), work) == ""


def test_all_that_is_said_must_fit() -> None:
    silence = window(
        "S-1",
        kind=SuppressionKind.SILENCE,
        matcher=Matcher(
            categories=("db",), words=("Tablespace", "full"), regions=("north",), least_priority=Priority.P3
        ),
    )
    fits = {"category": "db.oracle", "title": "TABLESPACE users is full", "regions": ("north",)}

    assert covering(trouble("x", "erp", **fits, priority=Priority.P4), silence) == "S-1"
    assert covering(trouble("x", "erp", **fits, priority=Priority.P2), silence) == ""
    assert covering(trouble("x", "erp", **fits | {"category": "dba"}), silence) == ""
    assert covering(trouble("x", "erp", **fits | {"title": "users full"}), silence) == ""
    assert covering(trouble("x", "erp", **fits | {"regions": ("north", "south")}), silence) == ""
    assert covering(trouble("x", "erp", **fits | {"regions": ()}), silence) == ""


def test_it_recurs_by_weekdays_and_hours_or_by_a_calendar_and_ends_when_somebody_ends_it() -> None:
    nights = window(
        start_at=moment("1 00:00"), end_at=None,
        recurrence=Recurrence(weekdays=(6,), hours=(MinuteSpan(120, 240),), timezone="Asia/Shanghai"),
    )  # fmt: skip
    work = window("M-2", start_at=moment("1 00:00"), end_at=None, recurrence=Recurrence(calendar="office"))
    gone = window("M-3", start_at=moment("1 00:00"), end_at=None, recurrence=Recurrence(calendar="no more"))
    early = window("M-4", ended_at=moment("16 02:30"))
    book = WindowBook((nights, work, gone, early), {"office": OFFICE}, graph())

    def holding(at: str) -> list[str]:
        return [name for name, one in book.timed.items() if one.holds(moment(at))]

    assert holding("15 03:00") == ["M-1"]
    assert holding("16 02:15") == ["M-4"]
    assert holding("16 03:00") == []
    assert holding("16 10:00") == ["M-2"]
    assert book.timed["M-1"].next_change(moment("16 10:00")) == moment("22 02:00")
    assert book.timed["M-2"].next_change(moment("16 10:00")) == moment("16 18:00")
    assert book.timed["M-3"].next_change(moment("16 10:00")) is None
    assert book.timed["M-4"].next_change(moment("16 02:15")) == moment("16 02:30")


def outage(begins: str, ends: str | None, cause: str = "app", **more: Any) -> OutageFact:
    ended = None if ends is None else moment(ends)
    return OutageFact(subject="erp", began_at=moment(begins), ended_at=ended, cause=cause, **more)


def told(book: WindowBook, fact: OutageFact, now: str = "17 00:00") -> list[tuple[str, bool]]:
    judged = book.judged([fact], moment(now))
    return [
        ("goes on" if one.ended_at is None else f"{(one.ended_at - one.began_at) / 60:g}", one.planned)
        for one in judged
    ]


def test_an_outage_is_planned_where_a_declared_window_lies_over_it_and_no_longer() -> None:
    book = WindowBook([window()], {}, graph())

    assert told(book, outage("16 02:30", "16 03:00")) == [("30", True)]
    assert told(book, outage("16 01:30", "16 05:00")) == [("30", False), ("120", True), ("60", False)]
    assert told(book, outage("16 03:30", None)) == [("30", True), ("goes on", False)]
    assert told(book, outage("16 02:30", None), "16 03:00") == [("goes on", True)]
    assert told(book, outage("16 05:00", "16 06:00")) == [("60", False)]
    assert told(book, outage("16 01:30", "16 05:00", planned=True)) == [("210", True)]


@pytest.mark.parametrize(
    "other",
    [
        {"source": "sla.agreement.bank.maintenance"},
        {"kind": SuppressionKind.SILENCE},
        {"matcher": Matcher(businesses=("erp",), regions=("north",))},
        {"matcher": Matcher(businesses=("web",))},
        {"matcher": Matcher(nodes=("disk1",))},
        {"ended_at": moment("16 02:00")},
    ],
)
def test_agreed_windows_silences_and_parts_of_the_users_make_nothing_planned(other: dict[str, Any]) -> None:
    assert told(WindowBook([window(**other)], {}, graph()), outage("16 02:30", "16 03:00")) == [("30", False)]


def test_what_is_probably_not_meant_is_told() -> None:
    long = window(start_at=moment("16 02:00"), end_at=moment("19 02:00"))
    again = window("M-2", start_at=moment("1 00:00"), end_at=None, recurrence=Recurrence(calendar="office"))
    other = window("M-3", matcher=Matcher(businesses=("web",)))
    everything = window("S-4", kind=SuppressionKind.SILENCE, matcher=Matcher(), start_at=0.0, end_at=1.0)
    book = WindowBook((long, again, other, everything), {"office": OFFICE}, graph())
    now = moment("16 01:00")

    assert {one.id: book.warnings(one, now) for one in book.all()} == {
        "M-1": ("holds for 3.0 days at a stretch; is its end right?", "overlaps with M-2"),
        "M-2": ("has no end; end it when it is not needed any more", "overlaps with M-1"),
        "M-3": (),
        "S-4": ("is about everything",),
    }


def test_the_businesses_a_matcher_is_about_are_those_that_need_its_nodes() -> None:
    book = WindowBook((), {}, graph())

    assert book.touched(Matcher(nodes=("switch",))) == {"erp", "web"}
    assert book.touched(Matcher(nodes=("switch",), businesses=("web",))) == {"web"}
    assert book.touched(Matcher(businesses=("web",))) == {"web"}
    assert book.planned("erp", "app", millis("16 00:00"), millis("17 00:00")) == []

from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.weakspots import past_causes, weak_spots
from btimd.model.address import Prefix
from btimd.model.discovery import PastCauses, WeakReason
from btimd.model.probe import ErrorClass
from btimd.model.service import (
    BusinessService,
    Check,
    CheckKind,
    Criticality,
    Node,
    NodeKind,
    ServiceGraph,
    ServiceRule,
)
from btimd.model.verdict import Verdict, VerdictStatus

CHECK = Check("db-port", "db", CheckKind.TCP, "10.0.0.3", 5432)
GRAPH = ServiceGraph(
    {
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("web", "db")),
        "hr": Node("hr", NodeKind.BUSINESS, "HR", ("db", "lost")),
        "web": Node("web", NodeKind.APPLICATION, "Web", ("db",)),
        "db": Node("db", NodeKind.DATABASE, "Database", (), (CHECK,)),
        "lost": Node("lost", NodeKind.MIDDLEWARE, "Queue"),
        "idle": Node("idle", NodeKind.HOST, "Nobody needs it"),
    },
    {"hr": BusinessService("hr", "HR", criticality=Criticality.LOW),
     "erp": BusinessService("erp", "ERP", criticality=Criticality.CRITICAL)},
)  # fmt: skip
RULES = (ServiceRule("web", ("erp",), Prefix.parse("10.0.0.0/30"), node="web"),)
MODEL = ModelAddresses(GRAPH, RULES)


def test_what_takes_the_most_down_comes_first_and_pools_weigh_half() -> None:
    spots = weak_spots(MODEL, {"erp": 30, "hr": 10}, PastCauses({"db": 2}, {"db": 90.0}))

    assert [(one.node, round(one.score, 3), one.users, one.businesses, one.reasons) for one in spots] == [
        ("db", 2 * (8 * 1.75 + 1 * 1.25), 40, ("erp", "hr"), (WeakReason.SINGLE_POINT, WeakReason.FREQUENT_CAUSE)),
        ("web", 8 * 1.75, 30, ("erp",), (WeakReason.UNWATCHED,)),
        ("lost", 1.25, 10, ("hr",), (WeakReason.UNWATCHED,)),
    ]
    assert [one.text for one in spots] == [
        "erp, hr fail with it; nothing stands in for it; it was the cause 2 times",
        "erp fails with it; it has several servers; no check asks it",
        "hr fails with it; whether it has a second server is not known: it has no address; no check asks it",
    ]


def test_what_others_stand_in_for_by_the_model_is_no_single_point() -> None:
    (spot,) = (one for one in weak_spots(MODEL, {}, alone=("web",)) if one.node == "db")
    assert (spot.score, spot.reasons) == (9.0, (WeakReason.IMPORTANT,))
    assert spot.text == "erp, hr need it; none of them fails with it alone"


def test_users_that_are_not_measured_are_unknown_and_not_none() -> None:
    assert {one.node: one.users for one in weak_spots(MODEL, {"hr": None})} == {"db": None, "web": None, "lost": None}


def test_only_causes_that_were_found_count() -> None:
    def verdict(status: VerdictStatus, cause: str | None) -> Verdict:
        return Verdict(
            "v", ("s",), ("erp",), status, cause, ErrorClass.NONE, (), 0.9, (), (), ("erp",), 3, 1.0, 2.0, 4.5, ""
        )

    found = past_causes([
        verdict(VerdictStatus.CAUSE_FOUND, "db"), verdict(VerdictStatus.CAUSE_FOUND, "db"),
        verdict(VerdictStatus.SHORTLIST, "web"), verdict(VerdictStatus.UNKNOWN, None),
    ])  # fmt: skip

    assert found == PastCauses({"db": 2}, {"db": 9.0})

"""What is wrong or doubtful in a plan, and between plan and rules."""

from btimd.flows.planconflicts import plan_conflicts
from btimd.model.address import Prefix
from btimd.model.planuse import PlanConflict
from btimd.model.service import BusinessService, ServiceRule
from tests.flows.planclients import entries


def rule(server: str, *businesses: str) -> ServiceRule:
    return ServiceRule("erp", businesses or ("erp",), Prefix.parse(server), source="services.toml:5")


def told(*conflicts: PlanConflict) -> list[tuple[str, str, tuple[int, ...], str]]:
    return [(one.severity, one.kind, one.lines, one.text) for one in conflicts]


def test_a_prefix_written_twice_names_both_lines() -> None:
    found = plan_conflicts(entries("10.0.0.0/8,a,,", "10.0.0.0/8,b,,", "11.0.0.0/8,c,,", "11.0.0.0/8,c,,"))

    assert found == (
        PlanConflict(
            "wrong", "written-twice", (2, 3), "", "10.0.0.0/8 is written in lines 2 and 3 with other values",
            "keep one of the lines",
        ),
        PlanConflict(
            "wrong", "written-twice", (4, 5), "", "11.0.0.0/8 is written in lines 4 and 5 with the same values",
            "keep one of the lines",
        ),
    )  # fmt: skip


def test_lines_that_cannot_be_are_told_with_what_to_write() -> None:
    found = plan_conflicts(entries("10.0.0.1/8,a,,", "11.0.0.0/8,,x,", "x,a,,"))

    assert [(one.kind, one.lines, one.text, one.remedy) for one in found] == [
        ("wrong-line", (2,), "10.0.0.1/8 has host bits", "write 10.0.0.0/8"),
        ("wrong-line", (3,), "11.0.0.0/8 has no region, and no larger prefix gives it one", "fill in the region"),
        ("wrong-line", (4,), "'x' is no prefix", "write an address and a length, for example 10.1.0.0/16"),
    ]


def test_nesting_that_may_not_be_meant_is_noted() -> None:
    found = plan_conflicts(
        entries("10.0.0.0/8,a,,", "10.1.0.0/16,b,,", "10.2.0.0/16,a,,", "10.3.0.0/16,,x,", "::/0,c,,")
    )

    assert told(*found) == [
        ("note", "region-differs", (2, 3), "10.1.0.0/16 (line 3) is in region b, 10.0.0.0/8 (line 2) around it in a"),
        ("note", "says-nothing-new", (2, 4), "10.2.0.0/16 (line 4) says what 10.0.0.0/8 (line 2) around it says"),
    ]


def test_persons_on_networks_and_in_several_regions_are_told() -> None:
    found = plan_conflicts(
        entries(
            "10.1.0.0/16,a,,", "10.1.1.0/24,,,Li", "10.2.0.1/32,b,,Li", "2001:db8::/64,c,,Wang", "10.2.0.2/32,b,,Yu"
        )
    )

    assert told(*found) == [
        ("doubtful", "person-on-network", (3,), "10.1.1.0/24 stands for 2^8 addresses, all of them Li's"),
        ("note", "person-in-regions", (3, 4), "Li has addresses in a, b"),
        ("note", "person-on-network", (5,), "2001:db8::/64 stands for 2^64 addresses, all of them Wang's"),
    ]


def test_spellings_of_one_region_are_told() -> None:
    found = plan_conflicts(entries("10.1.0.0/16,North East,,", "10.2.0.0/16,north east,,"))

    assert told(*found) == [("doubtful", "spelling", (2, 3), "'North East', 'north east' count as different regions")]


def test_a_business_that_expects_users_where_the_plan_has_nobody_is_wrong() -> None:
    services = {"erp": BusinessService("erp", "ERP", regions=("north", "nroth"))}

    found = plan_conflicts(entries("10.1.0.0/16,north,,"), (), services)

    assert found == (
        PlanConflict(
            "wrong", "unknown-region", (), "service.erp.regions",
            "no line of the plan has the region 'nroth' that erp expects its users in",
            "write one of north, or add the region to the plan",
        ),
    )  # fmt: skip


def test_servers_are_compared_with_the_plan() -> None:
    services = {"erp": BusinessService("erp", "ERP", regions=("north",))}
    plan = entries("10.1.0.0/16,north,,", "10.1.1.7/32,,,Li Wei", "10.2.0.0/24,dc,,", "::/0,v6,,")
    rules = [
        rule("10.1.9.0/24"),
        rule("10.1.1.7/32", "hr"),
        rule("10.2.0.5/32"),
        rule("10.3.0.5/32"),
        rule("10.2.0.0/16"),
    ]

    assert told(*plan_conflicts(plan, [*rules, *rules], services)) == [
        ("doubtful", "server-is-a-persons", (3,), "10.1.1.7/32, a server of rule erp, is Li Wei's address by line 3"),
        ("note", "server-not-in-plan", (), "10.3.0.5/32, a server of rule erp, is not in the plan"),
        (
            "note", "server-among-clients", (2,),
            "10.1.9.0/24, a server of rule erp, lies in north, a region that erp expects users in",
        ),
    ]  # fmt: skip


def test_a_plan_that_is_right_has_no_conflicts() -> None:
    assert plan_conflicts(entries("10.1.0.0/16,north,,", "10.1.1.0/24,,sales,", "10.1.1.7/32,,,Li Wei")) == ()

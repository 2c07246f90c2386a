import pytest

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import Explanation
from btimd.model.service import ServiceRule

ENTRIES = [
    PlanEntry("10.0.0.0/8", "HQ", "", "", 2),
    PlanEntry("10.1.0.0/16", "", "floor 1", "", 3),
    PlanEntry("10.1.2.3/32", "", "", "Wang", 4),
]
RULES = [
    ServiceRule("erp", ("erp",), Prefix.parse("172.16.0.10/32"), 6, 443, 443, source="services.toml:3"),
    ServiceRule("db", ("erp", "hr"), Prefix.parse("172.16.0.20/32"), 6, 1521, 1521, source="services.toml:9"),
    ServiceRule("all", ("other",), Prefix.parse("172.16.0.0/16"), source="services.toml:20"),
    ServiceRule("web", ("other",), Prefix.parse("192.0.2.0/24"), None, 80, 80),
]
BUSINESSES = ("erp", "hr", "other")


def attribution(rules: list[ServiceRule] | None = None, *, with_lines: bool = True) -> Attribution:
    plan, problems = compile_plan(ENTRIES, 1)
    assert problems == ()
    return Attribution(plan, RULES if rules is None else rules, BUSINESSES, 1, ENTRIES if with_lines else ())


def flow(source: str, destination: str, ports: tuple[int, int], protocol: int = 6) -> FlowBatch:
    (source_hi, source_lo), (destination_hi, destination_lo) = address_halves(source), address_halves(destination)
    return FlowBatch.of(
        source_address_hi=[source_hi], source_address_lo=[source_lo],
        destination_address_hi=[destination_hi], destination_address_lo=[destination_lo],
        source_transport_port=[ports[0]], destination_transport_port=[ports[1]], protocol_identifier=[protocol],
    )  # fmt: skip


def outcome(batch: FlowBatch, rules: list[ServiceRule] | None = None) -> tuple[str, bool, str]:
    """Return the rule, whether the source is the client, and the client's segment."""
    subject = attribution(rules)
    found = subject.attribute(batch)
    rule, row = int(found.service_rule_id[0]), int(found.client_plan_id[0])
    name = subject.rules[rule].id if rule >= 0 else ""
    return name, bool(found.client_is_source[0]), subject.plan.rows[row].segment if row >= 0 else "?"


def test_request_and_answer_belong_to_the_same_rule_and_the_same_client() -> None:
    assert outcome(flow("10.1.2.3", "172.16.0.10", (40000, 443))) == ("erp", True, "floor 1")
    assert outcome(flow("172.16.0.10", "10.1.2.3", (443, 40000))) == ("erp", False, "floor 1")


def test_a_shorter_server_prefix_takes_what_the_longer_one_does_not_match() -> None:
    assert outcome(flow("10.1.2.3", "172.16.0.10", (40000, 80))) == ("all", True, "floor 1")


def test_between_two_servers_the_more_specific_rule_wins_and_on_a_tie_the_destination_serves() -> None:
    assert outcome(flow("172.16.0.20", "172.16.0.99", (1521, 5000))) == ("db", False, "?")
    assert outcome(flow("172.16.0.98", "172.16.0.99", (1, 2))) == ("all", True, "?")


def test_a_given_client_prefix_wins_over_none_and_a_longer_one_over_a_shorter_one() -> None:
    server = Prefix.parse("172.16.0.10/32")
    rules = [ServiceRule("any", (), server)] + [
        ServiceRule(client, (), server, client=Prefix.parse(client)) for client in ("10.0.0.0/8", "10.1.0.0/16")
    ]
    assert outcome(flow("10.1.2.3", "172.16.0.10", (1, 2)), rules)[0] == "10.1.0.0/16"
    assert outcome(flow("10.9.2.3", "172.16.0.10", (1, 2)), rules)[0] == "10.0.0.0/8"
    assert outcome(flow("11.9.2.3", "172.16.0.10", (1, 2)), rules)[0] == "any"


def test_a_narrower_port_range_wins_then_a_named_protocol_then_the_first_line() -> None:
    server = Prefix.parse("172.16.0.10/32")
    wide, narrow = ServiceRule("wide", (), server, 6, 1, 999), ServiceRule("narrow", (), server, None, 443, 443)
    named, first = ServiceRule("named", (), server, 6, 443, 443), ServiceRule("first", (), server, 6, 443, 443)
    batch = flow("10.1.2.3", "172.16.0.10", (40000, 443))
    assert outcome(batch, [wide, narrow])[0] == "narrow"
    assert outcome(batch, [wide, narrow, named])[0] == "named"
    assert outcome(batch, [wide, narrow, first, named])[0] == "first"


def test_an_icmp_type_is_no_port_unless_the_rule_says_icmp() -> None:
    server = Prefix.parse("172.16.0.10/32")
    echo = flow("10.1.2.3", "172.16.0.10", (0, 2048), protocol=1)
    assert outcome(echo, [ServiceRule("port", (), server, None, 2048, 2048)])[0] == ""
    assert outcome(echo, [ServiceRule("echo", (), server, 1, 2048, 2048)])[0] == "echo"


@pytest.mark.parametrize(
    ("ports", "protocol", "source_is_client"),
    [
        ((40000, 443), 6, True),
        ((443, 40000), 6, False),
        ((5432, 40000), 6, False),
        ((5432, 6000), 6, True),
        ((443, 1024), 6, False),
        ((0, 40000), 6, True),
        ((443, 443), 6, True),
        ((3, 40000), 1, True),
    ],
)
def test_without_a_rule_the_lower_port_that_looks_like_a_service_is_the_server(
    ports: tuple[int, int], protocol: int, source_is_client: bool
) -> None:
    batch = flow("198.51.100.1", "198.51.100.2", ports, protocol)
    assert outcome(batch) == ("", source_is_client, "?")


def test_owners_are_listed_by_rule_and_a_rule_of_nobody_belongs_to_nobody() -> None:
    subject = attribution([*RULES, ServiceRule("lost", (), Prefix.parse("10.9.9.9/32"))])
    assert subject.owners.offsets.tolist() == [0, 1, 3, 4, 5, 6]
    assert subject.owners.business.tolist() == [0, 0, 1, 2, 2, -1]


def test_a_rule_of_an_unknown_business_is_refused() -> None:
    with pytest.raises(ValueError, match="rule x belongs to crm, which is no business"):
        attribution([ServiceRule("x", ("erp", "crm"), Prefix.parse("10.0.0.0/8"))])


def test_an_explanation_names_the_rule_its_line_the_losers_and_the_lines_of_the_plan() -> None:
    assert attribution().explain("10.1.2.3", "172.16.0.20", 1521, 6) == Explanation(
        businesses=("erp", "hr"),
        rule_id="db",
        client="10.1.2.3",
        server="172.16.0.20",
        region="HQ",
        segment="floor 1",
        person="Wang",
        reasons=(
            (
                "rule db (services.toml:9) wins: server 172.16.0.20/32, protocol 6 (TCP), port 1521; "
                "the destination 172.16.0.20 is the server"
            ),
            "rule all (services.toml:20) also fits, but its server prefix 172.16.0.0/16 is shorter than 172.16.0.20/32",
            "region HQ comes from 10.0.0.0/8, line 2 of the IP plan",
            "segment floor 1 comes from 10.1.0.0/16, line 3 of the IP plan",
            "person Wang comes from 10.1.2.3/32, line 4 of the IP plan",
        ),
    )


def test_an_explanation_of_unattributed_traffic_names_the_nearest_misses() -> None:
    found = attribution(RULES[:2]).explain("198.51.100.1", "172.16.0.20", 1522, 17)
    assert (found.businesses, found.rule_id) == ((), "")
    assert found.reasons == (
        "no rule fits; the nearest ones follow",
        (
            "rule db (services.toml:9) covers the destination 172.16.0.20, but protocol 17 (UDP) is not 6 (TCP) "
            "and port 1522 is not 1521"
        ),
        "the IP plan does not know the client 198.51.100.1",
    )


def test_an_explanation_without_any_rule_near_says_so() -> None:
    found = attribution(with_lines=False).explain("10.1.9.9", "198.51.100.1", 80, 6)
    assert found.reasons == (
        "no rule covers 198.51.100.1 or 10.1.9.9 as server",
        "no prefix around 10.1.9.9 names a person",
        "the IP plan has 10.1.9.9 in 10.1.2.4-10.1.255.255",
    )


@pytest.mark.parametrize(("port", "protocol"), [(-1, 6), (65536, 6), (80, 256)])
def test_a_port_or_protocol_that_cannot_be_is_refused(port: int, protocol: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        attribution().explain("10.1.2.3", "172.16.0.20", port, protocol)

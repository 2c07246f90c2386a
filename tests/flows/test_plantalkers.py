"""Clients that the plan does not know, and clients from elsewhere."""

import numpy as np
import numpy.typing as npt
import pytest

from btimd.flows.plantalkers import UnexpectedWatch, unexpected_rows, unexpected_talkers, unknown_clients
from btimd.model.ipplan import IpPlan
from btimd.model.planuse import (
    UnexpectedCount,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownAddress,
    UnknownClients,
    UnknownPrefix,
)
from btimd.model.service import BusinessService
from tests.flows.planclients import clients, plan_of

NOW = 1_700_000_000_000
PLAN = plan_of("10.1.0.0/16,north,sales,", "10.2.0.0/16,south,,", "10.2.0.9/32,,,Li Wei")
SERVICES = {"erp": BusinessService("erp", "ERP", regions=("north",)), "hr": BusinessService("hr", "HR")}


class Persons:
    """Knows who sits behind 10.2.0.1."""

    persons = ("Wang",)

    def find(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        return np.where((address_hi == 0) & (address_lo & 0xFFFF_FFFF == 0x0A02_0001), 0, -1).astype(np.int32)


def test_unknown_clients_are_grouped_to_prefixes_with_a_line_to_paste() -> None:
    known = clients(
        ("10.3.4.5", "erp", 10, 100), ("10.3.4.5", "hr", 5, 900), ("10.3.4.6", "", 20, 5), ("10.1.0.1", "erp", 1, 9999),
        ("2001:db8::1", "hr", 1, 40), ("8.8.8.8", "", 2, 1),
        now=NOW, plan=PLAN,
    )  # fmt: skip

    found = unknown_clients(PLAN, known, order="octets", limit=2)

    assert found == UnknownClients(
        addresses_total=4,
        prefixes_total=3,
        prefixes=(
            UnknownPrefix(
                "10.3.4.0/24", "private", 2, NOW - 120_000, NOW - 5000, 1005, ("hr", "erp"), "",
                "10.3.4.0/24,to be named,,",
            ),
            UnknownPrefix(
                "2001:db8::/64", "private", 1, NOW - 101_000, NOW - 1000, 40, ("hr",), "",
                "2001:db8::/64,to be named,,",
            ),
        ),
        addresses=(
            UnknownAddress("10.3.4.5", "10.3.4.0/24", NOW - 110_000, NOW - 5000, 1000, ("hr", "erp")),
            UnknownAddress("2001:db8::1", "2001:db8::/64", NOW - 101_000, NOW - 1000, 40, ("hr",)),
        ),
    )  # fmt: skip
    assert [one.prefix for one in unknown_clients(PLAN, known, order="last-seen", limit=9).prefixes] == [
        "2001:db8::/64", "8.8.8.0/24", "10.3.4.0/24",
    ]  # fmt: skip
    assert unknown_clients(PLAN, known, order="last-seen", limit=9).prefixes[1].scope == "public"


def test_a_forgotten_network_is_told_with_the_region_beside_it() -> None:
    plan = plan_of("10.1.0.0/24,north,,", "10.1.9.0/24,south,,", "2001:db8:1:1::/64,west,,")
    found = unknown_clients(
        plan,
        clients(("10.1.1.1", "", 1, 3), ("10.1.8.1", "", 1, 2), ("2001:db8:1:7::1", "", 1, 1), now=NOW, plan=plan),
        order="octets",
        limit=3,
    )

    assert [(one.prefix, one.neighbour) for one in found.prefixes] == [
        ("10.1.1.0/24", "north"), ("10.1.8.0/24", "south"), ("2001:db8:1:7::/64", "west"),
    ]  # fmt: skip


def test_where_everybody_is_known_nobody_is_unknown() -> None:
    known = clients(("10.1.0.1", "erp", 1, 1), now=NOW, plan=PLAN)

    assert unknown_clients(PLAN, known, order="octets", limit=5) == UnknownClients(0, 0, (), ())
    with pytest.raises(ValueError, match="'size' is no order of unknown clients; known: octets, last-seen"):
        unknown_clients(PLAN, known, order="size", limit=5)


def talker(address: str, region: str, person: str, age: int, octets: int) -> UnexpectedTalker:
    last = NOW - age * 1000
    return UnexpectedTalker("erp", address, region, "", person, ("north",), last - 100_000, last, octets)


def test_users_of_another_or_of_no_region_are_unexpected() -> None:
    known = clients(
        ("10.1.0.1", "erp", 1, 1), ("10.2.0.1", "erp", 9, 10), ("10.2.0.9", "erp", 5, 20), ("10.2.0.1", "hr", 1, 1),
        ("192.0.2.1", "erp", 1, 30), ("192.0.2.1", "", 1, 30),
        now=NOW, plan=PLAN,
    )  # fmt: skip

    assert unexpected_talkers(PLAN, SERVICES, known, limit=2, persons=Persons()) == UnexpectedTalkers(
        (UnexpectedCount("erp", ("north",), 3, 60),),
        (talker("192.0.2.1", "", "", 1, 30), talker("10.2.0.9", "south", "Li Wei", 5, 20)),
    )
    everyone = unexpected_talkers(PLAN, SERVICES, known, business="erp", limit=9, persons=Persons())
    assert everyone.talkers[2] == talker("10.2.0.1", "south", "Wang", 9, 10)
    assert unexpected_talkers(PLAN, SERVICES, known, business="hr", limit=9) == UnexpectedTalkers((), ())


def test_each_unexpected_talker_is_new_once() -> None:
    watch = UnexpectedWatch()
    first = clients(("10.2.0.1", "erp", 9, 10), ("10.2.0.2", "erp", 5, 10), now=NOW, plan=PLAN)
    second = clients(("10.2.0.3", "erp", 1, 10), ("10.2.0.1", "erp", 2, 10), now=NOW, plan=PLAN)

    assert watch.new_rows(first, unexpected_rows(PLAN, SERVICES, first)).tolist() == [0, 1]
    assert watch.new_rows(second, unexpected_rows(PLAN, SERVICES, second)).tolist() == [0]
    assert watch.new_rows(second, unexpected_rows(PLAN, SERVICES, second)).tolist() == []


def test_the_watch_is_bounded_and_counts_what_it_does_not_tell_and_forgets() -> None:
    watch = UnexpectedWatch(capacity=3, burst=1)
    rows = [(f"10.2.0.{low}", "erp", low, 10) for low in range(1, 6)]
    known = clients(*rows, now=NOW, plan=PLAN)
    latest = clients(("10.2.1.1", "erp", 0, 1), now=NOW, plan=PLAN)

    assert watch.new_rows(known, unexpected_rows(PLAN, SERVICES, known)).tolist() == [2]
    assert (watch.untold, watch.forgotten) == (2, 0)
    assert watch.new_rows(latest, unexpected_rows(PLAN, SERVICES, latest)).tolist() == [0]
    assert (watch.untold, watch.forgotten) == (2, 1)


def test_an_empty_plan_makes_every_user_unexpected() -> None:
    plan = IpPlan.empty()
    known = clients(("10.2.0.1", "erp", 1, 1), now=NOW, plan=plan)

    assert [one.region for one in unexpected_talkers(plan, SERVICES, known, limit=5).talkers] == [""]

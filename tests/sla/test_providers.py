"""What groups and suppliers are answerable for."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from btimd.model.agreement import AgreementKind, OutageFact
from btimd.model.sla import Availability
from btimd.sla.availability import Stretch
from btimd.sla.providers import below, covers, provided, supplier_of, with_suppliers
from tests.sla.agreeing import covering

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
NEEDS = {
    "erp": ("web",),
    "mail": ("mx",),
    "web": ("db", "line"),
    "mx": ("line", "nowhere"),
    "db": ("host",),
    "host": (),
    "line": (),
}


def fact(low: float, high: float | None, **what: Any) -> OutageFact:
    return OutageFact(subject="erp", began_at=low, ended_at=high, **what)


def test_an_agreement_covers_its_nodes_and_all_below() -> None:
    assert below(NEEDS, ["db", "gone"]) == {"db", "host"}
    assert covers([covering("web", "web"), covering("dba", "db")], NEEDS) == {
        "web": {"web", "db", "host", "line"},
        "dba": {"db", "host"},
    }


def test_a_cause_belongs_to_the_supplier_whose_contract_covers_least() -> None:
    contracts = [
        covering("all", "web", kind=AgreementKind.UC),
        covering("isp", "line", kind=AgreementKind.UC),
        covering("dba", "db"),
    ]
    cover = covers(contracts, NEEDS)

    assert [supplier_of(cause, contracts, cover) for cause in ("line", "host", "mx", "")] == ["ISP", "ALL", "", ""]
    assert [
        one.supplier
        for one in with_suppliers([fact(0, 1, cause="line"), fact(1, 2, cause="line", supplier="x")], contracts, cover)
    ] == ["ISP", "x"]


def test_only_what_it_covers_counts_against_a_provider() -> None:
    one = covering("dba", "db")
    stretches: list[Stretch] = [(0, 1000, UP), (1000, 5000, DOWN), (5000, 6000, UNKNOWN), (6000, 7000, UP)]
    facts = [fact(1.0, 2.0, cause="host", users=5), fact(2.0, 3.0, cause="line"), fact(3.0, 4.0)]

    assert provided(one, frozenset({"db", "host"}), [(stretches, facts)]) == (
        [(0, 1000, UP), (1000, 2000, DOWN), (2000, 6000, UNKNOWN), (6000, 7000, UP)],
        [OutageFact(subject="dba", began_at=1.0, ended_at=2.0, cause="host", users=5)],
    )


def test_two_businesses_down_by_one_cause_are_one_outage_and_one_that_works_says_the_rest_works() -> None:
    one = covering("isp", "line")
    erp: list[Stretch] = [(0, 1000, UP), (1000, 3000, DOWN), (3000, 4000, UNKNOWN)]
    mail: list[Stretch] = [(0, 2000, UP), (2000, 3500, DOWN), (3500, 5000, UP)]
    seen = [
        (erp, [fact(1.0, 3.0, cause="line", users=5, users_exact=True)]),
        (mail, [fact(2.0, None, cause="line", users=9)]),
    ]

    assert provided(one, frozenset({"line"}), seen) == (
        [(0, 1000, UP), (1000, 3500, DOWN), (3500, 5000, UP)],
        [OutageFact(subject="isp", began_at=1.0, ended_at=3.5, cause="line", users=9)],
    )


def test_a_supplier_that_was_named_counts_whatever_the_cause_is() -> None:
    one = covering("isp", "line", kind=AgreementKind.UC)
    stretches: list[Stretch] = [(0, 3000, DOWN)]
    facts = [fact(0.0, 1.0, cause="line", supplier="OTHER"), fact(1.0, None, cause="power", supplier="ISP")]

    assert provided(one, frozenset({"line"}), [(stretches, facts)])[0] == [(0, 1000, UNKNOWN), (1000, 3000, DOWN)]


CONDITIONS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["u", "n", "ours", "theirs", "nobody"])), max_size=8
)  # fmt: skip


@given(st.lists(CONDITIONS, max_size=3))
def test_every_second_is_judged_as_one_would_judge_it_alone(businesses: list[list[tuple[int, str]]]) -> None:
    seen, told = [], []
    for parts in businesses:
        stretches: list[Stretch] = []
        facts = []
        letters: list[str] = []
        for length, what in parts:
            low = len(letters)
            letters += [what] * length
            condition = {"u": UP, "n": UNKNOWN}.get(what, DOWN)
            stretches.append((low * 1000, len(letters) * 1000, condition))
            if condition is DOWN and what != "nobody":
                facts.append(fact(float(low), float(len(letters)), cause=what))
        seen.append((stretches, facts))
        told.append(letters)
    found, outages = provided(covering("dba", "ours"), frozenset({"ours"}), seen)
    longest = max((len(letters) for letters in told), default=0)
    wanted = []
    for second in range(longest):
        now = {letters[second] for letters in told if second < len(letters)}
        wanted.append(DOWN if "ours" in now else UP if "u" in now else UNKNOWN)

    assert [one for low, high, one in found for _ in range((high - low) // 1000)] == wanted
    assert sum((one.ended_at or 0.0) - one.began_at for one in outages) == wanted.count(DOWN)

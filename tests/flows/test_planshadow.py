"""The shadow run: records through two plans and rule sets."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.planshadow import Shadow, ShadowCell, ShadowMove, ShadowResult, ShadowTotals
from btimd.model.flowbatch import FlowBatch
from tests.flows.planclients import entries
from tests.flows.traffic import EAST, ERP, NOBODY, SHARED, WEST, attribution, flow

MOVED = replace(WEST, region="north")


def shadow(after: object, *flows: FlowBatch) -> ShadowResult:
    running = Shadow(attribution(), after)  # type: ignore[arg-type]  # an Attribution
    for batch in flows:
        running.add(batch)
    return running.result()


def test_a_region_that_is_renamed_moves_its_traffic() -> None:
    after = attribution(EAST, MOVED, generation=2)
    result = shadow(
        after,
        FlowBatch.concat([flow("10.1.0.1", octets=10), flow("10.2.0.1", octets=700, rate=2), flow("10.2.0.2", SHARED)]),
        flow("10.2.0.1", octets=50, answer=True),
        FlowBatch.zeros(0),
    )

    def cell(business: str, region: str, before: tuple[int, int, int], then: tuple[int, int, int]) -> ShadowCell:
        return ShadowCell(business, region, ShadowTotals(*before), ShadowTotals(*then))

    assert result == ShadowResult(
        records=4,
        octets=2460,
        changed_records=3,
        changed_octets=2450,
        newly_unattributed=0,
        newly_attributed=0,
        unknown_before=0,
        unknown_after=0,
        users_exact=True,
        cells=(
            cell("erp", "north", (0, 0, 0), (2450, 3, 2)),
            cell("erp", "west", (2450, 3, 2), (0, 0, 0)),
            cell("hr", "north", (0, 0, 0), (1000, 1, 1)),
            cell("hr", "west", (1000, 1, 1), (0, 0, 0)),
        ),
        moves=(
            ShadowMove(("erp",), "west", ("erp",), "north", 1450, 2, f"10.2.0.1 to {ERP} port 443 protocol 6"),
            ShadowMove(
                ("erp", "hr"), "west", ("erp", "hr"), "north", 1000, 1, f"10.2.0.2 to {SHARED} port 5432 protocol 6"
            ),
        ),
        other_octets=0,
        other_records=0,
    )
    assert result.differs


def test_rules_and_places_that_come_and_go_are_counted() -> None:
    after = attribution(EAST, *entries("198.51.100.0/24,servers,,"), generation=2, rules=1)
    result = shadow(after, flow("10.1.0.1", SHARED), flow("10.2.0.1"), flow("192.0.2.1", NOBODY), flow("10.1.0.1"))

    assert (result.newly_unattributed, result.newly_attributed) == (1, 0)
    assert (result.unknown_before, result.unknown_after) == (1, 2)
    assert [(one.from_businesses, one.from_region, one.to_businesses, one.to_region) for one in result.moves] == [
        (("erp", "hr"), "east", (), "east"),
        (("erp",), "west", ("erp",), ""),
    ]
    reverse = Shadow(after, attribution())
    reverse.add(flow("10.1.0.1", SHARED))
    assert reverse.result().newly_attributed == 1


def test_the_same_configuration_changes_nothing() -> None:
    result = shadow(attribution(generation=2), flow("10.1.0.1"), flow("192.0.2.1", NOBODY))

    assert (result.differs, result.cells, result.moves, result.records) == (False, (), (), 2)


def test_more_users_than_are_kept_make_a_lower_bound() -> None:
    running = Shadow(attribution(), attribution(EAST, MOVED, generation=2), most_users=3)
    for low in range(1, 7):
        running.add(flow(f"10.2.0.{low}"))
    result = running.result()

    assert not result.users_exact
    assert [one.after.users for one in result.cells if one.region == "north"] == [3]


CLIENTS = st.sampled_from(["10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2", "192.0.2.9"])


@given(
    st.lists(
        st.tuples(CLIENTS, st.sampled_from([ERP, SHARED, NOBODY]), st.integers(0, 1 << 40), st.booleans()), max_size=20
    ),
    st.integers(1, 3),
)
def test_cells_are_those_of_an_oracle(rows: list[tuple[str, str, int, bool]], parts: int) -> None:
    sides = attribution(), attribution(EAST, MOVED, generation=2, rules=1)
    running = Shadow(*sides)
    for begin in range(parts):
        running.add(FlowBatch.concat([flow(*row[:2], octets=row[2], answer=row[3]) for row in rows[begin::parts]]))

    wanted: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(lambda: [(0, 0, 0), (0, 0, 0)])
    for number, side in enumerate(sides):
        sums: dict[tuple[str, str], tuple[int, int, set[str]]] = {}
        for client, server, octets, _ in rows:
            port = {ERP: 443, SHARED: 5432, NOBODY: 80}[server]
            told = side.explain(client, server, port, 6)
            region = told.region if told.client == client else side.explain(server, client, 0, 6).region
            for business in told.businesses or ("",):
                total, count, users = sums.get((business, region), (0, 0, set()))
                sums[business, region] = total + octets, count + 1, users | {client}
        for key, (total, count, users) in sums.items():
            wanted[key][number] = (total, count, len(users))
    got = {
        (one.business, one.region): [
            (one.before.octets, one.before.records, one.before.users),
            (one.after.octets, one.after.records, one.after.users),
        ]
        for one in running.result().cells
    }
    assert {key: pair for key, pair in got.items() if key[0]} == {
        key: pair for key, pair in wanted.items() if pair[0] != pair[1] and key[0]
    }

"""What cannot be searched for is refused with the field that is wrong."""

from dataclasses import replace

import pytest

from btimd.model.archive import FlowSearch
from btimd.store.archivecolumns import Dictionary, FileFacts, PlaceText, RuleText
from btimd.store.archivequery import check, selections
from tests.store.records import HOUR

SEARCH = FlowSearch(HOUR, HOUR + 1)
TEXTS = FileFacts(
    2, HOUR - 1, HOUR + 1, HOUR - 1, HOUR + 2,
    Dictionary({0: "core"}, {0: RuleText("r", ("erp",)), 1: RuleText("", ())}, {0: PlaceText("A", "b")}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"client": "10.0.0.1/8"}, "client: .*host bits"),
        ({"address": "db1"}, "address: 'db1'"),
        ({"peer": "10.0.0.1"}, "peer: the other end of what"),
        ({"to_milliseconds": HOUR}, "to_time: is not after from_time"),
        ({"sort": "size"}, "sort: 'size' is none of time, octets"),
        ({"group_by": ("pair",)}, "group_by: each of client"),
        ({"group_by": ("client", "client")}, "group_by: each of client"),
        ({"limit": 1001}, "limit: 1001 is not from 1 to 1000"),
        ({"limit": 0}, "limit: 0 is not"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check(replace(SEARCH, **change))  # type: ignore[arg-type]  # one field of any kind


def test_a_file_without_the_name_is_not_read() -> None:
    times = f"flow_start_milliseconds < {HOUR + 1} AND flow_end_milliseconds >= {HOUR}"
    assert selections(replace(SEARCH, business="hr"), TEXTS) == ()
    assert selections(replace(SEARCH, business="erp"), TEXTS) == [f"rule_code IN (0) AND {times} AND NOT duplicate"]
    assert selections(replace(SEARCH, business="", duplicates=True), TEXTS) == [f"rule_code IN (1) AND {times}"]
    assert selections(replace(SEARCH, exporter="edge"), TEXTS) == ()
    assert selections(replace(SEARCH, region="A"), TEXTS, began=True) == [
        f"place_code IN (0) AND flow_start_milliseconds < {HOUR + 1} AND flow_start_milliseconds >= {HOUR} AND NOT duplicate"
    ]


def test_rows_are_not_asked_for_times_that_the_whole_file_lies_in() -> None:
    whole = FlowSearch(HOUR - 1, HOUR + 2, duplicates=True)
    assert selections(whole, TEXTS) == ["true"]
    assert selections(replace(whole, port=443), TEXTS, began=True) == ["server_port = 443"]


def test_an_address_that_may_be_either_end_is_two_selections() -> None:
    forth, back = selections(replace(SEARCH, address="10.0.0.0/8", peer="2001:db8::/32"), TEXTS)
    ten = "address_hi = 0 AND {}_address_lo BETWEEN 281470849515520 AND 281470866292735)"
    six = "address_hi BETWEEN 2306139568115548160 AND 2306139572410515455)"
    assert forth.endswith(f"(client_{ten.format('client')} AND (server_{six}")
    assert back.endswith(
        f"(server_{ten.format('server')} AND (client_{six} AND NOT ((client_{ten.format('client')} AND (server_{six})"
    )

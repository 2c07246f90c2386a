from collections.abc import Callable

import pytest

from btimd.api.errors import ApiError
from btimd.api.pb import incidents_pb2 as pb
from btimd.api.requests import (
    address,
    bounded,
    command_id,
    identifier,
    in_range,
    named,
    optional_name,
    page_limit,
    page_of,
)


@pytest.mark.parametrize(("limit", "rows"), [(0, 100), (1, 1), (1000, 1000)])
def test_zero_asks_for_the_default_number_of_rows(limit: int, rows: int) -> None:
    assert page_limit(limit) == rows


def test_a_page_says_whether_there_is_more() -> None:
    assert (page_of([1, 2, 3], 2), page_of([1, 2], 2)) == (([1, 2], True), ([1, 2], False))


def test_text_that_is_left_out_is_none() -> None:
    assert optional_name(pb.ListIncidentsRequest(), "business") is None
    assert optional_name(pb.ListIncidentsRequest(business="erp"), "business") == "erp"


def test_an_address_is_given_back_in_its_usual_text() -> None:
    assert address("peer", "2001:DB8:0:0:0:0:0:1") == "2001:db8::1"


@pytest.mark.parametrize(
    ("check", "field"),
    [
        (lambda: page_limit(1001), "limit"),
        (lambda: page_limit(-1), "limit"),
        (lambda: named(pb.GetIncidentRequest(), "incident_id"), "incident_id"),
        (lambda: named(pb.GetIncidentRequest(incident_id="x" * 201), "incident_id"), "incident_id"),
        (lambda: optional_name(pb.ListIncidentsRequest(business="x" * 201), "business"), "business"),
        (lambda: command_id(pb.AcceptIncidentRequest()), "command_id"),
        (lambda: command_id(pb.AcceptIncidentRequest(command_id="x" * 65)), "command_id"),
        (lambda: bounded("comment", "abc", 2), "comment"),
        (lambda: identifier("measurement", 'x"; drop'), "measurement"),
        (lambda: identifier("measurement", ""), "measurement"),
        (lambda: address("peer", "10.0.0.256"), "peer"),
        (lambda: in_range("port", 65536, 65535), "port"),
        (lambda: in_range("port", -1, 65535), "port"),
    ],
)
def test_what_may_not_be_asked_is_refused_with_the_name_of_the_field(check: Callable[[], object], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        check()

    assert [*refused.value.fields] == [field]

"""Which sums answer what is asked, and when only the records can."""

from dataclasses import replace
from typing import Any

import pytest

from btimd.model.archive import FlowSearch
from btimd.store.archivecolumns import Dictionary, FileFacts
from btimd.store.archivetotals import adding_up, measures, serving, taking
from tests.store.records import HOUR

FACTS = FileFacts(2, HOUR, HOUR + 10, HOUR + 5, HOUR + 20, Dictionary({}, {}, {}), most=100)
SEARCH = FlowSearch(HOUR, HOUR + 100)


@pytest.mark.parametrize(
    ("change", "columns", "kind"),
    [
        ({}, (), "servers"),
        ({}, ("rule_code", "server_port"), "servers"),
        ({}, ("client_address_hi", "client_address_lo"), "clients"),
        ({"region": "A"}, (), "clients"),
        ({"business": "erp", "port": 443}, ("server_address_hi",), "servers"),
        ({"client": "10.0.0.0/8"}, ("place_code",), "clients"),
        ({"client": "10.0.0.0/8"}, ("server_address_hi",), ""),
        ({"business": "erp"}, ("client_address_hi",), ""),
        ({"address": "10.0.0.1"}, (), ""),
        ({"interface": 1}, (), ""),
        ({"min_octets": 1}, (), ""),
        ({"to_milliseconds": HOUR + 10}, (), ""),
        ({"from_milliseconds": HOUR + 5}, (), "servers"),
        ({"from_milliseconds": HOUR + 6}, (), ""),
    ],
)
def test_sums_serve_whole_files_and_columns_they_have(
    change: dict[str, Any], columns: tuple[str, ...], kind: str
) -> None:
    assert serving(replace(SEARCH, **change), columns, FACTS, began=False) == kind


def test_records_that_began_before_the_time_do_not_count_where_the_beginning_counts() -> None:
    assert serving(replace(SEARCH, from_milliseconds=HOUR + 1), (), FACTS, began=True) == ""
    assert serving(SEARCH, (), FACTS, began=True) == "servers"


def test_sums_are_done_in_64_bits_only_where_they_fit() -> None:
    assert "octet_delta_count * sampling_rate::BIGINT" in measures(FACTS)
    assert "octet_delta_count ::HUGEINT * sampling_rate" in measures(replace(FACTS, most=2**62))
    assert "octet_delta_count ::HUGEINT * sampling_rate" in measures(replace(FACTS, most=-1))


def test_both_kinds_come_from_one_reading() -> None:
    assert adding_up("'x'", FACTS).count("read_parquet('x')") == 1
    assert taking("clients", "t").endswith("FROM t WHERE kind = 1 ORDER BY client_address_hi, client_address_lo")

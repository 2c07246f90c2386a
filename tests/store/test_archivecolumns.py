"""What a file says of itself is understood again, and nothing else is."""

import json

import numpy as np
import pytest

from btimd.store.archivecolumns import (
    Codebook,
    Dictionary,
    FileFacts,
    PlaceText,
    RuleText,
    columns_of,
    facts_of,
    united,
)
from tests.store.records import EXPORTERS, HOUR, NAMES, answer, batch, record

ERP = RuleText("erp-web", ("erp",))
HR = RuleText("hr-web", ("hr",))
FACTS = FileFacts(
    3, HOUR, HOUR + 5, HOUR + 3, HOUR + 9, Dictionary({0: "core"}, {1: ERP}, {0: PlaceText("A", "b")}), ("part-1",)
)


def test_records_are_turned_so_that_the_client_is_always_the_client() -> None:
    book = Codebook()
    book.know(NAMES)
    request = record(exporter=1)
    flows, duplicate = batch(request, answer(request), record(rule=-1, place=-1, exporter=7))
    columns = columns_of(flows, duplicate, book, EXPORTERS)
    assert columns["client_port"].tolist() == [40000, 40000, 40000]
    assert len(set(columns["server_address_lo"].tolist())) == 1
    assert columns["client_is_source"].tolist() == [True, False, True]
    facts = facts_of(columns, book)
    exporters = [facts.dictionary.exporters[code] for code in columns["exporter_code"].tolist()]
    rules = [facts.dictionary.rules[code] for code in columns["rule_code"].tolist()]
    places = [facts.dictionary.places[code] for code in columns["place_code"].tolist()]
    assert exporters == ["10.9.9.9", "10.9.9.9", "exporter 7"]
    assert rules == [ERP, ERP, RuleText("", ())]
    assert places == [PlaceText("Shanghai", "office")] * 2 + [PlaceText("", "")]


def test_no_records_have_columns_too() -> None:
    book = Codebook()
    book.know(NAMES)
    flows, _ = batch(record())
    columns = columns_of(flows.select(np.zeros(1, np.bool_)), None, book, {})
    assert {len(column) for column in columns.values()} == {0}


def test_what_a_file_says_of_itself_is_read_back() -> None:
    assert FileFacts.from_json(FACTS.to_json()) == FACTS


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 9}, "written in version 9, this btimd reads 1"),
        ({"records": None}, "not that of a btimd archive"),
        ({"exporters": 5}, "not that of a btimd archive"),
        ({"rules": {"0": []}}, "not that of a btimd archive"),
        ({"places": {"0": [1]}}, "not that of a btimd archive"),
        ({"exporters": {"-1": "x"}}, "code -1 in its metadata"),
        ({"exporters": {"99999999999": "x"}}, "code 99999999999 in its metadata"),
    ],
)
def test_what_another_wrote_is_refused(change: dict[str, object], why: str) -> None:
    said = {**json.loads(FACTS.to_json()), **change}
    with pytest.raises(ValueError, match=why):
        FileFacts.from_json(json.dumps(said))


def test_codes_are_made_anew_only_where_files_contradict_each_other() -> None:
    other = FileFacts(
        1, HOUR - 1, HOUR, HOUR + 8, HOUR + 99, Dictionary({1: "edge"}, {1: HR, 2: ERP}, {0: PlaceText("A", "b")})
    )
    whole, recodings = united([FACTS, other], ["a", "b"])
    assert whole == FileFacts(
        4,
        HOUR - 1,
        HOUR + 5,
        HOUR + 3,
        HOUR + 99,
        Dictionary({0: "core", 1: "edge"}, {0: ERP, 1: HR}, {0: PlaceText("A", "b")}),
        ("a", "b"),
    )
    assert recodings == {"rule_code": [[-1, 0], [-1, 1, 0]]}

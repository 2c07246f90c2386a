import json
from typing import Any

import pytest

from btimd.rca.jsonwalk import FileProblemsError
from btimd.rca.truthfile import parse_incidents
from tests.rca.fileworlds import world_of

WORLD = world_of()


def wrong(*incidents: Any) -> list[str]:
    with pytest.raises(FileProblemsError) as raised:
        parse_incidents("[" + ",\n".join(json.dumps(one) for one in incidents) + "]", WORLD)
    return [f"{one.line}: {one.path}: {one.text}" for one in raised.value.problems]


def test_incidents_are_read_into_rows() -> None:
    text = """[{"id": "x", "symptoms": ["shop@south", "shop@north"], "note": 1,
                "outcomes": {"db/sql": "bad", "web/http": "bad", "gate/icmp": "unknown", "app-1/tcp": "good"},
                "causes": ["db", "printer"], "near": ["db"], "changes": ["gate"]},
               {"id": 2, "symptoms": ["shop@south"]}]"""
    first, second = parse_incidents(text, WORLD)

    assert (first.id, first.symptoms.tolist(), first.bad.tolist(), first.unknown.tolist()) == ("x", [0, 1], [0, 5], [9])
    assert first.changes is not None
    assert (first.causes, first.near, first.changes.tolist()) == (("db", "printer"), ("db",), [8])
    assert (second.id, second.symptoms.tolist(), second.bad.tolist(), second.causes) == (2, [1], [], None)


def test_no_incidents_are_a_truth_too() -> None:
    assert parse_incidents("[ ]\n", WORLD) == []


def test_every_mistake_is_told_with_its_place() -> None:
    assert wrong(
        3,
        {"id": True, "symptoms": ["shop@north"], "outcomes": []},
        {"id": 1, "symptoms": []},
        {"id": 1, "symptoms": ["shop@west", 4], "outcomes": {"db/sql": "broken", "x": "bad", "web/http": []}},
        {"id": 2, "symptoms": ["shop@north"], "causes": "db"},
        {"id": 2, "symptoms": ["shop@north"], "causes": [1], "changes": ["x"]},
        {"id": 3, "symptoms": ["shop@north"]},
        {"id": 3, "symptoms": ["shop@north"]},
        {"id": 4, "symptoms": "shop@north"},
    ) == [
        "1: [0]: must be an object {...}, not 3",
        "2: [1].id: must be a number or a text, not True",
        "2: [1].outcomes: must be an object {probe: outcome}, not []",
        "3: [2].symptoms: must be a list of indicator ids that is not empty, not []",
        "4: [3].symptoms[0]: the model has no indicator 'shop@west'; correct it or take it out",
        "4: [3].symptoms[1]: must be a text, not 4",
        "4: [3].outcomes['db/sql']: must be good, bad or unknown, not 'broken'",
        "4: [3].outcomes['x']: the model has no such probe; correct it or take it out",
        "4: [3].outcomes['web/http']: must be good, bad or unknown, not []",
        "5: [4].causes: must be a list of node ids, not 'db'",
        "6: [5].causes[0]: must be a text, not 1",
        "6: [5].changes[0]: the model has no node 'x'; correct it or take it out",
        "8: [7].id: 3 is the id of an incident above already; use another",
        "9: [8].symptoms: must be a list of indicator ids, not 'shop@north'",
    ]


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(FileProblemsError, match="line 1: : must be a list, not {}"):
        parse_incidents("{}", WORLD)
    with pytest.raises(FileProblemsError, match="line 2: : something follows the end: 'x'"):
        parse_incidents("[]\nx", WORLD)

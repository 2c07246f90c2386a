import json

import pytest

from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import description, facts_of, note, subject
from btimd.itsm.emit.polling import is_ours
from tests.itsm.messages import message
from tests.itsm.posts import REPORT


def test_what_a_message_says_is_read_from_its_own_document() -> None:
    facts = facts_of(message(5).body)

    assert (facts.incident_id, facts.seq, facts.kind, facts.state, facts.moved) == (
        "INC-1",
        5,
        "resolved",
        "resolved",
        True,
    )
    assert (facts.priority, facts.impact, facts.urgency, facts.users) == ("P1", 1, 2, 41)
    assert (facts.businesses, facts.regions, facts.path) == (("erp",), ("north",), ("erp", "ora1"))
    assert facts.closing_report == REPORT
    assert not facts.is_open
    assert not facts.is_first
    assert not facts_of(message(3).body).moved


def test_people_get_a_line_a_text_and_notes() -> None:
    first = facts_of(message(1).body)

    assert subject(first) == "[P2] ERP slow (INC-1)"
    assert description(first) == (
        "The ERP's pages take 9 s.\n\n"
        "1 business(es): erp\nregions: north\nusers: 41\n\n"
        "Cause: ora1\n\n"
        "ora1 is the cause\n\n"
        "Path: erp > ora1\n\n"
        "Evidence:\n- ora1:1521 refused\n\n"
        "Began 2023-11-14T22:13:15.000Z, opened 2023-11-14T22:13:20.000Z. Incident INC-1 of btimd."
    )
    assert note(facts_of(message(3).body)) == (
        "[btimd INC-1.3] comment by ann at 2023-11-14T22:16:20.000Z\n\nIt's the listener, «ora1» 监听中断"
    )
    assert note(facts_of(message(4).body)).splitlines()[2:] == ["Priority: P1", "", "many users"]
    assert note(facts_of(message(5).body)).endswith(REPORT)
    assert is_ours(note(first))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", json.dumps({"data": {"incident": {"id": "x"}}}).encode(), b"\xff"])
def test_a_body_that_is_none_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(HaltError, match="the message"):
        facts_of(body)

"""Jira, as its documents describe it: the other end is a double."""

from dataclasses import replace

import pytest

from btimd.itsm.emit.exchange import HaltError, Work
from btimd.itsm.emit.jira import Jira
from btimd.itsm.emit.tickets import States
from btimd.itsm.targetsettings import _JIRA_STATES
from btimd.model.delivery import ExternalReference, UpdateKind
from tests.itsm.doubles import JiraDouble
from tests.itsm.messages import message, play
from tests.itsm.posts import T0


def tell(
    there: JiraDouble, *numbers: int, reference: ExternalReference | None = None, uncertain: bool = False
) -> ExternalReference | None:
    adapter = Jira("NET", "Task", there.cloud, "me", States(_JIRA_STATES, {}, {}))
    for number in numbers:
        work = Work(replace(message(number), uncertain=uncertain), reference, T0)
        reference = play(adapter.deliver(work), there)[0].reference
    return reference


@pytest.mark.parametrize("cloud", [True, False])
def test_a_life_is_one_issue_with_its_comments_and_transitions(cloud: bool) -> None:
    there = JiraDouble(cloud=cloud)
    reference = tell(there, 1, 2, 3, 4, 5, 6)

    (issue,) = there.issues
    assert reference == ExternalReference("desk", "INC-1", "10000", 6, is_open=False)
    assert issue["fields"]["status"] == {"name": "Done"}
    assert issue["fields"]["labels"] == ["btimd", "btim-INC-1"]
    assert issue["properties"] == {"btimd": {"incident": "INC-1", "seq": 6}}
    assert [one["body"][:15] for one in issue["comments"]] == [f"[btimd INC-1.{n}]" for n in (2, 3, 4, 5, 6)]


def test_a_comment_that_is_there_without_its_property_is_not_written_again() -> None:
    there = JiraDouble()
    reference = tell(there, 1)
    there.drops_properties = True
    tell(there, 2, reference=reference)
    there.drops_properties = False
    tell(there, 2, reference=reference, uncertain=True)

    assert len(there.issues[0]["comments"]) == 1
    assert there.issues[0]["properties"]["btimd"]["seq"] == 2


def test_a_lost_creation_is_found_by_its_label() -> None:
    there = JiraDouble()
    tell(there, 1)
    tell(there, 1, uncertain=True)

    assert len(there.issues) == 1
    assert there.issues[0]["comments"] == []


def test_a_status_the_workflow_does_not_lead_to_is_refused_with_its_name() -> None:
    there = JiraDouble(workflow={"To Do": ()})
    with pytest.raises(HaltError, match="stays 'To Do', it does not become 'In Progress'; check states"):
        tell(there, 1, 2)


def test_what_people_do_is_told_and_what_btimd_does_is_not() -> None:
    there = JiraDouble()
    tell(there, 1, 2)
    issue = there.issues[0]
    ann, me = {"accountId": "ann"}, {"accountId": "me"}
    late, early = "2023-11-15T00:30:00.000+0100", "2023-11-01T00:00:00.000+0000"
    issue["fields"]["updated"] = late
    moved = {"field": "status", "toString": "Done"}
    issue["changelog"] = {
        "histories": [
            {"id": "1", "author": ann, "created": late, "items": [moved, {"field": "rank", "toString": "x"}]},
            {"id": "2", "author": me, "created": late, "items": [moved]},
            {"id": "3", "author": ann, "created": early, "items": [moved]},
        ]
    }
    said = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "on its way"}]}]}
    issue["fields"]["comment"] = {
        "comments": [
            {"id": "7", "author": ann, "created": late, "body": said},
            {"id": "8", "author": ann, "created": late, "body": "[btimd INC-1.2] accepted"},
        ]
    }
    adapter = Jira("NET", "Task", True, "me", States({}, {}, {}))
    changes, _ = play(adapter.changes("2023-11-14T22:00:00.000Z"), there)

    assert changes.cursor == "2023-11-14T23:30:00.000Z"
    assert [(one.kind, one.value.strip(), one.actor, one.event_id, one.at) for one in changes.found] == [
        (UpdateKind.COMMENT, "on its way", "ann", "comment-7", "2023-11-14T23:30:00.000Z"),
        (UpdateKind.STATUS, "Done", "ann", "history-1-0", "2023-11-14T23:30:00.000Z"),
    ]

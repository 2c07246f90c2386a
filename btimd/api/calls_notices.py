"""Calls of NoticesService, for callers of the API."""

from collections.abc import Iterator

from btimd.api.client import Client, Page, Update
from btimd.api.convert import INCIDENT
from btimd.api.convert_notices import ANSWER, NOTICE
from btimd.api.pb import notices_pb2 as pb
from btimd.model.incident import Incident
from btimd.model.notification import Notice, ReplyKind


def watch_screen(client: Client, *, everybody: bool = False) -> Iterator[Update[Notice]]:
    """Follow the caller's screen, or everybody's; raises CallFailedError."""
    return client.watch("WatchScreen", pb.WatchScreenRequest(everybody=everybody), "notices", NOTICE.from_pb)


def notices(client: Client, *, incident_id: str = "", person: str = "", limit: int = 0) -> Page[Notice]:
    """Return attempts to tell people of an incident, or one person; raises CallFailedError."""
    request = pb.ListNoticesRequest(incident_id=incident_id, person=person, limit=limit)
    return client.page("ListNotices", request, "notices", NOTICE.from_pb)


def answer_notice(
    client: Client, answer: ReplyKind, *, command_id: str, incident_id: str = "", reason: str = ""
) -> Incident:
    """Answer an order as the caller's person; raises CallFailedError."""
    request = pb.AnswerNoticeRequest(
        command_id=command_id,
        incident_id=incident_id,
        answer=ANSWER.to_pb(answer),  # type: ignore[arg-type]  # a number
        reason=reason,
    )
    return INCIDENT.from_pb(client.call("AnswerNotice", request).incident)


def try_contact(client: Client, person: str, *, command_id: str, address: str = "") -> Page[Notice]:
    """Send a test to a person's address, or to all of them; raises CallFailedError."""
    request = pb.TestContactRequest(command_id=command_id, person=person, address=address)
    return client.page("TestContact", request, "notices", NOTICE.from_pb)

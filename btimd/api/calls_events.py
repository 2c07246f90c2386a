"""Calls of EventsService, for callers of the API."""

from btimd.api.client import Client, Page
from btimd.api.convert_events import HEARD, HEARD_AS, SENDER
from btimd.api.pb import events_pb2 as pb
from btimd.model.heard import Heard, HeardAs, Sender


def events(client: Client, node: str = "", heard_as: HeardAs | None = None, limit: int = 0) -> Page[Heard]:
    """Return what was heard lately; raises CallFailedError."""
    request = pb.ListEventsRequest(node=node, heard_as=HEARD_AS.to_pb(heard_as), limit=limit)  # type: ignore[arg-type]
    return client.page("ListEvents", request, "events", HEARD.from_pb)


def senders(client: Client) -> Page[Sender]:
    """Return who sent; raises CallFailedError."""
    return client.page("ListSenders", pb.ListSendersRequest(), "senders", SENDER.from_pb)


def record_change(client: Client, node: str, text: str) -> Heard:
    """Tell of a change; raises CallFailedError."""
    response = client.call("RecordChange", pb.RecordChangeRequest(node=node, text=text))
    return HEARD.from_pb(response.event)

"""EventsService: what was heard without asking, and changes that people and pipelines tell of."""

from btimd.api.auth import Caller
from btimd.api.convert_events import HEARD, HEARD_AS, SENDER
from btimd.api.errors import invalid, not_found
from btimd.api.pb import events_pb2 as pb
from btimd.api.requests import bounded, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.heard import EventsView

_MOST_TEXT = 500


class EventsServicer:
    """Serves an EventsView."""

    def __init__(self, view: EventsView) -> None:
        self._view = view

    async def list_events(self, request: pb.ListEventsRequest, _caller: Caller) -> pb.ListEventsResponse:
        """Return what was heard lately."""
        limit = page_limit(request.limit)
        heard_as = HEARD_AS.from_pb(request.heard_as) if request.heard_as else None
        found = self._view.heard(limit=limit + 1, node=optional_name(request, "node"), heard_as=heard_as)
        page, more = page_of(found, limit)
        return pb.ListEventsResponse(events=[HEARD.to_pb(one) for one in page], more=more)

    async def list_senders(self, _request: pb.ListSendersRequest, _caller: Caller) -> pb.ListSendersResponse:
        """Return who sent."""
        return pb.ListSendersResponse(senders=[SENDER.to_pb(one) for one in self._view.senders()])

    async def record_change(self, request: pb.RecordChangeRequest, caller: Caller) -> pb.RecordChangeResponse:
        """Take a change in the name of the caller."""
        node = named(request, "node")
        text = bounded("text", request.text, _MOST_TEXT).strip()
        if not text:
            raise invalid("text", "must say what was changed")
        try:
            heard = self._view.record_change(node, text, caller.name)
        except KeyError:
            raise not_found("node", node) from None
        return pb.RecordChangeResponse(event=HEARD.to_pb(heard))


def events_service(view: EventsView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["EventsService"], EventsServicer(view), ("rca",))

"""SlaService: what was promised and kept."""

from collections.abc import Sequence

from btimd.api.auth import Caller
from btimd.api.convert import SLA_STATE
from btimd.api.pb import sla_pb2 as pb
from btimd.api.rpc import Stream
from btimd.model.ports import SlaBook
from btimd.model.sla import SlaState


class SlaServicer:
    """Serves an SlaBook."""

    def __init__(self, book: SlaBook) -> None:
        self._book = book

    async def list_sla_states(self, _request: pb.ListSlaStatesRequest, caller: Caller) -> pb.ListSlaStatesResponse:
        """Return the state of every target."""
        return pb.ListSlaStatesResponse(states=_inside(self._book.states(), caller))

    def watch_sla_states(self, _request: pb.WatchSlaStatesRequest, caller: Caller) -> Stream[SlaState]:
        """Follow the states of the targets."""

        def respond(states: Sequence[SlaState], snapshot: bool) -> pb.WatchSlaStatesResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = _inside(states, caller)
            return pb.WatchSlaStatesResponse(states=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._book.watch(), respond)


def _inside(states: Sequence[SlaState], caller: Caller) -> list[pb.SlaState]:
    """Return what a caller may see; a promise holds everywhere, so that regions leave nothing out."""
    return [SLA_STATE.to_pb(state) for state in states if caller.scope.has_business(state.target.business)]

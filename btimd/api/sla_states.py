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

    async def list_sla_states(self, _request: pb.ListSlaStatesRequest, _caller: Caller) -> pb.ListSlaStatesResponse:
        """Return the state of every target."""
        return pb.ListSlaStatesResponse(states=[SLA_STATE.to_pb(state) for state in self._book.states()])

    def watch_sla_states(self, _request: pb.WatchSlaStatesRequest, _caller: Caller) -> Stream[SlaState]:
        """Follow the states of the targets."""

        def respond(states: Sequence[SlaState], snapshot: bool) -> pb.WatchSlaStatesResponse:  # noqa: FBT001  the signature of Stream.respond
            return pb.WatchSlaStatesResponse(states=[SLA_STATE.to_pb(state) for state in states], snapshot=snapshot)

        return Stream(self._book.watch(), respond)

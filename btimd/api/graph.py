"""GraphService: what needs what, how it stands, why; and a probe on request."""

from collections.abc import Sequence

from btimd.api.auth import Caller
from btimd.api.convert import DIAGNOSIS, NODE_STATE, PROBE_RESULT, SYMPTOM, VERDICT, graph_to_pb
from btimd.api.errors import not_found
from btimd.api.pb import graph_pb2 as pb
from btimd.api.requests import named, page_limit, page_of
from btimd.api.rpc import Stream
from btimd.model.ports import DiagnosisProgress, GraphView, NodeState


class GraphServicer:
    """Serves a GraphView."""

    def __init__(self, view: GraphView) -> None:
        self._view = view

    async def get_graph(self, _request: pb.GetGraphRequest, _caller: Caller) -> pb.GetGraphResponse:
        """Return the present graph."""
        return graph_to_pb(self._view.graph())

    async def list_node_states(self, _request: pb.ListNodeStatesRequest, caller: Caller) -> pb.ListNodeStatesResponse:
        """Return the state of every node."""
        return pb.ListNodeStatesResponse(nodes=_inside(self._view.node_states(), caller))

    def watch_nodes(self, _request: pb.WatchNodesRequest, caller: Caller) -> Stream[NodeState]:
        """Follow the states of the nodes."""

        def respond(states: Sequence[NodeState], snapshot: bool) -> pb.WatchNodesResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = _inside(states, caller)
            return pb.WatchNodesResponse(nodes=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._view.watch_nodes(), respond)

    async def list_symptoms(self, _request: pb.ListSymptomsRequest, _caller: Caller) -> pb.ListSymptomsResponse:
        """Return the open symptoms."""
        return pb.ListSymptomsResponse(symptoms=[SYMPTOM.to_pb(symptom) for symptom in self._view.symptoms()])

    async def list_verdicts(self, request: pb.ListVerdictsRequest, _caller: Caller) -> pb.ListVerdictsResponse:
        """Return the latest verdicts."""
        limit = page_limit(request.limit)
        page, more = page_of(self._view.verdicts(limit + 1), limit)
        return pb.ListVerdictsResponse(verdicts=[VERDICT.to_pb(verdict) for verdict in page], more=more)

    def watch_diagnoses(self, _request: pb.WatchDiagnosesRequest, _caller: Caller) -> Stream[DiagnosisProgress]:
        """Follow the running diagnoses."""

        def respond(steps: Sequence[DiagnosisProgress], snapshot: bool) -> pb.WatchDiagnosesResponse:  # noqa: FBT001  the signature of Stream.respond
            return pb.WatchDiagnosesResponse(diagnoses=[DIAGNOSIS.to_pb(step) for step in steps], snapshot=snapshot)

        return Stream(self._view.watch_diagnoses(), respond)

    async def run_probe(self, request: pb.RunProbeRequest, caller: Caller) -> pb.RunProbeResponse:
        """Run one check now."""
        check_id = named(request, "check_id")
        try:
            result = await self._view.run_probe(check_id, caller.name)
        except KeyError as error:
            raise not_found("check", check_id) from error
        return pb.RunProbeResponse(result=PROBE_RESULT.to_pb(result))


def _inside(states: Sequence[NodeState], caller: Caller) -> list[pb.NodeState]:
    """Return the nodes of businesses that a caller may see."""
    return [NODE_STATE.to_pb(state) for state in states if caller.scope.allows(state.businesses)]

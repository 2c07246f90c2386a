"""PlanService: the IP plan in use."""

from collections.abc import Sequence
from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import EnumCodec, NotConvertibleError
from btimd.api.convert_plan import (
    CHANGE,
    CONFLICT,
    PREFIX_USE,
    UNEXPECTED_TALKER,
    UNEXPECTED_TALKERS,
    UNKNOWN_CLIENTS,
    UNKNOWN_ORDER,
    USE_ORDER,
)
from btimd.api.errors import invalid
from btimd.api.pb import plan_pb2 as pb
from btimd.api.requests import optional_name, page_limit, page_of
from btimd.api.rpc import Service, Stream
from btimd.model.planuse import PlanView, UnexpectedTalker

_FIRST_ORDER: Final = 1


def plan_service(view: PlanView) -> Service:
    """Return the service of a view; it needs the flows, whose users it looks at."""
    return Service(pb.DESCRIPTOR.services_by_name["PlanService"], PlanServicer(view), ("flows",))


class PlanServicer:
    """Serves a PlanView."""

    def __init__(self, view: PlanView) -> None:
        self._view = view

    async def list_prefix_use(self, request: pb.ListPrefixUseRequest, _caller: Caller) -> pb.ListPrefixUseResponse:
        """Return the lines of the plan with their use."""
        limit = page_limit(request.limit)
        rows = await self._view.prefix_use(order=_order(USE_ORDER, request.order), limit=limit + 1)
        page, more = page_of(rows, limit)
        return pb.ListPrefixUseResponse(prefixes=[PREFIX_USE.to_pb(row) for row in page], more=more)

    async def list_unknown_addresses(
        self, request: pb.ListUnknownAddressesRequest, _caller: Caller
    ) -> pb.ListUnknownAddressesResponse:
        """Return who is not in the plan."""
        order, limit = _order(UNKNOWN_ORDER, request.order), page_limit(request.limit)
        return UNKNOWN_CLIENTS.to_pb(await self._view.unknown(order=order, limit=limit))

    async def list_unexpected_talkers(
        self, request: pb.ListUnexpectedTalkersRequest, _caller: Caller
    ) -> pb.ListUnexpectedTalkersResponse:
        """Return who uses businesses from elsewhere."""
        business, limit = optional_name(request, "business"), page_limit(request.limit)
        return UNEXPECTED_TALKERS.to_pb(await self._view.unexpected(business=business, limit=limit))

    def watch_unexpected_talkers(
        self, request: pb.WatchUnexpectedTalkersRequest, _caller: Caller
    ) -> Stream[UnexpectedTalker]:
        """Follow unexpected talkers."""
        business = optional_name(request, "business")

        def respond(talkers: Sequence[UnexpectedTalker], snapshot: bool) -> pb.WatchUnexpectedTalkersResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [UNEXPECTED_TALKER.to_pb(one) for one in talkers if business in {None, one.business}]
            return pb.WatchUnexpectedTalkersResponse(talkers=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._view.watch_unexpected(), respond)

    async def list_plan_conflicts(
        self, request: pb.ListPlanConflictsRequest, _caller: Caller
    ) -> pb.ListPlanConflictsResponse:
        """Return what is wrong or doubtful."""
        page, more = page_of(await self._view.conflicts(), page_limit(request.limit))
        return pb.ListPlanConflictsResponse(conflicts=[CONFLICT.to_pb(one) for one in page], more=more)

    async def list_plan_changes(
        self, request: pb.ListPlanChangesRequest, _caller: Caller
    ) -> pb.ListPlanChangesResponse:
        """Return the latest changes of the plan."""
        page, more = page_of(self._view.changes(), page_limit(request.limit))
        return pb.ListPlanChangesResponse(changes=[CHANGE.to_pb(one) for one in page], more=more)


def _order(codec: EnumCodec, number: int) -> str:
    """Return the name of an order; the first one where none is named."""
    try:
        name: str = codec.from_pb(number or _FIRST_ORDER)
    except NotConvertibleError as error:
        raise invalid("order", str(error)) from error
    return name

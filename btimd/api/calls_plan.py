"""Calls of PlanService."""

from collections.abc import Iterator

from btimd.api.client import Client, Page, Update
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
from btimd.api.pb import plan_pb2 as pb
from btimd.model.planuse import (
    PlanChange,
    PlanConflict,
    PrefixUse,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownClients,
)


def prefix_use(client: Client, *, order: str = "plan", limit: int = 0) -> Page[PrefixUse]:
    """Return the lines of the plan with their use; order: plan, octets, seen, empty."""
    request = pb.ListPrefixUseRequest(order=USE_ORDER.to_pb(order), limit=limit)  # type: ignore[arg-type]  # a number
    return client.page("ListPrefixUse", request, "prefixes", PREFIX_USE.from_pb)


def unknown(client: Client, *, order: str = "octets", limit: int = 0) -> UnknownClients:
    """Return who is not in the plan; order: octets, last-seen."""
    request = pb.ListUnknownAddressesRequest(order=UNKNOWN_ORDER.to_pb(order), limit=limit)  # type: ignore[arg-type]  # a number
    return UNKNOWN_CLIENTS.from_pb(client.call("ListUnknownAddresses", request))


def unexpected(client: Client, *, business: str | None = None, limit: int = 0) -> UnexpectedTalkers:
    """Return who uses businesses from elsewhere."""
    request = pb.ListUnexpectedTalkersRequest(business=business or "", limit=limit)
    return UNEXPECTED_TALKERS.from_pb(client.call("ListUnexpectedTalkers", request))


def watch_unexpected(client: Client, *, business: str | None = None) -> Iterator[Update[UnexpectedTalker]]:
    """Follow unexpected talkers."""
    request = pb.WatchUnexpectedTalkersRequest(business=business or "")
    return client.watch("WatchUnexpectedTalkers", request, "talkers", UNEXPECTED_TALKER.from_pb)


def conflicts(client: Client, limit: int = 0) -> Page[PlanConflict]:
    """Return what is wrong or doubtful."""
    request = pb.ListPlanConflictsRequest(limit=limit)
    return client.page("ListPlanConflicts", request, "conflicts", CONFLICT.from_pb)


def changes(client: Client, limit: int = 0) -> Page[PlanChange]:
    """Return the latest changes of the plan."""
    return client.page("ListPlanChanges", pb.ListPlanChangesRequest(limit=limit), "changes", CHANGE.from_pb)

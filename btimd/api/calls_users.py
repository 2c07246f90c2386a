"""Asks a running btimd for its users."""

from collections.abc import Sequence

from btimd.api import convert
from btimd.api.client import Client, Page
from btimd.api.pb import flows_pb2
from btimd.model.ports import OnlineUser
from btimd.model.users import UserCount, UserQuery


def find_users(client: Client, query: UserQuery, limit: int = 0) -> Page[OnlineUser]:
    """Return the users that a query asks for."""
    request = flows_pb2.ListUsersRequest(
        business=query.business or "",
        region=query.region,
        segment=query.segment,
        person=query.person,
        state=convert.USER_STATE.to_pb(query.state),  # type: ignore[arg-type]  # a number
        address=query.address or "",
        order=convert.USER_ORDER.to_pb(query.order),  # type: ignore[arg-type]  # a number
        limit=limit,
    )
    return client.page("ListUsers", request, "users", convert.ONLINE_USER.from_pb)


def count_users(
    client: Client,
    *,
    business: str | None = None,
    group_by: Sequence[str] = (),
    seen_within_seconds: float | None = None,
    limit: int = 0,
) -> Page[UserCount]:
    """Return how many users there are per group."""
    request = flows_pb2.CountUsersRequest(
        business=business or "",
        group_by=[convert.USER_DIMENSION.to_pb(name) for name in group_by],  # type: ignore[misc]  # numbers
        seen_within_seconds=seen_within_seconds,
        limit=limit,
    )
    return client.page("CountUsers", request, "counts", convert.USER_COUNT.from_pb)

"""FlowsService: the traffic, its users and exporters, explanations, history."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from btimd.api.auth import Caller, Scope
from btimd.api.codec import EnumCodec, NotConvertibleError
from btimd.api.convert import (
    EXPLANATION,
    EXPORTER,
    ONLINE_USER,
    QUALITY,
    QUALITY_DIMENSION,
    REFUSED_EXPORTER,
    SERIES_QUERY,
    SPAN_INTERFACE,
    USER_COUNT,
    USER_DIMENSION,
    USER_ORDER,
    USER_STATE,
    WINDOW,
    series_row_to_pb,
)
from btimd.api.errors import invalid
from btimd.api.pb import flows_pb2 as pb
from btimd.api.requests import (
    MAX_LIMIT,
    address,
    bounded,
    identifier,
    in_range,
    optional_name,
    page_limit,
    page_of,
    prefix,
)
from btimd.api.rpc import Stream
from btimd.api.scoping import cells, check_sums, is_inside, rows_to_ask
from btimd.model.points import SeriesQuery
from btimd.model.ports import FlowView, OnlineUser
from btimd.model.quality import QualityRow
from btimd.model.users import USER_ORDERS
from btimd.model.window import WindowRow

MAX_HISTORY_ROWS: Final = 20_000
ALL_DIMENSIONS: Final = ("business", "region", "segment", "server")
_MAX_BINS: Final = 10_000
_MAX_FIELDS: Final = 16
_MAX_TAGS: Final = 8
_MAX_TAG_CHARACTERS: Final = 500
_MAX_FILTER_CHARACTERS: Final = 200
_MAX_INTERVAL_MILLISECONDS: Final = 86_400_000
_MAX_PORT: Final = 65_535
_MAX_PROTOCOL: Final = 255
_TCP: Final = 6
_USER_KEYS: Final[Mapping[str, Callable[[OnlineUser], float]]] = {
    "last-seen": lambda user: user.last_seen_milliseconds,
    "octets": lambda user: user.octets,
    "traffic": lambda user: user.octets_per_second or 0.0,
}


class FlowsServicer:
    """Serves a FlowView. Intervals the view does not keep are refused with what it says (ValueError, KeyError)."""

    def __init__(self, view: FlowView, *, default_interval_milliseconds: int) -> None:
        self._view = view
        self._default_interval_milliseconds = default_interval_milliseconds

    async def list_windows(self, request: pb.ListWindowsRequest, caller: Caller) -> pb.ListWindowsResponse:
        """Return the latest windows."""
        limit = page_limit(request.limit)
        business = optional_name(request, "business")
        interval = self._interval(request.interval_milliseconds)
        try:
            found = self._view.windows(
                interval_milliseconds=interval, business=business, limit=rows_to_ask(caller.scope, limit)
            )
        except (ValueError, KeyError) as error:
            raise invalid("interval_milliseconds", f"no windows of {interval} ms: {_text(error)}") from error
        page, more = page_of([row for row in found if is_inside(caller.scope, row)], limit)
        return pb.ListWindowsResponse(windows=[WINDOW.to_pb(row) for row in page], more=more)

    def watch_windows(self, request: pb.WatchWindowsRequest, caller: Caller) -> Stream[WindowRow]:
        """Follow the windows of one interval."""
        business = optional_name(request, "business")
        interval = self._interval(request.interval_milliseconds)

        def respond(rows: Sequence[WindowRow], snapshot: bool) -> pb.WatchWindowsResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [
                WINDOW.to_pb(row) for row in rows if business in {None, row.business} and is_inside(caller.scope, row)
            ]
            return pb.WatchWindowsResponse(windows=wanted, snapshot=snapshot) if wanted or snapshot else None

        try:
            return Stream(self._view.watch_windows(interval_milliseconds=interval), respond)
        except (ValueError, KeyError) as error:
            raise invalid("interval_milliseconds", f"no windows of {interval} ms: {_text(error)}") from error

    async def list_users(self, request: pb.ListUsersRequest, caller: Caller) -> pb.ListUsersResponse:
        """Return users."""
        limit = page_limit(request.limit)
        order = _word("order", USER_ORDER, request.order) or USER_ORDERS[0]
        asked = partial(
            self._view.users,
            limit=limit + 1,
            segment=_filter(request, "segment"),
            person=_filter(request, "person"),
            state=_word("state", USER_STATE, request.state),
            address=prefix("address", request.address) if request.address else None,
            order=order,
        )
        wanted = cells(caller.scope, optional_name(request, "business"), _filter(request, "region"))
        found: list[OnlineUser] = []
        for business, region in wanted:
            found += await asyncio.to_thread(asked, business=business, region=region)
        if len(wanted) > 1:
            found.sort(key=_USER_KEYS[order], reverse=True)
        page, more = page_of(found, limit)
        return pb.ListUsersResponse(users=[ONLINE_USER.to_pb(user) for user in page], more=more)

    async def count_users(self, request: pb.CountUsersRequest, caller: Caller) -> pb.CountUsersResponse:
        """Return how many users there are."""
        limit = page_limit(request.limit)
        group_by = tuple(dict.fromkeys(_word("group_by", USER_DIMENSION, number) for number in request.group_by))
        if None in group_by:
            raise invalid("group_by", "btimd.v1.UserDimension has no value 0 here")
        within = request.seen_within_seconds if request.HasField("seen_within_seconds") else None
        if within is not None and not within >= 0:
            raise invalid("seen_within_seconds", f"{within} is no time; give seconds, 0 or more")
        business, scope = optional_name(request, "business"), caller.scope
        check_sums(scope, business=business, group_by=group_by)
        asked = partial(
            self._view.user_counts,
            business=business,
            group_by=group_by,
            seen_within_seconds=within,
            limit=rows_to_ask(scope, limit),
        )
        found = await asyncio.to_thread(asked)
        inside = [one for one in found if scope.has_business(business or one.business) and scope.has_region(one.region)]
        page, more = page_of(inside, limit)
        return pb.CountUsersResponse(counts=[USER_COUNT.to_pb(one) for one in page], more=more)

    async def list_exporters(self, _request: pb.ListExportersRequest, _caller: Caller) -> pb.ListExportersResponse:
        """Return who exports flow records."""
        return pb.ListExportersResponse(
            exporters=[EXPORTER.to_pb(one) for one in self._view.exporters()],
            refused=[REFUSED_EXPORTER.to_pb(one) for one in self._view.refused_exporters()],
        )

    async def list_spans(self, _request: pb.ListSpansRequest, _caller: Caller) -> pb.ListSpansResponse:
        """Return the interfaces that packets are captured on."""
        return pb.ListSpansResponse(spans=[SPAN_INTERFACE.to_pb(one) for one in self._view.spans()])

    async def explain_flow(self, request: pb.ExplainFlowRequest, _caller: Caller) -> pb.ExplainFlowResponse:
        """Say where a flow would go and why."""
        explanation = self._view.explain(
            address("address", request.address),
            address("peer", request.peer),
            in_range("port", request.port, _MAX_PORT),
            in_range("protocol", request.protocol, _MAX_PROTOCOL) or _TCP,
        )
        return EXPLANATION.to_pb(explanation)

    async def list_quality(self, request: pb.ListQualityRequest, caller: Caller) -> pb.ListQualityResponse:
        """Return how well connections did lately."""
        limit = page_limit(request.limit)
        business, group_by = optional_name(request, "business"), dimensions(request.group_by)
        interval = self._interval(request.interval_milliseconds)
        check_sums(caller.scope, business=business, group_by=group_by)
        try:
            found = self._view.quality(
                interval_milliseconds=interval,
                business=business,
                group_by=group_by,
                limit=rows_to_ask(caller.scope, limit),
            )
        except (ValueError, KeyError) as error:
            raise invalid("interval_milliseconds", f"no quality of {interval} ms: {_text(error)}") from error
        rows = [row for row in found if _row_is_inside(caller.scope, business, row)]
        page, more = page_of(rows, limit)
        return pb.ListQualityResponse(rows=[QUALITY.to_pb(row) for row in page], more=more)

    def watch_quality(self, request: pb.WatchQualityRequest, caller: Caller) -> Stream[QualityRow]:
        """Follow how well connections do."""
        business, group_by = optional_name(request, "business"), dimensions(request.group_by)
        interval = self._interval(request.interval_milliseconds)
        check_sums(caller.scope, business=business, group_by=group_by)

        def merged(rows: Sequence[QualityRow]) -> Sequence[QualityRow]:
            """Return the rows of the intervals that changed, with what of them did not change."""
            changed = {row.interval_start_milliseconds for row in rows}
            if not changed:
                return ()
            since = self._view.quality(
                interval_milliseconds=interval,
                business=business,
                group_by=group_by,
                limit=MAX_LIMIT,
                from_milliseconds=min(changed),
            )
            return [
                row
                for row in since
                if row.interval_start_milliseconds in changed and _row_is_inside(caller.scope, business, row)
            ]

        def respond(rows: Sequence[QualityRow], snapshot: bool) -> pb.WatchQualityResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [row for row in rows if business in {None, row.business} and is_inside(caller.scope, row)]
            if snapshot:
                latest = max((row.interval_start_milliseconds for row in wanted), default=0)
                wanted = [row for row in wanted if row.interval_start_milliseconds == latest]
            shown = wanted if len(group_by) == len(ALL_DIMENSIONS) else merged(wanted)
            rows_of_it = [QUALITY.to_pb(row) for row in shown]
            return pb.WatchQualityResponse(rows=rows_of_it, snapshot=snapshot) if rows_of_it or snapshot else None

        try:
            return Stream(self._view.watch_quality(interval_milliseconds=interval), respond)
        except (ValueError, KeyError) as error:
            raise invalid("interval_milliseconds", f"no quality of {interval} ms: {_text(error)}") from error

    async def query_history(self, request: pb.QueryHistoryRequest, _caller: Caller) -> pb.QueryHistoryResponse:
        """Ask the series store."""
        query = history_query(request)
        try:
            rows = await self._view.history(query)
        except ValueError as error:
            raise invalid("measurement", f"the series store cannot answer this: {error}") from error
        page, more = page_of(rows, MAX_HISTORY_ROWS)
        return pb.QueryHistoryResponse(rows=[series_row_to_pb(row) for row in page], more=more)

    def _interval(self, interval_milliseconds: int) -> int:
        in_range("interval_milliseconds", interval_milliseconds, _MAX_INTERVAL_MILLISECONDS)
        return interval_milliseconds or self._default_interval_milliseconds


def _row_is_inside(scope: Scope, business: str | None, row: QualityRow) -> bool:
    """Tell whether a row, which may be a sum, is inside; business: what was asked for, which a sum does not name."""
    return scope.has_business(business or row.business) and scope.has_region(row.region)


def _filter(message: Any, field: str) -> str | None:
    """Return what a field must be; None where it is unset, which is not the same as empty."""
    return bounded(field, getattr(message, field), _MAX_FILTER_CHARACTERS) if message.HasField(field) else None


def _word(field: str, codec: EnumCodec, number: int) -> Any:
    """Return the word of an enum's number, None where it is unspecified; raises ApiError for an unknown one."""
    try:
        return codec.from_pb(number) if number else None
    except NotConvertibleError as error:
        raise invalid(field, str(error)) from error


def dimensions(group_by: Sequence[int]) -> tuple[str, ...]:
    """Return what rows of quality are told apart by, everything where nothing is asked; raises ApiError."""
    try:
        found = dict.fromkeys(QUALITY_DIMENSION.from_pb(number) for number in group_by)
    except NotConvertibleError as error:
        raise invalid("group_by", str(error)) from error
    return tuple(found) or ALL_DIMENSIONS


def history_query(request: pb.QueryHistoryRequest) -> SeriesQuery:
    """Return the query that a request asks; raises ApiError for names, counts and times out of bounds."""
    identifier("measurement", request.measurement)
    if not 1 <= len(request.fields) <= _MAX_FIELDS:
        raise invalid("fields", f"{len(request.fields)} fields; wanted 1 to {_MAX_FIELDS}")
    if max(len(request.group_by), len(request.where)) > _MAX_TAGS:
        raise invalid("group_by", f"more than {_MAX_TAGS} tags in group_by or where")
    for field, names in (("fields", request.fields), ("group_by", request.group_by), ("where", request.where)):
        for name in names:
            identifier(field, name)
    for value in request.where.values():
        bounded("where", value, _MAX_TAG_CHARACTERS)
    if not request.fold:
        request.fold = pb.SERIES_FOLD_SUM
    query = SERIES_QUERY.from_pb(request)
    if query.from_milliseconds >= query.to_milliseconds:
        raise invalid("to_time", "must be after from_time")
    if query.step_milliseconds < 0:
        raise invalid("step_milliseconds", f"{query.step_milliseconds} is negative")
    span = query.to_milliseconds - query.from_milliseconds
    if query.step_milliseconds and span > query.step_milliseconds * _MAX_BINS:
        raise invalid("step_milliseconds", f"more than {_MAX_BINS} bins; take a longer step or a shorter time")
    return query


def _text(error: Exception) -> str:
    """Return what an error says; a KeyError puts quotes around it."""
    return str(error.args[0]) if error.args else type(error).__name__

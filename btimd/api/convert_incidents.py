"""What lists and counts of incidents ask for, and what counts answer."""

from typing import Any, Final

from btimd.api.auth import Caller
from btimd.api.codec import Codec, EnumCodec, NotConvertibleError, seconds_of_timestamp, timestamp_of_seconds
from btimd.api.errors import invalid
from btimd.api.pb import incidents_pb2 as pb
from btimd.api.requests import bounded
from btimd.model.incident import IncidentState, Priority
from btimd.model.incidentquery import IncidentCount, IncidentDimension, IncidentQuery, Sight
from btimd.model.units import UnixSeconds

ME: Final = "me"
"""Stands for the caller's person where a person is asked for."""
STATE: Final = EnumCodec(IncidentState, pb.DESCRIPTOR.enum_types_by_name["IncidentState"])
PRIORITY: Final = EnumCodec(Priority, pb.DESCRIPTOR.enum_types_by_name["Priority"])
DIMENSION: Final = EnumCodec(IncidentDimension, pb.DESCRIPTOR.enum_types_by_name["IncidentDimension"])
COUNT: Final = Codec(IncidentCount, pb.IncidentCount)
_MOST_CHARACTERS: Final = 200
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999, the last that a Timestamp has


def query_to_pb(query: IncidentQuery) -> pb.IncidentFilter:
    """Return the filter of a query; business, only_open and sight are said elsewhere."""
    return pb.IncidentFilter(
        states=[STATE.to_pb(one) for one in sorted(query.states)],  # type: ignore[misc]  # numbers
        priorities=[PRIORITY.to_pb(one) for one in sorted(query.priorities)],  # type: ignore[misc]  # numbers
        assignee=query.assignee,
        group=query.group,
        category=query.category,
        node=query.node,
        reporter=query.reporter,
        region=query.region,
        from_time=None if query.opened_from is None else timestamp_of_seconds(query.opened_from),
        to_time=None if query.opened_before is None else timestamp_of_seconds(query.opened_before),
        text=query.text,
    )


def query_of(request: Any, caller: Caller) -> IncidentQuery:
    """Return what a request means for a caller; raises ApiError for what cannot be asked.

    request: has business, filter, and include_closed where that may be asked.
    """
    wanted: pb.IncidentFilter = request.filter
    texts = {
        name: bounded(f"filter.{name}", getattr(wanted, name), _MOST_CHARACTERS)
        for name in ("assignee", "group", "category", "node", "reporter", "region", "text")
    }
    for name in ("assignee", "reporter"):
        if texts[name] == ME:
            texts[name] = caller.person
            if not caller.person:
                raise invalid(f"filter.{name}", f'"{ME}" is nobody without a token; say who')
    try:
        states = frozenset(STATE.from_pb(one) for one in wanted.states)
        priorities = frozenset(PRIORITY.from_pb(one) for one in wanted.priorities)
    except NotConvertibleError as error:
        raise invalid("filter", str(error)) from error
    return IncidentQuery(
        only_open=not getattr(request, "include_closed", True),
        states=states,
        priorities=priorities,
        business=bounded("business", request.business, _MOST_CHARACTERS),
        opened_from=moment_of(wanted, "from_time", "filter."),
        opened_before=moment_of(wanted, "to_time", "filter."),
        sight=sight_of(caller),
        **texts,
    )


def sight_of(caller: Caller) -> Sight:
    """Return what a caller may see of incidents."""
    return Sight(caller.scope.businesses, caller.scope.regions, caller.person)


def moment_of(message: Any, field: str, where: str = "") -> UnixSeconds | None:
    """Return a time that may be left out; raises ApiError for one outside the years 1970 to 9999."""
    if not message.HasField(field):
        return None
    stamp = getattr(message, field)
    if not 0 <= stamp.seconds <= _LAST_SECOND:
        raise invalid(f"{where}{field}", "lies outside the years 1970 to 9999")
    return seconds_of_timestamp(stamp)

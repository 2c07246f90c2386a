"""ArchiveService: searches in the archive of flow records, rankings, what it holds."""

from typing import Final

import grpc

from btimd.api.auth import Caller
from btimd.api.codec import NotConvertibleError
from btimd.api.convert_archive import ARCHIVE_STATUS, FLOW_SEARCH, RANKING, RANKING_QUERY, SEARCH_RESULT
from btimd.api.errors import ApiError, invalid
from btimd.api.pb import archive_pb2 as pb
from btimd.api.requests import MAX_LIMIT, bounded, in_range, page_limit
from btimd.api.rpc import Service
from btimd.model.archive import GROUPS, ArchiveBusyError, ArchiveView

_DEFAULT_PLACES: Final = 10
_MAX_TEXT: Final = 200
_MAX_PORT: Final = 65_535
_MAX_PROTOCOL: Final = 255
_MAX_INTERFACE: Final = 2**32 - 1
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999, the last that a Timestamp has
_TEXTS: Final = ("client", "server", "address", "peer", "business", "region", "exporter")


class ArchiveServicer:
    """Serves an ArchiveView. What it refuses (ValueError "field: why") is refused with that field."""

    def __init__(self, view: ArchiveView) -> None:
        self._view = view

    async def search_flows(self, request: pb.SearchFlowsRequest, _caller: Caller) -> pb.SearchFlowsResponse:
        """Find flow records."""
        wanted = pb.SearchFlowsRequest()
        wanted.CopyFrom(request)
        wanted.limit = page_limit(request.limit)
        wanted.sort = request.sort or pb.FLOW_SORT_TIME
        for name in _TEXTS:
            bounded(name, getattr(request, name), _MAX_TEXT)
        in_range("port", request.port, _MAX_PORT)
        in_range("protocol", request.protocol, _MAX_PROTOCOL)
        in_range("interface", request.interface, _MAX_INTERFACE)
        if request.min_octets < 0:
            raise invalid("min_octets", f"{request.min_octets} is less than 0")
        if len(request.group_by) > len(GROUPS):
            raise invalid("group_by", "each at most once")
        _check_times(request)
        try:
            return SEARCH_RESULT.to_pb(await self._view.search(FLOW_SEARCH.from_pb(wanted)))
        except (ValueError, ArchiveBusyError) as error:
            raise _refusal(error) from error

    async def rank(self, request: pb.RankRequest, _caller: Caller) -> pb.RankResponse:
        """Return the largest of something."""
        wanted = pb.RankRequest()
        wanted.CopyFrom(request)
        wanted.limit = in_range("limit", request.limit, MAX_LIMIT) or _DEFAULT_PLACES
        wanted.measure = request.measure or pb.RANK_MEASURE_OCTETS
        bounded("business", request.business, _MAX_TEXT)
        if not request.subject:
            raise invalid("subject", "must be given")
        _check_times(request)
        try:
            return RANKING.to_pb(await self._view.rank(RANKING_QUERY.from_pb(wanted)))
        except (ValueError, ArchiveBusyError) as error:
            raise _refusal(error) from error
        except ConnectionError as error:
            raise ApiError(grpc.StatusCode.UNAVAILABLE, "STORE_AWAY", f"the series store is away: {error}") from error

    async def get_archive_status(
        self, _request: pb.GetArchiveStatusRequest, _caller: Caller
    ) -> pb.GetArchiveStatusResponse:
        """Return what the archive holds."""
        try:
            return ARCHIVE_STATUS.to_pb(await self._view.status())
        except ArchiveBusyError as error:
            raise _refusal(error) from error


def archive_service(view: ArchiveView) -> Service:
    """Return the service of an archive."""
    return Service(pb.DESCRIPTOR.services_by_name["ArchiveService"], ArchiveServicer(view), ("archive", "store"))


def _check_times(request: pb.SearchFlowsRequest | pb.RankRequest) -> None:
    for name in ("from_time", "to_time"):
        stamp = getattr(request, name)
        if stamp.seconds < 0 or stamp.seconds > _LAST_SECOND:
            raise invalid(name, "lies outside the years 1970 to 9999")


def _refusal(error: Exception) -> ApiError:
    if isinstance(error, ArchiveBusyError):
        return ApiError(grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY", str(error))
    if isinstance(error, NotConvertibleError):
        return ApiError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", str(error))
    field, _, why = str(error).partition(": ")
    return invalid(field, why) if why else ApiError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", str(error))

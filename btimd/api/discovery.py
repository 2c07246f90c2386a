"""DiscoveryService: what the observed traffic says of the model."""

from typing import Final

import grpc

from btimd.api.auth import Caller
from btimd.api.convert_discovery import MODEL_COMPARISON, SUGGESTIONS, WEAK_SPOT
from btimd.api.errors import ApiError
from btimd.api.pb import discovery_pb2 as pb
from btimd.api.requests import in_range, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.discovery import DiscoveryUnavailableError, DiscoveryView

_DAY_SECONDS: Final = 86_400
_MOST_SECONDS: Final = 31 * _DAY_SECONDS


class DiscoveryServicer:
    """Serves a DiscoveryView."""

    def __init__(self, view: DiscoveryView) -> None:
        self._view = view

    async def suggest(self, request: pb.SuggestRequest, _caller: Caller) -> pb.SuggestResponse:
        """Return what is proposed."""
        since = in_range("since_seconds", request.since_seconds, _MOST_SECONDS) or _DAY_SECONDS
        try:
            found = await self._view.suggest(float(since))
        except DiscoveryUnavailableError as error:
            raise _unavailable(error) from error
        return pb.SuggestResponse(suggestions=SUGGESTIONS.to_pb(found))

    async def compare_model(self, request: pb.CompareModelRequest, _caller: Caller) -> pb.CompareModelResponse:
        """Return how model and traffic differ."""
        since = in_range("since_seconds", request.since_seconds, _MOST_SECONDS) or _DAY_SECONDS
        try:
            found = await self._view.compare(float(since))
        except DiscoveryUnavailableError as error:
            raise _unavailable(error) from error
        return pb.CompareModelResponse(comparison=MODEL_COMPARISON.to_pb(found))

    async def list_weak_spots(self, request: pb.ListWeakSpotsRequest, _caller: Caller) -> pb.ListWeakSpotsResponse:
        """Return what businesses hang on."""
        limit = page_limit(request.limit)
        page, more = page_of(await self._view.weak_spots(), limit)
        return pb.ListWeakSpotsResponse(spots=[WEAK_SPOT.to_pb(spot) for spot in page], more=more)


def discovery_service(view: DiscoveryView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["DiscoveryService"], DiscoveryServicer(view), ("flows",))


def _unavailable(error: DiscoveryUnavailableError) -> ApiError:
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, "NO_PAST_TRAFFIC", str(error))

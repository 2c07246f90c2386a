"""Calls of DiscoveryService, as model objects."""

from typing import Final

from btimd.api.client import Client, Page
from btimd.api.convert_discovery import MODEL_COMPARISON, SUGGESTIONS, WEAK_SPOT
from btimd.api.pb import discovery_pb2
from btimd.model.discovery import ModelComparison, Suggestions, WeakSpot

_LONG_SECONDS: Final = 600.0
"""Millions of records are read from disk."""


def suggest(client: Client, since_seconds: int = 0) -> Suggestions:
    """Return what the traffic of the last so many seconds proposes; 0 = a day."""
    request = discovery_pb2.SuggestRequest(since_seconds=since_seconds)
    return SUGGESTIONS.from_pb(client.call("Suggest", request, _LONG_SECONDS).suggestions)


def compare_model(client: Client, since_seconds: int = 0) -> ModelComparison:
    """Return how model and traffic of the last so many seconds differ; 0 = a day."""
    request = discovery_pb2.CompareModelRequest(since_seconds=since_seconds)
    return MODEL_COMPARISON.from_pb(client.call("CompareModel", request, _LONG_SECONDS).comparison)


def weak_spots(client: Client, limit: int = 0) -> Page[WeakSpot]:
    """Return what businesses hang on, the most important one first."""
    request = discovery_pb2.ListWeakSpotsRequest(limit=limit)
    return client.page("ListWeakSpots", request, "spots", WEAK_SPOT.from_pb)

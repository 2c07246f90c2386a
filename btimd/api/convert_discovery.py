"""Discovery <-> protobuf: one codec per kind of object."""

from btimd.api.codec import Codec
from btimd.api.pb import discovery_pb2
from btimd.model.discovery import (
    DependencySuggestion,
    EdgeFinding,
    ModelComparison,
    ServiceSuggestion,
    Suggestions,
    WeakSpot,
)

SERVICE_SUGGESTION = Codec(ServiceSuggestion, discovery_pb2.ServiceSuggestion)
DEPENDENCY_SUGGESTION = Codec(DependencySuggestion, discovery_pb2.DependencySuggestion)
SUGGESTIONS = Codec(Suggestions, discovery_pb2.Suggestions)
EDGE_FINDING = Codec(EdgeFinding, discovery_pb2.EdgeFinding)
MODEL_COMPARISON = Codec(ModelComparison, discovery_pb2.ModelComparison)
WEAK_SPOT = Codec(WeakSpot, discovery_pb2.WeakSpot)

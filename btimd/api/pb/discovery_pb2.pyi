import datetime

from btimd.api.pb import graph_pb2 as _graph_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuggestionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUGGESTION_KIND_UNSPECIFIED: _ClassVar[SuggestionKind]
    SUGGESTION_KIND_SERVICE: _ClassVar[SuggestionKind]
    SUGGESTION_KIND_COMPONENT: _ClassVar[SuggestionKind]
    SUGGESTION_KIND_SHARED: _ClassVar[SuggestionKind]
    SUGGESTION_KIND_PORT: _ClassVar[SuggestionKind]
    SUGGESTION_KIND_SERVER: _ClassVar[SuggestionKind]

class FindingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_KIND_UNSPECIFIED: _ClassVar[FindingKind]
    FINDING_KIND_NEVER_SEEN: _ClassVar[FindingKind]
    FINDING_KIND_UNDECLARED: _ClassVar[FindingKind]
    FINDING_KIND_SILENT_SERVICE: _ClassVar[FindingKind]
    FINDING_KIND_SILENT_RULE: _ClassVar[FindingKind]
    FINDING_KIND_UNKNOWN_SERVER: _ClassVar[FindingKind]
    FINDING_KIND_NOT_VISIBLE: _ClassVar[FindingKind]

class WeakReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEAK_REASON_UNSPECIFIED: _ClassVar[WeakReason]
    WEAK_REASON_SINGLE_POINT: _ClassVar[WeakReason]
    WEAK_REASON_UNWATCHED: _ClassVar[WeakReason]
    WEAK_REASON_FREQUENT_CAUSE: _ClassVar[WeakReason]
    WEAK_REASON_IMPORTANT: _ClassVar[WeakReason]
SUGGESTION_KIND_UNSPECIFIED: SuggestionKind
SUGGESTION_KIND_SERVICE: SuggestionKind
SUGGESTION_KIND_COMPONENT: SuggestionKind
SUGGESTION_KIND_SHARED: SuggestionKind
SUGGESTION_KIND_PORT: SuggestionKind
SUGGESTION_KIND_SERVER: SuggestionKind
FINDING_KIND_UNSPECIFIED: FindingKind
FINDING_KIND_NEVER_SEEN: FindingKind
FINDING_KIND_UNDECLARED: FindingKind
FINDING_KIND_SILENT_SERVICE: FindingKind
FINDING_KIND_SILENT_RULE: FindingKind
FINDING_KIND_UNKNOWN_SERVER: FindingKind
FINDING_KIND_NOT_VISIBLE: FindingKind
WEAK_REASON_UNSPECIFIED: WeakReason
WEAK_REASON_SINGLE_POINT: WeakReason
WEAK_REASON_UNWATCHED: WeakReason
WEAK_REASON_FREQUENT_CAUSE: WeakReason
WEAK_REASON_IMPORTANT: WeakReason

class SuggestRequest(_message.Message):
    __slots__ = ("since_seconds",)
    SINCE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    since_seconds: int
    def __init__(self, since_seconds: _Optional[int] = ...) -> None: ...

class ServiceSuggestion(_message.Message):
    __slots__ = ("id", "name", "kind", "node_kind", "extends", "servers", "protocol", "ports", "clients", "users", "regions", "flows", "octets", "first_seen_at", "last_seen_at", "criticality", "confidence", "needs", "evidence")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NODE_KIND_FIELD_NUMBER: _ClassVar[int]
    EXTENDS_FIELD_NUMBER: _ClassVar[int]
    SERVERS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    CRITICALITY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    kind: SuggestionKind
    node_kind: _graph_pb2.NodeKind
    extends: str
    servers: _containers.RepeatedScalarFieldContainer[str]
    protocol: int
    ports: _containers.RepeatedScalarFieldContainer[str]
    clients: int
    users: int
    regions: _containers.RepeatedScalarFieldContainer[str]
    flows: int
    octets: int
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    criticality: _graph_pb2.Criticality
    confidence: float
    needs: _containers.RepeatedScalarFieldContainer[str]
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[SuggestionKind, str]] = ..., node_kind: _Optional[_Union[_graph_pb2.NodeKind, str]] = ..., extends: _Optional[str] = ..., servers: _Optional[_Iterable[str]] = ..., protocol: _Optional[int] = ..., ports: _Optional[_Iterable[str]] = ..., clients: _Optional[int] = ..., users: _Optional[int] = ..., regions: _Optional[_Iterable[str]] = ..., flows: _Optional[int] = ..., octets: _Optional[int] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., criticality: _Optional[_Union[_graph_pb2.Criticality, str]] = ..., confidence: _Optional[float] = ..., needs: _Optional[_Iterable[str]] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class DependencySuggestion(_message.Message):
    __slots__ = ("from_id", "to_id", "from_known", "to_known", "kind", "protocol", "ports", "flows", "octets", "background", "correlation", "coverage", "bins", "confidence", "evidence")
    FROM_ID_FIELD_NUMBER: _ClassVar[int]
    TO_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_KNOWN_FIELD_NUMBER: _ClassVar[int]
    TO_KNOWN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    from_id: str
    to_id: str
    from_known: bool
    to_known: bool
    kind: _graph_pb2.NodeKind
    protocol: int
    ports: _containers.RepeatedScalarFieldContainer[str]
    flows: int
    octets: int
    background: bool
    correlation: float
    coverage: float
    bins: int
    confidence: float
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, from_id: _Optional[str] = ..., to_id: _Optional[str] = ..., from_known: _Optional[bool] = ..., to_known: _Optional[bool] = ..., kind: _Optional[_Union[_graph_pb2.NodeKind, str]] = ..., protocol: _Optional[int] = ..., ports: _Optional[_Iterable[str]] = ..., flows: _Optional[int] = ..., octets: _Optional[int] = ..., background: _Optional[bool] = ..., correlation: _Optional[float] = ..., coverage: _Optional[float] = ..., bins: _Optional[int] = ..., confidence: _Optional[float] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class Suggestions(_message.Message):
    __slots__ = ("from_at", "to_at", "conversations", "records", "truncated", "left_out", "services", "dependencies", "patch")
    class LeftOutEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    FROM_AT_FIELD_NUMBER: _ClassVar[int]
    TO_AT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    from_at: _timestamp_pb2.Timestamp
    to_at: _timestamp_pb2.Timestamp
    conversations: int
    records: int
    truncated: bool
    left_out: _containers.ScalarMap[str, int]
    services: _containers.RepeatedCompositeFieldContainer[ServiceSuggestion]
    dependencies: _containers.RepeatedCompositeFieldContainer[DependencySuggestion]
    patch: str
    def __init__(self, from_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conversations: _Optional[int] = ..., records: _Optional[int] = ..., truncated: _Optional[bool] = ..., left_out: _Optional[_Mapping[str, int]] = ..., services: _Optional[_Iterable[_Union[ServiceSuggestion, _Mapping]]] = ..., dependencies: _Optional[_Iterable[_Union[DependencySuggestion, _Mapping]]] = ..., patch: _Optional[str] = ...) -> None: ...

class EdgeFinding(_message.Message):
    __slots__ = ("kind", "from_id", "to_id", "protocol", "ports", "clients", "flows", "octets", "last_seen_at", "confidence", "text")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_ID_FIELD_NUMBER: _ClassVar[int]
    TO_ID_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    from_id: str
    to_id: str
    protocol: int
    ports: _containers.RepeatedScalarFieldContainer[str]
    clients: int
    flows: int
    octets: int
    last_seen_at: _timestamp_pb2.Timestamp
    confidence: float
    text: str
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., from_id: _Optional[str] = ..., to_id: _Optional[str] = ..., protocol: _Optional[int] = ..., ports: _Optional[_Iterable[str]] = ..., clients: _Optional[int] = ..., flows: _Optional[int] = ..., octets: _Optional[int] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confidence: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class ModelComparison(_message.Message):
    __slots__ = ("from_at", "to_at", "conversations", "truncated", "declared_edges", "visible_edges", "seen_edges", "findings", "caveat")
    FROM_AT_FIELD_NUMBER: _ClassVar[int]
    TO_AT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    DECLARED_EDGES_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_EDGES_FIELD_NUMBER: _ClassVar[int]
    SEEN_EDGES_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    CAVEAT_FIELD_NUMBER: _ClassVar[int]
    from_at: _timestamp_pb2.Timestamp
    to_at: _timestamp_pb2.Timestamp
    conversations: int
    truncated: bool
    declared_edges: int
    visible_edges: int
    seen_edges: int
    findings: _containers.RepeatedCompositeFieldContainer[EdgeFinding]
    caveat: str
    def __init__(self, from_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conversations: _Optional[int] = ..., truncated: _Optional[bool] = ..., declared_edges: _Optional[int] = ..., visible_edges: _Optional[int] = ..., seen_edges: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[EdgeFinding, _Mapping]]] = ..., caveat: _Optional[str] = ...) -> None: ...

class WeakSpot(_message.Message):
    __slots__ = ("node", "kind", "name", "reasons", "businesses", "users", "score", "servers", "checks", "verdicts", "diagnosis_seconds", "text")
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SERVERS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSIS_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    node: str
    kind: _graph_pb2.NodeKind
    name: str
    reasons: _containers.RepeatedScalarFieldContainer[WeakReason]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    users: int
    score: float
    servers: _containers.RepeatedScalarFieldContainer[str]
    checks: int
    verdicts: int
    diagnosis_seconds: float
    text: str
    def __init__(self, node: _Optional[str] = ..., kind: _Optional[_Union[_graph_pb2.NodeKind, str]] = ..., name: _Optional[str] = ..., reasons: _Optional[_Iterable[_Union[WeakReason, str]]] = ..., businesses: _Optional[_Iterable[str]] = ..., users: _Optional[int] = ..., score: _Optional[float] = ..., servers: _Optional[_Iterable[str]] = ..., checks: _Optional[int] = ..., verdicts: _Optional[int] = ..., diagnosis_seconds: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class SuggestResponse(_message.Message):
    __slots__ = ("suggestions",)
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    suggestions: Suggestions
    def __init__(self, suggestions: _Optional[_Union[Suggestions, _Mapping]] = ...) -> None: ...

class CompareModelRequest(_message.Message):
    __slots__ = ("since_seconds",)
    SINCE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    since_seconds: int
    def __init__(self, since_seconds: _Optional[int] = ...) -> None: ...

class CompareModelResponse(_message.Message):
    __slots__ = ("comparison",)
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    comparison: ModelComparison
    def __init__(self, comparison: _Optional[_Union[ModelComparison, _Mapping]] = ...) -> None: ...

class ListWeakSpotsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListWeakSpotsResponse(_message.Message):
    __slots__ = ("spots", "more")
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    spots: _containers.RepeatedCompositeFieldContainer[WeakSpot]
    more: bool
    def __init__(self, spots: _Optional[_Iterable[_Union[WeakSpot, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

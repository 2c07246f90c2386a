import datetime

from btimd.api.pb import graph_pb2 as _graph_pb2
from btimd.api.pb import views_pb2 as _views_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegionLoss(_message.Message):
    __slots__ = ("region", "users", "lost", "cut_off")
    REGION_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    CUT_OFF_FIELD_NUMBER: _ClassVar[int]
    region: str
    users: int
    lost: int
    cut_off: bool
    def __init__(self, region: _Optional[str] = ..., users: _Optional[int] = ..., lost: _Optional[int] = ..., cut_off: _Optional[bool] = ...) -> None: ...

class BusinessOutage(_message.Message):
    __slots__ = ("business", "name", "criticality", "state", "before", "reason", "users", "users_lost", "way", "regions", "budget_seconds", "breach_at")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CRITICALITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    USERS_LOST_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BREACH_AT_FIELD_NUMBER: _ClassVar[int]
    business: str
    name: str
    criticality: _graph_pb2.Criticality
    state: _views_pb2.ViewState
    before: _views_pb2.ViewState
    reason: str
    users: int
    users_lost: int
    way: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedCompositeFieldContainer[RegionLoss]
    budget_seconds: float
    breach_at: _timestamp_pb2.Timestamp
    def __init__(self, business: _Optional[str] = ..., name: _Optional[str] = ..., criticality: _Optional[_Union[_graph_pb2.Criticality, str]] = ..., state: _Optional[_Union[_views_pb2.ViewState, str]] = ..., before: _Optional[_Union[_views_pb2.ViewState, str]] = ..., reason: _Optional[str] = ..., users: _Optional[int] = ..., users_lost: _Optional[int] = ..., way: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[_Union[RegionLoss, _Mapping]]] = ..., budget_seconds: _Optional[float] = ..., breach_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Redundancy(_message.Message):
    __slots__ = ("node", "name", "state", "text", "businesses", "next_to_fail")
    NODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    NEXT_TO_FAIL_FIELD_NUMBER: _ClassVar[int]
    node: str
    name: str
    state: _views_pb2.ViewState
    text: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    next_to_fail: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, node: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[_views_pb2.ViewState, str]] = ..., text: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., next_to_fail: _Optional[_Iterable[str]] = ...) -> None: ...

class OutageImpact(_message.Message):
    __slots__ = ("nodes", "already", "at", "businesses", "untouched", "regions", "users", "users_lost", "users_exact", "redundancy", "notes")
    NODES_FIELD_NUMBER: _ClassVar[int]
    ALREADY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    UNTOUCHED_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    USERS_LOST_FIELD_NUMBER: _ClassVar[int]
    USERS_EXACT_FIELD_NUMBER: _ClassVar[int]
    REDUNDANCY_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    already: _containers.RepeatedScalarFieldContainer[str]
    at: _timestamp_pb2.Timestamp
    businesses: _containers.RepeatedCompositeFieldContainer[BusinessOutage]
    untouched: int
    regions: _containers.RepeatedCompositeFieldContainer[RegionLoss]
    users: int
    users_lost: int
    users_exact: bool
    redundancy: _containers.RepeatedCompositeFieldContainer[Redundancy]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, nodes: _Optional[_Iterable[str]] = ..., already: _Optional[_Iterable[str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., businesses: _Optional[_Iterable[_Union[BusinessOutage, _Mapping]]] = ..., untouched: _Optional[int] = ..., regions: _Optional[_Iterable[_Union[RegionLoss, _Mapping]]] = ..., users: _Optional[int] = ..., users_lost: _Optional[int] = ..., users_exact: _Optional[bool] = ..., redundancy: _Optional[_Iterable[_Union[Redundancy, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class OpenCause(_message.Message):
    __slots__ = ("node", "verdict_id", "confidence", "incident_id")
    NODE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    node: str
    verdict_id: str
    confidence: float
    incident_id: str
    def __init__(self, node: _Optional[str] = ..., verdict_id: _Optional[str] = ..., confidence: _Optional[float] = ..., incident_id: _Optional[str] = ...) -> None: ...

class RestoringStep(_message.Message):
    __slots__ = ("rank", "cause", "name", "kind", "users", "businesses", "better", "after", "waits_for", "text")
    RANK_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    BETTER_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    rank: int
    cause: OpenCause
    name: str
    kind: _graph_pb2.NodeKind
    users: int
    businesses: _containers.RepeatedScalarFieldContainer[str]
    better: _containers.RepeatedScalarFieldContainer[str]
    after: _containers.RepeatedScalarFieldContainer[str]
    waits_for: _containers.RepeatedScalarFieldContainer[str]
    text: str
    def __init__(self, rank: _Optional[int] = ..., cause: _Optional[_Union[OpenCause, _Mapping]] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[_graph_pb2.NodeKind, str]] = ..., users: _Optional[int] = ..., businesses: _Optional[_Iterable[str]] = ..., better: _Optional[_Iterable[str]] = ..., after: _Optional[_Iterable[str]] = ..., waits_for: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ...) -> None: ...

class RestoringOrder(_message.Message):
    __slots__ = ("at", "steps", "users_lost", "users_exact", "notes")
    AT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    USERS_LOST_FIELD_NUMBER: _ClassVar[int]
    USERS_EXACT_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    steps: _containers.RepeatedCompositeFieldContainer[RestoringStep]
    users_lost: int
    users_exact: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[RestoringStep, _Mapping]]] = ..., users_lost: _Optional[int] = ..., users_exact: _Optional[bool] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class GrownNeed(_message.Message):
    __slots__ = ("node", "need", "provenance", "confidence", "since", "seen_at", "count", "in_force", "remark")
    NODE_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    REMARK_FIELD_NUMBER: _ClassVar[int]
    node: str
    need: str
    provenance: _graph_pb2.Provenance
    confidence: float
    since: _timestamp_pb2.Timestamp
    seen_at: _timestamp_pb2.Timestamp
    count: int
    in_force: bool
    remark: str
    def __init__(self, node: _Optional[str] = ..., need: _Optional[str] = ..., provenance: _Optional[_Union[_graph_pb2.Provenance, str]] = ..., confidence: _Optional[float] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ..., in_force: _Optional[bool] = ..., remark: _Optional[str] = ...) -> None: ...

class SimulateOutageRequest(_message.Message):
    __slots__ = ("nodes",)
    NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class SimulateOutageResponse(_message.Message):
    __slots__ = ("impact",)
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    impact: OutageImpact
    def __init__(self, impact: _Optional[_Union[OutageImpact, _Mapping]] = ...) -> None: ...

class GetRestoringOrderRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetRestoringOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: RestoringOrder
    def __init__(self, order: _Optional[_Union[RestoringOrder, _Mapping]] = ...) -> None: ...

class ListGrownNeedsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListGrownNeedsResponse(_message.Message):
    __slots__ = ("needs", "more")
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    needs: _containers.RepeatedCompositeFieldContainer[GrownNeed]
    more: bool
    def __init__(self, needs: _Optional[_Iterable[_Union[GrownNeed, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

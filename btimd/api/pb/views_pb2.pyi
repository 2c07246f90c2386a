import datetime

from btimd.api.pb import graph_pb2 as _graph_pb2
from btimd.api.pb import sla_pb2 as _sla_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ViewState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEW_STATE_UNSPECIFIED: _ClassVar[ViewState]
    VIEW_STATE_GOOD: _ClassVar[ViewState]
    VIEW_STATE_DEGRADED: _ClassVar[ViewState]
    VIEW_STATE_BAD: _ClassVar[ViewState]
    VIEW_STATE_UNKNOWN: _ClassVar[ViewState]
VIEW_STATE_UNSPECIFIED: ViewState
VIEW_STATE_GOOD: ViewState
VIEW_STATE_DEGRADED: ViewState
VIEW_STATE_BAD: ViewState
VIEW_STATE_UNKNOWN: ViewState

class Figure(_message.Message):
    __slots__ = ("name", "value", "unit", "state", "note")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    unit: str
    state: ViewState
    note: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., state: _Optional[_Union[ViewState, str]] = ..., note: _Optional[str] = ...) -> None: ...

class IndicatorState(_message.Message):
    __slots__ = ("id", "name", "expression", "state", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    expression: str
    state: ViewState
    text: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., expression: _Optional[str] = ..., state: _Optional[_Union[ViewState, str]] = ..., text: _Optional[str] = ...) -> None: ...

class RegionUse(_message.Message):
    __slots__ = ("region", "users_active", "users_idle", "octets_per_second")
    REGION_FIELD_NUMBER: _ClassVar[int]
    USERS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    USERS_IDLE_FIELD_NUMBER: _ClassVar[int]
    OCTETS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    region: str
    users_active: int
    users_idle: int
    octets_per_second: float
    def __init__(self, region: _Optional[str] = ..., users_active: _Optional[int] = ..., users_idle: _Optional[int] = ..., octets_per_second: _Optional[float] = ...) -> None: ...

class LayerState(_message.Message):
    __slots__ = ("layer", "state", "nodes")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    layer: str
    state: ViewState
    nodes: _containers.RepeatedCompositeFieldContainer[_graph_pb2.NodeState]
    def __init__(self, layer: _Optional[str] = ..., state: _Optional[_Union[ViewState, str]] = ..., nodes: _Optional[_Iterable[_Union[_graph_pb2.NodeState, _Mapping]]] = ...) -> None: ...

class ServiceView(_message.Message):
    __slots__ = ("business", "name", "name_zh", "criticality", "owner", "groups", "state", "colour", "shape", "reasons", "at", "figures", "regions", "layers", "bottleneck", "indicators", "deviations", "incidents", "sla")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    CRITICALITY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    BOTTLENECK_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    SLA_FIELD_NUMBER: _ClassVar[int]
    business: str
    name: str
    name_zh: str
    criticality: _graph_pb2.Criticality
    owner: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    state: ViewState
    colour: str
    shape: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    at: _timestamp_pb2.Timestamp
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    regions: _containers.RepeatedCompositeFieldContainer[RegionUse]
    layers: _containers.RepeatedCompositeFieldContainer[LayerState]
    bottleneck: str
    indicators: _containers.RepeatedCompositeFieldContainer[IndicatorState]
    deviations: _containers.RepeatedScalarFieldContainer[str]
    incidents: _containers.RepeatedScalarFieldContainer[str]
    sla: _sla_pb2.SlaState
    def __init__(self, business: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., criticality: _Optional[_Union[_graph_pb2.Criticality, str]] = ..., owner: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[ViewState, str]] = ..., colour: _Optional[str] = ..., shape: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping]]] = ..., regions: _Optional[_Iterable[_Union[RegionUse, _Mapping]]] = ..., layers: _Optional[_Iterable[_Union[LayerState, _Mapping]]] = ..., bottleneck: _Optional[str] = ..., indicators: _Optional[_Iterable[_Union[IndicatorState, _Mapping]]] = ..., deviations: _Optional[_Iterable[str]] = ..., incidents: _Optional[_Iterable[str]] = ..., sla: _Optional[_Union[_sla_pb2.SlaState, _Mapping]] = ...) -> None: ...

class GroupView(_message.Message):
    __slots__ = ("group", "name", "name_zh", "rollup", "members", "state", "colour", "shape", "reasons")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    group: str
    name: str
    name_zh: str
    rollup: _graph_pb2.Rollup
    members: _containers.RepeatedScalarFieldContainer[str]
    state: ViewState
    colour: str
    shape: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., rollup: _Optional[_Union[_graph_pb2.Rollup, str]] = ..., members: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[ViewState, str]] = ..., colour: _Optional[str] = ..., shape: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class GetServiceViewRequest(_message.Message):
    __slots__ = ("business",)
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    business: str
    def __init__(self, business: _Optional[str] = ...) -> None: ...

class GetServiceViewResponse(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: ServiceView
    def __init__(self, view: _Optional[_Union[ServiceView, _Mapping]] = ...) -> None: ...

class ListServiceViewsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListServiceViewsResponse(_message.Message):
    __slots__ = ("views", "groups")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[ServiceView]
    groups: _containers.RepeatedCompositeFieldContainer[GroupView]
    def __init__(self, views: _Optional[_Iterable[_Union[ServiceView, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[GroupView, _Mapping]]] = ...) -> None: ...

class WatchServiceViewsRequest(_message.Message):
    __slots__ = ("business",)
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    business: str
    def __init__(self, business: _Optional[str] = ...) -> None: ...

class WatchServiceViewsResponse(_message.Message):
    __slots__ = ("views", "snapshot")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[ServiceView]
    snapshot: bool
    def __init__(self, views: _Optional[_Iterable[_Union[ServiceView, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class BusinessMetric(_message.Message):
    __slots__ = ("business", "name", "value", "unit", "at", "valid_seconds")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    VALID_SECONDS_FIELD_NUMBER: _ClassVar[int]
    business: str
    name: str
    value: float
    unit: str
    at: _timestamp_pb2.Timestamp
    valid_seconds: float
    def __init__(self, business: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_seconds: _Optional[float] = ...) -> None: ...

class PushBusinessMetricsRequest(_message.Message):
    __slots__ = ("metrics",)
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[BusinessMetric]
    def __init__(self, metrics: _Optional[_Iterable[_Union[BusinessMetric, _Mapping]]] = ...) -> None: ...

class PushBusinessMetricsResponse(_message.Message):
    __slots__ = ("taken",)
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    taken: int
    def __init__(self, taken: _Optional[int] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Availability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AVAILABILITY_UNSPECIFIED: _ClassVar[Availability]
    AVAILABILITY_UP: _ClassVar[Availability]
    AVAILABILITY_DOWN: _ClassVar[Availability]
    AVAILABILITY_UNKNOWN: _ClassVar[Availability]

class SlaStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SLA_STATUS_UNSPECIFIED: _ClassVar[SlaStatus]
    SLA_STATUS_MET: _ClassVar[SlaStatus]
    SLA_STATUS_AT_RISK: _ClassVar[SlaStatus]
    SLA_STATUS_BREACHED: _ClassVar[SlaStatus]
    SLA_STATUS_UNMEASURED: _ClassVar[SlaStatus]
AVAILABILITY_UNSPECIFIED: Availability
AVAILABILITY_UP: Availability
AVAILABILITY_DOWN: Availability
AVAILABILITY_UNKNOWN: Availability
SLA_STATUS_UNSPECIFIED: SlaStatus
SLA_STATUS_MET: SlaStatus
SLA_STATUS_AT_RISK: SlaStatus
SLA_STATUS_BREACHED: SlaStatus
SLA_STATUS_UNMEASURED: SlaStatus

class SlaTarget(_message.Message):
    __slots__ = ("business", "availability_percent")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    business: str
    availability_percent: float
    def __init__(self, business: _Optional[str] = ..., availability_percent: _Optional[float] = ...) -> None: ...

class Outage(_message.Message):
    __slots__ = ("business", "began_at", "ended_at", "cause", "incident_id")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    BEGAN_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    business: str
    began_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    cause: str
    incident_id: str
    def __init__(self, business: _Optional[str] = ..., began_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[str] = ..., incident_id: _Optional[str] = ...) -> None: ...

class SlaQuality(_message.Message):
    __slots__ = ("coverage_ratio",)
    COVERAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    coverage_ratio: float
    def __init__(self, coverage_ratio: _Optional[float] = ...) -> None: ...

class SlaState(_message.Message):
    __slots__ = ("target", "period_start", "period_end", "at", "current", "up_seconds", "down_seconds", "unknown_seconds", "availability_ratio", "quality", "error_budget_seconds", "burn_ratio", "status", "outages")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    UP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_RATIO_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    ERROR_BUDGET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BURN_RATIO_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTAGES_FIELD_NUMBER: _ClassVar[int]
    target: SlaTarget
    period_start: _timestamp_pb2.Timestamp
    period_end: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    current: Availability
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    availability_ratio: float
    quality: SlaQuality
    error_budget_seconds: float
    burn_ratio: float
    status: SlaStatus
    outages: _containers.RepeatedCompositeFieldContainer[Outage]
    def __init__(self, target: _Optional[_Union[SlaTarget, _Mapping]] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., period_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., current: _Optional[_Union[Availability, str]] = ..., up_seconds: _Optional[float] = ..., down_seconds: _Optional[float] = ..., unknown_seconds: _Optional[float] = ..., availability_ratio: _Optional[float] = ..., quality: _Optional[_Union[SlaQuality, _Mapping]] = ..., error_budget_seconds: _Optional[float] = ..., burn_ratio: _Optional[float] = ..., status: _Optional[_Union[SlaStatus, str]] = ..., outages: _Optional[_Iterable[_Union[Outage, _Mapping]]] = ...) -> None: ...

class ListSlaStatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSlaStatesResponse(_message.Message):
    __slots__ = ("states",)
    STATES_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedCompositeFieldContainer[SlaState]
    def __init__(self, states: _Optional[_Iterable[_Union[SlaState, _Mapping]]] = ...) -> None: ...

class WatchSlaStatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchSlaStatesResponse(_message.Message):
    __slots__ = ("states", "snapshot")
    STATES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedCompositeFieldContainer[SlaState]
    snapshot: bool
    def __init__(self, states: _Optional[_Iterable[_Union[SlaState, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

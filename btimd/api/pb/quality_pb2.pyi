import datetime

from btimd.api.pb import incidents_pb2 as _incidents_pb2
from btimd.api.pb import surveys_pb2 as _surveys_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FigureGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIGURE_GROUP_UNSPECIFIED: _ClassVar[FigureGroup]
    FIGURE_GROUP_BUSINESS: _ClassVar[FigureGroup]
    FIGURE_GROUP_GROUP: _ClassVar[FigureGroup]
    FIGURE_GROUP_PERSON: _ClassVar[FigureGroup]
    FIGURE_GROUP_CLASS: _ClassVar[FigureGroup]
    FIGURE_GROUP_NODE: _ClassVar[FigureGroup]
    FIGURE_GROUP_PRIORITY: _ClassVar[FigureGroup]
FIGURE_GROUP_UNSPECIFIED: FigureGroup
FIGURE_GROUP_BUSINESS: FigureGroup
FIGURE_GROUP_GROUP: FigureGroup
FIGURE_GROUP_PERSON: FigureGroup
FIGURE_GROUP_CLASS: FigureGroup
FIGURE_GROUP_NODE: FigureGroup
FIGURE_GROUP_PRIORITY: FigureGroup

class FigureQuery(_message.Message):
    __slots__ = ("start", "end", "business", "group", "person", "category", "node")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    business: str
    group: str
    person: str
    category: str
    node: str
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business: _Optional[str] = ..., group: _Optional[str] = ..., person: _Optional[str] = ..., category: _Optional[str] = ..., node: _Optional[str] = ...) -> None: ...

class FigureCoverage(_message.Message):
    __slots__ = ("incidents", "unread", "left_out", "known_since", "surveys_known")
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_SINCE_FIELD_NUMBER: _ClassVar[int]
    SURVEYS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    incidents: int
    unread: int
    left_out: int
    known_since: _timestamp_pb2.Timestamp
    surveys_known: bool
    def __init__(self, incidents: _Optional[int] = ..., unread: _Optional[int] = ..., left_out: _Optional[int] = ..., known_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., surveys_known: _Optional[bool] = ...) -> None: ...

class WorkShare(_message.Message):
    __slots__ = ("good", "of", "undecided")
    GOOD_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    UNDECIDED_FIELD_NUMBER: _ClassVar[int]
    good: int
    of: int
    undecided: int
    def __init__(self, good: _Optional[int] = ..., of: _Optional[int] = ..., undecided: _Optional[int] = ...) -> None: ...

class WorkDurations(_message.Message):
    __slots__ = ("count", "unmeasured", "mean", "p50", "p90")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    UNMEASURED_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P90_FIELD_NUMBER: _ClassVar[int]
    count: int
    unmeasured: int
    mean: float
    p50: float
    p90: float
    def __init__(self, count: _Optional[int] = ..., unmeasured: _Optional[int] = ..., mean: _Optional[float] = ..., p50: _Optional[float] = ..., p90: _Optional[float] = ...) -> None: ...

class WorkWaiting(_message.Message):
    __slots__ = ("count", "longest")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LONGEST_FIELD_NUMBER: _ClassVar[int]
    count: int
    longest: float
    def __init__(self, count: _Optional[int] = ..., longest: _Optional[float] = ...) -> None: ...

class PriorityCount(_message.Message):
    __slots__ = ("priority", "opened")
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    priority: _incidents_pb2.Priority
    opened: int
    def __init__(self, priority: _Optional[_Union[_incidents_pb2.Priority, str]] = ..., opened: _Optional[int] = ...) -> None: ...

class PersonFigures(_message.Message):
    __slots__ = ("person", "orders", "accepted", "resolved", "effort_minutes", "effort_unknown")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    EFFORT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    EFFORT_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    person: str
    orders: int
    accepted: int
    resolved: int
    effort_minutes: int
    effort_unknown: int
    def __init__(self, person: _Optional[str] = ..., orders: _Optional[int] = ..., accepted: _Optional[int] = ..., resolved: _Optional[int] = ..., effort_minutes: _Optional[int] = ..., effort_unknown: _Optional[int] = ...) -> None: ...

class ClassFigures(_message.Message):
    __slots__ = ("category", "opened", "resolved", "orders", "effort_minutes", "effort_unknown", "standard_minutes")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    EFFORT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    EFFORT_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    STANDARD_MINUTES_FIELD_NUMBER: _ClassVar[int]
    category: str
    opened: int
    resolved: int
    orders: int
    effort_minutes: int
    effort_unknown: int
    standard_minutes: float
    def __init__(self, category: _Optional[str] = ..., opened: _Optional[int] = ..., resolved: _Optional[int] = ..., orders: _Optional[int] = ..., effort_minutes: _Optional[int] = ..., effort_unknown: _Optional[int] = ..., standard_minutes: _Optional[float] = ...) -> None: ...

class CauseFigures(_message.Message):
    __slots__ = ("cause", "incidents", "share", "worst", "seconds")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    cause: str
    incidents: int
    share: float
    worst: _incidents_pb2.Priority
    seconds: float
    def __init__(self, cause: _Optional[str] = ..., incidents: _Optional[int] = ..., share: _Optional[float] = ..., worst: _Optional[_Union[_incidents_pb2.Priority, str]] = ..., seconds: _Optional[float] = ...) -> None: ...

class WorkFigures(_message.Message):
    __slots__ = ("start", "end", "opened", "resolved", "closed", "cancelled", "merged", "self_cleared", "reopened", "orders", "by_priority", "first_time_fix", "first_dispatch", "satisfaction", "response", "response_business", "resolution", "resolution_business", "detection", "cause", "restoration", "waiting_response", "waiting_resolution", "people", "classes", "causes")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    SELF_CLEARED_FIELD_NUMBER: _ClassVar[int]
    REOPENED_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    BY_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIX_FIELD_NUMBER: _ClassVar[int]
    FIRST_DISPATCH_FIELD_NUMBER: _ClassVar[int]
    SATISFACTION_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_BUSINESS_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_BUSINESS_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    RESTORATION_FIELD_NUMBER: _ClassVar[int]
    WAITING_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    WAITING_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    opened: int
    resolved: int
    closed: int
    cancelled: int
    merged: int
    self_cleared: int
    reopened: int
    orders: int
    by_priority: _containers.RepeatedCompositeFieldContainer[PriorityCount]
    first_time_fix: WorkShare
    first_dispatch: WorkShare
    satisfaction: _surveys_pb2.SurveyFigures
    response: WorkDurations
    response_business: WorkDurations
    resolution: WorkDurations
    resolution_business: WorkDurations
    detection: WorkDurations
    cause: WorkDurations
    restoration: WorkDurations
    waiting_response: WorkWaiting
    waiting_resolution: WorkWaiting
    people: _containers.RepeatedCompositeFieldContainer[PersonFigures]
    classes: _containers.RepeatedCompositeFieldContainer[ClassFigures]
    causes: _containers.RepeatedCompositeFieldContainer[CauseFigures]
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opened: _Optional[int] = ..., resolved: _Optional[int] = ..., closed: _Optional[int] = ..., cancelled: _Optional[int] = ..., merged: _Optional[int] = ..., self_cleared: _Optional[int] = ..., reopened: _Optional[int] = ..., orders: _Optional[int] = ..., by_priority: _Optional[_Iterable[_Union[PriorityCount, _Mapping]]] = ..., first_time_fix: _Optional[_Union[WorkShare, _Mapping]] = ..., first_dispatch: _Optional[_Union[WorkShare, _Mapping]] = ..., satisfaction: _Optional[_Union[_surveys_pb2.SurveyFigures, _Mapping]] = ..., response: _Optional[_Union[WorkDurations, _Mapping]] = ..., response_business: _Optional[_Union[WorkDurations, _Mapping]] = ..., resolution: _Optional[_Union[WorkDurations, _Mapping]] = ..., resolution_business: _Optional[_Union[WorkDurations, _Mapping]] = ..., detection: _Optional[_Union[WorkDurations, _Mapping]] = ..., cause: _Optional[_Union[WorkDurations, _Mapping]] = ..., restoration: _Optional[_Union[WorkDurations, _Mapping]] = ..., waiting_response: _Optional[_Union[WorkWaiting, _Mapping]] = ..., waiting_resolution: _Optional[_Union[WorkWaiting, _Mapping]] = ..., people: _Optional[_Iterable[_Union[PersonFigures, _Mapping]]] = ..., classes: _Optional[_Iterable[_Union[ClassFigures, _Mapping]]] = ..., causes: _Optional[_Iterable[_Union[CauseFigures, _Mapping]]] = ...) -> None: ...

class GetWorkFiguresRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: FigureQuery
    def __init__(self, query: _Optional[_Union[FigureQuery, _Mapping]] = ...) -> None: ...

class GetWorkFiguresResponse(_message.Message):
    __slots__ = ("figures", "coverage")
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    figures: WorkFigures
    coverage: FigureCoverage
    def __init__(self, figures: _Optional[_Union[WorkFigures, _Mapping]] = ..., coverage: _Optional[_Union[FigureCoverage, _Mapping]] = ...) -> None: ...

class ListGroupFiguresRequest(_message.Message):
    __slots__ = ("query", "by", "limit")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    query: FigureQuery
    by: FigureGroup
    limit: int
    def __init__(self, query: _Optional[_Union[FigureQuery, _Mapping]] = ..., by: _Optional[_Union[FigureGroup, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class GroupFigures(_message.Message):
    __slots__ = ("name", "figures")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    figures: WorkFigures
    def __init__(self, name: _Optional[str] = ..., figures: _Optional[_Union[WorkFigures, _Mapping]] = ...) -> None: ...

class ListGroupFiguresResponse(_message.Message):
    __slots__ = ("groups", "coverage", "more")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[GroupFigures]
    coverage: FigureCoverage
    more: bool
    def __init__(self, groups: _Optional[_Iterable[_Union[GroupFigures, _Mapping]]] = ..., coverage: _Optional[_Union[FigureCoverage, _Mapping]] = ..., more: _Optional[bool] = ...) -> None: ...

class TrendForecast(_message.Message):
    __slots__ = ("expected", "low", "high")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    expected: float
    low: float
    high: float
    def __init__(self, expected: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class TrendSeries(_message.Message):
    __slots__ = ("group", "counts", "forecast")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    FORECAST_FIELD_NUMBER: _ClassVar[int]
    group: str
    counts: _containers.RepeatedScalarFieldContainer[int]
    forecast: _containers.RepeatedCompositeFieldContainer[TrendForecast]
    def __init__(self, group: _Optional[str] = ..., counts: _Optional[_Iterable[int]] = ..., forecast: _Optional[_Iterable[_Union[TrendForecast, _Mapping]]] = ...) -> None: ...

class GetIncidentTrendRequest(_message.Message):
    __slots__ = ("query", "by", "bucket_seconds", "ahead")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    BUCKET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    query: FigureQuery
    by: FigureGroup
    bucket_seconds: int
    ahead: int
    def __init__(self, query: _Optional[_Union[FigureQuery, _Mapping]] = ..., by: _Optional[_Union[FigureGroup, str]] = ..., bucket_seconds: _Optional[int] = ..., ahead: _Optional[int] = ...) -> None: ...

class GetIncidentTrendResponse(_message.Message):
    __slots__ = ("edges", "total", "series", "coverage")
    EDGES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    edges: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    total: TrendSeries
    series: _containers.RepeatedCompositeFieldContainer[TrendSeries]
    coverage: FigureCoverage
    def __init__(self, edges: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]]] = ..., total: _Optional[_Union[TrendSeries, _Mapping]] = ..., series: _Optional[_Iterable[_Union[TrendSeries, _Mapping]]] = ..., coverage: _Optional[_Union[FigureCoverage, _Mapping]] = ...) -> None: ...

class ListReliabilityRequest(_message.Message):
    __slots__ = ("start", "end", "by", "limit")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    by: FigureGroup
    limit: int
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., by: _Optional[_Union[FigureGroup, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class Reliability(_message.Message):
    __slots__ = ("name", "start", "end", "up_seconds", "down_seconds", "unknown_seconds", "failures", "availability", "coverage", "mttr_seconds", "mtbf_seconds", "mtbsi_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    UP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    MTTR_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MTBF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MTBSI_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    failures: int
    availability: float
    coverage: float
    mttr_seconds: float
    mtbf_seconds: float
    mtbsi_seconds: float
    def __init__(self, name: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., up_seconds: _Optional[float] = ..., down_seconds: _Optional[float] = ..., unknown_seconds: _Optional[float] = ..., failures: _Optional[int] = ..., availability: _Optional[float] = ..., coverage: _Optional[float] = ..., mttr_seconds: _Optional[float] = ..., mtbf_seconds: _Optional[float] = ..., mtbsi_seconds: _Optional[float] = ...) -> None: ...

class ListReliabilityResponse(_message.Message):
    __slots__ = ("rows", "more")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[Reliability]
    more: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[Reliability, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

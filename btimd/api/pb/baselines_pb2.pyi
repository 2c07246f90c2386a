import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BaselineIndicator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BASELINE_INDICATOR_UNSPECIFIED: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_TRAFFIC: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_USERS: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_FAILURES: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_HANDSHAKE: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_RESPONSE: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_RETRANSMISSION: _ClassVar[BaselineIndicator]
    BASELINE_INDICATOR_FLOWS: _ClassVar[BaselineIndicator]

class DeviationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEVIATION_KIND_UNSPECIFIED: _ClassVar[DeviationKind]
    DEVIATION_KIND_DROP: _ClassVar[DeviationKind]
    DEVIATION_KIND_RISE: _ClassVar[DeviationKind]
    DEVIATION_KIND_SILENCE: _ClassVar[DeviationKind]
    DEVIATION_KIND_CHANGE: _ClassVar[DeviationKind]
    DEVIATION_KIND_DRIFT: _ClassVar[DeviationKind]
    DEVIATION_KIND_NO_DATA: _ClassVar[DeviationKind]

class BaselineState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BASELINE_STATE_UNSPECIFIED: _ClassVar[BaselineState]
    BASELINE_STATE_LEARNING: _ClassVar[BaselineState]
    BASELINE_STATE_USUAL: _ClassVar[BaselineState]
    BASELINE_STATE_DEVIATING: _ClassVar[BaselineState]
    BASELINE_STATE_UNKNOWN: _ClassVar[BaselineState]

class ForecastSubject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORECAST_SUBJECT_UNSPECIFIED: _ClassVar[ForecastSubject]
    FORECAST_SUBJECT_LINK: _ClassVar[ForecastSubject]
    FORECAST_SUBJECT_USERS: _ClassVar[ForecastSubject]
    FORECAST_SUBJECT_RESPONSE: _ClassVar[ForecastSubject]

class ForecastOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORECAST_OUTCOME_UNSPECIFIED: _ClassVar[ForecastOutcome]
    FORECAST_OUTCOME_CROSSES: _ClassVar[ForecastOutcome]
    FORECAST_OUTCOME_NOT_WITHIN_HORIZON: _ClassVar[ForecastOutcome]
    FORECAST_OUTCOME_ALREADY: _ClassVar[ForecastOutcome]
    FORECAST_OUTCOME_NOT_ENOUGH_HISTORY: _ClassVar[ForecastOutcome]
BASELINE_INDICATOR_UNSPECIFIED: BaselineIndicator
BASELINE_INDICATOR_TRAFFIC: BaselineIndicator
BASELINE_INDICATOR_USERS: BaselineIndicator
BASELINE_INDICATOR_FAILURES: BaselineIndicator
BASELINE_INDICATOR_HANDSHAKE: BaselineIndicator
BASELINE_INDICATOR_RESPONSE: BaselineIndicator
BASELINE_INDICATOR_RETRANSMISSION: BaselineIndicator
BASELINE_INDICATOR_FLOWS: BaselineIndicator
DEVIATION_KIND_UNSPECIFIED: DeviationKind
DEVIATION_KIND_DROP: DeviationKind
DEVIATION_KIND_RISE: DeviationKind
DEVIATION_KIND_SILENCE: DeviationKind
DEVIATION_KIND_CHANGE: DeviationKind
DEVIATION_KIND_DRIFT: DeviationKind
DEVIATION_KIND_NO_DATA: DeviationKind
BASELINE_STATE_UNSPECIFIED: BaselineState
BASELINE_STATE_LEARNING: BaselineState
BASELINE_STATE_USUAL: BaselineState
BASELINE_STATE_DEVIATING: BaselineState
BASELINE_STATE_UNKNOWN: BaselineState
FORECAST_SUBJECT_UNSPECIFIED: ForecastSubject
FORECAST_SUBJECT_LINK: ForecastSubject
FORECAST_SUBJECT_USERS: ForecastSubject
FORECAST_SUBJECT_RESPONSE: ForecastSubject
FORECAST_OUTCOME_UNSPECIFIED: ForecastOutcome
FORECAST_OUTCOME_CROSSES: ForecastOutcome
FORECAST_OUTCOME_NOT_WITHIN_HORIZON: ForecastOutcome
FORECAST_OUTCOME_ALREADY: ForecastOutcome
FORECAST_OUTCOME_NOT_ENOUGH_HISTORY: ForecastOutcome

class Deviation(_message.Message):
    __slots__ = ("id", "business", "region", "indicator", "kind", "value", "expected", "low", "high", "score", "since", "seen_at", "text", "text_zh", "regions", "cleared_at", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    CLEARED_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    business: str
    region: str
    indicator: BaselineIndicator
    kind: DeviationKind
    value: float
    expected: float
    low: float
    high: float
    score: float
    since: _timestamp_pb2.Timestamp
    seen_at: _timestamp_pb2.Timestamp
    text: str
    text_zh: str
    regions: _containers.RepeatedScalarFieldContainer[str]
    cleared_at: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, id: _Optional[str] = ..., business: _Optional[str] = ..., region: _Optional[str] = ..., indicator: _Optional[_Union[BaselineIndicator, str]] = ..., kind: _Optional[_Union[DeviationKind, str]] = ..., value: _Optional[float] = ..., expected: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., score: _Optional[float] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text: _Optional[str] = ..., text_zh: _Optional[str] = ..., regions: _Optional[_Iterable[str]] = ..., cleared_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class Baseline(_message.Message):
    __slots__ = ("business", "region", "indicator", "state", "at", "value", "expected", "low", "high", "days")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    business: str
    region: str
    indicator: BaselineIndicator
    state: BaselineState
    at: _timestamp_pb2.Timestamp
    value: float
    expected: float
    low: float
    high: float
    days: int
    def __init__(self, business: _Optional[str] = ..., region: _Optional[str] = ..., indicator: _Optional[_Union[BaselineIndicator, str]] = ..., state: _Optional[_Union[BaselineState, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., value: _Optional[float] = ..., expected: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., days: _Optional[int] = ...) -> None: ...

class BaselinePoint(_message.Message):
    __slots__ = ("time", "value", "expected", "low", "high")
    TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    value: float
    expected: float
    low: float
    high: float
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., value: _Optional[float] = ..., expected: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class ListDeviationsRequest(_message.Message):
    __slots__ = ("business", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeviationsResponse(_message.Message):
    __slots__ = ("deviations", "more")
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    deviations: _containers.RepeatedCompositeFieldContainer[Deviation]
    more: bool
    def __init__(self, deviations: _Optional[_Iterable[_Union[Deviation, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class WatchDeviationsRequest(_message.Message):
    __slots__ = ("business",)
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    business: str
    def __init__(self, business: _Optional[str] = ...) -> None: ...

class WatchDeviationsResponse(_message.Message):
    __slots__ = ("deviations", "snapshot")
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    deviations: _containers.RepeatedCompositeFieldContainer[Deviation]
    snapshot: bool
    def __init__(self, deviations: _Optional[_Iterable[_Union[Deviation, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class ListBaselinesRequest(_message.Message):
    __slots__ = ("business", "region", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    region: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., region: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListBaselinesResponse(_message.Message):
    __slots__ = ("baselines", "more")
    BASELINES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    baselines: _containers.RepeatedCompositeFieldContainer[Baseline]
    more: bool
    def __init__(self, baselines: _Optional[_Iterable[_Union[Baseline, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetBaselineRequest(_message.Message):
    __slots__ = ("business", "region", "indicator")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    business: str
    region: str
    indicator: BaselineIndicator
    def __init__(self, business: _Optional[str] = ..., region: _Optional[str] = ..., indicator: _Optional[_Union[BaselineIndicator, str]] = ...) -> None: ...

class GetBaselineResponse(_message.Message):
    __slots__ = ("points",)
    POINTS_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[BaselinePoint]
    def __init__(self, points: _Optional[_Iterable[_Union[BaselinePoint, _Mapping]]] = ...) -> None: ...

class GetForecastRequest(_message.Message):
    __slots__ = ("subject", "name", "threshold", "horizon_days")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    subject: ForecastSubject
    name: str
    threshold: float
    horizon_days: int
    def __init__(self, subject: _Optional[_Union[ForecastSubject, str]] = ..., name: _Optional[str] = ..., threshold: _Optional[float] = ..., horizon_days: _Optional[int] = ...) -> None: ...

class ForecastPoint(_message.Message):
    __slots__ = ("time", "value", "expected", "low", "high")
    TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    value: float
    expected: float
    low: float
    high: float
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., value: _Optional[float] = ..., expected: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class GetForecastResponse(_message.Message):
    __slots__ = ("ask", "outcome", "days", "level", "slope_per_day", "earliest_at", "likely_at", "latest_at", "band_ratio", "text", "points")
    ASK_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SLOPE_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_AT_FIELD_NUMBER: _ClassVar[int]
    LIKELY_AT_FIELD_NUMBER: _ClassVar[int]
    LATEST_AT_FIELD_NUMBER: _ClassVar[int]
    BAND_RATIO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    ask: GetForecastRequest
    outcome: ForecastOutcome
    days: int
    level: float
    slope_per_day: float
    earliest_at: _timestamp_pb2.Timestamp
    likely_at: _timestamp_pb2.Timestamp
    latest_at: _timestamp_pb2.Timestamp
    band_ratio: float
    text: str
    points: _containers.RepeatedCompositeFieldContainer[ForecastPoint]
    def __init__(self, ask: _Optional[_Union[GetForecastRequest, _Mapping]] = ..., outcome: _Optional[_Union[ForecastOutcome, str]] = ..., days: _Optional[int] = ..., level: _Optional[float] = ..., slope_per_day: _Optional[float] = ..., earliest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., likely_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., band_ratio: _Optional[float] = ..., text: _Optional[str] = ..., points: _Optional[_Iterable[_Union[ForecastPoint, _Mapping]]] = ...) -> None: ...

import datetime

from btimd.api.pb import sla_pb2 as _sla_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgreementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_KIND_UNSPECIFIED: _ClassVar[AgreementKind]
    AGREEMENT_KIND_SLA: _ClassVar[AgreementKind]
    AGREEMENT_KIND_OLA: _ClassVar[AgreementKind]
    AGREEMENT_KIND_UC: _ClassVar[AgreementKind]

class PeriodKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_KIND_UNSPECIFIED: _ClassVar[PeriodKind]
    PERIOD_KIND_WEEK: _ClassVar[PeriodKind]
    PERIOD_KIND_MONTH: _ClassVar[PeriodKind]
    PERIOD_KIND_QUARTER: _ClassVar[PeriodKind]
    PERIOD_KIND_YEAR: _ClassVar[PeriodKind]

class BurnWindow(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BURN_WINDOW_UNSPECIFIED: _ClassVar[BurnWindow]
    BURN_WINDOW_FAST: _ClassVar[BurnWindow]
    BURN_WINDOW_SLOW: _ClassVar[BurnWindow]
AGREEMENT_KIND_UNSPECIFIED: AgreementKind
AGREEMENT_KIND_SLA: AgreementKind
AGREEMENT_KIND_OLA: AgreementKind
AGREEMENT_KIND_UC: AgreementKind
PERIOD_KIND_UNSPECIFIED: PeriodKind
PERIOD_KIND_WEEK: PeriodKind
PERIOD_KIND_MONTH: PeriodKind
PERIOD_KIND_QUARTER: PeriodKind
PERIOD_KIND_YEAR: PeriodKind
BURN_WINDOW_UNSPECIFIED: BurnWindow
BURN_WINDOW_FAST: BurnWindow
BURN_WINDOW_SLOW: BurnWindow

class AgreementInfo(_message.Message):
    __slots__ = ("name", "kind", "title", "title_zh", "provider", "customer", "businesses", "nodes", "covered", "touches", "availability_percent", "calendar", "timezone", "period", "response", "resolve", "exclude_planned", "draft", "valid_from", "valid_until", "review_on", "notes", "adds_up")
    class ResponseEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ResolveEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    COVERED_FIELD_NUMBER: _ClassVar[int]
    TOUCHES_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_PLANNED_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    REVIEW_ON_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ADDS_UP_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: AgreementKind
    title: str
    title_zh: str
    provider: str
    customer: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    covered: int
    touches: _containers.RepeatedScalarFieldContainer[str]
    availability_percent: float
    calendar: str
    timezone: str
    period: PeriodKind
    response: _containers.ScalarMap[str, float]
    resolve: _containers.ScalarMap[str, float]
    exclude_planned: bool
    draft: bool
    valid_from: str
    valid_until: str
    review_on: str
    notes: _containers.RepeatedScalarFieldContainer[str]
    adds_up: bool
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[AgreementKind, str]] = ..., title: _Optional[str] = ..., title_zh: _Optional[str] = ..., provider: _Optional[str] = ..., customer: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ..., covered: _Optional[int] = ..., touches: _Optional[_Iterable[str]] = ..., availability_percent: _Optional[float] = ..., calendar: _Optional[str] = ..., timezone: _Optional[str] = ..., period: _Optional[_Union[PeriodKind, str]] = ..., response: _Optional[_Mapping[str, float]] = ..., resolve: _Optional[_Mapping[str, float]] = ..., exclude_planned: _Optional[bool] = ..., draft: _Optional[bool] = ..., valid_from: _Optional[str] = ..., valid_until: _Optional[str] = ..., review_on: _Optional[str] = ..., notes: _Optional[_Iterable[str]] = ..., adds_up: _Optional[bool] = ...) -> None: ...

class DownShare(_message.Message):
    __slots__ = ("key", "down_seconds", "outages")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OUTAGES_FIELD_NUMBER: _ClassVar[int]
    key: str
    down_seconds: float
    outages: int
    def __init__(self, key: _Optional[str] = ..., down_seconds: _Optional[float] = ..., outages: _Optional[int] = ...) -> None: ...

class PeriodFigures(_message.Message):
    __slots__ = ("agreement", "subject", "period_start", "period_end", "at", "agreed_seconds", "excluded_seconds", "up_seconds", "down_seconds", "unknown_seconds", "availability", "coverage", "failures", "mttr_seconds", "mtbf_seconds", "mtbsi_seconds", "error_budget_seconds", "budget_used", "status", "user_minutes_lost", "user_minutes_coverage", "user_minutes_exact", "planned_down_seconds", "by_cause", "by_supplier")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AGREED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    MTTR_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MTBF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MTBSI_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ERROR_BUDGET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_USED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    USER_MINUTES_LOST_FIELD_NUMBER: _ClassVar[int]
    USER_MINUTES_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    USER_MINUTES_EXACT_FIELD_NUMBER: _ClassVar[int]
    PLANNED_DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BY_CAUSE_FIELD_NUMBER: _ClassVar[int]
    BY_SUPPLIER_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    subject: str
    period_start: _timestamp_pb2.Timestamp
    period_end: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    agreed_seconds: float
    excluded_seconds: float
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    availability: float
    coverage: float
    failures: int
    mttr_seconds: float
    mtbf_seconds: float
    mtbsi_seconds: float
    error_budget_seconds: float
    budget_used: float
    status: _sla_pb2.SlaStatus
    user_minutes_lost: float
    user_minutes_coverage: float
    user_minutes_exact: bool
    planned_down_seconds: float
    by_cause: _containers.RepeatedCompositeFieldContainer[DownShare]
    by_supplier: _containers.RepeatedCompositeFieldContainer[DownShare]
    def __init__(self, agreement: _Optional[str] = ..., subject: _Optional[str] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., period_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agreed_seconds: _Optional[float] = ..., excluded_seconds: _Optional[float] = ..., up_seconds: _Optional[float] = ..., down_seconds: _Optional[float] = ..., unknown_seconds: _Optional[float] = ..., availability: _Optional[float] = ..., coverage: _Optional[float] = ..., failures: _Optional[int] = ..., mttr_seconds: _Optional[float] = ..., mtbf_seconds: _Optional[float] = ..., mtbsi_seconds: _Optional[float] = ..., error_budget_seconds: _Optional[float] = ..., budget_used: _Optional[float] = ..., status: _Optional[_Union[_sla_pb2.SlaStatus, str]] = ..., user_minutes_lost: _Optional[float] = ..., user_minutes_coverage: _Optional[float] = ..., user_minutes_exact: _Optional[bool] = ..., planned_down_seconds: _Optional[float] = ..., by_cause: _Optional[_Iterable[_Union[DownShare, _Mapping]]] = ..., by_supplier: _Optional[_Iterable[_Union[DownShare, _Mapping]]] = ...) -> None: ...

class ResponseFigures(_message.Message):
    __slots__ = ("incidents", "answered", "answered_in_time", "mean_response_seconds", "resolved", "resolved_in_time", "mean_resolve_seconds", "overdue")
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_IN_TIME_FIELD_NUMBER: _ClassVar[int]
    MEAN_RESPONSE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_IN_TIME_FIELD_NUMBER: _ClassVar[int]
    MEAN_RESOLVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    incidents: int
    answered: int
    answered_in_time: int
    mean_response_seconds: float
    resolved: int
    resolved_in_time: int
    mean_resolve_seconds: float
    overdue: int
    def __init__(self, incidents: _Optional[int] = ..., answered: _Optional[int] = ..., answered_in_time: _Optional[int] = ..., mean_response_seconds: _Optional[float] = ..., resolved: _Optional[int] = ..., resolved_in_time: _Optional[int] = ..., mean_resolve_seconds: _Optional[float] = ..., overdue: _Optional[int] = ...) -> None: ...

class Standing(_message.Message):
    __slots__ = ("figures", "current", "burn_fast", "burn_slow", "burning", "budget_gone_at")
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    BURN_FAST_FIELD_NUMBER: _ClassVar[int]
    BURN_SLOW_FIELD_NUMBER: _ClassVar[int]
    BURNING_FIELD_NUMBER: _ClassVar[int]
    BUDGET_GONE_AT_FIELD_NUMBER: _ClassVar[int]
    figures: PeriodFigures
    current: _sla_pb2.Availability
    burn_fast: float
    burn_slow: float
    burning: _containers.RepeatedScalarFieldContainer[BurnWindow]
    budget_gone_at: _timestamp_pb2.Timestamp
    def __init__(self, figures: _Optional[_Union[PeriodFigures, _Mapping]] = ..., current: _Optional[_Union[_sla_pb2.Availability, str]] = ..., burn_fast: _Optional[float] = ..., burn_slow: _Optional[float] = ..., burning: _Optional[_Iterable[_Union[BurnWindow, str]]] = ..., budget_gone_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BreachForecast(_message.Message):
    __slots__ = ("expected", "certainty", "low", "high", "breach_probability", "periods")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    CERTAINTY_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    BREACH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    expected: float
    certainty: float
    low: float
    high: float
    breach_probability: float
    periods: int
    def __init__(self, expected: _Optional[float] = ..., certainty: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., breach_probability: _Optional[float] = ..., periods: _Optional[int] = ...) -> None: ...

class StandingView(_message.Message):
    __slots__ = ("standing", "response", "forecast")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    FORECAST_FIELD_NUMBER: _ClassVar[int]
    standing: Standing
    response: ResponseFigures
    forecast: BreachForecast
    def __init__(self, standing: _Optional[_Union[Standing, _Mapping]] = ..., response: _Optional[_Union[ResponseFigures, _Mapping]] = ..., forecast: _Optional[_Union[BreachForecast, _Mapping]] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("node", "down_seconds", "outages", "share", "availability", "without", "mttr_seconds", "agreement", "promised_percent", "below_promise")
    NODE_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OUTAGES_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    MTTR_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    PROMISED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    BELOW_PROMISE_FIELD_NUMBER: _ClassVar[int]
    node: str
    down_seconds: float
    outages: int
    share: float
    availability: float
    without: float
    mttr_seconds: float
    agreement: str
    promised_percent: float
    below_promise: bool
    def __init__(self, node: _Optional[str] = ..., down_seconds: _Optional[float] = ..., outages: _Optional[int] = ..., share: _Optional[float] = ..., availability: _Optional[float] = ..., without: _Optional[float] = ..., mttr_seconds: _Optional[float] = ..., agreement: _Optional[str] = ..., promised_percent: _Optional[float] = ..., below_promise: _Optional[bool] = ...) -> None: ...

class OutageChange(_message.Message):
    __slots__ = ("availability", "cause", "supplier", "planned", "users")
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    SUPPLIER_FIELD_NUMBER: _ClassVar[int]
    PLANNED_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    availability: _sla_pb2.Availability
    cause: str
    supplier: str
    planned: bool
    users: int
    def __init__(self, availability: _Optional[_Union[_sla_pb2.Availability, str]] = ..., cause: _Optional[str] = ..., supplier: _Optional[str] = ..., planned: _Optional[bool] = ..., users: _Optional[int] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ("subject", "start", "end", "change", "by", "at", "why")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    subject: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    change: OutageChange
    by: str
    at: _timestamp_pb2.Timestamp
    why: str
    def __init__(self, subject: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change: _Optional[_Union[OutageChange, _Mapping]] = ..., by: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., why: _Optional[str] = ...) -> None: ...

class RevisedFigures(_message.Message):
    __slots__ = ("agreement", "subject", "period_start", "down_seconds_before", "down_seconds_after", "unknown_seconds_before", "unknown_seconds_after", "availability_before", "availability_after", "status_before", "status_after")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DOWN_SECONDS_AFTER_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_AFTER_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_BEFORE_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_AFTER_FIELD_NUMBER: _ClassVar[int]
    STATUS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    STATUS_AFTER_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    subject: str
    period_start: _timestamp_pb2.Timestamp
    down_seconds_before: float
    down_seconds_after: float
    unknown_seconds_before: float
    unknown_seconds_after: float
    availability_before: float
    availability_after: float
    status_before: _sla_pb2.SlaStatus
    status_after: _sla_pb2.SlaStatus
    def __init__(self, agreement: _Optional[str] = ..., subject: _Optional[str] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., down_seconds_before: _Optional[float] = ..., down_seconds_after: _Optional[float] = ..., unknown_seconds_before: _Optional[float] = ..., unknown_seconds_after: _Optional[float] = ..., availability_before: _Optional[float] = ..., availability_after: _Optional[float] = ..., status_before: _Optional[_Union[_sla_pb2.SlaStatus, str]] = ..., status_after: _Optional[_Union[_sla_pb2.SlaStatus, str]] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("number", "revision", "effects")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    revision: Revision
    effects: _containers.RepeatedCompositeFieldContainer[RevisedFigures]
    def __init__(self, number: _Optional[int] = ..., revision: _Optional[_Union[Revision, _Mapping]] = ..., effects: _Optional[_Iterable[_Union[RevisedFigures, _Mapping]]] = ...) -> None: ...

class OpenStretch(_message.Message):
    __slots__ = ("start_at", "end_at")
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    def __init__(self, start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CalendarDay(_message.Message):
    __slots__ = ("day", "stretches", "usual")
    DAY_FIELD_NUMBER: _ClassVar[int]
    STRETCHES_FIELD_NUMBER: _ClassVar[int]
    USUAL_FIELD_NUMBER: _ClassVar[int]
    day: str
    stretches: _containers.RepeatedCompositeFieldContainer[OpenStretch]
    usual: bool
    def __init__(self, day: _Optional[str] = ..., stretches: _Optional[_Iterable[_Union[OpenStretch, _Mapping]]] = ..., usual: _Optional[bool] = ...) -> None: ...

class CalendarInfo(_message.Message):
    __slots__ = ("name", "timezone", "is_open", "next_change_at", "days", "open_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_CHANGE_AT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    OPEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    timezone: str
    is_open: bool
    next_change_at: _timestamp_pb2.Timestamp
    days: _containers.RepeatedCompositeFieldContainer[CalendarDay]
    open_seconds: float
    def __init__(self, name: _Optional[str] = ..., timezone: _Optional[str] = ..., is_open: _Optional[bool] = ..., next_change_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days: _Optional[_Iterable[_Union[CalendarDay, _Mapping]]] = ..., open_seconds: _Optional[float] = ...) -> None: ...

class ListAgreementsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAgreementsResponse(_message.Message):
    __slots__ = ("agreements",)
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    agreements: _containers.RepeatedCompositeFieldContainer[AgreementInfo]
    def __init__(self, agreements: _Optional[_Iterable[_Union[AgreementInfo, _Mapping]]] = ...) -> None: ...

class ListStandingsRequest(_message.Message):
    __slots__ = ("agreement",)
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    def __init__(self, agreement: _Optional[str] = ...) -> None: ...

class ListStandingsResponse(_message.Message):
    __slots__ = ("standings",)
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    standings: _containers.RepeatedCompositeFieldContainer[StandingView]
    def __init__(self, standings: _Optional[_Iterable[_Union[StandingView, _Mapping]]] = ...) -> None: ...

class ListPeriodsRequest(_message.Message):
    __slots__ = ("agreement", "subject")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    subject: str
    def __init__(self, agreement: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class ListPeriodsResponse(_message.Message):
    __slots__ = ("periods",)
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    periods: _containers.RepeatedCompositeFieldContainer[PeriodFigures]
    def __init__(self, periods: _Optional[_Iterable[_Union[PeriodFigures, _Mapping]]] = ...) -> None: ...

class ListContributionsRequest(_message.Message):
    __slots__ = ("agreement", "subject", "periods")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    subject: str
    periods: int
    def __init__(self, agreement: _Optional[str] = ..., subject: _Optional[str] = ..., periods: _Optional[int] = ...) -> None: ...

class ListContributionsResponse(_message.Message):
    __slots__ = ("contributions",)
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    def __init__(self, contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ...) -> None: ...

class GetStatementRequest(_message.Message):
    __slots__ = ("agreement", "subject", "at", "language")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    agreement: str
    subject: str
    at: _timestamp_pb2.Timestamp
    language: str
    def __init__(self, agreement: _Optional[str] = ..., subject: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., language: _Optional[str] = ...) -> None: ...

class GetStatementResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class ListRevisionsRequest(_message.Message):
    __slots__ = ("business", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListRevisionsResponse(_message.Message):
    __slots__ = ("entries", "more")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    more: bool
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ReviseAccountRequest(_message.Message):
    __slots__ = ("command_id", "business", "start", "end", "change", "why")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    business: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    change: OutageChange
    why: str
    def __init__(self, command_id: _Optional[str] = ..., business: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change: _Optional[_Union[OutageChange, _Mapping]] = ..., why: _Optional[str] = ...) -> None: ...

class ReviseAccountResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: AuditEntry
    def __init__(self, entry: _Optional[_Union[AuditEntry, _Mapping]] = ...) -> None: ...

class GetCalendarRequest(_message.Message):
    __slots__ = ("name", "at", "days")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    name: str
    at: _timestamp_pb2.Timestamp
    days: int
    def __init__(self, name: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days: _Optional[int] = ...) -> None: ...

class GetCalendarResponse(_message.Message):
    __slots__ = ("calendar", "names")
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    calendar: CalendarInfo
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, calendar: _Optional[_Union[CalendarInfo, _Mapping]] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IncidentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCIDENT_STATE_UNSPECIFIED: _ClassVar[IncidentState]
    INCIDENT_STATE_NEW: _ClassVar[IncidentState]
    INCIDENT_STATE_HELD: _ClassVar[IncidentState]
    INCIDENT_STATE_DISPATCHED: _ClassVar[IncidentState]
    INCIDENT_STATE_ACCEPTED: _ClassVar[IncidentState]
    INCIDENT_STATE_PENDING: _ClassVar[IncidentState]
    INCIDENT_STATE_STALLED: _ClassVar[IncidentState]
    INCIDENT_STATE_RESOLVED: _ClassVar[IncidentState]
    INCIDENT_STATE_CLOSED: _ClassVar[IncidentState]
    INCIDENT_STATE_CANCELLED: _ClassVar[IncidentState]
    INCIDENT_STATE_MERGED: _ClassVar[IncidentState]

class Signal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGNAL_UNSPECIFIED: _ClassVar[Signal]
    SIGNAL_ACTIVE: _ClassVar[Signal]
    SIGNAL_CLEARED: _ClassVar[Signal]

class Impact(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPACT_UNSPECIFIED: _ClassVar[Impact]
    IMPACT_HIGH: _ClassVar[Impact]
    IMPACT_MEDIUM: _ClassVar[Impact]
    IMPACT_LOW: _ClassVar[Impact]

class Urgency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    URGENCY_UNSPECIFIED: _ClassVar[Urgency]
    URGENCY_HIGH: _ClassVar[Urgency]
    URGENCY_MEDIUM: _ClassVar[Urgency]
    URGENCY_LOW: _ClassVar[Urgency]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_P1: _ClassVar[Priority]
    PRIORITY_P2: _ClassVar[Priority]
    PRIORITY_P3: _ClassVar[Priority]
    PRIORITY_P4: _ClassVar[Priority]
    PRIORITY_P5: _ClassVar[Priority]

class Difficulty(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIFFICULTY_UNSPECIFIED: _ClassVar[Difficulty]
    DIFFICULTY_HIGH: _ClassVar[Difficulty]
    DIFFICULTY_MEDIUM: _ClassVar[Difficulty]
    DIFFICULTY_LOW: _ClassVar[Difficulty]

class ClockStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLOCK_STATUS_UNSPECIFIED: _ClassVar[ClockStatus]
    CLOCK_STATUS_NONE: _ClassVar[ClockStatus]
    CLOCK_STATUS_RUNNING: _ClassVar[ClockStatus]
    CLOCK_STATUS_PAUSED: _ClassVar[ClockStatus]
    CLOCK_STATUS_MET: _ClassVar[ClockStatus]
    CLOCK_STATUS_BREACHED: _ClassVar[ClockStatus]
    CLOCK_STATUS_STOPPED: _ClassVar[ClockStatus]

class IncidentDimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCIDENT_DIMENSION_UNSPECIFIED: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_STATE: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_PRIORITY: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_ASSIGNEE: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_GROUP: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_CATEGORY: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_NODE: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_REPORTER: _ClassVar[IncidentDimension]
    INCIDENT_DIMENSION_MONTH: _ClassVar[IncidentDimension]
INCIDENT_STATE_UNSPECIFIED: IncidentState
INCIDENT_STATE_NEW: IncidentState
INCIDENT_STATE_HELD: IncidentState
INCIDENT_STATE_DISPATCHED: IncidentState
INCIDENT_STATE_ACCEPTED: IncidentState
INCIDENT_STATE_PENDING: IncidentState
INCIDENT_STATE_STALLED: IncidentState
INCIDENT_STATE_RESOLVED: IncidentState
INCIDENT_STATE_CLOSED: IncidentState
INCIDENT_STATE_CANCELLED: IncidentState
INCIDENT_STATE_MERGED: IncidentState
SIGNAL_UNSPECIFIED: Signal
SIGNAL_ACTIVE: Signal
SIGNAL_CLEARED: Signal
IMPACT_UNSPECIFIED: Impact
IMPACT_HIGH: Impact
IMPACT_MEDIUM: Impact
IMPACT_LOW: Impact
URGENCY_UNSPECIFIED: Urgency
URGENCY_HIGH: Urgency
URGENCY_MEDIUM: Urgency
URGENCY_LOW: Urgency
PRIORITY_UNSPECIFIED: Priority
PRIORITY_P1: Priority
PRIORITY_P2: Priority
PRIORITY_P3: Priority
PRIORITY_P4: Priority
PRIORITY_P5: Priority
DIFFICULTY_UNSPECIFIED: Difficulty
DIFFICULTY_HIGH: Difficulty
DIFFICULTY_MEDIUM: Difficulty
DIFFICULTY_LOW: Difficulty
CLOCK_STATUS_UNSPECIFIED: ClockStatus
CLOCK_STATUS_NONE: ClockStatus
CLOCK_STATUS_RUNNING: ClockStatus
CLOCK_STATUS_PAUSED: ClockStatus
CLOCK_STATUS_MET: ClockStatus
CLOCK_STATUS_BREACHED: ClockStatus
CLOCK_STATUS_STOPPED: ClockStatus
INCIDENT_DIMENSION_UNSPECIFIED: IncidentDimension
INCIDENT_DIMENSION_STATE: IncidentDimension
INCIDENT_DIMENSION_PRIORITY: IncidentDimension
INCIDENT_DIMENSION_ASSIGNEE: IncidentDimension
INCIDENT_DIMENSION_GROUP: IncidentDimension
INCIDENT_DIMENSION_CATEGORY: IncidentDimension
INCIDENT_DIMENSION_NODE: IncidentDimension
INCIDENT_DIMENSION_REPORTER: IncidentDimension
INCIDENT_DIMENSION_MONTH: IncidentDimension

class ImpactAssessment(_message.Message):
    __slots__ = ("businesses", "regions", "users", "users_exact")
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    USERS_EXACT_FIELD_NUMBER: _ClassVar[int]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    users: int
    users_exact: bool
    def __init__(self, businesses: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., users: _Optional[int] = ..., users_exact: _Optional[bool] = ...) -> None: ...

class ServiceClock(_message.Message):
    __slots__ = ("status", "allowed_seconds", "due_at", "told_percent", "remaining_seconds", "ended_at")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    TOLD_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    status: ClockStatus
    allowed_seconds: float
    due_at: _timestamp_pb2.Timestamp
    told_percent: int
    remaining_seconds: float
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[ClockStatus, str]] = ..., allowed_seconds: _Optional[float] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., told_percent: _Optional[int] = ..., remaining_seconds: _Optional[float] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Dispatch(_message.Message):
    __slots__ = ("id", "number", "level", "number_at_level", "person", "group", "by_hand", "sent_at", "accept_by", "reminders", "accept_seconds", "renotify_seconds", "max_candidates")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_AT_LEVEL_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    BY_HAND_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_BY_FIELD_NUMBER: _ClassVar[int]
    REMINDERS_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RENOTIFY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: int
    level: int
    number_at_level: int
    person: str
    group: str
    by_hand: bool
    sent_at: _timestamp_pb2.Timestamp
    accept_by: _timestamp_pb2.Timestamp
    reminders: int
    accept_seconds: float
    renotify_seconds: float
    max_candidates: int
    def __init__(self, id: _Optional[str] = ..., number: _Optional[int] = ..., level: _Optional[int] = ..., number_at_level: _Optional[int] = ..., person: _Optional[str] = ..., group: _Optional[str] = ..., by_hand: _Optional[bool] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accept_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reminders: _Optional[int] = ..., accept_seconds: _Optional[float] = ..., renotify_seconds: _Optional[float] = ..., max_candidates: _Optional[int] = ...) -> None: ...

class ClosingReport(_message.Message):
    __slots__ = ("cause", "action", "node", "category", "effort_minutes", "article")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    EFFORT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    cause: str
    action: str
    node: str
    category: str
    effort_minutes: int
    article: str
    def __init__(self, cause: _Optional[str] = ..., action: _Optional[str] = ..., node: _Optional[str] = ..., category: _Optional[str] = ..., effort_minutes: _Optional[int] = ..., article: _Optional[str] = ...) -> None: ...

class ExternalReference(_message.Message):
    __slots__ = ("target", "reference", "seq", "status")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    target: str
    reference: str
    seq: int
    status: str
    def __init__(self, target: _Optional[str] = ..., reference: _Optional[str] = ..., seq: _Optional[int] = ..., status: _Optional[str] = ...) -> None: ...

class TimerDue(_message.Message):
    __slots__ = ("name", "due_at", "generation")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    due_at: _timestamp_pb2.Timestamp
    generation: int
    def __init__(self, name: _Optional[str] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class Incident(_message.Message):
    __slots__ = ("id", "version", "fingerprint", "state", "signal", "title", "description", "cause", "verdict_id", "confidence", "impact", "urgency", "priority", "priority_is_manual", "assessment", "report_count", "reopen_count", "touched_by_human", "assignee", "closing_report", "opened_at", "last_seen_at", "began_at", "accepted_at", "resolved_at", "closed_at", "category", "reporter", "difficulty", "group", "level", "dispatch", "dispatch_count", "level_dispatch_count", "excluded", "hold_reason", "pending_reason", "pending_until", "pending_since", "paused_seconds", "response", "resolution", "stage_reported_at", "stage_eta", "stage_left_seconds", "return_count", "transfer_count", "escalation_count", "first_time_fix", "first_dispatch_right", "closing", "survey_score", "parent_id", "references", "told_at", "timers")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_IS_MANUAL_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    REPORT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REOPEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_BY_HUMAN_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CLOSING_REPORT_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    BEGAN_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_DISPATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    HOLD_REASON_FIELD_NUMBER: _ClassVar[int]
    PENDING_REASON_FIELD_NUMBER: _ClassVar[int]
    PENDING_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PENDING_SINCE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    STAGE_REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    STAGE_ETA_FIELD_NUMBER: _ClassVar[int]
    STAGE_LEFT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RETURN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_COUNT_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIX_FIELD_NUMBER: _ClassVar[int]
    FIRST_DISPATCH_RIGHT_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    SURVEY_SCORE_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    TOLD_AT_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    fingerprint: str
    state: IncidentState
    signal: Signal
    title: str
    description: str
    cause: str
    verdict_id: str
    confidence: float
    impact: Impact
    urgency: Urgency
    priority: Priority
    priority_is_manual: bool
    assessment: ImpactAssessment
    report_count: int
    reopen_count: int
    touched_by_human: bool
    assignee: str
    closing_report: str
    opened_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    began_at: _timestamp_pb2.Timestamp
    accepted_at: _timestamp_pb2.Timestamp
    resolved_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    category: str
    reporter: str
    difficulty: Difficulty
    group: str
    level: int
    dispatch: Dispatch
    dispatch_count: int
    level_dispatch_count: int
    excluded: _containers.RepeatedScalarFieldContainer[str]
    hold_reason: str
    pending_reason: str
    pending_until: _timestamp_pb2.Timestamp
    pending_since: _timestamp_pb2.Timestamp
    paused_seconds: float
    response: ServiceClock
    resolution: ServiceClock
    stage_reported_at: _timestamp_pb2.Timestamp
    stage_eta: _timestamp_pb2.Timestamp
    stage_left_seconds: float
    return_count: int
    transfer_count: int
    escalation_count: int
    first_time_fix: bool
    first_dispatch_right: bool
    closing: ClosingReport
    survey_score: int
    parent_id: str
    references: _containers.RepeatedCompositeFieldContainer[ExternalReference]
    told_at: _timestamp_pb2.Timestamp
    timers: _containers.RepeatedCompositeFieldContainer[TimerDue]
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., fingerprint: _Optional[str] = ..., state: _Optional[_Union[IncidentState, str]] = ..., signal: _Optional[_Union[Signal, str]] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., cause: _Optional[str] = ..., verdict_id: _Optional[str] = ..., confidence: _Optional[float] = ..., impact: _Optional[_Union[Impact, str]] = ..., urgency: _Optional[_Union[Urgency, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., priority_is_manual: _Optional[bool] = ..., assessment: _Optional[_Union[ImpactAssessment, _Mapping]] = ..., report_count: _Optional[int] = ..., reopen_count: _Optional[int] = ..., touched_by_human: _Optional[bool] = ..., assignee: _Optional[str] = ..., closing_report: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., began_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., category: _Optional[str] = ..., reporter: _Optional[str] = ..., difficulty: _Optional[_Union[Difficulty, str]] = ..., group: _Optional[str] = ..., level: _Optional[int] = ..., dispatch: _Optional[_Union[Dispatch, _Mapping]] = ..., dispatch_count: _Optional[int] = ..., level_dispatch_count: _Optional[int] = ..., excluded: _Optional[_Iterable[str]] = ..., hold_reason: _Optional[str] = ..., pending_reason: _Optional[str] = ..., pending_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pending_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., paused_seconds: _Optional[float] = ..., response: _Optional[_Union[ServiceClock, _Mapping]] = ..., resolution: _Optional[_Union[ServiceClock, _Mapping]] = ..., stage_reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage_eta: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage_left_seconds: _Optional[float] = ..., return_count: _Optional[int] = ..., transfer_count: _Optional[int] = ..., escalation_count: _Optional[int] = ..., first_time_fix: _Optional[bool] = ..., first_dispatch_right: _Optional[bool] = ..., closing: _Optional[_Union[ClosingReport, _Mapping]] = ..., survey_score: _Optional[int] = ..., parent_id: _Optional[str] = ..., references: _Optional[_Iterable[_Union[ExternalReference, _Mapping]]] = ..., told_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timers: _Optional[_Iterable[_Union[TimerDue, _Mapping]]] = ...) -> None: ...

class IncidentEvent(_message.Message):
    __slots__ = ("incident_id", "seq", "at", "actor", "kind", "from_state", "to_state", "reason", "details", "command_id")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    seq: int
    at: _timestamp_pb2.Timestamp
    actor: str
    kind: str
    from_state: IncidentState
    to_state: IncidentState
    reason: str
    details: _containers.ScalarMap[str, str]
    command_id: str
    def __init__(self, incident_id: _Optional[str] = ..., seq: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., kind: _Optional[str] = ..., from_state: _Optional[_Union[IncidentState, str]] = ..., to_state: _Optional[_Union[IncidentState, str]] = ..., reason: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ..., command_id: _Optional[str] = ...) -> None: ...

class IncidentFilter(_message.Message):
    __slots__ = ("states", "priorities", "assignee", "group", "category", "node", "reporter", "region", "from_time", "to_time", "text")
    STATES_FIELD_NUMBER: _ClassVar[int]
    PRIORITIES_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[IncidentState]
    priorities: _containers.RepeatedScalarFieldContainer[Priority]
    assignee: str
    group: str
    category: str
    node: str
    reporter: str
    region: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    text: str
    def __init__(self, states: _Optional[_Iterable[_Union[IncidentState, str]]] = ..., priorities: _Optional[_Iterable[_Union[Priority, str]]] = ..., assignee: _Optional[str] = ..., group: _Optional[str] = ..., category: _Optional[str] = ..., node: _Optional[str] = ..., reporter: _Optional[str] = ..., region: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class ListIncidentsRequest(_message.Message):
    __slots__ = ("include_closed", "business", "limit", "filter")
    INCLUDE_CLOSED_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    include_closed: bool
    business: str
    limit: int
    filter: IncidentFilter
    def __init__(self, include_closed: _Optional[bool] = ..., business: _Optional[str] = ..., limit: _Optional[int] = ..., filter: _Optional[_Union[IncidentFilter, _Mapping]] = ...) -> None: ...

class ListIncidentsResponse(_message.Message):
    __slots__ = ("incidents", "more", "older_left_out")
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    OLDER_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    incidents: _containers.RepeatedCompositeFieldContainer[Incident]
    more: bool
    older_left_out: bool
    def __init__(self, incidents: _Optional[_Iterable[_Union[Incident, _Mapping]]] = ..., more: _Optional[bool] = ..., older_left_out: _Optional[bool] = ...) -> None: ...

class CountIncidentsRequest(_message.Message):
    __slots__ = ("include_closed", "business", "limit", "filter", "group_by")
    INCLUDE_CLOSED_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    include_closed: bool
    business: str
    limit: int
    filter: IncidentFilter
    group_by: _containers.RepeatedScalarFieldContainer[IncidentDimension]
    def __init__(self, include_closed: _Optional[bool] = ..., business: _Optional[str] = ..., limit: _Optional[int] = ..., filter: _Optional[_Union[IncidentFilter, _Mapping]] = ..., group_by: _Optional[_Iterable[_Union[IncidentDimension, str]]] = ...) -> None: ...

class IncidentCount(_message.Message):
    __slots__ = ("values", "incidents", "open")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    incidents: int
    open: int
    def __init__(self, values: _Optional[_Iterable[str]] = ..., incidents: _Optional[int] = ..., open: _Optional[int] = ...) -> None: ...

class CountIncidentsResponse(_message.Message):
    __slots__ = ("counts", "more", "older_left_out")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    OLDER_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[IncidentCount]
    more: bool
    older_left_out: bool
    def __init__(self, counts: _Optional[_Iterable[_Union[IncidentCount, _Mapping]]] = ..., more: _Optional[bool] = ..., older_left_out: _Optional[bool] = ...) -> None: ...

class GetIncidentRequest(_message.Message):
    __slots__ = ("incident_id",)
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    def __init__(self, incident_id: _Optional[str] = ...) -> None: ...

class GetIncidentResponse(_message.Message):
    __slots__ = ("incident", "timeline", "allowed")
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    timeline: _containers.RepeatedCompositeFieldContainer[IncidentEvent]
    allowed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ..., timeline: _Optional[_Iterable[_Union[IncidentEvent, _Mapping]]] = ..., allowed: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchIncidentsRequest(_message.Message):
    __slots__ = ("business", "filter")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    business: str
    filter: IncidentFilter
    def __init__(self, business: _Optional[str] = ..., filter: _Optional[_Union[IncidentFilter, _Mapping]] = ...) -> None: ...

class WatchIncidentsResponse(_message.Message):
    __slots__ = ("incidents", "snapshot")
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    incidents: _containers.RepeatedCompositeFieldContainer[Incident]
    snapshot: bool
    def __init__(self, incidents: _Optional[_Iterable[_Union[Incident, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class CreateIncidentRequest(_message.Message):
    __slots__ = ("command_id", "title", "description", "businesses", "category", "priority", "reporter")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    title: str
    description: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    category: str
    priority: Priority
    reporter: str
    def __init__(self, command_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., category: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., reporter: _Optional[str] = ...) -> None: ...

class CreateIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class AcceptIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class AcceptIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ResolveIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "closing_report", "override_reason", "closing")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLOSING_REPORT_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_REASON_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    closing_report: str
    override_reason: str
    closing: ClosingReport
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., closing_report: _Optional[str] = ..., override_reason: _Optional[str] = ..., closing: _Optional[_Union[ClosingReport, _Mapping]] = ...) -> None: ...

class ResolveIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ConfirmIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class ConfirmIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class CancelIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class CommentIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class CommentIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class SetPriorityRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "priority", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    priority: Priority
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., priority: _Optional[_Union[Priority, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetPriorityResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class MergeIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "parent_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    parent_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., parent_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MergeIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class HoldIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class HoldIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ReleaseIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ReleaseIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class AssignIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "person", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    person: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., person: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AssignIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ReturnIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ReturnIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class TransferIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "person", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    person: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., person: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class TransferIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class EscalateIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class EscalateIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ForceEscalateIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "level", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    level: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., level: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ForceEscalateIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ReportProgressRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "text", "next_news_at")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NEXT_NEWS_AT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    text: str
    next_news_at: _timestamp_pb2.Timestamp
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., text: _Optional[str] = ..., next_news_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReportProgressResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class PendIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason", "until")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PendIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class ResumeIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class ResumeIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class RejectIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class RejectIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class SurveyIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "score", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    score: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., score: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class SurveyIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

class UnmergeIncidentRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class UnmergeIncidentResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: Incident
    def __init__(self, incident: _Optional[_Union[Incident, _Mapping]] = ...) -> None: ...

import datetime

from btimd.api.pb import incidents_pb2 as _incidents_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuppressionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUPPRESSION_KIND_UNSPECIFIED: _ClassVar[SuppressionKind]
    SUPPRESSION_KIND_WINDOW: _ClassVar[SuppressionKind]
    SUPPRESSION_KIND_SILENCE: _ClassVar[SuppressionKind]

class SuppressionEffect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUPPRESSION_EFFECT_UNSPECIFIED: _ClassVar[SuppressionEffect]
    SUPPRESSION_EFFECT_INCIDENTS: _ClassVar[SuppressionEffect]
    SUPPRESSION_EFFECT_NOTICES: _ClassVar[SuppressionEffect]
    SUPPRESSION_EFFECT_ACCOUNTS: _ClassVar[SuppressionEffect]

class HeldState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HELD_STATE_UNSPECIFIED: _ClassVar[HeldState]
    HELD_STATE_HELD: _ClassVar[HeldState]
    HELD_STATE_CLEARED: _ClassVar[HeldState]
    HELD_STATE_OPENED: _ClassVar[HeldState]
    HELD_STATE_LOST: _ClassVar[HeldState]
SUPPRESSION_KIND_UNSPECIFIED: SuppressionKind
SUPPRESSION_KIND_WINDOW: SuppressionKind
SUPPRESSION_KIND_SILENCE: SuppressionKind
SUPPRESSION_EFFECT_UNSPECIFIED: SuppressionEffect
SUPPRESSION_EFFECT_INCIDENTS: SuppressionEffect
SUPPRESSION_EFFECT_NOTICES: SuppressionEffect
SUPPRESSION_EFFECT_ACCOUNTS: SuppressionEffect
HELD_STATE_UNSPECIFIED: HeldState
HELD_STATE_HELD: HeldState
HELD_STATE_CLEARED: HeldState
HELD_STATE_OPENED: HeldState
HELD_STATE_LOST: HeldState

class Matcher(_message.Message):
    __slots__ = ("businesses", "nodes", "regions", "categories", "words", "least_priority")
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LEAST_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    words: _containers.RepeatedScalarFieldContainer[str]
    least_priority: _incidents_pb2.Priority
    def __init__(self, businesses: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ..., words: _Optional[_Iterable[str]] = ..., least_priority: _Optional[_Union[_incidents_pb2.Priority, str]] = ...) -> None: ...

class MinuteSpan(_message.Message):
    __slots__ = ("from_minute", "to_minute")
    FROM_MINUTE_FIELD_NUMBER: _ClassVar[int]
    TO_MINUTE_FIELD_NUMBER: _ClassVar[int]
    from_minute: int
    to_minute: int
    def __init__(self, from_minute: _Optional[int] = ..., to_minute: _Optional[int] = ...) -> None: ...

class Recurrence(_message.Message):
    __slots__ = ("weekdays", "hours", "timezone", "calendar")
    WEEKDAYS_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    weekdays: _containers.RepeatedScalarFieldContainer[int]
    hours: _containers.RepeatedCompositeFieldContainer[MinuteSpan]
    timezone: str
    calendar: str
    def __init__(self, weekdays: _Optional[_Iterable[int]] = ..., hours: _Optional[_Iterable[_Union[MinuteSpan, _Mapping]]] = ..., timezone: _Optional[str] = ..., calendar: _Optional[str] = ...) -> None: ...

class Suppression(_message.Message):
    __slots__ = ("id", "kind", "effect", "matcher", "start_at", "end_at", "recurrence", "reason", "reference", "created_by", "created_at", "ended_at", "ended_by", "end_reason", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    MATCHER_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    RECURRENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: SuppressionKind
    effect: SuppressionEffect
    matcher: Matcher
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    recurrence: Recurrence
    reason: str
    reference: str
    created_by: str
    created_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    ended_by: str
    end_reason: str
    source: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[SuppressionKind, str]] = ..., effect: _Optional[_Union[SuppressionEffect, str]] = ..., matcher: _Optional[_Union[Matcher, _Mapping]] = ..., start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recurrence: _Optional[_Union[Recurrence, _Mapping]] = ..., reason: _Optional[str] = ..., reference: _Optional[str] = ..., created_by: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_by: _Optional[str] = ..., end_reason: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class SuppressionView(_message.Message):
    __slots__ = ("suppression", "active", "holds_from", "holds_until", "suppressed", "lasting", "warnings")
    SUPPRESSION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FROM_FIELD_NUMBER: _ClassVar[int]
    HOLDS_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    LASTING_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    suppression: Suppression
    active: bool
    holds_from: _timestamp_pb2.Timestamp
    holds_until: _timestamp_pb2.Timestamp
    suppressed: int
    lasting: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, suppression: _Optional[_Union[Suppression, _Mapping]] = ..., active: _Optional[bool] = ..., holds_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., holds_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., suppressed: _Optional[int] = ..., lasting: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class SuppressedReport(_message.Message):
    __slots__ = ("position", "suppression_id", "fingerprint", "title", "cause", "businesses", "regions", "verdict_id", "first_at", "last_at", "count", "state", "incident_id")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSION_ID_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    position: int
    suppression_id: str
    fingerprint: str
    title: str
    cause: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    verdict_id: str
    first_at: _timestamp_pb2.Timestamp
    last_at: _timestamp_pb2.Timestamp
    count: int
    state: HeldState
    incident_id: str
    def __init__(self, position: _Optional[int] = ..., suppression_id: _Optional[str] = ..., fingerprint: _Optional[str] = ..., title: _Optional[str] = ..., cause: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., verdict_id: _Optional[str] = ..., first_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ..., state: _Optional[_Union[HeldState, str]] = ..., incident_id: _Optional[str] = ...) -> None: ...

class ListMaintenanceRequest(_message.Message):
    __slots__ = ("kind", "include_past", "id", "limit")
    KIND_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PAST_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    kind: SuppressionKind
    include_past: bool
    id: str
    limit: int
    def __init__(self, kind: _Optional[_Union[SuppressionKind, str]] = ..., include_past: _Optional[bool] = ..., id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListMaintenanceResponse(_message.Message):
    __slots__ = ("maintenance", "more")
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    maintenance: _containers.RepeatedCompositeFieldContainer[SuppressionView]
    more: bool
    def __init__(self, maintenance: _Optional[_Iterable[_Union[SuppressionView, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListSuppressedReportsRequest(_message.Message):
    __slots__ = ("suppression_id", "limit")
    SUPPRESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    suppression_id: str
    limit: int
    def __init__(self, suppression_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSuppressedReportsResponse(_message.Message):
    __slots__ = ("reports", "more")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[SuppressedReport]
    more: bool
    def __init__(self, reports: _Optional[_Iterable[_Union[SuppressedReport, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class NewSuppression(_message.Message):
    __slots__ = ("kind", "effect", "matcher", "start_at", "end_at", "recurrence", "reason", "reference")
    KIND_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    MATCHER_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    RECURRENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    kind: SuppressionKind
    effect: SuppressionEffect
    matcher: Matcher
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    recurrence: Recurrence
    reason: str
    reference: str
    def __init__(self, kind: _Optional[_Union[SuppressionKind, str]] = ..., effect: _Optional[_Union[SuppressionEffect, str]] = ..., matcher: _Optional[_Union[Matcher, _Mapping]] = ..., start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recurrence: _Optional[_Union[Recurrence, _Mapping]] = ..., reason: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class DeclareMaintenanceRequest(_message.Message):
    __slots__ = ("command_id", "new")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    new: NewSuppression
    def __init__(self, command_id: _Optional[str] = ..., new: _Optional[_Union[NewSuppression, _Mapping]] = ...) -> None: ...

class DeclareMaintenanceResponse(_message.Message):
    __slots__ = ("maintenance",)
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    maintenance: SuppressionView
    def __init__(self, maintenance: _Optional[_Union[SuppressionView, _Mapping]] = ...) -> None: ...

class EndMaintenanceRequest(_message.Message):
    __slots__ = ("id", "reason", "void")
    ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VOID_FIELD_NUMBER: _ClassVar[int]
    id: str
    reason: str
    void: bool
    def __init__(self, id: _Optional[str] = ..., reason: _Optional[str] = ..., void: _Optional[bool] = ...) -> None: ...

class EndMaintenanceResponse(_message.Message):
    __slots__ = ("maintenance",)
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    maintenance: SuppressionView
    def __init__(self, maintenance: _Optional[_Union[SuppressionView, _Mapping]] = ...) -> None: ...

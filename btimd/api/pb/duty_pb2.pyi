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

class Presence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESENCE_UNSPECIFIED: _ClassVar[Presence]
    PRESENCE_ON_SHIFT: _ClassVar[Presence]
    PRESENCE_BACKUP: _ClassVar[Presence]
    PRESENCE_SOON: _ClassVar[Presence]
    PRESENCE_OFF: _ClassVar[Presence]

class DutyRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUTY_ROLE_UNSPECIFIED: _ClassVar[DutyRole]
    DUTY_ROLE_PRIMARY: _ClassVar[DutyRole]
    DUTY_ROLE_BACKUP: _ClassVar[DutyRole]

class RotaFaultKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROTA_FAULT_KIND_UNSPECIFIED: _ClassVar[RotaFaultKind]
    ROTA_FAULT_KIND_GAP: _ClassVar[RotaFaultKind]
    ROTA_FAULT_KIND_TOO_MANY: _ClassVar[RotaFaultKind]
    ROTA_FAULT_KIND_TWICE: _ClassVar[RotaFaultKind]
    ROTA_FAULT_KIND_SHORT_REST: _ClassVar[RotaFaultKind]
    ROTA_FAULT_KIND_IDLE_OVERRIDE: _ClassVar[RotaFaultKind]
PRESENCE_UNSPECIFIED: Presence
PRESENCE_ON_SHIFT: Presence
PRESENCE_BACKUP: Presence
PRESENCE_SOON: Presence
PRESENCE_OFF: Presence
DUTY_ROLE_UNSPECIFIED: DutyRole
DUTY_ROLE_PRIMARY: DutyRole
DUTY_ROLE_BACKUP: DutyRole
ROTA_FAULT_KIND_UNSPECIFIED: RotaFaultKind
ROTA_FAULT_KIND_GAP: RotaFaultKind
ROTA_FAULT_KIND_TOO_MANY: RotaFaultKind
ROTA_FAULT_KIND_TWICE: RotaFaultKind
ROTA_FAULT_KIND_SHORT_REST: RotaFaultKind
ROTA_FAULT_KIND_IDLE_OVERRIDE: RotaFaultKind

class GetDutyRequest(_message.Message):
    __slots__ = ("group", "at")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PersonOnDuty(_message.Message):
    __slots__ = ("person", "name", "name_zh", "presence", "until")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    person: str
    name: str
    name_zh: str
    presence: Presence
    until: _timestamp_pb2.Timestamp
    def __init__(self, person: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., presence: _Optional[_Union[Presence, str]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GroupDuty(_message.Message):
    __slots__ = ("group", "name", "name_zh", "lead", "at", "ruled", "people", "next_change_at", "fault")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    LEAD_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    RULED_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_CHANGE_AT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    group: str
    name: str
    name_zh: str
    lead: str
    at: _timestamp_pb2.Timestamp
    ruled: bool
    people: _containers.RepeatedCompositeFieldContainer[PersonOnDuty]
    next_change_at: _timestamp_pb2.Timestamp
    fault: str
    def __init__(self, group: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., lead: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ruled: _Optional[bool] = ..., people: _Optional[_Iterable[_Union[PersonOnDuty, _Mapping]]] = ..., next_change_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fault: _Optional[str] = ...) -> None: ...

class GetDutyResponse(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[GroupDuty]
    def __init__(self, groups: _Optional[_Iterable[_Union[GroupDuty, _Mapping]]] = ...) -> None: ...

class GetRotaRequest(_message.Message):
    __slots__ = ("group", "at", "days")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    days: int
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days: _Optional[int] = ...) -> None: ...

class DutySlot(_message.Message):
    __slots__ = ("start_at", "end_at", "group", "person", "role", "source", "why")
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    group: str
    person: str
    role: DutyRole
    source: str
    why: str
    def __init__(self, start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group: _Optional[str] = ..., person: _Optional[str] = ..., role: _Optional[_Union[DutyRole, str]] = ..., source: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class RotaProblem(_message.Message):
    __slots__ = ("kind", "group", "start_at", "end_at", "persons", "text")
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: RotaFaultKind
    group: str
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    persons: _containers.RepeatedScalarFieldContainer[str]
    text: str
    def __init__(self, kind: _Optional[_Union[RotaFaultKind, str]] = ..., group: _Optional[str] = ..., start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., persons: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ...) -> None: ...

class GetRotaResponse(_message.Message):
    __slots__ = ("start_at", "end_at", "timezone", "slots", "problems")
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    timezone: str
    slots: _containers.RepeatedCompositeFieldContainer[DutySlot]
    problems: _containers.RepeatedCompositeFieldContainer[RotaProblem]
    def __init__(self, start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timezone: _Optional[str] = ..., slots: _Optional[_Iterable[_Union[DutySlot, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[RotaProblem, _Mapping]]] = ...) -> None: ...

class ExplainDispatchRequest(_message.Message):
    __slots__ = ("incident_id",)
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    def __init__(self, incident_id: _Optional[str] = ...) -> None: ...

class CandidateRow(_message.Message):
    __slots__ = ("person", "name", "name_zh", "presence", "declared", "good", "bad", "open_load", "capacity", "idle_seconds", "knows", "duty", "skill", "load", "fair", "affinity", "score", "reasons", "reasons_zh")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    BAD_FIELD_NUMBER: _ClassVar[int]
    OPEN_LOAD_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KNOWS_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    FAIR_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    REASONS_ZH_FIELD_NUMBER: _ClassVar[int]
    person: str
    name: str
    name_zh: str
    presence: Presence
    declared: float
    good: float
    bad: float
    open_load: float
    capacity: float
    idle_seconds: float
    knows: bool
    duty: float
    skill: float
    load: float
    fair: float
    affinity: float
    score: float
    reasons: str
    reasons_zh: str
    def __init__(self, person: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., presence: _Optional[_Union[Presence, str]] = ..., declared: _Optional[float] = ..., good: _Optional[float] = ..., bad: _Optional[float] = ..., open_load: _Optional[float] = ..., capacity: _Optional[float] = ..., idle_seconds: _Optional[float] = ..., knows: _Optional[bool] = ..., duty: _Optional[float] = ..., skill: _Optional[float] = ..., load: _Optional[float] = ..., fair: _Optional[float] = ..., affinity: _Optional[float] = ..., score: _Optional[float] = ..., reasons: _Optional[str] = ..., reasons_zh: _Optional[str] = ...) -> None: ...

class CandidateTable(_message.Message):
    __slots__ = ("level", "group", "rota", "rows", "off", "excluded")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ROTA_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OFF_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    level: int
    group: str
    rota: str
    rows: _containers.RepeatedCompositeFieldContainer[CandidateRow]
    off: _containers.RepeatedScalarFieldContainer[str]
    excluded: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, level: _Optional[int] = ..., group: _Optional[str] = ..., rota: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[CandidateRow, _Mapping]]] = ..., off: _Optional[_Iterable[str]] = ..., excluded: _Optional[_Iterable[str]] = ...) -> None: ...

class FactorWeights(_message.Message):
    __slots__ = ("duty", "skill", "load", "fair", "affinity")
    DUTY_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    FAIR_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    duty: float
    skill: float
    load: float
    fair: float
    affinity: float
    def __init__(self, duty: _Optional[float] = ..., skill: _Optional[float] = ..., load: _Optional[float] = ..., fair: _Optional[float] = ..., affinity: _Optional[float] = ...) -> None: ...

class DispatchExplained(_message.Message):
    __slots__ = ("incident_id", "seq", "kind", "at", "chosen", "level", "group", "path", "work_class", "priority", "weights", "tables", "text", "text_zh")
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    WORK_CLASS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    seq: int
    kind: str
    at: _timestamp_pb2.Timestamp
    chosen: str
    level: int
    group: str
    path: str
    work_class: str
    priority: _incidents_pb2.Priority
    weights: FactorWeights
    tables: _containers.RepeatedCompositeFieldContainer[CandidateTable]
    text: str
    text_zh: str
    def __init__(self, incident_id: _Optional[str] = ..., seq: _Optional[int] = ..., kind: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., chosen: _Optional[str] = ..., level: _Optional[int] = ..., group: _Optional[str] = ..., path: _Optional[str] = ..., work_class: _Optional[str] = ..., priority: _Optional[_Union[_incidents_pb2.Priority, str]] = ..., weights: _Optional[_Union[FactorWeights, _Mapping]] = ..., tables: _Optional[_Iterable[_Union[CandidateTable, _Mapping]]] = ..., text: _Optional[str] = ..., text_zh: _Optional[str] = ...) -> None: ...

class ExplainDispatchResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[DispatchExplained]
    def __init__(self, decisions: _Optional[_Iterable[_Union[DispatchExplained, _Mapping]]] = ...) -> None: ...

class ListTransferCandidatesRequest(_message.Message):
    __slots__ = ("incident_id",)
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    def __init__(self, incident_id: _Optional[str] = ...) -> None: ...

class ListTransferCandidatesResponse(_message.Message):
    __slots__ = ("incident_id", "for_transfer", "handler", "level", "rows", "text", "text_zh")
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    FOR_TRANSFER_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    for_transfer: bool
    handler: str
    level: int
    rows: _containers.RepeatedCompositeFieldContainer[CandidateRow]
    text: str
    text_zh: str
    def __init__(self, incident_id: _Optional[str] = ..., for_transfer: _Optional[bool] = ..., handler: _Optional[str] = ..., level: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[CandidateRow, _Mapping]]] = ..., text: _Optional[str] = ..., text_zh: _Optional[str] = ...) -> None: ...

class ListDutyLoadRequest(_message.Message):
    __slots__ = ("at", "weeks")
    AT_FIELD_NUMBER: _ClassVar[int]
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    weeks: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., weeks: _Optional[int] = ...) -> None: ...

class PersonLoad(_message.Message):
    __slots__ = ("person", "name", "name_zh", "week_at", "primary_hours", "backup_hours", "night_hours", "weekend_hours", "longest_hours", "incidents", "open_orders", "open_load", "capacity")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    WEEK_AT_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_HOURS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_HOURS_FIELD_NUMBER: _ClassVar[int]
    NIGHT_HOURS_FIELD_NUMBER: _ClassVar[int]
    WEEKEND_HOURS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_HOURS_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ORDERS_FIELD_NUMBER: _ClassVar[int]
    OPEN_LOAD_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    person: str
    name: str
    name_zh: str
    week_at: _timestamp_pb2.Timestamp
    primary_hours: float
    backup_hours: float
    night_hours: float
    weekend_hours: float
    longest_hours: float
    incidents: int
    open_orders: int
    open_load: float
    capacity: float
    def __init__(self, person: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., week_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., primary_hours: _Optional[float] = ..., backup_hours: _Optional[float] = ..., night_hours: _Optional[float] = ..., weekend_hours: _Optional[float] = ..., longest_hours: _Optional[float] = ..., incidents: _Optional[int] = ..., open_orders: _Optional[int] = ..., open_load: _Optional[float] = ..., capacity: _Optional[float] = ...) -> None: ...

class ListDutyLoadResponse(_message.Message):
    __slots__ = ("people",)
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    people: _containers.RepeatedCompositeFieldContainer[PersonLoad]
    def __init__(self, people: _Optional[_Iterable[_Union[PersonLoad, _Mapping]]] = ...) -> None: ...

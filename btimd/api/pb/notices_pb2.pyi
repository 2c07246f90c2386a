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

class NoticeMeans(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_MEANS_UNSPECIFIED: _ClassVar[NoticeMeans]
    NOTICE_MEANS_SCREEN: _ClassVar[NoticeMeans]
    NOTICE_MEANS_IM: _ClassVar[NoticeMeans]
    NOTICE_MEANS_EMAIL: _ClassVar[NoticeMeans]
    NOTICE_MEANS_SMS: _ClassVar[NoticeMeans]
    NOTICE_MEANS_VOICE: _ClassVar[NoticeMeans]
    NOTICE_MEANS_WEBHOOK: _ClassVar[NoticeMeans]

class NoticeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_STATE_UNSPECIFIED: _ClassVar[NoticeState]
    NOTICE_STATE_PENDING: _ClassVar[NoticeState]
    NOTICE_STATE_SENDING: _ClassVar[NoticeState]
    NOTICE_STATE_ACCEPTED_BY_GATEWAY: _ClassVar[NoticeState]
    NOTICE_STATE_DELIVERED: _ClassVar[NoticeState]
    NOTICE_STATE_READ: _ClassVar[NoticeState]
    NOTICE_STATE_FAILED: _ClassVar[NoticeState]
    NOTICE_STATE_WITHDRAWN: _ClassVar[NoticeState]

class NoticeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_KIND_UNSPECIFIED: _ClassVar[NoticeKind]
    NOTICE_KIND_ORDER: _ClassVar[NoticeKind]
    NOTICE_KIND_REMINDER: _ClassVar[NoticeKind]
    NOTICE_KIND_NOT_ACCEPTED: _ClassVar[NoticeKind]
    NOTICE_KIND_ESCALATED: _ClassVar[NoticeKind]
    NOTICE_KIND_REPORT_DUE: _ClassVar[NoticeKind]
    NOTICE_KIND_RECALLED: _ClassVar[NoticeKind]
    NOTICE_KIND_STATUS: _ClassVar[NoticeKind]
    NOTICE_KIND_NEWS: _ClassVar[NoticeKind]
    NOTICE_KIND_ANSWER: _ClassVar[NoticeKind]
    NOTICE_KIND_TEST: _ClassVar[NoticeKind]

class NoticeAnswer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_ANSWER_UNSPECIFIED: _ClassVar[NoticeAnswer]
    NOTICE_ANSWER_ACCEPT: _ClassVar[NoticeAnswer]
    NOTICE_ANSWER_RETURN: _ClassVar[NoticeAnswer]
    NOTICE_ANSWER_ESCALATE: _ClassVar[NoticeAnswer]
NOTICE_MEANS_UNSPECIFIED: NoticeMeans
NOTICE_MEANS_SCREEN: NoticeMeans
NOTICE_MEANS_IM: NoticeMeans
NOTICE_MEANS_EMAIL: NoticeMeans
NOTICE_MEANS_SMS: NoticeMeans
NOTICE_MEANS_VOICE: NoticeMeans
NOTICE_MEANS_WEBHOOK: NoticeMeans
NOTICE_STATE_UNSPECIFIED: NoticeState
NOTICE_STATE_PENDING: NoticeState
NOTICE_STATE_SENDING: NoticeState
NOTICE_STATE_ACCEPTED_BY_GATEWAY: NoticeState
NOTICE_STATE_DELIVERED: NoticeState
NOTICE_STATE_READ: NoticeState
NOTICE_STATE_FAILED: NoticeState
NOTICE_STATE_WITHDRAWN: NoticeState
NOTICE_KIND_UNSPECIFIED: NoticeKind
NOTICE_KIND_ORDER: NoticeKind
NOTICE_KIND_REMINDER: NoticeKind
NOTICE_KIND_NOT_ACCEPTED: NoticeKind
NOTICE_KIND_ESCALATED: NoticeKind
NOTICE_KIND_REPORT_DUE: NoticeKind
NOTICE_KIND_RECALLED: NoticeKind
NOTICE_KIND_STATUS: NoticeKind
NOTICE_KIND_NEWS: NoticeKind
NOTICE_KIND_ANSWER: NoticeKind
NOTICE_KIND_TEST: NoticeKind
NOTICE_ANSWER_UNSPECIFIED: NoticeAnswer
NOTICE_ANSWER_ACCEPT: NoticeAnswer
NOTICE_ANSWER_RETURN: NoticeAnswer
NOTICE_ANSWER_ESCALATE: NoticeAnswer

class Notice(_message.Message):
    __slots__ = ("id", "incident_id", "dispatch_id", "number", "priority", "person", "kind", "means", "channel", "address", "language", "round", "subject", "text", "due_at", "expires_at", "at", "state", "attempts", "provider_id", "error", "uncertain", "cost", "folded_into", "telling_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEANS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    UNCERTAIN_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    FOLDED_INTO_FIELD_NUMBER: _ClassVar[int]
    TELLING_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    incident_id: str
    dispatch_id: str
    number: str
    priority: _incidents_pb2.Priority
    person: str
    kind: NoticeKind
    means: NoticeMeans
    channel: str
    address: str
    language: str
    round: int
    subject: str
    text: str
    due_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    state: NoticeState
    attempts: int
    provider_id: str
    error: str
    uncertain: bool
    cost: float
    folded_into: str
    telling_id: str
    def __init__(self, id: _Optional[str] = ..., incident_id: _Optional[str] = ..., dispatch_id: _Optional[str] = ..., number: _Optional[str] = ..., priority: _Optional[_Union[_incidents_pb2.Priority, str]] = ..., person: _Optional[str] = ..., kind: _Optional[_Union[NoticeKind, str]] = ..., means: _Optional[_Union[NoticeMeans, str]] = ..., channel: _Optional[str] = ..., address: _Optional[str] = ..., language: _Optional[str] = ..., round: _Optional[int] = ..., subject: _Optional[str] = ..., text: _Optional[str] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[NoticeState, str]] = ..., attempts: _Optional[int] = ..., provider_id: _Optional[str] = ..., error: _Optional[str] = ..., uncertain: _Optional[bool] = ..., cost: _Optional[float] = ..., folded_into: _Optional[str] = ..., telling_id: _Optional[str] = ...) -> None: ...

class WatchScreenRequest(_message.Message):
    __slots__ = ("everybody",)
    EVERYBODY_FIELD_NUMBER: _ClassVar[int]
    everybody: bool
    def __init__(self, everybody: _Optional[bool] = ...) -> None: ...

class WatchScreenResponse(_message.Message):
    __slots__ = ("notices", "snapshot")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    snapshot: bool
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class ListNoticesRequest(_message.Message):
    __slots__ = ("incident_id", "person", "limit")
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    person: str
    limit: int
    def __init__(self, incident_id: _Optional[str] = ..., person: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListNoticesResponse(_message.Message):
    __slots__ = ("notices", "more")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    more: bool
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class AnswerNoticeRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "answer", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    answer: NoticeAnswer
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., answer: _Optional[_Union[NoticeAnswer, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class AnswerNoticeResponse(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: _incidents_pb2.Incident
    def __init__(self, incident: _Optional[_Union[_incidents_pb2.Incident, _Mapping]] = ...) -> None: ...

class TestContactRequest(_message.Message):
    __slots__ = ("command_id", "person", "address")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    person: str
    address: str
    def __init__(self, command_id: _Optional[str] = ..., person: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class TestContactResponse(_message.Message):
    __slots__ = ("notices",)
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ...) -> None: ...

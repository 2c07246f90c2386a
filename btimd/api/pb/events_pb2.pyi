import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HeardAs(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEARD_AS_UNSPECIFIED: _ClassVar[HeardAs]
    HEARD_AS_GOOD: _ClassVar[HeardAs]
    HEARD_AS_BAD: _ClassVar[HeardAs]
    HEARD_AS_OVER: _ClassVar[HeardAs]
    HEARD_AS_CHANGE: _ClassVar[HeardAs]
    HEARD_AS_NO_RULE: _ClassVar[HeardAs]
    HEARD_AS_NO_NODE: _ClassVar[HeardAs]
HEARD_AS_UNSPECIFIED: HeardAs
HEARD_AS_GOOD: HeardAs
HEARD_AS_BAD: HeardAs
HEARD_AS_OVER: HeardAs
HEARD_AS_CHANGE: HeardAs
HEARD_AS_NO_RULE: HeardAs
HEARD_AS_NO_NODE: HeardAs

class HeardEvent(_message.Message):
    __slots__ = ("at", "source", "sender", "heard_as", "node", "rule", "text")
    AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    HEARD_AS_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    source: str
    sender: str
    heard_as: HeardAs
    node: str
    rule: str
    text: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., sender: _Optional[str] = ..., heard_as: _Optional[_Union[HeardAs, str]] = ..., node: _Optional[str] = ..., rule: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class EventSender(_message.Message):
    __slots__ = ("source", "sender", "matched", "no_rule", "no_node", "last_at", "last_unmatched")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    NO_RULE_FIELD_NUMBER: _ClassVar[int]
    NO_NODE_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_UNMATCHED_FIELD_NUMBER: _ClassVar[int]
    source: str
    sender: str
    matched: int
    no_rule: int
    no_node: int
    last_at: _timestamp_pb2.Timestamp
    last_unmatched: str
    def __init__(self, source: _Optional[str] = ..., sender: _Optional[str] = ..., matched: _Optional[int] = ..., no_rule: _Optional[int] = ..., no_node: _Optional[int] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_unmatched: _Optional[str] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("node", "heard_as", "limit")
    NODE_FIELD_NUMBER: _ClassVar[int]
    HEARD_AS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    node: str
    heard_as: HeardAs
    limit: int
    def __init__(self, node: _Optional[str] = ..., heard_as: _Optional[_Union[HeardAs, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "more")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[HeardEvent]
    more: bool
    def __init__(self, events: _Optional[_Iterable[_Union[HeardEvent, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListSendersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSendersResponse(_message.Message):
    __slots__ = ("senders",)
    SENDERS_FIELD_NUMBER: _ClassVar[int]
    senders: _containers.RepeatedCompositeFieldContainer[EventSender]
    def __init__(self, senders: _Optional[_Iterable[_Union[EventSender, _Mapping]]] = ...) -> None: ...

class RecordChangeRequest(_message.Message):
    __slots__ = ("node", "text")
    NODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    node: str
    text: str
    def __init__(self, node: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class RecordChangeResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: HeardEvent
    def __init__(self, event: _Optional[_Union[HeardEvent, _Mapping]] = ...) -> None: ...

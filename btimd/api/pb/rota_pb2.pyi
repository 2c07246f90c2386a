import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportRotaRequest(_message.Message):
    __slots__ = ("group", "at", "days")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    days: int
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days: _Optional[int] = ...) -> None: ...

class ExportRotaResponse(_message.Message):
    __slots__ = ("calendar",)
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    calendar: str
    def __init__(self, calendar: _Optional[str] = ...) -> None: ...

class RotaCalendar(_message.Message):
    __slots__ = ("group", "file", "read_at", "slots", "refused", "problems")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    READ_AT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    group: str
    file: str
    read_at: _timestamp_pb2.Timestamp
    slots: int
    refused: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group: _Optional[str] = ..., file: _Optional[str] = ..., read_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., refused: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class ListRotaCalendarsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRotaCalendarsResponse(_message.Message):
    __slots__ = ("calendars", "gaps")
    CALENDARS_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    calendars: _containers.RepeatedCompositeFieldContainer[RotaCalendar]
    gaps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, calendars: _Optional[_Iterable[_Union[RotaCalendar, _Mapping]]] = ..., gaps: _Optional[_Iterable[str]] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PersonSourceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSON_SOURCE_KIND_UNSPECIFIED: _ClassVar[PersonSourceKind]
    PERSON_SOURCE_KIND_DHCP: _ClassVar[PersonSourceKind]
    PERSON_SOURCE_KIND_LIST: _ClassVar[PersonSourceKind]
    PERSON_SOURCE_KIND_RADIUS: _ClassVar[PersonSourceKind]
    PERSON_SOURCE_KIND_MACS: _ClassVar[PersonSourceKind]
PERSON_SOURCE_KIND_UNSPECIFIED: PersonSourceKind
PERSON_SOURCE_KIND_DHCP: PersonSourceKind
PERSON_SOURCE_KIND_LIST: PersonSourceKind
PERSON_SOURCE_KIND_RADIUS: PersonSourceKind
PERSON_SOURCE_KIND_MACS: PersonSourceKind

class PersonBinding(_message.Message):
    __slots__ = ("address", "person", "source", "kind", "since", "until", "in_force")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    address: str
    person: str
    source: str
    kind: PersonSourceKind
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    in_force: bool
    def __init__(self, address: _Optional[str] = ..., person: _Optional[str] = ..., source: _Optional[str] = ..., kind: _Optional[_Union[PersonSourceKind, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., in_force: _Optional[bool] = ...) -> None: ...

class PersonSource(_message.Message):
    __slots__ = ("name", "kind", "place", "bindings", "records", "refused", "changed_at", "problem", "last_error")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: PersonSourceKind
    place: str
    bindings: int
    records: int
    refused: int
    changed_at: _timestamp_pb2.Timestamp
    problem: str
    last_error: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[PersonSourceKind, str]] = ..., place: _Optional[str] = ..., bindings: _Optional[int] = ..., records: _Optional[int] = ..., refused: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., problem: _Optional[str] = ..., last_error: _Optional[str] = ...) -> None: ...

class ListPersonsRequest(_message.Message):
    __slots__ = ("match", "limit")
    MATCH_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    match: str
    limit: int
    def __init__(self, match: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListPersonsResponse(_message.Message):
    __slots__ = ("persons", "more")
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    persons: _containers.RepeatedCompositeFieldContainer[PersonBinding]
    more: bool
    def __init__(self, persons: _Optional[_Iterable[_Union[PersonBinding, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetPersonSourcesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPersonSourcesResponse(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[PersonSource]
    def __init__(self, sources: _Optional[_Iterable[_Union[PersonSource, _Mapping]]] = ...) -> None: ...

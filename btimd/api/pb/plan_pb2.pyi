import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PrefixUseOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREFIX_USE_ORDER_UNSPECIFIED: _ClassVar[PrefixUseOrder]
    PREFIX_USE_ORDER_PLAN: _ClassVar[PrefixUseOrder]
    PREFIX_USE_ORDER_OCTETS: _ClassVar[PrefixUseOrder]
    PREFIX_USE_ORDER_SEEN: _ClassVar[PrefixUseOrder]
    PREFIX_USE_ORDER_EMPTY: _ClassVar[PrefixUseOrder]

class UnknownOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_ORDER_UNSPECIFIED: _ClassVar[UnknownOrder]
    UNKNOWN_ORDER_OCTETS: _ClassVar[UnknownOrder]
    UNKNOWN_ORDER_LAST_SEEN: _ClassVar[UnknownOrder]

class ConflictSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFLICT_SEVERITY_UNSPECIFIED: _ClassVar[ConflictSeverity]
    CONFLICT_SEVERITY_WRONG: _ClassVar[ConflictSeverity]
    CONFLICT_SEVERITY_DOUBTFUL: _ClassVar[ConflictSeverity]
    CONFLICT_SEVERITY_NOTE: _ClassVar[ConflictSeverity]

class PlanLineChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_LINE_CHANGE_KIND_UNSPECIFIED: _ClassVar[PlanLineChangeKind]
    PLAN_LINE_CHANGE_KIND_ADDED: _ClassVar[PlanLineChangeKind]
    PLAN_LINE_CHANGE_KIND_REMOVED: _ClassVar[PlanLineChangeKind]
    PLAN_LINE_CHANGE_KIND_CHANGED: _ClassVar[PlanLineChangeKind]
PREFIX_USE_ORDER_UNSPECIFIED: PrefixUseOrder
PREFIX_USE_ORDER_PLAN: PrefixUseOrder
PREFIX_USE_ORDER_OCTETS: PrefixUseOrder
PREFIX_USE_ORDER_SEEN: PrefixUseOrder
PREFIX_USE_ORDER_EMPTY: PrefixUseOrder
UNKNOWN_ORDER_UNSPECIFIED: UnknownOrder
UNKNOWN_ORDER_OCTETS: UnknownOrder
UNKNOWN_ORDER_LAST_SEEN: UnknownOrder
CONFLICT_SEVERITY_UNSPECIFIED: ConflictSeverity
CONFLICT_SEVERITY_WRONG: ConflictSeverity
CONFLICT_SEVERITY_DOUBTFUL: ConflictSeverity
CONFLICT_SEVERITY_NOTE: ConflictSeverity
PLAN_LINE_CHANGE_KIND_UNSPECIFIED: PlanLineChangeKind
PLAN_LINE_CHANGE_KIND_ADDED: PlanLineChangeKind
PLAN_LINE_CHANGE_KIND_REMOVED: PlanLineChangeKind
PLAN_LINE_CHANGE_KIND_CHANGED: PlanLineChangeKind

class PrefixUse(_message.Message):
    __slots__ = ("prefix", "line", "region", "segment", "person", "host_bits", "nested", "seen", "active", "octets", "own_seen", "own_active", "own_octets", "servers", "last_seen_at", "busiest_business", "busiest_octets")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    HOST_BITS_FIELD_NUMBER: _ClassVar[int]
    NESTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    OWN_SEEN_FIELD_NUMBER: _ClassVar[int]
    OWN_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    OWN_OCTETS_FIELD_NUMBER: _ClassVar[int]
    SERVERS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    BUSIEST_BUSINESS_FIELD_NUMBER: _ClassVar[int]
    BUSIEST_OCTETS_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    line: int
    region: str
    segment: str
    person: str
    host_bits: int
    nested: int
    seen: int
    active: int
    octets: int
    own_seen: int
    own_active: int
    own_octets: int
    servers: int
    last_seen_at: _timestamp_pb2.Timestamp
    busiest_business: str
    busiest_octets: int
    def __init__(self, prefix: _Optional[str] = ..., line: _Optional[int] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., host_bits: _Optional[int] = ..., nested: _Optional[int] = ..., seen: _Optional[int] = ..., active: _Optional[int] = ..., octets: _Optional[int] = ..., own_seen: _Optional[int] = ..., own_active: _Optional[int] = ..., own_octets: _Optional[int] = ..., servers: _Optional[int] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., busiest_business: _Optional[str] = ..., busiest_octets: _Optional[int] = ...) -> None: ...

class ListPrefixUseRequest(_message.Message):
    __slots__ = ("order", "limit")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    order: PrefixUseOrder
    limit: int
    def __init__(self, order: _Optional[_Union[PrefixUseOrder, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListPrefixUseResponse(_message.Message):
    __slots__ = ("prefixes", "more")
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    prefixes: _containers.RepeatedCompositeFieldContainer[PrefixUse]
    more: bool
    def __init__(self, prefixes: _Optional[_Iterable[_Union[PrefixUse, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class UnknownAddress(_message.Message):
    __slots__ = ("address", "prefix", "first_seen_at", "last_seen_at", "octets", "businesses")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    address: str
    prefix: str
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    octets: int
    businesses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., prefix: _Optional[str] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., octets: _Optional[int] = ..., businesses: _Optional[_Iterable[str]] = ...) -> None: ...

class UnknownPrefix(_message.Message):
    __slots__ = ("prefix", "scope", "addresses", "first_seen_at", "last_seen_at", "octets", "businesses", "neighbour", "plan_line")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOUR_FIELD_NUMBER: _ClassVar[int]
    PLAN_LINE_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    scope: str
    addresses: int
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    octets: int
    businesses: _containers.RepeatedScalarFieldContainer[str]
    neighbour: str
    plan_line: str
    def __init__(self, prefix: _Optional[str] = ..., scope: _Optional[str] = ..., addresses: _Optional[int] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., octets: _Optional[int] = ..., businesses: _Optional[_Iterable[str]] = ..., neighbour: _Optional[str] = ..., plan_line: _Optional[str] = ...) -> None: ...

class ListUnknownAddressesRequest(_message.Message):
    __slots__ = ("order", "limit")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    order: UnknownOrder
    limit: int
    def __init__(self, order: _Optional[_Union[UnknownOrder, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListUnknownAddressesResponse(_message.Message):
    __slots__ = ("addresses_total", "prefixes_total", "prefixes", "addresses")
    ADDRESSES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    PREFIXES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    addresses_total: int
    prefixes_total: int
    prefixes: _containers.RepeatedCompositeFieldContainer[UnknownPrefix]
    addresses: _containers.RepeatedCompositeFieldContainer[UnknownAddress]
    def __init__(self, addresses_total: _Optional[int] = ..., prefixes_total: _Optional[int] = ..., prefixes: _Optional[_Iterable[_Union[UnknownPrefix, _Mapping]]] = ..., addresses: _Optional[_Iterable[_Union[UnknownAddress, _Mapping]]] = ...) -> None: ...

class UnexpectedTalker(_message.Message):
    __slots__ = ("business", "address", "region", "segment", "person", "expected_regions", "first_seen_at", "last_seen_at", "octets")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REGIONS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    business: str
    address: str
    region: str
    segment: str
    person: str
    expected_regions: _containers.RepeatedScalarFieldContainer[str]
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    octets: int
    def __init__(self, business: _Optional[str] = ..., address: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., expected_regions: _Optional[_Iterable[str]] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., octets: _Optional[int] = ...) -> None: ...

class UnexpectedCount(_message.Message):
    __slots__ = ("business", "expected_regions", "addresses", "octets")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REGIONS_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    business: str
    expected_regions: _containers.RepeatedScalarFieldContainer[str]
    addresses: int
    octets: int
    def __init__(self, business: _Optional[str] = ..., expected_regions: _Optional[_Iterable[str]] = ..., addresses: _Optional[int] = ..., octets: _Optional[int] = ...) -> None: ...

class ListUnexpectedTalkersRequest(_message.Message):
    __slots__ = ("business", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListUnexpectedTalkersResponse(_message.Message):
    __slots__ = ("counts", "talkers")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    TALKERS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[UnexpectedCount]
    talkers: _containers.RepeatedCompositeFieldContainer[UnexpectedTalker]
    def __init__(self, counts: _Optional[_Iterable[_Union[UnexpectedCount, _Mapping]]] = ..., talkers: _Optional[_Iterable[_Union[UnexpectedTalker, _Mapping]]] = ...) -> None: ...

class WatchUnexpectedTalkersRequest(_message.Message):
    __slots__ = ("business",)
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    business: str
    def __init__(self, business: _Optional[str] = ...) -> None: ...

class WatchUnexpectedTalkersResponse(_message.Message):
    __slots__ = ("talkers", "snapshot")
    TALKERS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    talkers: _containers.RepeatedCompositeFieldContainer[UnexpectedTalker]
    snapshot: bool
    def __init__(self, talkers: _Optional[_Iterable[_Union[UnexpectedTalker, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class PlanConflict(_message.Message):
    __slots__ = ("severity", "kind", "lines", "where", "text", "remedy")
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    severity: ConflictSeverity
    kind: str
    lines: _containers.RepeatedScalarFieldContainer[int]
    where: str
    text: str
    remedy: str
    def __init__(self, severity: _Optional[_Union[ConflictSeverity, str]] = ..., kind: _Optional[str] = ..., lines: _Optional[_Iterable[int]] = ..., where: _Optional[str] = ..., text: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...

class ListPlanConflictsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListPlanConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "more")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[PlanConflict]
    more: bool
    def __init__(self, conflicts: _Optional[_Iterable[_Union[PlanConflict, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class PlanLineChange(_message.Message):
    __slots__ = ("what", "prefix", "before", "after")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    what: PlanLineChangeKind
    prefix: str
    before: str
    after: str
    def __init__(self, what: _Optional[_Union[PlanLineChangeKind, str]] = ..., prefix: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class PlanMove(_message.Message):
    __slots__ = ("from_region", "to_region", "addresses", "clients", "octets")
    FROM_REGION_FIELD_NUMBER: _ClassVar[int]
    TO_REGION_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    from_region: str
    to_region: str
    addresses: float
    clients: int
    octets: int
    def __init__(self, from_region: _Optional[str] = ..., to_region: _Optional[str] = ..., addresses: _Optional[float] = ..., clients: _Optional[int] = ..., octets: _Optional[int] = ...) -> None: ...

class PlanChange(_message.Message):
    __slots__ = ("at", "from_generation", "to_generation", "added", "removed", "changed", "moves", "lines", "summary")
    AT_FIELD_NUMBER: _ClassVar[int]
    FROM_GENERATION_FIELD_NUMBER: _ClassVar[int]
    TO_GENERATION_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    from_generation: int
    to_generation: int
    added: int
    removed: int
    changed: int
    moves: _containers.RepeatedCompositeFieldContainer[PlanMove]
    lines: _containers.RepeatedCompositeFieldContainer[PlanLineChange]
    summary: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., from_generation: _Optional[int] = ..., to_generation: _Optional[int] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ..., changed: _Optional[int] = ..., moves: _Optional[_Iterable[_Union[PlanMove, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[PlanLineChange, _Mapping]]] = ..., summary: _Optional[str] = ...) -> None: ...

class ListPlanChangesRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListPlanChangesResponse(_message.Message):
    __slots__ = ("changes", "more")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[PlanChange]
    more: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[PlanChange, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

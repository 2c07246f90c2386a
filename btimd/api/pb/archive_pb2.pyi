import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FlowSort(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FLOW_SORT_UNSPECIFIED: _ClassVar[FlowSort]
    FLOW_SORT_TIME: _ClassVar[FlowSort]
    FLOW_SORT_OCTETS: _ClassVar[FlowSort]

class FlowGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FLOW_GROUP_UNSPECIFIED: _ClassVar[FlowGroup]
    FLOW_GROUP_CLIENT: _ClassVar[FlowGroup]
    FLOW_GROUP_SERVER: _ClassVar[FlowGroup]
    FLOW_GROUP_PORT: _ClassVar[FlowGroup]
    FLOW_GROUP_PROTOCOL: _ClassVar[FlowGroup]
    FLOW_GROUP_BUSINESS: _ClassVar[FlowGroup]
    FLOW_GROUP_RULE: _ClassVar[FlowGroup]
    FLOW_GROUP_REGION: _ClassVar[FlowGroup]
    FLOW_GROUP_SEGMENT: _ClassVar[FlowGroup]
    FLOW_GROUP_EXPORTER: _ClassVar[FlowGroup]
    FLOW_GROUP_HOUR: _ClassVar[FlowGroup]

class RankSubject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RANK_SUBJECT_UNSPECIFIED: _ClassVar[RankSubject]
    RANK_SUBJECT_BUSINESSES: _ClassVar[RankSubject]
    RANK_SUBJECT_REGIONS: _ClassVar[RankSubject]
    RANK_SUBJECT_SEGMENTS: _ClassVar[RankSubject]
    RANK_SUBJECT_LINKS: _ClassVar[RankSubject]
    RANK_SUBJECT_INTERFACES: _ClassVar[RankSubject]
    RANK_SUBJECT_USERS: _ClassVar[RankSubject]
    RANK_SUBJECT_SERVERS: _ClassVar[RankSubject]
    RANK_SUBJECT_PORTS: _ClassVar[RankSubject]
    RANK_SUBJECT_EXPORTERS: _ClassVar[RankSubject]
    RANK_SUBJECT_APPLICATIONS: _ClassVar[RankSubject]
    RANK_SUBJECT_CONVERSATIONS: _ClassVar[RankSubject]

class RankMeasure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RANK_MEASURE_UNSPECIFIED: _ClassVar[RankMeasure]
    RANK_MEASURE_OCTETS: _ClassVar[RankMeasure]
    RANK_MEASURE_OCTETS_TO_SERVER: _ClassVar[RankMeasure]
    RANK_MEASURE_OCTETS_TO_CLIENT: _ClassVar[RankMeasure]
    RANK_MEASURE_PACKETS: _ClassVar[RankMeasure]
    RANK_MEASURE_FLOWS: _ClassVar[RankMeasure]
    RANK_MEASURE_USERS: _ClassVar[RankMeasure]
    RANK_MEASURE_PEAK_USERS: _ClassVar[RankMeasure]
FLOW_SORT_UNSPECIFIED: FlowSort
FLOW_SORT_TIME: FlowSort
FLOW_SORT_OCTETS: FlowSort
FLOW_GROUP_UNSPECIFIED: FlowGroup
FLOW_GROUP_CLIENT: FlowGroup
FLOW_GROUP_SERVER: FlowGroup
FLOW_GROUP_PORT: FlowGroup
FLOW_GROUP_PROTOCOL: FlowGroup
FLOW_GROUP_BUSINESS: FlowGroup
FLOW_GROUP_RULE: FlowGroup
FLOW_GROUP_REGION: FlowGroup
FLOW_GROUP_SEGMENT: FlowGroup
FLOW_GROUP_EXPORTER: FlowGroup
FLOW_GROUP_HOUR: FlowGroup
RANK_SUBJECT_UNSPECIFIED: RankSubject
RANK_SUBJECT_BUSINESSES: RankSubject
RANK_SUBJECT_REGIONS: RankSubject
RANK_SUBJECT_SEGMENTS: RankSubject
RANK_SUBJECT_LINKS: RankSubject
RANK_SUBJECT_INTERFACES: RankSubject
RANK_SUBJECT_USERS: RankSubject
RANK_SUBJECT_SERVERS: RankSubject
RANK_SUBJECT_PORTS: RankSubject
RANK_SUBJECT_EXPORTERS: RankSubject
RANK_SUBJECT_APPLICATIONS: RankSubject
RANK_SUBJECT_CONVERSATIONS: RankSubject
RANK_MEASURE_UNSPECIFIED: RankMeasure
RANK_MEASURE_OCTETS: RankMeasure
RANK_MEASURE_OCTETS_TO_SERVER: RankMeasure
RANK_MEASURE_OCTETS_TO_CLIENT: RankMeasure
RANK_MEASURE_PACKETS: RankMeasure
RANK_MEASURE_FLOWS: RankMeasure
RANK_MEASURE_USERS: RankMeasure
RANK_MEASURE_PEAK_USERS: RankMeasure

class SearchFlowsRequest(_message.Message):
    __slots__ = ("from_time", "to_time", "client", "server", "address", "peer", "port", "protocol", "business", "region", "exporter", "interface", "min_octets", "duplicates", "sort", "group_by", "limit")
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    MIN_OCTETS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    client: str
    server: str
    address: str
    peer: str
    port: int
    protocol: int
    business: str
    region: str
    exporter: str
    interface: int
    min_octets: int
    duplicates: bool
    sort: FlowSort
    group_by: _containers.RepeatedScalarFieldContainer[FlowGroup]
    limit: int
    def __init__(self, from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., client: _Optional[str] = ..., server: _Optional[str] = ..., address: _Optional[str] = ..., peer: _Optional[str] = ..., port: _Optional[int] = ..., protocol: _Optional[int] = ..., business: _Optional[str] = ..., region: _Optional[str] = ..., exporter: _Optional[str] = ..., interface: _Optional[int] = ..., min_octets: _Optional[int] = ..., duplicates: _Optional[bool] = ..., sort: _Optional[_Union[FlowSort, str]] = ..., group_by: _Optional[_Iterable[_Union[FlowGroup, str]]] = ..., limit: _Optional[int] = ...) -> None: ...

class FoundFlow(_message.Message):
    __slots__ = ("start_at", "end_at", "client", "client_port", "server", "server_port", "protocol", "from_client", "octets", "packets", "tcp_control_bits", "ip_class_of_service", "sampling_rate", "exporter", "ingress_interface", "egress_interface", "vlan_id", "rule", "businesses", "region", "segment", "duplicate", "record_quality")
    START_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_PORT_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    SERVER_PORT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    FROM_CLIENT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    TCP_CONTROL_BITS_FIELD_NUMBER: _ClassVar[int]
    IP_CLASS_OF_SERVICE_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_RATE_FIELD_NUMBER: _ClassVar[int]
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    INGRESS_INTERFACE_FIELD_NUMBER: _ClassVar[int]
    EGRESS_INTERFACE_FIELD_NUMBER: _ClassVar[int]
    VLAN_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    RECORD_QUALITY_FIELD_NUMBER: _ClassVar[int]
    start_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    client: str
    client_port: int
    server: str
    server_port: int
    protocol: int
    from_client: bool
    octets: int
    packets: int
    tcp_control_bits: int
    ip_class_of_service: int
    sampling_rate: int
    exporter: str
    ingress_interface: int
    egress_interface: int
    vlan_id: int
    rule: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    region: str
    segment: str
    duplicate: bool
    record_quality: int
    def __init__(self, start_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., client: _Optional[str] = ..., client_port: _Optional[int] = ..., server: _Optional[str] = ..., server_port: _Optional[int] = ..., protocol: _Optional[int] = ..., from_client: _Optional[bool] = ..., octets: _Optional[int] = ..., packets: _Optional[int] = ..., tcp_control_bits: _Optional[int] = ..., ip_class_of_service: _Optional[int] = ..., sampling_rate: _Optional[int] = ..., exporter: _Optional[str] = ..., ingress_interface: _Optional[int] = ..., egress_interface: _Optional[int] = ..., vlan_id: _Optional[int] = ..., rule: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., duplicate: _Optional[bool] = ..., record_quality: _Optional[int] = ...) -> None: ...

class FoundGroup(_message.Message):
    __slots__ = ("keys", "octets_to_server", "octets_to_client", "packets", "flows", "first_at", "last_at", "clients")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    OCTETS_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    octets_to_server: int
    octets_to_client: int
    packets: int
    flows: int
    first_at: _timestamp_pb2.Timestamp
    last_at: _timestamp_pb2.Timestamp
    clients: int
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., octets_to_server: _Optional[int] = ..., octets_to_client: _Optional[int] = ..., packets: _Optional[int] = ..., flows: _Optional[int] = ..., first_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clients: _Optional[int] = ...) -> None: ...

class TimeRange(_message.Message):
    __slots__ = ("from_time", "to_time")
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("hours", "files", "scanned", "missing", "bad_files", "stopped", "seconds")
    HOURS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    SCANNED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    BAD_FILES_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    hours: int
    files: int
    scanned: int
    missing: _containers.RepeatedCompositeFieldContainer[TimeRange]
    bad_files: _containers.RepeatedScalarFieldContainer[str]
    stopped: str
    seconds: float
    def __init__(self, hours: _Optional[int] = ..., files: _Optional[int] = ..., scanned: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[TimeRange, _Mapping]]] = ..., bad_files: _Optional[_Iterable[str]] = ..., stopped: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class SearchFlowsResponse(_message.Message):
    __slots__ = ("flows", "groups", "more", "coverage", "total")
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    flows: _containers.RepeatedCompositeFieldContainer[FoundFlow]
    groups: _containers.RepeatedCompositeFieldContainer[FoundGroup]
    more: bool
    coverage: Coverage
    total: FoundGroup
    def __init__(self, flows: _Optional[_Iterable[_Union[FoundFlow, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[FoundGroup, _Mapping]]] = ..., more: _Optional[bool] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., total: _Optional[_Union[FoundGroup, _Mapping]] = ...) -> None: ...

class RankRequest(_message.Message):
    __slots__ = ("subject", "measure", "from_time", "to_time", "business", "limit")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    subject: RankSubject
    measure: RankMeasure
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    business: str
    limit: int
    def __init__(self, subject: _Optional[_Union[RankSubject, str]] = ..., measure: _Optional[_Union[RankMeasure, str]] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class RankingRow(_message.Message):
    __slots__ = ("keys", "value", "share", "others")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    value: float
    share: float
    others: bool
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., value: _Optional[float] = ..., share: _Optional[float] = ..., others: _Optional[bool] = ...) -> None: ...

class RankResponse(_message.Message):
    __slots__ = ("columns", "unit", "rows", "total", "from_time", "to_time", "resolution_milliseconds", "source", "remarks", "coverage")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    rows: _containers.RepeatedCompositeFieldContainer[RankingRow]
    total: float
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    resolution_milliseconds: int
    source: str
    remarks: _containers.RepeatedScalarFieldContainer[str]
    coverage: Coverage
    def __init__(self, columns: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[RankingRow, _Mapping]]] = ..., total: _Optional[float] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolution_milliseconds: _Optional[int] = ..., source: _Optional[str] = ..., remarks: _Optional[_Iterable[str]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ...) -> None: ...

class GetArchiveStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetArchiveStatusResponse(_message.Message):
    __slots__ = ("enabled", "hours", "files", "octets", "records", "oldest_at", "newest_at", "max_octets", "keep_seconds", "written", "dropped", "waiting", "bad_files", "problem")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_AT_FIELD_NUMBER: _ClassVar[int]
    MAX_OCTETS_FIELD_NUMBER: _ClassVar[int]
    KEEP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    BAD_FILES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    hours: int
    files: int
    octets: int
    records: int
    oldest_at: _timestamp_pb2.Timestamp
    newest_at: _timestamp_pb2.Timestamp
    max_octets: int
    keep_seconds: float
    written: int
    dropped: int
    waiting: int
    bad_files: _containers.RepeatedScalarFieldContainer[str]
    problem: str
    def __init__(self, enabled: _Optional[bool] = ..., hours: _Optional[int] = ..., files: _Optional[int] = ..., octets: _Optional[int] = ..., records: _Optional[int] = ..., oldest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., newest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., max_octets: _Optional[int] = ..., keep_seconds: _Optional[float] = ..., written: _Optional[int] = ..., dropped: _Optional[int] = ..., waiting: _Optional[int] = ..., bad_files: _Optional[_Iterable[str]] = ..., problem: _Optional[str] = ...) -> None: ...

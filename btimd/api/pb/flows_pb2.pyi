import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_STATE_UNSPECIFIED: _ClassVar[UserState]
    USER_STATE_ACTIVE: _ClassVar[UserState]
    USER_STATE_IDLE: _ClassVar[UserState]
    USER_STATE_GONE: _ClassVar[UserState]

class UserTrend(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_TREND_UNSPECIFIED: _ClassVar[UserTrend]
    USER_TREND_UNKNOWN: _ClassVar[UserTrend]
    USER_TREND_RISING: _ClassVar[UserTrend]
    USER_TREND_STEADY: _ClassVar[UserTrend]
    USER_TREND_FALLING: _ClassVar[UserTrend]

class UserOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_ORDER_UNSPECIFIED: _ClassVar[UserOrder]
    USER_ORDER_LAST_SEEN: _ClassVar[UserOrder]
    USER_ORDER_OCTETS: _ClassVar[UserOrder]
    USER_ORDER_TRAFFIC: _ClassVar[UserOrder]

class UserDimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_DIMENSION_UNSPECIFIED: _ClassVar[UserDimension]
    USER_DIMENSION_BUSINESS: _ClassVar[UserDimension]
    USER_DIMENSION_REGION: _ClassVar[UserDimension]
    USER_DIMENSION_SEGMENT: _ClassVar[UserDimension]
    USER_DIMENSION_PERSON: _ClassVar[UserDimension]

class QualityDimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_DIMENSION_UNSPECIFIED: _ClassVar[QualityDimension]
    QUALITY_DIMENSION_BUSINESS: _ClassVar[QualityDimension]
    QUALITY_DIMENSION_REGION: _ClassVar[QualityDimension]
    QUALITY_DIMENSION_SEGMENT: _ClassVar[QualityDimension]
    QUALITY_DIMENSION_SERVER: _ClassVar[QualityDimension]

class SeriesFold(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERIES_FOLD_UNSPECIFIED: _ClassVar[SeriesFold]
    SERIES_FOLD_SUM: _ClassVar[SeriesFold]
    SERIES_FOLD_MEAN: _ClassVar[SeriesFold]
    SERIES_FOLD_MAX: _ClassVar[SeriesFold]
    SERIES_FOLD_LAST: _ClassVar[SeriesFold]
USER_STATE_UNSPECIFIED: UserState
USER_STATE_ACTIVE: UserState
USER_STATE_IDLE: UserState
USER_STATE_GONE: UserState
USER_TREND_UNSPECIFIED: UserTrend
USER_TREND_UNKNOWN: UserTrend
USER_TREND_RISING: UserTrend
USER_TREND_STEADY: UserTrend
USER_TREND_FALLING: UserTrend
USER_ORDER_UNSPECIFIED: UserOrder
USER_ORDER_LAST_SEEN: UserOrder
USER_ORDER_OCTETS: UserOrder
USER_ORDER_TRAFFIC: UserOrder
USER_DIMENSION_UNSPECIFIED: UserDimension
USER_DIMENSION_BUSINESS: UserDimension
USER_DIMENSION_REGION: UserDimension
USER_DIMENSION_SEGMENT: UserDimension
USER_DIMENSION_PERSON: UserDimension
QUALITY_DIMENSION_UNSPECIFIED: QualityDimension
QUALITY_DIMENSION_BUSINESS: QualityDimension
QUALITY_DIMENSION_REGION: QualityDimension
QUALITY_DIMENSION_SEGMENT: QualityDimension
QUALITY_DIMENSION_SERVER: QualityDimension
SERIES_FOLD_UNSPECIFIED: SeriesFold
SERIES_FOLD_SUM: SeriesFold
SERIES_FOLD_MEAN: SeriesFold
SERIES_FOLD_MAX: SeriesFold
SERIES_FOLD_LAST: SeriesFold

class WindowQuality(_message.Message):
    __slots__ = ("users_exact", "sampled", "sampling_error_ratio", "export_loss_ratio", "times_adjusted", "rate_assumed", "users_error_ratio")
    USERS_EXACT_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    EXPORT_LOSS_RATIO_FIELD_NUMBER: _ClassVar[int]
    TIMES_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    RATE_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    USERS_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    users_exact: bool
    sampled: bool
    sampling_error_ratio: float
    export_loss_ratio: float
    times_adjusted: bool
    rate_assumed: bool
    users_error_ratio: float
    def __init__(self, users_exact: _Optional[bool] = ..., sampled: _Optional[bool] = ..., sampling_error_ratio: _Optional[float] = ..., export_loss_ratio: _Optional[float] = ..., times_adjusted: _Optional[bool] = ..., rate_assumed: _Optional[bool] = ..., users_error_ratio: _Optional[float] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("interval_start", "interval_milliseconds", "business", "region", "segment", "octets_to_server", "octets_to_client", "packets", "flows", "users", "quality", "revision")
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    OCTETS_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    interval_start: _timestamp_pb2.Timestamp
    interval_milliseconds: int
    business: str
    region: str
    segment: str
    octets_to_server: int
    octets_to_client: int
    packets: int
    flows: int
    users: int
    quality: WindowQuality
    revision: int
    def __init__(self, interval_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval_milliseconds: _Optional[int] = ..., business: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., octets_to_server: _Optional[int] = ..., octets_to_client: _Optional[int] = ..., packets: _Optional[int] = ..., flows: _Optional[int] = ..., users: _Optional[int] = ..., quality: _Optional[_Union[WindowQuality, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class OnlineUser(_message.Message):
    __slots__ = ("business", "address", "region", "segment", "person", "state", "first_seen_at", "last_seen_at", "octets", "person_source", "octets_per_second", "octets_per_second_before", "trend")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    PERSON_SOURCE_FIELD_NUMBER: _ClassVar[int]
    OCTETS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    OCTETS_PER_SECOND_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    business: str
    address: str
    region: str
    segment: str
    person: str
    state: UserState
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    octets: int
    person_source: str
    octets_per_second: float
    octets_per_second_before: float
    trend: UserTrend
    def __init__(self, business: _Optional[str] = ..., address: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., state: _Optional[_Union[UserState, str]] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., octets: _Optional[int] = ..., person_source: _Optional[str] = ..., octets_per_second: _Optional[float] = ..., octets_per_second_before: _Optional[float] = ..., trend: _Optional[_Union[UserTrend, str]] = ...) -> None: ...

class UserCount(_message.Message):
    __slots__ = ("business", "region", "segment", "person", "active", "idle", "gone", "persons", "octets", "octets_per_second")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    business: str
    region: str
    segment: str
    person: str
    active: int
    idle: int
    gone: int
    persons: int
    octets: int
    octets_per_second: float
    def __init__(self, business: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., active: _Optional[int] = ..., idle: _Optional[int] = ..., gone: _Optional[int] = ..., persons: _Optional[int] = ..., octets: _Optional[int] = ..., octets_per_second: _Optional[float] = ...) -> None: ...

class Exporter(_message.Message):
    __slots__ = ("id", "address", "version", "observation_domains", "datagrams", "records", "lost", "templates", "sampling_rate", "first_seen_at", "last_seen_at", "name", "lost_records", "restarts", "reordered", "counting", "clock_skew_milliseconds", "sampling_rates", "sampling_announced", "unconfirmed_templates", "strict", "datagrams_per_second", "records_per_second", "duplicates", "interfaces")
    ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_DOMAINS_FIELD_NUMBER: _ClassVar[int]
    DATAGRAMS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_RATE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LOST_RECORDS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    REORDERED_FIELD_NUMBER: _ClassVar[int]
    COUNTING_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SKEW_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_RATES_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    DATAGRAMS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    RECORDS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    INTERFACES_FIELD_NUMBER: _ClassVar[int]
    id: int
    address: str
    version: int
    observation_domains: _containers.RepeatedScalarFieldContainer[int]
    datagrams: int
    records: int
    lost: int
    templates: int
    sampling_rate: int
    first_seen_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    name: str
    lost_records: int
    restarts: int
    reordered: int
    counting: str
    clock_skew_milliseconds: int
    sampling_rates: _containers.RepeatedScalarFieldContainer[int]
    sampling_announced: bool
    unconfirmed_templates: int
    strict: bool
    datagrams_per_second: float
    records_per_second: float
    duplicates: int
    interfaces: _containers.RepeatedCompositeFieldContainer[ExporterInterface]
    def __init__(self, id: _Optional[int] = ..., address: _Optional[str] = ..., version: _Optional[int] = ..., observation_domains: _Optional[_Iterable[int]] = ..., datagrams: _Optional[int] = ..., records: _Optional[int] = ..., lost: _Optional[int] = ..., templates: _Optional[int] = ..., sampling_rate: _Optional[int] = ..., first_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., name: _Optional[str] = ..., lost_records: _Optional[int] = ..., restarts: _Optional[int] = ..., reordered: _Optional[int] = ..., counting: _Optional[str] = ..., clock_skew_milliseconds: _Optional[int] = ..., sampling_rates: _Optional[_Iterable[int]] = ..., sampling_announced: _Optional[bool] = ..., unconfirmed_templates: _Optional[int] = ..., strict: _Optional[bool] = ..., datagrams_per_second: _Optional[float] = ..., records_per_second: _Optional[float] = ..., duplicates: _Optional[int] = ..., interfaces: _Optional[_Iterable[_Union[ExporterInterface, _Mapping]]] = ...) -> None: ...

class ExporterInterface(_message.Message):
    __slots__ = ("index", "name", "description", "speed")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    index: int
    name: str
    description: str
    speed: int
    def __init__(self, index: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., speed: _Optional[int] = ...) -> None: ...

class ListWindowsRequest(_message.Message):
    __slots__ = ("interval_milliseconds", "business", "limit")
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    interval_milliseconds: int
    business: str
    limit: int
    def __init__(self, interval_milliseconds: _Optional[int] = ..., business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListWindowsResponse(_message.Message):
    __slots__ = ("windows", "more")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[Window]
    more: bool
    def __init__(self, windows: _Optional[_Iterable[_Union[Window, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class WatchWindowsRequest(_message.Message):
    __slots__ = ("interval_milliseconds", "business")
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    interval_milliseconds: int
    business: str
    def __init__(self, interval_milliseconds: _Optional[int] = ..., business: _Optional[str] = ...) -> None: ...

class WatchWindowsResponse(_message.Message):
    __slots__ = ("windows", "snapshot")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[Window]
    snapshot: bool
    def __init__(self, windows: _Optional[_Iterable[_Union[Window, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ("business", "region", "limit", "segment", "person", "state", "address", "order")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    business: str
    region: str
    limit: int
    segment: str
    person: str
    state: UserState
    address: str
    order: UserOrder
    def __init__(self, business: _Optional[str] = ..., region: _Optional[str] = ..., limit: _Optional[int] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., state: _Optional[_Union[UserState, str]] = ..., address: _Optional[str] = ..., order: _Optional[_Union[UserOrder, str]] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users", "more")
    USERS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[OnlineUser]
    more: bool
    def __init__(self, users: _Optional[_Iterable[_Union[OnlineUser, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class CountUsersRequest(_message.Message):
    __slots__ = ("business", "group_by", "seen_within_seconds", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    SEEN_WITHIN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    group_by: _containers.RepeatedScalarFieldContainer[UserDimension]
    seen_within_seconds: float
    limit: int
    def __init__(self, business: _Optional[str] = ..., group_by: _Optional[_Iterable[_Union[UserDimension, str]]] = ..., seen_within_seconds: _Optional[float] = ..., limit: _Optional[int] = ...) -> None: ...

class CountUsersResponse(_message.Message):
    __slots__ = ("counts", "more")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[UserCount]
    more: bool
    def __init__(self, counts: _Optional[_Iterable[_Union[UserCount, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListExportersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RefusedExporter(_message.Message):
    __slots__ = ("address", "datagrams", "last_seen_at")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DATAGRAMS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    address: str
    datagrams: int
    last_seen_at: _timestamp_pb2.Timestamp
    def __init__(self, address: _Optional[str] = ..., datagrams: _Optional[int] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListExportersResponse(_message.Message):
    __slots__ = ("exporters", "refused")
    EXPORTERS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    exporters: _containers.RepeatedCompositeFieldContainer[Exporter]
    refused: _containers.RepeatedCompositeFieldContainer[RefusedExporter]
    def __init__(self, exporters: _Optional[_Iterable[_Union[Exporter, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[RefusedExporter, _Mapping]]] = ...) -> None: ...

class ExplainFlowRequest(_message.Message):
    __slots__ = ("address", "peer", "port", "protocol")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    address: str
    peer: str
    port: int
    protocol: int
    def __init__(self, address: _Optional[str] = ..., peer: _Optional[str] = ..., port: _Optional[int] = ..., protocol: _Optional[int] = ...) -> None: ...

class ExplainFlowResponse(_message.Message):
    __slots__ = ("businesses", "rule_id", "client", "server", "region", "segment", "person", "reasons")
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    rule_id: str
    client: str
    server: str
    region: str
    segment: str
    person: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, businesses: _Optional[_Iterable[str]] = ..., rule_id: _Optional[str] = ..., client: _Optional[str] = ..., server: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., person: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class QualityCounters(_message.Message):
    __slots__ = ("connections_attempted", "connections_established", "connections_refused", "connections_unanswered", "connections_reset_by_client", "connections_reset_by_server", "segments_to_server", "segments_to_client", "segments_retransmitted_to_server", "segments_retransmitted_to_client", "segments_out_of_order_to_server", "segments_out_of_order_to_client", "segments_unseen_to_server", "segments_unseen_to_client", "zero_windows_of_server", "zero_windows_of_client", "requests", "dns_queries", "dns_answers", "dns_nxdomain", "dns_servfail", "dns_other_errors", "dns_unanswered", "packets_repeated_by_mirror")
    CONNECTIONS_ATTEMPTED_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_ESTABLISHED_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_UNANSWERED_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_RESET_BY_CLIENT_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_RESET_BY_SERVER_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_RETRANSMITTED_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_RETRANSMITTED_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_OUT_OF_ORDER_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_OUT_OF_ORDER_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_UNSEEN_TO_SERVER_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_UNSEEN_TO_CLIENT_FIELD_NUMBER: _ClassVar[int]
    ZERO_WINDOWS_OF_SERVER_FIELD_NUMBER: _ClassVar[int]
    ZERO_WINDOWS_OF_CLIENT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    DNS_QUERIES_FIELD_NUMBER: _ClassVar[int]
    DNS_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    DNS_NXDOMAIN_FIELD_NUMBER: _ClassVar[int]
    DNS_SERVFAIL_FIELD_NUMBER: _ClassVar[int]
    DNS_OTHER_ERRORS_FIELD_NUMBER: _ClassVar[int]
    DNS_UNANSWERED_FIELD_NUMBER: _ClassVar[int]
    PACKETS_REPEATED_BY_MIRROR_FIELD_NUMBER: _ClassVar[int]
    connections_attempted: int
    connections_established: int
    connections_refused: int
    connections_unanswered: int
    connections_reset_by_client: int
    connections_reset_by_server: int
    segments_to_server: int
    segments_to_client: int
    segments_retransmitted_to_server: int
    segments_retransmitted_to_client: int
    segments_out_of_order_to_server: int
    segments_out_of_order_to_client: int
    segments_unseen_to_server: int
    segments_unseen_to_client: int
    zero_windows_of_server: int
    zero_windows_of_client: int
    requests: int
    dns_queries: int
    dns_answers: int
    dns_nxdomain: int
    dns_servfail: int
    dns_other_errors: int
    dns_unanswered: int
    packets_repeated_by_mirror: int
    def __init__(self, connections_attempted: _Optional[int] = ..., connections_established: _Optional[int] = ..., connections_refused: _Optional[int] = ..., connections_unanswered: _Optional[int] = ..., connections_reset_by_client: _Optional[int] = ..., connections_reset_by_server: _Optional[int] = ..., segments_to_server: _Optional[int] = ..., segments_to_client: _Optional[int] = ..., segments_retransmitted_to_server: _Optional[int] = ..., segments_retransmitted_to_client: _Optional[int] = ..., segments_out_of_order_to_server: _Optional[int] = ..., segments_out_of_order_to_client: _Optional[int] = ..., segments_unseen_to_server: _Optional[int] = ..., segments_unseen_to_client: _Optional[int] = ..., zero_windows_of_server: _Optional[int] = ..., zero_windows_of_client: _Optional[int] = ..., requests: _Optional[int] = ..., dns_queries: _Optional[int] = ..., dns_answers: _Optional[int] = ..., dns_nxdomain: _Optional[int] = ..., dns_servfail: _Optional[int] = ..., dns_other_errors: _Optional[int] = ..., dns_unanswered: _Optional[int] = ..., packets_repeated_by_mirror: _Optional[int] = ...) -> None: ...

class Durations(_message.Message):
    __slots__ = ("count", "mean_seconds", "least_seconds", "p50_seconds", "p95_seconds", "p99_seconds", "greatest_seconds", "buckets", "bucket_counts")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LEAST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    P95_SECONDS_FIELD_NUMBER: _ClassVar[int]
    P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    GREATEST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    BUCKET_COUNTS_FIELD_NUMBER: _ClassVar[int]
    count: int
    mean_seconds: float
    least_seconds: float
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    greatest_seconds: float
    buckets: _containers.RepeatedScalarFieldContainer[int]
    bucket_counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, count: _Optional[int] = ..., mean_seconds: _Optional[float] = ..., least_seconds: _Optional[float] = ..., p50_seconds: _Optional[float] = ..., p95_seconds: _Optional[float] = ..., p99_seconds: _Optional[float] = ..., greatest_seconds: _Optional[float] = ..., buckets: _Optional[_Iterable[int]] = ..., bucket_counts: _Optional[_Iterable[int]] = ...) -> None: ...

class ConnectionQuality(_message.Message):
    __slots__ = ("interval_start", "interval_milliseconds", "revision", "business", "region", "segment", "server", "counters", "client_leg", "server_leg", "response", "dns_response", "capture_loss_ratio")
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_LEG_FIELD_NUMBER: _ClassVar[int]
    SERVER_LEG_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    DNS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_LOSS_RATIO_FIELD_NUMBER: _ClassVar[int]
    interval_start: _timestamp_pb2.Timestamp
    interval_milliseconds: int
    revision: int
    business: str
    region: str
    segment: str
    server: str
    counters: QualityCounters
    client_leg: Durations
    server_leg: Durations
    response: Durations
    dns_response: Durations
    capture_loss_ratio: float
    def __init__(self, interval_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval_milliseconds: _Optional[int] = ..., revision: _Optional[int] = ..., business: _Optional[str] = ..., region: _Optional[str] = ..., segment: _Optional[str] = ..., server: _Optional[str] = ..., counters: _Optional[_Union[QualityCounters, _Mapping]] = ..., client_leg: _Optional[_Union[Durations, _Mapping]] = ..., server_leg: _Optional[_Union[Durations, _Mapping]] = ..., response: _Optional[_Union[Durations, _Mapping]] = ..., dns_response: _Optional[_Union[Durations, _Mapping]] = ..., capture_loss_ratio: _Optional[float] = ...) -> None: ...

class ListQualityRequest(_message.Message):
    __slots__ = ("interval_milliseconds", "business", "group_by", "limit")
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    interval_milliseconds: int
    business: str
    group_by: _containers.RepeatedScalarFieldContainer[QualityDimension]
    limit: int
    def __init__(self, interval_milliseconds: _Optional[int] = ..., business: _Optional[str] = ..., group_by: _Optional[_Iterable[_Union[QualityDimension, str]]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListQualityResponse(_message.Message):
    __slots__ = ("rows", "more")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ConnectionQuality]
    more: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[ConnectionQuality, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class WatchQualityRequest(_message.Message):
    __slots__ = ("interval_milliseconds", "business", "group_by")
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    interval_milliseconds: int
    business: str
    group_by: _containers.RepeatedScalarFieldContainer[QualityDimension]
    def __init__(self, interval_milliseconds: _Optional[int] = ..., business: _Optional[str] = ..., group_by: _Optional[_Iterable[_Union[QualityDimension, str]]] = ...) -> None: ...

class WatchQualityResponse(_message.Message):
    __slots__ = ("rows", "snapshot")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ConnectionQuality]
    snapshot: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[ConnectionQuality, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class QueryHistoryRequest(_message.Message):
    __slots__ = ("measurement", "fields", "from_time", "to_time", "group_by", "where", "step_milliseconds", "fold")
    class WhereEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    STEP_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    FOLD_FIELD_NUMBER: _ClassVar[int]
    measurement: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    group_by: _containers.RepeatedScalarFieldContainer[str]
    where: _containers.ScalarMap[str, str]
    step_milliseconds: int
    fold: SeriesFold
    def __init__(self, measurement: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group_by: _Optional[_Iterable[str]] = ..., where: _Optional[_Mapping[str, str]] = ..., step_milliseconds: _Optional[int] = ..., fold: _Optional[_Union[SeriesFold, str]] = ...) -> None: ...

class SeriesValue(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: float
    def __init__(self, value: _Optional[float] = ...) -> None: ...

class SeriesRow(_message.Message):
    __slots__ = ("time", "tags", "values")
    TIME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    tags: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedCompositeFieldContainer[SeriesValue]
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[_Union[SeriesValue, _Mapping]]] = ...) -> None: ...

class QueryHistoryResponse(_message.Message):
    __slots__ = ("rows", "more")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[SeriesRow]
    more: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[SeriesRow, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class SpanInterface(_message.Message):
    __slots__ = ("name", "interface", "threads", "packets", "octets", "kernel_drops", "freezes", "truncated", "filter", "link_up", "first_packet_at", "last_packet_at", "ring_octets", "problem")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_DROPS_FIELD_NUMBER: _ClassVar[int]
    FREEZES_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LINK_UP_FIELD_NUMBER: _ClassVar[int]
    FIRST_PACKET_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_PACKET_AT_FIELD_NUMBER: _ClassVar[int]
    RING_OCTETS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    name: str
    interface: str
    threads: int
    packets: int
    octets: int
    kernel_drops: int
    freezes: int
    truncated: int
    filter: str
    link_up: bool
    first_packet_at: _timestamp_pb2.Timestamp
    last_packet_at: _timestamp_pb2.Timestamp
    ring_octets: int
    problem: str
    def __init__(self, name: _Optional[str] = ..., interface: _Optional[str] = ..., threads: _Optional[int] = ..., packets: _Optional[int] = ..., octets: _Optional[int] = ..., kernel_drops: _Optional[int] = ..., freezes: _Optional[int] = ..., truncated: _Optional[int] = ..., filter: _Optional[str] = ..., link_up: _Optional[bool] = ..., first_packet_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_packet_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ring_octets: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class ListSpansRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSpansResponse(_message.Message):
    __slots__ = ("spans",)
    SPANS_FIELD_NUMBER: _ClassVar[int]
    spans: _containers.RepeatedCompositeFieldContainer[SpanInterface]
    def __init__(self, spans: _Optional[_Iterable[_Union[SpanInterface, _Mapping]]] = ...) -> None: ...

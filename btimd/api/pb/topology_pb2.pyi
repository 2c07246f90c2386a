import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FactSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACT_SOURCE_UNSPECIFIED: _ClassVar[FactSource]
    FACT_SOURCE_LLDP: _ClassVar[FactSource]
    FACT_SOURCE_CDP: _ClassVar[FactSource]
    FACT_SOURCE_FDB: _ClassVar[FactSource]
    FACT_SOURCE_ARP: _ClassVar[FactSource]
    FACT_SOURCE_ROUTE: _ClassVar[FactSource]
    FACT_SOURCE_FLOW: _ClassVar[FactSource]
    FACT_SOURCE_CONFIG: _ClassVar[FactSource]

class DeviceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEVICE_STATE_UNSPECIFIED: _ClassVar[DeviceState]
    DEVICE_STATE_UP: _ClassVar[DeviceState]
    DEVICE_STATE_RESTARTED: _ClassVar[DeviceState]
    DEVICE_STATE_SILENT: _ClassVar[DeviceState]
    DEVICE_STATE_UNKNOWN: _ClassVar[DeviceState]
FACT_SOURCE_UNSPECIFIED: FactSource
FACT_SOURCE_LLDP: FactSource
FACT_SOURCE_CDP: FactSource
FACT_SOURCE_FDB: FactSource
FACT_SOURCE_ARP: FactSource
FACT_SOURCE_ROUTE: FactSource
FACT_SOURCE_FLOW: FactSource
FACT_SOURCE_CONFIG: FactSource
DEVICE_STATE_UNSPECIFIED: DeviceState
DEVICE_STATE_UP: DeviceState
DEVICE_STATE_RESTARTED: DeviceState
DEVICE_STATE_SILENT: DeviceState
DEVICE_STATE_UNKNOWN: DeviceState

class Device(_message.Message):
    __slots__ = ("name", "addresses", "state", "sys_name", "sys_description", "sys_location", "model", "serial", "uptime_seconds", "exporters", "interfaces", "error", "partial", "told_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SYS_NAME_FIELD_NUMBER: _ClassVar[int]
    SYS_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SYS_LOCATION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXPORTERS_FIELD_NUMBER: _ClassVar[int]
    INTERFACES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    TOLD_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    state: DeviceState
    sys_name: str
    sys_description: str
    sys_location: str
    model: str
    serial: str
    uptime_seconds: float
    exporters: _containers.RepeatedScalarFieldContainer[str]
    interfaces: int
    error: str
    partial: _containers.RepeatedScalarFieldContainer[str]
    told_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[DeviceState, str]] = ..., sys_name: _Optional[str] = ..., sys_description: _Optional[str] = ..., sys_location: _Optional[str] = ..., model: _Optional[str] = ..., serial: _Optional[str] = ..., uptime_seconds: _Optional[float] = ..., exporters: _Optional[_Iterable[str]] = ..., interfaces: _Optional[int] = ..., error: _Optional[str] = ..., partial: _Optional[_Iterable[str]] = ..., told_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BusinessShare(_message.Message):
    __slots__ = ("business", "octets", "bits_per_second", "share")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    BITS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    business: str
    octets: int
    bits_per_second: float
    share: float
    def __init__(self, business: _Optional[str] = ..., octets: _Optional[int] = ..., bits_per_second: _Optional[float] = ..., share: _Optional[float] = ...) -> None: ...

class InterfaceLoad(_message.Message):
    __slots__ = ("device", "interface", "interface_name", "direction", "interval_start", "interval_milliseconds", "speed", "utilisation", "measured_bits_per_second", "flow_bits_per_second", "flow_coverage", "sampled", "shares")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_NAME_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    UTILISATION_FIELD_NUMBER: _ClassVar[int]
    MEASURED_BITS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    FLOW_BITS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    FLOW_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    device: str
    interface: int
    interface_name: str
    direction: str
    interval_start: _timestamp_pb2.Timestamp
    interval_milliseconds: int
    speed: int
    utilisation: float
    measured_bits_per_second: float
    flow_bits_per_second: float
    flow_coverage: float
    sampled: bool
    shares: _containers.RepeatedCompositeFieldContainer[BusinessShare]
    def __init__(self, device: _Optional[str] = ..., interface: _Optional[int] = ..., interface_name: _Optional[str] = ..., direction: _Optional[str] = ..., interval_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval_milliseconds: _Optional[int] = ..., speed: _Optional[int] = ..., utilisation: _Optional[float] = ..., measured_bits_per_second: _Optional[float] = ..., flow_bits_per_second: _Optional[float] = ..., flow_coverage: _Optional[float] = ..., sampled: _Optional[bool] = ..., shares: _Optional[_Iterable[_Union[BusinessShare, _Mapping]]] = ...) -> None: ...

class DeviceInterface(_message.Message):
    __slots__ = ("device", "index", "name", "description", "alias", "mac", "addresses", "speed", "speed_source", "admin_up", "oper_up", "sources", "neighbours", "loads")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    SPEED_SOURCE_FIELD_NUMBER: _ClassVar[int]
    ADMIN_UP_FIELD_NUMBER: _ClassVar[int]
    OPER_UP_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURS_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    device: str
    index: int
    name: str
    description: str
    alias: str
    mac: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    speed: int
    speed_source: str
    admin_up: bool
    oper_up: bool
    sources: _containers.RepeatedScalarFieldContainer[str]
    neighbours: _containers.RepeatedScalarFieldContainer[str]
    loads: _containers.RepeatedCompositeFieldContainer[InterfaceLoad]
    def __init__(self, device: _Optional[str] = ..., index: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., alias: _Optional[str] = ..., mac: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., speed: _Optional[int] = ..., speed_source: _Optional[str] = ..., admin_up: _Optional[bool] = ..., oper_up: _Optional[bool] = ..., sources: _Optional[_Iterable[str]] = ..., neighbours: _Optional[_Iterable[str]] = ..., loads: _Optional[_Iterable[_Union[InterfaceLoad, _Mapping]]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("id", "device", "interface", "interface_name", "far_device", "far_interface", "far_interface_name", "sources", "speed", "oper_up", "ambiguous", "last_seen_at", "loads")
    ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_NAME_FIELD_NUMBER: _ClassVar[int]
    FAR_DEVICE_FIELD_NUMBER: _ClassVar[int]
    FAR_INTERFACE_FIELD_NUMBER: _ClassVar[int]
    FAR_INTERFACE_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    OPER_UP_FIELD_NUMBER: _ClassVar[int]
    AMBIGUOUS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    id: str
    device: str
    interface: int
    interface_name: str
    far_device: str
    far_interface: int
    far_interface_name: str
    sources: _containers.RepeatedScalarFieldContainer[FactSource]
    speed: int
    oper_up: bool
    ambiguous: bool
    last_seen_at: _timestamp_pb2.Timestamp
    loads: _containers.RepeatedCompositeFieldContainer[InterfaceLoad]
    def __init__(self, id: _Optional[str] = ..., device: _Optional[str] = ..., interface: _Optional[int] = ..., interface_name: _Optional[str] = ..., far_device: _Optional[str] = ..., far_interface: _Optional[int] = ..., far_interface_name: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[FactSource, str]]] = ..., speed: _Optional[int] = ..., oper_up: _Optional[bool] = ..., ambiguous: _Optional[bool] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., loads: _Optional[_Iterable[_Union[InterfaceLoad, _Mapping]]] = ...) -> None: ...

class PathHop(_message.Message):
    __slots__ = ("device", "device_state", "interface", "interface_name", "direction", "interval_start", "interval_milliseconds", "octets", "bits_per_second", "share", "sampled", "derived", "utilisation", "oper_up", "far_device", "far_interface_name", "state", "remarks", "lines_to_servers")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_NAME_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    BITS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    DERIVED_FIELD_NUMBER: _ClassVar[int]
    UTILISATION_FIELD_NUMBER: _ClassVar[int]
    OPER_UP_FIELD_NUMBER: _ClassVar[int]
    FAR_DEVICE_FIELD_NUMBER: _ClassVar[int]
    FAR_INTERFACE_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    LINES_TO_SERVERS_FIELD_NUMBER: _ClassVar[int]
    device: str
    device_state: DeviceState
    interface: int
    interface_name: str
    direction: str
    interval_start: _timestamp_pb2.Timestamp
    interval_milliseconds: int
    octets: int
    bits_per_second: float
    share: float
    sampled: bool
    derived: bool
    utilisation: float
    oper_up: bool
    far_device: str
    far_interface_name: str
    state: str
    remarks: _containers.RepeatedScalarFieldContainer[str]
    lines_to_servers: int
    def __init__(self, device: _Optional[str] = ..., device_state: _Optional[_Union[DeviceState, str]] = ..., interface: _Optional[int] = ..., interface_name: _Optional[str] = ..., direction: _Optional[str] = ..., interval_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval_milliseconds: _Optional[int] = ..., octets: _Optional[int] = ..., bits_per_second: _Optional[float] = ..., share: _Optional[float] = ..., sampled: _Optional[bool] = ..., derived: _Optional[bool] = ..., utilisation: _Optional[float] = ..., oper_up: _Optional[bool] = ..., far_device: _Optional[str] = ..., far_interface_name: _Optional[str] = ..., state: _Optional[str] = ..., remarks: _Optional[_Iterable[str]] = ..., lines_to_servers: _Optional[int] = ...) -> None: ...

class DuplicationRow(_message.Message):
    __slots__ = ("interval_start", "interval_milliseconds", "exporter", "business", "counted_records", "counted_octets", "duplicate_records", "duplicate_octets", "duplication_factor", "compared", "relative_error")
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    COUNTED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    COUNTED_OCTETS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_OCTETS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATION_FACTOR_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_ERROR_FIELD_NUMBER: _ClassVar[int]
    interval_start: _timestamp_pb2.Timestamp
    interval_milliseconds: int
    exporter: str
    business: str
    counted_records: int
    counted_octets: int
    duplicate_records: int
    duplicate_octets: int
    duplication_factor: float
    compared: float
    relative_error: float
    def __init__(self, interval_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval_milliseconds: _Optional[int] = ..., exporter: _Optional[str] = ..., business: _Optional[str] = ..., counted_records: _Optional[int] = ..., counted_octets: _Optional[int] = ..., duplicate_records: _Optional[int] = ..., duplicate_octets: _Optional[int] = ..., duplication_factor: _Optional[float] = ..., compared: _Optional[float] = ..., relative_error: _Optional[float] = ...) -> None: ...

class ListDevicesRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListDevicesResponse(_message.Message):
    __slots__ = ("devices", "more")
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[Device]
    more: bool
    def __init__(self, devices: _Optional[_Iterable[_Union[Device, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListInterfacesRequest(_message.Message):
    __slots__ = ("device", "limit")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    device: str
    limit: int
    def __init__(self, device: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListInterfacesResponse(_message.Message):
    __slots__ = ("interfaces", "more")
    INTERFACES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    interfaces: _containers.RepeatedCompositeFieldContainer[DeviceInterface]
    more: bool
    def __init__(self, interfaces: _Optional[_Iterable[_Union[DeviceInterface, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListLinksRequest(_message.Message):
    __slots__ = ("device", "interface", "business", "limit")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    device: str
    interface: str
    business: str
    limit: int
    def __init__(self, device: _Optional[str] = ..., interface: _Optional[str] = ..., business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListLinksResponse(_message.Message):
    __slots__ = ("links", "more")
    LINKS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    more: bool
    def __init__(self, links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetBusinessPathRequest(_message.Message):
    __slots__ = ("business", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetBusinessPathResponse(_message.Message):
    __slots__ = ("hops", "more")
    HOPS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    hops: _containers.RepeatedCompositeFieldContainer[PathHop]
    more: bool
    def __init__(self, hops: _Optional[_Iterable[_Union[PathHop, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListDuplicationRequest(_message.Message):
    __slots__ = ("business", "exporter", "limit")
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    business: str
    exporter: str
    limit: int
    def __init__(self, business: _Optional[str] = ..., exporter: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDuplicationResponse(_message.Message):
    __slots__ = ("rows", "more")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[DuplicationRow]
    more: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[DuplicationRow, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

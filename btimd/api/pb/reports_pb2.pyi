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

class ReportChannel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_CHANNEL_UNSPECIFIED: _ClassVar[ReportChannel]
    REPORT_CHANNEL_DIAGNOSIS: _ClassVar[ReportChannel]
    REPORT_CHANNEL_MANUAL: _ClassVar[ReportChannel]
    REPORT_CHANNEL_EMAIL: _ClassVar[ReportChannel]
    REPORT_CHANNEL_WEBHOOK: _ClassVar[ReportChannel]
    REPORT_CHANNEL_TRAP: _ClassVar[ReportChannel]
    REPORT_CHANNEL_SYSLOG: _ClassVar[ReportChannel]

class ReportSignal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_SIGNAL_UNSPECIFIED: _ClassVar[ReportSignal]
    REPORT_SIGNAL_PROBLEM: _ClassVar[ReportSignal]
    REPORT_SIGNAL_CLEAR: _ClassVar[ReportSignal]
    REPORT_SIGNAL_INFO: _ClassVar[ReportSignal]

class ReportSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_SEVERITY_UNSPECIFIED: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_CRITICAL: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_HIGH: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_MEDIUM: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_LOW: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_INFO: _ClassVar[ReportSeverity]
    REPORT_SEVERITY_UNKNOWN: _ClassVar[ReportSeverity]

class ReportState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_STATE_UNSPECIFIED: _ClassVar[ReportState]
    REPORT_STATE_WAITING: _ClassVar[ReportState]
    REPORT_STATE_HANDED: _ClassVar[ReportState]
    REPORT_STATE_FOLDED: _ClassVar[ReportState]
    REPORT_STATE_SUMMED: _ClassVar[ReportState]
    REPORT_STATE_STUCK: _ClassVar[ReportState]
REPORT_CHANNEL_UNSPECIFIED: ReportChannel
REPORT_CHANNEL_DIAGNOSIS: ReportChannel
REPORT_CHANNEL_MANUAL: ReportChannel
REPORT_CHANNEL_EMAIL: ReportChannel
REPORT_CHANNEL_WEBHOOK: ReportChannel
REPORT_CHANNEL_TRAP: ReportChannel
REPORT_CHANNEL_SYSLOG: ReportChannel
REPORT_SIGNAL_UNSPECIFIED: ReportSignal
REPORT_SIGNAL_PROBLEM: ReportSignal
REPORT_SIGNAL_CLEAR: ReportSignal
REPORT_SIGNAL_INFO: ReportSignal
REPORT_SEVERITY_UNSPECIFIED: ReportSeverity
REPORT_SEVERITY_CRITICAL: ReportSeverity
REPORT_SEVERITY_HIGH: ReportSeverity
REPORT_SEVERITY_MEDIUM: ReportSeverity
REPORT_SEVERITY_LOW: ReportSeverity
REPORT_SEVERITY_INFO: ReportSeverity
REPORT_SEVERITY_UNKNOWN: ReportSeverity
REPORT_STATE_UNSPECIFIED: ReportState
REPORT_STATE_WAITING: ReportState
REPORT_STATE_HANDED: ReportState
REPORT_STATE_FOLDED: ReportState
REPORT_STATE_SUMMED: ReportState
REPORT_STATE_STUCK: ReportState

class Report(_message.Message):
    __slots__ = ("id", "channel", "source", "reporter", "received_at", "key", "signal", "title", "text", "node", "business", "severity", "fingerprint", "host", "check", "origin_id", "count", "urgency", "impact", "path", "template", "occurred_at", "attachments", "cut", "opens")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    id: str
    channel: ReportChannel
    source: str
    reporter: str
    received_at: _timestamp_pb2.Timestamp
    key: str
    signal: ReportSignal
    title: str
    text: str
    node: str
    business: str
    severity: ReportSeverity
    fingerprint: str
    host: str
    check: str
    origin_id: str
    count: int
    urgency: _incidents_pb2.Urgency
    impact: _incidents_pb2.Impact
    path: str
    template: str
    occurred_at: str
    attachments: int
    cut: int
    opens: bool
    def __init__(self, id: _Optional[str] = ..., channel: _Optional[_Union[ReportChannel, str]] = ..., source: _Optional[str] = ..., reporter: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key: _Optional[str] = ..., signal: _Optional[_Union[ReportSignal, str]] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., node: _Optional[str] = ..., business: _Optional[str] = ..., severity: _Optional[_Union[ReportSeverity, str]] = ..., fingerprint: _Optional[str] = ..., host: _Optional[str] = ..., check: _Optional[str] = ..., origin_id: _Optional[str] = ..., count: _Optional[int] = ..., urgency: _Optional[_Union[_incidents_pb2.Urgency, str]] = ..., impact: _Optional[_Union[_incidents_pb2.Impact, str]] = ..., path: _Optional[str] = ..., template: _Optional[str] = ..., occurred_at: _Optional[str] = ..., attachments: _Optional[int] = ..., cut: _Optional[int] = ..., opens: _Optional[bool] = ..., **kwargs) -> None: ...

class StoredReport(_message.Message):
    __slots__ = ("report", "state", "incident_id", "folded_into", "is_new")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    FOLDED_INTO_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    report: Report
    state: ReportState
    incident_id: str
    folded_into: str
    is_new: bool
    def __init__(self, report: _Optional[_Union[Report, _Mapping]] = ..., state: _Optional[_Union[ReportState, str]] = ..., incident_id: _Optional[str] = ..., folded_into: _Optional[str] = ..., is_new: _Optional[bool] = ...) -> None: ...

class ReportCount(_message.Message):
    __slots__ = ("channel", "state", "count", "newest_at")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_AT_FIELD_NUMBER: _ClassVar[int]
    channel: ReportChannel
    state: ReportState
    count: int
    newest_at: _timestamp_pb2.Timestamp
    def __init__(self, channel: _Optional[_Union[ReportChannel, str]] = ..., state: _Optional[_Union[ReportState, str]] = ..., count: _Optional[int] = ..., newest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReportStorm(_message.Message):
    __slots__ = ("summary_id", "channel", "source", "title", "is_one_cause", "count", "ends_at")
    SUMMARY_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    IS_ONE_CAUSE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    summary_id: str
    channel: ReportChannel
    source: str
    title: str
    is_one_cause: bool
    count: int
    ends_at: _timestamp_pb2.Timestamp
    def __init__(self, summary_id: _Optional[str] = ..., channel: _Optional[_Union[ReportChannel, str]] = ..., source: _Optional[str] = ..., title: _Optional[str] = ..., is_one_cause: _Optional[bool] = ..., count: _Optional[int] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListReportsRequest(_message.Message):
    __slots__ = ("channel", "source", "state", "incident_id", "folded_into", "limit")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    FOLDED_INTO_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    channel: ReportChannel
    source: str
    state: ReportState
    incident_id: str
    folded_into: str
    limit: int
    def __init__(self, channel: _Optional[_Union[ReportChannel, str]] = ..., source: _Optional[str] = ..., state: _Optional[_Union[ReportState, str]] = ..., incident_id: _Optional[str] = ..., folded_into: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListReportsResponse(_message.Message):
    __slots__ = ("reports", "more")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[StoredReport]
    more: bool
    def __init__(self, reports: _Optional[_Iterable[_Union[StoredReport, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("report_id",)
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    def __init__(self, report_id: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: StoredReport
    def __init__(self, report: _Optional[_Union[StoredReport, _Mapping]] = ...) -> None: ...

class CreateReportRequest(_message.Message):
    __slots__ = ("command_id", "title", "text", "node", "business", "severity", "reporter")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    title: str
    text: str
    node: str
    business: str
    severity: ReportSeverity
    reporter: str
    def __init__(self, command_id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., node: _Optional[str] = ..., business: _Optional[str] = ..., severity: _Optional[_Union[ReportSeverity, str]] = ..., reporter: _Optional[str] = ...) -> None: ...

class CreateReportResponse(_message.Message):
    __slots__ = ("report_id", "is_new", "folded_into", "incident_id")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    FOLDED_INTO_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    is_new: bool
    folded_into: str
    incident_id: str
    def __init__(self, report_id: _Optional[str] = ..., is_new: _Optional[bool] = ..., folded_into: _Optional[str] = ..., incident_id: _Optional[str] = ...) -> None: ...

class CountReportsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CountReportsResponse(_message.Message):
    __slots__ = ("counts", "storms")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STORMS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[ReportCount]
    storms: _containers.RepeatedCompositeFieldContainer[ReportStorm]
    def __init__(self, counts: _Optional[_Iterable[_Union[ReportCount, _Mapping]]] = ..., storms: _Optional[_Iterable[_Union[ReportStorm, _Mapping]]] = ...) -> None: ...

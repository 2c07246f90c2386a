import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_KIND_UNSPECIFIED: _ClassVar[NodeKind]
    NODE_KIND_BUSINESS: _ClassVar[NodeKind]
    NODE_KIND_USER: _ClassVar[NodeKind]
    NODE_KIND_NETWORK: _ClassVar[NodeKind]
    NODE_KIND_APPLICATION: _ClassVar[NodeKind]
    NODE_KIND_MIDDLEWARE: _ClassVar[NodeKind]
    NODE_KIND_DATABASE: _ClassVar[NodeKind]
    NODE_KIND_SHARED: _ClassVar[NodeKind]
    NODE_KIND_OS: _ClassVar[NodeKind]
    NODE_KIND_HOST: _ClassVar[NodeKind]
    NODE_KIND_FACILITY: _ClassVar[NodeKind]

class Criticality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CRITICALITY_UNSPECIFIED: _ClassVar[Criticality]
    CRITICALITY_CRITICAL: _ClassVar[Criticality]
    CRITICALITY_HIGH: _ClassVar[Criticality]
    CRITICALITY_NORMAL: _ClassVar[Criticality]
    CRITICALITY_LOW: _ClassVar[Criticality]

class CheckKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECK_KIND_UNSPECIFIED: _ClassVar[CheckKind]
    CHECK_KIND_ICMP: _ClassVar[CheckKind]
    CHECK_KIND_TCP: _ClassVar[CheckKind]
    CHECK_KIND_HTTP: _ClassVar[CheckKind]
    CHECK_KIND_DNS: _ClassVar[CheckKind]
    CHECK_KIND_POSTGRES: _ClassVar[CheckKind]
    CHECK_KIND_UDP: _ClassVar[CheckKind]
    CHECK_KIND_PATH: _ClassVar[CheckKind]
    CHECK_KIND_MTU: _ClassVar[CheckKind]
    CHECK_KIND_TLS: _ClassVar[CheckKind]
    CHECK_KIND_DHCP: _ClassVar[CheckKind]
    CHECK_KIND_SMTP: _ClassVar[CheckKind]
    CHECK_KIND_POP3: _ClassVar[CheckKind]
    CHECK_KIND_IMAP: _ClassVar[CheckKind]
    CHECK_KIND_FTP: _ClassVar[CheckKind]
    CHECK_KIND_LDAP: _ClassVar[CheckKind]
    CHECK_KIND_NTP: _ClassVar[CheckKind]
    CHECK_KIND_SSH: _ClassVar[CheckKind]
    CHECK_KIND_RADIUS: _ClassVar[CheckKind]
    CHECK_KIND_SIP: _ClassVar[CheckKind]
    CHECK_KIND_MYSQL: _ClassVar[CheckKind]
    CHECK_KIND_ORACLE: _ClassVar[CheckKind]
    CHECK_KIND_MSSQL: _ClassVar[CheckKind]
    CHECK_KIND_SYBASE: _ClassVar[CheckKind]
    CHECK_KIND_DB2: _ClassVar[CheckKind]
    CHECK_KIND_INFORMIX: _ClassVar[CheckKind]
    CHECK_KIND_REDIS: _ClassVar[CheckKind]
    CHECK_KIND_MONGODB: _ClassVar[CheckKind]
    CHECK_KIND_MQ: _ClassVar[CheckKind]
    CHECK_KIND_TUXEDO: _ClassVar[CheckKind]
    CHECK_KIND_T3: _ClassVar[CheckKind]
    CHECK_KIND_IIOP: _ClassVar[CheckKind]
    CHECK_KIND_NRPC: _ClassVar[CheckKind]
    CHECK_KIND_AMQP: _ClassVar[CheckKind]
    CHECK_KIND_KAFKA: _ClassVar[CheckKind]
    CHECK_KIND_AJP: _ClassVar[CheckKind]
    CHECK_KIND_SNMP: _ClassVar[CheckKind]
    CHECK_KIND_CPU: _ClassVar[CheckKind]
    CHECK_KIND_MEMORY: _ClassVar[CheckKind]
    CHECK_KIND_FILESYSTEM: _ClassVar[CheckKind]
    CHECK_KIND_FILE: _ClassVar[CheckKind]
    CHECK_KIND_PROCESS: _ClassVar[CheckKind]
    CHECK_KIND_INTERFACE: _ClassVar[CheckKind]
    CHECK_KIND_UPTIME: _ClassVar[CheckKind]
    CHECK_KIND_SENSOR: _ClassVar[CheckKind]
    CHECK_KIND_UPS: _ClassVar[CheckKind]
    CHECK_KIND_PLUGIN: _ClassVar[CheckKind]
    CHECK_KIND_PROMETHEUS: _ClassVar[CheckKind]

class Rollup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLUP_UNSPECIFIED: _ClassVar[Rollup]
    ROLLUP_WORST: _ClassVar[Rollup]
    ROLLUP_BEST: _ClassVar[Rollup]
    ROLLUP_DEGRADE: _ClassVar[Rollup]
    ROLLUP_QUORUM: _ClassVar[Rollup]
    ROLLUP_WEIGHTED: _ClassVar[Rollup]

class Provenance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVENANCE_UNSPECIFIED: _ClassVar[Provenance]
    PROVENANCE_DECLARED: _ClassVar[Provenance]
    PROVENANCE_TOPOLOGY: _ClassVar[Provenance]
    PROVENANCE_FLOWS: _ClassVar[Provenance]

class Closure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLOSURE_UNSPECIFIED: _ClassVar[Closure]
    CLOSURE_LOCAL: _ClassVar[Closure]
    CLOSURE_FULL: _ClassVar[Closure]
    CLOSURE_OWN: _ClassVar[Closure]

class Health(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEALTH_UNSPECIFIED: _ClassVar[Health]
    HEALTH_GOOD: _ClassVar[Health]
    HEALTH_BAD: _ClassVar[Health]
    HEALTH_UNKNOWN: _ClassVar[Health]

class ErrorClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_CLASS_UNSPECIFIED: _ClassVar[ErrorClass]
    ERROR_CLASS_NONE: _ClassVar[ErrorClass]
    ERROR_CLASS_REFUSED: _ClassVar[ErrorClass]
    ERROR_CLASS_TIMEOUT: _ClassVar[ErrorClass]
    ERROR_CLASS_UNREACHABLE: _ClassVar[ErrorClass]
    ERROR_CLASS_RESET: _ClassVar[ErrorClass]
    ERROR_CLASS_NO_ANSWER: _ClassVar[ErrorClass]
    ERROR_CLASS_SLOW: _ClassVar[ErrorClass]
    ERROR_CLASS_WRONG_ANSWER: _ClassVar[ErrorClass]
    ERROR_CLASS_NAME_ERROR: _ClassVar[ErrorClass]
    ERROR_CLASS_PROTOCOL_ERROR: _ClassVar[ErrorClass]
    ERROR_CLASS_NOT_PERMITTED: _ClassVar[ErrorClass]
    ERROR_CLASS_OVER_BUDGET: _ClassVar[ErrorClass]
    ERROR_CLASS_LOCAL_FAILURE: _ClassVar[ErrorClass]
    ERROR_CLASS_UNUSUAL: _ClassVar[ErrorClass]
    ERROR_CLASS_EXCEEDED: _ClassVar[ErrorClass]
    ERROR_CLASS_CERTIFICATE: _ClassVar[ErrorClass]

class NodeStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_STATUS_UNSPECIFIED: _ClassVar[NodeStatus]
    NODE_STATUS_GOOD: _ClassVar[NodeStatus]
    NODE_STATUS_DEGRADED: _ClassVar[NodeStatus]
    NODE_STATUS_BAD: _ClassVar[NodeStatus]
    NODE_STATUS_UNKNOWN: _ClassVar[NodeStatus]

class VerdictStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_STATUS_UNSPECIFIED: _ClassVar[VerdictStatus]
    VERDICT_STATUS_CAUSE_FOUND: _ClassVar[VerdictStatus]
    VERDICT_STATUS_SHORTLIST: _ClassVar[VerdictStatus]
    VERDICT_STATUS_UNKNOWN: _ClassVar[VerdictStatus]
    VERDICT_STATUS_NOT_CONFIRMED: _ClassVar[VerdictStatus]
NODE_KIND_UNSPECIFIED: NodeKind
NODE_KIND_BUSINESS: NodeKind
NODE_KIND_USER: NodeKind
NODE_KIND_NETWORK: NodeKind
NODE_KIND_APPLICATION: NodeKind
NODE_KIND_MIDDLEWARE: NodeKind
NODE_KIND_DATABASE: NodeKind
NODE_KIND_SHARED: NodeKind
NODE_KIND_OS: NodeKind
NODE_KIND_HOST: NodeKind
NODE_KIND_FACILITY: NodeKind
CRITICALITY_UNSPECIFIED: Criticality
CRITICALITY_CRITICAL: Criticality
CRITICALITY_HIGH: Criticality
CRITICALITY_NORMAL: Criticality
CRITICALITY_LOW: Criticality
CHECK_KIND_UNSPECIFIED: CheckKind
CHECK_KIND_ICMP: CheckKind
CHECK_KIND_TCP: CheckKind
CHECK_KIND_HTTP: CheckKind
CHECK_KIND_DNS: CheckKind
CHECK_KIND_POSTGRES: CheckKind
CHECK_KIND_UDP: CheckKind
CHECK_KIND_PATH: CheckKind
CHECK_KIND_MTU: CheckKind
CHECK_KIND_TLS: CheckKind
CHECK_KIND_DHCP: CheckKind
CHECK_KIND_SMTP: CheckKind
CHECK_KIND_POP3: CheckKind
CHECK_KIND_IMAP: CheckKind
CHECK_KIND_FTP: CheckKind
CHECK_KIND_LDAP: CheckKind
CHECK_KIND_NTP: CheckKind
CHECK_KIND_SSH: CheckKind
CHECK_KIND_RADIUS: CheckKind
CHECK_KIND_SIP: CheckKind
CHECK_KIND_MYSQL: CheckKind
CHECK_KIND_ORACLE: CheckKind
CHECK_KIND_MSSQL: CheckKind
CHECK_KIND_SYBASE: CheckKind
CHECK_KIND_DB2: CheckKind
CHECK_KIND_INFORMIX: CheckKind
CHECK_KIND_REDIS: CheckKind
CHECK_KIND_MONGODB: CheckKind
CHECK_KIND_MQ: CheckKind
CHECK_KIND_TUXEDO: CheckKind
CHECK_KIND_T3: CheckKind
CHECK_KIND_IIOP: CheckKind
CHECK_KIND_NRPC: CheckKind
CHECK_KIND_AMQP: CheckKind
CHECK_KIND_KAFKA: CheckKind
CHECK_KIND_AJP: CheckKind
CHECK_KIND_SNMP: CheckKind
CHECK_KIND_CPU: CheckKind
CHECK_KIND_MEMORY: CheckKind
CHECK_KIND_FILESYSTEM: CheckKind
CHECK_KIND_FILE: CheckKind
CHECK_KIND_PROCESS: CheckKind
CHECK_KIND_INTERFACE: CheckKind
CHECK_KIND_UPTIME: CheckKind
CHECK_KIND_SENSOR: CheckKind
CHECK_KIND_UPS: CheckKind
CHECK_KIND_PLUGIN: CheckKind
CHECK_KIND_PROMETHEUS: CheckKind
ROLLUP_UNSPECIFIED: Rollup
ROLLUP_WORST: Rollup
ROLLUP_BEST: Rollup
ROLLUP_DEGRADE: Rollup
ROLLUP_QUORUM: Rollup
ROLLUP_WEIGHTED: Rollup
PROVENANCE_UNSPECIFIED: Provenance
PROVENANCE_DECLARED: Provenance
PROVENANCE_TOPOLOGY: Provenance
PROVENANCE_FLOWS: Provenance
CLOSURE_UNSPECIFIED: Closure
CLOSURE_LOCAL: Closure
CLOSURE_FULL: Closure
CLOSURE_OWN: Closure
HEALTH_UNSPECIFIED: Health
HEALTH_GOOD: Health
HEALTH_BAD: Health
HEALTH_UNKNOWN: Health
ERROR_CLASS_UNSPECIFIED: ErrorClass
ERROR_CLASS_NONE: ErrorClass
ERROR_CLASS_REFUSED: ErrorClass
ERROR_CLASS_TIMEOUT: ErrorClass
ERROR_CLASS_UNREACHABLE: ErrorClass
ERROR_CLASS_RESET: ErrorClass
ERROR_CLASS_NO_ANSWER: ErrorClass
ERROR_CLASS_SLOW: ErrorClass
ERROR_CLASS_WRONG_ANSWER: ErrorClass
ERROR_CLASS_NAME_ERROR: ErrorClass
ERROR_CLASS_PROTOCOL_ERROR: ErrorClass
ERROR_CLASS_NOT_PERMITTED: ErrorClass
ERROR_CLASS_OVER_BUDGET: ErrorClass
ERROR_CLASS_LOCAL_FAILURE: ErrorClass
ERROR_CLASS_UNUSUAL: ErrorClass
ERROR_CLASS_EXCEEDED: ErrorClass
ERROR_CLASS_CERTIFICATE: ErrorClass
NODE_STATUS_UNSPECIFIED: NodeStatus
NODE_STATUS_GOOD: NodeStatus
NODE_STATUS_DEGRADED: NodeStatus
NODE_STATUS_BAD: NodeStatus
NODE_STATUS_UNKNOWN: NodeStatus
VERDICT_STATUS_UNSPECIFIED: VerdictStatus
VERDICT_STATUS_CAUSE_FOUND: VerdictStatus
VERDICT_STATUS_SHORTLIST: VerdictStatus
VERDICT_STATUS_UNKNOWN: VerdictStatus
VERDICT_STATUS_NOT_CONFIRMED: VerdictStatus

class Check(_message.Message):
    __slots__ = ("id", "node", "kind", "host", "port", "options", "timeout_seconds", "slow_over_seconds", "every_seconds", "closure", "cost")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SLOW_OVER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EVERY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLOSURE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    id: str
    node: str
    kind: CheckKind
    host: str
    port: int
    options: _containers.ScalarMap[str, str]
    timeout_seconds: float
    slow_over_seconds: float
    every_seconds: float
    closure: Closure
    cost: float
    def __init__(self, id: _Optional[str] = ..., node: _Optional[str] = ..., kind: _Optional[_Union[CheckKind, str]] = ..., host: _Optional[str] = ..., port: _Optional[int] = ..., options: _Optional[_Mapping[str, str]] = ..., timeout_seconds: _Optional[float] = ..., slow_over_seconds: _Optional[float] = ..., every_seconds: _Optional[float] = ..., closure: _Optional[_Union[Closure, str]] = ..., cost: _Optional[float] = ...) -> None: ...

class Need(_message.Message):
    __slots__ = ("node", "provenance", "confidence", "strength", "since")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    node: str
    provenance: Provenance
    confidence: float
    strength: float
    since: _timestamp_pb2.Timestamp
    def __init__(self, node: _Optional[str] = ..., provenance: _Optional[_Union[Provenance, str]] = ..., confidence: _Optional[float] = ..., strength: _Optional[float] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Node(_message.Message):
    __slots__ = ("id", "kind", "name", "needs", "checks", "prior_probability", "rollup", "quorum", "weights", "ignore", "standby", "need_facts", "region", "device")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    PRIOR_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    ROLLUP_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_FIELD_NUMBER: _ClassVar[int]
    STANDBY_FIELD_NUMBER: _ClassVar[int]
    NEED_FACTS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: NodeKind
    name: str
    needs: _containers.RepeatedScalarFieldContainer[str]
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    prior_probability: float
    rollup: Rollup
    quorum: int
    weights: _containers.ScalarMap[str, float]
    ignore: _containers.RepeatedScalarFieldContainer[str]
    standby: _containers.RepeatedScalarFieldContainer[str]
    need_facts: _containers.RepeatedCompositeFieldContainer[Need]
    region: str
    device: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[NodeKind, str]] = ..., name: _Optional[str] = ..., needs: _Optional[_Iterable[str]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., prior_probability: _Optional[float] = ..., rollup: _Optional[_Union[Rollup, str]] = ..., quorum: _Optional[int] = ..., weights: _Optional[_Mapping[str, float]] = ..., ignore: _Optional[_Iterable[str]] = ..., standby: _Optional[_Iterable[str]] = ..., need_facts: _Optional[_Iterable[_Union[Need, _Mapping]]] = ..., region: _Optional[str] = ..., device: _Optional[str] = ...) -> None: ...

class BusinessService(_message.Message):
    __slots__ = ("id", "name", "name_zh", "criticality", "owner", "availability_percent", "regions", "user_active_seconds", "user_idle_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    CRITICALITY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    USER_ACTIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    name_zh: str
    criticality: Criticality
    owner: str
    availability_percent: float
    regions: _containers.RepeatedScalarFieldContainer[str]
    user_active_seconds: float
    user_idle_seconds: float
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., criticality: _Optional[_Union[Criticality, str]] = ..., owner: _Optional[str] = ..., availability_percent: _Optional[float] = ..., regions: _Optional[_Iterable[str]] = ..., user_active_seconds: _Optional[float] = ..., user_idle_seconds: _Optional[float] = ...) -> None: ...

class NodeState(_message.Message):
    __slots__ = ("node", "kind", "name", "status", "own_health", "detail", "checked_at", "needs", "businesses")
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OWN_HEALTH_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    node: str
    kind: NodeKind
    name: str
    status: NodeStatus
    own_health: Health
    detail: str
    checked_at: _timestamp_pb2.Timestamp
    needs: _containers.RepeatedScalarFieldContainer[str]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, node: _Optional[str] = ..., kind: _Optional[_Union[NodeKind, str]] = ..., name: _Optional[str] = ..., status: _Optional[_Union[NodeStatus, str]] = ..., own_health: _Optional[_Union[Health, str]] = ..., detail: _Optional[str] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., needs: _Optional[_Iterable[str]] = ..., businesses: _Optional[_Iterable[str]] = ...) -> None: ...

class Symptom(_message.Message):
    __slots__ = ("id", "check_id", "node", "error", "text", "since", "seen_at", "region")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    id: str
    check_id: str
    node: str
    error: ErrorClass
    text: str
    since: _timestamp_pb2.Timestamp
    seen_at: _timestamp_pb2.Timestamp
    region: str
    def __init__(self, id: _Optional[str] = ..., check_id: _Optional[str] = ..., node: _Optional[str] = ..., error: _Optional[_Union[ErrorClass, str]] = ..., text: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., region: _Optional[str] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("check_id", "node", "health", "error", "detail", "why", "gain_bits", "cost", "at", "log10_ratio")
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    GAIN_BITS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LOG10_RATIO_FIELD_NUMBER: _ClassVar[int]
    check_id: str
    node: str
    health: Health
    error: ErrorClass
    detail: str
    why: str
    gain_bits: float
    cost: float
    at: _timestamp_pb2.Timestamp
    log10_ratio: float
    def __init__(self, check_id: _Optional[str] = ..., node: _Optional[str] = ..., health: _Optional[_Union[Health, str]] = ..., error: _Optional[_Union[ErrorClass, str]] = ..., detail: _Optional[str] = ..., why: _Optional[str] = ..., gain_bits: _Optional[float] = ..., cost: _Optional[float] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., log10_ratio: _Optional[float] = ...) -> None: ...

class NotAsked(_message.Message):
    __slots__ = ("node", "check_id", "why")
    NODE_FIELD_NUMBER: _ClassVar[int]
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    node: str
    check_id: str
    why: str
    def __init__(self, node: _Optional[str] = ..., check_id: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class Suspect(_message.Message):
    __slots__ = ("node", "probability")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    node: str
    probability: float
    def __init__(self, node: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("id", "symptoms", "symptom_nodes", "status", "cause", "cause_error", "path", "confidence", "ranked", "evidence", "businesses", "probes_used", "started_at", "ended_at", "taken_seconds", "summary", "causes", "not_asked")
    ID_FIELD_NUMBER: _ClassVar[int]
    SYMPTOMS_FIELD_NUMBER: _ClassVar[int]
    SYMPTOM_NODES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_ERROR_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RANKED_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    PROBES_USED_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    TAKEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    NOT_ASKED_FIELD_NUMBER: _ClassVar[int]
    id: str
    symptoms: _containers.RepeatedScalarFieldContainer[str]
    symptom_nodes: _containers.RepeatedScalarFieldContainer[str]
    status: VerdictStatus
    cause: str
    cause_error: ErrorClass
    path: _containers.RepeatedScalarFieldContainer[str]
    confidence: float
    ranked: _containers.RepeatedCompositeFieldContainer[Suspect]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    businesses: _containers.RepeatedScalarFieldContainer[str]
    probes_used: int
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    taken_seconds: float
    summary: str
    causes: _containers.RepeatedScalarFieldContainer[str]
    not_asked: _containers.RepeatedCompositeFieldContainer[NotAsked]
    def __init__(self, id: _Optional[str] = ..., symptoms: _Optional[_Iterable[str]] = ..., symptom_nodes: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[VerdictStatus, str]] = ..., cause: _Optional[str] = ..., cause_error: _Optional[_Union[ErrorClass, str]] = ..., path: _Optional[_Iterable[str]] = ..., confidence: _Optional[float] = ..., ranked: _Optional[_Iterable[_Union[Suspect, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., businesses: _Optional[_Iterable[str]] = ..., probes_used: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., taken_seconds: _Optional[float] = ..., summary: _Optional[str] = ..., causes: _Optional[_Iterable[str]] = ..., not_asked: _Optional[_Iterable[_Union[NotAsked, _Mapping]]] = ...) -> None: ...

class Diagnosis(_message.Message):
    __slots__ = ("id", "step", "symptom_nodes", "suspects", "evidence", "verdict")
    ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SYMPTOM_NODES_FIELD_NUMBER: _ClassVar[int]
    SUSPECTS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    id: str
    step: int
    symptom_nodes: _containers.RepeatedScalarFieldContainer[str]
    suspects: _containers.RepeatedCompositeFieldContainer[Suspect]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    verdict: Verdict
    def __init__(self, id: _Optional[str] = ..., step: _Optional[int] = ..., symptom_nodes: _Optional[_Iterable[str]] = ..., suspects: _Optional[_Iterable[_Union[Suspect, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...

class ProbeSpec(_message.Message):
    __slots__ = ("id", "check", "why")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    id: int
    check: Check
    why: str
    def __init__(self, id: _Optional[int] = ..., check: _Optional[_Union[Check, _Mapping]] = ..., why: _Optional[str] = ...) -> None: ...

class ProbeResult(_message.Message):
    __slots__ = ("spec", "health", "error", "detail", "started_at", "elapsed_seconds", "values")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SPEC_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    spec: ProbeSpec
    health: Health
    error: ErrorClass
    detail: str
    started_at: _timestamp_pb2.Timestamp
    elapsed_seconds: float
    values: _containers.ScalarMap[str, float]
    def __init__(self, spec: _Optional[_Union[ProbeSpec, _Mapping]] = ..., health: _Optional[_Union[Health, str]] = ..., error: _Optional[_Union[ErrorClass, str]] = ..., detail: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., elapsed_seconds: _Optional[float] = ..., values: _Optional[_Mapping[str, float]] = ...) -> None: ...

class GetGraphRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetGraphResponse(_message.Message):
    __slots__ = ("nodes", "businesses", "generation")
    NODES_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[Node]
    businesses: _containers.RepeatedCompositeFieldContainer[BusinessService]
    generation: int
    def __init__(self, nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., businesses: _Optional[_Iterable[_Union[BusinessService, _Mapping]]] = ..., generation: _Optional[int] = ...) -> None: ...

class ListNodeStatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListNodeStatesResponse(_message.Message):
    __slots__ = ("nodes",)
    NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeState]
    def __init__(self, nodes: _Optional[_Iterable[_Union[NodeState, _Mapping]]] = ...) -> None: ...

class WatchNodesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchNodesResponse(_message.Message):
    __slots__ = ("nodes", "snapshot")
    NODES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeState]
    snapshot: bool
    def __init__(self, nodes: _Optional[_Iterable[_Union[NodeState, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class ListSymptomsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSymptomsResponse(_message.Message):
    __slots__ = ("symptoms",)
    SYMPTOMS_FIELD_NUMBER: _ClassVar[int]
    symptoms: _containers.RepeatedCompositeFieldContainer[Symptom]
    def __init__(self, symptoms: _Optional[_Iterable[_Union[Symptom, _Mapping]]] = ...) -> None: ...

class ListVerdictsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListVerdictsResponse(_message.Message):
    __slots__ = ("verdicts", "more")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    more: bool
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class WatchDiagnosesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchDiagnosesResponse(_message.Message):
    __slots__ = ("diagnoses", "snapshot")
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    diagnoses: _containers.RepeatedCompositeFieldContainer[Diagnosis]
    snapshot: bool
    def __init__(self, diagnoses: _Optional[_Iterable[_Union[Diagnosis, _Mapping]]] = ..., snapshot: _Optional[bool] = ...) -> None: ...

class RunProbeRequest(_message.Message):
    __slots__ = ("check_id",)
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    check_id: str
    def __init__(self, check_id: _Optional[str] = ...) -> None: ...

class RunProbeResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: ProbeResult
    def __init__(self, result: _Optional[_Union[ProbeResult, _Mapping]] = ...) -> None: ...

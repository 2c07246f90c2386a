import datetime

from btimd.api.pb import graph_pb2 as _graph_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodePart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_PART_UNSPECIFIED: _ClassVar[NodePart]
    NODE_PART_CAUSE: _ClassVar[NodePart]
    NODE_PART_SYMPTOM: _ClassVar[NodePart]
    NODE_PART_PATH: _ClassVar[NodePart]
    NODE_PART_AFFECTED: _ClassVar[NodePart]
    NODE_PART_SUSPECT: _ClassVar[NodePart]
    NODE_PART_CLEARED: _ClassVar[NodePart]
    NODE_PART_UNSEEN: _ClassVar[NodePart]

class FactKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACT_KIND_UNSPECIFIED: _ClassVar[FactKind]
    FACT_KIND_SIGN: _ClassVar[FactKind]
    FACT_KIND_CHANGE: _ClassVar[FactKind]
    FACT_KIND_EARLIER: _ClassVar[FactKind]
NODE_PART_UNSPECIFIED: NodePart
NODE_PART_CAUSE: NodePart
NODE_PART_SYMPTOM: NodePart
NODE_PART_PATH: NodePart
NODE_PART_AFFECTED: NodePart
NODE_PART_SUSPECT: NodePart
NODE_PART_CLEARED: NodePart
NODE_PART_UNSEEN: NodePart
FACT_KIND_UNSPECIFIED: FactKind
FACT_KIND_SIGN: FactKind
FACT_KIND_CHANGE: FactKind
FACT_KIND_EARLIER: FactKind

class DiagnosisEntry(_message.Message):
    __slots__ = ("id", "started_at", "ended_at", "status", "cause", "businesses", "confidence", "taken_seconds", "probes_used", "complete", "model", "program")
    ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    BUSINESSES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TAKEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PROBES_USED_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    id: str
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    status: _graph_pb2.VerdictStatus
    cause: str
    businesses: _containers.RepeatedScalarFieldContainer[str]
    confidence: float
    taken_seconds: float
    probes_used: int
    complete: bool
    model: str
    program: str
    def __init__(self, id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[_graph_pb2.VerdictStatus, str]] = ..., cause: _Optional[str] = ..., businesses: _Optional[_Iterable[str]] = ..., confidence: _Optional[float] = ..., taken_seconds: _Optional[float] = ..., probes_used: _Optional[int] = ..., complete: _Optional[bool] = ..., model: _Optional[str] = ..., program: _Optional[str] = ...) -> None: ...

class KnownFact(_message.Message):
    __slots__ = ("kind", "node", "health", "text", "at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    kind: FactKind
    node: str
    health: _graph_pb2.Health
    text: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[FactKind, str]] = ..., node: _Optional[str] = ..., health: _Optional[_Union[_graph_pb2.Health, str]] = ..., text: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DiagnosisStep(_message.Message):
    __slots__ = ("batch", "asked_at", "answered_at", "check_id", "node", "kind", "why", "gain_bits", "cost", "health", "error", "detail", "log10_ratio", "suspects")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    GAIN_BITS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    LOG10_RATIO_FIELD_NUMBER: _ClassVar[int]
    SUSPECTS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    asked_at: _timestamp_pb2.Timestamp
    answered_at: _timestamp_pb2.Timestamp
    check_id: str
    node: str
    kind: _graph_pb2.CheckKind
    why: str
    gain_bits: float
    cost: float
    health: _graph_pb2.Health
    error: _graph_pb2.ErrorClass
    detail: str
    log10_ratio: float
    suspects: _containers.RepeatedCompositeFieldContainer[_graph_pb2.Suspect]
    def __init__(self, batch: _Optional[int] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., check_id: _Optional[str] = ..., node: _Optional[str] = ..., kind: _Optional[_Union[_graph_pb2.CheckKind, str]] = ..., why: _Optional[str] = ..., gain_bits: _Optional[float] = ..., cost: _Optional[float] = ..., health: _Optional[_Union[_graph_pb2.Health, str]] = ..., error: _Optional[_Union[_graph_pb2.ErrorClass, str]] = ..., detail: _Optional[str] = ..., log10_ratio: _Optional[float] = ..., suspects: _Optional[_Iterable[_Union[_graph_pb2.Suspect, _Mapping]]] = ...) -> None: ...

class StoryNode(_message.Message):
    __slots__ = ("id", "kind", "name", "name_zh", "part", "probability", "good", "bad", "unanswered")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    BAD_FIELD_NUMBER: _ClassVar[int]
    UNANSWERED_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: _graph_pb2.NodeKind
    name: str
    name_zh: str
    part: NodePart
    probability: float
    good: int
    bad: int
    unanswered: int
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[_graph_pb2.NodeKind, str]] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., part: _Optional[_Union[NodePart, str]] = ..., probability: _Optional[float] = ..., good: _Optional[int] = ..., bad: _Optional[int] = ..., unanswered: _Optional[int] = ...) -> None: ...

class StoryEdge(_message.Message):
    __slots__ = ("node", "need", "on_path")
    NODE_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    ON_PATH_FIELD_NUMBER: _ClassVar[int]
    node: str
    need: str
    on_path: bool
    def __init__(self, node: _Optional[str] = ..., need: _Optional[str] = ..., on_path: _Optional[bool] = ...) -> None: ...

class DiagnosisStory(_message.Message):
    __slots__ = ("verdict", "symptoms", "known", "suspects", "steps", "nodes", "edges", "left_out", "complete", "model", "program", "differences")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SYMPTOMS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SUSPECTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    verdict: _graph_pb2.Verdict
    symptoms: _containers.RepeatedCompositeFieldContainer[_graph_pb2.Symptom]
    known: _containers.RepeatedCompositeFieldContainer[KnownFact]
    suspects: _containers.RepeatedCompositeFieldContainer[_graph_pb2.Suspect]
    steps: _containers.RepeatedCompositeFieldContainer[DiagnosisStep]
    nodes: _containers.RepeatedCompositeFieldContainer[StoryNode]
    edges: _containers.RepeatedCompositeFieldContainer[StoryEdge]
    left_out: int
    complete: bool
    model: str
    program: str
    differences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, verdict: _Optional[_Union[_graph_pb2.Verdict, _Mapping]] = ..., symptoms: _Optional[_Iterable[_Union[_graph_pb2.Symptom, _Mapping]]] = ..., known: _Optional[_Iterable[_Union[KnownFact, _Mapping]]] = ..., suspects: _Optional[_Iterable[_Union[_graph_pb2.Suspect, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[DiagnosisStep, _Mapping]]] = ..., nodes: _Optional[_Iterable[_Union[StoryNode, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[StoryEdge, _Mapping]]] = ..., left_out: _Optional[int] = ..., complete: _Optional[bool] = ..., model: _Optional[str] = ..., program: _Optional[str] = ..., differences: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDiagnosesRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListDiagnosesResponse(_message.Message):
    __slots__ = ("diagnoses", "more")
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    diagnoses: _containers.RepeatedCompositeFieldContainer[DiagnosisEntry]
    more: bool
    def __init__(self, diagnoses: _Optional[_Iterable[_Union[DiagnosisEntry, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetDiagnosisRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class GetDiagnosisResponse(_message.Message):
    __slots__ = ("story",)
    STORY_FIELD_NUMBER: _ClassVar[int]
    story: DiagnosisStory
    def __init__(self, story: _Optional[_Union[DiagnosisStory, _Mapping]] = ...) -> None: ...

class ExportDiagnosisRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ExportDiagnosisResponse(_message.Message):
    __slots__ = ("capsule",)
    CAPSULE_FIELD_NUMBER: _ClassVar[int]
    capsule: bytes
    def __init__(self, capsule: _Optional[bytes] = ...) -> None: ...

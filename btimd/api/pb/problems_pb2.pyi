import datetime

from btimd.api.pb import knowledge_pb2 as _knowledge_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProblemState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROBLEM_STATE_UNSPECIFIED: _ClassVar[ProblemState]
    PROBLEM_STATE_OPEN: _ClassVar[ProblemState]
    PROBLEM_STATE_INVESTIGATING: _ClassVar[ProblemState]
    PROBLEM_STATE_KNOWN_ERROR: _ClassVar[ProblemState]
    PROBLEM_STATE_RFC_RAISED: _ClassVar[ProblemState]
    PROBLEM_STATE_CLOSED: _ClassVar[ProblemState]

class ProblemOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROBLEM_ORIGIN_UNSPECIFIED: _ClassVar[ProblemOrigin]
    PROBLEM_ORIGIN_MANUAL: _ClassVar[ProblemOrigin]
    PROBLEM_ORIGIN_RECURRING: _ClassVar[ProblemOrigin]
    PROBLEM_ORIGIN_UNKNOWN_CAUSE: _ClassVar[ProblemOrigin]
    PROBLEM_ORIGIN_PROACTIVE: _ClassVar[ProblemOrigin]

class ChangeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_STATE_UNSPECIFIED: _ClassVar[ChangeState]
    CHANGE_STATE_PLANNED: _ClassVar[ChangeState]
    CHANGE_STATE_SUCCEEDED: _ClassVar[ChangeState]
    CHANGE_STATE_FAILED: _ClassVar[ChangeState]
    CHANGE_STATE_BACKED_OUT: _ClassVar[ChangeState]
    CHANGE_STATE_CANCELLED: _ClassVar[ChangeState]
PROBLEM_STATE_UNSPECIFIED: ProblemState
PROBLEM_STATE_OPEN: ProblemState
PROBLEM_STATE_INVESTIGATING: ProblemState
PROBLEM_STATE_KNOWN_ERROR: ProblemState
PROBLEM_STATE_RFC_RAISED: ProblemState
PROBLEM_STATE_CLOSED: ProblemState
PROBLEM_ORIGIN_UNSPECIFIED: ProblemOrigin
PROBLEM_ORIGIN_MANUAL: ProblemOrigin
PROBLEM_ORIGIN_RECURRING: ProblemOrigin
PROBLEM_ORIGIN_UNKNOWN_CAUSE: ProblemOrigin
PROBLEM_ORIGIN_PROACTIVE: ProblemOrigin
CHANGE_STATE_UNSPECIFIED: ChangeState
CHANGE_STATE_PLANNED: ChangeState
CHANGE_STATE_SUCCEEDED: ChangeState
CHANGE_STATE_FAILED: ChangeState
CHANGE_STATE_BACKED_OUT: ChangeState
CHANGE_STATE_CANCELLED: ChangeState

class Problem(_message.Message):
    __slots__ = ("id", "version", "state", "origin", "title", "description", "key", "node", "incidents", "incident_count", "owner", "cause", "workaround", "article_id", "change_id", "opened_at", "known_error_at", "rfc_at", "closed_at", "closing_note")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    WORKAROUND_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ERROR_AT_FIELD_NUMBER: _ClassVar[int]
    RFC_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSING_NOTE_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    state: ProblemState
    origin: ProblemOrigin
    title: str
    description: str
    key: str
    node: str
    incidents: _containers.RepeatedScalarFieldContainer[str]
    incident_count: int
    owner: str
    cause: str
    workaround: str
    article_id: str
    change_id: str
    opened_at: _timestamp_pb2.Timestamp
    known_error_at: _timestamp_pb2.Timestamp
    rfc_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    closing_note: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[ProblemState, str]] = ..., origin: _Optional[_Union[ProblemOrigin, str]] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., key: _Optional[str] = ..., node: _Optional[str] = ..., incidents: _Optional[_Iterable[str]] = ..., incident_count: _Optional[int] = ..., owner: _Optional[str] = ..., cause: _Optional[str] = ..., workaround: _Optional[str] = ..., article_id: _Optional[str] = ..., change_id: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known_error_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rfc_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closing_note: _Optional[str] = ...) -> None: ...

class ProposedProblem(_message.Message):
    __slots__ = ("key", "title", "why", "origin", "node", "incidents", "proposed_at")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_AT_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    why: str
    origin: ProblemOrigin
    node: str
    incidents: _containers.RepeatedScalarFieldContainer[str]
    proposed_at: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., why: _Optional[str] = ..., origin: _Optional[_Union[ProblemOrigin, str]] = ..., node: _Optional[str] = ..., incidents: _Optional[_Iterable[str]] = ..., proposed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class InfrastructureChange(_message.Message):
    __slots__ = ("id", "version", "state", "title", "problem_id", "nodes", "planned_at", "ended_at", "incidents", "note")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    PLANNED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    state: ChangeState
    title: str
    problem_id: str
    nodes: _containers.RepeatedScalarFieldContainer[str]
    planned_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    incidents: _containers.RepeatedScalarFieldContainer[str]
    note: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[ChangeState, str]] = ..., title: _Optional[str] = ..., problem_id: _Optional[str] = ..., nodes: _Optional[_Iterable[str]] = ..., planned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., incidents: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ...) -> None: ...

class ListProblemsRequest(_message.Message):
    __slots__ = ("states", "incident_id", "limit")
    STATES_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[ProblemState]
    incident_id: str
    limit: int
    def __init__(self, states: _Optional[_Iterable[_Union[ProblemState, str]]] = ..., incident_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListProblemsResponse(_message.Message):
    __slots__ = ("problems", "more")
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    more: bool
    def __init__(self, problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetProblemRequest(_message.Message):
    __slots__ = ("problem_id",)
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    problem_id: str
    def __init__(self, problem_id: _Optional[str] = ...) -> None: ...

class GetProblemResponse(_message.Message):
    __slots__ = ("problem", "history")
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    history: _containers.RepeatedCompositeFieldContainer[_knowledge_pb2.RecordEvent]
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ..., history: _Optional[_Iterable[_Union[_knowledge_pb2.RecordEvent, _Mapping]]] = ...) -> None: ...

class ListProblemProposalsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProblemProposalsResponse(_message.Message):
    __slots__ = ("proposals",)
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    proposals: _containers.RepeatedCompositeFieldContainer[ProposedProblem]
    def __init__(self, proposals: _Optional[_Iterable[_Union[ProposedProblem, _Mapping]]] = ...) -> None: ...

class DismissProblemProposalRequest(_message.Message):
    __slots__ = ("key", "reason")
    KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    key: str
    reason: str
    def __init__(self, key: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DismissProblemProposalResponse(_message.Message):
    __slots__ = ("proposal",)
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    proposal: ProposedProblem
    def __init__(self, proposal: _Optional[_Union[ProposedProblem, _Mapping]] = ...) -> None: ...

class OpenProblemRequest(_message.Message):
    __slots__ = ("command_id", "title", "description", "node", "incidents", "owner", "proposal_key")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_KEY_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    title: str
    description: str
    node: str
    incidents: _containers.RepeatedScalarFieldContainer[str]
    owner: str
    proposal_key: str
    def __init__(self, command_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., node: _Optional[str] = ..., incidents: _Optional[_Iterable[str]] = ..., owner: _Optional[str] = ..., proposal_key: _Optional[str] = ...) -> None: ...

class OpenProblemResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class InvestigateProblemRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "owner", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    owner: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., owner: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class InvestigateProblemResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class NoteProblemRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "finding")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    finding: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., finding: _Optional[str] = ...) -> None: ...

class NoteProblemResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class SetKnownErrorRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "cause", "workaround", "article_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    WORKAROUND_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    cause: str
    workaround: str
    article_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., cause: _Optional[str] = ..., workaround: _Optional[str] = ..., article_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SetKnownErrorResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class RaiseChangeRequestRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "change_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    change_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., change_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RaiseChangeRequestResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class CloseProblemRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CloseProblemResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class LinkIncidentRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "incident_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    incident_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., incident_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class LinkIncidentResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class UnlinkIncidentRequest(_message.Message):
    __slots__ = ("command_id", "problem_id", "expected_version", "incident_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    expected_version: int
    incident_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., incident_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UnlinkIncidentResponse(_message.Message):
    __slots__ = ("problem",)
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    problem: Problem
    def __init__(self, problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class GetChangeRequestTextRequest(_message.Message):
    __slots__ = ("problem_id", "change", "risk")
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    problem_id: str
    change: str
    risk: str
    def __init__(self, problem_id: _Optional[str] = ..., change: _Optional[str] = ..., risk: _Optional[str] = ...) -> None: ...

class GetChangeRequestTextResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class ListChangesRequest(_message.Message):
    __slots__ = ("states", "limit")
    STATES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[ChangeState]
    limit: int
    def __init__(self, states: _Optional[_Iterable[_Union[ChangeState, str]]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListChangesResponse(_message.Message):
    __slots__ = ("changes", "more")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[InfrastructureChange]
    more: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[InfrastructureChange, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetChangeRequest(_message.Message):
    __slots__ = ("change_id",)
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    def __init__(self, change_id: _Optional[str] = ...) -> None: ...

class GetChangeResponse(_message.Message):
    __slots__ = ("change", "history")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    change: InfrastructureChange
    history: _containers.RepeatedCompositeFieldContainer[_knowledge_pb2.RecordEvent]
    def __init__(self, change: _Optional[_Union[InfrastructureChange, _Mapping]] = ..., history: _Optional[_Iterable[_Union[_knowledge_pb2.RecordEvent, _Mapping]]] = ...) -> None: ...

class PlanChangeRequest(_message.Message):
    __slots__ = ("command_id", "title", "planned_at", "nodes", "problem_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PLANNED_AT_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    title: str
    planned_at: _timestamp_pb2.Timestamp
    nodes: _containers.RepeatedScalarFieldContainer[str]
    problem_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., title: _Optional[str] = ..., planned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., nodes: _Optional[_Iterable[str]] = ..., problem_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PlanChangeResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: InfrastructureChange
    def __init__(self, change: _Optional[_Union[InfrastructureChange, _Mapping]] = ...) -> None: ...

class EndChangeRequest(_message.Message):
    __slots__ = ("command_id", "change_id", "expected_version", "outcome", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    change_id: str
    expected_version: int
    outcome: ChangeState
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., change_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., outcome: _Optional[_Union[ChangeState, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class EndChangeResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: InfrastructureChange
    def __init__(self, change: _Optional[_Union[InfrastructureChange, _Mapping]] = ...) -> None: ...

class BlameChangeRequest(_message.Message):
    __slots__ = ("command_id", "change_id", "incident_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    change_id: str
    incident_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., change_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class BlameChangeResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: InfrastructureChange
    def __init__(self, change: _Optional[_Union[InfrastructureChange, _Mapping]] = ...) -> None: ...

class GetChangeFiguresRequest(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetChangeFiguresResponse(_message.Message):
    __slots__ = ("made", "succeeded", "caused_incidents", "cancelled", "overdue")
    MADE_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    CAUSED_INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    made: int
    succeeded: int
    caused_incidents: int
    cancelled: int
    overdue: int
    def __init__(self, made: _Optional[int] = ..., succeeded: _Optional[int] = ..., caused_incidents: _Optional[int] = ..., cancelled: _Optional[int] = ..., overdue: _Optional[int] = ...) -> None: ...

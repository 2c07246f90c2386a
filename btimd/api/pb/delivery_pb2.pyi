import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TargetState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TARGET_STATE_UNSPECIFIED: _ClassVar[TargetState]
    TARGET_STATE_HEALTHY: _ClassVar[TargetState]
    TARGET_STATE_HELD_BACK: _ClassVar[TargetState]
    TARGET_STATE_REFUSES: _ClassVar[TargetState]
    TARGET_STATE_PAUSED: _ClassVar[TargetState]

class ProvenAgainst(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVEN_AGAINST_UNSPECIFIED: _ClassVar[ProvenAgainst]
    PROVEN_AGAINST_REAL_SERVER: _ClassVar[ProvenAgainst]
    PROVEN_AGAINST_PUBLISHED_RULES: _ClassVar[ProvenAgainst]

class Credentials(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREDENTIALS_UNSPECIFIED: _ClassVar[Credentials]
    CREDENTIALS_ACCEPTED: _ClassVar[Credentials]
    CREDENTIALS_REFUSED: _ClassVar[Credentials]
    CREDENTIALS_NOT_TESTED: _ClassVar[Credentials]

class OutboxState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTBOX_STATE_UNSPECIFIED: _ClassVar[OutboxState]
    OUTBOX_STATE_PENDING: _ClassVar[OutboxState]
    OUTBOX_STATE_INFLIGHT: _ClassVar[OutboxState]
    OUTBOX_STATE_DONE: _ClassVar[OutboxState]
    OUTBOX_STATE_DEAD: _ClassVar[OutboxState]
    OUTBOX_STATE_SUPERSEDED: _ClassVar[OutboxState]
    OUTBOX_STATE_DROPPED: _ClassVar[OutboxState]

class DeliveryActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_ACTION_KIND_UNSPECIFIED: _ClassVar[DeliveryActionKind]
    DELIVERY_ACTION_KIND_PAUSE: _ClassVar[DeliveryActionKind]
    DELIVERY_ACTION_KIND_RESUME: _ClassVar[DeliveryActionKind]
    DELIVERY_ACTION_KIND_EDIT: _ClassVar[DeliveryActionKind]
    DELIVERY_ACTION_KIND_RESEND: _ClassVar[DeliveryActionKind]
    DELIVERY_ACTION_KIND_DROP: _ClassVar[DeliveryActionKind]
TARGET_STATE_UNSPECIFIED: TargetState
TARGET_STATE_HEALTHY: TargetState
TARGET_STATE_HELD_BACK: TargetState
TARGET_STATE_REFUSES: TargetState
TARGET_STATE_PAUSED: TargetState
PROVEN_AGAINST_UNSPECIFIED: ProvenAgainst
PROVEN_AGAINST_REAL_SERVER: ProvenAgainst
PROVEN_AGAINST_PUBLISHED_RULES: ProvenAgainst
CREDENTIALS_UNSPECIFIED: Credentials
CREDENTIALS_ACCEPTED: Credentials
CREDENTIALS_REFUSED: Credentials
CREDENTIALS_NOT_TESTED: Credentials
OUTBOX_STATE_UNSPECIFIED: OutboxState
OUTBOX_STATE_PENDING: OutboxState
OUTBOX_STATE_INFLIGHT: OutboxState
OUTBOX_STATE_DONE: OutboxState
OUTBOX_STATE_DEAD: OutboxState
OUTBOX_STATE_SUPERSEDED: OutboxState
OUTBOX_STATE_DROPPED: OutboxState
DELIVERY_ACTION_KIND_UNSPECIFIED: DeliveryActionKind
DELIVERY_ACTION_KIND_PAUSE: DeliveryActionKind
DELIVERY_ACTION_KIND_RESUME: DeliveryActionKind
DELIVERY_ACTION_KIND_EDIT: DeliveryActionKind
DELIVERY_ACTION_KIND_RESEND: DeliveryActionKind
DELIVERY_ACTION_KIND_DROP: DeliveryActionKind

class DeliveryTarget(_message.Message):
    __slots__ = ("name", "kind", "tier", "proven_against", "state", "reason", "paused_by", "paused_at", "pending", "in_flight", "dead", "oldest_at", "last_success_at", "last_error", "last_error_at", "takes_callbacks", "is_asked")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    PROVEN_AGAINST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PAUSED_BY_FIELD_NUMBER: _ClassVar[int]
    PAUSED_AT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SUCCESS_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_AT_FIELD_NUMBER: _ClassVar[int]
    TAKES_CALLBACKS_FIELD_NUMBER: _ClassVar[int]
    IS_ASKED_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    tier: int
    proven_against: ProvenAgainst
    state: TargetState
    reason: str
    paused_by: str
    paused_at: _timestamp_pb2.Timestamp
    pending: int
    in_flight: int
    dead: int
    oldest_at: _timestamp_pb2.Timestamp
    last_success_at: _timestamp_pb2.Timestamp
    last_error: str
    last_error_at: _timestamp_pb2.Timestamp
    takes_callbacks: bool
    is_asked: bool
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., tier: _Optional[int] = ..., proven_against: _Optional[_Union[ProvenAgainst, str]] = ..., state: _Optional[_Union[TargetState, str]] = ..., reason: _Optional[str] = ..., paused_by: _Optional[str] = ..., paused_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pending: _Optional[int] = ..., in_flight: _Optional[int] = ..., dead: _Optional[int] = ..., oldest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_success_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_error: _Optional[str] = ..., last_error_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., takes_callbacks: _Optional[bool] = ..., is_asked: _Optional[bool] = ...) -> None: ...

class TargetTrial(_message.Message):
    __slots__ = ("target", "at", "is_reachable", "credentials", "detail", "took_seconds")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    IS_REACHABLE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    TOOK_SECONDS_FIELD_NUMBER: _ClassVar[int]
    target: str
    at: _timestamp_pb2.Timestamp
    is_reachable: bool
    credentials: Credentials
    detail: str
    took_seconds: float
    def __init__(self, target: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_reachable: _Optional[bool] = ..., credentials: _Optional[_Union[Credentials, str]] = ..., detail: _Optional[str] = ..., took_seconds: _Optional[float] = ...) -> None: ...

class OutboxEntry(_message.Message):
    __slots__ = ("id", "target", "incident_id", "seq", "state", "attempts", "created_at", "next_at", "ended_at", "last_error", "is_uncertain", "content_type", "body")
    ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    IS_UNCERTAIN_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    id: str
    target: str
    incident_id: str
    seq: int
    state: OutboxState
    attempts: int
    created_at: _timestamp_pb2.Timestamp
    next_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    last_error: str
    is_uncertain: bool
    content_type: str
    body: str
    def __init__(self, id: _Optional[str] = ..., target: _Optional[str] = ..., incident_id: _Optional[str] = ..., seq: _Optional[int] = ..., state: _Optional[_Union[OutboxState, str]] = ..., attempts: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_error: _Optional[str] = ..., is_uncertain: _Optional[bool] = ..., content_type: _Optional[str] = ..., body: _Optional[str] = ...) -> None: ...

class TargetReference(_message.Message):
    __slots__ = ("target", "incident_id", "external_id", "seq", "is_open", "note")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    target: str
    incident_id: str
    external_id: str
    seq: int
    is_open: bool
    note: str
    def __init__(self, target: _Optional[str] = ..., incident_id: _Optional[str] = ..., external_id: _Optional[str] = ..., seq: _Optional[int] = ..., is_open: _Optional[bool] = ..., note: _Optional[str] = ...) -> None: ...

class DeliveryAction(_message.Message):
    __slots__ = ("at", "actor", "kind", "target", "message_id", "incident_id", "reason", "command_id")
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    actor: str
    kind: DeliveryActionKind
    target: str
    message_id: str
    incident_id: str
    reason: str
    command_id: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., kind: _Optional[_Union[DeliveryActionKind, str]] = ..., target: _Optional[str] = ..., message_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., reason: _Optional[str] = ..., command_id: _Optional[str] = ...) -> None: ...

class ListTargetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTargetsResponse(_message.Message):
    __slots__ = ("targets",)
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[DeliveryTarget]
    def __init__(self, targets: _Optional[_Iterable[_Union[DeliveryTarget, _Mapping]]] = ...) -> None: ...

class TryTargetRequest(_message.Message):
    __slots__ = ("target",)
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: str
    def __init__(self, target: _Optional[str] = ...) -> None: ...

class TryTargetResponse(_message.Message):
    __slots__ = ("trial",)
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    trial: TargetTrial
    def __init__(self, trial: _Optional[_Union[TargetTrial, _Mapping]] = ...) -> None: ...

class PauseTargetRequest(_message.Message):
    __slots__ = ("command_id", "target", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    target: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., target: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PauseTargetResponse(_message.Message):
    __slots__ = ("target",)
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: DeliveryTarget
    def __init__(self, target: _Optional[_Union[DeliveryTarget, _Mapping]] = ...) -> None: ...

class ResumeTargetRequest(_message.Message):
    __slots__ = ("command_id", "target", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    target: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., target: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeTargetResponse(_message.Message):
    __slots__ = ("target",)
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: DeliveryTarget
    def __init__(self, target: _Optional[_Union[DeliveryTarget, _Mapping]] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("target", "limit")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    target: str
    limit: int
    def __init__(self, target: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("letters", "more")
    LETTERS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    letters: _containers.RepeatedCompositeFieldContainer[OutboxEntry]
    more: bool
    def __init__(self, letters: _Optional[_Iterable[_Union[OutboxEntry, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetDeadLetterRequest(_message.Message):
    __slots__ = ("message_id",)
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    def __init__(self, message_id: _Optional[str] = ...) -> None: ...

class GetDeadLetterResponse(_message.Message):
    __slots__ = ("letter",)
    LETTER_FIELD_NUMBER: _ClassVar[int]
    letter: OutboxEntry
    def __init__(self, letter: _Optional[_Union[OutboxEntry, _Mapping]] = ...) -> None: ...

class EditDeadLetterRequest(_message.Message):
    __slots__ = ("command_id", "message_id", "body", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    message_id: str
    body: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., message_id: _Optional[str] = ..., body: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EditDeadLetterResponse(_message.Message):
    __slots__ = ("letter",)
    LETTER_FIELD_NUMBER: _ClassVar[int]
    letter: OutboxEntry
    def __init__(self, letter: _Optional[_Union[OutboxEntry, _Mapping]] = ...) -> None: ...

class ResendDeadLetterRequest(_message.Message):
    __slots__ = ("command_id", "message_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    message_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., message_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResendDeadLetterResponse(_message.Message):
    __slots__ = ("letter",)
    LETTER_FIELD_NUMBER: _ClassVar[int]
    letter: OutboxEntry
    def __init__(self, letter: _Optional[_Union[OutboxEntry, _Mapping]] = ...) -> None: ...

class DropDeadLetterRequest(_message.Message):
    __slots__ = ("command_id", "message_id", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    message_id: str
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., message_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DropDeadLetterResponse(_message.Message):
    __slots__ = ("letter",)
    LETTER_FIELD_NUMBER: _ClassVar[int]
    letter: OutboxEntry
    def __init__(self, letter: _Optional[_Union[OutboxEntry, _Mapping]] = ...) -> None: ...

class ListOutboxRequest(_message.Message):
    __slots__ = ("incident_id", "limit")
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    limit: int
    def __init__(self, incident_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListOutboxResponse(_message.Message):
    __slots__ = ("entries", "references", "more")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[OutboxEntry]
    references: _containers.RepeatedCompositeFieldContainer[TargetReference]
    more: bool
    def __init__(self, entries: _Optional[_Iterable[_Union[OutboxEntry, _Mapping]]] = ..., references: _Optional[_Iterable[_Union[TargetReference, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListDeliveryActionsRequest(_message.Message):
    __slots__ = ("target", "incident_id", "limit")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    target: str
    incident_id: str
    limit: int
    def __init__(self, target: _Optional[str] = ..., incident_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeliveryActionsResponse(_message.Message):
    __slots__ = ("actions", "more")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[DeliveryAction]
    more: bool
    def __init__(self, actions: _Optional[_Iterable[_Union[DeliveryAction, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

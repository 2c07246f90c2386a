import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SurveyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SURVEY_STATE_UNSPECIFIED: _ClassVar[SurveyState]
    SURVEY_STATE_INVITED: _ClassVar[SurveyState]
    SURVEY_STATE_REMINDED: _ClassVar[SurveyState]
    SURVEY_STATE_ANSWERED: _ClassVar[SurveyState]
    SURVEY_STATE_EXPIRED: _ClassVar[SurveyState]
SURVEY_STATE_UNSPECIFIED: SurveyState
SURVEY_STATE_INVITED: SurveyState
SURVEY_STATE_REMINDED: SurveyState
SURVEY_STATE_ANSWERED: SurveyState
SURVEY_STATE_EXPIRED: SurveyState

class Survey(_message.Message):
    __slots__ = ("id", "version", "state", "person", "invited_at", "reminded_at", "answered_at", "score", "comment")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    INVITED_AT_FIELD_NUMBER: _ClassVar[int]
    REMINDED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    state: SurveyState
    person: str
    invited_at: _timestamp_pb2.Timestamp
    reminded_at: _timestamp_pb2.Timestamp
    answered_at: _timestamp_pb2.Timestamp
    score: int
    comment: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[SurveyState, str]] = ..., person: _Optional[str] = ..., invited_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reminded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., score: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class ListSurveysRequest(_message.Message):
    __slots__ = ("states", "limit")
    STATES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[SurveyState]
    limit: int
    def __init__(self, states: _Optional[_Iterable[_Union[SurveyState, str]]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSurveysResponse(_message.Message):
    __slots__ = ("surveys", "more")
    SURVEYS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    surveys: _containers.RepeatedCompositeFieldContainer[Survey]
    more: bool
    def __init__(self, surveys: _Optional[_Iterable[_Union[Survey, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class AnswerSurveyRequest(_message.Message):
    __slots__ = ("command_id", "incident_id", "score", "comment")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    incident_id: str
    score: int
    comment: str
    def __init__(self, command_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., score: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class AnswerSurveyResponse(_message.Message):
    __slots__ = ("survey",)
    SURVEY_FIELD_NUMBER: _ClassVar[int]
    survey: Survey
    def __init__(self, survey: _Optional[_Union[Survey, _Mapping]] = ...) -> None: ...

class GetSurveyFiguresRequest(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SurveyFigures(_message.Message):
    __slots__ = ("invited", "answered", "expired", "satisfied", "score_sum")
    INVITED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    SATISFIED_FIELD_NUMBER: _ClassVar[int]
    SCORE_SUM_FIELD_NUMBER: _ClassVar[int]
    invited: int
    answered: int
    expired: int
    satisfied: int
    score_sum: int
    def __init__(self, invited: _Optional[int] = ..., answered: _Optional[int] = ..., expired: _Optional[int] = ..., satisfied: _Optional[int] = ..., score_sum: _Optional[int] = ...) -> None: ...

class GetSurveyFiguresResponse(_message.Message):
    __slots__ = ("figures",)
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    figures: SurveyFigures
    def __init__(self, figures: _Optional[_Union[SurveyFigures, _Mapping]] = ...) -> None: ...

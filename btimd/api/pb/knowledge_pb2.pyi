import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArticleLanguage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARTICLE_LANGUAGE_UNSPECIFIED: _ClassVar[ArticleLanguage]
    ARTICLE_LANGUAGE_ZH: _ClassVar[ArticleLanguage]
    ARTICLE_LANGUAGE_EN: _ClassVar[ArticleLanguage]

class ArticleState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARTICLE_STATE_UNSPECIFIED: _ClassVar[ArticleState]
    ARTICLE_STATE_DRAFT: _ClassVar[ArticleState]
    ARTICLE_STATE_REVIEWED: _ClassVar[ArticleState]
    ARTICLE_STATE_PUBLISHED: _ClassVar[ArticleState]
    ARTICLE_STATE_RETIRED: _ClassVar[ArticleState]

class UseOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USE_OUTCOME_UNSPECIFIED: _ClassVar[UseOutcome]
    USE_OUTCOME_USED: _ClassVar[UseOutcome]
    USE_OUTCOME_HELPED: _ClassVar[UseOutcome]
    USE_OUTCOME_FAILED: _ClassVar[UseOutcome]

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_ARTICLE: _ClassVar[RecordKind]
    RECORD_KIND_PROBLEM: _ClassVar[RecordKind]
    RECORD_KIND_CHANGE: _ClassVar[RecordKind]
    RECORD_KIND_SURVEY: _ClassVar[RecordKind]
ARTICLE_LANGUAGE_UNSPECIFIED: ArticleLanguage
ARTICLE_LANGUAGE_ZH: ArticleLanguage
ARTICLE_LANGUAGE_EN: ArticleLanguage
ARTICLE_STATE_UNSPECIFIED: ArticleState
ARTICLE_STATE_DRAFT: ArticleState
ARTICLE_STATE_REVIEWED: ArticleState
ARTICLE_STATE_PUBLISHED: ArticleState
ARTICLE_STATE_RETIRED: ArticleState
USE_OUTCOME_UNSPECIFIED: UseOutcome
USE_OUTCOME_USED: UseOutcome
USE_OUTCOME_HELPED: UseOutcome
USE_OUTCOME_FAILED: UseOutcome
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_ARTICLE: RecordKind
RECORD_KIND_PROBLEM: RecordKind
RECORD_KIND_CHANGE: RecordKind
RECORD_KIND_SURVEY: RecordKind

class RecordEvent(_message.Message):
    __slots__ = ("kind", "record_id", "seq", "at", "actor", "action", "from_state", "to_state", "reason", "changes", "about", "note", "command_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    kind: RecordKind
    record_id: str
    seq: int
    at: _timestamp_pb2.Timestamp
    actor: str
    action: str
    from_state: str
    to_state: str
    reason: str
    changes: str
    about: str
    note: str
    command_id: str
    def __init__(self, kind: _Optional[_Union[RecordKind, str]] = ..., record_id: _Optional[str] = ..., seq: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., action: _Optional[str] = ..., from_state: _Optional[str] = ..., to_state: _Optional[str] = ..., reason: _Optional[str] = ..., changes: _Optional[str] = ..., about: _Optional[str] = ..., note: _Optional[str] = ..., command_id: _Optional[str] = ...) -> None: ...

class ArticleText(_message.Message):
    __slots__ = ("title", "symptom", "cause", "workaround", "solution", "category", "language", "nodes", "kinds", "signatures", "keywords")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SYMPTOM_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    WORKAROUND_FIELD_NUMBER: _ClassVar[int]
    SOLUTION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    title: str
    symptom: str
    cause: str
    workaround: str
    solution: str
    category: str
    language: ArticleLanguage
    nodes: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    signatures: _containers.RepeatedScalarFieldContainer[str]
    keywords: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[str] = ..., symptom: _Optional[str] = ..., cause: _Optional[str] = ..., workaround: _Optional[str] = ..., solution: _Optional[str] = ..., category: _Optional[str] = ..., language: _Optional[_Union[ArticleLanguage, str]] = ..., nodes: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., signatures: _Optional[_Iterable[str]] = ..., keywords: _Optional[_Iterable[str]] = ...) -> None: ...

class Article(_message.Message):
    __slots__ = ("id", "version", "state", "language", "title", "symptom", "cause", "workaround", "solution", "category", "nodes", "kinds", "signatures", "keywords", "source_incident", "replaces", "authors", "reviewer", "created_at", "changed_at", "reviewed_at", "published_at", "retired_at", "retired_why", "used_count", "helped_count", "failed_count", "submitted_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SYMPTOM_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    WORKAROUND_FIELD_NUMBER: _ClassVar[int]
    SOLUTION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_INCIDENT_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_AT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    RETIRED_AT_FIELD_NUMBER: _ClassVar[int]
    RETIRED_WHY_FIELD_NUMBER: _ClassVar[int]
    USED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HELPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    state: ArticleState
    language: ArticleLanguage
    title: str
    symptom: str
    cause: str
    workaround: str
    solution: str
    category: str
    nodes: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    signatures: _containers.RepeatedScalarFieldContainer[str]
    keywords: _containers.RepeatedScalarFieldContainer[str]
    source_incident: str
    replaces: str
    authors: _containers.RepeatedScalarFieldContainer[str]
    reviewer: str
    created_at: _timestamp_pb2.Timestamp
    changed_at: _timestamp_pb2.Timestamp
    reviewed_at: _timestamp_pb2.Timestamp
    published_at: _timestamp_pb2.Timestamp
    retired_at: _timestamp_pb2.Timestamp
    retired_why: str
    used_count: int
    helped_count: int
    failed_count: int
    submitted_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[ArticleState, str]] = ..., language: _Optional[_Union[ArticleLanguage, str]] = ..., title: _Optional[str] = ..., symptom: _Optional[str] = ..., cause: _Optional[str] = ..., workaround: _Optional[str] = ..., solution: _Optional[str] = ..., category: _Optional[str] = ..., nodes: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., signatures: _Optional[_Iterable[str]] = ..., keywords: _Optional[_Iterable[str]] = ..., source_incident: _Optional[str] = ..., replaces: _Optional[str] = ..., authors: _Optional[_Iterable[str]] = ..., reviewer: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reviewed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retired_why: _Optional[str] = ..., used_count: _Optional[int] = ..., helped_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., submitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SearchArticlesRequest(_message.Message):
    __slots__ = ("text", "category", "node", "node_kind", "language", "states", "limit")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    NODE_KIND_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    text: str
    category: str
    node: str
    node_kind: str
    language: ArticleLanguage
    states: _containers.RepeatedScalarFieldContainer[ArticleState]
    limit: int
    def __init__(self, text: _Optional[str] = ..., category: _Optional[str] = ..., node: _Optional[str] = ..., node_kind: _Optional[str] = ..., language: _Optional[_Union[ArticleLanguage, str]] = ..., states: _Optional[_Iterable[_Union[ArticleState, str]]] = ..., limit: _Optional[int] = ...) -> None: ...

class FoundArticle(_message.Message):
    __slots__ = ("article", "relevance", "every_word", "excerpt", "why")
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    EVERY_WORD_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    article: Article
    relevance: float
    every_word: bool
    excerpt: str
    why: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ..., relevance: _Optional[float] = ..., every_word: _Optional[bool] = ..., excerpt: _Optional[str] = ..., why: _Optional[_Iterable[str]] = ...) -> None: ...

class SearchArticlesResponse(_message.Message):
    __slots__ = ("found", "more")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[FoundArticle]
    more: bool
    def __init__(self, found: _Optional[_Iterable[_Union[FoundArticle, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class GetIncidentHelpRequest(_message.Message):
    __slots__ = ("incident_id", "limit")
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    incident_id: str
    limit: int
    def __init__(self, incident_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ArticleMatch(_message.Message):
    __slots__ = ("article", "fit", "why")
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    article: Article
    fit: float
    why: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ..., fit: _Optional[float] = ..., why: _Optional[_Iterable[str]] = ...) -> None: ...

class GetIncidentHelpResponse(_message.Message):
    __slots__ = ("articles", "known_error_id", "known_error_title", "known_error_cause", "known_error_workaround")
    ARTICLES_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ERROR_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ERROR_TITLE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ERROR_CAUSE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ERROR_WORKAROUND_FIELD_NUMBER: _ClassVar[int]
    articles: _containers.RepeatedCompositeFieldContainer[ArticleMatch]
    known_error_id: str
    known_error_title: str
    known_error_cause: str
    known_error_workaround: str
    def __init__(self, articles: _Optional[_Iterable[_Union[ArticleMatch, _Mapping]]] = ..., known_error_id: _Optional[str] = ..., known_error_title: _Optional[str] = ..., known_error_cause: _Optional[str] = ..., known_error_workaround: _Optional[str] = ...) -> None: ...

class GetArticleRequest(_message.Message):
    __slots__ = ("article_id",)
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    article_id: str
    def __init__(self, article_id: _Optional[str] = ...) -> None: ...

class GetArticleResponse(_message.Message):
    __slots__ = ("article", "history")
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    article: Article
    history: _containers.RepeatedCompositeFieldContainer[RecordEvent]
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ..., history: _Optional[_Iterable[_Union[RecordEvent, _Mapping]]] = ...) -> None: ...

class DraftArticleRequest(_message.Message):
    __slots__ = ("command_id", "text", "source_incident", "replaces")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_INCIDENT_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    text: ArticleText
    source_incident: str
    replaces: str
    def __init__(self, command_id: _Optional[str] = ..., text: _Optional[_Union[ArticleText, _Mapping]] = ..., source_incident: _Optional[str] = ..., replaces: _Optional[str] = ...) -> None: ...

class DraftArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class DraftArticleOfProblemRequest(_message.Message):
    __slots__ = ("command_id", "problem_id")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    problem_id: str
    def __init__(self, command_id: _Optional[str] = ..., problem_id: _Optional[str] = ...) -> None: ...

class DraftArticleOfProblemResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class EditArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "text", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    text: ArticleText
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., text: _Optional[_Union[ArticleText, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class EditArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class SubmitArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SubmitArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class ReviewArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ReviewArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class RejectArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class RejectArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class PublishArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PublishArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class RetireArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "expected_version", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    expected_version: int
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class RetireArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

class UseArticleRequest(_message.Message):
    __slots__ = ("command_id", "article_id", "incident_id", "outcome")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    article_id: str
    incident_id: str
    outcome: UseOutcome
    def __init__(self, command_id: _Optional[str] = ..., article_id: _Optional[str] = ..., incident_id: _Optional[str] = ..., outcome: _Optional[_Union[UseOutcome, str]] = ...) -> None: ...

class UseArticleResponse(_message.Message):
    __slots__ = ("article",)
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    article: Article
    def __init__(self, article: _Optional[_Union[Article, _Mapping]] = ...) -> None: ...

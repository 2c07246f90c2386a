"""Model <-> protobuf of articles, problems, changes and surveys."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import knowledge_pb2, problems_pb2, surveys_pb2
from btimd.model.knowledge import (
    Article,
    ArticleMatch,
    ArticleState,
    Change,
    ChangeState,
    Language,
    Problem,
    ProblemState,
    RecordEvent,
    Survey,
    SurveyFigures,
    SurveyState,
    UseOutcome,
)
from btimd.model.knowledgework import ArticleText, ChangeFigures, FoundArticle, ProposedProblem

ARTICLE_LANGUAGE = EnumCodec(Language, knowledge_pb2.DESCRIPTOR.enum_types_by_name["ArticleLanguage"])
ARTICLE_STATE = EnumCodec(ArticleState, knowledge_pb2.DESCRIPTOR.enum_types_by_name["ArticleState"])
USE_OUTCOME = EnumCodec(UseOutcome, knowledge_pb2.DESCRIPTOR.enum_types_by_name["UseOutcome"])
PROBLEM_STATE = EnumCodec(ProblemState, problems_pb2.DESCRIPTOR.enum_types_by_name["ProblemState"])
CHANGE_STATE = EnumCodec(ChangeState, problems_pb2.DESCRIPTOR.enum_types_by_name["ChangeState"])
SURVEY_STATE = EnumCodec(SurveyState, surveys_pb2.DESCRIPTOR.enum_types_by_name["SurveyState"])

RECORD_EVENT = Codec(RecordEvent, knowledge_pb2.RecordEvent)
ARTICLE_TEXT = Codec(ArticleText, knowledge_pb2.ArticleText)
ARTICLE = Codec(Article, knowledge_pb2.Article)
ARTICLE_MATCH = Codec(ArticleMatch, knowledge_pb2.ArticleMatch)
PROBLEM = Codec(Problem, problems_pb2.Problem)
PROPOSED_PROBLEM = Codec(ProposedProblem, problems_pb2.ProposedProblem)
CHANGE = Codec(Change, problems_pb2.InfrastructureChange)
CHANGE_FIGURES = Codec(ChangeFigures, problems_pb2.GetChangeFiguresResponse)
SURVEY = Codec(Survey, surveys_pb2.Survey)
SURVEY_FIGURES = Codec(SurveyFigures, surveys_pb2.SurveyFigures)


def found_to_pb(found: FoundArticle) -> knowledge_pb2.FoundArticle:
    """Return the message of an article that was found."""
    hit = found.hit
    return knowledge_pb2.FoundArticle(
        article=ARTICLE.to_pb(hit.article),
        relevance=hit.relevance,
        every_word=hit.every_word,
        excerpt=hit.excerpt,
        why=found.why,
    )

"""What is counted of knowledge, problems and surveys."""

from collections.abc import Mapping
from typing import Final

from btimd.model.knowledge import ArticleState, ChangeState, ProblemState, RecordKind, SurveyState
from btimd.runtime.metrics import Metrics

_STATES: Final = [
    (kind.value, state.value)
    for kind, states in (
        (RecordKind.ARTICLE, ArticleState),
        (RecordKind.PROBLEM, ProblemState),
        (RecordKind.CHANGE, ChangeState),
        (RecordKind.SURVEY, SurveyState),
    )
    for state in states
]


class KnowledgeMetrics:
    """Counters and gauges of KnowledgeComponent."""

    def __init__(self, metrics: Metrics) -> None:
        self.offers = metrics.counter(
            "btimd_itsm_knowledge_offers_total", "Times that articles or a workaround were written into an incident"
        )
        self.drafts = metrics.counter("btimd_itsm_knowledge_drafts_total", "Drafts of articles made of closing reports")
        self.surveys = metrics.counter(
            "btimd_itsm_surveys_total", "Surveys, by what happened to them: invited, reminded, answered", ("event",)
        )
        self.failures = metrics.counter(
            "btimd_itsm_knowledge_failures_total",
            "What happened to incidents that the knowledge base did not take at once; it is made up for later",
        )
        self.proposed = metrics.gauge("btimd_itsm_problems_proposed", "Proposed problems that nobody decided on yet")
        self.forgotten = metrics.gauge(
            "btimd_itsm_problems_forgotten",
            "Causes, nodes and proposals that were given up to keep within limits, so that a problem may be missed",
        )
        self._records = metrics.gauge(
            "btimd_itsm_knowledge_records", "Articles, problems, changes and surveys, by state", ("kind", "state")
        )

    def count(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Take over how many records there are, by kind and state; those that are not named are none."""
        for kind, state in _STATES:
            self._records.labels(kind, state).set(counts.get((kind, state), 0))

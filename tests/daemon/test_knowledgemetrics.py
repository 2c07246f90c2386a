"""Counts of records."""

from btimd.daemon.knowledgemetrics import KnowledgeMetrics
from btimd.runtime.metrics import Metrics


def test_a_state_that_no_record_is_in_any_more_counts_nothing() -> None:
    metrics = Metrics()
    counted = KnowledgeMetrics(metrics)
    counted.count({("article", "draft"): 3})
    counted.count({("article", "published"): 2})
    shown = {
        state: metrics.registry.get_sample_value("btimd_itsm_knowledge_records", {"kind": "article", "state": state})
        for state in ("draft", "published", "retired")
    }
    assert shown == {"draft": 0.0, "published": 2.0, "retired": 0.0}

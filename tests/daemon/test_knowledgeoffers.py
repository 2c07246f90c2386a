"""What the timeline says of what may help."""

from btimd.daemon.knowledgeoffers import Offer, offer_of
from btimd.model.knowledge import Article, ArticleMatch, ArticleState, Problem, ProblemState

ARTICLE = Article("KB-1", 3, ArticleState.PUBLISHED, title="Listener down", workaround="lsnrctl\n  start")
KNOWN = Problem("PRB-1", 4, ProblemState.KNOWN_ERROR, title="ora1 dies", workaround="restart it")


def test_nothing_known_is_nothing_said() -> None:
    assert offer_of((), None) == Offer("", {})


def test_the_known_error_comes_first_then_each_article_with_why_it_fits() -> None:
    match = ArticleMatch(ARTICLE, 0.437, ("the same cause: ora1/down", "the same node: ora1"))
    assert offer_of([match], KNOWN) == Offer(
        "known error PRB-1: ora1 dies; workaround: restart it\n"
        "KB-1 Listener down (fits 44%: the same cause: ora1/down; the same node: ora1): lsnrctl start",
        {"known_error": "PRB-1", "articles": "KB-1"},
    )


def test_a_long_workaround_is_cut() -> None:
    long = Problem("PRB-1", 4, ProblemState.KNOWN_ERROR, title="t", workaround="x" * 1000)
    assert offer_of((), long).text == f"known error PRB-1: t; workaround: {'x' * 297}..."

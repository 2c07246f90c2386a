"""Articles: their life, drafts of closing reports, and which of them fit an incident."""

from dataclasses import replace

import pytest

from btimd.itsm.knowledge import (
    ARTICLES,
    Draft,
    Edit,
    Publish,
    Retire,
    Review,
    SendBack,
    Submit,
    Use,
    cause_node,
    draft_of,
    draft_of_known_error,
    language_of,
    look_at,
    matches,
    signatures_of,
    succeeded_by,
)
from btimd.itsm.triggers import Accept, Resolve
from btimd.model.knowledge import ArticleHit, ArticleState, IncidentLook, Language, Problem, ProblemState, UseOutcome
from btimd.model.knowledgework import ArticleText
from tests.itsm.examples import incident_after, report
from tests.itsm.knowledge_examples import T0, TEXT, article, draft, history, refusal

REVIEW, PUBLISH = Review(actor="wang"), Publish(actor="wang")
KINDS = {"erp-db": "database"}


def test_an_article_is_drafted_reviewed_by_another_published_and_retired() -> None:
    made, events = history(
        ARTICLES, "KB-1", draft(), REVIEW, PUBLISH, Retire(actor="li", reason="the listener is gone")
    )
    assert [(one.action, one.actor, one.from_state, one.to_state, one.reason) for one in events] == [
        ("drafted", "li", "", "draft", ""),
        ("reviewed", "wang", "draft", "reviewed", ""),
        ("published", "wang", "reviewed", "published", ""),
        ("retired", "li", "published", "retired", "the listener is gone"),
    ]
    assert (made.state, made.reviewer, made.authors) == (ArticleState.RETIRED, "wang", ("li",))
    assert (made.created_at, made.reviewed_at, made.published_at, made.retired_at) == (T0, T0 + 1, T0 + 2, T0 + 3)
    assert made.retired_why == "the listener is gone"


def test_nobody_reviews_what_they_wrote_a_part_of() -> None:
    edited = article(Edit(actor="zhao", text=TEXT))
    assert refusal(ARTICLES, edited, Review(actor="li")) == ("invalid: KB-1: li wrote it; somebody else must review it")
    assert refusal(ARTICLES, edited, Review(actor="zhao")) == (
        "invalid: KB-1: zhao wrote it; somebody else must review it"
    )


def test_what_was_reviewed_and_is_edited_must_be_reviewed_again() -> None:
    made = article(REVIEW, Edit(actor="li", text=TEXT))
    assert (made.state, made.reviewer, made.reviewed_at) == (ArticleState.DRAFT, "", None)
    assert refusal(ARTICLES, made, PUBLISH) == (
        "not-allowed-now: KB-1 is draft: publish is not possible now; possible: edit, submit, review, send-back, retire"
    )


def test_a_reviewer_who_sends_it_back_says_why() -> None:
    assert refusal(ARTICLES, article(), SendBack(actor="wang")) == ("invalid: KB-1: no reason was given; write it")
    assert article(REVIEW, SendBack(actor="wang", reason="which version?")).state is ArticleState.DRAFT


def test_what_helps_nobody_is_not_reviewed() -> None:
    empty = draft(text=ArticleText(title="Something is wrong"))
    made, _ = history(ARTICLES, "KB-1", empty)
    assert refusal(ARTICLES, made, REVIEW) == "invalid: KB-1: it has no workaround and no solution yet"


def test_texts_and_lists_are_bounded() -> None:
    assert refusal(ARTICLES, None, draft(text=replace(TEXT, title=" "))) == (
        "invalid: X-1: no title was given; write one"
    )
    assert refusal(ARTICLES, None, draft(text=replace(TEXT, cause="x" * 20_001))) == (
        "invalid: X-1: the cause has 20001 characters; shorten it to 20000"
    )
    assert refusal(ARTICLES, None, draft(text=replace(TEXT, nodes=("n",) * 51))) == (
        "invalid: X-1: the nodes must be at most 50, each of 1 to 200 characters"
    )


def test_of_uses_only_those_with_a_known_end_make_a_success_rate() -> None:
    made = article(
        REVIEW,
        PUBLISH,
        Use(actor="li", about="INC-1", outcome=UseOutcome.USED),
        Use(actor="li", about="INC-2", outcome=UseOutcome.HELPED),
        Use(actor="li", about="INC-3", outcome=UseOutcome.FAILED),
    )
    assert (made.used_count, made.helped_count, made.failed_count, made.success_rate) == (3, 1, 1, 0.5)
    assert article().success_rate is None
    after, event = ARTICLES.step(
        made, "KB-1", Use(actor="li", about="INC-3", outcome=UseOutcome.HELPED, before=UseOutcome.FAILED), T0
    )
    assert (after.used_count, after.helped_count, after.failed_count, event.note) == (3, 2, 0, "helped")


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (Use(actor="li", outcome=UseOutcome.USED), "no incident was named; name the one that it was used for"),
        (
            Use(actor="li", about="INC-1", outcome=UseOutcome.USED, before=UseOutcome.FAILED),
            "KB-1 was used for INC-1 already",
        ),
        (
            Use(actor="li", about="INC-1", outcome=UseOutcome.HELPED, before=UseOutcome.HELPED),
            "that is said of INC-1 already",
        ),
    ],
)
def test_a_use_is_counted_once_for_each_incident(use: Use, words: str) -> None:
    assert refusal(ARTICLES, article(REVIEW, PUBLISH), use) == f"invalid: KB-1: {words}"


def test_how_it_ended_may_still_be_said_of_a_retired_article_but_it_is_not_taken_again() -> None:
    retired = article(REVIEW, PUBLISH, Retire(actor="li", reason="old"))
    late = Use(actor="li", about="INC-1", outcome=UseOutcome.HELPED, before=UseOutcome.USED)
    assert ARTICLES.step(retired, "KB-1", late, T0)[0].helped_count == 1
    assert refusal(ARTICLES, retired, replace(late, before=None)) == (
        "invalid: KB-1: KB-1 is retired; take another one"
    )


def test_a_new_wording_retires_the_one_it_replaces() -> None:
    new, _ = history(ARTICLES, "KB-2", draft(replaces="KB-1"))
    assert new.replaces == "KB-1"
    assert succeeded_by(new, "wang") == Retire(actor="wang", reason="replaced by KB-2")


def test_a_closing_report_becomes_a_draft_that_is_found_by_its_cause() -> None:
    resolved = incident_after(
        report(),
        Accept(actor="li"),
        Resolve(actor="li", closing_report="重启监听并把进程数调到五百个, 观察一小时正常", override_reason="x"),
    )
    made = draft_of(resolved, author="li", category="database", kinds=KINDS)
    assert made == Draft(
        actor="li",
        source_incident="INC-20231114-0001",
        about="INC-20231114-0001",
        text=ArticleText(
            title="erp-db refuses connections",
            symptom="ERP fails because its database refuses connections.",
            cause="erp-db",
            solution="重启监听并把进程数调到五百个, 观察一小时正常",
            category="database",
            language=Language.ZH,
            nodes=("erp-db",),
            kinds=("database",),
            signatures=("erp-db/down", "kind:database/down"),
        ),
    )


def test_a_known_error_becomes_a_draft_with_its_workaround() -> None:
    known = Problem(
        "PRB-1", 4, ProblemState.KNOWN_ERROR, title="erp-db dies", description="weekly", key="erp-db/down",
        node="erp-db", cause="a leak", workaround="restart it on Sundays",
    )  # fmt: skip
    assert draft_of_known_error(known, author="li", kinds=KINDS) == Draft(
        actor="li",
        about="PRB-1",
        text=ArticleText(
            title="erp-db dies",
            symptom="weekly",
            cause="a leak",
            workaround="restart it on Sundays",
            nodes=("erp-db",),
            kinds=("database",),
            signatures=("erp-db/down", "kind:database/down"),
        ),
    )
    of_the_node = draft_of_known_error(replace(known, key="node:erp-db"), author="li", kinds=KINDS)
    assert of_the_node is not None
    assert of_the_node.text.signatures == ()
    assert draft_of_known_error(replace(known, workaround=""), author="li", kinds=KINDS) is None


def test_nothing_is_learned_from_what_is_not_dealt_with_or_cleared_by_itself() -> None:
    still_open = incident_after(report(), Accept(actor="li"))
    assert draft_of(still_open, author="li", kinds=KINDS) is None
    resolved = incident_after(
        report(), Accept(actor="li"), Resolve(actor="li", closing_report="a" * 30, override_reason="x")
    )
    assert draft_of(replace(resolved, touched_by_human=False), author="li", kinds=KINDS) is None


def test_a_fingerprint_without_a_cause_is_the_signature_of_nothing() -> None:
    assert signatures_of("erp-db/down", "database") == ("erp-db/down", "kind:database/down")
    assert signatures_of("erp-db/down", "") == ("erp-db/down",)
    assert signatures_of("?/erp,hr", "x") == ()
    assert signatures_of("manual/4711", "x") == ()
    assert cause_node("dc/erp-db/down") == "dc/erp-db"
    assert cause_node("erp") == ""


def test_the_language_of_a_text_is_that_of_its_letters() -> None:
    assert language_of("重启 Oracle 监听 lsnrctl start") is Language.ZH
    assert language_of("restart the listener (监)") is Language.EN
    assert language_of("12:30") is Language.EN


def test_articles_fit_by_cause_before_node_before_words_and_say_why() -> None:
    look = look_at(incident_after(report()), category="database", kinds=KINDS)
    assert look == IncidentLook(
        signatures=("erp-db/down", "kind:database/down"),
        category="database",
        nodes=("erp-db",),
        kinds=("database",),
        text="erp-db refuses connections ERP fails because its database refuses connections.",
    )
    base = replace(article(REVIEW, PUBLISH), signatures=(), nodes=(), kinds=(), category="")
    cause = replace(base, id="cause", signatures=("erp-db/down",))
    node = replace(base, id="node", nodes=("erp-db",))
    kind = replace(base, id="kind", signatures=("kind:database/down",), kinds=("database",), category="database")
    words = replace(base, id="words")
    found = [
        ArticleHit(words, 8.0, every_word=False, excerpt="refuses connections"),
        *(ArticleHit(one, 0.0, every_word=False) for one in (node, kind, cause, replace(base, id="nothing"))),
        ArticleHit(replace(cause, id="draft", state=ArticleState.DRAFT), 0.0, every_word=False),
    ]
    assert [(one.article.id, round(one.fit, 3), one.why) for one in matches(look, found, 10)] == [
        ("cause", 0.4, ("the same cause: erp-db/down",)),
        (
            "kind",
            0.319,
            ("the same cause: database/down", "the same kind of node: database", "the same class: database"),
        ),
        ("node", 0.175, ("the same node: erp-db",)),
        ("words", 0.1, ("the same words: refuses connections",)),
    ]
    assert [one.article.id for one in matches(look, found, 1)] == ["cause"]


def test_what_failed_before_stands_behind_what_helped() -> None:
    look = IncidentLook(signatures=("ora1/down",))
    made = article(REVIEW, PUBLISH)
    helped, failed = replace(made, id="helped", helped_count=3), replace(made, id="failed", failed_count=3)
    found = [ArticleHit(one, 0.0, every_word=False) for one in (failed, helped)]
    assert [(one.article.id, round(one.fit, 2)) for one in matches(look, found, 5)] == [
        ("helped", 0.64),
        ("failed", 0.16),
    ]


def test_who_wrote_it_says_when_it_waits_for_its_review_and_an_edit_takes_that_back() -> None:
    waiting = article(Submit(actor="li"))
    assert (waiting.state, waiting.submitted_at) == (ArticleState.DRAFT, T0 + 1)
    assert refusal(ARTICLES, waiting, Submit(actor="li")) == "invalid: KB-1: it waits for its review already"
    assert article(Submit(actor="li"), Edit(actor="li", text=TEXT)).submitted_at is None
    assert article(Submit(actor="li"), SendBack(actor="wang", reason="unclear")).submitted_at is None
    assert article(Submit(actor="li"), Review(actor="wang")).state is ArticleState.REVIEWED

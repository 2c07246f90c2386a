"""KnowledgeService over a fake view: what is asked, what comes back, who may."""

import asyncio
from typing import Any

import pytest

from btimd.api import calls_knowledge as calls
from btimd.api.client import CallFailedError, Page
from btimd.model.knowledge import ArticleQuery, ArticleState, Language, UseOutcome
from btimd.model.knowledgework import ArticleText, RecordAction, RecordCommand
from tests.api.conftest import Served
from tests.fakes.knowledge import ARTICLE, DRAFT, EVENT, FOUND, HELP, REFUSED

TEXT = ArticleText(title="t", symptom="s", solution="x", language=Language.ZH, nodes=("ora1",), keywords=("k",))
A = RecordAction


async def ask(served: Served, caller: str | None, call: Any, *args: Any, **named: Any) -> Any:
    with served.client(caller) as client:
        return await asyncio.to_thread(call, client, *args, **named)


async def refused(served: Served, caller: str | None, call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(CallFailedError) as error:
        await ask(served, caller, call, *args, **named)
    return str(error.value)


async def test_everybody_finds_what_is_published(served: Served) -> None:
    query = ArticleQuery("监听", "database", "ora1", "database", Language.ZH, (), 7)
    assert await ask(served, None, calls.search, query) == Page([FOUND], False)
    assert served.knowledge.asked == [
        ArticleQuery("监听", "database", "ora1", "database", Language.ZH, (ArticleState.PUBLISHED,), 8)
    ]
    article, history = await ask(served, "sven", calls.article, "KB-1")
    assert (article, history) == (ARTICLE, [EVENT])


async def test_drafts_are_for_handlers_who_have_no_scope(served: Served) -> None:
    query = ArticleQuery(states=(ArticleState.DRAFT,))
    assert await ask(served, "otto", calls.search, query) == Page([FOUND], False)
    for caller in (None, "vera", "rita", "sven"):
        assert "are for handlers without a scope" in await refused(served, caller, calls.search, query)
        assert await refused(served, caller, calls.article, "KB-2") == "there is no article 'KB-2'"
    assert (await ask(served, "otto", calls.article, "KB-2"))[0] == DRAFT


async def test_help_is_for_those_who_may_see_the_incident(served: Served) -> None:
    found = await ask(served, "sven", calls.incident_help, "INC-1")
    assert HELP.known_error is not None
    assert found == calls.Help(HELP.articles, "PRB-1", "ora1 dies", "a leak", "restart it")
    assert served.knowledge.asked == [("help", "INC-1", 5)]
    assert await refused(served, "vera", calls.incident_help, "INC-2") == "there is no incident 'INC-2'"


@pytest.mark.parametrize(
    ("call", "args", "expected"),
    [
        (calls.draft, (TEXT, "C1"), RecordCommand(action=A.DRAFT_ARTICLE, command_id="C1", text=TEXT)),
        (calls.edit, ("KB-1", TEXT, "C1", 4), RecordCommand(
            action=A.EDIT_ARTICLE, command_id="C1", record_id="KB-1", expected_version=4, text=TEXT,
        )),
        (calls.on_article, ("submit", "KB-1", "done", "C1"), RecordCommand(
            action=A.SUBMIT_ARTICLE, command_id="C1", record_id="KB-1", reason="done",
        )),
        (calls.use, ("KB-1", "INC-1", UseOutcome.HELPED, "C1"), RecordCommand(
            action=A.USE_ARTICLE, command_id="C1", record_id="KB-1", incident_id="INC-1", outcome=UseOutcome.HELPED,
        )),
    ],
)  # fmt: skip
async def test_handlers_write(served: Served, call: Any, args: tuple[Any, ...], expected: RecordCommand) -> None:
    assert await ask(served, "otto", call, *args) == ARTICLE
    assert served.knowledge.asked == [(expected, "otto")]
    assert "needs handler" in await refused(served, "rita", call, *args)


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("review", A.REVIEW_ARTICLE), ("reject", A.REJECT_ARTICLE), ("publish", A.PUBLISH_ARTICLE),
        ("retire", A.RETIRE_ARTICLE),
    ],
)  # fmt: skip
async def test_managers_publish(served: Served, what: str, action: RecordAction) -> None:
    assert await ask(served, "mona", calls.on_article, what, "KB-1", "why", "C1") == ARTICLE
    expected = RecordCommand(action=action, command_id="C1", record_id="KB-1", reason="why")
    assert served.knowledge.asked == [(expected, "mona")]
    assert "needs manager" in await refused(served, "otto", calls.on_article, what, "KB-1", "why", "C1")


async def test_a_known_error_becomes_a_draft(served: Served) -> None:
    assert await ask(served, "otto", calls.draft_of_problem, "PRB-1", "C1") == DRAFT
    assert served.knowledge.asked == [("draft-of", "PRB-1", "C1", "otto")]


async def test_refusals_and_troubles_are_said_in_words(served: Served) -> None:
    served.knowledge.refusal = REFUSED
    words = await refused(served, "otto", calls.on_article, "submit", "KB-1", "", "C1")
    assert words == "KB-1 is retired; allowed now: use"
    served.knowledge.trouble = "cannot open the knowledge base: disk full"
    words = await refused(served, None, calls.search, ArticleQuery("x"))
    assert words == "cannot open the knowledge base: disk full"


@pytest.mark.parametrize(
    ("call", "args", "words"),
    [
        (calls.search, (ArticleQuery(limit=500),), "limit: 500 is not from 0 to 200"),
        (calls.search, (ArticleQuery("x" * 501),), "text: 501 characters; 500 at most"),
        (calls.edit, ("KB-1", TEXT, "C1", -1), "expected_version: -1 is negative"),
        (calls.edit, ("", TEXT, "C1"), "article_id: must be given"),
        (calls.draft, (ArticleText(title="t", nodes=("n",) * 101), "C1"), "nodes: 101 of them; 100 at most"),
        (calls.draft, (ArticleText(title="t", cause="x" * 20_001), "C1"), "cause: 20001 characters; 20000 at most"),
    ],
)
async def test_what_is_too_much_or_missing_is_refused(
    served: Served, call: Any, args: tuple[Any, ...], words: str
) -> None:
    assert await refused(served, "otto", call, *args) == words
    assert served.knowledge.asked == []

"""The life of a knowledge article, how a closing report becomes one, and which articles fit an incident.

A draft is reviewed by somebody who wrote none of it, and published after that; only what is published is offered to
those who work on incidents. A new wording of a published article is a draft of its own that replaces it, so that the
old one serves until the new one is reviewed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm.knowledgesteps import NAME_LIMIT, TEXT_LIMIT, Action, Machine, Row, added, said
from btimd.model.incident import Incident, IncidentState
from btimd.model.knowledge import (
    Article,
    ArticleHit,
    ArticleMatch,
    ArticleState,
    IncidentLook,
    Language,
    Problem,
    RecordKind,
    UseOutcome,
)
from btimd.model.knowledgework import ArticleText
from btimd.model.units import UnixSeconds

KIND_PREFIX: Final = "kind:"
"""Before the signature of a kind of node: "kind:database/down"."""
_NO_CAUSE: Final = "?"
_MANUAL: Final = "manual"
_CJK_SHARE: Final = 0.1
"""Of the letters of a text; with more Chinese ones than that it is read by those who read Chinese."""
_FIRST_CJK, _LAST_CJK = "\u3400", "\u9fff"

# What each thing in common is worth; together they are weighed as independent hints: 1 - product of (1 - weight).
_SIGNATURE, _KIND_SIGNATURE, _NODE, _NODE_KIND, _CATEGORY, _WORDS = 0.8, 0.5, 0.35, 0.15, 0.15, 0.4
_HALF_RELEVANCE: Final = 8.0
"""The relevance of words at which they count half of what they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Action):
    """A person, or a closing report, makes a new article."""

    text: ArticleText
    source_incident: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Action):
    """A person changes the text; what was reviewed must be reviewed again."""

    text: ArticleText


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Action):
    """Who wrote it is done with it: it waits for its review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Action):
    """Somebody who wrote none of it says that it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack(Action):
    """A reviewer says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Action):
    """It is given to everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire(Action):
    """It is no longer true, or no longer needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Action):
    """Somebody took the article to hand for an incident (`about`), or says how that ended.

    before: what was said of the same incident before, None: nothing (KnowledgeBase.use_of).
    """

    outcome: UseOutcome
    before: UseOutcome | None = None


def _text_missing(_article: Article, action: Draft | Edit) -> str:
    text = action.text
    if not text.title.strip():
        return "no title was given; write one"
    for name in ("title", "category"):
        if len(getattr(text, name)) > NAME_LIMIT:
            return f"the {name} has {len(getattr(text, name))} characters; shorten it to {NAME_LIMIT}"
    for name in ("symptom", "cause", "workaround", "solution"):
        if len(getattr(text, name)) > TEXT_LIMIT:
            return f"the {name} has {len(getattr(text, name))} characters; shorten it to {TEXT_LIMIT}"
    for name in ("nodes", "kinds", "signatures", "keywords"):
        entries = getattr(text, name)
        if len(entries) > _ENTRIES_LIMIT or any(not one.strip() or len(one) > NAME_LIMIT for one in entries):
            return f"the {name} must be at most {_ENTRIES_LIMIT}, each of 1 to {NAME_LIMIT} characters"
    return ""


_ENTRIES_LIMIT: Final = 50


def _helps_nobody(article: Article, _action: Action) -> str:
    return "" if article.workaround.strip() or article.solution.strip() else "it has no workaround and no solution yet"


def _own_work(article: Article, review: Review) -> str:
    if review.actor in article.authors:
        return f"{review.actor} wrote it; somebody else must review it"
    return ""


def _use_wrong(article: Article, use: Use) -> str:
    if not use.about:
        return "no incident was named; name the one that it was used for"
    if use.before is not None and use.outcome is UseOutcome.USED:
        return f"{article.id} was used for {use.about} already"
    return f"that is said of {use.about} already" if use.before is use.outcome else ""


def _new_use(article: Article, use: Use) -> str:
    return f"{article.id} is retired; take another one" if use.before is None else ""


def _written(article: Article, action: Draft | Edit, now: UnixSeconds) -> Article:
    text = action.text
    return replace(
        article,
        language=text.language,
        title=text.title.strip(),
        symptom=text.symptom.strip(),
        cause=text.cause.strip(),
        workaround=text.workaround.strip(),
        solution=text.solution.strip(),
        category=text.category.strip(),
        nodes=_unique(text.nodes),
        kinds=_unique(text.kinds),
        signatures=_unique(text.signatures),
        keywords=_unique(text.keywords),
        authors=added(article.authors, (action.actor,)),
        reviewer="",
        reviewed_at=None,
        submitted_at=None,
        changed_at=now,
    )


def _drafted(article: Article, draft: Draft, now: UnixSeconds) -> Article:
    made = _written(article, draft, now)
    return replace(made, created_at=now, source_incident=draft.source_incident, replaces=draft.replaces)


def _submitted(article: Article, _action: Submit, now: UnixSeconds) -> Article:
    return replace(article, submitted_at=now, changed_at=now)


def _submitted_before(article: Article, _action: Submit) -> str:
    return "" if article.submitted_at is None else "it waits for its review already"


def _reviewed(article: Article, review: Review, now: UnixSeconds) -> Article:
    return replace(article, reviewer=review.actor, reviewed_at=now, submitted_at=None, changed_at=now)


def _sent_back(article: Article, _action: SendBack, now: UnixSeconds) -> Article:
    return replace(article, reviewer="", reviewed_at=None, submitted_at=None, changed_at=now)


def _published(article: Article, _action: Publish, now: UnixSeconds) -> Article:
    return replace(article, published_at=now, changed_at=now)


def _retired(article: Article, retire: Retire, now: UnixSeconds) -> Article:
    return replace(article, retired_at=now, changed_at=now, retired_why=retire.reason.strip())


def _used(article: Article, use: Use, _now: UnixSeconds) -> Article:
    helped = (use.outcome is UseOutcome.HELPED) - (use.before is UseOutcome.HELPED)
    failed = (use.outcome is UseOutcome.FAILED) - (use.before is UseOutcome.FAILED)
    return replace(
        article,
        used_count=article.used_count + (use.before is None),
        helped_count=article.helped_count + helped,
        failed_count=article.failed_count + failed,
    )


_S = ArticleState
ARTICLES: Final[Machine[Article]] = Machine(
    RecordKind.ARTICLE,
    lambda article_id: Article(article_id, 0, ArticleState.DRAFT),
    (
        Row(Draft, frozenset(), _S.DRAFT, "drafted", _drafted, (_text_missing,), start=True),
        Row(Edit, frozenset({_S.DRAFT, _S.REVIEWED}), _S.DRAFT, "edited", _written, (_text_missing,)),
        Row(Submit, frozenset({_S.DRAFT}), None, "submitted", _submitted, (_helps_nobody, _submitted_before)),
        Row(Review, frozenset({_S.DRAFT}), _S.REVIEWED, "reviewed", _reviewed, (_own_work, _helps_nobody)),
        Row(SendBack, frozenset({_S.DRAFT, _S.REVIEWED}), _S.DRAFT, "sent-back", _sent_back, (said("reason"),)),
        Row(Publish, frozenset({_S.REVIEWED}), _S.PUBLISHED, "published", _published),
        Row(
            Retire, frozenset({_S.DRAFT, _S.REVIEWED, _S.PUBLISHED}), _S.RETIRED, "retired", _retired,
            (said("reason"),),
        ),
        Row(Use, frozenset({_S.PUBLISHED}), None, "used", _used, (_use_wrong,), note=lambda use: use.outcome.value),
        # how it ended may be said of what was retired in the meantime
        Row(
            Use, frozenset({_S.RETIRED}), None, "used", _used, (_use_wrong, _new_use),
            note=lambda use: use.outcome.value,
        ),
    ),
)  # fmt: skip
"""The life of an article."""


def succeeded_by(new: Article, actor: str) -> Retire:
    """Return what retires the article that a published one replaces; written in the same transaction."""
    return Retire(actor=actor, reason=f"replaced by {new.id}")


# A closing report becomes a draft.


def draft_of(incident: Incident, *, author: str, category: str = "", kinds: Mapping[str, str]) -> Draft | None:
    """Return the draft that the closing report of a dealt-with incident makes; None: there is nothing to be learned.

    kinds: of nodes, by name. category: where the incident does not know it. What cleared by itself teaches nothing:
    its report was written by btimd.
    """
    report = incident.closing_report.strip()
    ended = incident.state in {IncidentState.RESOLVED, IncidentState.CLOSED}
    if not ended or not report or not incident.touched_by_human:
        return None
    node = cause_node(incident.fingerprint)
    kind = kinds.get(node, "")
    text = ArticleText(
        title=incident.title[:NAME_LIMIT] or incident.id,
        symptom=incident.description[:TEXT_LIMIT],
        cause=incident.cause[:TEXT_LIMIT],
        solution=report[:TEXT_LIMIT],
        category=category[:NAME_LIMIT],
        language=language_of(report),
        nodes=(node,) if node else (),
        kinds=(kind,) if kind else (),
        signatures=signatures_of(incident.fingerprint, kind),
    )
    return Draft(actor=author, text=text, source_incident=incident.id, about=incident.id)


def draft_of_known_error(
    problem: Problem, *, author: str, category: str = "", kinds: Mapping[str, str]
) -> Draft | None:
    """Return the draft that makes the workaround of a known error found with incidents; None: it has none yet."""
    if not problem.workaround.strip():
        return None
    kind = kinds.get(problem.node, "")
    text = ArticleText(
        title=problem.title,
        symptom=problem.description,
        cause=problem.cause,
        workaround=problem.workaround,
        category=category[:NAME_LIMIT],
        language=language_of(problem.workaround),
        nodes=(problem.node,) if problem.node else (),
        kinds=(kind,) if kind else (),
        signatures=signatures_of(problem.key, kind) if cause_node(problem.key) == problem.node else (),
    )
    return Draft(actor=author, text=text, about=problem.id)


def language_of(text: str) -> Language:
    """Return the language that a text is written in."""
    letters = [one for one in text if one.isalpha()]
    chinese = sum(_FIRST_CJK <= one <= _LAST_CJK for one in letters)
    return Language.ZH if letters and chinese / len(letters) > _CJK_SHARE else Language.EN


def cause_node(fingerprint: str) -> str:
    """Return the node of a fingerprint "erp-db/down"; empty where it names no cause ("?/erp", "manual/4711")."""
    node, slash, _ = fingerprint.rpartition("/")
    return "" if not slash or node in {_NO_CAUSE, _MANUAL} else node


def signatures_of(fingerprint: str, kind: str) -> tuple[str, ...]:
    """Return what an article about an incident is found by: its cause, and the same trouble of the same kind of node.

    None for an incident without a cause: "?/erp" says who suffers, not why.
    """
    if not cause_node(fingerprint):
        return ()
    family = fingerprint.rpartition("/")[2]
    return (fingerprint, f"{KIND_PREFIX}{kind}/{family}") if kind else (fingerprint,)


# Which articles fit an incident.


def look_at(incident: Incident, *, category: str = "", kinds: Mapping[str, str], words: str = "") -> IncidentLook:
    """Return what of an incident articles are compared with. words: what is known beyond title and description."""
    node = cause_node(incident.fingerprint)
    nodes = tuple(one for one in dict.fromkeys((node, incident.cause)) if one)
    return IncidentLook(
        signatures=signatures_of(incident.fingerprint, kinds.get(node, "")),
        category=category,
        nodes=nodes,
        kinds=tuple(dict.fromkeys(kinds[one] for one in nodes if one in kinds)),
        text=" ".join(one for one in (incident.title, incident.description, words) if one),
    )


def matches(look: IncidentLook, found: Iterable[ArticleHit], limit: int) -> Sequence[ArticleMatch]:
    """Return the articles that fit an incident, best first: what they have in common x what became of earlier uses."""
    best = {hit.article.id: _match(look, hit) for hit in found if hit.article.state is ArticleState.PUBLISHED}
    ordered = sorted(best.values(), key=lambda match: (-match.fit, -match.article.changed_at, match.article.id))
    return [match for match in ordered if match.why][:limit]


def _match(look: IncidentLook, hit: ArticleHit) -> ArticleMatch:
    article = hit.article
    hints: list[tuple[float, str]] = []
    same = [one for one in look.signatures if one in article.signatures]
    if same:
        exact = not same[0].startswith(KIND_PREFIX)
        hints.append((_SIGNATURE if exact else _KIND_SIGNATURE, f"the same cause: {same[0].removeprefix(KIND_PREFIX)}"))
    hints += [(_NODE, f"the same node: {node}") for node in look.nodes[:1] if node in article.nodes]
    hints += [(_NODE_KIND, f"the same kind of node: {kind}") for kind in look.kinds[:1] if kind in article.kinds]
    if look.category and look.category == article.category:
        hints.append((_CATEGORY, f"the same class: {look.category}"))
    if hit.relevance > 0:
        weight = _WORDS * hit.relevance / (hit.relevance + _HALF_RELEVANCE)
        hints.append((weight, f"the same words: {hit.excerpt}" if hit.excerpt else "the same words"))
    doubt = 1.0
    for weight, _ in hints:
        doubt *= 1.0 - weight
    return ArticleMatch(article, (1.0 - doubt) * article.expected_success, tuple(text for _, text in hints))


def _unique(entries: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in entries))

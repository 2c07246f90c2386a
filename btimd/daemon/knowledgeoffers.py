"""What the timeline of an incident says of articles and known errors that may help, in words and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.knowledge import ArticleMatch, Problem

ARTICLES: Final = "articles"
"""Note: ids of the articles, the best first, with blanks between."""
KNOWN_ERROR: Final = "known_error"
"""Note: id of the problem."""
_TEXT_LIMIT: Final = 300
"""Characters of a workaround that stand in the timeline; all of it is in the article or the problem."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may help. notes: empty where nothing does."""

    text: str
    notes: Mapping[str, str]


def offer_of(matches: Sequence[ArticleMatch], known: Problem | None) -> Offer:
    """Return what to write into the timeline."""
    lines: list[str] = []
    notes: dict[str, str] = {}
    if known is not None:
        lines.append(f"known error {known.id}: {known.title}; workaround: {_short(known.workaround)}")
        notes[KNOWN_ERROR] = known.id
    if matches:
        lines += [_line(one) for one in matches]
        notes[ARTICLES] = " ".join(one.article.id for one in matches)
    return Offer("\n".join(lines), notes)


def _line(match: ArticleMatch) -> str:
    article = match.article
    line = f"{article.id} {article.title} (fits {match.fit:.0%}: {'; '.join(match.why)})"
    helps = article.workaround or article.solution
    return f"{line}: {_short(helps)}" if helps else line


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _TEXT_LIMIT else f"{flat[: _TEXT_LIMIT - 3]}..."

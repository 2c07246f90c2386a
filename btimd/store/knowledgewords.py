"""Words of articles and of those who look for them, as a full-text index of SQLite (FTS5) takes them.

Chinese is written without spaces: of each stretch of it the index holds all pairs of neighbouring characters, and the
last character alone. So any two characters are one exact entry, three or more are a row of entries, and a single one is
the beginning of entries. (FTS5's own trigrams find nothing for two characters, which is what most Chinese words have.)
Of English words the endings are cut, so that "restarted" finds "restart".

What a person types never reaches the index as syntax: only letters and digits of it do, each entry within quotes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

QUERY_LIMIT: Final = 200
"""Characters of a query that are read."""
TERM_LIMIT: Final = 16
"""Terms of a query that are looked for."""
CANDIDATE_TERM_LIMIT: Final = 24
"""Terms of the text of an incident that are looked for."""
_WORD_LIMIT: Final = 64
_TEXT_LIMIT: Final = 4_000
_COMMON_TOGETHER: Final = 6
_STEM_MIN: Final = 3
_ENDINGS: Final = ("ings", "ing", "ed", "es", "s", "e")

# The ideographs of Unicode with their extensions, kana and Hangul: what is written without spaces, or nearly so.
_CJK: Final = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U000323af"
_PIECES: Final = re.compile(rf"([{_CJK}]+)|((?:(?![{_CJK}])[^\W_])+)")
_SPACES: Final = re.compile(r"\s+")


def normal(text: str) -> str:
    """Return a text as it is compared: one form for wide and narrow letters, no case."""
    return unicodedata.normalize("NFKC", text).casefold()


def indexed(text: str) -> str:
    """Return the entries that the index holds for a text, with spaces between."""
    entries: list[str] = []
    for chinese, word in _PIECES.findall(normal(text)):
        if chinese:
            entries += (*_pairs(chinese), chinese[-1])
        else:
            entries.append(_stem(word))
    return " ".join(entries)


def terms(text: str, limit: int = TERM_LIMIT) -> Sequence[str]:
    """Return what a person looks for as FTS5 phrases, without repeats; empty where no letter or digit is in it.

    "支付失败 ORA-01555" -> '"支付 付失 失败"', '"ora 01555"'. A single Chinese character is a prefix: '"库"*'.
    """
    found: dict[str, None] = {}
    for chunk in _SPACES.split(normal(text[:QUERY_LIMIT])):
        words: list[str] = []
        for chinese, word in _PIECES.findall(chunk):
            if chinese:
                _flush(words, found)
                found[_phrase(_pairs(chinese)) if len(chinese) > 1 else f'"{chinese}"*'] = None
            else:
                words.append(_stem(word))
        _flush(words, found)
    return tuple(found)[:limit]


def telling(text: str, common: frozenset[str]) -> str:
    """Return the FTS5 expression for the words of a longer text of which any tells something; empty: there is none.

    common: entries that too many articles have. Where there are no others, the first of them are asked for together.
    """
    found: dict[str, bool] = {}
    rare = 0
    for chinese, word in _PIECES.findall(normal(text[:_TEXT_LIMIT])):
        for entry in _pairs(chinese) if chinese else (_stem(word),):
            if len(entry) > 1 and entry not in found:
                found[entry] = entry in common
                rare += entry not in common
        if rare >= CANDIDATE_TERM_LIMIT:
            break
    if rare:
        return some([_phrase((entry,)) for entry, is_common in found.items() if not is_common][:CANDIDATE_TERM_LIMIT])
    return every([_phrase((entry,)) for entry in found][:_COMMON_TOGETHER])


def every(phrases: Iterable[str]) -> str:
    """Return the FTS5 expression for all of the phrases."""
    return " AND ".join(phrases)


def some(phrases: Iterable[str]) -> str:
    """Return the FTS5 expression for any of the phrases."""
    return " OR ".join(phrases)


def excerpt(text: str, wanted: str, width: int = 80) -> str:
    """Return the place of a text where the first of the wanted words stands, on one line; its beginning for none."""
    line = _SPACES.sub(" ", text).strip()
    lower = line.lower()
    asked = wanted[:QUERY_LIMIT].lower()
    pairs = [pair for chinese, _ in _PIECES.findall(asked) for pair in _pairs(chinese)]
    places: list[int] = []
    for some_words in (_SPACES.split(asked.strip()), pairs):
        places = places or [at for at in (lower.find(word) for word in some_words if word) if at >= 0]
    start = max(0, min(places) - width // 4) if places else 0
    cut = line[start : start + width]
    return f"{'…' if start else ''}{cut}{'…' if start + width < len(line) else ''}"


def _flush(words: list[str], found: dict[str, None]) -> None:
    if words:
        found[_phrase(words)] = None
        words.clear()


def _stem(word: str) -> str:
    """Return a word without the ending that its forms differ in; crude, but the same for texts and queries."""
    if not (word.isascii() and word.isalpha()) or word.endswith("ss"):
        return word[:_WORD_LIMIT]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN:
            word = word[: -len(ending)]
            break
    if len(word) > _STEM_MIN and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]  # dropped, drop
    return word[:_WORD_LIMIT]


def _pairs(chinese: str) -> Sequence[str]:
    return [chinese[at : at + 2] for at in range(len(chinese) - 1)]


def _phrase(entries: Iterable[str]) -> str:
    return f'"{" ".join(entries)}"'

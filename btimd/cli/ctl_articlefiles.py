"""Articles as files: TOML that people can write, read and keep beside other papers."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from btimd.model.knowledge import Article, Language
from btimd.model.knowledgework import ArticleText

MAX_OCTETS: Final = 512 * 1024
"""A file of more is no article."""
_TEXTS: Final = ("title", "symptom", "cause", "workaround", "solution", "category")
_LISTS: Final = ("nodes", "kinds", "signatures", "keywords")
_LONG: Final = frozenset({"symptom", "cause", "workaround", "solution"})
_KNOWN: Final = frozenset({*_TEXTS, *_LISTS, "language"})


class ArticleFileError(Exception):
    """A file that is no article; the text says which, what was found and what to do."""


def read_article(path: Path) -> ArticleText:
    """Return the text of an article; raises ArticleFileError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_OCTETS + 1)
        if len(content) > MAX_OCTETS:
            raise ArticleFileError(f"{path}: it has more than {MAX_OCTETS // 1024} KiB; an article is shorter")
        found = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ArticleFileError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArticleFileError(f"{path} is no TOML in UTF-8: {error}") from error
    return _text_of(path, found)


def _text_of(path: Path, found: dict[str, Any]) -> ArticleText:
    unknown = sorted(found.keys() - _KNOWN)
    if unknown:
        raise ArticleFileError(f"{path}: {unknown[0]!r} is no field of an article; known: {', '.join(sorted(_KNOWN))}")
    said: dict[str, Any] = {}
    for name in _TEXTS:
        value = found.get(name, "")
        if not isinstance(value, str):
            raise ArticleFileError(f"{path}: {name} is no text; write it in quotes")
        said[name] = value.strip()
    for name in _LISTS:
        value = found.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ArticleFileError(f'{path}: {name} is no list of texts; write it as ["...", "..."]')
        said[name] = tuple(value)
    language = found.get("language", Language.EN.value)
    if language not in {one.value for one in Language}:
        raise ArticleFileError(f"{path}: language is {language!r}; write zh or en")
    if not said["title"]:
        raise ArticleFileError(f"{path}: it has no title; write one")
    return ArticleText(language=Language(language), **said)


def text_of(article: Article) -> ArticleText:
    """Return what people wrote of an article."""
    return ArticleText(**{one.name: getattr(article, one.name) for one in fields(ArticleText)})


def article_file(text: ArticleText, heading: str = "") -> str:
    """Return the file of an article; `read_article` reads the same text of it. heading: a comment on top."""
    lines = [f"# {' '.join(heading.split())}"] if heading else []
    for name in _TEXTS:
        value = getattr(text, name)
        if value:
            lines.append(f"{name} = {_quoted(value, several_lines=name in _LONG)}")
    lines.append(f"language = {_quoted(text.language.value)}")
    for name in _LISTS:
        values = getattr(text, name)
        if values:
            lines.append(f"{name} = [{', '.join(_quoted(one) for one in values)}]")
    return "\n".join(lines) + "\n"


def _quoted(value: str, *, several_lines: bool = False) -> str:
    """Return a TOML basic string, over several lines where it has several."""
    escaped = "".join(_escaped(character) for character in value)
    if several_lines and "\n" in value:
        return '"""\n' + escaped.replace("\\n", "\n") + '"""'
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\n":
        return "\\n"
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x20 or code == 0x7F else character  # noqa: PLR2004  the control characters

"""HTML of a mail -> plain text, line by line; nothing is fetched, nothing is kept but words.

One pass from left to right: the parser of the standard library takes minutes for some hundred kilobytes of "<!--".
"""

import re
from html import unescape
from typing import Final

MOST_CHARACTERS: Final = 256 * 1024
_HIDDEN: Final = frozenset({"script", "style", "title", "template"})
_BREAKS: Final = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
)
_NAME: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")


def html_to_text(html: str) -> str:
    """Return the words of HTML; blocks, breaks and rows of tables begin lines. Broken HTML gives what can be read."""
    parts: list[str] = []
    rest = html[:MOST_CHARACTERS]
    at = 0
    hidden = ""
    while at < len(rest):
        start = rest.find("<", at)
        if start < 0:
            start = len(rest)
        if not hidden:
            parts.append(" ".join(rest[at:start].split("\n")))
        comment = rest.startswith("<!--", start)
        end = rest.find("-->" if comment else ">", start)
        if end < 0:  # nothing that follows can end: it is text, or a comment that hides it
            if not comment and not hidden:
                parts.append(rest[start:].replace("<", " "))
            break
        at = end + (3 if comment else 1)
        name = None if comment else _NAME.match(rest, start + 1)
        if name is not None:
            hidden = _tag(name[1].lower(), hidden, parts, closing=rest[start + 1] == "/")
    return _lines(unescape("".join(parts)))


def _tag(tag: str, hidden: str, parts: list[str], *, closing: bool) -> str:
    """Take a tag; return what hides the text from here on, "" = nothing."""
    if hidden:
        return "" if closing and tag == hidden else hidden
    if tag in _BREAKS:
        parts.append("\n")
    elif tag in {"td", "th"}:
        parts.append(" ")
    return tag if tag in _HIDDEN and not closing else ""


def _lines(text: str) -> str:
    found: list[str] = []
    for line in (" ".join(one.split()) for one in text.split("\n")):
        if line or (found and found[-1]):
            found.append(line)
    return "\n".join(found).strip("\n")

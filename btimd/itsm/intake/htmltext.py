"""HTML of a mail -> plain text, line by line; nothing is fetched, nothing is kept but words."""

from html.parser import HTMLParser
from typing import Final

from typing_extensions import override

MOST_CHARACTERS: Final = 256 * 1024
_HIDDEN: Final = frozenset({"script", "style", "head", "title", "template"})
_BREAKS: Final = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BREAKS:
            self.parts.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.replace("\xa0", " ").split()) if data.strip() else " ")
            if data[-1:].isspace():
                self.parts.append(" ")


def html_to_text(html: str) -> str:
    """Return the words of HTML; blocks, breaks and rows of tables begin lines. Broken HTML gives what can be read."""
    words = _Words()
    # An unclosed "<" at the end is looked at again with every feed; one feed of a bounded text keeps that linear.
    words.feed(html[:MOST_CHARACTERS])
    words.close()
    if not "".join(words.parts).strip() and words._hidden:  # noqa: SLF001  a head that is never closed hides all
        return html_to_text(html.replace("<head", "<div").replace("<title", "<div").replace("<style", "<div"))
    lines = (" ".join(line.split()) for line in "".join(words.parts).split("\n"))
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    return "\n".join(found).strip("\n")

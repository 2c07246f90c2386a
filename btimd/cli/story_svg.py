"""The part of the model that a diagnosis went through, as an SVG picture and as a graph for Graphviz."""

import unicodedata
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import Final

from btimd.cli.ctl_text import clean, percent
from btimd.cli.story_layout import BOX_HEIGHT, BOX_WIDTH, Band, Box, Line, lay_out
from btimd.cli.story_phrases import PARTS, Language, answers, kind_word, say
from btimd.cli.story_text import headline
from btimd.model.diagnosis import DiagnosisStory, NodePart, StoryNode
from btimd.model.view import STATE_COLOURS, ViewState

_GOOD, _DEGRADED = STATE_COLOURS[ViewState.GOOD][0], STATE_COLOURS[ViewState.DEGRADED][0]
_BAD, _UNKNOWN = STATE_COLOURS[ViewState.BAD][0], STATE_COLOURS[ViewState.UNKNOWN][0]

STATES: Final = {
    NodePart.CAUSE: ViewState.BAD,
    NodePart.SYMPTOM: ViewState.BAD,
    NodePart.PATH: ViewState.DEGRADED,
    NodePart.AFFECTED: ViewState.DEGRADED,
    NodePart.SUSPECT: ViewState.UNKNOWN,
    NodePart.CLEARED: ViewState.GOOD,
    NodePart.UNSEEN: ViewState.UNKNOWN,
}
"""In whose shape and colour a node is drawn; fill and border tell further."""

_FILLS: Final = {
    NodePart.CAUSE: _BAD,
    NodePart.SYMPTOM: "#fdecea",
    NodePart.PATH: "#fff8e1",
    NodePart.AFFECTED: "#fff8e1",
    NodePart.SUSPECT: "#f3e5f5",
    NodePart.CLEARED: "#e8f5e9",
    NodePart.UNSEEN: "#ffffff",
}
_BORDERS: Final = {
    NodePart.CAUSE: ("#7f0000", 3.0, ""),
    NodePart.SYMPTOM: (_BAD, 2.5, ""),
    NodePart.PATH: (_DEGRADED, 2.5, ""),
    NodePart.AFFECTED: (_DEGRADED, 1.5, ""),
    NodePart.SUSPECT: ("#8e24aa", 1.5, "6 3"),
    NodePart.CLEARED: (_GOOD, 1.5, ""),
    NodePart.UNSEEN: ("#bdbdbd", 1.2, "2 3"),
}
_TEXT: Final = "#212121"
_FAINT: Final = "#757575"
_MARGIN: Final = 20.0
_BANDS_WIDTH: Final = 96.0
_HEAD: Final = 62.0
_LEGEND_ROW: Final = 26.0
_LEGEND_STEP: Final = 118.0
_LEAST_WIDTH: Final = 760.0
_NAME_CELLS: Final = 20
_REMARK_CELLS: Final = 25
_TAIL_CELLS: Final = 7
_TITLE_CELL: Final = 7.6
_FONT: Final = "'DejaVu Sans','Noto Sans CJK SC','Microsoft YaHei',sans-serif"


def svg(story: DiagnosisStory, language: Language) -> str:
    """Return an SVG document; the same story gives the same text."""
    return "\n".join(_svg(story, language)) + "\n"


def _svg(story: DiagnosisStory, language: Language) -> Iterator[str]:
    layout = lay_out(story.nodes, story.edges)
    inner = max(layout.width, _LEAST_WIDTH - _BANDS_WIDTH)
    width = inner + _BANDS_WIDTH + 2 * _MARGIN
    columns = max(int((width - 2 * _MARGIN) // _LEGEND_STEP), 1)
    legend_rows = -(-len(PARTS) // columns) + 1
    body = _HEAD + 2 * _MARGIN
    legend = body + layout.height + 2 * _MARGIN
    height = legend + legend_rows * _LEGEND_ROW + _MARGIN
    left = _MARGIN + _BANDS_WIDTH + (inner - layout.width) / 2
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}" font-size="13">'
    )
    yield f"<title>{_xml(headline(story, language))}</title>"
    yield f'<rect x="0" y="0" width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>'
    yield _words(_MARGIN, 26, say(language, "title", id=story.verdict.id), size=12, colour=_FAINT)
    cells = int((width - 2 * _MARGIN) / _TITLE_CELL)
    for number, text in enumerate(_broken(headline(story, language), cells)[:2]):
        yield _words(_MARGIN, 48 + 19 * number, text, size=14, bold=True)
    for number, band in enumerate(layout.bands):
        yield from _band(band, body, width, language, shaded=number % 2 == 0)
    for line in sorted(layout.lines, key=lambda line: line.edge.on_path):
        yield _line(line, left, body)
    for box in layout.boxes:
        yield from _box(box, left, body, language)
    yield from _legend(story, legend, columns, language)
    yield "</svg>"


def _band(band: Band, top: float, width: float, language: Language, *, shaded: bool) -> Iterator[str]:
    fill = "#f7f8fa" if shaded else "#ffffff"
    yield (
        f'<rect x="0" y="{top + band.top:.1f}" width="{width:.0f}" height="{band.bottom - band.top:.1f}" '
        f'fill="{fill}"/>'
    )
    middle = top + (band.top + band.bottom) / 2
    yield _words(_MARGIN, middle + 4, kind_word(language, band.kind), size=12, colour=_FAINT, bold=True)


def _line(line: Line, left: float, top: float) -> str:
    """Return a need: straight across rows, bent between them."""
    points = [(x + left, y + top) for x, y in line.points]
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        bend = (y + to_y) / 2
        straight = abs(x - to_x) < 0.5  # noqa: PLR2004  half a pixel
        path.append(
            f"L{to_x:.1f},{to_y:.1f}"
            if straight
            else f"C{x:.1f},{bend:.1f} {to_x:.1f},{bend:.1f} {to_x:.1f},{to_y:.1f}"
        )
    colour, thickness = (_BAD, 4.0) if line.edge.on_path else ("#9aa5b1", 1.3)
    title = f"<title>{_xml(line.edge.node)} → {_xml(line.edge.need)}</title>"
    return f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="{thickness}">{title}</path>'


def _box(box: Box, left: float, top: float, language: Language) -> Iterator[str]:
    node, x, y = box.node, box.x + left - BOX_WIDTH / 2, box.y + top - BOX_HEIGHT / 2
    stroke, thickness, dashes = _BORDERS[node.part]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    name = (node.name_zh if language == "zh" else "") or node.name or node.id
    yield "<g>"
    yield f"<title>{_xml(f'{name} ({node.id}), {PARTS[node.part][language]}')}</title>"
    if node.part is NodePart.CAUSE:
        yield (
            f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="{BOX_WIDTH + 10}" height="{BOX_HEIGHT + 10}" rx="10" '
            f'fill="#ffffff" stroke="{_BAD}" stroke-width="2"/>'
        )
    yield (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="{_FILLS[node.part]}" '
        f'stroke="{stroke}" stroke-width="{thickness}"{dashed}/>'
    )
    colour = "#ffffff" if node.part is NodePart.CAUSE else _TEXT if node.part is not NodePart.UNSEEN else _FAINT
    yield _shape(node.part, x + 16, y + BOX_HEIGHT / 2)
    yield _words(x + 32, y + 19, _shortened(name), size=12, colour=colour, bold=node.part is not NodePart.UNSEEN)
    faint = "#ffcdd2" if node.part is NodePart.CAUSE else _FAINT
    yield _words(x + 32, y + 36, _cut(_remark(node, language), _REMARK_CELLS), size=11, colour=faint)
    yield "</g>"


def _remark(node: StoryNode, language: Language) -> str:
    """Return the second line of a box."""
    parts = [PARTS[node.part][language]]
    if node.part in {NodePart.CAUSE, NodePart.SUSPECT}:
        parts.append(percent(node.probability, 0))
    if node.good or node.bad:
        parts.append(answers(language, bad=node.bad, good=node.good))
    return " · ".join(parts)


def _shape(part: NodePart, x: float, y: float) -> str:
    """Return the shape of a state: it tells what the colour tells."""
    colour, shape = STATE_COLOURS[STATES[part]]
    if part is NodePart.CAUSE:
        colour = "#ffffff"
    elif part is NodePart.SUSPECT:
        colour = _BORDERS[part][0]
    if shape == "cross":
        return (
            f'<path d="M{x - 6:.1f},{y - 6:.1f} L{x + 6:.1f},{y + 6:.1f} M{x - 6:.1f},{y + 6:.1f} '
            f'L{x + 6:.1f},{y - 6:.1f}" fill="none" stroke="{colour}" stroke-width="4"/>'
        )
    if shape == "triangle":
        return f'<path d="M{x:.1f},{y - 7:.1f} L{x + 7:.1f},{y + 6:.1f} L{x - 7:.1f},{y + 6:.1f} Z" fill="{colour}"/>'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" fill="{colour}"/>'
    return _words(x - 5, y + 6, "?", size=17, colour=colour, bold=True)


def _legend(story: DiagnosisStory, top: float, columns: int, language: Language) -> Iterator[str]:
    yield f'<path d="M{_MARGIN},{top - 12:.1f} L{_MARGIN + 300},{top - 12:.1f}" fill="none" stroke="#e0e0e0"/>'
    for number, part in enumerate(PARTS):
        x = _MARGIN + number % columns * _LEGEND_STEP
        y = top + number // columns * _LEGEND_ROW
        stroke, thickness, dashes = _BORDERS[part]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="26" height="20" rx="4" fill="{_FILLS[part]}" stroke="{stroke}" '
            f'stroke-width="{thickness}"{dashed}/>'
        )
        yield _shape(part, x + 13, y + 10)
        yield _words(x + 33, y + 14, PARTS[part][language], size=12)
    y = top + -(-len(PARTS) // columns) * _LEGEND_ROW + 10
    yield f'<path d="M{_MARGIN},{y:.1f} L{_MARGIN + 26},{y:.1f}" fill="none" stroke="{_BAD}" stroke-width="4"/>'
    yield _words(_MARGIN + 33, y + 4, say(language, "legend_path"), size=12)
    if story.left_out:
        text = say(language, "left_out", count=story.left_out)
        yield _words(_MARGIN + 2.6 * _LEGEND_STEP, y + 4, text, size=12, colour=_FAINT)


def _words(x: float, y: float, text: str, *, size: int, colour: str = _TEXT, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{weight}>{_xml(text)}</text>'


def _xml(text: str) -> str:
    """Return a text from outside as it may stand in XML: no markup, no characters that XML has no place for."""
    known = clean(text).replace("\n", " ")
    return escape("".join("\ufffd" if _has_no_place(character) else character for character in known))


def _has_no_place(character: str) -> bool:
    return unicodedata.category(character) == "Cs" or (ord(character) & 0xFFFE) == 0xFFFE  # noqa: PLR2004  Unicode


def _cells(text: str) -> int:
    """Return how wide a text is, in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _shortened(name: str) -> str:
    """Return a name that fits into a box; its end, which often tells it from others, stays."""
    name = " ".join(name.split())
    if _cells(name) <= _NAME_CELLS:
        return name
    tail = name
    while _cells(tail) > _TAIL_CELLS:
        tail = tail[1:]
    return _cut(name, _NAME_CELLS - _cells(tail)) + tail


def _cut(text: str, cells: int) -> str:
    """Return as much of a text as fits, with a sign that there is more."""
    text = " ".join(text.split())
    if _cells(text) <= cells:
        return text
    while _cells(text) > cells - 1:
        text = text[:-1]
    return text + "…"


def _broken(text: str, cells: int) -> list[str]:
    """Return a text in lines of so many cells at most, broken at blanks and between Chinese characters."""
    lines = [""]
    for word in _pieces(text):
        if _cells(lines[-1] + word) > cells and lines[-1]:
            lines.append("")
        lines[-1] = (lines[-1] + word).lstrip()
    return lines if len(lines) <= 2 else [lines[0], _cut(" ".join(lines[1:]), cells)]  # noqa: PLR2004  two lines


def _pieces(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        if character == " " or _cells(character) > 1:
            yield word
            word = ""
        word += character
    yield word


def dot(story: DiagnosisStory, language: Language) -> str:
    """Return the same graph in the language of Graphviz, for those who want to lay it out otherwise."""
    lines = ["digraph diagnosis {", "  node [shape=box, style=filled];"]
    for node in story.nodes:
        name = (node.name_zh if language == "zh" else "") or node.name or node.id
        text = f"{name}\n{_remark(node, language)}"
        border = _BORDERS[node.part][0]
        lines.append(
            f'  {_quoted(node.id)} [label={_quoted(text)}, fillcolor="{_FILLS[node.part]}", color="{border}"];'
        )
    for edge in story.edges:
        look = f' [color="{_BAD}", penwidth=3]' if edge.on_path else ""
        lines.append(f"  {_quoted(edge.node)} -> {_quoted(edge.need)}{look};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

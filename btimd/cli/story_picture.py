"""The story of a diagnosis on a terminal: its chapters, and the graph as a tree from the business down."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from btimd.cli.ctl_tables import SHAPES, fill, new_table
from btimd.cli.ctl_text import clean, full_moment, percent, span
from btimd.cli.story_layout import LAYERS
from btimd.cli.story_phrases import PARTS, STATUSES, Language, answers, kind_word, say
from btimd.cli.story_svg import STATES
from btimd.cli.story_text import Chapter, chapters
from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStory, NodePart, StoryEdge, StoryNode

_STYLES: Final = {NodePart.CAUSE: "bold white on red", NodePart.SUSPECT: "magenta", NodePart.UNSEEN: "bright_black"}


def story_picture(story: DiagnosisStory, language: Language, zone: tzinfo | None = None) -> RenderableType:
    """Show everything: the story, then the graph."""
    parts = [_chapter(chapter) for chapter in chapters(story, language, zone)]
    title = Text(clean(say(language, "title", id=story.verdict.id)), style="bold underline")
    return Group(
        title, *parts, Text(""), Text(say(language, "picture"), style="bold cyan"), graph_tree(story, language)
    )


def _chapter(chapter: Chapter) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for line in chapter.lines:
        remark = line.startswith("  ")
        strong = line.startswith("=>")
        style = "dim" if remark else "bold" if strong else ""
        table.add_row("" if remark or strong else "-", Text(clean(line.strip()), style=style))
    return Group(Text(""), Text(clean(chapter.title), style="bold cyan"), table)


def graph_tree(story: DiagnosisStory, language: Language) -> Tree:
    """Show what needs what, from the business down, the way to the cause first; what several need is opened once."""
    return _Forest(story, language).tree()


class _Forest:
    def __init__(self, story: DiagnosisStory, language: Language) -> None:
        self._story = story
        self._language: Language = language
        self._nodes = {node.id: node for node in story.nodes}
        self._needs: dict[str, list[StoryEdge]] = {node.id: [] for node in story.nodes}
        for edge in sorted(story.edges, key=lambda edge: not edge.on_path):
            self._needs[edge.node].append(edge)
        self._opened: set[str] = set()

    def tree(self) -> Tree:
        tree = Tree(Text(" · ".join(PARTS[part][self._language] for part in self._parts())), guide_style="bright_black")
        needed = {edge.need for edge in self._story.edges}
        roots = [node for node in self._story.nodes if node.id not in needed]
        roots.sort(key=lambda node: (not self._leads(node.id), LAYERS.index(node.kind)))
        work: list[tuple[Tree, str, bool]] = [(tree, root.id, False) for root in reversed(roots)]
        while work:
            parent, name, on_path = work.pop()
            again = name in self._opened
            self._opened.add(name)
            branch = parent.add(
                self._label(self._nodes[name], on_path=on_path, again=again and bool(self._needs[name]))
            )
            if on_path:
                branch.guide_style = "red"
            if again:
                continue
            quiet = [edge for edge in self._needs[name] if self._is_quiet(edge.need)]
            shown = [edge for edge in self._needs[name] if edge not in quiet]
            work.extend((branch, edge.need, edge.on_path) for edge in reversed(shown))
            if quiet:
                names = ", ".join(edge.need for edge in quiet)
                branch.add(Text(clean(f"? {say(self._language, 'unseen', nodes=names)}"), style="bright_black"))
        return tree

    def _parts(self) -> Sequence[NodePart]:
        return [part for part in NodePart if any(node.part is part for node in self._story.nodes)]

    def _leads(self, name: str) -> bool:
        return any(edge.on_path for edge in self._needs[name])

    def _is_quiet(self, name: str) -> bool:
        """Tell whether neither a node nor anything below it was looked at."""
        return all(self._nodes[one].part is NodePart.UNSEEN for one in self._below(name))

    def _below(self, name: str) -> Iterator[str]:
        seen, work = {name}, [name]
        while work:
            current = work.pop()
            yield current
            for edge in self._needs[current]:
                if edge.need not in seen:
                    seen.add(edge.need)
                    work.append(edge.need)

    def _label(self, node: StoryNode, *, on_path: bool, again: bool) -> Text:
        shape, colour = SHAPES[STATES[node.part].value]
        style = _STYLES.get(node.part, colour)
        name = (node.name_zh if self._language == "zh" else "") or node.name
        label = Text.assemble(("━ " if on_path else "", "bold red"), (f"{shape} {clean(node.id)}", style))
        said = f"  {kind_word(self._language, node.kind)}" + (f", {clean(name)}" if name != node.id else "")
        label.append(said, style="dim").append(f"  {PARTS[node.part][self._language]}", style=style)
        if node.part in {NodePart.CAUSE, NodePart.SUSPECT}:
            label.append(f" {percent(node.probability, 0)}", style="bold")
        if node.good or node.bad:
            label.append(f"  {answers(self._language, bad=node.bad, good=node.good)}", style="dim")
        if again:
            label.append(f"  ({say(self._language, 'see_above')})", style="bright_black")
        return label


def entries_table(entries: Sequence[DiagnosisEntry], zone: tzinfo | None = None) -> Table:
    """Show the kept diagnoses, a line each."""
    right = ("sure", "probes")
    table = new_table("ended", "id", "finding", "cause", "sure", "businesses", "took", "probes", "again", right=right)
    return fill(
        table,
        (
            (
                full_moment(entry.ended_at, zone),
                entry.id,
                STATUSES[entry.status]["en"],
                entry.cause or "-",
                percent(entry.confidence, 0),
                ", ".join(entry.businesses) or "-",
                span(entry.seconds_taken),
                str(entry.probes_used),
                "yes" if entry.complete else "no",
            )
            for entry in entries
        ),
    )

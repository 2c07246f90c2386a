from dataclasses import replace
from datetime import UTC
from io import StringIO

from rich.console import Console, RenderableType

from btimd.cli.story_picture import graph_tree, story_picture
from btimd.model.diagnosis import NodePart
from tests.fakes.diagnoses import shop_story


def shown(picture: RenderableType) -> list[str]:
    out = StringIO()
    Console(file=out, width=120, emoji=False, highlight=False).print(picture)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_graph_is_a_tree_with_the_way_to_the_cause_first() -> None:
    lines = shown(graph_tree(shop_story(), "en"))
    assert lines[0] == "cause · symptom · on the way · cleared · not looked at"
    assert lines[1] == "└── ✖ erp  business, ERP  symptom  1 bad"
    cause = next(line for line in lines if "db1" in line)
    assert "━ ✖ db1  database, ERP database  cause 99 %  1 bad" in cause
    assert any("? not looked at: " in line for line in lines)


def test_what_several_need_is_opened_once() -> None:
    story = shop_story()
    nodes = tuple(replace(node, part=NodePart.CLEARED) for node in story.nodes)
    edges = (*story.edges, replace(story.edges[0], node="name-erp", need="erp-app", on_path=False))
    lines = shown(graph_tree(replace(story, nodes=nodes, edges=edges), "zh"))
    assert sum("erp-app" in line for line in lines) == 2
    assert sum("见上" in line for line in lines) == 1


def test_all_of_it_is_shown_and_nothing_from_outside_steers_the_terminal() -> None:
    story = shop_story()
    steps = tuple(replace(step, detail="\x1b[2J[bold]x") for step in story.steps)
    text = "\n".join(shown(story_picture(replace(story, steps=steps), "en", UTC)))
    assert "\x1b" not in text
    assert "\ufffd[2J[bold]x" in text
    assert "What happens next" in text

from itertools import pairwise

import pytest

from btimd.cli.story_layout import BOX_HEIGHT, BOX_WIDTH, LAYERS, lay_out
from btimd.model.diagnosis import NodePart, StoryEdge, StoryNode
from btimd.model.service import NodeKind
from tests.fakes.diagnoses import shop_story


def node(name: str, kind: NodeKind) -> StoryNode:
    return StoryNode(name, kind, name, "", NodePart.CLEARED, 0.0, 1, 0, 0)


def crowd(count: int) -> tuple[list[StoryNode], list[StoryEdge]]:
    """Return so many nodes over all layers, each needing some below."""
    nodes = [node(f"n{number}", LAYERS[number * len(LAYERS) // count]) for number in range(count)]
    edges = [
        StoryEdge(f"n{number}", f"n{need}", on_path=number % 7 == 0)
        for number in range(count)
        for need in {number + 1 + number % 3, number + 5 + number % 11}
        if need < count
    ]
    return nodes, edges


def test_every_layer_has_a_name() -> None:
    assert set(LAYERS) == set(NodeKind)


@pytest.mark.parametrize("count", [1, 2, 5, 20, 60])
def test_boxes_stand_in_their_layers_and_do_not_overlap(count: int) -> None:
    nodes, edges = crowd(count)
    layout = lay_out(nodes, edges)
    assert layout == lay_out(nodes, edges)
    assert [box.node for box in layout.boxes] == nodes
    rows: dict[float, list[float]] = {}
    for box in layout.boxes:
        rows.setdefault(box.y, []).append(box.x)
        assert BOX_WIDTH / 2 - 0.01 <= box.x <= layout.width - BOX_WIDTH / 2 + 0.01
        assert BOX_HEIGHT / 2 <= box.y <= layout.height - BOX_HEIGHT / 2
    for places in rows.values():
        assert all(other - one >= BOX_WIDTH for one, other in pairwise(sorted(places)))
    tops = [min(box.y for box in layout.boxes if box.node.kind is band.kind) for band in layout.bands]
    assert tops == sorted(tops)
    assert len(layout.lines) == len(edges)


def test_lines_go_from_box_to_box_and_around_what_lies_between() -> None:
    nodes = [node("a", NodeKind.BUSINESS), node("b", NodeKind.APPLICATION), node("c", NodeKind.HOST)]
    edges = [StoryEdge("a", "b", on_path=True), StoryEdge("b", "c", on_path=True), StoryEdge("a", "c", on_path=False)]
    layout = lay_out(nodes, edges)
    at = {box.node.id: box for box in layout.boxes}
    long = next(line for line in layout.lines if line.edge == edges[2])
    assert long.points[0] == (at["a"].x, at["a"].y + BOX_HEIGHT / 2)
    assert long.points[-1] == (at["c"].x, at["c"].y - BOX_HEIGHT / 2)
    assert all(abs(x - at["b"].x) > BOX_WIDTH / 2 for x, _ in long.points[1:-1])


def test_the_way_to_the_cause_is_nearly_straight() -> None:
    story = shop_story()
    layout = lay_out(story.nodes, story.edges)
    on_path = {name for line in layout.lines if line.edge.on_path for name in (line.edge.node, line.edge.need)}
    places = [box.x for box in layout.boxes if box.node.id in on_path]
    assert len(places) == 4
    assert max(places) - min(places) < BOX_WIDTH


def test_nothing_and_circles_can_be_drawn() -> None:
    assert lay_out((), ()).boxes == ()
    nodes = [node("a", NodeKind.APPLICATION), node("b", NodeKind.APPLICATION)]
    edges = [StoryEdge("a", "b", on_path=False), StoryEdge("b", "a", on_path=False), StoryEdge("a", "x", on_path=False)]
    assert len(lay_out(nodes, edges).boxes) == 2

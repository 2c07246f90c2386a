from dataclasses import replace
from xml.etree import ElementTree as ET

from btimd.cli.story_svg import STATES, dot, svg
from btimd.model.diagnosis import DiagnosisStory, NodePart
from tests.fakes.diagnoses import shop_story

_TEXT = "{http://www.w3.org/2000/svg}text"


def hostile() -> DiagnosisStory:
    """Return a story whose names are markup, control characters, and no characters at all."""
    story = shop_story()
    names = [
        '<script>alert("1")</script> & co',
        "a\x1b[31m\x00b\ud800\uffff",
        "x" * 500,
        '"]; evil [label="',
        "企业资源" * 9,
    ]
    nodes = tuple(replace(node, name=names[number % len(names)]) for number, node in enumerate(story.nodes))
    return replace(story, nodes=nodes, verdict=replace(story.verdict, id="<id>", summary="<b>& " + "long words " * 80))


def texts(document: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(document).iter(_TEXT)]  # noqa: S314  own text


def test_a_picture_holds_every_node_the_finding_and_a_legend() -> None:
    told = texts(svg(shop_story(), "en"))
    assert {"ERP", "erp-web", "ERP database", "cause", "way from the symptom to the cause"} <= set(told)
    assert "db1 refuses" in " ".join(told) or "ERP database (db1) refuses" in " ".join(told)
    assert "从现象到原因的路径" in texts(svg(shop_story(), "zh"))
    assert svg(shop_story(), "en") == svg(shop_story(), "en")
    assert any("7 more nodes are not shown" in text for text in texts(svg(replace(shop_story(), left_out=7), "en")))


def test_names_from_outside_stay_text() -> None:
    document = svg(hostile(), "zh")
    root = ET.fromstring(document)  # noqa: S314  own text
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg",
        "title",
        "rect",
        "text",
        "path",
        "g",
        "circle",
    }
    assert document.encode()
    assert max(len(text) for text in texts(document)) < 200


def test_every_part_is_told_by_shape_and_not_by_colour_alone() -> None:
    assert set(STATES) == set(NodePart)
    story = shop_story()
    nodes = tuple(replace(node, part=list(NodePart)[number % 7]) for number, node in enumerate(story.nodes))
    told = texts(svg(replace(story, nodes=nodes), "en"))
    assert all(any(text.startswith(word) for text in told) for word in ("affected", "suspect", "not looked at"))


def test_the_same_graph_can_be_given_to_graphviz() -> None:
    text = dot(shop_story(), "en")
    assert '"db1" [label="ERP database\\ncause · 99 % · 1 bad"' in text
    assert '"erp" -> "erp-web" [color="#c62828", penwidth=3];' in text
    assert 'label="\\"]; evil [label=\\"' in dot(hostile(), "en")

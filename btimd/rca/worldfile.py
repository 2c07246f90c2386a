"""Reads the model of a world: a JSON object of nodes, edges, probes and indicators.

    {"nodes":      [{"id": "db-12", "kind": "database", "prior": 0.00014}],
     "edges":      [{"from": "app-3", "to": "db-12", "weight": 0.9, "physical": false}],
     "probes":     [{"id": "db-12/sql", "node": "db-12", "check": "sql", "cost": 6.0, "end_to_end": true,
                     "detects": 0.95, "false_positive": 0.015}],
     "indicators": [{"id": "erp@north", "needs": ["biz-erp", "racc-7"]}]}

Optional are prior (by kind), weight, physical, cost, end_to_end, detects and false_positive, and the list of edges;
keys that are not known are passed over. The defaults are the constants below.
"""

from array import array
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from btimd.rca.jsonwalk import JsonWalk, shown
from btimd.rca.world import BASE_PRIOR, KIND_ODDS, Edges, Indicators, Probes, World, depths

DEFAULT_WEIGHT: Final = 0.9
DEFAULT_PHYSICAL: Final = False
DEFAULT_COST: Final = 1.0
DEFAULT_END_TO_END: Final = False
DEFAULT_DETECTS: Final = 0.95
DEFAULT_FALSE_POSITIVE: Final = 0.01
MOST_CIRCLES: Final = 5
_LONGEST_ID: Final = 200
_HIGHEST_COST: Final = 1e6
_SHOWN_CIRCLE: Final = 8
_SECTIONS: Final = ("nodes", "edges", "probes", "indicators")


def parse_world(text: str) -> World:
    """Return the world of a model file; raises FileProblemsError with everything that is wrong, the first 50."""
    walk = JsonWalk(text)
    begun = walk.begin()
    if text[begun : begun + 1] != "{":
        walk.broken(begun, "", "a model is a JSON object with nodes, edges, probes and indicators")
    reader = _Reader(walk)
    places: dict[str, int] = {}
    for key, place in walk.members(begun):
        if key not in _SECTIONS:
            continue
        if key in places:
            walk.wrong(place, key, "given twice; leave one list")
            continue
        places[key] = place
        # What names nodes is read at once only where the nodes are known already.
        if key == "nodes" or "nodes" in places:
            reader.read(key, place)
    for key in _SECTIONS:
        if key in places:
            reader.read(key, places[key])
        elif key != "edges":
            walk.wrong(begun, key, f'missing; add a list "{key}": [...]')
    return reader.world(places)


class _Wrong(Exception):  # noqa: N818  never leaves this module
    """An element cannot be used."""


class _Reader:
    def __init__(self, walk: JsonWalk) -> None:
        self._walk = walk
        self._done: set[str] = set()
        self._rows: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self._kind, self._prior = array("h"), array("f")
        self._needing, self._to = array("i"), array("i")
        self._weight, self._physical = array("f"), array("b")
        self._probe_rows: dict[str, int] = {}
        self._checks: dict[str, int] = {}
        self._probe_node, self._check, self._end_to_end = array("i"), array("h"), array("b")
        self._cost, self._detects, self._false_positive = array("f"), array("f"), array("f")
        self._indicator_rows: dict[str, int] = {}
        self._start, self._need = array("i", [0]), array("i")

    def read(self, key: str, place: int) -> None:
        """Take in a list, once."""
        if key in self._done:
            return
        self._done.add(key)
        take: Callable[[Mapping[str, Any]], None] = {
            "nodes": self._node, "edges": self._edge, "probes": self._probe, "indicators": self._indicator
        }[key]  # fmt: skip
        for number, (offset, element) in enumerate(self._walk.elements(place, key)):
            try:
                take(element)
            except (KeyError, TypeError, AttributeError, _Wrong):
                found = self._faults(key, element) or [("", "cannot be used")]
                for path, text in found:
                    self._walk.wrong(offset, f"{key}[{number}]{path}", text)
                if key == "nodes" and isinstance(element, dict) and isinstance(element.get("id"), str):
                    # Its name is known all the same: edges that lead to it are no mistake of their own.
                    self._rows.setdefault(element["id"], len(self._rows))

    def _node(self, one: Mapping[str, Any]) -> None:
        name, kind, prior = one["id"], one["kind"], one.get("prior")
        if type(name) is not str or name in self._rows or not 0 < len(name) <= _LONGEST_ID:
            raise _Wrong
        if type(kind) is not str or not kind:
            raise _Wrong
        if prior is None:
            prior = BASE_PRIOR * KIND_ODDS.get(kind, 1.0)
        elif not 0.0 <= prior < 1.0 or prior is False:
            raise _Wrong
        self._kind.append(self._kinds.setdefault(kind, len(self._kinds)))
        self._prior.append(prior)
        self._rows[name] = len(self._rows)

    def _edge(self, one: Mapping[str, Any]) -> None:
        needing, to = self._rows[one["from"]], self._rows[one["to"]]
        weight, physical = one.get("weight", DEFAULT_WEIGHT), one.get("physical", DEFAULT_PHYSICAL)
        if needing == to or not 0.0 < weight <= 1.0 or weight is True or type(physical) is not bool:
            raise _Wrong
        self._weight.append(weight)
        self._needing.append(needing)
        self._to.append(to)
        self._physical.append(physical)

    def _probe(self, one: Mapping[str, Any]) -> None:
        name, check, node = one["id"], one["check"], self._rows[one["node"]]
        if type(name) is not str or name in self._probe_rows or not 0 < len(name) <= _LONGEST_ID:
            raise _Wrong
        if type(check) is not str or not check:
            raise _Wrong
        cost, end_to_end = one.get("cost", DEFAULT_COST), one.get("end_to_end", DEFAULT_END_TO_END)
        detects, leak = one.get("detects", DEFAULT_DETECTS), one.get("false_positive", DEFAULT_FALSE_POSITIVE)
        if (
            not 0.0 < cost < _HIGHEST_COST
            or not 0.0 < detects <= 1.0
            or not 0.0 <= leak < 1.0
            or type(end_to_end) is not bool
        ):
            raise _Wrong
        if cost is True or detects is True or leak is False:
            raise _Wrong
        self._cost.append(cost)
        self._detects.append(detects)
        self._false_positive.append(leak)
        self._end_to_end.append(end_to_end)
        self._probe_node.append(node)
        self._check.append(self._checks.setdefault(check, len(self._checks)))
        self._probe_rows[name] = len(self._probe_rows)

    def _indicator(self, one: Mapping[str, Any]) -> None:
        name, needs = one["id"], one["needs"]
        if type(name) is not str or name in self._indicator_rows or not 0 < len(name) <= _LONGEST_ID:
            raise _Wrong
        if type(needs) is not list or not needs:
            raise _Wrong
        self._need.extend([self._rows[need] for need in needs])
        self._start.append(len(self._need))
        self._indicator_rows[name] = len(self._indicator_rows)

    def _faults(self, key: str, element: object) -> list[tuple[str, str]]:
        """Return path and text of everything that is wrong with an element."""
        if not isinstance(element, dict):
            return [("", f"must be an object {{...}}, not {shown(element)}")]
        faults = _Faults(element, self._rows)
        if key != "edges":
            known = {"nodes": self._rows, "probes": self._probe_rows, "indicators": self._indicator_rows}[key]
            faults.new_id(known)
        if key == "nodes":
            faults.text("kind")
            faults.number("prior", "0 or more and below 1", lambda value: 0.0 <= value < 1.0)
        elif key == "edges":
            faults.node("from")
            faults.node("to")
            faults.number("weight", "above 0 and at most 1", lambda value: 0.0 < value <= 1.0)
            faults.switch("physical")
            if element.get("from") == element.get("to"):
                faults.found.append(("", f"{shown(element.get('to'))} needs itself; take this edge out"))
        elif key == "probes":
            faults.node("node")
            faults.text("check")
            faults.number("cost", f"above 0 and below {_HIGHEST_COST:.0f}", lambda value: 0.0 < value < _HIGHEST_COST)
            faults.switch("end_to_end")
            faults.number("detects", "above 0 and at most 1", lambda value: 0.0 < value <= 1.0)
            faults.number("false_positive", "0 or more and below 1", lambda value: 0.0 <= value < 1.0)
        else:
            faults.needs()
        return faults.found

    def world(self, places: Mapping[str, int]) -> World:
        """Return the world when nothing is wrong."""
        edges = Edges.of(
            len(self._rows),
            np.array(self._needing, np.int32),
            np.array(self._to, np.int32),
            np.array(self._weight, np.float32),
            np.array(self._physical, np.bool_),
        )
        if not self._rows and "nodes" in places:
            self._walk.wrong(places["nodes"], "nodes", "empty; a world has one node at least")
        names = list(self._rows)
        for circle in _circles(edges):
            text = " -> ".join(names[node] for node in circle[:_SHOWN_CIRCLE])
            rest = f" -> ... ({len(circle) - 1} nodes)" if len(circle) > _SHOWN_CIRCLE else ""
            self._walk.wrong(places["edges"], "edges", f"a circle: {text}{rest}; take one of these edges out")
        self._walk.finish()
        return World(
            names,
            tuple(self._kinds),
            np.array(self._kind, np.int16),
            np.array(self._prior, np.float32),
            edges,
            Probes(
                list(self._probe_rows),
                np.array(self._probe_node, np.int32),
                tuple(self._checks),
                np.array(self._check, np.int16),
                np.array(self._cost, np.float32),
                np.array(self._end_to_end, np.bool_),
                np.array(self._detects, np.float32),
                np.array(self._false_positive, np.float32),
            ),
            Indicators(
                list(self._indicator_rows), np.array(self._start, np.int32), np.array(self._need, np.int32)
            ),
        )  # fmt: skip


class _Faults:
    """Looks at every field of an element that cannot be used."""

    def __init__(self, element: dict[str, Any], rows: Mapping[str, int]) -> None:
        self._element = element
        self._rows = rows
        self.found: list[tuple[str, str]] = []

    def text(self, key: str) -> bool:
        value = self._element.get(key)
        if key not in self._element:
            self.found.append((f".{key}", f'missing; write "{key}": "..."'))
        elif not isinstance(value, str) or not value:
            self.found.append((f".{key}", f"must be a text that is not empty, not {shown(value)}"))
        else:
            return True
        return False

    def new_id(self, known: Mapping[str, int]) -> None:
        if not self.text("id"):
            return
        name = self._element["id"]
        if len(name) > _LONGEST_ID:
            self.found.append((".id", f"longer than {_LONGEST_ID} characters; shorten it"))
        elif name in known:
            self.found.append((".id", f"{shown(name)} is the id of an element above already; use another"))

    def node(self, key: str) -> None:
        if self.text(key):
            self._known(f".{key}", self._element[key])

    def _known(self, path: str, name: str) -> None:
        if name not in self._rows:
            self.found.append((path, f"no node has the id {shown(name)}; add it to nodes or correct this"))

    def needs(self) -> None:
        needs = self._element.get("needs")
        if not isinstance(needs, list) or not needs:
            self.found.append((".needs", f"must be a list of node ids that is not empty, not {shown(needs)}"))
            return
        for number, need in enumerate(needs):
            if isinstance(need, str):
                self._known(f".needs[{number}]", need)
            else:
                self.found.append((f".needs[{number}]", f"must be a node id, not {shown(need)}"))

    def number(self, key: str, wanted: str, is_right: Callable[[float], bool]) -> None:
        value = self._element.get(key, None)
        if key not in self._element or (key == "prior" and value is None):
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_right(value):
            self.found.append((f".{key}", f"must be a number {wanted}, not {shown(value)}"))

    def switch(self, key: str) -> None:
        value = self._element.get(key, False)
        if not isinstance(value, bool):
            self.found.append((f".{key}", f"must be true or false, not {shown(value)}"))


def _circles(edges: Edges) -> list[list[int]]:
    """Return some circles of nodes that need each other, each beginning and ending with the same node."""
    deep = depths(edges)
    left = set(np.flatnonzero(deep < 0).tolist())
    circles: list[list[int]] = []
    while left and len(circles) < MOST_CIRCLES:
        way: dict[int, None] = {}
        node: int | None = next(iter(sorted(left)))
        while node is not None and node not in way:
            way[node] = None
            needs = edges.to[edges.start[node] : edges.start[node + 1]].tolist()
            node = next((need for need in needs if need in left), None)
        walked = list(way)
        if node is None:
            # Everything below was on a circle that is told already.
            left -= set(walked)
        else:
            circle = walked[walked.index(node) :]
            circles.append([*circle, node])
            left -= set(circle)
    return circles

"""Where the nodes of a diagnosis stand in its picture: layers from the business down, few crossings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from btimd.model.diagnosis import StoryEdge, StoryNode
from btimd.model.service import NodeKind

LAYERS: Final = (
    NodeKind.BUSINESS, NodeKind.USER, NodeKind.APPLICATION, NodeKind.MIDDLEWARE, NodeKind.DATABASE, NodeKind.SHARED,
    NodeKind.OS, NodeKind.HOST, NodeKind.NETWORK, NodeKind.FACILITY,
)  # fmt: skip
_SOFTWARE: Final = frozenset({NodeKind.APPLICATION, NodeKind.MIDDLEWARE, NodeKind.DATABASE, NodeKind.SHARED})
BOX_WIDTH: Final = 204.0
BOX_HEIGHT: Final = 46.0
ROW_GAP: Final = 46.0
_BOX_GAP: Final = 18.0
_LINE_WIDTH: Final = 6.0
_MOST_IN_ROW: Final = 8
_SWEEPS: Final = 24
_PATH_WEIGHT: Final = 40.0
_LINE_WEIGHT: Final = 12.0

Key = tuple[str, int]
"""A box (id, -1), or the place where lines to a node (id) pass a row."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node with the middle of its box."""

    node: StoryNode
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A need with the points that its line goes through: straight across rows, bent between them."""

    edge: StoryEdge
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A layer with its upper and lower end."""

    kind: NodeKind
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes, lines and layers of a picture that begins at 0, 0."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]


def lay_out(nodes: Sequence[StoryNode], edges: Sequence[StoryEdge]) -> Layout:
    """Return the same layout for the same nodes and edges."""
    return _Drawing(nodes, edges).layout()


class _Drawing:
    def __init__(self, nodes: Sequence[StoryNode], edges: Sequence[StoryEdge]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.edges = [edge for edge in edges if edge.node in self.nodes and edge.need in self.nodes]
        self.layers = self._layers()
        self.kinds: list[NodeKind] = []
        self.rows: list[list[Key]] = []
        self.row_of: dict[str, int] = {}
        self._make_rows()
        self.ways = {edge: self._way(edge) for edge in self.edges}
        self.links: dict[tuple[Key, Key], float] = {}
        for edge, way in self.ways.items():
            for upper, lower in pairwise(way):
                weight = _PATH_WEIGHT if edge.on_path else _LINE_WEIGHT if upper[1] >= 0 and lower[1] >= 0 else 1.0
                self.links[upper, lower] = max(self.links.get((upper, lower), 0.0), weight)

    def _layers(self) -> list[NodeKind]:
        """Return the layers from above; of those of software the one that needs another stands over it."""
        layers = list(LAYERS)
        down: dict[tuple[NodeKind, NodeKind], float] = {}
        for edge in self.edges:
            kinds = (self.nodes[edge.node].kind, self.nodes[edge.need].kind)
            down[kinds] = down.get(kinds, 0.0) + (_PATH_WEIGHT if edge.on_path else 1.0)
        places = [place for place, kind in enumerate(layers) if kind in _SOFTWARE]
        for _ in places:
            for one, other in pairwise(places):
                upper, lower = layers[one], layers[other]
                if down.get((lower, upper), 0.0) > down.get((upper, lower), 0.0):
                    layers[one], layers[other] = lower, upper
        return layers

    def _make_rows(self) -> None:
        """Put every node into a row: by its layer, within it by who needs whom; long rows are broken."""
        order = {name: place for place, name in enumerate(self._walk())}
        depth = self._depths()
        for kind in self.layers:
            levels: dict[int, list[str]] = {}
            for name in sorted((name for name, node in self.nodes.items() if node.kind is kind), key=order.__getitem__):
                levels.setdefault(depth[name], []).append(name)
            for level in sorted(levels):
                names = levels[level]
                parts = -(-len(names) // _MOST_IN_ROW)
                size = -(-len(names) // parts)
                for begin in range(0, len(names), size):
                    row = names[begin : begin + size]
                    self.row_of |= dict.fromkeys(row, len(self.rows))
                    self.rows.append([(name, -1) for name in row])
                    self.kinds.append(kind)

    def _walk(self) -> Iterator[str]:
        """Yield all nodes as they are met from the top, the path first."""
        needs: dict[str, list[StoryEdge]] = {name: [] for name in self.nodes}
        for edge in self.edges:
            needs[edge.node].append(edge)
        seen: set[str] = set()
        for root in sorted(self.nodes, key=lambda name: self.layers.index(self.nodes[name].kind)):
            work = [root]
            while work:
                name = work.pop()
                if name in seen:
                    continue
                seen.add(name)
                yield name
                work += [edge.need for edge in sorted(needs[name], key=lambda edge: edge.on_path)]

    def _depths(self) -> dict[str, int]:
        """Return how many nodes of its own layer stand above each, one upon the other."""
        inner = [edge for edge in self.edges if self.nodes[edge.node].kind is self.nodes[edge.need].kind]
        depth = dict.fromkeys(self.nodes, 0)
        for _ in self.nodes:
            deeper = {edge.need: depth[edge.node] + 1 for edge in inner if depth[edge.need] <= depth[edge.node]}
            if not deeper:
                break
            for name, value in deeper.items():
                depth[name] = max(depth[name], value)
        return depth

    def _way(self, edge: StoryEdge) -> tuple[Key, ...]:
        """Return what a line goes through from its upper to its lower end; lines to one node share their way."""
        ends = sorted((edge.node, edge.need), key=lambda name: self.row_of[name])
        upper, lower = self.row_of[ends[0]], self.row_of[ends[1]]
        between = [(edge.need, row) for row in range(upper + 1, lower)]
        for key in between:
            if key not in self.rows[key[1]]:
                self.rows[key[1]].append(key)
        return ((ends[0], -1), *between, (ends[1], -1))

    def layout(self) -> Layout:
        self._order()
        places = self._places()
        left = min((x - BOX_WIDTH / 2 for (_, line), x in places.items() if line < 0), default=0.0)
        right = max((x + BOX_WIDTH / 2 for (_, line), x in places.items() if line < 0), default=0.0)
        across = [x for (_, line), x in places.items() if line >= 0]
        left, right = min([left, *across]), max([right, *across])
        tops = [row * (BOX_HEIGHT + ROW_GAP) for row in range(len(self.rows))]
        boxes = tuple(
            Box(node, places[name, -1] - left, tops[self.row_of[name]] + BOX_HEIGHT / 2)
            for name, node in self.nodes.items()
        )
        lines = tuple(Line(edge, tuple(self._points(way, places, left, tops))) for edge, way in self.ways.items())
        height = tops[-1] + BOX_HEIGHT if tops else 0.0
        return Layout(right - left, height, boxes, lines, tuple(self._bands(tops)))

    def _points(
        self, way: Sequence[Key], places: Mapping[Key, float], left: float, tops: Sequence[float]
    ) -> Iterator[tuple[float, float]]:
        for place, (name, row) in enumerate(way):
            x = places[name, row] - left
            if row >= 0:
                yield from ((x, tops[row]), (x, tops[row] + BOX_HEIGHT))
            else:
                yield x, tops[self.row_of[name]] + (0.0 if place else BOX_HEIGHT)

    def _bands(self, tops: Sequence[float]) -> Iterator[Band]:
        for kind in self.layers:
            own = [top for top, of in zip(tops, self.kinds, strict=True) if of is kind]
            if own:
                yield Band(kind, min(own) - ROW_GAP / 2, max(own) + BOX_HEIGHT + ROW_GAP / 2)

    # -- the order within rows

    def _order(self) -> None:
        """Order the rows so that few lines cross: every item goes to the middle of its neighbours, up and down."""
        above, below = self._neighbours()
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            rows = range(1, len(self.rows)) if down else range(len(self.rows) - 2, -1, -1)
            for row in rows:
                fixed = {key: place for place, key in enumerate(self.rows[row - 1 if down else row + 1])}
                near = above if down else below
                own = {key: float(place) for place, key in enumerate(self.rows[row])}
                scale = len(fixed) / max(len(own), 1)
                wanted = {
                    key: _mean([(fixed[other], weight) for other, weight in near[key]], own[key] * scale) for key in own
                }
                self.rows[row].sort(key=wanted.__getitem__)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _neighbours(self) -> tuple[dict[Key, list[tuple[Key, float]]], dict[Key, list[tuple[Key, float]]]]:
        above: dict[Key, list[tuple[Key, float]]] = {key: [] for row in self.rows for key in row}
        below: dict[Key, list[tuple[Key, float]]] = {key: [] for row in self.rows for key in row}
        for (upper, lower), weight in self.links.items():
            above[lower].append((upper, weight))
            below[upper].append((lower, weight))
        return above, below

    def _crossings(self) -> float:
        place = {key: number for row in self.rows for number, key in enumerate(row)}
        between: dict[int, list[tuple[int, int, float]]] = {}
        for (upper, lower), weight in self.links.items():
            row = upper[1] if upper[1] >= 0 else self.row_of[upper[0]]
            between.setdefault(row, []).append((place[upper], place[lower], weight))
        return sum(
            min(one[2], other[2])
            for lines in between.values()
            for number, one in enumerate(lines)
            for other in lines[:number]
            if (one[0] - other[0]) * (one[1] - other[1]) < 0
        )

    # -- places

    def _places(self) -> dict[Key, float]:
        """Return where the middle of each item is: near its neighbours, in order, with room for the boxes."""
        above, below = self._neighbours()
        places: dict[Key, float] = {}
        for row in self.rows:
            steps = _offsets(row)
            places |= {key: step - steps[-1] / 2 for key, step in zip(row, steps, strict=True)}
        for sweep in range(2 * _SWEEPS):
            ordered = self.rows if sweep % 2 == 0 else reversed(self.rows)
            for row in ordered:
                near = {key: (*above[key], *below[key]) for key in row}
                wanted = [
                    (_mean([(places[other], weight) for other, weight in near[key]], places[key]),
                     max([weight for _, weight in near[key]], default=0.1))
                    for key in row
                ]  # fmt: skip
                places |= dict(zip(row, _in_order(wanted, _offsets(row)), strict=True))
        return places


def _offsets(row: Sequence[Key]) -> list[float]:
    """Return how far each item of a row stands from the first at least."""
    found = [0.0]
    for one, other in pairwise(row):
        widths = [BOX_WIDTH if line < 0 else _LINE_WIDTH for _, line in (one, other)]
        found.append(found[-1] + sum(widths) / 2 + _BOX_GAP)
    return found[: len(row)]


def _in_order(wanted: Sequence[tuple[float, float]], offsets: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted (place, weight) in order and at distances: isotonic regression."""
    blocks: list[tuple[float, float, int]] = []
    for (place, weight), offset in zip(wanted, offsets, strict=True):
        block = (place - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, mass, count = blocks.pop()
            total = mass + block[1]
            block = ((mean * mass + block[0] * block[1]) / total, total, count + block[2])
        blocks.append(block)
    found = [mean for mean, _, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(found, offsets, strict=True)]


def _mean(values: Sequence[tuple[float, float]], otherwise: float) -> float:
    total = sum(weight for _, weight in values)
    return sum(value * weight for value, weight in values) / total if total else otherwise

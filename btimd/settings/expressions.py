"""A small language for an operator's own indicators: `response_p95_seconds > 2 and users_online >= 50`.

Figures by name, numbers, + - * / with brackets, comparisons (also chained), and, or, not, and the functions min, max,
abs. Nothing else: no attributes beside dotted names of figures, no indexing, no calls of anything else, no loops. A
figure that is not known makes the result unknown, unless it does not matter: `False and unknown` is False.
Python's own parser reads the text, so precedence is Python's; only what stands here is ever evaluated.
"""

import ast
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.settings.report import did_you_mean

Value = float | bool | None
MOST_CHARACTERS: Final = 500
MOST_NODES: Final = 200
_BINARY: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "min": min,
    "max": max,
    "abs": lambda numbers: abs(numbers[0]),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A text that `parse` has accepted; names: the figures it looks at."""

    text: str
    names: frozenset[str]
    _tree: ast.expr

    def evaluate(self, figures: Mapping[str, float | None]) -> Value:
        """Return what it comes to; None where a figure that matters is not known, or a number cannot be told."""
        try:
            return _value(self._tree, figures)
        except (ZeroDivisionError, OverflowError):
            return None


def parse(text: str, known: Collection[str] | None = None) -> Expression:
    """Return the expression of a text; raises ValueError that says what is wrong and what to write.

    known: the figures there are; a name with a dot in front of which stands "kpi" is always allowed.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text)} characters; {MOST_CHARACTERS} at most")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = "cannot be read; write for example response_p95_seconds > 2 and users_online > 50"
        raise ValueError(text) from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise ValueError("is too long; make two indicators of it")
    names = frozenset(_names(tree))
    for name in sorted(names):
        if known is not None and name not in known and not name.startswith("kpi."):
            raise ValueError(f"no figure '{name}'" + did_you_mean(name, known))
    return Expression(text.strip(), names, tree)


def _names(node: ast.expr) -> Iterator[str]:
    """Yield the figures of an expression; raises ValueError for everything that is not of this language."""
    if isinstance(node, ast.Name | ast.Attribute):
        yield _dotted(node)
        return
    for part in _parts(node):
        yield from _names(part)


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    """Return what a part consists of; raises ValueError for a part that is not of this language."""
    match node:
        case ast.Constant(value=bool() | int() | float()):
            return ()
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
            return (operand,)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return (left, right)
        case ast.BoolOp(values=values):
            return values
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            return (left, *others)
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]) if name in _FUNCTIONS:
            return arguments
    raise ValueError(
        f"'{ast.unparse(node)[:60]}' is not allowed; there are figures, numbers, + - * /, comparisons, "
        "and, or, not, min, max, abs"
    )


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
    raise ValueError(f"'{ast.unparse(node)[:60]}' is no name of a figure")


def _value(node: ast.expr, figures: Mapping[str, float | None]) -> Value:
    """Return what a part comes to, in Kleene's three-valued logic."""
    if isinstance(node, ast.Name | ast.Attribute):
        return figures.get(_dotted(node))
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, int | float) else None
    values = [_value(part, figures) for part in _parts(node)]
    match node:
        case ast.BoolOp(op=op):
            return _together([_truth(value) for value in values], every=isinstance(op, ast.And))
        case ast.Compare(ops=ops):
            return _together([_compared(*pair) for pair in zip(values, ops, values[1:], strict=False)], every=True)
        case ast.UnaryOp(op=ast.Not()):
            return _together([_negated(_truth(values[0]))], every=True)
    known = [float(value) for value in values if value is not None]
    return _arithmetic(node, known) if len(known) == len(values) else None


def _arithmetic(node: ast.expr, numbers: Sequence[float]) -> Value:
    match node:
        case ast.UnaryOp(op=op):
            return -numbers[0] if isinstance(op, ast.USub) else numbers[0]
        case ast.BinOp(op=op):
            return _BINARY[type(op)](numbers[0], numbers[1])
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](numbers)
    return None


def _truth(value: Value) -> bool | None:
    return None if value is None else bool(value)


def _negated(truth: bool | None) -> bool | None:  # noqa: FBT001  it is the operand of `not`
    return None if truth is None else not truth


def _compared(left: Value, comparison: ast.cmpop, right: Value) -> bool | None:
    return None if left is None or right is None else _COMPARISONS[type(comparison)](float(left), float(right))


def _together(truths: Sequence[bool | None], *, every: bool) -> bool | None:
    """Return what `and` (every) or `or` makes of truths: one that decides is enough, else all must be known."""
    if (not every) in truths:
        return not every
    return None if None in truths else every

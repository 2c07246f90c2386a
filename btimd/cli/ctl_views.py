"""Commands of btimctl: all of a business in one place."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from btimd.api.calls_views import push_business_metrics, service_view, service_views, watch_service_views
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table, state
from btimd.cli.ctl_text import clean, percent, quantity, span
from btimd.model.view import BusinessMetric, Figure, GroupView, LayerState, RegionUse, ServiceView

_BITS: Final = 8
_THOUSAND: Final = 1000


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    view = add("view", show, "all of a business in one place; without one, all businesses and groups")
    view.add_argument("business", nargs="?", metavar="BUSINESS")
    view.add_argument("--watch", action="store_true", help="show it, then again when it changes")
    made = add("push", push, "push a figure of a business that something else measured, such as orders per hour")
    made.add_argument("business", metavar="BUSINESS")
    made.add_argument("name", metavar="NAME")
    made.add_argument("value", type=float, metavar="VALUE")
    made.add_argument("--unit", default="", metavar="UNIT")
    made.add_argument(
        "--valid",
        type=seconds_of,
        default=0.0,
        metavar="DURATION",
        help="how long it says anything; default 15m",
    )


def show(asking: Asking, args: argparse.Namespace) -> int:
    """Show one business, or all."""
    if args.watch:
        updates = watch_service_views(asking.client, args.business)
        asking.out.follow(updates, views_table if args.business is None else lambda found: view_picture(found[-1]))
        return 0
    if args.business is not None:
        found = service_view(asking.client, args.business)
        asking.out.write([found], lambda: view_picture(found))
        return 0
    views, groups = service_views(asking.client)
    asking.out.write([*views.items, *groups.items], lambda: overview(views.items, groups.items))
    return 0


def push(asking: Asking, args: argparse.Namespace) -> int:
    """Push a figure."""
    metric = BusinessMetric(args.business, args.name, args.value, args.unit, 0, args.valid)
    taken = push_business_metrics(asking.client, [metric])
    asking.out.write([{"taken": taken}], lambda: Text(f"{args.business}: kpi.{args.name} = {args.value:g} {args.unit}"))
    return 0


def overview(views: Sequence[ServiceView], groups: Sequence[GroupView]) -> RenderableType:
    """Show groups as trees of their members, then all businesses."""
    by_id = {group.group: group for group in groups}
    states = {view.business: view for view in views}
    inner = {member for group in groups for member in group.members}
    trees = [_group_tree(group, by_id, states) for group in groups if group.group not in inner]
    return Group(*trees, *([Text()] if trees else []), views_table(views))


def _group_tree(group: GroupView, groups: Mapping[str, GroupView], views: Mapping[str, ServiceView]) -> Tree:
    tree = Tree(Text.assemble(state(group.state.value), f"  {clean(group.name)}  ", (f"({group.rollup})", "dim")))
    for member in group.members:
        if member in groups:
            tree.add(_group_tree(groups[member], groups, views))
        elif member in views:
            view = views[member]
            tree.add(Text.assemble(state(view.state.value), f"  {clean(view.name)}"))
    return tree


def views_table(views: Sequence[ServiceView]) -> Table:
    """Show a line per business."""
    numbers = ("users", "traffic", "response", "available")
    table = new_table("business", "state", *numbers, "why", right=numbers, wide="why")
    return fill(table, (_view_row(view) for view in views))


def _view_row(view: ServiceView) -> tuple[str | Text, ...]:
    figures = {figure.name: figure for figure in view.figures}
    shown = ("users_online", "traffic_bits_per_second", "response_p95_seconds", "availability_ratio")
    return (
        view.name,
        state(view.state.value),
        *(_amount(figures[name]) for name in shown),
        "; ".join(view.reasons[:2]),
    )


def _amount(figure: Figure) -> str:
    """Return a figure with its unit, "-" for one that is not known."""
    if figure.value is None:
        return "-"
    match figure.unit:
        case "ratio":
            return percent(figure.value)
        case "s":
            return span(figure.value)
        case "":
            return f"{figure.value:.6g}"
    few = abs(figure.value) < _THOUSAND
    return f"{figure.value:.3g} {figure.unit}" if few else quantity(figure.value, figure.unit)


def view_picture(view: ServiceView) -> RenderableType:
    """Show a business with its figures, users, layers and troubles."""
    head = Text.assemble(
        state(view.state.value), "  ", (clean(view.name), "bold"), f"  {clean(view.name_zh)}  ",
        (f"{view.criticality}  {clean(view.owner)}", "dim"),
    )  # fmt: skip
    parts: list[RenderableType] = [head, *(Text(f"  - {clean(reason)}") for reason in view.reasons)]
    if view.bottleneck:
        parts.append(Text.assemble("bottleneck  ", (clean(view.bottleneck), "bold")))
    if view.incidents:
        parts.append(Text(f"incidents   {', '.join(view.incidents)}"))
    parts += [Text(), _figures_table(view.figures)]
    if view.indicators:
        parts += [Text(), _indicators_table(view)]
    if view.regions:
        parts += [Text(), _regions_table(view.regions)]
    return Group(*parts, Text(), _layers_tree(view.layers))


def _figures_table(figures: Sequence[Figure]) -> Table:
    table = new_table("figure", "now", "note", right=("now",), wide="note")
    return fill(table, ((one.name, _amount(one), one.note) for one in figures))


def _indicators_table(view: ServiceView) -> Table:
    table = new_table("indicator", "state", "rule", "figures", wide="rule")
    return fill(table, ((one.name, state(one.state.value), one.expression, one.text) for one in view.indicators))


def _regions_table(regions: Sequence[RegionUse]) -> Table:
    numbers = ("active", "idle", "traffic")
    table = new_table("region", *numbers, right=numbers)
    return fill(
        table,
        (
            (
                one.region or "(unknown)",
                str(one.users_active),
                str(one.users_idle),
                quantity(one.octets_per_second * _BITS, "bit/s"),
            )
            for one in regions
        ),
    )


def _layers_tree(layers: Sequence[LayerState]) -> Tree:
    tree = Tree("layers")
    for layer in layers:
        branch = tree.add(Text.assemble(state(layer.state.value), f"  {layer.layer}"))
        for node in layer.nodes:
            branch.add(Text.assemble(state(node.status), f"  {clean(node.name)}  ", (clean(node.detail), "dim")))
    return tree

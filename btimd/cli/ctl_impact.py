"""Commands of btimctl: what would fail with a node, and what to bring back first."""

import argparse
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from btimd.api.calls_impact import restoring_order, simulate_outage
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table, state
from btimd.cli.ctl_text import clean, full_moment, percent, span
from btimd.model.growth import GrownNeed
from btimd.model.outage import BusinessOutage, OutageImpact, RestoringOrder, RestoringStep
from btimd.model.view import ViewState

_WORDS = {ViewState.BAD: "down", ViewState.DEGRADED: "degraded", ViewState.GOOD: "works"}
_SHOWN_STEPS = 8


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("simulate", _simulate, "what would happen if nodes failed now; nothing is touched")
    made.add_argument("what", choices=("outage",))
    made.add_argument("nodes", nargs="+", metavar="NODE")
    add("restore-order", _restore_order, "which of the open causes to deal with first, and what that brings back")


def _simulate(asking: Asking, args: argparse.Namespace) -> int:
    found = simulate_outage(asking.client, args.nodes)
    asking.out.write([found], lambda: outage_picture(found))
    return 0


def _restore_order(asking: Asking, _args: argparse.Namespace) -> int:
    found = restoring_order(asking.client)
    asking.out.write([found], lambda: order_picture(found))
    return 0


def outage_picture(found: OutageImpact) -> RenderableType:
    """Show what happens to businesses, regions and redundancy."""
    return Group(*_outage(found))


def _outage(found: OutageImpact) -> Iterator[RenderableType]:
    count = {word: sum(_word(one) == word for one in found.businesses) for word in ("down", "degraded", "cut off")}
    told = ", ".join(f"{number} {word}" for word, number in count.items() if number) or "no business is hit"
    yield Text.assemble((clean(", ".join(found.nodes)), "bold"), f" fails: {told}; {found.untouched} stay as they are")
    if found.already:
        yield Text(f"broken before: {clean(', '.join(found.already))}")
    if found.users_lost is not None and found.users is not None:
        least = "" if found.users_exact or not found.users_lost else "at least "
        yield Text(f"users without a business: {least}{found.users_lost} of {found.users}")
    if found.businesses:
        yield Text("")
        yield _businesses_table(found)
    if found.regions:
        yield Text("")
        regions = new_table("region", "users", "lost", "remark", right=("users", "lost"))
        rows = (
            (one.region or "-", str(one.users), str(one.lost), "reaches nothing" if one.cut_off else "")
            for one in found.regions
        )
        yield fill(regions, rows)
    if found.redundancy:
        yield Text("")
        saved = new_table("redundant", "state", "what carries it", "next to fail", "saves", wide="what carries it")
        yield fill(
            saved,
            (
                (
                    one.node,
                    state(one.state.value),
                    one.text,
                    _some(one.next_to_fail) or "any",
                    _some(one.businesses) or "-",
                )
                for one in found.redundancy
            ),
        )
    yield from (Text(f"note: {clean(note)}") for note in found.notes)


def _word(one: BusinessOutage) -> str:
    cut = one.state is not ViewState.BAD and any(region.cut_off for region in one.regions)
    return "cut off" if cut and one.state is ViewState.GOOD else _WORDS.get(one.state, one.state.value)


def _businesses_table(found: OutageImpact) -> Table:
    right = ("users", "lost", "promise holds")
    table = new_table("business", "importance", "becomes", *right, "why", right=right, wide="why")
    return fill(
        table,
        (
            (
                one.name,
                one.criticality.value,
                Text(_word(one), style=state(one.state.value).style),
                _number(one.users),
                _number(one.users_lost),
                _promise(one),
                f"{one.reason} ({_way(one.way)})" if one.way else one.reason,
            )
            for one in found.businesses
        ),
    )


def _promise(one: BusinessOutage) -> str:
    if one.budget_seconds is None:
        return "-"
    return span(one.budget_seconds) if one.budget_seconds else "broken"


def _way(way: Sequence[str]) -> str:
    shown = way if len(way) <= _SHOWN_STEPS else (*way[: _SHOWN_STEPS - 2], "...", way[-1])
    return " > ".join(shown)


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN_STEPS]) + (" ..." if len(names) > _SHOWN_STEPS else "")


def order_picture(found: RestoringOrder) -> RenderableType:
    """Show the repairs in their order."""
    if not found.steps:
        return Text("no cause is open")
    lost = "" if found.users_lost is None else f"{found.users_lost} users are without a business"
    right = ("no", "sure", "users back")
    table = new_table("no", "repair", "kind", "sure", "users back", "verdict", "why", right=right, wide="why")
    return Group(
        *([Text(lost if found.users_exact else f"at least {lost}")] if lost else []),
        fill(table, (_step_row(step) for step in found.steps)),
        *(Text(f"note: {clean(note)}") for note in found.notes),
    )


def _step_row(step: RestoringStep) -> tuple[str, ...]:
    return (
        str(step.rank),
        step.cause.node,
        step.kind.value,
        percent(step.cause.confidence, 0),
        _number(step.users),
        step.cause.incident_id or step.cause.verdict_id,
        step.text,
    )


def grown_table(needs: Sequence[GrownNeed]) -> Table:
    """Show needs that were found: who tells of them, how sure they are, and whether they count."""
    columns = ("node", "needs", "told by", "sure", "count", "since", "last seen", "counts")
    table = new_table(*columns, right=("sure", "count"), wide="counts")
    return fill(
        table,
        (
            (
                one.node,
                one.need,
                one.provenance.value,
                percent(one.confidence, 0),
                str(one.count),
                full_moment(one.since),
                full_moment(one.seen_at),
                "yes" if one.in_force else f"no: {one.remark}",
            )
            for one in needs
        ),
    )

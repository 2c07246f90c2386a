"""Pictures of what traffic says of the model: proposals, differences, weak spots. Shared by btimd and btimctl."""

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, percent, quantity
from btimd.model.discovery import EdgeFinding, FindingKind, ModelComparison, Suggestions, WeakReason, WeakSpot

_STYLES = {
    FindingKind.NEVER_SEEN: "yellow",
    FindingKind.UNDECLARED: "red",
    FindingKind.SILENT_SERVICE: "red",
    FindingKind.SILENT_RULE: "yellow",
    FindingKind.UNKNOWN_SERVER: "yellow",
    FindingKind.NOT_VISIBLE: "bright_black",
}
_SHOWN_SERVERS = 3


def suggestions_picture(found: Suggestions) -> Group:
    """Show what is proposed, how sure it is, and what was left out."""
    return Group(*_suggestions(found))


def _suggestions(found: Suggestions) -> Iterator[Table | Text]:
    numbers = ("sure", "clients", "users", "flows", "octets")
    services = new_table("proposal", "as", "servers", "ports", *numbers, right=numbers, wide="servers")
    yield fill(
        services,
        (
            (
                one.id,
                one.kind.value + (f" of {one.extends}" if one.extends else ""),
                ", ".join(one.servers[:_SHOWN_SERVERS]) + (" ..." if len(one.servers) > _SHOWN_SERVERS else ""),
                ", ".join(one.ports[:4]),
                percent(one.confidence, 0),
                str(one.clients),
                str(one.users),
                quantity(one.flows),
                quantity(one.octets, "B"),
            )
            for one in found.services
        ),
    )
    if found.dependencies:
        yield Text("")
        needs = new_table(
            "needs", "what", "kind", "sure", "together", "flows", "remark", right=("sure", "together", "flows")
        )
        yield fill(
            needs,
            (
                (
                    one.from_id,
                    one.to_id,
                    one.kind.value,
                    percent(one.confidence, 0),
                    "-" if one.correlation is None else f"{one.correlation:.2f}",
                    quantity(one.flows),
                    "always on" if one.background else "",
                )
                for one in found.dependencies
            ),
        )
    yield Text("")
    yield Text("\n".join(_looked_at(found)))


def _looked_at(found: Suggestions) -> Iterator[str]:
    yield (
        f"looked at {full_moment(found.from_at)} to {full_moment(found.to_at)}: {found.conversations}"
        f" conversations, {found.records} records"
    )
    if found.truncated:
        yield "there was more than could be looked at: the smallest conversations are missing"
    for reason, number in found.left_out.items():
        yield f"  {number} conversations {clean(reason)}"
    if not found.services:
        yield "nothing to propose"


def comparison_picture(found: ModelComparison) -> Group:
    """Show how model and traffic differ."""
    table = new_table(
        "difference", "sure", "flows", "octets", "last seen", "what", right=("sure", "flows"), wide="what"
    )
    fill(
        table,
        (
            (
                Text(one.kind.value, style=_STYLES[one.kind]),
                "-" if one.kind is FindingKind.NOT_VISIBLE else percent(one.confidence, 0),
                quantity(one.flows),
                quantity(one.octets, "B"),
                "never" if one.last_seen_at is None else full_moment(one.last_seen_at)[:16],
                one.text + _ports(one),
            )
            for one in found.findings
        ),
    )
    summary = (
        f"{found.declared_edges} needs are declared; traffic can show {found.visible_edges} of them, and shows"
        f" {found.seen_edges}\n{clean(found.caveat)}"
    )
    return Group(table, Text(""), Text(summary)) if found.findings else Group(Text(summary))


def _ports(one: EdgeFinding) -> str:
    return f" (ports {', '.join(one.ports)})" if one.ports else ""


def weak_table(spots: Sequence[WeakSpot]) -> Table:
    """Show what businesses hang on."""
    table = new_table("node", "kind", "score", "users", "why", "what", right=("score", "users"), wide="what")
    return fill(
        table,
        (
            (
                one.node,
                one.kind.value,
                f"{one.score:.1f}",
                "?" if one.users is None else str(one.users),
                Text(
                    ", ".join(reason.value for reason in one.reasons),
                    style="red" if WeakReason.SINGLE_POINT in one.reasons else "default",
                ),
                one.text,
            )
            for one in spots
        ),
    )

"""Tables of what the API says, for people at a terminal of 100 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Final

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from btimd.cli.ctl_text import clean, moment, percent, quantity, span
from btimd.model.incident import IncidentEvent
from btimd.model.points import SeriesRow
from btimd.model.ports import DiagnosisProgress, Explanation, NodeState
from btimd.model.probe import Health, ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sla import SlaState
from btimd.model.symptom import Symptom
from btimd.model.verdict import Verdict
from btimd.model.window import WindowRow

SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    "good": ("●", "green"),
    "degraded": ("▲", "yellow"),
    "bad": ("✖", "red"),
    "unknown": ("?", "bright_black"),
    "up": ("●", "green"),
    "down": ("✖", "red"),
    "met": ("●", "green"),
    "at-risk": ("▲", "yellow"),
    "breached": ("✖", "red"),
    "unmeasured": ("?", "bright_black"),
}
"""State -> shape and colour; the shape tells it without the colour."""

_PRIORITY_STYLE: Final = {1: "bold red", 2: "red", 3: "yellow"}
_MILLIS: Final = 1000
_BITS: Final = 8
_TOLD_DETAILS: Final = frozenset(
    {"summary", "closing_report", "comment", "assignee", "title", "priority", "override_reason"}
)


def state(word: str) -> Text:
    """Return a state with its shape, in its colour."""
    shape, colour = SHAPES.get(word, ("·", "default"))
    return Text(f"{shape} {word}", style=colour)


def new_table(*columns: str, right: Sequence[str] = (), wide: str = "") -> Table:
    """Return a table without rows; of the columns only `wide` may take several lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column != wide,
            overflow="fold" if column == wide else "ellipsis",
        )
    return table


def _told(event: IncidentEvent) -> Iterator[str]:
    """Yield what an event says to people, line by line; the fields it changed are in --json."""
    if event.reason:
        yield event.reason
    for key, value in event.details.items():
        if key == "evidence":
            yield from (f"- {line}" for line in value.splitlines())
        elif key in _TOLD_DETAILS and value not in {"", event.reason}:
            yield value if key == "summary" else f"{key.replace('_', ' ')}: {value}"


def fill(table: Table, rows: Iterable[Sequence[str | Text]]) -> Table:
    """Add rows; plain text is cleaned, and never read as markup."""
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return table


class Tables:
    """Makes tables; times are shown in `zone`, None is the local one."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone

    def windows(self, rows: Sequence[WindowRow]) -> Table:
        """Show traffic: the rate both ways, who and how many. "~": estimated, ">=": at least, "?": loss unknown."""
        table = new_table(
            "from", "for", "business", "region", "segment", "to server", "to client", "flows", "users", "lost",
            right=("for", "to server", "to client", "flows", "users", "lost"),
        )  # fmt: skip

        def rate(row: WindowRow, octets: int) -> str:
            bits = octets * _BITS * _MILLIS / row.interval_milliseconds
            return ("~" if row.sampled else "") + quantity(bits, "bit/s")

        return fill(
            table,
            (
                (
                    self._at(row.interval_start_milliseconds / _MILLIS),
                    span(row.interval_milliseconds / _MILLIS),
                    row.business or "(none)",
                    row.region or "-",
                    row.segment or "-",
                    rate(row, row.octets_to_server),
                    rate(row, row.octets_to_client),
                    quantity(row.flows),
                    ("" if row.users_exact else "~" if row.users_error_ratio else ">=") + str(row.users),
                    "?" if row.export_loss_ratio is None else f"{row.export_loss_ratio * 100:.1f} %",
                )
                for row in rows
            ),
        )

    def nodes(self, nodes: Sequence[NodeState]) -> Table:
        """Show how nodes stand."""
        table = new_table("node", "kind", "status", "itself", "checked", "evidence", wide="evidence")
        return fill(
            table,
            (
                (
                    node.node,
                    node.kind,
                    state(node.status),
                    state(node.own_health),
                    self._at(node.checked_at),
                    node.detail,
                )
                for node in nodes
            ),
        )

    def graph(self, graph: ServiceGraph, states: Mapping[str, NodeState]) -> Tree:
        """Show what needs what, businesses first; a node that several need is opened once only."""
        needed = {need for node in graph.nodes.values() for need in node.needs}
        roots = [node for node in graph.nodes if node in graph.businesses or node not in needed]
        tree = Tree(Text(f"service graph, generation {graph.generation}"), guide_style="bright_black")
        opened: set[str] = set()
        work = [(tree, root) for root in reversed(roots)]
        while work:
            parent, node_id = work.pop()
            node = graph.nodes[node_id]
            found = states.get(node_id)
            label = Text.assemble(state(found.status if found else "unknown"), "  ", (clean(node_id), "bold"))
            label.append(f"  {node.kind.value}, {clean(node.name)}")
            if found and found.detail:
                label.append(f"  {clean(found.detail)}", style="italic")
            if node_id in opened and node.needs:
                label.append("  (see above)", style="bright_black")
            branch = parent.add(label)
            if node_id not in opened:
                opened.add(node_id)
                work.extend((branch, need) for need in reversed(node.needs))
        return tree

    def symptoms(self, symptoms: Sequence[Symptom]) -> Table:
        """Show what users feel."""
        table = new_table("since", "node", "check", "error", "what", wide="what")
        return fill(
            table,
            (
                (self._at(found.since), found.node, found.check_id, Text(found.error.value, style="red"), found.text)
                for found in symptoms
            ),
        )

    def verdicts(self, verdicts: Sequence[Verdict]) -> Table:
        """Show what was found, and after how long."""
        table = new_table(
            "ended",
            "id",
            "cause",
            "sure",
            "probes",
            "took",
            "summary",
            right=("sure", "probes"),
            wide="summary",
        )
        return fill(
            table,
            (
                (
                    self._at(verdict.ended_at),
                    verdict.id,
                    verdict.cause or verdict.status.value,
                    percent(verdict.confidence, 0),
                    str(verdict.probes_used),
                    span(verdict.seconds_taken),
                    verdict.summary,
                )
                for verdict in verdicts
            ),
        )

    def diagnoses(self, steps: Sequence[DiagnosisProgress]) -> Table:
        """Show where diagnoses stand: what was asked last, and who is suspected."""
        table = new_table("diagnosis", "step", "of", "suspects", "evidence", right=("step",), wide="evidence")

        def evidence(step: DiagnosisProgress) -> str:
            if step.verdict is not None:
                return f"verdict: {step.verdict.summary}"
            last = step.evidence[-1:]
            return "; ".join(f"{one.check_id} {one.health.value}: {one.detail}" for one in last)

        return fill(
            table,
            (
                (
                    step.id,
                    str(step.step),
                    ",".join(step.symptom_nodes),
                    ", ".join(f"{suspect.node} {percent(suspect.probability, 0)}" for suspect in step.suspects[:3]),
                    evidence(step),
                )
                for step in steps
            ),
        )

    def timeline(self, events: Sequence[IncidentEvent]) -> Table:
        """Show what happened to an incident."""
        table = new_table("#", "when", "who", "what", "state", "why", right=("#",), wide="why")

        def states(event: IncidentEvent) -> str:
            before = event.from_state.value if event.from_state else ""
            return (
                event.to_state.value if before in {"", event.to_state.value} else f"{before} > {event.to_state.value}"
            )

        return fill(
            table,
            (
                (
                    str(event.seq),
                    self._at(event.at),
                    event.actor,
                    event.kind,
                    states(event),
                    "\n".join(_told(event)),
                )
                for event in events
            ),
        )

    def sla_states(self, states: Sequence[SlaState]) -> Table:
        """Show what was promised and kept."""
        numbers = ("target", "kept", "measured", "down", "of", "used")
        table = new_table("business", "status", "now", *numbers, right=numbers)
        return fill(
            table,
            (
                (
                    found.target.business,
                    state(found.status.value),
                    state(found.current.value),
                    f"{found.target.availability_percent:g} %",
                    percent(found.availability, 3),
                    percent(found.coverage),
                    span(found.down_seconds),
                    span(found.error_budget_seconds),
                    percent(found.burn_ratio, 0),
                )
                for found in states
            ),
        )

    def history(self, rows: Sequence[SeriesRow], tags: Sequence[str], fields: Sequence[str]) -> Table:
        """Show an answer of the series store."""
        table = new_table("time", *tags, *fields, right=fields)
        return fill(
            table,
            (
                (
                    self._at(row.time_milliseconds / _MILLIS),
                    *row.tags,
                    *("-" if value is None else f"{value:.6g}" for value in row.values),
                )
                for row in rows
            ),
        )

    def probe(self, result: ProbeResult) -> Text:
        """Show the answer to a probe."""
        check = result.spec.check
        text = Text.assemble(state(result.health.value), f"  {clean(check.id)} of {clean(check.node)}: ")
        text.append(clean(result.detail))
        if result.health is not Health.GOOD:
            text.append(f" ({result.error.value})")
        text.append(f", {span(result.elapsed_seconds)}")
        return text

    def explanation(self, found: Explanation) -> Text:
        """Show where a flow goes and why."""
        place = " / ".join(part for part in (found.region, found.segment, found.person) if part)
        lines = [
            f"business  {', '.join(found.businesses) or 'none: unattributed traffic'}",
            f"rule      {found.rule_id or '-'}",
            f"client    {found.client}" + (f"  ({place})" if place else "  (not in the IP plan)"),
            f"server    {found.server}",
            *(f"  - {reason}" for reason in found.reasons),
        ]
        return Text(clean("\n".join(lines)))

    def serving(self, services: Mapping[str, bool]) -> Table:
        """Show which services are served."""
        table = new_table("service", "status")
        words = {True: "good", False: "bad"}
        return fill(table, ((name or "btimd", state(words[good])) for name, good in services.items()))

    def _at(self, seconds: float | None) -> str:
        return moment(seconds, self._zone)

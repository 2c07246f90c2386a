"""How the demonstration is told: on a screen for people, as JSON lines for programs."""

import contextlib
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from btimd.cli.common import print_json
from btimd.cli.ctl_quality import quality_tables
from btimd.cli.ctl_text import clean, span
from btimd.daemon.addresses import Addresses
from btimd.lab.config import token_file
from btimd.lab.faults import Fault
from btimd.lab.staff import CENTRE, Member
from btimd.model.incident import Incident
from btimd.model.ports import DiagnosisProgress, OnlineUser
from btimd.model.probe import Health
from btimd.model.quality import QualityRow
from btimd.model.sla import SlaState
from btimd.model.verdict import Evidence, Verdict
from btimd.model.window import WindowRow

_HEALTH_STYLE: Final = {Health.GOOD: "green", Health.BAD: "bold red", Health.UNKNOWN: "yellow"}
_SUSPECTS_SHOWN: Final = 4
_PEOPLE_SHOWN: Final = 3


class Story(Protocol):
    """The acts of the demonstration, in order."""

    def begins(self, fault: Fault) -> None:
        """Say what will be seen."""
        ...

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show that something is waited for."""
        ...

    def ready(self, addresses: Addresses) -> None:
        """Say that btimd runs."""
        ...

    def traffic(self, rows: Sequence[WindowRow], users: Sequence[OnlineUser]) -> None:
        """Show who uses what from where."""
        ...

    def quality(self, rows: Sequence[QualityRow]) -> None:
        """Show how well connections do."""
        ...

    def breaks(self, fault: Fault) -> None:
        """Say what was broken."""
        ...

    def diagnosis(self, progress: DiagnosisProgress) -> None:
        """Show a step of the search."""
        ...

    def verdict(self, verdict: Verdict) -> None:
        """Show the root cause."""
        ...

    def incident(self, incident: Incident) -> None:
        """Show a change of the incident."""
        ...

    def receipt(self, event: Mapping[str, Any], *, rejected: int) -> None:
        """Show what the ticket system received."""
        ...

    def evidence(self, text: str) -> None:
        """Say what packets showed."""
        ...

    def order(self, incident: Incident, member: Member | None, why: str, told: str) -> None:
        """Show whom btimd sent, why, and what stands on their screen."""
        ...

    def heals(self) -> None:
        """Say that everything was repaired."""
        ...

    def sla(self, states: Sequence[SlaState]) -> None:
        """Show what it cost."""
        ...

    def ends(self, fault: Fault, verdict: Verdict, *, correct: bool, detected_seconds: float) -> None:
        """Sum up."""
        ...

    def keeps(self, addresses: Addresses, folder: Path) -> None:
        """Say how to look at what keeps running."""
        ...

    def failed(self, fault: str, reason: str) -> None:
        """Say why it could not be carried through."""
        ...


def result(fault: Fault, verdict: Verdict, *, correct: bool) -> dict[str, Any]:
    """Return the last line of --json."""
    return {
        "fault": fault.name,
        "cause": verdict.cause,
        "expected": fault.cause_node,
        "correct": correct,
        "seconds_to_cause": round(verdict.seconds_taken, 3),
        "probes": verdict.probes_used,
        "confidence": round(verdict.confidence, 4),
    }


@dataclass(slots=True)
class _Fresh:
    """Tells which evidence of a diagnosis was not shown yet."""

    seen: dict[str, int] = field(default_factory=dict)

    def of(self, progress: DiagnosisProgress) -> Sequence[Evidence]:
        """Return what is new since the last time this diagnosis was shown."""
        before = self.seen.get(progress.id, 0)
        self.seen[progress.id] = max(before, len(progress.evidence))
        return progress.evidence[before:]


class JsonStory(Story):
    """One JSON object per event, the result last."""

    def __init__(self) -> None:
        self._fresh = _Fresh()

    def _tell(self, **event: Any) -> None:
        print_json(event)

    @override
    def begins(self, fault: Fault) -> None:
        self._tell(event="begins", fault=fault.name, title=fault.title, title_zh=fault.title_zh)

    @override
    def waiting(self, what: str) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    @override
    def ready(self, addresses: Addresses) -> None:
        self._tell(event="ready", grpc=addresses.grpc, http=addresses.http, capture=addresses.capture)

    @override
    def traffic(self, rows: Sequence[WindowRow], users: Sequence[OnlineUser]) -> None:
        cells = [
            {"business": business, "region": region, **figures}
            for (business, region), figures in by_region(rows, users).items()
        ]
        self._tell(event="traffic", cells=cells)

    @override
    def quality(self, rows: Sequence[QualityRow]) -> None:
        for row in rows:
            self._tell(
                event="quality",
                business=row.business,
                attempts=row.connections_attempted,
                client_leg_seconds=row.client_leg.p50_seconds,
                server_leg_seconds=row.server_leg.p50_seconds,
                response_seconds=row.response.p50_seconds,
            )

    @override
    def breaks(self, fault: Fault) -> None:
        self._tell(event="breaks", fault=fault.name)

    @override
    def diagnosis(self, progress: DiagnosisProgress) -> None:
        for evidence in self._fresh.of(progress):
            self._tell(
                event="probe",
                diagnosis=progress.id,
                check=evidence.check_id,
                health=evidence.health,
                error=evidence.error,
                detail=evidence.detail,
                why=evidence.why,
                gain_bits=round(evidence.gain_bits, 4),
            )

    @override
    def verdict(self, verdict: Verdict) -> None:
        self._tell(
            event="verdict", status=verdict.status, cause=verdict.cause, path=verdict.path, summary=verdict.summary
        )

    @override
    def incident(self, incident: Incident) -> None:
        self._tell(
            event="incident",
            id=incident.id,
            state=incident.state,
            priority=f"P{incident.priority}",
            title=incident.title,
            users=incident.assessment.users,
        )

    @override
    def receipt(self, event: Mapping[str, Any], *, rejected: int) -> None:
        self._tell(event="receipt", id=event.get("id"), type=event.get("type"), rejected=rejected)

    @override
    def evidence(self, text: str) -> None:
        self._tell(event="evidence", text=text)

    @override
    def order(self, incident: Incident, member: Member | None, why: str, told: str) -> None:
        made = incident.dispatch
        if made is not None:
            self._tell(event="order", id=made.id, person=made.person, group=made.group, why=why, told=told)

    @override
    def heals(self) -> None:
        self._tell(event="heals")

    @override
    def sla(self, states: Sequence[SlaState]) -> None:
        for state in states:
            self._tell(
                event="sla",
                business=state.target.business,
                down_seconds=round(state.down_seconds, 3),
                availability=state.availability,
                coverage=state.coverage,
                burn_ratio=state.burn_ratio,
            )

    @override
    def ends(self, fault: Fault, verdict: Verdict, *, correct: bool, detected_seconds: float) -> None:
        self._tell(**result(fault, verdict, correct=correct))

    @override
    def keeps(self, addresses: Addresses, folder: Path) -> None:
        self._tell(event="keeps", grpc=addresses.grpc, folder=str(folder))

    @override
    def failed(self, fault: str, reason: str) -> None:
        self._tell(fault=fault, cause=None, correct=False, seconds_to_cause=None, probes=None, reason=reason)


class ScreenStory(Story):
    """Tables and sentences on a terminal; plain text where the output is none."""

    def __init__(self, console: Console | None = None, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._console = console or Console(highlight=False, emoji=False)
        self._probe = 0
        self._fresh = _Fresh()
        self._states: set[tuple[str, str]] = set()

    def _act(self, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{title}", align="left", style="cyan")

    @override
    def begins(self, fault: Fault) -> None:
        text = Text.from_markup(
            "Three businesses on loopback: [bold]ERP[/], [bold]HR[/] and [bold]core banking[/]; users in three "
            "regions; web, application and database servers, DNS. Real sockets, metered by the kernel, exported as "
            "IPFIX. btimd runs as a process of its own and knows only its configuration. Then something breaks: "
        )
        text.append(f"{fault.title} {fault.title_zh}", "bold yellow").append(".")
        self._console.print(Panel(text, title="btimd demo", border_style="cyan"))

    @override
    def waiting(self, what: str) -> AbstractContextManager[object]:
        if self._console.is_terminal:
            return self._console.status(f"waiting for {what} ...")
        return contextlib.nullcontext()

    @override
    def ready(self, addresses: Addresses) -> None:
        host, port = addresses.capture[0]
        self._console.print(
            f"btimd is ready: IPFIX at udp {host}:{port}, gRPC at {addresses.grpc[0]}:{addresses.grpc[1]}"
        )

    @override
    def traffic(self, rows: Sequence[WindowRow], users: Sequence[OnlineUser]) -> None:
        self._act("Who uses what, from where (last ten seconds)")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name, justify in (("business", "left"), ("region", "left"), ("users", "right"), ("flows", "right")):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]  # the literals of JustifyMethod
        table.add_column("to server", justify="right")
        table.add_column("to client", justify="right")
        table.add_column("known people")
        people: dict[tuple[str, str], list[str]] = defaultdict(list)
        for user in users:
            if user.person:
                people[user.business, user.region].append(user.person)
        previous = ""
        for (business, region), figures in by_region(rows, users).items():
            table.add_row(
                f"[bold]{_text(business)}[/]" if business != previous else "",
                _text(region),
                str(figures["users"]),
                str(figures["flows"]),
                _octets(figures["octets_to_server"]),
                _octets(figures["octets_to_client"]),
                _text(", ".join(sorted(people[business, region])[:_PEOPLE_SHOWN])),
            )
            previous = business
        self._console.print(table)

    @override
    def quality(self, rows: Sequence[QualityRow]) -> None:
        self._act("How well it goes, measured on the packets")
        self._console.print(
            quality_tables(rows, ("business",), self._zone) if rows else "[dim]nothing was measured in time[/]"
        )

    @override
    def breaks(self, fault: Fault) -> None:
        self._act(f"Something breaks: {fault.title} {fault.title_zh}")
        self._console.print(f"{fault.description} [dim](btimd is not told)[/]")

    @override
    def diagnosis(self, progress: DiagnosisProgress) -> None:
        if progress.id not in self._fresh.seen and progress.symptom_nodes:
            self._console.print(
                f"[bold red]symptom[/]  {_text(', '.join(progress.symptom_nodes))}: a key indicator is off"
            )
        for evidence in self._fresh.of(progress):
            was_asked = evidence.cost > 0  # what was known already cost nothing
            self._probe += was_asked
            label = f"[cyan]probe {self._probe:2}[/]" if was_asked else "[dim]known   [/]"
            health = f"[{_HEALTH_STYLE[evidence.health]}]{evidence.health:7}[/]"
            told = f"{label} {_text(evidence.check_id):22} {health} {_text(evidence.detail)}"
            self._console.print(told, soft_wrap=True)
            if was_asked and evidence.why:
                self._console.print(f"         [dim]{_text(evidence.why)}[/]", soft_wrap=True)
        if progress.suspects and progress.verdict is None:
            shown = "  ".join(f"{_text(one.node)} {one.probability:.0%}" for one in progress.suspects[:_SUSPECTS_SHOWN])
            self._console.print(f"         [dim]suspects: {shown}[/]")

    @override
    def verdict(self, verdict: Verdict) -> None:
        body = Text()
        body.append(f"{clean(verdict.summary)}\n", "bold")
        body.append(f"path        {' -> '.join(verdict.path)}\n")
        body.append(f"confidence  {verdict.confidence:.0%}   probes {verdict.probes_used}   ")
        body.append(f"{verdict.seconds_taken:.1f} s from the first bad sample")
        self._console.print(Panel(body, title=f"root cause: {verdict.cause or 'unknown'}", border_style="red"))

    @override
    def incident(self, incident: Incident) -> None:
        if (incident.id, incident.state) in self._states:
            return
        if not self._states:
            self._act("Incident")
        self._states.add((incident.id, incident.state))
        hit = incident.assessment
        users = "users not known" if hit.users is None else f"{hit.users} users on line"
        where = f" in {', '.join(hit.regions)}" if hit.regions else ""
        self._console.print(
            f"[bold]{incident.id}[/]  P{incident.priority} {incident.state}  {_text(incident.title)}\n"
            f"         impact {incident.impact.name.lower()}, urgency {incident.urgency.name.lower()}: "
            f"{_text(', '.join(hit.businesses) + f'; {users}{where}')}",
            soft_wrap=True,
        )
        if incident.closing_report:
            self._console.print(f"         [dim]{_text(incident.closing_report)}[/]", soft_wrap=True)

    @override
    def receipt(self, event: Mapping[str, Any], *, rejected: int) -> None:
        kind, number = _text(str(event.get("type"))), _text(str(event.get("id")))
        self._console.print(f"[green]webhook[/]  {kind} received, signature good, id {number}", soft_wrap=True)

    @override
    def evidence(self, text: str) -> None:
        self._console.print(f"[magenta]packets[/]  {_text(text)}", soft_wrap=True)

    @override
    def order(self, incident: Incident, member: Member | None, why: str, told: str) -> None:
        made = incident.dispatch
        if made is None:
            return
        self._act("Somebody is sent")
        name = made.person if member is None else f"{member.name} {member.name_zh}"
        self._console.print(
            f"[green]order[/]    to [bold]{_text(name)}[/] of {_text(made.group)}, "
            f"to accept within {span(made.accept_by - made.sent_at)}"
        )
        self._console.print(f"         [dim]{_text(why)}[/]", soft_wrap=True)
        if told:
            self._console.print(f"[green]screen[/]   {_text(told)}", soft_wrap=True)

    @override
    def heals(self) -> None:
        self._act("Everything is repaired")

    @override
    def sla(self, states: Sequence[SlaState]) -> None:
        self._act("What it cost")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in (
            "business",
            "down",
            "availability (measured time)",
            "target",
            "coverage of the month",
            "error budget used",
        ):
            table.add_column(name, justify="left" if name == "business" else "right")
        for state in states:
            table.add_row(
                f"[bold]{state.target.business}[/]",
                f"{state.down_seconds:.1f} s",
                "unknown" if state.availability is None else f"{state.availability:.2%}",
                f"{state.target.availability_percent:g} %",
                "unknown" if state.coverage is None else f"{state.coverage:.4%}",
                f"{state.burn_ratio:.2%}",
            )
        self._console.print(table)

    @override
    def ends(self, fault: Fault, verdict: Verdict, *, correct: bool, detected_seconds: float) -> None:
        self._act("Summary")
        style, word = ("bold green", "right") if correct else ("bold red", "WRONG")
        self._console.print(
            f"broken: [bold]{fault.cause_node}[/]   found: [{style}]{verdict.cause or 'nothing'} ({word})[/]   "
            f"first bad sample {max(detected_seconds, 0):.1f} s after the fault, "
            f"cause {verdict.seconds_taken:.1f} s later, {verdict.probes_used} probes"
        )

    @override
    def keeps(self, addresses: Addresses, folder: Path) -> None:
        server = f"{addresses.grpc[0]}:{addresses.grpc[1]}"
        self._console.print(
            "\nEverything keeps running until Ctrl-C. Look at it from another terminal:\n"
            f"  export BTIMD_SERVER={server} BTIMD_TOKEN_FILE={token_file(folder, CENTRE)}\n"
            f"  {Path(sys.executable).parent}/btimctl status | windows | nodes | incidents list | verdicts",
            soft_wrap=True,
            markup=False,
        )

    @override
    def failed(self, fault: str, reason: str) -> None:
        self._console.print(f"[bold red]The demonstration of {fault} failed:[/] {_text(reason)}", soft_wrap=True)


def by_region(rows: Sequence[WindowRow], users: Sequence[OnlineUser]) -> dict[tuple[str, str], dict[str, int]]:
    """Return the figures of the latest of the intervals with the most businesses, by business and region."""
    attributed = [row for row in rows if row.business]
    businesses: dict[int, set[str]] = defaultdict(set)
    for row in attributed:
        businesses[row.interval_start_milliseconds].add(row.business)
    shown = max(businesses, key=lambda start: (len(businesses[start]), start), default=0)
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for row in sorted(attributed, key=lambda row: (row.business, row.region)):
        if row.interval_start_milliseconds != shown:
            continue
        empty = {"users": 0, "flows": 0, "octets_to_server": 0, "octets_to_client": 0}
        cell = cells.setdefault((row.business, row.region), empty)
        cell["flows"] += row.flows
        cell["octets_to_server"] += row.octets_to_server
        cell["octets_to_client"] += row.octets_to_client
    for key, cell in cells.items():
        cell["users"] = sum((user.business, user.region) == key for user in users)
    return cells


def _text(text: str) -> str:
    """Return a text from outside as it may stand in markup: it cannot colour, nor steer, the terminal."""
    return escape(clean(text))


def _octets(count: int) -> str:
    """Return an amount with an SI prefix."""
    for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count} B"

"""The seams between packages of one level: what each needs of the others, as Protocols. Wired in daemon/wiring.py."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from btimd.model.delivery import ExternalReference, ExternalUpdate, OutboxLine
from btimd.model.incident import ActorRole, CommandKind, Incident, IncidentCommand, IncidentEvent
from btimd.model.packets import PacketBlock
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.probe import ProbeResult, ProbeSpec
from btimd.model.quality import QualityRow
from btimd.model.service import Check, ServiceGraph
from btimd.model.sla import SlaState
from btimd.model.symptom import Symptom
from btimd.model.units import Seconds, UnixMillis, UnixSeconds
from btimd.model.users import UserCount
from btimd.model.verdict import Evidence, Suspect, Verdict
from btimd.model.window import WindowRow

T_co = TypeVar("T_co", covariant=True)


class Subscription(Protocol[T_co]):
    """The present state, then changes. A slow reader loses intermediate states, never the latest."""

    @property
    def snapshot(self) -> Sequence[T_co]:
        """What is true at the moment of subscribing."""
        ...

    def changes(self) -> AsyncIterator[Sequence[T_co]]:
        """Yield the latest state of each thing that changed since the last yield."""
        ...

    def close(self) -> None:
        """Give the subscription back; `changes` ends."""
        ...


@dataclass(frozen=True, slots=True)
class Exporter:
    """Who sends flow records, and how far that can be trusted.

    address: of the sender, with sFlow of the agent. name: from the configuration, "" = the configuration does not
    know it. version: NetFlow 1, 5, 7, 9, IPFIX 10, sFlow 105, as last seen. lost: what its sequence numbers miss, in
    what it counts (datagrams with NetFlow v9 and sFlow, records with v5 and IPFIX); lost_records: the same as
    records, estimated, None = its numbers say nothing. counting: how it numbers datagrams, "" = not known yet.
    clock_skew_milliseconds: arrival minus the export time in its headers, None = it tells none. sampling_rates: those
    in use, ascending. unconfirmed_templates: remembered from an earlier run and not sent again yet. strict: several
    exporters share the address and are told apart by their ports. rates: over the last minute or so. duplicates:
    records that another exporter had reported.
    """

    id: int
    address: str
    version: int
    observation_domains: tuple[int, ...]
    datagrams: int
    records: int
    lost: int
    templates: int
    sampling_rate: int
    first_seen_milliseconds: UnixMillis
    last_seen_milliseconds: UnixMillis
    name: str = ""
    lost_records: int | None = None
    restarts: int = 0
    reordered: int = 0
    counting: str = ""
    clock_skew_milliseconds: int | None = None
    sampling_rates: tuple[int, ...] = ()
    sampling_announced: bool = True
    unconfirmed_templates: int = 0
    strict: bool = False
    datagrams_per_second: float = 0.0
    records_per_second: float = 0.0
    duplicates: int = 0
    interfaces: tuple["ExporterInterface", ...] = ()


@dataclass(frozen=True, slots=True)
class ExporterInterface:
    """An interface that an exporter named in options or counter samples. speed: bit/s, 0 = not told."""

    index: int
    name: str
    description: str
    speed: int


@dataclass(frozen=True, slots=True)
class RefusedExporter:
    """A sender that the list of allowed exporters does not name, and what was refused."""

    address: str
    datagrams: int
    last_seen_milliseconds: UnixMillis


class PacketSink(Protocol):
    """Takes the frames of one capture thread, on that thread and no other."""

    def add(self, block: PacketBlock) -> None:
        """Take frames; the block's memory is the kernel's again when this returns."""
        ...

    def tick(self, now_nanoseconds: int, lost_packets: int) -> None:
        """Do what is due, at least ten times a second. lost_packets: by the kernel, since the last time.

        now_nanoseconds: since 1970, of the clock that frames are stamped with; while frames wait, the stamp of the last
        one. Frames that come afterwards may be stamped up to a fifth of a second before it.
        """
        ...

    def close(self) -> None:
        """Hand on what is held; nothing comes after that."""
        ...


@dataclass(frozen=True, slots=True)
class SpanInterface:
    """An interface that frames are captured on, and what came of them since start.

    name: of the table [capture.span.NAME]; interface: the system's. octets: on the wire. kernel_drops: frames that the
    kernel had no room for; freezes: how often a ring was full. truncated: frames longer than what is captured of each.
    link_up: up, with a carrier. first, last: time stamps of frames, None = none came. ring_octets: memory of all
    threads' rings. problem: why nothing is received now, "" = it is.
    """

    name: str
    interface: str
    threads: int
    packets: int
    octets: int
    kernel_drops: int
    freezes: int
    truncated: int
    filter: str
    link_up: bool
    first_packet_milliseconds: UnixMillis | None
    last_packet_milliseconds: UnixMillis | None
    ring_octets: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OnlineUser:
    """One client of a business. state: active, idle or gone. Octets since it was first seen.

    person_source: what names the person: dhcp, radius, csv, ..., "" = the IP plan. octets_per_second: over the last
    minute or so; octets_per_second_before: what was usual in the quarter of an hour before that; None = not known yet.
    trend: rising, steady or falling: how the two compare; unknown while there is nothing to compare.
    """

    business: str
    address: str
    region: str
    segment: str
    person: str
    state: str
    first_seen_milliseconds: UnixMillis
    last_seen_milliseconds: UnixMillis
    octets: int
    person_source: str = ""
    octets_per_second: float | None = None
    octets_per_second_before: float | None = None
    trend: str = "unknown"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a flow belongs where it does: the rule that won, the plan ranges that spoke, what lost and why."""

    businesses: tuple[str, ...]
    rule_id: str
    client: str
    server: str
    region: str
    segment: str
    person: str
    reasons: tuple[str, ...]


class FlowView(Protocol):
    """What the traffic is and was."""

    def windows(self, *, interval_milliseconds: int, business: str | None, limit: int) -> Sequence[WindowRow]:
        """Return rows of the latest intervals in memory, newest first."""
        ...

    def watch_windows(self, *, interval_milliseconds: int) -> Subscription[WindowRow]:
        """Subscribe to the rows of closed intervals of this length."""
        ...

    def users(
        self,
        *,
        limit: int,
        business: str | None = None,
        region: str | None = None,
        segment: str | None = None,
        person: str | None = None,
        state: str | None = None,
        address: str | None = None,
        order: str = "last-seen",
    ) -> Sequence[OnlineUser]:
        """Return users; what may be asked is said at UserQuery. Raises ValueError for what cannot be."""
        ...

    def user_counts(
        self,
        *,
        business: str | None,
        group_by: Sequence[str],
        seen_within_seconds: float | None = None,
        limit: int | None = None,
    ) -> Sequence[UserCount]:
        """Return how many users there are per group, most first, none of them counted twice in a group.

        business: None = of any, "" = clients of unattributed traffic. group_by: of USER_DIMENSIONS; () = one row for
        all. seen_within_seconds: only who was seen so lately. limit: at most so many rows, None = all. Raises
        ValueError for another name.
        """
        ...

    def exporters(self) -> Sequence[Exporter]:
        """Return who exports flow records."""
        ...

    def spans(self) -> Sequence["SpanInterface"]:
        """Return the interfaces that btimd captures on."""
        return ()

    def refused_exporters(self) -> Sequence[RefusedExporter]:
        """Return who sent without being allowed to, as far as it is remembered."""
        return ()

    def explain(self, address: str, peer: str, port: int, protocol: int) -> Explanation:
        """Say where a flow between address and peer:port would go and why."""
        ...

    async def history(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Ask the series store."""
        ...

    def quality(
        self,
        *,
        interval_milliseconds: int,
        business: str | None,
        group_by: Sequence[str],
        limit: int,
        from_milliseconds: UnixMillis = 0,
    ) -> Sequence[QualityRow]:
        """Return how well connections did in the latest intervals in memory, newest first.

        group_by: of business, region, segment and server; rows are merged over the others. from_milliseconds: of
        intervals that begin then or later. Raises ValueError for an interval that is not kept and for another name.
        """
        ...

    def watch_quality(self, *, interval_milliseconds: int) -> Subscription[QualityRow]:
        """Subscribe to the rows of closed intervals of this length; raises ValueError for one that is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node as it stands: health by its own last probe, and the status its needs give it.

    status: good, degraded, bad or unknown. own_health: good, bad, unknown. checked_at None: never.
    """

    node: str
    kind: str
    name: str
    status: str
    own_health: str
    detail: str
    checked_at: UnixSeconds | None
    needs: tuple[str, ...]
    businesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagnosisProgress:
    """A diagnosis while it runs. step counts from 1; verdict is set with the last one.

    evidence: all so far, oldest first, so that a reader who missed a step misses nothing.
    """

    id: str
    step: int
    symptom_nodes: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    evidence: tuple[Evidence, ...]
    verdict: Verdict | None


class GraphView(Protocol):
    """What needs what, how it stands, and why."""

    def graph(self) -> ServiceGraph:
        """Return the present graph."""
        ...

    def node_states(self) -> Sequence[NodeState]:
        """Return the state of every node."""
        ...

    def watch_nodes(self) -> Subscription[NodeState]:
        """Subscribe to node states."""
        ...

    def symptoms(self) -> Sequence[Symptom]:
        """Return the open symptoms."""
        ...

    def verdicts(self, limit: int) -> Sequence[Verdict]:
        """Return the latest verdicts, newest first."""
        ...

    def watch_diagnoses(self) -> Subscription[DiagnosisProgress]:
        """Subscribe to running diagnoses."""
        ...

    async def run_probe(self, check_id: str, actor: str) -> ProbeResult:
        """Run one check now, within the budget; raises KeyError for an unknown check."""
        ...


class IncidentDesk(Protocol):
    """Incidents, read and worked on."""

    async def incidents(self, *, only_open: bool, business: str | None, limit: int) -> Sequence[Incident]:
        """Return incidents, highest priority and oldest first."""
        ...

    async def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        ...

    async def timeline(self, incident_id: str) -> Sequence[IncidentEvent]:
        """Return what happened to an incident, oldest first."""
        ...

    async def command(
        self, command: IncidentCommand, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Incident:
        """Do what a person wants, once per command_id: a repeat returns what the first call did.

        roles: in what capacity they ask; handler and reporter follow from the incident. None: whoever asks may do
        whatever the state allows. Raises CommandRefusedError.
        """
        ...

    def allowed(
        self, incident: Incident, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Sequence[CommandKind]:
        """Return what a person may do to an incident now; some of it needs words, a person or a time."""
        ...

    def watch(self) -> Subscription[Incident]:
        """Subscribe to incidents: the open ones, then every change."""
        ...


class SlaBook(Protocol):
    """What was promised and kept."""

    def states(self) -> Sequence[SlaState]:
        """Return the state of every target now."""
        ...

    def watch(self) -> Subscription[SlaState]:
        """Subscribe to SLA states."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """Something owed to a target. seq orders the messages of one incident; id makes a repeat harmless.

    uncertain: an earlier attempt may have arrived. next_at: not before this wall-clock time. collapses: it only repeats
    the state, so one that was never sent gives way to the next. refused_since: the target has said no from then on.
    """

    id: str
    target: str
    incident_id: str
    seq: int
    content_type: str
    body: bytes
    attempts: int
    next_at: UnixSeconds
    uncertain: bool
    last_error: str = ""
    collapses: bool = False
    refused_since: UnixSeconds | None = None


class TellKind(StrEnum):
    """What somebody is to be told."""

    ORDER = "order"
    """To a person: accept this incident by then."""
    REMINDER = "reminder"
    """To a person: the order still waits for an answer, or became more urgent."""
    RECALL = "recall"
    """To a person: the order, or the incident, is no longer theirs."""
    HANDLER = "handler"
    """To the person who has the incident."""
    LEAD = "lead"
    """To the lead of a group."""
    CENTRE = "centre"
    """To the management centre; the recipient is empty."""
    REPORTER = "reporter"
    """To the person who reported the incident."""
    WATCHERS = "watchers"
    """To those who reported what was merged into the incident; the recipient is empty."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is to be told something, kept until notices were made of it: the outbox of what goes to people.

    recipient: a person, for LEAD a group, for CENTRE empty. what: the matter in one or two words ("order-timeout");
    itsm.lifecycle names them all. dispatch_id: the order it is about, "" for none. seq: of the event behind it.
    attempts, next_at: of the sender; not before next_at.
    """

    id: str
    incident_id: str
    seq: int
    kind: TellKind
    recipient: str
    what: str
    dispatch_id: str
    at: UnixSeconds
    attempts: int = 0
    next_at: UnixSeconds = 0.0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something an incident waits for. generation: the version of the incident that set it."""

    incident_id: str
    name: str
    due_at: UnixSeconds
    generation: int = 0


@dataclass(frozen=True, slots=True)
class CommandDone:
    """A command that was carried out: on which incident, as which event of its timeline (0: not known), when."""

    incident_id: str
    seq: int
    at: UnixSeconds


@dataclass(frozen=True, slots=True)
class IncidentWrite:
    """All that one step of an incident changes; the journal commits it whole or not at all."""

    incident: Incident
    events: tuple[IncidentEvent, ...]
    messages: tuple[OutboxMessage, ...]
    timers: Mapping[str, UnixSeconds | None]
    """Timers by name: due at, or None to stop one. A timer not named stays as it was."""
    tellings: tuple[Telling, ...] = ()
    fired: Timer | None = None
    """The timer that brought the step about; it is gone afterwards, unless `timers` starts it anew."""


class Journal(Protocol):
    """The durable memory: what a method of it returned from survives kill -9. Every method runs off the loop."""

    async def write_incident(self, write: IncidentWrite) -> None:
        """Commit a step.

        Raises VersionConflictError when the stored version is not write.incident.version - 1, and TimerGoneError when
        write.fired does not run any more, or in another generation.
        """
        ...

    async def load_incidents(self, *, only_open: bool, limit: int) -> Sequence[Incident]:
        """Return stored incidents, newest first."""
        ...

    async def load_incident(self, incident_id: str) -> Incident | None:
        """Return one stored incident."""
        ...

    async def load_events(self, incident_id: str) -> Sequence[IncidentEvent]:
        """Return an incident's timeline, oldest first."""
        ...

    async def find_command(self, command_id: str) -> CommandDone | None:
        """Return what a command was carried out as, None if it was not yet."""
        ...

    async def timers_due(self, now: UnixSeconds, limit: int) -> Sequence[Timer]:
        """Return the timers due by `now`, earliest first."""
        ...

    async def next_timer_at(self) -> UnixSeconds | None:
        """Return when the next timer is due."""
        ...

    async def drop_timer(self, timer: Timer) -> None:
        """Remove a timer that nothing waits for any more; one of another generation stays."""
        ...

    async def claim_tellings(self, now: UnixSeconds, limit: int) -> Sequence[Telling]:
        """Mark as claimed, and return, what is due to be told, oldest first."""
        ...

    async def telling_done(self, telling_id: str, now: UnixSeconds) -> None:
        """Record that a telling was handed to those who tell it."""
        ...

    async def telling_failed(self, telling_id: str, *, next_at: UnixSeconds, error: str) -> None:
        """Record that a telling could not be handed over; it is due again at next_at."""
        ...

    async def next_telling_at(self) -> UnixSeconds | None:
        """Return when the next telling is due."""
        ...

    async def claim_messages(
        self, now: UnixSeconds, limit: int, *, target: str | None = None
    ) -> Sequence[OutboxMessage]:
        """Mark as in flight, and return, the head message of each (target, incident) that is due. target: only its."""
        ...

    async def message_delivered(self, message_id: str, now: UnixSeconds) -> None:
        """Record that the target has it."""
        ...

    async def message_failed(
        self,
        message_id: str,
        *,
        next_at: UnixSeconds,
        error: str,
        uncertain: bool,
        refused_since: UnixSeconds | None = None,
    ) -> None:
        """Record a failed attempt; it is due again at next_at. refused_since: see OutboxMessage."""
        ...

    async def message_dead(self, message_id: str, *, error: str, now: UnixSeconds) -> None:
        """Record that the target refuses it for good; people must look."""
        ...

    async def next_message_at(self, target: str | None = None) -> UnixSeconds | None:
        """Return when the next undelivered message is due. target: only its."""
        ...

    async def outbox_depth(self) -> Mapping[str, int]:
        """Return the number of messages by state (pending, inflight, done, dead)."""
        ...

    async def outbox_lines(self) -> Sequence[OutboxLine]:
        """Return what waits, per target that anything was ever owed to and is still kept."""
        ...

    async def settle_messages(self, target: str, seconds: Seconds, now: UnixSeconds) -> None:
        """Make what may have arrived before a crash wait until that long after its last attempt began."""
        ...

    async def bury_messages(self, keep: Collection[str], *, error: str, now: UnixSeconds) -> Sequence[str]:
        """Declare dead what waits for targets other than these; return the ids."""
        ...

    async def dead_messages(self, limit: int) -> Sequence[OutboxMessage]:
        """Return dead letters, latest first."""
        ...

    async def edit_dead(self, message_id: str, body: bytes) -> None:
        """Replace the body of a dead letter; raises KeyError or ValueError where there is none."""
        ...

    async def resend_dead(self, message_id: str, now: UnixSeconds) -> None:
        """Let a dead letter be sent again from `now` on; raises KeyError or ValueError where there is none."""
        ...

    async def drop_dead(self, message_id: str, *, reason: str, now: UnixSeconds) -> None:
        """Give a dead letter up; it is kept for a while. Raises KeyError or ValueError where there is none."""
        ...

    async def save_reference(self, reference: ExternalReference) -> None:
        """Keep what a target calls an incident; replaces what was known."""
        ...

    async def load_reference(self, target: str, incident_id: str) -> ExternalReference | None:
        """Return what a target calls an incident."""
        ...

    async def find_reference(self, target: str, external_id: str) -> ExternalReference | None:
        """Return the incident that a target calls so."""
        ...

    async def open_references(self, target: str, limit: int) -> Sequence[ExternalReference]:
        """Return what a target has of ours that is still open."""
        ...

    async def take_update(self, update: ExternalUpdate, now: UnixSeconds) -> bool:
        """Put a change from outside into the inbox; False: this event of this target was taken before."""
        ...

    async def waiting_updates(self, limit: int) -> Sequence[ExternalUpdate]:
        """Return updates that nobody has dealt with, oldest first."""
        ...

    async def update_done(self, target: str, event_id: str, *, result: str, now: UnixSeconds) -> None:
        """Record what became of an update."""
        ...

    async def save_state(self, name: str, value: bytes) -> None:
        """Keep a small named state (SLA accounts); replaces what was there."""
        ...

    async def load_state(self, name: str) -> bytes | None:
        """Return a named state."""
        ...

    async def save_verdict(self, verdict_id: str, at: UnixSeconds, body: bytes) -> None:
        """Keep a diagnosis with its evidence."""
        ...


class VersionConflictError(Exception):
    """The stored incident has another version than the writer thought."""


class TimerGoneError(Exception):
    """The timer that fired does not run any more, or was set anew since."""


class SeriesStore(Protocol):
    """Where results are kept over time. write never blocks for long: what cannot be stored now is spooled."""

    def write(self, block: PointBlock) -> None:
        """Take points over; they are durable after the next flush."""
        ...

    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Answer a query from what has been stored."""
        ...


class Prober(Protocol):
    """Runs checks on the network."""

    def submit(self, spec: ProbeSpec, done: Callable[[ProbeResult], None]) -> None:
        """Run a probe soon; `done` is called on the loop exactly once, also when it could not be asked."""
        ...

    async def ask(self, check: Check, why: str) -> ProbeResult:
        """Run one check and return its answer."""
        ...

"""The four views of the API in memory: plain data, and feeds that tests publish on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentState,
    Priority,
    RefusalCode,
    Signal,
    Urgency,
)
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.ports import (
    DiagnosisProgress,
    Explanation,
    Exporter,
    ExporterInterface,
    FlowView,
    GraphView,
    IncidentDesk,
    NodeState,
    OnlineUser,
    RefusedExporter,
    SlaBook,
    SpanInterface,
    Subscription,
)
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.quality import Durations, QualityRow
from btimd.model.service import BusinessService, Check, CheckKind, Criticality, Node, NodeKind, ServiceGraph
from btimd.model.sla import Availability, Outage, SlaState, SlaStatus, SlaTarget
from btimd.model.symptom import Symptom
from btimd.model.units import UnixMillis
from btimd.model.users import UserCount, UserQuery
from btimd.model.verdict import Evidence, Suspect, Verdict, VerdictStatus
from btimd.model.window import WindowRow
from btimd.runtime.feed import Feed

NOW = 1_790_000_000.0
MINUTE = 60_000

WINDOW = WindowRow(
    interval_start_milliseconds=1_790_000_040_000,
    interval_milliseconds=MINUTE,
    business="erp",
    region="Shanghai",
    segment="Finance",
    octets_to_server=1_200_000,
    octets_to_client=88_000_000,
    packets=90_000,
    flows=420,
    users=37,
    users_exact=True,
    sampled=False,
    revision=0,
)
QUALITY = QualityRow(
    interval_start_milliseconds=1_790_000_040_000,
    interval_milliseconds=MINUTE,
    revision=0,
    business="erp",
    region="Shanghai",
    segment="Finance",
    server="10.2.0.10:443",
    connections_attempted=1200,
    connections_established=1180,
    connections_refused=12,
    connections_unanswered=8,
    connections_reset_by_server=3,
    segments_to_server=48_000,
    segments_to_client=96_000,
    segments_retransmitted_to_server=48,
    segments_retransmitted_to_client=2880,
    segments_unseen_to_client=10,
    zero_windows_of_server=2,
    requests=4000,
    client_leg=Durations(1180, 0.0042, 0.001, 0.0031, 0.012, 0.02, 0.03, (30,), (1180,)),
    server_leg=Durations(1180, 0.0005, 0.0002, 0.0004, 0.0012, 0.002, 0.003, (25,), (1180,)),
    response=Durations(4000, 0.3, 0.05, 0.24, 1.35, 1.9, 2.5, (288, 316), (3900, 100)),
    capture_loss_ratio=0.0,
)
USER = OnlineUser(
    business="erp",
    address="10.1.2.3",
    region="Shanghai",
    segment="Finance",
    person="Li Wei",
    state="active",
    first_seen_milliseconds=1_789_999_000_000,
    last_seen_milliseconds=1_790_000_001_500,
    octets=5_000_000,
    octets_per_second=25_000.0,
    octets_per_second_before=10_000.0,
    trend="rising",
)
USER_COUNT = UserCount("", "Shanghai", "Finance", "", 30, 7, 2, 21, 9_000_000, 125_000.0)
EXPORTER = Exporter(
    id=0,
    address="10.255.0.1",
    version=10,
    observation_domains=(0, 7),
    datagrams=1000,
    records=24_000,
    lost=12,
    templates=3,
    sampling_rate=1,
    first_seen_milliseconds=1_789_999_000_000,
    last_seen_milliseconds=1_790_000_001_500,
    name="core-1",
    lost_records=240,
    restarts=1,
    reordered=3,
    counting="counts the records sent before a message",
    clock_skew_milliseconds=-1500,
    sampling_rates=(1, 1000),
    sampling_announced=True,
    unconfirmed_templates=1,
    strict=False,
    datagrams_per_second=20.5,
    records_per_second=492.0,
    duplicates=1200,
    interfaces=(ExporterInterface(3, "Gi0/3", "WAN Shanghai", 1_000_000_000),),
)
SPAN = SpanInterface(
    name="dc", interface="eth1", threads=2, packets=1_500_000, octets=900_000_000, kernel_drops=0, freezes=0,
    truncated=1_400_000, filter="", link_up=True, first_packet_milliseconds=1_000_000,
    last_packet_milliseconds=1_999_000, ring_octets=1 << 27,
)  # fmt: skip
REFUSED = RefusedExporter("203.0.113.9", 17, 1_790_000_001_500)
EXPLANATION = Explanation(
    businesses=("erp",),
    rule_id="erp#2",
    client="10.1.2.3",
    server="10.2.0.10",
    region="Shanghai",
    segment="Finance",
    person="Li Wei",
    reasons=("rule erp#2 (services.toml:8) wins: 10.2.0.10/32 tcp 443",),
)
SQL_CHECK = Check(
    id="db1-sql",
    node="db1",
    kind=CheckKind.POSTGRES,
    host="10.2.0.20",
    port=5432,
    options={"user": "btimd"},
    slow_over_seconds=0.5,
    every_seconds=5.0,
    cost=6.0,
)
GRAPH = ServiceGraph(
    nodes={
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", needs=("erp-web",)),
        "hr": Node("hr", NodeKind.BUSINESS, "HR", needs=("db1",)),
        "erp-web": Node("erp-web", NodeKind.APPLICATION, "ERP web", needs=("db1",)),
        "db1": Node("db1", NodeKind.DATABASE, "ERP database", needs=("host1",), checks=(SQL_CHECK,), prior=0.1),
        "host1": Node("host1", NodeKind.HOST, "Host of db1"),
    },
    businesses={
        "erp": BusinessService("erp", "ERP", "企业资源计划", Criticality.HIGH, "erp-team", 99.9),
        "hr": BusinessService("hr", "HR"),
    },
    generation=3,
)
NODE_STATES = (
    NodeState("erp", "business", "ERP", "degraded", "unknown", "", None, ("erp-web",), ("erp",)),
    NodeState("hr", "business", "HR", "degraded", "unknown", "", None, ("db1",), ("hr",)),
    NodeState("erp-web", "application", "ERP web", "degraded", "good", "200 in 12 ms", NOW, ("db1",), ("erp",)),
    NodeState("db1", "database", "ERP database", "bad", "bad", "connection refused", NOW, ("host1",), ("erp", "hr")),
    NodeState("host1", "host", "Host of db1", "good", "good", "echo in 0.2 ms", NOW, (), ("erp", "hr")),
)
SYMPTOM = Symptom("s1", "erp-page", "erp", ErrorClass.TIMEOUT, "no page within 2 s", NOW - 10, NOW)
EVIDENCE = Evidence(
    check_id="db1-sql",
    node="db1",
    health=Health.BAD,
    error=ErrorClass.REFUSED,
    detail="10.2.0.20:5432 refused the connection",
    why="tells db1 from host1",
    gain_bits=0.97,
    cost=6.0,
    at=NOW + 1,
)
VERDICT = Verdict(
    id="v1",
    symptoms=("s1",),
    symptom_nodes=("erp",),
    status=VerdictStatus.CAUSE_FOUND,
    cause="db1",
    cause_error=ErrorClass.REFUSED,
    path=("erp", "erp-web", "db1"),
    confidence=0.98,
    ranked=(Suspect("db1", 0.98), Suspect("host1", 0.02)),
    evidence=(EVIDENCE,),
    businesses=("erp", "hr"),
    probes_used=3,
    started_at=NOW,
    ended_at=NOW + 2,
    seconds_taken=12.0,
    summary="db1 refuses connections",
)
DIAGNOSIS = DiagnosisProgress("v1", 1, ("erp",), (Suspect("db1", 0.5), Suspect("erp-web", 0.5)), (EVIDENCE,), None)
INCIDENT = Incident(
    id="I-1",
    version=3,
    fingerprint="cause:db1",
    state=IncidentState.NEW,
    signal=Signal.ACTIVE,
    title="db1 refuses connections",
    description="ERP and HR are hit.",
    cause="db1",
    verdict_id="v1",
    confidence=0.98,
    impact=Impact.HIGH,
    urgency=Urgency.MEDIUM,
    priority=Priority.P2,
    priority_is_manual=False,
    assessment=ImpactAssessment(("erp", "hr"), ("Shanghai",), 37, users_exact=False),
    report_count=2,
    reopen_count=0,
    touched_by_human=False,
    assignee="",
    closing_report="",
    opened_at=NOW + 2,
    last_seen_at=NOW + 3,
    began_at=NOW - 10,
)
OPENED = IncidentEvent("I-1", 1, NOW + 2, "rca", "opened", None, IncidentState.NEW, "verdict v1", {"verdict": "v1"})
SLA_STATE = SlaState(
    target=SlaTarget("erp", 99.9),
    period_start=NOW - 86_400,
    period_end=NOW + 29 * 86_400,
    at=NOW,
    current=Availability.DOWN,
    up_seconds=80_000.0,
    down_seconds=400.0,
    unknown_seconds=6_000.0,
    availability=0.995,
    coverage=0.93,
    error_budget_seconds=2592.0,
    burn_ratio=0.154,
    status=SlaStatus.AT_RISK,
    outages=(Outage("erp", NOW - 400, None, "db1", "I-1"),),
)


@dataclass
class FakeFlows(FlowView):
    """Traffic of intervals of one minute only."""

    rows: list[WindowRow] = field(default_factory=lambda: [WINDOW])
    people: list[OnlineUser] = field(default_factory=lambda: [USER])
    counts: list[UserCount] = field(default_factory=lambda: [USER_COUNT])
    users_asked: list[UserQuery] = field(default_factory=list)
    counts_asked: list[tuple[str | None, tuple[str, ...], float | None]] = field(default_factory=list)
    answer: list[SeriesRow] = field(default_factory=lambda: [SeriesRow(1_790_000_000_000, ("erp",), (1.5, None))])
    asked: list[SeriesQuery] = field(default_factory=list)
    feed: Feed[tuple[str, str, str], WindowRow] = field(default_factory=lambda: Feed(100))
    connections: list[QualityRow] = field(default_factory=lambda: [QUALITY])
    grouped_by: list[tuple[str, ...]] = field(default_factory=list)
    quality_feed: Feed[tuple[int, str, str], QualityRow] = field(default_factory=lambda: Feed(100))

    def publish(self, row: WindowRow) -> None:
        """Close an interval."""
        self.feed.publish((row.business, row.region, row.segment), row)

    @override
    def windows(self, *, interval_milliseconds: int, business: str | None, limit: int) -> Sequence[WindowRow]:
        self._check(interval_milliseconds)
        return [row for row in self.rows if business is None or row.business == business][:limit]

    @override
    def watch_windows(self, *, interval_milliseconds: int) -> Subscription[WindowRow]:
        self._check(interval_milliseconds)
        return self.feed.subscribe()

    def publish_quality(self, row: QualityRow) -> None:
        """Close an interval of quality."""
        self.quality_feed.publish((row.interval_start_milliseconds, row.business, row.server), row)

    @override
    def quality(
        self,
        *,
        interval_milliseconds: int,
        business: str | None,
        group_by: Sequence[str],
        limit: int,
        from_milliseconds: UnixMillis = 0,
    ) -> Sequence[QualityRow]:
        self._check(interval_milliseconds)
        self.grouped_by.append(tuple(group_by))
        wanted = [row for row in self.connections if business is None or row.business == business]
        return [row for row in wanted if row.interval_start_milliseconds >= from_milliseconds][:limit]

    @override
    def watch_quality(self, *, interval_milliseconds: int) -> Subscription[QualityRow]:
        self._check(interval_milliseconds)
        return self.quality_feed.subscribe()

    @override
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
        self.users_asked.append(UserQuery(business, region, segment, person, state, address, order))
        fitting = [user for user in self.people if business in {None, user.business} and region in {None, user.region}]
        return fitting[:limit]

    @override
    def user_counts(
        self,
        *,
        business: str | None,
        group_by: Sequence[str],
        seen_within_seconds: float | None = None,
        limit: int | None = None,
    ) -> Sequence[UserCount]:
        self.counts_asked.append((business, tuple(group_by), seen_within_seconds))
        return self.counts[:limit]

    @override
    def exporters(self) -> Sequence[Exporter]:
        return [EXPORTER]

    @override
    def spans(self) -> Sequence[SpanInterface]:
        return [SPAN]

    @override
    def refused_exporters(self) -> Sequence[RefusedExporter]:
        return [REFUSED]

    @override
    def explain(self, address: str, peer: str, port: int, protocol: int) -> Explanation:
        return replace(EXPLANATION, reasons=(*EXPLANATION.reasons, f"asked: {address} {peer} {port} {protocol}"))

    @override
    async def history(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        self.asked.append(query)
        if query.measurement == "nothing":
            raise ValueError("no measurement 'nothing'")
        return self.answer

    def _check(self, interval_milliseconds: int) -> None:
        if interval_milliseconds != MINUTE:
            raise ValueError(f"kept are {MINUTE} ms")


@dataclass
class FakeGraph(GraphView):
    """A broken database below two businesses."""

    found: list[Verdict] = field(default_factory=lambda: [VERDICT])
    nodes: Feed[str, NodeState] = field(default_factory=lambda: Feed(100))
    diagnoses: Feed[str, DiagnosisProgress] = field(default_factory=lambda: Feed(100))
    probed: list[tuple[str, str]] = field(default_factory=list)

    @override
    def graph(self) -> ServiceGraph:
        return GRAPH

    @override
    def node_states(self) -> Sequence[NodeState]:
        return NODE_STATES

    @override
    def watch_nodes(self) -> Subscription[NodeState]:
        return self.nodes.subscribe()

    @override
    def symptoms(self) -> Sequence[Symptom]:
        return [SYMPTOM]

    @override
    def verdicts(self, limit: int) -> Sequence[Verdict]:
        return self.found[:limit]

    @override
    def watch_diagnoses(self) -> Subscription[DiagnosisProgress]:
        return self.diagnoses.subscribe()

    @override
    async def run_probe(self, check_id: str, actor: str) -> ProbeResult:
        check = {check.id: check for check in GRAPH.checks()}[check_id]
        self.probed.append((check_id, actor))
        spec = ProbeSpec(7, check, f"asked by {actor}")
        return ProbeResult(spec, Health.BAD, ErrorClass.REFUSED, "refused", NOW, 0.004, {"connect_seconds": 0.004})


@dataclass
class FakeDesk(IncidentDesk):
    """Incidents that know three moves: accept from NEW, resolve from ACCEPTED, anything else on request."""

    known: dict[str, Incident] = field(default_factory=lambda: {INCIDENT.id: INCIDENT})
    events: list[IncidentEvent] = field(default_factory=lambda: [OPENED])
    commands: list[tuple[IncidentCommand, str]] = field(default_factory=list)
    roles: list[frozenset[ActorRole] | None] = field(default_factory=list)
    feed: Feed[str, Incident] = field(default_factory=lambda: Feed(100, keep=lambda incident: incident.state.is_open))

    @override
    async def incidents(self, *, only_open: bool, business: str | None, limit: int) -> Sequence[Incident]:
        wanted = [
            incident
            for incident in self.known.values()
            if (incident.state.is_open or not only_open)
            and (business is None or business in incident.assessment.businesses)
        ]
        return sorted(wanted, key=lambda incident: (incident.priority, incident.opened_at))[:limit]

    @override
    async def incident(self, incident_id: str) -> Incident | None:
        return self.known.get(incident_id)

    @override
    async def timeline(self, incident_id: str) -> Sequence[IncidentEvent]:
        return [event for event in self.events if event.incident_id == incident_id]

    @override
    async def command(
        self, command: IncidentCommand, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Incident:
        self.commands.append((command, actor))
        self.roles.append(roles)
        if command.kind is CommandKind.CREATE:
            return self._store(
                replace(
                    INCIDENT,
                    id=f"I-{len(self.known) + 1}",
                    version=1,
                    title=command.title,
                    description=command.text,
                    assessment=ImpactAssessment(command.businesses),
                    reporter=command.person or actor,
                )
            )
        incident = self.known.get(command.incident_id)
        if incident is None:
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no incident {command.incident_id!r}")
        if command.expected_version not in {0, incident.version}:
            raise CommandRefusedError(RefusalCode.WRONG_VERSION, f"{incident.id} has version {incident.version}")
        return self._store(replace(_moved(incident, command, actor), version=incident.version + 1))

    @override
    def allowed(
        self, incident: Incident, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Sequence[CommandKind]:
        return tuple(CommandKind)[1:4] if incident.state.is_open else (CommandKind.RESOLVE, CommandKind.COMMENT)

    @override
    def watch(self) -> Subscription[Incident]:
        return self.feed.subscribe()

    def _store(self, incident: Incident) -> Incident:
        self.known[incident.id] = incident
        self.feed.publish(incident.id, incident)
        return incident


def _moved(incident: Incident, command: IncidentCommand, actor: str) -> Incident:
    if command.kind is CommandKind.ACCEPT and incident.state is not IncidentState.NEW:
        raise CommandRefusedError(
            RefusalCode.NOT_ALLOWED_NOW, f"{incident.id} is {incident.state}", ("resolve", "comment")
        )
    if command.kind is CommandKind.MERGE and command.parent_id == incident.id:
        raise CommandRefusedError(RefusalCode.INVALID, "an incident cannot be part of itself")
    accepted = replace(incident, state=IncidentState.ACCEPTED, assignee=actor, accepted_at=NOW + 60)
    resolved = replace(incident, state=IncidentState.RESOLVED, closing_report=command.text, resolved_at=NOW + 120)
    closed = replace(incident, state=IncidentState.CLOSED, closed_at=NOW + 180)
    cancelled = replace(incident, state=IncidentState.CANCELLED, closing_report=command.text)
    by_hand = replace(incident, priority=command.priority or incident.priority, priority_is_manual=True)
    return {
        CommandKind.ACCEPT: accepted,
        CommandKind.RESOLVE: resolved,
        CommandKind.CONFIRM: closed,
        CommandKind.CANCEL: cancelled,
        CommandKind.COMMENT: incident,
        CommandKind.SET_PRIORITY: by_hand,
        CommandKind.MERGE: replace(incident, state=IncidentState.MERGED),
    }.get(command.kind, incident)


@dataclass
class FakeBook(SlaBook):
    """One target."""

    kept: list[SlaState] = field(default_factory=lambda: [SLA_STATE])
    feed: Feed[str, SlaState] = field(default_factory=lambda: Feed(100))

    @override
    def states(self) -> Sequence[SlaState]:
        return self.kept

    @override
    def watch(self) -> Subscription[SlaState]:
        return self.feed.subscribe()

"""Builds every component and connects every channel: one straight function, from the sinks to the sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from btimd.api.archive import archive_service
from btimd.api.baselines import baselines_service
from btimd.api.budget import budget_service
from btimd.api.component import ApiComponent
from btimd.api.diagnosis import diagnosis_service
from btimd.api.discovery import discovery_service
from btimd.api.events import events_service
from btimd.api.impact import impact_service
from btimd.api.persons import persons_service
from btimd.api.plan import plan_service
from btimd.api.topology import topology_service
from btimd.api.views import views_service
from btimd.capture.blocks import BlockChannel
from btimd.capture.component import FlowCapture
from btimd.capture.evidencefiles import EvidenceKeeper
from btimd.capture.evidenceservice import EvidenceService
from btimd.capture.span import SpanCapture
from btimd.capture.wire.decoder import FlowDecoder
from btimd.daemon.config import Config
from btimd.daemon.decisions import Decisions
from btimd.daemon.dutydesk import DutyDesk
from btimd.daemon.growthdesk import GrowthDesk, GrowthSources
from btimd.daemon.intake import Intake
from btimd.daemon.knowledge import KnowledgeComponent
from btimd.daemon.leveldesk import LevelDesk
from btimd.daemon.listeners import build_listeners
from btimd.daemon.losses import LossWatch
from btimd.daemon.maintenance import MaintenanceDesk
from btimd.daemon.noticedesk import NoticeDesk
from btimd.daemon.outages import OutageDesk, OutageSources
from btimd.daemon.rotawatch import RotaWatch
from btimd.daemon.runners import Runners, read_option_file
from btimd.daemon.serviceviews import ServiceViewDesk, Sources
from btimd.daemon.signs import SignDesk
from btimd.daemon.spans import SpanLines, packet_channel, subject_of
from btimd.daemon.use import (
    Closing,
    PlanWatch,
    ask_exporters,
    build_inventory,
    businesses_over,
    exporter_text,
    in_turn,
    losses_of,
    names_of_devices,
    plan_in_force,
    snmp_access,
    users_in_all,
)
from btimd.daemon.usercounts import user_thresholds, users_by_region, users_on_line
from btimd.daemon.wiringitsm import build_incident_side
from btimd.flows.attribution import Attribution
from btimd.flows.baselineservice import BaselineService
from btimd.flows.component import FlowPipeline
from btimd.flows.discoveryservice import DiscoveryService
from btimd.flows.duplicates import Duplicates
from btimd.flows.linkservice import LinkService
from btimd.flows.personservice import PersonService
from btimd.flows.plan import PlanEntry
from btimd.flows.planservice import PlanService
from btimd.flows.trafficwatch import TrafficWatch
from btimd.itsm.component import IncidentComponent
from btimd.model.incident import Incident
from btimd.model.outage import UsersByRegion
from btimd.model.probe import ProbeSpec
from btimd.model.service import ServiceGraph
from btimd.model.verdict import Verdict
from btimd.probes.component import Probes
from btimd.probes.inventory import Inventory
from btimd.probes.syslogs import SyslogListener
from btimd.probes.traps import TrapListener
from btimd.rca.capsulekeeper import CapsuleKeeper
from btimd.rca.component import RcaComponent
from btimd.rca.gaps import fails_alone
from btimd.rca.graph import GraphIndex
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.runtime.periodic import Periodic
from btimd.sla.component import SlaComponent
from btimd.store.archive import FlowArchive
from btimd.store.archivedesk import ArchiveDesk
from btimd.store.archivemetrics import ArchiveMetrics
from btimd.store.archivesource import ArchiveReader
from btimd.store.component import JournalComponent, SeriesStoreComponent
from btimd.store.kpis import BusinessMetrics

_LOOK_EVERY_SECONDS = 60.0
_WEEK_SECONDS = 7 * 86_400.0
_VERDICTS_LOOKED_AT = 1000


@dataclass(slots=True)
class Declared:
    """What the operator has written, before anything grew: the graph and the lines of the IP plan."""

    graph: ServiceGraph
    plan_entries: Sequence[PlanEntry]


@dataclass(frozen=True, slots=True)
class Wired:
    """All components by their kind, for reload and for who asks where they listen."""

    metrics: Metrics
    decoder: FlowDecoder
    journal: JournalComponent
    series: SeriesStoreComponent
    sla: SlaComponent
    levels: LevelDesk
    maintenance: MaintenanceDesk
    duty: DutyDesk
    rota_watch: RotaWatch
    intake: Intake
    incidents: IncidentComponent
    notices: NoticeDesk
    knowledge: KnowledgeComponent
    rca: RcaComponent
    capsules: CapsuleKeeper
    decisions: Decisions
    signs: SignDesk
    syslog: SyslogListener
    traps: TrapListener
    probes: Probes
    runners: Runners
    declared: Declared
    growth: GrowthDesk
    growth_watch: Periodic
    archive: FlowArchive
    archive_desk: Closing
    baselines: BaselineService
    links: LinkService
    persons: PersonService
    flows: FlowPipeline
    plan: PlanService
    plan_watch: Periodic
    losses: LossWatch
    inventory: Inventory
    exporter_watch: Periodic
    views: ServiceViewDesk
    api: ApiComponent
    capture: FlowCapture
    span_lines: SpanLines
    span: SpanCapture
    evidence: EvidenceService | None

    def in_order(self) -> tuple[Component, ...]:
        """Return the components in the order of their start: sinks first, sources last. They stop in reverse."""
        return (
            self.journal,
            self.series,
            self.sla,
            self.maintenance,
            self.duty,
            self.rota_watch,
            self.notices,
            self.incidents,
            self.knowledge,
            self.rca,
            self.capsules,
            self.decisions,
            self.intake,
            self.growth_watch,
            self.archive,
            self.archive_desk,
            self.baselines,
            self.links,
            self.persons,
            self.flows,
            self.losses,
            self.plan_watch,
            self.views,
            self.api,
            *([self.evidence] if self.evidence is not None else ()),
            self.runners,
            self.probes,
            self.inventory,
            self.syslog,
            self.traps,
            self.exporter_watch,
            self.capture,
            self.span_lines,
            self.span,
        )

    def health(self) -> Mapping[str, ComponentHealth]:
        """Return how each component is."""
        return {component.name: component.health() for component in self.in_order()}


def build_attribution(config: Config) -> Attribution:
    """Return plan and rules, compiled."""
    services = config.services
    return Attribution(config.plan, services.rules, services.businesses, config.generation, config.plan_entries)


def build(config: Config, *, clock: Clock, random: Random) -> Wired:  # noqa: PLR0915  one straight line
    """Return every component, connected; nothing runs yet."""
    settings, services, graph = config.settings, config.services, config.services.graph
    metrics = Metrics()
    state = config.state_directory
    journal = JournalComponent(state_directory=state, metrics=metrics, clock=clock, log=Log("journal"))
    series = SeriesStoreComponent(
        settings=settings.store, state_directory=state, metrics=metrics, clock=clock, log=Log("store")
    )

    def incident_changed(incident: Incident) -> None:
        decisions.incident_changed(incident)
        losses.incident_changed(incident)

    side = build_incident_side(
        config,
        journal=journal.journal,
        series=series,
        graph=lambda: decisions.graph,
        on_incident=incident_changed,
        metrics=metrics,
        clock=clock,
        random=random,
    )
    sla, incidents = side.sla, side.incidents
    netflow = settings.capture.netflow
    channel = BlockChannel(netflow.queue_blocks, netflow.queue_bytes)
    points = tuple(settings.capture.span)
    decoder = FlowDecoder(netflow.decode_limits(), settings.capture.exporter_rules(), netflow.allow, points=len(points))
    packets = packet_channel()
    keeps_evidence = bool(points) and settings.capture.evidence.enabled
    persons = PersonService(settings.flows.persons, metrics, clock, Log("flows.persons"))
    archived = settings.store.archive
    archive = FlowArchive(
        archived,
        state / "archive",
        lambda exporter: exporter_text(flows.exporters(), exporter),
        metrics=ArchiveMetrics(metrics),
        clock=clock,
        log=Log("store.archive"),
    )
    baselines = BaselineService(
        settings=settings.flows.baselines,
        state_directory=state,
        series=series,
        grace_seconds=settings.flows.grace,
        metrics=metrics,
        clock=clock,
        log=Log("baselines"),
        businesses=services.businesses,
        on_event=lambda event: decisions.deviation(event),
    )
    duplicates = Duplicates(settings.flows.duplicates.limits(), random.getrandbits(31))
    links = LinkService(
        settings=settings.flows.links,
        topology=settings.flows.topology,
        exporters=lambda: flows.exporters(),
        series=series,
        metrics=metrics,
        clock=clock,
        log=Log("flows.links"),
        seed=random.getrandbits(31),
        compared=lambda: duplicates.compared,
        servers=lambda business: [rule.server for rule in flows.attribution.rules if business in rule.businesses],
    )
    watch = TrafficWatch(
        lambda signs: flows.on_loop(partial(signs_desk.traffic, signs)),
        metrics,
        points=len(points),
        names_of=lambda: {name: one.name for name, one in decisions.graph.businesses.items()},
    )
    flows = FlowPipeline(
        settings=settings.flows,
        source=channel,
        decode=decoder.decode,
        exporters=lambda: capture.exporters(),
        attribution=build_attribution(config),
        duplicates=duplicates,
        export_counts=decoder.export_counts,
        refused_exporters=decoder.refused_exporters,
        packet_source=packets if points else None,
        points=points,
        spans=lambda: span.interfaces(),
        taps=(links.tap, baselines.feeders, watch, *((archive,) if archived.enabled else ())),
        packet_taps=(watch.packets,),
        on_closed=(baselines.closed,),
        persons=persons.lookup,
        thresholds=user_thresholds(graph.businesses, settings.flows.user_active, settings.flows.user_idle),
        series=series,
        metrics=metrics,
        clock=clock,
        log=Log("flows"),
        seed=random.getrandbits(31),
    )
    runners = Runners(settings.probes, snmp_access(settings.probes)[0], metrics=metrics, clock=clock)
    probes = Probes(
        settings=settings.probes,
        graph=graph,
        metrics=metrics,
        clock=clock,
        log=Log("probes"),
        on_symptom=lambda symptom: decisions.symptom_opened(symptom),
        on_clear=lambda symptom: decisions.symptom_cleared(symptom),
        on_result=lambda result: decisions.result(result),
        runners=runners.by_errand,
        read_file=read_option_file,
    )
    capsules = CapsuleKeeper(
        state_directory=state, keep=settings.rca.capsules_kept, metrics=metrics, log=Log("rca.capsules")
    )
    rca = RcaComponent(
        settings=settings.rca,
        graph=graph,
        prober=probes,
        metrics=metrics,
        clock=clock,
        log=Log("rca"),
        on_verdict=lambda verdict: decisions.verdict(verdict),
        on_cleared=lambda verdict: decisions.cleared(verdict),
        on_capsule=capsules.take,
    )

    def outages_began(verdict: Verdict, users: UsersByRegion) -> None:
        outages.began(verdict, users)

    signs_desk = SignDesk(
        graph=graph, rca=rca, clock=clock, metrics=metrics, devices=lambda: names_of_devices(inventory.devices())
    )
    decisions = Decisions(
        graph=graph,
        flows=flows,
        rca=rca,
        incidents=incidents,
        sla=sla,
        recheck=lambda check: probes.submit(ProbeSpec(0, check, "its trouble is over"), lambda _: None),
        on_users=outages_began,
        on_symptom=lambda businesses, now: evidence.on_symptom(businesses, now) if keeps_evidence else None,
        clock=clock,
        log=Log("decisions"),
    )

    inventory = build_inventory(
        config,
        metrics=metrics,
        clock=clock,
        on_facts=links.take_facts,
        on_change=in_turn(
            lambda device, text: signs_desk.device_changed(device, text),
            lambda device, text: decisions.device_changed(
                device, text, businesses_over(links.desk, decisions.graph.businesses, device)
            ),
        ),
    )
    syslog, traps = build_listeners(
        settings.probes,
        snmp_access(settings.probes),
        in_turn(signs_desk.take, side.intake.hear),
        signs_desk.not_understood,
        metrics=metrics,
        clock=clock,
    )
    plan = PlanService(
        plan_in_force(config, flows),
        clients=flows.clients,
        persons=persons.lookup,
        clock=clock,
        log=Log("plan"),
    )
    discovery = DiscoveryService(
        source=lambda: ArchiveReader(state / "archive") if archived.enabled else None,
        attribution=lambda: flows.attribution,
        graph=lambda: declared.graph,
        users=lambda: users_in_all(flows, tuple(decisions.graph.businesses)),
        verdicts=lambda: rca.verdicts(_VERDICTS_LOOKED_AT),
        clock=clock,
        alone=lambda graph: fails_alone(GraphIndex(graph)),
    )
    outages = OutageDesk(
        OutageSources(
            graph=lambda: decisions.graph,
            users=lambda: users_by_region(flows, tuple(decisions.graph.businesses)),
            sla=sla.states,
            open_verdicts=rca.open_verdicts,
            incident_of=lambda verdict: incidents.incident_of(verdict),
        ),
        clock,
    )
    declared = Declared(graph, config.plan_entries)

    def graph_grown(grown: ServiceGraph) -> None:
        decisions.swap(grown)
        rca.swap(grown)
        probes.swap(grown)

    growth = GrowthDesk(
        GrowthSources(
            declared=lambda: declared.graph,
            rules=lambda: flows.attribution.rules,
            plan=lambda: declared.plan_entries,
            topology=links.desk,
            compare=lambda: discovery.compare(_WEEK_SECONDS),
        ),
        settings.rca.growth.options(),
        graph_grown,
        journal.journal,
        clock,
        Log("rca.growth"),
    )
    archive_desk = ArchiveDesk(archive, series, archived, clock)
    losses = LossWatch(
        lambda business, began: losses_of(flows, business, began, clock),
        decisions.noticed,
        clock,
    )
    kpis = BusinessMetrics(series, metrics)
    views = ServiceViewDesk(
        Sources(
            flows=flows,
            graph=rca,
            incidents=incidents,
            sla=sla,
            users=lambda: users_on_line(flows, tuple(decisions.graph.businesses)),
            deviations=lambda: [
                *((one.business, one.text) for one in baselines.deviations()),
                *side.maintenance.sentences(),
            ],
            availability=decisions.availability,
        ),
        kpis,
        clock,
        config.services.groups,
        config.services.indicators,
    )
    api = ApiComponent(
        settings=settings.api,
        state_directory=state,
        flows=flows,
        graph=rca,
        incidents=incidents,
        search=side.search,
        sla=sla,
        more=(
            persons_service(persons),
            plan_service(plan),
            topology_service(links.desk),
            baselines_service(baselines),
            archive_service(archive_desk),
            discovery_service(discovery),
            views_service(views, clock),
            impact_service(outages, growth),
            budget_service(probes),
            diagnosis_service(capsules),
            events_service(signs_desk),
            *side.services,
        ),
        take_event=signs_desk.take,
        keep_event=side.intake.keep,
        take_callback=incidents.callbacks.take,
        posts={"/answers/{name}": side.replies.post},
        metrics=metrics,
        health=lambda: wired.health(),
        clock=clock,
        log=Log("api"),
    )
    capture = FlowCapture(settings.capture, channel, metrics, Log("capture"), clock, decoder, state)
    lines = SpanLines(
        settings.capture,
        channel=packets,
        attribution=lambda: flows.attribution,
        metrics=metrics,
        random=random,
        log=Log("flows.table"),
    )
    span = SpanCapture(settings.capture.span, lines.sink, metrics, Log("capture.span"), clock)
    kept = settings.capture.evidence
    evidence = EvidenceService(
        lines.freeze,
        EvidenceKeeper(state, kept.keep_limits()),
        in_turn(signs_desk.found, decisions.found),
        metrics,
        Log("capture.evidence"),
        clock=clock,
        subject_of=lambda business: subject_of(decisions.graph, business, kept.decode_as),
        limits=kept.service_limits(),
        dissect_limits=kept.dissect_limits(),
    )
    wired = Wired(
        metrics=metrics,
        decoder=decoder,
        journal=journal,
        series=series,
        sla=sla,
        levels=side.levels,
        maintenance=side.maintenance,
        duty=side.duty,
        rota_watch=side.rota_watch,
        intake=side.intake,
        incidents=incidents,
        notices=side.notices,
        knowledge=side.knowledge,
        rca=rca,
        capsules=capsules,
        decisions=decisions,
        signs=signs_desk,
        syslog=syslog,
        traps=traps,
        probes=probes,
        runners=runners,
        declared=declared,
        growth=growth,
        growth_watch=Periodic("rca.growth", _LOOK_EVERY_SECONDS, growth.look),
        archive=archive,
        archive_desk=Closing("archive.desk", archive_desk.close),
        baselines=baselines,
        links=links,
        persons=persons,
        flows=flows,
        plan=plan,
        plan_watch=Periodic("plan", _LOOK_EVERY_SECONDS, PlanWatch(plan, metrics).look),
        losses=losses,
        inventory=inventory,
        exporter_watch=Periodic("probes.exporters", _LOOK_EVERY_SECONDS, lambda: ask_exporters(flows, inventory)),
        views=views,
        api=api,
        capture=capture,
        span_lines=lines,
        span=span,
        evidence=evidence if keeps_evidence else None,
    )
    return wired

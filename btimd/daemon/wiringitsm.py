"""Builds what keeps incidents, service levels, duty, knowledge and reports, and connects it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from btimd.api.agreements import agreements_service
from btimd.api.delivery import delivery_service
from btimd.api.duty import duty_service
from btimd.api.knowledge import knowledge_service
from btimd.api.maintenance import maintenance_service
from btimd.api.notices import notices_service
from btimd.api.problems import problems_service
from btimd.api.quality import quality_service
from btimd.api.reports import reports_service
from btimd.api.rota import rota_service
from btimd.api.rpc import Service
from btimd.api.surveys import surveys_service
from btimd.daemon.config import Config
from btimd.daemon.dutydesk import DutyDesk
from btimd.daemon.intake import Intake
from btimd.daemon.knowledge import Aims, KnowledgeComponent
from btimd.daemon.knowledgeview import KnowledgeBook
from btimd.daemon.leveldesk import LevelDesk
from btimd.daemon.maintenance import MaintenanceDesk, files_of
from btimd.daemon.noticedesk import NoticeDesk
from btimd.daemon.noticereplies import NoticeReplies
from btimd.daemon.noticeservice import NoticeService
from btimd.daemon.promises import agreement_of, promise_of
from btimd.daemon.qualitydesk import QualityDesk
from btimd.daemon.rotawatch import RotaWatch
from btimd.daemon.use import (
    in_turn,
)
from btimd.itsm.component import IncidentComponent
from btimd.itsm.dutyview import DutyViews
from btimd.itsm.intake.classify import class_of_kind
from btimd.model.incident import Incident
from btimd.model.service import Check, Criticality, ServiceGraph
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.sla.agreements import needs_of
from btimd.sla.component import SlaComponent
from btimd.store.component import SeriesStoreComponent
from btimd.store.deliverylog import DeliveryTable
from btimd.store.handover import NoticeTable
from btimd.store.incidentsearch import IncidentTable
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable
from btimd.store.suppressions import SuppressionTable
from btimd.store.timelines import Timelines

_FIRST_SAMPLES_SECONDS: Final = 10.0
_INCIDENTS_LOOKED_AT: Final = 5000


@dataclass(frozen=True, slots=True)
class IncidentSide:
    """The components that work on incidents, and what the API serves of them."""

    sla: SlaComponent
    levels: LevelDesk
    maintenance: MaintenanceDesk
    duty: DutyDesk
    rota_watch: RotaWatch
    incidents: IncidentComponent
    notices: NoticeDesk
    replies: NoticeReplies
    knowledge: KnowledgeComponent
    intake: Intake
    search: IncidentTable
    services: tuple[Service, ...]


def seen_again_seconds(checks: Iterable[Check]) -> float:
    """Return how long after a start every key indicator has been asked three times, the last one confirmed."""
    longest = max((check.every_seconds + check.timeout_seconds for check in checks if check.every_seconds), default=0.0)
    return 3 * longest + _FIRST_SAMPLES_SECONDS


def build_incident_side(
    config: Config,
    *,
    journal: SqliteJournal,
    series: SeriesStoreComponent,
    graph: Callable[[], ServiceGraph],
    on_incident: Callable[[Incident], None],
    metrics: Metrics,
    clock: Clock,
    random: Random,
) -> IncidentSide:
    """Return the components, connected; nothing runs yet. graph: the one in force, asked for only while they run."""
    settings, declared = config.settings, config.services.graph
    seen_again = seen_again_seconds(declared.checks())
    sla = SlaComponent(
        settings=settings.sla,
        businesses=declared.businesses,
        journal=journal,
        metrics=metrics,
        clock=clock,
        log=Log("sla"),
        series=series,
        agreements=config.agreements,
        needs=needs_of(declared),
    )

    def criticality(business: str) -> Criticality:
        known = graph().businesses.get(business)
        return known.criticality if known else Criticality.NORMAL

    def class_of(node: str) -> str:
        known = graph().nodes.get(node)
        return "" if known is None else class_of_kind(known.kind)

    async def people_changed() -> None:
        await incidents.people_changed()

    duty = DutyDesk(
        config.people,
        config.rota,
        journal=journal,
        on_duty_change=people_changed,
        clock=clock,
        log=Log("duty"),
        agreement_of=agreement_of(sla),
    )
    maintenance = MaintenanceDesk(
        files_of(config),
        store=SuppressionTable(journal.run),
        sla=sla,
        release=lambda report: incidents.report(report),
        matrix=settings.itsm.lifecycle_config().matrix,
        seen_again_seconds=seen_again,
        metrics=metrics,
        clock=clock,
        log=Log("maintenance"),
    )
    rota_watch = RotaWatch(duty, config.rota_calendars, metrics=metrics, clock=clock, log=Log("duty.rota"))
    incidents = IncidentComponent(
        settings=settings.itsm,
        journal=journal,
        metrics=metrics,
        clock=clock,
        log=Log("itsm"),
        random=random,
        on_incident=on_incident,
        criticality=criticality,
        sla=lambda names: [state for state in sla.states() if state.target.business in names],
        seen_again_seconds=seen_again,
        people=duty,
        promise=promise_of(sla),
        on_events=in_turn(
            duty.followed,
            lambda incident, events: notices.followed(incident, events),
            lambda incident, events: knowledge.followed(incident, events),
        ),
        on_tellings=lambda: notices.wake(),
        class_of=class_of,
        delivery=DeliveryTable(journal.run),
        suppressor=maintenance,
    )
    notices = NoticeDesk(
        settings.itsm.notify,
        config.people,
        renotify=settings.itsm.timers.renotify,
        delivery=settings.itsm.delivery_rules(),
        journal=journal,
        table=NoticeTable(journal.run),
        incidents=incidents,
        names=lambda business: known.name if (known := graph().businesses.get(business)) else business,
        metrics=metrics,
        clock=clock,
        log=Log("itsm.notices"),
        chance=random,
        held_until=maintenance.notices_held_until,
    )
    replies = NoticeReplies(notices, incidents, metrics=metrics, clock=clock, log=Log("itsm.notices"))
    knowledge = KnowledgeComponent(
        Aims(settings.knowledge, settings.problem, settings.survey, max(settings.itsm.timers.survey)),
        state_directory=config.state_directory,
        journal=journal,
        incidents=incidents,
        kinds=lambda: {name: node.kind.value for name, node in graph().nodes.items()},
        metrics=metrics,
        clock=clock,
        log=Log("knowledge"),
    )
    intake = Intake(
        settings.itsm.intake,
        store=ReportTable(journal.run),
        journal=journal,
        incidents=incidents,
        graph=graph,
        metrics=metrics,
        clock=clock,
        log=Log("intake"),
        answered=replies.mail,
        person_of=lambda address: found.id if (found := notices.people.person_at(address)) else address,
    )
    levels = LevelDesk(
        sla,
        lambda: incidents.incidents(only_open=False, business=None, limit=_INCIDENTS_LOOKED_AT),
        declared,
        config.calendars,
        clock,
    )
    search = IncidentTable(journal.run)
    known = KnowledgeBook(knowledge, incidents, clock)
    services = (
        duty_service(DutyViews(duty.desk, incidents, search, clock), incidents),
        knowledge_service(known),
        problems_service(known),
        surveys_service(known),
        quality_service(QualityDesk(Timelines(journal.run), knowledge.base, sla)),
        delivery_service(incidents.delivery),
        reports_service(intake),
        agreements_service(levels),
        maintenance_service(maintenance),
        rota_service(rota_watch),
        notices_service(NoticeService(notices, replies, incidents, clock)),
    )
    return IncidentSide(
        sla=sla,
        levels=levels,
        maintenance=maintenance,
        duty=duty,
        rota_watch=rota_watch,
        incidents=incidents,
        notices=notices,
        replies=replies,
        knowledge=knowledge,
        intake=intake,
        search=search,
        services=services,
    )

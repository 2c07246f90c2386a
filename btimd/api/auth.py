"""Who may call what: roles, scopes, the role that each call needs, and the gate that asks for it."""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import grpc

from btimd.api.errors import ApiError
from btimd.model.incident import ActorRole
from btimd.runtime.metrics import Metrics

_MAX_HEADER_CHARACTERS: Final = 512
_MOST_NAMES_SHOWN: Final = 5


class Role(IntEnum):
    """What a caller may do; each role may do all that the lower ones may."""

    VIEWER = 1
    REPORTER = 2
    """Reports trouble, and sees, comments on and confirms what they reported."""
    HANDLER = 3
    """Works on incidents, as far as the life cycle lets them, and reads about people."""
    MANAGER = 4
    """Watches over all work (the management centre), and changes what everybody goes by."""


NEEDED_ROLE: Final[Mapping[str, Role]] = {
    "/btimd.v1.FlowsService/ListWindows": Role.VIEWER,
    "/btimd.v1.FlowsService/WatchWindows": Role.VIEWER,
    "/btimd.v1.FlowsService/ListUsers": Role.VIEWER,
    "/btimd.v1.FlowsService/CountUsers": Role.VIEWER,
    "/btimd.v1.FlowsService/ListExporters": Role.VIEWER,
    "/btimd.v1.FlowsService/ListSpans": Role.VIEWER,
    "/btimd.v1.FlowsService/ExplainFlow": Role.VIEWER,
    "/btimd.v1.FlowsService/ListQuality": Role.VIEWER,
    "/btimd.v1.FlowsService/WatchQuality": Role.VIEWER,
    "/btimd.v1.FlowsService/QueryHistory": Role.VIEWER,
    "/btimd.v1.GraphService/GetGraph": Role.VIEWER,
    "/btimd.v1.GraphService/ListNodeStates": Role.VIEWER,
    "/btimd.v1.GraphService/WatchNodes": Role.VIEWER,
    "/btimd.v1.GraphService/ListSymptoms": Role.VIEWER,
    "/btimd.v1.GraphService/ListVerdicts": Role.VIEWER,
    "/btimd.v1.GraphService/WatchDiagnoses": Role.VIEWER,
    "/btimd.v1.GraphService/RunProbe": Role.HANDLER,
    # IncidentsService
    "/btimd.v1.IncidentsService/ListIncidents": Role.VIEWER,
    "/btimd.v1.IncidentsService/CountIncidents": Role.VIEWER,
    "/btimd.v1.IncidentsService/GetIncident": Role.VIEWER,
    "/btimd.v1.IncidentsService/WatchIncidents": Role.VIEWER,
    "/btimd.v1.IncidentsService/CreateIncident": Role.REPORTER,
    "/btimd.v1.IncidentsService/AcceptIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/ResolveIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/ConfirmIncident": Role.REPORTER,
    "/btimd.v1.IncidentsService/CommentIncident": Role.REPORTER,
    "/btimd.v1.IncidentsService/CancelIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/SetPriority": Role.MANAGER,
    "/btimd.v1.IncidentsService/MergeIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/HoldIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/ReleaseIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/AssignIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/ReturnIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/TransferIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/EscalateIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/ForceEscalateIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/ReportProgress": Role.HANDLER,
    "/btimd.v1.IncidentsService/PendIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/ResumeIncident": Role.HANDLER,
    "/btimd.v1.IncidentsService/RejectIncident": Role.REPORTER,
    "/btimd.v1.IncidentsService/SurveyIncident": Role.REPORTER,
    "/btimd.v1.IncidentsService/UnmergeIncident": Role.MANAGER,
    # end of IncidentsService
    "/btimd.v1.SlaService/ListSlaStates": Role.VIEWER,
    "/btimd.v1.SlaService/WatchSlaStates": Role.VIEWER,
    # PersonsService
    "/btimd.v1.PersonsService/ListPersons": Role.VIEWER,
    "/btimd.v1.PersonsService/GetPersonSources": Role.VIEWER,
    # end of PersonsService
    # PlanService
    "/btimd.v1.PlanService/ListPrefixUse": Role.VIEWER,
    "/btimd.v1.PlanService/ListUnknownAddresses": Role.VIEWER,
    "/btimd.v1.PlanService/ListUnexpectedTalkers": Role.VIEWER,
    "/btimd.v1.PlanService/WatchUnexpectedTalkers": Role.VIEWER,
    "/btimd.v1.PlanService/ListPlanConflicts": Role.VIEWER,
    "/btimd.v1.PlanService/ListPlanChanges": Role.VIEWER,
    # end of PlanService
    # TopologyService
    "/btimd.v1.TopologyService/ListDevices": Role.VIEWER,
    "/btimd.v1.TopologyService/ListInterfaces": Role.VIEWER,
    "/btimd.v1.TopologyService/ListLinks": Role.VIEWER,
    "/btimd.v1.TopologyService/GetBusinessPath": Role.VIEWER,
    "/btimd.v1.TopologyService/ListDuplication": Role.VIEWER,
    # end of TopologyService
    # BaselinesService
    "/btimd.v1.BaselinesService/ListDeviations": Role.VIEWER,
    "/btimd.v1.BaselinesService/WatchDeviations": Role.VIEWER,
    "/btimd.v1.BaselinesService/ListBaselines": Role.VIEWER,
    "/btimd.v1.BaselinesService/GetBaseline": Role.VIEWER,
    "/btimd.v1.BaselinesService/GetForecast": Role.VIEWER,
    # end of BaselinesService
    # ArchiveService
    "/btimd.v1.ArchiveService/SearchFlows": Role.VIEWER,
    "/btimd.v1.ArchiveService/Rank": Role.VIEWER,
    "/btimd.v1.ArchiveService/GetArchiveStatus": Role.VIEWER,
    # end of ArchiveService
    # DiscoveryService
    "/btimd.v1.DiscoveryService/Suggest": Role.VIEWER,
    "/btimd.v1.DiscoveryService/CompareModel": Role.VIEWER,
    "/btimd.v1.DiscoveryService/ListWeakSpots": Role.VIEWER,
    # end of DiscoveryService
    # ViewsService
    "/btimd.v1.ViewsService/GetServiceView": Role.VIEWER,
    "/btimd.v1.ViewsService/ListServiceViews": Role.VIEWER,
    "/btimd.v1.ViewsService/WatchServiceViews": Role.VIEWER,
    "/btimd.v1.ViewsService/PushBusinessMetrics": Role.HANDLER,
    # end of ViewsService
    # ImpactService
    "/btimd.v1.ImpactService/SimulateOutage": Role.VIEWER,
    "/btimd.v1.ImpactService/GetRestoringOrder": Role.VIEWER,
    "/btimd.v1.ImpactService/ListGrownNeeds": Role.VIEWER,
    # end of ImpactService
    # BudgetService
    "/btimd.v1.BudgetService/GetBudget": Role.VIEWER,
    # end of BudgetService
    # DiagnosisService
    "/btimd.v1.DiagnosisService/ListDiagnoses": Role.VIEWER,
    "/btimd.v1.DiagnosisService/GetDiagnosis": Role.VIEWER,
    "/btimd.v1.DiagnosisService/ExportDiagnosis": Role.HANDLER,
    # end of DiagnosisService
    # EventsService
    "/btimd.v1.EventsService/ListEvents": Role.VIEWER,
    "/btimd.v1.EventsService/ListSenders": Role.VIEWER,
    "/btimd.v1.EventsService/RecordChange": Role.HANDLER,
    # end of EventsService
    # KnowledgeService
    "/btimd.v1.KnowledgeService/SearchArticles": Role.VIEWER,
    "/btimd.v1.KnowledgeService/GetIncidentHelp": Role.VIEWER,
    "/btimd.v1.KnowledgeService/GetArticle": Role.VIEWER,
    "/btimd.v1.KnowledgeService/DraftArticle": Role.HANDLER,
    "/btimd.v1.KnowledgeService/DraftArticleOfProblem": Role.HANDLER,
    "/btimd.v1.KnowledgeService/EditArticle": Role.HANDLER,
    "/btimd.v1.KnowledgeService/SubmitArticle": Role.HANDLER,
    "/btimd.v1.KnowledgeService/ReviewArticle": Role.MANAGER,
    "/btimd.v1.KnowledgeService/RejectArticle": Role.MANAGER,
    "/btimd.v1.KnowledgeService/PublishArticle": Role.MANAGER,
    "/btimd.v1.KnowledgeService/RetireArticle": Role.MANAGER,
    "/btimd.v1.KnowledgeService/UseArticle": Role.HANDLER,
    # end of KnowledgeService
    # ProblemsService
    "/btimd.v1.ProblemsService/ListProblems": Role.VIEWER,
    "/btimd.v1.ProblemsService/GetProblem": Role.VIEWER,
    "/btimd.v1.ProblemsService/ListProblemProposals": Role.VIEWER,
    "/btimd.v1.ProblemsService/DismissProblemProposal": Role.HANDLER,
    "/btimd.v1.ProblemsService/OpenProblem": Role.HANDLER,
    "/btimd.v1.ProblemsService/InvestigateProblem": Role.HANDLER,
    "/btimd.v1.ProblemsService/NoteProblem": Role.HANDLER,
    "/btimd.v1.ProblemsService/SetKnownError": Role.HANDLER,
    "/btimd.v1.ProblemsService/RaiseChangeRequest": Role.HANDLER,
    "/btimd.v1.ProblemsService/GetChangeRequestText": Role.VIEWER,
    "/btimd.v1.ProblemsService/CloseProblem": Role.HANDLER,
    "/btimd.v1.ProblemsService/LinkIncident": Role.HANDLER,
    "/btimd.v1.ProblemsService/UnlinkIncident": Role.HANDLER,
    "/btimd.v1.ProblemsService/ListChanges": Role.VIEWER,
    "/btimd.v1.ProblemsService/GetChange": Role.VIEWER,
    "/btimd.v1.ProblemsService/PlanChange": Role.HANDLER,
    "/btimd.v1.ProblemsService/EndChange": Role.HANDLER,
    "/btimd.v1.ProblemsService/BlameChange": Role.HANDLER,
    "/btimd.v1.ProblemsService/GetChangeFigures": Role.VIEWER,
    # end of ProblemsService
    # SurveysService
    "/btimd.v1.SurveysService/ListSurveys": Role.HANDLER,
    "/btimd.v1.SurveysService/AnswerSurvey": Role.REPORTER,
    "/btimd.v1.SurveysService/GetSurveyFigures": Role.VIEWER,
    # end of SurveysService
    # QualityService
    "/btimd.v1.QualityService/GetWorkFigures": Role.VIEWER,
    "/btimd.v1.QualityService/ListGroupFigures": Role.VIEWER,
    "/btimd.v1.QualityService/GetIncidentTrend": Role.VIEWER,
    "/btimd.v1.QualityService/ListReliability": Role.VIEWER,
    # end of QualityService
    # DeliveryService
    "/btimd.v1.DeliveryService/ListTargets": Role.VIEWER,
    "/btimd.v1.DeliveryService/TryTarget": Role.HANDLER,
    "/btimd.v1.DeliveryService/PauseTarget": Role.MANAGER,
    "/btimd.v1.DeliveryService/ResumeTarget": Role.MANAGER,
    "/btimd.v1.DeliveryService/ListDeadLetters": Role.HANDLER,
    "/btimd.v1.DeliveryService/GetDeadLetter": Role.HANDLER,
    "/btimd.v1.DeliveryService/EditDeadLetter": Role.MANAGER,
    "/btimd.v1.DeliveryService/ResendDeadLetter": Role.HANDLER,
    "/btimd.v1.DeliveryService/DropDeadLetter": Role.MANAGER,
    "/btimd.v1.DeliveryService/ListOutbox": Role.VIEWER,
    "/btimd.v1.DeliveryService/ListDeliveryActions": Role.HANDLER,
    # end of DeliveryService
    # ReportsService
    "/btimd.v1.ReportsService/ListReports": Role.HANDLER,
    "/btimd.v1.ReportsService/GetReport": Role.HANDLER,
    "/btimd.v1.ReportsService/CreateReport": Role.REPORTER,
    "/btimd.v1.ReportsService/CountReports": Role.VIEWER,
    # end of ReportsService
    # AgreementsService
    "/btimd.v1.AgreementsService/ListAgreements": Role.VIEWER,
    "/btimd.v1.AgreementsService/ListStandings": Role.VIEWER,
    "/btimd.v1.AgreementsService/ListPeriods": Role.VIEWER,
    "/btimd.v1.AgreementsService/ListContributions": Role.VIEWER,
    "/btimd.v1.AgreementsService/GetStatement": Role.VIEWER,
    "/btimd.v1.AgreementsService/ListRevisions": Role.VIEWER,
    "/btimd.v1.AgreementsService/ReviseAccount": Role.MANAGER,
    "/btimd.v1.AgreementsService/GetCalendar": Role.VIEWER,
    # end of AgreementsService
    # MaintenanceService
    "/btimd.v1.MaintenanceService/ListMaintenance": Role.VIEWER,
    "/btimd.v1.MaintenanceService/ListSuppressedReports": Role.VIEWER,
    "/btimd.v1.MaintenanceService/DeclareMaintenance": Role.MANAGER,
    "/btimd.v1.MaintenanceService/EndMaintenance": Role.MANAGER,
    # end of MaintenanceService
    # DutyService
    "/btimd.v1.DutyService/GetDuty": Role.HANDLER,
    "/btimd.v1.DutyService/GetRota": Role.HANDLER,
    "/btimd.v1.DutyService/ExplainDispatch": Role.HANDLER,
    "/btimd.v1.DutyService/ListTransferCandidates": Role.HANDLER,
    "/btimd.v1.DutyService/ListDutyLoad": Role.HANDLER,
    # end of DutyService
    # RotaService
    "/btimd.v1.RotaService/ExportRota": Role.HANDLER,
    "/btimd.v1.RotaService/ListRotaCalendars": Role.HANDLER,
    # end of RotaService
    # NoticesService
    "/btimd.v1.NoticesService/WatchScreen": Role.HANDLER,
    "/btimd.v1.NoticesService/ListNotices": Role.HANDLER,
    "/btimd.v1.NoticesService/AnswerNotice": Role.HANDLER,
    "/btimd.v1.NoticesService/TestContact": Role.MANAGER,
    # end of NoticesService
}
"""Every call there is; one that is missing here is never served."""

SCOPED_CALLS: Final[frozenset[str]] = frozenset({
    "/btimd.v1.FlowsService/ListWindows",
    "/btimd.v1.FlowsService/WatchWindows",
    "/btimd.v1.FlowsService/ListUsers",
    "/btimd.v1.FlowsService/CountUsers",
    "/btimd.v1.FlowsService/ListQuality",
    "/btimd.v1.FlowsService/WatchQuality",
    "/btimd.v1.GraphService/ListNodeStates",
    "/btimd.v1.GraphService/WatchNodes",
    # IncidentsService
    "/btimd.v1.IncidentsService/ListIncidents",
    "/btimd.v1.IncidentsService/CountIncidents",
    "/btimd.v1.IncidentsService/GetIncident",
    "/btimd.v1.IncidentsService/WatchIncidents",
    "/btimd.v1.IncidentsService/CreateIncident",
    "/btimd.v1.IncidentsService/AcceptIncident",
    "/btimd.v1.IncidentsService/ResolveIncident",
    "/btimd.v1.IncidentsService/ConfirmIncident",
    "/btimd.v1.IncidentsService/CommentIncident",
    "/btimd.v1.IncidentsService/CancelIncident",
    "/btimd.v1.IncidentsService/SetPriority",
    "/btimd.v1.IncidentsService/MergeIncident",
    "/btimd.v1.IncidentsService/HoldIncident",
    "/btimd.v1.IncidentsService/ReleaseIncident",
    "/btimd.v1.IncidentsService/AssignIncident",
    "/btimd.v1.IncidentsService/ReturnIncident",
    "/btimd.v1.IncidentsService/TransferIncident",
    "/btimd.v1.IncidentsService/EscalateIncident",
    "/btimd.v1.IncidentsService/ForceEscalateIncident",
    "/btimd.v1.IncidentsService/ReportProgress",
    "/btimd.v1.IncidentsService/PendIncident",
    "/btimd.v1.IncidentsService/ResumeIncident",
    "/btimd.v1.IncidentsService/RejectIncident",
    "/btimd.v1.IncidentsService/SurveyIncident",
    "/btimd.v1.IncidentsService/UnmergeIncident",
    # end of IncidentsService
    "/btimd.v1.SlaService/ListSlaStates",
    "/btimd.v1.SlaService/WatchSlaStates",
    # DutyService: who is there belongs to no business
    "/btimd.v1.DutyService/GetDuty",
    "/btimd.v1.DutyService/GetRota",
    "/btimd.v1.DutyService/ExplainDispatch",
    "/btimd.v1.DutyService/ListTransferCandidates",
    # end of DutyService
    # ViewsService
    "/btimd.v1.ViewsService/GetServiceView",
    "/btimd.v1.ViewsService/ListServiceViews",
    "/btimd.v1.ViewsService/WatchServiceViews",
    "/btimd.v1.ViewsService/PushBusinessMetrics",
    # end of ViewsService
    # KnowledgeService
    "/btimd.v1.KnowledgeService/SearchArticles",
    "/btimd.v1.KnowledgeService/GetIncidentHelp",
    "/btimd.v1.KnowledgeService/GetArticle",
    # end of KnowledgeService
    # SurveysService
    "/btimd.v1.SurveysService/AnswerSurvey",
    # end of SurveysService
    # QualityService
    "/btimd.v1.QualityService/GetWorkFigures",
    "/btimd.v1.QualityService/ListGroupFigures",
    "/btimd.v1.QualityService/GetIncidentTrend",
    "/btimd.v1.QualityService/ListReliability",
    # end of QualityService
    # AgreementsService
    "/btimd.v1.AgreementsService/ListAgreements",
    "/btimd.v1.AgreementsService/ListStandings",
    "/btimd.v1.AgreementsService/ListPeriods",
    "/btimd.v1.AgreementsService/ListContributions",
    "/btimd.v1.AgreementsService/GetStatement",
    "/btimd.v1.AgreementsService/ListRevisions",
    "/btimd.v1.AgreementsService/ReviseAccount",
    "/btimd.v1.AgreementsService/GetCalendar",
    # end of AgreementsService
    # MaintenanceService
    "/btimd.v1.MaintenanceService/ListMaintenance",
    "/btimd.v1.MaintenanceService/ListSuppressedReports",
    "/btimd.v1.MaintenanceService/DeclareMaintenance",
    "/btimd.v1.MaintenanceService/EndMaintenance",
    # end of MaintenanceService
    # NoticesService
    "/btimd.v1.NoticesService/WatchScreen",
    "/btimd.v1.NoticesService/ListNotices",
    "/btimd.v1.NoticesService/AnswerNotice",
    # end of NoticesService
})  # fmt: skip
"""The calls that judge each thing by the scope of the caller; all others refuse a token that has a scope."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the enterprise a caller may see and touch; empty: all of it.

    A thing is inside where it touches one of the businesses and one of the regions. What is in no known region is
    inside where its business is; what has no business is outside of every scope with businesses.
    """

    businesses: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    @property
    def is_all(self) -> bool:
        """Tell whether nothing is left out."""
        return not self.businesses and not self.regions

    def allows(self, businesses: Collection[str], regions: Collection[str] = ()) -> bool:
        """Tell whether a thing that touches these is inside."""
        if self.businesses and self.businesses.isdisjoint(businesses):
            return False
        return not self.regions or not regions or not self.regions.isdisjoint(regions)

    def has_business(self, business: str) -> bool:
        """Tell whether a business is inside."""
        return not self.businesses or business in self.businesses

    def has_region(self, region: str) -> bool:
        """Tell whether figures of one region are inside; those of no region are of all, and so outside of a part."""
        return not self.regions or region in self.regions

    def text(self) -> str:
        """Return it for people: "businesses erp, hr; regions Shanghai"."""
        parts = [("businesses", self.businesses), ("regions", self.regions)]
        return "; ".join(f"{what} {_some(names)}" for what, names in parts if names) or "everything"


ALL: Final = Scope()


@dataclass(frozen=True, slots=True)
class Token:
    """A caller that is known. Only the digest of the secret is kept, and it is not shown.

    person: id in people.toml, "" = the name. desk: answers the telephone of the service desk.
    """

    name: str
    role: Role
    sha256: bytes = field(repr=False)
    person: str = ""
    scope: Scope = ALL
    desk: bool = False

    def caller(self) -> "Caller":
        """Return who calls with it."""
        capacities = _CAPACITIES.get(self.role, frozenset()) | ({ActorRole.DESK} if self.desk else frozenset())
        return Caller(self.name, self.role, self.person or self.name, self.scope, capacities)


_CAPACITIES: Final = {Role.MANAGER: frozenset({ActorRole.DESK, ActorRole.CENTRE})}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    person: the actor of what is changed, "" = nobody is known. capacities: in which they act on incidents, beside what
    follows from an incident itself (its handler, its reporter).
    """

    name: str
    role: Role
    person: str = ""
    scope: Scope = ALL
    capacities: frozenset[ActorRole] = frozenset()


ANYBODY: Final = Caller("anybody", Role.VIEWER)
"""Who reads without a token where reads are open."""


def digest_of(secret: bytes) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(secret).digest()


class Gate:
    """Decides who may call what, and counts whom it turns away."""

    def __init__(self, tokens: Sequence[Token], metrics: Metrics) -> None:
        self._tokens = tuple(tokens)
        self._refused = metrics.counter(
            "btimd_api_auth_failures_total", "Calls refused for want of a token, a role or a scope", ("reason",)
        )

    def replace(self, tokens: Sequence[Token]) -> None:
        """Know these callers from now on."""
        self._tokens = tuple(tokens)

    def admit(
        self, authorization: str | None, needed: Role, *, reads_are_open: bool, judges_scope: bool = False
    ) -> Caller:
        """Return who calls; raises ApiError with UNAUTHENTICATED or PERMISSION_DENIED.

        A token that is given must be right, also where none would be needed. judges_scope: what is called leaves out
        what lies outside the caller's scope; where it does not, a token with a scope is refused.
        """
        if authorization is None:
            if needed is Role.VIEWER and reads_are_open:
                return ANYBODY
            raise self._unauthenticated("missing", "this call needs a token: send 'Authorization: Bearer <token>'")
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip() or len(authorization) > _MAX_HEADER_CHARACTERS:
            raise self._unauthenticated("malformed", "the authorization is not of the form 'Bearer <token>'")
        found = self._find(secret.strip())
        if found is None:
            raise self._unauthenticated("unknown", "the token is not known here; it may have been replaced")
        if found.role < needed:
            self._refused.labels("role").inc()
            raise ApiError(
                grpc.StatusCode.PERMISSION_DENIED,
                "ROLE_TOO_LOW",
                f"{found.name} is {found.role.name.lower()}; this call needs {needed.name.lower()}",
                metadata={"role": found.role.name.lower(), "needed": needed.name.lower()},
            )
        if not found.scope.is_all and not judges_scope:
            self._refused.labels("scope").inc()
            raise ApiError(
                grpc.StatusCode.PERMISSION_DENIED,
                "SCOPED_TOKEN",
                f"{found.name} is for {found.scope.text()}, and this call cannot be cut down to that; "
                "use a token without businesses and regions",
            )
        return found.caller()

    def _find(self, secret: str) -> Token | None:
        """Compare with every token, so that the time it takes tells nothing."""
        digest = digest_of(secret.encode("utf-8", "surrogateescape"))
        found: Token | None = None
        for token in self._tokens:
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def _unauthenticated(self, reason: str, message: str) -> ApiError:
        self._refused.labels(reason).inc()
        return ApiError(grpc.StatusCode.UNAUTHENTICATED, f"TOKEN_{reason.upper()}", message)


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:_MOST_NAMES_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")

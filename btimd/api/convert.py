"""Model <-> protobuf, both ways: one codec per kind of object, and the few that are more than field by field."""

from btimd.api.codec import Codec, EnumCodec, millis_of_timestamp, timestamp_of_millis
from btimd.api.pb import flows_pb2, graph_pb2, incidents_pb2, sla_pb2
from btimd.model.incident import (
    ClosingReport,
    Dispatch,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    Priority,
    ServiceClock,
    TicketReference,
    TimerDue,
)
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.ports import (
    DiagnosisProgress,
    Explanation,
    Exporter,
    ExporterInterface,
    NodeState,
    OnlineUser,
    RefusedExporter,
    SpanInterface,
)
from btimd.model.probe import ProbeResult, ProbeSpec
from btimd.model.quality import COUNTERS, Durations, QualityRow
from btimd.model.service import BusinessService, Check, Need, Node, ServiceGraph
from btimd.model.sla import Outage, SlaState, SlaTarget
from btimd.model.symptom import Symptom
from btimd.model.users import UserCount
from btimd.model.verdict import Evidence, NotAsked, Suspect, Verdict
from btimd.model.window import WindowRow

_SEEN = {"first_seen_milliseconds": "first_seen_at", "last_seen_milliseconds": "last_seen_at"}

WINDOW = Codec(
    WindowRow,
    flows_pb2.Window,
    {
        "interval_start_milliseconds": "interval_start",
        "users_exact": "quality.users_exact",
        "sampled": "quality.sampled",
        "sampling_error_ratio": "quality.sampling_error_ratio",
        "export_loss_ratio": "quality.export_loss_ratio",
        "times_adjusted": "quality.times_adjusted",
        "rate_assumed": "quality.rate_assumed",
        "users_error_ratio": "quality.users_error_ratio",
    },
)
DURATIONS = Codec(Durations, flows_pb2.Durations)
QUALITY = Codec(
    QualityRow,
    flows_pb2.ConnectionQuality,
    {"interval_start_milliseconds": "interval_start", **{name: f"counters.{name}" for name in COUNTERS}},
)
QUALITY_DIMENSION = EnumCodec(None, flows_pb2.DESCRIPTOR.enum_types_by_name["QualityDimension"])
EXPORTER_INTERFACE = Codec(ExporterInterface, flows_pb2.ExporterInterface)
EXPORTER = Codec(Exporter, flows_pb2.Exporter, _SEEN)
SPAN_INTERFACE = Codec(
    SpanInterface,
    flows_pb2.SpanInterface,
    {"first_packet_milliseconds": "first_packet_at", "last_packet_milliseconds": "last_packet_at"},
)
REFUSED_EXPORTER = Codec(RefusedExporter, flows_pb2.RefusedExporter, {"last_seen_milliseconds": "last_seen_at"})
ONLINE_USER = Codec(OnlineUser, flows_pb2.OnlineUser, _SEEN)
USER_COUNT = Codec(UserCount, flows_pb2.UserCount)
USER_STATE = EnumCodec(None, flows_pb2.DESCRIPTOR.enum_types_by_name["UserState"])
USER_ORDER = EnumCodec(None, flows_pb2.DESCRIPTOR.enum_types_by_name["UserOrder"])
USER_DIMENSION = EnumCodec(None, flows_pb2.DESCRIPTOR.enum_types_by_name["UserDimension"])
EXPLANATION = Codec(Explanation, flows_pb2.ExplainFlowResponse)

CHECK = Codec(Check, graph_pb2.Check)
NEED = Codec(Need, graph_pb2.Need)
NODE = Codec(Node, graph_pb2.Node, {"prior": "prior_probability"})
BUSINESS = Codec(BusinessService, graph_pb2.BusinessService)
NODE_STATE = Codec(NodeState, graph_pb2.NodeState)
SYMPTOM = Codec(Symptom, graph_pb2.Symptom)
EVIDENCE = Codec(Evidence, graph_pb2.Evidence)
NOT_ASKED = Codec(NotAsked, graph_pb2.NotAsked)
SUSPECT = Codec(Suspect, graph_pb2.Suspect)
VERDICT = Codec(Verdict, graph_pb2.Verdict, {"seconds_taken": "taken_seconds"})
DIAGNOSIS = Codec(DiagnosisProgress, graph_pb2.Diagnosis)
PROBE_SPEC = Codec(ProbeSpec, graph_pb2.ProbeSpec)
PROBE_RESULT = Codec(ProbeResult, graph_pb2.ProbeResult)

ASSESSMENT = Codec(ImpactAssessment, incidents_pb2.ImpactAssessment)
SERVICE_CLOCK = Codec(ServiceClock, incidents_pb2.ServiceClock)
DISPATCH = Codec(Dispatch, incidents_pb2.Dispatch)
CLOSING_REPORT = Codec(ClosingReport, incidents_pb2.ClosingReport)
EXTERNAL_REFERENCE = Codec(TicketReference, incidents_pb2.ExternalReference)
TIMER_DUE = Codec(TimerDue, incidents_pb2.TimerDue)
INCIDENT = Codec(Incident, incidents_pb2.Incident)
INCIDENT_EVENT = Codec(IncidentEvent, incidents_pb2.IncidentEvent)
PRIORITY = EnumCodec(Priority, incidents_pb2.DESCRIPTOR.enum_types_by_name["Priority"])

SLA_TARGET = Codec(SlaTarget, sla_pb2.SlaTarget)
OUTAGE = Codec(Outage, sla_pb2.Outage)
SLA_STATE = Codec(
    SlaState, sla_pb2.SlaState, {"availability": "availability_ratio", "coverage": "quality.coverage_ratio"}
)

SERIES_QUERY = Codec(
    SeriesQuery, flows_pb2.QueryHistoryRequest, {"from_milliseconds": "from_time", "to_milliseconds": "to_time"}
)


def series_row_to_pb(row: SeriesRow) -> flows_pb2.SeriesRow:
    """Return the message of a row of the series store; a value that is None stays unset."""
    return flows_pb2.SeriesRow(
        time=timestamp_of_millis(row.time_milliseconds),
        tags=row.tags,
        values=[
            flows_pb2.SeriesValue() if value is None else flows_pb2.SeriesValue(value=value) for value in row.values
        ],
    )


def series_row_from_pb(message: flows_pb2.SeriesRow) -> SeriesRow:
    """Return a row of the series store."""
    return SeriesRow(
        time_milliseconds=millis_of_timestamp(message.time),
        tags=tuple(message.tags),
        values=tuple(value.value if value.HasField("value") else None for value in message.values),
    )


def graph_to_pb(graph: ServiceGraph) -> graph_pb2.GetGraphResponse:
    """Return the message of a service graph; nodes and businesses keep their order."""
    return graph_pb2.GetGraphResponse(
        nodes=[NODE.to_pb(node) for node in graph.nodes.values()],
        businesses=[BUSINESS.to_pb(business) for business in graph.businesses.values()],
        generation=graph.generation,
    )


def graph_from_pb(message: graph_pb2.GetGraphResponse) -> ServiceGraph:
    """Return the service graph; raises ValueError for one that is none (a need that does not exist, a cycle)."""
    return ServiceGraph(
        nodes={node.id: NODE.from_pb(node) for node in message.nodes},
        businesses={business.id: BUSINESS.from_pb(business) for business in message.businesses},
        generation=message.generation,
    )

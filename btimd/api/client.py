"""Client: the API as seen by a caller; speaks model objects, hides gRPC and protobuf."""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]  # has .pyi files but no py.typed
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status

from btimd.api import convert
from btimd.api.auth import digest_of
from btimd.api.incidentrequests import request_of
from btimd.api.pb import (
    agreements_pb2,
    archive_pb2,
    baselines_pb2,
    budget_pb2,
    delivery_pb2,
    diagnosis_pb2,
    discovery_pb2,
    duty_pb2,
    events_pb2,
    flows_pb2,
    graph_pb2,
    impact_pb2,
    incidents_pb2,
    knowledge_pb2,
    maintenance_pb2,
    notices_pb2,
    persons_pb2,
    plan_pb2,
    problems_pb2,
    quality_pb2,
    reports_pb2,
    rota_pb2,
    sla_pb2,
    surveys_pb2,
    topology_pb2,
    views_pb2,
)
from btimd.model.incident import Incident, IncidentCommand, IncidentEvent
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.ports import (
    DiagnosisProgress,
    Explanation,
    Exporter,
    NodeState,
    OnlineUser,
    RefusedExporter,
    SpanInterface,
)
from btimd.model.probe import ProbeResult
from btimd.model.quality import QualityRow
from btimd.model.service import ServiceGraph
from btimd.model.sla import SlaState
from btimd.model.symptom import Symptom
from btimd.model.verdict import Verdict
from btimd.model.window import WindowRow
from btimd.settings.fields import is_loopback, parse_host_port

T = TypeVar("T")

DEFAULT_SERVER: Final = "127.0.0.1:50551"
LOCAL_TOKEN: Final = Path("/var/lib/btimd/token")
"""Where a btimd that runs as a service keeps the token that it made."""

_CALL_SECONDS: Final = 15.0
_PROBE_SECONDS: Final = 60.0
_MAX_RESPONSE_OCTETS: Final = 64 * 1024 * 1024
_FILES: Final = (
    flows_pb2,
    graph_pb2,
    incidents_pb2,
    sla_pb2,
    persons_pb2,
    plan_pb2,
    topology_pb2,
    baselines_pb2,
    archive_pb2,
    discovery_pb2,
    events_pb2,
    views_pb2,
    impact_pb2,
    budget_pb2,
    diagnosis_pb2,
    knowledge_pb2,
    problems_pb2,
    surveys_pb2,
    quality_pb2,
    delivery_pb2,
    reports_pb2,
    agreements_pb2,
    maintenance_pb2,
    duty_pb2,
    rota_pb2,
    notices_pb2,
)
_METHODS: Final = {
    method.name: method
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
SERVICES: Final = tuple(name for file in _FILES for name in file.DESCRIPTOR.services_by_name)


class CallFailedError(Exception):
    """A call that did not do what was asked; the text is one sentence for people. code: the gRPC status."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of what there is; `more`: there is more than was asked for."""

    items: Sequence[T]
    more: bool


@dataclass(frozen=True, slots=True)
class Update(Generic[T]):
    """A message of a stream: the present state (snapshot), or what changed since."""

    items: Sequence[T]
    snapshot: bool


def new_token(
    name: str,
    role: str,
    *,
    person: str = "",
    businesses: Sequence[str] = (),
    regions: Sequence[str] = (),
    desk: bool = False,
) -> tuple[str, str]:
    """Return the entry of the tokens file for a new token, and the token. What is empty is left out of the entry."""
    secret = secrets.token_urlsafe(32)
    lines = ["[[token]]", f"name = {_quoted(name)}", f'role = "{role}"']
    lines += [f"person = {_quoted(person)}"] if person else []
    for key, names in (("businesses", businesses), ("regions", regions)):
        lines += [f"{key} = [{', '.join(map(_quoted, names))}]"] if names else []
    lines += ["desk = true"] if desk else []
    return "\n".join([*lines, f'sha256 = "{digest_of(secret.encode()).hex()}"']), secret


def _quoted(name: str) -> str:
    """Return a text as TOML writes it: what JSON escapes is understood there too."""
    return json.dumps(name, ensure_ascii=False)


def find_token(token_file: Path | None, server: str) -> str | None:
    """Return the token to use: of the file that is named, else for a server on this machine the one it made.

    Raises CallFailedError for a named file that cannot be read. A local token is never offered to another machine.
    """
    path = token_file or LOCAL_TOKEN
    if token_file is None and not (is_loopback(_host_port(server)[0]) and os.access(path, os.R_OK)):
        return None
    try:
        token = path.read_text("ascii").strip()
    except OSError as error:
        raise CallFailedError(f"cannot read the token file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CallFailedError(f"the token file {path} holds no token") from error
    if not token.isprintable() or not token:
        raise CallFailedError(f"the token file {path} holds no token")
    return token


class Client:
    """A connection to btimd. Use as a context manager. Every method raises CallFailedError.

    tls: verify the server against the system's certificates, or those of ca_file. A token goes over an unencrypted
    connection to this machine only, unless plaintext is True.
    """

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        *,
        token: str | None = None,
        tls: bool = False,
        ca_file: Path | None = None,
        server_name: str | None = None,
        plaintext: bool = False,
    ) -> None:
        self._server = server
        host, port = _host_port(server)
        encrypted = tls or ca_file is not None
        if token is not None and not encrypted and not plaintext and not is_loopback(host):
            raise CallFailedError(
                f"the token would go to {server} unencrypted; use --tls or --ca-file, or --plaintext in a safe network"
            )
        self._metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        options: list[tuple[str, Any]] = [
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_receive_message_length", _MAX_RESPONSE_OCTETS),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ]
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if not encrypted:
            self._channel = grpc.insecure_channel(target, options)
            return
        if server_name is not None:
            options.append(("grpc.ssl_target_name_override", server_name))
        try:
            roots = ca_file.read_bytes() if ca_file else None
        except OSError as error:
            raise CallFailedError(f"cannot read the certificates {ca_file}: {error.strerror}") from error
        self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; running streams end."""
        self._channel.close()

    def serving(self) -> Mapping[str, bool]:
        """Return whether each service that the server has is served ("" is the whole server)."""
        check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        states: dict[str, bool] = {}
        for name in ("", *SERVICES):
            request = health_pb2.HealthCheckRequest(service=f"btimd.v1.{name}" if name else "")
            with self._errors():
                try:
                    states[name] = (
                        check(request, timeout=_CALL_SECONDS).status == health_pb2.HealthCheckResponse.SERVING
                    )
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.NOT_FOUND:  # a server that has not got this service
                        raise
        return states

    def windows(
        self, *, interval_milliseconds: int = 0, business: str | None = None, limit: int = 0
    ) -> Page[WindowRow]:
        """Return the latest windows; interval 0 = the server's default."""
        request = flows_pb2.ListWindowsRequest(
            interval_milliseconds=interval_milliseconds, business=business, limit=limit
        )
        return self.page("ListWindows", request, "windows", convert.WINDOW.from_pb)

    def watch_windows(
        self, *, interval_milliseconds: int = 0, business: str | None = None
    ) -> Iterator[Update[WindowRow]]:
        """Follow the windows of one interval."""
        request = flows_pb2.WatchWindowsRequest(interval_milliseconds=interval_milliseconds, business=business)
        return self.watch("WatchWindows", request, "windows", convert.WINDOW.from_pb)

    def users(self, business: str, *, region: str | None = None, limit: int = 0) -> Page[OnlineUser]:
        """Return the users of a business."""
        request = flows_pb2.ListUsersRequest(business=business, region=region, limit=limit)
        return self.page("ListUsers", request, "users", convert.ONLINE_USER.from_pb)

    def exporters(self) -> Page[Exporter]:
        """Return who exports flow records."""
        return self.page("ListExporters", flows_pb2.ListExportersRequest(), "exporters", convert.EXPORTER.from_pb)

    def spans(self) -> Page[SpanInterface]:
        """Return the interfaces that packets are captured on."""
        return self.page("ListSpans", flows_pb2.ListSpansRequest(), "spans", convert.SPAN_INTERFACE.from_pb)

    def refused_exporters(self) -> Page[RefusedExporter]:
        """Return who sent flow records without being allowed to."""
        request = flows_pb2.ListExportersRequest()
        return self.page("ListExporters", request, "refused", convert.REFUSED_EXPORTER.from_pb)

    def quality(
        self,
        *,
        interval_milliseconds: int = 0,
        business: str | None = None,
        group_by: Sequence[str] = (),
        limit: int = 0,
    ) -> Page[QualityRow]:
        """Return how well connections did lately, merged over what is not in group_by; () merges nothing."""
        request = flows_pb2.ListQualityRequest(
            interval_milliseconds=interval_milliseconds,
            business=business,
            group_by=[convert.QUALITY_DIMENSION.to_pb(name) for name in group_by],  # type: ignore[misc]  # numbers
            limit=limit,
        )
        return self.page("ListQuality", request, "rows", convert.QUALITY.from_pb)

    def watch_quality(
        self, *, interval_milliseconds: int = 0, business: str | None = None, group_by: Sequence[str] = ()
    ) -> Iterator[Update[QualityRow]]:
        """Follow how well connections do."""
        request = flows_pb2.WatchQualityRequest(
            interval_milliseconds=interval_milliseconds,
            business=business,
            group_by=[convert.QUALITY_DIMENSION.to_pb(name) for name in group_by],  # type: ignore[misc]  # numbers
        )
        return self.watch("WatchQuality", request, "rows", convert.QUALITY.from_pb)

    def explain(self, address: str, peer: str, port: int, protocol: int) -> Explanation:
        """Say where a flow would go and why."""
        request = flows_pb2.ExplainFlowRequest(address=address, peer=peer, port=port, protocol=protocol)
        return convert.EXPLANATION.from_pb(self.call("ExplainFlow", request))

    def history(self, query: SeriesQuery) -> Page[SeriesRow]:
        """Ask the series store."""
        return self.page("QueryHistory", convert.SERIES_QUERY.to_pb(query), "rows", convert.series_row_from_pb)

    def graph(self) -> ServiceGraph:
        """Return the service graph."""
        return convert.graph_from_pb(self.call("GetGraph", graph_pb2.GetGraphRequest()))

    def node_states(self) -> Page[NodeState]:
        """Return the state of every node."""
        return self.page("ListNodeStates", graph_pb2.ListNodeStatesRequest(), "nodes", convert.NODE_STATE.from_pb)

    def watch_nodes(self) -> Iterator[Update[NodeState]]:
        """Follow the states of the nodes."""
        return self.watch("WatchNodes", graph_pb2.WatchNodesRequest(), "nodes", convert.NODE_STATE.from_pb)

    def symptoms(self) -> Page[Symptom]:
        """Return the open symptoms."""
        return self.page("ListSymptoms", graph_pb2.ListSymptomsRequest(), "symptoms", convert.SYMPTOM.from_pb)

    def verdicts(self, limit: int = 0) -> Page[Verdict]:
        """Return the latest verdicts, newest first."""
        request = graph_pb2.ListVerdictsRequest(limit=limit)
        return self.page("ListVerdicts", request, "verdicts", convert.VERDICT.from_pb)

    def watch_diagnoses(self) -> Iterator[Update[DiagnosisProgress]]:
        """Follow the running diagnoses."""
        request = graph_pb2.WatchDiagnosesRequest()
        return self.watch("WatchDiagnoses", request, "diagnoses", convert.DIAGNOSIS.from_pb)

    def probe(self, check_id: str) -> ProbeResult:
        """Run one check now."""
        request = graph_pb2.RunProbeRequest(check_id=check_id)
        return convert.PROBE_RESULT.from_pb(self.call("RunProbe", request, _PROBE_SECONDS).result)

    def incidents(self, *, include_closed: bool = False, business: str | None = None, limit: int = 0) -> Page[Incident]:
        """Return incidents, highest priority and oldest first."""
        request = incidents_pb2.ListIncidentsRequest(include_closed=include_closed, business=business, limit=limit)
        return self.page("ListIncidents", request, "incidents", convert.INCIDENT.from_pb)

    def incident(self, incident_id: str) -> tuple[Incident, Sequence[IncidentEvent]]:
        """Return one incident and its timeline."""
        response = self.call("GetIncident", incidents_pb2.GetIncidentRequest(incident_id=incident_id))
        timeline = [convert.INCIDENT_EVENT.from_pb(event) for event in response.timeline]
        return convert.INCIDENT.from_pb(response.incident), timeline

    def watch_incidents(self, business: str | None = None) -> Iterator[Update[Incident]]:
        """Follow incidents."""
        request = incidents_pb2.WatchIncidentsRequest(business=business)
        return self.watch("WatchIncidents", request, "incidents", convert.INCIDENT.from_pb)

    def command(self, command: IncidentCommand) -> Incident:
        """Do something to an incident, in the name of the token."""
        method, request = request_of(command)
        return convert.INCIDENT.from_pb(self.call(method, request).incident)

    def sla_states(self) -> Page[SlaState]:
        """Return the state of every target."""
        return self.page("ListSlaStates", sla_pb2.ListSlaStatesRequest(), "states", convert.SLA_STATE.from_pb)

    def watch_sla_states(self) -> Iterator[Update[SlaState]]:
        """Follow the states of the targets."""
        return self.watch("WatchSlaStates", sla_pb2.WatchSlaStatesRequest(), "states", convert.SLA_STATE.from_pb)

    def call(self, name: str, request: Message, timeout_seconds: float = _CALL_SECONDS) -> Any:
        """Return the response of a method, by its name without the service; modules of areas are built on this."""
        with self._errors():
            return self._method(name)(request, timeout=timeout_seconds, metadata=self._metadata)

    def page(self, name: str, request: Message, field: str, read: Callable[[Any], T]) -> Page[T]:
        """Return the page that a method answers with, of what its response holds in `field`."""
        response = self.call(name, request)
        return Page([read(item) for item in getattr(response, field)], getattr(response, "more", False))

    def watch(self, name: str, request: Message, field: str, read: Callable[[Any], T]) -> Iterator[Update[T]]:
        """Follow a stream of what its responses hold in `field`."""
        call = self._method(name)(request, metadata=self._metadata)
        try:
            with self._errors():
                for response in call:
                    yield Update([read(item) for item in getattr(response, field)], response.snapshot)
        finally:
            call.cancel()

    def _method(self, name: str) -> Any:
        method = _METHODS[name]
        make = self._channel.unary_stream if method.server_streaming else self._channel.unary_unary
        return make(
            f"/{method.containing_service.full_name}/{name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )

    def _errors(self) -> "_Errors":
        return _Errors(self._server)


class _Errors:
    """Turns errors of gRPC, and of messages that this version cannot read, into CallFailedError."""

    def __init__(self, server: str) -> None:
        self._server = server

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, grpc.RpcError):
            raise CallFailedError(sentence(error, self._server), error.code().name) from None
        if isinstance(error, ValueError):
            raise CallFailedError(f"{self._server} says something this btimctl does not know: {error}") from error


def sentence(error: Any, server: str) -> str:
    """Return what went wrong, and what to do, in one sentence."""
    details = (error.details() or "").rstrip(".")
    code = error.code()
    if code is grpc.StatusCode.UNAVAILABLE:
        reason = details.rpartition(": ")[2]  # gRPC says the whole way down to it
        return f"cannot reach btimd at {server} ({reason}); start it, or say where it is: --server or BTIMD_SERVER"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"btimd at {server} did not answer in time; try again, or say where it is: --server or BTIMD_SERVER"
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return f"{details}; say where the token is: --token-file or BTIMD_TOKEN_FILE"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return f"{server} does not know this call; is it a btimd of this version?"
    allowed = error_metadata(error).get("allowed")
    if allowed is not None and not all(name in details for name in allowed.split(",")):
        return f"{details}; allowed now: {allowed.replace(',', ', ')}"
    return details or code.name


def error_metadata(error: Any) -> Mapping[str, str]:
    """Return the metadata of the google.rpc.ErrorInfo of an error, empty where it has none."""
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return dict(info.metadata)
    return {}


def _host_port(server: str) -> tuple[str, int]:
    try:
        return parse_host_port(server)
    except ValueError as error:
        raise CallFailedError(f"--server: {error}") from error

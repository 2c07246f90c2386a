"""ApiComponent: the gRPC and HTTP servers as one part of the daemon."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from btimd.api import callbacks_http
from btimd.api.auth import Gate, Token
from btimd.api.callbacks_http import CallbacksFace, TakeCallback
from btimd.api.desksearch import DeskSearch
from btimd.api.events_http import EventsFace, KeepEvent
from btimd.api.flows import FlowsServicer
from btimd.api.graph import GraphServicer
from btimd.api.http import HttpServer
from btimd.api.incidents import IncidentsServicer
from btimd.api.pb import flows_pb2, graph_pb2, incidents_pb2, sla_pb2
from btimd.api.posts_http import PostFace
from btimd.api.rpc import Dispatcher, Service
from btimd.api.settings import ApiSettings
from btimd.api.sla_states import SlaServicer
from btimd.api.tokens import load_tokens, local_token
from btimd.model.heard import Heard, Told
from btimd.model.incidentquery import IncidentSearch
from btimd.model.ports import FlowView, GraphView, IncidentDesk, SlaBook
from btimd.model.posted import TakePost
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_GRACE_SECONDS: Final = 2.0
_HEALTH_SECONDS: Final = 1.0
_MILLIS: Final = 1000
_MAX_REQUEST_OCTETS: Final = 1024 * 1024


class ApiComponent:
    """Serves the views by gRPC (with reflection and grpc.health.v1), and health and metrics by HTTP.

    search: in all incidents that are kept; without, in those that the desk returns.
    take_event: what webhook events are handed to; without, there is no POST /events. keep_event: makes them durable
    first. take_callback: takes calls of targets; without, there is no POST /callbacks/NAME. posts: who takes other
    requests, by path with {name}; each of them knows its callers itself.
    start reads the tokens, or makes the local one, and listens on both addresses. Streams end with OK at stop.
    """

    def __init__(
        self,
        *,
        settings: ApiSettings,
        state_directory: Path,
        flows: FlowView,
        graph: GraphView,
        incidents: IncidentDesk,
        sla: SlaBook,
        more: Sequence[Service] = (),
        search: IncidentSearch | None = None,
        take_event: Callable[[Told], Heard] | None = None,
        keep_event: KeepEvent | None = None,
        take_callback: TakeCallback | None = None,
        posts: Mapping[str, TakePost] = MappingProxyType({}),
        metrics: Metrics,
        health: Callable[[], Mapping[str, ComponentHealth]],
        clock: Clock,
        log: Log,
    ) -> None:
        self._settings = settings
        self._state_directory = state_directory
        default_interval = round(settings.default_interval * _MILLIS)
        self._services = (
            _service(
                flows_pb2, FlowsServicer(flows, default_interval_milliseconds=default_interval), "flows", "capture"
            ),
            _service(graph_pb2, GraphServicer(graph), "rca", "probes"),
            _service(incidents_pb2, IncidentsServicer(incidents, search or DeskSearch(incidents)), "itsm", "store"),
            _service(sla_pb2, SlaServicer(sla), "sla"),
            *more,
        )
        self._components_health = health
        self._log = log
        self._gate = Gate((), metrics)
        self._dispatcher = Dispatcher(
            gate=self._gate,
            reads_are_open=settings.reads_are_open(settings.grpc_listen[0]),
            max_streams=settings.max_streams,
            metrics=metrics,
            clock=clock,
            log=log,
        )
        self._http = HttpServer(
            gate=self._gate,
            reads_are_open=settings.reads_are_open(settings.http_listen[0]),
            metrics=metrics,
            health=health,
        )
        if take_event is not None:
            self._http.more["/events"] = EventsFace(self._gate, take_event, clock, metrics, keep_event).post
        if take_callback is not None:
            self._http.more[callbacks_http.PATH] = CallbacksFace(take_callback).post
        for path, take in posts.items():
            self._http.more[path] = PostFace(take).post
        self._serving: Any = None
        self._server: Any = None
        self._grpc_address = settings.grpc_listen
        self._http_address = settings.http_listen

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "api"

    @property
    def grpc_address(self) -> tuple[str, int]:
        """Where gRPC is served, once started."""
        return self._grpc_address

    @property
    def http_address(self) -> tuple[str, int]:
        """Where HTTP is served, once started."""
        return self._http_address

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._dispatcher.streams

    async def start(self) -> None:
        """Read the tokens and listen; raises ValueError for a token or certificate file, OSError for an address."""
        self.reload_tokens()
        certificate = self._certificate()
        server = grpc.aio.server(
            maximum_concurrent_rpcs=self._settings.max_calls + self._settings.max_streams,
            options=(
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", _MAX_REQUEST_OCTETS),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ),
        )
        self._server = server
        for service in self._services:
            handler = self._dispatcher.handler(service.descriptor, service.servicer)
            server.add_generic_rpc_handlers((handler,))
        self._serving = health.aio.HealthServicer()
        add_HealthServicer_to_server(self._serving, server)
        names = [service.descriptor.full_name for service in self._services]
        health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable_server_reflection((*names, health_name, reflection.SERVICE_NAME), server)
        self._grpc_address = _bind(server, self._settings.grpc_listen, certificate)
        await self.refresh_health()
        await server.start()
        self._http_address = await self._start_http()
        grpc_at, http_at = (f"{host}:{port}" for host, port in (self._grpc_address, self._http_address))
        self._log.info("api-started", grpc=grpc_at, http=http_at, tls=certificate is not None)

    async def run(self) -> None:
        """Keep grpc.health.v1 up to date."""
        while True:
            await self.refresh_health()
            await asyncio.sleep(_HEALTH_SECONDS)

    async def stop(self) -> None:
        """End the streams, let running calls finish for a moment, close both listeners."""
        self._dispatcher.close()
        server, self._server = self._server, None
        serving, self._serving = self._serving, None
        if serving is not None:
            await serving.enter_graceful_shutdown()
        await self._http.stop()
        if server is not None:
            await server.stop(_GRACE_SECONDS)

    def health(self) -> ComponentHealth:
        """Say whether it listens."""
        if self._server is None:
            return ComponentHealth(HealthLevel.ERROR, "not started")
        if self._dispatcher.streams >= self._settings.max_streams:
            return ComponentHealth(HealthLevel.WARNING, f"all {self._settings.max_streams} streams are in use")
        return ComponentHealth()

    def reload_tokens(self) -> None:
        """Read the tokens again; raises ValueError and keeps the old ones where the file is wrong."""
        self._gate.replace(self._tokens())

    async def refresh_health(self) -> None:
        """Tell grpc.health.v1 how the components are: a service does not serve while one it needs is in error."""
        if self._serving is None:
            return
        failed = {
            name.partition(".")[0]
            for name, found in self._components_health().items()
            if found.level is HealthLevel.ERROR
        }
        await self._serving.set("", _serving(not failed))
        for service in self._services:
            await self._serving.set(service.descriptor.full_name, _serving(failed.isdisjoint(service.needs)))

    def _tokens(self) -> tuple[Token, ...]:
        if self._settings.tokens_file is not None:
            return load_tokens(self._settings.tokens_file)
        return (local_token(self._state_directory),)

    def _certificate(self) -> tuple[bytes, bytes] | None:
        """Return (key, certificates) in PEM, None without TLS."""
        cert_file, key_file = self._settings.cert_file, self._settings.key_file
        if cert_file is None or key_file is None:
            return None
        try:
            return key_file.read_bytes(), cert_file.read_bytes()
        except OSError as error:
            raise ValueError(
                f"cannot read {error.filename}: {error.strerror}; check api.cert_file, key_file"
            ) from error

    async def _start_http(self) -> tuple[str, int]:
        context: ssl.SSLContext | None = None
        cert_file, key_file = self._settings.cert_file, self._settings.key_file
        if cert_file is not None and key_file is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            try:
                context.load_cert_chain(cert_file, key_file)
            except ssl.SSLError as error:
                raise ValueError(f"{cert_file} and {key_file} are no certificate with its key: {error}") from error
        host, port = self._settings.http_listen
        try:
            return await self._http.start(host, port, context)
        except OSError as error:
            raise OSError(error.errno, f"api.http_listen = {host}:{port}: cannot listen: {error.strerror}") from error


def _bind(server: Any, listen: tuple[str, int], certificate: tuple[bytes, bytes] | None) -> tuple[str, int]:
    host, port = listen
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if certificate is None:
            bound = server.add_insecure_port(target)
        else:
            bound = server.add_secure_port(target, grpc.ssl_server_credentials([certificate]))
    except RuntimeError as error:
        raise OSError(f"api.grpc_listen = {target}: cannot listen; is another btimd running there?") from error
    if bound == 0:
        raise OSError(f"api.grpc_listen = {target}: cannot listen; is another btimd running there?")
    return host, bound


def _serving(good: bool) -> Any:  # noqa: FBT001  one question, one answer
    status = health_pb2.HealthCheckResponse
    return status.SERVING if good else status.NOT_SERVING


def _service(file: Any, servicer: object, *needs: str) -> Service:
    """Return the one service of a generated file."""
    (descriptor,) = file.DESCRIPTOR.services_by_name.values()
    return Service(descriptor, servicer, needs)

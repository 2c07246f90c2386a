"""The HTTP face: /metrics for Prometheus, /healthz and /readyz for whoever supervises the daemon."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from btimd.api.auth import Gate, Role
from btimd.api.errors import ApiError
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.metrics import Metrics

_METRICS_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
_SHUTDOWN_SECONDS: Final = 1.0
_MAX_REQUEST_OCTETS: Final = 256 * 1024


class HttpServer:
    """Answers three GETs. /healthz says that the loop turns; /readyz is 503 while any component is in error.

    Without open reads, /metrics and the details of /readyz need a token of role viewer.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        reads_are_open: bool,
        metrics: Metrics,
        health: Callable[[], Mapping[str, ComponentHealth]],
    ) -> None:
        self._gate = gate
        self._reads_are_open = reads_are_open
        self._metrics = metrics
        self._health = health
        self._runner: web.AppRunner | None = None
        self.more: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {}
        """Handlers of POST by path, before the start."""

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen; return the address, with the port the system chose where `port` is 0. Raises OSError."""
        app = web.Application(client_max_size=_MAX_REQUEST_OCTETS)
        app.router.add_get("/metrics", self._metrics_page)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        for path, handler in self.more.items():
            app.router.add_post(path, handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        return bound_host, bound_port

    async def stop(self) -> None:
        """Close the listener and what is connected."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _metrics_page(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return web.Response(status=401, text=f"{refusal.message}\n", headers={"WWW-Authenticate": "Bearer"})
        return web.Response(body=self._metrics.text(), headers={"Content-Type": _METRICS_TYPE})

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        found = self._health()
        ready = all(health.level is not HealthLevel.ERROR for health in found.values())
        lines = ["ready" if ready else "not ready"]
        if self._may_see_details(request):
            lines += [f"{name}: {health.level.value} {health.reason}".rstrip() for name, health in found.items()]
        return web.Response(status=200 if ready else 503, text="\n".join(lines) + "\n")

    def _may_see_details(self, request: web.Request) -> bool:
        has_token = "Authorization" in request.headers
        return (self._reads_are_open or has_token) and self._refusal(request) is None

    def _refusal(self, request: web.Request) -> ApiError | None:
        try:
            self._gate.admit(request.headers.get("Authorization"), Role.VIEWER, reads_are_open=self._reads_are_open)
        except ApiError as error:
            return error
        return None

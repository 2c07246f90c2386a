"""Serves the methods of a protobuf service from a plain object: access, errors, counting and streams in one place.

A servicer has one method per rpc, named in snake_case and called with (request, caller): a coroutine that returns the
response, or for a stream a plain function that returns a Stream.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from btimd.api.auth import NEEDED_ROLE, SCOPED_CALLS, Caller, Gate
from btimd.api.codec import NotConvertibleError
from btimd.api.errors import ApiError
from btimd.model.ports import Subscription
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

T = TypeVar("T")

_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Service:
    """A protobuf service, the object that serves it, and the components it cannot serve without.

    needs: by the first part of their names.
    """

    descriptor: ServiceDescriptor
    servicer: object
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """A subscription and how its items become messages.

    respond(items, snapshot) returns None where nothing is worth sending.
    """

    subscription: Subscription[T]
    respond: Callable[[Sequence[T], bool], Message | None]


class Dispatcher:
    """Makes gRPC handlers of servicers. close ends all streams; then no new ones begin."""

    def __init__(
        self,
        *,
        gate: Gate,
        reads_are_open: bool,
        max_streams: int,
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._gate = gate
        self._reads_are_open = reads_are_open
        self._max_streams = max_streams
        self._clock = clock
        self._log = log
        self._closing = False
        self._streams: set[Subscription[Any]] = set()
        self._may_log: dict[str, OncePerInterval] = {}
        self._calls = metrics.counter("btimd_api_calls_total", "Calls by method and gRPC status", ("method", "code"))
        self._bugs = metrics.counter("btimd_api_internal_errors_total", "Calls that failed by an error of btimd")
        self._open = metrics.gauge("btimd_api_streams", "Open streams")
        self._refused = metrics.counter("btimd_api_streams_refused_total", "Streams refused because of max_streams")

    def handler(self, service: ServiceDescriptor, servicer: object) -> Any:
        """Return the handler of all methods of a service; raises LookupError for one without method or role."""
        methods = {}
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            if path not in NEEDED_ROLE:
                raise LookupError(f"{path} has no role in btimd.api.auth.NEEDED_ROLE")
            serve: Any = getattr(servicer, _WORD_START.sub("_", method.name).lower())
            methods[method.name] = self._method(path, method, serve)
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    def close(self) -> None:
        """End every stream with OK after what is pending; refuse new ones."""
        self._closing = True
        for subscription in tuple(self._streams):
            subscription.close()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def _method(self, path: str, method: MethodDescriptor, serve: Any) -> Any:
        make = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
        behaviour = self._stream(path, serve) if method.server_streaming else self._unary(path, serve)
        return make(
            behaviour,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )

    def _unary(self, path: str, serve: Callable[[Any, Caller], Awaitable[Message]]) -> Any:
        async def call(request: Message, context: Any) -> Message:
            try:
                response = await serve(request, self._admit(path, context))
            except Exception as error:  # noqa: BLE001  the panic barrier of the API
                await self._refuse(path, context, error)
            self._calls.labels(path, "OK").inc()
            return response

        return call

    def _stream(self, path: str, serve: Callable[[Any, Caller], Stream[Any]]) -> Any:
        async def call(request: Message, context: Any) -> None:
            try:
                caller = self._admit(path, context)
                self._check_room()
                stream = serve(request, caller)
            except Exception as error:  # noqa: BLE001  the panic barrier of the API
                await self._refuse(path, context, error)
            self._streams.add(stream.subscription)
            self._open.set(len(self._streams))
            try:
                await _follow(stream, context)
            except Exception as error:  # noqa: BLE001  the panic barrier of the API
                await self._refuse(path, context, error)
            except asyncio.CancelledError:
                self._calls.labels(path, "CANCELLED").inc()
                raise
            else:
                self._calls.labels(path, "OK").inc()
            finally:
                stream.subscription.close()
                self._streams.discard(stream.subscription)
                self._open.set(len(self._streams))

        return call

    def _admit(self, path: str, context: Any) -> Caller:
        given = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
        authorization = given[0] if given else None
        return self._gate.admit(
            authorization,
            NEEDED_ROLE[path],
            reads_are_open=self._reads_are_open,
            judges_scope=path in SCOPED_CALLS,
        )

    def _check_room(self) -> None:
        if self._closing:
            raise ApiError(grpc.StatusCode.UNAVAILABLE, "STOPPING", "btimd is stopping; connect again later")
        if len(self._streams) >= self._max_streams:
            self._refused.inc()
            raise ApiError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "TOO_MANY_STREAMS",
                f"{self._max_streams} streams are open; close some, or raise api.max_streams",
            )

    async def _refuse(self, path: str, context: Any, error: Exception) -> NoReturn:
        refusal = self._refusal(path, error)
        self._calls.labels(path, refusal.code.name).inc()
        await context.abort_with_status(refusal.status())
        raise error  # not reached: abort raises

    def _refusal(self, path: str, error: Exception) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, NotConvertibleError):
            return ApiError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", str(error))
        self._bugs.inc()
        held_back = self._may_log.setdefault(path, OncePerInterval()).take(self._clock.monotonic())
        if held_back is not None:
            self._log.exception("api-call-failed", method=path, held_back=held_back)
        return ApiError(grpc.StatusCode.INTERNAL, "INTERNAL", "btimd failed on this call; its log says more")


async def _follow(stream: Stream[Any], context: Any) -> None:
    """Send the snapshot, then the changes; what is not read yet is kept once per key by the subscription."""
    first = stream.respond(stream.subscription.snapshot, True)  # noqa: FBT003  (items, snapshot) is the whole signature
    if first is not None:
        await context.write(first)
    changes = stream.subscription.changes()
    try:
        async for items in changes:
            message = stream.respond(items, False)  # noqa: FBT003  (items, snapshot) is the whole signature
            if message is not None:
                await context.write(message)
    finally:
        close = getattr(changes, "aclose", None)
        if close is not None:
            await close()

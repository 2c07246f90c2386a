"""The web and application tiers and the management agents.

Each tier looks its neighbour's name up once, when it starts, and keeps the address for its life, as long-running
servers do: a name server that dies later is felt by users and not by servers.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from typing_extensions import override

from btimd.lab.database import DatabaseSession, QueryError
from btimd.lab.faults import Condition
from btimd.lab.http import HttpError, Request, Response, exchange, read_request, write_response
from btimd.lab.pgwire import PgError
from btimd.lab.process import TcpProcess
from btimd.lab.topology import ProcessPlan, host_name_of
from btimd.model.units import Seconds

Resolve = Callable[[str, str], Awaitable[str]]
"""(name, own address) -> address; raises OSError where the name cannot be resolved."""

_MAX_PAGE_OCTETS: Final = 1 << 20
_MAX_IDLE_SESSIONS: Final = 4
_FILLER: Final = b"<!-- The quick brown fox jumps over the lazy dog. -->\n"


class HttpServer(TcpProcess):
    """An HTTP server: `page` makes the answer. `/alive` is answered by the process alone, without its neighbours."""

    async def page(self, request: Request) -> Response:
        """Make the answer to a GET request."""
        raise NotImplementedError

    @override
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_request(reader)
            except HttpError as problem:
                await self.answer()
                await write_response(writer, Response(400, f"{problem}\n".encode()), keep_alive=False)
                return
            await self.answer()
            await write_response(writer, await self._respond(request), keep_alive=request.keep_alive)
            if not request.keep_alive:
                return

    async def _respond(self, request: Request) -> Response:
        if self.condition is Condition.ERROR:
            return Response(500, b"java.lang.NullPointerException at com.example.Orders.load(Orders.java:212)\n")
        if request.method != "GET":
            return Response(405, b"only GET\n")
        if request.path == "/alive":
            return Response(200, f"{self.plan.id} is alive\n".encode())
        return await self.page(request)


class ApplicationServer(HttpServer):
    """An application: GET /data?id=N -> the row, read from the database through a small pool of sessions.

    503 when the database cannot be reached or does not answer in time, 500 when it answers with an error.
    """

    def __init__(
        self,
        plan: ProcessPlan,
        slow_seconds: Seconds,
        *,
        database: TcpProcess,
        patience_seconds: Seconds,
        resolve: Resolve,
    ) -> None:
        super().__init__(plan, slow_seconds)
        self._database = database
        self._patience_seconds = patience_seconds
        self._resolve = resolve
        self._database_address = ""
        self._idle: list[DatabaseSession] = []

    @override
    async def start(self) -> None:
        await super().start()
        with contextlib.suppress(OSError):  # tried again by the first request
            await self._find_database()

    @override
    async def stop(self) -> None:
        await super().stop()
        self._database_address = ""
        self._drop_idle()

    @override
    async def page(self, request: Request) -> Response:
        number = request.query.get("id", "1")
        if request.path != "/data" or not number.isascii() or not number.isdigit():
            return Response(404, b"ask for /data?id=NUMBER\n")
        try:
            async with asyncio.timeout(self._patience_seconds):
                row = await self._row(f"SELECT content FROM items WHERE id = {int(number) % 1_000_000_000}")  # noqa: S608  a number
        except TimeoutError:
            self._drop_idle()
            return Response(503, f"no answer from the database in {self._patience_seconds:g} s\n".encode())
        except QueryError as problem:
            return Response(500, f"SQLSTATE {problem}\n".encode())
        except (OSError, PgError, EOFError) as problem:
            return Response(503, f"cannot reach the database: {problem}\n".encode())
        return Response(200, row.encode())

    async def _row(self, query: str) -> str:
        """Ask over an idle session or, where it turns out to be stale, over a new one."""
        while self._idle:
            session = self._idle.pop()
            if session.lost:
                session.close()
                continue
            with contextlib.suppress(ConnectionError, EOFError):
                return await self._ask(session, query)
        address = await self._find_database()
        session = await DatabaseSession.open(
            address, self._database.port, local=self.address, user=self.plan.id, database="business"
        )
        return await self._ask(session, query)

    async def _ask(self, session: DatabaseSession, query: str) -> str:
        keep = False
        try:
            value = await session.value(query)
            keep = self.condition is not Condition.DEAD and len(self._idle) < _MAX_IDLE_SESSIONS
        except QueryError:
            keep = len(self._idle) < _MAX_IDLE_SESSIONS
            raise
        finally:
            if keep:
                self._idle.append(session)
            else:
                session.close()
        return value

    async def _find_database(self) -> str:
        if not self._database_address:
            self._database_address = await self._resolve(host_name_of(self._database.plan), self.address)
        return self._database_address

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


class WebServer(HttpServer):
    """A web server: GET /page?id=N&size=OCTETS -> a page around the row that its application gives.

    502 when the application cannot be reached, 504 when it does not answer in time; its errors pass through.
    """

    def __init__(
        self,
        plan: ProcessPlan,
        slow_seconds: Seconds,
        *,
        application: TcpProcess,
        patience_seconds: Seconds,
        resolve: Resolve,
    ) -> None:
        super().__init__(plan, slow_seconds)
        self._application = application
        self._patience_seconds = patience_seconds
        self._resolve = resolve
        self._application_address = ""

    @override
    async def start(self) -> None:
        await super().start()
        with contextlib.suppress(OSError):  # tried again by the first request
            await self._find_application()

    @override
    async def stop(self) -> None:
        await super().stop()
        self._application_address = ""

    @override
    async def page(self, request: Request) -> Response:
        number, size = request.query.get("id", "1"), request.query.get("size", "0")
        if request.path not in {"/", "/page"} or not (number + size).isascii() or not (number + size).isdigit():
            return Response(404, b"ask for /page?id=NUMBER&size=OCTETS\n")
        try:
            async with asyncio.timeout(self._patience_seconds):
                answer = await self._ask_application(f"/data?id={number}")
        except TimeoutError:
            return Response(504, f"no answer from the application in {self._patience_seconds:g} s\n".encode())
        except (OSError, HttpError, EOFError) as problem:
            return Response(502, f"cannot reach the application: {problem}\n".encode())
        if answer.status != 200:  # noqa: PLR2004  OK
            return answer
        return Response(200, make_page(answer.body, min(int(size), _MAX_PAGE_OCTETS)))

    async def _ask_application(self, target: str) -> Response:
        address = await self._find_application()
        reader, writer = await asyncio.open_connection(address, self._application.port, local_addr=(self.address, 0))
        try:
            return await exchange(reader, writer, host=host_name_of(self._application.plan), target=target)
        finally:
            writer.close()

    async def _find_application(self) -> str:
        if not self._application_address:
            self._application_address = await self._resolve(host_name_of(self._application.plan), self.address)
        return self._application_address


class Agent(TcpProcess):
    """A host's management agent: says who it is to whoever connects, and hangs up."""

    @override
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.answer()
        writer.write(f"<<<{self.plan.host}>>> agent ready\n".encode())
        await writer.drain()


def make_page(row: bytes, size: int) -> bytes:
    """Return a page that shows a row and has `size` octets, or as many as the row needs."""
    page = b'<!doctype html><title>Lab</title><p class="row">' + row + b"</p>\n"
    missing = max(0, size - len(page))
    return page + (_FILLER * (missing // len(_FILLER) + 1))[:missing]

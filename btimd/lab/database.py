"""The database tier: a server that speaks the PostgreSQL protocol, and the session an application holds with it."""

import asyncio
import itertools
import re
import struct
from typing import Final

from typing_extensions import override

from btimd.lab import pgwire
from btimd.lab.faults import Condition
from btimd.lab.process import TcpProcess
from btimd.lab.topology import ProcessPlan
from btimd.model.units import Seconds

_ITEM: Final = re.compile(r"SELECT\s+content\s+FROM\s+items\s+WHERE\s+id\s*=\s*(\d{1,9})\s*;?\s*", re.IGNORECASE)
_ONE: Final = re.compile(r"SELECT\s+1\s*;?\s*", re.IGNORECASE)
DISK_FULL: Final = ("53100", 'could not extend file "base/16384/16397": No space left on device')


class QueryError(Exception):
    """The database answered a query with an error; `code` is its SQLSTATE."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


def row_of(database: str, item: int) -> str:
    """Return the row that a database holds under a number."""
    return f"{database} row {item}: order {item * 7919 % 100_000:05d}, amount {item * 104_729 % 1_000_000 / 100:.2f}"


class DatabaseServer(TcpProcess):
    """A database with one table, `items (id, content)`, trusting every user as `initdb -A trust` does."""

    def __init__(self, plan: ProcessPlan, slow_seconds: Seconds) -> None:
        super().__init__(plan, slow_seconds)
        self._numbers = itertools.count(1)

    @override
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await self._begin(reader, writer):
            await self._talk(reader, writer)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do the start-up; tell whether a session came of it. Slow is the disk, so only queries are slow."""
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            if not 8 <= length <= pgwire.MAX_MESSAGE_OCTETS:  # noqa: PLR2004  length and code themselves
                raise pgwire.PgError(f"a start-up of {length} octets")
            body = await reader.readexactly(length - 8)
            if self.is_mute:
                await self.answer()
            if code not in {pgwire.SSL_REQUEST, pgwire.GSS_REQUEST}:
                break
            writer.write(b"N")
            await writer.drain()
        if code != pgwire.PROTOCOL_3_0:
            if code != pgwire.CANCEL_REQUEST:
                writer.write(pgwire.error("0A000", f"unsupported frontend protocol {code}", "FATAL"))
                await writer.drain()
            return False
        if "user" not in pgwire.startup_parameters(body):
            writer.write(pgwire.error("28000", "no user name specified in startup packet", "FATAL"))
            await writer.drain()
            return False
        number = next(self._numbers)
        writer.write(
            pgwire.authentication_ok()
            + pgwire.parameter_status("server_version", "15.0")
            + pgwire.parameter_status("server_encoding", "UTF8")
            + pgwire.parameter_status("client_encoding", "UTF8")
            + pgwire.backend_key(number, number * 2_654_435_761 % 0x7FFF_FFFF)
            + pgwire.ready()
        )
        await writer.drain()
        return True

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        skipping = False  # after an error of the extended protocol everything up to Sync is skipped
        while True:
            head = await reader.readexactly(5)
            (length,) = struct.unpack("!i", head[1:])
            if not 4 <= length <= pgwire.MAX_MESSAGE_OCTETS:  # noqa: PLR2004  the length itself
                raise pgwire.PgError(f"a message of {length} octets")
            body = await reader.readexactly(length - 4)
            kind = head[:1]
            if kind == b"X":
                return
            if kind == b"S":
                skipping = False
                writer.write(pgwire.ready())
            elif kind == b"Q":
                await self.answer()
                writer.write(self._result(body.rstrip(b"\0").decode("utf-8", "replace")))
            elif not skipping:
                skipping = True
                writer.write(pgwire.error("0A000", "only simple queries are supported"))
            await writer.drain()

    def _result(self, text: str) -> bytes:
        if self.condition is Condition.ERROR:
            return pgwire.error(*DISK_FULL) + pgwire.ready()
        if _ONE.fullmatch(text):
            return pgwire.result("?column?", "1")
        found = _ITEM.fullmatch(text)
        if found is None:
            return pgwire.error("42601", f"syntax error in {text[:60]!r}") + pgwire.ready()
        return pgwire.result("content", row_of(self.plan.id, int(found[1])))


class DatabaseSession:
    """An application's open session with its database. Closed by the first thing that goes wrong on the wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: str, port: int, *, local: str, user: str, database: str) -> "DatabaseSession":
        """Connect from address `local` and start up; raises OSError, PgError or QueryError."""
        reader, writer = await asyncio.open_connection(address, port, local_addr=(local, 0))
        session = cls(reader, writer)
        try:
            writer.write(pgwire.startup(user, database))
            await session._until_ready()
        except BaseException:
            session.close()
            raise
        return session

    async def value(self, text: str) -> str:
        """Return the first column of a query's last row; raises OSError, PgError, EOFError or QueryError."""
        self._writer.write(pgwire.query(text))
        return await self._until_ready()

    def close(self) -> None:
        """End the session, politely where the connection still lives."""
        if not self._writer.is_closing():
            self._writer.write(pgwire.terminate())
            self._writer.close()

    @property
    def lost(self) -> bool:
        """Tell whether the server is known to be gone."""
        return self._writer.is_closing() or self._reader.at_eof()

    async def _until_ready(self) -> str:
        value, problem = "", None
        while True:
            head = await self._reader.readexactly(5)
            (length,) = struct.unpack("!i", head[1:])
            if not 4 <= length <= pgwire.MAX_MESSAGE_OCTETS:  # noqa: PLR2004  the length itself
                raise pgwire.PgError(f"a message of {length} octets")
            body = await self._reader.readexactly(length - 4)
            kind = head[:1]
            if kind == b"E":
                fields = pgwire.error_fields(body)
                problem = QueryError(fields.get("C", ""), fields.get("M", ""))
                if fields.get("S") == "FATAL":
                    raise problem
            elif kind == b"D":
                value = pgwire.row_value(body)
            elif kind == b"Z":
                if problem is not None:
                    raise problem
                return value

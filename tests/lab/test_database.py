import asyncio
import shutil
import struct
from collections.abc import AsyncIterator
from os import environ

import pytest

from btimd.lab import pgwire
from btimd.lab.database import DatabaseServer, DatabaseSession, QueryError, row_of
from btimd.lab.faults import Condition
from btimd.lab.topology import DATABASES
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def database() -> AsyncIterator[DatabaseServer]:
    found = DatabaseServer(DATABASES[0], slow_seconds=0.01)
    await found.start()
    yield found
    await found.stop()


async def session_with(database: DatabaseServer) -> DatabaseSession:
    return await DatabaseSession.open(
        database.address, database.port, local="127.20.2.10", user="erp-app", database="business"
    )


async def raw(database: DatabaseServer, *messages: bytes) -> bytes:
    """Send messages, close our side, return everything that came back."""
    reader, writer = await asyncio.open_connection(database.address, database.port)
    writer.write(b"".join(messages))
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_session_reads_rows_and_survives_errors(database: DatabaseServer) -> None:
    session = await session_with(database)
    assert await session.value("SELECT content FROM items WHERE id = 17") == row_of("db1", 17)
    assert row_of("db1", 17) == "db1 row 17: order 34623, amount 7803.93"
    with pytest.raises(QueryError, match="42601: syntax error in 'DROP TABLE items'"):
        await session.value("DROP TABLE items")
    await database.become(Condition.ERROR)
    with pytest.raises(QueryError, match="53100: could not extend file"):
        await session.value("SELECT 1")
    await database.become(Condition.WELL)
    assert await session.value("select 1;") == "1"
    assert not session.lost
    session.close()
    assert session.lost


async def test_a_session_with_a_database_that_died_is_lost(database: DatabaseServer) -> None:
    session = await session_with(database)
    await database.become(Condition.DEAD)
    with pytest.raises((EOFError, ConnectionError)):
        await session.value("SELECT 1")
    assert session.lost
    session.close()


async def test_encryption_is_declined_and_the_start_up_goes_on_in_plain_text(database: DatabaseServer) -> None:
    requests = [struct.pack("!ii", 8, code) for code in (pgwire.GSS_REQUEST, pgwire.SSL_REQUEST)]
    answer = await raw(database, *requests, pgwire.startup("probe", "business"), pgwire.terminate())
    assert answer.startswith(b"NNR\0\0\0\x08\0\0\0\0S")
    assert answer.endswith(pgwire.ready())


@pytest.mark.parametrize(
    ("start", "code"),
    [(struct.pack("!ii", 8, 2 << 16), b"C0A000\0"), (struct.pack("!ii", 14, 3 << 16) + b"a\0b\0\0\0"[:6], b"")],
)
async def test_a_start_up_that_cannot_be_served_is_told_why(
    database: DatabaseServer, start: bytes, code: bytes
) -> None:
    answer = await raw(database, start)
    assert code in answer
    assert pgwire.ready() not in answer


async def test_a_user_without_name_is_refused(database: DatabaseServer) -> None:
    body = b"database\0business\0\0"
    answer = await raw(database, struct.pack("!ii", 8 + len(body), pgwire.PROTOCOL_3_0) + body)
    assert b"SFATAL\0" in answer
    assert b"C28000\0" in answer


async def test_the_extended_protocol_is_refused_once_until_sync(database: DatabaseServer) -> None:
    parse, bind, sync = (pgwire.message(kind, b"\0") for kind in (b"P", b"B", b"S"))
    answer = await raw(
        database, pgwire.startup("probe", "b"), parse, bind, sync, pgwire.query("SELECT 1"), pgwire.terminate()
    )
    assert answer.count(b"C0A000\0") == 1
    assert answer.endswith(pgwire.ready() + pgwire.result("?column?", "1"))


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 8, b"\xff" * 64, b"\0\0\0\x08"])
async def test_what_is_no_start_up_ends_the_connection(database: DatabaseServer, garbage: bytes) -> None:
    assert await raw(database, garbage) == b""


async def test_a_message_of_an_impossible_length_ends_the_session(database: DatabaseServer) -> None:
    answer = await raw(database, pgwire.startup("probe", "b"), b"Q\x7f\xff\xff\xff")
    assert answer.endswith(pgwire.ready())


@pytest.mark.real_server
async def test_the_real_client_of_postgresql_reads_a_row(database: DatabaseServer) -> None:
    psql = shutil.which("psql")
    if psql is None:
        assert environ.get("CI") != "true", "psql is missing; apt-get install postgresql-client"
        pytest.skip("psql is not installed")
    process = await asyncio.create_subprocess_exec(
        psql, "-h", database.address, "-p", str(database.port), "-U", "probe", "-d", "business", "-At",
        "-c", "SELECT content FROM items WHERE id = 17",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    assert (out.decode(), err.decode(), process.returncode) == (row_of("db1", 17) + "\n", "", 0)

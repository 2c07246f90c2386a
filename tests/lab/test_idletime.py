import asyncio
import time

from tests.lab.idletime import in_idle_time


@in_idle_time
async def test_what_computes_or_stalls_takes_no_time_and_what_waits_takes_exactly_its_time() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    time.sleep(0.05)  # noqa: ASYNC251  a machine that stalls
    assert loop.time() == began
    await asyncio.sleep(0.05)
    assert round(loop.time() - began, 6) == 0.05


@in_idle_time
async def test_an_answer_that_is_there_comes_before_any_patience_ends() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        time.sleep(0.05)  # noqa: ASYNC251  longer than the caller's patience
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    async with asyncio.timeout(0.02):
        writer.write(b"there\n")
        assert await reader.read() == b"there\n"
    writer.close()
    server.close()
    await server.wait_closed()

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from typing_extensions import override

from btimd.lab import process as process_module
from btimd.lab.faults import Condition
from btimd.lab.process import TcpProcess, bind_exactly, bind_free, candidate_ports
from btimd.lab.topology import ProcessPlan

PLAN = ProcessPlan("echo", "echo server", "host-web1", 19_080)


class Echo(TcpProcess):
    @override
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await self.answer()
            writer.write(b"error\n" if self.condition is Condition.ERROR else line)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    found = Echo(PLAN, slow_seconds=0.05)
    await found.start()
    yield found
    await found.stop()


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def call(cls, process: TcpProcess) -> "Caller":
        return cls(*await asyncio.open_connection(process.address, process.port))

    async def say(self, text: bytes) -> bytes:
        self.writer.write(text)
        return await self.reader.readline()

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def test_a_dead_process_cuts_its_sessions_and_refuses_and_comes_back_on_its_port(echo: Echo) -> None:
    caller, port = await Caller.call(echo), echo.port
    assert await caller.say(b"a\n") == b"a\n"
    await echo.become(Condition.DEAD)
    assert await caller.reader.read() == b""
    await caller.leave()
    with pytest.raises(ConnectionRefusedError):
        await Caller.call(echo)
    await echo.become(Condition.WELL)
    again = await Caller.call(echo)
    assert (await again.say(b"b\n"), echo.port, echo.served) == (b"b\n", port, 2)
    await again.leave()


async def test_a_hung_process_takes_connections_and_is_silent_in_old_and_new_ones_until_restarted(echo: Echo) -> None:
    old = await Caller.call(echo)
    assert await old.say(b"a\n") == b"a\n"
    await echo.become(Condition.HUNG)
    new = await Caller.call(echo)
    waiting = [asyncio.create_task(caller.say(b"b\n")) for caller in (old, new)]
    done, _ = await asyncio.wait(waiting, timeout=0.05)
    assert (done, echo.served) == (set(), 1)
    await echo.become(Condition.WELL)
    assert await asyncio.gather(*waiting) == [b"", b""]
    assert echo.connections == 0
    for caller in (old, new):
        await caller.leave()


async def test_a_process_without_power_answers_no_syn_and_its_sessions_fall_silent(echo: Echo) -> None:
    old = await Caller.call(echo)
    assert await old.say(b"a\n") == b"a\n"
    await echo.become(Condition.SILENT)
    waiting = [asyncio.create_task(old.say(b"b\n")), asyncio.create_task(Caller.call(echo))]
    done, _ = await asyncio.wait(waiting, timeout=0.05)
    assert done == set()
    waiting[1].cancel()
    await echo.become(Condition.WELL)
    assert await waiting[0] == b""
    await old.leave()
    new = await Caller.call(echo)
    assert await new.say(b"c\n") == b"c\n"
    await new.leave()
    await echo.become(Condition.SILENT)
    await echo.stop()
    with pytest.raises(ConnectionRefusedError):
        await Caller.call(echo)


async def test_a_slow_and_an_erring_process_keep_their_sessions(echo: Echo) -> None:
    caller, loop = await Caller.call(echo), asyncio.get_running_loop()
    await echo.become(Condition.SLOW)
    began = loop.time()
    assert await caller.say(b"a\n") == b"a\n"
    assert loop.time() - began >= 0.05
    await echo.become(Condition.ERROR)
    assert await caller.say(b"a\n") == b"error\n"
    await echo.become(Condition.WELL)
    assert await caller.say(b"a\n") == b"a\n"
    await caller.leave()


async def test_what_a_caller_sends_ends_its_own_conversation_only(echo: Echo) -> None:
    hostile, other = await Caller.call(echo), await Caller.call(echo)
    hostile.writer.write(b"x" * 200_000)
    with pytest.raises(ConnectionResetError):
        await hostile.reader.read()
    assert await other.say(b"a\n") == b"a\n"
    assert echo.connections == 1
    await other.leave()


def test_a_taken_port_is_replaced_by_another_below_the_kernels_own_range() -> None:
    first = bind_free("127.20.9.9", 19_080, socket.SOCK_STREAM)
    second = bind_free("127.20.9.9", 19_080, socket.SOCK_STREAM)
    ports = [sock.getsockname()[1] for sock in (first, second)]
    first.close()
    second.close()
    assert ports[0] != ports[1]
    assert set(ports) <= set(candidate_ports(19_080))
    assert max(candidate_ports(19_080)) < 32_768


def test_two_laboratories_on_a_machine_begin_with_ports_of_their_own() -> None:
    mine = next(candidate_ports(19_070))
    program = "from btimd.lab.process import candidate_ports; print(next(candidate_ports(19_070)))"
    other = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert int(other.stdout) != mine


def test_where_no_candidate_is_free_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_PORT_TRIES", 1)
    taken = [bind_exactly("127.20.9.8", port, socket.SOCK_STREAM) for port in candidate_ports(19_090)]
    with pytest.raises(OSError, match="no free port near 19090 on 127.20.9.8; stop other laboratories"):
        bind_free("127.20.9.8", 19_090, socket.SOCK_STREAM)
    for sock in taken:
        sock.close()


async def test_a_process_whose_port_a_stranger_took_waits_for_it_to_leave(echo: Echo) -> None:
    await echo.stop()
    stranger = bind_exactly(echo.address, echo.port, socket.SOCK_STREAM)
    returning = asyncio.create_task(echo.become(Condition.WELL))
    await asyncio.sleep(0)
    assert not returning.done()
    stranger.close()
    await returning
    assert echo.condition is Condition.WELL

import asyncio
import contextlib
import socket

import pytest

from btimd.lab.database import row_of
from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import Condition
from btimd.lab.topology import BUSINESS, BUSINESSES, DNS
from tests.lab.idletime import in_idle_time
from tests.lab.ipfix_parser import address, number, parse
from tests.lab.observe import QUICK, get, observe
from tests.patience import PATIENCE_SECONDS


@in_idle_time
async def test_a_page_travels_from_the_web_server_over_the_application_to_the_database() -> None:
    async with Enterprise(QUICK) as enterprise:
        for business, database in (("erp", "db1"), ("hr", "db1"), ("bank", "db2")):
            before = {name: process.served for name, process in enterprise.processes.items()}
            status, page = await get(enterprise.endpoint(BUSINESS[business].web), "/page?id=17&size=2000")
            assert (status, len(page)) == (200, 2000)
            assert row_of(database, 17).encode() in page
            used = {name for name, process in enterprise.processes.items() if process.served > before[name]}
            assert used == {f"{business}-web", f"{business}-app", database}


@pytest.mark.slow
@in_idle_time
async def test_what_the_collector_receives_is_what_the_exporter_says_it_sent() -> None:
    received: dict[str, int] = {}
    templates: dict[int, list[tuple[int, int]]] = {}
    count = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(0.0)
        async with Enterprise(QUICK) as enterprise:
            business_of = {enterprise.endpoint(plan.web): plan.id for plan in BUSINESSES}
            business_of[enterprise.endpoint(DNS)] = ""

            def take(data: bytes) -> None:
                nonlocal count
                message = parse(data, templates)
                assert message.sequence == count
                count += len(message.records)
                for record in message.records:
                    ends = ((address(record, 8), number(record, 7)), (address(record, 12), number(record, 11)))
                    (business,) = (business_of[end] for end in ends if end in business_of)
                    received[business] = received.get(business, 0) + number(record, 1)

            await enterprise.start_users(collector.getsockname())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(received) < 4 or count < 60:
                    take(await asyncio.get_running_loop().sock_recv(collector, 2000))
            await enterprise.stop_users()
            with contextlib.suppress(BlockingIOError):
                while True:
                    take(collector.recv(2000))
            assert received == enterprise.exported
            assert set(received) == {"", "erp", "hr", "bank"}
            assert enterprise.exporter is not None
            assert (enterprise.exporter.sequence, enterprise.exporter.dropped) == (count, 0)


@in_idle_time
async def test_stopping_twice_and_starting_again_leaves_nothing_behind() -> None:
    enterprise = Enterprise(QUICK)
    await enterprise.start()
    ports = [process.port for process in enterprise.processes.values()]
    await enterprise.stop()
    await enterprise.stop()
    assert {process.condition for process in enterprise.processes.values()} == {Condition.DEAD}
    await enterprise.start()
    assert await observe(enterprise) == {}
    assert [process.port for process in enterprise.processes.values()] == ports
    await enterprise.stop()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@in_idle_time
async def test_a_start_that_fails_half_way_stops_what_had_started() -> None:
    enterprise = Enterprise(QUICK)
    taken = socket.socket()
    taken.bind(("127.20.3.20", 0))
    taken.listen()
    enterprise.processes["db2"].port = taken.getsockname()[1]
    with pytest.raises(OSError, match="Address already in use"):
        await enterprise.start()
    taken.close()
    assert enterprise.name_server.condition is Condition.DEAD
    assert enterprise.condition("db1") is Condition.DEAD


@in_idle_time
async def test_two_enterprises_live_side_by_side_on_other_ports() -> None:
    async with Enterprise(QUICK) as one, Enterprise(QUICK) as two:
        assert not {(process.address, process.port) for process in one.processes.values()} & {
            (process.address, process.port) for process in two.processes.values()
        }
        await one.inject("host-down")
        assert await observe(two) == {}


@in_idle_time
async def test_users_suffer_from_a_fault_and_recover_after_healing() -> None:
    async with Enterprise(QUICK) as enterprise:
        user = enterprise.users()[0]
        assert await user.visit("erp")
        await enterprise.inject("db-dead")
        assert not await user.visit("erp")
        assert await user.visit("bank")
        await enterprise.heal()
        assert await user.visit("erp")
        assert (enterprise.experience["erp"].failures, enterprise.experience["bank"].failures) == (1, 0)
        assert enterprise.exported == {}


async def test_a_host_takes_everything_down_at_once_however_long_one_of_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Enterprise(QUICK) as enterprise:
        database, release = enterprise.processes["db1"], asyncio.Event()
        stop = database.stop

        async def late() -> None:
            await release.wait()
            await stop()

        monkeypatch.setattr(database, "stop", late)
        breaking = asyncio.create_task(enterprise.inject("host-down"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while enterprise.condition("host-db1-agent") is not Condition.DEAD:  # noqa: ASYNC110  nothing tells of it
                await asyncio.sleep(0)
        before = enterprise.condition("db1")
        release.set()
        await breaking

        assert (before, enterprise.condition("db1")) == (Condition.WELL, Condition.DEAD)

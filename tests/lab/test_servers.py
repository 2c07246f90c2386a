import asyncio

import pytest

from btimd.lab.enterprise import Enterprise
from btimd.lab.http import exchange
from btimd.lab.servers import make_page
from btimd.lab.topology import BUSINESS
from tests.lab.idletime import in_idle_time
from tests.lab.observe import QUICK, get

ERP = BUSINESS["erp"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("/page?id=1&size=10", 200),
        ("/alive", 200),
        ("/page?id=x", 404),
        ("/page?size=-1", 404),
        ("/page?id=%D9%A1", 404),
        ("/other", 404),
    ],
)
@in_idle_time
async def test_a_web_server_answers_each_request(target: str, status: int) -> None:
    async with Enterprise(QUICK) as enterprise:
        assert (await get(enterprise.endpoint(ERP.web), target))[0] == status


@pytest.mark.parametrize(("target", "status"), [("/data", 200), ("/data?id=5", 200), ("/data?id=x", 404), ("/", 404)])
@in_idle_time
async def test_an_application_answers_each_request(target: str, status: int) -> None:
    async with Enterprise(QUICK) as enterprise:
        assert (await get(enterprise.endpoint(ERP.application), target))[0] == status


@in_idle_time
async def test_several_pages_come_over_one_connection_and_one_session_with_the_database() -> None:
    async with Enterprise(QUICK) as enterprise:
        reader, writer = await asyncio.open_connection(*enterprise.endpoint(ERP.web))
        for number in range(3):
            answer = await exchange(reader, writer, host="erp", target=f"/page?id={number}", keep_alive=True)
            assert f"row {number}:".encode() in answer.body
        assert (enterprise.processes["erp-web"].connections, enterprise.processes["db1"].connections) == (1, 1)
        writer.close()
        await writer.wait_closed()


@in_idle_time
async def test_what_is_no_request_is_answered_400() -> None:
    async with Enterprise(QUICK) as enterprise:
        reader, writer = await asyncio.open_connection(*enterprise.endpoint(ERP.web))
        writer.write(b"hello\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()
        await writer.wait_closed()


@in_idle_time
async def test_other_methods_are_not_allowed() -> None:
    async with Enterprise(QUICK) as enterprise:
        reader, writer = await asyncio.open_connection(*enterprise.endpoint(ERP.web))
        writer.write(b"PUT /page HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 405 ")
        writer.close()
        await writer.wait_closed()


@in_idle_time
async def test_after_the_database_restarted_the_first_page_comes_over_a_new_session() -> None:
    async with Enterprise(QUICK) as enterprise:
        web = enterprise.endpoint(ERP.web)
        assert (await get(web, "/"))[0] == 200
        await enterprise.inject("db-dead")
        await enterprise.heal()
        assert (await get(web, "/"))[0] == 200


@in_idle_time
async def test_servers_keep_working_without_name_server_until_they_restart() -> None:
    async with Enterprise(QUICK) as enterprise:
        web = enterprise.endpoint(ERP.web)
        await enterprise.inject("dns-dead")
        assert (await get(web, "/"))[0] == 200
        await enterprise.inject("app-host-down")
        await enterprise.heal("app-host-down")
        status, body = await get(web, "/")
        assert (status, b"cannot resolve db1.lab.example" in body) == (503, True)
        await enterprise.heal()
        assert (await get(web, "/"))[0] == 200


def test_a_page_has_the_size_asked_for_and_never_less_than_its_row() -> None:
    assert [len(make_page(b"row", size)) for size in (1000, 70, 0)] == [1000, 70, len(make_page(b"row", 0))]
    assert make_page(b"row", 0) == b'<!doctype html><title>Lab</title><p class="row">row</p>\n'

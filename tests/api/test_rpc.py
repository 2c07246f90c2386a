"""What every call shares: access, errors, counting, and the life of streams."""

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from btimd.api.auth import NEEDED_ROLE, SCOPED_CALLS, Role
from btimd.api.client import _FILES as FILES
from btimd.api.client import CallFailedError
from btimd.model.ports import NodeState
from tests.api.conftest import SECRETS, Served, serving, until, write_tokens
from tests.fakes.views import NODE_STATES
from tests.patience import PATIENCE_SECONDS

RANKS = {None: 0, "vera": Role.VIEWER, "rita": Role.REPORTER, "otto": Role.HANDLER, "mona": Role.MANAGER}


async def status_of(channel: grpc.aio.Channel, path: str, caller: str | None) -> grpc.StatusCode:
    """Return the status of a call with an empty request; OK for a stream that began."""
    service, name = path.removeprefix("/btimd.v1.").split("/")
    (file,) = (file for file in FILES if service in file.DESCRIPTOR.services_by_name)
    method = file.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    metadata = (("authorization", f"Bearer {SECRETS[caller]}"),) if caller else ()
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    call = make(path, GetMessageClass(method.input_type).SerializeToString)(
        GetMessageClass(method.input_type)(), metadata=metadata
    )
    try:
        if method.server_streaming:
            await call.read()
            call.cancel()
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("path", NEEDED_ROLE)
async def test_every_call_lets_in_its_role_and_the_higher_ones_only(tmp_path: Path, path: str) -> None:
    settings = {"tokens_file": write_tokens(tmp_path / "tokens.toml"), "open_reads": False}
    async with serving(tmp_path, settings) as served, grpc.aio.insecure_channel(served.server) as channel:
        found = {caller: await status_of(channel, path, caller) for caller in RANKS}

    refused = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
    assert found[None] is grpc.StatusCode.UNAUTHENTICATED
    assert {caller for caller, code in found.items() if code not in refused} == {
        caller for caller, rank in RANKS.items() if rank >= NEEDED_ROLE[path]
    }


@pytest.mark.parametrize("path", NEEDED_ROLE)
async def test_open_reads_open_nothing_but_reads(served: Served, path: str) -> None:
    async with grpc.aio.insecure_channel(served.server) as channel:
        code = await status_of(channel, path, None)

    assert (code is grpc.StatusCode.UNAUTHENTICATED) is (NEEDED_ROLE[path] > Role.VIEWER)


@pytest.mark.parametrize("path", NEEDED_ROLE)
async def test_a_token_with_a_scope_is_let_in_where_each_thing_is_judged_by_it_only(served: Served, path: str) -> None:
    async with grpc.aio.insecure_channel(served.server) as channel:
        code = await status_of(channel, path, "sven")

    assert (code is not grpc.StatusCode.PERMISSION_DENIED) is (path in SCOPED_CALLS)


async def test_a_failure_inside_is_counted_and_tells_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served.book, "kept", [None])
    with served.client() as client:
        for _ in range(3):
            with pytest.raises(CallFailedError, match="^btimd failed on this call; its log says more$"):
                await asyncio.to_thread(client.sla_states)

    assert served.metrics.value("btimd_api_internal_errors_total") == 3
    assert [record.getMessage() for record in caplog.records if "failed" in record.getMessage()] == [
        "api-call-failed method=/btimd.v1.SlaService/ListSlaStates held_back=0"
    ]


async def test_calls_are_counted_by_status(served: Served) -> None:
    with served.client() as client:
        await asyncio.to_thread(client.graph)
        with pytest.raises(CallFailedError):
            await asyncio.to_thread(client.probe, "db1-sql")

    path = "/btimd.v1.GraphService"
    counted = served.metrics.value
    assert counted("btimd_api_calls_total", {"method": f"{path}/GetGraph", "code": "OK"}) == 1
    assert counted("btimd_api_calls_total", {"method": f"{path}/RunProbe", "code": "UNAUTHENTICATED"}) == 1
    assert counted("btimd_api_auth_failures_total", {"reason": "missing"}) == 1


async def test_one_stream_too_many_is_refused_and_a_closed_one_makes_room(tmp_path: Path) -> None:
    async with serving(tmp_path, {"max_streams": 1}) as served:
        with served.client() as client:
            first = client.watch_nodes()
            await asyncio.to_thread(next, first)
            with pytest.raises(CallFailedError, match="1 streams are open; close some, or raise api.max_streams"):
                await asyncio.to_thread(next, client.watch_sla_states())
            assert served.component.health().reason == "all 1 streams are in use"
            first.close()  # type: ignore[attr-defined]  # the client's streams are generators
            await until(lambda: served.component.streams == 0)
            second = client.watch_sla_states()
            assert (await asyncio.to_thread(next, second)).snapshot
            second.close()  # type: ignore[attr-defined]  # the client's streams are generators
            await until(lambda: served.component.streams == 0)

    assert served.metrics.value("btimd_api_streams_refused_total") == 1
    assert served.metrics.value("btimd_api_streams") == 0
    assert served.graph.nodes.subscribers == 0


async def test_a_slow_reader_gets_the_latest_and_not_every_change(served: Served) -> None:
    state = NODE_STATES[3]
    changed = [replace(state, detail=f"{number:06d} " + "x" * 2000) for number in range(2000)]
    with served.client() as client:
        stream = client.watch_nodes()
        await asyncio.to_thread(next, stream)
        for number, item in enumerate(changed):
            served.graph.nodes.publish("db1", item)
            if number % 10 == 0:
                await asyncio.sleep(0)
        got: list[NodeState] = []
        while not got or got[-1] != changed[-1]:
            got += (await asyncio.wait_for(asyncio.to_thread(next, stream), PATIENCE_SECONDS)).items

    details = [item.detail for item in got]
    assert details == sorted(details)
    assert len(details) < len(changed)
    assert got[-1] == changed[-1]

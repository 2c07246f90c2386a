import asyncio
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from btimd.api.client import CallFailedError, Client
from btimd.api.settings import ApiSettings
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from tests.api.conftest import Served, serving
from tests.fakes.views import NODE_STATES
from tests.patience import PATIENCE_SECONDS


async def test_health_tells_each_service_apart(served: Served) -> None:
    served.components["rca"] = ComponentHealth(HealthLevel.ERROR, "engine stopped")
    served.components["store.influx"] = ComponentHealth(HealthLevel.WARNING, "spooling")
    await served.component.refresh_health()

    with served.client() as client:
        found = await asyncio.to_thread(client.serving)

    assert found == {
        "": False,
        "ArchiveService": True,
        "BaselinesService": True,
        "BudgetService": True,
        "DeliveryService": True,
        "DiagnosisService": False,
        "DiscoveryService": True,
        "DutyService": True,
        "EventsService": False,
        "FlowsService": True,
        "GraphService": False,
        "ImpactService": False,
        "IncidentsService": True,
        "KnowledgeService": True,
        "NoticesService": True,
        "PersonsService": True,
        "PlanService": True,
        "ProblemsService": True,
        "QualityService": True,
        "ReportsService": True,
        "SlaService": True,
        "SurveysService": True,
        "TopologyService": True,
        "ViewsService": False,
    }


@pytest.mark.slow
async def test_run_follows_the_health_of_the_components(served: Served) -> None:
    running = asyncio.create_task(served.component.run())
    async with grpc.aio.insecure_channel(served.server) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="btimd.v1.SlaService"))
        first = await watch.read()
        served.components["sla"] = ComponentHealth(HealthLevel.ERROR, "accounts lost")
        second = await asyncio.wait_for(watch.read(), PATIENCE_SECONDS)
        watch.cancel()
    running.cancel()
    await asyncio.wait([running])

    assert [first.status, second.status] == [
        health_pb2.HealthCheckResponse.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING,
    ]


async def test_reflection_lists_the_services(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.server) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol="btimd.v1.SlaService"))
        described = await call.read()
        await call.done_writing()

    assert sorted(service.name for service in answer.list_services_response.service) == [
        "btimd.v1.ArchiveService",
        "btimd.v1.BaselinesService",
        "btimd.v1.BudgetService",
        "btimd.v1.DeliveryService",
        "btimd.v1.DiagnosisService",
        "btimd.v1.DiscoveryService",
        "btimd.v1.DutyService",
        "btimd.v1.EventsService",
        "btimd.v1.FlowsService",
        "btimd.v1.GraphService",
        "btimd.v1.ImpactService",
        "btimd.v1.IncidentsService",
        "btimd.v1.KnowledgeService",
        "btimd.v1.NoticesService",
        "btimd.v1.PersonsService",
        "btimd.v1.PlanService",
        "btimd.v1.ProblemsService",
        "btimd.v1.QualityService",
        "btimd.v1.ReportsService",
        "btimd.v1.SlaService",
        "btimd.v1.SurveysService",
        "btimd.v1.TopologyService",
        "btimd.v1.ViewsService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    ]
    assert b"btimd/v1/sla.proto" in described.file_descriptor_response.file_descriptor_proto[0]


async def test_streams_end_with_ok_when_the_server_stops(served: Served) -> None:
    served.graph.nodes.publish("db1", NODE_STATES[3])
    with served.client() as client:
        stream = client.watch_nodes()
        first = await asyncio.to_thread(next, stream)
        await served.component.stop()
        rest = await asyncio.to_thread(list, stream)

    assert (first.snapshot, list(first.items), rest) == (True, [NODE_STATES[3]], [])
    assert (
        served.metrics.value("btimd_api_calls_total", {"method": "/btimd.v1.GraphService/WatchNodes", "code": "OK"})
        == 1
    )
    assert served.graph.nodes.subscribers == 0


async def test_a_second_server_on_the_same_address_says_so(served: Served, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"api.grpc_listen = .*: cannot listen; is another btimd running there"):
        async with serving(tmp_path, {"grpc_listen": served.component.grpc_address}):
            pass
    with pytest.raises(OSError, match=r"api.http_listen = .*: cannot listen"):
        async with serving(tmp_path, {"http_listen": served.component.http_address}):
            pass


async def test_without_a_tokens_file_a_token_is_made_and_works(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with serving(state, {}) as served:
        secret = (state / "token").read_text().strip()
        with Client(served.server, token=secret) as client:
            result = await asyncio.to_thread(client.probe, "db1-sql")

    assert (state / "token").stat().st_mode & 0o777 == 0o600
    assert result.spec.why == "asked by local"


async def test_replaced_tokens_count_after_a_reload_and_a_wrong_file_changes_nothing(served: Served) -> None:
    tokens = served.directory / "tokens.toml"
    good = tokens.read_text()
    tokens.write_text("[[token]]\nname = 'x'")
    with pytest.raises(ValueError, match=r"token 1 \(x\): wanted a table with name, role and sha256"):
        served.component.reload_tokens()
    with served.client("mona") as client:
        await asyncio.to_thread(client.sla_states)
        tokens.write_text(good.replace('"mona"', '"mina"').replace("manager", "viewer"))
        served.component.reload_tokens()
        with pytest.raises(CallFailedError, match="mina is viewer; this call needs handler"):
            await asyncio.to_thread(client.probe, "db1-sql")


async def test_stop_may_be_called_twice_and_before_start(tmp_path: Path) -> None:
    served = Served(tmp_path, ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)))
    await served.component.stop()
    assert served.component.health() == ComponentHealth(HealthLevel.ERROR, "not started")
    await served.component.start()
    assert served.component.health() == ComponentHealth()
    await served.component.stop()
    await served.component.stop()

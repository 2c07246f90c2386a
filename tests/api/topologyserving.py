"""TopologyService served over a fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.api.topology import topology_service
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.topology import FakeTopology
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@asynccontextmanager
async def serving_topology(directory: Path, view: FakeTopology) -> AsyncIterator[str]:
    """Serve on a free port; yield where."""
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), default_interval=60.0),
        state_directory=directory,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=FakeDesk(),
        sla=FakeBook(),
        more=(topology_service(view),),
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    try:
        await component.start()
        host, port = component.grpc_address
        yield f"{host}:{port}"
    finally:
        await component.stop()

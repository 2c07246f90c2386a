"""A served API with an archive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from btimd.api.archive import archive_service
from btimd.api.client import Client
from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.archive import FakeArchive
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@dataclass
class Archived:
    """A running component and the archive behind it."""

    component: ApiComponent
    archive: FakeArchive = field(default_factory=FakeArchive)

    @property
    def server(self) -> str:
        """Where gRPC is served."""
        host, port = self.component.grpc_address
        return f"{host}:{port}"

    def client(self) -> Client:
        """Return a client of nobody."""
        return Client(self.server)


@asynccontextmanager
async def archived(directory: Path) -> AsyncIterator[Archived]:
    """Serve on free ports; reads are open."""
    archive = FakeArchive()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), default_interval=60.0),
        state_directory=directory,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=FakeDesk(),
        sla=FakeBook(),
        more=(archive_service(archive),),
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    try:
        await component.start()
        yield Archived(component, archive)
    finally:
        await component.stop()

"""An API that serves persons."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from btimd.api.component import ApiComponent
from btimd.api.persons import persons_service
from btimd.api.settings import ApiSettings
from btimd.model.persons import PersonsView
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.api.conftest import SECRETS, write_tokens
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@asynccontextmanager
async def serving_persons(directory: Path, view: PersonsView) -> AsyncIterator[tuple[str, str]]:
    """Serve a view; give the server and the token of an operator."""
    settings = ApiSettings(
        grpc_listen=("127.0.0.1", 0),
        http_listen=("127.0.0.1", 0),
        tokens_file=write_tokens(directory / "tokens.toml"),
        default_interval=60.0,
    )
    component = ApiComponent(
        settings=settings,
        state_directory=directory,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=FakeDesk(),
        sla=FakeBook(),
        more=(persons_service(view),),
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    try:
        await component.start()
        host, port = component.grpc_address
        yield f"{host}:{port}", SECRETS["otto"]
    finally:
        await component.stop()

"""A served API over the fakes, and callers of every role."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from btimd.api.agreements import agreements_service
from btimd.api.archive import archive_service
from btimd.api.baselines import baselines_service
from btimd.api.budget import budget_service
from btimd.api.client import Client
from btimd.api.component import ApiComponent
from btimd.api.delivery import delivery_service
from btimd.api.diagnosis import diagnosis_service
from btimd.api.discovery import discovery_service
from btimd.api.duty import duty_service
from btimd.api.events import events_service
from btimd.api.impact import impact_service
from btimd.api.knowledge import knowledge_service
from btimd.api.maintenance import maintenance_service
from btimd.api.notices import notices_service
from btimd.api.persons import persons_service
from btimd.api.plan import plan_service
from btimd.api.problems import problems_service
from btimd.api.quality import quality_service
from btimd.api.reports import reports_service
from btimd.api.rota import rota_service
from btimd.api.rpc import Service
from btimd.api.settings import ApiSettings
from btimd.api.surveys import surveys_service
from btimd.api.topology import topology_service
from btimd.api.views import views_service
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.archive import FakeArchive
from tests.fakes.baselines import FakeBaselines
from tests.fakes.budget import FakeBudget
from tests.fakes.delivery import FakeDelivery
from tests.fakes.diagnoses import FakeDiagnoses
from tests.fakes.discovery import FakeDiscovery
from tests.fakes.duty import FakeDuty
from tests.fakes.events import FakeEvents
from tests.fakes.impact import FakeOutages
from tests.fakes.knowledge import FakeKnowledge, FakeQuality
from tests.fakes.levels import FakeLevels
from tests.fakes.maintenance import FakeMaintenance
from tests.fakes.notices import FakeNotices
from tests.fakes.persons import FakePersons
from tests.fakes.planviews import FakePlan
from tests.fakes.reports import FakeReports
from tests.fakes.rota import FakeRota
from tests.fakes.serviceviews import FakeServiceViews
from tests.fakes.topology import FakeTopology
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph
from tests.patience import PATIENCE_SECONDS

SECRETS = {
    "vera": "viewer-secret",
    "rita": "reporter-secret",
    "otto": "handler-secret",
    "mona": "manager-secret",
    "sven": "scoped-secret",
}
ROLES = {"vera": "viewer", "rita": "reporter", "otto": "operator", "mona": "manager", "sven": "manager"}
"""otto has a handler's role by its old name; sven sees the business erp only."""
SCOPES = {"sven": 'businesses = ["erp"]\n'}


def write_tokens(path: Path) -> Path:
    """Write a tokens file with one caller of each role, and one with a scope."""
    entries = [
        f'[[token]]\nname = "{name}"\nrole = "{ROLES[name]}"\nsha256 = "{hashlib.sha256(secret.encode()).hexdigest()}"\n'
        + SCOPES.get(name, "")
        for name, secret in SECRETS.items()
    ]
    path.write_text("\n".join(entries))
    return path


@dataclass
class Served:
    """A running component and what lies behind it."""

    directory: Path
    settings: ApiSettings
    flows: FakeFlows = field(default_factory=FakeFlows)
    graph: FakeGraph = field(default_factory=FakeGraph)
    desk: FakeDesk = field(default_factory=FakeDesk)
    book: FakeBook = field(default_factory=FakeBook)
    metrics: Metrics = field(default_factory=Metrics)
    views: FakeServiceViews = field(default_factory=FakeServiceViews)
    persons: FakePersons = field(default_factory=FakePersons)
    notices: FakeNotices = field(default_factory=FakeNotices)
    plan: FakePlan = field(default_factory=FakePlan)
    discovery: FakeDiscovery = field(default_factory=FakeDiscovery)
    archive: FakeArchive = field(default_factory=FakeArchive)
    topology: FakeTopology = field(default_factory=FakeTopology)
    baselines: FakeBaselines = field(default_factory=FakeBaselines)
    budget: FakeBudget = field(default_factory=FakeBudget)
    diagnoses: FakeDiagnoses = field(default_factory=FakeDiagnoses)
    duty: FakeDuty = field(default_factory=FakeDuty)
    events: FakeEvents = field(default_factory=FakeEvents)
    delivery: FakeDelivery = field(default_factory=FakeDelivery)
    reports: FakeReports = field(default_factory=FakeReports)
    outages: FakeOutages = field(default_factory=FakeOutages)
    knowledge: FakeKnowledge = field(default_factory=FakeKnowledge)
    figures: FakeQuality = field(default_factory=FakeQuality)
    levels: FakeLevels = field(default_factory=FakeLevels)
    rota: FakeRota = field(default_factory=FakeRota)
    maintenance: FakeMaintenance = field(default_factory=FakeMaintenance)
    components: dict[str, ComponentHealth] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.component = ApiComponent(
            settings=self.settings,
            state_directory=self.directory,
            flows=self.flows,
            graph=self.graph,
            incidents=self.desk,
            sla=self.book,
            more=self.more(),
            metrics=self.metrics,
            health=lambda: self.components,
            clock=ManualClock(),
            log=Log("test"),
        )

    def more(self) -> tuple[Service, ...]:
        """Return the services of the areas, over their fakes."""
        return (
            archive_service(self.archive),
            baselines_service(self.baselines),
            budget_service(self.budget),
            diagnosis_service(self.diagnoses),
            duty_service(self.duty, self.desk),
            events_service(self.events),
            delivery_service(self.delivery),
            reports_service(self.reports),
            impact_service(self.outages, self.outages),
            discovery_service(self.discovery),
            persons_service(self.persons),
            notices_service(self.notices),
            plan_service(self.plan),
            topology_service(self.topology),
            views_service(self.views, ManualClock()),
            knowledge_service(self.knowledge),
            problems_service(self.knowledge),
            surveys_service(self.knowledge),
            quality_service(self.figures),
            agreements_service(self.levels),
            maintenance_service(self.maintenance),
            rota_service(self.rota),
        )

    @property
    def server(self) -> str:
        """Where gRPC is served."""
        host, port = self.component.grpc_address
        return f"{host}:{port}"

    @property
    def url(self) -> str:
        """Where HTTP is served."""
        host, port = self.component.http_address
        return f"http://{host}:{port}"

    def client(self, caller: str | None = None) -> Client:
        """Return a client of a caller of the tokens file, or of nobody."""
        return Client(self.server, token=SECRETS[caller] if caller else None)


@asynccontextmanager
async def serving(directory: Path, settings: Mapping[str, Any]) -> AsyncIterator[Served]:
    """Start a component on free ports and stop it in the end."""
    base = {"grpc_listen": ("127.0.0.1", 0), "http_listen": ("127.0.0.1", 0), "default_interval": 60.0}
    served = Served(directory, ApiSettings(**{**base, **settings}))
    try:
        await served.component.start()
        yield served
    finally:
        await served.component.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Serve with one caller of each role; reads are open."""
    async with serving(tmp_path, {"tokens_file": write_tokens(tmp_path / "tokens.toml")}) as running:
        yield running


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something on the loop has become true; fails after 10 s."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.001)

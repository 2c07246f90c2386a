"""A mirror port from end to end: the laboratory's packets become businesses, quality and evidence of a fault."""

import asyncio
from pathlib import Path

import pytest

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.lab.config import write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.model.ports import SpanInterface
from btimd.model.quality import QualityRow
from tests.patience import PATIENCE_SECONDS
from tests.programs import need, need_as_root
from tests.stories.test_faults import first

pytestmark = [pytest.mark.slow, pytest.mark.net]


async def test_what_a_mirror_port_shows_becomes_figures_of_businesses_and_evidence_of_a_fault(tmp_path: Path) -> None:
    need_as_root()
    need("tshark")
    async with Enterprise() as enterprise:
        write_configuration(tmp_path, enterprise, mirror=True)
        app = App(load_config(tmp_path))
        await app.start()
        running = asyncio.create_task(app.run())
        wired = app.wired
        await enterprise.start_users(app.addresses.capture[0])
        try:
            quality = wired.flows.watch_quality(interval_milliseconds=10_000)
            row = await first(quality, lambda row: row.business == "erp" and measured(row), 60.0)
            check_quality(row)
            check_interface(wired.span.interfaces())
            incidents = wired.incidents.watch()
            await enterprise.inject("db-error")
            opened = await first(incidents, lambda incident: "erp" in incident.assessment.businesses)
            story = await evidence_of(app, opened.id)
        finally:
            app.request_stop()
            await running
            await app.stop()
            await enterprise.stop()

    assert any("HTTP 500 in " in line or "PostgreSQL " in line for line in story), story
    files = list((tmp_path / "state" / "evidence").glob("*.pcapng"))
    assert files
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


def measured(row: QualityRow) -> bool:
    """Tell whether a row is of users, who are in these regions, and says all that is looked at."""
    of_users = row.region in {"north", "east", "south"} and row.server != ""
    return of_users and row.connections_established > 0 and row.client_leg.count > 0 and row.response.count > 0


def check_quality(row: QualityRow) -> None:
    """The server takes each user and answers."""
    assert (row.connections_refused, row.connections_unanswered) == (0, 0)
    assert row.client_leg.p50_seconds is not None
    assert row.client_leg.p50_seconds > 0
    assert row.response.p50_seconds is not None
    assert row.response.p50_seconds > 0


def check_interface(spans: tuple[SpanInterface, ...]) -> None:
    (span,) = spans
    assert (span.name, span.interface, span.threads, span.kernel_drops, span.link_up) == ("mirror", "lo", 1, 0, True)
    assert span.packets > 0


async def evidence_of(app: App, incident_id: str) -> list[str]:
    """Wait until packets were looked into, and return what the timeline says of them."""
    incidents = app.wired.incidents
    changes = incidents.watch()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                told = [one.reason for one in await incidents.timeline(incident_id) if one.kind == "observed"]
                if told:
                    return told
                await anext(changes.changes())
    finally:
        changes.close()

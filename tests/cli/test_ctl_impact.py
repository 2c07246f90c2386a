"""`btimctl simulate outage`, `restore-order` and `model grown` against a served API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.api.component import ApiComponent
from btimd.api.impact import impact_service
from btimd.api.settings import ApiSettings
from btimd.cli.btimctl import main
from btimd.model.outage import RestoringOrder
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.impact import FakeOutages
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOutages]:
    """Serve a FakeOutages, and let btimctl find it."""
    found = FakeOutages()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(impact_service(found, found),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    monkeypatch.setenv("BTIMD_SERVER", ":".join(map(str, component.grpc_address)))
    monkeypatch.setenv("COLUMNS", "200")
    yield found
    await component.stop()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


async def test_an_outage_is_shown_with_businesses_regions_and_redundancy(
    view: FakeOutages, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("simulate", "outage", "rack1") == 0

    assert lines(capsys.readouterr().out) == [
        "rack1 fails: 1 down, 1 degraded, 1 cut off; 7 stay as they are",
        "broken before: db2",
        "users without a business: at least 60 of 62",
        "",
        "business importance becomes users lost promise holds why",
        "ERP high down 60 60 33 min 12 s erp-app is bad (erp > erp-app > db > db1 > rack1)",
        "WEB low cut off 5 5 - users of south reach nothing (users-south > rack1)",
        "HR normal degraded - - - cache is bad",
        "",
        "region users lost remark",
        "north 40 40",
        "south 20 20 reaches nothing",
        "",
        "redundant state what carries it next to fail saves",
        "farm ▲ degraded hr1 is bad; carried by hr2 hr2 hr",
        "note: a person may use several businesses: over all of them users lost is a lower bound",
    ]
    assert view.asked == [("rack1",)]


async def test_a_restoring_order_is_shown_with_its_reasons(
    view: FakeOutages, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("restore-order") == 0
    assert lines(capsys.readouterr().out) == [
        "at least 62 users are without a business",
        "no repair kind sure users back verdict why",
        "1 dns shared 95 % 42 INC-7 brings back ERP, HR; 42 users work again",
        "2 db1 database 90 % - D1 ERP is whole again",
        "note: a person may use several businesses: users are lower bounds",
    ]
    view.order = RestoringOrder(1.0, (), None, users_exact=False)
    assert await run("restore-order") == 0
    assert lines(capsys.readouterr().out) == ["no cause is open"]


@pytest.mark.usefixtures("view")
async def test_grown_needs_are_shown_with_who_tells_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("model", "grown") == 0
    head, first, second = lines(capsys.readouterr().out)

    assert head == "node needs told by sure count since last seen counts"
    assert (first.split()[:4], first.split()[-1]) == (["host1", "sw3", "topology", "95"], "yes")
    assert second.endswith("no: would make a circle: db1 -> erp-app -> db1")


@pytest.mark.usefixtures("view")
async def test_json_holds_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("--json", "simulate", "outage", "rack1") == 0
    outage = json.loads(capsys.readouterr().out)
    assert (outage["businesses"][0]["breach_at"], outage["users_lost"]) == ("2026-09-21T14:46:32.000Z", 60)
    assert await run("--json", "restore-order") == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["cause"]["verdict_id"] == "D3"


@pytest.mark.usefixtures("view")
async def test_a_node_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("simulate", "outage", "nope") == 1
    assert "nope" in capsys.readouterr().err

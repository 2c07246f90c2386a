import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.cli.btimctl import main
from tests.api.conftest import serving
from tests.fakes.persons import FakePersons


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePersons]:
    async with serving(tmp_path, {}) as served:
        monkeypatch.setenv("BTIMD_SERVER", served.server)
        monkeypatch.setenv("COLUMNS", "160")
        yield served.persons


async def rows(line: str, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    assert await asyncio.to_thread(main, line.split()) == 0
    return [row.split() for row in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("view")
async def test_persons_are_shown_with_what_overrules_them_and_then_the_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = await rows("persons", capsys)
    assert [row[:3] for row in shown[:4]] == [
        ["address", "person", "source"],
        ["10.0.0.1", "anna", "radius"],
        ["2001:db8::/64", "lab", "list"],
        ["10.0.0.1", "(anna-pc)", "dhcp.hq"],
    ]
    assert shown[4:6] == [[], ["source", "place", "persons", "records", "refused", "changed", "remarks"]]
    assert shown[7] == [
        "dhcp.hq",
        "/var/lib/kea/kea-leases4.csv",
        "1",
        "40",
        "2",
        "-",
        "cannot",
        "read",
        "it;",
        "line",
        "7:",
        "a",
        "lease",
    ]


async def test_one_address_or_person_is_shown_alone(view: FakePersons, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row[1] for row in await rows("persons 10.0.0.1 --limit 5", capsys)] == ["person", "anna", "(anna-pc)"]
    assert await rows("persons 10.9.9.9", capsys) == [["nobody", "is", "known", "as", "or", "behind", "10.9.9.9"]]
    assert view.asked == [("10.0.0.1", 6), ("10.9.9.9", 101)]


async def test_sources_alone_and_none_at_all(view: FakePersons, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row[0] for row in await rows("persons --sources", capsys) if row] == ["source", "macs", "dhcp.hq"]
    view.sources = ()
    assert await rows("persons", capsys) == [
        ["no", "source", "tells", "of", "persons:", "flows.persons", "in", "btimd.toml", "names", "none"]
    ]


@pytest.mark.usefixtures("view")
async def test_json_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(main, ["--json", "persons"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("person", line.get("name")) for line in lines] == ["anna", "lab", "anna-pc", "macs", "dhcp.hq"]

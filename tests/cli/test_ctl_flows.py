"""btimctl flows and btimctl top against a served archive: what they ask, and what they print."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.cli.btimctl import main
from btimd.model.archive import FlowSearch, RankingQuery
from tests.api.archived import Archived, archived


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Archived]:
    async with archived(tmp_path) as running:
        monkeypatch.setenv("BTIMD_SERVER", running.server)
        monkeypatch.setenv("COLUMNS", "160")
        yield running


async def run(line: str) -> int:
    try:
        return await asyncio.to_thread(main, line.split())
    except SystemExit as ended:
        return int(ended.code or 0)


async def test_a_search_asks_for_what_was_written(served: Archived, capsys: pytest.CaptureFixture[str]) -> None:
    line = (
        "flows search --address 10.1.1.7 --peer 10.2.0.0/16 --port 443 --protocol tcp --business erp --region A"
        " --exporter core --interface 3 --min-octets 9 --duplicates --sort octets --limit 5"
        " --from 2023-11-14T22:00+00:00 --to 2023-11-14T23:00:00+00:00"
    )
    assert await run(line) == 0
    begin = 1_699_999_200_000
    assert served.archive.asked == [
        FlowSearch(
            begin, begin + 3_600_000, "", "", "10.1.1.7", "10.2.0.0/16", 443, 6, "erp", "A", "core", 3, 9, True,
            "octets", (), 5,
        )
    ]  # fmt: skip
    out, err = capsys.readouterr()
    assert "10.1.0.5:40000" in out
    assert "[2001:db8::2]:443" in out
    assert "btimctl: there is more" in err
    assert "4 M records in 3 files of 2 hours were searched in 0.5 s" in err
    assert "nothing was read of" in err


async def test_groups_are_asked_for_by_name(served: Archived, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("flows top client hour --since 24h --server 10.2.0.10") == 0
    (asked,) = served.archive.asked
    assert isinstance(asked, FlowSearch)
    assert (asked.group_by, asked.server, asked.sort) == (("client", "hour"), "10.2.0.10", "time")
    assert asked.to_milliseconds - asked.from_milliseconds == 86_400_000
    out, _ = capsys.readouterr()
    assert out.splitlines()[1].split()[0] == "10.1.0.5"
    assert out.splitlines()[2].split()[0] == "all"


async def test_a_ranking_is_asked_for_by_name(served: Archived, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("top businesses --by users --business erp --limit 3 --since 7d") == 0
    (asked,) = served.archive.asked
    assert isinstance(asked, RankingQuery)
    assert (asked.subject, asked.measure, asked.business, asked.limit) == ("businesses", "users", "erp", 3)
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["1", "erp"], ["others", "40"], ["all", "100"]]
    assert "btimctl: a remark" in err


async def test_programs_get_lines_of_json(served: Archived, capsys: pytest.CaptureFixture[str]) -> None:
    assert served.archive.asked == []
    for line in ("flows search", "flows top client", "flows status", "top servers"):
        assert await run(f"--json {line}") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [min(one) for one in found] == ["businesses", "clients", "bad_files", "columns"]


@pytest.mark.parametrize(
    "line", ["flows", "flows top cats", "flows search --from soon", "top joy", "flows search --protocol x"]
)
async def test_what_cannot_be_meant_is_refused(served: Archived, line: str) -> None:
    assert await run(line) == 2
    assert served.archive.asked == []

"""btimctl duty against a served API, as it looks."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.cli.btimctl import main
from tests.api.conftest import SECRETS, Served, serving, write_tokens
from tests.fakes.duty import MONDAY


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Serve, and let btimctl be a handler."""
    token = tmp_path / "otto"
    token.write_text(SECRETS["otto"])
    async with serving(tmp_path, {"tokens_file": write_tokens(tmp_path / "tokens.toml")}) as running:
        monkeypatch.setenv("BTIMD_SERVER", running.server)
        monkeypatch.setenv("BTIMD_TOKEN_FILE", str(token))
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("TZ", "UTC")
        yield running


async def lines(capsys: pytest.CaptureFixture[str], line: str) -> list[str]:
    """Run btimctl in a thread, as the server runs on this loop."""
    assert await asyncio.to_thread(main, line.split()) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


async def test_who_is_on_duty_is_a_line_each(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert await lines(capsys, "duty") == [
        "group  who     name  stands      until           changes         note",
        "db     li.na   李娜  ● on shift  11-02 16:00:00  11-02 16:00:00",
        "       bob     Bob   ◔ soon      -",
        "noc    nobody                                    -               nobody on duty, 1 wanted",
    ]
    assert len(await lines(capsys, "duty now --group noc --at 2026-11-02T00:00+00:00")) == 2
    assert served.duty.asked == [("on_duty", "", None), ("on_duty", "noc", MONDAY)]


async def test_the_week_is_a_table_with_what_is_wrong(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert await lines(capsys, "duty week --group db") == [
        "group         Mon 11-02  Tue 11-03  Wed 11-04  Thu 11-05   Fri 11-06  Sat 11-07  Sun 11-08",
        "db            li.na      li.na      bob*       00-08 bob*  -          -          -",
        "db (back-up)  dee+       dee+       dee+       dee+        dee+       dee+       dee+",
        "",
        "gap: rota db: 2026-11-05 08:00 to 2026-11-09 00:00 UTC (88 h): nobody on duty, 1 wanted",
    ]
    assert served.duty.asked == [("rota", "db", None, 7)]


@pytest.mark.usefixtures("served")
async def test_why_somebody_got_an_order_is_the_whole_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert await lines(capsys, "duty why I-1") == [
        "#2 dispatched 11-02 09:00:00: li.na, class db, path database",
        "Li Na (li.na) (Database, level 1) was chosen.",
        "weights of P2: duty 1, skill 1.2, load 1, fair 0.2, affinity 0.5",
        "level 1, group db, rota db:",
        "   who    score  duty  skill  load  fair  affinity  facts",
        ">  li.na   0.80  1.00   0.93  0.96  0.63      1.00  on shift, skill 0.93 (as declared), 0.5 of 3.0 orders open",
        "  off duty: dee",
        "  asked before or excluded: bob",
    ]


@pytest.mark.usefixtures("served")
async def test_candidates_and_load_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert await lines(capsys, "duty candidates I-1") == [
        "I-1: peers that bob may hand it to (level 1)",
        "  who    score  duty  skill  load  fair  affinity  facts",
        "  li.na   0.80  1.00   0.93  0.96  0.63      1.00  on shift, skill 0.93 (as declared), 0.5 of 3.0 orders open",
    ]
    assert await lines(capsys, "duty load --weeks 2") == [
        "week   who    name  duty h  back-up h  night h  weekend h  longest h  incidents  open      load",
        "11-02  li.na  李娜      48          0       16          0         48          5     2  3.5 of 3",
    ]
    (load,) = await lines(capsys, "--json duty load")
    assert json.loads(load)["person"] == "li.na"

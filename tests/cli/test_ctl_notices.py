import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from btimd.cli.btimctl import main
from btimd.cli.ctl_notices import notices_table, screen_picture
from tests.api.conftest import serving
from tests.fakes.notices import ERP, NOTICES, FakeNotices


def rendered(picture: RenderableType) -> list[str]:
    console = Console(width=160, color_system=None)
    with console.capture() as capture:
        console.print(picture)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeNotices]:
    async with serving(tmp_path, {}) as served:
        monkeypatch.setenv("BTIMD_SERVER", served.server)
        monkeypatch.setenv("BTIMD_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("COLUMNS", "160")
        yield served.notices


async def ran(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = await asyncio.to_thread(main, line.split())
    return status, [row.rstrip() for row in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("view")
async def test_attempts_are_listed_oldest_first_with_why_they_failed(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = await ran(f"notices {ERP.id}", capsys)
    assert status == 0
    assert shown[0].split() == ["at", "person", "kind", "means", "channel", "state", "remarks"]
    assert shown[1].endswith("otto    order  screen  screen   delivered")
    assert shown[2].endswith("otto    order  sms     gw       failed     refused: no such number")
    _, shown = await ran("--json notices --person mona", capsys)
    assert [json.loads(row)["id"] for row in shown] == ["3"]


async def test_an_answer_names_the_order_or_leaves_it_open(
    view: FakeNotices, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await ran("answer return 1122-0001 not mine", capsys))[0] == 0
    assert (await ran("answer accept -", capsys))[0] == 0
    assert [asked[1:] for asked in view.asked] == [
        ("local", "return", "1122-0001", "not mine", ""), ("local", "accept", "", "", ""),
    ]  # fmt: skip


@pytest.mark.usefixtures("view")
async def test_a_test_waits_for_what_becomes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = await ran("contact test otto", capsys)
    assert status == 0
    assert "accepted by gateway" in shown[1]
    status, _ = await ran("contact test otto wrong", capsys)
    assert status == 1


def test_a_screen_shows_orders_with_how_to_answer_them() -> None:
    shown = rendered(screen_picture(NOTICES[:1]))
    assert shown[0].endswith("otto  [P2] 支付 监听中断 #1122-0001")
    assert shown[1].strip().startswith("接单 btimctl answer accept 1122-0001 | 退单")
    assert "REASON" in rendered(screen_picture(NOTICES[:1], "en"))[1]
    assert len(rendered(screen_picture(NOTICES[2:]))) == 1  # news needs no answer


def test_what_may_have_arrived_is_said() -> None:
    assert rendered(notices_table(NOTICES[2:]))[1].endswith("may have arrived")
    assert "回复 1接" in rendered(notices_table(NOTICES[2:], texts=True))[1]

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from btimd.cli.btimctl import main
from btimd.cli.ctl_users import counts_table, users_table
from btimd.model.users import UserQuery
from tests.api.conftest import SECRETS, Served, serving, write_tokens
from tests.fakes.views import USER, USER_COUNT


def lines(picture: RenderableType) -> list[str]:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()[1:]]


def test_a_user_is_shown_with_place_state_and_trend() -> None:
    assert lines(users_table([USER], zone=UTC)) == [
        "10.1.2.3  Li Wei  Shanghai  Finance  active  09-21 14:13:21    5 MB  ↑ 200 kbit/s"
    ]


def test_what_is_not_known_of_a_user_is_a_dash_and_who_named_the_person_is_said() -> None:
    new = replace(
        USER, business="", region="", segment="", person_source="dhcp", octets_per_second=None,
        octets_per_second_before=None, trend="unknown",
    )  # fmt: skip
    assert lines(users_table([new], with_business=True, zone=UTC)) == [
        "10.1.2.3  (none)    Li Wei (dhcp)  -       -        active  09-21 14:13:21    5 MB    -"
    ]


def test_counts_have_a_column_for_each_name_they_are_told_apart_by() -> None:
    assert lines(counts_table([USER_COUNT, replace(USER_COUNT, region="")], ("region", "segment"))) == [
        "Shanghai  Finance      30     7     2       21    9 MB  1 Mbit/s",
        "-         Finance      30     7     2       21    9 MB  1 Mbit/s",
    ]


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    token = tmp_path / "vera"
    token.write_text(SECRETS["vera"])
    async with serving(tmp_path, {"tokens_file": write_tokens(tmp_path / "tokens.toml")}) as running:
        monkeypatch.setenv("BTIMD_SERVER", running.server)
        monkeypatch.setenv("BTIMD_TOKEN_FILE", str(token))
        yield running


async def test_every_filter_of_the_command_line_reaches_the_server(served: Served) -> None:
    line = "users erp --region north --segment sales --person zhang --state active --address 10.1.0.0/16 --top traffic"

    assert await asyncio.to_thread(main, line.split()) == 0
    assert served.flows.users_asked == [UserQuery("erp", "north", "sales", "zhang", "active", "10.1.0.0/16", "traffic")]
    assert (
        await asyncio.to_thread(main, ["users", "--by", "region", "--by", "region", "--by", "person", "--seen", "1m"])
        == 0
    )
    assert served.flows.counts_asked == [(None, ("region", "person"), 60.0)]

from pathlib import Path

import aiohttp
import pytest

from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from tests.api.conftest import SECRETS, Served, serving, write_tokens


async def fetch(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text()


async def test_the_process_is_alive_while_the_loop_turns(served: Served) -> None:
    served.components["rca"] = ComponentHealth(HealthLevel.ERROR, "engine stopped")

    assert await fetch(f"{served.url}/healthz") == (200, "ok\n")


async def test_ready_is_not_said_while_a_component_is_in_error(served: Served) -> None:
    served.components["store"] = ComponentHealth(HealthLevel.WARNING, "spooling")
    warned = await fetch(f"{served.url}/readyz")
    served.components["rca"] = ComponentHealth(HealthLevel.ERROR, "engine stopped")
    broken = await fetch(f"{served.url}/readyz")

    assert warned == (200, "ready\nstore: warning spooling\n")
    assert broken == (503, "not ready\nstore: warning spooling\nrca: error engine stopped\n")


async def test_metrics_are_exposed(served: Served) -> None:
    served.metrics.counter("btimd_lost_total", "Lost").inc(3)
    status, text = await fetch(f"{served.url}/metrics")

    assert status == 200
    assert "btimd_lost_total 3.0\n" in text


@pytest.mark.parametrize(
    ("headers", "status", "ready"),
    [
        ({}, 401, "ready\n"),
        ({"Authorization": "Bearer wrong"}, 401, "ready\n"),
        ({"Authorization": f"Bearer {SECRETS['vera']}"}, 200, "ready\nrca: ok\n"),
    ],
)
async def test_where_reads_are_closed_metrics_and_details_need_a_token(
    tmp_path: Path, headers: dict[str, str], status: int, ready: str
) -> None:
    tokens = write_tokens(tmp_path / "tokens.toml")
    async with serving(tmp_path, {"tokens_file": tokens, "open_reads": False}) as served:
        served.components["rca"] = ComponentHealth()

        assert (await fetch(f"{served.url}/metrics", **headers))[0] == status
        assert await fetch(f"{served.url}/readyz", **headers) == (200, ready)

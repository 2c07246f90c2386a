import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api.calls_archive import archive_status, rank, search_flows
from btimd.api.client import CallFailedError
from btimd.model.archive import ArchiveBusyError, FlowSearch, RankingQuery
from tests.api.archived import Archived, archived
from tests.fakes.archive import FLOWS, GROUPS, RANKING, START, STATUS

SEARCH = FlowSearch(
    START, START + 1, "10.0.0.0/8", "10.2.0.1", "::1", "::2", 0, 6, "", "", "core", 7, 5, True, "octets", (), 9
)  # fmt: skip
PLAIN = FlowSearch(START, START + 1)
QUERY = RankingQuery("links", "packets", START, START + 1, "", 3)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Archived]:
    async with archived(tmp_path) as running:
        yield running


async def test_a_search_arrives_as_it_was_meant_and_so_does_its_answer(served: Archived) -> None:
    grouped = replace(PLAIN, group_by=("client", "hour"))
    with served.client() as client:
        assert await asyncio.to_thread(search_flows, client, SEARCH) == FLOWS
        assert await asyncio.to_thread(search_flows, client, grouped) == GROUPS
        assert await asyncio.to_thread(search_flows, client, replace(PLAIN, limit=0)) == FLOWS
    assert served.archive.asked == [SEARCH, grouped, PLAIN]


async def test_a_ranking_arrives_as_it_was_meant_and_so_does_its_answer(served: Archived) -> None:
    with served.client() as client:
        assert await asyncio.to_thread(rank, client, QUERY) == RANKING
        assert await asyncio.to_thread(rank, client, replace(QUERY, limit=0, business=None)) == RANKING
    assert served.archive.asked == [QUERY, replace(QUERY, limit=10, business=None)]


@pytest.mark.parametrize("state", [STATUS, replace(STATUS, oldest_milliseconds=None, newest_milliseconds=None)])
async def test_the_state_of_the_archive_is_told(served: Archived, state: object) -> None:
    served.archive.state = state  # type: ignore[assignment]  # one of two states
    with served.client() as client:
        assert await asyncio.to_thread(archive_status, client) == state


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"limit": 1001}, "limit: 1001 is not from 0 to 1000"),
        ({"port": 65_536}, "port: 65536 is not from 0 to 65535"),
        ({"protocol": -1}, "protocol: -1 is not from 0 to 255"),
        ({"interface": 2**32}, "interface: 4294967296 is not from 0"),
        ({"min_octets": -1}, "min_octets: -1 is less than 0"),
        ({"business": "x" * 201}, "business: 201 characters; 200 at most"),
        ({"from_milliseconds": -1}, "from_time: lies outside the years 1970 to 9999"),
    ],
)
async def test_what_may_not_be_searched_for_is_refused_with_its_field(
    served: Archived, change: dict[str, object], why: str
) -> None:
    with served.client() as client, pytest.raises(CallFailedError, match=why):
        await asyncio.to_thread(search_flows, client, replace(PLAIN, **change))  # type: ignore[arg-type]  # one field of any kind
    assert served.archive.asked == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ValueError("peer: the other end of what?"), "INVALID_ARGUMENT"),
        (ArchiveBusyError("8 searches are running"), "RESOURCE_EXHAUSTED"),
    ],
)
async def test_what_the_archive_refuses_is_told_to_the_caller(served: Archived, failure: Exception, code: str) -> None:
    served.archive.failure = failure
    with served.client() as client:
        for call, asked in ((search_flows, PLAIN), (rank, QUERY)):
            with pytest.raises(CallFailedError, match=str(failure)[:10]) as refused:
                await asyncio.to_thread(call, client, asked)  # type: ignore[arg-type]  # each its own
            assert refused.value.code == code


async def test_a_store_that_is_away_is_said(served: Archived) -> None:
    served.archive.failure = ConnectionError("refused")
    with served.client() as client, pytest.raises(CallFailedError) as refused:
        await asyncio.to_thread(rank, client, QUERY)
    assert refused.value.code == "UNAVAILABLE"

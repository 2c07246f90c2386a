"""The archive as seen by a caller."""

from typing import Final

from btimd.api.client import Client
from btimd.api.convert_archive import (
    ARCHIVE_STATUS,
    FLOW_GROUP,
    FLOW_SEARCH,
    FLOW_SORT,
    RANKING,
    RANKING_QUERY,
    SEARCH_RESULT,
)
from btimd.api.pb import archive_pb2 as pb
from btimd.model.archive import ArchiveStatus, FlowSearch, Ranking, RankingQuery, SearchResult

_SEARCH_SECONDS: Final = 90.0

__all__ = ["FLOW_GROUP", "FLOW_SORT", "archive_status", "rank", "search_flows"]


def search_flows(client: Client, search: FlowSearch) -> SearchResult:
    """Find flow records."""
    return SEARCH_RESULT.from_pb(client.call("SearchFlows", FLOW_SEARCH.to_pb(search), _SEARCH_SECONDS))


def rank(client: Client, query: RankingQuery) -> Ranking:
    """Return the largest of something."""
    return RANKING.from_pb(client.call("Rank", RANKING_QUERY.to_pb(query), _SEARCH_SECONDS))


def archive_status(client: Client) -> ArchiveStatus:
    """Return what the archive holds."""
    return ARCHIVE_STATUS.from_pb(client.call("GetArchiveStatus", pb.GetArchiveStatusRequest()))

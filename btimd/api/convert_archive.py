"""Searches, rankings and the state of the archive <-> protobuf."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import archive_pb2 as pb
from btimd.model.archive import (
    ArchiveStatus,
    Coverage,
    FlowSearch,
    FoundFlow,
    FoundGroup,
    Ranking,
    RankingQuery,
    RankingRow,
    SearchResult,
    TimeRange,
)

_TIMES = {"from_milliseconds": "from_time", "to_milliseconds": "to_time"}

FLOW_SEARCH = Codec(FlowSearch, pb.SearchFlowsRequest, _TIMES)
FOUND_FLOW = Codec(FoundFlow, pb.FoundFlow, {"start_milliseconds": "start_at", "end_milliseconds": "end_at"})
FOUND_GROUP = Codec(FoundGroup, pb.FoundGroup, {"first_milliseconds": "first_at", "last_milliseconds": "last_at"})
TIME_RANGE = Codec(TimeRange, pb.TimeRange, _TIMES)
COVERAGE = Codec(Coverage, pb.Coverage)
SEARCH_RESULT = Codec(SearchResult, pb.SearchFlowsResponse)
RANKING_QUERY = Codec(RankingQuery, pb.RankRequest, _TIMES)
RANKING_ROW = Codec(RankingRow, pb.RankingRow)
RANKING = Codec(Ranking, pb.RankResponse, _TIMES)
ARCHIVE_STATUS = Codec(
    ArchiveStatus,
    pb.GetArchiveStatusResponse,
    {"oldest_milliseconds": "oldest_at", "newest_milliseconds": "newest_at"},
)


def _enum(name: str) -> EnumCodec:
    return EnumCodec(None, pb.DESCRIPTOR.enum_types_by_name[name])


FLOW_SORT = _enum("FlowSort")
FLOW_GROUP = _enum("FlowGroup")
RANK_SUBJECT = _enum("RankSubject")
RANK_MEASURE = _enum("RankMeasure")

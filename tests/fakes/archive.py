"""An archive that answers what it was given and remembers what it was asked."""

from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.archive import (
    ArchiveStatus,
    ArchiveView,
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

START = 1_700_000_000_000
FLOW = FoundFlow(
    start_milliseconds=START, end_milliseconds=START + 4200, client="10.1.0.5", client_port=40000, server="2001:db8::2",
    server_port=443, protocol=6, from_client=True, octets=12_000, packets=20, tcp_control_bits=0x1B,
    ip_class_of_service=0, sampling_rate=10, exporter="core-1", ingress_interface=1, egress_interface=2**32 - 1,
    vlan_id=10, rule="erp-web", businesses=("erp", "hr"), region="Shanghai", segment="office", duplicate=True,
    record_quality=8,
)  # fmt: skip
GROUP = FoundGroup(("10.1.0.5", "1700000000000"), 1000, 9000, 20, 3, START, START + 9, 1)
COVERAGE = Coverage(2, 3, 4_000_000, (TimeRange(START, START + 3_600_000),), ("a.parquet: broken",), "", 0.5)
FLOWS = SearchResult((FLOW,), (), True, COVERAGE)
GROUPS = SearchResult((), (GROUP,), False, COVERAGE, FoundGroup((), 1000, 9000, 20, 3, START, START + 9, 1))
RANKING = Ranking(
    ("business",), "octets", (RankingRow(("erp",), 60.0, 0.6), RankingRow((), 40.0, 0.4, others=True)), 100.0,
    START, START + 60_000, 60_000, "series", ("a remark",), None,
)  # fmt: skip
STATUS = ArchiveStatus(
    True, 24, 48, 1_200_000_000, 100_000_000, START, START + 86_400_000, 10_000_000_000, 604_800.0, 5, 6, 7, (), "",
)  # fmt: skip


@dataclass
class FakeArchive(ArchiveView):
    """Answers searches with flows or groups, as asked; raises `failure` where there is one."""

    asked: list[FlowSearch | RankingQuery] = field(default_factory=list)
    failure: Exception | None = None
    state: ArchiveStatus = STATUS

    @override
    async def search(self, search: FlowSearch) -> SearchResult:
        self._note(search)
        return GROUPS if search.group_by else FLOWS

    @override
    async def rank(self, query: RankingQuery) -> Ranking:
        self._note(query)
        return RANKING

    @override
    async def status(self) -> ArchiveStatus:
        return self.state

    def _note(self, asked: FlowSearch | RankingQuery) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(asked)

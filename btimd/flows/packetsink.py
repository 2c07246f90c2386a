"""FlowSink: what happens on a capture thread: frames into a flow table, what it makes of them to the flow thread."""

from collections.abc import Callable
from typing import Final

from typing_extensions import override

from btimd.flows.table import FlowTable
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.ports import PacketSink

HARVEST_NANOSECONDS: Final = 1_000_000_000
MOST_PENDING: Final = 65_536
"""Records; with more, the table hands over what it has at once, so that a flood of flows takes no memory."""


class FlowSink(PacketSink):
    """Feeds one flow table, and hands on what it has once a second.

    deliver: takes the traffic. between: does what else this thread has to do between blocks; it gets the time, ns.
    """

    def __init__(
        self,
        table: FlowTable,
        deliver: Callable[[SpanTraffic], None],
        between: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._table = table
        self._deliver = deliver
        self._between = between
        self._harvested = 0
        self._lost = 0
        self._relabel = False

    @property
    def table(self) -> FlowTable:
        """Its table; only counters may be asked by other threads."""
        return self._table

    def relabel(self) -> None:
        """Have all flows labelled anew, soon, on the capture thread; any thread may ask."""
        self._relabel = True

    @override
    def add(self, block: PacketBlock) -> None:
        self._table.add(block)
        if self._table.waiting > MOST_PENDING:
            self._harvest(self._harvested)

    @override
    def tick(self, now_nanoseconds: int, lost_packets: int) -> None:
        self._lost += lost_packets
        if self._relabel:
            self._relabel = False
            self._table.relabel()
        self._between(now_nanoseconds)
        if not 0 <= now_nanoseconds - self._harvested < HARVEST_NANOSECONDS:
            self._harvest(now_nanoseconds)

    @override
    def close(self) -> None:
        self._harvest(self._harvested)
        self._deliver(self._table.flush())

    def _harvest(self, now: int) -> None:
        self._harvested = now
        lost, self._lost = self._lost, 0
        traffic = self._table.harvest(now, lost_packets=lost)
        if traffic.packets or lost or len(traffic.flows) or len(traffic.quality):
            self._deliver(traffic)

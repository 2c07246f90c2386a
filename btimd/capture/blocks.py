"""The channel of datagram blocks: bounded in blocks and in memory; what ends a stream is never dropped before data."""

from typing import Final

from typing_extensions import override

from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel

_ROW_OCTETS: Final = 34  # offset, two halves of an address, port and arrival
_BLOCK_OCTETS: Final = 1024  # seven Python objects


def memory_of(block: DatagramBlock) -> int:
    """Return about how many octets a block takes."""
    return block.slab.nbytes + _ROW_OCTETS * len(block) + _BLOCK_OCTETS


def ends_stream(block: DatagramBlock) -> bool:
    """Tell whether a block says nothing but that a connection ended."""
    return block.stream and not block.slab.nbytes


class BlockChannel(Channel[DatagramBlock]):
    """A channel of at most `capacity` blocks that take at most `max_octets` together; it weighs them by datagrams.

    A single block larger than `max_octets` still passes. The end of a stream is dropped only when there is nothing
    else to drop: without it the templates of a connection would stay.
    """

    def __init__(self, capacity: int, max_octets: int) -> None:
        super().__init__(capacity, weigh=len)
        self._max_octets = max_octets
        self._octets = 0

    @override
    def put(self, item: DatagramBlock) -> None:
        """Append a block; the oldest go when there is no room. After close blocks are dropped and counted."""
        octets = memory_of(item)
        with self._ready:
            if not self._closed:
                while self._items and (len(self._items) >= self._capacity or self._octets + octets > self._max_octets):
                    self._drop_oldest()
                self._octets += octets
            super().put(item)

    @override
    def get(self, timeout_seconds: float) -> DatagramBlock | None:
        """Return the oldest block, or None when none came in time or the channel is closed and empty."""
        block = super().get(timeout_seconds)
        if block is not None:
            with self._ready:
                self._octets -= memory_of(block)
        return block

    def _drop_oldest(self) -> None:
        index = next((at for at, block in enumerate(self._items) if not ends_stream(block)), 0)
        block = self._items[index]
        del self._items[index]
        self._octets -= memory_of(block)
        self._drop(block)

    @property
    def octets(self) -> int:
        """Memory of the blocks inside."""
        return self._octets

    @property
    def fullness(self) -> float:
        """How full the channel is: 0 empty, 1 about to drop."""
        return max(len(self._items) / self._capacity, self._octets / self._max_octets)

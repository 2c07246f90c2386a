"""LinkTap: shows every flow record to the windows of links, and hands on what they emit."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows.linkbatches import LinkBatch
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkCounters, LinkWindows
from btimd.model.flowbatch import AttributedBatch
from btimd.model.taps import Names, RecordTap
from btimd.model.units import UnixMillis


class LinkTap(RecordTap):
    """Adds up what goes over interfaces. emit: called on the flow thread with every batch, oldest first.

    compared: the share of flows that was looked at for duplicates when the records at hand were, asked on the flow
    thread: 1 = all, 0 = none.
    """

    def __init__(
        self,
        emit: Callable[[LinkBatch], object],
        limits: LinkLimits | None = None,
        seed: int = 0,
        compared: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._compared = compared
        self._windows = LinkWindows(limits, seed)
        self._emit = emit

    @property
    def counters(self) -> LinkCounters:
        """What was lost, and why."""
        return self._windows.counters

    @override
    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        """Take records, duplicates too: they count at every hop."""
        self._windows.add(batch, duplicate, names, now, self._compared())

    @override
    def tick(self, now: UnixMillis) -> None:
        """Emit the intervals that closed."""
        for batch in self._windows.close(now):
            self._emit(batch)

    @override
    def flush(self) -> None:
        """Emit what is held."""
        for batch in self._windows.flush():
            self._emit(batch)

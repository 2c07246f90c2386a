"""What exporters say they sent and what came of it, by the interval of 10 s in which it arrived."""

import numpy as np
import numpy.typing as npt

from btimd.kernels.aggregate import FINE_MILLISECONDS
from btimd.model.units import UNKNOWN_ID

_BUCKETS = 64
_RECEIVED, _LOST = range(2)


class ExportLoss:
    """Records received and lost of the exporters, the latest `slots` intervals (a power of two).

    Exporters are told apart by their number modulo 64, as in the cells of windows: of more than 64, some share a ratio.
    """

    def __init__(self, slots: int, grace_milliseconds: int) -> None:
        self._grace = -(-grace_milliseconds // FINE_MILLISECONDS)
        self._interval = np.full(slots, UNKNOWN_ID, np.int64)
        self._counts = np.zeros((slots, _BUCKETS, 2), np.int64)
        self._known = np.zeros((0, 2), np.int64)

    def note(self, counts: npt.NDArray[np.int64], interval: int) -> None:
        """Book what came since the last call to an interval; counts: int64[n, 2], received and lost by exporter_id.

        Where lost is below 0 nobody knows; what such an exporter sent says nothing of the others' loss.
        """
        before = np.zeros_like(counts)
        before[: len(self._known)] = self._known[: len(counts)]
        grown = np.where(counts[:, _LOST:] >= 0, np.maximum(counts - before, 0), 0)
        self._known = np.maximum(counts, before)  # an estimate that sinks and rises again is no new loss
        slot = interval & (len(self._interval) - 1)
        if self._interval[slot] != interval:
            self._interval[slot] = interval
            self._counts[slot] = 0
        np.add.at(self._counts[slot], np.arange(len(counts)) % _BUCKETS, grown)

    def ratio(self, exporters: npt.NDArray[np.int64], first: int, length: int) -> npt.NDArray[np.float64]:
        """Return the share that was lost of what each set of exporters (64 bits) sent; NaN = nobody knows.

        Counted is what arrived in `length` intervals from `first` on and in the grace behind them: traffic is exported
        after it passed.
        """
        wanted = np.arange(first, first + length + self._grace)
        slots = wanted & (len(self._interval) - 1)
        counts = self._counts[slots[self._interval[slots] == wanted]].sum(axis=0)
        if not counts.any():
            return np.full(len(exporters), np.nan)
        sets, of_cell = np.unique(exporters, return_inverse=True)
        members = (sets[:, None] >> np.arange(_BUCKETS)) & 1
        received, lost = (members @ counts[:, column] for column in (_RECEIVED, _LOST))
        sent = received + lost
        ratio = np.where(sent > 0, lost / np.maximum(sent, 1), np.nan)
        return ratio[of_cell.ravel()]

    def clear(self) -> None:
        """Forget all intervals, not what the exporters' counts were."""
        self._interval[:] = UNKNOWN_ID

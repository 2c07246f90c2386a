"""WindowBatch: what each business carried, per place and interval."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isnan

import numpy as np
import numpy.typing as npt

from btimd.model.units import UnixMillis


def interval_name(interval_milliseconds: int) -> str:
    """Return the name of an interval length: "10s", "60s"."""
    return f"{interval_milliseconds / 1000:g}s"


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One row of a WindowBatch in words, for people and the API. `business` is empty for unattributed traffic.

    sampling_error_ratio: 95 % of estimates like this lie within this share of the truth, as far as sampling goes.
    export_loss_ratio: of what the exporters of this traffic sent in the interval, the share that never came; None =
    nobody knows. times_adjusted: some records told no usable time. rate_assumed: some exporter announced no rate.
    users_error_ratio: 95 % of such counts of users lie within this share of the truth, 0 = counted one by one. Where
    users_exact is False and the ratio 0, users is a lower bound.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    business: str
    region: str
    segment: str
    octets_to_server: int
    octets_to_client: int
    packets: int
    flows: int
    users: int
    users_exact: bool
    sampled: bool
    revision: int
    sampling_error_ratio: float = 0.0
    export_loss_ratio: float | None = None
    times_adjusted: bool = False
    rate_assumed: bool = False
    users_error_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """The cells of one interval, or the changed cells of one that was emitted before (`revision` > 0).

    Octets and packets are estimates of what passed: exported counters times the sampling rate (`sampled`: uint8, 1
    where any record of the cell was sampled). A flow's octets are spread over the flow's own time; a flow counts in
    the interval in which it ended. users: distinct client addresses; a lower bound where `users_exact` is 0.
    A business of several owners of a service gets the whole record, so the sum over businesses may exceed the total.
    business_id, place_id: int32 into `businesses` and `places`; -1 is unattributed traffic, unknown place.
    sampling_error_ratio, export_loss_ratio: float64, times_adjusted, rate_assumed: uint8; what they mean is said at
    WindowRow; a loss nobody knows is NaN.
    A later revision replaces the cell, it is not added to it.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    businesses: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    business_id: npt.NDArray[np.int32]
    place_id: npt.NDArray[np.int32]
    octets_to_server: npt.NDArray[np.int64]
    octets_to_client: npt.NDArray[np.int64]
    packets: npt.NDArray[np.int64]
    flows: npt.NDArray[np.int64]
    users: npt.NDArray[np.int64]
    users_exact: npt.NDArray[np.uint8]
    sampled: npt.NDArray[np.uint8]
    sampling_error_ratio: npt.NDArray[np.float64]
    export_loss_ratio: npt.NDArray[np.float64]
    times_adjusted: npt.NDArray[np.uint8]
    rate_assumed: npt.NDArray[np.uint8]
    users_error_ratio: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Left out: 0 for every cell."""

    def __post_init__(self) -> None:
        """Refuse intervals off their grid and columns of unequal length."""
        if self.interval_milliseconds <= 0 or self.interval_start_milliseconds % self.interval_milliseconds:
            raise ValueError(f"interval {self.interval_start_milliseconds}/{self.interval_milliseconds} is not aligned")
        length = len(self.business_id)
        if not len(self.users_error_ratio):
            object.__setattr__(self, "users_error_ratio", np.zeros(length))
        for array in (self.place_id, self.octets_to_server, self.octets_to_client, self.packets, self.flows,
                      self.users, self.users_exact, self.sampled, self.sampling_error_ratio, self.export_loss_ratio,
                      self.times_adjusted, self.rate_assumed, self.users_error_ratio):  # fmt: skip
            if array.shape != (length,):
                raise ValueError(f"{length} cells with a column of {array.shape}")

    def __len__(self) -> int:
        return len(self.business_id)

    def rows(self) -> Iterator[WindowRow]:
        """Yield each cell in words."""
        return self.some_rows(range(len(self)))

    def some_rows(self, cells: Iterable[int]) -> Iterator[WindowRow]:
        """Yield some of the cells in words."""
        for cell in cells:
            business, place = int(self.business_id[cell]), int(self.place_id[cell])
            region, segment = self.places[place] if place >= 0 else ("", "")
            loss = float(self.export_loss_ratio[cell])
            yield WindowRow(
                interval_start_milliseconds=self.interval_start_milliseconds,
                interval_milliseconds=self.interval_milliseconds,
                business=self.businesses[business] if business >= 0 else "",
                region=region,
                segment=segment,
                octets_to_server=int(self.octets_to_server[cell]),
                octets_to_client=int(self.octets_to_client[cell]),
                packets=int(self.packets[cell]),
                flows=int(self.flows[cell]),
                users=int(self.users[cell]),
                users_exact=bool(self.users_exact[cell]),
                sampled=bool(self.sampled[cell]),
                revision=self.revision,
                sampling_error_ratio=float(self.sampling_error_ratio[cell]),
                export_loss_ratio=None if isnan(loss) else loss,
                times_adjusted=bool(self.times_adjusted[cell]),
                rate_assumed=bool(self.rate_assumed[cell]),
                users_error_ratio=float(self.users_error_ratio[cell]),
            )

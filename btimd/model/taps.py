"""RecordTap: who looks at every attributed flow record, duplicates included, on the flow thread."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import AttributedBatch
from btimd.model.ipplan import IpPlan
from btimd.model.service import ServiceRule
from btimd.model.units import UnixMillis


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids of an AttributedBatch of the same generation mean.

    businesses: by business id. rules: by service_rule_id. Rule r is owned by the businesses
    owner_business[owner_offsets[r]:owner_offsets[r + 1]], int32, of which -1 is nobody. plan.rows: by client_plan_id.
    One generation has one object, so that `is` tells whether anything has changed.
    """

    generation: int
    businesses: tuple[str, ...]
    rules: tuple[ServiceRule, ...]
    owner_offsets: npt.NDArray[np.int32]
    owner_business: npt.NDArray[np.int32]
    plan: IpPlan


class RecordTap(Protocol):
    """Takes every flow record once it is attributed. Every method is called on the flow thread and must be quick."""

    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        """Take records. duplicate: those that another observation point reported first, None = none of them.

        The batch's arrays are the tap's to read for as long as it likes; nobody writes to them.
        """
        ...

    def tick(self, now: UnixMillis) -> None:
        """Do what is due; called several times a second."""
        ...

    def flush(self) -> None:
        """Hand on what is held: nothing comes after that."""
        ...

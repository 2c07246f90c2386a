"""The accounts and agreements as points of the series store."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from btimd.model.agreement import Standing
from btimd.model.points import PointBlock
from btimd.model.sla import Availability, SlaState
from btimd.model.units import UnixMillis

MEASUREMENT: Final = "btimd_sla"
AGREEMENT_MEASUREMENT: Final = "btimd_sla_agreement"
_STATE_CODES: Final = {Availability.UNKNOWN: -1, Availability.DOWN: 0, Availability.UP: 1}


def state_block(states: Sequence[SlaState], stamp: UnixMillis) -> PointBlock:
    """Return a point per business with the sums of its month."""
    return PointBlock(
        MEASUREMENT,
        np.full(len(states), stamp, np.int64),
        {"business": [state.target.business for state in states]},
        {
            "up_seconds": np.array([state.up_seconds for state in states]),
            "down_seconds": np.array([state.down_seconds for state in states]),
            "unknown_seconds": np.array([state.unknown_seconds for state in states]),
            "availability_ratio": np.array([_or_nan(state.availability) for state in states]),
            "coverage_ratio": np.array([_or_nan(state.coverage) for state in states]),
            "burn_ratio": np.array([state.burn_ratio for state in states]),
            "target_percent": np.array([state.target.availability_percent for state in states]),
            "state": np.array([_STATE_CODES[state.current] for state in states], np.int64),
        },
    )


def standing_block(standings: Sequence[Standing], stamp: UnixMillis) -> PointBlock:
    """Return a point per subject of an agreement with the figures of the present period, in service time."""
    kept = [one.figures for one in standings]
    return PointBlock(
        AGREEMENT_MEASUREMENT,
        np.full(len(kept), stamp, np.int64),
        {"agreement": [one.agreement for one in kept], "subject": [one.subject for one in kept]},
        {
            "up_seconds": np.array([one.up_seconds for one in kept]),
            "down_seconds": np.array([one.down_seconds for one in kept]),
            "unknown_seconds": np.array([one.unknown_seconds for one in kept]),
            "availability_ratio": np.array([_or_nan(one.availability) for one in kept]),
            "coverage_ratio": np.array([_or_nan(one.coverage) for one in kept]),
            "budget_used_ratio": np.array([one.budget_used for one in kept]),
            "burn_rate": np.array([_or_nan(one.burn_slow) for one in standings]),
            "failures": np.array([one.failures for one in kept], np.int64),
            "user_minutes_lost": np.array([one.user_minutes_lost for one in kept]),
            "state": np.array([_STATE_CODES[one.current] for one in standings], np.int64),
        },
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value

"""From what the solver computes to how often it is right: a monotone map, fitted on incidents whose causes are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True, slots=True)
class Calibration:
    """A piecewise linear map. raw: ascending, from 0 to 1; confidence: not descending, 0 to 1; equal lengths."""

    raw: tuple[float, ...]
    confidence: tuple[float, ...]

    def __call__(self, raw: float) -> float:
        """Return how often an answer with this raw confidence is right."""
        return float(np.interp(raw, self.raw, self.confidence))


IDENTITY: Final = Calibration((0.0, 1.0), (0.0, 1.0))


def fit(raw: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Return the monotone map that fits best (isotonic regression: pool adjacent violators). Empty input: identity."""
    raise NotImplementedError

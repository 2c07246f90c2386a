"""Slow, obvious Python for sketches and quality cells: sorted lists and dictionaries."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

Key = tuple[int, int, tuple[int, int, int] | None]


def nearest_rank(samples: Sequence[int], share: float) -> int:
    """Return the quantile of samples: the one at place ceil(share * n), counted from 1."""
    return sorted(samples)[max(ceil(share * len(samples)), 1) - 1]


class QualityCellsOracle:
    """Cells as a dictionary that is full at `most`, of which a quarter is for cells without server."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.counts: dict[Key, Counter[int]] = {}
        self.samples: dict[Key, dict[int, list[int]]] = {}
        self.overflowed = 0

    def cell(self, business: int, place: int, server: tuple[int, int, int] | None) -> Key:
        """Return the key under which a share counts."""
        if business < 0:
            server = None
        wanted: Key = (business, place, server)
        for key in (wanted, (business, place, None), (business, -1, None)):
            room = self.most - self.most // 4 if key[2] else self.most
            if key in self.counts or len(self.counts) < room or key == (business, -1, None):
                self.overflowed += key != wanted
                self.counts.setdefault(key, Counter())
                return key
        raise AssertionError("the last key always has room")

    def record(self, key: Key, counts: dict[int, int]) -> None:
        """Add a quality record."""
        self.counts[key].update(counts)

    def sample(self, key: Key, kind: int, nanoseconds: int) -> None:
        """Add a duration."""
        self.samples.setdefault(key, {}).setdefault(kind, []).append(nanoseconds)

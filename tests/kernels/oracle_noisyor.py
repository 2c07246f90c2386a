"""Noisy-OR over sets of faults, and damage that spreads, in plain words: what kernels/noisyor and closure must find."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import exp, log, log2

Detection = Mapping[int, float]
"""P(bad | fault) by fault."""


def p_good(leak: float, row: Detection, faults: Sequence[int]) -> float:
    good = 1.0 - leak
    for fault in faults:
        good *= 1.0 - row.get(fault, 0.0)
    return good


def cost_of_good(groups: Sequence[Sequence[tuple[Detection, float]]], fault: int, doubt: float, shared: float) -> float:
    """Return the log probability that all answers (rows with weights) of all groups are good, given one fault."""
    total = 0.0
    for group in groups:
        seen = [(row[fault], weight) for row, weight in group if row.get(fault, 0.0) > 0.0]
        if seen:
            luck = (1.0 - doubt) * max(detection for detection, _ in seen) ** shared
            each = exp(sum(weight * log(1.0 - detection ** (1.0 - shared)) for detection, weight in seen))
            total += log(luck * each + 1.0 - luck)
    return total


def log_posterior(prior: Mapping[int, float], bad: Sequence[tuple[float, Detection]], faults: Sequence[int]) -> float:
    """Return the log posterior of a set, that of the empty one being 0. prior: log odds with the cost of good ones."""
    total = sum(prior[fault] for fault in faults)
    for leak, row in bad:
        total += log(1.0 - p_good(leak, row, faults)) - log(leak)
    return total


def all_sets(faults: Sequence[int], most: int) -> list[tuple[int, ...]]:
    return [members for count in range(most + 1) for members in combinations(sorted(faults), count)]


def entropy(p: float) -> float:
    return 0.0 if p in {0.0, 1.0} else -(p * log2(p) + (1.0 - p) * log2(1.0 - p))


def damage(
    needs: Mapping[int, Sequence[tuple[int, float, bool]]], cause: int, node: int, *, physical_only: bool
) -> tuple[float, float]:
    """Return how surely a fault impairs a node: over all ways, and over the surest way. No circles."""
    if node == cause:
        return 1.0, 1.0
    spared, most = 1.0, 0.0
    for below, weight, physical in needs.get(node, ()):
        if physical or not physical_only:
            all_ways, surest = damage(needs, cause, below, physical_only=physical_only)
            spared *= 1.0 - weight * all_ways
            most = max(most, weight * surest)
    return 1.0 - spared, most

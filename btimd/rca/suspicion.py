"""What makes a node suspected before anything is asked: what was changed there lately, and what failed there before."""

from collections.abc import Iterable, Mapping
from typing import Final

from btimd.model.sign import Change
from btimd.model.units import UnixSeconds

_CHANGE_FACTOR: Final = 20.0
_CHANGE_HALF_LIFE_SECONDS: Final = 6 * 3600.0
_FAILED_FACTOR: Final = 5.0
_REMEMBERED_SECONDS: Final = 24 * 3600.0
_LEAST_FACTOR: Final = 1.05
_MAX_NODES: Final = 10_000


class Suspicion:
    """Changes and earlier causes of the last day, per node the latest, bounded."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._failed: dict[str, UnixSeconds] = {}

    def restore(self, changes: Iterable[Change], failed: Iterable[tuple[str, UnixSeconds]]) -> None:
        """Suspect what another one did."""
        self._changes = {change.node: change for change in changes}
        self._failed = dict(failed)

    def changes(self) -> tuple[Change, ...]:
        """Return the changes that are remembered, the oldest first."""
        return tuple(self._changes.values())

    def earlier_causes(self) -> tuple[tuple[str, UnixSeconds], ...]:
        """Return the causes that are remembered with the time of their verdicts."""
        return tuple(self._failed.items())

    def changed(self, change: Change) -> None:
        """Take a change."""
        self._changes.pop(change.node, None)
        self._changes[change.node] = change
        if len(self._changes) > _MAX_NODES:
            del self._changes[next(iter(self._changes))]

    def failed(self, node: str, at: UnixSeconds) -> None:
        """Take a cause that was found."""
        self._failed.pop(node, None)
        self._failed[node] = at
        if len(self._failed) > _MAX_NODES:
            del self._failed[next(iter(self._failed))]

    def boosts(self, now: UnixSeconds) -> Mapping[str, float]:
        """Return by how much nodes are likelier to be at fault than usual."""
        found: dict[str, float] = {}
        for node, change in self._changes.items():
            age = max(now - change.at, 0.0)
            factor = 1.0 + (_CHANGE_FACTOR - 1.0) * 0.5 ** (age / _CHANGE_HALF_LIFE_SECONDS)
            if age <= _REMEMBERED_SECONDS and factor >= _LEAST_FACTOR:
                found[node] = factor
        for node, at in self._failed.items():
            if now - at <= _REMEMBERED_SECONDS:
                found[node] = found.get(node, 1.0) * _FAILED_FACTOR
        return found

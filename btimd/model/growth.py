"""Needs that were found, not declared: what topology and traffic tell of the model, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from btimd.model.service import Provenance
from btimd.model.units import Ratio, UnixSeconds


@dataclass(frozen=True, slots=True)
class FoundNeed:
    """One sign that a node needs another. seen_at: when it was last true. count: flows, or devices that told it."""

    node: str
    need: str
    provenance: Provenance
    confidence: Ratio
    seen_at: UnixSeconds
    count: int = 1


@dataclass(frozen=True, slots=True)
class GrownNeed:
    """A need that was found. since: first seen, seen_at: last seen. confidence: now, it fades when it is not seen.

    in_force: diagnoses and impact count with it. remark: why not, "" where it is.
    """

    node: str
    need: str
    provenance: Provenance
    confidence: Ratio
    since: UnixSeconds
    seen_at: UnixSeconds
    count: int
    in_force: bool
    remark: str = ""


class GrowthView(Protocol):
    """Tells which needs were found."""

    def grown(self) -> Sequence[GrownNeed]:
        """Return them, those in force first, then the surest."""
        ...

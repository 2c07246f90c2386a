"""Symptom: an indicator off its threshold or baseline."""

from dataclasses import dataclass

from btimd.model.probe import ErrorClass
from btimd.model.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something a user would feel, that a diagnosis starts from.

    since: when the first bad sample was taken; seen_at: when the threshold was met; since <= seen_at.
    check_id names the indicator, node the node that it belongs to. region: of the IP plan, where only users of that
    region feel it, so that their way to the node is suspected too; "" = everybody, or btimd itself.
    """

    id: str
    check_id: str
    node: str
    error: ErrorClass
    text: str
    since: UnixSeconds
    seen_at: UnixSeconds
    region: str = ""

    def __post_init__(self) -> None:
        """Refuse a symptom seen before it began."""
        if self.since > self.seen_at:
            raise ValueError(f"symptom {self.id} seen at {self.seen_at} before it began at {self.since}")

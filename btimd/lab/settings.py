"""LabSettings: the size, the pace and the seed of the small enterprise."""

from dataclasses import dataclass

from btimd.model.units import Seconds


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What may differ from one laboratory to the next.

    seed: of everything drawn by chance (who visits what when, page sizes). users_per_segment: each of the six client
    segments has that many. think_seconds: mean pause between two visits of one user. The time-outs are those of real
    tiers, each shorter than the one above it, so that a fault at the bottom shows as an answer at the top:
    application_patience_seconds for the database, web_patience_seconds for the application, user_patience_seconds
    for a page. slow_seconds: what a slow component adds to each answer; below every patience, so slow stays slow.
    """

    seed: int = 1
    users_per_segment: int = 5
    think_seconds: Seconds = 3.0
    application_patience_seconds: Seconds = 1.0
    web_patience_seconds: Seconds = 1.5
    user_patience_seconds: Seconds = 4.0
    name_patience_seconds: Seconds = 1.0
    slow_seconds: Seconds = 0.7
    flush_seconds: Seconds = 0.2
    template_refresh_seconds: Seconds = 5.0

    def __post_init__(self) -> None:
        """Refuse a pace at which the tiers would give up on each other in the wrong order."""
        patience = (
            self.slow_seconds,
            self.application_patience_seconds,
            self.web_patience_seconds,
            self.user_patience_seconds,
        )
        if list(patience) != sorted(set(patience)) or self.slow_seconds <= 0:
            raise ValueError(f"slow, application, web and user patience must grow in this order, found {patience}")
        if self.users_per_segment < 1 or self.think_seconds <= 0:
            raise ValueError("a laboratory needs at least one user per segment, who thinks for some time")

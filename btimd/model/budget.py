"""BudgetRow, BudgetReport, BudgetView: what load probes put on whom, and what held them back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.units import Ratio, Seconds


class BudgetScope(StrEnum):
    """What a limit of the load budget holds for."""

    ALL = "all"
    """Everything that this btimd probes."""
    KIND = "kind"
    """Checks of one kind (a protocol)."""
    SUBNET = "subnet"
    """The hosts of one prefix, and the lines that lead there."""
    DEVICE = "device"
    """Nodes that share one box."""
    HOST = "host"
    """One name or address."""
    SERVER = "server"
    """One port of a host."""


class BudgetReason(StrEnum):
    """Why a probe may not run now, or at all."""

    RATE = "rate"
    """Enough were run of late."""
    CONCURRENT = "concurrent"
    """Enough are running."""
    OCTETS = "octets"
    """Enough was sent and received of late."""
    HEAVY = "heavy"
    """Enough heavy ones (HTTP, SQL) were run of late, or heavy ones are switched off."""
    BACK_OFF = "back-off"
    """The target shows signs of overload."""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What one scope was asked in the last minute or so, and what it may be asked.

    name: of the kind, prefix, device, host, or "host:port"; "" for all. probes, heavy, diagnosis: probes that ran, the
    heavy among them, those that a diagnosis wanted. octets: sent and received, headers estimated. waits: how often a
    probe had to wait for this very scope; refused: how many were given up for it. back_offs: how often a sign of
    overload made probes rarer. in_flight: now. troubles: signs of overload that are not forgotten yet.
    backing_off_seconds: how long heavy probes still wait, 0 = they do not. load: the share of its limits that was used,
    1 = all of it. per_second, concurrent, octets_per_second: the limits, None = none.
    """

    scope: BudgetScope
    name: str
    probes: int
    heavy: int
    diagnosis: int
    octets: int
    waits: int
    refused: int
    back_offs: int
    in_flight: int
    troubles: int
    backing_off_seconds: Seconds
    load: Ratio
    per_second: float | None
    concurrent: int | None
    octets_per_second: float | None


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """The budget as a whole: the busiest scopes, and how many there are.

    scopes: those remembered. queued: probes that wait now. more: there are more rows than were asked for.
    """

    rows: tuple[BudgetRow, ...]
    scopes: int
    queued: int
    more: bool


class BudgetView(Protocol):
    """Tells how the load budget stands."""

    def budget(self, scope: BudgetScope | None, name: str, limit: int) -> BudgetReport:
        """Return the busiest `limit` rows; scope None = of every scope, name: only those that contain it."""
        ...

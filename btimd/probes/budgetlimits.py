"""BudgetLimits: what targets, devices, subnets and kinds of checks may be asked, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Final

from btimd.model.address import Prefix
from btimd.model.service import CheckKind
from btimd.model.units import Ratio, Seconds

OCTET_BURST_SECONDS: Final = 10.0
"""So many seconds of its octets a scope may use at once after a quiet time."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one scope may be asked; infinite = as much as anybody likes.

    burst: probes at once after a quiet time. heavy_per_second, heavy_burst: of the heavy ones among them. keys: the
    settings that say the rate, the concurrency, the octets and the heavy rate, for the words of a wait.
    """

    per_second: float = inf
    burst: int = 1
    concurrent: float = inf
    octets_per_second: float = inf
    heavy_per_second: float = inf
    heavy_burst: int = 1
    keys: tuple[str, str, str, str] = ("", "", "", "")


UNLIMITED: Final = Limit()


@dataclass(frozen=True, slots=True)
class SubnetLimit:
    """A prefix with limits of its own."""

    prefix: Prefix
    limit: Limit


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What one target, and all together, may be asked.

    light_per_second and light_burst: all probes to one host. heavy_per_ten_seconds and heavy_burst: heavy ones to one
    server. After back_off_after signs of overload in a row heavy probes to a server are 1, 2, 4 ... s apart, at most
    back_off_max_seconds, and key indicators of the host are asked at a quarter of its rate; a good answer forgets half
    of the signs, and back_off_decay_seconds of quiet do. reserve: the share of rates and slots that only a diagnosis
    may take. device: nodes that share a box. subnet: prefixes of that length; `subnets` have limits of their own.
    """

    light_per_second: float = 10.0
    light_burst: int = 20
    heavy_per_ten_seconds: float = 6.0
    heavy_burst: int = 6
    concurrent_per_host: int = 8
    host_octets_per_second: float = inf
    concurrent: int = 64
    per_second: float = inf
    octets_per_second: float = inf
    back_off_after: int = 3
    back_off_max_seconds: Seconds = 10.0
    back_off_decay_seconds: Seconds = 60.0
    reserve: Ratio = 0.0
    device: Limit = UNLIMITED
    subnet: Limit = UNLIMITED
    subnet_length_v4: int = 24
    subnet_length_v6: int = 64
    subnets: tuple[SubnetLimit, ...] = ()
    kinds: Mapping[CheckKind, Limit] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all_limit(self) -> Limit:
        """What all probes together may do."""
        return Limit(
            per_second=self.per_second,
            burst=_burst_of(self.per_second),
            concurrent=self.concurrent,
            octets_per_second=self.octets_per_second,
            keys=("probes.per_second", "probes.concurrent", "probes.octets_per_second", ""),
        )

    @property
    def host_limit(self) -> Limit:
        """What one host may be asked."""
        return Limit(
            per_second=self.light_per_second,
            burst=self.light_burst,
            concurrent=self.concurrent_per_host,
            octets_per_second=self.host_octets_per_second,
            keys=("probes.light_per_second", "probes.concurrent_per_host", "probes.host_octets_per_second", ""),
        )

    @property
    def server_limit(self) -> Limit:
        """What one server may be asked: heavy probes."""
        return Limit(
            heavy_per_second=self.heavy_per_ten_seconds / 10.0,
            heavy_burst=self.heavy_burst,
            keys=("", "", "", "probes.heavy_per_ten_seconds"),
        )


def _burst_of(per_second: float) -> int:
    return 1 if per_second == inf else max(1, round(2 * per_second))

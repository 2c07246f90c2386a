"""Projection: how full an interface is, and with what: SNMP counters, speeds and flow records of one interface joined.

Counters count frames, flow records count IP packets: of full frames a record tells 97 %, of small ones 65 %. So flow
coverage is near 1 where every packet is metered, and clearly below where some are not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from btimd.flows.linkbatches import TOTAL, LinkBatch
from btimd.flows.topology import Port
from btimd.model.topology import BusinessShare, DeviceFacts, InterfaceFacts, InterfaceLoad
from btimd.model.units import UnixMillis

DIRECTIONS: Final = ("in", "out")
_BITS: Final = 8
_MILLIS: Final = 1000
_WRAP: Final = 1 << 32
_UPTIME_SLACK_SECONDS: Final = 5.0
_WRAPS_UP_TO: Final = 100_000_000
"""bit/s of an interface whose speed is not told and whose counters have 32 bits (RFC 2863, 3.1.6: 20 Mbit/s)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What an interface carried between two readings, bit/s; None = the readings do not say."""

    since: UnixMillis
    until: UnixMillis
    into: float | None
    out: float | None

    def of(self, direction: str) -> float | None:
        """Return the rate of a direction."""
        return self.into if direction == DIRECTIONS[0] else self.out


def measured_rates(before: DeviceFacts, after: DeviceFacts) -> dict[int, Measured]:
    """Return the rates by ifIndex that two readings of one device tell; nothing where it restarted in between.

    Unknown is left out: a counter that went backwards, an ifIndex that has become another interface, counters of 32
    bits that may have wrapped more than once.
    """
    if _restarted(before, after):
        return {}
    old = {port.index: port for port in before.interfaces}
    found = {}
    for port in after.interfaces:
        earlier = old.get(port.index)
        if earlier is None or earlier.name != port.name or earlier.hc != port.hc:
            continue
        since, until = earlier.counters_at or before.at, port.counters_at or after.at
        if until <= since:
            continue
        rates = [
            _rate(one, other, (until - since) / _MILLIS, port)
            for one, other in ((earlier.in_octets, port.in_octets), (earlier.out_octets, port.out_octets))
        ]
        if rates != [None, None]:
            found[port.index] = Measured(since, until, *rates)
    return found


def _restarted(before: DeviceFacts, after: DeviceFacts) -> bool:
    """Tell whether a device's uptime is less than it was, or less than the time since."""
    if before.uptime_seconds is None or after.uptime_seconds is None:
        return False
    since = (after.at - before.at) / _MILLIS
    went_back = after.uptime_seconds < before.uptime_seconds
    return went_back or after.uptime_seconds + _UPTIME_SLACK_SECONDS < since


def _rate(before: int | None, after: int | None, seconds: float, port: InterfaceFacts) -> float | None:
    """Return bit/s between two readings, None where they do not tell."""
    if before is None or after is None:
        return None
    octets = after - before
    if not port.hc:
        most = (port.speed or _WRAPS_UP_TO) / _BITS * seconds
        if most >= _WRAP:
            return None  # it may have gone round more than once
        if octets < 0:
            octets += _WRAP
            if octets > most:
                return None  # it began anew
    return octets * _BITS / seconds if octets >= 0 else None


@dataclass(frozen=True, slots=True)
class FlowSums:
    """What flow records put on one direction of an interface in one interval; businesses in octets, total aside."""

    octets: int
    packets: int
    records: int
    sampled: bool
    derived: bool
    businesses: Mapping[str, int]


PortSide = tuple[int, int, int]
"""Exporter number, ifIndex, and 0 for in or 1 for out."""


def sums_of(batch: LinkBatch) -> dict[PortSide, FlowSums]:
    """Return what a batch says of each direction it names."""
    found: dict[PortSide, FlowSums] = {}
    shares: dict[str, int] = {}
    columns = (
        batch.exporter_id, batch.interface, batch.outward, batch.business_id, batch.octets, batch.packets,
        batch.records, batch.sampled, batch.derived,
    )  # fmt: skip
    lists = (column.tolist() for column in columns)
    for exporter, interface, side, business, octets, packets, records, sampled, derived in zip(*lists, strict=True):
        if business == TOTAL:  # the first row of its direction
            shares = {}
            found[exporter, interface, side] = FlowSums(octets, packets, records, bool(sampled), bool(derived), shares)
        elif octets or records:
            shares[batch.businesses[business] if business >= 0 else ""] = octets
    return found


def speed_of(port: Port | None, override: int | None) -> tuple[int, str]:
    """Return bit/s and who says so: the configuration, else SNMP, else the exporter; 0 = nobody."""
    if override:
        return override, "config"
    if port is not None and port.facts is not None and port.facts.speed:
        return port.facts.speed, "snmp"
    if port is not None and port.exporter_speed:
        return port.exporter_speed, "exporter"
    return 0, ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one direction when its load is asked for.

    coverage_octets, coverage_milliseconds: of flow records in the intervals that the measured time covers.
    """

    port: Port
    direction: str
    interval_start: UnixMillis
    interval: int
    flows: FlowSums | None
    measured: float | None
    speed: int
    coverage_octets: int | None = None
    coverage_milliseconds: int = field(default=0)


def load_of(reading: Reading) -> InterfaceLoad:
    """Return how full a direction is and with what."""
    flows = reading.flows or FlowSums(0, 0, 0, sampled=False, derived=False, businesses={})
    bits = flows.octets * _BITS * _MILLIS / reading.interval
    carried = reading.measured if reading.measured is not None else bits if reading.flows is not None else None
    covering = bits
    if reading.coverage_octets is not None and reading.coverage_milliseconds:
        covering = reading.coverage_octets * _BITS * _MILLIS / reading.coverage_milliseconds
    return InterfaceLoad(
        device=reading.port.device,
        interface=reading.port.index,
        interface_name=reading.port.name,
        direction=reading.direction,
        interval_start_milliseconds=reading.interval_start,
        interval_milliseconds=reading.interval,
        speed=reading.speed,
        utilisation=carried / reading.speed if reading.speed and carried is not None else None,
        measured_bits_per_second=reading.measured,
        flow_bits_per_second=bits,
        flow_coverage=covering / reading.measured if reading.measured else None,
        sampled=flows.sampled,
        shares=tuple(_shares(flows, reading.interval)),
    )


def _shares(flows: FlowSums, interval: int) -> Iterable[BusinessShare]:
    """Yield what each business has of it, largest first."""
    for business, octets in sorted(flows.businesses.items(), key=lambda item: (-item[1], item[0])):
        share = octets / flows.octets if flows.octets else 0.0
        yield BusinessShare(business, octets, octets * _BITS * _MILLIS / interval, share)

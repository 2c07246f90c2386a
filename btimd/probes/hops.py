"""What the answers of the hops of a path say: where loss or delay begins, and who only answers rarely.

A router that answers few of the packets that die at it is busy or polite, not faulty, as long as what lies behind it
gets everything. So only what goes on up to the target counts: loss begins at the hop from which on all lose.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from types import MappingProxyType
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import Ratio, Seconds
from btimd.probes.wire.dialogue import Outcome, join_host_port, printable
from btimd.probes.wire.icmperror import IcmpError, Told

_SHOWN: Final = 12
_LOSS_BY_CHANCE: Final = 0.01
_OUTLIERS: Final = 0.1
_LOOP_TIMES: Final = 3


@dataclass(slots=True)
class Hop:
    """What was sent to die at one hop, and what came back. rtts: seconds, of the answers that were heard.

    error: the last thing that it said other than that a packet expired.
    """

    number: int
    sent: int = 0
    rtts: list[Seconds] = field(default_factory=list)
    addresses: dict[str, int] = field(default_factory=dict)
    error: IcmpError | None = None

    @property
    def loss(self) -> Ratio:
        """The share that was not answered."""
        return 1.0 - min(1.0, len(self.rtts) / self.sent) if self.sent else 0.0

    @property
    def rtt(self) -> Seconds | None:
        """The median round trip, None where nothing came back."""
        return median(self.rtts) if self.rtts else None

    @property
    def address(self) -> str:
        """Who answered most often, "" = nobody."""
        return max(self.addresses, key=lambda one: (self.addresses[one], one), default="")

    @property
    def title(self) -> str:
        """Number and address in words."""
        return f"hop {self.number}, {self.address}" if self.address else f"hop {self.number}"


@dataclass(frozen=True, slots=True)
class PathLimits:
    """When a path is good."""

    max_loss: Ratio = 0.2
    max_rtt: Seconds | None = None


def judge(target: str, port: int, hops: Sequence[Hop], limits: PathLimits, *, reached: bool) -> Outcome:
    """Return what a walk to `target` found; hops: from the first on, where it was reached the last is the target."""
    name = join_host_port(target, port)
    values = {"hops": float(len(hops)), "packets": float(sum(hop.sent for hop in hops))}
    values["silent_hops"] = float(sum(not hop.rtts for hop in hops[: -1 if reached else None]))
    if not reached or not hops:
        return _not_reached(name, hops, values)
    last = hops[-1]
    rtt = last.rtt or 0.0
    values |= {"loss_ratio": last.loss, "rtt_seconds": rtt}
    said = f"{name}, {len(hops)} hops"
    if last.error is not None and last.error.told in {Told.PROHIBITED, Told.UNREACHABLE}:
        detail = f"{name} says that it is no way: {last.error.words}"
        return _outcome(Health.BAD, ErrorClass.UNREACHABLE, detail, values)
    if last.loss > limits.max_loss:
        first = loss_begins(hops)
        values["loss_hop"] = float(first.number)
        detail = f"loss from {first.title}, on: {100 * last.loss:.0f} % ({said})"
        return _outcome(Health.BAD, ErrorClass.TIMEOUT, detail, values)
    if limits.max_rtt is not None and rtt > limits.max_rtt:
        first, more = delay_begins(hops)
        values["delay_hop"] = float(first.number)
        detail = f"delay from {first.title}, on: {1000 * more:.1f} ms more, {1000 * rtt:.1f} ms in all ({said})"
        return _outcome(Health.BAD, ErrorClass.SLOW, detail, values)
    detail = f"{said}, {100 * last.loss:.0f} % loss, {1000 * rtt:.1f} ms: {route(hops)}"
    return _outcome(Health.GOOD, ErrorClass.NONE, detail, values)


def loss_begins(hops: Sequence[Hop]) -> Hop:
    """Return the hop from which on packets are lost: the most likely place where the loss of the target begins.

    Hops before it lose by chance, hops from it on lose as the target does; one in ten follows its own rules (answers
    rarely, or by another way). Hops that never answer say nothing.
    """
    last = hops[-1]
    share = min(max(last.loss, 0.05), 0.99)
    heard = [hop for hop in hops if hop.rtts or hop is last]

    def likelihood(hop: Hop, loss: Ratio) -> float:
        lost = max(0, hop.sent - len(hop.rtts))
        chance = math.comb(hop.sent, lost) * loss**lost * (1.0 - loss) ** (hop.sent - lost)
        return math.log((1.0 - _OUTLIERS) * chance + _OUTLIERS / (hop.sent + 1))

    before = [likelihood(hop, _LOSS_BY_CHANCE) for hop in heard]
    after = [likelihood(hop, share) for hop in heard]
    best = max(range(len(heard)), key=lambda at: (sum(before[:at]) + sum(after[at:]), at))
    return heard[best]


def delay_begins(hops: Sequence[Hop]) -> tuple[Hop, Seconds]:
    """Return the hop at which the round trip grows most for good, and by how much.

    What a hop takes that later hops do not take is its own slowness in answering, so each counts as the quickest of
    those from it on.
    """
    heard = [(hop, rtt) for hop in hops if (rtt := hop.rtt) is not None]
    floors = [min(rtt for _, rtt in heard[at:]) for at in range(len(heard))]
    jumps = [floor - (floors[at - 1] if at else 0.0) for at, floor in enumerate(floors)]
    best = max(range(len(jumps)), key=lambda at: jumps[at])
    return heard[best][0], jumps[best]


def route(hops: Sequence[Hop]) -> str:
    """Return the path in one line, "*" for who is silent."""
    shown = [hop.address or "*" for hop in hops]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 2], "...", shown[-1]]
    return " > ".join(shown)


def looping(hops: Sequence[Hop]) -> str:
    """Return an address that packets pass again and again, "" where there is none."""
    seen: dict[str, list[int]] = {}
    for hop in hops:
        if hop.address:
            seen.setdefault(hop.address, []).append(hop.number)
    for address, numbers in seen.items():
        if len(numbers) >= _LOOP_TIMES and numbers[-1] - numbers[0] > len(numbers) - 1:
            return address
    return ""


def _not_reached(name: str, hops: Sequence[Hop], values: dict[str, float]) -> Outcome:
    values["loss_ratio"] = 1.0
    for hop in hops:
        if hop.error is not None and hop.error.told in {Told.PROHIBITED, Told.UNREACHABLE, Told.TOO_BIG}:
            values |= {"icmp_type": float(hop.error.type), "icmp_code": float(hop.error.code)}
            who = f"hop {hop.number}, {hop.error.by}" if hop.error.by else "this machine"
            return _outcome(Health.BAD, ErrorClass.UNREACHABLE, f"{name}: {who}, says: {hop.error.words}", values)
    heard = [hop for hop in hops if hop.rtts]
    if not heard:
        detail = f"{name} does not answer, and nobody on the way does, not even the first hop"
        return _outcome(Health.BAD, ErrorClass.TIMEOUT, detail, values)
    circle = looping(heard)
    if circle:
        detail = f"{name} is not reached: packets run in a circle through {circle} ({route(hops)})"
        return _outcome(Health.BAD, ErrorClass.UNREACHABLE, detail, values)
    values["last_hop"] = float(heard[-1].number)
    detail = f"{name} does not answer; {heard[-1].title}, is the last that does ({route(heard)})"
    return _outcome(Health.BAD, ErrorClass.TIMEOUT, detail, values)


def _outcome(health: Health, error: ErrorClass, detail: str, values: dict[str, float]) -> Outcome:
    return Outcome(health, error, printable(detail), MappingProxyType(values))

"""Who may export, what the operator knows about an exporter, and what is told about one."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from btimd.kernels import flowlayout as fl
from btimd.model.address import Prefix, address_text
from btimd.model.ports import RefusedExporter
from btimd.model.units import UnixMillis

TimeSource = Literal["flow", "export", "arrival"]
TIME_SOURCES: Final[dict[TimeSource, int]] = {
    "flow": fl.TIMES_OF_FLOW,
    "export": fl.TIMES_OF_EXPORT,
    "arrival": fl.TIMES_OF_ARRIVAL,
}
MAX_REFUSED: Final = 1024
_MAX_VERDICTS: Final = 4096


@dataclass(frozen=True, slots=True)
class ExporterRule:
    """What the operator says about the exporters of a prefix.

    sampling_rate: packets per sampled packet, instead of whatever they announce; default_sampling_rate: only where
    they announce none. time_source: whose clock dates their records: that of the flow times in the record, the export
    time of the datagram, or this machine's at arrival.
    """

    name: str
    prefix: Prefix
    sampling_rate: int | None = None
    default_sampling_rate: int | None = None
    time_source: TimeSource = "flow"

    def __post_init__(self) -> None:
        """Refuse rates that cannot be."""
        for rate in (self.sampling_rate, self.default_sampling_rate):
            if rate is not None and not 1 <= rate <= fl.LIMIT_RATE:
                raise ValueError(f"{self.name}: a sampling rate of {rate}; 1 to {fl.LIMIT_RATE} can be")
        if self.time_source not in TIME_SOURCES:
            raise ValueError(f"{self.name}: no time source {self.time_source!r}; known: {', '.join(TIME_SOURCES)}")


class ExporterRules:
    """The operator's rules, of which the longest prefix wins, and the addresses that may export."""

    def __init__(self, rules: Sequence[ExporterRule] = (), allowed: Sequence[Prefix] = ()) -> None:
        self.replace(rules, allowed)

    def replace(self, rules: Sequence[ExporterRule], allowed: Sequence[Prefix]) -> None:
        """Put other rules, and another list of who may export, in the place of these."""
        self._rules = sorted(rules, key=lambda rule: -rule.prefix.length)
        self.restricted = bool(allowed)
        spans: list[list[int]] = []
        for prefix in sorted(allowed, key=lambda one: (one.first, -one.last)):
            if spans and prefix.first <= spans[-1][1] + 1:
                spans[-1][1] = max(spans[-1][1], prefix.last)
            else:
                spans.append([prefix.first, prefix.last])
        self._firsts = [first for first, _ in spans]
        self._lasts = [last for _, last in spans]
        self._verdicts: dict[tuple[int, int], bool] = {}

    def rule(self, hi: int, lo: int) -> ExporterRule | None:
        """Return the rule of an address."""
        return next((rule for rule in self._rules if rule.prefix.contains(hi, lo)), None)

    def allows(self, hi: int, lo: int) -> bool:
        """Tell whether an address may export; without a list of allowed ones all may."""
        if not self.restricted:
            return True
        verdict = self._verdicts.get((hi, lo))
        if verdict is None:
            address = (hi << 64) | lo
            at = bisect_right(self._firsts, address) - 1
            verdict = at >= 0 and address <= self._lasts[at]
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            self._verdicts[hi, lo] = verdict
        return verdict


class RefusedExporters:
    """Who sent without being allowed to: the latest MAX_REFUSED senders; 0.3 MiB when full."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], list[int]] = {}

    def note(self, hi: int, lo: int, now: UnixMillis, datagrams: int = 1) -> None:
        """Count datagrams of a sender; whoever was silent longest is forgotten for a new one."""
        known = self._seen.pop((hi, lo), None) or [0, 0]
        known[0] += datagrams
        known[1] = now
        self._seen[hi, lo] = known
        if len(self._seen) > MAX_REFUSED:
            del self._seen[next(iter(self._seen))]

    def listed(self) -> tuple[RefusedExporter, ...]:
        """Return the senders, the one with most datagrams first."""
        found = [RefusedExporter(address_text(*key), *counts) for key, counts in list(self._seen.items())]
        return tuple(sorted(found, key=lambda one: (-one.datagrams, one.address)))

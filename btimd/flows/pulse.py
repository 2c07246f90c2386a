"""The pulse of traffic: what users' connections came to within the last seconds, per service rule and region.

Intervals of quality close after seconds, for people; a diagnosis must know at once. Here are figures of intervals that
are still open, in bins of a quarter of a second, kept for seconds only. What succeeded is booked at the moment at which
it began, so that figures of a span tell of nothing that had begun before it. Not thread-safe: the flow thread owns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import AttributedBatch, RecordQuality
from btimd.model.quality import COUNTERS, SAMPLE_KINDS, QualityBatch
from btimd.model.taps import Names
from btimd.model.units import UNKNOWN_ID, UnixMillis

BIN_MILLISECONDS: Final = 250
_KEPT_BINS: Final = 4 * 60
"""Records of exporters tell of connections that began some time ago."""
_FUTURE_BINS: Final = 4
SUMS: Final[tuple[str, ...]] = (
    "connected", "answers", "refused", "unanswered", "reset", "wrong", "requests",
    "client_leg_count", "client_leg_log", "server_leg_count", "server_leg_log", "turn_count", "turn_log",
    "octets_count", "octets_log",
)  # fmt: skip
"""What is added up. connected: handshakes; answers: of servers to what was asked; reset: by servers; wrong: answers
that say that the server failed (DNS); *_log: sum of natural logarithms, of seconds or octets, of *_count measured."""
(
    CONNECTED, ANSWERS, REFUSED, UNANSWERED, RESET, WRONG, REQUESTS, CLIENT_COUNT, CLIENT_LOG, SERVER_COUNT, SERVER_LOG,
    TURN_COUNT, TURN_LOG, OCTETS_COUNT, OCTETS_LOG,
) = range(len(SUMS))  # fmt: skip
_COUNTER: Final = {name: number for number, name in enumerate(COUNTERS)}
_FROM_COUNTERS: Final = (
    (REFUSED, "connections_refused"), (UNANSWERED, "connections_unanswered"), (UNANSWERED, "dns_unanswered"),
    (RESET, "connections_reset_by_server"), (WRONG, "dns_servfail"), (WRONG, "dns_other_errors"),
    (REQUESTS, "requests"), (REQUESTS, "dns_queries"),
)  # fmt: skip
_SHORTEST_SECONDS: Final = 1e-6
_TCP, _UDP, _DNS = 6, 17, 53
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_UNFIT: Final = RecordQuality.NO_TIME | RecordQuality.ABSURD | RecordQuality.PACKET | RecordQuality.DROPPED
_BARE_OCTETS: Final = 64
"""A TCP packet of not more carries no data."""
_REFUSAL_PACKETS: Final = 2
_Sums = npt.NDArray[np.float64]
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class PulseLimits:
    """How much is kept: pairs of rule and region, and clients told apart within a bin."""

    max_cells: int = 2048
    max_clients_of_bin: int = 20_000


@dataclass(frozen=True, slots=True)
class Beat:
    """Figures of one rule, and of the users of one region, over a span of time.

    rule, region: place in Pulse.rules, Pulse.regions. packets: measured on mirrored packets, else told by exporters.
    began, ended: of the bins that hold anything. sums: float64[len(SUMS)]. users: distinct clients who were answered,
    where `users_are_more` at least so many.
    """

    rule: int
    region: int
    packets: bool
    began: UnixMillis
    ended: UnixMillis
    sums: _Sums
    users: int = 0
    users_are_more: bool = False


class _Bin:
    """Sums per cell of a quarter of a second, and who was answered."""

    __slots__ = ("clients", "kept", "refused_clients", "sums")

    def __init__(self) -> None:
        self.sums: dict[int, _Sums] = {}
        self.clients: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]] = []
        self.kept = 0
        self.refused_clients = False


class Pulse:
    """The latest bins. points: observation points 0..points-1 are own captures, whose TCP is told by packets alone.

    overflowed: figures that found no room; stale: those of a time that is not kept, or in the future.
    """

    def __init__(self, points: int = 0, limits: PulseLimits | None = None) -> None:
        self._points = points
        self._limits = limits or PulseLimits()
        self._names: Names | None = None
        self._region_of_row = np.zeros(1, np.int64)
        self.regions: tuple[str, ...] = ("",)
        self._bins: dict[int, _Bin] = {}
        self._cells: dict[int, int] = {}
        self.changed: set[int] = set()
        self.overflowed = self.stale = 0

    @property
    def names(self) -> Names | None:
        """What the ids mean, None before anything came."""
        return self._names

    def know(self, names: Names) -> None:
        """Go over to other ids; what was seen under the old ones is forgotten."""
        if self._names is names:
            return
        self._names = names
        numbers: dict[str, int] = {"": 0}
        rows = [numbers.setdefault(row.region, len(numbers)) for row in names.plan.rows]
        self._region_of_row = np.array([*rows, 0], np.int64)
        self.regions = tuple(numbers)
        self._bins.clear()
        self._cells.clear()
        self.changed.clear()

    def _cell_keys(self, batch: AttributedBatch) -> npt.NDArray[np.int64]:
        """Return the cell of each record without its kind, -1 where no rule matches."""
        regions = self._region_of_row[batch.client_plan_id]
        rules = batch.service_rule_id.astype(np.int64)
        return np.where(rules == UNKNOWN_ID, -1, (rules * len(self.regions) + regions) * 2)

    def add_records(self, batch: AttributedBatch, names: Names, now: UnixMillis) -> None:
        """Take flow records: each tells one direction of a connection, of which it counts when it began."""
        self.know(names)
        flows = batch.flows
        keys = self._cell_keys(batch)
        protocol = flows["protocol_identifier"]
        own = flows["exporter_id"] < self._points
        told_by_packets = own & ((protocol == _TCP) | ((protocol == _UDP) & _either_port(batch, _DNS)))
        fit = (keys >= 0) & ~told_by_packets & ((flows["record_quality"] & int(_UNFIT)) == 0)
        if not fit.any():
            return
        start, end = flows["flow_start_milliseconds"], flows["flow_end_milliseconds"]
        flags = flows["tcp_control_bits"]
        tcp = protocol == _TCP
        packets, octets = flows["packet_delta_count"], flows["octet_delta_count"]
        to_client = (batch.client_is_source == 0) & fit
        whole = flows["sampling_rate"] == 1
        begun = ~tcp | (flags == 0) | ((flags & _SYN) != 0)  # later parts of a long connection begin nothing
        answered = to_client & begun & (octets > 0) & (~tcp | (octets > packets * _BARE_OCTETS))
        refused = (
            to_client & tcp & ((flags & _RST) != 0) & ((flags & _SYN) == 0) & (packets <= _REFUSAL_PACKETS) & ~answered
        )
        unanswered = ~to_client & fit & tcp & whole & ((flags & (_SYN | _ACK)) == _SYN)
        sums = np.zeros((len(SUMS), len(keys)))
        sums[CONNECTED] = sums[ANSWERS] = sums[OCTETS_COUNT] = answered
        sums[REFUSED] = refused & (octets <= packets * _BARE_OCTETS)
        sums[UNANSWERED] = unanswered
        sums[TURN_COUNT] = answered & tcp & whole
        sums[TURN_LOG] = np.where(sums[TURN_COUNT] > 0, _log((end - start) / 1000.0), 0.0)
        sums[OCTETS_LOG] = np.where(answered, np.log(np.maximum(octets, 1)), 0.0)
        # Where nobody refused, "unanswered" of a connection that was refused would count it twice.
        told = answered | (sums[REFUSED] > 0) | unanswered
        self._book(keys, start, sums, told, now)
        side = np.where(batch.client_is_source == 0, 1, 0)
        hi = np.where(side, flows["destination_address_hi"], flows["source_address_hi"])
        lo = np.where(side, flows["destination_address_lo"], flows["source_address_lo"])
        self._note_clients(keys, start, hi, lo, answered, now)

    def add_quality(
        self,
        quality: QualityBatch,
        records: AttributedBatch,
        samples: AttributedBatch,
        names: Names,
        now: UnixMillis,
    ) -> None:
        """Take what was measured on mirrored packets, with what its records and its durations are attributed to."""
        self.know(names)
        if len(quality):
            keys = self._cell_keys(records)
            keys = np.where(keys >= 0, keys + 1, -1)
            sums = np.zeros((len(SUMS), len(keys)))
            for into, name in _FROM_COUNTERS:
                sums[into] += quality.counters[_COUNTER[name]]
            self._book(keys, quality.time_milliseconds, sums, (keys >= 0) & sums.any(axis=0), now)
        if len(quality.sample_kind):
            self._add_samples(quality, samples, now)

    def _add_samples(self, quality: QualityBatch, samples: AttributedBatch, now: UnixMillis) -> None:
        keys = self._cell_keys(samples)
        keys = np.where(keys >= 0, keys + 1, -1)
        kind = quality.sample_kind
        began = quality.sample_time_milliseconds - quality.sample_nanoseconds // 1_000_000
        took = _log(quality.sample_nanoseconds / 1e9)
        sums = np.zeros((len(SUMS), len(keys)))
        client, server, response, dns = (kind == SAMPLE_KINDS.index(name) for name in SAMPLE_KINDS)
        sums[CLIENT_COUNT], sums[CLIENT_LOG] = client, np.where(client, took, 0.0)
        sums[SERVER_COUNT], sums[SERVER_LOG] = server, np.where(server, took, 0.0)
        sums[CONNECTED] = server
        answers = response | dns
        sums[ANSWERS] = sums[TURN_COUNT] = answers
        sums[TURN_LOG] = np.where(answers, took, 0.0)
        self._book(keys, began, sums, keys >= 0, now)
        hi, lo = quality.sample_addresses[0].view(np.uint64), quality.sample_addresses[1].view(np.uint64)
        self._note_clients(keys, began, hi, lo, answers & (keys >= 0), now)

    def _bins_of(
        self, times: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_], now: UnixMillis
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        bins = times // BIN_MILLISECONDS
        present = now // BIN_MILLISECONDS
        fit = chosen & (bins > present - _KEPT_BINS) & (bins <= present + _FUTURE_BINS)
        return bins, fit

    def _book(
        self,
        keys: npt.NDArray[np.int64],
        times: npt.NDArray[np.int64],
        sums: _Sums,
        chosen: npt.NDArray[np.bool_],
        now: UnixMillis,
    ) -> None:
        bins, fit = self._bins_of(times, chosen, now)
        self.stale += int(chosen.sum()) - int(fit.sum())
        if not fit.any():
            return
        pairs, places = np.unique(np.stack((bins[fit], keys[fit])), axis=1, return_inverse=True)
        places = places.reshape(-1)
        added = np.stack([np.bincount(places, one[fit], pairs.shape[1]).astype(np.float64) for one in sums])
        for column, (number, key) in enumerate(pairs.T.tolist()):
            if key not in self._cells:
                if len(self._cells) >= self._limits.max_cells:
                    self.overflowed += 1
                    continue
                self._cells[key] = number
            self._cells[key] = max(self._cells[key], number)
            into = self._bins.setdefault(number, _Bin()).sums
            into[key] = into[key] + added[:, column] if key in into else added[:, column].copy()
            self.changed.add(key)

    def _note_clients(
        self,
        keys: npt.NDArray[np.int64],
        times: npt.NDArray[np.int64],
        hi: npt.NDArray[np.uint64],
        lo: npt.NDArray[np.uint64],
        chosen: npt.NDArray[np.bool_],
        now: UnixMillis,
    ) -> None:
        bins, fit = self._bins_of(times, chosen, now)
        for number in np.unique(bins[fit]).tolist():
            of = fit & (bins == number)
            held = self._bins.setdefault(number, _Bin())
            room = self._limits.max_clients_of_bin - held.kept
            found = np.unique(np.stack((keys[of].view(np.uint64), hi[of] * _HASH ^ lo[of])), axis=1)
            held.refused_clients |= found.shape[1] > room
            found = found[:, : max(room, 0)]
            held.kept += found.shape[1]
            held.clients.append((found[0].view(np.int64), found[1]))

    def expire(self, now: UnixMillis) -> None:
        """Forget bins that are too old, and cells that nothing came for meanwhile."""
        oldest = now // BIN_MILLISECONDS - _KEPT_BINS
        latest = now // BIN_MILLISECONDS + _FUTURE_BINS  # the clock may have been set back
        for number in [one for one in self._bins if not oldest < one <= latest]:
            del self._bins[number]
        for key in [key for key, number in self._cells.items() if not oldest < number <= latest]:
            del self._cells[key]
            self.changed.discard(key)

    def cells(self) -> Sequence[int]:
        """Return every cell that figures are kept of: (rule * regions + region) * 2, and 1 more where of packets."""
        return tuple(self._cells)

    def latest(self, key: int) -> int:
        """Return the latest bin of a cell."""
        return self._cells[key]

    def beat(self, key: int, bins: int, least_age: int = 0) -> Beat | None:
        """Return the figures of a cell over so many bins up to its latest; None where it is not known.

        least_age: leave out so many of the latest bins, whose questions may yet be answered.
        """
        if key not in self._cells:
            return None
        last = self._cells[key] - least_age
        held = [(number, self._bins[number].sums[key]) for number in range(last - bins + 1, last + 1)
                if number in self._bins and key in self._bins[number].sums]  # fmt: skip
        if not held:
            return None
        total = np.sum([sums for _, sums in held], axis=0)
        place = key // 2
        return Beat(
            place // len(self.regions), place % len(self.regions), bool(key % 2),
            held[0][0] * BIN_MILLISECONDS, (held[-1][0] + 1) * BIN_MILLISECONDS, total,
        )  # fmt: skip

    def users(self, keys: Sequence[int], began: UnixMillis) -> tuple[int, bool]:
        """Return how many distinct clients of some cells were answered since, and whether there may be more."""
        wanted = np.array(sorted(keys), np.int64)
        found: list[npt.NDArray[np.uint64]] = []
        more = False
        for number, held in self._bins.items():
            if number * BIN_MILLISECONDS >= began:
                more |= held.refused_clients
                found.extend(clients[np.isin(of, wanted)] for of, clients in held.clients)
        return (len(np.unique(np.concatenate(found))) if found else 0), more


def _either_port(batch: AttributedBatch, port: int) -> npt.NDArray[np.bool_]:
    flows = batch.flows
    found: npt.NDArray[np.bool_] = (flows["source_transport_port"] == port) | (
        flows["destination_transport_port"] == port
    )
    return found


def _log(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.log(np.maximum(seconds, _SHORTEST_SECONDS))
    return found

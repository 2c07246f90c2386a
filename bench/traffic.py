"""The load that every bench of flows uses, what is known of it, and its datagrams.

Eight exporters, four layouts, a fifth of the records IPv6, 190,000 client addresses drawn evenly, 2,000 prefixes, 500
service rules of 100 businesses, 120 s of traffic. `Truth` adds up what the generator knows of each record with numpy,
without anything of btimd's attribution, tables or kernels.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from btimd.flows.plan import PlanEntry
from btimd.flows.windows import INTERVALS_MILLISECONDS
from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule
from btimd.model.window import WindowBatch

START = 1_700_000_040_000
SKEW = 1.0
PREFIXES, RULES, ADDRESSES = 2_000, 500, 190_000
EXPORTERS, SECONDS, DRAWN = 8, 120, 8_192
PLACES, BUSINESSES = 40, 100
CELL_FIELDS = ("octets_to_server", "octets_to_client", "packets", "flows", "users")
K = TypeVar("K")
Cells = dict[tuple[int, str, str, str], tuple[int, ...]]


def make_plan(prefixes: int) -> list[PlanEntry]:
    """Return an IP plan of this many prefixes, a fifth of them IPv6, with three levels of nesting."""
    entries = [PlanEntry("10.0.0.0/8", "HQ", "", "", 1), PlanEntry("2001:db8::/32", "HQ6", "", "", 2)]
    for number in range(prefixes - 2):
        region, segment = f"region {number % 10}", f"segment {number % (PLACES // 10)}"
        if number % 5 == 4:
            prefix = f"2001:db8:{number:x}::/48"
        elif number % 50 == 0:
            prefix = f"10.{100 + number // 50 % 100}.0.0/16"
        else:
            prefix = f"10.{100 + number // 250 % 100}.{number % 250}.0/24"
        entries.append(PlanEntry(prefix, region, segment, "", number + 3))
    return list({entry.prefix: entry for entry in entries}.values())


def make_rules(count: int, businesses: int = BUSINESSES) -> list[ServiceRule]:
    """Return rules on single servers, some with several rules, a quarter IPv6; some rules have two owners."""
    rules = []
    for number in range(count):
        server = number * 3 // 4
        text = f"fd00::{server:x}/128" if server % 4 == 3 else f"172.16.{server // 250}.{server % 250}/32"
        owners = [f"business-{number % businesses}"]
        if number % 10 == 0:
            owners.append(f"business-{(number + 1) % businesses}")
        port = 1000 + number % 7 * 100
        rules.append(
            ServiceRule(
                f"rule-{number}", tuple(owners), Prefix.parse(text), 6, port, port + number % 3, source=f"s:{number}"
            )
        )
    return rules


def popularity_of(clients: int, skew: float, chance: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the ascending shares of traffic of clients by Zipf's law, the busiest anywhere among them."""
    shares = 1.0 / np.arange(1, clients + 1, dtype=np.float64) ** skew
    chance.shuffle(shares)
    edges = np.cumsum(shares)
    edges /= edges[-1]
    edges[-1] = 1.0
    return edges


@dataclass(frozen=True, slots=True)
class Drawn:
    """Records, and what the generator knows of each: client, rule (-1 = nobody's server), whether it is an answer."""

    flows: FlowBatch
    client: npt.NDArray[np.int64]
    rule: npt.NDArray[np.int64]
    answer: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Network:
    """Clients, and the few services of their own address family that each of them uses."""

    client_hi: npt.NDArray[np.uint64]
    client_lo: npt.NDArray[np.uint64]
    server_hi: npt.NDArray[np.uint64]
    server_lo: npt.NDArray[np.uint64]
    port: npt.NDArray[np.uint16]
    habits: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    """Ascending to 1: a number of 0..1 chooses the first client that is above it."""

    @classmethod
    def of(
        cls, entries: list[PlanEntry], rules: list[ServiceRule], addresses: int, seed: int = 7, skew: float = SKEW
    ) -> "Network":
        """Return a network of this many client addresses spread over the prefixes of a plan; 4 services each.

        Clients are as busy as Zipf's law says: the n-th most so in proportion to 1 / n^skew; 0: all alike.
        """
        chance = np.random.default_rng(seed)
        prefixes = [Prefix.parse(entry.prefix) for entry in entries]
        per_prefix = -(-addresses // len(prefixes))
        clients = [
            (prefix.hi, prefix.lo + 1 + host % 250 + (host // 250 << 8))
            for host in range(per_prefix)
            for prefix in prefixes
        ][:addresses]
        halves = np.array(clients, np.uint64)
        servers = np.array([(rule.server.hi, rule.server.lo) for rule in rules], np.uint64)
        families = [np.flatnonzero((servers[:, 0] == 0) == four) for four in (False, True)]
        habits = [family[chance.integers(0, len(family), (len(halves), 4))] for family in families]
        return cls(
            np.ascontiguousarray(halves[:, 0]),
            np.ascontiguousarray(halves[:, 1]),
            np.ascontiguousarray(servers[:, 0]),
            np.ascontiguousarray(servers[:, 1]),
            np.array([rule.port_low for rule in rules], np.uint16),
            np.where(halves[:, :1] == 0, habits[1], habits[0]),
            popularity_of(len(halves), skew, chance),
        )

    def draw(self, records: int, now: int, chance: np.random.Generator) -> Drawn:
        """Return records that ended in the two seconds before now: a tenth to nobody's server, half of them answers."""
        client = np.searchsorted(self.popularity, chance.random(records), side="right")
        rule = self.habits[client, chance.integers(0, 4, records)]
        other = chance.random(records) < 0.1
        answer = chance.random(records) < 0.5
        client_port = chance.integers(40000, 60000, records).astype(np.uint16)
        four, six = address_halves("192.0.2.1"), address_halves("2001:db8:ffff::1")
        is_four = self.client_hi[client] == 0
        nobody_hi, nobody_lo = (np.where(is_four, np.uint64(four[half]), np.uint64(six[half])) for half in range(2))
        server_hi = np.where(other, nobody_hi, self.server_hi[rule])
        server_lo = np.where(other, nobody_lo, self.server_lo[rule])
        server_port = np.where(other, np.uint16(443), self.port[rule])
        end = now - chance.integers(0, 2000, records)
        long = chance.random(records) < 0.2
        duration = np.where(
            long, chance.integers(0, 60_000, records), chance.exponential(800, records).astype(np.int64)
        )
        octets = chance.integers(40, 200_000, records)
        flows = FlowBatch.of(
            flow_start_milliseconds=end - duration,
            flow_end_milliseconds=end,
            source_address_hi=np.where(answer, server_hi, self.client_hi[client]),
            source_address_lo=np.where(answer, server_lo, self.client_lo[client]),
            destination_address_hi=np.where(answer, self.client_hi[client], server_hi),
            destination_address_lo=np.where(answer, self.client_lo[client], server_lo),
            source_transport_port=np.where(answer, server_port, client_port),
            destination_transport_port=np.where(answer, client_port, server_port),
            protocol_identifier=np.full(records, 6),
            octet_delta_count=octets,
            packet_delta_count=octets // 700 + 1,
            sampling_rate=np.where(chance.random(records) < 0.1, 100, 1),
        )
        return Drawn(flows, client, np.where(other, -1, rule), answer)

    def places(self, entries: Sequence[PlanEntry]) -> list[tuple[str, str]]:
        """Return region and segment of each client by the longest prefix around it, one after the other."""
        by_length: dict[int, dict[int, tuple[str, str]]] = {}
        for entry in entries:
            prefix = Prefix.parse(entry.prefix)
            by_length.setdefault(prefix.length, {})[prefix.first] = (entry.region, entry.segment)
        found = []
        for hi, lo in zip(self.client_hi.tolist(), self.client_lo.tolist(), strict=True):
            address = hi << 64 | lo
            around = [
                known[address >> (128 - length) << (128 - length)]
                for length, known in sorted(by_length.items(), reverse=True)
                if address >> (128 - length) << (128 - length) in known
            ]
            found.append(tuple(next((cells[at] for cells in around if cells[at]), "") for at in range(2)))
        return [(region, segment) for region, segment in found]


class Truth:
    """The five sums of every cell (start, business, region, segment) of one interval length, by numpy.

    Exact: every sum of a batch is a whole number below 2^53, and batches are added as int64.
    """

    def __init__(
        self, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], network: Network, interval: int
    ) -> None:
        self._interval = interval
        self._names = sorted({business for rule in rules for business in rule.businesses} | {""})
        of_client = network.places(entries)
        self._places = sorted(set(of_client))
        numbers = {place: number for number, place in enumerate(self._places)}
        self._place_of = np.array([numbers[place] for place in of_client], np.int64)
        halves = np.stack([network.client_hi, network.client_lo])
        _, first, address_of = np.unique(halves, axis=1, return_index=True, return_inverse=True)
        self._address_of = address_of.ravel()
        self._place_of_address = self._place_of[first]
        most = max(len(rule.businesses) for rule in rules)
        self._owners = np.full((most, len(rules) + 1), -1, np.int64)  # the last one is of records of no rule
        self._owners[0, -1] = self._names.index("")
        for number, rule in enumerate(rules):
            for owner, business in enumerate(rule.businesses):
                self._owners[owner, number] = self._names.index(business)
        self._sums: dict[int, npt.NDArray[np.int64]] = {}
        self._who: dict[int, npt.NDArray[np.bool_]] = {}

    def add(self, drawn: Drawn) -> None:
        """Add the records of a batch."""
        flows = drawn.flows
        start, end = flows["flow_start_milliseconds"], flows["flow_end_milliseconds"]
        octets = flows["octet_delta_count"] * flows["sampling_rate"]
        packets = flows["packet_delta_count"] * flows["sampling_rate"]
        duration = end - start + 1
        first, last = start // self._interval, end // self._interval
        for owners in self._owners:
            business = owners[drawn.rule]
            for step in range(int((last - first).max()) + 1):
                chosen = np.flatnonzero((business >= 0) & (first + step <= last))
                number, span = first[chosen] + step, duration[chosen]
                low = np.maximum(number * self._interval - start[chosen], 0)
                high = np.minimum((number + 1) * self._interval - start[chosen], span)
                share = octets[chosen] * high // span - octets[chosen] * low // span
                count = packets[chosen] * high // span - packets[chosen] * low // span
                down, ended = drawn.answer[chosen], number == last[chosen]
                columns = (np.where(down, 0, share), np.where(down, share, 0), count, ended, np.ones(len(chosen)))
                self._note(number, business[chosen], drawn.client[chosen], columns)

    def _note(
        self,
        number: npt.NDArray[np.int64],
        business: npt.NDArray[np.int64],
        client: npt.NDArray[np.int64],
        columns: Sequence[npt.NDArray[np.generic]],
    ) -> None:
        if not len(number):
            return
        size = len(self._names) * len(self._places)
        base, intervals = int(number.min()), int(number.max() - number.min()) + 1
        cell = (number - base) * size + business * len(self._places) + self._place_of[client]
        sums = np.stack([np.bincount(cell, column, intervals * size) for column in columns]).astype(np.int64)
        user = business * len(self._place_of_address) + self._address_of[client]
        for each in range(intervals):
            if base + each not in self._sums:
                self._sums[base + each] = np.zeros((len(columns), size), np.int64)
                self._who[base + each] = np.zeros(len(self._names) * len(self._place_of_address), np.bool_)
            self._sums[base + each] += sums[:, each * size : (each + 1) * size]
            self._who[base + each][user[number == base + each]] = True

    def cells(self, times: int = 1) -> Cells:
        """Return every cell that anything touched, as if all records had come so many times."""
        found: Cells = {}
        for number, sums in self._sums.items():
            who = self._who[number].reshape(len(self._names), -1)
            users = [np.bincount(self._place_of_address[row], minlength=len(self._places)) for row in who]
            columns = [*(sums[:4] * times), np.concatenate(users)]
            for cell in np.flatnonzero(sums[4]).tolist():
                name, place = divmod(cell, len(self._places))
                key = (number * self._interval, self._names[name], *self._places[place])
                found[key] = tuple(int(column[cell]) for column in columns)
        return found


def truth(
    entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], network: Network, drawn: Sequence[Drawn], interval: int
) -> Cells:
    """Return the five sums of every cell of these batches."""
    known = Truth(entries, rules, network, interval)
    for batch in drawn:
        known.add(batch)
    return known.cells()


def cells_of(batches: list[WindowBatch], interval: int) -> Cells:
    """Return the latest state of every emitted cell."""
    return {
        (row.interval_start_milliseconds, row.business, row.region, row.segment): tuple(
            getattr(row, field) for field in CELL_FIELDS
        )
        for batch in batches
        if batch.interval_milliseconds == interval
        for row in batch.rows()
    }


def compare(emitted: list[WindowBatch], wanted: list[Cells]) -> None:
    """Compare every emitted cell with the truth; end the process at a difference."""
    for interval, truth_cells in zip(INTERVALS_MILLISECONDS, wanted, strict=True):
        must_equal(cells_of(emitted, interval), truth_cells, f"cells of {interval // 1000} s")


def must_equal(found: Mapping[K, object], wanted: Mapping[K, object], what: str) -> None:
    """End the process at a difference, and say how many there are and which is the first."""
    if found == wanted:
        return
    wrong = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
    key = min(wrong)  # type: ignore[type-var]
    sys.exit(
        f"{len(wrong)} of {len(wanted)} {what} differ, first {key}: {wanted.get(key)} expected, {found.get(key)} found"
    )

"""How fast flow records become windows: attribution, users and windows, every cell checked against a numpy truth.

python -m bench.flows [records in millions] [--check-millions M]

The generator (make_plan, make_rules, Network) and the truth are used by the bench of the whole line too.
"""

import argparse
import sys
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.users import Shares, UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.service import ServiceRule
from btimd.model.window import WindowBatch

BATCH = 8_192
START = 1_700_000_040_000
PLACES, BUSINESSES = 40, 100
CELL_FIELDS = ("octets_to_server", "octets_to_client", "packets", "flows", "users")


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


Cells = dict[tuple[int, str, str, str], tuple[int, ...]]


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

    @classmethod
    def of(cls, entries: list[PlanEntry], rules: list[ServiceRule], addresses: int, seed: int = 7) -> "Network":
        """Return a network of this many client addresses spread over the prefixes of a plan; 4 services each."""
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
        )

    def draw(self, records: int, now: int, chance: np.random.Generator) -> Drawn:
        """Return records that ended in the two seconds before now: a tenth to nobody's server, half of them answers."""
        client = chance.integers(0, len(self.client_hi), records)
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

    def places(self, entries: list[PlanEntry]) -> list[tuple[str, str]]:
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


def truth(
    entries: list[PlanEntry], rules: list[ServiceRule], network: Network, drawn: list[Drawn], interval: int
) -> Cells:
    """Return the five sums of every cell (start, business, region, segment) by numpy, from what the generator knows."""
    names = sorted({business for rule in rules for business in rule.businesses} | {""})
    of_client = network.places(entries)
    places = sorted(set(of_client))
    place_number = {place: number for number, place in enumerate(places)}
    place_of = np.array([place_number[place] for place in of_client], np.int64)
    address_of = np.unique(np.stack([network.client_hi, network.client_lo]), axis=1, return_inverse=True)[1].ravel()
    keys, sums, who = [], [], []
    for batch in drawn:
        flows = batch.flows
        start, end = flows["flow_start_milliseconds"], flows["flow_end_milliseconds"]
        octets = flows["octet_delta_count"] * flows["sampling_rate"]
        packets = flows["packet_delta_count"] * flows["sampling_rate"]
        duration = end - start + 1
        steps = int((end // interval - start // interval).max()) + 1
        for owner in range(max(len(rule.businesses) for rule in rules)):
            owners = [names.index(rule.businesses[owner]) if owner < len(rule.businesses) else -1 for rule in rules]
            business = np.array([*owners, names.index("") if owner == 0 else -1], np.int64)[batch.rule]
            for step in range(steps):
                number = start // interval + step
                chosen = np.flatnonzero((business >= 0) & (number <= end // interval))
                number = number[chosen]
                low = np.maximum(number * interval - start[chosen], 0)
                high = np.minimum((number + 1) * interval - start[chosen], duration[chosen])
                span = duration[chosen]
                share = octets[chosen] * high // span - octets[chosen] * low // span
                count = packets[chosen] * high // span - packets[chosen] * low // span
                client = batch.client[chosen]
                keys.append((number * 1000 + business[chosen]) * 1000 + place_of[client])
                down = batch.answer[chosen]
                ended = number == (end // interval)[chosen]
                sums.append(np.stack([np.where(down, 0, share), np.where(down, share, 0), count, ended]))
                who.append(address_of[client])
    key, total = np.concatenate(keys), np.concatenate(sums, axis=1)
    cells, inverse = np.unique(key, return_inverse=True)
    out = np.zeros((5, len(cells)), np.int64)
    for row in range(4):
        np.add.at(out[row], inverse, total[row])
    pairs = np.unique(inverse << 32 | np.concatenate(who))
    out[4] = np.bincount(pairs >> 32, minlength=len(cells))
    return {
        (int(cell) // 1_000_000 * interval, names[int(cell) // 1000 % 1000], *places[int(cell) % 1000]): tuple(column)
        for cell, column in zip(cells.tolist(), out.T.tolist(), strict=True)
    }


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


class TimedUsers(Users):
    """The table of users with a stopwatch: Windows calls it, so its time is a part of theirs."""

    spent = 0.0

    @override
    def add(self, batch: AttributedBatch, *, earliest: int, latest: int) -> Shares:
        before = process_time()
        shares = super().add(batch, earliest=earliest, latest=latest)
        self.spent += process_time() - before
        return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", nargs="?", type=float, default=2.0)
    parser.add_argument("--check-millions", type=float, default=0.5, help="how much of it the truth is computed for")
    arguments = parser.parse_args()
    entries, rules = make_plan(2_000), make_rules(500)
    plan, problems = compile_plan(entries, 1)
    assert not problems, problems[:3]
    before = perf_counter()
    attribution = Attribution(plan, rules, [f"business-{number}" for number in range(BUSINESSES)], 1)
    print(f"{len(entries)} prefixes, {len(rules)} rules, {len(attribution.segments.row)} segments, "
          f"compiled in {perf_counter() - before:.3f} s")  # fmt: skip
    warm()
    network, chance = Network.of(entries, rules, 190_000), np.random.default_rng(1)
    count = max(1, round(arguments.millions * 1e6 / BATCH))
    checked = round(arguments.check_millions * 1e6 / BATCH)
    users = TimedUsers(attribution, UserLimits(capacity=1 << 21))
    windows = Windows(attribution, users, WindowLimits())
    spent = {"attribute": 0.0, "windows": 0.0, "close": 0.0, "users": 0.0}
    kept: list[Drawn] = []
    emitted: list[WindowBatch] = []
    for number in range(count):
        now = START + number * 120_000 // count
        drawn = network.draw(BATCH, now, chance)
        before = process_time()
        attributed = attribution.attribute(drawn.flows)
        spent["attribute"] += process_time() - before
        before = process_time()
        windows.add(attributed, now)
        spent["windows"] += process_time() - before
        before = process_time()
        emitted.extend(windows.close(now))
        spent["close"] += process_time() - before
        if number < checked:
            kept.append(drawn)
        if number + 1 == checked:
            check(
                attribution,
                emitted,
                [truth(entries, rules, network, kept, each) for each in INTERVALS_MILLISECONDS],
                kept,
            )
    spent["users"] = users.spent
    records = count * BATCH
    for name, seconds in spent.items():
        print(f"{name:10} {seconds / records * 1e9:7.1f} ns/record")
    total = spent["attribute"] + spent["windows"] + spent["close"]
    print(f"all        {total / records * 1e9:7.1f} ns/record, {records / total / 1e6:.2f} M records/s on one core; "
          f"`windows` contains `users`; {users.pairs} pairs, {len(emitted)} batches emitted")  # fmt: skip
    assert not users.refused
    assert not windows.overflowed


def check(attribution: Attribution, emitted: list[WindowBatch], wanted: list[Cells], drawn: list[Drawn]) -> None:
    """Compare every cell with the truth: what was emitted so far, and what windows of their own still hold."""
    windows = Windows(attribution, Users(attribution, UserLimits(capacity=1 << 21)), WindowLimits())
    for batch in drawn:
        attributed = attribution.attribute(batch.flows)
        windows.add(attributed, int(batch.flows["flow_end_milliseconds"].max()))
    compare(emitted + windows.flush(), wanted)


def compare(emitted: list[WindowBatch], wanted: list[Cells]) -> None:
    """Compare every emitted cell with the truth; end the process at a difference."""
    for interval, truth_cells in zip(INTERVALS_MILLISECONDS, wanted, strict=True):
        found = cells_of(emitted, interval)
        if truth_cells != found:
            wrong = [key for key in truth_cells.keys() | found.keys() if truth_cells.get(key) != found.get(key)]
            key = min(wrong)
            sys.exit(
                f"{len(wrong)} of {len(truth_cells)} cells of {interval // 1000} s differ, first {key}: "
                f"{truth_cells.get(key)} expected, {found.get(key)} found"
            )


if __name__ == "__main__":
    main()

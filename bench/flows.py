"""How fast flow records become windows: attribution, users and windows, every cell checked against a numpy truth.

python -m bench.flows [records in millions] [--check-millions M]

The generator (make_plan, make_rules, Network) is used by the bench of the whole line too.
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


@dataclass(frozen=True)
class Network:
    """Clients, and the few services that each of them uses."""

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
        return cls(
            np.ascontiguousarray(halves[:, 0]),
            np.ascontiguousarray(halves[:, 1]),
            np.ascontiguousarray(servers[:, 0]),
            np.ascontiguousarray(servers[:, 1]),
            np.array([rule.port_low for rule in rules], np.uint16),
            chance.integers(0, len(rules), (len(halves), 4)),
        )

    def batch(self, records: int, now: int, chance: np.random.Generator) -> FlowBatch:
        """Return records that ended in the two seconds before now: a tenth to nobody's server, half of them answers."""
        client = chance.integers(0, len(self.client_hi), records)
        rule = self.habits[client, chance.integers(0, 4, records)]
        other = chance.random(records) < 0.1
        answer = chance.random(records) < 0.5
        client_port = chance.integers(40000, 60000, records).astype(np.uint16)
        server_hi = np.where(other, np.uint64(0), self.server_hi[rule])
        server_lo = np.where(other, np.uint64(address_halves("192.0.2.1")[1]), self.server_lo[rule])
        server_port = np.where(other, np.uint16(443), self.port[rule])
        end = now - chance.integers(0, 2000, records)
        long = chance.random(records) < 0.2
        duration = np.where(
            long, chance.integers(0, 60_000, records), chance.exponential(800, records).astype(np.int64)
        )
        octets = chance.integers(40, 200_000, records)
        return FlowBatch.of(
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


def truth(
    attribution: Attribution, batches: list[AttributedBatch], interval: int
) -> dict[tuple[int, str, str, str], tuple[int, ...]]:
    """Return the five sums of every cell (start, business, region, segment) by numpy, without our kernels."""
    names = (*attribution.businesses, "")
    places = (*attribution.places, ("", ""))
    keys, sums, who = [], [], []
    for batch in batches:
        flows = batch.flows
        of_row = np.append(attribution.plan.place_of_row, len(places) - 1)
        place = of_row[batch.client_plan_id].astype(np.int64)
        start, end = flows["flow_start_milliseconds"], flows["flow_end_milliseconds"]
        from_client = batch.client_is_source == 1
        client = np.where(from_client, flows["source_address_lo"], flows["destination_address_lo"]) ^ (
            np.where(from_client, flows["source_address_hi"], flows["destination_address_hi"]) << np.uint64(20)
        )
        octets = flows["octet_delta_count"] * flows["sampling_rate"]
        packets = flows["packet_delta_count"] * flows["sampling_rate"]
        duration = end - start + 1
        for owner in range(2):
            business = np.full(len(batch), len(names) - 1 if owner == 0 else -1)
            for rule in range(len(attribution.rules)):
                first, last = attribution.owners.offsets[rule], attribution.owners.offsets[rule + 1]
                if owner < last - first:
                    business[batch.service_rule_id == rule] = attribution.owners.business[first + owner]
                else:
                    business[batch.service_rule_id == rule] = -1
            for step in range(int((end // interval - start // interval).max()) + 1):
                bin_number = start // interval + step
                chosen = np.flatnonzero((business >= 0) & (bin_number <= end // interval))
                low = np.maximum(bin_number * interval - start, 0)[chosen]
                high = np.minimum((bin_number + 1) * interval - start, duration)[chosen]
                total, span = octets[chosen], duration[chosen]
                share = total * high // span - total * low // span
                count = packets[chosen] * high // span - packets[chosen] * low // span
                keys.append((bin_number[chosen] * 1000 + business[chosen]) * 1000 + place[chosen])
                up = from_client[chosen]
                ended = (bin_number == end // interval)[chosen]
                sums.append(np.stack([np.where(up, share, 0), np.where(up, 0, share), count, ended]))
                who.append(client[chosen])
    key, total = np.concatenate(keys), np.concatenate(sums, axis=1)
    cells, inverse = np.unique(key, return_inverse=True)
    out = np.zeros((5, len(cells)), np.int64)
    for row in range(4):
        np.add.at(out[row], inverse, total[row])
    pairs = np.unique(np.stack([inverse.astype(np.uint64), np.concatenate(who)]), axis=1)
    out[4] = np.bincount(pairs[0].astype(np.int64), minlength=len(cells))
    return {
        (int(cell) // 1_000_000 * interval, names[int(cell) // 1000 % 1000], *places[int(cell) % 1000]): tuple(column)
        for cell, column in zip(cells.tolist(), out.T.tolist(), strict=True)
    }


def cells_of(batches: list[WindowBatch], interval: int) -> dict[tuple[int, str, str, str], tuple[int, ...]]:
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
    kept: list[AttributedBatch] = []
    emitted: list[WindowBatch] = []
    for number in range(count):
        now = START + number * 120_000 // count
        flows = network.batch(BATCH, now, chance)
        before = process_time()
        attributed = attribution.attribute(flows)
        spent["attribute"] += process_time() - before
        before = process_time()
        windows.add(attributed, now)
        spent["windows"] += process_time() - before
        before = process_time()
        emitted.extend(windows.close(now))
        spent["close"] += process_time() - before
        if number < checked:
            kept.append(attributed)
        if number + 1 == checked:
            check(attribution, kept, emitted + peek(attribution, kept))
    spent["users"] = users.spent
    records = count * BATCH
    for name, seconds in spent.items():
        print(f"{name:10} {seconds / records * 1e9:7.1f} ns/record")
    total = spent["attribute"] + spent["windows"] + spent["close"]
    print(f"all        {total / records * 1e9:7.1f} ns/record, {records / total / 1e6:.2f} M records/s on one core; "
          f"`windows` contains `users`; {users.pairs} pairs, {len(emitted)} batches emitted")  # fmt: skip
    assert not users.refused
    assert not windows.overflowed


def peek(attribution: Attribution, kept: list[AttributedBatch]) -> list[WindowBatch]:
    """Return all cells of some batches, from windows of their own."""
    windows = Windows(attribution, Users(attribution, UserLimits(capacity=1 << 21)), WindowLimits())
    for batch in kept:
        windows.add(batch, int(batch.flows["flow_end_milliseconds"].max()))
    return windows.flush()


def check(attribution: Attribution, kept: list[AttributedBatch], emitted: list[WindowBatch]) -> None:
    """Compare every cell with the truth."""
    for interval in INTERVALS_MILLISECONDS:
        wanted, found = truth(attribution, kept, interval), cells_of(emitted, interval)
        if wanted != found:
            wrong = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
            key = min(wrong)
            sys.exit(f"{len(wrong)} of {len(wanted)} cells differ, first {key}: {wanted.get(key)}, {found.get(key)}")
        print(f"truth: all {len(wanted)} cells of {interval // 1000} s equal")


if __name__ == "__main__":
    main()

import ipaddress
from collections import defaultdict

import numpy as np
import pytest

from bench.traffic import START, Cells, Drawn, Network, Truth, make_plan, make_rules, must_equal
from btimd.flows.plan import PlanEntry
from btimd.model.service import ServiceRule

ENTRIES, SERVICE_RULES = make_plan(60), make_rules(20, 5)


def load(batches: int, records: int) -> tuple[Network, list[Drawn]]:
    network, chance = Network.of(ENTRIES, SERVICE_RULES, 300), np.random.default_rng(3)
    return network, [network.draw(records, START + number * 4_000, chance) for number in range(batches)]


def place_of(address: int, entries: list[PlanEntry]) -> tuple[str, str]:
    whole = ipaddress.IPv6Address(address)
    plain = whole.ipv4_mapped or whole
    around = [entry for entry in entries if plain in ipaddress.ip_network(entry.prefix)]
    around.sort(key=lambda entry: ipaddress.ip_network(entry.prefix).prefixlen, reverse=True)
    found = [
        next((getattr(each, name) for each in around if getattr(each, name)), "") for name in ("region", "segment")
    ]
    return found[0], found[1]


def added_up_one_by_one(
    drawn: list[Drawn], network: Network, rules: list[ServiceRule], interval: int
) -> tuple[Cells, dict[tuple[int, str, str, str], set[int]]]:
    sums: dict[tuple[int, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    users: dict[tuple[int, str, str, str], set[int]] = defaultdict(set)
    for batch in drawn:
        for row in range(len(batch.flows)):
            value = {name: int(column[row]) for name, column in batch.flows.columns.items()}
            client, rule = int(batch.client[row]), int(batch.rule[row])
            address = int(network.client_hi[client]) << 64 | int(network.client_lo[client])
            start, end = value["flow_start_milliseconds"], value["flow_end_milliseconds"]
            span = end - start + 1
            for business in rules[rule].businesses if rule >= 0 else ("",):
                for number in range(start // interval, end // interval + 1):
                    key = (number * interval, business, *place_of(address, ENTRIES))
                    low, high = max(number * interval - start, 0), min((number + 1) * interval - start, span)
                    rate = value["sampling_rate"]
                    octets, packets = (
                        value[name] * rate * high // span - value[name] * rate * low // span
                        for name in ("octet_delta_count", "packet_delta_count")
                    )
                    sums[key][1 if batch.answer[row] else 0] += octets
                    sums[key][2] += packets
                    sums[key][3] += number == end // interval
                    users[key].add(address)
    return {key: (*row, len(users[key])) for key, row in sums.items()}, users


@pytest.mark.parametrize("interval", [10_000, 60_000])
def test_the_truth_is_what_adding_up_record_by_record_gives(interval: int) -> None:
    network, drawn = load(3, 200)
    truth = Truth(ENTRIES, SERVICE_RULES, network, interval)
    for batch in drawn:
        truth.add(batch)
    assert truth.cells() == added_up_one_by_one(drawn, network, SERVICE_RULES, interval)[0]


def test_records_that_come_three_times_count_three_times_but_their_users_once() -> None:
    network, drawn = load(1, 100)
    truth = Truth(ENTRIES, SERVICE_RULES, network, 60_000)
    truth.add(drawn[0])
    once, thrice = truth.cells(), truth.cells(3)
    assert thrice == {key: (*(3 * value for value in row[:4]), row[4]) for key, row in once.items()}


def test_a_difference_from_the_truth_ends_the_bench() -> None:
    with pytest.raises(SystemExit) as end:
        must_equal({1: 10, 2: 20}, {1: 10, 2: 21, 3: 30}, "cells")
    assert end.value.code == "2 of 3 cells differ, first 2: 21 expected, 20 found"

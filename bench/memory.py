"""Memory and start of `btimd run`: many exporters with many templates, a million users, a warm start."""

import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.daemon import Daemon, write_config
from bench.datagrams import Exporters, on_the_wire, save_load
from bench.machine import SENDER_CORE, free_port, wait_until
from bench.sender import SenderProcess, burst_of
from btimd.flows.plan import PlanEntry
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule

FIRST_CLIENT = 0xFFFF_0A64_0000  # 10.100.0.0
TEMPLATE_RATE = 400.0
"""Datagrams of fifteen templates per second: learning a template costs Python about 0.1 ms."""


def write_users(
    path: Path, rules: Sequence[ServiceRule], exporters: int, templates: int, users: int
) -> tuple[int, int]:
    """Write a load of so many templates of each exporter and one record of each user; return datagrams and records."""
    wire = Exporters(exporters=exporters)
    now = int(time.time() * 1000)
    payloads = list(wire.put_templates(templates, now))
    lap, per_lap = len(payloads), list(wire.sequence)
    chosen = [rule for rule in rules if len(rule.businesses) == 1 and rule.server.hi == 0]
    rule = np.arange(users) % len(chosen)
    flows = FlowBatch.of(
        flow_start_milliseconds=np.full(users, now),
        flow_end_milliseconds=np.full(users, now),
        source_address_lo=FIRST_CLIENT + np.arange(users),
        destination_address_lo=np.array([each.server.lo for each in chosen], np.uint64)[rule],
        source_transport_port=np.full(users, 50_000),
        destination_transport_port=np.array([each.port_low for each in chosen])[rule],
        protocol_identifier=np.full(users, 6),
        octet_delta_count=np.full(users, 1_000),
        packet_delta_count=np.full(users, 2),
        sampling_rate=np.ones(users),
    )
    payloads.extend(wire.put(256, on_the_wire(flows, 256, -(-now // 1000)), now))
    save_load(path, payloads, lap, per_lap)  # the records follow as what the sender calls filler
    return len(payloads), users


def peak_memory(
    folder: Path, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], *, exporters: int, templates: int,
    users: int, rest_seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """Return the most memory that was resident, and what it is before there is traffic."""
    path = folder / "users.npz"
    datagrams, records = write_users(path, rules, exporters, templates, users)
    config = write_config(folder / "memory", entries, rules, port=free_port(), users=1 << (users - 1).bit_length())
    daemon = Daemon(config)
    daemon.wait()
    before = daemon.process.peak_megabytes()
    sender = SenderProcess(path, daemon.port, core=SENDER_CORE, burst=burst_of(TEMPLATE_RATE))
    sender.laps(TEMPLATE_RATE, 1)
    wait_until(lambda: daemon.counters()["templates"] >= exporters * templates, 300, "all templates", every=0.5)
    sender.filler()
    wait_until(lambda: daemon.drained(records), 120, "all records", every=0.5)
    time.sleep(rest_seconds)  # intervals close
    counters, peak = daemon.counters(), daemon.process.peak_megabytes()
    sender.close()
    daemon.process.stop()
    wanted = {"records": records, "users": users, "refused_users": 0, "lost": 0}
    if any(counters[name] != value for name, value in wanted.items()):
        raise SystemExit(f"{wanted} expected, {counters} found")
    with duckdb.connect(str(config / "state" / "series.duckdb"), read_only=True) as store:
        query = "SELECT sum(users), sum(flows), bool_and(users_exact) FROM btimd_traffic WHERE interval = '60s'"
        found = store.execute(query).fetchone()
    if found != (users, users, True):
        raise SystemExit(f"{users} users and flows expected, {found} found")
    return {
        "exporters": exporters,
        "templates": counters["templates"],
        "users": counters["users"],
        "datagrams": datagrams,
        "ready_megabytes": round(before),
        "peak_megabytes": round(peak),
    }


def start_seconds(
    folder: Path, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], datagram: bytes, runs: int
) -> dict[str, Any]:
    """Return how long a warm start takes until the first datagram is processed; one is sent every 10 ms."""
    found = []
    port = free_port()
    config = write_config(folder / "start", entries, rules, port=port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(1 + runs):  # the first one compiles what is not in the cache
            began = time.monotonic()
            daemon = Daemon(config)

            def sent_and_ready(daemon: Daemon = daemon) -> bool:
                sender.sendto(datagram, ("127.0.0.1", port))
                return daemon.ready and daemon.counters()["records"] > 0

            wait_until(sent_and_ready, 120, "the first datagram", every=0.01)
            found.append(time.monotonic() - began)
            daemon.process.stop()
    return {"first_start_seconds": round(found[0], 2), "warm_start_seconds": [round(each, 2) for each in found[1:]]}

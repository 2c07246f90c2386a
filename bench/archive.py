"""What the archive costs and how fast it finds: a day of records written, put together and searched.

    python -m bench.archive FOLDER [RECORDS] [--keep] [--nfdump]

Writes RECORDS (20,000,000 if not told) of one synthetic day through columns, parts and the merge of each hour, as the
daemon does, then searches cold (files dropped from the page cache) and warm. With --nfdump the same records also go to
nfcapd, and nfdump is asked the same (see archivepeer; 3,000,000 records take a minute to send).
"""

import argparse
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench import archivepeer
from btimd.model.address import Prefix, address_text
from btimd.model.archive import FlowSearch, SearchResult
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan, PlanRow
from btimd.model.service import ServiceRule
from btimd.model.taps import Names
from btimd.store.archivecolumns import Codebook, columns_of
from btimd.store.archivefiles import ArchiveFolder
from btimd.store.archivesearch import ArchiveSearch
from btimd.store.archivewriter import ArchiveWriter, by_hour

DAY: Final = 1_700_000_000_000 // 86_400_000 * 86_400_000
HOUR: Final = 3_600_000
CLIENTS, SERVERS, PLACES, EXPORTERS = 20_000, 500, 200, 8
PORTS: Final = np.array([443, 1521, 80, 53, 1433, 389, 445, 8443], np.uint16)
V4: Final = 0xFFFF_0000_0000
PART = 500_000


def names() -> Names:
    """Return 500 rules of 100 businesses and 200 places."""
    rules = tuple(
        ServiceRule(f"rule-{number}", (f"business-{number % 100}",), Prefix.parse("10.0.0.0/8"))
        for number in range(SERVERS)
    )
    nothing = np.zeros(0, np.uint64)
    plan = IpPlan(nothing, nothing, nothing, nothing, np.zeros(0, np.int32),
                  tuple(PlanRow(f"region {one % 10}", f"segment {one % 4}", "") for one in range(PLACES)))  # fmt: skip
    return Names(
        1, tuple(f"business-{one}" for one in range(100)), rules, np.arange(SERVERS + 1, dtype=np.int32),
        (np.arange(SERVERS) % 100).astype(np.int32), plan,
    )  # fmt: skip


def records(begin: int, seconds: float, count: int, chance: np.random.Generator) -> AttributedBatch:
    """Return records of some seconds: clients and servers by Zipf's law, both directions, a fifth to the Internet."""
    half = count // 2
    shares = 1 / np.arange(1, CLIENTS + 1) ** 0.8
    client = np.searchsorted(np.cumsum(shares) / shares.sum(), chance.random(half))
    shares = 1 / np.arange(1, SERVERS + 1)
    server = np.minimum(np.searchsorted(np.cumsum(shares) / shares.sum(), chance.random(half)), SERVERS - 1)
    outside = chance.random(half) < 0.2
    client_lo = (V4 + (10 << 24) + client * 37 % 65_536 * 16 + client % 16).astype(np.uint64)
    server_lo = np.where(
        outside, V4 + (20 << 24) + chance.zipf(1.3, half) % 200_000 * 20_011, V4 + (172 << 24) + (16 << 16) + server
    ).astype(np.uint64)
    server_port = np.where(outside, 443, PORTS[server % 8]).astype(np.uint16)
    client_port = chance.integers(32_768, 61_000, half).astype(np.uint16)
    start = begin + np.sort(chance.integers(0, max(int(seconds * 1000), 1), half))
    end = start + chance.exponential(4000, half).astype(np.int64)
    octets = (
        np.maximum(40, chance.lognormal(6.5, 1.6, half)).astype(np.int64),
        np.maximum(40, chance.lognormal(8, 2, half)).astype(np.int64),
    )
    near, far = (client % 24 + 1).astype(np.uint32), (server % 4 + 100).astype(np.uint32)

    def both(there: npt.NDArray[Any], back: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.ascontiguousarray(np.stack([there, back], 1).ravel())

    zero = np.zeros(half, np.uint64)
    flows = replace(FlowBatch.zeros(0), columns=dict(FlowBatch.zeros(2 * half).columns) | {
        "flow_start_milliseconds": both(start, start), "flow_end_milliseconds": both(end, end),
        "source_address_hi": both(zero, zero), "destination_address_hi": both(zero, zero),
        "source_address_lo": both(client_lo, server_lo), "destination_address_lo": both(server_lo, client_lo),
        "source_transport_port": both(client_port, server_port),
        "destination_transport_port": both(server_port, client_port),
        "protocol_identifier": np.where(both(server_port, server_port) == 53, 17, 6).astype(np.uint8),
        "tcp_control_bits": np.where(chance.random(2 * half) < 0.8, 0x1B, 0x1A).astype(np.uint16),
        "ingress_interface": both(near, far), "egress_interface": both(far, near),
        "octet_delta_count": both(*octets), "packet_delta_count": both(octets[0] // 300 + 1, octets[1] // 900 + 1),
        "exporter_id": both(client % EXPORTERS, client % EXPORTERS).astype(np.int32),
    })  # fmt: skip
    rule = np.where(outside, -1, server).astype(np.int32)
    place = (client % PLACES).astype(np.int32)
    there = np.ones(half, np.uint8)
    return AttributedBatch(flows, both(rule, rule), both(place, place), both(there, 1 - there), 1)


class Cost:
    """CPU and wall time of what runs in it, added up."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def __enter__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.cpu += time.process_time() - self._cpu
        self.wall += time.perf_counter() - self._wall


def day(count: int) -> Iterator[tuple[int, AttributedBatch]]:
    """Yield a day of records with their hours, the same each time."""
    chance = np.random.default_rng(1)
    per_hour = count // 24
    for hour in range(24):
        for at in range(0, per_hour, PART):
            some = min(PART, per_hour - at)
            yield hour, records(DAY + hour * HOUR + at * HOUR // per_hour, 3600 * some / per_hour - 1, some, chance)


def write(folder: ArchiveFolder, count: int) -> tuple[float, float]:
    """Write a day and say what it cost; return octets and CPU seconds per record."""
    known = names()
    book = Codebook()
    book.know(known)
    texts = {number: f"router-{number}" for number in range(EXPORTERS)}
    writer = ArchiveWriter(folder, book, memory_octets=512 << 20)
    writer.open()
    columns_cost, parts, merges = Cost(), Cost(), Cost()
    written, raw = 0, 0
    for hour, batches in groupby(day(count), key=lambda one: one[0]):
        for _, batch in batches:
            with columns_cost:
                columns = columns_of(batch, None, book, texts)
                split, _ = by_hour(columns)
            with parts:
                for begin, rows in split:
                    writer.write_hour(begin, columns if rows is None else {k: v[rows] for k, v in columns.items()})
            written += len(batch)
        raw += sum(file.octets for file in folder.files(DAY + hour * HOUR))
        with merges:
            writer.merge(DAY + hour * HOUR)
    writer.close()
    size = sum(file.all_octets for hour in folder.hours() for file in folder.files(hour))
    print(f"{written:,} records in 24 hours, {size / written:.1f} bytes a record ({raw / written:.1f} before merging)")
    for what, cost in (("columns", columns_cost), ("parts", parts), ("merges", merges)):
        print(f"  {what:8} {cost.cpu / written * 1e9:6.0f} ns CPU a record, {cost.wall / written * 1e9:6.0f} ns wall")
    whole = columns_cost.cpu + parts.cpu + merges.cpu
    print(f"  together {whole / written * 1e9:6.0f} ns CPU a record")
    return size / written, whole / written


def drop_cache(folder: ArchiveFolder) -> None:
    """Let the kernel forget the files."""
    for hour in folder.hours():
        for file in folder.files(hour):
            descriptor = os.open(file.path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def searches() -> Sequence[tuple[str, FlowSearch, dict[str, Any]]]:
    """Return what is searched for."""
    client = address_text(0, V4 + (10 << 24) + 3000 * 37 % 65_536 * 16 + 3000 % 16)
    day = FlowSearch(DAY, DAY + 86_400_000)
    hour = replace(day, from_milliseconds=DAY + 10 * HOUR, to_milliseconds=DAY + 11 * HOUR)
    return [
        ("one client, the latest 100", replace(day, client=client), {}),
        ("either end, the latest 100", replace(day, address=client), {}),
        ("one client, its servers", replace(day, client=client, group_by=("server", "port")), {}),
        ("one server, the latest 100", replace(day, server="172.16.0.10"), {}),
        ("one server, the largest 100", replace(day, server="172.16.0.10", sort="octets"), {}),
        ("one server, its clients", replace(day, server="172.16.0.10", group_by=("client",)), {}),
        ("a rare server, its clients", replace(day, server="172.16.1.240", group_by=("client",)), {}),
        ("a /24 of clients, the largest 100", replace(day, client="10.3.7.0/24", sort="octets"), {}),
        ("port 53, by client", replace(day, port=53, group_by=("client",)), {}),
        ("one business, by server", replace(day, business="business-7", group_by=("server",)), {}),
        ("nobody (an address never seen)", replace(day, address="192.0.2.1"), {}),
        ("top 100 clients", replace(day, group_by=("client",)), {}),
        ("top 100 servers", replace(day, group_by=("server",)), {}),
        ("top ports by number of clients", replace(day, group_by=("port",)), {"order": "clients", "clients": True}),
        ("one hour: top 100 conversations", replace(hour, group_by=("client", "server", "port")), {}),
    ]  # fmt: skip


def run(folder: ArchiveFolder, search: FlowSearch, how: dict[str, Any]) -> SearchResult:
    """Search."""
    return ArchiveSearch(folder, search, timeout_seconds=120.0, monotonic=time.monotonic, memory_octets=512 << 20).run(
        **how
    )


def beside_nfdump(folder: ArchiveFolder, count: int, own: tuple[float, float]) -> None:
    """Have nfcapd and nfdump do the same."""
    client = address_text(0, V4 + (10 << 24) + 3000 * 37 % 65_536 * 16 + 3000 % 16)
    whole, server = FlowSearch(DAY, DAY + 90_000_000), "172.16.0.10"
    pairs = [
        ("records of one client", replace(whole, client=client, limit=1000), (f"host {client}",)),
        ("one client, its servers", replace(whole, client=client, group_by=("server",)),
         ("-s", "dstip/bytes", "-n", "100", f"host {client}")),
        ("one server, its clients", replace(whole, server=server, group_by=("client",)),
         ("-s", "srcip/bytes", "-n", "100", f"host {server}")),
        ("port 53, by client", replace(whole, port=53, group_by=("client",)),
         ("-s", "srcip/bytes", "-n", "100", "port 53")),
        ("top 100 clients", replace(whole, group_by=("client",)), ("-s", "srcip/bytes", "-n", "100")),
        ("top 100 servers", replace(whole, group_by=("server",)), ("-s", "dstip/bytes", "-n", "100")),
        ("top ports", replace(whole, group_by=("port",)), ("-s", "dstport/bytes", "-n", "100")),
    ]  # fmt: skip
    peer = folder.path.with_name(folder.path.name + "-nfcapd")
    shutil.rmtree(peer, ignore_errors=True)
    batches = (batch for _, batch in day(count))
    archivepeer.compare(peer, batches, DAY, own, pairs, lambda search: run(folder, search, {}))
    shutil.rmtree(peer)


def find(folder: ArchiveFolder) -> None:
    """Search, cold and warm."""
    for what, search, how in searches():
        drop_cache(folder)
        cold, warm = Cost(), Cost()
        with cold:
            run(folder, search, how)
        with warm:
            found = run(folder, search, how)
        rows = len(found.flows) or len(found.groups)
        print(
            f"  {what:34} cold {cold.wall:6.2f} s  warm {warm.wall:6.2f} s  CPU {warm.cpu:6.2f} s"
            f"  {rows} rows, {found.coverage.scanned:,} scanned {found.coverage.stopped}",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=int, nargs="?", default=20_000_000)
    parser.add_argument("--keep", action="store_true", help="keep the files, and use those that are there")
    parser.add_argument("--nfdump", action="store_true", help="compare with nfcapd and nfdump")
    args = parser.parse_args()
    folder = ArchiveFolder(args.folder)
    own = (0.0, 0.0)
    if args.nfdump or not (args.keep and folder.hours()):
        shutil.rmtree(args.folder, ignore_errors=True)
        own = write(folder, args.records)
    find(folder)
    if args.nfdump:
        beside_nfdump(folder, args.records, own)
    if not args.keep:
        shutil.rmtree(args.folder)


if __name__ == "__main__":
    main()

"""The tools that btimd is compared with, each set up for the closest it can do, and what they found.

nfacctd does the same job but for users: its networks_file gives every prefix of the plan the number of its place and
every server a number of its own (as "AS"), its ports_file keeps the ports of services and makes all others 0; it adds
up octets, packets and flows per client place, server, port and minute. What it cannot do: docs/performance.md.
nfcapd decodes and stores.
"""

import csv
import ipaddress
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.machine import Pinned
from bench.traffic import Drawn, Network
from btimd.flows.plan import PlanEntry
from btimd.model.service import ServiceRule

FIRST_SERVER = 10_000
PIPE_OCTETS, PIPE_BUFFER_OCTETS = 1536 << 20, 65_536
"""Of a replay: a pipe that fills up loses records and says nothing, and 20 M records need 1.2 GB of it."""
LIVE_PIPE_OCTETS = 16 << 20
"""Live, nfacctd must keep up: with the pipe of a replay it could put off the work of a whole measurement."""
CACHE_ENTRIES = 20_011
CACHE_ENTRIES_OF_PREFIXES = 300_007
"""Buckets of nfacctd's cache, ten entries each and 4 KiB of memory: enough for all labels of three minutes."""
FOUR = ipaddress.ip_network("::ffff:0:0/96")
Labels = tuple[int, int, int, int]
"""Source number, destination number, source port, destination port."""


def _server_numbers(rules: Sequence[ServiceRule]) -> dict[tuple[int, int], int]:
    numbers: dict[tuple[int, int], int] = {}
    for rule in rules:
        numbers.setdefault((rule.server.hi, rule.server.lo), FIRST_SERVER + len(numbers))
    return numbers


def _place_numbers(entries: Sequence[PlanEntry]) -> dict[tuple[str, str], int]:
    numbers: dict[tuple[str, str], int] = {}
    for entry in entries:
        numbers.setdefault((entry.region, entry.segment), 1 + len(numbers))
    return numbers


def _ports(rules: Sequence[ServiceRule]) -> list[int]:
    return sorted({port for rule in rules for port in range(rule.port_low, rule.port_high + 1)})


def write_nfacctd(
    folder: Path, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], *, capture: Path | None = None,
    port: int = 0, buffer: int = 4 << 20, cache_entries: int = CACHE_ENTRIES,
) -> Path:  # fmt: skip
    """Write nfacctd's files, for a capture or for a UDP port; return the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    places = _place_numbers(entries)
    nets = [f"{places[entry.region, entry.segment]},{entry.prefix}" for entry in entries]
    for (hi, lo), number in _server_numbers(rules).items():
        whole = ipaddress.IPv6Address(hi << 64 | lo)
        nets.append(f"{number},{whole.ipv4_mapped}/32" if whole in FOUR else f"{number},{whole}/128")
    (folder / "networks").write_text("\n".join(nets) + "\n")
    (folder / "ports").write_text("\n".join(map(str, _ports(rules))) + "\n")
    source = (
        [f"pcap_savefile: {capture}"]
        if capture
        else ["nfacctd_ip: 127.0.0.1", f"nfacctd_port: {port}", f"nfacctd_pipe_size: {buffer}"]
    )
    config = folder / "nfacctd.conf"
    config.write_text(
        "\n".join(
            [
                "daemonize: false",
                *source,
                "nfacctd_as: file",
                f"networks_file: {folder / 'networks'}",
                f"ports_file: {folder / 'ports'}",
                "nfacctd_renormalize: true",
                "nfacctd_time_new: false",
                "plugins: print",
                "aggregate: src_as, dst_as, src_port, dst_port, flows",
                "print_history: 1m",
                "print_history_roundoff: m",
                "print_refresh_time: 3600",
                "print_output: csv",
                f"print_output_file: {folder}/out-%Y%m%d-%H%M.csv",
                "print_output_file_append: true",
                f"print_cache_entries: {cache_entries}",
                f"plugin_pipe_size: {PIPE_OCTETS if capture else LIVE_PIPE_OCTETS}",
                f"plugin_buffer_size: {PIPE_BUFFER_OCTETS}",
                "",
            ]
        )
    )
    return config


def nfacctd_sums(folder: Path) -> dict[Labels, tuple[int, int, int]]:
    """Return octets, packets and flows that nfacctd found per labels, all minutes together, without the filler."""
    found: dict[Labels, tuple[int, int, int]] = {}
    for path in folder.glob("out-*.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["BYTES"] == "BYTES":  # another purge wrote its head into the same file
                    continue
                key = (int(row["SRC_AS"]), int(row["DST_AS"]), int(row["SRC_PORT"]), int(row["DST_PORT"]))
                octets, packets, flows = found.get(key, (0, 0, 0))
                found[key] = (octets + int(row["BYTES"]), packets + int(row["PACKETS"]), flows + int(row["FLOWS"]))
    found.pop((0, 0, 0, 0), None)
    return found


class LabelTruth:
    """What nfacctd must find, from what the generator knows."""

    def __init__(self, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], network: Network) -> None:
        numbers, servers, listed = _place_numbers(entries), _server_numbers(rules), set(_ports(rules))
        self._places = np.array([numbers[place] for place in network.places(entries)], np.int64)
        self._most = int(self._places.max()) + 1
        # Version 1.7.7 reads every IPv6 network as ::, so that one of them, the plan's largest, is every address's
        # (pmacct issue 577). The sums of IPv6 are compared as it labels them; its look-up is the cheaper for it.
        every_six = next(numbers[entry.region, entry.segment] for entry in entries if entry.prefix == "2001:db8::/32")
        self._places[network.client_hi != 0] = every_six
        self._servers = [
            (servers[rule.server.hi, rule.server.lo] if rule.server.hi == 0 else every_six, rule.port_low)
            for rule in rules
        ]
        self._servers = [(server, port if port in listed else 0) for server, port in self._servers]
        self._servers += [(0, 0)]
        self._nobody_six = every_six
        self._sums = np.zeros((3, 2 * len(self._servers) * self._most), np.int64)

    def add(self, drawn: Drawn) -> None:
        """Add the records of a batch."""
        nobody = len(self._servers) - 1
        server = np.where(drawn.rule < 0, nobody, drawn.rule)
        label = (drawn.answer * len(self._servers) + server) * self._most + self._places[drawn.client]
        flows = drawn.flows
        scaled = [flows[name] * flows["sampling_rate"] for name in ("octet_delta_count", "packet_delta_count")]
        columns: list[npt.NDArray[np.int64]] = [*scaled, np.ones(len(label), np.int64)]
        for row, column in enumerate(columns):
            self._sums[row] += np.bincount(label, column, self._sums.shape[1]).astype(np.int64)

    def sums(self, times: int = 1) -> dict[Labels, tuple[int, int, int]]:
        """Return octets, packets and flows per labels, as if all records had come so many times."""
        found: dict[Labels, tuple[int, int, int]] = {}
        for label in np.flatnonzero(self._sums[2]).tolist():
            rest, place = divmod(label, self._most)
            answer, number = divmod(rest, len(self._servers))
            server, port = self._servers[number]
            if place == self._nobody_six and not server:
                server = place  # nobody's server of IPv6 is an address of IPv6 too
            key = (server, place, port, 0) if answer else (place, server, 0, port)
            before = found.get(key, (0, 0, 0))
            octets, packets, flows = (int(self._sums[row, label]) * times + before[row] for row in range(3))
            found[key] = (octets, packets, flows)
        return found


class Nfacctd:
    """nfacctd on its core."""

    def __init__(self, folder: Path, config: Path) -> None:
        self._folder = folder
        self.process = Pinned(["nfacctd", "-f", config], folder / "log", zone="UTC")

    def finish(self) -> dict[Labels, tuple[int, int, int]]:
        """End it and return what it found."""
        self.process.stop(signal.SIGINT, 60)
        return nfacctd_sums(self._folder)


class Nfcapd:
    """nfcapd on its core."""

    def __init__(self, folder: Path, port: int, buffer: int) -> None:
        self._files = folder / "files"
        self._files.mkdir(parents=True)
        self.process = Pinned(
            ["nfcapd", "-w", self._files, "-b", "127.0.0.1", "-p", str(port), "-B", str(buffer), "-t", "3600"],
            folder / "log",
        )

    def finish(self) -> tuple[int, int]:
        """End it and return the records that it stored and the sequence errors that it counted."""
        self.process.stop()
        done = subprocess.run(["nfdump", "-R", self._files, "-I"], capture_output=True, text=True, check=True)
        found = {name: int(re.search(rf"^{name}: (\d+)", done.stdout, re.MULTILINE)[1])  # type: ignore[index]
                 for name in ("Flows", "Sequence failures")}  # fmt: skip
        return found["Flows"], found["Sequence failures"]

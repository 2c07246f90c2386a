"""The tools that btimd's packet capture is compared with, on a capture file and on an interface, and what they found.

softflowd and nfpcapd keep a flow table and export or store its flows; they label nothing. pmacctd `labels` does the
closest to btimd's job: every prefix of the plan gets the number of its place, every server one of its own, ports of
services are kept, octets and packets are added up per place, server, port and minute; it keeps no flows. pmacctd
`trivial` adds up by protocol. None of them measures connections.
"""

import csv
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.frames import wire_octets
from bench.machine import Pinned, Spent, run_measured
from bench.packets import Packets
from bench.peers import CACHE_ENTRIES, Labels, LabelTruth, write_nfacctd
from bench.traffic import Drawn, Network, must_equal
from btimd.flows.plan import PlanEntry
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule

FLOWS = 524_288
"""The most flows that softflowd and nfpcapd may keep: nfpcapd's default; with softflowd's of 8,192 it would do nothing
but forget flows."""
PIPE_OCTETS = 128 << 20
"""Of pmacctd: enough here, and the 1.5 GiB that a replay of nfacctd needs would cost it a second of page faults."""
NOWHERE = "127.0.0.1:9"
RING_MEGABYTES = 64
PEERS = ("softflowd", "nfpcapd", "pmacctd trivial", "pmacctd labels")


@dataclass(frozen=True, slots=True)
class Totals:
    """What a tool counted. dropped: packets that it says it lost, -1 where it says nothing."""

    packets: int
    octets: int
    dropped: int = -1


def label_truth(
    packets: Packets, network: Network, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule]
) -> dict[Labels, tuple[int, int]]:
    """Return octets and packets per labels that pmacctd must find."""
    flows, count = packets.flows, len(packets.flows.kind)
    either = packets.flow + count * packets.answer
    octets = np.bincount(either, wire_octets(packets), 2 * count).astype(np.int64)
    passed = np.bincount(either, minlength=2 * count)
    seen = np.flatnonzero(passed)
    flow, answer = seen % count, seen >= count
    batch = FlowBatch.of(octet_delta_count=octets[seen], packet_delta_count=passed[seen])
    truth = LabelTruth(entries, rules, network)
    truth.add(Drawn(batch, flows.client[flow], flows.rule[flow], answer))
    return {labels: (row[0], row[1]) for labels, row in truth.sums().items()}


def write_pmacctd(
    folder: Path, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule], *, labels: bool,
    capture: Path | None = None, interface: str = "",
) -> Path:  # fmt: skip
    """Write pmacctd's files, for a capture or for an interface; return the configuration."""
    text = write_nfacctd(folder, entries, rules, capture=capture or folder, cache_entries=CACHE_ENTRIES).read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("nfacctd_", "aggregate:", "plugin_pipe"))]
    if interface:
        lines = [line for line in lines if not line.startswith("pcap_savefile:")]
        lines += [f"pcap_interface: {interface}", f"pmacctd_pipe_size: {RING_MEGABYTES << 20}", "promisc: true"]
    lines += [
        f"plugin_pipe_size: {PIPE_OCTETS}",
        "pmacctd_as: file",
        f"aggregate: {'src_as, dst_as, src_port, dst_port' if labels else 'proto'}",
    ]
    if not labels:
        lines = [line for line in lines if not line.startswith(("networks_file", "ports_file", "pmacctd_as"))]
    else:
        lines += [f"networks_file: {folder / 'networks'}", f"ports_file: {folder / 'ports'}"]
    config = folder / "pmacctd.conf"
    config.write_text("\n".join(dict.fromkeys(lines)) + "\n")
    return config


def pmacctd_sums(folder: Path) -> dict[Labels, tuple[int, int]]:
    """Return octets and packets per labels, all minutes together."""
    found: dict[Labels, tuple[int, int]] = {}
    for path in folder.glob("out-*.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["BYTES"] == "BYTES":  # another purge wrote its head into the same file
                    continue
                labels = (
                    _number(row, "SRC_AS"),
                    _number(row, "DST_AS"),
                    _number(row, "SRC_PORT"),
                    _number(row, "DST_PORT"),
                )
                octets, packets = found.get(labels, (0, 0))
                found[labels] = (octets + int(row["BYTES"]), packets + int(row["PACKETS"]))
    return found


def _number(row: dict[str, str], name: str) -> int:
    return int(row.get(name) or 0)


def softflowd_totals(text: str) -> Totals:
    """Return what softflowd's statistics say."""
    packets = re.search(r"^Packets processed: (\d+)", text, re.MULTILINE)
    octets = re.findall(r"^ +\S+ \(\d+\): +(\d+)", text, re.MULTILINE)
    dropped = re.search(r"^Packets dropped by libpcap: (\d+)|(\d+) dropped", text, re.MULTILINE)
    if packets is None:
        raise SystemExit(f"softflowd said no totals:\n{text[-2000:]}")
    lost = int(next(filter(None, dropped.groups()))) if dropped else -1
    return Totals(int(packets[1]), sum(map(int, octets)), lost)


def nfdump_totals(folder: Path) -> Totals:
    """Return what is in nfpcapd's files."""
    done = subprocess.run(["nfdump", "-R", folder, "-I"], capture_output=True, text=True, check=True)
    packets, octets = (re.search(rf"^{name}: (\d+)", done.stdout, re.MULTILINE) for name in ("Packets", "Bytes"))
    return Totals(int(packets[1]) if packets else 0, int(octets[1]) if octets else 0)


@dataclass(frozen=True, slots=True)
class Load:
    """A capture, and what is true of it."""

    path: Path
    packets: int
    octets: int
    labels: dict[Labels, tuple[int, int]]
    entries: Sequence[PlanEntry]
    rules: Sequence[ServiceRule]


def run_peer(tool: str, load: Load, folder: Path) -> Spent:
    """Run a tool on a capture; end the bench where what it found is not the truth."""
    folder.mkdir(parents=True)
    if tool == "softflowd":
        out = folder / "out"
        spent = run_measured(
            ["softflowd", "-r", load.path, "-n", NOWHERE, "-v", "9", "-m", str(FLOWS), "-d", "-c", "none",
             "-p", folder / "pid"], stdout=out,
        )  # fmt: skip
        found = softflowd_totals(out.read_text(errors="replace"))
    elif tool == "nfpcapd":
        spent = run_measured(["nfpcapd", "-r", load.path, "-w", folder, "-B", str(FLOWS)])
        found = nfdump_totals(folder)
    else:
        labels = tool.endswith("labels")
        config = write_pmacctd(folder, load.entries, load.rules, labels=labels, capture=load.path)
        spent = run_measured(["pmacctd", "-f", config], zone="UTC")
        sums = pmacctd_sums(folder)
        if labels:
            must_equal(sums, load.labels, "sums of pmacctd")
        found = Totals(sum(row[1] for row in sums.values()), sum(row[0] for row in sums.values()))
    if (found.packets, found.octets) != (load.packets, load.octets):
        raise SystemExit(f"{tool} found {found}, but there are {load.packets} packets of {load.octets} octets")
    return spent


class LivePeer:
    """A tool on its core, in the network namespace of the mirror port."""

    def __init__(
        self, tool: str, folder: Path, interface: str, inside: Callable[[Sequence[str | Path]], list[str]],
        entries: Sequence[PlanEntry], rules: Sequence[ServiceRule],
    ) -> None:  # fmt: skip
        self.tool, self._folder, self._inside = tool, folder, inside
        self._stored = folder / "stored"
        self._stored.mkdir(parents=True)
        command: list[str | Path]
        if tool == "softflowd":
            command = ["softflowd", "-i", interface, "-n", NOWHERE, "-v", "9", "-m", str(FLOWS), "-d",
                       "-B", str(RING_MEGABYTES << 20), "-C", "96", "-p", folder / "pid",
                       "-c", folder / "ctl"]  # fmt: skip
        elif tool == "nfpcapd":
            command = ["nfpcapd", "-i", interface, "-w", self._stored, "-B", str(FLOWS), "-b", str(RING_MEGABYTES),
                       "-s", "96", "-t", "3600"]  # fmt: skip
        else:
            config = write_pmacctd(folder, entries, rules, labels=tool.endswith("labels"), interface=interface)
            command = ["pmacctd", "-f", config, "-L", "128"]
        self.process = Pinned(inside(command), folder / "log", zone="UTC")
        time.sleep(1.0)

    def finish(self) -> Totals:
        """End it and return what it counted."""
        if self.tool == "softflowd":
            found = self._ask()
            while (later := self._ask()) != found:  # it still works on what it holds
                found = later
            self.process.stop()
            return found
        self.process.stop(signal.SIGINT if self.tool.startswith("pmacctd") else signal.SIGTERM, 60)
        if self.tool == "nfpcapd":
            found = nfdump_totals(self._stored)
            lost = re.findall(r"(?:dropped|drop)\D{0,12}(\d+)", self.process.log, re.IGNORECASE)
            return Totals(found.packets, found.octets, int(lost[-1]) if lost else -1)
        sums = pmacctd_sums(self._folder)
        lost = re.findall(r"dropped.*?=(\d+)|drops?=(\d+)", self.process.log)
        dropped = int(next(filter(None, lost[-1]), 0)) if lost else -1
        return Totals(sum(row[1] for row in sums.values()), sum(row[0] for row in sums.values()), dropped)

    def _ask(self) -> Totals:
        """Return what softflowd says a second later."""
        time.sleep(1.0)
        asked = ["softflowctl", "-c", str(self._folder / "ctl"), "statistics"]
        return softflowd_totals(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)

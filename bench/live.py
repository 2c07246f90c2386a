"""Live over loopback: the highest rate at which a receiver on one core loses nothing of what a sender on another sends.

A trial starts the receiver afresh, sends the load once slowly (templates, users, tables), then so many times at the
rate, then filler that shows what was lost. Without loss every sum must equal the truth: btimd's cells of 10 s and 60 s
with distinct users, nfacctd's sums per labels, the number of records that nfcapd stored. With loss btimd must report it
to the datagram (NetFlow v9 counts datagrams) or to the record (IPFIX counts records).
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.daemon import Daemon, write_config
from bench.datagrams import FILLER_RECORDS, IPFIX, V9, Lap, write_lap
from bench.machine import SENDER_CORE, free_port, udp_socket, wait_until
from bench.peers import LabelTruth, Nfacctd, Nfcapd, write_nfacctd
from bench.sender import SenderProcess, burst_of
from bench.traffic import Network, Truth, must_equal
from btimd.flows.plan import PlanEntry
from btimd.flows.windows import INTERVALS_MILLISECONDS
from btimd.model.service import ServiceRule

WARM_RATE = {"btimd": 20_000.0, "nfcapd": 20_000.0, "nfacctd": 4_000.0}
HIGHEST_RATE = 400_000.0
STARTED_SECONDS = 1.0
BACKLOG_SECONDS, BACKLOG_SHARE = 0.5, 0.1
"""A rate is held when what waits at its end is worked off within this time and share of the time of sending."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one rate. lost: datagrams for btimd, records for the others; reported: by the tool itself."""

    tool: str
    buffer_megabytes: int
    asked: float
    reached: float
    held: bool
    lost: int
    reported: int
    backlog_seconds: float
    cpu_nanoseconds_per_record: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What all trials share."""

    folder: Path
    entries: Sequence[PlanEntry]
    rules: Sequence[ServiceRule]
    network: Network
    records: int
    seconds: float

    def lap(self, version: int = V9) -> Lap:
        """Return a load of now: ten seconds of traffic that end now."""
        now = int(time.time() * 1000)
        path = self.folder / "lap.npz"
        return write_lap(path, self.network, self.records, start=now - 10_000, seconds=10, version=version)

    def fresh(self, name: str) -> Path:
        """Return an empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def laps(self, rate: float, lap: Lap) -> int:
        """Return how often the load is to be sent."""
        return max(1, round((rate or HIGHEST_RATE) * self.seconds / lap.datagrams))


@dataclass(slots=True)
class Sent:
    """What a sender did in a trial."""

    laps: int
    datagrams: int
    seconds: float
    rate: float
    backlog_seconds: float
    cpu_seconds: float


def _send(
    lap: Lap, port: int, rate: float, laps: int, *, warm_rate: float, cpu_seconds: Callable[[], float],
    drained: Callable[[int], bool],
) -> Sent:  # fmt: skip
    """Send a trial. drained: tells whether the receiver has worked on so many laps, or will never."""
    sender = SenderProcess(lap.path, port, core=SENDER_CORE, burst=burst_of(rate))
    try:
        sender.laps(min(warm_rate, rate or warm_rate), 1)
        wait_until(lambda: drained(1), 60, "the receiver to work off the first load", every=0.1)
        before, answer = cpu_seconds(), sender.laps(rate, laps)
        backlog = wait_until(lambda: drained(1 + laps), 120, "the receiver to work off the load", every=0.1)
        spent = cpu_seconds() - before
        sender.filler()
        time.sleep(0.5)
    finally:
        sender.close()
    return Sent(1 + laps, answer["datagrams"], answer["seconds"], answer["rate"], backlog, spent)


def _held(sent: Sent, lost: int) -> bool:
    return not lost and sent.backlog_seconds <= BACKLOG_SECONDS + BACKLOG_SHARE * sent.seconds


def btimd_trial(setting: Setting, lap: Lap, rate: float, buffer: int, *, records_exactly: bool = False) -> Trial:
    """Run one rate against btimd; with `records_exactly` the load is IPFIX and loss is counted in records."""
    config = write_config(setting.fresh("btimd"), setting.entries, setting.rules, port=free_port(), buffer=buffer)
    daemon = Daemon(config)
    daemon.wait()
    last = {"records": -1, "at": 0.0}

    def drained(laps: int) -> bool:
        records = daemon.counters()["records"]
        if records != last["records"]:
            last.update(records=records, at=time.monotonic())
        return records >= laps * lap.records or time.monotonic() - last["at"] > 1.5

    sent = _send(lap, daemon.port, rate, setting.laps(rate, lap), warm_rate=WARM_RATE["btimd"],
                 cpu_seconds=daemon.process.cpu_seconds, drained=drained)  # fmt: skip
    time.sleep(1.2)  # counters of receiving are brought up to date once a second
    counters, socket_drops = daemon.counters(), daemon.drops()
    daemon.process.stop()
    datagrams = sent.laps * lap.datagrams + lap.filler_datagrams
    lost_datagrams = datagrams - counters["datagrams"] + counters["queue_drops"]
    lost_records = sent.laps * lap.records + FILLER_RECORDS - counters["records"]
    lost = lost_records if records_exactly else lost_datagrams
    if counters["lost"] != lost or counters["restarts"]:
        raise SystemExit(f"btimd reports {counters['lost']} lost, but {lost} were: {counters}, {datagrams} sent")
    if datagrams - counters["datagrams"] != socket_drops or counters["kernel_drops"] != socket_drops:
        raise SystemExit(f"of {datagrams} datagrams the kernel dropped {socket_drops}, but: {counters}")
    if lost and lost_records <= 0:
        raise SystemExit(f"datagrams were lost, records not: {counters}")
    if not lost:
        for interval in INTERVALS_MILLISECONDS:
            truth = Truth(setting.entries, setting.rules, setting.network, interval)
            for drawn in lap.drawn:
                truth.add(drawn)
            must_equal(daemon.cells(f"{interval // 1000}s"), truth.cells(sent.laps), f"cells of {interval} ms")
    records = max(1, counters["records"] - lap.records)
    return Trial("btimd", buffer >> 20, rate, sent.rate, _held(sent, lost), lost, counters["lost"],
                 sent.backlog_seconds, sent.cpu_seconds / records * 1e9)  # fmt: skip


def nfcapd_trial(setting: Setting, lap: Lap, rate: float, buffer: int) -> Trial:
    """Run one rate against nfcapd, which stores."""
    port = free_port()
    tool = Nfcapd(setting.fresh("nfcapd"), port, buffer)
    _wait_for_socket(port)
    sent = _send(lap, port, rate, setting.laps(rate, lap), warm_rate=WARM_RATE["nfcapd"],
                 cpu_seconds=tool.process.cpu_seconds, drained=lambda _: _nothing_waits(port))  # fmt: skip
    time.sleep(0.5)
    stored, failures = tool.finish()
    lost = sent.laps * lap.records + FILLER_RECORDS - stored
    records = max(1, (sent.laps - 1) * lap.records - lost)
    return Trial("nfcapd", buffer >> 20, rate, sent.rate, _held(sent, lost), lost, failures, sent.backlog_seconds,
                 sent.cpu_seconds / records * 1e9)  # fmt: skip


def nfacctd_trial(setting: Setting, lap: Lap, rate: float, buffer: int) -> Trial:
    """Run one rate against nfacctd with the same job."""
    port, folder = free_port(), setting.fresh("nfacctd")
    tool = Nfacctd(folder, write_nfacctd(folder, setting.entries, setting.rules, port=port, buffer=buffer))
    _wait_for_socket(port)
    quiet = [0.0, 0.0]

    def drained(_: int) -> bool:
        """Tell whether nothing waits at its socket and its plugin has come to rest."""
        spent = tool.process.cpu_seconds()
        rests, quiet[0], quiet[1] = spent == quiet[0] and spent == quiet[1], spent, quiet[0]
        return rests and _nothing_waits(port)

    sent = _send(lap, port, rate, setting.laps(rate, lap), warm_rate=WARM_RATE["nfacctd"],
                 cpu_seconds=tool.process.cpu_seconds, drained=drained)  # fmt: skip
    time.sleep(0.5)
    found = tool.finish()
    truth = LabelTruth(setting.entries, setting.rules, setting.network)
    for drawn in lap.drawn:
        truth.add(drawn)
    wanted = truth.sums(sent.laps)
    lost = sum(sums[2] for sums in wanted.values()) - sum(sums[2] for sums in found.values())
    if not lost:
        must_equal(found, wanted, "sums of nfacctd")
    records = max(1, (sent.laps - 1) * lap.records - lost)
    return Trial("nfacctd", buffer >> 20, rate, sent.rate, _held(sent, lost), lost, 0, sent.backlog_seconds,
                 sent.cpu_seconds / records * 1e9)  # fmt: skip


def _wait_for_socket(port: int) -> None:
    wait_until(lambda: udp_socket(port) is not None, 60, "the receiver to listen")
    time.sleep(STARTED_SECONDS)


def _nothing_waits(port: int) -> bool:
    found = udp_socket(port)
    return found is None or not found.waiting


TRIALS = {"btimd": btimd_trial, "nfcapd": nfcapd_trial, "nfacctd": nfacctd_trial}
GUESS = {"btimd": 50_000.0, "nfcapd": 50_000.0, "nfacctd": 8_000.0}


def highest_rate(setting: Setting, tool: str, buffer: int, steps: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Double or halve the rate until one is held and one is not, then close in; return the best trial held."""
    best: Trial | None = None
    rate, low, high = GUESS[tool], 0.0, 0.0
    trials = []
    lap = setting.lap()
    for _ in range(steps):
        trial = TRIALS[tool](setting, lap, rate, buffer)
        trials.append(asdict(trial))
        say(
            f"  {tool:8} {buffer >> 20:3} MiB asked {rate:9,.0f}/s sent {trial.reached:9,.0f}/s "
            f"{'held' if trial.held else 'not held'}, lost {trial.lost:,}, reported {trial.reported:,}, "
            f"backlog {trial.backlog_seconds:.1f} s, {trial.cpu_nanoseconds_per_record:,.0f} CPU ns/record"
        )
        if trial.held:
            low = rate
            if best is None or trial.reached > best.reached:
                best = trial
            if rate >= HIGHEST_RATE or trial.reached < 0.9 * rate:
                break  # the sender's limit
        else:
            high = rate
        if not high:
            rate = min(HIGHEST_RATE, rate * 2)
        elif not low:
            rate /= 2
        elif high / low < 1.06:
            break
        else:
            rate = (low * high) ** 0.5
    return {"tool": tool, "buffer_megabytes": buffer >> 20, "best": asdict(best) if best else None, "trials": trials}


def exact_loss(setting: Setting, buffer: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Send as fast as possible and check that btimd reports what was lost, in datagrams of v9 and records of IPFIX."""
    found = []
    for version in (V9, IPFIX):
        trial = btimd_trial(setting, setting.lap(version), 0, buffer, records_exactly=version == IPFIX)
        found.append(asdict(trial))
        what = "records" if version == IPFIX else "datagrams"
        say(f"  btimd at {trial.reached:,.0f} datagrams/s: {trial.lost:,} {what} lost and reported, to the last one")
    return found

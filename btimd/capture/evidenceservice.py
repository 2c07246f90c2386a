"""EvidenceService: on a symptom, the packets of its businesses are frozen, kept as a file, dissected, and reported."""

import asyncio  # noqa: TID251  a shell: it has a queue and a task, and waits for what others do
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from btimd.capture.forensics import MISSING, DissectLimits, Subject, dissect, find_tshark
from btimd.model.evidence import Finding
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock, SystemClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

_FREEZE_SECONDS: Final = 3.0
_TIDY_SECONDS: Final = 3600.0
_COUNTERS: Final = {
    "requests": "Symptoms of a business for which evidence was asked",
    "skipped": "Of those, not followed because the business's evidence was frozen shortly before",
    "dropped": "Of those, dropped because too many waited",
    "without_packets": "Of those, without any packet of the business in the rings",
    "failed": "Of those, failed: packets not frozen in time, or the file not written",
    "files": "Capture files written",
    "bytes": "Octets of capture files written",
    "dissections": "Capture files dissected",
    "incomplete_dissections": "Of those, with a problem: tshark missing, stopped, or failed",
    "observations": "Observations in findings",
}

Freeze = Callable[[str, UnixSeconds], Awaitable[bytes]]
"""Gives the packets kept of a business as a capture file, b"" where there are none; any exception is a failure."""
Report = Callable[[Finding], None]
Dissect = Callable[[Path, Subject, DissectLimits], Awaitable[Finding]]
SubjectOf = Callable[[str], Subject]
"""Says what is known of a business: protocols by port."""


class Keeper(Protocol):
    """Who keeps files, as evidencefiles.EvidenceKeeper does."""

    def write(self, business: str, octets: bytes, now: UnixSeconds) -> Path:
        """Write a file and return its path; raises OSError."""
        ...

    def tidy(self, now: UnixSeconds) -> int:
        """Delete what is too much; raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """pause: between two freezes of one business, s. waiting: businesses that wait at a time."""

    pause: Seconds = 300.0
    waiting: int = 32


class EvidenceService:
    """Collects evidence, one business at a time, and reports a finding for each file that it wrote.

    Freezing begins at once, as packets are overwritten; dissection waits for its turn. `on_symptom` is called on the
    event loop; so is `report`.
    """

    def __init__(
        self,
        freeze: Freeze,
        keeper: Keeper,
        report: Report,
        metrics: Metrics,
        log: Log,
        *,
        clock: Clock | None = None,
        subject_of: SubjectOf = Subject,
        limits: ServiceLimits | None = None,
        dissect_limits: DissectLimits | None = None,
        dissecting: Dissect = dissect,
    ) -> None:
        self._freeze = freeze
        self._keeper = keeper
        self._report = report
        self._log = log
        self._clock = clock or SystemClock()
        self._subject_of = subject_of
        self._limits = limits or ServiceLimits()
        self._dissect_limits = dissect_limits or DissectLimits()
        self._dissect = dissecting
        self._counters = {
            name: metrics.counter(f"btimd_capture_evidence_{name}_total", text) for name, text in _COUNTERS.items()
        }
        self._waiting_gauge = metrics.gauge("btimd_capture_evidence_waiting", "Capture files that wait for dissection")
        self._frozen_at: OrderedDict[str, UnixSeconds] = OrderedDict()
        self._freezing: set[asyncio.Task[None]] = set()
        self._files: asyncio.Queue[tuple[str, Path]] = asyncio.Queue()
        self._drop_log = OncePerInterval()
        self._problem = ""

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "capture.evidence"

    async def start(self) -> None:
        """Delete files that are too old; a folder that cannot be used is said, and is no reason not to start."""
        if find_tshark(self._dissect_limits.tshark) is None:
            self._log.warning("evidence-not-dissected", reason=MISSING)
        await self._tidy()

    def on_symptom(self, businesses: Iterable[str], now: UnixSeconds) -> None:
        """Have the packets of businesses frozen that a symptom concerns. now: s since 1970."""
        for business in businesses:
            self._counters["requests"].inc()
            before = self._frozen_at.get(business)
            if before is not None and 0 <= now - before < self._limits.pause:
                self._counters["skipped"].inc()
            elif len(self._freezing) + self._files.qsize() >= self._limits.waiting:
                self._counters["dropped"].inc()
                held = self._drop_log.take(self._clock.monotonic())
                if held is not None:
                    self._log.warning("evidence-dropped", business=business, more_since_last_line=held)
            else:
                self._forget_old(now)
                self._frozen_at[business] = now
                task = asyncio.create_task(self._keep(business, now), name=f"evidence of {business}")
                self._freezing.add(task)
                task.add_done_callback(self._freezing.discard)

    def _forget_old(self, now: UnixSeconds) -> None:
        while self._frozen_at and now - next(iter(self._frozen_at.values())) >= self._limits.pause:
            self._frozen_at.popitem(last=False)

    async def _keep(self, business: str, now: UnixSeconds) -> None:
        """Freeze a business's packets and write them to a file, which then waits for dissection."""
        try:
            async with asyncio.timeout(_FREEZE_SECONDS):
                octets = await self._freeze(business, now)
            if not octets:
                self._counters["without_packets"].inc()
                return
            path = await asyncio.to_thread(self._keeper.write, business, octets, now)
        except Exception as error:  # noqa: BLE001  evidence is an extra: whatever fails here costs that and no more
            self._counters["failed"].inc()
            reason = "no packets came in time" if isinstance(error, TimeoutError) else str(error) or repr(error)
            self._problem = f"no evidence of {business} could be kept: {reason}"
            self._log.warning("evidence-not-kept", business=business, reason=reason)
            return
        self._problem = ""
        self._counters["files"].inc()
        self._counters["bytes"].inc(len(octets))
        self._files.put_nowait((business, path))
        self._waiting_gauge.set(self._files.qsize())

    async def run(self) -> None:
        """Dissect one file after the other, and report, until cancelled."""
        tidy_at = self._clock.monotonic() + _TIDY_SECONDS
        while True:
            try:
                async with asyncio.timeout(max(tidy_at - self._clock.monotonic(), 0.001)):
                    business, path = await self._files.get()
            except TimeoutError:
                await self._tidy()
                tidy_at = self._clock.monotonic() + _TIDY_SECONDS
                continue
            self._waiting_gauge.set(self._files.qsize())
            await self._look_into(business, path)

    async def _look_into(self, business: str, path: Path) -> None:
        subject = replace(self._subject_of(business), business=business)
        finding = await self._dissect(path, subject, self._dissect_limits)
        self._counters["dissections"].inc()
        self._counters["incomplete_dissections"].inc(bool(finding.problem))
        self._counters["observations"].inc(len(finding.observations))
        self._log.info("evidence", business=business, file=path.name, summary=finding.summary, problem=finding.problem)
        try:
            self._report(finding)
        except Exception:  # noqa: BLE001  a bug of the listener: the next finding may still reach it
            self._log.exception("evidence-report-failed", business=business)

    async def _tidy(self) -> None:
        try:
            await asyncio.to_thread(self._keeper.tidy, self._clock.wall())
        except OSError as error:
            self._problem = f"old evidence cannot be deleted: {error}"
            self._log.warning("evidence-not-deleted", reason=error)

    async def stop(self) -> None:
        """Stop freezing; files that wait for dissection stay, undissected."""
        tasks = list(self._freezing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def health(self) -> ComponentHealth:
        """Say whether evidence is kept and dissected."""
        if self._problem:
            return ComponentHealth(HealthLevel.WARNING, self._problem)
        if find_tshark(self._dissect_limits.tshark) is None:
            return ComponentHealth(HealthLevel.WARNING, MISSING)
        return ComponentHealth()

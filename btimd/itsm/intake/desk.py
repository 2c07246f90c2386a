"""The intake desk: keeps a report before anybody is answered, then hands it on, in order, until it is dealt with.

What a method of `take` returned for is durable. Handing on reads what is kept, so nothing hangs on this process: what
it had not handed on when it ended, the next one hands on. A report may be handed on twice (the process ended in
between); its id is the same then.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from btimd.itsm.intake.storms import StormControl, StormRules, summary
from btimd.model.report import (
    IntakeBusyError,
    Report,
    ReportReceipt,
    ReportState,
    ReportStore,
    ReportStorm,
    StoredReport,
)
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

OnReport = Callable[[Report], Awaitable[str | None]]
"""Deals with a report, returns the id of its incident: "" = it belongs to none, None = noted in the incident's step."""

_BATCH: Final = 128
_MOST_WAITING: Final = 4096
"""Reports on their way to the disk at a time."""
_LATELY: Final = 20_000
_ATTEMPTS: Final = 8
_OUTAGE: Final = 10
"""So many that fail one after the other: the rest waits."""
_LONGEST_WAIT: Final = 5.0
_TIDY_EVERY: Final = 3600.0
_FORGET_BATCH: Final = 1000


Receipt = ReportReceipt


class IntakeDesk:
    """Takes reports, keeps them, hands them on. `run` ends only by cancellation or a failure of the store.

    within_seconds: how long keeping may take before the sender is told to come again. keep_seconds: how long reports
    that were dealt with are kept, None = for ever; keep_unused_seconds: those that could open nothing and did not.
    """

    def __init__(
        self,
        *,
        store: ReportStore,
        on_report: OnReport,
        rules: StormRules,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        within_seconds: float = 10.0,
        keep_seconds: float | None = None,
        keep_unused_seconds: float | None = None,
        pause_seconds: float = 1.0,
    ) -> None:
        self._store = store
        self._on_report = on_report
        self._storms = StormControl(rules)
        self._clock = clock
        self._log = log
        self._within = within_seconds
        self._keep = keep_seconds
        self._keep_unused = keep_unused_seconds
        self._pause = pause_seconds
        self._work = asyncio.Event()
        self._on_way = 0
        self._lately: OrderedDict[str, Receipt] = OrderedDict()
        self._awaited: dict[str, asyncio.Future[str]] = {}
        self._attempts: dict[str, tuple[int, float]] = {}
        # How often each failed, and when it is tried again.
        self._tidy_at = 0.0
        self._received = metrics.counter(
            "btimd_intake_reports_total", "Reports that were kept, by what storm control said.", ("channel", "as")
        )
        self._repeated = metrics.counter("btimd_intake_repeated_total", "Reports that were kept before.", ("channel",))
        self._busy = metrics.counter(
            "btimd_intake_busy_total", "Reports whose sender was told to come again.", ("channel",)
        )
        self._handed = metrics.counter("btimd_intake_handed_total", "Reports that were handed on.")
        self._stood_for = metrics.counter(
            "btimd_intake_stood_for_total", "Reports that those handed on stand for, summaries with their count."
        )
        self._failures = metrics.counter("btimd_intake_failures_total", "Attempts to hand a report on that failed.")
        self._stuck = metrics.gauge("btimd_intake_stuck", "Reports that could not be handed on; tried every hour.")

    async def take(self, report: Report, *, wait: bool = False) -> Receipt:
        """Keep a report; raises IntakeBusyError. The same report again is answered as the first.

        wait: until it was handed on, so that the incident is known; not where it is folded. Whoever waits is answered
        with what is known after `within_seconds`.
        """
        known = self._lately.get(report.id)
        if known is not None:
            self._repeated.labels(report.channel).inc()
            return await self._answered(known) if wait else known
        if self._on_way >= _MOST_WAITING:
            self._busy.labels(report.channel).inc()
            raise IntakeBusyError(f"{self._on_way} reports are on their way to the disk")
        admission = self._storms.admit(report, self._clock.wall())
        self._on_way += 1
        try:
            # Not wait_for: that would put the call behind others that were decided later.
            async with asyncio.timeout(self._within):
                stored = await self._store.add(report, admission.folded_into)
        except TimeoutError:
            self._busy.labels(report.channel).inc()
            raise IntakeBusyError(f"the disk took more than {self._within:g} s") from None
        finally:
            self._on_way -= 1
        if stored.is_new:
            self._received.labels(report.channel, admission.verdict).inc()
        else:
            self._storms.take_back(admission)
            self._repeated.labels(report.channel).inc()
        receipt = _receipt(stored)
        self._remember(receipt)
        self._work.set()
        return await self._answered(receipt) if wait and stored.state is ReportState.WAITING else receipt

    def use(self, rules: StormRules) -> None:
        """Go by other rules from the next report on; what is being folded is summed up as it was meant."""
        self._storms.use(rules)

    def storms(self) -> Sequence[ReportStorm]:
        """Return what is being folded now, the largest first."""
        return self._storms.held()

    async def run(self) -> None:
        """Hand reports on, and sum up what was folded."""
        await self._recover()
        while True:
            self._work.clear()
            now = self._clock.wall()
            for one in self._storms.due(now):
                await self._store.add(one)
            if now >= self._tidy_at:
                await self._tidy(now)
            if await self._hand_some():
                continue
            due = self._storms.next_due()
            wait = _LONGEST_WAIT if due is None else min(_LONGEST_WAIT, max(0.01, due - self._clock.wall()))
            try:
                async with asyncio.timeout(self._pause if self._attempts else wait):
                    await self._work.wait()
            except TimeoutError:
                pass

    async def flush(self) -> None:
        """Hand on everything that waits; for tests and before a stop."""
        for one in self._storms.due(self._clock.wall()):
            await self._store.add(one)
        while await self._hand_some():
            pass

    async def _recover(self) -> None:
        again = await self._store.again()
        if again:
            self._log.info("intake-stuck-again", reports=again)
        unsummed = await self._store.unsummed()
        held = {storm.summary_id for storm in self._storms.held()}  # what came since the start is summed up later
        for group in (one for one in unsummed if one.summary_id not in held):
            await self._store.add(summary(group, self._clock.wall()))

    async def _hand_some(self) -> bool:
        """Hand on a batch; return whether more may be there at once."""
        batch = await self._store.waiting(_BATCH + len(self._attempts))
        now = self._clock.wall()
        done = in_a_row = 0
        held: set[str] = set()  # a clear never goes before its problem
        for report in batch:
            _, not_before = self._attempts.get(report.id, (0, now))
            if now < not_before or report.fingerprint in held:
                held.add(report.fingerprint)
                continue
            try:
                incident_id = await self._on_report(report)
            except Exception as error:  # noqa: BLE001  one report must not stop the others
                held.add(report.fingerprint)
                await self._failed(report, error, now)
                in_a_row += 1
                if in_a_row >= _OUTAGE:
                    return False  # not the reports: who deals with them
                continue
            done += 1
            in_a_row = 0
            self._attempts.pop(report.id, None)
            if incident_id is not None:
                await self._store.handed(report.id, incident_id)
            self._handed.inc()
            self._stood_for.inc(report.count)
            self._note(report.id, incident_id or "")
        return done > 0

    async def _failed(self, report: Report, error: Exception, now: float) -> None:
        self._failures.inc()
        attempts = self._attempts.get(report.id, (0, now))[0] + 1
        self._attempts[report.id] = (attempts, now + self._pause * 2**attempts)
        told = f"{type(error).__name__}: {error}"[:300]
        self._log.warning("intake-hand-on-failed", report=report.id, attempt=attempts, error=told)
        if attempts >= _ATTEMPTS:
            del self._attempts[report.id]
            await self._store.stuck(report.id)
            self._stuck.inc()

    async def _tidy(self, now: float) -> None:
        """Once an hour: forget what is old enough, and try again what is stuck."""
        self._tidy_at = now + _TIDY_EVERY
        if await self._store.again():
            self._stuck.set(0)
        unused = self._keep_unused
        if unused is not None and await self._store.forget_unused(now - unused, _FORGET_BATCH) == _FORGET_BATCH:
            self._tidy_at = now + 1.0
        if self._keep is not None and await self._store.forget(now - self._keep, _FORGET_BATCH) == _FORGET_BATCH:
            self._tidy_at = now + 1.0

    def _remember(self, receipt: Receipt) -> None:
        self._lately[receipt.report_id] = receipt
        if len(self._lately) > _LATELY:
            self._lately.popitem(last=False)

    def _note(self, report_id: str, incident_id: str) -> None:
        known = self._lately.get(report_id)
        if known is not None:
            self._lately[report_id] = Receipt(report_id, known.is_new, known.folded_into, incident_id)
        waiting = self._awaited.pop(report_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(incident_id)

    async def _answered(self, receipt: Receipt) -> Receipt:
        known = self._lately.get(receipt.report_id, receipt)
        if known.incident_id or known.folded_into:
            return known
        found = await self._store.find(receipt.report_id)
        if found is not None and found.state is not ReportState.WAITING:
            return Receipt(receipt.report_id, receipt.is_new, found.folded_into, found.incident_id)
        future = self._awaited.setdefault(receipt.report_id, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(self._within):
                incident_id = await asyncio.shield(future)
        except TimeoutError:
            return receipt
        return Receipt(receipt.report_id, receipt.is_new, receipt.folded_into, incident_id)


def _receipt(stored: StoredReport) -> Receipt:
    return Receipt(stored.report.id, stored.is_new, stored.folded_into, stored.incident_id)

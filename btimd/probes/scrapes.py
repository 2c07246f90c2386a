"""Asks exporters: one page answers all checks of it that are asked within a second."""

import asyncio  # noqa: TID251  a shell: it waits for the transport and shares what it brings
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Final

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.kinds_others import ScrapeErrand
from btimd.probes.limits import cannot_say
from btimd.probes.series import Aggregate, Question, Reading, judge, read
from btimd.probes.transport import Transport
from btimd.probes.wire.dialogue import Outcome, join_host_port
from btimd.probes.wire.scrape import Page, ScrapeDialogue
from btimd.runtime.clock import Clock
from btimd.runtime.metrics import Metrics

_SHARED_SECONDS: Final = 1.0
_BETWEEN_SECONDS: Final = 1.0
_SPARE_SECONDS: Final = 0.3
_REMEMBERED_SECONDS: Final = 600.0
_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class _Scraped:
    """A page that was read, or why not."""

    at: MonotonicSeconds
    result: ProbeResult
    text: str


@dataclass(slots=True, eq=False)
class _Shared:
    """A page that is being read, with how many wait for it."""

    began_at: MonotonicSeconds
    task: asyncio.Task[_Scraped]
    waiting: int = 0


@dataclass(slots=True)
class _Memory:
    readings: dict[Hashable, Reading] = field(default_factory=dict)

    def swap(self, key: Hashable, reading: Reading) -> Reading | None:
        """Remember a reading; return the one before, unless it is too old to say anything of now."""
        before = self.readings.pop(key, None)
        self.readings[key] = reading
        while len(self.readings) > _MOST_REMEMBERED:
            del self.readings[next(iter(self.readings))]
        if before is None or reading.at - before.at > _REMEMBERED_SECONDS:
            return None
        return before


class Scrapes:
    """Runs ScrapeErrands (errands.Runner)."""

    def __init__(self, transport: Transport, *, clock: Clock, metrics: Metrics) -> None:
        self._transport = transport
        self._clock = clock
        self._pages: dict[Page, _Shared] = {}
        self._memory = _Memory()
        self._read = metrics.counter("btimd_probes_scrapes_total", "Pages of exporters that were asked for")
        self._shared = metrics.counter(
            "btimd_probes_scrapes_shared_total", "Checks answered by a page read for another"
        )

    async def run(self, errand: ScrapeErrand, within_seconds: Seconds) -> Outcome:
        """Ask an exporter; return what it says, in time."""
        deadline = self._clock.monotonic() + within_seconds
        about = f"{join_host_port(errand.page.host, errand.page.port)}{errand.page.path}"
        scraped = await self._scrape(errand, within_seconds)
        if scraped.result.health is not Health.GOOD:
            return self._silent(errand, scraped.result)
        question = errand.question
        reading = read(question, scraped.text, scraped.at)
        before = self._before(errand.page, question, reading)
        if question.aggregate is Aggregate.RATE and before is None and reading.values:
            left = deadline - self._clock.monotonic() - _BETWEEN_SECONDS - _SPARE_SECONDS
            if left > 0:
                await asyncio.sleep(_BETWEEN_SECONDS)
                scraped = await self._scrape(errand, left, afresh=True)
                if scraped.result.health is not Health.GOOD:
                    return self._silent(errand, scraped.result)
                before, reading = reading, read(question, scraped.text, scraped.at)
                self._before(errand.page, question, reading)
        outcome = judge(question, reading, before, about=about)
        return replace(outcome, values={**scraped.result.values, **outcome.values})

    def _before(self, page: Page, question: Question, reading: Reading) -> Reading | None:
        if question.aggregate is not Aggregate.RATE:
            return None
        key = (page, question.series)
        known = self._memory.readings.get(key)
        if known is not None and known.at == reading.at:  # the page of a moment ago, shared
            return None
        return self._memory.swap(key, reading)

    @staticmethod
    def _silent(errand: ScrapeErrand, result: ProbeResult) -> Outcome:
        """Say what it means that there is no page: nothing of the target, unless the operator knows better."""
        if errand.silence is Health.BAD and result.health is Health.BAD:
            return Outcome(Health.BAD, result.error, result.detail, result.values)
        return cannot_say(result.detail, result.error)

    async def _scrape(self, errand: ScrapeErrand, within_seconds: Seconds, *, afresh: bool = False) -> _Scraped:
        now = self._clock.monotonic()
        shared = self._pages.get(errand.page)
        if shared is None or afresh or now - shared.began_at > _SHARED_SECONDS or _has_failed(shared.task):
            self._read.inc()
            task = asyncio.get_running_loop().create_task(self._fetch(errand, within_seconds))
            shared = self._pages[errand.page] = _Shared(now, task)
            self._tidy(now)
        else:
            self._shared.inc()
        shared.waiting += 1
        try:
            async with asyncio.timeout(within_seconds):
                return await asyncio.shield(shared.task)
        except TimeoutError:
            detail = f"{errand.page.host} gives no page of metrics within {within_seconds:g} s"
            spec = ProbeSpec(0, errand.check)
            return _Scraped(now, ProbeResult(spec, Health.BAD, ErrorClass.NO_ANSWER, detail, 0.0, within_seconds), "")
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                shared.task.cancel()
                if self._pages.get(errand.page) is shared:
                    del self._pages[errand.page]

    async def _fetch(self, errand: ScrapeErrand, within_seconds: Seconds) -> _Scraped:
        check = replace(errand.check, timeout_seconds=within_seconds, slow_over_seconds=None)
        dialogue = ScrapeDialogue(errand.page)
        result = await self._transport.run(ProbeSpec(0, check), dialogue)
        return _Scraped(self._clock.monotonic(), result, dialogue.text if result.health is Health.GOOD else "")

    def _tidy(self, now: MonotonicSeconds) -> None:
        """Forget pages that nobody may share any more: they are large."""
        old = [page for page, one in self._pages.items() if one.task.done() and now - one.began_at > _SHARED_SECONDS]
        for page in old:
            del self._pages[page]
        if self._pages:
            asyncio.get_running_loop().call_later(_SHARED_SECONDS * 2, self._tidy_later)

    def _tidy_later(self) -> None:
        if any(one.task.done() for one in self._pages.values()):
            self._tidy(self._clock.monotonic())


def _has_failed(task: asyncio.Task[_Scraped]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)

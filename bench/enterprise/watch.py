"""A real btimd in this process that watches the enterprise, and what it says."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.model.probe import Health
from btimd.model.verdict import Verdict, VerdictStatus


class Watch:
    """Starts btimd on a configuration folder. Verdicts since `begin` are collected as they come."""

    def __init__(self, folder: Path) -> None:
        self._config = load_config(folder)
        self._app = App(self._config)
        self._running: asyncio.Task[object] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._known: set[str] = set()
        self.seen: list[tuple[float, Verdict]] = []

    async def __aenter__(self) -> Self:
        await self._app.start()
        self._running = asyncio.create_task(self._app.run())
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._app.request_stop()
        if self._running is not None:
            await self._running
        await self._app.stop()

    @property
    def app(self) -> App:
        """The daemon."""
        return self._app

    @property
    def verdicts(self) -> list[Verdict]:
        """Verdicts since `begin`, each once, in the order in which they came, as they were first."""
        return [verdict for _, verdict in self.seen]

    def begin(self) -> None:
        """Forget what was said until now."""
        # What failed lately is suspected first; here it would be the last fault of the list, so every one is the first.
        self._app.wired.rca._engine.memory.suspicion.restore((), ())  # noqa: SLF001
        self._known = {verdict.id for verdict in self._app.wired.rca.verdicts(10_000)}
        self.seen = []

    def allowed(self, seconds: float) -> float:
        """Return how many questions the load budget allows for one host in so many seconds."""
        probes = self._config.settings.probes
        return probes.light_burst + probes.light_per_second * seconds

    async def until(self, done: Callable[[list[Verdict]], object], seconds: float) -> bool:
        """Wait until the verdicts are as wanted; tell whether they came to be."""
        try:
            async with asyncio.timeout(seconds):
                while not done(self.verdicts):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def quiet(self, seconds: float) -> None:
        """Wait until no symptom is open and no diagnosis runs, for a second."""
        end = time.monotonic() + seconds
        calm_since: float | None = None
        while calm_since is None or time.monotonic() - calm_since < 1.0:
            if time.monotonic() > end:
                open_ones = ", ".join(symptom.id for symptom in self._app.wired.probes.open_symptoms())
                raise TimeoutError(f"open symptoms: {open_ones or 'none'}")
            is_calm = not self._app.wired.probes.open_symptoms() and not self._app.wired.rca.symptoms()
            calm_since = (calm_since or time.monotonic()) if is_calm else None
            await asyncio.sleep(0.1)

    async def ailing(self) -> list[str]:
        """Run every check once and tell of those that are not good: none, while the enterprise is well."""
        found = []
        for check in list(self._app.wired.rca.graph().checks()):
            result = await self._app.wired.rca.run_probe(check.id, "the bench")
            if result.health is not Health.GOOD:
                found.append(f"{check.id} is {result.health.value}, {result.error.value}: {result.detail}")
        return found

    async def _listen(self) -> None:
        subscription = self._app.wired.rca.watch_diagnoses()
        try:
            async for batch in subscription.changes():
                for progress in batch:
                    verdict = progress.verdict
                    if (
                        verdict is not None
                        and verdict.id not in self._known
                        and verdict.status is not VerdictStatus.NOT_CONFIRMED
                    ):
                        self._known.add(verdict.id)
                        self.seen.append((time.monotonic(), verdict))
                        self._changed.set()
        finally:
            subscription.close()

"""Runs errands: probes that are more than one dialogue on one socket, each kind by its own runner, within its time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.units import Seconds
from btimd.probes.kinds import Errand
from btimd.probes.wire.dialogue import Outcome, result_of
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log

_GRACE_SECONDS = 0.5


class Runner(Protocol):
    """Carries one kind of errand out."""

    async def run(self, errand: Any, within_seconds: Seconds) -> Outcome:
        """Return how it ended, in time; cancelling it gives back everything it took."""
        ...


class Errands:
    """Gives errands to their runners; one answer each, whatever happens. on_bug: called for what nobody expected."""

    def __init__(
        self, runners: Mapping[type[Errand], Runner], clock: Clock, log: Log, on_bug: Callable[[], None] = lambda: None
    ) -> None:
        self._runners = runners
        self._clock = clock
        self._log = log
        self._on_bug = on_bug

    async def run(self, spec: ProbeSpec, errand: Errand) -> ProbeResult:
        """Run an errand to its end; a runner that does not keep its time is cut off and counts as failed here."""
        started_at, began = self._clock.wall(), self._clock.monotonic()
        try:
            async with asyncio.timeout(spec.check.timeout_seconds + _GRACE_SECONDS):
                outcome = await self._runners[type(errand)].run(errand, spec.check.timeout_seconds)
        except TimeoutError:
            outcome = Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "the probe did not end in time and was cut off")
        except Exception as error:  # noqa: BLE001  the panic barrier: a bug costs one probe
            self._on_bug()
            self._log.exception("probe-failed", check=spec.check.id)
            outcome = Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, f"btimd failed in the probe: {error!r:.120}")
        elapsed = max(0.0, self._clock.monotonic() - began)
        return result_of(spec, outcome, started_at=started_at, elapsed_seconds=elapsed)

"""Supervision: a component that fails is started again with growing pauses; one that keeps failing ends the process."""

import asyncio
from dataclasses import dataclass

from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Pauses double from first to last; more than `failures` within `window_seconds` and the error goes up."""

    first_pause_seconds: float = 1.0
    last_pause_seconds: float = 60.0
    failures: int = 5
    window_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Runs components under one policy."""

    clock: Clock
    metrics: Metrics
    log: Log
    policy: RestartPolicy = RestartPolicy()

    async def supervise(self, component: Component, *, restart: bool = True) -> None:
        """Run a started component until it is cancelled; raises what it failed with when it fails for good.

        restart False: the first failure goes up (the journal has no second chance).
        """
        failed_at: list[float] = []
        restarts = self.metrics.counter("btimd_runtime_restarts_total", "Components started again", ("component",))
        while True:
            try:
                await component.run()
            except Exception as failure:
                if _is_cancelled():  # a group of tasks tells a failure in place of a cancellation
                    self.log.exception("component-failed", component=component.name)
                    raise asyncio.CancelledError from failure
                now = self.clock.monotonic()
                failed_at = [at for at in failed_at if now - at < self.policy.window_seconds] + [now]
                if not restart or len(failed_at) > self.policy.failures:
                    self.log.exception("component-failed", component=component.name)
                    raise
                pause = min(self.policy.first_pause_seconds * 2 ** (len(failed_at) - 1), self.policy.last_pause_seconds)
                self.log.exception("component-restarts", component=component.name, pause_seconds=pause)
                restarts.labels(component.name).inc()
            else:
                return
            await component.stop()
            await asyncio.sleep(pause)
            await component.start()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""App: build, start, run, reload, stop; the whole daemon as one object."""

import asyncio
import errno
import gc
from collections.abc import Callable, Sequence
from functools import partial
from random import Random, SystemRandom

from btimd.daemon.addresses import Addresses, forget_addresses, write_addresses
from btimd.daemon.compile import compile_missing, warm_packets
from btimd.daemon.config import Config, load_config
from btimd.daemon.reload import swap
from btimd.daemon.statedirectory import StateDirectory
from btimd.daemon.wiring import Wired, build
from btimd.flows.component import warm as warm_flows
from btimd.runtime.clock import Clock, SystemClock
from btimd.runtime.lifecycle import Component
from btimd.runtime.log import Log
from btimd.runtime.sdnotify import SystemdNotifier, watchdog_seconds
from btimd.runtime.supervisor import Supervisor
from btimd.settings.report import SettingsError
from btimd.store.embedded import StoreFailedError
from btimd.store.journal import JournalFailedError
from btimd.store.spool import SpoolError

_STOP_SECONDS = 6.0
_WATCHED_SECONDS = 15.0
_NO_SECOND_CHANCE = frozenset({"journal", "decisions"})
_OPERATORS_TROUBLE = (OSError, ValueError, JournalFailedError, StoreFailedError, SpoolError)
"""What start raises where address, disk, file or rights are wrong; anything else is a bug and keeps its traceback."""


class StartFailedError(Exception):
    """A component cannot start; the text says which, why and what to do."""


class App:
    """The daemon. start returns when it is ready; run works until stop is asked for or something failed for good.

    settle: called when all that lasts has been built, after the start and after each reload.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.wired: Wired = build(config, clock=self.clock, random=random or SystemRandom())
        self._built_with = config
        self._settle = settle
        self._state = StateDirectory(config.state_directory)
        self._log = Log("daemon")
        self._notify = SystemdNotifier()
        self._started: list[Component] = []
        self._stop_asked = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._one_reload = asyncio.Lock()
        metrics = self.wired.metrics
        self._reloads = metrics.counter("btimd_config_reloads_total", "Reloads asked for, by outcome", ("outcome",))
        self._reload_good = metrics.gauge(
            "btimd_config_last_reload_successful", "1 when the files in force are the newest"
        )
        self._reload_good.set(1)

    @property
    def addresses(self) -> Addresses:
        """Where it listens, once started."""
        capture, api = self.wired.capture, self.wired.api
        return Addresses(capture.addresses, api.grpc_address, api.http_address, capture.tcp_addresses)

    async def start(self) -> None:
        """Compile, then start every component, sinks first; what had started is stopped again when one cannot.

        Raises StateDirectoryError and StartFailedError for what the operator can mend.
        """
        self._state.take()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        forget_addresses(self._state.path)
        began = self.clock.monotonic()
        self._status("loading kernels; the first start of a version compiles them, up to a minute")
        await compile_missing(self._log)
        await asyncio.to_thread(warm_flows)
        if self.config.settings.capture.span:
            await asyncio.to_thread(warm_packets)
        await asyncio.to_thread(self.wired.decoder.warm)
        self._log.info("kernels-ready", seconds=round(self.clock.monotonic() - began, 2))
        for component in self.wired.in_order():
            self._started.append(component)
            try:
                await component.start()
            except _OPERATORS_TROUBLE as error:
                raise StartFailedError(f"{component.name} cannot start: {_reason(error)}") from error
        self._settle()
        write_addresses(self._state.path, self.addresses)
        self._log.info(
            "ready",
            seconds=round(self.clock.monotonic() - began, 2),
            capture=_listed(self.addresses.capture),
            capture_tcp=_listed(self.addresses.capture_tcp),
            grpc="{}:{}".format(*self.addresses.grpc),
            http="{}:{}".format(*self.addresses.http),
        )
        self._ready()

    async def run(self) -> None:
        """Work until `request_stop`; raises what a component failed with for good."""
        supervisor = Supervisor(self.clock, self.wired.metrics, self._log)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    supervisor.supervise(component, restart=component.name not in _NO_SECOND_CHANCE),
                    name=component.name,
                )
                for component in self.wired.in_order()
            ]
            tasks.append(group.create_task(self._watchdog()))
            tasks.append(group.create_task(self._reload_when_asked()))
            await self._stop_asked.wait()
            for task in tasks:
                task.cancel()

    def request_stop(self) -> None:
        """Ask run to end; may be called from a signal handler of the loop."""
        self._stop_asked.set()

    def request_reload(self) -> None:
        """Ask run to reload; may be called from a signal handler of the loop, also before run."""
        self._reload_asked.set()

    async def stop(self) -> None:
        """Stop what was started, sources first, so that everything drains; bounded, may be called twice."""
        if not self._state.is_taken:
            return
        self._notify.send("STOPPING=1")
        forget_addresses(self._state.path)
        self.wired.decisions.close()
        while self._started:
            component = self._started.pop()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await component.stop()
            except TimeoutError:
                self._log.error("stop-timed-out", component=component.name, seconds=_STOP_SECONDS)
            except Exception:  # noqa: BLE001  one that cannot stop must not keep the others from it
                self._log.exception("stop-failed", component=component.name)
        self._state.release()

    async def reload(self, load: Callable[[], Config] | None = None) -> bool:
        """Read the files again and go over to them; on any mistake everything stays as it was. Return success.

        The files are read in a thread: a large IP plan takes seconds, in which probes would measure the loop.
        """
        async with self._one_reload:
            self._notify.send("RELOADING=1", f"MONOTONIC_USEC={int(self.clock.monotonic() * 1e6)}")
            try:
                new = await asyncio.to_thread(
                    load or partial(load_config, self.config.folder, self.config.generation + 1)
                )
                changed = await swap(self.wired, self._built_with, new)
            except SettingsError as error:
                for problem in error.problems:
                    self._log.error("reload-refused", problem=str(problem))
                return self._reloaded(good=False)
            except Exception:  # noqa: BLE001  a bug in a reload must not leave systemd waiting for its end
                self._log.exception("reload-failed")
                return self._reloaded(good=False)
            self.config = new
            self._settle()
            for note in changed:
                self._log.warning("reload-needs-restart", section=note)
            self._log.info("reloaded", generation=new.generation, businesses=len(new.services.businesses))
            return self._reloaded(good=True)

    def _reloaded(self, *, good: bool) -> bool:
        self._reload_good.set(int(good))
        self._reloads.labels("done" if good else "refused").inc()
        self._ready()
        return good

    def _ready(self) -> None:
        self._notify.send("READY=1", f"STATUS=watching {len(self.config.services.businesses)} businesses")

    def _status(self, text: str) -> None:
        self._log.info("status", text=text)
        self._notify.send(f"STATUS={text}")

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            await self.reload()

    async def _watchdog(self) -> None:
        """Tell systemd of life while the loop turns and the flow and capture threads advance."""
        period = watchdog_seconds()
        while True:
            await asyncio.sleep((period or _WATCHED_SECONDS) / 3)
            now = self.clock.monotonic()
            stalled = [
                name
                for name, at in (
                    ("flows", self.wired.flows.progress_at),
                    ("capture", self.wired.capture.progress_at),
                    ("capture.span", self.wired.span.progress_at),
                )
                if now - at > (period or _WATCHED_SECONDS)
            ]
            if not stalled:
                self._notify.send("WATCHDOG=1")
            else:
                self._log.error("thread-stalled", threads=",".join(stalled))


def _reason(error: Exception) -> str:
    """Return what went wrong, and what to do where only the daemon can know it."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        text += "; stop what listens there, or choose another port"
    return text


def _listed(addresses: Sequence[tuple[str, int]]) -> str:
    return " ".join(f"{host}:{port}" for host, port in addresses)


def keep_out_of_collections() -> None:
    """Leave what is there now out of every later search for garbage.

    A model of 100,000 nodes has millions of objects that last; looking through them held up single steps of a
    diagnosis for some 150 ms. What the last reload put out of use is collected first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def run_app(config: Config, *, install_signals: Callable[[App], None]) -> None:
    """Start, run and stop an App; raises what ended it."""
    app = App(config, settle=keep_out_of_collections)
    install_signals(app)
    await app.start()
    try:
        await app.run()
    finally:
        await app.stop()

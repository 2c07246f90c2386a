"""Inventory: the shell that asks devices by SNMP, on schedule and within the load they may bear."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from btimd.model.topology import DeviceFacts
from btimd.probes import mibs
from btimd.probes.mibfacts import device_facts, interfaces_changed, with_counters
from btimd.probes.pollschedule import Pace, Poll, PollSchedule
from btimd.probes.settings import SnmpDefaultSettings
from btimd.probes.snmp import SnmpClient, Traffic
from btimd.probes.snmpsession import NoAnswer, Session, SessionLimits, Value
from btimd.probes.snmptargets import Target
from btimd.probes.snmpwording import changes, failure_text, nothing_told, restarted
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_NAMED_IN_HEALTH: Final = 5
_STOP_WITHIN_SECONDS: Final = 4.0
_LONGEST_POLL_SECONDS: Final = 600.0
_MOST_VARBINDS: Final = 50


@dataclass(slots=True)
class _Device:
    """What is remembered of a device between polls."""

    target: Target
    schedule: PollSchedule
    pace: Pace
    facts: DeviceFacts | None = None
    good: DeviceFacts | None = None
    last_change: Value = None
    varbinds: int = _MOST_VARBINDS
    rows: dict[str, int] = field(default_factory=dict)


class Inventory:
    """Polls devices: everything rarely, interface counters often.

    on_facts gets the facts of each poll on the loop, also of one without an answer (`error` says why; the tables are
    then those known before). on_change gets the name of the device and a sentence for each change seen on it. exporter
    makes a Target of an exporter's address; None: exporters that no table names are not asked.
    """

    def __init__(
        self,
        *,
        settings: SnmpDefaultSettings,
        targets: Sequence[Target],
        metrics: Metrics,
        clock: Clock,
        log: Log,
        on_facts: Callable[[DeviceFacts], None],
        on_change: Callable[[str, str], None] | None = None,
        exporter: Callable[[str], Target] | None = None,
    ) -> None:
        self._settings = settings
        self._targets = tuple(targets)
        self._clock = clock
        self._log = log
        self._on_facts = on_facts
        self._on_change = on_change
        self._exporter = exporter
        self._found: dict[str, Target] = {}
        self._client: SnmpClient | None = None
        self._devices: dict[Target, _Device] = {}
        self._tasks: dict[Target, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(settings.concurrent)
        self._is_running = False
        self._requests = metrics.counter("btimd_probes_snmp_requests_total", "SNMP requests sent to devices")
        self._timeouts = metrics.counter("btimd_probes_snmp_timeouts_total", "SNMP requests without an answer")
        self._octets = metrics.counter("btimd_probes_snmp_octets_total", "Octets of SNMP sent and received")
        self._polls = metrics.counter(
            "btimd_probes_snmp_polls_total", "Polls of devices by what was read and how it went", ("poll", "result")
        )
        self._refused = metrics.counter(
            "btimd_probes_snmp_refused_exporters_total", "Exporters not asked by SNMP, over probes.snmp_defaults"
        )
        self._failures = metrics.counter(
            "btimd_probes_snmp_failures_total", "Bugs met in polls or in who takes their results"
        )
        self._known = metrics.gauge("btimd_probes_snmp_devices", "Devices asked by SNMP")
        self._silent = metrics.gauge("btimd_probes_snmp_silent_devices", "Devices that did not answer their last poll")

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "inventory"

    async def start(self) -> None:
        """Take nothing yet: sockets are opened for the first device."""

    async def run(self) -> None:
        """Work until cancelled."""
        self._is_running = True
        self._follow_targets()
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Break off what runs and close the sockets."""
        self._is_running = False
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_WITHIN_SECONDS)
        if self._client is not None:
            self._client.close()
            self._client = None
            await asyncio.sleep(0)  # the library's timer takes its end

    def health(self) -> ComponentHealth:
        """Warn of devices that do not answer."""
        silent = [device.target for device in self._devices.values() if device.schedule.failures]
        if not silent:
            return ComponentHealth()
        named = ", ".join(target.who for target in silent[:_NAMED_IN_HEALTH])
        more = ", ..." if len(silent) > _NAMED_IN_HEALTH else ""
        text = f"{len(silent)} of {len(self._devices)} devices do not answer SNMP: {named}{more}"
        return ComponentHealth(HealthLevel.WARNING, text)

    def swap(
        self,
        targets: Sequence[Target],
        settings: SnmpDefaultSettings,
        exporter: Callable[[str], Target] | None = None,
    ) -> None:
        """Ask other devices from now on; those that stay as they are keep their rhythm and their facts."""
        if settings.concurrent != self._settings.concurrent:
            self._slots = asyncio.Semaphore(settings.concurrent)
        self._settings, self._targets, self._exporter = settings, tuple(targets), exporter
        addresses = list(self._found)
        self._found.clear()
        for address in addresses:
            self._find(address)
        self._follow_targets()

    def exporter_seen(self, address: str) -> None:
        """Ask an exporter too, if the settings say so; call it on the loop as often as you like."""
        if address not in self._found and self._find(address):
            self._follow_targets()

    def devices(self) -> tuple[DeviceFacts, ...]:
        """Return the latest facts of each device that was asked."""
        return tuple(device.facts for device in self._devices.values() if device.facts is not None)

    async def ask_once(self, target: Target) -> DeviceFacts:
        """Read everything of a device now, beside the schedule."""
        device = self._devices.get(target) or self._new_device(target)
        await self._poll(device, Poll.EVERYTHING)
        assert device.facts is not None  # noqa: S101  each poll ends in facts
        return device.facts

    def _find(self, address: str) -> bool:
        """Take an exporter's address on; tell whether it is to be asked."""
        if self._exporter is None or any(target.address == address for target in self._targets):
            return False
        if len(self._found) >= self._settings.max_exporters:
            self._refused.inc()
            return False
        try:
            self._found[address] = self._exporter(address)
        except ValueError as error:  # a secret file that cannot be read any more
            self._refused.inc()
            self._log.warning("snmp-exporter-not-asked", address=address, error=str(error))
            return False
        return True

    def _follow_targets(self) -> None:
        """Begin to ask new targets, stop asking those that are gone."""
        wanted = dict.fromkeys((*self._targets, *self._found.values()))
        for target in [known for known in self._devices if known not in wanted]:
            task = self._tasks.pop(target, None)
            if task is not None:
                task.cancel()
            del self._devices[target]
            if self._client is not None:
                self._client.forget(target)
        for target in wanted:
            if target not in self._devices:
                self._devices[target] = self._new_device(target)
            if self._is_running and target not in self._tasks:
                self._tasks[target] = asyncio.get_running_loop().create_task(
                    self._watch(self._devices[target]), name=f"snmp {target.who}"
                )
        self._known.set(len(self._devices))

    def _new_device(self, target: Target) -> _Device:
        schedule = PollSchedule(
            every=target.every,
            counters_every=target.counters_every,
            back_off_max=self._settings.back_off_max,
            phase=random.random(),  # noqa: S311  spreads load, guards nothing
        )
        schedule.start(self._clock.monotonic())
        return _Device(target, schedule, Pace(target.requests_per_second))

    async def _watch(self, device: _Device) -> None:
        """Poll one device for ever; what fails in a poll is a pause for it and nothing to others."""
        while True:
            due_at, poll = device.schedule.due()
            await asyncio.sleep(max(0.0, due_at - self._clock.monotonic()))
            try:
                async with self._slots:
                    await self._poll(device, poll)
            except Exception:  # noqa: BLE001  the panic barrier of a device
                self._failures.inc()
                self._log.exception("snmp-poll-failed", device=device.target.who)
                device.schedule.failed(self._clock.monotonic())

    async def _poll(self, device: _Device, poll: Poll) -> None:
        target = device.target
        client = self._client = self._client or SnmpClient()
        traffic = client.traffic(target)
        before = replace(traffic)
        session = await self._ask(device, poll, client)
        self._requests.inc(traffic.requests - before.requests)
        self._octets.inc(traffic.octets - before.octets)
        error = self._error(device, session, before, traffic)
        now, at = self._clock.monotonic(), wall_milliseconds(self._clock)
        if error:
            self._polls.labels(poll, "error").inc()
            if not device.schedule.failures:
                self._log.warning("snmp-device-silent", device=target.who, error=error)
            device.schedule.failed(now)
            last = device.good or DeviceFacts(target.name or target.address, target.address, at)
            facts = replace(last, at=at, error=error)
        else:
            self._polls.labels(poll, "partial" if session.readings.partial else "whole").inc()
            if device.schedule.failures:
                self._log.info("snmp-device-answers", device=target.who)
            device.schedule.done(poll, now)
            facts = self._take(device, poll, session, now)
        facts = replace(facts, requests=traffic.requests, octets=traffic.octets)
        known, device.facts = device.good, facts
        if not error:
            device.good = facts
            self._tell_changes(known, facts)
        self._silent.set(sum(1 for one in self._devices.values() if one.schedule.failures))
        self._tell(self._on_facts, facts)

    async def _ask(self, device: _Device, poll: Poll, client: SnmpClient) -> Session:
        """Go through one poll, request by request."""
        target = device.target
        everything = poll is Poll.EVERYTHING
        steps = mibs.full_steps(target.groups, target.bounds) if everything else mibs.counter_steps(target.bounds)
        limits = SessionLimits(
            retries=target.retries,
            within_seconds=min(_LONGEST_POLL_SECONDS, target.every if everything else target.counters_every),
            varbinds=device.varbinds,
        )
        session = Session(steps, limits, self._clock.monotonic(), expected=device.rows)
        while (request := session.next(self._clock.monotonic())) is not None:
            await asyncio.sleep(device.pace.take(self._clock.monotonic()))
            answer = await client.ask(target, request)
            if isinstance(answer, NoAnswer):
                self._timeouts.inc()
            session.take(answer, wall_milliseconds(self._clock))
        return session

    def _error(self, device: _Device, session: Session, before: Traffic, traffic: Traffic) -> str:
        """Return why a device told nothing, "" if it told something."""
        if session.failure is not None:
            requests, answers = traffic.requests - before.requests, traffic.answers - before.answers
            return failure_text(device.target, session.failure, requests=requests, answers=answers)
        readings = session.readings
        if not any(readings.columns.values()) and all(value is None for value in readings.scalars.values()):
            return nothing_told(device.target)
        return ""

    def _take(self, device: _Device, poll: Poll, session: Session, now: float) -> DeviceFacts:
        """Make facts of a poll that was answered, and remember what makes the next one cheaper."""
        readings, target, at = session.readings, device.target, wall_milliseconds(self._clock)
        device.rows.update(readings.rows)
        device.varbinds = min(_MOST_VARBINDS, session.varbinds * 2)  # a bad moment does not slow it down for ever
        if poll is Poll.EVERYTHING or device.good is None:
            device.last_change = readings.scalars.get(mibs.IF_TABLE_LAST_CHANGE)
            return device_facts(target.name, target.address, at, readings)
        facts = with_counters(device.good, at, readings)
        if restarted(device.good, facts) or interfaces_changed(facts, device.last_change, readings):
            device.schedule.want_everything(now)
        return facts

    def _tell_changes(self, before: DeviceFacts | None, after: DeviceFacts) -> None:
        if before is None:
            return
        for sentence in changes(before, after):
            self._log.info("snmp-device-changed", device=after.name, change=sentence)
            if self._on_change is not None:
                self._tell(self._on_change, after.name, sentence)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call somebody else's code; what it raises is counted and logged and stops nothing here."""
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001  the panic barrier between polls and who takes their results
            self._failures.inc()
            self._log.exception("snmp-callback-failed")

"""btimd demo: a small enterprise on loopback, watched by a real btimd; something breaks, btimd finds what."""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from btimd.api.calls_duty import explain_dispatch
from btimd.api.calls_notices import answer_notice, notices
from btimd.api.client import CallFailedError, Client, Update
from btimd.capture.ring import may_capture
from btimd.cli.common import SubParsers
from btimd.cli.demo_story import JsonStory, ScreenStory, Story
from btimd.daemon.addresses import Addresses, read_addresses
from btimd.lab.config import Webhook, write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import FAULTS, Fault
from btimd.lab.receiver import WebhookReceiver
from btimd.lab.staff import CENTRE, Staff
from btimd.lab.topology import BUSINESSES
from btimd.model.incident import ClosingReport, CommandKind, Incident, IncidentCommand, Signal
from btimd.model.notification import Means, ReplyKind
from btimd.model.ports import DiagnosisProgress
from btimd.model.quality import QualityRow
from btimd.model.sla import SlaState
from btimd.model.verdict import Verdict
from btimd.model.window import WindowRow
from btimd.runtime.clock import Clock, SystemClock

DEFAULT_FAULT: Final = "db-dead"
_READY_SECONDS: Final = 400.0  # the first start compiles, for up to 300 s (daemon/compile.py)
_TRAFFIC_SECONDS: Final = 120.0
_VERDICT_SECONDS: Final = 120.0
_RECEIPT_SECONDS: Final = 60.0
_QUALITY_SECONDS: Final = 20.0
_EVIDENCE_SECONDS: Final = 15.0
_ORDER_SECONDS: Final = 15.0
_RECOVERY_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 60.0
_WINDOW_MILLISECONDS: Final = 10_000
_THREAD_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.2
_LOG_LINES_SHOWN: Final = 20
EXIT_TERMINATED: Final = 143


class DemoFailedError(Exception):
    """The demonstration could not be carried through; the text says at what and what to do."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="break something in a small enterprise on loopback and watch btimd find it",
        description="Starts a small enterprise on loopback (users in three regions, web, application and database "
        "servers, DNS), a btimd that watches it, breaks something, and shows how btimd finds the cause. Needs no "
        "privileges and leaves nothing behind; with the right to capture packets (CAP_NET_RAW) it also shows what "
        "these tell. Exit status 0 only when the cause found is the one that was broken.",
    )
    parser.add_argument(
        "--fault", default=DEFAULT_FAULT, metavar="NAME", help=f"what breaks (default: {DEFAULT_FAULT})"
    )
    parser.add_argument("--list-faults", action="store_true", help="list what can be broken, and end")
    parser.add_argument("--json", action="store_true", help="one JSON object per event; the last line is the result")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demonstration."""
    if options.list_faults:
        for fault in FAULTS.values():
            print(f"{fault.name:18} {fault.title} {fault.title_zh} - {fault.description}")
        return 0
    if options.fault not in FAULTS:
        print(f"btimd demo: no fault '{options.fault}'; known: {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    story: Story = JsonStory() if options.json else ScreenStory()
    folder = Path(tempfile.mkdtemp(prefix="btimd-demo-"))
    leave_folder = False
    try:
        return asyncio.run(_Demo(FAULTS[options.fault], story, folder, keep=options.keep).play())
    except (DemoFailedError, CallFailedError, OSError) as error:
        leave_folder = True
        story.failed(options.fault, f"{error}; configuration and log stay in {folder}")
        return 1
    except asyncio.CancelledError:
        return EXIT_TERMINATED
    finally:
        if not leave_folder:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class _Streams:
    """What btimd tells its clients: each stream is read by a thread of its own and queued on the loop, its end too."""

    loop: asyncio.AbstractEventLoop
    events: asyncio.Queue[object] = field(default_factory=asyncio.Queue)
    threads: list[threading.Thread] = field(default_factory=list)

    def follow(self, stream: Callable[[], Iterator[Update[Any]]]) -> None:
        """Follow a stream until the connection is closed."""
        thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def _read(self, stream: Callable[[], Iterator[Update[Any]]]) -> None:
        end: object = CallFailedError("btimd ended the connection")
        try:
            for update in stream():
                for item in update.items:
                    self._tell(item)
        except (CallFailedError, ValueError) as error:  # the connection was lost, or closed by us
            end = error
        self._tell(end)

    def _tell(self, event: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    async def ended(self) -> None:
        """Wait a moment for the threads, whose connection was closed."""
        for thread in self.threads:
            await asyncio.to_thread(thread.join, _THREAD_SECONDS)


@dataclass(slots=True)
class _Demo:
    fault: Fault
    story: Story
    folder: Path
    keep: bool
    mirror: bool = field(default_factory=may_capture)
    staff: Staff = field(default_factory=Staff)
    clock: Clock = field(default_factory=SystemClock)
    quality: dict[str, QualityRow] = field(default_factory=dict)
    windows: dict[tuple[int, str, str, str], WindowRow] = field(default_factory=dict)
    verdict: Verdict | None = None
    incident: Incident | None = None
    sla: dict[str, SlaState] = field(default_factory=dict)

    async def play(self) -> int:
        """Play all acts; return 0 when the cause found is the one that was injected."""
        me = asyncio.current_task()
        if me is not None:
            for number in (signal.SIGTERM, signal.SIGHUP):  # Ctrl-C cancels as well: asyncio.run sees to that
                asyncio.get_running_loop().add_signal_handler(number, me.cancel)
        secret = secrets.token_urlsafe(24)
        receiver = WebhookReceiver(secret)
        enterprise = Enterprise()
        try:
            await receiver.start()
            await enterprise.start()
            write_configuration(
                self.folder, enterprise, Webhook(receiver.url, secret), mirror=self.mirror, staff=self.staff
            )
            self.story.begins(self.fault)
            async with self._daemon() as addresses:
                streams = _Streams(asyncio.get_running_loop())
                try:
                    with self._client(addresses) as client:
                        await enterprise.start_users(addresses.capture[0])
                        return await self._acts(client, streams, enterprise, receiver, addresses)
                finally:
                    await streams.ended()
        finally:
            await enterprise.stop()
            await receiver.stop()

    async def _acts(
        self,
        client: Client,
        streams: _Streams,
        enterprise: Enterprise,
        receiver: WebhookReceiver,
        addresses: Addresses,
    ) -> int:
        streams.follow(lambda: client.watch_windows(interval_milliseconds=_WINDOW_MILLISECONDS))
        streams.follow(client.watch_diagnoses)
        streams.follow(client.watch_incidents)
        streams.follow(client.watch_sla_states)
        if self.mirror:
            streams.follow(
                lambda: client.watch_quality(interval_milliseconds=_WINDOW_MILLISECONDS, group_by=("business",))
            )
        await self._until(streams, self._sees_all_businesses, _TRAFFIC_SECONDS, "traffic of every business")
        users = [user for business in BUSINESSES for user in (await asyncio.to_thread(client.users, business.id)).items]
        self.story.traffic(list(self.windows.values()), users)
        if self.mirror:
            await self._until(streams, self._measured_all, _QUALITY_SECONDS, "quality of connections", required=False)
            self.story.quality([row for name, row in sorted(self.quality.items()) if name])
        await enterprise.inject(self.fault.name)
        broken_at = self.clock.wall()
        self.story.breaks(self.fault)
        await self._until(streams, lambda: self.verdict is not None, _VERDICT_SECONDS, "a verdict")
        await self._until(streams, lambda: self.incident is not None, _RECEIPT_SECONDS, "an incident")
        await self._receipt(receiver)
        if self.mirror:
            await self._evidence(client, streams)
        handler = await self._accept(addresses, streams)
        verdict = self.verdict
        assert verdict is not None  # noqa: S101  _until returned, so it is set
        correct = verdict.cause == self.fault.cause_node
        if not self.keep:
            await enterprise.heal()
            self.story.heals()
            if handler:
                await self._resolve(addresses, streams, handler)
            await self._until(streams, self._is_over, _RECOVERY_SECONDS, "recovery", required=False)
        self.story.sla([state for name, state in sorted(self.sla.items()) if name in self.fault.businesses])
        if self.keep:
            self.story.keeps(addresses, self.folder)
        noticed_seconds = verdict.ended_at - verdict.seconds_taken - broken_at
        self.story.ends(self.fault, verdict, correct=correct, detected_seconds=noticed_seconds)
        if self.keep:
            await _interrupted()
        return 0 if correct else 1

    def _sees_all_businesses(self) -> bool:
        return len({row.business for row in self.windows.values() if row.business}) >= len(BUSINESSES)

    def _measured_all(self) -> bool:
        return len(self.quality.keys() - {""}) >= len(BUSINESSES)

    async def _evidence(self, client: Client, streams: _Streams) -> None:
        """Wait a while for what packets showed, which is then in the timeline of the incident."""
        with contextlib.suppress(TimeoutError), self.story.waiting("what packets show"):
            async with asyncio.timeout(_EVIDENCE_SECONDS):
                while True:
                    _, events = await asyncio.to_thread(client.incident, self.incident.id if self.incident else "")
                    told = [event for event in events if event.kind == "observed"]
                    if told:
                        self.story.evidence(told[0].reason)
                        return
                    self._take(await streams.events.get())

    async def _accept(self, addresses: Addresses, streams: _Streams) -> str:
        """Have whoever got the order accept it, as they would; return who that is, "" where nobody got one."""
        await self._until(streams, lambda: self._ordered() is not None, _ORDER_SECONDS, "an order", required=False)
        ordered = self._ordered()
        if ordered is None or ordered.dispatch is None:
            return ""
        person = ordered.dispatch.person
        with self._client(addresses, person) as client:
            reasons = await asyncio.to_thread(explain_dispatch, client, ordered.id)
            why = reasons.items[-1].text if reasons.items else ""
            told = await self._told(client, ordered.id)
            self.story.order(ordered, self.staff.member(person), why, told)
            accepted = await asyncio.to_thread(
                partial(
                    answer_notice, client, ReplyKind.ACCEPT, command_id=f"demo-{ordered.id}", incident_id=ordered.id
                )
            )
            self._take(accepted)
        return person

    async def _told(self, client: Client, incident_id: str) -> str:
        """Return what stands on the screen of whoever got the order, "" where nothing came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RECEIPT_SECONDS):
                while True:
                    page = await asyncio.to_thread(partial(notices, client, incident_id=incident_id))
                    texts = [one.text for one in page.items if one.means is Means.SCREEN]
                    if texts:
                        return texts[-1]
                    await asyncio.sleep(_LOOK_SECONDS)
        return ""

    def _ordered(self) -> Incident | None:
        return self.incident if self.incident is not None and self.incident.dispatch is not None else None

    async def _resolve(self, addresses: Addresses, streams: _Streams, handler: str) -> None:
        """Have the handler write the closing report, once btimd has seen that it works again."""
        await self._until(streams, self._is_clear, _RECOVERY_SECONDS, "recovery", required=False)
        incident = self.incident
        if incident is None or not incident.state.is_open:
            return
        closing = ClosingReport(
            cause=self.fault.title, action="repaired, and seen working", node=self.fault.cause_node, effort_minutes=1,
            category=incident.category,
        )  # fmt: skip
        command = IncidentCommand(
            CommandKind.RESOLVE,
            f"demo-resolve-{incident.id}",
            incident.id,
            text=f"{self.fault.title}: repaired, and seen working.",
            override_reason="" if self._is_clear() else "all is repaired",
            closing=closing,
        )
        with self._client(addresses, handler) as client:
            self._take(await asyncio.to_thread(client.command, command))

    def _is_clear(self) -> bool:
        return self.incident is not None and self.incident.signal is Signal.CLEARED

    def _is_over(self) -> bool:
        return self.incident is not None and not self.incident.state.is_open

    async def _until(
        self, streams: _Streams, done: Callable[[], bool], patience_seconds: float, what: str, *, required: bool = True
    ) -> None:
        """Take events until a condition holds."""
        try:
            with self.story.waiting(what):
                async with asyncio.timeout(patience_seconds):
                    while not done():
                        self._take(await streams.events.get())
        except TimeoutError as error:
            if required:
                raise DemoFailedError(f"no {what} within {patience_seconds:g} s") from error

    def _take(self, event: object) -> None:
        match event:
            case WindowRow():
                self.windows[event.interval_start_milliseconds, event.business, event.region, event.segment] = event
            case DiagnosisProgress():
                self.story.diagnosis(event)
                if event.verdict is not None and self.verdict is None:
                    self.verdict = event.verdict
                    self.story.verdict(event.verdict)
            case QualityRow():
                self.quality[event.business] = event
            case Incident():
                self.story.incident(event)
                self.incident = event
            case SlaState():
                self.sla[event.target.business] = event
            case CallFailedError() | ValueError():
                raise DemoFailedError(f"btimd does not answer any more: {event}")
            case _:
                pass

    async def _receipt(self, receiver: WebhookReceiver) -> None:
        try:
            deliveries = await receiver.wait_for(1, _RECEIPT_SECONDS)
        except TimeoutError as error:
            raise DemoFailedError(f"the webhook got nothing within {_RECEIPT_SECONDS:g} s") from error
        self.story.receipt(deliveries[0].event, rejected=receiver.rejected)

    @contextlib.asynccontextmanager
    async def _daemon(self) -> AsyncIterator[Addresses]:
        """Run `btimd run` as its users do; yield where it listens."""
        log_path = self.folder / "btimd.log"
        with log_path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "btimd", "run", "-c", str(self.folder),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        try:
            with self.story.waiting("btimd (the first start compiles, up to a minute)"):
                addresses = await self._ready(process, log_path)
            self.story.ready(addresses)
            yield addresses
        finally:
            await _end(process)

    async def _ready(self, process: asyncio.subprocess.Process, log_path: Path) -> Addresses:
        deadline = self.clock.monotonic() + _READY_SECONDS
        while self.clock.monotonic() < deadline:
            addresses = read_addresses(self.folder / "state")
            if addresses is not None:
                return addresses
            if process.returncode is not None:
                raise DemoFailedError(f"btimd ended with status {process.returncode}:\n{_end_of(log_path)}")
            await asyncio.sleep(0.1)
        raise DemoFailedError(f"btimd was not ready within {_READY_SECONDS:g} s")

    def _client(self, addresses: Addresses, who: str = CENTRE) -> Client:
        host, port = addresses.grpc
        return Client(f"{host}:{port}", token=self.staff.tokens[who])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Stop btimd, whether it still runs or got the terminal's Ctrl-C as well."""
    with contextlib.suppress(ProcessLookupError):  # it has ended this very moment
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:])


async def _interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()

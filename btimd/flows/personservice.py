"""PersonService: follows what tells of persons, files and RADIUS accounting, and says who is behind an address."""

import asyncio
import socket
import struct
import threading
from collections import Counter as Counts
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Final

import numpy as np

from btimd.flows.personfiles import AddressList, Detail, Leases, Macs, Naming, Source
from btimd.flows.persons import Binding, Persons, PersonTable, compile_lookup
from btimd.flows.pseudonyms import as_it_is, pseudonyms
from btimd.flows.radius import MAX_PACKET_OCTETS, REASONS
from btimd.flows.radiusdesk import RadiusDesk
from btimd.flows.settings import PersonSettings
from btimd.model.address import Prefix
from btimd.model.persons import PersonBinding, PersonSource, PersonSourceKind
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

_MILLIS: Final = 1000
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
_RECEIVE_BUFFER: Final = 1 << 20
_WAIT_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 2.0
_REST: Final = 10.0
"""The lookup is made anew no sooner than this many times as long as making it took: it never takes over a tenth of a
processor, however many leases change."""


class RadiusListener:
    """A socket and a thread that hands its packets to a desk. address: where it listens, once started."""

    def __init__(self, listen: tuple[str, int], desk: RadiusDesk, most_per_second: int, clock: Clock) -> None:
        self.address = listen
        self.desk = desk
        self.errors = 0
        self.last_error = ""
        self.dropped = 0
        """Datagrams that found no room in the socket's buffer."""
        self._most_per_second = most_per_second
        self._clock = clock
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and begin to answer; raises OSError."""
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self._socket.settimeout(_WAIT_SECONDS)
            self._socket.bind(self.address)
        except OSError as error:
            self.stop()
            raise OSError(error.errno, f"{error.strerror}: flows.persons.radius.listen {self.address}") from error
        name = self._socket.getsockname()
        self.address = name[0], name[1]
        self._thread = threading.Thread(target=self._work, name="radius-accounting", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket; may be called twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def is_alive(self) -> bool:
        """Tell whether packets are being answered."""
        return self._thread is not None and self._thread.is_alive()

    def _work(self) -> None:
        receiver = self._socket
        second, looked_at = 0, 0
        while receiver is not None and not self._stopping.is_set():
            try:
                octets, sender = receiver.recvfrom(MAX_PACKET_OCTETS + 1)
            except TimeoutError:
                continue
            except OSError as error:  # an ICMP error of an earlier answer, or a closed socket
                self._failed(error)
                continue
            now = self._clock.monotonic()
            if int(now) != second:
                second, looked_at = int(now), 0
                self.dropped = _MEMINFO.unpack(receiver.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
            looked_at += 1
            if looked_at > self._most_per_second:
                self._stopping.wait(second + 1 - now)
            answer = self.desk.answer(octets, sender[0], self._clock.wall())
            if answer is not None:
                try:
                    receiver.sendto(answer, sender)
                except OSError as error:  # it will ask again
                    self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.errors += 1
        self.last_error = error.strerror or type(error).__name__
        self._stopping.wait(0.01)


class PersonService:
    """Knows who is behind an address. It is a model.persons.PersonsView; `lookup` is for who attributes traffic.

    All sources are read and the table is changed by one worker at a time; what others see is only ever replaced.
    """

    def __init__(self, settings: PersonSettings, metrics: Metrics, clock: Clock, log: Log) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._persons = Persons(settings.limits())
        self._table = compile_lookup((), clock.wall())
        self._sources: list[Source] = []
        self._listener: RadiusListener | None = None
        self._states: tuple[PersonSource, ...] = ()
        self._working = threading.Lock()
        self._held: Counts[str] = Counts()
        self._naming: Naming = as_it_is
        self._compiled_version = 0
        self._compile_after = float("-inf")
        self._counted: dict[object, int] = {}
        self._told_problems: dict[str, str] = {}
        self._radius_changed_at: UnixSeconds | None = None
        self._panic = ""
        self._panic_log = OncePerInterval()
        self._bindings = metrics.gauge(
            "btimd_flows_person_bindings", "Addresses and prefixes with a person now", ("source",)
        )
        self._records = metrics.counter(
            "btimd_flows_person_records_total", "Leases, list lines and session records read", ("source",)
        )
        self._refused = metrics.counter(
            "btimd_flows_person_records_refused_total",
            "Of those, refused because they cannot be understood",
            ("source",),
        )
        self._readable = metrics.gauge(
            "btimd_flows_person_source_up", "1 = the source can be read or listened on", ("source",)
        )
        self._no_room = metrics.counter(
            "btimd_flows_person_bindings_refused_total", "Bindings refused because of max_bindings"
        )
        self._stale = metrics.counter(
            "btimd_flows_person_sessions_stale_total",
            "News of sessions that came after later news, and changed nothing",
        )
        self._accepted = metrics.counter(
            "btimd_flows_person_radius_packets_total", "RADIUS accounting packets answered"
        )
        self._unanswered = metrics.counter(
            "btimd_flows_person_radius_refused_total", "RADIUS packets without an answer", ("reason",)
        )
        self._adjusted = metrics.counter(
            "btimd_flows_person_radius_times_adjusted_total", "RADIUS packets whose Event-Timestamp was not believed"
        )
        self._failures = metrics.counter("btimd_flows_person_failures_total", "Rounds that failed by an error of btimd")

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "flows.persons"

    @property
    def radius_address(self) -> tuple[str, int] | None:
        """Where RADIUS accounting is received, once started."""
        return self._listener.address if self._listener else None

    async def start(self) -> None:
        """Read keys, listen, and look at every file once; raises ValueError for a secret, OSError for an address.

        A file that cannot be read is no reason not to start: it may come later, and health says so until then.
        """
        naming = self._naming = _naming(self._settings)
        self._sources = list(_file_sources(self._settings, naming))
        radius = self._settings.radius
        if radius.listen is not None and radius.secret_file is not None:
            clients = [Prefix.parse(client) for client in radius.clients]
            desk = RadiusDesk("radius", read_secret(radius.secret_file), clients, naming)
            self._listener = RadiusListener(radius.listen, desk, radius.max_packets_per_second, self._clock)
            self._listener.start()
        await asyncio.to_thread(self.poll)

    async def run(self) -> None:
        """Look at the sources again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.poll)
            await asyncio.to_thread(self.poll)

    async def reload(self, settings: PersonSettings) -> None:
        """Follow other files from now on.

        What is no file (the listener, pseudonyms, max_bindings, session_timeout) changes with the next start. Sources
        that are no longer named are forgotten at once, those that stay are read anew.
        """
        sources = list(_file_sources(settings, self._naming))
        await asyncio.to_thread(self._exchange, sources)
        await asyncio.to_thread(self.poll)

    def _exchange(self, sources: list[Source]) -> None:
        with self._working:
            stay = {source.name for source in sources}
            for source in self._sources:
                source.close()
                for key in [key for key in self._counted if isinstance(key, tuple) and key[0] == source.name]:
                    del self._counted[key]  # a new source counts from 0
                if source.name not in stay:
                    self._persons.forget(source.name)
                    self._bindings.remove(source.name)
                    self._readable.remove(source.name)
            self._sources = sources

    async def stop(self) -> None:
        """Stop listening, close the files; what was known last stays known."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        with self._working:
            for source in self._sources:
                source.close()

    def lookup(self) -> PersonTable:
        """Return who is behind which address now; what is returned never changes. For any thread."""
        return self._table

    def poll(self) -> None:
        """Read what is new and make the lookup anew where that changed something. Blocks; for a worker thread."""
        with self._working:
            try:
                self._read()
                self._compile()
                self._panic = ""
            except Exception as error:  # noqa: BLE001  the panic barrier: persons are an extra, traffic goes on
                self._failures.inc()
                self._panic = f"persons are not brought up to date: {type(error).__name__}"
                if self._panic_log.take(self._clock.monotonic()) is not None:
                    # the traceback shows code, the text of the error might show names
                    self._log.error("persons-failed", error=type(error).__name__, at=_place(error))
            self._report()

    def _read(self) -> None:
        now = self._clock.wall()
        for source in self._sources:
            for event in source.poll():
                self._persons.handle(event, now)
        if self._listener is not None:
            news = self._listener.desk.take()
            for event in news:
                self._persons.handle(event, now)
            if news:
                self._radius_changed_at = now

    def _compile(self) -> None:
        now, at = self._clock.wall(), self._clock.monotonic()
        due = self._table.changes_at is not None and self._table.changes_at <= now
        if at < self._compile_after or not (due or self._persons.version != self._compiled_version):
            return
        if due:
            self._persons.expire(now)
        self._compiled_version = self._persons.version
        self._table = compile_lookup(self._persons.bindings(), now)
        self._held = Counts(binding.source for binding in self._table.bindings)
        ended = self._clock.monotonic()
        self._compile_after = ended + _REST * (ended - at)

    def _report(self) -> None:
        held = self._held
        states = [_state(source, held[source.name]) for source in self._sources]
        if self._listener is not None:
            states.append(self._listener_state(self._listener, held["radius"]))
            for reason in REASONS:
                self._advance(self._unanswered.labels(reason), reason, self._listener.desk.refused[reason])
            self._advance(self._unanswered.labels("kernel"), "kernel", self._listener.dropped)
            self._advance(self._accepted, "accepted", self._listener.desk.accepted)
            self._advance(self._adjusted, "adjusted", self._listener.desk.times_adjusted)
        for state in states:
            self._bindings.labels(state.name).set(state.bindings)
            self._readable.labels(state.name).set(not state.problem)
            self._advance(self._records.labels(state.name), (state.name, "records"), state.records)
            self._advance(self._refused.labels(state.name), (state.name, "refused"), state.refused)
            if self._told_problems.get(state.name, "") != state.problem:
                self._told_problems[state.name] = state.problem
                write = self._log.warning if state.problem else self._log.info
                write("person-source", source=state.name, problem=state.problem or "none any more")
        self._advance(self._no_room, "no room", self._persons.no_room)
        self._advance(self._stale, "stale", self._persons.stale)
        self._states = tuple(states)

    def _advance(self, counter: "object", key: object, total: int) -> None:
        step = total - self._counted.get(key, 0)
        self._counted[key] = total
        counter.inc(step)  # type: ignore[attr-defined]  # Counter, or a child of one

    def _listener_state(self, listener: RadiusListener, bindings: int) -> PersonSource:
        desk = listener.desk
        refused = sum(desk.refused.values()) + listener.dropped
        host, port = listener.address
        problem = "" if listener.is_alive else "nobody answers any more"
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(desk.refused.items()) if count)
        return PersonSource(
            name="radius",
            kind=PersonSourceKind.RADIUS,
            place=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            bindings=bindings,
            records=desk.accepted,
            refused=refused,
            changed_milliseconds=_millis(self._radius_changed_at),
            problem=problem,
            last_error=f"without an answer: {reasons}" if reasons else listener.last_error,
        )

    def health(self) -> ComponentHealth:
        """Say whether all sources can be read, and all that they tell is kept."""
        problems = [f"{state.name}: {state.problem}" for state in self._states if state.problem]
        if self._panic:
            problems.append(self._panic)
        if self._persons.no_room and len(self._persons) >= self._settings.max_bindings:
            problems.append(f"more than {self._settings.max_bindings} bindings; raise flows.persons.max_bindings")
        if problems:
            return ComponentHealth(HealthLevel.WARNING, "; ".join(problems))
        return ComponentHealth()

    def person_sources(self) -> Sequence[PersonSource]:
        """Return the sources, in the order of the configuration."""
        return self._states

    async def persons(self, match: str | None, limit: int) -> Sequence[PersonBinding]:
        """Return bindings, those in force first, then by address; see model.persons.PersonsView."""
        return await asyncio.to_thread(find_bindings, self._table, match, limit)


def find_bindings(table: PersonTable, match: str | None, limit: int) -> Sequence[PersonBinding]:
    """Return what a table says of an address, of a prefix, of a person, or all; those in force first."""
    wanted = _wanted(match)
    found: list[PersonBinding] = []
    for in_force in (True, False):
        for at in np.flatnonzero(table.in_force == in_force).tolist():
            binding = table.bindings[at]
            if len(found) >= limit:
                return found
            if match is None or (binding.person == match if wanted is None else _meets(binding.prefix, wanted)):
                found.append(_shown(binding, in_force=in_force))
    return found


def _wanted(match: str | None) -> Prefix | None:
    try:
        return Prefix.parse(str(ip_network(match, strict=False))) if match else None
    except ValueError:
        return None


def _meets(prefix: Prefix, wanted: Prefix) -> bool:
    return prefix.first <= wanted.last and wanted.first <= prefix.last


def _shown(binding: Binding, *, in_force: bool) -> PersonBinding:
    text = str(binding.prefix)
    return PersonBinding(
        address=text.removesuffix("/32") if "." in text else text.removesuffix("/128"),
        person=binding.person,
        source=binding.source,
        kind=binding.kind,
        since_milliseconds=_millis(binding.since),
        until_milliseconds=_millis(binding.until),
        in_force=in_force,
    )


def _millis(seconds: UnixSeconds | None) -> int | None:
    return None if seconds is None else round(seconds * _MILLIS)


def _naming(settings: PersonSettings) -> Naming:
    """Return what turns a name into what is kept of it; raises ValueError for a key."""
    if settings.pseudonyms and settings.pseudonym_key_file is not None:
        return pseudonyms(read_secret(settings.pseudonym_key_file))
    return as_it_is


def _file_sources(settings: PersonSettings, naming: Naming) -> Iterable[Source]:
    """Yield the sources; the list of MACs first, as leases need it."""
    macs = Macs("macs", settings.list.macs, naming) if settings.list.macs else None
    if macs is not None:
        yield macs
    if settings.list.file is not None:
        yield AddressList("list", settings.list.file, naming)
    for name, dhcp in settings.dhcp.items():
        yield Leases(
            f"dhcp.{name}",
            dhcp.kind,
            dhcp.file,
            person_from=dhcp.person_from,
            macs=macs,
            naming=naming,
            most_bindings=settings.max_bindings,
        )
    for number, path in enumerate(settings.radius.details, 1):
        yield Detail(f"radius.detail.{number}", path, naming=naming)


def _state(source: Source, bindings: int) -> PersonSource:
    return PersonSource(
        name=source.name,
        kind=source.kind,
        place=source.place,
        bindings=bindings,
        records=source.records,
        refused=source.refused,
        changed_milliseconds=_millis(source.changed_at),
        problem=source.problem,
        last_error=source.last_error,
    )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""

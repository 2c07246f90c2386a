"""FlowCapture: the sockets and threads that receive flow export, as a component of the daemon."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final, TypeVar

from btimd.capture import tcp, udp
from btimd.capture.blocks import BlockChannel
from btimd.capture.rates import ExporterRates
from btimd.capture.settings import CaptureSettings
from btimd.capture.tcp import TcpLimits, TcpReceiver, bind_listener
from btimd.capture.templatefile import load_snapshot, save_snapshot
from btimd.capture.udp import BoundSocket, Receiver, bind_shared, is_missing_family, is_refused_sharing
from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.persistence import SnapshotError
from btimd.capture.wire.sflow import SflowCounters
from btimd.model.ports import Exporter
from btimd.runtime.clock import Clock, SystemClock, wall_milliseconds
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Counter, Gauge, Metrics

T = TypeVar("T")
STOP_SECONDS: Final = 4.0
REPORT_SECONDS: Final = 1.0
SAVE_SECONDS: Final = 60.0
SAVE_UNCHANGED_SECONDS: Final = 3600.0
_DECODE_GAUGES: Final = ("templates", "buffered_sets", "unconfirmed_templates")
_COUNTERS: Final = {
    "datagrams": ("btimd_capture_datagrams_total", "Flow export datagrams received"),
    "octets": ("btimd_capture_received_bytes_total", "Octets of flow export received"),
    "batches": ("btimd_capture_receive_calls_total", "System calls that brought datagrams, up to 512 each"),
    "kernel_drops": (
        "btimd_capture_kernel_dropped_datagrams_total",
        "Datagrams the kernel dropped: full socket buffer",
    ),
    "truncated": ("btimd_capture_truncated_datagrams_total", "Datagrams that were cut off on reception"),
    "errors": ("btimd_capture_socket_errors_total", "Errors of receiving sockets"),
    "dropped_blocks": ("btimd_capture_dropped_blocks_total", "Blocks dropped because decoding did not keep up"),
    "dropped_datagrams": ("btimd_capture_dropped_datagrams_total", "Datagrams in the dropped blocks"),
    "tcp_accepted": ("btimd_capture_tcp_connections_total", "Connections of exporters taken"),
    "tcp_refused": ("btimd_capture_tcp_refused_connections_total", "Connections refused: not allowed, or too many"),
    "tcp_idle": ("btimd_capture_tcp_idle_connections_total", "Connections closed because they brought nothing"),
    "tcp_messages": ("btimd_capture_tcp_messages_total", "IPFIX messages received over TCP"),
    "tcp_octets": ("btimd_capture_tcp_received_bytes_total", "Octets of IPFIX messages received over TCP"),
    "tcp_bad": ("btimd_capture_tcp_bad_connections_total", "Connections closed because they brought something else"),
    "tcp_cut_off": ("btimd_capture_tcp_cut_off_messages_total", "Messages whose connection ended before they did"),
    "tcp_failed": ("btimd_capture_tcp_errors_total", "Errors of connections, TLS handshakes among them"),
}
_GAUGES: Final = {
    "buffer": ("btimd_capture_receive_buffer_bytes", "Receive buffer that the kernel granted each socket, the least"),
    "queued": ("btimd_capture_receive_queue_bytes", "Kernel memory of datagrams waiting at the fullest socket"),
    "sockets": ("btimd_capture_sockets", "Sockets that receive datagrams"),
    "channel": ("btimd_capture_channel_bytes", "Memory of blocks that wait to be decoded"),
    "connections": ("btimd_capture_tcp_open_connections", "Connections of exporters that are open"),
}
_EXPORTER_GAUGES: Final = {
    "datagrams_per_second": "Datagrams per second of a configured exporter, over the last minute",
    "records_per_second": "Flow records per second of a configured exporter, over the last minute",
    "lost_records": "Flow records of a configured exporter that its sequence numbers miss, estimated",
    "clock_skew_seconds": "Arrival minus export time of a configured exporter; of several the one that is off most",
}


class FlowCapture:
    """Receives NetFlow, IPFIX and sFlow on every configured address and hands blocks of datagrams to a channel.

    Metrics follow once a second, also those of the decoder at the channel's other end, if it is given. All sockets
    feed one channel, and so one decoder: a template that came on one is there for data that comes on another.
    With a state directory the decoder knows the templates of the run before, before anything is bound; they are saved
    at most once a minute, when they have changed, and at the end.
    """

    def __init__(
        self,
        settings: CaptureSettings,
        channel: BlockChannel,
        metrics: Metrics,
        log: Log,
        clock: Clock | None = None,
        decoder: FlowDecoder | None = None,
        state_directory: Path | None = None,
    ) -> None:
        self._settings = settings.netflow
        self._kept_in = state_directory if settings.netflow.keep_templates else None
        self._channel = channel
        self._log = log
        self._clock = clock or SystemClock()
        self._receivers: list[Receiver] = []
        self._tcp: TcpReceiver | None = None
        self._addresses: list[tuple[str, int]] = []
        self._counters = {key: metrics.counter(name, text) for key, (name, text) in _COUNTERS.items()}
        self._gauges = {key: metrics.gauge(name, text) for key, (name, text) in _GAUGES.items()}
        self._reported = dict.fromkeys(_COUNTERS, 0)
        self._decoder = decoder
        self._decoded = _decode_metrics(metrics) if decoder else {}
        self._decode_gauges = _decode_gauges(metrics) if decoder else {}
        self._decode_reported: dict[str, int] = {}
        self._sflow = _sflow_metrics(metrics) if decoder else {}
        self._sflow_reported = asdict(SflowCounters())
        self._rates = ExporterRates()
        self._exporter_gauges = _exporter_gauges(metrics) if decoder else {}
        self._named = self._gauges_of(settings.exporter)
        self._save_log = OncePerInterval()
        self._save_at = 0.0
        self._saved: tuple[int, ...] = ()
        self._saved_at = 0.0
        self._dropping = False
        self._small_buffer = ""

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "capture.netflow"

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens for datagrams, in the order of the settings; known after start."""
        return tuple(self._addresses)

    @property
    def tcp_addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens for connections, in the order of the settings; known after start."""
        return self._tcp.addresses if self._tcp else ()

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """The receiving threads of UDP, with their counters."""
        return tuple(self._receivers)

    @property
    def progress_at(self) -> float:
        """Monotonic time at which the slowest receiving thread last came round; for the watchdog."""
        times = [receiver.progress_at for receiver in self._threads()]
        return min(times, default=self._clock.monotonic())

    def exporters(self) -> tuple[Exporter, ...]:
        """Return who exported so far, with rates over the last minute."""
        if self._decoder is None:
            return ()
        now = wall_milliseconds(self._clock)
        return tuple(self._rates.filled_in(exporter, now) for exporter in self._decoder.exporters())

    def _threads(self) -> Sequence[Receiver | TcpReceiver]:
        return [*self._receivers, *([self._tcp] if self._tcp else [])]

    async def start(self) -> None:
        """Bind every socket, then start the threads; raises OSError that names the address."""
        tls = self._settings.tls_context() if self._settings.tcp_listen else None
        await asyncio.to_thread(warm)
        await asyncio.to_thread(self._restore)
        bound: list[list[BoundSocket]] = []
        listeners: list[socket.socket] = []
        try:
            for host, port in self._settings.listen:
                bound += self._if_family(host, port, self._bind)
            for host, port in self._settings.tcp_listen:
                listeners += self._if_family(host, port, bind_listener)
            _check_some(self._settings.listen, bound)
            _check_some(self._settings.tcp_listen, listeners)
        except OSError:
            for item in (*(one.socket for group in bound for one in group), *listeners):
                item.close()
            raise
        self._addresses = [group[0].address for group in bound]
        self._receivers = [Receiver(one, self._channel, self._clock) for group in bound for one in group]
        if listeners:
            limits = TcpLimits(self._settings.tcp_connections, self._settings.tcp_idle, self._settings.allow)
            self._tcp = TcpReceiver(listeners, self._channel, self._clock, self._log, limits, tls)
        for thread in self._threads():
            thread.start()

    def _if_family(self, host: str, port: int, bind: Callable[[str, int], T]) -> list[T]:
        """Return what is bound, nothing where the machine does not speak the protocol of an any-address."""
        try:
            return [bind(host, port)]
        except OSError as error:
            if is_missing_family(error) and _is_any_address(host):
                self._log.warning("capture-address-missing", host=host, port=port, reason=error)
                return []
            raise OSError(error.errno, f"cannot receive flow export on {host} port {port}: {error}") from error

    def _bind(self, host: str, port: int) -> list[BoundSocket]:
        wanted, sockets = self._settings.receive_buffer_bytes, self._settings.sockets
        found: list[BoundSocket] = []
        if sockets > 1:
            try:
                found = bind_shared(host, port, wanted, sockets)
            except OSError as error:
                if not is_refused_sharing(error):
                    raise
                self._log.warning("capture-one-socket-only", host=host, port=port, wanted=sockets, reason=error)
        found = found or [BoundSocket(host, port, wanted)]
        granted = min(one.receive_buffer_bytes for one in found)
        if granted < wanted:
            self._small_buffer = (
                f"receive buffer of {host} port {port} is {granted} bytes instead of {wanted}; "
                f"run sysctl -w net.core.rmem_max={wanted}"
            )
            self._log.warning(
                "capture-receive-buffer-small",
                host=host,
                port=port,
                granted_bytes=granted,
                wanted_bytes=wanted,
                remedy=f"sysctl -w net.core.rmem_max={wanted}",
            )
        return found

    async def run(self) -> None:
        """Report counters until cancelled."""
        while True:
            self.report()
            if self._decoder is not None and self._rates.is_due(wall_milliseconds(self._clock)):
                await asyncio.to_thread(self._note_exporters, self._decoder)
            if self._clock.monotonic() >= self._save_at:
                await asyncio.to_thread(self._save)
            await asyncio.sleep(REPORT_SECONDS)

    def swap(self, settings: CaptureSettings) -> None:
        """Let other senders connect, and other exporters have names; everything else is of the next start."""
        if self._tcp is not None:
            self._tcp.limits = replace(self._tcp.limits, allowed=settings.netflow.allow)
        for gone in self._named.keys() - settings.exporter.keys():
            for gauge in self._named[gone].values():
                gauge.set(0)
        self._named = self._gauges_of(settings.exporter)

    def _gauges_of(self, names: Iterable[str]) -> dict[str, dict[str, Gauge]]:
        gauges = self._exporter_gauges
        return {name: {key: gauge.labels(name) for key, gauge in gauges.items()} for name in names if gauges}

    def _note_exporters(self, decoder: FlowDecoder) -> None:
        """Bring the rates up to date, and the metrics of the exporters that have names."""
        now = wall_milliseconds(self._clock)
        exporters = decoder.exporters()
        self._rates.note(exporters, now)
        named = self._named
        by_name: dict[str, list[Exporter]] = {name: [] for name in named}
        for exporter in exporters:
            if exporter.name in by_name:
                by_name[exporter.name].append(self._rates.filled_in(exporter, now))
        for name, found in by_name.items():
            gauges = named[name]
            gauges["datagrams_per_second"].set(sum(one.datagrams_per_second for one in found))
            gauges["records_per_second"].set(sum(one.records_per_second for one in found))
            gauges["lost_records"].set(sum(one.lost_records or 0 for one in found))
            skews = (one.clock_skew_milliseconds or 0 for one in found)
            gauges["clock_skew_seconds"].set(max(skews, key=abs, default=0) / 1000)

    def _restore(self) -> None:
        """Give the decoder what the run before knew; what is wrong with it costs nothing but that."""
        self._saved_at = self._clock.monotonic()
        self._save_at = self._saved_at + SAVE_SECONDS
        if self._decoder is None or self._kept_in is None:
            return
        try:
            octets = load_snapshot(self._kept_in)
            count = self._decoder.restore(octets, wall_milliseconds(self._clock)) if octets else 0
        except (OSError, SnapshotError) as error:
            self._log.warning("capture-templates-not-restored", reason=error, then="exporters send them again")
            return
        if count:
            self._log.info("capture-templates-restored", templates=count)

    def _save(self, *, last: bool = False) -> None:
        """Save what the decoder knows, where templates have changed since, or an hour has passed."""
        now = self._clock.monotonic()
        self._save_at = now + SAVE_SECONDS
        if self._decoder is None or self._kept_in is None:
            return
        counters = self._decoder.counters
        state = (counters.templates, counters.template_changes, counters.unconfirmed_templates)
        if not last and state == self._saved and now - self._saved_at < SAVE_UNCHANGED_SECONDS:
            return
        if not counters.datagrams:  # nobody has sent: the file says what there is to know
            return
        try:
            save_snapshot(self._kept_in, self._decoder.snapshot())
        except OSError as error:
            held = self._save_log.take(now)
            if held is not None:
                self._log.warning("capture-templates-not-saved", reason=error, more_since_last_line=held)
            return
        self._saved, self._saved_at = state, now

    def report(self) -> None:
        """Bring the metrics up to date."""
        now = self._totals()
        grown = {key: value - self._reported[key] for key, value in now.items()}
        for key, more in grown.items():
            self._counters[key].inc(more)
        self._reported = now
        bound = [receiver.bound for receiver in self._receivers]
        self._gauges["buffer"].set(min((one.receive_buffer_bytes for one in bound), default=0))
        self._gauges["queued"].set(max((receiver.queued_bytes for receiver in self._receivers), default=0))
        self._gauges["sockets"].set(len(bound))
        self._gauges["channel"].set(self._channel.octets)
        self._gauges["connections"].set(len(self._tcp.open) if self._tcp else 0)
        self._report_decoder()
        self._dropping = bool(grown["kernel_drops"] or grown["dropped_blocks"])

    def _totals(self) -> dict[str, int]:
        received = ("datagrams", "octets", "batches", "kernel_drops", "truncated", "errors")
        found = {key: sum(getattr(receiver, key) for receiver in self._receivers) for key in received}
        found |= {"dropped_blocks": self._channel.dropped, "dropped_datagrams": self._channel.dropped_weight}
        counted = asdict(self._tcp.counters) if self._tcp else {}
        return {key: found.get(key, counted.get(key.removeprefix("tcp_"), 0)) for key in _COUNTERS}

    def _report_decoder(self) -> None:
        if self._decoder is None:
            return
        values = asdict(self._decoder.counters)
        for name, metric in self._decoded.items():
            more = values[name] - self._decode_reported.get(name, 0)
            if more > 0:  # what came late was counted as lost before: a counter waits until it is passed again
                metric.inc(more)
                self._decode_reported[name] = values[name]
        for name, gauge in self._decode_gauges.items():
            gauge.set(values[name])
        counted = asdict(self._decoder.sflow.counters)
        for name, sflow in self._sflow.items():
            if isinstance(sflow, Gauge):
                sflow.set(counted[name])
            else:
                sflow.inc(max(counted[name] - self._sflow_reported[name], 0))
                self._sflow_reported[name] = max(counted[name], self._sflow_reported[name])

    async def stop(self) -> None:
        """End the threads, hand over what they hold, and close the sockets."""
        threads = self._threads()
        ended = await asyncio.gather(*(asyncio.to_thread(thread.stop, STOP_SECONDS) for thread in threads))
        for thread, in_time in zip(threads, ended, strict=True):
            if not in_time:
                self._log.error("capture-thread-stuck", address=_where(thread))
        if threads:
            await asyncio.to_thread(self._save, last=True)
        self.report()

    def health(self) -> ComponentHealth:
        """Say whether every thread receives and nothing is lost."""
        dead = [_where(thread) for thread in self._threads() if not thread.alive]
        if dead:
            return ComponentHealth(HealthLevel.ERROR, f"nothing receives on {dead[0]}")
        if self._dropping:
            return ComponentHealth(HealthLevel.WARNING, "flow export is being dropped: see btimd_capture_*dropped*")
        if self._small_buffer:
            return ComponentHealth(HealthLevel.WARNING, self._small_buffer)
        return ComponentHealth()


def _where(thread: Receiver | TcpReceiver) -> object:
    return thread.addresses if isinstance(thread, TcpReceiver) else thread.bound.address


def warm() -> None:
    """Compile or load every kernel of receiving; slow once, so it is done before sockets are bound."""
    udp.warm()
    tcp.warm()


def _decode_metrics(metrics: Metrics) -> dict[str, Counter]:
    names = [field.name for field in fields(DecodeCounters) if field.name not in _DECODE_GAUGES]
    return {
        name: metrics.counter(f"btimd_capture_decode_{name}_total", f"Decoding flow export: {name.replace('_', ' ')}")
        for name in names
    }


def _decode_gauges(metrics: Metrics) -> dict[str, Gauge]:
    return {
        name: metrics.gauge(
            f"btimd_capture_decode_{name}", f"Decoding flow export: {name.replace('_', ' ')} at present"
        )
        for name in _DECODE_GAUGES
    }


def _sflow_metrics(metrics: Metrics) -> dict[str, Counter | Gauge]:
    """Return a counter for each total of sFlow, and a gauge for what there is at a time."""
    found: dict[str, Counter | Gauge] = {
        item.name: metrics.counter(f"btimd_capture_sflow_{item.name}_total", f"sFlow: {item.name.replace('_', ' ')}")
        for item in fields(SflowCounters)
        if item.name != "sources"
    }
    found["sources"] = metrics.gauge("btimd_capture_sflow_sources", "sFlow: data sources whose numbers are followed")
    return found


def _check_some(wanted: Sequence[tuple[str, int]], found: Sequence[object]) -> None:
    if wanted and not found:
        raise OSError(f"cannot receive flow export: none of {wanted} exists on this machine")


def _exporter_gauges(metrics: Metrics) -> dict[str, Gauge]:
    """Return gauges by the name of an exporter: labels that are configured, never addresses that somebody sends."""
    return {
        key: metrics.gauge(f"btimd_capture_exporter_{key}", text, ("exporter",))
        for key, text in _EXPORTER_GAUGES.items()
    }


def _is_any_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False

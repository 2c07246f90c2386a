"""UdpCapture: the sockets and threads that receive flow export, as a component of the daemon."""

import asyncio
import ipaddress
from dataclasses import asdict, fields
from typing import Final

from btimd.capture.settings import NetflowSettings
from btimd.capture.udp import BoundSocket, Receiver, is_missing_family
from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import Clock, SystemClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Counter, Gauge, Metrics

STOP_SECONDS: Final = 4.0
REPORT_SECONDS: Final = 1.0
_DECODE_GAUGES: Final = ("templates", "buffered_sets")
_COUNTERS: Final = {
    "datagrams": ("btimd_capture_datagrams_total", "Flow export datagrams received"),
    "octets": ("btimd_capture_received_bytes_total", "Octets of flow export received"),
    "kernel_drops": (
        "btimd_capture_kernel_dropped_datagrams_total",
        "Datagrams the kernel dropped: full socket buffer",
    ),
    "errors": ("btimd_capture_socket_errors_total", "Errors of receiving sockets"),
    "dropped_blocks": ("btimd_capture_dropped_blocks_total", "Blocks dropped because decoding did not keep up"),
    "dropped_datagrams": ("btimd_capture_dropped_datagrams_total", "Datagrams in the dropped blocks"),
}


class UdpCapture:
    """Receives NetFlow and IPFIX on every configured address and hands blocks of datagrams to a channel.

    The channel weighs blocks by their datagrams (`Channel(n, weigh=len)`). Metrics follow once a second, also those of
    the decoder at the channel's other end, if it is given.
    """

    def __init__(
        self,
        settings: NetflowSettings,
        channel: Channel[DatagramBlock],
        metrics: Metrics,
        log: Log,
        clock: Clock | None = None,
        decoder: FlowDecoder | None = None,
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._log = log
        self._clock = clock or SystemClock()
        self._receivers: list[Receiver] = []
        self._counters = {key: metrics.counter(name, text) for key, (name, text) in _COUNTERS.items()}
        self._reported = dict.fromkeys(_COUNTERS, 0)
        self._decoder = decoder
        self._decoded = _decode_metrics(metrics) if decoder else {}
        self._decode_gauges = _decode_gauges(metrics) if decoder else {}
        self._decode_reported: dict[str, int] = {}
        self._dropping = False
        self._small_buffer = ""

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "capture.netflow"

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens, in the order of the settings; known after start."""
        return tuple(receiver.bound.address for receiver in self._receivers)

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """The receiving threads, with their counters."""
        return tuple(self._receivers)

    @property
    def progress_at(self) -> float:
        """Monotonic time at which the slowest receiving thread last came round; for the watchdog."""
        return min((receiver.progress_at for receiver in self._receivers), default=self._clock.monotonic())

    async def start(self) -> None:
        """Bind every socket, then start the threads; raises OSError that names the address."""
        bound: list[BoundSocket] = []
        try:
            for host, port in self._settings.listen:
                found = self._bind(host, port)
                if found is not None:
                    bound.append(found)
        except OSError:
            for item in bound:
                item.socket.close()
            raise
        if self._settings.listen and not bound:
            raise OSError(f"cannot receive flow export: none of {self._settings.listen} exists on this machine")
        self._receivers = [Receiver(item, self._channel, self._clock) for item in bound]
        for receiver in self._receivers:
            receiver.start()

    def _bind(self, host: str, port: int) -> BoundSocket | None:
        wanted = self._settings.receive_buffer_bytes
        try:
            bound = BoundSocket(host, port, wanted)
        except OSError as error:
            if is_missing_family(error) and _is_any_address(host):
                self._log.warning("capture-address-missing", host=host, port=port, reason=error)
                return None
            raise OSError(error.errno, f"cannot receive flow export on {host} port {port}: {error}") from error
        if bound.receive_buffer_bytes < wanted:
            self._small_buffer = (
                f"receive buffer of {host} port {port} is {bound.receive_buffer_bytes} bytes instead of {wanted}; "
                f"run sysctl -w net.core.rmem_max={wanted}"
            )
            self._log.warning(
                "capture-receive-buffer-small",
                host=host,
                port=port,
                granted_bytes=bound.receive_buffer_bytes,
                wanted_bytes=wanted,
                remedy=f"sysctl -w net.core.rmem_max={wanted}",
            )
        return bound

    async def run(self) -> None:
        """Report counters until cancelled."""
        while True:
            self.report()
            await asyncio.sleep(REPORT_SECONDS)

    def report(self) -> None:
        """Bring the metrics up to date."""
        now = {
            "datagrams": sum(receiver.datagrams for receiver in self._receivers),
            "octets": sum(receiver.octets for receiver in self._receivers),
            "kernel_drops": sum(receiver.kernel_drops for receiver in self._receivers),
            "errors": sum(receiver.errors for receiver in self._receivers),
            "dropped_blocks": self._channel.dropped,
            "dropped_datagrams": self._channel.dropped_weight,
        }
        grown = {key: value - self._reported[key] for key, value in now.items()}
        for key, more in grown.items():
            self._counters[key].inc(more)
        self._reported = now
        self._report_decoder()
        self._dropping = bool(grown["kernel_drops"] or grown["dropped_blocks"])

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

    async def stop(self) -> None:
        """End the threads, hand over what they hold, and close the sockets."""
        receivers = self._receivers
        ended = await asyncio.gather(*(asyncio.to_thread(receiver.stop, STOP_SECONDS) for receiver in receivers))
        for receiver, in_time in zip(receivers, ended, strict=True):
            if not in_time:
                self._log.error("capture-thread-stuck", address=receiver.bound.address)
        self.report()

    def health(self) -> ComponentHealth:
        """Say whether every thread receives and nothing is lost."""
        dead = [receiver for receiver in self._receivers if not receiver.alive]
        if dead:
            return ComponentHealth(HealthLevel.ERROR, f"nothing receives on {dead[0].bound.address}")
        if self._dropping:
            return ComponentHealth(HealthLevel.WARNING, "flow export is being dropped: see btimd_capture_*dropped*")
        if self._small_buffer:
            return ComponentHealth(HealthLevel.WARNING, self._small_buffer)
        return ComponentHealth()


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


def _is_any_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False

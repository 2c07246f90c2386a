import asyncio
import logging
import socket
from collections.abc import Iterator

import pytest

from btimd.capture.component import UdpCapture
from btimd.capture.settings import NetflowSettings
from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.wire.crafting import PLAIN, block, one_set, template, v9

LOG = Log("capture")
LOOPBACK = (("127.0.0.1", 0), ("::1", 0))


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, whatever other tests did to the loggers above."""
    logger = logging.getLogger("btimd.capture")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def make(listen: tuple[tuple[str, int], ...] = LOOPBACK, *, capacity: int = 16, buffer: int = 65_536) -> tuple[
    UdpCapture, Channel[DatagramBlock], Metrics
]:  # fmt: skip
    channel: Channel[DatagramBlock] = Channel(capacity, weigh=len)
    metrics = Metrics()
    settings = NetflowSettings(listen=listen, receive_buffer_bytes=buffer)
    return UdpCapture(settings, channel, metrics, LOG), channel, metrics


def send(address: tuple[str, int], payload: bytes) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as source:
        source.sendto(payload, address)


async def test_it_receives_on_both_families_and_its_metrics_say_so() -> None:
    capture, channel, metrics = make()
    assert not list(capture.addresses)
    await capture.start()
    try:
        assert [host for host, _ in capture.addresses] == ["127.0.0.1", "::1"]
        assert capture.health() == ComponentHealth()
        for address in capture.addresses:
            send(address, b"hello")
        blocks = [await asyncio.to_thread(channel.get, 10.0) for _ in range(2)]
        assert [block.slab.tobytes() for block in blocks if block] == [b"hello"] * 2
        running = asyncio.create_task(capture.run())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    finally:
        await capture.stop()
    assert metrics.value("btimd_capture_datagrams_total") == 2
    assert metrics.value("btimd_capture_received_bytes_total") == 10
    assert metrics.value("btimd_capture_kernel_dropped_datagrams_total") == 0
    assert capture.health().level is HealthLevel.ERROR  # nothing receives any more
    await capture.stop()


async def test_blocks_that_the_channel_drops_are_counted_and_a_warning() -> None:
    capture, channel, metrics = make((("127.0.0.1", 0),), capacity=1)
    await capture.start()
    try:
        send(capture.addresses[0], b"one")
        while not len(channel):
            await asyncio.to_thread(lambda: None)
        send(capture.addresses[0], b"two")
        while not channel.dropped:
            await asyncio.to_thread(lambda: None)
        capture.report()
        assert capture.health().level is HealthLevel.WARNING
    finally:
        await capture.stop()
    assert metrics.value("btimd_capture_dropped_blocks_total") == 1
    assert metrics.value("btimd_capture_dropped_datagrams_total") == 1


async def test_a_buffer_smaller_than_wanted_is_a_warning_that_names_the_remedy(
    written: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btimd.capture.udp._ask_for_buffer", lambda *_: 212_992)
    capture, _, _ = make((("127.0.0.1", 0),), buffer=1 << 20)
    await capture.start()
    try:
        assert "sysctl -w net.core.rmem_max=1048576" in written.text
        assert capture.health().level is HealthLevel.WARNING
        assert "net.core.rmem_max" in capture.health().reason
    finally:
        await capture.stop()


async def test_an_address_that_cannot_be_bound_is_named_and_nothing_stays_open() -> None:
    capture, _, _ = make((("127.0.0.1", 0), ("192.0.2.99", 2055)))
    with pytest.raises(OSError, match=r"cannot receive flow export on 192\.0\.2\.99 port 2055"):
        await capture.start()
    assert capture.addresses == ()
    await capture.stop()


async def test_a_machine_without_ipv6_receives_on_ipv4(
    written: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket

    def without_ipv6(family: int, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *rest)

    monkeypatch.setattr("btimd.capture.udp.socket.socket", without_ipv6)
    capture, _, _ = make((("127.0.0.1", 0), ("::", 0)))
    await capture.start()
    assert [host for host, _ in capture.addresses] == ["127.0.0.1"]
    assert "capture-address-missing host=::" in written.text
    await capture.stop()
    alone, _, _ = make((("::", 0),))
    with pytest.raises(OSError, match="exists on this machine"):
        await alone.start()


async def test_an_empty_list_receives_nothing() -> None:
    capture, _, _ = make(())
    await capture.start()
    assert (capture.addresses, capture.health()) == ((), ComponentHealth())
    await capture.stop()


async def test_the_decoders_counters_are_metrics_and_never_go_back() -> None:
    decoder = FlowDecoder()
    metrics = Metrics()
    capture = UdpCapture(NetflowSettings(listen=()), Channel(1), metrics, LOG, decoder=decoder)
    decoder.decode(block(v9(sequence=1), v9(sequence=4), v9(one_set(0, template(256, PLAIN))), b"?"))
    capture.report()
    names = ("datagrams_total", "short_datagrams_total", "lost_units_total", "templates")
    assert [metrics.value(f"btimd_capture_decode_{name}") for name in names] == [4, 1, 1, 1]
    decoder.decode(block(v9(sequence=3)))
    capture.report()
    assert (decoder.counters.lost_units, metrics.value("btimd_capture_decode_lost_units_total")) == (0, 1)

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from btimd.capture.blocks import BlockChannel
from btimd.capture.component import FlowCapture
from btimd.capture.settings import CaptureSettings
from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.sflow import SflowCounters
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.wire.crafting import PLAIN, block, ipfix, one_set, plain_record, template, v9
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
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
    FlowCapture, BlockChannel, Metrics
]:  # fmt: skip
    channel = BlockChannel(capacity, 1 << 28)
    metrics = Metrics()
    return FlowCapture(netflow(listen=listen, receive_buffer_bytes=buffer), channel, metrics, LOG), channel, metrics


def netflow(exporter: dict[str, object] | None = None, /, **values: object) -> CaptureSettings:
    return CaptureSettings.model_validate({"netflow": values, "exporter": exporter or {}})


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
        blocks = [await asyncio.to_thread(channel.get, PATIENCE_SECONDS) for _ in range(2)]
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
    class Counting:
        counters = DecodeCounters()
        sflow = SimpleNamespace(counters=SflowCounters(lost_samples=7, sources=2))

    counting, metrics = Counting(), Metrics()
    capture = FlowCapture(netflow(listen=()), BlockChannel(1, 1), metrics, LOG, decoder=cast("FlowDecoder", counting))
    names = ("datagrams_total", "lost_units_total", "templates")
    seen = []
    for datagrams, lost, templates in ((4, 3, 2), (5, 1, 1), (6, 4, 1)):  # in between two came late
        counting.counters = DecodeCounters(datagrams=datagrams, lost_units=lost, templates=templates)
        capture.report()
        seen.append([metrics.value(f"btimd_capture_decode_{name}") for name in names])
    assert seen == [[4, 3, 2], [5, 3, 1], [6, 4, 1]]
    sflow = [metrics.value(f"btimd_capture_sflow_{name}") for name in ("lost_samples_total", "sources")]
    assert sflow == [7, 2]


async def test_several_sockets_share_an_address_and_one_decoder_gets_all() -> None:
    channel, metrics = BlockChannel(1024, 1 << 28), Metrics()
    capture = FlowCapture(netflow(listen=(("127.0.0.1", 0),), sockets=3), channel, metrics, LOG)
    await capture.start()
    try:
        assert len(capture.addresses) == 1
        assert len(capture.receivers) == 3
        for host in range(1, 21):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
                source.bind((f"127.0.2.{host}", 0))
                source.sendto(b"hello", capture.addresses[0])
    finally:
        await capture.stop()
    assert metrics.value("btimd_capture_datagrams_total") == 20
    assert metrics.value("btimd_capture_sockets") == 3
    assert sum(len(channel.get(0.0) or ()) for _ in range(len(channel))) == 20
    assert sum(receiver.datagrams > 0 for receiver in capture.receivers) > 1


async def test_where_the_kernel_refuses_sharing_one_socket_receives_and_the_log_says_so(
    written: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btimd.capture.udp.program", lambda *_: b"no program")
    capture = FlowCapture(
        netflow(listen=(("127.0.0.1", 0),), sockets=3), BlockChannel(8, 1 << 28), Metrics(), LOG
    )  # fmt: skip
    await capture.start()
    try:
        assert len(capture.receivers) == 1
        assert "capture-one-socket-only host=127.0.0.1 port=0 wanted=3" in written.text
    finally:
        await capture.stop()


async def test_ipfix_over_tcp_ends_its_templates_with_the_connection() -> None:
    decoder, channel, metrics = FlowDecoder(), BlockChannel(64, 1 << 28), Metrics()
    settings = netflow(listen=(), tcp_listen=("127.0.0.1:0",))
    capture = FlowCapture(settings, channel, metrics, LOG, decoder=decoder)
    await capture.start()
    assert capture.health() == ComponentHealth()
    templates, data = (
        ipfix(one_set(2, template(256, PLAIN, ipfix=True))),
        ipfix(one_set(256, plain_record()), sequence=0),
    )
    try:
        with socket.create_connection(capture.tcp_addresses[0]) as exporter:
            exporter.sendall(templates + data)
            records = 0
            while not records:
                block = await asyncio.to_thread(channel.get, PATIENCE_SECONDS)
                assert block is not None
                records += len(decoder.decode(block))
            assert (records, decoder.counters.templates) == (1, 1)
        end = await asyncio.to_thread(channel.get, PATIENCE_SECONDS)
        assert end is not None
        assert len(decoder.decode(end)) == 0
        assert decoder.counters.templates == 0
    finally:
        await capture.stop()
    assert metrics.value("btimd_capture_tcp_messages_total") == 2
    assert metrics.value("btimd_capture_tcp_received_bytes_total") == len(templates + data)
    assert metrics.value("btimd_capture_tcp_connections_total") == 1
    assert metrics.value("btimd_capture_tcp_open_connections") == 0


async def test_a_certificate_that_is_not_there_is_said_before_anything_is_bound(tmp_path: Path) -> None:
    settings = netflow(
        tcp_listen=("127.0.0.1:0",), tcp_cert_file=str(tmp_path / "none.pem"), tcp_key_file=str(tmp_path / "none.key")
    )
    capture = FlowCapture(settings, BlockChannel(8, 1 << 28), Metrics(), LOG)
    with pytest.raises(OSError, match=r"cannot use .*none\.pem and .*none\.key for TLS: No such file"):
        await capture.start()
    assert capture.addresses == ()


async def test_templates_are_there_again_after_a_restart(tmp_path: Path, written: pytest.LogCaptureFixture) -> None:
    def make_one() -> tuple[FlowCapture, FlowDecoder]:
        decoder = FlowDecoder()
        settings = netflow(listen=(("127.0.0.1", 0),))
        return FlowCapture(
            settings, BlockChannel(8, 1 << 28), Metrics(), LOG, ManualClock(), decoder, tmp_path
        ), decoder

    written.set_level(logging.INFO, logger="btimd.capture")
    capture, decoder = make_one()
    await capture.start()
    assert len(decoder.decode(block(v9(one_set(0, template(256, PLAIN)))))) == 0
    await capture.stop()
    again, decoder = make_one()
    await again.start()
    try:
        assert "capture-templates-restored templates=1" in written.text
        assert len(decoder.decode(block(v9(one_set(256, plain_record()), sequence=1)))) == 1
    finally:
        await again.stop()


async def test_a_damaged_file_of_templates_costs_a_warning_only(
    tmp_path: Path, written: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "templates.snapshot").write_bytes(b"nonsense")
    capture = FlowCapture(
        netflow(listen=()), BlockChannel(8, 1 << 28), Metrics(), LOG, ManualClock(), FlowDecoder(), tmp_path
    )
    await capture.start()
    assert "capture-templates-not-restored" in written.text
    await capture.stop()
    assert (tmp_path / "templates.snapshot").read_bytes() == b"nonsense"  # nobody has sent: nothing better is known


async def test_templates_are_saved_when_they_have_changed_and_otherwise_once_an_hour(
    tmp_path: Path, written: pytest.LogCaptureFixture
) -> None:
    clock, decoder, file = ManualClock(), FlowDecoder(), tmp_path / "templates.snapshot"
    capture = FlowCapture(netflow(listen=()), BlockChannel(8, 1 << 28), Metrics(), LOG, clock, decoder, tmp_path)
    await capture.start()
    decoder.decode(block(v9(one_set(0, template(256, PLAIN)))))
    saved = []
    for minutes in (0, 1, 1, 30, 30, 1):
        clock.advance(60.0 * minutes)
        file.unlink(missing_ok=True)
        capture._save()
        saved.append(file.exists())
    assert saved == [True, False, False, False, True, False]
    decoder.decode(block(v9(one_set(0, template(257, PLAIN)), sequence=1)))
    capture._save()
    assert file.exists()
    capture._kept_in = tmp_path / "gone"
    capture._save(last=True)
    assert "capture-templates-not-saved" in written.text


async def test_configured_exporters_have_metrics_by_name_and_all_have_rates() -> None:
    clock, metrics = ManualClock(), Metrics()
    settings = netflow({"edge": {"address": "192.0.2.0/24"}, "silent": {"address": "198.51.100.1"}}, listen=())
    decoder = FlowDecoder(settings.netflow.decode_limits(), settings.exporter_rules())
    capture = FlowCapture(settings, BlockChannel(8, 1 << 28), metrics, LOG, clock, decoder)
    decoder.decode(block(*(v9(sequence=number) for number in range(5))))
    clock.now = max(one.last_seen_milliseconds for one in decoder.exporters()) / 1000
    capture._note_exporters(decoder)
    decoder.decode(block(*(v9(sequence=number) for number in range(5, 65))))
    clock.advance(20.0)
    capture._note_exporters(decoder)
    assert [(one.name, one.datagrams_per_second) for one in capture.exporters()] == [("edge", 3.0)]
    rate = "btimd_capture_exporter_datagrams_per_second"
    assert [metrics.value(rate, {"exporter": name}) for name in ("edge", "silent")] == [3.0, 0.0]


NOTHING_COMPILES = """
import asyncio, socket, sys
from numba.core import event
from btimd.kernels._jit import ALL_KERNELS
from tests.capture.wire.crafting import PLAIN, ipfix, one_set, plain_record, template, v5, v5_record, v9
from tests.daemon.small import running, until, write_small
from pathlib import Path

SETTINGS = Path(sys.argv[1], "btimd.toml")


def known():
    return {(each.__module__, each.__name__): tuple(each.signatures) for each in ALL_KERNELS}


async def main():
    folder = write_small(Path(sys.argv[1]))
    text = SETTINGS.read_text().replace("[api]", 'tcp_listen = ["127.0.0.1:0"]\\nsockets = 2\\n[api]')
    SETTINGS.write_text(text.replace("receive_buffer_bytes = 65536", "receive_buffer_bytes = 8388608"))
    async with running(folder) as app:
        before = known()
        with event.install_recorder("numba:compile") as compiled:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as exporter:
                exporter.connect(app.addresses.capture[0])
                for number in range(400):
                    exporter.send(v9(one_set(0, template(256, PLAIN)), sequence=3 * number))
                    exporter.send(v9(one_set(256, plain_record()), sequence=3 * number + 1))
                    exporter.send(v9(one_set(300, plain_record()), sequence=3 * number + 2))
                    exporter.send(v5(v5_record(), sequence=number))
                    exporter.send(b"?" + bytes(number * 20))
            with socket.create_connection(app.wired.capture.tcp_addresses[0]) as exporter:
                exporter.sendall(ipfix(one_set(2, template(256, PLAIN, ipfix=True))))
                exporter.sendall(ipfix(one_set(256, plain_record())))
            await until(lambda: app.wired.decoder.counters.records >= 801)
            await until(lambda: app.wired.metrics.value("btimd_flows_records_total") >= 801)
        print(len(compiled.buffer), [name for name, found in known().items() if found != before[name]])


asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(420)  # where nothing is in the cache, everything compiles first
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled in this run")
def test_nothing_compiles_once_datagrams_can_come(tmp_path: Path) -> None:
    script = [sys.executable, "-c", NOTHING_COMPILES, str(tmp_path)]
    found = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)

    assert found.stdout == "0 []\n", found.stderr[-2000:]

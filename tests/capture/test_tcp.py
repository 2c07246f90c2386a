"""IPFIX over TCP on real connections, with and without TLS."""

import logging
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from btimd.capture.blocks import BlockChannel, ends_stream
from btimd.capture.tcp import BUFFER_OCTETS, TcpLimits, TcpReceiver, bind_listener
from btimd.model.address import Prefix, address_text
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from tests.patience import PATIENCE_SECONDS, wait_until

NOW = 1_700_000_000_000


def message(number: int, octets: int = 24) -> bytes:
    return struct.pack(">HHIII", 10, octets, 0, number, 7) + bytes(octets - 16)


@contextmanager
def receiving(
    host: str = "127.0.0.1",
    *,
    limits: TcpLimits | None = None,
    tls: ssl.SSLContext | None = None,
    channel: BlockChannel | None = None,
    clock: ManualClock | None = None,
) -> Iterator[tuple[TcpReceiver, BlockChannel]]:
    channel = BlockChannel(1024, 1 << 28) if channel is None else channel
    receiver = TcpReceiver(
        [bind_listener(host, 0)], channel, clock or ManualClock(), Log("capture"), limits, tls
    )  # fmt: skip
    receiver.start()
    try:
        yield receiver, channel
    finally:
        assert receiver.stop(PATIENCE_SECONDS)


def until_end(channel: BlockChannel) -> list[DatagramBlock]:
    """Return the blocks of a connection, the one that says its end included."""
    blocks: list[DatagramBlock] = []
    while not blocks or not ends_stream(blocks[-1]):
        block = channel.get(PATIENCE_SECONDS)
        assert block is not None, "the end of the connection did not come"
        blocks.append(block)
    return blocks


def payloads(blocks: list[DatagramBlock]) -> list[bytes]:
    return [
        block.slab[block.offsets[row] : block.offsets[row + 1]].tobytes()
        for block in blocks
        for row in range(len(block))
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_messages_come_whole_with_their_sender_and_then_the_end(host: str) -> None:
    sent = [message(number, 16 + number % 50) for number in range(3000)]
    stream = b"".join(sent)
    with receiving(host) as (receiver, channel):
        with socket.create_connection(receiver.addresses[0]) as exporter:
            name = exporter.getsockname()
            for at in range(0, len(stream), 1237):  # never where a message ends
                exporter.sendall(stream[at : at + 1237])
        blocks = until_end(channel)
    assert payloads(blocks) == [*sent, b""]
    assert all(block.stream for block in blocks)
    assert {(int(port)) for block in blocks for port in block.source_port} == {name[1]}
    senders = {
        address_text(int(hi), int(lo))
        for block in blocks
        for hi, lo in zip(block.source_hi, block.source_lo, strict=True)
    }
    assert senders == {host}
    assert {int(at) for block in blocks for at in block.arrival_milliseconds} == {NOW}
    assert (receiver.counters.accepted, receiver.counters.messages) == (1, 3000)
    assert (receiver.counters.octets, receiver.counters.cut_off, receiver.counters.bad) == (len(stream), 0, 0)


def test_the_longest_messages_there_are_come_whole() -> None:
    sent = [message(number, 65_535) for number in range(20)]
    with receiving() as (receiver, channel):
        with socket.create_connection(receiver.addresses[0]) as exporter:
            exporter.sendall(b"".join(sent))
        blocks = until_end(channel)
    assert payloads(blocks) == [*sent, b""]
    assert max(block.slab.nbytes for block in blocks) <= BUFFER_OCTETS


@pytest.mark.parametrize("begins", [b"GET / HTTP/1.1\r\n\r\n", struct.pack(">HH", 9, 20), struct.pack(">HH", 10, 15)])
def test_something_that_is_no_ipfix_closes_the_connection_after_what_was_good(
    begins: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("btimd.capture")
    logger.addHandler(caplog.handler)
    try:
        with (
            receiving() as (receiver, channel),
            socket.create_connection(receiver.addresses[0]) as exporter,
        ):
            exporter.settimeout(PATIENCE_SECONDS)
            exporter.sendall(message(1) + begins)
            assert payloads(until_end(channel)) == [message(1), b""]
            with suppress(ConnectionError):
                assert exporter.recv(100) == b""
        assert (receiver.counters.bad, receiver.counters.messages, len(receiver.open)) == (1, 1, 0)
        assert f"begins={begins[:4].hex()}" in caplog.text
    finally:
        logger.removeHandler(caplog.handler)


def test_a_connection_that_breaks_off_in_a_message_is_counted() -> None:
    with receiving() as (receiver, channel):
        with socket.create_connection(receiver.addresses[0]) as exporter:
            exporter.sendall(message(1) + message(2)[:10])
        assert payloads(until_end(channel)) == [message(1), b""]
        wait_until(lambda: receiver.counters.cut_off == 1)


def test_a_connection_that_brought_nothing_leaves_nothing() -> None:
    with receiving() as (receiver, channel):
        socket.create_connection(receiver.addresses[0]).close()
        wait_until(lambda: receiver.counters.accepted == 1 and not receiver.open)
    assert len(channel) == 0


def test_more_connections_than_allowed_and_strangers_are_refused() -> None:
    with receiving(limits=TcpLimits(connections=2)) as (receiver, _):
        with socket.create_connection(receiver.addresses[0]), socket.create_connection(receiver.addresses[0]):
            wait_until(lambda: len(receiver.open) == 2)
            with socket.create_connection(receiver.addresses[0]):
                wait_until(lambda: receiver.counters.refused == 1)
        assert receiver.counters.accepted == 2
    with receiving(limits=TcpLimits(allowed=(Prefix.parse("192.0.2.0/24"),))) as (receiver, _):
        with socket.create_connection(receiver.addresses[0]):
            wait_until(lambda: receiver.counters.refused == 1)
        assert receiver.counters.accepted == 0


def test_a_silent_connection_is_closed_and_a_speaking_one_stays() -> None:
    clock = ManualClock()
    with (
        receiving(limits=TcpLimits(idle_seconds=30.0), clock=clock) as (receiver, channel),
        socket.create_connection(receiver.addresses[0]) as silent,
        socket.create_connection(receiver.addresses[0]) as speaking,
    ):
        silent.sendall(message(1))
        assert payloads([channel.get(PATIENCE_SECONDS) or pytest.fail("nothing came")]) == [message(1)]
        wait_until(lambda: len(receiver.open) == 2)
        clock.advance(29.0)
        speaking.sendall(message(2))
        assert payloads([channel.get(PATIENCE_SECONDS) or pytest.fail("nothing came")]) == [message(2)]
        clock.advance(2.0)
        assert payloads(until_end(channel)) == [b""]
        assert (receiver.counters.idle, len(receiver.open)) == (1, 1)


def test_while_the_channel_is_full_exporters_wait_and_nothing_is_lost() -> None:
    channel = BlockChannel(8, 1 << 28)
    sent = [message(number, 60_000) for number in range(400)]
    with receiving(channel=channel) as (receiver, _), socket.create_connection(receiver.addresses[0]) as exporter:
        sending = threading.Thread(target=exporter.sendall, args=(b"".join(sent),))
        sending.start()
        wait_until(lambda: channel.fullness > 0.5)
        blocks: list[DatagramBlock] = []
        while sum(map(len, blocks)) < len(sent):
            block = channel.get(PATIENCE_SECONDS)
            assert block is not None
            blocks.append(block)
        sending.join()
    assert payloads(blocks) == sent
    assert channel.dropped == 0


def test_stopping_hands_over_what_was_received_and_ends_every_stream() -> None:
    with receiving() as (receiver, channel), socket.create_connection(receiver.addresses[0]) as exporter:
        exporter.sendall(message(1))
        wait_until(lambda: receiver.counters.messages == 1)
        assert receiver.stop(PATIENCE_SECONDS)
        assert payloads(until_end(channel)) == [message(1), b""]
        assert not receiver.alive


def test_an_address_in_use_is_an_error_and_leaves_no_socket() -> None:
    with bind_listener("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        bind_listener("127.0.0.1", taken.getsockname()[1])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def server_side(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.load_verify_locations(folder / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls_with_a_certificate_of_the_exporter(authority: Path) -> None:
    context = ssl.create_default_context(cafile=authority / "cert.pem")
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    sent = [message(number, 1400) for number in range(500)]
    with receiving(tls=server_side(authority)) as (receiver, channel):
        with (
            socket.create_connection(receiver.addresses[0]) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as exporter,
        ):
            exporter.sendall(b"".join(sent))
            exporter.unwrap()
        assert payloads(until_end(channel)) == [*sent, b""]
        assert receiver.counters.accepted == 1


def test_who_has_no_certificate_or_speaks_no_tls_gets_nothing_through(authority: Path) -> None:
    context = ssl.create_default_context(cafile=authority / "cert.pem")
    with receiving(tls=server_side(authority)) as (receiver, channel):
        for wrap in (True, False):
            with socket.create_connection(receiver.addresses[0], PATIENCE_SECONDS) as plain, suppress(OSError):
                exporter = context.wrap_socket(plain, server_hostname="127.0.0.1") if wrap else plain
                with exporter:
                    exporter.sendall(message(1))
                    while exporter.recv(100):  # until it is closed, or reset
                        pass
        assert (receiver.counters.messages, receiver.counters.accepted, len(channel)) == (0, 0, 0)

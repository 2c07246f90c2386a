"""The kernel chooses among sockets by the sender's address alone; asked of the real one, over loopback."""

import socket
import struct
from collections import Counter

import pytest

from btimd.capture.reuseport import chosen, program
from btimd.capture.udp import BoundSocket, bind_shared

SOCKETS = 4


@pytest.fixture
def group() -> list[BoundSocket]:
    return bind_shared("127.0.0.1", 0, 1 << 16, SOCKETS)


def receivers_of(group: list[BoundSocket], sources: list[tuple[str, int]]) -> list[int]:
    """Return which socket of the group got the datagram that each source (host, port) sent."""
    found = []
    for source in sources:
        with socket.socket(group[0].socket.family, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sender.bind(source)
            sender.sendto(b"?", group[0].address)
        got = []
        for number, one in enumerate(group):
            try:
                one.socket.recv(100)
            except BlockingIOError:
                continue
            got.append(number)
        assert len(got) == 1
        found += got
    for one in group:
        one.socket.close()
    return found


def test_one_sender_stays_at_one_socket_whatever_its_port(group: list[BoundSocket]) -> None:
    found = receivers_of(group, [("127.0.0.9", 0)] * 40)

    assert found == [chosen(bytes([127, 0, 0, 9]), SOCKETS)] * 40


def test_senders_of_ipv4_are_spread_evenly_and_as_computed(group: list[BoundSocket]) -> None:
    hosts = [f"127.0.{net}.{host}" for net in range(4) for host in range(1, 41)]

    found = receivers_of(group, [(host, 0) for host in hosts])

    assert found == [chosen(socket.inet_aton(host), SOCKETS) for host in hosts]
    assert min(Counter(found).values()) > 160 // SOCKETS / 2
    assert len(Counter(found)) == SOCKETS


def test_senders_of_ipv6_go_where_the_program_says() -> None:
    group = bind_shared("::1", 0, 1 << 16, SOCKETS)

    found = receivers_of(group, [("::1", 0)] * 20)

    assert found == [chosen(socket.inet_pton(socket.AF_INET6, "::1"), SOCKETS)] * 20


def test_ipv6_addresses_are_spread() -> None:
    found = Counter(
        chosen(socket.inet_pton(socket.AF_INET6, f"2001:db8:{net:x}::{host:x}"), SOCKETS)
        for net in range(20)
        for host in range(1, 21)
    )

    assert len(found) == SOCKETS
    assert min(found.values()) > 400 // SOCKETS / 2


def test_the_program_reads_the_ip_header_never_the_payload() -> None:
    steps = list(struct.iter_unpack("=HBBI", program("ipv6", 3)))
    loads = [value for code, _, _, value in steps if code == 0x20]

    assert loads == [0xFFF0_0000 + offset for offset in (8, 12, 16, 20)]
    assert steps[-1][0] == 0x16
    assert len(program("ipv4", 3)) == 5 * 8

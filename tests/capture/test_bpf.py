"""Capture filters: what libpcap compiles, what is refused, and that the kernel runs it."""

import socket

import pytest

from btimd.capture import bpf
from btimd.kernels.headers import LINK_ETHERNET, LINK_IPV4
from tests.patience import PATIENCE_SECONDS


def steps(program: bpf.Program) -> list[tuple[int, ...]]:
    return [tuple(int(value) for value in step) for step in program]


def test_without_an_expression_everything_is_kept_up_to_the_snap_length() -> None:
    assert steps(bpf.compile_filter("  ", 192)) == [(0x06, 0, 0, 192)]


def test_a_program_that_keeps_nothing() -> None:
    assert steps(bpf.nothing()) == [(0x06, 0, 0, 0)]


def test_an_expression_becomes_a_program_that_returns_the_snap_length() -> None:
    assert steps(bpf.compile_filter("ip", 192)) == [
        (0x28, 0, 0, 12), (0x15, 0, 1, 0x0800), (0x06, 0, 0, 192), (0x06, 0, 0, 0),
    ]  # fmt: skip


def test_without_a_link_header_the_program_looks_at_the_ip_packet() -> None:
    assert steps(bpf.compile_filter("ip", 99, link=LINK_IPV4)) == [
        (0x30, 0, 0, 0), (0x54, 0, 0, 0xF0), (0x15, 0, 1, 0x40), (0x06, 0, 0, 99), (0x06, 0, 0, 0),
    ]  # fmt: skip


def test_what_this_machine_sends_can_be_left_out() -> None:
    assert steps(bpf.compile_filter("", 64, outgoing=False)) == [
        (0x20, 0, 0, 0xFFFF_F004), (0x15, 0, 1, 4), (0x06, 0, 0, 0), (0x06, 0, 0, 64),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "link", "message"),
    [
        ("tcp prot 80", LINK_ETHERNET, "libpcap refuses the filter: "),
        ("ether host 02:00:00:00:00:01", LINK_IPV4, "libpcap refuses the filter: "),
        ("ip and arp", LINK_ETHERNET, "libpcap refuses the filter: expression rejects all packets"),
        ("vlan 10 and ip", LINK_ETHERNET, "'vlan' cannot be used: the kernel takes the outermost VLAN tag off"),
        ("(vlan)", LINK_ETHERNET, "leave it out: the rest of the filter holds for tagged frames too"),
        ("ip\nor arp", LINK_ETHERNET, "a filter is one line of up to 4096 printable characters"),
        ("ip or " * 1000 + "arp", LINK_ETHERNET, "a filter is one line of up to 4096 printable characters"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_the_reason(expression: str, link: int, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        bpf.compile_filter(expression, 192, link=link)
    assert message in str(caught.value)


def test_mpls_and_names_with_vlan_in_them_can_be_used() -> None:
    assert len(bpf.compile_filter("mpls and ip", 192)) > 3
    with pytest.raises(ValueError, match="libpcap refuses the filter: unknown port 'my-vlan'"):
        bpf.compile_filter("port my-vlan", 192)


def test_a_program_that_the_kernel_would_not_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf, "MAX_INSTRUCTIONS", 3)
    with pytest.raises(ValueError, match="the filter needs 4 instructions, the kernel takes 3; shorten it"):
        bpf.compile_filter("ip", 192)


def test_without_libpcap_only_a_filter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf, "_LIBRARY", "libpcap-that-is-not-there.so")
    assert steps(bpf.compile_filter("", 192)) == [(0x06, 0, 0, 192)]
    with pytest.raises(ValueError, match="which this machine lacks: apt-get install libpcap0.8"):
        bpf.compile_filter("ip", 192)


def test_the_kernel_runs_an_attached_program() -> None:
    """On a datagram socket a program sees the UDP header first, and what it returns is the length kept."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE_SECONDS)
        bpf.attach(receiver, bpf.compile_filter("", 8 + 3))
        source.sendto(b"truncated", receiver.getsockname())
        assert receiver.recv(100) == b"tru"
        bpf.attach(receiver, bpf.nothing())
        source.sendto(b"dropped", receiver.getsockname())
        bpf.attach(receiver, bpf.compile_filter("", 65_535))
        source.sendto(b"kept", receiver.getsockname())
        assert receiver.recv(100) == b"kept"

"""Namespaces of their own with silent virtual wires, for tests of receiving frames."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.programs import need_as_root

_CLONE_NEWNET = 0x4000_0000
_LIBC = ctypes.CDLL(None, use_errno=True)


def ip(*arguments: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], check=True)


@contextlib.contextmanager
def namespace() -> Iterator[None]:
    """Give this thread, and those it starts, a network namespace in which no IPv6 sends anything by itself."""
    need_as_root("ip")
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _LIBC.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for table in ("all", "default"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"/proc/sys/net/ipv6/conf/{table}/disable_ipv6").write_text("1")
        yield
    finally:
        if _LIBC.setns(home, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(home)


def make_wire(here: str, there: str) -> None:
    """Make two interfaces that are the ends of a wire, up."""
    ip("link", "add", here, "type", "veth", "peer", "name", there)
    ip("link", "set", here, "up", "arp", "off")
    ip("link", "set", there, "up", "arp", "off")


@contextlib.contextmanager
def sender(interface: str) -> Iterator[socket.socket]:
    """Open a socket that sends whole frames."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.bind((interface, 0))
        yield raw


def udp_frame(
    source: str, destination: str, ports: tuple[int, int], payload: bytes = b"", *, tag: bytes = b""
) -> bytes:
    """Return an Ethernet frame for a machine that is not this one. tag: 802.1Q tags with their TPIDs."""
    udp = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    return b"\x02\0\0\0\0\x01" + b"\x02\0\0\0\0\x02" + tag + b"\x08\x00" + header + addresses + udp

"""TCP segments and DNS datagrams made by hand: frames that tests send through the kernels for quality."""

import struct
from typing import Final

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
START: Final = 1_700_000_000 * SECOND


def ethernet_ipv4(protocol: int, source: str, destination: str, transport: bytes, *, octets: int, identification: int = 0,
                  hops: int = 64, more: bool = False) -> bytes:  # fmt: skip
    """Return an Ethernet frame whose IP header says that it has `octets`."""
    flags = 0x2000 if more else 0x4000
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, octets, identification & 0xFFFF, flags, hops, protocol, 0,
        bytes(map(int, source.split("."))), bytes(map(int, destination.split("."))),
    )  # fmt: skip
    return bytes(12) + b"\x08\x00" + head + transport


def segment(*, reverse: bool = False, seq: int, ack: int = 0, flags: int = ACK, length: int = 0, window: int = 1000,
            identification: int = 0, hops: int = 64, snapped: bool = False, offloaded: bool = False, more: bool = False,
            ports: tuple[int, int] = (40000, 443), version: int = 4) -> bytes:  # fmt: skip
    """Return a frame of the client, or of the server if `reverse`; snapped: without payload. Numbers modulo 2^32."""
    source, destination = ports[::-1] if reverse else ports
    tcp = struct.pack("!HHIIBBHHH", source, destination, seq % 2**32, ack % 2**32, 0x50, flags, window, 0, 0)
    payload = b"" if snapped else bytes(length)
    ends = (SERVER, CLIENT) if reverse else (CLIENT, SERVER)
    if version == 6:
        first, second = (bytes(15) + bytes([2 if end == SERVER else 1]) for end in ends)
        head = struct.pack("!IHBB16s16s", 0x60000000, 20 + length, 6, hops, first, second)
        return bytes(12) + b"\x86\xdd" + head + tcp + payload
    octets = 0 if offloaded else 40 + length
    return ethernet_ipv4(
        6, *ends, tcp + payload, octets=octets, identification=identification, hops=hops, more=more
    )  # fmt: skip


def question(number: int, *, port: int = 50000) -> bytes:
    """Return a frame with a client's question to a name server."""
    return _dns(struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0), (port, 53), (CLIENT, SERVER))


def answer(number: int, *, rcode: int = 0, port: int = 50000) -> bytes:
    """Return a frame with its answer."""
    return _dns(struct.pack("!HHHHHH", number, 0x8180 | rcode, 1, 1, 0, 0), (53, port), (SERVER, CLIENT))


def _dns(message: bytes, ports: tuple[int, int], ends: tuple[str, str]) -> bytes:
    udp = struct.pack("!HHHH", *ports, 8 + len(message), 0) + message
    return ethernet_ipv4(17, *ends, udp, octets=20 + len(udp))

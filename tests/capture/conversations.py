"""Conversations of clients with servers, as frames, and capture files of them."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from btimd.capture.wire.pcapng import interface_block, packet_block, section_block
from btimd.kernels.headers import H_PROTOCOL, H_SIZE, H_TRANSPORT_AT, LINK_ETHERNET, PORTS, read_frame
from btimd.model.packets import PacketBlock

START = 1_700_000_000_000_000_000
STEP = 1_000_000
CLIENT = "10.9.9.9"
SERVER = "10.1.2.3"

Frames: TypeAlias = list[tuple[int, bytes]]
Positions: TypeAlias = npt.NDArray[np.int64]


def tcp_frame(
    *,
    to_server: bool,
    client: str,
    server: str,
    ports: tuple[int, int],
    flags: str,
    seq: int,
    ack: int,
    payload: bytes = b"",
    window: int = 8192,
) -> bytes:
    source, destination = (client, server) if to_server else (server, client)
    sport, dport = ports if to_server else ports[::-1]
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source, dst=destination)
    return bytes(frame / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack, window=window) / payload)


def conversation(
    port: int,
    said: Iterable[tuple[str, bytes]] = (),
    *,
    client_port: int = 40_000,
    at: int = START,
    client: str = CLIENT,
    server: str = SERVER,
    handshake: bool = True,
    end: str = "",
) -> Frames:
    """Return a TCP connection's frames: handshake, what was said (">" by the client, "<" by the server), its end.

    end: "" = goes on, "R" = the server resets it, "refused": the SYN is answered by a reset, "silent": by nothing.
    """
    ports = (client_port, port)
    sequence = {True: 1_000, False: 9_000}
    frames: Frames = []

    def say(flags: str, payload: bytes = b"", *, to_server: bool) -> None:
        frame = tcp_frame(
            to_server=to_server, client=client, server=server, ports=ports, flags=flags, payload=payload,
            seq=sequence[to_server], ack=0 if flags == "S" else sequence[not to_server],
        )  # fmt: skip
        frames.append((at + len(frames) * STEP, frame))
        sequence[to_server] += len(payload) + ("S" in flags) + ("F" in flags)

    if end == "refused":
        say("S", to_server=True)
        say("RA", to_server=False)
        return frames
    if end == "silent":
        say("S", to_server=True)
        return frames
    if handshake:
        say("S", to_server=True)
        say("SA", to_server=False)
        say("A", to_server=True)
    for direction, payload in said:
        say("PA", payload, to_server=direction == ">")
    if end == "R":
        say("RA", to_server=False)
    return frames


def udp_exchange(port: int, question: bytes, answer: bytes, *, at: int = START, client_port: int = 40_000) -> Frames:
    head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    asked = head / IP(src=CLIENT, dst=SERVER) / UDP(sport=client_port, dport=port) / question
    answered = head / IP(src=SERVER, dst=CLIENT) / UDP(sport=port, dport=client_port) / answer
    return [(at, bytes(asked)), (at + STEP, bytes(answered))]


def write_pcapng(path: Path, *conversations: Frames) -> Path:
    """Write frames, in the order of time, to a capture file."""
    frames = sorted((frame for one in conversations for frame in one), key=lambda frame: frame[0])
    blocks = (packet_block(0, time, octets, len(octets)) for time, octets in frames)
    path.write_bytes(section_block() + interface_block("span", 1) + b"".join(blocks))
    return path


def http_answer(status: int, body: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\nX-Secret: swordfish\r\n\r\n"
    return head.encode() + body


HTTP_QUESTION = b"GET /secret/path?name=swordfish HTTP/1.1\r\nHost: swordfish.example\r\n\r\n"


def dns_message(rcode: int | None, number: int = 7) -> bytes:
    flags = 0x0100 if rcode is None else 0x8180 | rcode
    return struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + b"\x09swordfish\x00" + struct.pack(">HH", 1, 1)


def tls_client_hello() -> bytes:
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


def tls_alert(description: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([description])


def postgresql_startup() -> bytes:
    body = struct.pack(">I", 196_608) + b"user\x00swordfish\x00\x00"
    return struct.pack(">I", 4 + len(body)) + body


def postgresql_message(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack(">I", 4 + len(body)) + body


def postgresql_error(state: str, severity: str = "FATAL") -> bytes:
    fields = f"S{severity}\0V{severity}\0C{state}\0Msorry swordfish, too many clients already\0\0"
    return postgresql_message("E", fields.encode())


def mysql_packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def mysql_error(code: int, state: str, *, number: int = 0) -> bytes:
    return mysql_packet(number, b"\xff" + struct.pack("<H", code) + f"#{state}swordfish has too many".encode())


def mysql_greeting() -> bytes:
    head = b"\x0a8.0.33\x00" + struct.pack("<I", 7) + b"abcdefgh\x00" + struct.pack("<HBHHB", 0xFFFF, 8, 2, 0xC7FF, 21)
    return mysql_packet(0, head + bytes(10) + b"abcdefghijkl\x00" + b"mysql_native_password\x00")


def mysql_login() -> bytes:
    head = struct.pack("<IIB", 0x000FA685, 1 << 24, 33) + bytes(23)
    return mysql_packet(1, head + b"swordfish\x00" + b"\x14" + bytes(20) + b"mysql_native_password\x00")


def ldap_bind(number: int = 1) -> bytes:
    return (
        bytes.fromhex("30 13 02 01")
        + bytes([number])
        + bytes.fromhex("60 0e 02 01 03 04 02")
        + b"cn"
        + b"\x80\x05sword"
    )


def ldap_bind_answer(code: int, number: int = 1) -> bytes:
    return bytes.fromhex("30 0c 02 01") + bytes([number, 0x61, 7, 0x0A, 1, code, 4, 0, 4, 0])


def tds_error(number: int) -> bytes:
    text = "Login failed for user swordfish.".encode("utf-16-le")
    body = (
        struct.pack("<IBB", number, 1, 14)
        + struct.pack("<H", len(text) // 2)
        + text
        + b"\x00\x00"
        + struct.pack("<I", 1)
    )
    token = b"\xaa" + struct.pack("<H", len(body)) + body + b"\xfd" + struct.pack("<HHQ", 2, 0, 0)
    return b"\x04\x01" + struct.pack(">HHBB", 8 + len(token), 0, 1, 0) + token


def block_of(frames: Frames, *, link: int = LINK_ETHERNET, tag: int = 0) -> tuple[PacketBlock, Positions]:
    """Return frames as a block, and where the payload of each begins; 0 where the frame does not say."""
    slab = np.frombuffer(b"".join(octets for _time, octets in frames), np.uint8)
    rows, at, positions = [], 0, []
    header = np.zeros(H_SIZE, np.int64)
    for time, octets in frames:
        end = at + len(octets)
        status = read_frame(slab, at, end, link, header)
        transport, payload = int(header[H_TRANSPORT_AT]), 0
        if status == PORTS and header[H_PROTOCOL] == 6:
            payload = min(transport + (octets[transport - at + 12] >> 4) * 4, end)
        elif status == PORTS and header[H_PROTOCOL] == 17:
            payload = min(transport + 8, end)
        positions.append(payload)
        rows.append((at, end, len(octets), time, link, tag))
        at = end
    table = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 6).T)
    return PacketBlock(slab, table), np.array(positions, np.int64)

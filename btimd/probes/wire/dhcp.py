"""DHCP: does the server offer addresses (RFC 2131). A DISCOVER as a relay sends it, never a REQUEST: no lease is taken.

| op | htype | hlen | hops |  xid (32 bits)  | secs | flags | ciaddr | yiaddr | siaddr | giaddr |
| chaddr[16] | sname[64] | file[128] | 99.130.83.99 | options: code, length, value ... | 255 |
"""

import hashlib
import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.wire.dialogue import (
    Action,
    AnswerError,
    Connect,
    Connected,
    DatagramDialogue,
    Event,
    Line,
    Send,
    is_address,
)

DHCP_PORT: Final = 67
OFFER: Final = 2
_DISCOVER: Final = 1
_HEADER: Final = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE: Final = bytes((99, 130, 83, 99))
_KINDS: Final = {1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE", 8: "INFORM"}
_MAC: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}", re.ASCII)
_LEASE_TIME, _MESSAGE_TYPE, _SERVER, _WISHES, _MESSAGE, _RELAY, _PAD, _END = 51, 53, 54, 55, 56, 82, 0, 255
_LINK_SELECTION: Final = 5


def own_mac(host: str) -> bytes:
    """Return the hardware address to ask with: always the same, so that a server keeps back one address at most."""
    return b"\x02" + hashlib.sha256(b"btimd " + host.encode()).digest()[:5]


def encode_discover(xid: int, mac: bytes, relay: str, subnet: str = "") -> bytes:
    """Return a DISCOVER that came through a relay. subnet: where the client is, where not the relay's (RFC 3527)."""
    giaddr = IPv4Address(relay).packed
    head = _HEADER.pack(
        1, 1, 6, 1, xid, 0, 0, bytes(4), bytes(4), bytes(4), giaddr, mac + bytes(10), bytes(64), bytes(128), _COOKIE
    )  # fmt: skip
    options = bytes((_MESSAGE_TYPE, 1, _DISCOVER, _WISHES, 3, 1, 3, 6))
    if subnet:
        options += bytes((_RELAY, 6, _LINK_SELECTION, 4)) + IPv4Address(subnet).packed
    return head + options + bytes((_END,))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says. kind: DHCP message type. lease_seconds: None where it does not say."""

    xid: int
    mac: bytes
    kind: int
    address: str
    server: str
    lease_seconds: Seconds | None
    message: str


def _options(data: bytes) -> dict[int, bytes]:
    """Return the options; raises AnswerError. Of a repeated one the parts are joined (RFC 3396)."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset < len(data) and data[offset] != _END:
        code = data[offset]
        offset += 1
        if code == _PAD:
            continue
        size = data[offset] if offset < len(data) else 256
        if offset + 1 + size > len(data):
            raise AnswerError(f"option {code}, which is cut")
        found[code] = found.get(code, b"") + data[offset + 1 : offset + 1 + size]
        offset += 1 + size
    return found


def decode_reply(data: bytes) -> Reply:
    """Return a server's message; raises AnswerError."""
    if len(data) < _HEADER.size:
        raise AnswerError(f"{len(data)} octets")
    op, _, _, _, xid, _, _, _, yours, _, _, hardware, _, _, cookie = _HEADER.unpack_from(data)
    if op != 2 or cookie != _COOKIE:
        raise AnswerError(f"operation {op} with cookie {cookie.hex()}")
    options = _options(data[_HEADER.size :])
    kind, server, lease = options.get(_MESSAGE_TYPE, b""), options.get(_SERVER, b""), options.get(_LEASE_TIME, b"")
    if len(kind) != 1:
        raise AnswerError("no type of message")
    return Reply(
        xid=xid,
        mac=hardware[:6],
        kind=kind[0],
        address=str(IPv4Address(yours)),
        server=str(IPv4Address(server)) if len(server) == 4 else "",
        lease_seconds=float(int.from_bytes(lease)) if len(lease) == 4 else None,
        message=options.get(_MESSAGE, b"").decode("utf-8", "replace"),
    )


class DhcpDialogue(DatagramDialogue):
    """Asks as a relay would; good when an address is offered, in expect_network where there is one.

    relay: the own address that the offer is sent to, empty: the one that this machine uses towards the server; it
    chooses the pool unless `subnet` does. source_port: 67, as servers answer relays nowhere else.
    """

    question = "a DISCOVER with an OFFER (down, or without a free address for that subnet)"

    def __init__(
        self,
        host: str,
        port: int,
        token: int,
        *,
        relay: str = "",
        subnet: str = "",
        mac: str = "",
        expect_network: str = "",
        source_port: int = DHCP_PORT,
    ) -> None:
        super().__init__(host, port or DHCP_PORT)
        for name, text in (("relay", relay), ("subnet", subnet)):
            if text and (not is_address(text) or ":" in text):
                raise ValueError(f'{name} {text!r} is no IPv4 address; write "10.1.0.9"')
        if mac and not _MAC.fullmatch(mac.lower()):
            raise ValueError(f'mac {mac!r} is none; write "02:00:00:00:00:01"')
        self._relay, self._subnet, self._source_port = relay, subnet, source_port
        self._mac = bytes.fromhex(mac.replace(":", "")) if mac else own_mac(host)
        self._expect = IPv4Network(expect_network) if expect_network else None
        self._xid = token & 0xFFFF_FFFF
        self._sent_at: MonotonicSeconds = 0.0

    @override
    def _connect(self, kind: Line, address: str, port: int, now: MonotonicSeconds) -> list[Action]:
        super()._connect(kind, address, port, now)
        return [Connect(kind, address, port, self._relay, self._source_port)]

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        if isinstance(event, Connected) and not self._relay:
            self._relay = event.source_address
        return super().handle(event, now)

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        if ":" in self._relay:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} is reached by IPv6; DHCP asks by IPv4")
        self._sent_at = now
        return [Send(encode_discover(self._xid, self._mac, self._relay, self._subnet))]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        try:
            reply = decode_reply(data)
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak DHCP: {error}")
        if (reply.xid, reply.mac) != (self._xid, self._mac):
            return []
        self._values["answer_seconds"] = now - self._sent_at
        if reply.kind != OFFER:
            kind = _KINDS.get(reply.kind, f"message {reply.kind}")
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} answers a DISCOVER with {kind} {reply.message}")
        if reply.lease_seconds is not None:
            self._values["lease_seconds"] = reply.lease_seconds
        said = f"{self._target} offers {reply.address}" + (f" (server {reply.server})" if reply.server else "")
        if self._expect is not None and IPv4Address(reply.address) not in self._expect:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, expected one of {self._expect}")
        return self._good(said)

"""RADIUS accounting on the wire (RFC 2866): requests are checked and read, responses are made.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |     Code      |  Identifier   |            Length             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                  Authenticator, 16 octets                     |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |  Attributes: type (1 octet), length of all of it (1), value ...

The authenticator of a request is MD5 over the packet with zeros in its place, then the secret. Attributes that are not
known are skipped, those of RFC 6929 among them: their first octets have the same form.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from btimd.flows.leases import clean_name
from btimd.model.address import HALF_MASK, IPV4_MAPPED_LO, Prefix
from btimd.model.units import Seconds, UnixSeconds

MAX_PACKET_OCTETS: Final = 4096
"""RFC 2866 section 3: longer ones are none."""
MAX_PREFIXES: Final = 8
"""Most addresses and prefixes of one session that are looked at."""
_HEADER_OCTETS: Final = 20
_ACCOUNTING_REQUEST: Final = 4
_ACCOUNTING_RESPONSE: Final = 5
_ZEROS: Final = bytes(16)
_MAX_NAME: Final = 128
_IPV6_BITS: Final = 128
SHORTEST_PREFIX: Final = 32
"""IPv6 prefixes of fewer bits are a provider's, not a person's."""

_USER_NAME: Final = 1
_NAS_IP_ADDRESS: Final = 4
_FRAMED_IP_ADDRESS: Final = 8
_NAS_IDENTIFIER: Final = 32
_PROXY_STATE: Final = 33
_ACCT_STATUS_TYPE: Final = 40
_ACCT_DELAY_TIME: Final = 41
_ACCT_SESSION_ID: Final = 44
_ACCT_SESSION_TIME: Final = 46
_EVENT_TIMESTAMP: Final = 55
_NAS_IPV6_ADDRESS: Final = 95
_FRAMED_IPV6_PREFIX: Final = 97
_DELEGATED_IPV6_PREFIX: Final = 123
_FRAMED_IPV6_ADDRESS: Final = 168
_INTEGERS: Final = {_ACCT_STATUS_TYPE, _ACCT_DELAY_TIME, _ACCT_SESSION_TIME, _EVENT_TIMESTAMP}
_LENGTHS: Final = {
    **dict.fromkeys((*_INTEGERS, _NAS_IP_ADDRESS, _FRAMED_IP_ADDRESS), 4),
    _NAS_IPV6_ADDRESS: 16,
    _FRAMED_IPV6_ADDRESS: 16,
}
_NO_ADDRESS: Final = {0, 0xFFFF_FFFE, 0xFFFF_FFFF}
"""Values of Framed-IP-Address that stand for a choice of the NAS or the user (RFC 2865 section 5.8), and nothing."""

REASONS: Final = ("client", "short", "length", "code", "authenticator", "attribute", "status", "session", "room")
"""Why a packet gets no answer."""


class AccountingStatus(IntEnum):
    """Acct-Status-Type, RFC 2866 section 5.1; the others concern tunnels (RFC 2867)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8
    OTHER = 15


class RadiusError(Exception):
    """A packet that gets no answer. reason: one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Accounting:
    """What happened to a session, whether told by packet or by file.

    nas: who tells of it, the same for all its sessions. session: its Acct-Session-Id, unique at the NAS. person:
    User-Name, empty where not told. at: when it happened, s since 1970. lasted: how long the session was open then,
    None = not told. ON, OFF: the NAS has restarted, all its sessions are over.
    """

    status: AccountingStatus
    nas: str
    session: str
    person: str
    prefixes: tuple[Prefix, ...]
    at: UnixSeconds
    lasted: Seconds | None = None


@dataclass(frozen=True, slots=True)
class AccountingRequest:
    """A request with the right authenticator. proxy_state: the attributes that an answer repeats, as they came."""

    identifier: int
    authenticator: bytes
    proxy_state: bytes
    accounting: Accounting
    time_adjusted: bool


def parse_request(octets: bytes, secret: bytes, *, source: str, now: UnixSeconds) -> AccountingRequest:
    """Return an Accounting-Request; raises RadiusError. Nothing but lengths is looked at before the authenticator.

    source: the sender's address, which names a NAS that does not name itself.
    """
    if len(octets) < _HEADER_OCTETS:
        raise RadiusError("short")
    code, identifier, length = struct.unpack_from(">BBH", octets)
    if not _HEADER_OCTETS <= length <= min(len(octets), MAX_PACKET_OCTETS):
        raise RadiusError("length")
    if code != _ACCOUNTING_REQUEST:
        raise RadiusError("code")
    packet, authenticator = octets[:length], octets[4:_HEADER_OCTETS]
    if not hmac.compare_digest(_digest(packet[:4], _ZEROS, packet[_HEADER_OCTETS:], secret), authenticator):
        raise RadiusError("authenticator")
    values: dict[int, bytes] = {}
    proxy_state: list[bytes] = []
    prefixes: dict[Prefix, None] = {}
    for kind, value in _attributes(packet[_HEADER_OCTETS:]):
        if _LENGTHS.get(kind, len(value)) != len(value):
            raise RadiusError("attribute")
        if kind == _PROXY_STATE:
            proxy_state.append(bytes((kind, len(value) + 2)) + value)
        else:
            values.setdefault(kind, value)
            prefixes.update(dict.fromkeys(_prefixes(kind, value)))
    at, adjusted = _event_time(values, now)
    accounting = Accounting(
        status=_status(values),
        nas=_nas(values, source),
        session=values.get(_ACCT_SESSION_ID, b"").decode("latin-1"),
        person=clean_name(values.get(_USER_NAME, b"").decode("utf-8", "replace"), _MAX_NAME),
        prefixes=tuple(prefixes)[:MAX_PREFIXES],
        at=at,
        lasted=_integer(values, _ACCT_SESSION_TIME),
    )
    if accounting.status < AccountingStatus.ON and not accounting.session:
        raise RadiusError("session")
    return AccountingRequest(identifier, authenticator, b"".join(proxy_state), accounting, adjusted)


def build_response(request: AccountingRequest, secret: bytes) -> bytes:
    """Return the Accounting-Response of a request that was recorded (RFC 2866 section 4.2)."""
    length = _HEADER_OCTETS + len(request.proxy_state)
    head = struct.pack(">BBH", _ACCOUNTING_RESPONSE, request.identifier, length)
    return head + _digest(head, request.authenticator, request.proxy_state, secret) + request.proxy_state


def build_request(identifier: int, attributes: bytes, secret: bytes) -> bytes:
    """Return an Accounting-Request, as a NAS makes it."""
    head = struct.pack(">BBH", _ACCOUNTING_REQUEST, identifier, _HEADER_OCTETS + len(attributes))
    return head + _digest(head, _ZEROS, attributes, secret) + attributes


def event_time(event: UnixSeconds | None, arrival: UnixSeconds, delay: Seconds) -> tuple[UnixSeconds, bool]:
    """Return when something happened, and whether the teller's clock was not believed.

    A clock more than a day behind, or more than 5 min ahead, is wrong: then it happened `delay` before the arrival.
    Nothing happens later than it is told.
    """
    fallback = arrival - min(max(delay, 0.0), 86_400.0)
    if event is None:
        return fallback, False
    if not arrival - 86_400.0 <= event <= arrival + 300.0:
        return fallback, True
    return min(event, arrival), False


def _digest(head: bytes, authenticator: bytes, attributes: bytes, secret: bytes) -> bytes:
    return hashlib.md5(head + authenticator + attributes + secret, usedforsecurity=False).digest()


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 2 or at + length > len(octets):  # noqa: PLR2004  type and length themselves
            raise RadiusError("attribute")
        yield octets[at], octets[at + 2 : at + length]
        at += length


def _prefixes(kind: int, value: bytes) -> Iterator[Prefix]:
    if kind == _FRAMED_IP_ADDRESS:
        address = int.from_bytes(value)
        if address not in _NO_ADDRESS:
            yield Prefix(0, IPV4_MAPPED_LO | address, _IPV6_BITS)
    elif kind == _FRAMED_IPV6_ADDRESS:
        yield _masked(int.from_bytes(value), _IPV6_BITS)
    elif kind in {_FRAMED_IPV6_PREFIX, _DELEGATED_IPV6_PREFIX}:
        # RFC 3162 section 2.3: a reserved octet, the length in bits, and as many octets as that needs
        if not 2 <= len(value) <= 18 or value[1] > _IPV6_BITS or (value[1] + 7) // 8 > len(value) - 2:  # noqa: PLR2004
            raise RadiusError("attribute")
        if value[1] >= SHORTEST_PREFIX:
            yield _masked(int.from_bytes(value[2:].ljust(16, b"\0")), value[1])


def _masked(number: int, length: int) -> Prefix:
    number &= -1 << (_IPV6_BITS - length)
    return Prefix(number >> 64, number & HALF_MASK, length)


def _integer(values: Mapping[int, bytes], kind: int) -> int | None:
    return int.from_bytes(values[kind]) if kind in values else None


def _status(values: Mapping[int, bytes]) -> AccountingStatus:
    number = _integer(values, _ACCT_STATUS_TYPE)
    if number is None:
        raise RadiusError("status")
    try:
        return AccountingStatus(number)
    except ValueError:
        return AccountingStatus.OTHER


def _nas(values: Mapping[int, bytes], source: str) -> str:
    for kind in (_NAS_IDENTIFIER, _NAS_IP_ADDRESS, _NAS_IPV6_ADDRESS):
        if values.get(kind):
            return f"{kind}:{values[kind].hex()}"
    return source


def _event_time(values: Mapping[int, bytes], now: UnixSeconds) -> tuple[UnixSeconds, bool]:
    return event_time(_integer(values, _EVENT_TIMESTAMP), now, _integer(values, _ACCT_DELAY_TIME) or 0)

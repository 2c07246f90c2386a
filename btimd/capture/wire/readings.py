"""How the octets of information elements read for people: numbers, addresses, times, and words for codes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from struct import unpack
from typing import Final

Reading = int | float | str | bool

_NTP_EPOCH_SECONDS: Final = 2_208_988_800
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_MAX_INTEGER_OCTETS: Final = 8
_TCP_FLAGS: Final = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")
_FORWARDED: Final = ("unknown", "forwarded", "dropped", "consumed")
_PANA_L7_PEN: Final = 20  # RFC 6759: an enterprise number stands before the selector

# Codes and their words. IANA registries unless another source is named.
_CODES: Final[Mapping[str, Mapping[int, str]]] = {
    "protocol": {
        0: "HOPOPT", 1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 8: "EGP", 9: "IGP", 17: "UDP", 33: "DCCP", 41: "IPv6",
        43: "IPv6-Route", 44: "IPv6-Frag", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "IPv6-ICMP",
        59: "IPv6-NoNxt", 60: "IPv6-Opts", 88: "EIGRP", 89: "OSPFIGP", 94: "IPIP", 97: "ETHERIP", 103: "PIM",
        108: "IPComp", 112: "VRRP", 115: "L2TP", 132: "SCTP", 136: "UDPLite", 137: "MPLS-in-IP",
    },
    "direction": {0: "ingress", 1: "egress"},
    "biflow": {0: "arbitrary", 1: "initiator", 2: "reverse initiator", 3: "perimeter"},
    "endreason": {
        1: "idle timeout", 2: "active timeout", 3: "end of flow detected", 4: "forced end", 5: "lack of resources",
    },
    "labeltype": {0: "unknown", 1: "TE-MIDPT", 2: "pseudowire", 3: "VPN", 4: "BGP", 5: "LDP"},
    "engine": {
        1: "IANA-L3", 2: "PANA-L3", 3: "IANA-L4", 4: "PANA-L4", 6: "user-defined", 12: "PANA-L2", 13: "PANA-L7",
        18: "ETHERTYPE", 19: "LLC", 20: "PANA-L7-PEN", 21: "Qosmos ixEngine", 22: "ntop nDPI",
    },
    "realm": {1: "private", 2: "public"},
    "natevent": {
        1: "NAT translation create", 2: "NAT translation delete", 3: "NAT addresses exhausted",
        4: "NAT44 session create", 5: "NAT44 session delete", 6: "NAT64 session create", 7: "NAT64 session delete",
        8: "NAT44 BIB create", 9: "NAT44 BIB delete", 10: "NAT64 BIB create", 11: "NAT64 BIB delete",
        12: "NAT ports exhausted", 13: "quota exceeded", 14: "address binding create", 15: "address binding delete",
        16: "port block allocation", 17: "port block de-allocation", 18: "threshold reached",
    },
    "nattype": {
        0: "unknown", 1: "NAT44 translated", 2: "NAT64 translated", 3: "NAT46 translated", 4: "IPv4 without NAT",
        5: "NAT66 translated", 6: "IPv6 without NAT",
    },
    "fwevent": {0: "ignore", 1: "created", 2: "deleted", 3: "denied", 4: "alert", 5: "update"},
    "fwext": {  # Cisco ASA NetFlow implementation guide
        0: "ignore", 1001: "denied by an ingress ACL", 1002: "denied by an egress ACL",
        1003: "denied by the appliance", 1004: "denied, first packet not SYN",
    },
    "logop": {  # Barracuda
        0: "unknown", 1: "allow", 2: "local allow", 3: "block", 4: "local block", 5: "remove", 6: "local remove",
        7: "drop", 8: "terminate", 9: "local terminate", 10: "change", 11: "operation", 12: "startup",
        13: "configuration", 14: "rule", 15: "state", 16: "local state", 17: "process", 18: "admin action",
        19: "deny", 20: "local deny", 21: "security event", 22: "sync", 23: "fail", 24: "local fail", 25: "ARP",
        26: "detect", 27: "local detect", 28: "intermediate report",
    },
    "traffictype": {0: "forwarding", 1: "local in", 2: "local out", 3: "loopback"},  # Barracuda
}  # fmt: skip
_DROPPED: Final = {
    1: "ACL deny", 2: "ACL drop", 3: "unroutable", 4: "adjacency", 5: "fragmentation needed and DF set",
    6: "bad header checksum", 7: "bad total length", 8: "bad header length", 9: "bad TTL", 10: "policer", 11: "WRED",
    12: "RPF", 13: "for us", 14: "bad output interface", 15: "hardware",
}  # fmt: skip
_REASONS: Final = {
    1: {1: "fragmented", 2: "not fragmented"},
    2: _DROPPED,
    3: {1: "punt adjacency", 2: "incomplete adjacency", 3: "for us"},
}
_PER_SECOND: Final = {"seconds": 1, "milliseconds": 1000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


def readable(kind: str, value: bytes) -> Reading:
    """Return octets as people read them; what does not fit its kind is left as hexadecimal digits."""
    number = int.from_bytes(value, "big") if 1 <= len(value) <= _MAX_INTEGER_OCTETS else None
    if number is not None:
        if kind in _CODES:
            word = _CODES[kind].get(number)
            return number if word is None else f"{word} ({number})"
        if kind in _PER_SECOND:
            return _duration(number, _PER_SECOND[kind])
        if kind[0] == "u" and kind[1:].isdigit():
            return number
        if kind[0] == "i" and kind[1:] in {"8", "16", "32", "64"}:
            return int.from_bytes(value, "big", signed=True)
    reader = _READERS.get(kind)
    read = reader(value) if reader is not None else None
    return value.hex() if read is None else read


def _duration(number: int, per_second: int) -> str:
    """Return 16385 milliseconds as "16.385 s", exactly."""
    whole, rest = divmod(number, per_second)
    digits = len(str(per_second)) - 1
    return f"{whole}.{rest:0{digits}d} s" if digits else f"{whole} s"


def _ip4(value: bytes) -> str | None:
    return str(IPv4Address(value)) if len(value) == 4 else None


def _ip6(value: bytes) -> str | None:
    return str(IPv6Address(value)) if len(value) == 16 else None


def _mac(value: bytes) -> str | None:
    return value.hex(":") if len(value) == 6 else None


def _text(value: bytes) -> str:
    """Return text up to the zeros or blanks fixed fields are filled with."""
    return value.rstrip(b"\0 ").decode("utf-8", "replace")


def _truth(value: bytes) -> bool | None:
    return value == b"\1" if value in {b"\1", b"\2"} else None  # RFC 7011 section 6.1.5


def _real(value: bytes) -> float | str | None:
    if len(value) not in {4, 8}:
        return None
    number = float(unpack(">f" if len(value) == 4 else ">d", value)[0])
    return number if abs(number) < float("inf") else str(number)  # JSON has neither infinity nor NaN


def _seconds(value: bytes) -> str | None:
    return _moment(int.from_bytes(value, "big") * 1000) if 1 <= len(value) <= _MAX_INTEGER_OCTETS else None


def _milliseconds(value: bytes) -> str | None:
    return _moment(int.from_bytes(value, "big")) if 1 <= len(value) <= _MAX_INTEGER_OCTETS else None


def _ntp(value: bytes) -> str | None:
    """Return a time of RFC 5905: seconds since 1900, or since 2036 where they wrapped, and a fraction of 2^-32."""
    if len(value) != 8:
        return None
    number = int.from_bytes(value, "big")
    seconds = number >> 32
    seconds += (1 << 32) if seconds < _NTP_EPOCH_SECONDS else 0
    return _moment((seconds - _NTP_EPOCH_SECONDS) * 1000 + (((number & 0xFFFF_FFFF) * 1000) >> 32))


def _moment(milliseconds: int) -> str | None:
    if milliseconds // 1000 > _LAST_SECOND:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def _tcp_flags(value: bytes) -> str | None:
    """Return the names of flags; in two octets, bits above NS are the data offset and are left out."""
    if not 1 <= len(value) <= _MAX_INTEGER_OCTETS:
        return None
    number = int.from_bytes(value, "big")
    names = " ".join(name for bit, name in enumerate(_TCP_FLAGS) if number >> bit & 1)
    return f"{names or 'none'} ({number:#x})"


def _forwarding(value: bytes) -> Reading | None:
    """Return status and reason (RFC 7270 section 4.12); exporters send one, two or four octets, the last one counts."""
    if len(value) not in {1, 2, 4} or any(value[:-1]):
        return None
    status, reason = value[-1] >> 6, value[-1] & 0x3F
    why = _REASONS.get(status, {}).get(reason)
    return f"{_FORWARDED[status]}{', ' + why if why else ''} ({value[-1]})"


def _label(value: bytes) -> str | None:
    """Return label, experimental bits and bottom of stack of an entry without its TTL (RFC 3032)."""
    if len(value) != 3:
        return None
    number = int.from_bytes(value, "big")
    return f"{number >> 4} exp {number >> 1 & 7}{' bottom' if number & 1 else ''}"


def _application(value: bytes) -> str | None:
    """Return engine:selector, or engine:enterprise:selector (RFC 6759 section 4)."""
    if len(value) < 2 or len(value) > 16:
        return None
    selector = value[1:]
    if value[0] == _PANA_L7_PEN and len(selector) > 4:
        return f"{value[0]}:{int.from_bytes(selector[:4], 'big')}:{int.from_bytes(selector[4:], 'big')}"
    return f"{value[0]}:{int.from_bytes(selector, 'big')}"


def _distinguisher(value: bytes) -> str | None:
    """Return a route distinguisher (RFC 4364 section 4.2)."""
    if len(value) != 8:
        return None
    kind = int.from_bytes(value[:2], "big")
    if kind == 1:
        return f"{IPv4Address(value[2:6])}:{int.from_bytes(value[6:], 'big')}"
    if kind not in {0, 2}:
        return None
    middle = 4 if kind == 0 else 6
    return f"{int.from_bytes(value[2:middle], 'big')}:{int.from_bytes(value[middle:], 'big')}"


def _access_list(value: bytes) -> str | None:
    """Return the three hashes an ASA names a rule with: of the list, of its entry, and of the extended entry."""
    return "-".join(value[at : at + 4].hex() for at in (0, 4, 8)) if len(value) == 12 else None


_PROPERTIES: Final = (
    "", "forwarding class and drop priority", "forwarding exception", "forwarding next hop", "egress interface",
    "ingress underlying interface", "ingress interface",
)  # fmt: skip


def _common_properties(value: bytes) -> str | None:
    """Return the property Juniper names in the upper six bits, and the other bits."""
    if len(value) not in {2, 4} or not 0 < value[0] >> 2 < len(_PROPERTIES):
        return None
    rest = int.from_bytes(value, "big") & ((1 << (8 * len(value) - 6)) - 1)
    return f"{_PROPERTIES[value[0] >> 2]} {rest:#x}"


_READERS: Final[Mapping[str, Callable[[bytes], Reading | None]]] = {
    "ip4": _ip4, "ip6": _ip6, "mac": _mac, "str": _text, "bool": _truth, "f32": _real, "f64": _real,
    "sec": _seconds, "ms": _milliseconds, "us": _ntp, "ns": _ntp, "tcpflags": _tcp_flags, "forwarding": _forwarding,
    "mpls": _label, "application": _application, "rd": _distinguisher, "acl": _access_list,
    "cpid": _common_properties,
}  # fmt: skip

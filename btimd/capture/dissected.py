"""What dissected packets say about servers: codes and counts, nothing of what was asked or answered.

tshark names the fields; here stands which ones matter, and what they mean. A value leaves this file only if it is a
number, or a word of the tables below.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from btimd.model.evidence import KIND_TEXTS, Observation

PROTOCOLS: Final = "ip ipv6 tcp udp http http2 dns tls mysql pgsql tds tns ldap smtp ftp"
DISPLAY_FILTER: Final = (
    "(tcp.flags.syn == 1 || tcp.flags.reset == 1 || tcp.analysis.retransmission || tcp.analysis.zero_window"
    " || http.response.code || http2.headers.status || dns.flags.response == 1 || tls.alert_message.desc"
    ' || tls.handshake.type == 1 || mysql.error_code || pgsql.code || pgsql.type == "Ready for query" || tds.type == 4'
    ' || tns.refuse_data || tcp.payload contains "ORA-" || ldap.resultCode || smtp.response.code || ftp.response.code)'
    " && !icmp && !icmpv6"
)
"""Packets that say how something went; errors of ICMP repeat others' headers."""
MOST_OBSERVATIONS: Final = 50
ANSWER_SECONDS: Final = 1.0
"""A SYN this long before the end of the capture should have been answered."""

_MOST_NUMBER: Final = 1 << 32
_MOST_KEYS: Final = 2_000
_MOST_STREAMS: Final = 100_000
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_FIRST_ERROR, _LAST_ERROR = 400, 999
_SERVER_ERROR: Final = 500
_REPLIES: Final = {
    "http": ("http", "http.response.code"),
    "http2": ("http", "http2.headers.status"),
    "smtp": ("smtp", "smtp.response.code"),
    "ftp": ("ftp", "ftp.response.code"),
}
"""Protocols whose answers bear a number of three digits, errors from 400 on: their kind, and tshark's field."""
_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
_ORACLE_TEXT: Final = re.compile(rb"ORA-([0-9]{5})\b")
_ORACLE_REFUSAL: Final = re.compile(r"\(ERR=([0-9]{1,5})\)")
_SEVERITIES: Final = frozenset({"ERROR", "FATAL", "PANIC"})
_DNS_NAMES: Final = {
    1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET",
    9: "NOTAUTH", 10: "NOTZONE",
}  # fmt: skip
_TLS_NAMES: Final = {
    10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
    30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    60: "export_restriction", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension",
    111: "certificate_unobtainable", 112: "unrecognized_name", 113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value", 115: "unknown_psk_identity", 116: "certificate_required",
    120: "no_application_protocol",
}  # fmt: skip
_TLS_GOODBYES: Final = frozenset({0, 90})  # close_notify, user_canceled
_LDAP_FINE: Final = frozenset({0, 5, 6, 10, 14})  # success, compareFalse, compareTrue, referral, saslBindInProgress
_LDAP_NAMES: Final = {
    1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded", 4: "sizeLimitExceeded",
    7: "authMethodNotSupported", 8: "strongerAuthRequired", 11: "adminLimitExceeded",
    12: "unavailableCriticalExtension", 13: "confidentialityRequired", 16: "noSuchAttribute",
    19: "constraintViolation", 20: "attributeOrValueExists", 21: "invalidAttributeSyntax", 32: "noSuchObject",
    34: "invalidDNSyntax", 48: "inappropriateAuthentication", 49: "invalidCredentials", 50: "insufficientAccessRights",
    51: "busy", 52: "unavailable", 53: "unwillingToPerform", 54: "loopDetect", 65: "objectClassViolation",
    68: "entryAlreadyExists", 80: "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One protocol's part of a packet: its fields, with all the values each has."""

    name: str
    fields: Mapping[str, Sequence[str]]

    def numbers(self, name: str) -> Iterator[int]:
        """Yield the values of a field that are numbers of up to 32 bits, as tshark writes them: 503, 0x0018, True."""
        for text in self.fields.get(name, ()):
            try:
                value = int(text, 0) if text not in {"True", "False"} else int(text == "True")
            except ValueError:
                continue
            if 0 <= value < _MOST_NUMBER:
                yield value

    def number(self, name: str) -> int:
        """Return the first number of a field, -1 without one."""
        return next(self.numbers(name), -1)

    def has(self, name: str) -> bool:
        """Tell whether the field is there."""
        return name in self.fields


@dataclass(slots=True)
class _Stream:
    """A TCP connection: its server, as far as known; attempted and answered, reset by whom ("" = not)."""

    ends: tuple[str, str]
    server: str = ""
    sure: bool = False
    attempted_at: float | None = None
    answered: bool = False
    refused: bool = False


@dataclass(slots=True)
class _Seen:
    count: int = 0
    first: float = 0.0


@dataclass(slots=True)
class Tally:
    """Counts what packets say, server by server. ports: ports known to be servers'."""

    ports: frozenset[int] = frozenset()
    overflow: int = 0
    """Things not counted, because there were too many different ones."""
    _streams: dict[int, _Stream] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], _Seen] = field(default_factory=dict)
    _in_streams: dict[tuple[str, str, int], _Seen] = field(default_factory=dict)
    _answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: float = 0.0

    def add(self, time: float, layers: Sequence[Layer]) -> None:
        """Take a packet. time: seconds since 1970. What it does not make sense of it ignores."""
        self._last = max(self._last, time)
        network = next((one for one in reversed(layers) if one.name in {"ip", "ipv6"}), None)
        transport = next((one for one in reversed(layers) if one.name in {"tcp", "udp"}), None)
        if network is None or transport is None:
            return
        source = _endpoint(network, transport, "src")
        destination = _endpoint(network, transport, "dst")
        if not source or not destination:
            return
        number = -1
        if transport.name == "tcp":
            number = transport.number("tcp.stream")
            stream = self._streams.get(number)
            if stream is None:
                if len(self._streams) >= _MOST_STREAMS:
                    self.overflow += 1
                    return
                stream = self._streams[number] = _Stream((source, destination))
            self._segment(time, transport, source, destination, number)
        for layer in layers:
            self._layer(time, layer, source, number)

    def _segment(self, time: float, tcp: Layer, source: str, destination: str, number: int) -> None:
        stream = self._streams[number]
        flags = max(tcp.number("tcp.flags"), 0)
        if flags & (_SYN | _ACK) == _SYN:
            stream.server, stream.sure = destination, True
            if stream.attempted_at is None:
                stream.attempted_at = time
        elif flags & _SYN:
            stream.server, stream.sure, stream.answered = source, True, True
        elif flags & _RST:
            if stream.attempted_at is not None and not stream.answered:
                stream.refused = stream.refused or source == stream.server
            else:
                self._note_in_stream("tcp-reset", source, number, time, once=True)
            stream.answered = True
        else:
            stream.answered = True
            if tcp.has("tcp.analysis.retransmission"):
                self._note_in_stream("tcp-retransmission", source, number, time)
            if tcp.has("tcp.analysis.zero_window"):
                self._note_in_stream("tcp-zero-window", source, number, time)
        text = "".join(tcp.fields.get("tcp.payload", ()))[:65_536]
        if text:
            for code in _ORACLE_TEXT.findall(_octets(text)):
                self._note("oracle", f"ORA-{code.decode()}", source, time)

    def _layer(self, time: float, layer: Layer, source: str, number: int) -> None:
        if layer.name in _REPLIES:
            kind, name = _REPLIES[layer.name]
            for code in layer.numbers(name):
                self._answer(kind, source, number)
                if _FIRST_ERROR <= code <= _LAST_ERROR:
                    self._note(kind, str(code), source, time)
        elif layer.name in {"dns", "ldap"}:
            self._result(time, layer, source, number)
        elif layer.name == "tls":
            self._tls(time, layer, source, number)
        elif layer.name == "pgsql":
            self._postgresql(time, layer, source, number)
        else:
            self._database(time, layer, source, number)

    def _result(self, time: float, layer: Layer, source: str, number: int) -> None:
        if layer.name == "dns" and layer.number("dns.flags.response") == 1:
            code = layer.number("dns.flags.rcode")
            self._answer("dns", source, number)
            if code > 0:
                self._note("dns", _DNS_NAMES.get(code, f"code {code}"), source, time)
        for code in layer.numbers("ldap.resultCode"):
            self._answer("ldap", source, number)
            if code not in _LDAP_FINE:
                self._note("ldap", f"{_LDAP_NAMES.get(code, 'result')} ({code})", source, time)

    def _tls(self, time: float, tls: Layer, source: str, number: int) -> None:
        stream = self._streams.get(number)
        for kind in tls.numbers("tls.handshake.type"):
            if kind == 1 and stream is not None:  # client hello
                server = stream.ends[1] if source == stream.ends[0] else stream.ends[0]
                stream.server, stream.sure = server, True
                self._answers["tls", server] += 1
        for code in tls.numbers("tls.alert_message.desc"):
            if code not in _TLS_GOODBYES:
                self._note_in_stream("tls", source, number, time, code=code)

    def _database(self, time: float, layer: Layer, source: str, number: int) -> None:
        if layer.name == "mysql":
            states = [text for text in layer.fields.get("mysql.sqlstate", ()) if _SQLSTATE.fullmatch(text)]
            for place, code in enumerate(layer.numbers("mysql.error_code")):
                state = f" ({states[place]})" if place < len(states) else ""
                self._note("mysql", f"{code}{state}", self._serves(source, number), time)
        elif layer.name == "tds":
            if layer.number("tds.type") == 4 and layer.number("tds.status") & 1:  # noqa: PLR2004  the end of a response
                self._answer("mssql", source, number)
            for code in layer.numbers("tds.error.number"):
                self._note("mssql", str(code), self._serves(source, number), time)
        elif layer.name == "tns":
            for text in layer.fields.get("tns.refuse_data", ()):
                for code in _ORACLE_REFUSAL.findall(text):
                    self._note("oracle", f"TNS-{int(code):05}", self._serves(source, number), time)

    def _postgresql(self, time: float, layer: Layer, source: str, number: int) -> None:
        kinds = layer.fields.get("pgsql.type", ())
        severities = [one for one in layer.fields.get("pgsql.severity", ()) if one in _SEVERITIES]
        codes = [one for one in layer.fields.get("pgsql.code", ()) if _SQLSTATE.fullmatch(one)]
        self._answers["postgresql", source] += sum(kind == "Ready for query" for kind in kinds)
        if codes and severities:
            self._note("postgresql", f"{severities[0]} {codes[0]}", self._serves(source, number), time)
            self._answers["postgresql", source] += severities[0] != "ERROR"  # no "ready" follows

    def _serves(self, source: str, number: int) -> str:
        """Note that the sender of an answer is its connection's server; return it."""
        stream = self._streams.get(number)
        if stream is not None and not stream.sure:
            stream.server = source
        return source

    def _answer(self, kind: str, source: str, number: int) -> None:
        self._answers[kind, self._serves(source, number)] += 1

    def _note(self, kind: str, value: str, server: str, time: float) -> None:
        key = (kind, value, server)
        if key not in self._seen and len(self._seen) >= _MOST_KEYS:
            self.overflow += 1
            return
        _count(self._seen.setdefault(key, _Seen()), time)

    def _note_in_stream(
        self, kind: str, source: str, number: int, time: float, *, once: bool = False, code: int = -1
    ) -> None:
        """Note what either side may have sent; who that was is known when the server is."""
        text = kind if code < 0 else f"{kind} {code}"
        key = (text, source, number)
        if key not in self._in_streams and len(self._in_streams) >= _MOST_STREAMS:
            self.overflow += 1
            return
        seen = self._in_streams.setdefault(key, _Seen())
        if not once or not seen.count:
            _count(seen, time)

    def observations(self, until: float | None = None) -> tuple[Observation, ...]:
        """Return what was counted, the most telling first. until: when the capture ends, s since 1970."""
        found = dict(self._seen)
        of = Counter(self._answers)
        for (text, source, number), seen in self._in_streams.items():
            stream = self._streams.get(number)
            if stream is None:
                continue
            server = self._server_of(stream)
            kind, _, code = text.partition(" ")
            _merge(found, (kind, _value(kind, code, from_server=source == server), server), seen)
        last = self._last if until is None else until
        for stream in self._streams.values():
            if stream.attempted_at is None:
                continue
            fresh = not stream.answered and last - stream.attempted_at < ANSWER_SECONDS
            if fresh:  # its answer may come yet
                continue
            of["tcp-refused", stream.server] += 1
            of["tcp-unanswered", stream.server] += 1
            seen = _Seen(1, stream.attempted_at)
            if stream.refused:
                _merge(found, ("tcp-refused", "", stream.server), seen)
            elif not stream.answered:
                _merge(found, ("tcp-unanswered", "", stream.server), seen)
        ranked = sorted(found.items(), key=lambda item: (_rank(item[0]), -item[1].count, item[0]))
        return tuple(
            Observation(
                kind, value, server, seen.count, _of(seen.count, of[kind, server]), int(round(seen.first, 3) * 1000)
            )
            for (kind, value, server), seen in ranked[:MOST_OBSERVATIONS]
        )

    def _server_of(self, stream: _Stream) -> str:
        if stream.server:
            return stream.server
        ports = [int(end.rpartition(":")[2]) for end in stream.ends]
        known = [port in self.ports for port in ports]
        if known[0] != known[1]:
            return stream.ends[known[1]]
        return stream.ends[ports[1] < ports[0]]


def _count(seen: _Seen, time: float, count: int = 1) -> None:
    seen.first = min(seen.first, time) if seen.count else time
    seen.count += count


def _merge(found: dict[tuple[str, str, str], _Seen], key: tuple[str, str, str], seen: _Seen) -> None:
    _count(found.setdefault(key, _Seen()), seen.first, seen.count)


def _of(count: int, of: int) -> int:
    """Return out of how many, 0 where what was counted cannot be all there was."""
    return of if of >= count else 0


def _value(kind: str, code: str, *, from_server: bool) -> str:
    if kind == "tls":
        name = _TLS_NAMES.get(int(code), "unknown")
        return f"{name} ({code}) {'of the server' if from_server else 'of the client'}"
    if kind == "tcp-retransmission":
        return "to the client" if from_server else "to the server"
    return "by the server" if from_server else "by the client"


def _rank(key: tuple[str, str, str]) -> tuple[bool, int]:
    """Order by what tells more: errors of a server before those that a client may have earned, and before losses."""
    kind, value, _server = key
    weak = (
        (kind == "http" and value.isdigit() and int(value) < _SERVER_ERROR)
        or value in {"NXDOMAIN", "noSuchObject (32)"}
        or kind in {"tcp-retransmission", "tcp-zero-window"}
    )
    return weak, list(KIND_TEXTS).index(kind)


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return b""


def _endpoint(network: Layer, transport: Layer, side: str) -> str:
    """Return "10.1.2.3:80" or "[2001:db8::1]:80", "" where a packet does not say."""
    address = next(iter(network.fields.get(f"{network.name}.{side}", ())), "")
    port = transport.number(f"{transport.name}.{side}port")
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if not 0 <= port <= 65_535:  # noqa: PLR2004  what a port can be
        return ""
    return f"{parsed}:{port}" if parsed.version == 4 else f"[{parsed}]:{port}"  # noqa: PLR2004  IPv4

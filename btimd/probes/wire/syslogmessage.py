"""Syslog messages, as they are and not only as they should be.

    RFC 5424:  <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD-ID name="value" ...] MSG
    RFC 3164:  <PRI>Mmm dd hh:mm:ss HOSTNAME TAG[pid]: MSG
    Cisco:     <PRI>SEQ: HOSTNAME: *Mmm dd hh:mm:ss.fff ZONE: %FACILITY-SEVERITY-MNEMONIC: MSG
    Huawei:    <PRI>Mmm dd yyyy hh:mm:ss HOSTNAME %%01MODULE/SEVERITY/MNEMONIC(l)[n]: MSG
    Juniper, Linux to a local socket: without a host name

On streams messages are counted, "LEN SP MSG", or end with LF or NUL (RFC 6587; RFC 5425 allows the first only). Time
stamps of senders are kept as text: what counts is when a message came. Anything can be read as a message with text at
least; what is missing is "".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

MOST_OCTETS: Final = 8192
"""Of a longer message the rest is left out; RFC 5424 section 6.1 wants 2048 at least."""
_DEFAULT_PRIORITY: Final = 13
_MOST_PARAMETERS: Final = 64
_MOST_COUNT_DIGITS: Final = 7
_PRIORITY = re.compile(r"<(\d{1,3})>")
_VERSION_1 = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ")
_STAMP = re.compile(
    r"[*.]?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}(?: \d{4})?,? "
    r"\d{1,2}:\d\d:\d\d(?:[.:]\d{1,6})?(?: \d{4})?"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{2,5}(?=[:\s]))?:? ?"
)
_SEQUENCE = re.compile(r"\d{1,10}: ")
_HOST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._:-]{0,254})(:)? ")
_MNEMONIC = re.compile(r"%{1,2}(?:\d\d)?([A-Za-z0-9_-]+(?:[-/][A-Za-z0-9_]+){1,4})(?:\([a-z]\))?(?:\[\d+\])?[:;]?")
_TAG = re.compile(r"([A-Za-z_/][\w./@()-]{0,63}?)(?:\[([\w.-]{0,32})\])?: ?")
_PARAMETER = re.compile(r' ([^\s=\]"]{1,64})="((?:[^"\\\]]|\\.)*)"')
_ESCAPED = re.compile(r'\\(["\\\]])')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class SyslogMessage:
    """facility, severity: RFC 5424 section 6.2.1. app: APP-NAME or tag. data: "SD-ID.name" -> value."""

    facility: int
    severity: int
    text: str
    timestamp: str = ""
    host: str = ""
    app: str = ""
    process: str = ""
    message_id: str = ""
    data: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def parse_syslog(octets: bytes) -> SyslogMessage | None:
    """Return the message; None where there is nothing to read at all."""
    line = octets[:MOST_OCTETS].decode("utf-8", "replace").replace("\ufeff", "").strip(" \r\n\t\0")
    priority, found = _DEFAULT_PRIORITY, _PRIORITY.match(line)
    if found is not None and int(found[1]) <= 191:
        priority, line = int(found[1]), line[found.end() :]
    if not line:
        return None
    version_1 = _VERSION_1.match(line)
    if version_1 is not None:
        return _structured(priority, version_1, line[version_1.end() :])
    return _traditional(priority, line)


def _nil(text: str) -> str:
    return "" if text == "-" else text


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _structured(priority: int, head: re.Match[str], rest: str) -> SyslogMessage:
    data: dict[str, str] = {}
    if rest.startswith("["):
        rest = _elements(rest, data)
    elif rest.startswith("-"):
        rest = rest[1:]
    timestamp, host, app, process, message_id = (_nil(text) for text in head.groups())
    return SyslogMessage(
        priority >> 3, priority & 7, _clean(rest), timestamp, host, app, process, message_id, MappingProxyType(data)
    )


def _elements(rest: str, data: dict[str, str]) -> str:
    """Read structured data into `data`; return what follows. What breaks the rules ends it, and is text."""
    while rest.startswith("["):
        name = re.match(r'\[([^\s=\]"]{1,64})', rest)
        if name is None:
            break
        at = name.end()
        while True:
            parameter = _PARAMETER.match(rest, at)
            if parameter is None:
                break
            if len(data) < _MOST_PARAMETERS:
                data[f"{name[1]}.{parameter[1]}"] = _ESCAPED.sub(r"\1", parameter[2])
            at = parameter.end()
        if rest[at : at + 1] != "]":
            break
        rest = rest[at + 1 :]
    return rest


def _traditional(priority: int, line: str) -> SyslogMessage:
    sequence = _SEQUENCE.match(line)
    if sequence is not None:
        line = line[sequence.end() :]
    timestamp = host = ""
    stamp = _STAMP.match(line)
    if stamp is None:
        named = _HOST.match(line)  # some devices put their name, and a colon, before the time
        if named is not None and (later := _STAMP.match(line, named.end())) is not None:
            host, timestamp, line = named[1].rstrip(":"), later[0], line[later.end() :]
    else:
        timestamp, line = stamp[0], line[stamp.end() :]
        named = _HOST.match(line)
        if named is not None and not (named[2] or named[1].endswith(":")):
            host, line = named[1], line[named.end() :]
    app = process = message_id = ""
    line = line.removeprefix(": ").lstrip()
    mnemonic = _MNEMONIC.match(line)
    if mnemonic is not None:
        message_id = mnemonic[1]
    else:
        tag = _TAG.match(line)
        if tag is not None:
            app, process, line = tag[1], tag[2] or "", line[tag.end() :]
    stamp_text = timestamp.strip().strip(":*. ")
    return SyslogMessage(priority >> 3, priority & 7, _clean(line), stamp_text, host, app, process, message_id)


class StreamFramer:
    """Cuts a stream into messages; of one that is too long the rest is skipped and counted.

    skipped: octets that belong to no message that was handed on.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip_counted = 0
        self._skip_line = False
        self.skipped = 0

    def feed(self, octets: bytes) -> list[bytes]:
        """Take octets and return the messages that they complete."""
        self._held += octets
        found: list[bytes] = []
        while self._held:
            if self._skip_counted:
                gone = min(self._skip_counted, len(self._held))
                del self._held[:gone]
                self._skip_counted -= gone
                self.skipped += gone
                continue
            if not (self._counted(found) if self._is_counted() else self._line(found)):
                break
        return found

    def end(self) -> list[bytes]:
        """Return the last message where the stream ended without its delimiter."""
        held, self._held = bytes(self._held), bytearray()
        if self._skip_line or self._skip_counted or not held.strip() or held[:1].isdigit():
            self.skipped += len(held)
            return []
        return [held]

    def _is_counted(self) -> bool:
        return not self._skip_line and 0x31 <= self._held[0] <= 0x39

    def _counted(self, found: list[bytes]) -> bool:
        space = self._held.find(b" ", 0, _MOST_COUNT_DIGITS + 1)
        digits = bytes(self._held[: space if space > 0 else len(self._held)])
        if space < 0 and len(digits) <= _MOST_COUNT_DIGITS and digits.isdigit():
            return False
        if space < 0 or not digits.isdigit():
            return self._line(found)
        length, begin = int(digits), space + 1
        if length > MOST_OCTETS:
            if len(self._held) - begin < MOST_OCTETS:
                return False
            found.append(bytes(self._held[begin : begin + MOST_OCTETS]))
            del self._held[: begin + MOST_OCTETS]
            self._skip_counted = length - MOST_OCTETS
            return True
        if len(self._held) - begin < length:
            return False
        found.append(bytes(self._held[begin : begin + length]))
        del self._held[: begin + length]
        return True

    def _line(self, found: list[bytes]) -> bool:
        ends = [at for at in (self._held.find(b"\n"), self._held.find(b"\0")) if at >= 0]
        if not ends:
            if len(self._held) < MOST_OCTETS:
                return False
            if self._skip_line:
                self.skipped += len(self._held)
            else:
                found.append(bytes(self._held[:MOST_OCTETS]))
                self.skipped += len(self._held) - MOST_OCTETS
            self._held.clear()
            self._skip_line = True
            return False
        end = min(ends)
        if self._skip_line:
            self.skipped += end + 1
        elif self._held[:end].strip():
            found.append(bytes(self._held[:end]))
        self._skip_line = False
        del self._held[: end + 1]
        return True

"""What DHCP servers write into their lease files: ISC dhcpd, and Kea's memfile for IPv4 and IPv6.

Files are fed line by line, as they grow. A line or declaration that cannot be understood costs itself only; what is
kept of it for people is its number and the reason, never its text, which tells of persons.

Sources: dhcpd.leases(5) of ISC DHCP 4.4; the lease file section of the Kea ARM, and what both servers write.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final, Protocol

from btimd.model.address import Prefix
from btimd.model.units import UnixSeconds

MAX_LINE_OCTETS: Final = 65_536
_MAX_TOKENS: Final = 4096
_MAX_SECONDS: Final = 1 << 40
_INFINITE: Final = 0xFFFF_FFFF
_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([{};])|#.*|([^\s{};"#]+)|(")')
_ESCAPE: Final = re.compile(r"\\([0-7]{3}|.)")
_KEA_ESCAPE: Final = re.compile(r"&#x([0-9A-Fa-f]{2});?")
_HEX_OCTETS: Final = re.compile(r"[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})*")
_TOP: Final = re.compile(r"(lease|ia-na|ia-ta|ia-pd|ia_na|ia_ta|ia_pd|failover|host|group|server-duid)\s")
_ADDRESS_TAGS: Final = {"iaaddr": 128, "iaprefix": 0}
_ETHERNET: Final = 1
_MAC_OCTETS: Final = 6
_DUID_MAC_AT: Final = {b"\0\1\0\1": 8, b"\0\3\0\1": 4}
"""Where the MAC stands in a DUID of the types LLT and LL for Ethernet (RFC 8415 sections 11.2 and 11.4)."""
_KEA_ACTIVE: Final = {0, 4}
"""Lease states of Kea that mean in use: default, registered; others are declined, reclaimed, released."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The last word of a server on an address or delegated prefix.

    active: False = nobody has it. since: when the present lease period began, None = not told. until: None = never
    ends. mac: 12 hex digits with colons, empty = not known. hostname: as the client gives it, cleaned.
    """

    prefix: Prefix
    active: bool
    since: UnixSeconds | None = None
    until: UnixSeconds | None = None
    mac: str = ""
    hostname: str = ""


class LeaseParser(Protocol):
    """Reads a lease file. records, refused: declarations or lines so far; last_error: why the last was refused."""

    records: int
    refused: int
    last_error: str

    def feed(self, line: bytes) -> Sequence[Lease]:
        """Return the leases that a line, without its end, completes."""
        ...


def clean_name(text: str, most: int = 128) -> str:
    """Return a name that can be shown: no control characters, one space between words, at most so many characters."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * most])
    return " ".join(printable.split())[:most]


def mac_text(text: str) -> str:
    """Return a MAC in the form 00:11:22:aa:bb:cc; "" for what is none. Takes :, - and . between digits, or nothing."""
    digits = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}", digits):
        digits = "".join(part.zfill(2) for part in re.split("[:-]", digits))
    else:
        digits = digits.replace(".", "")
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        return ""
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def prefix_of(address: str, length: int = 128) -> Prefix:
    """Return an address, or the prefix of so many leading bits of an IPv6 address; raises ValueError."""
    parsed = ip_address(address)
    if parsed.version == 4 or length == 128:  # noqa: PLR2004  the version, and the bits of an address
        return Prefix.parse(str(parsed))
    return Prefix.parse(f"{parsed}/{length}")


class _Refusing:
    """Counts what was read and what could not be."""

    def __init__(self) -> None:
        self.records = 0
        self.refused = 0
        self.last_error = ""
        self._line = 0

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self.last_error = f"line {self._line}: {reason}"


class IscLeases(_Refusing):
    """Reads dhcpd.leases. A declaration may span lines; one that breaks off ends where the next one begins."""

    def __init__(self) -> None:
        super().__init__()
        self._tokens: list[str] = []
        self._depth = 0
        self._skipping = False

    def feed(self, line: bytes) -> Sequence[Lease]:
        """Return the leases of the declarations that end in a line."""
        self._line += 1
        text = line.decode("latin-1")
        if (self._tokens or self._skipping) and _TOP.match(text):
            # the server indents what is inside, so this begins a new one: writing the last one was interrupted
            if self._tokens:
                self._refuse("a declaration before this line breaks off")
            self._reset()
        found: list[Lease] = []
        for token in _TOKEN.finditer(text):
            self._take(token, found)
        return found

    def _reset(self) -> None:
        self._tokens, self._depth, self._skipping = [], 0, False

    def _take(self, token: re.Match[str], found: list[Lease]) -> None:
        quoted, mark, word, broken = token.groups()
        if broken:
            self._abandon("a quotation mark without its pair")
        elif mark:
            self._depth = max(self._depth + {"{": 1, "}": -1, ";": 0}[mark], 0)
            self._append(mark)
            if mark != "{" and self._depth == 0:
                tokens, skipped = self._tokens, self._skipping
                self._reset()
                if not skipped:
                    found.extend(self._declaration(tokens))
        elif quoted is not None:
            self._append('"' + _ESCAPE.sub(_unescaped, quoted))
        elif word:
            self._append(word)

    def _append(self, token: str) -> None:
        if self._skipping:
            return
        self._tokens.append(token)
        if len(self._tokens) > _MAX_TOKENS:
            self._abandon(f"a declaration of more than {_MAX_TOKENS} words")

    def _abandon(self, reason: str) -> None:
        if not self._skipping:
            self._refuse(reason)
        self._skipping = True
        self._tokens = []

    def _declaration(self, tokens: Sequence[str]) -> Iterator[Lease]:
        kind = tokens[0].replace("_", "-")
        if kind not in {"lease", "ia-na", "ia-ta", "ia-pd"}:
            return
        self.records += 1
        try:
            yield from _isc_leases(kind, tokens)
        except (ValueError, OverflowError):
            self._refuse(f"a {kind} whose address or time cannot be understood")


def _unescaped(found: re.Match[str]) -> str:
    escaped = found[1]
    return chr(int(escaped, 8) & 0xFF) if len(escaped) == 3 else escaped  # noqa: PLR2004  octal digits


def _statements(tokens: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the statements of a block by their first word; those of blocks within it are left out."""
    found: dict[str, Sequence[str]] = {}
    depth, begin = 0, 0
    for at, word in enumerate(tokens):
        if word == "{":
            depth += 1
        elif word == "}":
            depth -= 1
            begin = at + 1
        elif word == ";" and depth == 0:
            if at > begin:
                found[tokens[begin]] = tokens[begin + 1 : at]
            begin = at + 1
    return found


def _isc_leases(kind: str, tokens: Sequence[str]) -> Iterator[Lease]:
    if len(tokens) < 3 or tokens[2] != "{":  # noqa: PLR2004  keyword, name, brace
        raise ValueError
    inner = _statements(tokens[3:-1])
    if kind == "lease":
        yield _isc_lease(prefix_of(tokens[1]), inner, _mac_of_hardware(inner) or _mac_of_uid(inner), None)
        return
    mac = _mac_of_duid(_octets(tokens[1])[4:])  # behind the IAID
    told_at = _isc_time(inner["cltt"]) if "cltt" in inner else None
    at = 3
    while at < len(tokens) - 2:
        if tokens[at] in _ADDRESS_TAGS and tokens[at + 2] == "{":
            end = _end_of_block(tokens, at + 2)
            address, _, length = tokens[at + 1].partition("/")
            prefix = prefix_of(address, _number(length) if length else 128)
            yield _isc_lease(prefix, _statements(tokens[at + 3 : end]), mac, told_at)
            at = end
        at += 1


def _end_of_block(tokens: Sequence[str], begin: int) -> int:
    depth = 0
    for at in range(begin, len(tokens)):
        depth += (tokens[at] == "{") - (tokens[at] == "}")
        if depth == 0:
            return at
    return len(tokens)


def _isc_lease(prefix: Prefix, inner: Mapping[str, Sequence[str]], mac: str, told_at: UnixSeconds | None) -> Lease:
    state = list(inner.get("binding", ()))
    active = state == ["state", "active"] if state else "abandoned" not in inner and "deleted" not in inner
    since = _isc_time(inner["starts"]) if "starts" in inner else told_at
    until = _isc_time(inner["ends"]) if "ends" in inner else None
    hostname = "".join(inner.get("client-hostname", ())).removeprefix('"')
    return Lease(prefix, active, since, until, mac, _utf8(hostname))


def _isc_time(words: Sequence[str]) -> UnixSeconds | None:
    """Return s since 1970 UTC, None for never; raises ValueError."""
    if list(words) == ["never"]:
        return None
    if len(words) == 2 and words[0] == "epoch":  # noqa: PLR2004  keyword and number
        return float(_number(words[1]))
    if len(words) != 3:  # noqa: PLR2004  weekday, date, time
        raise ValueError
    return datetime.strptime(f"{words[1]} {words[2]}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_SECONDS:
        raise ValueError
    return int(text)


def _octets(token: str) -> bytes:
    """Return the octets of a quoted string or of hexadecimal octets with colons."""
    if token.startswith('"'):
        return token[1:].encode("latin-1", "replace")
    if not _HEX_OCTETS.fullmatch(token):
        return b""
    return bytes(int(part, 16) for part in token.split(":"))


def _mac_of_hardware(inner: Mapping[str, Sequence[str]]) -> str:
    words = inner.get("hardware", ())
    return mac_text(words[1]) if len(words) == 2 else ""  # noqa: PLR2004  type and address


def _mac_of_uid(inner: Mapping[str, Sequence[str]]) -> str:
    octets = _octets("".join(inner.get("uid", ())))
    return octets[1:].hex(":") if len(octets) == 1 + _MAC_OCTETS and octets[0] == _ETHERNET else ""


def _mac_of_duid(duid: bytes) -> str:
    at = _DUID_MAC_AT.get(duid[:4])
    mac = duid[at:] if at else b""
    return mac.hex(":") if len(mac) == _MAC_OCTETS else ""


def _utf8(text: str) -> str:
    return clean_name(text.encode("latin-1", "replace").decode("utf-8", "replace")).rstrip(".")


class KeaLeases(_Refusing):
    """Reads a lease file of Kea's memfile backend, of IPv4 or IPv6: the first line says which columns there are."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[str, int] = {}

    def feed(self, line: bytes) -> Sequence[Lease]:
        """Return the lease of a line."""
        self._line += 1
        cells = line.decode("latin-1").strip("\r\n").split(",")
        if cells == [""]:
            return ()
        if cells[0] == "address":
            self._columns = {name: at for at, name in reversed(list(enumerate(cells)))}
            if not self._columns.keys() >= {"address", "valid_lifetime", "expire"}:
                self._columns = {}
                self._refuse("a heading without address, valid_lifetime or expire")
            return ()
        self.records += 1
        if not self._columns:
            self._refuse("a lease before any heading that can be understood")
            return ()
        try:
            return (self._lease(cells),)
        except (ValueError, IndexError):
            self._refuse("a lease whose address, times or state cannot be understood")
            return ()

    def _lease(self, cells: Sequence[str]) -> Lease:
        at = self._columns
        if len(cells) < len(at):
            raise ValueError  # not written to its end

        def cell(name: str) -> str:
            return cells[at[name]] if name in at else ""  # older files have fewer columns

        delegated = cell("lease_type") == "2"
        prefix = prefix_of(cells[at["address"]], _number(cell("prefix_len")) if delegated else 128)
        lifetime, expire = _number(cells[at["valid_lifetime"]]), _number(cells[at["expire"]])
        active = lifetime > 0 and _number(cell("state") or "0") in _KEA_ACTIVE
        mac = mac_text(cell("hwaddr")) or _mac_of_duid(_octets(cell("duid")))
        hostname = _KEA_ESCAPE.sub(lambda found: chr(int(found[1], 16)), cell("hostname"))
        until = None if lifetime == _INFINITE else float(expire)
        since = None if lifetime == _INFINITE else float(max(expire - lifetime, 0))
        return Lease(prefix, active, since, until, mac, _utf8(hostname))

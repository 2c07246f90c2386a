"""Headers of HTTP/2 (HPACK, RFC 7541): all of decoding, and as much of encoding as a GET needs.

Bounded: a table of 4096 octets, a list of 16 KiB (each header counts 32 octets more, RFC 9113 section 6.5.2).
"""

from collections import deque
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

TABLE_OCTETS: Final = 4096
MAX_LIST: Final = 16 * 1024
_ENTRY_COST: Final = 32
_EOS: Final = 256
_MAX_INTEGER: Final = 1 << 28

# Appendix A; a name before "=" stands with that value, one alone with an empty one; ~ is a blank.
_WORDS: Final = (
    ":authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204 "
    ":status=206 :status=304 :status=400 :status=404 :status=500 accept-charset accept-encoding=gzip,~deflate "
    "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
    "content-disposition content-encoding content-language content-length content-location content-range content-type "
    "cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since "
    "last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after "
    "server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate"
)
_STATIC: Final[tuple[tuple[str, str], ...]] = tuple(
    (name, value.replace("~", " ")) for name, _, value in (word.partition("=") for word in _WORDS.split())
)

# Appendix B. The code is canonical: codes of one length follow each other in the order of their symbols, so the lengths
# say all. By length: the symbols that have it.
_HUFFMAN: Final[dict[int, bytes]] = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\0$@[]~",
    14: b"^}",
    15: b"<`{",
    19: bytes((92, 195, 208)),
    20: bytes((128, 130, 131, 162, 184, 194, 224, 226)),
    21: bytes((153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230)),
    22: bytes((
        129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196,
        198, 228, 232, 233,
    )),
    23: bytes((
        1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
        183, 188, 191, 197, 231, 239,
    )),
    24: bytes((9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237)),
    25: bytes((199, 207, 234, 235)),
    26: bytes((192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255)),
    27: bytes((203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254)),
    28: bytes((
        2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249,
    )),
    30: bytes((10, 13, 22)),
}  # fmt: skip


def _codes() -> dict[tuple[int, int], int]:
    """Return the symbol of every (length, code)."""
    found: dict[tuple[int, int], int] = {}
    code = before = 0
    for length, symbols in _HUFFMAN.items():
        code <<= length - before
        before = length
        for symbol in symbols:
            found[length, code] = symbol
            code += 1
    found[30, code] = _EOS
    return found


_SYMBOLS: Final = _codes()


def decode_huffman(data: bytes) -> bytes:
    """Return the octets of a Huffman string; raises AnswerError."""
    found = bytearray()
    length = code = 0
    for octet in data:
        for bit in range(7, -1, -1):
            code = code << 1 | octet >> bit & 1
            length += 1
            symbol = _SYMBOLS.get((length, code))
            if symbol is None:
                continue
            if symbol == _EOS:
                raise AnswerError("the end mark within a Huffman string")
            found.append(symbol)
            length = code = 0
    if length > 7 or code != (1 << length) - 1:
        raise AnswerError("a Huffman string that does not end with ones")
    return bytes(found)


class _Octets:
    """Reads one header block."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def octet(self) -> int:
        if self.at >= len(self.data):
            raise AnswerError("a header block that is cut")
        self.at += 1
        return self.data[self.at - 1]

    def integer(self, first: int, bits: int) -> int:
        """Return the integer whose first octet was taken (section 5.1)."""
        value = limit = (1 << bits) - 1
        if first & limit < limit:
            return first & limit
        shift = 0
        while True:
            octet = self.octet()
            value += (octet & 0x7F) << shift
            shift += 7
            if value > _MAX_INTEGER or shift > 35:
                raise AnswerError("an integer that is too large")
            if octet < 0x80:
                return value

    def string(self) -> str:
        first = self.octet()
        size = self.integer(first, 7)
        if size > len(self.data) - self.at:
            raise AnswerError("a string that is longer than its block")
        raw = self.data[self.at : self.at + size]
        self.at += size
        return (decode_huffman(raw) if first & 0x80 else raw).decode("latin-1")


class Decoder:
    """Decodes the header blocks of one connection, one after the other."""

    def __init__(self) -> None:
        self._dynamic: deque[tuple[str, str]] = deque()
        self._octets = 0
        self._limit = TABLE_OCTETS

    def decode(self, block: bytes) -> list[tuple[str, str]]:
        """Return names and values; raises AnswerError. The block may be the work of anybody."""
        found: list[tuple[str, str]] = []
        octets, size = _Octets(block), 0
        while octets.at < len(block):
            header = self._field(octets, is_first=not found)
            if header is None:
                continue
            size += len(header[0]) + len(header[1]) + _ENTRY_COST
            if size > MAX_LIST:
                raise AnswerError(f"headers over {MAX_LIST} octets")
            found.append(header)
        return found

    def _field(self, octets: _Octets, *, is_first: bool) -> tuple[str, str] | None:
        """Return the next header, None for a change of the table's size (section 6)."""
        first = octets.octet()
        if first & 0x80:
            return self._entry(octets.integer(first, 7))
        if first & 0xE0 == 0x20:
            limit = octets.integer(first, 5)
            if limit > TABLE_OCTETS or not is_first:
                raise AnswerError(f"a header table of {limit} octets")
            self._limit = limit
            self._shrink()
            return None
        is_kept = bool(first & 0x40)
        index = octets.integer(first, 6 if is_kept else 4)
        header = self._entry(index)[0] if index else octets.string(), octets.string()
        if is_kept:
            self._dynamic.appendleft(header)
            self._octets += len(header[0]) + len(header[1]) + _ENTRY_COST
            self._shrink()
        return header

    def _entry(self, index: int) -> tuple[str, str]:
        if 1 <= index <= len(_STATIC):
            return _STATIC[index - 1]
        if 0 <= index - len(_STATIC) - 1 < len(self._dynamic):
            return self._dynamic[index - len(_STATIC) - 1]
        raise AnswerError(f"header {index}, which no table has")

    def _shrink(self) -> None:
        while self._octets > self._limit:
            name, value = self._dynamic.pop()
            self._octets -= len(name) + len(value) + _ENTRY_COST


def encode_integer(value: int, bits: int, marks: int = 0) -> bytes:
    """Return an integer with marks in the bits before it (section 5.1)."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes((marks | value,))
    found = [marks | limit]
    value -= limit
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def encode(headers: list[tuple[str, str]]) -> bytes:
    """Return a header block: what the static table has as its number, the rest as it is, kept by nobody."""
    found = bytearray()
    names = [name for name, _ in _STATIC]
    for name, value in headers:
        if (name, value) in _STATIC:
            found += encode_integer(_STATIC.index((name, value)) + 1, 7, 0x80)
            continue
        found += encode_integer(names.index(name) + 1 if name in names else 0, 4)
        texts = (value,) if name in names else (name, value)
        for text in texts:
            found += encode_integer(len(text.encode()), 7) + text.encode()
    return bytes(found)

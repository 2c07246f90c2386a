r"""Redis serialization protocol, RESP2 and RESP3 (redis.io, protocol specification).

+text | -error | :number | $size octets | *count values | RESP3: _ null, #t, ,double, (big, !size error, =size text,
%count pairs, ~count set, >count push
"""

from typing import Final, TypeAlias

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import text_of
from btimd.probes.wire.script import Talk, Want, WantLine

MAX_TEXT: Final = 64 * 1024
_MOST_VALUES: Final = 1024
_DEEPEST: Final = 4


class RedisError(str):
    """An error that the server says, such as "NOAUTH Authentication required."."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """Its first word."""
        return self.partition(" ")[0]


Reply: TypeAlias = "str | int | list[Reply] | RedisError | None"


def encode_command(*words: str) -> bytes:
    """Return a command as servers of every version read it."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def read_reply(depth: int = 0) -> Talk[Reply]:
    """Read one reply; raises AnswerError for what is none or too large. Attributes and pushes are no replies here."""
    line = yield WantLine()
    kind, rest = line[:1], line[1:]
    match kind:
        case b"+" | b"," | b"(" | b"#":
            return text_of(rest)
        case b"-":
            return RedisError(text_of(rest))
        case b":":
            return _number(rest)
        case b"_":
            return None
        case b"$" | b"=" | b"!":
            return (yield from _sized(kind, rest))
        case b"*" | b"~" | b"%" | b">":
            return (yield from _several(kind, rest, depth))
        case _:
            raise AnswerError(f"a reply that begins with {line[:16]!r}")


def _sized(kind: bytes, rest: bytes) -> Talk[Reply]:
    size = _number(rest)
    if size == -1:
        return None
    if not 0 <= size <= MAX_TEXT:
        raise AnswerError(f"a text of {size} octets")
    text = text_of((yield Want(size)))
    if (yield Want(2)) != b"\r\n":
        raise AnswerError("a text without its end")
    if kind == b"=":
        return text[4:]
    return RedisError(text) if kind == b"!" else text


def _several(kind: bytes, rest: bytes, depth: int) -> Talk[Reply]:
    count = _number(rest)
    if count == -1:
        return None
    if not 0 <= count <= _MOST_VALUES or depth >= _DEEPEST:
        raise AnswerError(f"{count} values at depth {depth}")
    found: list[Reply] = []
    for _ in range(count * (2 if kind == b"%" else 1)):
        found.append((yield from read_reply(depth + 1)))  # noqa: PERF401  a generator cannot yield in a comprehension
    return found


def _number(text: bytes) -> int:
    digits = text.removeprefix(b"-").removeprefix(b"+")
    if not digits.isdigit() or len(digits) > 19:
        raise AnswerError(f"a number {text[:16]!r}")
    return int(text)


def decode_info(text: str) -> dict[str, str]:
    """Return the fields of an answer to INFO."""
    pairs = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}

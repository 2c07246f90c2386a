"""SSH: does the server greet and offer keys (RFC 4253 sections 4.2 and 7.1). Nobody logs on.

"SSH-2.0-software comments" CR LF
uint32 length | byte padding | byte 20 | cookie[16] | name-list of key exchanges | name-list of host keys | ...
"""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Dialogue, Send, Stage, printable

SSH_PORT: Final = 22
MAX_PACKET: Final = 35_000
MAX_BEFORE: Final = 50
MAX_LINE: Final = 1024
VERSION: Final = b"SSH-2.0-btimd\r\n"
_KEXINIT: Final = 20
_WORDS: Final = b"probe"
_DISCONNECT: Final = b"\1" + (11).to_bytes(4) + len(_WORDS).to_bytes(4) + _WORDS + bytes(4)
_BLOCK: Final = 8


def encode_packet(payload: bytes) -> bytes:
    """Return a packet before keys are exchanged (RFC 4253 section 6): whole blocks, at least four octets padding."""
    padding = _BLOCK - (len(payload) + 5) % _BLOCK
    padding += _BLOCK if padding < 4 else 0
    return (len(payload) + padding + 1).to_bytes(4) + bytes((padding,)) + payload + bytes(padding)


def decode_kexinit(packet: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (key exchanges, host keys) of the packet after its length; raises AnswerError."""
    if len(packet) < 18 or packet[1] != _KEXINIT:
        raise AnswerError(f"a first packet {packet[:8]!r}, which is no offer of keys")
    lists: list[tuple[str, ...]] = []
    offset = 18
    for _ in range(2):
        end = offset + 4 + int.from_bytes(packet[offset : offset + 4])
        if len(packet) < offset + 4 or end > len(packet) - packet[0]:
            raise AnswerError("an offer of keys that is cut")
        lists.append(tuple(packet[offset + 4 : end].decode("ascii", "replace").split(",")))
        offset = end
    return lists[0], lists[1]


class SshDialogue(Dialogue):
    """Version and key offer; good when both come, with `expect` in the version."""

    def __init__(self, host: str, port: int, *, expect: str = "") -> None:
        super().__init__(host, port or SSH_PORT)
        self._expect = expect
        self._buffer = bytearray()
        self._lines = 0
        self._before = ""
        self._version = ""
        self._began: MonotonicSeconds = 0.0

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._began = now
        return [Send(VERSION)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        self._buffer += data
        try:
            if not self._version and not self._read_version(now):
                return []
            return self._read_offer(now)
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak SSH: {error}")

    def _read_version(self, now: MonotonicSeconds) -> bool:
        """Take lines up to the version; tell whether it is there."""
        while (end := self._buffer.find(b"\n", 0, MAX_LINE)) >= 0:
            line = bytes(self._buffer[:end]).removesuffix(b"\r").decode("utf-8", "replace")
            del self._buffer[: end + 1]
            if line.startswith("SSH-"):
                if not line.startswith(("SSH-2.0-", "SSH-1.99-")):
                    raise AnswerError(f"version {line[:40]!r}")
                self._version = line
                self._values["banner_seconds"] = now - self._began
                return True
            self._before = line
            self._lines += 1
            if self._lines > MAX_BEFORE:
                raise AnswerError(f"over {MAX_BEFORE} lines before the version")
        if len(self._buffer) >= MAX_LINE:
            raise AnswerError(f"a line over {MAX_LINE} octets")
        return False

    def _read_offer(self, now: MonotonicSeconds) -> list[Action]:
        if len(self._buffer) < 4:
            return []
        length = int.from_bytes(self._buffer[:4])
        if not 12 <= length <= MAX_PACKET:
            raise AnswerError(f"a packet of {length} octets")
        if len(self._buffer) < 4 + length:
            return []
        _, keys = decode_kexinit(bytes(self._buffer[4 : 4 + length]))
        self._values["key_offer_seconds"] = now - self._began
        software = printable(self._version.partition("-")[2].partition("-")[2], 80)
        end = (
            self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} is {software!r}, expected {self._expect!r} in it")
            if self._expect not in self._version
            else self._good(f"{self._target} is {software!r} and offers keys of {printable(', '.join(keys), 100)}")
        )
        return [Send(encode_packet(_DISCONNECT)), Close(), *end]

    @override
    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        if self._version:
            return self._bad(ErrorClass.NO_ANSWER, f"{self._target} closes the connection instead of offering keys")
        if self._before or self._buffer:
            said = printable(self._before or bytes(self._buffer[:80]).decode("utf-8", "replace"), 80)
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} says {said!r} and closes the connection")
        return super()._closed(now)

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or not self._version:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.NO_ANSWER, f"{self._target} greets and offers no keys ({waited:.1f} s waited)")

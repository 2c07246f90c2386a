r"""IBM MQ: the first segment of a channel (as network analysers describe it; IBM documents the errors, not the format).

TSH (28):  "TSH ", length (4, big endian), byte order (1 = big), type (1), flags (1 + 1), 8 unused, encoding (4),
           character set (2), 2 unused
ID (102+): "ID  ", FAP level (1), abilities (1 + 1), errors (1), 2 unused, largest batch (2), largest transmission (4),
           largest message (4), wrap (4), channel (20), abilities (1 + 1), character set (2), queue manager (48)
STATUS:    length (4), code (4), value (4)
"""

import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import Octets, Order, text_of
from btimd.probes.wire.script import Halt, Script, Talk, Tls, Want

MQ_PORT: Final = 1414
INITIAL: Final = 1
STATUS: Final = 5
_FAP: Final = 4
_MAX_SEGMENT: Final = 32 * 1024
_ASCII: Final = b"TSH "
_EBCDIC: Final = "TSH ".encode("cp500")
_FLAG_ERROR: Final = 2
_EBCDIC_SETS: Final = frozenset(
    {37, 273, 277, 278, 280, 284, 285, 297, 424, 500, 871, 875, 1026, 1047, 1140, 1141, 1148}
)
_CODES: Final = {
    1: "the channel is not known", 2: "the channel is of another type", 3: "the queue manager is not available",
    4: "message sequence numbers differ", 5: "the queue manager shuts down", 6: "a message was not received",
    7: "the channel was closed", 8: "the time to disconnect is over", 10: "a protocol error",
    20: "the channel cannot be bound", 21: "sequence numbers wrap elsewhere", 22: "the channel is not available",
    23: "an exit closed the channel", 24: "the channel wants TLS, or another cipher",
}  # fmt: skip
_ALIVE: Final = frozenset({1, 2, 24})
"""What a queue manager says of a channel it was not to be asked for: it is there and looks its channels up."""


def encode_initial(channel: str, manager: str) -> bytes:
    """Return the segment with which a client begins (FAP level 4)."""
    content = b"ID  " + struct.pack("!BBBBHHIII", _FAP, 0x26, 0, 0, 0, 50, 32766, 4194304, 999999999)
    content += channel.encode().ljust(20) + struct.pack("!BBH", 0x51, 0, 819) + manager.encode().ljust(48)
    content += struct.pack("!IH", 300, 0)
    head = struct.pack("!4sIBBBB8sIHH", _ASCII, 28 + len(content), 1, INITIAL, 0x30, 0, bytes(8), 0x111, 819, 0)
    return head + content


class MqDialogue(Script):
    """Begins a channel and reads who answers.

    Good when the queue manager answers with its own initial data, or, where no channel was named, says that the
    channel is not known. With a channel every status is bad, with its reason.
    """

    protocol = "IBM MQ"

    def __init__(self, host: str, port: int, *, channel: str = "", manager: str = "", tls: Tls = Tls.OFF) -> None:
        super().__init__(host, port or MQ_PORT)
        for name, text, most in (("channel", channel, 20), ("queue_manager", manager, 48)):
            if len(text) > most or not text.isascii() or not text.isprintable():
                raise ValueError(
                    f"{name} {text!r} is no name in MQ; at most {most} letters, digits and . / _ % make one"
                )
        self._channel = channel
        self._manager = manager
        self._tls = tls

    @override
    def _conversation(self) -> Talk[str]:
        if self._tls.is_needed:
            yield Secure(self._host, verify=self._tls.is_verified)
        self._doing = "answer the initial data"
        yield Send(encode_initial(self._channel or "BTIMD.PROBE", self._manager))
        head = yield Want(28)
        if head[:4] not in {_ASCII, _EBCDIC}:
            raise AnswerError(f"a segment that begins with {head[:12]!r}")
        size = int.from_bytes(head[4:8])
        if not 28 <= size <= _MAX_SEGMENT:
            raise AnswerError(f"a segment of {size} octets")
        order: Order = "little" if head[8] == 2 else "big"
        encoding = "cp500" if int.from_bytes(head[24:26], order) in _EBCDIC_SETS or head[:4] == _EBCDIC else "latin-1"
        octets = Octets((yield Want(size - 28)), order)
        self._elapsed("answer_seconds")
        if head[9] == INITIAL:
            return self._initial(octets, encoding, failed=bool(head[10] & _FLAG_ERROR))
        if head[9] == STATUS:
            return self._status(octets)
        raise AnswerError(f"a segment of type {head[9]:#x} in answer to the initial data")

    def _initial(self, octets: Octets, encoding: str, *, failed: bool) -> str:
        if text_of(octets.take(4), encoding) != "ID  ":
            raise AnswerError("initial data without ID")
        level = octets.number(1)
        octets.take(2)
        errors = octets.number(1)
        octets.take(16)
        channel = printable(text_of(octets.take(20), encoding).strip("\0 "), 20)
        manager = ""
        if octets.left >= 52:
            octets.take(4)
            manager = printable(text_of(octets.take(48), encoding).strip("\0 "), 48)
        self._values["fap_level"] = level
        # Flagged errors are a counter-offer (a lower level, smaller sizes): the queue manager goes on negotiating.
        told = f"is queue manager {manager!r}" if manager else "is a queue manager"
        bargains = f", wants other terms (error flags {errors:#x})" if failed or errors else ""
        if self._manager and manager and manager != self._manager:
            raise Halt(ErrorClass.WRONG_ANSWER, f"{told}, expected {self._manager!r}")
        return f"{told}, FAP level {level}, channel {channel!r}{bargains}"

    def _status(self, octets: Octets) -> str:
        octets.take(4)
        code = octets.number(4)
        reason = _CODES.get(code, f"status {code}")
        if not self._channel and code in _ALIVE:
            return f"is a queue manager: it says of a channel of another name that {reason}"
        raise Halt(ErrorClass.WRONG_ANSWER, f"refuses channel {self._channel!r}: {reason} (status {code})")

r"""CORBA: is there an ORB, and does it know an object (OMG, CORBA 3 part 2, section 9.4: GIOP 1.0 over TCP).

message: "GIOP", version (1 + 1), byte order (1: little), type (1), length (4), content
LocateRequest (3): request id (4), length and key     LocateReply (4): request id (4), status (4)
"""

import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send
from btimd.probes.wire.octets import Octets, Order
from btimd.probes.wire.script import Halt, Script, Talk, Tls, Want

IIOP_PORT: Final = 2809
LOCATE_REQUEST, LOCATE_REPLY, CLOSE_CONNECTION, MESSAGE_ERROR = 3, 4, 5, 6
_MAX_MESSAGE: Final = 64 * 1024
_UNKNOWN, _HERE, _FORWARD = 0, 1, 2


def encode_message(kind: int, content: bytes) -> bytes:
    """Return a GIOP 1.0 message, big endian."""
    return struct.pack("!4sBBBBI", b"GIOP", 1, 0, 0, kind, len(content)) + content


def encode_locate(number: int, key: bytes) -> bytes:
    """Return the question whether an object is here."""
    return encode_message(LOCATE_REQUEST, struct.pack("!II", number, len(key)) + key)


class IiopDialogue(Script):
    """Asks for an object, by default the name service.

    Good when it is here or known to be elsewhere. must_be_here: an ORB that does not know it is bad; without, it is
    good: the ORB looked for it.
    """

    protocol = "GIOP"

    def __init__(
        self, host: str, port: int, *, key: str = "NameService", must_be_here: bool = False, tls: Tls = Tls.OFF
    ) -> None:
        super().__init__(host, port or IIOP_PORT)
        if not 0 < len(key.encode()) <= 1024:
            raise ValueError("object must have 1 to 1024 octets")
        self._key = key
        self._must = must_be_here
        self._tls = tls

    @override
    def _conversation(self) -> Talk[str]:
        if self._tls.is_needed:
            yield Secure(self._host, verify=self._tls.is_verified)
        self._doing = "answer the LocateRequest"
        yield Send(encode_locate(1, self._key.encode()))
        head = yield Want(12)
        if head[:4] != b"GIOP":
            raise AnswerError(f"a message that begins with {head!r}")
        order: Order = "little" if head[6] & 1 else "big"
        size = int.from_bytes(head[8:], order)
        if size > _MAX_MESSAGE:
            raise AnswerError(f"a message of {size} octets")
        octets = Octets((yield Want(size)), order)
        self._elapsed("answer_seconds")
        version = f"GIOP {head[4]}.{head[5]}"
        match head[7]:
            case 4:
                return self._located(octets, version)
            case 5:
                raise Halt(ErrorClass.WRONG_ANSWER, f"speaks {version} and closes the connection: it shuts down")
            case 6:
                raise Halt(ErrorClass.WRONG_ANSWER, f"speaks {version} and says that the message is wrong")
            case kind:
                raise AnswerError(f"a message of type {kind} in answer to LocateRequest")

    def _located(self, octets: Octets, version: str) -> str:
        number, status = octets.number(4), octets.number(4)
        if number != 1:
            raise AnswerError(f"an answer to request {number}, which was not asked")
        if status in {_HERE, _FORWARD}:
            return f"speaks {version} and knows {self._key!r}{' elsewhere' if status == _FORWARD else ''}"
        if status != _UNKNOWN:
            raise Halt(ErrorClass.WRONG_ANSWER, f"speaks {version} and answers with status {status}")
        if self._must:
            raise Halt(ErrorClass.WRONG_ANSWER, f"speaks {version} and does not know {self._key!r}")
        return f"speaks {version}; it does not know {self._key!r}"

r"""Domino: the first message of Notes RPC (HCL does not publish it; the bytes are those of public scanners).

message: length (2, little endian), content. The answer names the server: CN=mail01/O=Corp
"""

import re
import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Send, printable
from btimd.probes.wire.octets import text_of
from btimd.probes.wire.script import Halt, Script, Talk, Want

NRPC_PORT: Final = 1352
_MAX_ANSWER: Final = 8 * 1024
_NAME: Final = re.compile(rb"CN=[ -~]{1,200}?/O=[ -~]{1,64}")
_HELLO: Final = bytes.fromhex("00001e00000001000080000007320000700104020000fb2b2d00281f1e000000124c010000000000")


def encode(content: bytes) -> bytes:
    """Return a message."""
    return struct.pack("<H", len(content)) + content


class NrpcDialogue(Script):
    """Greets; good when a message of the protocol comes. expect: the server's name must hold this text."""

    protocol = "NRPC (Domino)"

    def __init__(self, host: str, port: int, *, expect: str = "") -> None:
        super().__init__(host, port or NRPC_PORT)
        self._expect = expect

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "answer the greeting"
        yield Send(encode(_HELLO))
        head = yield Want(2)
        size = int.from_bytes(head, "little")
        if not 8 <= size <= _MAX_ANSWER:
            raise AnswerError(f"a message that begins with {head + bytes(self._buffer[:10])!r}")
        content = yield Want(size)
        self._elapsed("answer_seconds")
        found = _NAME.search(content)
        name = printable(text_of(found[0]), 120) if found else ""
        if self._expect and self._expect.lower() not in name.lower():
            raise Halt(ErrorClass.WRONG_ANSWER, f"is {name or 'a server without name'!r}, expected {self._expect!r}")
        return f"is Domino {name!r}" if name else "answers the greeting of Notes RPC"

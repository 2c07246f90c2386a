r"""Informix SQLI: the connect message and who answers it (IBM publishes the errors, not the format).

client: length (2), 0x01 0x3c 0 0, sections: 0x64 association, 0x6b ..., user, password, instance, parameters, 0x7f
server: length (2), ..., section 0x6c with version, serial number and name, section 0x66 with the error

The order of the fields is that of network scanners' published descriptions. Only the answer's frame, its section 0x6c
and the printable texts in it are trusted: the rest differs between versions.
"""

import re
import struct
from typing import Final

from typing_extensions import override

from btimd.probes.wire.dialogue import AnswerError, Send, printable
from btimd.probes.wire.script import Script, Talk, Want

INFORMIX_PORT: Final = 9088
_MAX_ANSWER: Final = 8 * 1024
_VERSION: Final = re.compile(rb"(?:IBM |HCL )?Informix[ -~]{0,60}")


def _sized(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("!H", len(data)) + data


def encode_connect(instance: str) -> bytes:
    """Return the connect message of a user that there is not."""
    content = b"\x01\x3c\0\0" + struct.pack("!HH", 100, 101) + struct.pack("!IH", 61, 6) + b"IEEEM\0"
    content += b"\0\x6csqlexec\0" + bytes(4) + _sized("9.280") + _sized("RDS#R000000") + _sized("sqli")
    content += struct.pack("!IIIH", 0x133, 0, 0, 1) + _sized("btimd") + _sized("btimd")
    content += b"ol" + bytes(9) + b"=tlitcp" + b"\0\0\0\0\0\x01\0\x68\0\x0b\0\0\0\3" + _sized(instance)
    content += bytes(11) + b"\x6a" + struct.pack("!H", 1) + _sized("CLNT_PAM_CAPABLE") + _sized("1") + b"\0\x7f"
    return struct.pack("!H", len(content) + 2) + content


class InformixDialogue(Script):
    """Begins a session without an account; good when the answer is of the protocol, whatever it says of the account."""

    protocol = "SQLI (Informix)"

    def __init__(self, host: str, port: int, *, instance: str = "btimd") -> None:
        super().__init__(host, port or INFORMIX_PORT)
        if not instance or len(instance) > 128 or not instance.isascii() or not instance.isprintable():
            raise ValueError(f"instance {instance!r} is no name of a server")
        self._connect_message = encode_connect(instance)

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "answer the connect"
        yield Send(self._connect_message)
        head = yield Want(2)
        size = int.from_bytes(head)
        if not 16 <= size <= _MAX_ANSWER:
            raise AnswerError(f"an answer that begins with {head + bytes(self._buffer[:10])!r}")
        content = yield Want(size - 2)
        self._elapsed("answer_seconds")
        found = _VERSION.search(content)
        if found:
            return f"is {printable(found[0].decode('ascii').strip(), 70)}; SQL was not tried"
        if b"\0\x6c" not in content:
            raise AnswerError(f"an answer that begins with {head + content[:10]!r}")
        return "answers the connect; SQL was not tried"

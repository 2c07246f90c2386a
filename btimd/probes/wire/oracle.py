r"""Oracle Net (TNS): does the listener know the service and hand it a connection.

packet:  length (2), checksum (2), type (1), flags (1), checksum (2), content
CONNECT: version 0x0136, oldest 0x012c, ..., length and place of the text, the text at octet 58
REFUSE:  reasons (1 + 1), length (2), text          REDIRECT: length (2), text

Oracle publishes the messages (ORA-12505, ...) but not the format; it is as network analysers describe it. The logon
behind it (TTC) is not spoken: an ACCEPT means that the listener knows the service and a server process took over.
"""

import re
import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Send, printable
from btimd.probes.wire.octets import Octets, text_of
from btimd.probes.wire.script import Halt, Script, Talk, Want

ORACLE_PORT: Final = 1521
CONNECT, ACCEPT, REFUSE, REDIRECT, DATA, RESEND = 1, 2, 4, 5, 6, 11
_TEXT_AT: Final = 58
_MOST_INLINE: Final = 230
"""Text longer than this goes in a packet of its own behind CONNECT."""
_MAX_PACKET: Final = 16 * 1024
_MOST_RESENDS: Final = 3
_NAME: Final = re.compile(r"[A-Za-z0-9_.$#-]{1,128}")
_CODE: Final = re.compile(r"\((?:ERR|CODE|err|code)=(\d{1,6})\)")
_VERSION: Final = re.compile(r"\(VSNNUM=(\d{1,10})\)")
_MEANINGS: Final = {
    12505: "the listener does not know the SID",
    12514: "the listener does not know the service",
    12516: "no handler is free: the processes limit is reached",
    12518: "the listener cannot hand the connection on",
    12519: "no handler is free: the processes limit is reached",
    12520: "no handler is free: the processes limit is reached",
    12521: "the listener does not know the instance",
    12526: "the instances are in restricted mode",
    12528: "the instances take no new connections: they start or shut down",
    12529: "the listener turns this host away by its rules",
    12535: "the listener waited too long",
}  # fmt: skip
_REFUSED_BY_RULES: Final = frozenset({12529, 12546})


def encode_packet(kind: int, content: bytes) -> bytes:
    """Return a packet."""
    return struct.pack("!HHBBH", 8 + len(content), 0, kind, 0, 0) + content


def encode_connect(text: str) -> bytes:
    """Return the CONNECT packet of a text, and the DATA packet that carries it where it is too long."""
    data = text.encode()
    head = struct.pack(
        "!HHHHHHHHHHIBB24x", 0x0136, 0x012C, 0, 8192, 32767, 0x7F08, 0, 1, len(data), _TEXT_AT, 2048, 0, 0
    )
    if len(data) <= _MOST_INLINE:
        return encode_packet(CONNECT, head + data)
    return encode_packet(CONNECT, head) + encode_packet(DATA, b"\0\0" + data)


def version_text(number: int) -> str:
    """Return a version as people write it: 318767104 is 19.0.0.0.0 (VSNNUM, the old division of its bits)."""
    first = number >> 24
    if first >= 18:
        parts = first, number >> 16 & 0xFF, number >> 12 & 0xF, number >> 4 & 0xFF, number & 0xF
    else:
        parts = first, number >> 20 & 0xF, number >> 12 & 0xFF, number >> 8 & 0xF, number & 0xFF
    return ".".join(str(part) for part in parts)


class OracleDialogue(Script):
    """Asks a listener for a service or SID, or, without one, for its version.

    Good when the listener accepts or names another address of the service (which is not followed). Without service
    every answer of the protocol is good.
    """

    protocol = "Oracle Net (TNS)"

    def __init__(self, host: str, port: int, *, service: str = "", sid: str = "") -> None:
        super().__init__(host, port or ORACLE_PORT)
        if service and sid:
            raise ValueError("write service_name or sid, not both")
        wanted = service or sid
        if wanted and not _NAME.fullmatch(wanted):
            raise ValueError(f"{wanted!r} is no name of a service; letters, digits and . _ - $ # make one")
        self._wanted = wanted
        what = f"SERVICE_NAME={service}" if service else f"SID={sid}" if sid else "COMMAND=VERSION"
        who = "(CID=(PROGRAM=btimd)(HOST=btimd)(USER=btimd))"
        self._connect_text = f"(DESCRIPTION=(CONNECT_DATA=({what}){who}))"

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "answer the connect"
        for _ in range(_MOST_RESENDS):
            yield Send(encode_connect(self._connect_text))
            kind, content = yield from self._packet()
            if kind != RESEND:
                break
        else:
            raise Halt(ErrorClass.WRONG_ANSWER, f"asks {_MOST_RESENDS} times to send the connect again")
        self._elapsed("answer_seconds")
        match kind:
            case 2:
                self._values["tns_version"] = Octets(content).number(2)
                return f"knows {self._wanted!r} and accepts" if self._wanted else "accepts"
            case 4:
                return self._refused(content)
            case 5:
                where = printable(text_of(Octets(content).sized(2)), 120)
                return f"knows {self._wanted!r} and sends us on to {where}"
            case _:
                raise AnswerError(f"a packet of type {kind} in answer to CONNECT")

    def _packet(self) -> Talk[tuple[int, bytes]]:
        head = yield Want(8)
        size = int.from_bytes(head[:2])
        if not 8 <= size <= _MAX_PACKET or not 1 <= head[4] <= 19:
            raise AnswerError(f"a packet that begins with {head!r}")
        return head[4], (yield Want(size - 8))

    def _refused(self, content: bytes) -> str:
        octets = Octets(content)
        octets.take(2)
        text = text_of(octets.sized(2))
        code = next((int(found) for found in _CODE.findall(text) if int(found)), 0)
        number = _VERSION.search(text)
        version = f"listener of version {version_text(int(number[1]) & 0xFFFFFFFF)}" if number else "a listener"
        if not self._wanted:
            return f"is {version}"
        means = _MEANINGS.get(code, f"the listener says {printable(text, 100)}")
        detail = f"refuses {self._wanted!r}: ORA-{code:05d}, {means}"
        raise Halt(ErrorClass.NOT_PERMITTED if code in _REFUSED_BY_RULES else ErrorClass.WRONG_ANSWER, detail)

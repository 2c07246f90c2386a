r"""DB2 and its kin by DRDA (The Open Group, DRDA V5 Vol. 3: DDM): EXCSAT and ACCSEC, which need no account.

message: length (2), 0xd0, type (1), number (2), then objects: length (2), code point (2), content; names in EBCDIC
"""

import struct
from collections.abc import Iterator
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Send, printable
from btimd.probes.wire.octets import Octets, text_of
from btimd.probes.wire.script import Halt, Script, Talk, Want

DRDA_PORT: Final = 50000
EXCSAT, EXCSATRD, ACCSEC, ACCSECRD = 0x1041, 0x1443, 0x106D, 0x14AC
EXTNAM, SRVNAM, SRVRLSLV, MGRLVLLS, SRVCLSNM = 0x115E, 0x116D, 0x115A, 0x1404, 0x1147
SECMEC, RDBNAM, SECCHKCD, SVRCOD = 0x11A2, 0x2110, 0x11A4, 0x1149
_EBCDIC: Final = "cp500"
_USER_AND_PASSWORD: Final = 3
_MOST_MESSAGES: Final = 6
_REFUSALS: Final = {
    0x1210: "MGRLVLRM: manager levels that do not fit", 0x1232: "AGNPRMRM: a permanent failure of the agent",
    0x1233: "RSCLMTRM: a resource limit is reached", 0x1245: "PRCCNVRM: a conversation it does not follow",
    0x124C: "SYNTAXRM: a syntax it does not follow", 0x1254: "CMDCHKRM: a check of the command failed",
    0x2203: "RDBAFLRM: the database cannot be accessed", 0x221A: "RDBAFLRM: the access of the database failed",
    0x2211: "RDBNFNRM: the database is not known", 0x2204: "RDBNACRM: the database is not accessed",
}  # fmt: skip
_MECHANISMS: Final = {
    3: "user and password", 4: "user alone", 7: "encrypted password", 9: "encrypted user and password", 11: "Kerberos",
}  # fmt: skip


def ddm(point: int, content: bytes) -> bytes:
    """Return an object."""
    return struct.pack("!HH", len(content) + 4, point) + content


def dss(number: int, content: bytes, *, kind: int = 1, more: bool = False) -> bytes:
    """Return a message: kind 1 is a request, 2 a reply; more: another one follows."""
    return struct.pack("!HBBH", len(content) + 6, 0xD0, kind | (0x40 if more else 0), number) + content


def encode_requests(database: str) -> bytes:
    """Return EXCSAT and ACCSEC, the second for a database where one is named."""
    levels = struct.pack("!10H", 0x1403, 7, 0x2407, 7, 0x240F, 7, 0x1440, 7, 0x1474, 5)
    attributes = ddm(EXTNAM, "btimd".encode(_EBCDIC)) + ddm(SRVNAM, "btimd".encode(_EBCDIC))
    attributes += ddm(SRVRLSLV, "btimd".encode(_EBCDIC)) + ddm(MGRLVLLS, levels)
    attributes += ddm(SRVCLSNM, "btimd".encode(_EBCDIC))
    security = ddm(SECMEC, struct.pack("!H", _USER_AND_PASSWORD))
    if database:
        security += ddm(RDBNAM, database.ljust(18).encode(_EBCDIC))
    return dss(1, ddm(EXCSAT, attributes), more=True) + dss(2, ddm(ACCSEC, security))


def read_objects(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (code point, content); raises AnswerError for a length that cannot be."""
    octets = Octets(content)
    while octets.left:
        size, point = octets.number(2), octets.number(2)
        if size < 4:
            raise AnswerError(f"an object of {size} octets")
        yield point, octets.take(size - 4)


class DrdaDialogue(Script):
    """Exchanges attributes and asks how to log on, without doing so.

    Good when both are answered. A database that the server does not know is bad, with the reply's name.
    """

    protocol = "DRDA (DB2)"

    def __init__(self, host: str, port: int, *, database: str = "") -> None:
        super().__init__(host, port or DRDA_PORT)
        if len(database) > 255 or not database.isascii() or not (database.isprintable()):
            raise ValueError(f"database {database!r} is no name of a database")
        self._database = database

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "answer EXCSAT"
        yield Send(encode_requests(self._database))
        told = "a DRDA server"
        for _ in range(_MOST_MESSAGES):
            for point, content in read_objects((yield from self._message())):
                if point == EXCSATRD:
                    told = self._server(content)
                    self._elapsed("answer_seconds")
                    self._doing = "answer ACCSEC"
                elif point == ACCSECRD:
                    return self._security(content, told)
                elif point in _REFUSALS:
                    self._refused(point, content, told)
        raise AnswerError(f"{_MOST_MESSAGES} messages without the answer to ACCSEC")

    def _message(self) -> Talk[bytes]:
        head = yield Want(6)
        size = int.from_bytes(head[:2])
        if head[2] != 0xD0 or not 10 <= size <= 0x7FFF:
            raise AnswerError(f"a message that begins with {head!r}")
        return (yield Want(size - 6))

    @staticmethod
    def _server(content: bytes) -> str:
        fields = dict(read_objects(content))
        texts = (fields.get(SRVCLSNM, b""), fields.get(SRVRLSLV, b""), fields.get(SRVNAM, b""))
        kind, level, name = (printable(text_of(text, _EBCDIC).strip(), 30) for text in texts)
        return " ".join(part for part in (kind or "a DRDA server", level, f"({name})" if name else "") if part)

    def _security(self, content: bytes, told: str) -> str:
        mechanisms: list[int] = []
        for point, value in read_objects(content):
            if point == SECCHKCD:
                code = int.from_bytes(value[:1])
                raise Halt(ErrorClass.WRONG_ANSWER, f"is {told} and says that its security fails (SECCHKCD {code})")
            if point == SECMEC:
                mechanisms += [int.from_bytes(value[at : at + 2]) for at in range(0, min(len(value), 20), 2)]
        self._elapsed("answer_seconds")
        ways = ", ".join(_MECHANISMS.get(number, f"mechanism {number}") for number in mechanisms) or "nothing it names"
        known = f", knows {self._database!r}" if self._database else ""
        return f"is {told}{known} and lets accounts in by {ways}"

    def _refused(self, point: int, content: bytes, told: str) -> None:
        fields = dict(read_objects(content))
        severity = int.from_bytes(fields.get(SVRCOD, b"")[:2])
        says = f"is {told} and says {_REFUSALS[point]} (severity {severity})"
        raise Halt(ErrorClass.WRONG_ANSWER, says)

r"""Microsoft SQL Server: PRELOGIN, and with an account LOGIN7 and SELECT 1 (MS-TDS 2.2.6.5, 2.2.6.4, 2.2.6.7).

PRELOGIN: options (token, place, length) ... 0xff, their values; VERSION = 0, ENCRYPTION = 1

The TLS that most servers want for LOGIN7 is wrapped into TDS packets; it is not spoken here. An account logs on where
the server takes it plain, or inside TLS from the first octet (TDS 8, "strict").
"""

import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import Octets
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk
from btimd.probes.wire.tds import (
    ERROR,
    LOGIN_ACK,
    REPLY,
    TdsMessage,
    decode_error,
    encode_packets,
    read_message,
    read_tokens,
)

MSSQL_PORT: Final = 1433
PRELOGIN: Final = 0x12
LOGIN7: Final = 0x10
BATCH: Final = 0x01
NOT_SUPPORTED: Final = 2
_TDS_7_1: Final = 0x71000001
_VERSIONS: Final = {
    8: "2000", 9: "2005", 10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022",
}  # fmt: skip
_NOT_ALLOWED: Final = frozenset({229, 916, 4060, 4062, 4064, 18450, 18452, 18456, 18470, 18486, 18487, 18488})
_WAITED: Final = frozenset({1222})  # lock request time out
_ANOTHER: Final = "btimd: another value"


def encode_prelogin() -> bytes:
    """Return the PRELOGIN message: no encryption is known."""
    values = (bytes(6), bytes([NOT_SUPPORTED]), b"\0", bytes(4))
    at = 5 * len(values) + 1
    head = b""
    for token, value in enumerate(values):
        head += struct.pack("!BHH", token, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(values)


def decode_prelogin(content: bytes) -> tuple[str, int]:
    """Return (version, encryption) of the server's PRELOGIN; raises AnswerError where they are missing."""
    octets, values = Octets(content), dict[int, bytes]()
    for _ in range(32):
        token = octets.number(1)
        if token == 0xFF:
            break
        at, size = octets.number(2), octets.number(2)
        values[token] = content[at : at + size]
    version = values.get(0, b"")
    if len(version) < 4 or len(values.get(1, b"")) != 1:
        raise AnswerError("a PRELOGIN without version and encryption")
    return f"{version[0]}.{version[1]}.{int.from_bytes(version[2:4])}", values[1][0]


def encode_login(account: Account) -> bytes:
    """Return the LOGIN7 message of TDS 7.1; the password is only disguised."""
    password = (account.password or "").encode("utf-16-le")
    disguised = bytes(((octet << 4 | octet >> 4) & 0xFF) ^ 0xA5 for octet in password)
    texts = [
        "btimd".encode("utf-16-le"), account.user.encode("utf-16-le"), disguised, "btimd".encode("utf-16-le"), b"", b"",
        "btimd".encode("utf-16-le"), b"", account.database.encode("utf-16-le"),
    ]  # fmt: skip
    fixed = struct.pack("<IIIIIBBBBiI", _TDS_7_1, 4096, 0, 0, 0, 0xE0, 0x03, 0, 0, 0, 0)
    at, places = 86, b""
    for number, text in enumerate(texts):
        places += struct.pack("<HH", at, len(text) // 2)
        at += len(text)
        if number == 8:
            places += bytes(6)  # the client's id
    places += struct.pack("<HHHH", at, 0, at, 0)
    body = fixed + places + b"".join(texts)
    return struct.pack("<I", len(body) + 4) + body


class MssqlDialogue(Script):
    """Asks for the version and, with an account, logs on and asks SELECT 1 or the operator's query.

    Good without a password when PRELOGIN is answered. A wrong password or a missing right is unknown, not-permitted;
    every other error is bad, with its number.
    """

    protocol = "TDS (SQL Server)"

    def __init__(self, host: str, port: int, account: Account, question: Question | None = None) -> None:
        super().__init__(host, port or MSSQL_PORT)
        self._account = account
        self._question = question or Question()

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        self._doing = "answer the PRELOGIN"
        yield Send(encode_packets(PRELOGIN, encode_prelogin()))
        version, encryption = decode_prelogin((yield from read_message(REPLY)))
        self._elapsed("answer_seconds")
        year = _VERSIONS.get(int(version.partition(".")[0]))
        told = f"is SQL Server {year} ({version})" if year else f"is SQL Server {version}"
        if self._account.password is None:
            return told
        if encryption != NOT_SUPPORTED and not self._account.tls.is_needed:
            raise Halt(
                ErrorClass.NOT_PERMITTED, f"{told} and wants the logon encrypted inside TDS, which is not spoken here"
            )
        self._doing = "finish the logon"
        yield Send(encode_packets(LOGIN7, encode_login(self._account)))
        if not (yield from self._answer("logon")):
            raise AnswerError("neither LOGINACK nor an error in answer to LOGIN7")
        self._elapsed("logon_seconds")
        yield from self._ask()
        self._elapsed("answer_seconds")
        return f"{told} and answers {'the query' if self._question.query else 'SELECT 1'}"

    def _ask(self) -> Talk[None]:
        self._doing = "answer the query"
        began = self._now
        milliseconds = max(1, int(self._question.statement_seconds * 1000))
        # The value stays in a variable: an answer without rows needs no knowledge of the types of columns.
        batch = f"SET NOCOUNT ON; SET LOCK_TIMEOUT {milliseconds}; DECLARE @btimd NVARCHAR(4000); "
        batch += f"SET @btimd = ({self._question.query or 'SELECT 1'})"
        if self._question.expect:
            wanted = self._question.expect.replace("'", "''")
            batch += f"; IF @btimd IS NULL OR @btimd <> N'{wanted}' RAISERROR('{_ANOTHER}', 16, 1)"
        yield Send(encode_packets(BATCH, batch.encode("utf-16-le")))
        yield from self._answer("query")
        self._elapsed("query_seconds", began)

    def _answer(self, doing: str) -> Talk[bool]:
        """Read an answer; return whether the logon was acknowledged, raise Halt for an error."""
        known = False
        content = yield from read_message()
        for token, data in read_tokens(content):
            if token == ERROR:
                raise self._refusal(decode_error(data), doing)
            known = known or token == LOGIN_ACK
        return known

    def _refusal(self, error: TdsMessage, doing: str) -> Halt:
        if error.text == _ANOTHER:
            return Halt(ErrorClass.WRONG_ANSWER, f"answers the query with another value than {self._question.expect!r}")
        says = f"says {error.number} (level {error.level}): {printable(error.text, 120)}"
        if error.number in _NOT_ALLOWED:
            what = "user, password and database" if doing == "logon" else "rights"
            return Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's {what}")
        return Halt(ErrorClass.NO_ANSWER if error.number in _WAITED else ErrorClass.WRONG_ANSWER, says)

r"""Sybase (SAP) ASE: the login record of TDS 5 and, with an account, SELECT 1 (TDS 5.0 functional specification).

login: fields of fixed size, each followed by how much of it is used; then the capability token
answer: LOGINACK (0xad): length (2), status (5 = in, 6 = out, 7 = go on), version (4), name, version (4)
"""

import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import Octets, text_of
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk
from btimd.probes.wire.tds import (
    ERROR,
    EXTENDED_ERROR,
    LOGIN_ACK,
    TdsMessage,
    decode_extended_error,
    encode_packets,
    read_message,
    read_tokens,
)

SYBASE_PORT: Final = 5000
LOGIN: Final = 2
NORMAL: Final = 15
_LARGEST: Final = 512
_IN: Final = 5
_GO_ON: Final = 7
_LOGIN_FAILED: Final = frozenset({4002, 4009, 10330, 10351})
_ANOTHER: Final = "btimd: another value"
_CAPABILITIES: Final = (
    # requests: language, procedures, several statements, the simple types; answers: none is unwanted
    b"\xe2\x18\0" + b"\x01\x0a" + bytes.fromhex("000000000001ffffff16") + b"\x02\x0a" + bytes(10)
)


def encode_login(account: Account) -> bytes:
    """Return the login message; raises ValueError where a name is longer than its 30 octets."""
    password = (account.password or "").encode()
    user = account.user.encode()
    if len(password) > 30 or len(user) > 30:
        raise ValueError("user and password of TDS 5 have at most 30 octets")
    remote = struct.pack("BB", 0, len(password)) + password
    record = _field("btimd", 30) + _text(user, 30) + _text(password, 30) + _field("1", 30)
    record += bytes([3, 1, 6, 10, 9, 1, 0, 0, 0]) + bytes(4) + bytes(3)  # byte orders, types of numbers
    record += _field("btimd", 30) + _field("", 30) + _text(remote, 255) + b"\5\0\0\0" + _field("btimd", 10)
    record += b"\1\0\0\0" + bytes([0, 13, 17]) + _field("us_english", 30) + b"\1" + bytes(2) + bytes(1) + bytes(10)
    record += _field("utf8", 30) + b"\1" + _field(str(_LARGEST), 6) + bytes(4)
    return record + _CAPABILITIES


def _field(text: str, size: int) -> bytes:
    return _text(text.encode(), size)


def _text(data: bytes, size: int) -> bytes:
    return data.ljust(size, b"\0") + bytes([len(data)])


class SybaseDialogue(Script):
    """Tries to log on; with an account asks SELECT 1 or the operator's query.

    Without a password it is good that the server refuses the logon: it got as far as looking for the account.
    """

    protocol = "TDS 5 (Sybase ASE)"

    def __init__(self, host: str, port: int, account: Account, question: Question | None = None) -> None:
        super().__init__(host, port or SYBASE_PORT)
        self._account = account
        self._login = encode_login(account if account.password is not None else Account("btimd_nobody", ""))
        self._question = question or Question()

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        self._doing = "finish the logon"
        yield Send(encode_packets(LOGIN, self._login, _LARGEST))
        told, error = yield from self._acknowledged()
        self._elapsed("answer_seconds")
        if error is not None:
            return self._turned_away(told, error)
        if self._account.password is None:
            return f"{told}; SQL was not tried"
        self._elapsed("logon_seconds")
        self._doing = "answer the query"
        began = self._now
        seconds = max(1, int(self._question.statement_seconds))
        query = self._question.query or "select 1"
        sql = f"set lock wait {seconds} declare @btimd varchar(255) select @btimd = convert(varchar(255), ({query}))"
        if self._question.expect:
            wanted = self._question.expect.replace("'", "''")
            sql += f" if @btimd is null or @btimd != '{wanted}' raiserror 20001 '{_ANOTHER}'"
        data = sql.encode()
        yield Send(encode_packets(NORMAL, b"\x21" + struct.pack("<IB", len(data) + 1, 0) + data, _LARGEST))
        self._check((yield from read_message()))
        self._elapsed("query_seconds", began)
        self._elapsed("answer_seconds")
        return f"{told} and answers {'the query' if self._question.query else 'select 1'}"

    def _acknowledged(self) -> Talk[tuple[str, TdsMessage | None]]:
        """Return the server's name, and why it lets nobody in, None where it does."""
        told, status, error = "", 0, None
        for token, data in read_tokens((yield from read_message())):
            if token == LOGIN_ACK:
                octets = Octets(data, "little")
                status = octets.number(1)
                octets.take(4)
                name = printable(text_of(octets.sized(1)).strip("\0 "), 40)
                told = f"is {name} {'.'.join(str(octet) for octet in octets.take(min(3, octets.left)))}"
            elif token in {EXTENDED_ERROR, ERROR}:
                found = decode_extended_error(data) if token == EXTENDED_ERROR else _old_error(data)
                error = found if found.level > 10 else error
        if not told and error is None:
            raise AnswerError("neither LOGINACK nor an error in answer to the login")
        if status == _IN:
            return told, None
        if status == _GO_ON and error is None:
            error = TdsMessage(10330, 14, "the server wants the password encrypted, which is not spoken here")
        return told or "answers", error or TdsMessage(4002, 14, "Login failed.")

    def _turned_away(self, told: str, error: TdsMessage) -> str:
        says = f"{told} and says {error.number} (level {error.level}): {printable(error.text, 110)}"
        if error.number not in _LOGIN_FAILED:
            raise Halt(ErrorClass.WRONG_ANSWER, says)
        if self._account.password is not None:
            raise Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's user and password")
        return f"{told} and lets nobody in without an account; SQL was not tried"

    def _check(self, content: bytes) -> None:
        for token, data in read_tokens(content):
            if token in {EXTENDED_ERROR, ERROR}:
                error = decode_extended_error(data) if token == EXTENDED_ERROR else _old_error(data)
                if error.text == _ANOTHER:
                    detail = f"answers the query with another value than {self._question.expect!r}"
                    raise Halt(ErrorClass.WRONG_ANSWER, detail)
                if error.level > 10:
                    says = f"says {error.number} (level {error.level}): {printable(error.text, 120)}"
                    raise Halt(ErrorClass.NO_ANSWER if error.number == 12205 else ErrorClass.WRONG_ANSWER, says)


def _old_error(data: bytes) -> TdsMessage:
    octets = Octets(data, "little")
    number = octets.number(4, signed=True)
    octets.take(1)
    return TdsMessage(number, octets.number(1), text_of(octets.sized(2)).strip())

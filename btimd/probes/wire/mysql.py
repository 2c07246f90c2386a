"""MySQL and MariaDB: does it greet, let the account in, and execute SQL."""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.mysqlmessage import (
    CACHING_SHA2,
    CLEAR,
    MAX_PACKET,
    NATIVE,
    SSL,
    Greeting,
    ServerError,
    answer_caching_sha2,
    answer_native,
    capabilities_for,
    decode_error,
    decode_greeting,
    decode_row,
    encode,
    encode_logon,
    encode_ssl_request,
    encrypt_password,
)
from btimd.probes.wire.postgresmessage import number_in
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk, Tls, Want

MYSQL_PORT: Final = 3306
NOBODY: Final = "btimd"
"""Who knocks where no user is given: to break off after the greeting counts against this host (max_connect_errors)."""

_SELECT_ONE: Final = "SELECT 1"
_OK: Final = 0x00
_MORE: Final = 0x01
_END: Final = 0xFE
_ERROR: Final = 0xFF
_NOT_ALLOWED: Final = frozenset({1044, 1045, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1862, 4151})
_WAITED: Final = frozenset({1205, 1317, 1969, 3024})  # lock wait, interrupted, max_statement_time, max_execution_time
_RESOURCES: Final = frozenset({1021, 1037, 1038, 1040, 1041, 1203, 1226})
"""Disk full, out of memory, too many connections of all, of a user."""
_FAST_OK: Final = b"\x03"
_FULL: Final = b"\x04"
_WANT_KEY: Final = b"\x02"
_WAITS: Final = (
    "SELECT COUNT(*), MAX(TIMESTAMPDIFF(SECOND, trx_wait_started, NOW())) FROM information_schema.INNODB_TRX "
    "WHERE trx_state = 'LOCK WAIT'"
)


class MysqlDialogue(Script):
    """Reads the greeting, logs on and asks SELECT 1, or the operator's query, whose changes are rolled back.

    Without a user it is good that the server turns an unknown account away: it got as far as looking for it. With one,
    a wrong password or a missing right is no word about the server: unknown, not-permitted. Every other ERR is bad.
    """

    protocol = "MySQL"

    def __init__(
        self, host: str, port: int, account: Account, question: Question | None = None, *, token: int = 0
    ) -> None:
        super().__init__(host, port or MYSQL_PORT)
        self._account = account
        self._question = question or Question()
        self._token = token
        self._sequence = 0
        self._secured = False

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "finish its greeting"
        content = yield from self._packet()
        if content[:1] == b"\xff":
            return self._turned_away(decode_error(content), "")
        greeting = decode_greeting(content)
        self._elapsed("greeting_seconds")
        self._doing = "finish the logon"
        told = f"is {'MariaDB' if greeting.is_mariadb else 'MySQL'} {printable(greeting.version, 40)}"
        stopped = yield from self._log_on(greeting, told)
        if stopped:
            return stopped
        self._goodbye = encode(0, b"\x01")
        self._elapsed("logon_seconds")
        yield from self._ask(greeting)
        if self._question.state:
            yield from self._look_around()
        self._elapsed("answer_seconds")
        return f"{told} and answers {'the query' if self._question.query else _SELECT_ONE}"

    def _packet(self) -> Talk[bytes]:
        head = yield Want(4)
        size = int.from_bytes(head[:3], "little")
        if not 1 <= size <= MAX_PACKET:
            raise AnswerError(f"a packet that begins with {head + bytes(self._buffer[:4])!r}")
        self._sequence = head[3] + 1
        return (yield Want(size))

    def _log_on(self, greeting: Greeting, told: str) -> Talk[str]:
        """Log on; return why not, empty where the session stands."""
        tls = self._account.tls
        offered = bool(greeting.capabilities & SSL)
        if tls.is_needed and not offered:
            raise Halt(ErrorClass.PROTOCOL_ERROR, f"{told} and does not offer TLS, which the check asks for")
        secure = offered and tls is not Tls.OFF
        capabilities = capabilities_for(greeting, secure=secure, database=self._account.database)
        if secure:
            yield Send(encode(self._sequence, encode_ssl_request(capabilities)))
            yield Secure(self._host, verify=tls.is_verified)
            self._secured = True
            self._sequence += 1
        plugin = greeting.plugin if greeting.plugin in {NATIVE, CACHING_SHA2} else NATIVE
        user, answer = self._account.user or NOBODY, self._answer(plugin, greeting.scramble)
        yield Send(encode(self._sequence, encode_logon(capabilities, user, answer, self._account.database, plugin)))
        scramble = greeting.scramble
        while True:
            content = yield from self._packet()
            match content[0]:
                case 0x00:
                    return ""
                case 0xFF:
                    return self._turned_away(decode_error(content), told)
                case 0xFE:
                    name, _, scramble = content[1:].partition(b"\0")
                    plugin, scramble = name.decode("utf-8", "replace"), scramble.removesuffix(b"\0")
                    yield Send(encode(self._sequence, self._switched(plugin, scramble, told)))
                case 0x01 if plugin == CACHING_SHA2:
                    yield from self._go_on(content[1:], scramble)
                case other:
                    raise AnswerError(f"a packet of type {other:#x} in the logon")

    def _password(self) -> bytes:
        return (self._account.password or "").encode()

    def _answer(self, plugin: str, scramble: bytes) -> bytes:
        if plugin == CACHING_SHA2:
            return answer_caching_sha2(self._password(), scramble)
        return answer_native(self._password(), scramble)

    def _switched(self, plugin: str, scramble: bytes, told: str) -> bytes:
        """Answer the server's wish for another way of logging on."""
        if plugin in {NATIVE, CACHING_SHA2}:
            return self._answer(plugin, scramble)
        if plugin == CLEAR and self._secured:
            return self._password() + b"\0"
        wants = "the password in clear, outside TLS" if plugin == CLEAR else f"{printable(plugin, 40)!r}"
        raise Halt(ErrorClass.NOT_PERMITTED, f"{told} and asks for {wants}, which is not done here; SQL was not tried")

    def _go_on(self, data: bytes, scramble: bytes) -> Talk[None]:
        """Go on with caching_sha2_password: the server knows the account, or wants the whole password."""
        if data == _FAST_OK:
            return
        if data == _FULL:
            secret = self._password() + b"\0" if self._secured else _WANT_KEY
            yield Send(encode(self._sequence, secret))
            return
        if self._secured or not scramble:
            raise AnswerError("a key that was not asked for")
        encrypted = encrypt_password(self._password(), scramble, data, self._token)
        yield Send(encode(self._sequence, encrypted))

    def _turned_away(self, error: ServerError, told: str) -> str:
        """Say what an error in the logon means: good where nobody tried to get in, else the end."""
        says = f"{told} and says {error.text}" if told else f"says {error.text}"
        if error.code not in _NOT_ALLOWED:
            raise Halt(ErrorClass.EXCEEDED if error.code in _RESOURCES else ErrorClass.WRONG_ANSWER, says)
        if self._account.user:
            raise Halt(ErrorClass.NOT_PERMITTED, f"{printable(says, 150)}; check the probe's user, password and host")
        self._elapsed("answer_seconds")
        return f"{told or 'answers'} and lets nobody in without an account; SQL was not tried"

    def _ask(self, greeting: Greeting) -> Talk[None]:
        if self._question.query:
            yield from self._prepare(greeting)
        self._doing = f"answer {'the query' if self._question.query else _SELECT_ONE}"
        began = self._now
        row = yield from self._query(self._question.query or _SELECT_ONE)
        self._elapsed("query_seconds", began)
        if isinstance(row, ServerError):
            raise self._refusal(row)
        if not self._question.query and row != ("1",):
            raise Halt(ErrorClass.WRONG_ANSWER, f"answers SELECT 1 with {printable(repr(row), 80)}")
        self._question.judge(row[0] if row else None)

    def _prepare(self, greeting: Greeting) -> Talk[None]:
        """Bound statements and locks; what old servers do not know they say and is left out. Closing rolls back."""
        self._doing = "prepare the session"
        seconds = self._time_for(self._question)
        whole = max(1, int(seconds))
        time = (
            f"max_statement_time={seconds:.3f}" if greeting.is_mariadb else f"max_execution_time={seconds * 1000:.0f}"
        )
        for setting in (f"autocommit=0, lock_wait_timeout={whole}", f"innodb_lock_wait_timeout={whole}", time):
            yield from self._query(f"SET SESSION {setting}")

    def _look_around(self) -> Talk[None]:
        """Read how many connections there are and whether somebody waits for a row."""
        self._doing = "tell its state"
        used = yield from self._query("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        most = yield from self._query("SELECT @@GLOBAL.max_connections, @@GLOBAL.read_only")
        waits = yield from self._query(_WAITS)
        for name, row, column in (
            ("connections_used", used, 1),
            ("connections_max", most, 0),
            ("read_only", most, 1),
            ("waiting_locks", waits, 0),
            ("longest_lock_wait_seconds", waits, 1),
        ):
            number = None if isinstance(row, ServerError) or row is None else number_in(row, column)
            if number is not None:
                self._values[name] = number
        longest, limit = self._values.get("longest_lock_wait_seconds", 0.0), self._question.most_wait_seconds
        if limit is not None and longest > limit:
            raise Halt(
                ErrorClass.WRONG_ANSWER,
                f"has a transaction that waits {longest:.0f} s for a lock, more than {limit:g} s "
                f"({self._values.get('waiting_locks', 0):.0f} wait)",
            )

    def _query(self, sql: str) -> Talk[tuple[str | None, ...] | ServerError | None]:
        """Ask; return the first row, None where there is none, or the error."""
        yield Send(encode(0, b"\x03" + sql.encode()))
        content = yield from self._packet()
        if content[0] == _ERROR:
            return decode_error(content)
        if content[0] == _OK:
            return None
        if content[0] in {0xFB, _END}:
            raise AnswerError(f"a packet of type {content[0]:#x} for the number of columns")
        row: tuple[str | None, ...] | None = None
        ends = 0
        while ends < 2:  # behind the columns and behind the rows
            content = yield from self._packet()
            if content[0] == _ERROR:
                return decode_error(content)
            if content[0] == _END and len(content) < 9:
                ends += 1
            elif ends == 1 and row is None:
                row = decode_row(content)
        return row

    def _refusal(self, error: ServerError) -> Halt:
        says = f"says {error.text}"
        if error.code in _NOT_ALLOWED:
            return Halt(ErrorClass.NOT_PERMITTED, f"{printable(says, 150)}; grant it to the probe's user")
        if error.code in _RESOURCES:
            return Halt(ErrorClass.EXCEEDED, says)
        return Halt(ErrorClass.NO_ANSWER if error.code in _WAITED else ErrorClass.WRONG_ANSWER, says)

"""PostgreSQL: does it start a session, let the account in, and execute SQL (chapter 55 of its documentation)."""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import Octets
from btimd.probes.wire.postgresmessage import (
    SSL_REQUEST,
    TERMINATE,
    check_head,
    decode_error,
    decode_row,
    encode,
    encode_password,
    encode_query,
    encode_sasl_initial,
    encode_startup,
    md5_answer,
    number_in,
)
from btimd.probes.wire.scram import Scram, nonce_of, prepared
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk, Tls, Want

POSTGRES_PORT: Final = 5432
SELECT_ONE: Final = "SELECT 1"
_AUTHENTICATION: Final = {
    3: "a password", 5: "an MD5 password", 7: "GSSAPI", 9: "SSPI", 10: "SASL (SCRAM)",
}  # fmt: skip
_RESOURCES: Final = "53"  # SQLSTATE class: insufficient resources: connections, disk, memory
_NOT_ALLOWED: Final = "28"  # SQLSTATE class: invalid authorization specification
_NOT_ENOUGH: Final = "42501"  # insufficient privilege
_WAITED: Final = frozenset({"57014", "55P03"})  # broken off after the statement's time; lock not available
_STATE: Final = (
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL), current_setting('max_connections'), "
    "(SELECT count(*) FROM pg_locks WHERE NOT granted), "
    "(SELECT extract(epoch FROM max(clock_timestamp() - query_start)) FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock'), pg_is_in_recovery()::int"
)
_STATE_NAMES: Final = (
    "connections_used", "connections_max", "waiting_locks", "longest_lock_wait_seconds", "in_recovery",
)  # fmt: skip


class PostgresDialogue(Script):
    """Connects, logs on and asks SELECT 1, or the operator's query in a transaction that is rolled back.

    Good when the row comes. Where the server asks for a password and there is none it is good too: the server got as
    far as knowing the user. A wrong password is no word about the server: unknown, not-permitted. Any other
    ErrorResponse is bad, with its SQLSTATE.
    """

    protocol = "PostgreSQL"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        database: str,
        password: str | None = None,
        tls: Tls = Tls.OFFERED,
        question: Question | None = None,
        token: int = 0,
    ) -> None:
        super().__init__(host, port or POSTGRES_PORT)
        self._startup = encode_startup(user, database)
        self._account = Account(user, password, database, tls)
        self._question = question or Question()
        self._query = encode_query(self._question.query or SELECT_ONE)
        self._token = token
        self._secured = False

    @override
    def _conversation(self) -> Talk[str]:
        yield from self._secure()
        self._doing = "finish the logon"
        yield Send(self._startup)
        stopped = yield from self._log_on()
        if stopped:
            return stopped
        self._goodbye = TERMINATE
        self._elapsed("logon_seconds")
        yield from self._ask()
        if self._question.state:
            yield from self._look_around()
        self._elapsed("answer_seconds")
        return f"answers {'the query' if self._question.query else SELECT_ONE}"

    def _secure(self) -> Talk[None]:
        if self._account.tls is Tls.OFF:
            return
        yield Send(SSL_REQUEST)
        answer = yield Want(1)
        if answer == b"S":
            yield Secure(self._host, verify=self._account.tls.is_verified)
            self._secured = True
        elif answer != b"N":  # a server that cannot start a session says so at once: an ErrorResponse
            self._buffer[:0] = answer
            yield from self._message()
            raise AnswerError(f"an answer to the wish for TLS that begins with {answer!r}")
        elif self._account.tls.is_needed:
            raise Halt(ErrorClass.PROTOCOL_ERROR, "does not offer TLS, which the check asks for")

    def _message(self) -> Talk[tuple[bytes, bytes]]:
        """Return (type, content) of the next message; an ErrorResponse ends the dialogue."""
        while True:
            head = yield Want(5)
            try:
                size = check_head(head)
            except AnswerError:
                raise AnswerError(f"a message that begins with {head + bytes(self._buffer[:3])!r}") from None
            content = yield Want(size)
            if head[:1] == b"E":
                raise self._error(content)
            if head[:1] not in b"NSA":  # notices, parameters, notifications come at any time
                return head[:1], content

    def _log_on(self) -> Talk[str]:
        """Log on; return why not, empty where the session stands."""
        scram: Scram | None = None
        while True:
            kind, content = yield from self._message()
            if kind == b"Z":
                return ""
            if kind != b"R":
                continue
            octets = Octets(content)
            method = octets.number(4) if octets.left >= 4 else -1
            if method == 0:
                continue
            if method in {11, 12} and scram is not None:
                yield from self._go_on(scram, method, octets.rest())
                continue
            if self._account.password is None:
                self._elapsed("answer_seconds")
                wants = _AUTHENTICATION.get(method, f"authentication {method}")
                return f"answers the handshake and asks for {wants}; SQL was not tried"
            scram = yield from self._prove(method, octets, self._account.password)

    def _prove(self, method: int, octets: Octets, password: str) -> Talk[Scram | None]:
        if method == 3:
            if not self._secured and self._account.tls is not Tls.OFF:
                raise Halt(
                    ErrorClass.NOT_PERMITTED,
                    'asks for the password in clear outside TLS; it was not sent (tls = "false" allows it)',
                )
            yield Send(encode_password(password.encode()))
        elif method == 5:
            yield Send(encode_password(md5_answer(self._account.user, password, octets.take(4))))
        elif method == 10:
            if b"SCRAM-SHA-256" not in octets.rest().split(b"\0"):
                raise Halt(ErrorClass.NOT_PERMITTED, "offers no SCRAM-SHA-256, the one kind of SASL known here")
            # The server takes the name of the startup message; that of SCRAM stays empty, as in libpq.
            scram = Scram("SCRAM-SHA-256", "", prepared(password), nonce_of(self._token))
            yield Send(encode_sasl_initial("SCRAM-SHA-256", scram.first))
            return scram
        else:
            wants = _AUTHENTICATION.get(method, f"authentication {method}")
            raise Halt(ErrorClass.NOT_PERMITTED, f"asks for {wants}, which is not spoken here; SQL was not tried")
        return None

    @staticmethod
    def _go_on(scram: Scram, method: int, data: bytes) -> Talk[None]:
        if method == 11:
            yield Send(encode(b"p", scram.answer(data)))
        elif error := scram.finish(data):
            raise Halt(ErrorClass.NOT_PERMITTED, f"does not let the account in: {error}")

    def _ask(self) -> Talk[None]:
        began = self._now
        self._doing = f"answer {'the query' if self._question.query else SELECT_ONE}"
        if self._question.query:
            yield from self._prepare()
        yield Send(self._query)
        row = yield from self._row()
        self._elapsed("query_seconds", began)
        if not self._question.query and row != ("1",):
            self._elapsed("answer_seconds")
            found = None if row is None else printable(repr(row), 80)
            raise Halt(ErrorClass.WRONG_ANSWER, f"answers SELECT 1 with {found}")
        self._question.judge(row[0] if row else None)

    def _prepare(self) -> Talk[None]:
        """Open a transaction, which the end of the session rolls back; SET LOCAL is gone with it, also in poolers."""
        milliseconds = max(1, int(self._time_for(self._question) * 1000))
        begin = encode_query("BEGIN"), encode_query(f"SET LOCAL statement_timeout = {milliseconds}")
        yield Send(b"".join(begin))
        for _ in begin:
            yield from self._row()

    def _look_around(self) -> Talk[None]:
        """Read how many connections there are and whether somebody waits for a lock."""
        self._doing = "tell its state"
        yield Send(encode_query(_STATE))
        row = (yield from self._row()) or ()
        for column, name in enumerate(_STATE_NAMES):
            number = number_in(row, column)
            if number is not None:
                self._values[name] = number
        longest = self._values.get("longest_lock_wait_seconds", 0.0)
        most = self._question.most_wait_seconds
        if most is not None and longest > most:
            raise Halt(
                ErrorClass.WRONG_ANSWER,
                f"has a statement that waits {longest:.1f} s for a lock, more than {most:g} s "
                f"({self._values.get('waiting_locks', 0):.0f} locks are waited for)",
            )

    def _row(self) -> Talk[tuple[str | None, ...] | None]:
        """Read up to ReadyForQuery; return the first row, None where there is none."""
        row: tuple[str | None, ...] | None = None
        while True:
            kind, content = yield from self._message()
            if kind == b"Z":
                return row
            if kind == b"D" and row is None:
                row = decode_row(content)

    def _error(self, content: bytes) -> Halt:
        severity, state, message = decode_error(content)
        detail = f"says {severity} {state}: {message}"
        if state == _NOT_ENOUGH:
            return Halt(ErrorClass.NOT_PERMITTED, f"{printable(detail, 140)}; grant it to the probe's user")
        if state.startswith(_NOT_ALLOWED):
            detail = f"{printable(detail, 140)}; check the probe's user and database, and pg_hba.conf"
            known = self._account.password is not None
            return Halt(ErrorClass.NOT_PERMITTED if known else ErrorClass.WRONG_ANSWER, detail)
        if state.startswith(_RESOURCES):
            return Halt(ErrorClass.EXCEEDED, detail)
        return Halt(ErrorClass.NO_ANSWER if state in _WAITED else ErrorClass.WRONG_ANSWER, detail)

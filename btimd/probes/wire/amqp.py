"""AMQP 0-9-1 (RabbitMQ and its kin): does it greet, let the account in, and how full is a queue."""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.amqpframe import (
    BLOCKED,
    CHANNEL_CLOSE,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CLOSE,
    DECLARE,
    DECLARE_OK,
    FRAME_END,
    HEARTBEAT,
    MAX_FRAME,
    METHOD,
    OPEN,
    OPEN_OK,
    PROTOCOL_HEADER,
    START,
    START_OK,
    TUNE,
    TUNE_OK,
    UNBLOCKED,
    Method,
    decode_close,
    decode_start,
    frame,
    long,
    short,
    table,
)
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import Octets
from btimd.probes.wire.script import Account, Halt, Script, Talk, Want

AMQP_PORT: Final = 5672
AMQPS_PORT: Final = 5671
_GOODBYE: Final = frame(0, CLOSE, b"\x00\xc8" + short("done") + bytes(4))
_ACCESS_REFUSED: Final = 403
_NOT_ALLOWED: Final = 530


class AmqpDialogue(Script):
    """Reads who is there; with an account logs on, opens the virtual host and asks how many messages a queue holds.

    Good without a password when Connection.Start comes. most_messages: more of them in the queue are bad;
    least_readers: fewer consumers are bad.
    """

    protocol = "AMQP 0-9-1"

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        *,
        queue: str = "",
        most_messages: float | None = None,
        least_readers: float | None = None,
    ) -> None:
        secure = account.tls.is_needed
        super().__init__(host, port or (AMQPS_PORT if secure else AMQP_PORT))
        self._account = account
        self._vhost = short(account.database or "/")
        self._queue = queue
        self._queue_name = short(queue)
        self._most = most_messages
        self._least = least_readers

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        yield Send(PROTOCOL_HEADER)
        self._doing = "finish its greeting"
        start = decode_start((yield from self._expect(0, START)))
        self._elapsed("answer_seconds")
        told = printable(" ".join((start.product or "a broker", start.version)).strip(), 60)
        if self._account.password is None:
            return f"is {told}"
        if "PLAIN" not in start.mechanisms:
            offers = printable(", ".join(start.mechanisms), 60)
            raise Halt(ErrorClass.NOT_PERMITTED, f"is {told} and offers {offers}; only PLAIN is spoken here")
        yield from self._log_on(self._account.password)
        self._goodbye = _GOODBYE
        self._elapsed("logon_seconds")
        if self._queue:
            told += yield from self._look_at_queue()
        return f"is {told} and lets the account in" if not self._queue else f"is {told}"

    def _log_on(self, password: str) -> Talk[None]:
        self._doing = "finish the logon"
        abilities = table({"authentication_failure_close": True, "connection.blocked": True})
        about = short("product") + b"S" + long(b"btimd") + short("capabilities") + b"F" + abilities
        secret = b"\0" + self._account.user.encode() + b"\0" + password.encode()
        yield Send(frame(0, START_OK, long(about) + short("PLAIN") + long(secret) + short("en_US")))
        tune = yield from self._expect(0, TUNE)
        channels, largest = tune.number(2), tune.number(4)
        limits = (channels or 1).to_bytes(2) + min(largest or MAX_FRAME, MAX_FRAME).to_bytes(4) + bytes(2)
        yield Send(frame(0, TUNE_OK, limits) + frame(0, OPEN, self._vhost + short("") + b"\0"))
        yield from self._expect(0, OPEN_OK)

    def _look_at_queue(self) -> Talk[str]:
        """Ask, passively, how many messages the queue holds."""
        self._doing = f"tell about queue {printable(self._queue, 40)!r}"
        began = self._now
        yield Send(frame(1, CHANNEL_OPEN, short("")))
        yield from self._expect(1, CHANNEL_OPEN_OK)
        yield Send(frame(1, DECLARE, bytes(2) + self._queue_name + b"\x01" + table({})))
        found = yield from self._expect(1, DECLARE_OK)
        found.sized(1)
        messages, readers = found.number(4), found.number(4)
        self._elapsed("query_seconds", began)
        self._values["message_count"], self._values["consumer_count"] = messages, readers
        holds = f"queue {printable(self._queue, 60)!r} holds {messages} messages and has {readers} consumers"
        if self._most is not None and messages > self._most:
            raise Halt(ErrorClass.EXCEEDED, f"{holds}; more than {self._most:g} messages are too many")
        if self._least is not None and readers < self._least:
            raise Halt(ErrorClass.WRONG_ANSWER, f"{holds}; fewer than {self._least:g} consumers are too few")
        return f"; {holds}"

    def _expect(self, channel: int, wanted: Method) -> Talk[Octets]:
        """Return the arguments of the method that must come next; Close ends the dialogue."""
        while True:
            head = yield Want(8 if wanted == START else 7)
            if wanted == START:
                if head[:4] == b"AMQP":
                    version = ".".join(str(octet) for octet in head[4:])
                    raise AnswerError(f"it wants AMQP version {version}")
                self._buffer[:0] = head[7:]
                head = head[:7]
            size = int.from_bytes(head[3:7])
            if head[0] not in {METHOD, HEARTBEAT} or size > MAX_FRAME:
                raise AnswerError(f"a frame that begins with {head + bytes(self._buffer[:4])!r}")
            octets = Octets((yield Want(size)))
            if (yield Want(1)) != FRAME_END:
                raise AnswerError("a frame without its end")
            if head[0] == HEARTBEAT:
                continue
            method = octets.number(2), octets.number(2)
            if method == (*wanted,) and int.from_bytes(head[1:3]) == channel:
                return octets
            self._unexpected(method, octets)

    def _unexpected(self, method: Method, octets: Octets) -> None:
        """Go on after what may come at any time; raise for everything else."""
        if method == BLOCKED:
            reason = printable(octets.sized(1).decode("utf-8", "replace"), 80)
            raise Halt(ErrorClass.WRONG_ANSWER, f"takes no messages: {reason}")
        if method == UNBLOCKED:
            return
        if method not in {CLOSE, CHANNEL_CLOSE}:
            raise AnswerError(f"method {method[0]}.{method[1]} out of turn")
        code, text = decode_close(octets)
        says = f"says {code}: {printable(text, 150)}"
        if code in {_ACCESS_REFUSED, _NOT_ALLOWED}:
            raise Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's user, password, virtual host and rights")
        raise Halt(ErrorClass.WRONG_ANSWER, says)

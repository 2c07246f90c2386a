"""MongoDB: does it answer, as what member of its replica set, and let the account in (MongoDB wire protocol, OP_MSG).

message: size (4), id (4), answer to (4), 2013 (4), flags (4), 0, BSON document; little endian
"""

import hashlib
import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire import bson
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.scram import Scram, nonce_of, prepared
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk, Want

MONGODB_PORT: Final = 27017
MAX_MESSAGE: Final = 128 * 1024
_OP_MSG: Final = 2013
_ROLES: Final = ("", "primary", "secondary")
_NOT_ALLOWED: Final = frozenset({11, 13, 18, 8000})  # user not found, unauthorized, authentication failed
_COMMAND_NOT_FOUND: Final = 59
_MOST_TIME_EXPIRED: Final = 50


def encode_message(number: int, document: bson.Document) -> bytes:
    """Return a message."""
    content = struct.pack("<iiiiIB", 0, number, 0, _OP_MSG, 0, 0)[4:] + bson.encode(document)
    return struct.pack("<i", len(content) + 4) + content


def decode_message(content: bytes) -> bson.Document:
    """Return the document of a message without its size; raises AnswerError for anything else."""
    if len(content) < 17 or int.from_bytes(content[8:12], "little") != _OP_MSG or content[16] != 0:
        raise AnswerError(f"a message that begins with {content[:12]!r}")
    return bson.decode(content[17:])


class MongoDialogue(Script):
    """Says hello, logs on by SCRAM where there is a password, and sends ping.

    Good when the member is a primary, a secondary or an arbiter of a set that has a primary, or stands alone. role:
    "primary" or "secondary" must be what it says. state: also how many connections there are (needs clusterMonitor).
    """

    protocol = "MongoDB"

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        question: Question | None = None,
        *,
        role: str = "",
        token: int = 0,
    ) -> None:
        super().__init__(host, port or MONGODB_PORT)
        if role not in _ROLES:
            raise ValueError(f'role {role!r} is unknown; write "primary" or "secondary"')
        self._account = account
        self._source = account.database or "admin"
        self._question = question or Question()
        self._role = role
        self._token = token
        self._number = 0

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        self._doing = "answer hello"
        hello = yield from self._ask({"hello": 1, "helloOk": True, "$db": "admin"})
        if hello.get("code") == _COMMAND_NOT_FOUND:
            hello = yield from self._ask({"isMaster": 1, "$db": "admin"})
        self._check(hello)
        told = self._member(hello)
        self._elapsed("answer_seconds")
        if self._account.user and self._account.password is not None:
            yield from self._log_on(self._account.password)
            self._elapsed("logon_seconds")
        self._doing = "answer ping"
        began = self._now
        milliseconds = max(1, int(self._question.statement_seconds * 1000))
        self._check((yield from self._ask({"ping": 1, "maxTimeMS": milliseconds, "$db": "admin"})))
        self._elapsed("query_seconds", began)
        if self._question.state:
            yield from self._look_around()
        self._elapsed("answer_seconds")
        return f"{told} and answers ping"

    def _ask(self, document: bson.Document) -> Talk[bson.Document]:
        self._number += 1
        yield Send(encode_message(self._number, document))
        head = yield Want(4)
        size = int.from_bytes(head, "little")
        if not 21 <= size <= MAX_MESSAGE:
            raise AnswerError(f"a message that begins with {head + bytes(self._buffer[:8])!r}")
        return decode_message((yield Want(size - 4)))

    @staticmethod
    def _check(answer: bson.Document) -> None:
        """Raise Halt for an answer that is an error."""
        if answer.get("ok") == 1:
            return
        found = answer.get("code")
        code = found if isinstance(found, int) else -1
        says = f"says {code} ({printable(str(answer.get('codeName', '')), 40)}): "
        says += printable(str(answer.get("errmsg", "")), 120)
        if code in _NOT_ALLOWED:
            raise Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's user, password and rights")
        raise Halt(ErrorClass.NO_ANSWER if code == _MOST_TIME_EXPIRED else ErrorClass.WRONG_ANSWER, says)

    def _member(self, hello: bson.Document) -> str:
        """Return what the server is; raise Halt where it can do nothing for others."""
        writable = hello.get("isWritablePrimary", hello.get("ismaster")) is True
        secondary, arbiter = hello.get("secondary") is True, hello.get("arbiterOnly") is True
        name = hello.get("setName")
        role = "primary" if writable else "secondary" if secondary else "arbiter" if arbiter else "other"
        if hello.get("msg") == "isdbgrid":
            role, told = "primary", "is a router (mongos)"
        elif name is None and writable:
            told = "stands alone"
        elif name is None:
            raise Halt(ErrorClass.WRONG_ANSWER, "is in no state to be read or written, and in no replica set")
        else:
            told = f"is {role} of replica set {printable(str(name), 40)!r}"
            if role == "other":
                raise Halt(ErrorClass.WRONG_ANSWER, f"{told}: it starts, recovers or is removed")
            if not hello.get("primary") and not writable:
                raise Halt(ErrorClass.WRONG_ANSWER, f"{told}, which has no primary")
        self._values["is_primary"] = float(writable)
        if self._role and role != self._role:
            raise Halt(ErrorClass.WRONG_ANSWER, f"{told}, expected {self._role}")
        return told

    def _log_on(self, password: str) -> Talk[None]:
        """Log on by SCRAM-SHA-256; an account that has only SCRAM-SHA-1 is tried with that."""
        self._doing = "finish the logon"
        first = yield from self._start(mechanism := "SCRAM-SHA-256", password)
        if first[1].get("ok") != 1 and "mechanism" in str(first[1].get("errmsg", "")).lower():
            first = yield from self._start(mechanism := "SCRAM-SHA-1", password)
        scram, answer = first
        self._check(answer)
        answer = yield from self._continue(answer, scram.answer(_payload(answer)))
        self._check(answer)
        if error := scram.finish(_payload(answer)):
            raise Halt(ErrorClass.NOT_PERMITTED, f"does not let the account in by {mechanism}: {error}")
        if answer.get("done") is not True:
            self._check((yield from self._continue(answer, b"")))

    def _start(self, mechanism: str, password: str) -> Talk[tuple[Scram, bson.Document]]:
        secret = prepared(password)
        if mechanism == "SCRAM-SHA-1":
            plain = f"{self._account.user}:mongo:{password}".encode()
            secret = hashlib.md5(plain, usedforsecurity=False).hexdigest()
        scram = Scram(mechanism, self._account.user, secret, nonce_of(self._token, mechanism))
        wish: bson.Document = {
            "saslStart": 1,
            "mechanism": mechanism,
            "payload": scram.first,
            "options": {"skipEmptyExchange": True},
            "$db": self._source,
        }
        return scram, (yield from self._ask(wish))

    def _continue(self, answer: bson.Document, payload: bytes) -> Talk[bson.Document]:
        conversation = answer.get("conversationId")
        number = int(conversation) if isinstance(conversation, (int, float)) and abs(conversation) < 1 << 62 else 1
        wish: bson.Document = {"saslContinue": 1, "conversationId": number, "payload": payload, "$db": self._source}
        return (yield from self._ask(wish))

    def _look_around(self) -> Talk[None]:
        """Read how many connections there are, where it is allowed."""
        self._doing = "tell its state"
        unwanted = (
            "metrics",
            "wiredTiger",
            "locks",
            "repl",
            "tcmalloc",
            "transactions",
            "storageEngine",
            "flowControl",
        )
        answer = yield from self._ask({"serverStatus": 1, **dict.fromkeys(unwanted, 0), "$db": "admin"})
        found = answer.get("connections")
        if isinstance(found, dict):
            for name, value in (("connections_used", "current"), ("connections_free", "available")):
                number = found.get(value)
                if isinstance(number, (int, float)):
                    self._values[name] = float(number)


def _payload(answer: bson.Document) -> bytes:
    found = answer.get("payload")
    if not isinstance(found, bytes):
        raise AnswerError("an answer to SASL without payload")
    return found

"""DNS: does the name server answer, and with what (RFC 1035). UDP first, TCP where the answer was cut off."""

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Dialogue, Line, Send, Stage
from btimd.probes.wire.dnsmessage import NOERROR, NXDOMAIN, RECORD_TYPES, Answer, decode_answer, encode_query

DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Question:
    """A name and a record type to ask for; `id` comes back with the answer."""

    id: int
    name: str
    record: str

    @property
    def type(self) -> int:
        """The record type's number."""
        return RECORD_TYPES[self.record]

    @property
    def wire(self) -> bytes:
        """The query as sent."""
        return encode_query(self.id, self.name, self.type)

    def is_answered_by(self, answer: Answer) -> bool:
        """Tell whether a response belongs to this question; a stranger's forgery or a late one does not."""
        name = self.name.removesuffix(".").lower()
        if not name.isascii():
            name = name.encode("idna").decode("ascii")
        return (answer.id, answer.name, answer.type) == (self.id, name, self.type)


def values_in(answer: Answer, record: str) -> tuple[str, ...]:
    """Return the texts of the answer's records of one type; what an alias (CNAME) leads to is in the answer too."""
    return tuple(found.text for found in answer.records if found.type == RECORD_TYPES[record])


def is_expected(found: str, expect: str) -> bool:
    """Tell whether a record's text is what the operator wrote: addresses by value, names without case and last dot."""
    try:
        return ip_address(found) == ip_address(expect)
    except ValueError:
        pass
    wanted, got = expect.lower().removesuffix("."), found.lower().removesuffix(".")
    return wanted in {got, got.rpartition(" ")[2]}  # "10 mail.corp" is also expected as "mail.corp"


class Lookup:
    """The addresses of a name by asking one server: IPv4 first, IPv6 where there is none. A part of other dialogues.

    `settle` takes datagrams until it knows: then `addresses` or `failure` is set.
    """

    def __init__(self, server: tuple[str, int], name: str, query_id: int) -> None:
        self.server = server
        self.name = name
        self.addresses: tuple[str, ...] = ()
        self.failure = ""
        self._questions = [
            Question(query_id + step & 0xFFFF, name, record) for step, record in enumerate(("A", "AAAA"))
        ]
        self.query = self._questions[0].wire

    def settle(self, data: bytes) -> bytes | None:
        """Take a datagram; return the next query to send, None where there is nothing to send."""
        question = self._questions[0]
        try:
            answer = decode_answer(data)
        except AnswerError as error:
            self.failure = f"it does not speak DNS: {error}"
            return None
        if not question.is_answered_by(answer):
            return None
        if answer.rcode == NXDOMAIN:
            self.failure = "it says that the name does not exist"
        elif answer.rcode != NOERROR:
            self.failure = f"it answers {answer.rcode_text}"
        else:
            self.addresses = values_in(answer, question.record)
            del self._questions[0]
            if not self.addresses and self._questions:
                return self._questions[0].wire
            if not self.addresses:
                self.failure = "it knows the name but no address of it"
        return None


class DnsDialogue(Dialogue):
    """Asks the server `host` for `name`; good when a record of the type comes, with `expect` when that very value.

    `query_id`: 16 bits of chance, against forged answers.
    """

    line = Line.UDP

    def __init__(self, host: str, port: int, *, name: str, record: str, expect: str, query_id: int) -> None:
        super().__init__(host, port or DNS_PORT)
        if record not in RECORD_TYPES:
            raise ValueError(f"record {record!r} is not known; write one of {', '.join(RECORD_TYPES)}")
        self._question = Question(query_id & 0xFFFF, name, record)
        self._query = self._question.wire
        self._expect = expect
        self._stream: bytearray | None = None  # what came over TCP; None while asking by UDP

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        return [Send(self._query if self._stream is None else struct.pack("!H", len(self._query)) + self._query)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        if self._stream is not None:
            self._stream += data
            if len(self._stream) < 2 or len(self._stream) < 2 + int.from_bytes(self._stream[:2]):
                return []
            data = bytes(self._stream[2 : 2 + int.from_bytes(self._stream[:2])])
        try:
            answer = decode_answer(data)
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak DNS: {error}")
        if not self._question.is_answered_by(answer):
            return [] if self._stream is None else self._stranger()
        if answer.truncated and self._stream is None:
            self._stream = bytearray()
            return [Close(), *self._connect(Line.TCP, self._address, self._port, now)]
        self._values["answer_seconds"] = now - self._started
        return self._judge(answer)

    def _stranger(self) -> list[Action]:
        return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} answers a question that was not asked")

    def _judge(self, answer: Answer) -> list[Action]:
        asked = f"{self._question.name} {self._question.record}"
        if answer.rcode == NXDOMAIN:
            return self._bad(ErrorClass.NAME_ERROR, f"{self._target} says that {self._question.name} does not exist")
        if answer.rcode != NOERROR:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} answers {answer.rcode_text} for {asked}")
        found = values_in(answer, self._question.record)
        self._values["records"] = len(found)
        if not found:
            return self._bad(ErrorClass.NAME_ERROR, f"{self._target} knows the name but no record {asked}")
        shown = ", ".join(found[:4])
        if self._expect and not any(is_expected(value, self._expect) for value in found):
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target}: {asked} is {shown}, expected {self._expect}")
        return self._good(f"{self._target}: {asked} is {shown}")

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or self._stream is not None:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer a DNS query within {waited:.1f} s")

"""Script: a dialogue written down in the order in which it is spoken, as a generator without socket or clock.

    head = yield Want(4)         # exactly four octets, once they are there
    yield Send(b"...")           # any Action: Send, Secure, Close
    return "is well"             # good; the text stands behind "host:port" in the detail

What comes in is bounded by `max_octets` over the whole conversation. An AnswerError means that the other side does not
speak the protocol; Halt ends the dialogue with any other outcome.
"""

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

from typing_extensions import override

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Dialogue, Secure, Send, Stage, printable

MAX_CONVERSATION: Final = 256 * 1024
DEFAULT_STATEMENT_SECONDS: Final = 2.0


class Halt(Exception):  # noqa: N818  an end, not an error
    """Ends a script: `detail` follows "host:port "."""

    def __init__(self, error: ErrorClass, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Want:
    """Go on with exactly so many octets."""

    size: int


@dataclass(frozen=True, slots=True)
class WantLine:
    r"""Go on with a line of at most `limit` octets, without its \n or \r\n."""

    limit: int = 4096


@dataclass(frozen=True, slots=True)
class WantSome:
    """Go on with whatever is there, one octet at least."""


Step: TypeAlias = Action | Want | WantLine | WantSome
_T = TypeVar("_T")
Talk: TypeAlias = Generator[Step, bytes, _T]


class Tls(StrEnum):
    """Whether a check uses TLS."""

    OFFERED = ""
    """Where the server offers it, with any certificate; plain where it does not."""
    OFF = "false"
    UNVERIFIED = "unverified"
    VERIFIED = "true"

    @property
    def is_needed(self) -> bool:
        """Tell whether the check is to go on only inside TLS."""
        return self in {Tls.UNVERIFIED, Tls.VERIFIED}

    @property
    def is_verified(self) -> bool:
        """Tell whether the certificate must be the host's, by an authority that this machine trusts."""
        return self is Tls.VERIFIED


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs on. password None: there is none, the check stops where the server asks for it. Never shown."""

    user: str = ""
    password: str | None = field(default=None, repr=False)
    database: str = ""
    tls: Tls = Tls.OFFERED


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask after the logon. query "": the cheapest of the kind. state: also how busy the server says it is.

    statement_seconds: the server is told to break the statement off after so long. most_wait_seconds: somebody waiting
    for a lock longer than this is bad; None = however long.
    """

    query: str = ""
    expect: str = ""
    statement_seconds: Seconds = DEFAULT_STATEMENT_SECONDS
    state: bool = False
    most_wait_seconds: Seconds | None = None

    def judge(self, value: str | None) -> None:
        """Raise Halt where the first value of the first row is not the expected one; None: no row or NULL."""
        if self.expect and value != self.expect:
            found = "no value" if value is None else repr(printable(value, 60))
            raise Halt(ErrorClass.WRONG_ANSWER, f"answers the query with {found}, expected {self.expect!r}")


class Script(Dialogue):
    """A dialogue over TCP whose words stand in `_conversation`.

    protocol: its name for people. max_octets: more from the other side in all is refused.
    """

    protocol = ""
    max_octets = MAX_CONVERSATION

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._talk: Talk[str] | None = None
        self._begun = False
        self._buffer = bytearray()
        self._octets = 0
        self._want: Want | WantLine | WantSome | None = None
        self._now: MonotonicSeconds = 0.0
        self._doing = ""
        self._goodbye = b""

    @abstractmethod
    def _conversation(self) -> Talk[str]:
        """Speak; return what is good."""

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._now = now
        if self._talk is None:
            self._talk = self._conversation()
        return self._advance(self._talk)

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        self._now = now
        self._octets += len(data)
        if self._stage is Stage.SECURING:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sends octets before TLS stands")
        if self._octets > self.max_octets:
            return self._stranger(f"over {self.max_octets} octets before the answer")
        self._buffer += data
        return [] if self._talk is None else self._advance(self._talk)

    def _advance(self, talk: Talk[str]) -> list[Action]:
        actions: list[Action] = []
        try:
            while True:
                answer: bytes | None = b"" if self._begun else None
                if self._want is not None:
                    found = self._cut(self._want)
                    if found is None:
                        return actions
                    answer, self._want = found, None
                self._begun = True
                step = next(talk) if answer is None else talk.send(answer)
                if isinstance(step, (Want, WantLine, WantSome)):
                    self._want = step
                elif isinstance(step, Secure):
                    return [*actions, *self._wrap(step)]
                else:
                    actions.append(step)
        except StopIteration as done:
            bye: list[Action] = [Send(self._goodbye), Close()] if self._goodbye else []
            return [*actions, *bye, *self._good(f"{self._target} {done.value}")]
        except Halt as halt:
            return self._halted(halt)
        except AnswerError as error:
            return self._stranger(str(error))

    def _wrap(self, step: Secure) -> list[Action]:
        if self._buffer:  # octets before TLS stands are somebody else's (CVE-2021-23222)
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sends octets before TLS stands")
        self._enter(Stage.SECURING, self._now)
        return [step]

    def _cut(self, want: Want | WantLine | WantSome) -> bytes | None:
        """Return what the script waits for, None where it is not all there."""
        if isinstance(want, WantLine):
            return self._cut_line(want.limit)
        size = want.size if isinstance(want, Want) else max(1, len(self._buffer))
        if len(self._buffer) < size:
            return None
        answer = bytes(self._buffer[:size])
        del self._buffer[:size]
        return answer

    def _cut_line(self, limit: int) -> bytes | None:
        end = self._buffer.find(b"\n", 0, limit)
        if end < 0:
            if len(self._buffer) >= limit:
                raise AnswerError(f"a line that begins with {bytes(self._buffer[:16])!r} and does not end")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _halted(self, halt: Halt) -> list[Action]:
        detail = f"{self._target} {halt.detail}"
        if halt.error in {ErrorClass.NOT_PERMITTED, ErrorClass.LOCAL_FAILURE}:
            return self._unknown(halt.error, detail)
        return self._bad(halt.error, detail)

    def _stranger(self, why: str) -> list[Action]:
        return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak {self.protocol}: {why}")

    def _elapsed(self, name: str, since: MonotonicSeconds | None = None) -> None:
        """Keep the time since `since`, or since the dialogue began, as a value."""
        self._values[name] = self._now - (self._started if since is None else since)

    @override
    def _end(self, health: Health, error: ErrorClass, detail: str) -> list[Action]:
        self._talk = None
        return super()._end(health, error, detail)

    @override
    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        if self._octets > 1 and self._doing:
            return self._bad(ErrorClass.NO_ANSWER, f"{self._target} closes the connection and does not {self._doing}")
        return super()._closed(now)

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or not self._octets or not self._doing:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.NO_ANSWER, f"{self._target} does not {self._doing} within {waited:.1f} s")

"""Dialogue: what a probe says and how it understands the answer, without socket, clock or chance.

A dialogue is a state machine: `start` and `handle` take what happened and return what to do next. Whoever runs it
(probes.transport) passes the monotonic time in, tells it when its time is up, and does nothing on its own.
What comes off the network is hostile: a dialogue holds no more than its stated limits and raises nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, TypeAlias

from typing_extensions import override

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.units import MonotonicSeconds, Seconds, UnixSeconds

MAX_DETAIL: Final = 240
_LEAST_SECRET: Final = 3  # a shorter beginning tells nobody anything, and stands in many words


class AnswerError(ValueError):
    """What came back is not what the protocol allows; the text says what was found."""


class Line(StrEnum):
    """What kind of connection a dialogue wants."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a dialogue ended; the runner makes a ProbeResult of it."""

    health: Health
    error: ErrorClass
    detail: str
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Resolve:
    """Ask the system's resolver for the addresses of a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection to an address; the one before must have been closed. Elapsed where it takes too long.

    source_address, source_port: where it must come from; empty and 0: as the system likes.
    """

    kind: Line
    address: str
    port: int
    source_address: str = ""
    source_port: int = 0
    within_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Secure:
    """Wrap the connection in TLS; server_name is sent and, where verify is set, must be in the certificate.

    alpn: the application protocols to offer (RFC 7301), best first. ca: PEM text of the only authorities to trust,
    empty: the system's.
    """

    server_name: str
    verify: bool
    alpn: tuple[str, ...] = ()
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Give the connection back; another one may follow."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The dialogue is over; whatever is still open is given back."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for what comes, but at most so long; the last action of a list. Elapsed where nothing came."""

    seconds: Seconds


Action: TypeAlias = Resolve | Connect | Secure | Send | Close | Finish | Wait


@dataclass(frozen=True, slots=True)
class Resolved:
    """The system's resolver knows these addresses, best first."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The system's resolver does not know the name."""

    reason: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection is open: at which time of day, from which own address."""

    at: UnixSeconds = 0.0
    source_address: str = ""


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS stands.

    at: the time of day. certificate: the server's, DER. chain: all certificates that the server sent, DER, its own
    first. version: such as "TLSv1.3". alpn: the application protocol that was chosen, empty: none.
    """

    at: UnixSeconds = 0.0
    certificate: bytes = b""
    chain: tuple[bytes, ...] = ()
    version: str = ""
    alpn: str = ""


@dataclass(frozen=True, slots=True)
class TlsFailed:
    """The TLS handshake failed; code: what is wrong with the certificate (X509_V_ERR of OpenSSL), 0: nothing."""

    reason: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The host answers and says that nobody listens there. by: who says so where it is somebody else, a firewall."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The network says that there is no way to the host."""

    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes came in; for UDP and ICMP exactly one datagram."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side closed in good order."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The other side broke the connection off."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """What a dialogue wanted to wait for did not come in the time it gave."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The time of the probe is up."""


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """This machine does not let the probe out; the reason says how to allow it."""

    reason: str


@dataclass(frozen=True, slots=True)
class LocalFailure:
    """This machine cannot do it now (no descriptors, no memory); says nothing about the target."""

    reason: str


Event: TypeAlias = (
    Resolved | Unresolved | Connected | Secured | TlsFailed | Refused | Unreachable
    | Received | Closed | Reset | Elapsed | Deadline | NotPermitted | LocalFailure
)  # fmt: skip


class Stage(StrEnum):
    """How far a dialogue has come; decides what silence means."""

    RESOLVING = "resolving"
    CONNECTING = "connecting"
    SECURING = "securing"
    TALKING = "talking"
    ENDED = "ended"


def is_address(host: str) -> bool:
    """Tell whether a host is written as an address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def join_host_port(host: str, port: int) -> str:
    """Return "host:port" as people write it; an IPv6 address gets its brackets, port 0 is left out."""
    if not port:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def printable(text: str, limit: int = MAX_DETAIL) -> str:
    """Return text of a stranger fit for logs: no control characters, at most `limit` characters."""
    safe = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def without_secret(text: str, secret: str) -> str:
    """Return text without a secret that a stranger may have repeated in it, nor a beginning of it that was cut off."""
    if not secret:
        return text
    text = text.replace(secret, "***")
    for size in range(len(secret) - 1, _LEAST_SECRET - 1, -1):
        for end in ("...", "'", '"'):
            text = text.replace(secret[:size] + end, f"***{end}")
    return text


class Dialogue(ABC):
    """The part that all dialogues share: name, connection, and what each way of failing means.

    One instance serves one probe. After Finish every further event is ignored.
    """

    line: Line = Line.TCP

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._target = join_host_port(host, port)
        self._port = port
        self._address = ""
        self._present_line = self.line
        self._stage = Stage.CONNECTING
        self._stage_began: MonotonicSeconds = 0.0
        self._started: MonotonicSeconds = 0.0
        self._values: dict[str, float] = {}
        self._hidden: tuple[str, ...] = ()  # passwords, in every form they are sent: never in what people read

    def start(self, now: MonotonicSeconds) -> list[Action]:
        """Begin; return the first things to do."""
        self._started = now
        if is_address(self._host):
            return self._connect(self.line, self._host, self._port, now)
        self._enter(Stage.RESOLVING, now)
        return [Resolve(self._host)]

    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:  # noqa: PLR0911  one case per event
        """Take what happened; return what to do, nothing when the dialogue just waits on."""
        if self._stage is Stage.ENDED:
            return []
        match event:
            case Received(data):
                return self._received(data, now)
            case Connected():
                return self._on_connected(now)
            case Secured():
                self._values["tls_seconds"] = now - self._stage_began
                self._enter(Stage.TALKING, now)
                return self._ready(now)
            case Resolved(addresses) if addresses:
                self._values["resolve_seconds"] = now - self._stage_began
                return self._connect(self.line, addresses[0], self._port, now)
            case Closed():
                return self._closed(now)
            case Elapsed():
                return self._time_is_up(now)
            case Deadline():
                return self._silence(now)
            case _:
                return self._failed(event)

    @abstractmethod
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        """Say the first thing; the line is open."""

    @abstractmethod
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        """Take bytes of the answer."""

    def _on_connected(self, now: MonotonicSeconds) -> list[Action]:
        if self._present_line is Line.TCP:
            self._values["connect_seconds"] = now - self._stage_began
        self._enter(Stage.TALKING, now)
        return self._ready(now)

    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        del now  # overriding dialogues need it
        return self._bad(ErrorClass.NO_ANSWER, f"{self._target} accepts the connection and closes it without an answer")

    def _time_is_up(self, now: MonotonicSeconds) -> list[Action]:
        """Say what follows when a Wait is over; only dialogues that wait are told."""
        del now
        return []

    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        """Say what the end of time means at this stage."""
        waited = f"{now - self._started:.1f} s"
        if self._stage is Stage.RESOLVING:
            return self._bad(
                ErrorClass.NAME_ERROR, f"the system's resolver gave no answer for {self._host} within {waited}"
            )
        if self._stage is Stage.CONNECTING:
            return self._bad(
                ErrorClass.TIMEOUT, f"{self._target} does not answer a {self._present_line} connect within {waited}"
            )
        if self._stage is Stage.SECURING:
            return self._bad(
                ErrorClass.NO_ANSWER, f"{self._target} accepts and does not finish the TLS handshake within {waited}"
            )
        return self._bad(
            ErrorClass.NO_ANSWER, f"{self._target} accepts the connection and never answers ({waited} waited)"
        )

    def _failed(self, event: Event) -> list[Action]:  # noqa: PLR0911  one case per event
        match event:
            case Refused(by) if by:
                said = f"{by} says so for it (ICMP port unreachable), as firewalls do"
                return self._bad(ErrorClass.REFUSED, f"{self._target} refuses: {said}")
            case Refused():
                return self._bad(ErrorClass.REFUSED, f"{self._target} refuses: the host answers, nobody listens there")
            case Unreachable(reason):
                return self._bad(ErrorClass.UNREACHABLE, f"{self._target} cannot be reached: {reason}")
            case Reset():
                doing = "while connecting" if self._stage is Stage.CONNECTING else "without a full answer"
                return self._bad(ErrorClass.RESET, f"{self._target} resets the connection {doing}")
            case TlsFailed(reason):
                detail = f"{self._target}: TLS handshake failed: {printable(reason, 120)}"
                return self._bad(ErrorClass.PROTOCOL_ERROR, detail)
            case Unresolved(reason):
                detail = f"the system's resolver does not know {self._host}: {reason}"
                return self._bad(ErrorClass.NAME_ERROR, detail)
            case NotPermitted(reason):
                return self._unknown(ErrorClass.NOT_PERMITTED, reason)
            case LocalFailure(reason):
                return self._unknown(ErrorClass.LOCAL_FAILURE, reason)
            case _:
                return self._bad(ErrorClass.NAME_ERROR, f"the system's resolver knows no address of {self._host}")

    def _connect(self, kind: Line, address: str, port: int, now: MonotonicSeconds) -> list[Action]:
        self._address, self._present_line = address, kind
        self._enter(Stage.CONNECTING, now)
        return [Connect(kind, address, port)]

    def _enter(self, stage: Stage, now: MonotonicSeconds) -> None:
        self._stage = stage
        self._stage_began = now

    def _good(self, detail: str) -> list[Action]:
        return self._end(Health.GOOD, ErrorClass.NONE, detail)

    def _bad(self, error: ErrorClass, detail: str) -> list[Action]:
        return self._end(Health.BAD, error, detail)

    def _unknown(self, error: ErrorClass, detail: str) -> list[Action]:
        return self._end(Health.UNKNOWN, error, detail)

    def _end(self, health: Health, error: ErrorClass, detail: str) -> list[Action]:
        self._stage = Stage.ENDED
        for secret in self._hidden:
            detail = without_secret(detail, secret)
        return [Finish(Outcome(health, error, printable(detail), MappingProxyType(dict(self._values))))]


class DatagramDialogue(Dialogue):
    """A question in one datagram; silence is a timeout, as nobody can tell a lost one from a dead server."""

    line = Line.UDP
    question: str = "a datagram"

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or self._present_line is not Line.UDP:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer {self.question} within {waited:.1f} s")


def result_of(spec: ProbeSpec, outcome: Outcome, *, started_at: UnixSeconds, elapsed_seconds: Seconds) -> ProbeResult:
    """Return the answer to a spec; a good outcome that took longer than the check allows is bad: slow."""
    health, error, detail = outcome.health, outcome.error, outcome.detail
    limit = spec.check.slow_over_seconds
    if health is Health.GOOD and limit is not None and elapsed_seconds > limit:
        health, error = Health.BAD, ErrorClass.SLOW
        detail = printable(f"took {elapsed_seconds:.3f} s, more than {limit:g} s: {detail}")
    return ProbeResult(
        spec=spec,
        health=health,
        error=error,
        detail=detail,
        started_at=started_at,
        elapsed_seconds=elapsed_seconds,
        values=outcome.values,
    )

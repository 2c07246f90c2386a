"""Finding: what the packets kept of a business said, in codes and counts; never in what was asked or answered."""

from dataclasses import dataclass
from typing import Final

from btimd.model.units import UnixMillis

KIND_TEXTS: Final = {
    "http": ("HTTP {value} in", "answer", "of"),
    "dns": ("DNS {value} in", "answer", "of"),
    "tls": ("TLS alert {value} in", "handshake", "with"),
    "mysql": ("MySQL error {value} in", "answer", "of"),
    "postgresql": ("PostgreSQL {value} in", "answer", "of"),
    "mssql": ("MSSQL error {value} in", "answer", "of"),
    "oracle": ("Oracle error {value} in", "answer", "of"),
    "ldap": ("LDAP {value} in", "answer", "of"),
    "smtp": ("SMTP {value} in", "answer", "of"),
    "ftp": ("FTP {value} in", "answer", "of"),
    "tcp-refused": ("connection refused in", "attempt", "to connect to"),
    "tcp-unanswered": ("no answer in", "attempt", "to connect to"),
    "tcp-reset": ("reset {value} of", "connection", "with"),
    "tcp-retransmission": ("retransmission {value} of", "segment", "of connections with"),
    "tcp-zero-window": ("zero window {value} in", "segment", "of connections with"),
}
"""Every kind of observation: what it is, what is counted, and how the server follows."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that went wrong between clients and one server.

    kind: a key of KIND_TEXTS. value: the protocol's code with its name, such as "503" or "handshake_failure (40)".
    server: its address and port. count: how often, out of `of` times that it could have; of = 0: nobody knows.
    """

    kind: str
    value: str
    server: str
    count: int
    of: int
    first_seen: UnixMillis

    def __post_init__(self) -> None:
        """Refuse a kind nobody can put into words, and counts that cannot be."""
        if self.kind not in KIND_TEXTS:
            raise ValueError(f"unknown kind of observation {self.kind!r}")
        if self.count < 1 or (self.of != 0 and self.of < self.count):
            raise ValueError(f"{self.count} of {self.of} cannot be")

    @property
    def sentence(self) -> str:
        """The observation in words: "HTTP 503 in 14 of 20 answers of 10.1.2.3:80"."""
        text, noun, joint = KIND_TEXTS[self.kind]
        times = f"{self.count} of {self.of}" if self.of else str(self.count)
        plural = "s" if max(self.count, self.of) != 1 else ""
        return " ".join(f"{text.format(value=self.value)} {times} {noun}{plural} {joint} {self.server}".split())


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look into the packets kept of a business brought.

    file: name of the capture file, without its folder. packets, since, until: what the file holds. observations: the
    most telling first. problem: why there is nothing, or not everything; empty when all is well.
    """

    business: str
    file: str
    packets: int = 0
    since: UnixMillis = 0
    until: UnixMillis = 0
    observations: tuple[Observation, ...] = ()
    problem: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The observations in words."""
        return tuple(one.sentence for one in self.observations)

    @property
    def summary(self) -> str:
        """One sentence: the most telling observation, or why there is none."""
        if self.observations:
            more = len(self.observations) - 1
            return self.observations[0].sentence + (f", and {more} more" if more else "")
        return self.problem or f"nothing wrong in {self.packets} packets"

"""Meter: what a probe puts on the network."""

from dataclasses import dataclass
from typing import Final

from btimd.model.units import Octets
from btimd.probes.wire.dialogue import Line

_TCP_HEADERS: Final = 52  # of IPv4 with time stamps
_DATAGRAM_HEADERS: Final = 28


@dataclass(slots=True)
class Meter:
    """What a probe put on the network: payload, and an estimate of the headers that it needed.

    A TCP connection is seven segments at least, and each further piece needs one and its acknowledgement.
    """

    sent: int = 0
    received: int = 0
    headers: int = 0

    @property
    def octets(self) -> Octets:
        """All octets, both ways."""
        return self.sent + self.received + self.headers

    def opened(self, line: Line) -> None:
        """Note a connection."""
        self.headers += 7 * _TCP_HEADERS if line is Line.TCP else 0

    def moved(self, line: Line, *, sent: int = 0, received: int = 0) -> None:
        """Note octets of payload."""
        self.sent += sent
        self.received += received
        self.headers += 2 * _TCP_HEADERS if line is Line.TCP else _DATAGRAM_HEADERS

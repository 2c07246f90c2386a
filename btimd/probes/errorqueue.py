"""A socket's error queue (Linux, ip(7) IP_RECVERR): who said what of a packet that was lost, without privilege."""

import contextlib
from typing import Final, Protocol

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.icmperror import IcmpError, decode_extended_error

# Numbers of Linux; Python names few of them.
_AF_INET6: Final = 10
_IPPROTO_IP, _IPPROTO_IPV6 = 0, 41
_IP_TTL, _IP_MTU_DISCOVER, _IP_RECVERR = 2, 10, 11
_IPV6_UNICAST_HOPS, _IPV6_MTU_DISCOVER, _IPV6_RECVERR = 16, 23, 25
_MSG_ERRQUEUE: Final = 0x2000
_PROBE: Final = 3  # never fragment, and do not believe what was learned of the path


class Opened(Protocol):
    """What is needed of a socket."""

    @property
    def family(self) -> int:
        """Address family."""
        ...

    def setsockopt(self, level: int, optname: int, value: int, /) -> None:
        """Set an option."""
        ...

    def recvmsg(
        self, bufsize: int, ancbufsize: int, flags: int, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
        """Receive with control messages."""
        ...


def hear_errors(opened: Opened, *, on: bool = True) -> None:
    """Let the kernel keep what the network says of this socket's packets."""
    if opened.family == _AF_INET6:
        opened.setsockopt(_IPPROTO_IPV6, _IPV6_RECVERR, int(on))
    else:
        opened.setsockopt(_IPPROTO_IP, _IP_RECVERR, int(on))


def set_hops(opened: Opened, hops: int) -> None:
    """Let what is sent next die after so many hops."""
    if opened.family == _AF_INET6:
        opened.setsockopt(_IPPROTO_IPV6, _IPV6_UNICAST_HOPS, hops)
    else:
        opened.setsockopt(_IPPROTO_IP, _IP_TTL, hops)


def never_fragment(opened: Opened) -> None:
    """Send packets whole or not at all, whatever was learned of the path before."""
    if opened.family == _AF_INET6:
        opened.setsockopt(_IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
    else:
        opened.setsockopt(_IPPROTO_IP, _IP_MTU_DISCOVER, _PROBE)


def read_error(opened: Opened) -> tuple[bytes, IcmpError] | None:
    """Return the next error about a packet of this socket, with what is quoted of it; None where there is none."""
    try:
        data, control, _, _ = opened.recvmsg(2048, 512, _MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, content in control:
        if (level, kind) in {(_IPPROTO_IP, _IP_RECVERR), (_IPPROTO_IPV6, _IPV6_RECVERR)}:
            with contextlib.suppress(AnswerError):
                return data, decode_extended_error(content)
    return None

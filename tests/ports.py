"""Ports for servers that must be told theirs, and ports on which nobody listens."""

import os
import socket
from typing import Final

# Below those that the kernel gives to clients: one of theirs would now and then be taken before the server starts.
_LEAST: Final = 20_000
_COUNT: Final = 12_000
_next = os.getpid() * 7_919


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port of an address that is free for TCP and for UDP; no other test gets it while this process lives."""
    global _next  # noqa: PLW0603  ports are of the process
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(_COUNT):
        _next += 1
        port = _LEAST + _next % _COUNT
        if _is_free(family, address, port) and _claimed(port):
            return port
    raise OSError("no free port")


def _is_free(family: socket.AddressFamily, address: str, port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def _claimed(port: int) -> bool:
    """Take a name in Linux's abstract socket namespace, which the kernel drops with the process."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0btimd-test-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()
    return True

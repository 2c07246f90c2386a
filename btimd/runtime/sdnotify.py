"""Tells systemd how the service is: the sd_notify datagram protocol (sd_notify(3))."""

import os
import socket


class SystemdNotifier:
    """Sends states to $NOTIFY_SOCKET; does nothing where there is none."""

    def __init__(self, address: str | None = None) -> None:
        address = address if address is not None else os.environ.get("NOTIFY_SOCKET")
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    @property
    def enabled(self) -> bool:
        """Tell whether anybody listens."""
        return bool(self._address)

    def send(self, *states: str) -> None:
        """Send lines such as READY=1, STATUS=..., WATCHDOG=1; a systemd that went away is not our problem."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto("\n".join(states).encode(), self._address)
            except OSError:
                return


def watchdog_seconds() -> float | None:
    """Return how often systemd wants a sign of life, None where it does not."""
    value = os.environ.get("WATCHDOG_USEC", "")
    return int(value) / 1e6 if value.isdigit() and int(value) > 0 else None

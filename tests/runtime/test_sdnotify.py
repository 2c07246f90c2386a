"""The sd_notify protocol against a real socket."""

import socket
from pathlib import Path

import pytest

from btimd.runtime.sdnotify import SystemdNotifier, watchdog_seconds


def test_states_arrive_as_one_datagram_of_lines(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address)
        SystemdNotifier(address).send("READY=1", "STATUS=running")

        assert server.recv(100) == b"READY=1\nSTATUS=running"


def test_nobody_listening_is_no_error(tmp_path: Path) -> None:
    SystemdNotifier("").send("READY=1")
    SystemdNotifier(str(tmp_path / "gone")).send("READY=1")

    assert not SystemdNotifier("").enabled


@pytest.mark.parametrize(("text", "seconds"), [("3000000", 3.0), ("0", None), ("", None), ("x", None)])
def test_the_watchdog_period_is_what_systemd_says(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)

    assert watchdog_seconds() == seconds

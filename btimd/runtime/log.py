"""Logs: a fixed event name, then key=value, one line each, to standard error (systemd adds the time)."""

import logging
import sys
from typing import Any, TextIO


def _value(value: Any) -> str:
    text = str(value)
    if text and not any(character in text for character in ' "=\n\\'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class Log:
    """Writes events. Values are quoted where they need it, so that a hostile value cannot forge a line."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"btimd.{name}")

    def debug(self, event: str, **fields: Any) -> None:
        """Say something only a developer wants to know."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Say what the operator may want to know."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Say what the operator should look at."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Say what is broken."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """Say what is broken, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, fields, exc_info=True)

    def _write(self, level: int, event: str, fields: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            text = " ".join([event, *(f"{key}={_value(value)}" for key, value in fields.items())])
            self._logger.log(level, "%s", text, exc_info=exc_info)


class OncePerInterval:
    """Lets one event pass per interval and counts those held back, for logs of things that may come in floods."""

    def __init__(self, interval_seconds: float = 60.0) -> None:
        self._interval = interval_seconds
        self._next = float("-inf")
        self._held = 0

    def take(self, now: float) -> int | None:
        """Return how many were held back since the last one that passed, or None to hold this one back."""
        if now < self._next:
            self._held += 1
            return None
        held, self._held, self._next = self._held, 0, now + self._interval
        return held


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send btimd's logs to a stream; call once, at start."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger("btimd")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False

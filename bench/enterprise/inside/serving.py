# mypy: disable-error-code="explicit-override"

"""A small threaded HTTP server: a function makes the answer of a path, what it raises is the answer's error."""

import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Page = Callable[[str, dict[str, str]], tuple[int, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(address: str, port: int, page: Page) -> None:
    """Serve for ever."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                status, text = page(parts.path, query)
            except Exception as error:  # noqa: BLE001  an application answers, whatever went wrong
                status, text = 503, f"{type(error).__name__}: {error}"
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    _Server((address, port), Handler).serve_forever()


class Moods:
    """What is wrong with an application today, as the file `mood` says: {"error": true, "slow": 1.5, "wrong": true}."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> dict[str, float]:
        """Return it; nothing where there is no file."""
        try:
            found: dict[str, float] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found


class Pool:
    """Connections that are kept for the next request; one that failed is closed."""

    def __init__(self, make: Callable[[], object], most: int = 4) -> None:
        self._make = make
        self._most = most
        self._idle: list[object] = []
        self._guard = threading.Lock()

    def use(self, work: Callable[[object], object]) -> object:
        """Do some work with a connection; a kept one that turns out to be dead is replaced once."""
        with self._guard:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            began = time.monotonic()
            try:
                return self._give_back(kept, work(kept))
            except Exception:
                self._drop(kept)
                if time.monotonic() - began > 0.5:  # it did not fail for being old
                    raise
        made = self._make()
        try:
            return self._give_back(made, work(made))
        except Exception:
            self._drop(made)
            raise

    def _give_back(self, one: object, result: object) -> object:
        with self._guard:
            if len(self._idle) < self._most:
                self._idle.append(one)
                return result
        self._drop(one)
        return result

    @staticmethod
    def _drop(one: object) -> None:
        try:
            one.close()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001  it is gone anyway
            print(f"closing: {error}", file=sys.stderr)

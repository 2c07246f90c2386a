"""A small HTTP server that enforces the documented requests of InfluxDB and answers as it is told.

Sources: the InfluxDB 2.x API reference (POST /api/v2/write, POST /api/v2/query, annotated CSV) and the 1.x one
(POST /write, GET /query). A request that breaks the contract is answered 400 and noted in `breaches`.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override


class ContractServer(ThreadingHTTPServer):
    """What it received and what it shall answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lines: list[str] = []
        self.requests = 0
        self.headers_seen: list[dict[str, str]] = []
        self.questions: list[str] = []
        self.breaches: list[str] = []
        self.status = 204
        self.error_body = b""
        self.error_headers: dict[str, str] = {}
        self.answer = b""
        self.answer_status = 200
        self.drop_connections = False
        self.close_after_answer = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of the test's concern."""


class _Handler(BaseHTTPRequestHandler):
    server: ContractServer
    protocol_version = "HTTP/1.1"

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.headers_seen.append(dict(self.headers))
        if parts.path != "/query" or set(query) != {"db", "epoch", "q"} or query["epoch"] != "ms":
            self._breach(f"GET {self.path}")
            return
        self.server.questions.append(query["q"])
        self._answer(self.server.answer_status, self.server.answer, {"Content-Type": "application/json"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.headers_seen.append(dict(self.headers))
        self.server.requests += 1
        if self.server.drop_connections:
            self.close_connection = True
            self.connection.close()
            return
        if parts.path == "/api/v2/query":
            self._flux(query, body)
            return
        wanted = {"/write": {"db", "precision"}, "/api/v2/write": {"org", "bucket", "precision"}}.get(parts.path)
        if wanted is None or set(query) != wanted or query["precision"] != "ms" or not body:
            self._breach(f"POST {self.path} with {len(body)} octets")
            return
        if self.server.status == 204:
            self.server.lines += body.decode().splitlines()
        self._answer(self.server.status, self.server.error_body, self.server.error_headers)

    def _flux(self, query: dict[str, str], body: bytes) -> None:
        asked = json.loads(body)
        dialect = asked.get("dialect", {})
        if (
            set(query) != {"org"}
            or not self.headers.get("Content-Type", "").startswith("application/json")
            or asked.get("type", "flux") != "flux"
            or not isinstance(asked.get("query"), str)
            or dialect.get("delimiter") != ","
            or not {"datatype", "group", "default"} >= set(dialect.get("annotations", ()))
        ):
            self._breach(f"POST {self.path}: {body!r}")
            return
        self.server.questions.append(asked["query"])
        kind = "text/csv; charset=utf-8" if self.server.answer_status == 200 else "application/json"
        self._answer(self.server.answer_status, self.server.answer, {"Content-Type": kind})

    def _breach(self, text: str) -> None:
        self.server.breaches.append(text)
        self._answer(400, b'{"message": "the request breaks the contract"}', {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)
        if self.server.close_after_answer:
            self.close_connection = True


@contextmanager
def contract_server() -> Iterator[ContractServer]:
    """Run a server on a free port of loopback; the test fails if a request broke the contract."""
    server = ContractServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert server.breaches == []

"""A server with the InfluxDB 1.x API: line protocol to /write, InfluxQL from /query."""

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

from typing_extensions import override

from btimd.model.points import SeriesQuery, SeriesRow
from btimd.settings.fields import read_secret
from btimd.store.delivery import Poster, PostError
from btimd.store.queries import check, from_influxql, to_influxql
from btimd.store.settings import InfluxSettings

_MAX_ERROR_BYTES: Final = 64_000
_MAX_ANSWER_BYTES: Final = 64_000_000
_REDIRECT_OR_WORSE: Final = 300

REMEDIES: Final = {
    401: "check influx.username and influx.password_file",
    403: "give the user of influx.username the right to write into influx.database",
    404: "check influx.url, and create the database: CREATE DATABASE with the name in influx.database",
}


class Influx1Client(Poster):
    """One server and database. post and query keep a connection each; query may be called from any thread."""

    def __init__(self, settings: InfluxSettings) -> None:
        parts = urlsplit(settings.url)
        self._settings = settings
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = parts.path
        self._tls = ssl.create_default_context(cafile=settings.ca_file) if parts.scheme == "https" else None
        self._headers = {"User-Agent": "btimd"}
        if settings.username and settings.password_file is not None:
            credentials = settings.username.encode() + b":" + read_secret(settings.password_file)
            self._headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        self._writing: http.client.HTTPConnection | None = None
        self._asking: http.client.HTTPConnection | None = None
        self._asking_lock = threading.Lock()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._settings.timeout, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._settings.timeout)

    @override
    def post(self, payloads: Sequence[bytes]) -> None:
        """Send line protocol to /write; raises PostError."""
        query = urlencode({"db": self._settings.database, "precision": "ms"})
        url = f"{self._path}/write?{query}"
        fresh = self._writing is None
        if self._writing is None:
            self._writing = self._connection()
        try:
            self._exchange(self._writing, "POST", url, b"".join(payloads), _MAX_ERROR_BYTES)
        except PostError as error:
            if error.status is not None:
                raise
            self._writing.close()
            self._writing = None
            if fresh:
                raise
            self.post(payloads)  # the server had closed an idle connection; what was sent twice replaces itself

    def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Ask /query; blocks. Raises PostError, or ValueError with the server's words about the query."""
        check(query)
        parameters = {"db": self._settings.database, "epoch": "ms", "q": to_influxql(query)}
        with self._asking_lock:
            answer = self._ask(f"{self._path}/query?{urlencode(parameters)}")
        return from_influxql(query, json.loads(answer))

    def _ask(self, url: str) -> bytes:
        fresh = self._asking is None
        if self._asking is None:
            self._asking = self._connection()
        try:
            return self._exchange(self._asking, "GET", url, None, _MAX_ANSWER_BYTES)
        except PostError as error:
            if error.status is not None:
                raise
            self._asking.close()
            self._asking = None
            if fresh:
                raise
            return self._ask(url)

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, url: str, body: bytes | None, max_bytes: int
    ) -> bytes:
        """Return the body of a 2xx answer; raises PostError for any other and for none."""
        try:
            connection.request(method, url, body, self._headers)
            response = connection.getresponse()
            answer = response.read(max_bytes)
            if not response.isclosed():
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise PostError(None, f"no answer from {self._settings.url}: {_words(error)}") from error
        if response.status >= _REDIRECT_OR_WORSE:
            text = f"{self._settings.url} answered {response.status}: {_server_words(answer)}"
            raise PostError(response.status, text, retry_after(response.headers.get("Retry-After")))
        return answer

    @override
    def close(self) -> None:
        """Close the writing connection."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def close_query(self) -> None:
        """Close the connection of queries."""
        with self._asking_lock:
            if self._asking is not None:
                self._asking.close()
                self._asking = None


def retry_after(header: str | None) -> float:
    """Return the seconds of a Retry-After header, 0.0 where there is none or it is a date."""
    return float(header) if header is not None and header.isdecimal() else 0.0


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _server_words(answer: bytes) -> str:
    text = answer.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        return text[:500]
    return str(found.get("error", text) if isinstance(found, dict) else text)[:500]

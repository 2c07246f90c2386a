"""Posts requests to robots and gateways, once each, and says what is certain about the outcome."""

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

import aiohttp

from btimd import __version__
from btimd.itsm.notify.answers import ANSWER_OCTETS, Request, SendResult
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means, Notice
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.settings.fields import is_loopback, read_secret

_CONNECT_SHARE: Final = 0.5
_SECRET_PART: Final = 8  # parts of an address from this length on may be its secret

Judge: TypeAlias = Callable[[int, Mapping[str, str], bytes, UnixSeconds, tuple[str, ...]], SendResult]
"""(status, headers, body, now, secrets) -> what it means."""


class HttpSender:
    """One robot or gateway. start reads its secrets; send never raises but when cancelled.

    build: makes the request of (address, secret, notice, now). url_file: holds the address where that is a secret.
    """

    def __init__(
        self,
        name: str,
        means: Means,
        *,
        table: str,
        url: str,
        url_file: Path | None,
        secret_file: Path | None,
        ca_file: Path | None,
        allow_plain_http: bool,
        timeout: Seconds,
        max_in_flight: int,
        per_minute: int,
        build: Callable[[str, bytes, Notice, UnixSeconds], Request],
        judge: Judge,
        clock: Clock,
    ) -> None:
        self.name = name
        self.means = means
        self.max_in_flight = max_in_flight
        self.per_minute = per_minute
        self._table = table
        self._url = url
        self._url_file, self._secret_file, self._ca_file = url_file, secret_file, ca_file
        self._allow_plain_http = allow_plain_http
        self._timeout = timeout
        self._build, self._judge = build, judge
        self._clock = clock
        self._secret = b""
        self._secrets: tuple[str, ...] = ()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Read address, secret and certificates; raises ValueError that says which is wrong."""
        try:
            if self._url_file is not None:
                self._url = _address_in(self._url_file, allow_plain_http=self._allow_plain_http)
            if self._secret_file is not None:
                self._secret = read_secret(self._secret_file)
            tls = ssl.create_default_context(cafile=None if self._ca_file is None else str(self._ca_file))
        except OSError as error:
            raise ValueError(f"{self._table}: ca_file {self._ca_file}: {error}; give a PEM file") from None
        except ValueError as error:
            raise ValueError(f"{self._table}: {error}") from None
        self._secrets = _secrets_of(self._url, self._secret)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, force_close=True, limit=self.max_in_flight),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout * _CONNECT_SHARE),
            headers={"User-Agent": f"btimd/{__version__}"},
        )

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, notice: Notice) -> SendResult:
        """Post one notice once."""
        if self._session is None:
            return SendResult(Outcome(OutcomeKind.NOT_SENT, f"{self.name} is not started"))
        request = self._build(self._url, self._secret, notice, self._clock.wall())
        try:
            async with self._session.request(
                request.method, request.url, data=request.body or None, headers=request.headers, allow_redirects=False
            ) as response:
                body = await _beginning(response)
                return self._judge(response.status, response.headers, body, self._clock.wall(), self._secrets)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return SendResult(Outcome(OutcomeKind.NOT_SENT, f"no connection: {_plain(error)}"))
        except aiohttp.InvalidURL:
            return SendResult(Outcome(OutcomeKind.PAUSED, "the address is malformed"))
        except TimeoutError:
            return SendResult(Outcome(OutcomeKind.UNCERTAIN, f"no answer within {self._timeout:g} s"))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return SendResult(Outcome(OutcomeKind.UNCERTAIN, f"the connection broke: {_plain(error)}"))


def _address_in(path: Path, *, allow_plain_http: bool) -> str:
    """Return the address that a file holds; raises ValueError that never repeats it."""
    url = read_secret(path).decode("ascii", "replace")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
        raise ValueError(f"{path} holds no address; put one line there, https://host/path")
    if parts.scheme == "http" and not is_loopback(host) and not allow_plain_http:
        raise ValueError(f"{path}: http shows orders to everybody on the way; use https, or allow_plain_http = true")
    return url


def _secrets_of(url: str, secret: bytes) -> tuple[str, ...]:
    """Return what must not be shown: the secret, and the parts of the address that may be one."""
    parts = urlsplit(url)
    pieces = parts.path.split("/") + [pair.partition("=")[2] for pair in parts.query.split("&")]
    long = {piece for piece in pieces if len(piece) >= _SECRET_PART}
    long |= {unquote(piece) for piece in long}
    return tuple(sorted(long | ({secret.decode("utf-8", "replace")} - {""}), key=len, reverse=True))


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    try:
        async for chunk in response.content.iter_chunked(4096):
            body += chunk
            if len(body) >= ANSWER_OCTETS:
                break
    except (aiohttp.ClientError, OSError):
        pass  # the status is known, and a broken body says nothing more: the judge sees what came
    return body[:ANSWER_OCTETS]


def _plain(error: Exception) -> str:
    """Return what went wrong without the address: its path may be a secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: the certificate is not trusted; give ca_file or renew it"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return f"{error.host}:{error.port}: {os.strerror(number) if number > 0 else error.os_error.strerror}"
    return type(error).__name__

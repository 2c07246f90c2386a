"""Reads prefixes and addresses from NetBox's REST API (https://netboxlabs.com/docs/netbox/integrations/rest-api/)."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from btimd.settings.fields import is_loopback

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = range(500, 600)
_V2_TOKEN: Final = "nbt_"  # noqa: S105  how tokens of the second version begin
_CHUNK_OCTETS: Final = 1 << 16
_SHOWN_CHARACTERS: Final = 200

PREFIXES: Final = "prefixes"
ADDRESSES: Final = "ip-addresses"


class NetBoxError(Exception):
    """NetBox could not be read; the text is one sentence for people, with what to do."""


@dataclass(frozen=True, slots=True)
class NetBoxLimits:
    """How much is asked and taken.

    page_objects: asked for at once; NetBox gives at most its MAX_PAGE_SIZE, 1000 by default. pages and octets: of a
    list. timeout_seconds: for one answer. tries: for one page, and at most wait_seconds between them.
    """

    page_objects: int = 500
    pages: int = 10_000
    page_octets: int = 32 << 20
    octets: int = 512 << 20
    timeout_seconds: float = 60.0
    tries: int = 4
    wait_seconds: float = 60.0


class NetBox:
    """One NetBox. Use as an async context manager; the methods raise NetBoxError.

    token: as NetBox shows it, "" = none. A token goes over an unencrypted connection to this machine only, unless
    plaintext is True. Redirects are not followed: they would take the token elsewhere. sleep: how to wait.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        limits: NetBoxLimits | None = None,
        tls: ssl.SSLContext | None = None,
        plaintext: bool = False,
        progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NetBoxError(f"{url!r} is no address of a NetBox; write https://netbox.example")
        if parts.username is not None or parts.password is not None:
            raise NetBoxError("the address of NetBox holds a user or password; leave it out and give a token")
        if token and parts.scheme == "http" and not plaintext and not is_loopback(parts.hostname):
            raise NetBoxError(f"the token would go to {parts.hostname} unencrypted; use https, or --plaintext")
        if not token.isascii() or not (token.isprintable() and " " not in token):
            raise NetBoxError("the token file holds no token; put the token there alone, as NetBox shows it")
        path = parts.path.rstrip("/").removesuffix("/api")
        self._base = f"{parts.scheme}://{parts.netloc}{path}/api/ipam/"
        self._limits = limits or NetBoxLimits()
        self._tls = tls
        self._headers = {"Accept": "application/json", "User-Agent": "btimd"}
        if token:
            scheme = "Bearer" if token.startswith(_V2_TOKEN) else "Token"
            self._headers["Authorization"] = f"{scheme} {token}"
        self._progress = progress
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self._limits.timeout_seconds)
        connector = aiohttp.TCPConnector(ssl=self._tls) if self._tls is not None else None
        # no cookies, and no proxy of the environment: the token goes to NetBox alone
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def objects(self, what: str, statuses: Sequence[str] = ()) -> list[Any]:
        """Return every object of a list: PREFIXES or ADDRESSES, of these statuses, () = all."""
        url = f"{self._base}{what}/"
        query = [("limit", str(self._limits.page_objects)), *(("status", status) for status in statuses)]
        found: list[Any] = []
        octets, asked = 0, set[str]()
        for _ in range(self._limits.pages):
            text = urlencode(query)
            if text in asked:
                raise NetBoxError(f"{url} gives the same page as next again ({text}); is there a cache in between?")
            asked.add(text)
            body = await self._page(f"{url}?{text}")
            octets += len(body)
            if octets > self._limits.octets:
                raise NetBoxError(f"{url} holds more than {self._limits.octets >> 20} MiB; narrow it with --status")
            page = _parsed(url, body)
            found += page["results"]
            self._progress(what, len(found), page["count"])
            if page["next"] is None:
                return found
            # Only the query of the link: behind a proxy its host and scheme are often those NetBox believes it has.
            query = parse_qsl(urlsplit(page["next"]).query)
        raise NetBoxError(f"{url} has more than {self._limits.pages} pages; narrow it with --status")

    async def _page(self, url: str) -> bytes:
        """Return the body of an answer; asks again, after a pause, where that may help."""
        pause = 1.0
        for left in range(self._limits.tries - 1, -1, -1):
            try:
                status, headers, body = await self._ask(url)
            except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if not left or isinstance(error, aiohttp.ClientSSLError):
                    raise NetBoxError(self._no_answer(error)) from error
            except aiohttp.ClientError as error:
                raise NetBoxError(self._no_answer(error)) from error
            else:
                if status == _OK:
                    return body
                if not left or (status != _TOO_MANY and status not in _SERVER_ERRORS):
                    raise NetBoxError(_refusal(url, status, headers, body))
                pause = _retry_after(headers.get("Retry-After")) or pause
            await self._sleep(min(pause, self._limits.wait_seconds))
            pause *= 2
        raise NetBoxError(f"{url} was never asked; tries must be 1 at least")

    async def _ask(self, url: str) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise NetBoxError("NetBox is used outside of its `async with`")
        async with self._session.get(url, allow_redirects=False) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK_OCTETS):
                body += chunk
                if len(body) > self._limits.page_octets:
                    raise NetBoxError(f"{url} answers more than {self._limits.page_octets >> 20} MiB; is it a NetBox?")
            return answer.status, answer.headers, bytes(body)

    def _no_answer(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"{self._base} did not answer within {self._limits.timeout_seconds:g} s; try again, or ask for less"
        if isinstance(error, aiohttp.ClientSSLError):
            return f"{self._base}: the certificate is not trusted ({error}); name its CA with --ca-file"
        return f"cannot reach {self._base}: {error}"


def _parsed(url: str, body: bytes) -> dict[str, Any]:
    """Return a page; raises NetBoxError for what is none."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict) or not isinstance(page.get("results"), list):
        shown = body[:_SHOWN_CHARACTERS].decode("utf-8", "replace")
        raise NetBoxError(f"{url} answers no list of NetBox's API ({shown!r}); give the address of NetBox itself")
    following, count = page.get("next"), page.get("count")
    if following is not None and not isinstance(following, str):
        raise NetBoxError(f"{url} names a next page that is no link: {str(following)[:_SHOWN_CHARACTERS]!r}")
    return {"results": page["results"], "next": following, "count": count if isinstance(count, int) else 0}


def _refusal(url: str, status: int, headers: Mapping[str, str], body: bytes) -> str:
    said = _detail(body)
    if status in _REDIRECTS:
        return f"{url} sends to {headers.get('Location', 'nowhere')[:_SHOWN_CHARACTERS]}; give the address it sends to"
    match status:
        case 401 | 403:
            what = "the token is not valid, or may not view prefixes and IP addresses"
            return f"{url} answered {status}{said}: {what}; check --token-file and the token's permissions"
        case 404:
            return f"{url} answered 404: there is no NetBox API; check --url"
        case 429:
            return f"{url} answered 429{said}: too many requests; try later"
    if status in _SERVER_ERRORS:
        return f"{url} answered {status}{said}: NetBox failed; look at its log, or try later"
    return f"{url} answered {status}{said}"


def _detail(body: bytes) -> str:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    detail = page.get("detail") if isinstance(page, dict) else None
    return f" ({detail[:_SHOWN_CHARACTERS]!r})" if isinstance(detail, str) else ""


def _retry_after(text: str | None) -> float:
    """Return the seconds of a Retry-After header, 0 for none and for a date."""
    return float(text) if text is not None and text.isdecimal() and text.isascii() else 0.0

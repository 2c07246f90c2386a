"""A target over HTTP: makes the requests an adapter asks for, and says exactly what is certain about the outcome.

Secrets are added here and nowhere else, redirects are not followed, addresses are checked after the name was resolved,
and certificates always.
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override

from btimd import __version__
from btimd.itsm.emit.courier import TargetLimits
from btimd.itsm.emit.exchange import Dialogue, Done, GoneError, HaltError, HttpAnswer, HttpRequest, T, Work
from btimd.itsm.emit.polling import Pollable
from btimd.itsm.emit.trial import TrialResult, trial_of
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import HttpTargetSettings, TargetSettings
from btimd.model.delivery import ExternalReference
from btimd.model.ports import Journal, OutboxMessage
from btimd.runtime.clock import Clock
from btimd.settings.fields import read_secret

ANSWER_LIMIT: Final = 1 << 20
"""Octets of an answer that are read."""
REQUESTS_LIMIT: Final = 200
"""Requests of one piece of work; an adapter that wants more is led around by the target."""
_CONNECT_SHARE: Final = 0.5  # connecting may take half of the time, so that its time-out is told from the answer's

Headers = Mapping[str, str]
_SHORTEST: Final = 4
_TOLD_APART: Final = 8
"""So many first characters of a secret are taken for it, where a text was cut off in the middle."""


class Adapter(Protocol):
    """What is different about a kind of target: pure, see emit/exchange.py."""

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Make the target have a message, once."""
        ...


class _TransportError(Exception):
    """A request without an answer."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class AddressRefusedError(OSError):
    """A host has an address that targets may not have."""


def address_is_allowed(address: IPv4Address | IPv6Address, networks: Sequence[str]) -> bool:
    """Tell whether a target may have an address: of the networks given, else any that cannot be a machine's own trap.

    Link-local addresses are refused as those of cloud machines give away credentials to whoever asks there.
    """
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    if networks:
        return any(plain in ip_network(network) for network in networks)
    return not (plain.is_link_local or plain.is_multicast or plain.is_unspecified)


class CheckedResolver(AbstractResolver):
    """Resolves names to allowed addresses only, so that a name cannot be pointed at something else later."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = networks
        self._names = ThreadedResolver()

    @override
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """Return the allowed addresses of a host; OSError where there is none."""
        found = await self._names.resolve(host, port, family)
        allowed = [one for one in found if address_is_allowed(ip_address(one["host"]), self._networks)]
        if found and not allowed:
            raise AddressRefusedError(0, f"{found[0]['host']} is not in networks")
        return allowed

    @override
    async def close(self) -> None:
        await self._names.close()


def limits_of(settings: TargetSettings) -> TargetLimits:
    """Return what the courier must know of a target's settings."""
    return TargetLimits(settings.max_in_flight, settings.per_second, settings.burst, settings.refused_for)


def tls_of(what: str, ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificates; raises ValueError that says which file is wrong."""
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        raise ValueError(f"{what}: ca_file {ca_file}: {error}; give a PEM file of certificates") from None


def secret_of(what: str, path: Path) -> str:
    """Return a secret as text; raises ValueError that says which file is wrong."""
    try:
        return read_secret(path).decode("ascii")
    except UnicodeDecodeError:
        raise ValueError(f"{what}: secret in {path}: it is not plain ASCII; put the secret there, alone") from None
    except ValueError as error:
        raise ValueError(f"{what}: secret in {path}: {error}") from None


def redacted(text: str, secrets: Sequence[str]) -> str:
    """Return a text without secrets, as a target may repeat them in its answer."""
    for secret in secrets:
        text = text.replace(secret, "***")
        if text.endswith(tuple(secret[:length] for length in range(_TOLD_APART, len(secret)))):  # cut off in one
            begin = max(text.rfind(secret[:_TOLD_APART]), 0)
            text = f"{text[:begin]}***"
    return text


def shapes_of(secrets: Sequence[str], headers: Headers, url: str) -> tuple[str, ...]:
    """Return what secrets look like on the wire, the longest first: in headers, in URLs, and the URL's own path."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    found = {*secrets, *(quote(secret, safe="") for secret in secrets), *headers.values()}
    found |= {value.rpartition(" ")[2] for value in headers.values()}
    if len(path) > _TOLD_APART:
        found |= {path, unquote(path), path.rpartition("/")[2], unquote(path).rpartition("/")[2]}
    if parts.query:
        found |= {parts.query}
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


OnReference = Callable[[ExternalReference], Awaitable[None]]
"""Told what a target calls an incident, after every message that it took."""


class HttpTarget:
    """One target. start reads the secrets and opens the session; deliver never raises but when cancelled.

    make: gives, once the secrets are read, the adapter and the headers that authenticate; secret_files: their files by
    name, as `make` gets them.
    """

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        settings: HttpTargetSettings,
        secret_files: Mapping[str, Path],
        make: Callable[[Mapping[str, str]], tuple[Adapter, Headers]],
        journal: Journal,
        clock: Clock,
        on_reference: "OnReference | None" = None,
    ) -> None:
        self._on_reference = on_reference
        self.name = name
        self.limits = limits_of(settings)
        self._what = f"itsm.{kind}.{name}"
        self._settings = settings
        self._secret_files = secret_files
        self._make = make
        self._journal = journal
        self._clock = clock
        self._adapter: Adapter | None = None
        self._secrets: tuple[str, ...] = ()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Read secrets and certificates; raises ValueError that says which file is wrong."""
        settings = self._settings
        secrets = {name: secret_of(self._what, path) for name, path in self._secret_files.items()}
        self._adapter, headers = self._make(secrets)
        self._secrets = shapes_of(tuple(secrets.values()), headers, settings.url)
        # A new connection per request: an idle one that the target just closed would make outcomes uncertain.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls_of(self._what, settings.ca_file),
                force_close=True,
                limit=settings.max_in_flight + 1,
                resolver=CheckedResolver(settings.networks),
            ),
            headers={"User-Agent": f"btimd/{__version__}", **headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.timeout, sock_connect=settings.timeout * _CONNECT_SHARE),
        )
        # aiohttp sends a PUT again by itself when the connection breaks (it takes it for idempotent, RFC 9110 section
        # 9.2.2), and a note in it would be there twice. There is no public switch; the test of this would fail first.
        self._session._retry_connection = False  # noqa: SLF001

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def pollable(self) -> Pollable | None:
        """Return the adapter where it can be asked what people changed, once started."""
        return self._adapter if hasattr(self._adapter, "changes") else None  # type: ignore[return-value]  # it is one then

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Try once."""
        if self._adapter is None or self._session is None:
            return Outcome(OutcomeKind.NOT_SENT, "the target is not started")
        reference = await self._journal.load_reference(self.name, message.incident_id)
        work = Work(message, reference, self._clock.wall())
        done, outcome = await self.carry_out(self._adapter.deliver(work))
        if done is not None and done.reference is not None and done.reference != reference:
            await self._journal.save_reference(done.reference)
        if done is not None and done.reference is not None and self._on_reference is not None:
            await self._on_reference(done.reference)
        return outcome if done is None else Outcome(OutcomeKind.DELIVERED, done.detail)

    async def try_out(self) -> TrialResult:
        """Ask something harmless."""
        if self._adapter is None:
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, "the target is not started"))
        tells, outcome = await self.carry_out(trial_of(self._adapter))
        if tells is None:
            return TrialResult(outcome)
        return TrialResult(Outcome(OutcomeKind.DELIVERED, tells.detail), tests_credentials=tells.tests_credentials)

    async def carry_out(self, dialogue: Dialogue[T]) -> tuple[T | None, Outcome]:
        """Make the requests of a dialogue; return what it came to, None with the outcome where it did not end."""
        wrote = False
        try:
            request = next(dialogue)
            for _ in range(REQUESTS_LIMIT):
                answer = await self._send(request)
                wrote = wrote or (request.writes and answer.status < HTTPStatus.MULTIPLE_CHOICES)
                request = dialogue.send(answer)
            outcome = Outcome(OutcomeKind.SERVER_ERROR, f"{REQUESTS_LIMIT} requests came to no end", partly=wrote)
        except StopIteration as end:
            return end.value, Outcome(OutcomeKind.DELIVERED)
        except HaltError as halt:
            outcome = halt.outcome
        except GoneError as gone:
            outcome = Outcome(OutcomeKind.SERVER_ERROR, f"{gone} was there and is not any more")
        except _TransportError as error:
            outcome = error.outcome
        finally:
            dialogue.close()
        return None, Outcome(
            outcome.kind,
            redacted(outcome.detail, self._secrets),
            outcome.retry_after_seconds,
            partly=outcome.partly or wrote,
        )

    async def _send(self, request: HttpRequest) -> HttpAnswer:
        if self._session is None:
            raise _TransportError(Outcome(OutcomeKind.NOT_SENT, "the target is not started"))
        lost = OutcomeKind.UNCERTAIN if request.writes else OutcomeKind.NOT_SENT
        if not literal_is_allowed(self._settings):
            raise _TransportError(Outcome(OutcomeKind.NOT_SENT, "no connection: the address is not in networks"))
        try:
            async with self._session.request(
                request.method,
                f"{self._settings.url.rstrip('/')}/{request.path}" if request.path else self._settings.url,
                data=request.body or None,
                headers=dict(request.headers),
                allow_redirects=False,
            ) as response:
                body = await _bounded(response)
                return HttpAnswer(response.status, response.headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, AddressRefusedError) as error:
            raise _TransportError(Outcome(OutcomeKind.NOT_SENT, f"no connection: {plain(error)}")) from error
        except TimeoutError as error:
            raise _TransportError(Outcome(lost, f"no answer within {self._settings.timeout:g} s")) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _TransportError(Outcome(lost, f"the connection broke: {plain(error)}")) from error


def literal_is_allowed(settings: HttpTargetSettings) -> bool:
    """Tell whether a url may be called, where it names an address; a name is checked when it is resolved."""
    try:
        address = ip_address(urlsplit(settings.url).hostname or "")
    except ValueError:
        return True
    return address_is_allowed(address, settings.networks)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Return the body up to the limit. A body that breaks off after its status is what came of it."""
    parts: list[bytes] = []
    room = ANSWER_LIMIT
    try:
        async for part in response.content.iter_chunked(65_536):
            parts.append(part[:room])
            room -= len(parts[-1])
            if not room:
                break
    except (aiohttp.ClientPayloadError, asyncio.IncompleteReadError):
        pass
    return b"".join(parts)


def plain(error: Exception) -> str:
    """Return what went wrong without the address: its path may be a secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: the certificate is not trusted; give ca_file or renew it"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return f"{error.host}:{error.port}: {os.strerror(number) if number > 0 else error.os_error.strerror}"
    if isinstance(error, AddressRefusedError):
        return str(error.strerror)
    return type(error).__name__

"""A webhook: posts a message to a receiver over HTTP and says exactly what is certain about the outcome.

The contract with receivers. `webhook-id` and the CloudEvents `id` are the same on every attempt of a message, and
`webhook-attempt` counts them. After an attempt whose answer was missed the message is sent again: a receiver that
keeps the ids gets each message once, any other may get it twice, because nobody can know what arrived at the moment
a connection broke. To make that rare without its help, a repeat waits until an unanswered request must have ended.
"""

import os
import ssl
from typing import Final

import aiohttp

from btimd import __version__
from btimd.itsm.emit.cloudevents import event_id
from btimd.itsm.emit.exchange import classify_status
from btimd.itsm.emit.httptarget import CheckedResolver, limits_of, literal_is_allowed, redacted, shapes_of
from btimd.itsm.emit.signing import key_of, signed_headers
from btimd.itsm.emit.trial import TrialResult
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.settings import WebhookSettings
from btimd.model.ports import OutboxMessage
from btimd.runtime.clock import Clock
from btimd.settings.fields import read_secret

_DETAIL_OCTETS: Final = 200
_CONNECT_SHARE: Final = 0.5  # connecting may take half of the time, so that its time-out is told from the answer's


class Webhook:
    """One receiver. start reads the secrets and opens the session; deliver never raises but when cancelled."""

    def __init__(self, name: str, settings: WebhookSettings, clock: Clock) -> None:
        self.name = name
        self.limits = limits_of(settings)
        self._settings = settings
        self._clock = clock
        self._keys: tuple[bytes, ...] = ()
        self._shapes: tuple[str, ...] = ()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Read secrets and certificates; raises ValueError that says which file is wrong."""
        settings = self._settings
        keys = []
        for path in (settings.secret_file, *settings.further_secret_files):
            try:
                keys.append(key_of(read_secret(path)))
            except ValueError as error:
                raise ValueError(f"itsm.webhook.{self.name}: secret in {path}: {error}") from None
        self._keys = tuple(keys)
        self._shapes = shapes_of((), {}, settings.url)
        try:
            tls = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
        except OSError as error:
            raise ValueError(
                f"itsm.webhook.{self.name}: ca_file {settings.ca_file}: {error}; give a PEM file of certificates"
            ) from None
        # A new connection per request: an idle one that the receiver just closed would make outcomes uncertain.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls,
                force_close=True,
                limit=settings.max_in_flight,
                resolver=CheckedResolver(settings.networks),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.timeout, sock_connect=settings.timeout * _CONNECT_SHARE),
            auto_decompress=False,
        )

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Post a message once."""
        if self._session is None:
            return Outcome(OutcomeKind.NOT_SENT, "the webhook is not started")
        if not literal_is_allowed(self._settings):
            return Outcome(OutcomeKind.NOT_SENT, "no connection: the address is not in networks")
        ce_id = event_id(message.incident_id, message.seq)
        now = self._clock.wall()
        headers = {
            **signed_headers(self._keys, message_id=ce_id, at=now, body=message.body),
            "webhook-attempt": str(message.attempts),
            "Idempotency-Key": ce_id,
            "Content-Type": message.content_type,
            "User-Agent": f"btimd/{__version__}",
        }
        try:
            async with self._session.post(
                self._settings.url, data=message.body, headers=headers, allow_redirects=False
            ) as response:
                text = await _beginning(response)
                text = redacted(text, self._shapes)
                return classify_status(response.status, response.headers, text, self._clock.wall())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Outcome(OutcomeKind.NOT_SENT, f"no connection: {_plain(error)}")
        except TimeoutError:
            return Outcome(OutcomeKind.UNCERTAIN, f"no answer within {self._settings.timeout:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Outcome(OutcomeKind.UNCERTAIN, f"the connection broke: {_plain(error)}")

    async def try_out(self) -> TrialResult:
        """Ask what the address takes (OPTIONS, RFC 9110 section 9.3.7): a safe request, which no receiver acts on."""
        if self._session is None or not literal_is_allowed(self._settings):
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, "not started, or the address is not in networks"))
        try:
            async with self._session.options(self._settings.url, allow_redirects=False) as response:
                await _beginning(response)
                status = response.status
        except (aiohttp.ClientError, OSError) as error:
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, f"no answer: {_plain(error)}"))
        said = f"HTTP {status} to OPTIONS; whether it accepts our signature only a real event shows"
        return TrialResult(Outcome(OutcomeKind.DELIVERED, said), tests_credentials=False)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Return the first characters of an answer, fit for a log; the status is known, so a broken body is no failure."""
    try:
        octets = await response.content.read(_DETAIL_OCTETS)
    except (aiohttp.ClientError, OSError):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in octets.decode("utf-8", "replace")).split())


def _plain(error: Exception) -> str:
    """Return what went wrong without the address: its path may be a secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: the certificate is not trusted; give ca_file or renew it"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return f"{error.host}:{error.port}: {os.strerror(number) if number > 0 else error.os_error.strerror}"
    return type(error).__name__

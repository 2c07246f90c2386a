"""Syslog over TLS (RFC 5425) in the format of RFC 5424: best effort, as the protocol has no acknowledgement.

    <PRI>1 TIME HOST btimd - EVENT [btim@32473 id="..." seq="..." state="..." prio="..." signal="..."] BOM text

What the connection had taken when it broke may be lost or not; it is sent again, and a reader tells the repeat by id
and seq. What a server drops after it took it, nobody ever hears of: use another kind of target where that matters.
"""

import asyncio
import re
import ssl
from typing import Final

from btimd.itsm.emit.courier import TargetLimits
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import Facts, facts_of, note, subject
from btimd.itsm.emit.httptarget import limits_of, plain, tls_of
from btimd.itsm.emit.trial import TrialResult
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import SyslogSettings
from btimd.model.ports import OutboxMessage

_LOCAL0: Final = 16
_SEVERITIES: Final = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 5}
_NOTICE: Final = 5
_ENTERPRISE: Final = "32473"  # the number for examples and documents of RFC 5612; the id of the element is ours
_TEXT_OCTETS: Final = 6000  # with the header below the 8192 octets that receivers should take (RFC 5425 section 4.3.1)
_NAME: Final = re.compile(r"[^\x21-\x7e]")


def record(facts: Facts, host: str) -> bytes:
    """Return a message without its framing."""
    severity = _SEVERITIES.get(facts.priority, _NOTICE) if facts.is_open else _NOTICE
    values = {
        "id": facts.incident_id,
        "seq": str(facts.seq),
        "state": facts.state,
        "prio": facts.priority,
        "signal": facts.signal,
    }
    element = " ".join(f'{name}="{_escaped(value)}"' for name, value in values.items())
    head = f"<{_LOCAL0 * 8 + severity}>1 {facts.at} {_token(host, 255)} btimd - {_token(facts.kind, 32)}"
    text = " ".join(f"{subject(facts)}: {note(facts)}".split()).encode("utf-8", "replace")[:_TEXT_OCTETS]
    text = text.decode("utf-8", "ignore").encode()  # a character that was cut in two goes
    return f"{head} [btim@{_ENTERPRISE} {element}] ".encode() + b"\xef\xbb\xbf" + text


def framed(message: bytes) -> bytes:
    """Return a message with its length before it (RFC 5425 section 4.3)."""
    return f"{len(message)} ".encode() + message


def _token(value: str, limit: int) -> str:
    return _NAME.sub("_", value)[:limit] or "-"


def _escaped(value: str) -> str:
    """Return a parameter's value (RFC 5424 section 6.3.3)."""
    return re.sub(r'(["\\\]])', r"\\\1", " ".join(value.split()))


class Syslog:
    """A syslog server."""

    def __init__(self, name: str, settings: SyslogSettings) -> None:
        self.name = name
        self.limits: TargetLimits = limits_of(settings)
        self._settings = settings
        self._tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Read certificates; raises ValueError that says which file is wrong."""
        self._tls = tls_of(f"itsm.syslog.{self.name}", self._settings.ca_file)
        if self._settings.certificate_file is not None:
            try:
                self._tls.load_cert_chain(self._settings.certificate_file, self._settings.key_file)
            except (OSError, ssl.SSLError) as error:
                raise ValueError(
                    f"itsm.syslog.{self.name}: certificate_file {self._settings.certificate_file}: {error}"
                ) from None

    async def stop(self) -> None:
        """Nothing is kept open."""

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Send one record over a connection of its own: only its orderly end says that the octets arrived."""
        host, port = self._settings.server
        try:
            octets = framed(record(facts_of(message.body), self._settings.hostname))
        except HaltError as halt:
            return halt.outcome
        try:
            async with asyncio.timeout(self._settings.timeout / 2):
                reader, writer = await asyncio.open_connection(host, port, ssl=self._tls)
        except ssl.SSLError as error:
            return Outcome(OutcomeKind.NOT_SENT, f"no TLS with {host}:{port}: {error.reason}")
        except (OSError, TimeoutError) as error:
            return Outcome(OutcomeKind.NOT_SENT, f"no connection: {host}:{port}: {plain(error)}")
        try:
            async with asyncio.timeout(self._settings.timeout / 2):
                writer.write(octets)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            return Outcome(OutcomeKind.UNCERTAIN, f"the connection broke: {plain(error)}")
        finally:
            del reader
            writer.transport.abort()
        return Outcome(OutcomeKind.DELIVERED, "handed to the connection")

    async def try_out(self) -> TrialResult:
        """Connect with TLS, and leave."""
        host, port = self._settings.server
        try:
            async with asyncio.timeout(self._settings.timeout):
                _, writer = await asyncio.open_connection(host, port, ssl=self._tls)
                writer.close()
                await writer.wait_closed()
        except ssl.SSLError as error:
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, f"no TLS with {host}:{port}: {error.reason}"))
        except (OSError, TimeoutError) as error:
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, f"no connection: {host}:{port}: {plain(error)}"))
        return TrialResult(Outcome(OutcomeKind.DELIVERED, "TLS stands"), self._settings.certificate_file is not None)

"""TLS: is the server's certificate right, and for how long (RFC 8446, RFC 5280, RFC 9525).

SecuredDialogue is what all dialogues share that speak TLS, from the start or after a command (STARTTLS).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.certificates import (
    DAY_SECONDS,
    NO_RULE,
    Certificate,
    ExpiryRule,
    decode_certificate,
    refusal_text,
    validity_text,
)  # fmt: skip
from btimd.probes.wire.dialogue import (
    Action,
    AnswerError,
    Close,
    Connected,
    Dialogue,
    Event,
    Line,
    Received,
    Secure,
    Secured,
    Stage,
    TlsFailed,
    printable,
)  # fmt: skip

TLS_PORT: Final = 443
VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_MAX_CHAIN: Final = 16


class TlsMode(StrEnum):
    """When TLS begins."""

    OFF = "false"
    FIRST = "true"
    LATER = "starttls"


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How to speak TLS. server_name: empty: the host. ca: PEM text of the only authorities to trust, empty: system."""

    mode: TlsMode = TlsMode.OFF
    verify: bool = True
    server_name: str = ""
    ca: str = ""
    expiry: ExpiryRule = NO_RULE


NO_TLS: Final = TlsOptions()


class SecuredDialogue(Dialogue):
    """A dialogue over TCP that may be in TLS; a good outcome is bad where the certificate ends too soon.

    A certificate that is refused is looked at once more, in a second connection that accepts all and sends nothing in
    it, to say precisely what is wrong.
    """

    def __init__(self, host: str, port: int, tls: TlsOptions = NO_TLS, alpn: tuple[str, ...] = ()) -> None:
        super().__init__(host, port)
        self._tls = tls
        self._alpn = alpn
        self._secured: Secured | None = None
        self._refusal: TlsFailed | None = None
        self._certificate: Certificate | None = None

    @property
    def _name(self) -> str:
        return self._tls.server_name or self._host

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        if self._stage is Stage.ENDED:
            return []
        if isinstance(event, TlsFailed) and event.code and self._refusal is None:
            self._refusal = event
            self._rewind()
            return [Close(), *self._connect(Line.TCP, self._address, self._port, now)]
        if isinstance(event, Secured):
            return self._on_secured(event, now)
        if self._refusal is not None and not isinstance(event, Connected) and not self._may_go_on(event):
            return self._refused(self._refusal, ())
        return super().handle(event, now)

    def _may_go_on(self, event: Event) -> bool:
        """Tell whether the second look still needs what comes now: the words before STARTTLS."""
        return self._stage is Stage.TALKING and isinstance(event, Received)

    def _rewind(self) -> None:
        """Forget what was said: the connection begins anew."""

    def _on_secured(self, event: Secured, now: MonotonicSeconds) -> list[Action]:
        if self._refusal is not None:
            return self._refused(self._refusal, event.chain or (event.certificate,), event)
        self._secured = event
        if event.certificate:
            try:
                self._certificate = decode_certificate(event.certificate)
            except AnswerError as error:
                return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} shows {error}")
            self._values["certificate_expires_seconds"] = self._certificate.not_after - event.at
        return super().handle(event, now)

    def _refused(self, refusal: TlsFailed, chain: tuple[bytes, ...], event: Secured | None = None) -> list[Action]:
        at = event.at if event else 0.0
        try:
            certificates = [decode_certificate(one) for one in chain[:_MAX_CHAIN]]
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} shows {error}")
        if certificates:
            self._values["certificate_expires_seconds"] = certificates[0].not_after - at
        message = refusal.reason.removeprefix("certificate not accepted: ")
        why = refusal_text(refusal.code, printable(message, 120), chain=certificates, name=self._name, at=at)
        return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target}: {why}")

    @override
    def _on_connected(self, now: MonotonicSeconds) -> list[Action]:
        if self._tls.mode is not TlsMode.FIRST or self._present_line is not Line.TCP:
            return super()._on_connected(now)
        if self._refusal is None:
            self._values["connect_seconds"] = now - self._stage_began
        return self._secure(now)

    def _secure(self, now: MonotonicSeconds) -> list[Action]:
        """Begin TLS now; `_ready` comes again when it stands."""
        self._enter(Stage.SECURING, now)
        verify = self._tls.verify and self._refusal is None
        return [Secure(self._name, verify, self._alpn, self._tls.ca if verify else "")]

    @override
    def _good(self, detail: str) -> list[Action]:
        if self._secured is None or self._certificate is None:
            return super()._good(detail)
        left = self._certificate.not_after - self._secured.at
        says = f"certificate of {printable(self._certificate.subject, 50)} {self._validity()}"
        critical = self._tls.expiry.critical_seconds
        if critical is not None and left < critical:
            limit = f"; critical below {critical / DAY_SECONDS:g} days" if left >= 0 else ""
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target}: {says}{limit}")
        if left < self._tls.expiry.warn_seconds:
            return super()._good(f"{detail}; renew soon: {says}")
        return super()._good(detail)

    def _validity(self) -> str:
        if self._secured is None or self._certificate is None:
            return "is not known"
        return validity_text(self._certificate, self._secured.at)


class TlsDialogue(SecuredDialogue):
    """One handshake; good when the certificate is accepted and holds long enough, and the version is new enough."""

    def __init__(self, host: str, port: int, tls: TlsOptions, *, least_version: str = "TLSv1.2") -> None:
        super().__init__(host, port or TLS_PORT, tls)
        if least_version not in VERSIONS:
            raise ValueError(f"min_version {least_version!r} is none; write one of {', '.join(VERSIONS)}")
        self._least = least_version

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        version = self._secured.version if self._secured else ""
        if version in VERSIONS and VERSIONS.index(version) < VERSIONS.index(self._least):
            return self._bad(
                ErrorClass.WRONG_ANSWER, f"{self._target} speaks {version}, expected {self._least} or newer"
            )
        if self._certificate is None:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} speaks {version} and shows no certificate")
        trusted = "trusted" if self._tls.verify else "not verified"
        whose = (
            f"certificate of {printable(self._certificate.subject, 50)} by {printable(self._certificate.issuer, 50)}"
        )
        return self._good(f"{self._target} speaks {version}, {whose} ({trusted}) {self._validity()}")

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        return []

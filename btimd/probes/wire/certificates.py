"""Certificates of servers (X.509, RFC 5280): whose, by whom, until when; and what is wrong with one, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from btimd.model.units import Seconds, UnixSeconds
from btimd.probes.wire.dialogue import AnswerError, printable

DAY_SECONDS: Final = 86_400.0
MAX_CERTIFICATE: Final = 64 * 1024
_NAMES_SHOWN: Final = 3
# X509_V_ERR of OpenSSL (x509_vfy.h)
NOT_YET_VALID: Final = 9
EXPIRED: Final = 10
SELF_SIGNED: Final = 18
SELF_SIGNED_IN_CHAIN: Final = 19
NO_ISSUER: Final = frozenset({2, 20, 21, 27})
WRONG_NAME: Final = frozenset({62, 63, 64})
_BROKEN: Final = (
    ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm,
    x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. subject and issuer: their common names, or all of the name. names: DNS and addresses."""

    subject: str
    issuer: str
    not_before: UnixSeconds
    not_after: UnixSeconds
    names: tuple[str, ...]
    is_own_issuer: bool


def decode_certificate(der: bytes) -> Certificate:
    """Return what a certificate (DER) says; raises AnswerError."""
    if len(der) > MAX_CERTIFICATE:
        raise AnswerError(f"a certificate over {MAX_CERTIFICATE} octets")
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=_name(found.subject),
            issuer=_name(found.issuer),
            not_before=found.not_valid_before_utc.timestamp(),
            not_after=found.not_valid_after_utc.timestamp(),
            names=_names(found),
            is_own_issuer=found.subject == found.issuer,
        )
    except _BROKEN as error:
        raise AnswerError(f"a certificate that cannot be read: {error}") from error


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kept = (name for name in names if isinstance(name, x509.DNSName | x509.IPAddress))
    return tuple(str(name.value) for name in kept)


def day_of(at: UnixSeconds) -> str:
    """Return a time of day as people write it, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def validity_text(certificate: Certificate, at: UnixSeconds) -> str:
    """Return until or since when a certificate holds or does not."""
    if at < certificate.not_before:
        return f"is not valid before {day_of(certificate.not_before)}"
    left = certificate.not_after - at
    if left < 0:
        return f"expired on {day_of(certificate.not_after)}, {-left / DAY_SECONDS:.1f} days ago"
    return f"expires on {day_of(certificate.not_after)}, in {left / DAY_SECONDS:.1f} days"


def refusal_text(  # noqa: PLR0911  one return per reason
    code: int, message: str, *, chain: Sequence[Certificate], name: str, at: UnixSeconds
) -> str:
    """Return why a certificate is not accepted. code and message: as OpenSSL says; chain: as sent, own first."""
    if not chain:
        return f"certificate not accepted: {message}"
    own, last = chain[0], chain[-1]
    text = f"certificate of {printable(own.subject, 50)}"
    if code in {EXPIRED, NOT_YET_VALID}:
        for one in chain:
            if not one.not_before <= at <= one.not_after:
                whose = text if one is own else f"{text}: that of its authority {printable(one.subject, 50)}"
                return f"{whose} {validity_text(one, at)}"
        return f"{text} not accepted: {message}; all that the server sends are valid now: one kept here is not"
    late = "" if own.not_before <= at <= own.not_after else f"; it also {validity_text(own, at)}"
    if code == SELF_SIGNED:
        return f"{text} is self-signed and not trusted{late}"
    if code == SELF_SIGNED_IN_CHAIN:
        return f"{text}: its chain ends at {printable(last.subject, 50)}, an authority that is not trusted here{late}"
    if code in NO_ISSUER:
        return f"{text}: {_no_issuer(chain)}{late}"
    if code in WRONG_NAME:
        shown = ", ".join(own.names[:_NAMES_SHOWN]) or "no name at all (only a subject)"
        more = f" and {len(own.names) - _NAMES_SHOWN} more" if len(own.names) > _NAMES_SHOWN else ""
        return f"{text} is for {printable(shown, 90)}{more}, not for {name}{late}"
    return f"{text} not accepted: {message}{late}"


def _no_issuer(chain: Sequence[Certificate]) -> str:
    issuer = printable(chain[-1].issuer, 50)
    if len(chain) == 1:
        return (
            f"the server sends it alone, issued by {issuer}, which is not trusted here: an unknown authority, or the "
            "server must send the certificate between them too"
        )
    return f"the server sends {len(chain)} certificates, the last issued by {issuer}, an authority not known here"


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """When the end of a certificate is near. critical_seconds: bad below, None: never; warn_seconds: said below."""

    critical_seconds: Seconds | None = None
    warn_seconds: Seconds = 0.0


NO_RULE: Final = ExpiryRule()

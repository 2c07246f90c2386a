"""Authorities and certificates for tests, made where they are used."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and those between it and the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    between: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        chain = (self.certificate, *self.between)
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain)

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        crt, key = directory / f"{name}.crt", directory / f"{name}.key"
        crt.write_text(self.pem)
        key.write_text(self.key_pem)
        key.chmod(0o600)
        return crt, key


def issue(
    common: str,
    names: tuple[str, ...] = (),
    *,
    by: Issued | None = None,
    is_authority: bool = False,
    days: tuple[float, float] = (-1, 90),
    now: dt.datetime = NOW,
    sent: bool = True,
) -> Issued:
    """Make a certificate, valid from and to so many days from now; by: None = self-signed; sent: with its chain."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common)
    issuer = by.certificate.subject if by else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        general: list[x509.GeneralName] = []
        for name in names:
            try:
                general.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                general.append(x509.DNSName(name))
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    signed = builder.sign(by.key if by else key, hashes.SHA256())
    above = (by.certificate, *by.between) if by and sent and by.certificate.issuer != by.certificate.subject else ()
    return Issued(signed, key, above)

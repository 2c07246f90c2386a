"""An authority and certificates of the shop: a good one, one that has expired, one for another name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.enterprise.plan import ZONE

_DAY: Final = timedelta(days=1)


def write_certificates(folder: Path) -> None:
    """Write authority.pem, good.pem, expired.pem and other-name.pem, each of them with its key, for HAProxy."""
    now = datetime.now(UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Corp Test Authority")])
    authority = (
        x509.CertificateBuilder().subject_name(issuer).issuer_name(issuer).public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - 400 * _DAY).not_valid_after(now + 400 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )  # fmt: skip
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for file, name, until in (
        ("good", f"shop.{ZONE}", now + 90 * _DAY),
        ("expired", f"shop.{ZONE}", now - _DAY),
        ("other-name", f"intranet.{ZONE}", now + 90 * _DAY),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - 90 * _DAY).not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )  # fmt: skip
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{file}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)

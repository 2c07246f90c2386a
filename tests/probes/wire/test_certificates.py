import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.certificates import Certificate, decode_certificate, refusal_text, validity_text
from btimd.probes.wire.dialogue import AnswerError
from tests.probes.authorities import NOW, issue

AT = NOW.timestamp()
DAY = 86_400.0
OWN = Certificate(
    "erp.example", "Corp CA", AT - DAY, AT + 90 * DAY, ("erp.example", "www.example"), is_own_issuer=False
)
ROOT = Certificate("Corp CA", "Corp CA", AT - DAY, AT + 90 * DAY, (), is_own_issuer=True)
DER = issue("erp.example", ("erp.example", "10.0.0.1")).der


def test_a_certificate_is_read() -> None:
    root = issue("Corp CA", is_authority=True)
    leaf = issue("erp.example", ("erp.example", "10.0.0.1"), by=root, days=(-2, 12))
    assert decode_certificate(leaf.der) == Certificate(
        subject="erp.example",
        issuer="Corp CA",
        not_before=AT - 2 * DAY,
        not_after=AT + 12 * DAY,
        names=("erp.example", "10.0.0.1"),
        is_own_issuer=False,
    )
    assert decode_certificate(root.der).is_own_issuer


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ((-1.0, 3.5), "expires on 2026-11-25 20:00 UTC, in 3.5 days"),
        ((-9.0, -2.0), "expired on 2026-11-20 08:00 UTC, 2.0 days ago"),
        ((1.0, 2.0), "is not valid before 2026-11-23 08:00 UTC"),
    ],
)
def test_until_when_it_holds(days: tuple[float, float], text: str) -> None:
    certificate = Certificate("a", "b", AT + days[0] * DAY, AT + days[1] * DAY, (), is_own_issuer=False)
    assert validity_text(certificate, AT) == text


def aged(certificate: Certificate, days: tuple[float, float]) -> Certificate:
    return Certificate(
        certificate.subject, certificate.issuer, AT + days[0] * DAY, AT + days[1] * DAY, certificate.names,
        is_own_issuer=certificate.is_own_issuer,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "chain", "text"),
    [
        (10, (aged(OWN, (-9, -2)),), "certificate of erp.example expired on 2026-11-20 08:00 UTC, 2.0 days ago"),
        (9, (aged(OWN, (2, 9)),), "certificate of erp.example is not valid before 2026-11-24 08:00 UTC"),
        (
            10,
            (OWN, aged(ROOT, (-9, -2))),
            "certificate of erp.example: that of its authority Corp CA expired on 2026-11-20 08:00 UTC, 2.0 days ago",
        ),
        (
            10,
            (OWN,),
            (
                "certificate of erp.example not accepted: openssl says; all that the server sends are valid now: one kept "
                "here is not"
            ),
        ),
        (18, (OWN,), "certificate of erp.example is self-signed and not trusted"),
        (
            18,
            (aged(OWN, (-9, -2)),),
            (
                "certificate of erp.example is self-signed and not trusted; it also expired on 2026-11-20 08:00 UTC, "
                "2.0 days ago"
            ),
        ),
        (
            19,
            (OWN, ROOT),
            "certificate of erp.example: its chain ends at Corp CA, an authority that is not trusted here",
        ),
        (
            20,
            (OWN,),
            (
                "certificate of erp.example: the server sends it alone, issued by Corp CA, which is not trusted here: an "
                "unknown authority, or the server must send the certificate between them too"
            ),
        ),
        (
            20,
            (OWN, ROOT),
            (
                "certificate of erp.example: the server sends 2 certificates, the last issued by Corp CA, an authority not "
                "known here"
            ),
        ),
        (62, (OWN,), "certificate of erp.example is for erp.example, www.example, not for crm.example"),
        (64, (ROOT,), "certificate of Corp CA is for no name at all (only a subject), not for crm.example"),
        (7, (OWN,), "certificate of erp.example not accepted: openssl says"),
        (7, (), "certificate not accepted: openssl says"),
    ],
)
def test_each_reason_of_a_refusal_has_its_own_words(code: int, chain: tuple[Certificate, ...], text: str) -> None:
    assert refusal_text(code, "openssl says", chain=chain, name="crm.example", at=AT) == text


def test_a_certificate_that_is_cut_is_told() -> None:
    for end in range(len(DER)):
        with pytest.raises(AnswerError):
            decode_certificate(DER[:end])


@pytest.mark.filterwarnings("ignore")
@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_certificate_that_is_changed_reads_or_is_told(at: int, octet: int) -> None:
    changed = bytearray(DER)
    changed[at] = octet
    try:
        found = decode_certificate(bytes(changed))
    except AnswerError:
        return
    assert validity_text(found, AT)


def test_the_days_of_the_samples() -> None:
    assert dt.datetime.fromtimestamp(AT, dt.UTC) == NOW

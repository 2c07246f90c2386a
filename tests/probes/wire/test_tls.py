import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.certificates import ExpiryRule
from btimd.probes.wire.dialogue import (
    Action,
    Close,
    Closed,
    Connect,
    Connected,
    Deadline,
    Event,
    Finish,
    Line,
    Outcome,
    Received,
    Refused,
    Secure,
    Secured,
    TlsFailed,
)
from btimd.probes.wire.tls import TlsDialogue, TlsMode, TlsOptions
from tests.probes.authorities import NOW, issue

AT = NOW.timestamp()
DAY = 86_400.0
ROOT = issue("Corp CA", is_authority=True)
LEAF = issue("erp.example", ("erp.example",), by=ROOT, days=(-1, 10))
STANDS = Secured(at=AT, certificate=LEAF.der, chain=(LEAF.der,), version="TLSv1.3")


def securing(**options: object) -> TlsDialogue:
    tls = TlsOptions(TlsMode.FIRST, server_name="erp.example", ca="PEM", **options)  # type: ignore[arg-type]
    dialogue = TlsDialogue("10.2.0.10", 0, tls)
    assert dialogue.start(1.0) == [Connect(Line.TCP, "10.2.0.10", 443)]
    verify = bool(options.get("verify", True))
    assert dialogue.handle(Connected(), 1.25) == [Secure("erp.example", verify, (), "PEM" if verify else "")]
    return dialogue


def end(error: ErrorClass, detail: str, **values: float) -> list[Action]:
    health = Health.GOOD if error is ErrorClass.NONE else Health.BAD
    return [Finish(Outcome(health, error, detail, {"connect_seconds": 0.25, **values}))]


@pytest.mark.parametrize(
    ("rule", "error", "detail"),
    [
        (
            ExpiryRule(7 * DAY, 9 * DAY),
            ErrorClass.NONE,
            (
                "10.2.0.10:443 speaks TLSv1.3, certificate of erp.example by Corp CA (trusted) expires on 2026-12-02 08:00 "
                "UTC, in 10.0 days"
            ),
        ),
        (
            ExpiryRule(7 * DAY, 30 * DAY),
            ErrorClass.NONE,
            (
                "10.2.0.10:443 speaks TLSv1.3, certificate of erp.example by Corp CA (trusted) expires on 2026-12-02 08:00 "
                "UTC, in 10.0 days; renew soon: certificate of erp.example expires on 2026-12-02 08:00 UTC, in 10.0 days"
            ),
        ),
        (
            ExpiryRule(14 * DAY),
            ErrorClass.PROTOCOL_ERROR,
            (
                "10.2.0.10:443: certificate of erp.example expires on 2026-12-02 08:00 UTC, in 10.0 days; critical below 14 "
                "days"
            ),
        ),
    ],
)
def test_a_certificate_is_judged_by_the_days_it_still_holds(rule: ExpiryRule, error: ErrorClass, detail: str) -> None:
    dialogue = securing(expiry=rule)
    values = {"tls_seconds": 0.25, "certificate_expires_seconds": 10 * DAY}
    assert dialogue.handle(STANDS, 1.5) == end(error, detail, **values)
    assert dialogue.handle(Deadline(), 3.0) == []


def test_without_a_limit_only_verifying_refuses_an_expired_certificate() -> None:
    old = issue("erp.example", days=(-9, -2))
    actions = securing(verify=False).handle(Secured(at=AT, certificate=old.der, version="TLSv1.2"), 1.5)
    assert isinstance(actions[0], Finish)
    assert actions[0].outcome.health is Health.GOOD
    assert "(not verified) expired on 2026-11-20 08:00 UTC, 2.0 days ago" in actions[0].outcome.detail


def test_a_refused_certificate_is_looked_at_again_to_say_why() -> None:
    old = issue("erp.example", ("erp.example",), by=ROOT, days=(-9, -2))
    dialogue = securing()
    failed = TlsFailed("certificate not accepted: certificate has expired", 10)
    assert dialogue.handle(failed, 1.5) == [Close(), Connect(Line.TCP, "10.2.0.10", 443)]
    assert dialogue.handle(Connected(), 1.75) == [Secure("erp.example", verify=False)]
    assert dialogue.handle(Secured(at=AT, certificate=old.der, chain=(old.der,)), 2.0) == end(
        ErrorClass.PROTOCOL_ERROR,
        "10.2.0.10:443: certificate of erp.example expired on 2026-11-20 08:00 UTC, 2.0 days ago",
        certificate_expires_seconds=-2 * DAY,
    )


@pytest.mark.parametrize("event", [Refused(), Deadline(), Closed(), TlsFailed("no", 10)])
def test_where_the_second_look_fails_the_first_reason_stands(event: Event) -> None:
    dialogue = securing()
    dialogue.handle(TlsFailed("certificate not accepted: certificate has expired", 10), 1.5)
    dialogue.handle(Connected(), 1.75)
    assert dialogue.handle(event, 2.0) == end(
        ErrorClass.PROTOCOL_ERROR, "10.2.0.10:443: certificate not accepted: certificate has expired"
    )


@pytest.mark.parametrize(
    ("event", "error", "detail"),
    [
        (
            Secured(at=AT, certificate=b"\x30\x03abc", version="TLSv1.3"),
            ErrorClass.PROTOCOL_ERROR,
            "10.2.0.10:443 shows a certificate that cannot be read",
        ),
        (
            Secured(at=AT, certificate=LEAF.der, version="TLSv1.1"),
            ErrorClass.WRONG_ANSWER,
            "10.2.0.10:443 speaks TLSv1.1, expected TLSv1.2 or newer",
        ),
        (Secured(at=AT), ErrorClass.PROTOCOL_ERROR, "10.2.0.10:443 speaks  and shows no certificate"),
        (
            TlsFailed("wrong version number"),
            ErrorClass.PROTOCOL_ERROR,
            "10.2.0.10:443: TLS handshake failed: wrong version number",
        ),
        (Deadline(), ErrorClass.NO_ANSWER, "10.2.0.10:443 accepts and does not finish the TLS handshake within 1.0 s"),
    ],
)
def test_other_ends_of_a_handshake(event: Event, error: ErrorClass, detail: str) -> None:
    actions = securing().handle(event, 2.0)
    assert isinstance(actions[0], Finish)
    assert actions[0].outcome.error is error
    assert actions[0].outcome.detail.startswith(detail)


def test_octets_before_the_end_mean_nothing() -> None:
    assert securing().handle(Received(b"x"), 1.5) == []


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="min_version 'SSLv9' is none"):
        TlsDialogue("h", 0, TlsOptions(TlsMode.FIRST), least_version="SSLv9")

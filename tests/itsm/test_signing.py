import base64
import hashlib
import hmac

import pytest

from btimd.itsm.emit.signing import SignatureError, key_of, signed_headers, verify

OLD, NEW, STRANGER = b"old-key-of-24-octets-....", b"new-key-of-24-octets-....", b"stranger-of-24-octets-..."
AT = 1_700_000_000.9
BODY = b'{"a":1}'
HEADERS = signed_headers([OLD], message_id="INC-1.1", at=AT, body=BODY)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    digest = hmac.new(OLD, b'INC-1.1.1700000000.{"a":1}', hashlib.sha256).digest()

    assert {
        "webhook-id": "INC-1.1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    } == HEADERS


def test_the_published_example_of_the_scheme_verifies() -> None:
    key = key_of(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    assert verify([key], headers, b'{"test": 2432232314}', 1_614_265_330.0) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_any_of_several_keys_at_either_end_is_enough() -> None:
    both = signed_headers([OLD, NEW], message_id="INC-1.1", at=AT, body=BODY)

    assert verify([OLD], both, BODY, AT) == "INC-1.1"
    assert verify([NEW], both, BODY, AT) == "INC-1.1"
    assert verify([STRANGER, OLD], HEADERS, BODY, AT) == "INC-1.1"


@pytest.mark.parametrize(
    ("keys", "changes", "body", "now", "message"),
    [
        ([STRANGER], {}, BODY, AT, "no signature fits"),
        ([], {}, BODY, AT, "no signature fits"),
        ([OLD], {}, b'{"a":2}', AT, "no signature fits"),
        ([OLD], {"webhook-id": "INC-1.2"}, BODY, AT, "no signature fits"),
        ([OLD], {"webhook-timestamp": "1700000001"}, BODY, AT, "no signature fits"),
        ([OLD], {"webhook-timestamp": "now"}, BODY, AT, "is no number of seconds"),
        ([OLD], {"webhook-signature": "v2,abc é v1,"}, BODY, AT, "no signature fits"),
        ([OLD], {}, BODY, AT + 301, "signed 302 s from now; 300 s are allowed"),
        ([OLD], {}, BODY, AT - 302, "from now"),
    ],
)
def test_what_was_changed_or_is_old_or_strange_is_refused(
    keys: list[bytes], changes: dict[str, str], body: bytes, now: float, message: str
) -> None:
    with pytest.raises(SignatureError, match=message):
        verify(keys, {**HEADERS, **changes}, body, now)


def test_a_missing_header_is_named() -> None:
    with pytest.raises(SignatureError, match="the header 'webhook-signature' is missing"):
        verify([OLD], {name: HEADERS[name] for name in ("webhook-id", "webhook-timestamp")}, BODY, AT)


def test_a_weak_or_broken_secret_is_refused() -> None:
    assert key_of(OLD) == OLD
    with pytest.raises(ValueError, match="the secret has 5 octets; use at least 24"):
        key_of(b"12345")
    with pytest.raises(ValueError, match="no base64"):
        key_of(b"whsec_***")

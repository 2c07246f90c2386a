"""Signatures of webhooks by the Standard Webhooks scheme, so that a receiver knows who sent what and when.

`webhook-signature: v1,<base64 of HMAC-SHA256(key, "<id>.<timestamp>.<body>")>`, one per key, separated by blanks.
While a secret is being changed both the old and the new one sign; a receiver accepts any signature it can verify.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from btimd.model.units import Seconds, UnixSeconds

WINDOW_SECONDS: Final = 300.0
"""How far a time stamp may be off; older messages may be replays of recorded ones."""
KEY_MIN_OCTETS: Final = 24
_PREFIX: Final = b"whsec_"
_VERSION: Final = "v1,"


class SignatureError(Exception):
    """A message that is not what its sender signed, or that nobody we know signed."""


def key_of(secret: bytes) -> bytes:
    """Return the key of a secret: "whsec_" and base64, or the octets as they are; ValueError where it is too short."""
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError('what follows "whsec_" is no base64') from error
    else:
        key = secret
    if len(key) < KEY_MIN_OCTETS:
        raise ValueError(
            f"the secret has {len(key)} octets; use at least {KEY_MIN_OCTETS}: openssl rand -base64 32 > FILE"
        )
    return key


def signed_headers(keys: Sequence[bytes], *, message_id: str, at: UnixSeconds, body: bytes) -> dict[str, str]:
    """Return the three headers that go with a body sent at `at`."""
    stamp = str(int(at))
    signatures = (_VERSION + _signature(key, message_id, stamp, body) for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: UnixSeconds) -> str:
    """Return the id of a message that one of the keys signed within the window around `now`.

    headers: names in lower case, or a mapping that does not care. Raises SignatureError for anything else.
    """
    try:
        message_id, stamp, signatures = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise SignatureError(f"the header {error} is missing") from error
    if not (stamp.isascii() and stamp.isdigit()):
        raise SignatureError(f"the timestamp {stamp[:30]!r} is no number of seconds")
    off: Seconds = abs(now - int(stamp))
    if off > WINDOW_SECONDS:
        raise SignatureError(f"the message was signed {off:.0f} s from now; {WINDOW_SECONDS:.0f} s are allowed")
    given = [text.removeprefix(_VERSION).encode() for text in signatures.split() if text.startswith(_VERSION)]
    good = False
    for key in keys:
        wanted = _signature(key, message_id, stamp, body).encode()
        for signature in given:
            good |= hmac.compare_digest(wanted, signature)
    if not good:
        raise SignatureError("no signature fits; the body was changed or another secret was used")
    return message_id


def _signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()

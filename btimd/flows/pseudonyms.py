"""Pseudonyms: a name for a person that only who has the key can connect with the person."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

SHORTEST_KEY: Final = 16
_DIGITS: Final = 16


def pseudonyms(key: bytes) -> Callable[[str], str]:
    """Return what turns a name into its pseudonym, the same one each time; raises ValueError for a short key.

    64 bits of HMAC-SHA-256 (RFC 2104): among a million persons two share one with a chance of 1 in 37 million. Names
    that differ in letter case only are one person, as they are to most directories.
    """
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"the key of the pseudonyms has {len(key)} octets; make one of at least {SHORTEST_KEY}")

    def pseudonym(name: str) -> str:
        return "p-" + hmac.new(key, name.casefold().encode(), hashlib.sha256).hexdigest()[:_DIGITS]

    return pseudonym


def as_it_is(name: str) -> str:
    """Return a name unchanged."""
    return name

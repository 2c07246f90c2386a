"""Options that many kinds of checks share: who logs on, whether inside TLS, what is asked then."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check
from btimd.probes.kinds import Secrets
from btimd.probes.wire.script import Account, Question, Tls

STATEMENT_SHARE: Final = 0.8
"""The server breaks a statement off after this share of the check's time, so that its own words still arrive."""

USER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user": "who logs on; without it the check ends with the server's greeting",
        "password_file": "the file that holds the password",
    }
)
TLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tls": '`"true"` (certificate checked), `"unverified"` (any certificate) or `"false"`; default: TLS where '
        "the server offers it",
    }
)
PLAIN_TLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tls": '`"true"` (certificate checked), `"unverified"` (any certificate) or `"false"`; must be said where '
        "there is a password, which this protocol sends readable; default without one: plain",
    }
)
QUERY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "query": "what to ask after the logon; default `SELECT 1` or its like. What it writes is rolled back",
        "expect": "the first column of the first row must be this text; default: any",
    }
)
STATE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "depth": '`"state"`: also its connections and waiting locks, as values',
        "max_lock_wait": 'with `depth = "state"`: a wait for a lock of more seconds is bad; default: none is',
    }
)


def tls_of(check: Check) -> Tls:
    """Return what a check's options say about TLS."""
    text = check.options.get("tls", "").lower()
    try:
        return Tls(text)
    except ValueError:
        message = f'tls {text!r} is unknown; write "true", "unverified" (any certificate) or "false"'
        raise ValueError(message) from None


def account_of(check: Check, secrets: Secrets, user: str = "") -> Account:
    """Return who logs on; raises ValueError for a password without a user."""
    account = Account(
        user=check.options.get("user", user),
        password=secrets.get("password"),
        database=check.options.get("database", ""),
        tls=tls_of(check),
    )
    if "password_file" in check.options and not account.user:
        raise ValueError("password_file without user: write who logs on")
    for name in ("user", "database"):
        if "\0" in check.options.get(name, ""):
            raise ValueError(f"{name} must not hold a zero octet")
    return account


def plain_account_of(check: Check, secrets: Secrets, *, needs_user: bool = True) -> Account:
    """Return who logs on to a protocol that sends passwords readable: the operator must have said that it may."""
    account = account_of(check, secrets, "" if needs_user else "default")
    if "password_file" in check.options and account.tls is Tls.OFFERED:
        raise ValueError(
            f'{check.kind} sends the password readable: write tls = "true" or "unverified", '
            'or tls = "false" where the network may see it'
        )
    return account


def question_of(check: Check) -> Question:
    """Return what is asked after the logon."""
    depth = check.options.get("depth", "")
    if depth not in {"", "state"}:
        raise ValueError(f'depth {depth!r} is unknown; write "state" or leave it out')
    return Question(
        query=check.options.get("query", ""),
        expect=check.options.get("expect", ""),
        statement_seconds=STATEMENT_SHARE * check.timeout_seconds,
        state=depth == "state",
        most_wait_seconds=number_of(check, "max_lock_wait"),
    )


def number_of(check: Check, name: str) -> float | None:
    """Return an option that is a number from 0, None where it is not written."""
    text = check.options.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"{name} {text!r} is no number from 0")
    return number

"""The kinds of checks for applications: mail, files, directories, time, log-on, telephony."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.tlsoptions import TLS_OPTIONS, VERIFY_OPTIONS, expiry_of, tls_of
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.ftp import FTP_PORT, FtpDialogue
from btimd.probes.wire.imap import IMAP_PORT, ImapDialogue
from btimd.probes.wire.ldap import LDAP_PORT, LdapDialogue, LdapQuestion
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.pop3 import POP3_PORT, Pop3Dialogue
from btimd.probes.wire.smtp import SMTP_PORT, SmtpDialogue
from btimd.probes.wire.tls import TLS_PORT, TlsDialogue, TlsMode

_CRITICAL_DAYS: Final = "7"


def _tls(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    tls = replace(tls_of(check.options, secrets, mode=TlsMode.FIRST), expiry=expiry_of(check.options, _CRITICAL_DAYS))
    return TlsDialogue(check.host, check.port, tls, least_version=check.options.get("min_version", "TLSv1.2"))


def _logon(check: Check, secrets: Secrets) -> Logon:
    user = check.options.get("user", "")
    if "password_file" in check.options and not user:
        raise ValueError("password_file needs a user")
    return Logon(user, secrets.get("password", ""))


def _smtp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    options = check.options
    return SmtpDialogue(
        check.host,
        check.port,
        tls=tls_of(options, secrets),
        logon=_logon(check, secrets),
        ehlo=options.get("ehlo", "btimd.invalid"),
    )


def _pop3(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return Pop3Dialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=_logon(check, secrets))


def _imap(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return ImapDialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=_logon(check, secrets))


def _ftp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return FtpDialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=_logon(check, secrets))


def _ldap(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    options = check.options
    logon = _logon(check, secrets)
    if logon.user and ("password_file" not in options or secrets.get("password") == ""):
        raise ValueError("a bind as a user needs his password; without one servers take it for an anonymous one")
    question = LdapQuestion(
        user=logon.user,
        password=logon.password,
        base=options.get("base", ""),
        scope=options.get("scope", "base"),
        filter=options.get("filter", "(objectClass=*)"),
        expect_count=options.get("expect_count", "1+"),
    )
    return LdapDialogue(check.host, check.port, question, tls_of(options, secrets))


_LOGON: Final = {
    "user": "who logs on; default: nobody does",
    "password_file": "file with the password; without TLS it crosses the network in the clear",
}
_LINE_OUTCOMES: Final = {
    "wrong-answer": "the process talks and refuses: wrong user or password, its back end (directory, mailboxes, "
    "queue, disk) fails, too many connections, no STARTTLS; its words are in the detail",
    "no-answer": "the process hangs, or waits for its back end; the detail names the command",
    "protocol-error": "another protocol, or the certificate is not right",
}

KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.TLS: KindSpec(
        2.0,
        Closure.LOCAL,
        _tls,
        default_port=TLS_PORT,
        options={
            **VERIFY_OPTIONS,
            "critical_days": f"bad where the certificate ends in fewer days; default {_CRITICAL_DAYS}",
            "min_version": 'the oldest version that is good; default `"TLSv1.2"`',
        },
        outcomes={
            "protocol-error": "the certificate is not right (expired, not yet valid, self-signed, unknown issuer, "
            "wrong name, too near its end), or no TLS is spoken there",
            "wrong-answer": "a version of TLS that is too old",
            "no-answer": "the process accepts and does not shake hands: it hangs, or another protocol waits for words",
        },
    ),
    CheckKind.SMTP: KindSpec(
        3.0,
        Closure.FULL,
        _smtp,
        default_port=SMTP_PORT,
        options={**TLS_OPTIONS, **_LOGON, "ehlo": 'the name btimd greets with; default `"btimd.invalid"`'},
        outcomes=_LINE_OUTCOMES,
    ),
    CheckKind.POP3: KindSpec(
        4.0,
        Closure.FULL,
        _pop3,
        default_port=POP3_PORT,
        options={**TLS_OPTIONS, **_LOGON},
        outcomes=_LINE_OUTCOMES,
    ),
    CheckKind.IMAP: KindSpec(
        4.0,
        Closure.FULL,
        _imap,
        default_port=IMAP_PORT,
        options={**TLS_OPTIONS, **_LOGON},
        outcomes=_LINE_OUTCOMES,
    ),
    CheckKind.FTP: KindSpec(
        4.0,
        Closure.FULL,
        _ftp,
        default_port=FTP_PORT,
        options={**TLS_OPTIONS, **_LOGON},
        outcomes=_LINE_OUTCOMES,
    ),
    CheckKind.LDAP: KindSpec(
        3.0,
        Closure.FULL,
        _ldap,
        default_port=LDAP_PORT,
        options={
            **TLS_OPTIONS,
            "user": "distinguished name to bind as; default: anonymous",
            "password_file": _LOGON["password_file"],
            "base": "where the search begins; default: the root, which every server has",
            "scope": '`"base"` (default), `"one"` or `"sub"`',
            "filter": 'default `"(objectClass=*)"`',
            "expect_count": 'how many entries: `"3"`, or `"3+"` for at least three; default `"1+"`',
        },
        outcomes={
            "wrong-answer": "the server talks and refuses the logon (49), knows no such base (32), is busy or "
            "unavailable (51, 52), or finds another number of entries",
            "no-answer": "the process hangs, or its database does; the detail names the operation",
            "protocol-error": "no LDAP there, or the certificate is not right",
        },
    ),
})  # fmt: skip

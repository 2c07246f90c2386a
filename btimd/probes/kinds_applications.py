"""The kinds of checks for applications: mail, files, directories, time, log-on, telephony."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.tlsoptions import TLS_OPTIONS, VERIFY_OPTIONS, expiry_of, number_of, tls_of, truth_of
from btimd.probes.wire.dhcp import DHCP_PORT, DhcpDialogue
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.ftp import FTP_PORT, FtpDialogue
from btimd.probes.wire.imap import IMAP_PORT, ImapDialogue
from btimd.probes.wire.ldap import LDAP_PORT, LdapDialogue, LdapQuestion
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.ntp import NTP_PORT, NtpDialogue, NtpLimits
from btimd.probes.wire.pop3 import POP3_PORT, Pop3Dialogue
from btimd.probes.wire.radius import RADIUS_PORT, Expect, RadiusDialogue, RadiusQuestion
from btimd.probes.wire.sip import SIP_PORT, SipDialogue, Transport
from btimd.probes.wire.smtp import SMTP_PORT, SmtpDialogue
from btimd.probes.wire.ssh import SSH_PORT, SshDialogue
from btimd.probes.wire.tls import TLS_PORT, TlsDialogue, TlsMode

_CRITICAL_DAYS: Final = "7"
_MAX_PORT: Final = 65_535


def _tls(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    tls = replace(tls_of(check.options, secrets, mode=TlsMode.FIRST), expiry=expiry_of(check.options, _CRITICAL_DAYS))
    return TlsDialogue(check.host, check.port, tls, least_version=check.options.get("min_version", "TLSv1.2"))


def _logon(check: Check, secrets: Secrets, *, may_lack_password: bool = False) -> Logon:
    user = check.options.get("user", "")
    if "password_file" in check.options and not user:
        raise ValueError("password_file needs a user")
    if user and not may_lack_password and ("password_file" not in check.options or secrets.get("password") == ""):
        raise ValueError("a user needs his password: password_file")
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
        sender=options.get("sender"),
    )


def _pop3(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return Pop3Dialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=_logon(check, secrets))


def _imap(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return ImapDialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=_logon(check, secrets))


def _ftp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    logon = _logon(check, secrets, may_lack_password=True)  # anonymous, most of all
    return FtpDialogue(check.host, check.port, tls=tls_of(check.options, secrets), logon=logon)


def _ldap(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    options = check.options
    logon = _logon(check, secrets)  # a bind without password would be taken for an anonymous one (RFC 4513 5.1.2)
    question = LdapQuestion(
        user=logon.user,
        password=logon.password,
        base=options.get("base", ""),
        scope=options.get("scope", "base"),
        filter=options.get("filter", "(objectClass=*)"),
        expect_count=options.get("expect_count", "1+"),
    )
    return LdapDialogue(check.host, check.port, question, tls_of(options, secrets))


def _ntp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del secrets
    options = check.options
    limits = NtpLimits(
        stratum=int(number_of(options, "max_stratum", "15") or 0),
        offset_seconds=number_of(options, "max_offset_seconds", "1"),
        root_dispersion_seconds=number_of(options, "max_root_dispersion_seconds", "1"),
    )
    return NtpDialogue(check.host, check.port, token, limits)


def _ssh(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return SshDialogue(check.host, check.port, expect=check.options.get("expect", ""))


def _radius(check: Check, token: int, secrets: Secrets) -> Dialogue:
    options = check.options
    logon = _logon(check, secrets)
    if "secret_file" not in options or secrets.get("secret") == "":
        raise ValueError("a radius check needs the secret that it shares with the server: secret_file")
    expect = options.get("expect", Expect.ACCEPT).lower()
    if expect not in list(Expect):
        raise ValueError(f'expect {expect!r} is unknown; write "accept", "reject" or "any"')
    question = RadiusQuestion(
        secret=secrets.get("secret", ""),
        user=logon.user,
        password=logon.password,
        nas_identifier=options.get("nas_identifier", "btimd"),
        expect=Expect(expect),
        is_authenticator_required=truth_of(options, "require_message_authenticator", default=False),
    )
    return RadiusDialogue(check.host, check.port, question, token)


def _sip(check: Check, token: int, secrets: Secrets) -> Dialogue:
    options = check.options
    transport = options.get("transport", Transport.UDP).lower()
    if transport not in list(Transport):
        raise ValueError(f'transport {transport!r} is unknown; write "udp", "tcp" or "tls"')
    mode = TlsMode.FIRST if transport == Transport.TLS else TlsMode.OFF
    return SipDialogue(
        check.host,
        check.port,
        token,
        transport=Transport(transport),
        uri=options.get("uri", ""),
        expect_status=options.get("expect_status", "2xx"),
        tls=tls_of(options, secrets, mode=mode),
    )


def _dhcp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del secrets
    options = check.options
    source_port = int(number_of(options, "source_port", str(DHCP_PORT)) or 0)
    if source_port > _MAX_PORT:
        raise ValueError(f"source_port {source_port} is no port")
    return DhcpDialogue(
        check.host,
        check.port,
        token,
        relay=options.get("relay", ""),
        subnet=options.get("subnet", ""),
        mac=options.get("mac", ""),
        expect_network=options.get("expect_network", ""),
        source_port=source_port,
    )


_LOGON: Final = {
    "user": "who logs on; default: nobody does",
    "password_file": "file with the password; without TLS it crosses the network in the clear",
}
_LINE_OUTCOMES: Final = {
    "wrong-answer": "the process talks and refuses: wrong user or password, its back end (directory, mailboxes, "
    "queue, disk) fails, too many connections, no STARTTLS; its words are in the detail",
    "no-answer": "the process hangs, or waits for its back end; the detail names the command",
    "protocol-error": "another protocol",
    "certificate": "the certificate is not right, or ends too soon",
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
            "min_version": 'the oldest version that is good; default `"TLSv1.2"`, the oldest that btimd speaks',
        },
        outcomes={
            "certificate": "expired, not yet valid, self-signed, unknown issuer, wrong name, or too near its end",
            "protocol-error": "no TLS is spoken there",
            "wrong-answer": "a version of TLS that is too old",
            "no-answer": "the process accepts and does not shake hands: it hangs, or another protocol waits for words",
        },
    ),
    CheckKind.SMTP: KindSpec(
        3.0,
        Closure.FULL,
        _smtp,
        default_port=SMTP_PORT,
        options={
            **TLS_OPTIONS,
            **_LOGON,
            "ehlo": 'the name btimd greets with; default `"btimd.invalid"`',
            "sender": "announce a mail of this sender and call it off, which shows a full spool; empty = as a bounce; "
            "default: NOOP",
        },
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
            "protocol-error": "no LDAP there",
            "certificate": "the certificate is not right, or ends too soon",
        },
    ),
    CheckKind.NTP: KindSpec(
        1.0,
        Closure.FULL,
        _ntp,
        default_port=NTP_PORT,
        options={
            "max_stratum": "the farthest from a reference clock that is good; default 15",
            "max_offset_seconds": "how far its time may be from this machine's; default 1",
            "max_root_dispersion_seconds": "how unsure of the time it may be; default 1",
        },
        outcomes={
            "wrong-answer": "the server runs and knows no time (not synchronised, alarm, stratum, dispersion), "
            "sends a kiss code, or its time and this machine's differ: one of the two is wrong",
            "timeout": "host or server down, filtered, or it drops requests of this client",
        },
    ),
    CheckKind.SSH: KindSpec(
        2.0,
        Closure.LOCAL,
        _ssh,
        default_port=SSH_PORT,
        options={"expect": 'must stand in the version, such as `"OpenSSH_9"`; default: any'},
        outcomes={
            "wrong-answer": "another version, or words instead of one: too many sessions (MaxStartups), access denied",
            "no-answer": "the process hangs, or cannot fork: no memory, no processes left",
        },
    ),
    CheckKind.RADIUS: KindSpec(
        3.0,
        Closure.FULL,
        _radius,
        default_port=RADIUS_PORT,
        options={
            "secret_file": "file with the secret shared with the server; needed",
            "user": "who is to be let in; default: a Status-Server, which asks for the state of the server only",
            "password_file": "file with the password",
            "expect": '`"accept"` (default), `"reject"` (a user who must not get in) or `"any"`',
            "nas_identifier": 'who asks; default `"btimd"`',
            "require_message_authenticator": '`"true"`: an answer without one is bad (BlastRADIUS); default `"false"`',
        },
        outcomes={
            "wrong-answer": "the server runs and decides otherwise: its users or what they are kept in are not right",
            "protocol-error": "the answer is signed with another secret, or no RADIUS is spoken there",
            "timeout": "host or server down, filtered, its back end hangs, or it does not know this client or its "
            "secret: RADIUS is silent then",
        },
    ),
    CheckKind.SIP: KindSpec(
        2.0,
        Closure.FULL,
        _sip,
        default_port=SIP_PORT,
        options={
            "transport": '`"udp"` (default), `"tcp"` or `"tls"`',
            "uri": "whom to ask; default `sip:` and the host",
            "expect_status": 'good statuses; default `"2xx"`; `"2xx,404"` where the server knows no users of its own',
            **VERIFY_OPTIONS,
        },
        outcomes={
            "wrong-answer": "the server talks and does not serve: 5xx overloaded or back end fails, 403 not allowed",
            "timeout": "host or server down, or filtered (over UDP)",
        },
    ),
    CheckKind.DHCP: KindSpec(
        2.0,
        Closure.FULL,
        _dhcp,
        default_port=DHCP_PORT,
        options={
            "relay": "own address of this machine that the offer comes to, which chooses the pool; default: as routed",
            "subnet": "an address in the subnet to ask for (RFC 3527), where it is not the relay's",
            "mac": "hardware address to ask with; default: one made from `host`, always the same",
            "expect_network": 'the offer must be in it, such as `"10.3.0.0/16"`; default: any',
            "source_port": "default 67, which needs CAP_NET_BIND_SERVICE",
        },
        outcomes={
            "wrong-answer": "an offer from another network, or another message",
            "timeout": "host or server down, filtered, no pool for that subnet, or no free address in it",
        },
    ),
})  # fmt: skip

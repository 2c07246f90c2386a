"""Mail, files and directories against postfix, dovecot, vsftpd and slapd."""

import datetime as dt

import pytest

from btimd.model.probe import ErrorClass, ProbeResult
from btimd.model.service import CheckKind
from btimd.probes.catalogue import dialogue_for
from tests.probes import appservers
from tests.probes.authorities import Issued, issue
from tests.probes.running import probe
from tests.probes.samples import check

pytestmark = [pytest.mark.slow, pytest.mark.real_server]
NAME = "mail.example"


@pytest.fixture(scope="module")
def root() -> Issued:
    return issue("Corp CA", is_authority=True, now=dt.datetime.now(dt.UTC))


@pytest.fixture(scope="module")
def server(root: Issued) -> Issued:
    return issue(NAME, (NAME,), by=root, now=dt.datetime.now(dt.UTC))


ALONE = (
    f"certificate of {NAME}: the server sends it alone, issued by Corp CA, which is not trusted here: an unknown "
    "authority, or the server must send the certificate between them too"
)
OTHER = f"certificate of {NAME} is for {NAME}, not for crm"
GOOD = ErrorClass.NONE
WRONG = ErrorClass.WRONG_ANSWER
BROKEN = ErrorClass.PROTOCOL_ERROR
REFUSED = ErrorClass.CERTIFICATE


async def asked(kind: CheckKind, port: int, secrets: dict[str, str], **options: str) -> ProbeResult:
    options = {"server_name": NAME, **options}
    if "password" in secrets:
        options["password_file"] = "/run/secret"
    of = check(kind=kind, port=port, options=options, timeout=60.0)
    return await probe(of, dialogue_for(of, 7, secrets))


def told(found: dict[str, ProbeResult]) -> dict[str, tuple[ErrorClass, str]]:
    """Return error and detail of each, without host and port."""
    return {name: (one.error, one.detail.partition(" ")[2]) for name, one in found.items()}


async def test_dovecot_is_understood(root: Issued, server: Issued) -> None:
    trusted = {"ca": root.pem}
    logon = {**trusted, "password": "secret"}
    wrong = {**trusted, "password": "hunter2"}
    found: dict[str, ProbeResult] = {}
    imap, pop3 = CheckKind.IMAP, CheckKind.POP3
    with appservers.dovecot(server) as ports:
        for kind, plain, tls in ((imap, "imap", "imaps"), (pop3, "pop3", "pop3s")):
            found |= {
                f"{kind} plain": await asked(kind, ports[plain], trusted),
                f"{kind} starttls": await asked(kind, ports[plain], logon, tls="starttls", user="probe"),
                f"{kind} tls": await asked(kind, ports[tls], logon, tls="true", user="probe"),
                f"{kind} untrusted": await asked(kind, ports[plain], {}, tls="starttls"),
                f"{kind} other name": await asked(kind, ports[tls], trusted, tls="true", server_name="crm"),
                f"{kind} tls on a plain port": await asked(kind, ports[plain], trusted, tls="true"),
            }
        # Last and once, as dovecot makes who failed wait.
        found["imap password"] = await asked(imap, ports["imaps"], wrong, tls="true", user="probe")
    said = "it is 'Dovecot (Debian) ready.'"
    same = {
        "starttls": (GOOD, f"logs on and has 1 messages; {said}"),
        "tls": (GOOD, f"logs on and has 1 messages; {said}"),
        "untrusted": (REFUSED, ALONE),
        "other name": (REFUSED, OTHER),
        "tls on a plain port": (BROKEN, "TLS handshake failed: WRONG_VERSION_NUMBER; no TLS is spoken there"),
    }
    assert told(found) == {
        "imap plain": (GOOD, f"answers NOOP; {said}"),
        "pop3 plain": (GOOD, f"answers CAPA; {said}"),
        **{f"{kind} {what}": end for kind in (imap, pop3) for what, end in same.items()},
        "imap password": (WRONG, "answers LOGIN: NO [AUTHENTICATIONFAILED] Authentication failed."),
    }
    assert found["imap tls"].values["messages"] == found["pop3 tls"].values["messages"] == 1
    assert 89 * 86_400 < found["imap starttls"].values["certificate_expires_seconds"] <= 90 * 86_400


async def test_postfix_is_understood(root: Issued, server: Issued) -> None:
    trusted = {"ca": root.pem}
    smtp = CheckKind.SMTP
    with appservers.postfix(server) as (port, tls_port):
        found = {
            "plain": await asked(smtp, port, trusted),
            "starttls": await asked(smtp, port, trusted, tls="starttls"),
            "tls": await asked(smtp, tls_port, trusted, tls="true"),
            "logon": await asked(smtp, port, {**trusted, "password": "secret"}, tls="starttls", user="probe"),
            "untrusted": await asked(smtp, port, {}, tls="starttls"),
            "pop3": await asked(CheckKind.POP3, port, {}),
        }
    well = (GOOD, "answers NOOP; it is 'mail.example ESMTP Postfix'")
    assert told(found) == {
        "plain": well,
        "starttls": well,
        "tls": well,
        "logon": (WRONG, "answers EHLO: no way to log on is offered that is known here (PLAIN, LOGIN)"),
        "untrusted": (REFUSED, ALONE),
        "pop3": (BROKEN, "does not speak POP3: the line '220 mail.example ESMTP Postfix'"),
    }


async def test_vsftpd_is_understood(root: Issued, server: Issued) -> None:
    trusted = {"ca": root.pem}
    ftp = CheckKind.FTP
    with appservers.vsftpd(server) as port:
        found = {
            "plain": await asked(ftp, port, trusted),
            "anonymous": await asked(ftp, port, trusted, user="ftp"),
            "starttls": await asked(ftp, port, trusted, tls="starttls", user="anonymous"),
            "user": await asked(ftp, port, {"password": "hunter2"}, user="joe"),
            "untrusted": await asked(ftp, port, {}, tls="starttls"),
            "smtp": await asked(CheckKind.SMTP, port, {}),
        }
    assert told(found) == {
        "plain": (GOOD, "answers FEAT; it is '(vsFTPd 3.0.3)'"),
        "anonymous": (GOOD, "logs on and answers PWD; it is '(vsFTPd 3.0.3)'"),
        "starttls": (GOOD, "logs on and answers PWD; it is '(vsFTPd 3.0.3)'"),
        "user": (WRONG, "answers USER: 530 This FTP server is anonymous only."),
        "untrusted": (REFUSED, ALONE),
        "smtp": (WRONG, "answers EHLO: 530 Please login with USER and PASS."),
    }


async def test_slapd_is_understood(root: Issued, server: Issued) -> None:
    trusted = {"ca": root.pem}
    logon, wrong = {**trusted, "password": "secret"}, {**trusted, "password": "hunter2"}
    base, ldap = "dc=corp,dc=example", CheckKind.LDAP
    admin = f"cn=admin,{base}"
    both = "(&(objectClass=inetOrgPerson)(!(uid=u2))(|(uid=u0)(uid=*1)))"
    with appservers.slapd(server) as (port, tls_port):
        found = {
            "root": await asked(ldap, port, {}),
            "starttls": await asked(
                ldap, port, logon, tls="starttls", user=admin, base=base, scope="sub", filter="(uid=*)",
                expect_count="3",
            ),
            "ldaps": await asked(
                ldap, tls_port, logon, tls="true", user=admin, base=base, scope="one", filter=both, expect_count="2"
            ),
            "at least": await asked(ldap, port, {}, base=base, scope="sub", filter="(uid=u*)", expect_count="2+"),
            "too many": await asked(ldap, port, {}, base=base, scope="sub", filter="(uid=u*)", expect_count="2"),
            "too few": await asked(ldap, port, {}, base=base, scope="sub", filter="(uid=u2)", expect_count="2+"),
            "none": await asked(ldap, port, {}, base=base, scope="sub", filter="(uid=nobody)", expect_count="0"),
            "base": await asked(ldap, port, {}, base="dc=nope"),
            "password": await asked(ldap, port, wrong, user=admin, base=base),
            "untrusted": await asked(ldap, port, {}, tls="starttls"),
        }  # fmt: skip
    assert told(found) == {
        "root": (GOOD, "finds 1 entries of (objectClass=*) at the root"),
        "starttls": (GOOD, f"finds 3 entries of (uid=*) at {base}"),
        "ldaps": (GOOD, f"finds 2 entries of {both} at {base}"),
        "at least": (GOOD, f"finds 2 entries of (uid=u*) at {base}"),
        "too many": (WRONG, f"finds 3 entries of (uid=u*) at {base}, expected 2"),
        "too few": (WRONG, f"finds 1 entries of (uid=u2) at {base}, expected 2+"),
        "none": (GOOD, f"finds 0 entries of (uid=nobody) at {base}"),
        "base": (WRONG, "does not search below dc=nope: noSuchObject (32)"),
        "password": (WRONG, f"does not let {admin} log on: invalidCredentials (49)"),
        "untrusted": (REFUSED, ALONE),
    }
    assert {"bind_seconds", "search_seconds", "entries"} <= found["ldaps"].values.keys()

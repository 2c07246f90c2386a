"""Alertmanager, Postfix with Dovecot, snmptrapd and rsyslog as Debian ships them."""

import asyncio
import json
import mailbox
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiosmtplib
import pytest

from btimd.itsm.emit.alertmanager import AlertmanagerTarget
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import facts_of
from btimd.itsm.emit.mail import Mail, judge, mail_of, message_id
from btimd.itsm.emit.snmp import BTIMD, Snmp, objects
from btimd.itsm.emit.snmp import judge as judge_inform
from btimd.itsm.emit.syslog import Syslog, framed, record
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import MailSettings, SnmpSettings, SyslogSettings
from btimd.runtime.clock import SystemClock
from tests.itsm.messages import message
from tests.itsm.posts import T0, Post
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.programs import need


async def until(condition: Callable[[], bool], within: float = PATIENCE_SECONDS) -> None:
    """Wait for what a server of its own does in its own time."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  another process changes it
            await asyncio.sleep(0.05)


async def run_until(command: list[str], ready: Callable[[], bool], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)  # noqa: ASYNC220  at once
    try:
        await until(ready)
    except TimeoutError:
        process.kill()
        raise AssertionError(log.read_text()) from None  # noqa: ASYNC240  the end of the test
    return process


def answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
            return True
    except OSError:
        return False


def secret(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[int]:
    program, port = need("prometheus-alertmanager"), free_port()
    (tmp_path / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    command = [
        program, f"--config.file={tmp_path}/am.yml", f"--storage.path={tmp_path}/am", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    process = await run_until(command, lambda: answers(port, "/-/ready"), tmp_path / "am.log")
    yield port
    process.terminate()
    process.wait(PATIENCE_SECONDS)


def alerts(port: int) -> list[dict[str, Any]]:
    with urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=PATIENCE_SECONDS) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


@pytest.mark.real_server
@pytest.mark.slow
async def test_alertmanager_holds_an_incident_while_it_is_open_and_no_longer(alertmanager: int, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"am": {"url": f"http://127.0.0.1:{alertmanager}", "labels": {"team": "noc"}}}
    async with Post(tmp_path, alertmanager=settings).open() as office:
        await office.tell("INC-1", 1, 2)
        await office.until_delivered()
        (alert,) = alerts(alertmanager)
        target = office.targets[0]
        assert isinstance(target, AlertmanagerTarget)
        assert (await target.try_out()).outcome == Outcome(OutcomeKind.DELIVERED, "its status is readable")
        assert await target.repeat() == 1
        (again,) = alerts(alertmanager)
        await office.tell("INC-1", 3, 4, 5)
        await office.until_delivered()
        assert await target.repeat() == 0
        await until(lambda: not alerts(alertmanager))

    assert alert["labels"] == {"alertname": "BtimdIncident", "incident": "INC-1", "team": "noc"}
    assert alert["annotations"]["summary"] == "[P2] ERP slow (INC-1)"
    assert alert["annotations"]["state"] == "accepted"
    assert again["fingerprint"] == alert["fingerprint"]
    assert again["endsAt"] >= alert["endsAt"]


# Mail.


def mail_settings(port: int = 25, **more: Any) -> MailSettings:
    given = {
        "server": ("127.0.0.1", port),
        "security": "none",
        "sender": "btimd@noc.test",
        "recipients": ["desk@btim.test"],
    }
    return MailSettings(**{**given, **more})


def test_events_of_an_incident_are_one_thread() -> None:
    first, second = (mail_of(facts_of(message(number).body), mail_settings(), T0) for number in (1, 3))

    assert (first["Message-ID"], first["In-Reply-To"]) == ("<INC-1.1@noc.test>", None)
    assert (second["Message-ID"], second["In-Reply-To"]) == ("<INC-1.3@noc.test>", "<INC-1.1@noc.test>")
    assert second["References"] == "<INC-1.1@noc.test>"
    assert (second["Subject"], second["X-BTIM-Incident"], second["X-BTIM-Seq"]) == (
        "Re: [P2] ERP slow (INC-1) #INC-1",
        "INC-1",
        "3",
    )
    assert "监听中断" in second.get_content()
    assert message_id("a b>\n", 1, "h") == "<a-b--.1@h>"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiosmtplib.SMTPAuthenticationError(535, "no"), OutcomeKind.PAUSED),
        (aiosmtplib.SMTPConnectError("refused"), OutcomeKind.NOT_SENT),
        (aiosmtplib.SMTPResponseException(451, "later"), OutcomeKind.NOT_SENT),
        (aiosmtplib.SMTPResponseException(554, "spam"), OutcomeKind.REFUSED),
        (aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "who?", "x@y")]), OutcomeKind.REFUSED),
        (aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(450, "grey", "x@y")]), OutcomeKind.NOT_SENT),
        (aiosmtplib.SMTPServerDisconnected("gone"), OutcomeKind.UNCERTAIN),
        (aiosmtplib.SMTPReadTimeoutError("late"), OutcomeKind.UNCERTAIN),
    ],
)
def test_what_a_mail_server_says_is_judged(error: Exception, kind: OutcomeKind) -> None:
    assert judge(error).kind is kind


_DOVECOT = """
base_dir = {0}/run
log_path = {0}/dovecot.log
ssl = no
protocols =
mail_location = maildir:{0}/mail/%n
first_valid_uid = 1
passdb {{
  driver = static
  args = password=none
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={0}/mail/%n allow_all_users=yes
}}
service auth {{
  unix_listener auth-userdb {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
_POSTFIX = """
compatibility_level = 3.6
queue_directory = {0}/queue
data_directory = {0}/data
mail_owner = postfix
myhostname = btim.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = btim.test
virtual_transport = dovecot
dovecot_destination_recipient_limit = 1
maillog_file = {0}/postfix.log
maillog_file_prefixes = {0}
alias_maps =
alias_database =
"""


@pytest.fixture
def mailboxes() -> Iterator[tuple[int, Path]]:
    """Postfix on loopback that delivers into Dovecot's mailboxes; gives its port and the folder of the mailboxes."""
    need("postfix", at=Path("/usr/sbin"))
    need("dovecot", at=Path("/usr/sbin"))
    if os.geteuid() != 0:
        pytest.skip("needs root, for Postfix")
    folder, port = Path("/var/tmp") / f"btimd-mail-{os.getpid()}", free_port()  # noqa: S108  others must enter it
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("mail", "pf", "queue", "data", "run"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "mail", "nobody", "nogroup")
    shutil.chown(folder / "data", "postfix")
    (folder / "dovecot.log").touch()
    (folder / "dovecot.log").chmod(0o666)
    (folder / "dovecot.conf").write_text(_DOVECOT.format(folder))
    (folder / "pf/main.cf").write_text(_POSTFIX.format(folder))
    lines = Path("/etc/postfix/master.cf").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("smtp      inet")]
    kept += [
        f"127.0.0.1:{port} inet n - n - - smtpd",
        "dovecot unix - n n - - pipe",
        f"  flags=DRhu user=nobody argv=/usr/lib/dovecot/dovecot-lda -c {folder}/dovecot.conf -d ${{user}}",
    ]
    (folder / "pf/master.cf").write_text("\n".join(kept) + "\n")
    subprocess.run(["/usr/sbin/dovecot", "-c", folder / "dovecot.conf"], check=True)
    try:
        subprocess.run(["/usr/sbin/postfix", "-c", folder / "pf", "start"], check=True, capture_output=True)
        yield port, folder / "mail"
    finally:
        subprocess.run(["/usr/sbin/postfix", "-c", folder / "pf", "stop"], check=False, capture_output=True)
        subprocess.run(["doveadm", "-c", folder / "dovecot.conf", "stop"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.real_server
@pytest.mark.slow
async def test_mails_arrive_in_a_mailbox_as_a_thread(mailboxes: tuple[int, Path]) -> None:
    port, folder = mailboxes
    target = Mail("desk", mail_settings(port, timeout="20s"), SystemClock())
    await target.start()
    outcomes = [await target.deliver(message(number)) for number in (1, 3)]
    box = folder / "desk"
    await until(lambda: len(list(box.glob("new/*"))) == 2)

    assert outcomes[0] == Outcome(OutcomeKind.DELIVERED, "<INC-1.1@noc.test>")
    mails = sorted(mailbox.Maildir(box), key=lambda one: str(one["X-BTIM-Seq"]))
    assert [(one["Message-ID"], one["In-Reply-To"]) for one in mails] == [
        ("<INC-1.1@noc.test>", None),
        ("<INC-1.3@noc.test>", "<INC-1.1@noc.test>"),
    ]


# SNMP.


def test_the_objects_of_a_notification_are_those_of_the_mib() -> None:
    found = objects(facts_of(message(5).body))

    assert found[:5] == [
        (f"{BTIMD}.1.1.0", b"INC-1"), (f"{BTIMD}.1.2.0", 5), (f"{BTIMD}.1.3.0", 7), (f"{BTIMD}.1.4.0", 1),
        (f"{BTIMD}.1.5.0", b"resolved"),
    ]  # fmt: skip
    assert all(len(value) <= 255 for _, value in found if isinstance(value, bytes))


@pytest.mark.parametrize(
    ("indication", "status", "kind"),
    [
        ("", 0, OutcomeKind.DELIVERED),
        ("No SNMP response received before timeout", 0, OutcomeKind.UNCERTAIN),
        ("Unknown USM user", 0, OutcomeKind.PAUSED),
        ("Wrong SNMP PDU digest", 0, OutcomeKind.PAUSED),
        ("", 5, OutcomeKind.REFUSED),
    ],
)
def test_what_a_manager_answers_is_judged(indication: str, status: int, kind: OutcomeKind) -> None:
    assert judge_inform(indication, status).kind is kind


@pytest.mark.real_server
@pytest.mark.slow
async def test_snmptrapd_takes_an_inform_and_refuses_another_password(tmp_path: Path) -> None:
    program, port = need("snmptrapd", at=Path("/usr/sbin")), free_port()
    conf = tmp_path / "snmptrapd.conf"
    conf.write_text('createUser btimd SHA-256 "authentication-1" AES "privacy-word-1"\nauthUser log btimd priv\n')
    log = tmp_path / "traps.log"
    command = [
        program,
        "-f",
        "-n",
        "-C",
        "-c",
        str(conf),
        "-On",
        "-Lf",
        str(log),
        "-p",
        str(tmp_path / "pid"),
        f"udp:127.0.0.1:{port}",
    ]
    process = await run_until(
        command, lambda: log.exists() and "NET-SNMP version" in log.read_text(), tmp_path / "out.log"
    )
    try:
        outcomes, trials = [], []
        for password in ("authentication-1", "authentication-2"):
            settings = SnmpSettings(
                server=("127.0.0.1", port), user="btimd", timeout=3.0,
                authentication_file=secret(tmp_path, "a", password), privacy_file=secret(tmp_path, "p", "privacy-word-1"),
            )  # fmt: skip
            target = Snmp("noc", settings)
            await target.start()
            outcomes.append(await target.deliver(message(2)))
            trials.append(await target.try_out())
            await target.stop()
        await until(lambda: "INC-1" in log.read_text())
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)

    assert outcomes[0] == Outcome(OutcomeKind.DELIVERED, "answered")
    assert outcomes[1].kind is not OutcomeKind.DELIVERED
    assert [(one.is_reachable, one.tests_credentials) for one in trials] == [(True, False)] * 2
    seen = log.read_text()
    assert f".{BTIMD}.1.2.0 = INTEGER: 2" in seen
    assert seen.count('INC-1"') >= 1


# Syslog.


def test_a_record_is_of_rfc_5424_and_its_frame_of_rfc_5425() -> None:
    facts = replace(facts_of(message(3).body), signal='a"]\\')
    made = record(facts, "noc 1")

    assert made.startswith(
        b'<130>1 2023-11-14T22:16:20.000Z noc_1 btimd - commented [btim@32473 id="INC-1" seq="3" state="accepted" prio="P2"'
        b' signal="a\\"\\]\\\\"] \xef\xbb\xbf[P2] ERP slow (INC-1): [btimd INC-1.3] comment by ann at'
    )
    assert framed(b"abc") == b"3 abc"
    long = replace(facts, reason="网" * 9000)
    assert len(record(long, "noc")) < 8192
    record(long, "noc").decode()


async def test_a_syslog_server_that_is_not_there_certainly_got_nothing() -> None:
    target = Syslog("noc", SyslogSettings(server=("127.0.0.1", free_port()), timeout=2.0))
    await target.start()
    outcome = await target.deliver(message(1))

    assert (outcome.kind, outcome.detail.startswith("no connection: 127.0.0.1:")) == (OutcomeKind.NOT_SENT, True)
    assert (await target.deliver(replace(message(1), body=b"{}"))).kind is OutcomeKind.REFUSED
    with pytest.raises(HaltError):
        facts_of(b"{}")


@pytest.fixture
def certificate_of_loopback(tmp_path: Path) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


@pytest.mark.real_server
@pytest.mark.slow
async def test_rsyslog_takes_a_record_over_tls_and_another_authority_is_not_trusted(
    tmp_path: Path, certificate_of_loopback: tuple[Path, Path]
) -> None:
    program, port = need("rsyslogd", at=Path("/usr/sbin")), free_port()
    key, certificate = certificate_of_loopback
    log = tmp_path / "all.log"
    (tmp_path / "rsyslog.conf").write_text(
        f'global(workDirectory="{tmp_path}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{certificate}"\n'
        f' defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")\n'
        'module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")\n'
        f'input(type="imtcp" port="{port}")\n'
        'template(name="all" type="string" string="%app-name% %msgid% %structured-data% %msg%\\n")\n'
        f'action(type="omfile" file="{log}" template="all")\n'
    )
    command = [program, "-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", str(tmp_path / "pid")]
    process = await run_until(command, (tmp_path / "pid").exists, tmp_path / "out.log")
    try:
        trusting = Syslog("noc", SyslogSettings(server=("127.0.0.1", port), ca_file=certificate))
        doubting = Syslog("noc", SyslogSettings(server=("127.0.0.1", port)))
        await trusting.start()
        await doubting.start()
        outcome = await trusting.deliver(message(3))
        untrusted = await doubting.deliver(message(3))
        await until(lambda: log.exists() and "INC-1" in log.read_text())
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)

    assert outcome.kind is OutcomeKind.DELIVERED
    assert untrusted.kind is OutcomeKind.NOT_SENT
    assert (
        'btimd commented [btim@32473 id="INC-1" seq="3" state="accepted" prio="P2" signal="active"]' in log.read_text()
    )

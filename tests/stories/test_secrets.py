"""Secrets of every kind reach those they are for, who shout them back, and nobody else: not logs, not files, not people."""

import asyncio
import base64
import hashlib
import signal
import smtplib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, web
from typing_extensions import override

from btimd.cli.btimctl import main as btimctl
from btimd.cli.btimd import main as btimd
from btimd.daemon.addresses import Addresses, read_addresses
from btimd.itsm.emit.signing import signed_headers
from tests.daemon.small import services_text, settings_text, write_small
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

NAMES = (
    "webhook", "webhook-further", "callback", "path", "rt", "redmine", "snow", "snow-events", "jira", "jsm",
    "pagerduty", "alertmanager", "profile", "mail", "snmp-auth", "snmp-priv", "smtp-in", "imap", "community",
    "trap-community", "api", "robot-url", "robot", "gateway", "answers",
)  # fmt: skip
SECRETS = {name: f"{name.upper()}+s3cr3t/{hashlib.sha256(name.encode()).hexdigest()[:20]}" for name in NAMES}
SEEN_BY_RECEIVERS = (
    "path", "rt", "redmine", "snow", "snow-events", "jira", "jsm", "pagerduty", "alertmanager", "profile", "mail",
    "imap", "community", "robot-url", "gateway",
)  # fmt: skip
PEOPLE = """
[person.ann]
name = "Ann"
groups = { desk = 1 }
contacts = [
  { means = "noc", address = "ann", verified = true }, { means = "sms", address = "+8613800138000", verified = true },
]
[group.desk]
name = "Desk"
[path.usual]
levels = [{ group = "desk" }]
[class.default]
path = "usual"
"""
PROFILES = Path(__file__).parents[2] / "config" / "profiles"


def forms(name: str) -> set[str]:
    """Return what a secret may look like: as it is, in a URL, in hexadecimal digits, with its user in base64."""
    plain = SECRETS[name]
    users = {"snow": "svc", "snow-events": "svc", "jira": "me@x.test", "alertmanager": "am"}
    pairs = [f"{users[name]}:{plain}"] if name in users else []
    pairs += [f"\0mailer\0{plain}", plain]
    encoded = {base64.b64encode(pair.encode()).decode() for pair in pairs}
    return {plain, quote(plain, safe=""), plain.encode().hex(), *encoded}


@dataclass
class Receivers:
    """Every kind of server, on loopback; each refuses what comes and repeats it in its answer."""

    http: int = 0
    smtp: int = 0
    imap: int = 0
    snmp: int = 0
    heard: list[str] = field(default_factory=list)

    async def shout(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode("latin-1")
        said = " ".join([request.headers.get(one, "") for one in ("Authorization", "X-Redmine-API-Key")])
        self.heard.append(f"{request.path_qs} {said} {body}")
        shouted = f"no: {said} {request.path} {body[:300] if 'enqueue' in request.path else ''}"
        return web.Response(status=422 if "hook" in request.path else 401, text=shouted)

    async def take_mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            if line.upper().startswith("EHLO"):
                writer.write(b"250-hi\r\n250 AUTH PLAIN\r\n")
            elif line.upper().startswith("AUTH"):
                told = base64.b64decode(line.rpartition(" ")[2]).replace(b"\0", b" ")
                self.heard.append(told.decode())
                writer.write(b"535 5.7.8 no:" + told + b" " + line.encode() + b"\r\n")
            else:
                writer.write(b"221 bye\r\n")
        writer.close()

    async def be_asked_for_mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK IMAP4rev1\r\n")
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            tag, _, rest = line.partition(" ")
            if rest.upper().startswith("LOGIN"):
                writer.write(f"{tag} NO [AUTHENTICATIONFAILED] no: {rest}\r\n".encode())
            else:
                writer.write(f"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n".encode())
        writer.close()

    @asynccontextmanager
    async def up(self) -> AsyncIterator["Receivers"]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.shout)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.http = runner.addresses[0][1]
        mail = await asyncio.start_server(self.take_mail, "127.0.0.1", 0)
        imap = await asyncio.start_server(self.be_asked_for_mail, "127.0.0.1", 0)
        self.smtp, self.imap = (one.sockets[0].getsockname()[1] for one in (mail, imap))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Hears(self.heard), local_addr=("127.0.0.1", 0)
        )
        self.snmp = transport.get_extra_info("sockname")[1]
        try:
            yield self
        finally:
            transport.close()
            for server in (mail, imap):
                server.close()
            await runner.cleanup()


class _Hears(asyncio.DatagramProtocol):
    def __init__(self, heard: list[str]) -> None:
        self._heard = heard

    @override
    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard.append(data.decode("latin-1"))


def configured(folder: Path, at: Receivers) -> Path:
    """Write a configuration that names a secret of every kind."""
    kept = folder / "secrets"
    kept.mkdir(mode=0o700)
    for name, secret in SECRETS.items():
        (kept / name).touch(mode=0o600)
        (kept / name).write_text(secret)
    sha = hashlib.sha256(SECRETS["api"].encode()).hexdigest()
    (folder / "tokens.toml").write_text(f'[[token]]\nname = "mona"\nrole = "manager"\nsha256 = "{sha}"\n')

    def f(name: str) -> str:
        return f'"{kept / name}"'

    url = f"http://127.0.0.1:{at.http}"
    (kept / "robot-url").write_text(f"{url}/robot/{quote(SECRETS['robot-url'], safe='')}")
    (folder / "people.toml").write_text(PEOPLE)
    text = (
        settings_text()
        .replace('"state"', '"state"\nlog_level = "debug"')
        .replace("[api]\n", '[api]\ntokens_file = "tokens.toml"\n')
    )
    text += f"""
[itsm.webhook.hook]
url = "{url}/hook/{quote(SECRETS["path"], safe="/+")}"
secret_file = {f("webhook")}
further_secret_files = [{f("webhook-further")}]
callback_secret_files = [{f("callback")}]
[itsm.request_tracker.rt]
url = "{url}"
token_file = {f("rt")}
queue = "Q"
poll = "1s"
[itsm.redmine.red]
url = "{url}"
key_file = {f("redmine")}
project = "p"
tracker_id = 1
incident_field = 1
seq_field = 2
states = {{ new = 1 }}
poll = "1s"
[itsm.servicenow.snow]
url = "{url}"
user = "svc"
password_file = {f("snow")}
[itsm.servicenow_events.snowe]
url = "{url}"
user = "svc"
password_file = {f("snow-events")}
[itsm.jira.jira]
url = "{url}"
token_file = {f("jira")}
user = "me"
user_email = "me@x.test"
project = "P"
[itsm.jsm_alerts.jsm]
url = "{url}"
key_file = {f("jsm")}
[itsm.pagerduty.pd]
url = "{url}"
key_file = {f("pagerduty")}
[itsm.alertmanager.am]
url = "{url}"
user = "am"
password_file = {f("alertmanager")}
[itsm.profile.zammad]
url = "{url}"
profile = "{PROFILES / "zammad.toml"}"
token_file = {f("profile")}
[itsm.mail.mbox]
server = "127.0.0.1:{at.smtp}"
security = "none"
user = "mailer"
password_file = {f("mail")}
sender = "a@b.test"
recipients = ["c@d.test"]
[itsm.snmp.nms]
server = "127.0.0.1:{at.snmp}"
user = "u"
authentication_file = {f("snmp-auth")}
privacy_file = {f("snmp-priv")}
timeout = "2s"
[itsm.timers]
wait = ["1s", "1s", "1s", "1s", "1s"]
[itsm.notify.robot.noc]
kind = "dingtalk"
url_file = {f("robot-url")}
secret_file = {f("robot")}
[itsm.notify.gateway.sms]
means = "sms"
url = "{url}/sms"
fields = {{ to = "{{to}}", text = "{{text}}", key = "{{secret}}" }}
secret_file = {f("gateway")}
[itsm.notify.answer.sms]
means = "sms"
scheme = "token"
secret_file = {f("answers")}
from_path = "from"
text_path = "text"
id_path = "id"
[itsm.intake.smtp]
listen = "127.0.0.1:0"
user = "in"
password_file = {f("smtp-in")}
[itsm.intake.imap.box]
server = "127.0.0.1:{at.imap}"
security = "none"
user = "box"
password_file = {f("imap")}
every = "1s"
[probes.snmp.sw1]
address = "127.0.0.1"
port = {at.snmp}
community_file = {f("community")}
timeout = "1s"
[probes.traps]
listen = ["127.0.0.1:0"]
community_file = {f("trap-community")}
"""
    return write_small(folder, settings=text, services=services_text())


@asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Addresses]]:
    with (folder / "btimd.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "btimd", "run", "-c", str(folder), stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (addresses := read_addresses(folder / "state")) is None:
                assert process.returncode is None, (folder / "btimd.log").read_text()
                await asyncio.sleep(0.05)
        yield process, addresses
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()


def everything_written(folder: Path) -> dict[str, bytes]:
    """Return every file of the state directory and the log, write-ahead logs and all."""
    found = {str(path): path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file()}
    return found | {"log": (folder / "btimd.log").read_bytes()}


async def work(addresses: Addresses, at: Receivers) -> None:
    """Let incidents come in by every door, until every receiver has seen its secret."""
    http = "http://{}:{}".format(*addresses.http)
    async with ClientSession() as session:
        token = {"Authorization": f"Bearer {SECRETS['api']}"}
        body = {"alerts": [{"status": "firing", "labels": {"alertname": "A", "instance": "db1"}, "fingerprint": "1"}]}
        async with session.post(f"{http}/events", json=body, headers=token) as answer:
            assert answer.status == 200
        wrong = {"Authorization": f"Bearer {SECRETS['api']}x"}
        async with session.post(f"{http}/events", json=body, headers=wrong) as answer:
            assert answer.status == 401
        said = (
            b'{"external_id": "7", "incident": "INC-1", "event_id": "e", "actor": "a", "kind": "status", "value": "x"}'
        )
        for key in (SECRETS["callback"], SECRETS["callback"] + "x"):
            headers = signed_headers([key.encode()], message_id="m", at=_now(), body=said)
            async with session.post(f"{http}/callbacks/hook", data=said, headers=headers) as answer:
                assert answer.status == (202 if key == SECRETS["callback"] else 401)
        for key in (SECRETS["answers"], SECRETS["answers"] + "x"):
            by = {"Authorization": f"Bearer {key}"}
            answered = {"from": "+8613800138000", "text": "9", "id": "m1"}
            async with session.post(f"{http}/answers/sms", json=answered, headers=by) as answer:
                assert answer.status == (200 if key == SECRETS["answers"] else 401)
    missing = set(SEEN_BY_RECEIVERS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while missing:
            heard = "\n".join(at.heard)
            missing = {name for name in missing if not any(one in heard for one in forms(name))}
            await asyncio.sleep(0.1)


def _now() -> float:
    import time  # signatures are dated

    return time.time()


def ask(folder: Path, addresses: Addresses, *lines: str) -> None:
    """Let a person ask, in tables and in JSON."""
    server = "{}:{}".format(*addresses.grpc)
    given = ["--server", server, "--token-file", str(folder / "secrets" / "api")]
    for line in lines:
        for shape in ([], ["--json"]):
            with suppress(SystemExit):
                btimctl([*given, *shape, *line.split()])


async def test_no_secret_is_anywhere_but_in_its_file_and_where_it_is_meant_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with Receivers().up() as at:
        folder = configured(tmp_path, at)
        async with daemon(folder) as (process, addresses):
            given = ["--server", "{}:{}".format(*addresses.grpc), "--token-file", str(folder / "secrets" / "api")]
            assert await asyncio.to_thread(btimctl, [*given, "report", "ERP is slow", "--business", "erp"]) == 0
            with suppress(smtplib.SMTPException, OSError):
                await asyncio.to_thread(_send_in, folder)
            await work(addresses, at)
            targets = ("hook", "rt", "red", "snow", "snowe", "jira", "jsm", "pd", "am", "zammad", "mbox", "nms")
            asked = ["targets", "dead-letters", "targets log", "reports", "reports counts", "incidents", "status",
                     "events", "notices", *(f"targets try {name}" for name in targets)]  # fmt: skip
            await asyncio.to_thread(ask, folder, addresses, *asked)
            capsule = capfd.readouterr()
            ids = sorted({word for word in capsule.out.replace('"', " ").split() if word.startswith("INC-")})
            letters = [one for one in ids if "@" in one]
            await asyncio.to_thread(
                ask, folder, addresses, *(f"dead-letters show {one}" for one in letters[:3]),
                *(f"outbox {one}" for one in ids if "@" not in one), *(f"incident {one}" for one in ids if "@" not in one),
            )  # fmt: skip
            more = capfd.readouterr()
            written = everything_written(folder)  # with the write-ahead log of the running daemon
            proc = Path(f"/proc/{process.pid}")
            written |= {name: (proc / name).read_bytes() for name in ("cmdline", "environ")}
            async with ClientSession() as session:
                for page in ("metrics", "readyz"):
                    async with session.get("http://{}:{}/{}".format(*addresses.http, page)) as answer:
                        written[page] = await answer.read()
        written |= {f"{name} (stopped)": octets for name, octets in everything_written(folder).items()}
    btimd(["dump-config", "-c", str(folder)])
    btimd(["check", "-c", str(folder)])
    last = capfd.readouterr()
    written["answers"] = "".join([*capsule, *more, *last]).encode()

    assert letters, "the receiver of webhooks refuses for good, so there must be dead letters"
    found = {
        f"{name} in {place}"
        for place, octets in written.items()
        for name in NAMES
        for form in forms(name)
        if form.encode() in octets
    }
    assert sorted(found) == []


def _send_in(folder: Path) -> None:
    port = int((folder / "btimd.log").read_text().partition("intake-smtp-started at=127.0.0.1:")[2].split()[0])
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "a@b.test", "c@d.test", "broken", "<1@b.test>"
    mail.set_content("it is")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.login("in", SECRETS["smtp-in"])
        server.send_message(mail)

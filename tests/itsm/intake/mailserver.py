"""A private Postfix that delivers into a mailbox of a private Dovecot, both on loopback, for one test."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.programs import need, need_as_root

PASSWORD = "mailbox-password"
USER = "reports"
ADDRESS = "reports@intake.test"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
myhostname = intake.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = intake.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:{user}/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_transport = virtual
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
relayhost =
transport_maps = inline:{{ direct.test=smtp:[127.0.0.1]:{direct} }}
"""

SERVICES = (
    "127.0.0.1:{smtp} inet n - n - - smtpd", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "virtual unix - n n - - virtual",
    "smtp unix - - n - - smtp", "error unix - - n - - error", "retry unix - - n - - error",
    "anvil unix - - n - 1 anvil", "proxymap unix - - n - - proxymap", "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
)  # fmt: skip

DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%n allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


@dataclass(frozen=True)
class MailServer:
    """Where mails are given in, and where they are read. `direct`: port that mails to direct.test are sent on to."""

    smtp: int
    imap: int
    direct: int
    folder: Path

    def kill_imap(self) -> None:
        """End Dovecot and its sessions at once: asked to stop, it lets a session go on for half a minute."""
        pid_file = self.folder / "run" / "master.pid"
        master = int(pid_file.read_text())
        children = [
            int(status.parent.name)
            for status in Path("/proc").glob("[0-9]*/status")
            if f"\nPPid:\t{master}\n" in _text(status)
        ]
        for process in (master, *children):
            os.kill(process, signal.SIGKILL)
        pid_file.unlink(missing_ok=True)

    def start_imap(self) -> None:
        subprocess.run(["dovecot", "-c", str(self.folder / "dovecot.conf")], check=True, stdout=DEVNULL, stderr=DEVNULL)
        _answers(self.imap)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


def _answers(port: int) -> None:
    for _ in range(400):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"port {port} does not answer")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Start both, stop both."""
    need_as_root("postfix", "dovecot", "doveadm")
    need("postconf")
    folder = Path(tempfile.mkdtemp(prefix="btimd-mail-", dir="/tmp"))  # others must be able to enter it
    folder.chmod(0o755)
    owner = pwd.getpwnam("nobody")
    ports = [free_port() for _ in range(3)]
    values = {
        "folder": str(folder), "user": USER, "password": PASSWORD, "uid": owner.pw_uid, "gid": owner.pw_gid,
        "smtp": ports[0], "imap": ports[1], "direct": ports[2],
    }  # fmt: skip
    for name in ("conf", "queue", "data", "mail"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "conf" / "main.cf").write_text(MAIN.format(**values))
    (folder / "conf" / "master.cf").write_text("\n".join(SERVICES).format(**values) + "\n")
    (folder / "dovecot.conf").write_text(DOVECOT.format(**values))
    (folder / "dovecot.log").touch()
    (folder / "dovecot.log").chmod(0o666)
    found = MailServer(ports[0], ports[1], ports[2], folder)
    try:
        found.start_imap()
        subprocess.run(["postfix", "-c", str(folder / "conf"), "start"], check=True, stdout=DEVNULL, stderr=DEVNULL)
        _answers(found.smtp)
        yield found
    finally:
        subprocess.run(["postfix", "-c", str(folder / "conf"), "stop"], check=False, stdout=DEVNULL, stderr=DEVNULL)
        subprocess.run(
            ["doveadm", "-c", str(folder / "dovecot.conf"), "stop"], check=False, stdout=DEVNULL, stderr=DEVNULL
        )
        shutil.rmtree(folder, ignore_errors=True)

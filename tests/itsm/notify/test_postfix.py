"""Mail against a real mail server: an own Postfix on loopback that delivers into a folder."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from btimd.itsm.notify.channels import mail_of
from btimd.itsm.notify.settings import MailSettings
from btimd.itsm.outbox import OutcomeKind
from btimd.model.notification import Means
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.examples import notice
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.programs import need_as_root

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

MAIN = """
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/data
mail_owner = postfix
myhostname = mail.corp.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = corp.test
virtual_mailbox_base = {base}/boxes
virtual_mailbox_maps = static:zhang/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps =
alias_database =
maillog_file = {base}/log
maillog_file_prefixes = {base}
smtpd_recipient_restrictions = permit_mynetworks, reject
"""


@pytest.fixture
def postfix() -> Iterator[tuple[int, Path]]:
    """Run a Postfix; yields its port and the folder of the box."""
    need_as_root("postfix")
    base = Path(tempfile.mkdtemp(prefix="btimd-postfix-"))
    base.chmod(0o755)
    for name in ("spool", "data", "boxes", "conf"):
        (base / name).mkdir()
    shutil.chown(base / "data", "postfix")
    os.chown(base / "boxes", 65534, 65534)
    port = free_port()
    master = Path("/etc/postfix/master.cf").read_text(encoding="utf-8")
    master = re.sub(r"(?m)^smtp\s+inet .*$", f"127.0.0.1:{port} inet n - n - - smtpd", master)
    (base / "conf" / "master.cf").write_text(re.sub(r"(?m)^(\w+\s+\w+\s+\S+\s+\S+\s+)y(\s)", r"\1n\2", master))
    (base / "conf" / "main.cf").write_text(MAIN.format(base=base))
    try:
        subprocess.run(
            ["postfix", "-c", base / "conf", "start"], check=True, capture_output=True, timeout=PATIENCE_SECONDS
        )
        yield port, base / "boxes" / "zhang"
    finally:
        subprocess.run(
            ["postfix", "-c", base / "conf", "stop"], check=False, capture_output=True, timeout=PATIENCE_SECONDS
        )
        shutil.rmtree(base, ignore_errors=True)


async def test_a_postfix_delivers_the_order_and_refuses_a_stranger(
    postfix: tuple[int, Path], clock: ManualClock
) -> None:
    port, box = postfix
    settings = MailSettings.model_validate(
        {"server": f"127.0.0.1:{port}", "sender": "btimd@corp.test", "security": "none"}
    )
    sender = mail_of("corp", settings, clock)
    await sender.start()
    mail = notice(
        means=Means.EMAIL, address="zhang@corp.test", subject="[P2] 请接单 #4711", text="[P2] 请接单\n单号: #4711"
    )
    result = await sender.send(mail)
    refused = await sender.send(notice(means=Means.EMAIL, address="a@" + "x" * 70 + ".test"))

    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := list(box.glob("new/*"))) and time.monotonic() < until:  # noqa: ASYNC110  a folder has no event
        await asyncio.sleep(0.05)  # another process writes it
    message = message_from_bytes(found[0].read_bytes(), policy=policy.default)
    assert result.outcome.kind is OutcomeKind.DELIVERED
    assert (str(message["Subject"]), str(message["Message-ID"])) == ("[P2] 请接单 #4711", "<n-1@corp.test>")
    assert message.get_content().splitlines() == ["[P2] 请接单", "单号: #4711"]
    assert refused.outcome.kind is OutcomeKind.REFUSED

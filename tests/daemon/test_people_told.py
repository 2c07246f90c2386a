"""A whole btimd tells people: by a robot over HTTP and at the screen, takes their mail as an answer, reloads channels."""

import asyncio
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from btimd.api.calls_notices import notices, watch_screen
from btimd.api.client import Client
from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.model.incident import CommandKind, IncidentCommand, IncidentState, Priority
from tests.daemon.small import running, settings_text, until, write_small
from tests.itsm.notify.doubles import Double

PEOPLE = """
[person.ann]
name = "Ann"
language = "en"
groups = { noc = 1 }
contacts = [
  { means = "wecom", address = "ann", verified = true },
  { means = "mail", address = "ann@corp.test", verified = true },
]
[group.noc]
name = "NOC"
lead = "ann"
[path.usual]
levels = [{ group = "noc" }]
[class.default]
path = "usual"
"""


def settings(folder: Path, robot: Double) -> str:
    url = folder / "robot.url"
    url.write_text(robot.url)
    url.chmod(0o600)
    return (
        settings_text()
        + '[itsm.intake.smtp]\nlisten = "127.0.0.1:0"\n[itsm.timers]\nwait = ["1s", "1s", "1s", "1s", "1s"]\n'
        + f'[itsm.notify.robot.noc]\nkind = "wecom"\nurl_file = "{url}"\n'
    )


def answer(app: App, thread: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "ann@corp.test", "btimd@corp.test", "<re-1@corp.test>"
    mail["Subject"], mail["In-Reply-To"] = "Re: order", f"<incident-{thread}@corp.test>"
    mail.set_content("1\n")
    address = app.wired.intake.smtp.address
    assert address is not None
    with smtplib.SMTP(*address, timeout=20) as server:
        server.send_message(mail)


def first_screen(server: str, token: str) -> list[str]:
    with Client(server, token=token) as client:
        for update in watch_screen(client, everybody=True):
            if update.items:
                return [one.text for one in update.items]
    return []


@pytest.mark.slow
async def test_an_order_reaches_robot_and_screen_and_a_mail_accepts_it(tmp_path: Path) -> None:
    robot = Double(now=time.time)
    async with robot.up():
        folder = write_small(tmp_path, settings=settings(tmp_path, robot))
        (folder / "people.toml").write_text(PEOPLE)
        async with running(folder) as app:
            create = IncidentCommand(CommandKind.CREATE, "c1", title="core down", priority=Priority.P1)
            incident = await app.wired.incidents.command(create, "noc")
            await until(lambda: bool(robot.taken))
            server = "{}:{}".format(*app.addresses.grpc)
            token = (tmp_path / "state" / "token").read_text().strip()
            shown = await asyncio.to_thread(first_screen, server, token)
            await asyncio.to_thread(answer, app, incident.id)
            accepted = app.wired.incidents.live(incident.id)
            with Client(server, token=token) as client:
                listed = await asyncio.to_thread(notices, client, incident_id=incident.id)
            (tmp_path / "btimd.toml").write_text(settings(tmp_path, robot) + "[itsm.notify]\nsms_parts = 3\n")
            assert await app.reload(lambda: load_config(folder, 2))
            changed = app.wired.notices.settings.sms_parts
            (tmp_path / "btimd.toml").write_text(settings(tmp_path, robot).replace("robot.url", "gone.url"))
            refused = not await app.reload(lambda: load_config(folder, 3))

    assert "core down" in str(robot.taken[0])
    assert "<@ann>" in str(robot.taken[0])
    assert len(shown) == 1
    assert "core down" in shown[0]
    assert accepted is not None
    assert (accepted.state, accepted.assignee) == (IncidentState.ACCEPTED, "ann")
    assert sorted(one.means.value for one in listed.items) == ["im", "screen"]
    assert changed == 3
    assert refused

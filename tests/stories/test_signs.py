"""Users outrank probes: a probe's broken way opens no incident, users who are lost do; messages of devices are heard."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.lab.config import write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.settings import LabSettings
from btimd.model.heard import HeardAs
from btimd.model.verdict import VerdictStatus
from tests.daemon.small import until
from tests.patience import PATIENCE_SECONDS
from tests.programs import need

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

UNHURRIED = LabSettings(
    users_per_segment=6,
    think_seconds=0.6,
    application_patience_seconds=10.0,
    web_patience_seconds=20.0,
    user_patience_seconds=40.0,
    name_patience_seconds=10.0,
)
"""Users who come often and wait for an answer as long as a busy machine needs."""


def patient(services: Path) -> None:
    """Let no check fail because a busy machine is slow to answer; what is refused fails at once all the same."""
    text = re.sub(r'timeout = "[^"]*"', 'timeout = "20s"', services.read_text())
    services.write_text(re.sub(r'slow_over = "[^"]*"', 'slow_over = "10s"', text))


def is_usual(app: App) -> bool:
    """Tell whether users' traffic has become usual: only then is it told that they get answers."""
    told = {one.rule for one in app.wired.signs.heard(limit=100, heard_as=HeardAs.GOOD)}
    return told >= {"flows:erp@north", "flows:erp@east", "flows:erp@south"}


async def test_a_probe_that_fails_alone_opens_no_incident_and_syslog_is_heard(tmp_path: Path) -> None:
    need("logger")
    async with Enterprise(UNHURRIED) as enterprise:
        write_configuration(tmp_path, enterprise)
        patient(tmp_path / "services.toml")
        with (tmp_path / "btimd.toml").open("a") as file:
            file.write('\n[rca]\nusers_wait = "30s"\n')
            file.write('[probes.syslog]\nlisten = ["127.0.0.1:0"]\n[probes.traps]\nlisten = ["127.0.0.1:0"]\n')
        app = App(load_config(tmp_path))
        await app.start()
        running = asyncio.create_task(app.run())
        try:
            await enterprise.start_users(app.addresses.capture[0])
            await until(lambda: is_usual(app))
            services = tmp_path / "services.toml"
            # btimd's own way to one page breaks: it asks a port that nobody listens on; users know the right one.
            services.write_text(re.sub(r"(\[check.erp-page\][^\[]*?port = )\d+", r"\g<1>1", services.read_text()))
            app.request_reload()
            await until(lambda: bool(app.wired.rca.verdicts(1)))
            verdict = app.wired.rca.verdicts(1)[0]
            assert verdict.status is VerdictStatus.NOT_CONFIRMED
            assert "still get" in verdict.summary
            assert await app.wired.incidents.incidents(only_open=True, business=None, limit=9) == []

            (host, port), *_ = app.wired.syslog.addresses
            command = ["logger", "--server", host, "--port", str(port), "--udp", "write: No space left on device"]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE_SECONDS)
            await until(lambda: any(one.source == "syslog" for one in app.wired.signs.heard(limit=50)))
            (heard,) = [one for one in app.wired.signs.heard(limit=50) if one.source == "syslog"]
            assert (heard.rule, heard.heard_as in {HeardAs.BAD, HeardAs.NO_NODE}) == ("disk-full", True)
        finally:
            app.request_stop()
            await running
            await app.stop()

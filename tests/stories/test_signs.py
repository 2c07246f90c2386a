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
from btimd.model.verdict import Verdict, VerdictStatus
from tests.programs import need

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def verdict_of(app: App, seconds: float = 30.0) -> Verdict:
    async with asyncio.timeout(seconds):
        while not app.wired.rca.verdicts(1):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return app.wired.rca.verdicts(1)[0]


async def test_a_probe_that_fails_alone_opens_no_incident_and_syslog_is_heard(tmp_path: Path) -> None:
    need("logger")
    async with Enterprise(LabSettings(users_per_segment=12, think_seconds=0.8)) as enterprise:
        write_configuration(tmp_path, enterprise)
        with (tmp_path / "btimd.toml").open("a") as file:
            file.write('\n[probes.syslog]\nlisten = ["127.0.0.1:0"]\n[probes.traps]\nlisten = ["127.0.0.1:0"]\n')
        app = App(load_config(tmp_path))
        await app.start()
        running = asyncio.create_task(app.run())
        try:
            await enterprise.start_users(app.addresses.capture[0])
            await asyncio.sleep(10)  # users' traffic must have become usual
            services = tmp_path / "services.toml"
            # btimd's own way to one page breaks: it asks a port that nobody listens on; users know the right one.
            services.write_text(re.sub(r"(\[check.erp-page\][^\[]*?port = )\d+", r"\g<1>1", services.read_text()))
            app.request_reload()
            verdict = await verdict_of(app)
            assert verdict.status is VerdictStatus.NOT_CONFIRMED
            assert "still get" in verdict.summary
            assert await app.wired.incidents.incidents(only_open=True, business=None, limit=9) == []

            (host, port), *_ = app.wired.syslog.addresses
            command = ["logger", "--server", host, "--port", str(port), "--udp", "write: No space left on device"]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=10)
            async with asyncio.timeout(5):
                while not any(one.source == "syslog" for one in app.wired.signs.heard(limit=50)):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            (heard,) = [one for one in app.wired.signs.heard(limit=50) if one.source == "syslog"]
            assert (heard.rule, heard.heard_as in {HeardAs.BAD, HeardAs.NO_NODE}) == ("disk-full", True)
        finally:
            app.request_stop()
            await running
            await app.stop()

"""What other systems tell, by the real senders: Alertmanager's webhook, rsyslog over TLS that checks both ends."""

import asyncio
import hashlib
import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from btimd.daemon.app import App
from btimd.model.heard import HeardAs
from tests.daemon.small import running, settings_text, until, write_small
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import free_port
from tests.probes import servers
from tests.probes.authorities import issue
from tests.probes.test_syslogs import DISK, Ears
from tests.programs import need

SECRET = "what alertmanager shows"


def alertmanager_files(folder: Path, btimd: tuple[str, int]) -> Path:
    (folder / "btimd.token").write_text(SECRET)
    path = folder / "alertmanager.yml"
    path.write_text(
        "route: {receiver: btimd, group_wait: 0s, group_interval: 1s, repeat_interval: 1h, group_by: [alertname]}\n"
        "receivers:\n"
        "  - name: btimd\n"
        "    webhook_configs:\n"
        f"      - url: http://{btimd[0]}:{btimd[1]}/events\n"
        f"        http_config: {{authorization: {{credentials_file: {folder / 'btimd.token'}}}}}\n"
    )
    return path


def post_alert(port: int, **more: str) -> None:
    alert = [{"labels": {"alertname": "DiskFull", "instance": "db1"}, "annotations": {"summary": "no room"}, **more}]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        data=json.dumps(alert).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  loopback
        assert answer.status == 200


def heard(app: App) -> list[tuple[str, HeardAs, str]]:
    """Return what was heard, the oldest first."""
    return [(one.node, one.heard_as, one.text) for one in reversed(app.wired.signs.heard(limit=100))]


@pytest.mark.real_server
@pytest.mark.slow
async def test_an_alert_of_alertmanager_is_a_sign_of_its_node_until_it_is_resolved(tmp_path: Path) -> None:
    manager = need("prometheus-alertmanager")
    tokens = tmp_path / "tokens.toml"
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    tokens.write_text(f'[[token]]\nname = "alertmanager"\nrole = "operator"\nsha256 = "{digest}"\n')
    tokens.chmod(0o600)
    write_small(tmp_path, settings=settings_text() + f'tokens_file = "{tokens}"\n')
    port = free_port()
    async with running(tmp_path) as app:
        configuration = alertmanager_files(tmp_path, app.addresses.http)
        options = (
            f"--config.file={configuration}", f"--storage.path={tmp_path / 'alerts'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        )  # fmt: skip
        with servers.running([manager, *options]):
            await asyncio.to_thread(wait_until, lambda: servers.accepts(port), "Alertmanager")
            post_alert(port)
            await until(lambda: len(heard(app)) == 1)
            post_alert(port, endsAt="2020-01-01T00:00:00Z", startsAt="2019-12-31T00:00:00Z")
            await until(lambda: len(heard(app)) == 2)
            told = heard(app)

    assert told == [
        ("db1", HeardAs.BAD, "DiskFull: no room"),
        ("db1", HeardAs.OVER, "DiskFull: no room"),
    ]


@pytest.mark.real_server
@pytest.mark.slow
async def test_rsyslog_over_tls_where_both_ends_show_certificates_is_understood(tmp_path: Path) -> None:
    rsyslogd = need("rsyslogd")
    authority = issue("authority", is_authority=True)
    ca, _ = authority.write(tmp_path, "ca")
    cert, key = issue("btimd", ("localhost",), by=authority).write(tmp_path, "btimd")
    client, client_key = issue("web1", ("web1",), by=authority).write(tmp_path, "web1")
    ears = Ears(tls_listen=["127.0.0.1:0"], cert_file=str(cert), key_file=str(key), client_ca_file=str(ca))
    await ears.listener.start()
    try:
        ((_, port),) = ears.listener.addresses
        socket, configuration = tmp_path / "log.socket", tmp_path / "rsyslog.conf"
        configuration.write_text(
            f'global(workDirectory="{tmp_path}" defaultNetstreamDriver="gtls" '
            f'defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{client}" '
            f'defaultNetstreamDriverKeyFile="{client_key}")\n'
            'module(load="imuxsock" SysSock.Use="off")\n'
            f'input(type="imuxsock" Socket="{socket}" CreatePath="on")\n'
            f'action(type="omfwd" target="localhost" port="{port}" protocol="tcp" StreamDriver="gtls" '
            'StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost" '
            'TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" '
            'action.resumeRetryCount="-1" action.resumeInterval="1")\n'
        )
        with servers.running([rsyslogd, "-n", "-f", str(configuration), "-i", str(tmp_path / "rsyslog.pid")]):
            say = [need("logger"), "--socket", str(socket), "--tag", "postgres", DISK]

            def is_heard() -> bool:
                # What is said while rsyslogd starts is lost or waits: it is said until it is heard.
                subprocess.run(say, check=False, capture_output=True, timeout=PATIENCE_SECONDS)
                return bool(ears.told)

            await asyncio.to_thread(wait_until, is_heard, "rsyslogd")
    finally:
        await ears.listener.stop()

    assert {(one.rule, one.text) for one in ears.told} == {("disk-full", f"postgres: {DISK}")}

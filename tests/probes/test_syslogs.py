import asyncio
import subprocess

import pytest
from pydantic import ValidationError

from btimd.model.heard import Told
from btimd.probes.eventsettings import SyslogSettings
from btimd.probes.syslogs import SyslogListener
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.programs import need


class Ears:
    def __init__(self, **settings: object) -> None:
        self.told: list[Told] = []
        self.unknown: list[tuple[str, str]] = []
        self.metrics = Metrics()
        self.listener = SyslogListener(
            SyslogSettings.model_validate(settings),
            on_told=self.told.append,
            not_understood=lambda _source, sender, text: self.unknown.append((sender, text)),
            metrics=self.metrics,
            clock=SystemClock(),
            log=Log("test"),
        )

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) + len(self.unknown) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


DISK = "write failed: No space left on device"


async def test_logger_is_understood_over_udp_and_tcp_in_both_formats() -> None:
    need("logger")
    ears = Ears(listen=["127.0.0.1:0"], tcp_listen=["127.0.0.1:0"])
    await ears.listener.start()
    try:
        (_, udp), (_, tcp) = ears.listener.addresses
        for port, *how in (
            (udp, "--udp", "--rfc3164"),
            (udp, "--udp", "--rfc5424"),
            (tcp, "--tcp", "--rfc3164"),
            (tcp, "--tcp", "--rfc5424", "--octet-count"),
        ):
            command = ["logger", "--server", "127.0.0.1", "--port", str(port), "--tag", "postgres", *how, DISK]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE_SECONDS)
        await ears.until(4)
        assert [(one.rule, one.sender, one.text) for one in ears.told] == [
            ("disk-full", "127.0.0.1", f"postgres: {DISK}")
        ] * 4
    finally:
        await ears.listener.stop()
        await ears.listener.stop()


async def test_who_is_not_allowed_is_dropped_and_counted_and_what_is_unknown_is_told_of() -> None:
    ears = Ears(listen=["127.0.0.1:0"], allow=["10.0.0.0/8"])
    ears.listener._take(b"<13>x: hello", "10.0.0.1")
    ears.listener._take(b"<13>x: hello", "192.0.2.1")
    ears.listener._take(b"<13>", "10.0.0.1")
    assert ears.unknown == [("10.0.0.1", "x: hello")]
    text = ears.metrics.text().decode()
    assert 'btimd_syslog_dropped_total{reason="not-allowed"} 1.0' in text
    assert 'btimd_syslog_dropped_total{reason="empty"} 1.0' in text
    assert 'btimd_syslog_received_total{over="udp"} 1.0' in text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"listen": ["0.0.0.0:514"]}, "takes messages of everybody"),
        ({"tls_listen": ["127.0.0.1:6514"]}, "needs cert_file and key_file"),
        ({"rules": {"x": {"pattern": "("}}}, "is no regular expression"),
    ],
)
def test_settings_that_would_let_everybody_in_or_cannot_work_are_refused(
    settings: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        SyslogSettings.model_validate(settings)


def test_own_rules_go_before_those_that_come_with_btimd() -> None:
    settings = SyslogSettings.model_validate(
        {"rules": {"mine": {"pattern": "No space", "meaning": "change", "node": "db"}}}
    )
    first, *rest = settings.all_rules()
    assert (first.id, first.health, first.node, len(rest) > 40) == ("mine", None, "db", True)
    assert len(SyslogSettings.model_validate({"shipped_rules": False}).all_rules()) == 0

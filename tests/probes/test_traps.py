import asyncio
import subprocess

import pytest

from btimd.model.heard import Told
from btimd.probes.eventsettings import TrapSettings
from btimd.probes.snmptargets import Community, User
from btimd.probes.traps import TrapListener
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.programs import need

V3 = User("btimd", "sha256", b"auth-pass-phrase", "aes128", b"priv-pass-phrase")
LINK_DOWN = ("1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.2.7", "s", "Gi0/1")
KEYS = [
    "-u",
    "btimd",
    "-l",
    "authPriv",
    "-a",
    "SHA-256",
    "-A",
    "auth-pass-phrase",
    "-x",
    "AES",
    "-X",
    "priv-pass-phrase",
]


class Ears:
    def __init__(self, **settings: object) -> None:
        self.told: list[Told] = []
        self.unknown: list[str] = []
        self.metrics = Metrics()
        self.listener = TrapListener(
            TrapSettings.model_validate({"listen": ["127.0.0.1:0"], **settings}),
            [Community(b"public"), V3, V3],
            on_told=self.told.append,
            not_understood=lambda _source, _sender, text: self.unknown.append(text),
            metrics=self.metrics,
            clock=SystemClock(),
            log=Log("test"),
        )

    async def send(self, *how: str, oid: tuple[str, ...] = LINK_DOWN) -> None:
        place = f"127.0.0.1:{self.listener.addresses[0][1]}"
        command = ["snmptrap", *how, "-r", "0", "-t", "3", place, "", *oid]
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE_SECONDS)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) + len(self.unknown) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@pytest.mark.slow
async def test_traps_and_informs_of_net_snmp_are_understood_and_informs_are_answered() -> None:
    need("snmptrap")
    ears = Ears()
    await ears.listener.start()
    try:
        await ears.send("-v", "2c", "-c", "public")
        await ears.send("-v", "2c", "-c", "public", "-Ci")  # ends well only when it is answered
        await ears.send("-v", "3", "-e", "0x8000000001020304", *KEYS)
        await ears.send("-v", "3", "-Ci", *KEYS)
        await ears.send("-v", "2c", "-c", "public", oid=("1.3.6.1.4.1.99999.1",))
        await ears.until(5)
        assert [(one.rule, one.sender, one.interface) for one in ears.told] == [("linkDown", "127.0.0.1", "Gi0/1")] * 4
        assert ears.unknown == ["1.3.6.1.4.1.99999.1"]
        await ears.send("-v", "2c", "-c", "wrong")
        ears.listener._is_let_in(b"\x30\x82", "127.0.0.1", lambda: None)
        text = ears.metrics.text().decode()
        assert "btimd_traps_received_total 5.0" in text
        assert 'btimd_traps_dropped_total{reason="not-believed"}' in text
    finally:
        await ears.listener.stop()
        await ears.listener.stop()


async def test_whatever_octets_come_the_listener_lives() -> None:
    ears = Ears(sender_per_second=100_000, per_second=100_000)
    await ears.listener.start()
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=ears.listener.addresses[0]
        )
        message = bytes.fromhex(
            "302e02010104067075626c6963a721020101020100020100301630140 60a2b060106030101040100 06062b0601040101".replace(
                " ", ""
            )
        )
        for at in range(len(message)):
            transport.sendto(message[:at])
            transport.sendto(message[:at] + b"\xff" + message[at + 1 :])
        await asyncio.sleep(0.2)
        transport.close()
        assert ears.listener.health().level.value == "ok"
    finally:
        await ears.listener.stop()


async def test_nothing_is_listened_on_unless_said_so() -> None:
    ears = Ears(listen=[])
    await ears.listener.start()
    assert ears.listener.addresses == ()
    await ears.listener.stop()

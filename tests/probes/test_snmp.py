"""The adapter to pysnmp against snmpd, silence, and agents that send garbage."""

import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from typing_extensions import override

from btimd.probes.snmp import SnmpClient
from btimd.probes.snmpsession import Answer, Answered, Get, GetBulk, NoAnswer, Rejected, Rejection
from btimd.probes.snmptargets import Target, User
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes import snmpagents

NAME, LOCATION = snmpagents.SYS_NAME, (1, 3, 6, 1, 2, 1, 1, 6, 0)
NOTHING = (1, 3, 6, 1, 2, 1, 1, 99, 0)
AUTH, PRIV = b"authpass123", b"privpass123"
USERS = {
    ("md5", "des"): "MD5 authpass123 DES privpass123",
    ("sha", "aes128"): "SHA authpass123 AES privpass123",
    ("sha224", "aes128"): "SHA-224 authpass123 AES privpass123",
    ("sha256", "aes192-blumenthal"): "SHA-256 authpass123 AES-192 privpass123",
    ("sha384", "aes256-blumenthal"): "SHA-384 authpass123 AES-256 privpass123",
    ("sha512", "aes128"): "SHA-512 authpass123 AES privpass123",
    ("sha256", ""): "SHA-256 authpass123",
    ("", ""): "",
}


@contextlib.asynccontextmanager
async def client() -> AsyncIterator[SnmpClient]:
    one = SnmpClient()
    try:
        yield one
    finally:
        one.close()
        await asyncio.sleep(0)


def user(auth: str, priv: str, name: str = "") -> User:
    return User(name or f"u{auth}{priv}", auth, AUTH if auth else b"", priv, PRIV if priv else b"")


@pytest.mark.slow
@pytest.mark.real_server
async def test_snmpd_answers_every_version_and_level(tmp_path: Path) -> None:
    lines = ['sysName "agent"', "syslocation Rack 1"]
    for (auth, priv), keys in USERS.items():
        lines.append(f"createUser u{auth}{priv} {keys}".strip())
        lines.append(f"rouser u{auth}{priv} {'priv' if priv else 'auth' if auth else 'noauth'}")
    async with snmpagents.snmpd(tmp_path, *lines) as port, client() as asking:
        answers = {
            key: await asking.ask(snmpagents.target(port, credentials=user(*key)), Get((LOCATION, NOTHING)))
            for key in USERS
        }
        plain = await asking.ask(snmpagents.target(port), GetBulk((NAME[:-1],), 2))

    assert answers == dict.fromkeys(USERS, Answered(((LOCATION, b"Rack 1"), (NOTHING, None))))
    assert isinstance(plain, Answered)
    assert [oid for oid, _ in plain.varbinds] == [NAME, LOCATION]


@pytest.mark.slow
@pytest.mark.real_server
async def test_what_version_3_refuses_is_told_apart(tmp_path: Path) -> None:
    lines = (
        "createUser signs SHA-256 authpass123",
        "rouser signs auth",
        "createUser full SHA-256 authpass123 AES privpass123",
        "rouser full priv",
    )
    full = User("full", "sha256", AUTH, "aes128", PRIV)
    wrong = {
        Rejection.UNKNOWN_USER: User("nobody", "sha256", AUTH),
        Rejection.WRONG_DIGEST: User("full", "sha256", b"otherpass123", "aes128", PRIV),
        Rejection.UNSUPPORTED_LEVEL: User("signs", "sha256", AUTH, "aes128", PRIV),
    }
    async with snmpagents.snmpd(tmp_path, *lines) as port, client() as asking:

        async def ask(credentials: User, seconds: float = 20.0) -> Answer:
            return await asking.ask(snmpagents.target(port, credentials=credentials, timeout=seconds), Get((NAME,)))

        found = {why: await ask(credentials) for why, credentials in wrong.items()}
        unreadable = await ask(User("full", "sha256", AUTH, "aes128", b"otherpass123"), seconds=0.5)
        right = await ask(full)  # the same name with other keys does not get in its way

    assert {why: answer.why for why, answer in found.items() if isinstance(answer, Rejected)} == {
        why: why for why in wrong
    }
    assert unreadable in {
        NoAnswer(),
        Rejected(Rejection.DECRYPTION, "Ciphering services not available or ciphertext is broken"),
    }
    assert isinstance(right, Answered)


@pytest.mark.slow
@pytest.mark.real_server
async def test_a_wrong_community_is_silence_and_all_traffic_is_counted(tmp_path: Path) -> None:
    async with snmpagents.snmpd(tmp_path) as port, client() as asking:
        wrong = snmpagents.target(port, "secret", timeout=0.3)
        silence = await asking.ask(wrong, Get((NAME,)))
        after_silence = (asking.traffic(wrong).requests, asking.traffic(wrong).answers)
        right = snmpagents.target(port)
        await asking.ask(right, Get((NAME,)))
        traffic = asking.traffic(right)  # of the place, whatever was asked with

    assert (silence, after_silence) == (NoAnswer(), (1, 0))
    assert (traffic.requests, traffic.answers) == (2, 1)
    assert 100 < traffic.octets < 300


@pytest.mark.slow
@pytest.mark.real_server
async def test_an_agent_is_asked_over_ipv6_in_either_version(tmp_path: Path) -> None:
    lines = ("sysName agent", "createUser full SHA-256 authpass123 AES privpass123", "rouser full priv")
    async with snmpagents.snmpd(tmp_path, *lines, address="::1") as port, client() as asking:
        plain = snmpagents.target(port, address="::1")
        private = replace(plain, credentials=user("sha256", "aes128", "full"))
        answers = [await asking.ask(target, Get((NAME,))) for target in (plain, private, private)]
        nobody = await asking.ask(snmpagents.target(1, address="::1", timeout=0.2), Get((NAME,)))

    assert answers == [Answered(((NAME, b"agent"),))] * 3
    assert (asking.traffic(plain).requests, asking.traffic(plain).answers) == (4, 4)  # one more to learn the engine id
    assert (plain.who, nobody) == (f"device ([::1]:{port})", NoAnswer())


@pytest.mark.slow
@pytest.mark.real_server
async def test_an_agent_that_comes_back_with_another_engine_id_costs_one_request(tmp_path: Path) -> None:
    """A device was replaced or reset: it reports that it is not the engine that is asked for, and is asked anew."""
    lines = ("createUser full SHA-256 authpass123 AES privpass123", "rouser full priv")
    answers, counts = [], []
    port = free_port()
    target = snmpagents.target(port, credentials=user("sha256", "aes128", "full"))
    async with client() as asking:
        for engine in ("first", "second", "third"):
            folder = tmp_path / engine
            folder.mkdir()
            async with snmpagents.snmpd(folder, f"engineID {engine}", *lines, port=port):
                for _ in range(3):
                    answers.append(type(await asking.ask(target, Get((NAME,)))))
                    counts.append(asking.traffic(target).requests)
        model = asking._engines[0]._engine.message_processing_subsystems[3]
        for _ in range(4000):  # more than the 5 minutes after which the library itself forgets engine ids
            model.receive_timer_tick(asking._engines[0]._engine, 0.0)

    assert answers == [Answered] * 3 + [NoAnswer, Answered, Answered] * 2
    assert counts == [2, 3, 4, 5, 7, 8, 9, 11, 12]  # two where the engine id is asked for


@pytest.mark.slow
@pytest.mark.real_server
async def test_an_agent_that_restarts_or_forgets_how_often_it_did_is_asked_on(tmp_path: Path) -> None:
    engine = "0x8000000001020304"
    lines = ("createUser full SHA-256 authpass123 AES privpass123", "rouser full priv", f"exactEngineID {engine}")
    answers, counts = [], []
    port = free_port()
    target = snmpagents.target(port, credentials=user("sha256", "aes128", "full"))
    async with client() as asking:
        for boots in (50, 51, 3):
            folder = tmp_path / str(boots)
            folder.mkdir()
            agent = snmpagents.snmpd(folder, *lines, f"oldEngineID {engine}", f"engineBoots {boots}", port=port)
            async with agent:
                for _ in range(2):
                    answers.append(type(await asking.ask(target, Get((NAME,)))))
                    counts.append(asking.traffic(target).requests)

    assert answers == [Answered] * 6
    assert counts == [2, 3, 5, 6, 8, 9]  # two where the clock is learned


class Impostor(asyncio.DatagramProtocol):
    """Answers each datagram with what `make` returns."""

    def __init__(self, make: Callable[[bytes], list[bytes]]) -> None:
        self.make = make

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    @override
    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        for answer in self.make(data):
            self.transport.sendto(answer, address)


@contextlib.asynccontextmanager
async def impostor(make: Callable[[bytes], list[bytes]]) -> AsyncIterator[Target]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Impostor(make), local_addr=("127.0.0.1", 0))
    try:
        yield snmpagents.target(transport.get_extra_info("sockname")[1], timeout=0.2)
    finally:
        transport.close()


def spoilt(chance: random.Random) -> Callable[[bytes], list[bytes]]:
    """Return how an impostor answers: garbage, and the request as an answer with an octet changed or cut off."""

    def make(request: bytes) -> list[bytes]:
        echo = bytearray(request.replace(b"\xa0", b"\xa2", 1))
        place = chance.randrange(len(echo))
        cut = bytes(echo[:place])
        echo[place] = chance.randrange(256)
        return [chance.randbytes(chance.randrange(60)), cut, bytes(echo)]

    return make


@pytest.mark.slow
async def test_garbage_raises_nothing_and_every_question_is_answered() -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(PATIENCE_SECONDS):
        asking = await stack.enter_async_context(client())
        targets = [await stack.enter_async_context(impostor(spoilt(random.Random(seed)))) for seed in range(40)]
        users = [replace(target, credentials=user("sha256", "aes128")) for target in targets]
        answers = await asyncio.gather(*(asking.ask(target, Get((NAME,))) for target in targets))
        answers += await asyncio.gather(*(asking.ask(target, Get((NAME,))) for target in users))

    assert {type(answer) for answer in answers} <= {Answered, NoAnswer, Rejected}
    assert problems == []


@pytest.mark.slow
async def test_an_answer_from_elsewhere_does_not_count() -> None:
    loop = asyncio.get_running_loop()
    elsewhere, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    asked_from: list[tuple[str, int]] = []

    class Silent(asyncio.DatagramProtocol):
        @override
        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            asked_from.append(address)
            elsewhere.sendto(data.replace(b"\xa0", b"\xa2", 1), address)

    silent, _ = await loop.create_datagram_endpoint(Silent, local_addr=("127.0.0.1", 0))
    async with client() as asking:
        target = snmpagents.target(silent.get_extra_info("sockname")[1], timeout=0.2)
        answer = await asking.ask(target, Get((NAME,)))
    silent.close()
    elsewhere.close()

    assert (answer, len(asked_from), asking.traffic(target).answers) == (NoAnswer(), 1, 0)


async def test_a_place_that_cannot_be_reached_is_silence() -> None:
    async with client() as asking:
        answer = await asking.ask(snmpagents.target(1, timeout=0.2), Get((NAME,)))

    assert answer == NoAnswer()


async def test_an_address_that_the_library_does_not_take_is_told() -> None:
    async with client() as asking:
        answer = await asking.ask(snmpagents.target(1, address="fe80::1%nowhere"), Get((NAME,)))

    assert answer == Rejected(Rejection.CANNOT_SEND, "illegal IP address string passed to inet_pton")


@pytest.mark.slow
def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, btimd.probes.inventory; print([name for name in sys.modules if name.startswith('pysnmp')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"

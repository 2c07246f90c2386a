import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btimd.itsm.notify.channels import robot_of
from btimd.itsm.notify.post import HttpSender
from btimd.itsm.notify.settings import RobotSettings
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.doubles import KEY, SECRET, Double, said
from tests.itsm.notify.examples import notice

ORDER = notice(means=Means.IM, address="zhang", text="[P2] 请接单\n事件: 监听中断\n单号: #4711")
KINDS = ["wecom", "dingtalk", "feishu", "slack", "teams", "webhook"]
SIGNED = ["dingtalk", "feishu", "webhook"]

Make = Callable[..., HttpSender]


def secret(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.fixture
def make(tmp_path: Path, clock: ManualClock) -> Make:
    def made(kind: str, url: str, key: bytes = b"", **settings: Any) -> HttpSender:
        given: dict[str, Any] = {"kind": kind, "url_file": secret(tmp_path / "url", url), **settings}
        if key:
            given["secret_file"] = secret(tmp_path / "key", key)
        return robot_of("noc", RobotSettings(**given), clock)

    return made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_robot_that_checks_what_its_maker_publishes_takes_the_order(
    kind: str, make: Make, clock: ManualClock
) -> None:
    key = SECRET if kind in SIGNED else b""
    async with Double(clock.wall, kind, key).up() as robot:
        sender = make(kind, robot.url, key)
        await sender.start()
        result = await sender.send(ORDER)
        await sender.stop()

    assert result.outcome.kind is OutcomeKind.DELIVERED
    assert len(robot.taken) == 1
    assert "监听中断" in robot.bodies[0].decode()
    assert robot.requests[0].headers["User-Agent"].startswith("btimd/")


@pytest.mark.parametrize("kind", SIGNED)
async def test_a_wrong_secret_pauses_the_channel(kind: str, make: Make, clock: ManualClock) -> None:
    async with Double(clock.wall, kind, b"another-secret-of-the-robot").up() as robot:
        sender = make(kind, robot.url, SECRET)
        await sender.start()
        result = await sender.send(ORDER)
        await sender.stop()

    assert (result.outcome.kind, robot.taken) == (OutcomeKind.PAUSED, [])


@pytest.mark.parametrize("kind", SIGNED[:2])
async def test_a_clock_that_is_wrong_by_hours_pauses_the_channel(kind: str, make: Make, clock: ManualClock) -> None:
    async with Double(lambda: clock.wall() - 7200, kind, SECRET).up() as robot:
        sender = make(kind, robot.url, SECRET)
        await sender.start()
        assert (await sender.send(ORDER)).outcome.kind is OutcomeKind.PAUSED
        await sender.stop()


@pytest.mark.parametrize(
    ("kind", "wait", "limit"), [("wecom", 60, 20), ("dingtalk", 600, 20), ("feishu", 60, 100), ("slack", 30, 60)]
)
async def test_a_robot_that_is_sent_too_much_says_how_long_to_wait(
    kind: str, wait: float, limit: int, make: Make, clock: ManualClock
) -> None:
    async with Double(clock.wall, kind).up() as robot:
        robot._times = [clock.wall()] * limit
        sender = make(kind, robot.url)
        await sender.start()
        outcome = (await sender.send(ORDER)).outcome
        await sender.stop()

    assert (outcome.kind, outcome.retry_after_seconds) == (OutcomeKind.RETRY_AFTER, wait)
    assert sender.per_minute <= limit


@pytest.mark.parametrize("kind", KINDS)
async def test_the_longest_order_fits(kind: str, make: Make, clock: ManualClock) -> None:
    async with Double(clock.wall, kind).up() as robot:
        sender = make(kind, robot.url)
        await sender.start()
        result = await sender.send(notice(means=Means.IM, address="zhang", text="\n".join(['重"\\' * 330] * 12)))
        await sender.stop()

    assert (result.outcome.kind, len(robot.taken)) == (OutcomeKind.DELIVERED, 1)


async def test_every_end_of_a_connection_is_told_apart(make: Make, clock: ManualClock) -> None:
    async with Double(clock.wall, "wecom").up() as robot:
        sender = make("wecom", robot.url, timeout="200ms")
        assert (await sender.send(ORDER)).outcome == Outcome(OutcomeKind.NOT_SENT, "noc is not started")
        await sender.start()
        robot.script = [None, (302, {"Location": "http://127.0.0.1/"}, b""), (503, {"Retry-After": "9"}, b"")]
        assert (await sender.send(ORDER)).outcome == Outcome(
            OutcomeKind.UNCERTAIN, "the connection broke: ServerDisconnectedError"
        )
        assert (await sender.send(ORDER)).outcome.kind is OutcomeKind.PAUSED
        assert (await sender.send(ORDER)).outcome == Outcome(OutcomeKind.RETRY_AFTER, "HTTP 503", 9.0)
        robot.script = [said("x" * 200_000)]
        assert (await sender.send(ORDER)).outcome.kind is OutcomeKind.UNCERTAIN
    gone = (await sender.send(ORDER)).outcome
    await sender.stop()
    assert (gone.kind, gone.detail.startswith("no connection: 127.0.0.1:")) == (OutcomeKind.NOT_SENT, True)


@pytest.mark.slow
async def test_an_answer_that_does_not_come_is_uncertain(make: Make, clock: ManualClock) -> None:
    async with Double(clock.wall, "wecom", hold=asyncio.Event()).up() as robot:
        sender = make("wecom", robot.url, timeout="100ms")
        await sender.start()
        assert (await sender.send(ORDER)).outcome == Outcome(OutcomeKind.UNCERTAIN, "no answer within 0.1 s")
        await sender.stop()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://h/p?key=a b", "holds no address; put one line there"),
        ("h/p", "holds no address"),
        ("ftp://h/", "holds no address"),
        ("https://h:x/", "holds no address"),
        ("http://chat.example/robot-secret", "http shows orders to everybody"),
        ("", "is empty"),
    ],
)
async def test_a_wrong_address_is_said_at_the_start_without_it(url: str, message: str, make: Make) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        await make("wecom", url).start()
    assert str(refused.value).startswith("itsm.notify.robot.noc: ")
    assert "robot-secret" not in str(refused.value)


async def test_an_address_that_others_can_read_and_missing_certificates_are_refused(
    make: Make, tmp_path: Path, clock: ManualClock
) -> None:
    settings = RobotSettings(kind="wecom", url_file=secret(tmp_path / "open", "https://h/", 0o644))
    with pytest.raises(ValueError, match="can be read by others"):
        await robot_of("noc", settings, clock).start()
    with pytest.raises(ValueError, match=r"itsm\.notify\.robot\.noc: ca_file .*none\.pem"):
        await make("wecom", "https://h/", ca_file=tmp_path / "none.pem").start()


@pytest.mark.parametrize("kind", KINDS)
async def test_no_secret_is_in_a_log_an_error_or_a_repr(
    kind: str, make: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    key = SECRET if kind in SIGNED else b""
    echo = f"wrong key {KEY} secret {key.decode()}"
    async with Double(clock.wall, kind, key).up() as robot:
        sender = make(kind, robot.url, key)
        await sender.start()
        robot.script = [
            said({"errcode": 93000, "errmsg": echo, "code": 19021, "msg": echo}),
            (200, {}, echo.encode()), (400, {}, echo.encode()), (403, {}, echo.encode()), None,
        ]  # fmt: skip
        for _ in range(5):
            result = await sender.send(ORDER)
            seen.append(repr(result))
    seen.append(repr(await sender.send(ORDER)))
    seen += [repr(sender), repr(sender.__dict__.get("_build"))]
    await sender.stop()
    text = "\n".join([*seen, caplog.text])

    assert robot.port
    assert KEY not in text
    assert SECRET.decode() not in text

"""`btimd run` as systemd runs it: exit statuses, signals, and sentences instead of tracebacks."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.daemon.addresses import read_addresses
from tests.daemon.small import settings_text, taken_tcp_port, taken_udp_port, until, write_small
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Give the logs back: `btimd run` sends them to this test's standard error."""
    logger = logging.getLogger("btimd")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def test_wrong_files_end_with_status_2_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["run", "-c", str(write_small(tmp_path, settings="[daemon]\nlog_level = 7\n"))])
    printed = capsys.readouterr()

    assert (status, printed.out) == (2, "")
    assert printed.err == (
        "btimd.toml:2: daemon.log_level: 7 is not possible; write 'debug', 'info', 'warning' or 'error'\n"
    )
    assert not (tmp_path / "state").exists()


def test_a_state_directory_that_cannot_be_used_ends_with_status_1_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small(tmp_path, settings=settings_text().replace('"state"', '"ipplan.csv"'))
    status = main(["run", "-c", str(tmp_path)])

    printed = capsys.readouterr()

    assert (status, printed.out) == (1, "")
    assert printed.err == (
        f"btimd: the state directory {tmp_path}/ipplan.csv cannot be made: a file of this name, or above it, is in the "
        "way; move it, or set daemon.state_directory\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("what", ["capture", "grpc", "http"])
def test_a_port_in_use_ends_with_status_1_and_a_sentence(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with taken_udp_port() if what == "capture" else taken_tcp_port() as taken:
        port = taken.getsockname()[1]
        settings = settings_text(**{what: f"127.0.0.1:{port}"}).replace('"state"', '"state"\nlog_level = "error"')
        status = main(["run", "-c", str(write_small(tmp_path, settings=settings))])

    assert (status, capsys.readouterr()) == (
        1,
        (
            "",
            {
                "capture": f"btimd: capture.netflow cannot start: cannot receive flow export on 127.0.0.1 port {port}: "
                "[Errno 98] Address already in use; stop what listens there, or choose another port\n",
                "grpc": f"btimd: api cannot start: api.grpc_listen = 127.0.0.1:{port}: cannot listen; is another btimd "
                "running there?\n",
                "http": f"btimd: api cannot start: api.http_listen = 127.0.0.1:{port}: cannot listen: error while "
                f"attempting to bind on address ('127.0.0.1', {port}): address already in use; stop what listens there, or choose another port\n",
            }[what],
        ),
    )


@pytest.mark.slow
def test_a_secret_that_is_missing_ends_with_status_1_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = '[itsm.webhook.desk]\nurl = "https://desk.example.org/hook"\nsecret_file = "/nowhere/desk.secret"\n'
    settings = settings_text().replace('"state"', '"state"\nlog_level = "error"') + hook
    status = main(["run", "-c", str(write_small(tmp_path, settings=settings))])
    printed = capsys.readouterr()

    assert (status, printed.out) == (1, "")
    assert printed.err.startswith("btimd: itsm cannot start: ")
    assert "/nowhere/desk.secret" in printed.err
    assert len(printed.err.splitlines()) == 1


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run btimd as its own process until it listens."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "btimd", "run", "-c", str(folder),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    try:
        await until(lambda: read_addresses(folder / "state") is not None or started.returncode is not None)
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def events(started: asyncio.subprocess.Process) -> list[str]:
    """Return the names of the daemon's own log events, once it has ended."""
    out, errors = await asyncio.wait_for(started.communicate(), PATIENCE_SECONDS)
    assert out == b""
    assert b"Traceback" not in errors
    lines = [line.split() for line in errors.decode().splitlines()]
    return [words[2] for words in lines if words[1] == "btimd.daemon"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_signal_ends_it_cleanly_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    async with process(write_small(tmp_path)) as started:
        started.send_signal(number)
        said = await events(started)

    assert (started.returncode, said) == (0, ["status", "kernels-ready", "ready"])
    assert read_addresses(tmp_path / "state") is None


@pytest.mark.slow
async def test_hangup_reloads_and_a_mistake_is_said_and_survived(tmp_path: Path) -> None:
    async with process(write_small(tmp_path)) as started:
        assert started.stderr is not None
        write_small(tmp_path, plan="prefix,region\nten,north\n")
        started.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"reload-refused" not in (line := await started.stderr.readline()):
                assert line
        write_small(tmp_path)
        started.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"reloaded generation=2 businesses=1" not in (line := await started.stderr.readline()):
                assert line
        started.send_signal(signal.SIGTERM)
        await events(started)

    assert started.returncode == 0

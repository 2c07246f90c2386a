"""`btimd demo` as users run it, and what is left of it when it is broken off."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from btimd.capture.ring import may_capture
from btimd.cli.btimd import main
from btimd.lab.faults import FAULTS
from tests.patience import PATIENCE_SECONDS


def test_the_faults_are_listed_with_both_titles(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["demo", "--list-faults"])
    lines = capsys.readouterr().out.splitlines()

    assert (status, len(lines)) == (0, len(FAULTS))
    assert lines[0] == (
        "db-dead            Database process dead 数据库进程终止 - The office database process is gone; its host is well. "
        "ERP and HR answer 503."
    )


def test_an_unknown_fault_ends_with_status_2_and_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["demo", "--fault", "db-ded"])
    printed = capsys.readouterr()

    assert (status, printed.out) == (2, "")
    assert printed.err.startswith("btimd demo: no fault 'db-ded'; known: db-dead, db-hung, ")


@asynccontextmanager
async def demo(scratch: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the demonstration with its folder below `scratch`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "btimd", "demo", "--json", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def daemons(scratch: Path) -> list[int]:
    """Return the processes that were told of a folder below `scratch`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode()
        except OSError:  # the process has gone meanwhile
            continue
        if str(scratch) in line:
            found.append(int(path.parent.name))
    return found


def left(scratch: Path) -> list[Path]:
    """Return what is left in a folder."""
    return list(scratch.iterdir())


@pytest.mark.slow
async def test_a_dead_database_is_found_and_nothing_is_left_behind(tmp_path: Path) -> None:
    async with demo(tmp_path, "--fault", "db-dead") as process:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    lines = [json.loads(line) for line in out.decode().splitlines()]

    assert (process.returncode, errors) == (0, b"")
    assert {line["event"] for line in lines[:-1]} == {
        "begins", "ready", "traffic", "breaks", "probe", "verdict", "incident", "receipt", "order", "heals", "sla",
        *(("quality", "evidence") if may_capture() else ()),
    }  # fmt: skip
    (order,) = [line for line in lines[:-1] if line["event"] == "order"]
    assert (order["person"], order["group"], order["why"][:7]) == ("li.na", "databases", "Li Na (")
    assert order["told"].startswith("[P1] ")
    assert [line["state"] for line in lines[:-1] if line["event"] == "incident"][-1] == "resolved"
    assert {key: lines[-1][key] for key in ("fault", "cause", "expected", "correct")} == {
        "fault": "db-dead", "cause": "db1", "expected": "db1", "correct": True,
    }  # fmt: skip
    assert list(lines[-1]) == ["fault", "cause", "expected", "correct", "seconds_to_cause", "probes", "confidence"]
    assert (left(tmp_path), daemons(tmp_path)) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "moment", "status"),
    [
        (signal.SIGINT, "begins", 130),
        (signal.SIGINT, "ready", 130),
        (signal.SIGTERM, "ready", 143),
    ],
    ids=["Ctrl-C while btimd starts", "Ctrl-C while it runs", "SIGTERM while it runs"],
)
async def test_broken_off_it_stops_everything_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, moment: str, status: int
) -> None:
    async with demo(tmp_path) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while json.loads(await process.stdout.readline())["event"] != moment:
                pass
        process.send_signal(number)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

    assert (process.returncode, errors.decode()) == (status, "")
    assert (left(tmp_path), daemons(tmp_path)) == ([], [])


@pytest.mark.slow
async def test_a_btimd_that_dies_ends_it_with_a_sentence_and_keeps_the_log(tmp_path: Path) -> None:
    async with demo(tmp_path) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while json.loads(await process.stdout.readline())["event"] != "ready":
                pass
        (daemon,) = daemons(tmp_path)
        os.kill(daemon, signal.SIGKILL)
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    last = json.loads(out.decode().splitlines()[-1])
    folders = left(tmp_path)

    assert (process.returncode, errors) == (1, b"")
    assert (last["fault"], last["correct"], len(folders)) == ("db-dead", False, 1)
    assert last["reason"].startswith("btimd does not answer any more: ")
    assert last["reason"].endswith(f"; configuration and log stay in {folders[0]}")
    assert (folders[0] / "btimd.log").exists()

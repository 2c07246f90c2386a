"""Kernels are compiled ahead, by processes of their own, into numba's cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from btimd.daemon import compile as ahead
from btimd.runtime.log import Log

IS_CACHED = "import btimd.daemon.compile as c; print(c.all_cached())"


def is_cached(cache: Path) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    found = subprocess.run(
        [sys.executable, "-c", IS_CACHED], check=True, capture_output=True, text=True, env=environment
    )
    return found.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(420)  # everything compiles, perhaps while other things do
async def test_what_is_missing_is_compiled_once_and_is_there_for_every_later_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = is_cached(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead, "all_cached", lambda: False)  # this process looks into another cache

    await ahead.compile_missing(Log("test"))

    assert (before, is_cached(tmp_path)) == ("False", "True")


async def test_where_everything_is_cached_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "all_cached", lambda: True)
    monkeypatch.setattr(sys, "executable", "/nowhere")

    await ahead.compile_missing(Log("test"))


@pytest.mark.slow
async def test_a_compiler_that_fails_is_a_warning_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ahead, "all_cached", lambda: False)
    monkeypatch.setattr(ahead, "PARTS", {"no-such-part": lambda: None})

    await ahead.compile_missing(Log("test"))

    [record] = caplog.records
    assert record.getMessage() == (
        "kernels-not-compiled-ahead part=no-such-part reason=\"KeyError: 'no-such-part'\" "
        'then="they compile when they are used"'
    )

"""Kernels are compiled ahead, by processes of their own, into numba's cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from btimd.daemon import compile as ahead
from btimd.runtime.log import Log

IS_CACHED = "import btimd.kernels.noisyor; from btimd.kernels._jit import all_cached; print(all_cached())"

WARMED = """
from btimd.daemon.compile import PARTS
from btimd.kernels._jit import ALL_KERNELS

for warm in PARTS.values():
    warm()
reached = [one for one in ALL_KERNELS if one.signatures]
for one in reached:  # grows: a kernel is compiled together with those that it calls
    scope = one.py_func.__globals__
    called = [scope.get(name) for name in one.py_func.__code__.co_names]
    reached += [inner for inner in called if hasattr(inner, "py_func") and inner not in reached]
print(len(ALL_KERNELS) > 50, *(one.__name__ for one in ALL_KERNELS if one not in reached))
"""


def said(program: str, cache: Path | None = None) -> str:
    """Return what a Python process of its own prints, with the kernels of this run's cache or of another."""
    environment = {**os.environ} if cache is None else {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    return found.stdout.strip()


@pytest.mark.slow
async def test_what_is_missing_is_compiled_once_and_is_there_for_every_later_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = said(IS_CACHED, tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead, "all_cached", lambda: False)  # this process looks into another cache
    monkeypatch.setattr(ahead, "PARTS", {"diagnosis": ahead.PARTS["diagnosis"]})  # all take minutes, each goes alike

    await ahead.compile_missing(Log("test"))

    assert (before, said(IS_CACHED, tmp_path)) == ("False", "True")


@pytest.mark.slow
def test_the_parts_together_leave_no_kernel_to_be_compiled_later() -> None:
    assert said(WARMED) == "True"


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

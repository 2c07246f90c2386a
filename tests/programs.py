"""Programs that tests run: without one a test is skipped, with the reason; in CI it fails, as CI must have it."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def need(program: str, *, at: Path | None = None) -> str:
    """Return the path of a program, looked for in one folder only or on the path."""
    found = shutil.which(program, path=None if at is None else str(at))
    return found or _missing(f"needs {program} (tools/debian-packages.sh installs it)")


def need_as_root(*programs: str) -> None:
    """Let a test go on that needs programs, and the rights to make network namespaces and wires."""
    for program in programs:
        need(program)
    if os.geteuid() != 0:
        _missing("needs root, for network namespaces and wires")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

"""The one decorator: what it promises of every kernel, compiled, with bounds checked, and as plain Python."""

import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

import btimd.kernels
from btimd.kernels._jit import ALL_KERNELS, inlined, kernel, prefetch
from tests.patience import PATIENCE_SECONDS

IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
compiled_only = pytest.mark.skipif(not IS_COMPILED, reason="plain Python in this run (NUMBA_DISABLE_JIT)")


@inlined
def doubled(value: int) -> int:
    return 2 * value


@kernel
def sum_doubled(values: npt.NDArray[np.int64]) -> int:
    total = 0
    for row in range(len(values)):
        total += doubled(values[row])
    return total


@kernel
def ask_for_rows(values: npt.NDArray[np.int64], first: int, last: int) -> int:
    for row in range(first, last):
        prefetch(values, row)
    return last - first


def dispatchers() -> Iterator[tuple[str, Any]]:
    """Yield every compiled function of btimd.kernels by its full name."""
    for found in pkgutil.iter_modules(btimd.kernels.__path__):
        module = import_module(f"btimd.kernels.{found.name}")
        for name, value in vars(module).items():
            if isinstance(value, numba.core.dispatcher.Dispatcher) and value.__module__ == module.__name__:
                yield f"{found.name}.{name}", value


def test_a_kernel_with_its_helper_computes_what_the_python_says() -> None:
    assert sum_doubled(np.arange(1000, dtype=np.int64)) == 999_000
    assert sum_doubled(np.array([1 << 61], np.int64)) == 1 << 62


@compiled_only
def test_every_kernel_of_the_package_is_compiled_frees_the_interpreter_and_is_kept_on_disk() -> None:
    found = dict(dispatchers())
    options = {name: (one.targetoptions["nopython"], one.targetoptions["nogil"]) for name, one in found.items()}

    assert len(found) > 10
    assert {name for name, option in options.items() if option != (True, True)} == set()
    assert {name for name, one in found.items() if not one._cache.cache_path} == set()


@compiled_only
def test_every_kernel_is_on_the_list_once() -> None:
    listed = [f"{one.__module__}.{one.__name__}" for one in ALL_KERNELS]
    known = {f"btimd.kernels.{name}" for name, _ in dispatchers()}

    assert len(set(listed)) == len(listed)
    assert {name for name in listed if name.startswith("btimd.")} <= known
    assert [name for name in listed if name.startswith(__name__)] == [
        f"{__name__}.sum_doubled",
        f"{__name__}.ask_for_rows",
    ]


def test_asking_for_rows_ahead_changes_nothing_and_rows_that_are_none_do_no_harm() -> None:
    values = np.arange(8, dtype=np.int64)

    assert ask_for_rows(values, -1_000_000, 1_000_000) == 2_000_000
    assert ask_for_rows(values[:0], 0, 1) == 1
    assert values.tolist() == list(range(8))


PROGRAM = """
import numpy as np
from btimd.kernels._jit import kernel, prefetch

def beyond(values, row):
    prefetch(values, row)
    values[row] = 7
    return len(values)

made = kernel(beyond)
print(made is beyond)
for row in (3, -1):
    try:
        print(made(np.zeros(6, np.int64)[2:4], row))
    except IndexError:
        print("IndexError")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "False\n2\n2\n"),
        ({"NUMBA_BOUNDSCHECK": "1"}, "False\nIndexError\nIndexError\n"),
        ({"NUMBA_DISABLE_JIT": "1"}, "True\nIndexError\n2\n"),
    ],
    ids=["compiled", "bounds checked", "plain Python"],
)
def test_the_environment_says_how_kernels_run(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    others = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    found = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        env={**others, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )  # fmt: skip

    assert (found.stdout, found.stderr, found.returncode) == (said, "", 0)

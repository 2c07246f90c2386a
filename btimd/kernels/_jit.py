"""The only import of numba: the decorator every kernel carries."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

ALL_KERNELS: list[Any] = []
"""Every compiled kernel, for start-up and tests."""


def kernel(function: Kernel) -> Kernel:
    """Compile a function over arrays: nopython, GIL released, cached on disk, fixed bounds behaviour.

    NUMBA_DISABLE_JIT=1 leaves it plain Python, NUMBA_BOUNDSCHECK=1 checks every index (use another cache directory).
    """
    compiled = numba.njit(nogil=True, cache=True, boundscheck=os.environ.get("NUMBA_BOUNDSCHECK") == "1")(function)
    ALL_KERNELS.append(compiled)
    return cast("Kernel", compiled)


def inlined(function: Kernel) -> Kernel:
    """Compile a helper that kernels of the same file call. LLVM inlines it; it is not called from outside."""
    return cast("Kernel", numba.njit(nogil=True, cache=True, inline="never")(function))

"""The only import of numba: the decorator every kernel carries, and the instructions Python has no words for."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.extending import intrinsic
from numba.np import arrayobj

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def _cache_folder() -> str:
    """Return a folder for compiled code that no other version of any kernel shares.

    Numba looks at the file of a kernel only, not at the files of helpers and constants that it was compiled with.
    """
    package = Path(__file__).parent
    stamp = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        stamp.update(source.read_bytes())
    return str(Path(os.environ.get("NUMBA_CACHE_DIR") or package / "__pycache__") / stamp.hexdigest()[:16])


setattr(numba.config, "CACHE_DIR", _cache_folder())  # noqa: B010  numba makes its settings at run time


def _index_as_it_is(context: Any, builder: Any, kind: Any, index: Any, _size: Any) -> Any:
    """Return an index for the address: an index below 0 counts nothing from the end."""
    return context.cast(builder, index, kind, numba.types.intp if kind.signed else numba.types.uintp)


# Python counts an index below 0 from the end, which compiled code pays for at every access: a sixth of the time of a
# kernel. No kernel uses it, and with NUMBA_BOUNDSCHECK=1 such an index is an error.
if hasattr(arrayobj, "fix_integer_index"):
    setattr(arrayobj, "fix_integer_index", _index_as_it_is)  # noqa: B010  numba has no setting for it

_compile: Any = numba.njit  # its signature leaves out _nrt

ALL_KERNELS: list[Any] = []
"""Every compiled kernel, for start-up and tests."""


def kernel(function: Kernel) -> Kernel:
    """Compile a function over arrays: nopython, GIL released, cached on disk, fixed bounds behaviour.

    Kernels make no arrays, so none are reference-counted either (_nrt): atomic counts around every call and row cost
    more than half of a loop over short runs. NUMBA_DISABLE_JIT=1 leaves it plain Python, NUMBA_BOUNDSCHECK=1 checks
    every index (use another cache directory).
    """
    check = os.environ.get("NUMBA_BOUNDSCHECK") == "1"
    compiled = _compile(nogil=True, cache=True, boundscheck=check, _nrt=False)(function)
    ALL_KERNELS.append(compiled)
    return cast("Kernel", compiled)


def all_cached() -> bool:
    """Tell whether every kernel defined so far has been compiled before, from the source it has now.

    Asks numba's cache by its internals; where those have changed the answer is yes, and kernels compile when used.
    """
    for compiled in ALL_KERNELS:
        cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
        load_index = getattr(cache_file, "_load_index", None)
        if load_index is not None and not load_index():
            return False
    return True


def inlined(function: Kernel) -> Kernel:
    """Compile a helper that kernels of the same file call. LLVM inlines it, always; it is not called from outside."""
    return cast("Kernel", _compile(nogil=True, cache=True, forceinline=True, _nrt=False)(function))


def _no_prefetch(array: Any, row: Any) -> None:
    """Do nothing: plain Python has no caches to fill."""


def _prefetch_typed(_context: Any, array: Any, row: Any) -> Any:  # noqa: ARG001  numba gives arguments by name
    """Return signature and code of `prefetch`: an address and one instruction, without a bounds check."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        structure = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = builder.extract_value(structure.strides, 0)
        octet = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        address = builder.gep(builder.bitcast(structure.data, octet), [builder.mul(arguments[1], step)])
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [octet], ir.FunctionType(ir.VoidType(), [octet, number, number, number])
        )
        builder.call(function, [address, number(1), number(3), number(1)])  # for writing, keep near, data
        return context.get_dummy_value()

    return numba.types.void(array, numba.types.int64), generate


prefetch: Any = _no_prefetch if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else intrinsic(_prefetch_typed)
"""prefetch(array, row): ask for the cache line in which a row of an array begins; one that is no row does no harm."""


def _no_load(slab: Any, at: Any) -> Any:
    """Stand where there is no compiled code to call it."""
    raise NotImplementedError


def _load_of(octets: int) -> Any:
    """Return the intrinsic that reads `octets` octets, most significant first: one load wherever they stand."""

    def typed(_context: Any, slab: Any, at: Any) -> Any:  # noqa: ARG001  numba gives arguments by name
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            structure = context.make_array(signature.args[0])(context, builder, arguments[0])
            number = ir.IntType(8 * octets)
            first = builder.gep(builder.bitcast(structure.data, ir.IntType(8).as_pointer()), [arguments[1]])
            value = builder.load(builder.bitcast(first, number.as_pointer()), align=1)
            return builder.zext(builder.bswap(value), ir.IntType(64)) if octets < 8 else builder.bswap(value)

        return numba.types.int64(slab, numba.types.int64), generate

    return _no_load if LOADS_ARE_CHECKED else intrinsic(typed)


LOADS_ARE_CHECKED: bool = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or os.environ.get("NUMBA_BOUNDSCHECK") == "1"
"""Whether kernels/octets.py reads octet by octet, each index checked, instead of by load2, load4, load8."""
load2: Any = _load_of(2)
load4: Any = _load_of(4)
load8: Any = _load_of(8)
"""load8(slab, at): 8 octets of a uint8 array, big-endian, int64, without a bounds check; load2 and load4 likewise."""

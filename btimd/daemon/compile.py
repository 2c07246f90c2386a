"""Compiles kernels before the daemon uses them, in processes of their own.

A compiler that has run keeps a hundred megabytes for good, and holds the interpreter's lock while it runs. Processes of
their own give the memory back, leave the loop alone, and compile the packages' kernels at the same time. What they
compile lies in numba's cache on disk, from which the daemon loads it.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from btimd.capture.component import warm as warm_receiving
from btimd.capture.wire.decoder import FlowDecoder
from btimd.flows.component import warm as warm_flows
from btimd.kernels._jit import all_cached
from btimd.runtime.log import Log


def _warm_capture() -> None:
    warm_receiving()
    FlowDecoder().warm()


PARTS: Final[Mapping[str, Callable[[], None]]] = {"capture": _warm_capture, "flows": warm_flows}
_LIMIT_SECONDS: Final = 120.0


async def compile_missing(log: Log) -> None:
    """Compile what is not in the cache; returns at once where everything is. A failure costs speed only."""
    if await asyncio.to_thread(all_cached):
        return
    await asyncio.gather(*(_compile(part, log) for part in PARTS))


async def _compile(part: str, log: Log) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "btimd.daemon.compile",
        part,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        errors = f"took longer than {_LIMIT_SECONDS:g} s".encode()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("kernels-not-compiled-ahead", part=part, reason=reason, then="they compile when they are used")


if __name__ == "__main__":
    PARTS[sys.argv[1]]()

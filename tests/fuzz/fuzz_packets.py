"""The fuzz target: captured packets, through everything on their way to windows and quality (packet_invariants.py).

With atheris installed this file runs on its own (`python -m tests.fuzz.fuzz_packets corpus_packets/`, libFuzzer's
options); `python -m tests.fuzz --packets` runs it with or without atheris.
"""

import importlib
import os
import sys
from collections.abc import Callable


def target() -> Callable[[bytes], None]:
    """Return the function that checks one input. What is checked is imported here, so that it can be instrumented."""
    from tests.fuzz.packet_invariants import PacketChecks

    return PacketChecks().check


def run_atheris(arguments: list[str]) -> None:
    """Fuzz with coverage guidance until libFuzzer's options say stop; never returns. Needs NUMBA_DISABLE_JIT=1."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["btimd.capture", "btimd.flows", "btimd.kernels"]):
        check = target()
    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        sys.exit("set NUMBA_DISABLE_JIT=1: coverage guidance sees plain Python only")
    run_atheris(sys.argv[1:])

"""How long tests wait for what must come: far longer than it takes, as a slow or busy machine is no defect.

A wait ends at once when its condition holds, so patience costs nothing where all is well. A test that expects silence
has a short time of its own.
"""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 180.0


def wait_until(holds: Callable[[], object], what: str = "it") -> None:
    """Return when a condition holds; fail when it does not come to hold. For what threads and processes do."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"{what} did not come about within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.005)

"""Waiting for what threads and servers do, with a deadline."""

import time
from collections.abc import Callable

DEADLINE_SECONDS = 20.0


def eventually(holds: Callable[[], object], what: str = "it") -> None:
    """Return when `holds` is true; fail when it is not within the deadline."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {DEADLINE_SECONDS} s")
        time.sleep(0.005)

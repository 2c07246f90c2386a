"""How the areas of btimctl add their commands: one module each, so that no file holds them all."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from btimd.api.client import Client
from btimd.cli.ctl_output import Output
from btimd.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Asking:
    """What a command works with: the connection, where its answer goes, and the time."""

    client: Client
    out: Output
    clock: Clock


Run = Callable[[Asking, argparse.Namespace], int]
"""A command: does it, returns the exit status."""


class Add(Protocol):
    """Adds a command; the parser that is returned takes its arguments."""

    def __call__(self, name: str, run: Run, text: str) -> argparse.ArgumentParser:
        """Add a command of this name; `text` says in a few words what it shows."""
        ...

"""Where the answers of btimctl go: tables for people, lines of JSON for programs."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Console, RenderableType

from btimd.api.client import Page, Update
from btimd.cli.ctl_text import json_line

_PLAIN_WIDTH: Final = 120


class Output:
    """Where answers go: tables for people, or one JSON object per line for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        # a file or a pipe has no width; the one chosen there holds every table
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PLAIN_WIDTH
        self._console = Console(width=width, highlight=False, soft_wrap=False, emoji=False)

    def write(self, things: Iterable[Any], picture: Callable[[], RenderableType]) -> None:
        """Write things: each as a line of JSON, or all as one picture."""
        if not self._as_json:
            self._console.print(picture())
            return
        for thing in things:
            sys.stdout.write(json_line(thing) + "\n")
        sys.stdout.flush()

    def page(self, page: Page[Any], table: Callable[[Sequence[Any]], RenderableType], nothing: str) -> None:
        """Write a page of things, and say where there is nothing or more."""
        if self._as_json or page.items:
            self.write(page.items, lambda: table(page.items))
        else:
            self._console.print(nothing, markup=False)
        if page.more:
            sys.stderr.write("btimctl: there is more; ask for it with --limit\n")

    def note(self, text: str) -> None:
        """Tell people something beside the answer."""
        sys.stderr.write(f"btimctl: {text}\n")

    def follow(self, updates: Iterator[Update[Any]], table: Callable[[Sequence[Any]], RenderableType]) -> None:
        """Write the present state, then the changes as they come."""
        for update in updates:
            if update.items:
                self.write(update.items, lambda items=update.items: table(items))  # type: ignore[misc]  # bound now, not later

"""Where in a TOML file each value was written.

tomllib gives values without lines. This walks text that tomllib has accepted, so it never has to judge syntax; it
only follows tables, keys, arrays, inline tables and strings far enough to know the line of each.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

KeyPath = tuple[str | int, ...]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPACE: Final = re.compile(r"[ \t]*")
_SCALAR: Final = re.compile(r"[^,\]\}\n#]+")


class Positions:
    """Line numbers by key path. `keys_at` tells the keys a table may have, for "did you mean"."""

    def __init__(self, lines: dict[KeyPath, int], keys_at: Callable[[KeyPath], Iterable[str]] | None = None) -> None:
        self._lines = lines
        self._keys_at = keys_at

    def line(self, path: KeyPath) -> int:
        """Return the line of a path, or of the nearest thing above it; 1 when nothing is known."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 1

    def known_keys(self, table: KeyPath) -> Iterable[str]:
        """Return the keys that a table may have."""
        return self._keys_at(table) if self._keys_at else ()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}
        self._line_at = 0
        self._line = 1

    def line(self) -> int:
        self._line += self.text.count("\n", self._line_at, self.at)
        self._line_at = self.at
        return self._line

    def note(self, path: KeyPath) -> None:
        for length in range(1, len(path)):
            self.lines.setdefault(path[:length], self.line())
        self.lines.setdefault(path, self.line())

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def skip_blank(self) -> None:
        while self.at < len(self.text):
            self.skip_space()
            if self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.peek() in ("\n", "\r"):
                self.at += 1
            else:
                return

    def key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self.skip_space()
            if self.peek() in ('"', "'"):
                parts.append(self.string())
            else:
                match = _BARE_KEY.match(self.text, self.at)
                if match is None:
                    return tuple(parts)
                parts.append(match.group())
                self.at = match.end()
            self.skip_space()
            if self.peek() != ".":
                return tuple(parts)
            self.at += 1

    def string(self) -> str:
        quote = self.peek()
        if self.text.startswith(quote * 3, self.at):
            end = self.text.find(quote * 3, self.at + 3)
            while quote == '"' and end > 0 and self.text[end - 1] == "\\":
                end = self.text.find(quote * 3, end + 1)
            end += 3
            while end < len(self.text) and self.text[end] == quote:
                end += 1
            content, self.at = self.text[self.at + 3 : end - 3], end
            return content
        end = self.at + 1
        while self.text[end] != quote:
            end += 2 if quote == '"' and self.text[end] == "\\" else 1
        content, self.at = self.text[self.at + 1 : end], end + 1
        return content

    def value(self, path: KeyPath) -> None:
        self.note(path)
        match self.peek():
            case '"' | "'":
                self.string()
            case "[":
                self.at += 1
                index = 0
                while True:
                    self.skip_blank()
                    if self.peek() == "]":
                        break
                    self.value((*path, index))
                    index += 1
                    self.skip_blank()
                    if self.peek() == ",":
                        self.at += 1
                self.at += 1
            case "{":
                self.at += 1
                while True:
                    self.skip_blank()
                    if self.peek() == "}":
                        break
                    inner = (*path, *self.key())
                    self.at += 1  # the equals sign
                    self.skip_space()
                    self.value(inner)
                    self.skip_blank()
                    if self.peek() == ",":
                        self.at += 1
                self.at += 1
            case _:
                match = _SCALAR.match(self.text, self.at)
                self.at = match.end() if match else self.at + 1

    def table(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        path = self.key()
        self.at += 2 if array else 1
        if array:
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            path = (*path, index)
        self.note(path)
        return path

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self.skip_blank()
            if self.at >= len(self.text):
                return self.lines
            if self.peek() == "[":
                table = self.table()
                continue
            path = (*table, *self.key())
            self.skip_space()
            self.at += 1  # the equals sign
            self.skip_space()
            self.value(path)


def toml_lines(text: str) -> dict[KeyPath, int]:
    """Return the line of every table, key and array element of valid TOML, by key path."""
    return _Scanner(text.replace("\r\n", "\n")).run()

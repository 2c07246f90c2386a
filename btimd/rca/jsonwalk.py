"""Walks through a JSON text element by element, so that a large file costs one element at a time.

The elements are made by the compiled scanner of the json module; where each begins is known, so that what is wrong
with one can be told with its line.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from operator import itemgetter
from typing import Any, Final, NamedTuple, NoReturn, cast

MOST_PROBLEMS: Final = 50
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NEXT: Final = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*")
_COLON: Final = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_SHOWN: Final = 60


class FileProblem(NamedTuple):
    """What is wrong where. line: from 1. path: such as nodes[17].kind, empty for the file as a whole."""

    line: int
    path: str
    text: str


class FileProblemsError(ValueError):
    """A file cannot be used. problems: the first of them, in the order of the file. more: how many are not listed."""

    def __init__(self, problems: list[FileProblem], more: int = 0) -> None:
        super().__init__("; ".join(f"line {one.line}: {one.path}: {one.text}" for one in problems))
        self.problems = problems
        self.more = more


def shown(value: object) -> str:
    """Return what was found, short enough for a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class JsonWalk:
    """A JSON text with what was found wrong in it so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scan: Callable[[str, int], tuple[Any, int]] = cast("Any", JSONDecoder()).scan_once
        self._problems: list[tuple[int, FileProblem]] = []
        self._ends: dict[int, int] = {}

    def wrong(self, offset: int, path: str, text: str) -> None:
        """Take down a problem; raises when there are so many that more do not help."""
        self._problems.append((offset, FileProblem(self._text.count("\n", 0, offset) + 1, path, text)))
        if len(self._problems) >= MOST_PROBLEMS:
            self.finish(more=1)

    def finish(self, *, more: int = 0) -> None:
        """Raise FileProblemsError if something was wrong."""
        if self._problems:
            raise FileProblemsError(self._sorted(), more)

    def broken(self, offset: int, path: str, text: str) -> NoReturn:
        """Give up: what follows cannot be read."""
        line = self._text.count("\n", 0, offset) + 1
        raise FileProblemsError([*self._sorted(), FileProblem(line, path, text)])

    def _sorted(self) -> list[FileProblem]:
        """Return what was taken down, in the order of the file."""
        return [problem for _, problem in sorted(self._problems, key=itemgetter(0))]

    def begin(self) -> int:
        """Return where the value of the text begins."""
        return self._skip(0)

    def _skip(self, offset: int) -> int:
        found = _SPACE.match(self._text, offset)
        return offset if found is None else found.end()

    def _value(self, offset: int, path: str) -> tuple[Any, int]:
        try:
            return self._scan(self._text, offset)
        except StopIteration as stop:
            place = int(stop.value)
            self.broken(place, path, f"a value is missing, found {shown(self._text[place : place + 20])}")
        except JSONDecodeError as error:
            self.broken(error.pos, path, f"not JSON: {error.msg}")
        except RecursionError:
            self.broken(offset, path, "nested too deeply")

    def _after(self, offset: int, path: str, closing: str) -> tuple[bool, int]:
        """Return whether the list or object ends here, and where it goes on."""
        found = _NEXT.match(self._text, offset)
        if found is None or found[1] not in ("," + closing):
            place = self._skip(offset)
            rest = self._text[place : place + 20]
            there = shown(rest) if rest else "the end of the file"
            self.broken(place, path, f"expected ',' or '{closing}', found {there}")
        return found[1] == closing, found.end()

    def members(self, offset: int) -> Iterator[tuple[str, int]]:
        """Yield key and place of the value of every member of the object that begins here and ends the text.

        A list whose elements the caller has taken is not read again.
        """
        text, done = self._text, False
        offset = self._skip(offset + 1)
        if text[offset : offset + 1] == "}":
            done, offset = True, self._skip(offset + 1)
        while not done:
            key, end = self._value(offset, "")
            colon = _COLON.match(text, end)
            if not isinstance(key, str) or colon is None:
                self.broken(offset, "", f"expected a key and ':', found {shown(text[offset : offset + 20])}")
            yield key, colon.end()
            done, offset = self._after(self._end(colon.end(), key), "", "}")
        self._at_end(offset)

    def _end(self, offset: int, path: str) -> int:
        """Return where a value ends."""
        if self._text[offset : offset + 1] != "[":
            return self._value(offset, path)[1]
        if offset not in self._ends:
            deque(self.elements(offset, path), maxlen=0)
        return self._ends[offset]

    def whole_list(self) -> Iterator[tuple[int, Any]]:
        """Yield place and value of every element of the list that the text is."""
        begun = self.begin()
        yield from self.elements(begun, "")
        if begun in self._ends:
            self._at_end(self._ends[begun])

    def _at_end(self, offset: int) -> None:
        if offset < len(self._text):
            self.broken(offset, "", f"something follows the end: {shown(self._text[offset : offset + 20])}")

    def elements(self, offset: int, path: str) -> Iterator[tuple[int, Any]]:
        """Yield place and value of every element of the list that begins here."""
        text, scan, after = self._text, self._scan, _NEXT.match
        begun = offset
        if text[offset : offset + 1] != "[":
            value, _ = self._value(offset, path)
            self.wrong(offset, path, f"must be a list, not {shown(value)}")
            return
        offset = self._skip(offset + 1)
        if text[offset : offset + 1] == "]":
            self._ends[begun] = self._skip(offset + 1)
            return
        number, done = 0, False
        while not done:
            try:
                value, end = scan(text, offset)
            except (StopIteration, ValueError, RecursionError):
                value, end = self._value(offset, f"{path}[{number}]")
            yield offset, value
            found = after(text, end)
            if found is None or found[1] == "}":
                self._after(end, path, "]")
            else:
                done, offset = found[1] == "]", found.end()
            number += 1
        self._ends[begun] = offset

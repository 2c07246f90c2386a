"""Metrics as exporters write them: Prometheus text format 0.0.4 and OpenMetrics 1.0, line by line.

    # TYPE node_load1 gauge
    node_filesystem_avail_bytes{device="/dev/sda1",mountpoint="/"} 1.2e+10 [timestamp] [# {trace_id="x"} 1 exemplar]

Bounded: lines of 64 Ki characters, 100 labels of a series, 10,000 series of a name. A line that makes no sense costs
itself and is counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

MAX_LINE: Final = 64 * 1024
MAX_LABELS: Final = 100
MAX_SERIES: Final = 10_000
_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(rf"\s*([a-zA-Z_][a-zA-Z0-9_.]*|{_QUOTED})\s*(=~|!~|!=|=)\s*{_QUOTED}\s*(,|(?=\}}))")
_QUOTED_NAME: Final = re.compile(rf"\s*{_QUOTED}\s*(,|(?=\}}))")
_VALUE: Final = re.compile(r"[ \t]*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?[iI]nf(?:inity)?|[nN]a[nN])")
_REST: Final = re.compile(r"[ \t]*(?:[ \t][-+]?[\d.]+(?:[eE][-+]?\d+)?)?[ \t]*(?:#.*)?")
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series. labels: in the order of their names."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label must be: pattern is the whole value, or with `like` a regular expression of it; negated: must not.

    A label that is not there is empty, as PromQL has it.
    """

    label: str
    pattern: str
    like: bool = False
    negated: bool = False

    def takes(self, value: str) -> bool:
        """Tell whether a label's value is a wanted one."""
        same = re.fullmatch(self.pattern, value) is not None if self.like else value == self.pattern
        return same is not self.negated


@dataclass(frozen=True, slots=True)
class Selector:
    """Which series are meant."""

    text: str
    name: str
    matchers: tuple[Matcher, ...] = ()

    def takes(self, sample: Sample) -> bool:
        """Tell whether a sample is of a meant series."""
        if sample.name != self.name:
            return False
        labels = dict(sample.labels)
        return all(matcher.takes(labels.get(matcher.label, "")) for matcher in self.matchers)


def selector_of(text: str) -> Selector:
    """Return the selector that a text such as 'up{job="node",mode!~"idle|iowait"}' is; raises ValueError in words."""
    written = text.strip()
    head = f'series {text!r} is none; write "node_load1" or "node_filesystem_avail_bytes{{mountpoint=\'/\'}}"'
    found = _NAME.match(written)
    if found is None:
        raise ValueError(head)
    rest = written[found.end() :].strip()
    if not rest:
        return Selector(written, found[0])
    # Apostrophes save the operator from escaping quotes within TOML's own.
    rest = re.sub(r"'((?:[^'\\]|\\.)*)'", lambda match: f'"{match[1]}"', rest) if '"' not in rest else rest
    if not rest.startswith("{"):
        raise ValueError(head)
    try:
        pairs, end = _labels(rest, 1, operators=True)
        matchers = tuple(Matcher(label, value, "~" in sign, sign.startswith("!")) for label, sign, value in pairs)
        for matcher in matchers:
            if matcher.like:
                re.compile(matcher.pattern)
    except (AnswerError, re.error) as error:
        raise ValueError(f"{head}: {error}") from error
    if rest[end:].strip():
        raise ValueError(head)
    return Selector(written, found[0], matchers)


def decode_line(line: str) -> Sample | None:
    """Return the sample of a line, None for comments and empty lines; raises AnswerError."""
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return None
    if len(line) > MAX_LINE:
        raise AnswerError(f"a line over {MAX_LINE} characters")
    found = _NAME.match(stripped)
    name, at = (found[0], found.end()) if found is not None else ("", 0)
    labels: list[tuple[str, str]] = []
    opening = _skip_blanks(stripped, at)
    if stripped[opening : opening + 1] == "{":
        at = opening + 1
        if not name:  # {"a name of any signs", label="..."}: Prometheus 3
            quoted = _QUOTED_NAME.match(stripped, at)
            if quoted is None:
                raise AnswerError(f"a line without a name: {stripped[:60]!r}")
            name, at = _plain(quoted[1]), quoted.end()
        pairs, at = _labels(stripped, at)
        labels = [(label, value) for label, _, value in pairs]
    if not name:
        raise AnswerError(f"a line without a name: {stripped[:60]!r}")
    value = _VALUE.match(stripped, at)
    if value is None or value.start(1) == at or _REST.fullmatch(stripped, value.end()) is None:
        raise AnswerError(f"a line without a value: {stripped[:60]!r}")
    return Sample(name, tuple(sorted(labels)), float(value[1]))


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _labels(text: str, at: int, *, operators: bool = False) -> tuple[list[tuple[str, str, str]], int]:
    """Return (label, sign, value) of all labels from `at`, and where the brace behind them ends; raises AnswerError."""
    found: list[tuple[str, str, str]] = []
    while True:
        at = _skip_blanks(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        match = _LABEL.match(text, at)
        if match is None or (match[3] != "=" and not operators):
            raise AnswerError(f"labels that cannot be read: {text[at : at + 40]!r}")
        if len(found) >= MAX_LABELS:
            raise AnswerError(f"a series with more than {MAX_LABELS} labels")
        label = match[1] if match[2] is None else _plain(match[2])
        found.append((label, match[3], _plain(match[4], keep_unknown=operators)))
        at = match.end()


def _plain(text: str, *, keep_unknown: bool = False) -> str:
    if "\\" not in text:
        return text
    known = {"n": "\n", "\\": "\\", '"': '"'}
    return _ESCAPE.sub(lambda match: known.get(match[1], match[0] if keep_unknown else match[1]), text)


@dataclass(frozen=True, slots=True)
class Found:
    """The samples of a selector. lines: of that name. broken: those that could not be read, with why for the first."""

    samples: tuple[Sample, ...]
    lines: int = 0
    broken: int = 0
    broken_line: str = ""


def find(text: str, selector: Selector) -> Found:
    """Return the samples that a selector means; lines of other names are not looked at."""
    samples: list[Sample] = []
    lines = broken = 0
    why = ""
    for line in _lines_of(text, selector.name):
        lines += 1
        if lines > MAX_SERIES:
            broken, why = broken + 1, why or f"more than {MAX_SERIES} series"
            break
        try:
            sample = decode_line(line)
        except AnswerError as error:
            broken, why = broken + 1, why or str(error)
            continue
        if sample is not None and selector.takes(sample):
            samples.append(sample)
    return Found(tuple(samples), lines, broken, why)


def _lines_of(text: str, name: str) -> Iterator[str]:
    """Yield the lines that begin with a name; the rest is passed over without taking it apart."""
    at = text.find(name)
    while at >= 0:
        begin = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        is_begin = not text[begin:at].strip()
        is_whole = text[at + len(name) : at + len(name) + 1] in {"{", " ", "\t"}
        if is_begin and is_whole:
            yield text[begin:end]
            at = text.find(name, end)
        else:
            at = text.find(name, at + len(name))


def looks_like_metrics(text: str) -> bool:
    """Tell whether one of the first lines of a body is a sample."""
    for number, line in enumerate(text[:MAX_LINE].split("\n")):
        if number >= 1000:
            break
        try:
            if decode_line(line) is not None:
                return True
        except AnswerError:
            continue
    return False

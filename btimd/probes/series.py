"""What a check asks of the metrics of an exporter, and what the answer means."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import MonotonicSeconds
from btimd.probes.limits import Limits, cannot_say, found, verdict
from btimd.probes.wire.dialogue import Outcome, printable
from btimd.probes.wire.openmetrics import Sample, Selector, find, looks_like_metrics

_LABELS_TOLD: Final = 3
Values: TypeAlias = Mapping[tuple[tuple[str, str], ...], float]


class Aggregate(StrEnum):
    """What becomes of several series. EACH: every one is held against the limits. RATE: the sum of growths a second."""

    EACH = "each"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"
    COUNT = "count"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Question:
    """Which series, of what they are a part (`per`), how they are put together, and which values are bad.

    absent: what it means where there is no such series.
    """

    series: Selector
    limits: Limits
    aggregate: Aggregate = Aggregate.EACH
    per: Selector | None = None
    absent: Health = Health.UNKNOWN


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page said of a question, and when."""

    at: MonotonicSeconds
    values: Values
    per: Values | None = None
    broken: str = ""


def read(question: Question, text: str, at: MonotonicSeconds) -> Reading:
    """Return what a page says of a question."""
    series = find(text, question.series)
    per = None if question.per is None else find(text, question.per)
    broken = series.broken_line or ("" if per is None else per.broken_line)
    if not series.lines and not looks_like_metrics(text):
        broken = "there are no metrics on the page"
    return Reading(at, _by_labels(series.samples), None if per is None else _by_labels(per.samples), broken)


def _by_labels(samples: tuple[Sample, ...]) -> Values:
    return MappingProxyType({sample.labels: sample.value for sample in samples if not math.isnan(sample.value)})


def judge(question: Question, reading: Reading, before: Reading | None, *, about: str) -> Outcome:
    """Return what a reading means. before: an earlier one, for rates."""
    name = question.series.text
    if reading.broken and not reading.values:
        return cannot_say(f"{about}: {reading.broken}")
    if not reading.values and question.aggregate is not Aggregate.COUNT:
        text = printable(f"{about} tells no {name}")
        if question.absent is Health.UNKNOWN:
            return cannot_say(text)
        error = ErrorClass.WRONG_ANSWER if question.absent is Health.BAD else ErrorClass.NONE
        return Outcome(question.absent, error, text)
    if question.aggregate is Aggregate.RATE and (before is None or reading.at <= before.at):
        return cannot_say(f"{about}: {name} was read once only; a rate needs two readings")
    figures = _figures(question, reading, before)
    if not figures:
        return cannot_say(f"{about}: {name} has no {question.per.text if question.per else 'value'} to be divided by")
    findings = [found(question.limits, value, f"{what} is {value:.6g}") for what, value in figures.items()]
    worst = max(zip(findings, figures.values(), strict=True), key=lambda pair: pair[0].rank)
    return verdict(findings, {"value": worst[1], "series": float(len(reading.values))}, about=about)


def _figures(question: Question, reading: Reading, before: Reading | None) -> dict[str, float]:
    """Return the figures to hold against the limits, by what they are called."""
    aggregate, name = question.aggregate, question.series.text
    per = "" if question.per is None else f" per {question.per.text}"
    if aggregate is Aggregate.EACH:
        return {
            f"{_named(question.series.name, labels)}{per}": value
            for labels, value in _each(reading.values, reading.per).items()
        }
    value = _one(aggregate, reading, before)
    if reading.per is not None:
        whole = math.fsum(reading.per.values())
        if not whole:
            return {}
        value /= whole
    return {f"{aggregate} of {name}{per}": value}


def _each(values: Values, per: Values | None) -> Values:
    if per is None:
        return values
    alone = next(iter(per.values())) if len(per) == 1 else None
    return {labels: value / whole for labels, value in values.items() if (whole := per.get(labels, alone))}


def _one(aggregate: Aggregate, reading: Reading, before: Reading | None) -> float:
    values = tuple(reading.values.values())
    match aggregate:
        case Aggregate.COUNT:
            return float(len(values))
        case Aggregate.SUM:
            return math.fsum(values)
        case Aggregate.MAX:
            return max(values)
        case Aggregate.MIN:
            return min(values)
        case Aggregate.AVG:
            return math.fsum(values) / len(values)
        case _:
            return _rate(reading, before)


def _rate(reading: Reading, before: Reading | None) -> float:
    """Return the growth a second of all series that both readings have; one that fell began anew from 0."""
    if before is None:
        return 0.0
    grown = (
        value - before.values[labels] if value >= before.values[labels] else value
        for labels, value in reading.values.items()
        if labels in before.values
    )
    return math.fsum(grown) / (reading.at - before.at)


def _named(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return name
    told = ",".join(f"{label}={value[:40]}" for label, value in labels[:_LABELS_TOLD])
    return f"{name}{{{told}{',...' if len(labels) > _LABELS_TOLD else ''}}}"

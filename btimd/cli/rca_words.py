"""What the subcommands of btimd rca share: arguments, and the figures of many runs in words."""

import argparse
from typing import Any, Final


def count(text: str) -> int:
    """Return a number of things from an argument."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


_WORDS: Final = (
    ("incidents", "incidents", ""),
    ("mean_probes", "probes, mean", ""),
    ("p50_probes", "probes, median", ""),
    ("p95_probes", "probes, 95th percentile", ""),
    ("mean_rounds", "rounds, mean", ""),
    ("top1", "a cause ranked first", "%"),
    ("top3", "a cause among the first three", "%"),
    ("recall_k", "k causes found among the first k", "%"),
    ("recall_k2", "among the first k + 2", "%"),
    ("exact", "set found is the truth", "%"),
    ("sound", "set found holds causes only", "%"),
    ("confident", "confident", "%"),
    ("confident_sound", "of these: set holds causes only", "%"),
    ("confident_exact", "of these: set is the truth", "%"),
    ("outside_model", "incidents with a cause outside the model", ""),
    ("near3", "a neighbour of it among the first three", "%"),
    ("confident_outside", "confident in spite of it", "%"),
    ("p50_step_ms", "computing per round, median", " ms"),
    ("p95_step_ms", "computing per round, 95th percentile", " ms"),
    ("model_seconds", "building the model", " s"),
    ("rss_mb", "memory at most", " MB"),
)


def print_summary(found: dict[str, Any]) -> None:
    """Print the figures that there are."""
    print()
    for key, words, unit in _WORDS:
        value = found.get(key)
        if value is not None:
            print(f"{words:<42}{f'{value:.1%}' if unit == '%' else f'{value:g}{unit}'}")

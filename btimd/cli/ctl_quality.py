"""Pictures of connection quality: who fails to connect, what is sent again, which leg is slow."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import groupby
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, percent, quantity, span
from btimd.flows.legs import slow_leg
from btimd.model.quality import COUNTERS, Durations, QualityRow

_MILLIS: Final = 1000
_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
_MUCH_IS_RESENT: Final = 0.02
_UNKNOWN: Final = "-"
_SHORT_LEGS: Final = {"client network": "client net", "server network": "server net", "server": "server"}
_DNS: Final = tuple(name for name in COUNTERS if name.startswith("dns_"))
_TCP: Final = tuple(name for name in COUNTERS if name not in {*_DNS, "packets_repeated_by_mirror"})
_LEGEND: Final = (
    "client net, server net, response: median/95 %; failed: refused/unanswered/reset; resent %: to the server/to the"
    " client; full: how often the server/the client could take no more; slow: the leg with most of a median turn"
)


def figures(found: Durations) -> str:
    """Return the median and what 95 % do not exceed, in the unit of the latter: "3.1/12 ms"; "-" for nothing."""
    if found.p50_seconds is None or found.p95_seconds is None:
        return _UNKNOWN
    unit, name = next((one for one in _UNITS if found.p95_seconds >= one[0]), _UNITS[-1])
    return f"{_short(found.p50_seconds / unit)}/{_short(found.p95_seconds / unit)} {name}"


def _short(value: float) -> str:
    """Return a number with two digits, or whole: "0.05", "0.24", "3.1", "120"."""
    return f"{value:.2g}" if value < 9.95 else f"{value:.0f}"  # noqa: PLR2004  two digits


def slow(row: QualityRow) -> str:
    """Return which leg is slow, as "server 92 %"; "-" where none is or nobody knows."""
    leg = slow_leg(row)
    return _UNKNOWN if leg is None else f"{_SHORT_LEGS[leg.name]} {percent(leg.share, 0)}"


def _failed(row: QualityRow) -> Text:
    """Return connections refused, unanswered and reset; "-" where there were none of any kind."""
    resets = row.connections_reset_by_client + row.connections_reset_by_server
    kinds = row.connections_refused, row.connections_unanswered, resets
    if not any(kinds):
        return Text("0" if row.connections_attempted or row.connections_established else _UNKNOWN)
    return Text("/".join(quantity(count).replace(" ", "") for count in kinds), style="red")


def _resent(row: QualityRow) -> Text:
    """Return the shares of segments sent again, to the server and to the client."""
    ratios = row.retransmission_to_server_ratio, row.retransmission_to_client_ratio
    told = "/".join(_UNKNOWN if ratio is None else f"{ratio * 100:.1f}" for ratio in ratios)
    much = any(ratio is not None and ratio > _MUCH_IS_RESENT for ratio in ratios)
    return Text(_UNKNOWN if ratios == (None, None) else told, style="red" if much else "default")


def _full(row: QualityRow) -> Text:
    """Return zero windows of the server and of the client; "-" where there were no segments that could tell."""
    kinds = row.zero_windows_of_server, row.zero_windows_of_client
    if any(kinds):
        return Text("/".join(quantity(count).replace(" ", "") for count in kinds), style="yellow")
    return Text("0" if row.segments_to_server or row.segments_to_client else _UNKNOWN)


def _ratio(ratio: float | None) -> str:
    return _UNKNOWN if ratio is None else percent(ratio)


def _names(row: QualityRow, by: Sequence[str]) -> Iterator[str]:
    for name in by:
        value: str = getattr(row, name)
        yield value or ("(none)" if name == "business" else _UNKNOWN)


def _table(by: Sequence[str], numbers: Sequence[str], *more: str) -> Table:
    """Return a table whose names, and what follows the numbers, may take several lines."""
    table = new_table(*by, *numbers, *more, right=numbers)
    for column in table.columns:
        if column.header not in numbers:
            column.no_wrap, column.overflow = False, "fold"
    return table


def _connections(rows: Sequence[QualityRow], by: Sequence[str]) -> Table:
    numbers = ("tries", "failed", "client net", "server net", "response", "resent %", "full")
    return fill(
        _table(by, numbers, "slow"),
        (
            (
                *_names(row, by),
                quantity(row.connections_attempted),
                _failed(row),
                figures(row.client_leg),
                figures(row.server_leg),
                figures(row.response),
                _resent(row),
                _full(row),
                slow(row),
            )
            for row in rows
        ),
    )


def _questions(rows: Sequence[QualityRow], by: Sequence[str]) -> Table:
    numbers = ("DNS questions", "answer", "no such name", "server failed", "unanswered")
    return fill(
        _table(by, numbers),
        (
            (
                *_names(row, by),
                quantity(row.dns_queries),
                figures(row.dns_response),
                _ratio(row.nxdomain_ratio),
                _ratio(row.servfail_ratio),
                _ratio(row.dns_unanswered_ratio),
            )
            for row in rows
        ),
    )


def _heading(rows: Sequence[QualityRow], zone: tzinfo | None) -> Text:
    """Return of which interval rows are, and how far the capture saw everything then."""
    start, length = rows[0].interval_start_milliseconds, rows[0].interval_milliseconds
    line = Text(f"{moment(start / _MILLIS, zone)}, {span(length / _MILLIS)}", style="bold")
    losses = [row.capture_loss_ratio for row in rows if row.capture_loss_ratio is not None]
    if len(losses) < len(rows):
        line.append("; what the capture lost is unknown", style="yellow")
    if losses and max(losses) > 0:
        line.append(f"; the capture lost {max(max(losses) * 100, 0.01):.2f} % of the packets", style="red")
    unseen = max((row.unseen_ratio or 0.0 for row in rows), default=0.0)
    if unseen:
        line.append(f"; up to {max(unseen * 100, 0.01):.2f} % of segments never seen", style="yellow")
    return line


def quality_tables(rows: Sequence[QualityRow], by: Sequence[str], zone: tzinfo | None = None) -> Group:
    """Show connections, then DNS, of each interval. by: the names that tell rows apart."""
    parts: list[Text | Table] = []
    for _, members in groupby(rows, key=lambda row: row.interval_start_milliseconds):
        found = list(members)
        parts.append(_heading(found, zone))
        questions = [row for row in found if any(getattr(row, name) for name in _DNS)]
        connections = [row for row in found if any(getattr(row, name) for name in _TCP) or row not in questions]
        if connections:
            parts.append(_connections(connections, by))
        if questions:
            parts.append(_questions(questions, by))
    return Group(*parts, Text(_LEGEND, style="dim"))

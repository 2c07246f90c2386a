"""Commands of btimctl: what is usual and what is not."""

import argparse
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.api import calls_baselines as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, moment, quantity
from btimd.model.deviation import (
    ALL,
    BaselinePoint,
    BaselineRow,
    BaselineState,
    Deviation,
    Forecast,
    ForecastAsk,
    ForecastOutcome,
    ForecastSubject,
    Indicator,
)
from btimd.settings.fields import parse_duration

_MILLIS: Final = 1000
_DAY: Final = 86_400
_STATES: Final = {
    BaselineState.USUAL: ("●", "green"),
    BaselineState.DEVIATING: ("✖", "red"),
    BaselineState.LEARNING: ("·", "bright_black"),
    BaselineState.UNKNOWN: ("?", "bright_black"),
}
_PLOT_WIDTH: Final = 60
_HOUR_BINS: Final = 4


def figure(indicator: Indicator, value: float | None) -> str:
    """Return a value in the unit of its indicator, "-" for none."""
    if value is None:
        return "-"
    if indicator is Indicator.TRAFFIC:
        return quantity(value, "bit/s")
    if indicator in {Indicator.USERS, Indicator.FLOWS}:
        return f"{value:.0f}"
    if indicator in {Indicator.FAILURES, Indicator.RETRANSMISSION}:
        return f"{100 * value:.2f} %"
    return f"{1000 * value:.3g} ms"


def deviations_table(found: Sequence[Deviation]) -> Table:
    """Show what deviates, or how it ended."""
    table = new_table("since", "business", "region", "kind", "what", wide="what")
    return fill(
        table,
        (
            (
                moment(one.since),
                "(most)" if one.business == ALL else one.business,
                "(all)" if one.region == ALL else one.region or "-",
                Text(one.kind.value, style="red") if one.cleared_at is None else Text("over", style="green"),
                one.text if one.cleared_at is None else f"{one.text}: {one.reason}",
            )
            for one in found
        ),
    )


def baselines_table(rows: Sequence[BaselineRow]) -> Table:
    """Show what is and what is usual."""
    numbers = ("now", "usual", "from", "to", "days")
    table = new_table("business", "region", "indicator", "state", *numbers, right=numbers)

    def state(row: BaselineRow) -> Text:
        shape, colour = _STATES[row.state]
        return Text(f"{shape} {row.state.value}", style=colour)

    return fill(
        table,
        (
            (
                row.business,
                "(all)" if row.region == ALL else row.region or "-",
                row.indicator.value,
                state(row),
                *(figure(row.indicator, one) for one in (row.value, row.expected, row.low, row.high)),
                str(row.days),
            )
            for row in rows
        ),
    )


def plot(points: Sequence[BaselinePoint], indicator: Indicator) -> Text:
    """Draw a day, an hour per line: "-" what is usual, "|" its middle, "*" what was, "!" what was and is not usual."""
    hours = [points[at : at + _HOUR_BINS] for at in range(0, len(points), _HOUR_BINS)]
    top = max(
        (one for point in points for one in (point.value, point.expected and point.expected * 1.5) if one is not None),
        default=0.0,
    )
    text = Text(f"0 to {figure(indicator, top)}; * was, | usual, - its band, ! off\n")
    for hour in hours:
        was, usual, low, high = (
            _mean([getattr(point, name) for point in hour]) for name in ("value", "expected", "low", "high")
        )
        line = [" "] * (_PLOT_WIDTH + 1)
        if usual is not None and low is not None and high is not None:
            for at in range(_column(low, top), _column(high, top) + 1):
                line[at] = "-"
            line[_column(usual, top)] = "|"
        off = was is not None and low is not None and high is not None and not low <= was <= high
        if was is not None:
            line[_column(was, top)] = "!" if off else "*"
        text.append(f"{moment(hour[0].time_milliseconds / _MILLIS)[:11]} ")
        text.append("".join(line), style="red" if off else "default")
        text.append(f" {figure(indicator, was)}\n")
    return text


def _mean(values: Sequence[float | None]) -> float | None:
    some = [value for value in values if value is not None]
    return sum(some) / len(some) if some else None


def _column(value: float, top: float) -> int:
    return min(max(round(_PLOT_WIDTH * value / top), 0), _PLOT_WIDTH) if top > 0 else 0


def forecast_text(found: Forecast) -> Text:
    """Say when a threshold is crossed."""
    colours = {ForecastOutcome.CROSSES: "yellow", ForecastOutcome.ALREADY: "red"}
    return Text(clean(found.text), style=colours.get(found.outcome, "default"))


def _deviations(asking: Asking, args: argparse.Namespace) -> int:
    if args.watch:
        asking.out.follow(calls.watch_deviations(asking.client, args.business), deviations_table)
        return 0
    page = calls.deviations(asking.client, business=args.business, limit=args.limit)
    asking.out.page(page, deviations_table, "nothing deviates")
    return 0


def _baseline(asking: Asking, args: argparse.Namespace) -> int:
    if args.indicator is None:
        region = args.region if args.region is not None or args.business is None else None
        page = calls.baselines(asking.client, business=args.business, region=region, limit=args.limit)
        asking.out.page(page, baselines_table, "nothing is known yet")
        return 0
    indicator = Indicator(args.indicator)
    points = calls.baseline(asking.client, args.business, args.region or ALL, indicator)
    asking.out.page(points, lambda found: plot(found, indicator), "nothing is known yet")
    return 0


def _forecast(asking: Asking, args: argparse.Namespace) -> int:
    ask = ForecastAsk(ForecastSubject(args.subject), args.name, args.threshold, args.horizon)
    found = calls.forecast(asking.client, ask)
    asking.out.write([found], lambda: forecast_text(found))
    return 0


def threshold(text: str) -> float:
    """Return a threshold of "90%", "250ms", "2s" or "5000"; raises ArgumentTypeError."""
    try:
        if text.endswith("%"):
            return float(text[:-1]) / 100
        return parse_duration(text) if text[-1:] in {"s", "m", "h"} else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no threshold; write 90%, 5000 or 250ms") from None


def _days(text: str) -> int:
    try:
        return round(parse_duration(text) / _DAY)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    found = add("deviations", _deviations, "what is not as usual now")
    found.add_argument("watch", nargs="?", choices=["watch"], help="show the present state, then the changes")
    found.add_argument("--business", metavar="ID")
    _limit(found)
    usual = add("baseline", _baseline, "what is usual for a business now, or over a day with --indicator")
    usual.add_argument("business", metavar="BUSINESS")
    usual.add_argument("--region", metavar="NAME", help="only this region; * = the business as a whole")
    usual.add_argument("--indicator", choices=[one.value for one in Indicator], help="draw the last 24 hours of it")
    _limit(usual)
    ahead = add("forecast", _forecast, "when a link, a number of users or a response time crosses a threshold")
    ahead.add_argument("subject", choices=[one.value for one in ForecastSubject])
    ahead.add_argument("name", metavar="NAME", help="business, or EXPORTER:INTERFACE of a link")
    ahead.add_argument("--threshold", type=threshold, required=True, metavar="VALUE", help="90%%, 5000, 250ms")
    ahead.add_argument("--horizon", type=_days, default=90, metavar="DURATION", help="how far ahead, as 90d")


def _limit(made: argparse.ArgumentParser) -> None:
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")

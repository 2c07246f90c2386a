"""Pictures of mirror ports: what is captured where, and what is lost there."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import quantity, span
from btimd.model.ports import SpanInterface

_MILLIS: Final = 1000
_SILENT_SECONDS: Final = 60.0


def spans_table(spans: Sequence[SpanInterface], now: float) -> Table:
    """Show what came on each interface, what was lost, and what to look at. now: seconds since 1970."""
    numbers = ("threads", "packets", "octets", "lost", "silent")
    table = new_table("span", "interface", *numbers, "remarks", right=numbers, wide="remarks")
    return fill(
        table,
        (
            (
                one.name,
                one.interface,
                str(one.threads),
                quantity(one.packets),
                quantity(one.octets, "B"),
                _lost(one),
                "-" if (silent := _silent(one, now)) is None else span(silent),
                "; ".join(_remarks(one, now)),
            )
            for one in spans
        ),
    )


def _lost(one: SpanInterface) -> Text:
    seen = one.packets + one.kernel_drops
    if not seen:
        return Text("-")
    return Text(f"{one.kernel_drops / seen:.2%}", style="red" if one.kernel_drops else "default")


def _silent(one: SpanInterface, now: float) -> float | None:
    last = one.last_packet_milliseconds
    return None if last is None else max(now - last / _MILLIS, 0.0)


def _remarks(one: SpanInterface, now: float) -> Iterator[str]:
    silent = _silent(one, now)
    if one.problem:
        yield one.problem
    elif not one.link_up:
        yield "the interface is down or has no carrier"
    elif silent is None or silent > _SILENT_SECONDS:
        yield "nothing comes: is the mirror port set up?"
    if one.kernel_drops:
        yield f"{one.kernel_drops} packets lost in {one.freezes} full rings: more ring_bytes or threads, or a filter"
    if one.filter:
        yield f"filter: {one.filter}"

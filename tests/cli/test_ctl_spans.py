import re
from dataclasses import replace

from rich.console import Console

from btimd.cli.ctl_spans import spans_table
from btimd.model.ports import SpanInterface
from tests.fakes.views import SPAN

NOW = 2_000.0


def lines(*spans: SpanInterface) -> list[list[str]]:
    """Return the cells of each row, without the heading."""
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(spans_table(spans, NOW))
    return [re.split(r"  +", line.strip()) for line in captured.get().splitlines()[1:]]


def test_a_span_that_is_well_says_what_came_and_nothing_else() -> None:
    assert lines(SPAN) == [["dc", "eth1", "2", "1.5 M", "900 MB", "0.00%", "1 s"]]


def test_what_is_wrong_is_said_beside_it() -> None:
    rows = lines(
        replace(SPAN, kernel_drops=500_000, freezes=3),
        replace(SPAN, link_up=False),
        replace(SPAN, problem="interface eth1 has vanished"),
        replace(SPAN, last_packet_milliseconds=1_900_000, filter="not port 22"),
        replace(SPAN, packets=0, octets=0, first_packet_milliseconds=None, last_packet_milliseconds=None),
    )
    assert [row[7] for row in rows] == [
        "500000 packets lost in 3 full rings: more ring_bytes or threads, or a filter",
        "the interface is down or has no carrier",
        "interface eth1 has vanished",
        "nothing comes: is the mirror port set up?; filter: not port 22",
        "nothing comes: is the mirror port set up?",
    ]
    assert [row[5] for row in rows] == ["25.00%", "0.00%", "0.00%", "0.00%", "-"]

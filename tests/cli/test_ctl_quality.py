"""Pictures of connection quality: what a person wants to know fits a terminal of 100 columns."""

from dataclasses import replace
from datetime import UTC

import pytest
from rich.console import Console, RenderableType

from btimd.cli.ctl_quality import figures, quality_tables, slow
from btimd.model.quality import NO_DURATIONS, Durations, QualityRow
from tests.fakes.views import MINUTE, QUALITY

START = QUALITY.interval_start_milliseconds
FAR = replace(
    QUALITY,
    server="[2001:db8::15]:8443",
    connections_refused=0,
    connections_unanswered=0,
    connections_reset_by_server=0,
    segments_retransmitted_to_client=40,
    segments_unseen_to_client=0,
    zero_windows_of_server=0,
    client_leg=Durations(50, p50_seconds=0.75, p95_seconds=0.9),
)
SILENT = QualityRow(START, MINUTE, 0, "erp", "Shanghai", "Finance", "10.2.0.30:1521", capture_loss_ratio=0.0)
NAMES = QualityRow(
    START, MINUTE, 0, "erp", "Shanghai", "Finance", "10.2.0.53:53", dns_queries=1000, dns_answers=990, dns_nxdomain=99,
    dns_unanswered=10, dns_response=Durations(990, p50_seconds=0.0004, p95_seconds=0.02), capture_loss_ratio=0.0,
)  # fmt: skip
LEGEND = [
    "client net, server net, response: median/95 %; failed: refused/unanswered/reset; resent %: to the",
    "server/to the client; full: how often the server/the client could take no more; slow: the leg with",
    "most of a median turn",
]


def drawn(picture: RenderableType) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_one_business_is_shown_by_server_with_what_failed_and_which_leg_is_slow() -> None:
    assert drawn(quality_tables([QUALITY, FAR, SILENT, NAMES], ("server",), UTC)) == [
        "09-21 14:14:00, 1 min; up to 0.01 % of segments never seen",
        "server            tries  failed  client net  server net    response  resent %  full  slow",
        "10.2.0.10:443     1.2 k  12/8/3   3.1/12 ms  0.4/1.2 ms  0.24/1.4 s   0.1/3.0   2/0  server 98 %",
        "[2001:db8::15]:8  1.2 k       0  750/900 ms  0.4/1.2 ms  0.24/1.4 s   0.1/0.0     0  client net 75 %",
        "443",
        "10.2.0.30:1521        0       -           -           -           -         -     -  -",
        "server        DNS questions     answer  no such name  server failed  unanswered",
        "10.2.0.53:53            1 k  0.4/20 ms        10.0 %          0.0 %       1.0 %",
        *LEGEND,
    ]


def test_business_and_server_together_fit_by_folding_the_server() -> None:
    assert drawn(quality_tables([QUALITY], ("business", "server"), UTC))[1:-3] == [
        "business  server      tries  failed  client net  server net    response  resent %  full  slow",
        "erp       10.2.0.10:  1.2 k  12/8/3   3.1/12 ms  0.4/1.2 ms  0.24/1.4 s   0.1/3.0   2/0  server 98 %",
        "          443",
    ]


def test_each_interval_has_its_own_table_and_says_what_the_capture_lost() -> None:
    lossy = replace(QUALITY, interval_start_milliseconds=START - MINUTE, capture_loss_ratio=0.0213)
    unknown = replace(FAR, interval_start_milliseconds=START - 2 * MINUTE, capture_loss_ratio=None)
    lines = drawn(quality_tables([QUALITY, lossy, unknown], ("business",), UTC))
    assert [line for line in lines if line.startswith("09-21")] == [
        "09-21 14:14:00, 1 min; up to 0.01 % of segments never seen",
        "09-21 14:13:00, 1 min; the capture lost 2.13 % of the packets; up to 0.01 % of segments never seen",
        "09-21 14:12:00, 1 min; what the capture lost is unknown",
    ]


def test_names_that_are_empty_are_told_from_unknown_figures() -> None:
    nobody = replace(SILENT, business="", region="")
    assert drawn(quality_tables([nobody], ("business", "region"), UTC))[2].split() == ["(none)", "-", "0"] + ["-"] * 7


def test_questions_without_an_answer_are_not_shown_as_good() -> None:
    asked = replace(NAMES, dns_answers=0, dns_nxdomain=0, dns_queries=3, dns_unanswered=3, dns_response=NO_DURATIONS)
    assert drawn(quality_tables([asked], ("business",), UTC))[1:3] == [
        "business  DNS questions  answer  no such name  server failed  unanswered",
        "erp                   3       -             -              -     100.0 %",
    ]


@pytest.mark.parametrize(
    ("median", "most", "text"),
    [
        (0.0031, 0.012, "3.1/12 ms"),
        (0.24, 1.35, "0.24/1.4 s"),
        (0.00005, 0.0004, "50/400 us"),
        (0.0, 0.0, "0/0 us"),
        (12.0, 120.0, "12/120 s"),
        (None, None, "-"),
    ],
)
def test_median_and_95_percent_share_a_unit(median: float | None, most: float | None, text: str) -> None:
    assert figures(Durations(1, p50_seconds=median, p95_seconds=most)) == text


def test_the_slow_leg_is_named_with_its_share() -> None:
    assert (slow(QUALITY), slow(FAR), slow(SILENT)) == ("server 98 %", "client net 75 %", "-")

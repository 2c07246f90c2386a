"""Tests of the pictures of businesses."""

from rich.console import Console, RenderableType

from btimd.cli.ctl_views import overview, view_picture
from btimd.model.service import Rollup
from btimd.model.view import ViewState
from tests.fakes.serviceviews import ERP_VIEW, OFFICE


def text(picture: RenderableType) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_all_businesses_are_a_line_each_below_the_tree_of_their_groups() -> None:
    assert OFFICE.rollup is Rollup.WORST
    assert ERP_VIEW.state is ViewState.DEGRADED
    assert text(overview([ERP_VIEW], [OFFICE])) == [
        "▲ degraded  Office  (worst)",
        "└── ▲ degraded  ERP",
        "",
        "business  state       users    traffic  response  available  why",
        "ERP       ▲ degraded     60  88 Mbit/s     2.5 s     99.9 %  slow pages: response_p95_seconds 2.5",
    ]


def test_one_business_shows_why_what_where_and_on_what_it_stands() -> None:
    assert text(view_picture(ERP_VIEW)) == [
        "▲ degraded  ERP  企业资源计划  high  erp-team",
        "  - slow pages: response_p95_seconds 2.5",
        "bottleneck  server: 81% of a turn of 240 ms",
        "incidents   I-1",
        "",
        "figure                         now  note",
        "users_online                    60",
        "traffic_bits_per_second  88 Mbit/s",
        "response_p95_seconds         2.5 s",
        "availability_ratio          99.9 %",
        "retransmission_ratio             -  only packets that btimd captures itself tell it",
        "kpi.orders                  12 1/h",
        "",
        "indicator   state       rule                      figures",
        "slow pages  ▲ degraded  response_p95_seconds > 2  response_p95_seconds 2.5",
        "",
        "region     active  idle    traffic",
        "Shanghai       40    15  80 Mbit/s",
        "(unknown)       5     0   8 Mbit/s",
        "",
        "layers",
        "└── ✖ bad  database",
        "    └── ✖ bad  ERP database  connection refused",
    ]

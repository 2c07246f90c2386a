"""Tests of the figures of a business."""

from dataclasses import replace

from btimd.daemon.viewfigures import Observed, UserCount, figures_of
from btimd.model.quality import Durations
from btimd.model.view import FIGURES, BusinessMetric, Figure
from tests.fakes.views import QUALITY, SLA_STATE, WINDOW

MINUTE_ROWS = (
    replace(WINDOW, octets_to_server=600_000, octets_to_client=5_400_000, packets=6000, flows=120),
    replace(WINDOW, region="Beijing", octets_to_server=150_000, octets_to_client=1_350_000, packets=1800, flows=60),
)
ROW = replace(
    QUALITY,
    interval_milliseconds=60_000,
    connections_attempted=120,
    connections_refused=2,
    connections_unanswered=4,
    segments_to_server=100,
    segments_to_client=300,
    segments_retransmitted_to_server=1,
    segments_retransmitted_to_client=3,
    requests=600,
    client_leg=Durations(9, p50_seconds=0.020),
    server_leg=Durations(9, p50_seconds=0.001),
    response=Durations(9, p50_seconds=0.1, p95_seconds=0.4),
)


def test_everything_that_is_measured_becomes_a_figure_with_its_unit() -> None:
    seen = Observed(
        windows=MINUTE_ROWS,
        quality=ROW,
        users=[UserCount("Shanghai", 30, 10), UserCount("Beijing", 8, 2)],
        sla=SLA_STATE,
        metrics=[BusinessMetric("erp", "orders", 12.0, "1/h", 1_000)],
        at=60_000,
        components_bad=1,
        deviations=2,
        incidents=3,
    )

    values = {figure.name: (figure.value, figure.note) for figure in figures_of(seen)}

    assert values == {
        "users_active": (38, ""),
        "users_idle": (12, ""),
        "users_online": (50, ""),
        "traffic_bits_per_second": (1_000_000.0, ""),
        "traffic_to_server_bits_per_second": (100_000.0, ""),
        "traffic_to_client_bits_per_second": (900_000.0, ""),
        "packets_per_second": (130.0, ""),
        "flows_per_second": (3.0, ""),
        "bits_per_second_per_user": (20_000.0, ""),
        "connections_per_second": (2.0, ""),
        "connection_failure_ratio": (0.05, ""),
        "client_network_seconds": (0.020, ""),
        "server_network_seconds": (0.001, ""),
        "response_p50_seconds": (0.1, ""),
        "response_p95_seconds": (0.4, ""),
        "retransmission_ratio": (0.01, ""),
        "requests_per_second": (10.0, ""),
        "requests_per_user_per_minute": (12.0, ""),
        "availability_ratio": (SLA_STATE.availability, ""),
        "error_budget_used_ratio": (SLA_STATE.burn_ratio, ""),
        "components_bad": (1, ""),
        "deviations": (2, ""),
        "incidents": (3, ""),
        "kpi.orders": (12.0, ""),
    }


def test_what_nothing_measures_is_unknown_and_says_why_instead_of_being_zero() -> None:
    unknown = {figure.name: figure.note for figure in figures_of(Observed()) if figure.value is None}

    assert unknown.keys() == FIGURES.keys() - {"components_bad", "deviations", "incidents"}
    assert unknown["users_online"] == "no traffic was seen in the last interval"
    assert unknown["response_p95_seconds"] == "only packets that btimd captures itself tell it"
    assert unknown["availability_ratio"] == "nothing was promised, or nothing is measured"


def test_a_share_of_too_few_connections_is_not_told() -> None:
    figures = figures_of(Observed(quality=replace(ROW, connections_attempted=4, connections_refused=4)))

    assert next(one for one in figures if one.name == "connection_failure_ratio").value is None


def test_a_pushed_figure_says_nothing_after_its_time() -> None:
    pushed = BusinessMetric("erp", "orders", 12.0, "1/h", 1_000, valid_seconds=60.0)

    (figure,) = (one for one in figures_of(Observed(metrics=[pushed], at=62_000)) if one.name == "kpi.orders")

    assert figure == Figure("kpi.orders", None, "1/h", note="pushed 61 s ago, valid for 60 s")

"""MTTR, MTBF and MTBSI from the months of accounts."""

from btimd.itsm.reliability import of_businesses, of_causes
from btimd.model.qualityview import Reliability
from btimd.model.sla import Availability, Outage, SlaState, SlaStatus, SlaTarget

T0 = 1_700_000_000.0


def outage(business: str, began: float, ended: float | None, cause: str = "db1") -> Outage:
    return Outage(business, T0 + began, None if ended is None else T0 + ended, cause, "INC-1")


def month(business: str, *outages: Outage, up: float, down: float, unknown: float = 0.0, at: float = 0.0) -> SlaState:
    elapsed = up + down + unknown
    return SlaState(
        target=SlaTarget(business, 99.9), period_start=T0 + at, period_end=T0 + at + elapsed, at=T0 + at + elapsed,
        current=Availability.UP, up_seconds=up, down_seconds=down, unknown_seconds=unknown, availability=None,
        coverage=None, error_budget_seconds=1.0, burn_ratio=0.0, status=SlaStatus.MET, outages=outages,
    )  # fmt: skip


def test_a_business_is_down_per_failure_and_up_between_them() -> None:
    months = [
        month("erp", outage("erp", 10, 20), outage("erp", 50, 80), up=60, down=40, unknown=100),
        month("hr", up=100, down=0, unknown=100),
    ]
    erp, hr = of_businesses(months)
    assert erp == Reliability("erp", T0, T0 + 200, 60, 40, 100, 2, 0.6, 0.5, 20.0, 30.0, 50.0)
    assert (hr.failures, hr.availability, hr.coverage) == (0, 1.0, 0.5)
    assert (hr.mttr_seconds, hr.mtbf_seconds, hr.mtbsi_seconds) == (None, None, None)


def test_an_outage_over_the_end_of_a_month_is_one_failure() -> None:
    first = month("erp", outage("erp", 90, 100), up=90, down=10)
    second = month("erp", outage("erp", 100, 120), up=80, down=20, at=100)
    (erp,) = of_businesses([first, second])
    assert (erp.failures, erp.start, erp.end, erp.mttr_seconds, erp.mtbf_seconds) == (1, T0, T0 + 200, 30.0, 170.0)


def test_what_takes_two_businesses_down_at_a_time_failed_once_and_is_measured_by_the_longer_one() -> None:
    months = [
        month("erp", outage("erp", 10, 20), up=90, down=10),
        month("hr", outage("hr", 15, 30), outage("hr", 60, None, "switch"), up=25, down=55, unknown=20),
    ]
    db1, switch = sorted(of_causes(months, lambda one: (one.cause,)), key=lambda one: one.name)
    assert (db1.name, db1.failures, db1.down_seconds, db1.up_seconds) == ("db1", 1, 20.0, 80.0)
    assert (switch.name, switch.failures, switch.down_seconds, switch.unknown_seconds) == ("switch", 1, 40.0, 20.0)


def test_what_nobody_measured_is_neither_up_nor_down() -> None:
    (erp,) = of_businesses([month("erp", up=0, down=0, unknown=50)])
    assert (erp.availability, erp.coverage, erp.failures) == (None, 0.0, 0)

"""What was kept, in words without technical terms."""

# ruff: noqa: RUF001  the Chinese texts have Chinese punctuation

from dataclasses import replace

import pytest

from btimd.model.agreement import DownShare, PeriodFigures, PeriodKind
from btimd.model.sla import SlaStatus
from btimd.sla.words import percent, period_in_words, report, span_in_words
from tests.sla.agreeing import HOUR, OFFICE, agreement, moment

KEPT = PeriodFigures(
    agreement="bank",
    subject="erp",
    period_start=moment("1 00:00"),
    period_end=moment("30 00:00") + 24 * HOUR,
    at=moment("17 12:00"),
    agreed_seconds=189 * HOUR,
    excluded_seconds=2 * HOUR,
    up_seconds=98.5 * HOUR,
    down_seconds=1.5 * HOUR,
    unknown_seconds=600.0,
    availability=0.985,
    coverage=0.98,
    failures=2,
    mttr_seconds=0.75 * HOUR,
    mtbf_seconds=49.25 * HOUR,
    mtbsi_seconds=50 * HOUR,
    error_budget_seconds=1.89 * HOUR,
    budget_used=0.79,
    status=SlaStatus.AT_RISK,
    user_minutes_lost=3600.0,
    user_minutes_coverage=1.0,
    user_minutes_exact=False,
    planned_down_seconds=600.0,
    by_cause=(DownShare("db1", 1.5 * HOUR, 2),),
    by_supplier=(DownShare("", HOUR, 1), DownShare("中国电信", 0.5 * HOUR, 1)),
)
BANK = agreement(calendar=OFFICE, availability_percent=99.0, title="Online banking", title_zh="网上银行")


def test_a_report_says_in_english_what_users_noticed() -> None:
    assert report(BANK, KEPT, "en") == (
        "Online banking: in 2026-11 it could be used 98.50 % of the agreed time. 99 % was promised. "
        "The promise is kept so far, but it is in danger: 23 min of failure are left in this period. "
        "It failed 2 times and could not be used for 1 h 30 min in all, 45 min each time on average. "
        "10 min of that was planned. 30 min of that was caused by 中国电信. "
        "Users together lost 60 h 0 min of work or more. "
        "For 10 min of the agreed time it is not known whether it could be used. "
        "2 h 0 min of agreed maintenance do not count."
    )


def test_a_report_says_the_same_in_chinese() -> None:
    assert report(BANK, KEPT, "zh") == (
        "网上银行：2026 年 11 月约定服务时间内可正常使用的比例为 98.50 %，承诺为 99 %。"
        "目前承诺仍可兑现，但有风险：本期允许的中断时间还剩 23 分钟。"
        "共中断 2 次，合计 1 小时 30 分钟无法使用，平均每次 45 分钟。"
        "其中 10 分钟为计划内停机。其中 30 分钟由中国电信造成。"
        "用户合计损失工作时间至少 60 小时 0 分钟。"
        "约定服务时间内有 10 分钟无法确定是否可用。"
        "约定的维护时间 2 小时 0 分钟不计入。"
    )


def test_a_month_without_failure_needs_few_words() -> None:
    quiet = replace(
        KEPT, failures=0, down_seconds=0.0, availability=1.0, status=SlaStatus.MET, unknown_seconds=0.0,
        excluded_seconds=0.0, user_minutes_lost=0.0, by_supplier=(), planned_down_seconds=0.0,
    )  # fmt: skip

    assert report(BANK, quiet, "en", subject_name="ERP") == (
        "ERP: in 2026-11 it could be used 100.00 % of the agreed time. 99 % was promised. The promise is kept."
        " There was no failure."
    )


def test_what_was_not_measured_is_said_to_be_so() -> None:
    nothing = replace(KEPT, availability=None, status=SlaStatus.UNMEASURED, excluded_seconds=0.0)

    assert report(BANK, nothing, "en") == (
        "Online banking: in 2026-11 nothing was measured. 99 % was promised."
        " For 10 min of the agreed time it is not known whether it could be used."
    )


@pytest.mark.parametrize(
    ("ratio", "promised", "shown"),
    [(1.0, 99.9, "100.00 %"), (0.99999, 99.9, "99.999 %"), (0.98996, 99.0, "98.996 %"), (0.99, 99.0, "99.00 %")],
)
def test_a_share_is_never_rounded_to_a_promise_it_misses(ratio: float, promised: float, shown: str) -> None:
    assert percent(ratio, promised) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.0, "59 s"), (3570.0, "1 h 0 min"), (5400.0, "1 h 30 min"), (400_000.0, "4 days 15 h")],
)
def test_a_length_of_time_has_two_units_at_most(seconds: float, words: str) -> None:
    assert span_in_words(seconds, "en") == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PeriodKind.WEEK, "the week from 2026-11-01"),
        (PeriodKind.MONTH, "2026-11"),
        (PeriodKind.QUARTER, "quarter 4 of 2026"),
        (PeriodKind.YEAR, "2026"),
    ],
)
def test_a_period_has_its_name(kind: PeriodKind, words: str) -> None:
    assert period_in_words(agreement(period=kind), KEPT, "en") == words

"""Storms: one cause is one report and a count; one source too fast is one summary; nothing is dropped."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.intake.storms import Admission, StormControl, StormRules, Verdict, summary
from btimd.model.report import Report, ReportChannel, ReportSignal, Unsummed, report_id

RULES = StormRules(interval_seconds=60.0, per_second=1.0, burst=5.0, max_groups=50, max_sources=3)


def report(number: int, cause: str, signal: ReportSignal = ReportSignal.PROBLEM, source: str = "mon") -> Report:
    return Report(
        id=report_id(ReportChannel.EMAIL, str(number)), channel=ReportChannel.EMAIL, source=source, reporter="",
        received_at=float(number), key=str(number), signal=signal, title=f"title {cause}", text="", fingerprint=cause,
    )  # fmt: skip


def test_ten_thousand_reports_of_one_cause_in_a_minute_are_one_report_and_one_summary_with_their_count() -> None:
    control = StormControl(RULES)
    verdicts = [control.admit(report(number, "disk"), number * 0.006).verdict for number in range(10_000)]
    assert [verdicts.count(one) for one in Verdict] == [1, 9_999, 0]
    assert control.next_due() == 60.0
    (found,) = control.due(60.0)
    assert (found.count, found.fingerprint, found.signal, found.is_summary) == (
        9_999,
        "disk",
        ReportSignal.PROBLEM,
        True,
    )
    assert control.next_due() is None


def test_a_source_that_brings_too_many_causes_gets_one_summary_that_lists_them() -> None:
    control = StormControl(RULES)
    verdicts = [control.admit(report(number, f"c{number}"), 0.0).verdict for number in range(30)]
    assert verdicts == [Verdict.PASS] * 5 + [Verdict.FLOOD] * 25
    (found,) = control.due(60.0)
    assert (found.count, found.fingerprint, found.class_) == (25, "storm|email|mon", "storm")
    assert found.title == "25 more reports of mon than its limit lets through"
    assert found.text.splitlines()[1:] == [f"title c{number}" for number in range(5, 25)] + ["..."]


def test_another_source_is_not_slowed_by_it_and_a_clear_does_not_wait_behind_problems() -> None:
    control = StormControl(RULES)
    for number in range(30):
        control.admit(report(number, f"c{number}"), 0.0)
    assert control.admit(report(100, "other", source="other"), 0.0) == Admission(Verdict.PASS)
    assert control.admit(report(101, "c29", ReportSignal.CLEAR), 0.0) == Admission(Verdict.PASS)


def test_a_clear_passes_among_repeats_and_the_summary_says_what_was_said_last() -> None:
    control = StormControl(RULES)
    signals = [ReportSignal.PROBLEM, ReportSignal.PROBLEM, ReportSignal.CLEAR]
    assert [control.admit(report(at, "disk", one), 0.0).verdict for at, one in enumerate(signals)] == [
        Verdict.PASS, Verdict.REPEAT, Verdict.PASS,
    ]  # fmt: skip
    (found,) = control.due(60.0)
    assert (found.count, found.signal) == (1, ReportSignal.CLEAR)


def test_what_flaps_all_the_time_is_folded_and_its_last_state_is_told() -> None:
    control = StormControl(RULES)
    for number in range(100):
        control.admit(report(number, "port", ReportSignal.CLEAR if number % 2 else ReportSignal.PROBLEM), 0.0)
    (found,) = control.due(60.0)
    assert (found.count, found.signal) == (95, ReportSignal.CLEAR)


def test_a_report_that_was_kept_before_is_not_counted() -> None:
    control = StormControl(RULES)
    control.admit(report(1, "disk"), 0.0)
    control.take_back(control.admit(report(2, "disk"), 0.0))
    assert control.due(60.0) == []


def test_after_a_start_a_summary_of_one_cause_does_not_say_whether_it_lasts() -> None:
    found = summary(Unsummed("SR-1", 7, report(1, "disk"), report(7, "disk")), 100.0)
    assert (found.id, found.count, found.signal, found.fingerprint) == ("SR-1", 7, ReportSignal.INFO, "disk")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.integers(0, 8), st.sampled_from(ReportSignal), st.floats(0, 20)), max_size=300
    )
)
def test_whatever_comes_every_report_passes_or_is_counted_once_and_memory_is_bounded(
    steps: list[tuple[int, int, ReportSignal, float]],
) -> None:
    control = StormControl(RULES)
    now, passed, counted = 0.0, 0, 0
    for number, (cause, source, signal, wait) in enumerate(steps):
        now += wait
        counted += sum(one.count for one in control.due(now))
        one = replace(report(number, f"c{cause}", signal, f"s{source}"))
        passed += control.admit(one, now).verdict is Verdict.PASS
        assert len(control._causes) <= RULES.max_groups
        assert len(control._sources) <= RULES.max_sources + 1
        assert len(control._buckets) <= 2 * RULES.max_sources + 2
    counted += sum(one.count for one in control.due(now + 60.0))
    assert passed + counted == len(steps)

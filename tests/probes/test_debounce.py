from hypothesis import given
from hypothesis import strategies as st

from btimd.model.indicator import Flapping, Threshold
from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.symptom import Symptom
from btimd.probes.debounce import Command, ConfirmSoon, Debounce, SymptomCleared, SymptomOpened
from tests.probes.samples import check, result

WEB = check("web", every=5.0)
SYMPTOM = Symptom(
    id="web@100000",
    check_id="web",
    node="node",
    error=ErrorClass.REFUSED,
    text="web: said so",
    since=100.0,
    seen_at=101.0,
)


def watching(threshold: Threshold | None = None) -> Debounce:
    debounce = Debounce(threshold or Threshold(), 0.3)
    assert debounce.replace([WEB, check("other")]) == []
    return debounce


def good(at: float) -> ProbeResult:
    return result(WEB, Health.GOOD, at=at)


def bad(at: float, error: ErrorClass = ErrorClass.TIMEOUT) -> ProbeResult:
    return result(WEB, Health.BAD, error, at=at)


def test_the_first_bad_sample_is_confirmed_at_once_and_the_second_is_a_symptom() -> None:
    debounce = watching()
    assert debounce.handle(good(95.0), 95.0) == []
    assert debounce.handle(bad(100.0), 100.5) == [ConfirmSoon(WEB, 0.3)]
    assert debounce.handle(bad(100.8, ErrorClass.REFUSED), 101.0) == [SymptomOpened(SYMPTOM)]
    assert debounce.open_symptoms() == [SYMPTOM]
    assert debounce.handle(bad(105.0), 105.0) == [], "it is known"


def test_one_bad_sample_among_good_ones_is_nothing() -> None:
    debounce = watching()
    commands = [debounce.handle(sample, 0.0) for sample in (bad(1.0), good(1.3), good(5.0), bad(10.0), good(10.3))]
    assert commands == [[ConfirmSoon(WEB, 0.3)], [], [], [ConfirmSoon(WEB, 0.3)], []]


def test_two_bad_samples_of_three_are_a_symptom_although_a_good_one_lies_between() -> None:
    debounce = watching()
    debounce.handle(bad(100.0), 100.0)
    debounce.handle(good(100.3), 100.3)
    (opened,) = debounce.handle(bad(105.0), 105.0)
    assert isinstance(opened, SymptomOpened)
    assert opened.symptom.since == 105.0, "it was good in between: what was well before then proves nothing now"


def test_it_is_cleared_when_the_whole_window_is_good() -> None:
    debounce = watching()
    debounce.handle(bad(100.0), 100.5)
    debounce.handle(bad(100.8, ErrorClass.REFUSED), 101.0)
    commands = [debounce.handle(sample, 0.0) for sample in (good(105.0), good(110.0), bad(115.0))]
    assert commands == [[], [], []], "a service that flaps is one symptom"
    assert [debounce.handle(good(at), at) for at in (120.0, 125.0)] == [[], []]
    assert debounce.handle(good(130.0), 130.0) == [SymptomCleared(SYMPTOM)]
    assert debounce.open_symptoms() == []
    assert debounce.handle(bad(135.0), 135.0) == [ConfirmSoon(WEB, 0.3)], "and it can begin again"


def test_a_sample_that_could_not_be_taken_changes_nothing() -> None:
    debounce = watching()
    unknown = result(WEB, Health.UNKNOWN, ErrorClass.OVER_BUDGET)
    debounce.handle(bad(100.0), 100.5)
    assert debounce.handle(unknown, 100.6) == []
    assert debounce.handle(bad(100.8, ErrorClass.REFUSED), 101.0) == [SymptomOpened(SYMPTOM)]
    for _ in range(5):
        assert debounce.handle(unknown, 110.0) == []
    assert debounce.open_symptoms() == [SYMPTOM]


def test_other_checks_and_other_questions_are_ignored() -> None:
    debounce = watching()
    assert debounce.handle(result(check("other"), Health.BAD), 1.0) == []
    assert debounce.handle(result(check("web", port=81, every=5.0), Health.BAD), 1.0) == []


def test_a_higher_threshold_asks_for_more_confirmations() -> None:
    debounce = watching(Threshold(3, 5))
    commands = [debounce.handle(bad(100.0 + step), 101.0 + step) for step in (0.0, 0.3, 0.6)]
    assert [type(command) for step in commands for command in step] == [ConfirmSoon, ConfirmSoon, SymptomOpened]


def test_with_one_of_one_there_is_nothing_to_confirm() -> None:
    debounce = watching(Threshold(1, 1))
    opened = debounce.handle(bad(100.0, ErrorClass.REFUSED), 101.0)
    assert opened == [SymptomOpened(SYMPTOM)]
    assert debounce.handle(good(105.0), 105.0) == [SymptomCleared(SYMPTOM)]


def test_a_wall_clock_that_was_set_back_does_not_break_the_symptom() -> None:
    debounce = watching()
    debounce.handle(bad(100.0), 100.5)
    (opened,) = debounce.handle(bad(40.0), 41.0)
    assert isinstance(opened, SymptomOpened)
    assert (opened.symptom.since, opened.symptom.seen_at) == (41.0, 41.0)


def test_a_reload_keeps_symptoms_of_what_stays_and_clears_those_of_what_is_gone() -> None:
    debounce = watching()
    debounce.handle(bad(100.0), 100.5)
    debounce.handle(bad(100.8, ErrorClass.REFUSED), 101.0)
    assert debounce.replace([WEB]) == []
    moved = check("web", port=81, every=5.0)
    assert debounce.replace([moved]) == [], "asked elsewhere now, but the symptom stands until that is good"
    assert debounce.handle(result(moved, Health.GOOD), 105.0) == []
    assert debounce.replace([]) == [SymptomCleared(SYMPTOM)]
    assert debounce.handle(bad(110.0), 110.0) == []


@given(st.lists(st.sampled_from([Health.GOOD, Health.BAD, Health.UNKNOWN]), max_size=40))
def test_symptoms_open_and_clear_in_turn_and_only_as_the_threshold_says(healths: list[Health]) -> None:
    debounce = Debounce(Threshold(), 0.3, Flapping(count=0))
    debounce.replace([WEB])
    known: list[Health] = []
    is_open = False
    for number, health in enumerate(healths):
        commands: list[Command] = debounce.handle(result(WEB, health, at=float(number)), float(number))
        known += [health] if health is not Health.UNKNOWN else []
        last = known[-3:]
        if health is Health.UNKNOWN:
            expected: list[type[Command]] = []
        elif is_open and last.count(Health.GOOD) == 3:
            expected, is_open = [SymptomCleared], False
        elif not is_open and health is Health.BAD:
            is_open = last.count(Health.BAD) >= 2
            expected = [SymptomOpened if is_open else ConfirmSoon]
        else:
            expected = []
        assert [type(command) for command in commands] == expected


def turns(debounce: Debounce, *samples: tuple[str, float]) -> list[tuple[float, str]]:
    """Feed "bad" and "good" samples at their times; return when what followed."""
    found = []
    for health, at in samples:
        commands = debounce.handle(good(at) if health == "good" else bad(at), at)
        found += [(at, type(command).__name__) for command in commands if not isinstance(command, ConfirmSoon)]
    return found


def outage(at: float) -> list[tuple[str, float]]:
    return [("bad", at), ("bad", at + 1), ("good", at + 10), ("good", at + 15), ("good", at + 20)]


def test_an_indicator_that_keeps_coming_and_going_is_one_symptom_until_it_is_steady() -> None:
    debounce = Debounce(Threshold(), 0.3, Flapping(count=3, window_seconds=600.0, steady_seconds=120.0))
    debounce.replace([WEB])
    first = turns(debounce, *outage(0.0), *outage(60.0), *outage(120.0), *outage(180.0), ("good", 300.0))
    assert first == [
        (1.0, "SymptomOpened"), (20.0, "SymptomCleared"), (61.0, "SymptomOpened"), (80.0, "SymptomCleared"),
        (121.0, "SymptomOpened"),
    ]  # fmt: skip
    assert (debounce.open_count, debounce.flapping_count) == (1, 1)
    (symptom,) = debounce.open_symptoms()
    assert symptom.text == "web: said so (comes and goes: turned bad 3 times in 10 minutes)"
    assert turns(debounce, ("good", 300.9), ("good", 301.0)) == [(301.0, "SymptomCleared")]
    assert (debounce.open_count, debounce.flapping_count) == (0, 0)


def test_an_open_symptom_is_noted_once_when_its_indicator_begins_to_come_and_go() -> None:
    debounce = Debounce(Threshold(), 0.3, Flapping(count=3, window_seconds=600.0, steady_seconds=120.0))
    debounce.replace([WEB])
    wobbling = [
        (health, float(at)) for at, health in enumerate(["bad", "bad", "good", "bad", "good", "bad", "good", "bad"])
    ]
    assert turns(debounce, *wobbling) == [(1.0, "SymptomOpened"), (5.0, "SymptomFlaps")]
    assert debounce.replace([check("web", every=9.0)]) == [], "a reload keeps it"
    assert debounce.flapping_count == 1
    calm = [("good", 10.0), ("good", 20.0), ("good", 126.9), ("good", 127.0)]
    assert turns(debounce, *calm) == [(127.0, "SymptomCleared")]


def test_turns_of_long_ago_are_not_counted() -> None:
    debounce = Debounce(Threshold(), 0.3, Flapping(count=2, window_seconds=100.0, steady_seconds=50.0))
    debounce.replace([WEB])
    assert len(turns(debounce, *outage(0.0), *outage(200.0), *outage(400.0))) == 6
    assert debounce.flapping_count == 0

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind, Depth
from btimd.rca.likelihood import ERRORS, PROFILE_OF, PROFILES, Mode, Reach, detection_of, outcome_of


def test_every_profile_is_a_distribution_over_all_errors_and_the_leak_shows_any_but_hardly_a_limit() -> None:
    assert PROFILES.shape == (len(PROFILE_OF), len(ERRORS))
    assert PROFILES.sum(axis=1) == pytest.approx(1.0)
    assert PROFILES.min() > 0.0
    said = {ErrorClass.EXCEEDED: 0.02, ErrorClass.CERTIFICATE: 0.02}
    assert PROFILES[PROFILE_OF["leak"]] == pytest.approx([said.get(error, 0.96 / 9) for error in ERRORS])
    assert PROFILE_OF["leak"] == 0


@pytest.mark.parametrize(
    ("health", "error", "outcome"),
    [
        (Health.GOOD, ErrorClass.NONE, 0),
        (Health.BAD, ErrorClass.REFUSED, 2),
        (Health.BAD, ErrorClass.UNUSUAL, 2 + ERRORS.index(ErrorClass.SLOW)),
        (Health.BAD, ErrorClass.NONE, 1),  # bad, and nothing more is known
        (Health.UNKNOWN, ErrorClass.OVER_BUDGET, None),
    ],
)
def test_an_answer_is_an_outcome_of_the_solver_or_no_evidence(
    health: Health, error: ErrorClass, outcome: int | None
) -> None:
    assert outcome_of(health, error) == outcome


def test_deeper_checks_see_more_of_a_sick_process_and_a_connect_sees_the_dead_ones() -> None:
    depths = (Depth.ECHO, Depth.CONNECT, Depth.DIALOGUE)
    sick = [detection_of(CheckKind.HTTP, depth, Mode.SICK, Reach.OWN, physical=False) for depth in depths]
    dead = [detection_of(CheckKind.HTTP, depth, Mode.DEAD, Reach.OWN, physical=False) for depth in depths]
    assert sick == sorted(sick)
    assert dead == sorted(dead)
    assert dead[1] > 0.9
    assert dead[0] < 0.2


def test_a_list_of_processes_shows_a_dead_one_and_a_state_says_little_of_a_sick_one() -> None:
    process = detection_of(CheckKind.PROCESS, Depth.STATE, Mode.DEAD, Reach.OWN, physical=False)
    cpu = detection_of(CheckKind.CPU, Depth.STATE, Mode.SICK, Reach.OWN, physical=True)
    assert process > 0.9
    assert cpu == 0.5

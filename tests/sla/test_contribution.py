"""What each component took from the availability."""

from dataclasses import replace

from btimd.model.agreement import DownShare
from btimd.model.levels import Contribution
from btimd.sla.contribution import contributions
from tests.fakes.levels import FIGURES
from tests.sla.agreeing import covering

FIRST = replace(
    FIGURES, up_seconds=900.0, down_seconds=100.0, by_cause=(DownShare("db", 80.0, 1), DownShare("", 20.0, 1))
)
SECOND = replace(
    FIGURES, up_seconds=960.0, down_seconds=40.0, by_cause=(DownShare("db", 40.0, 3), DownShare("x", 0.0, 1))
)


def test_each_cause_is_summed_over_the_periods_and_held_against_who_answers_for_it() -> None:
    wide, narrow = covering("all", "db", "web"), covering("dba", "db", availability_percent=99.0)
    cover = {"all": frozenset({"db", "web"}), "dba": frozenset({"db"})}

    assert contributions([FIRST, SECOND], [wide, narrow], cover) == [
        Contribution(
            node="db", down_seconds=120.0, outages=4, share=120 / 140, availability=0.94, without=0.99, mttr_seconds=30.0,
            agreement="dba", promised_percent=99.0, below_promise=True,
        ),
        Contribution(
            node="", down_seconds=20.0, outages=1, share=20 / 140, availability=0.99, without=0.94, mttr_seconds=20.0
        ),
    ]  # fmt: skip


def test_of_what_was_never_measured_nothing_is_said() -> None:
    assert contributions([replace(FIRST, up_seconds=0.0, down_seconds=0.0)], [], {}) == []
    assert contributions([], [], {}) == []

"""The bench of diagnoses: its configuration is accepted, its catalogue fits it, and it counts as it says."""

from pathlib import Path

import pytest

from bench.enterprise.certificates import write_certificates
from bench.enterprise.configuration import ONLY_WITH_CHECK, write_configuration
from bench.enterprise.faults import FAULTS, Fault
from bench.enterprise.untouched import UNTOUCHED
from bench.faults import ALL, Score, judge, markdown, summary
from btimd.daemon.config import load_config
from btimd.model.probe import ErrorClass
from btimd.model.verdict import Suspect, Verdict, VerdictStatus


def fault(*causes: tuple[str, ...]) -> Fault:
    return Fault("broken", "kind", "it breaks", causes, "shop fails", lambda _: None, lambda _: None)


def verdict(number: int, cause: str | None, *ranked: str, seconds: float = 1.0) -> Verdict:
    return Verdict(
        id=f"D{number}", symptoms=(f"s{number}",), symptom_nodes=("shop",),
        status=VerdictStatus.UNKNOWN if cause is None else VerdictStatus.CAUSE_FOUND, cause=cause,
        cause_error=ErrorClass.REFUSED, path=(), confidence=0.9,
        ranked=tuple(Suspect(node, 0.9 / (1 + place)) for place, node in enumerate(ranked)), evidence=(),
        businesses=("shop",), probes_used=3, started_at=100.0, ended_at=100.0 + seconds, seconds_taken=seconds, summary="",
    )  # fmt: skip


def judged(broken: Fault, *verdicts: Verdict) -> Score:
    score = Score(broken.name, broken.kind, "", broken.felt)
    judge(broken, verdicts, score)
    return score


def test_the_configuration_is_accepted_and_holds_every_true_cause(tmp_path: Path) -> None:
    (tmp_path / "certificates").mkdir()
    write_certificates(tmp_path / "certificates")
    config = load_config(write_configuration(tmp_path / "btimd", tmp_path / "certificates" / "authority.pem"))

    nodes = set(config.services.graph.nodes)

    causes = {node for known in ALL.values() for cause in known.causes for node in cause}
    assert causes - nodes <= set(ONLY_WITH_CHECK)


def test_there_are_enough_faults_of_enough_kinds_and_some_that_nobody_feels() -> None:
    kinds = {known.kind for known in FAULTS.values()}

    assert (len(FAULTS) >= 30, len(kinds) >= 14, len(UNTOUCHED) >= 8) == (True, True, True)
    assert not FAULTS.keys() & UNTOUCHED.keys()
    assert {known.name for known in FAULTS.values() if not known.felt} >= {"backup-dead", "web1-killed"}


@pytest.mark.parametrize(
    ("broken", "verdicts", "expected"),
    [
        (fault(("redis",)), (verdict(1, "redis", "redis", "rabbit"),), (1, [], 1.0)),
        (fault(("redis",)), (verdict(1, "rabbit", "rabbit", "redis"),), (2, ["rabbit"], 1.0)),
        (fault(("redis",)), (verdict(1, None, "shop"),), (0, [], 1.0)),
        (fault(("redis",)), (), (0, [], None)),
        # What is said later does not mend a wrong first word.
        (fault(("redis",)), (verdict(1, "rabbit", "rabbit"), verdict(2, "redis", "redis")), (0, ["rabbit"], 1.0)),
        (fault(("db", "server")), (verdict(1, "server", "server"),), (1, [], 1.0)),
        # Of two causes each has a verdict; the later one counts.
        (fault(("a",), ("b",)), (verdict(1, "a", "a"), verdict(2, "b", "b", seconds=4.0)), (1, [], 4.0)),
        (fault(("a",), ("b",)), (verdict(1, "a", "a", "b"),), (1, [], 1.0)),
        (fault(("a",), ("b",)), (verdict(1, "a", "a"),), (0, [], 1.0)),
        (fault(("a",), ("b",)), (verdict(1, "a", "a"), verdict(2, "c", "c", "b")), (2, ["c"], 1.0)),
    ],
)  # fmt: skip
def test_a_fault_is_judged_by_the_first_verdict_and_several_by_theirs(
    broken: Fault, verdicts: tuple[Verdict, ...], expected: tuple[int, list[str], float | None]
) -> None:
    score = judged(broken, *verdicts)

    assert (score.place, score.wrong, score.seconds) == expected


def test_the_summary_counts_first_places_and_takes_the_median() -> None:
    scores = [
        judged(fault(("redis",)), verdict(1, "redis", "redis", seconds=2.0)),
        judged(fault(("redis",)), verdict(1, "rabbit", "rabbit", "redis", seconds=4.0)),
        judged(fault(("redis",))),
    ]

    scores[2].name = next(iter(UNTOUCHED))
    told = summary(scores)

    assert (told["untouched"], told["untouched_right"], told["known_right"]) == (1, 0.0, 0.5)
    assert (told["faults"], told["kinds"]) == (3, 1)
    assert [told[name] for name in ("first_place_right", "among_first_three", "with_verdict")] == pytest.approx(
        [1 / 3, 2 / 3, 2 / 3]
    )
    assert (told["median_seconds"], told["p95_seconds"], told["mean_probes"]) == (3.0, 4.0, 2.0)


def test_the_table_names_what_was_not_found() -> None:
    right = judged(fault(("redis",)), verdict(1, "redis", "redis"))
    missed = judged(fault(("redis",)))
    unseen = judged(fault(("redis",)), verdict(1, "redis", "redis"))
    unseen.name = next(iter(UNTOUCHED))

    text = markdown([right, missed, unseen], "one core")

    assert "| broken | kind |  | shop fails | redis | 1 | 1.00 | - | 0.90 | 3 |  0% |" in text
    assert "| true cause at first place | 66.7% | 95 % |" in text
    assert "| of the 2 that tuning looked at | 50.0% | |" in text
    assert "| of the 1 that tuning never saw (*) | 100.0% | |" in text
    assert f"| {unseen.name} (*) | kind |" in text
    assert text.count("| broken |") == 3

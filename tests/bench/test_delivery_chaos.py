from pathlib import Path

import pytest

from bench import delivery_chaos
from bench.delivery_chaos import EVENTS, Score, count, parse


def notes(number: int, *events: int) -> list[str]:
    return [f"[btimd CHAOS-{number}.{event}] text" for event in events] + ["a person's note"]


def test_what_is_missing_twice_or_out_of_order_is_counted() -> None:
    score = Score("redmine")
    tickets = {
        "CHAOS-1": [("3", notes(1, 2, 3, 4, 5))],
        "CHAOS-2": [("3", notes(2, 2, 3, 3, 5)), ("1", [])],
        "CHAOS-3": [("3", notes(3, 3, 2, 4, 5))],
    }
    count(score, tickets, 4, "3")

    assert (score.lost_tickets, score.duplicate_tickets, score.wrong_status) == (1, 1, 1)
    assert (score.lost_notes, score.duplicate_notes, score.out_of_order) == (1 + EVENTS - 1, 1, 1)
    assert not score.good
    assert Score("redmine").good


@pytest.mark.real_server
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_killed_emitter_behind_a_faulty_line_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    options = parse(
        ["--incidents", "3", "--kills", "2", "--outages", "1", "--drop", "0.1", "--settle", "2", "--longest", "2"]
    )
    score = await delivery_chaos.run(options, "redmine")

    assert score.good, score
    assert score.incidents == 3

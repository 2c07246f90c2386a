from dataclasses import replace

from btimd.rca.worlddraw import Drawing, draw
from btimd.rca.worldwrite import model_text

SMALL = Drawing(nodes=400, regime="moderate", faults=1, incidents=3, seed=1)


def test_a_seed_says_it_all() -> None:
    first, again = draw(SMALL), draw(SMALL)

    assert list(model_text(first.model)) == list(model_text(again.model))
    assert first.incidents == again.incidents
    assert draw(replace(SMALL, seed=2)).incidents != first.incidents


def test_how_many_faults_and_incidents_are_drawn_does_not_change_the_model() -> None:
    few, many = draw(SMALL), draw(replace(SMALL, faults=3, incidents=5))

    assert list(model_text(few.model)) == list(model_text(many.model))
    assert [len(one["causes"]) for one in many.incidents] == [3] * 5


def test_what_was_asked_for_is_drawn() -> None:
    plain = draw(SMALL)
    other = draw(replace(SMALL, any_family=True))
    hidden = draw(replace(SMALL, hidden=True))
    changed = draw(replace(SMALL, changes=True))

    assert len(other.model.edges) != len(plain.model.edges)
    assert len(hidden.model) == 392
    assert all(one["causes"][0] not in hidden.model.node_row for one in hidden.incidents)
    assert all("changes" in one for one in changed.incidents)


def test_damage_spreads_as_was_asked_for() -> None:
    independent, correlated = draw(SMALL), draw(replace(SMALL, spread="correlated"))

    assert list(model_text(independent.model)) != list(model_text(correlated.model))
    assert len(correlated.incidents) == len(independent.incidents) == 3

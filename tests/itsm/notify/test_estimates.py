import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify import estimates
from btimd.itsm.notify.estimates import Estimates
from btimd.model.notification import AcceptTime, Means


def test_without_answers_the_usual_time_is_expected() -> None:
    assert Estimates().seconds("zhang", Means.SMS, 10) == pytest.approx(180)
    assert Estimates().seen("zhang", Means.SMS) == 0


def test_a_person_who_answers_at_once_by_night_only_is_expected_to_do_so_again() -> None:
    learned = Estimates()
    for _ in range(20):
        learned = learned.learned(AcceptTime("zhang", Means.SMS, 2, 20.0)).learned(
            AcceptTime("zhang", Means.SMS, 14, 900.0)
        )

    assert learned.seconds("zhang", Means.SMS, 3) == pytest.approx(180, abs=180)
    assert learned.seconds("zhang", Means.SMS, 1) < 50
    assert learned.seconds("zhang", Means.SMS, 13) > 400
    assert learned.seconds("zhang", Means.VOICE, 2) == pytest.approx(60)
    assert learned.seconds("li", Means.SMS, 2) == pytest.approx(180)


def test_no_answer_counts_as_a_late_one() -> None:
    learned = Estimates()
    for _ in range(10):
        learned = learned.learned(AcceptTime("zhang", Means.IM, 9, 600.0, censored=True))

    assert learned.seconds("zhang", Means.IM, 9) > 600


def test_it_comes_back_from_its_document() -> None:
    learned = Estimates().learned(AcceptTime("zhang", Means.IM, 9, 30.0)).learned(AcceptTime("李", Means.SMS, 23, 1e12))

    assert Estimates.from_document(json.loads(json.dumps(learned.to_document()))) == learned


def test_it_forgets_who_was_untouched_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "CELL_LIMIT", 4)
    learned = Estimates()
    for person in ("a", "b", "a", "c"):
        learned = learned.learned(AcceptTime(person, Means.IM, 9, 30.0))

    assert {person for person, _, _ in learned.cells} == {"a", "c"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "no document of version 1"),
        ({"version": 2}, "no document of version 1"),
        ({"version": 1, "cells": 3}, "cells are no list"),
        ({"version": 1, "cells": [["a", "im", 3, 1.0]]}, r"cells\[0\]: not enough values"),
        ({"version": 1, "cells": [["a", "pigeon", 3, 1.0, 1.0]]}, r"cells\[0\]: 'pigeon' is not a valid Means"),
        ({"version": 1, "cells": [["a", "im", 8, 1.0, 1.0]]}, r"cells\[0\]: out of range"),
        ({"version": 1, "cells": [["a", "im", 3, float("nan"), 1.0]]}, r"cells\[0\]: out of range"),
    ],
)
def test_a_document_of_something_else_is_refused(document: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Estimates.from_document(document)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(Means), st.integers(0, 23), st.floats(0, 1e9)), max_size=30
    )
)
def test_an_estimate_is_always_between_a_second_and_a_week(answers: list[tuple[str, Means, int, float]]) -> None:
    learned = Estimates()
    for answer in answers:
        learned = learned.learned(AcceptTime(*answer))
    for person, means, hour, _ in answers:
        assert 1 <= learned.seconds(person, means, hour) <= 7 * 86_400

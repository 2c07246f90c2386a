"""Tests of the language of an operator's own indicators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.settings.expressions import parse

FIGURES = {"users_online": 60.0, "response_p95_seconds": 2.5, "retransmission_ratio": None, "kpi.orders": 12.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("response_p95_seconds > 2 and users_online >= 50", True),
        ("1 < response_p95_seconds < 2", False),
        ("users_online / kpi.orders", 5.0),
        ("max(users_online, 100) - min(1, 2, 3)", 99.0),
        ("abs(-3) * 2 + 1", 7.0),
        ("not users_online > 50", False),
        ("retransmission_ratio > 0.05", None),
        ("retransmission_ratio > 0.05 and users_online < 10", False),
        ("retransmission_ratio > 0.05 or users_online > 10", True),
        ("not retransmission_ratio > 0.05", None),
        ("users_online / 0", None),
        ("kpi.never_pushed > 1", None),
        ("True", 1.0),
    ],
)
def test_an_expression_comes_to_what_it_says_and_to_unknown_where_a_figure_that_matters_is_unknown(
    text: str, expected: float | None
) -> None:
    assert parse(text, FIGURES).evaluate(FIGURES) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("users_onlin > 5", "no figure 'users_onlin'; did you mean 'users_online'?"),
        ("users_online >", "cannot be read; write for example response_p95_seconds > 2 and users_online > 50"),
        ("", "cannot be read; write for example response_p95_seconds > 2 and users_online > 50"),
        ("__import__('os').system('true')", "'__import__('os').system('true')' is not allowed; there are figures, numbers, + - * /, comparisons, and, or, not, min, max, abs"),
        ("users_online ** 9999999", "'users_online ** 9999999' is not allowed; there are figures, numbers, + - * /, comparisons, and, or, not, min, max, abs"),
        ("users_online[0]", "'users_online[0]' is not allowed; there are figures, numbers, + - * /, comparisons, and, or, not, min, max, abs"),
        ("(lambda: 1)()", "'(lambda: 1)()' is not allowed; there are figures, numbers, + - * /, comparisons, and, or, not, min, max, abs"),
        ("'text' > 1", "''text'' is not allowed; there are figures, numbers, + - * /, comparisons, and, or, not, min, max, abs"),
        ("abs(1).real > 0", "'abs(1)' is no name of a figure"),
        ("+".join(["1"] * 150), "is too long; make two indicators of it"),
        ("1" * 501, "501 characters; 500 at most"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused_with_what_to_write(text: str, error: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text, FIGURES)

    assert str(raised.value) == error


def test_the_figures_of_an_expression_are_told() -> None:
    assert parse("kpi.orders < 5 or max(users_online, 1) > 2").names == {"kpi.orders", "users_online"}


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        expression = parse(text)
    except ValueError:
        return
    assert expression.evaluate({}) is None or isinstance(expression.evaluate({}), float | bool)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.templates import check, filled, names


def test_names_are_replaced_and_braces_of_values_are_text() -> None:
    assert filled("{{{a}}} {b}", {"a": "{b}", "b": "{0.__class__}"}) == "{{b}} {0.__class__}"
    assert names("{a} {b} {{c}}") == {"a", "b"}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{tilte}", "unknown {tilte}; known: number, title"),
        ("{title.upper}", "{title.upper} is no plain name; write {name} only"),
        ("{title[0]}", "{title[0]} is no plain name"),
        ("{title!r}", "{title!r} is no plain name"),
        ("{title:>9999999}", "{title:>9999999} is no plain name"),
        ("{}", "{} is no plain name"),
        ("{0}", "{0} is no plain name"),
        ("{title", "the braces do not match (expected '}' before end of string); write {{ and }}"),
        ("a" * 4001, "the template has 4001 characters, at most 4000 are read"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused_with_the_names_there_are(template: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        check(template, {"title", "number"})
    assert str(refused.value).startswith(message)


@given(st.text(max_size=80), st.text(max_size=20))
def test_what_passes_the_check_can_be_filled(template: str, value: str) -> None:
    try:
        check(template, {"a"})
    except ValueError:
        return
    assert isinstance(filled(template, {"a": value}), str)

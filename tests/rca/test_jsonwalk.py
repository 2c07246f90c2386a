import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.rca.jsonwalk import MOST_PROBLEMS, FileProblem, FileProblemsError, JsonWalk, shown

WORDS = st.text(max_size=4)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
LISTS = st.lists(VALUES, max_size=4)


def lists(text: str) -> dict[str, list[Any]]:
    """Return what is in an object of lists."""
    walk = JsonWalk(text)
    found = {key: [one for _, one in walk.elements(place, key)] for key, place in walk.members(walk.begin())}
    walk.finish()
    return found


def problems(text: str) -> list[FileProblem]:
    """Return what is wrong with a text that should be an object of lists."""
    with pytest.raises(FileProblemsError) as raised:
        lists(text)
    return raised.value.problems


@given(st.dictionaries(WORDS, LISTS, max_size=3), st.sampled_from([None, 1]))
def test_an_object_of_lists_is_walked_through_as_json_reads_it(value: dict[str, list[Any]], indent: int | None) -> None:
    assert lists(f" {json.dumps(value, indent=indent)}\n") == value


@given(st.dictionaries(WORDS, VALUES, max_size=3))
def test_what_nobody_takes_is_passed_over(value: dict[str, Any]) -> None:
    walk = JsonWalk(json.dumps(value))

    assert [key for key, _ in walk.members(walk.begin())] == list(value)


@given(LISTS, st.sampled_from([None, 1]))
def test_a_list_is_walked_through_as_json_reads_it(value: list[Any], indent: int | None) -> None:
    assert [one for _, one in JsonWalk(json.dumps(value, indent=indent)).whole_list()] == value


@given(st.text(alphabet='{}[],:"a1 \n'))
def test_any_text_is_walked_through_or_refused(text: str) -> None:
    try:
        found = lists(text)
    except FileProblemsError:
        return
    assert not text.strip().startswith("{") or json.loads(text) == found


def test_where_a_text_breaks_off_is_told() -> None:
    assert problems('{"a": [1,\n2') == [FileProblem(2, "a", "expected ',' or ']', found the end of the file")]
    assert problems('{"a": [1,\n]}') == [FileProblem(2, "a[1]", "a value is missing, found ']}'")]
    assert problems('{"a": [1}') == [FileProblem(1, "a", "expected ',' or ']', found '}'")]
    assert problems('{"a": ["x\n"]}') == [FileProblem(1, "a[0]", "not JSON: Invalid control character at")]
    assert problems('{"a": []\n "b": []}') == [FileProblem(2, "", "expected ',' or '}', found '\"b\": []}'")]
    assert problems('{"a" []}') == [FileProblem(1, "", "expected a key and ':', found '\"a\" []}'")]
    assert problems('{"a": []} x') == [FileProblem(1, "", "something follows the end: 'x'")]
    assert problems('{"a": 7}') == [FileProblem(1, "a", "must be a list, not 7")]


def test_a_text_that_is_nested_too_deeply_is_refused() -> None:
    deep = "[" * 100_000

    assert problems('{"a": [' + deep) == [FileProblem(1, "a[0]", "nested too deeply")]


def test_so_many_problems_are_told_and_no_more() -> None:
    walk = JsonWalk("\n" * 100)

    def all_wrong() -> None:
        for offset in range(100):
            walk.wrong(offset, "here", "wrong")

    with pytest.raises(FileProblemsError) as raised:
        all_wrong()

    assert raised.value.more == 1
    assert raised.value.problems == [FileProblem(line, "here", "wrong") for line in range(1, MOST_PROBLEMS + 1)]


def test_what_was_found_is_cut_to_fit() -> None:
    assert shown("x" * 200) == "'" + "x" * 59 + "..."
    assert shown(None) == "None"

"""Lines of TOML values, compared with a slow search and on awkward text."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from btimd.settings.positions import KeyPath, Positions, toml_lines


def test_every_table_key_and_array_element_has_its_line() -> None:
    text = """\
# a comment = with an equals sign
[service.core-banking]   # trailing
name = "a ] tricky \\" # string"
prefixes = [
  "10.0.0.0/8",          # one
  "10.1.0.0/16", 'x',
]
options = { path = "/a", nested = { deep = 1 } }

["quoted.table".inner]
'literal key' = '''
two
lines'''
after = 1979-05-27T07:32:00Z
[[thing]]
a.b = 1
[[thing]]
c = [[1, 2],
     [3]]
"""
    tomllib.loads(text)

    assert toml_lines(text) == {
        ("service",): 2,
        ("service", "core-banking"): 2,
        ("service", "core-banking", "name"): 3,
        ("service", "core-banking", "prefixes"): 4,
        ("service", "core-banking", "prefixes", 0): 5,
        ("service", "core-banking", "prefixes", 1): 6,
        ("service", "core-banking", "prefixes", 2): 6,
        ("service", "core-banking", "options"): 8,
        ("service", "core-banking", "options", "path"): 8,
        ("service", "core-banking", "options", "nested"): 8,
        ("service", "core-banking", "options", "nested", "deep"): 8,
        ("quoted.table",): 10,
        ("quoted.table", "inner"): 10,
        ("quoted.table", "inner", "literal key"): 11,
        ("quoted.table", "inner", "after"): 14,
        ("thing",): 15,
        ("thing", 0): 15,
        ("thing", 0, "a"): 16,
        ("thing", 0, "a", "b"): 16,
        ("thing", 1): 17,
        ("thing", 1, "c"): 18,
        ("thing", 1, "c", 0): 18,
        ("thing", 1, "c", 0, 0): 18,
        ("thing", 1, "c", 0, 1): 18,
        ("thing", 1, "c", 1): 19,
        ("thing", 1, "c", 1, 0): 19,
    }


def test_a_path_that_was_not_written_has_the_line_of_what_is_above_it() -> None:
    positions = Positions(toml_lines("a = 1\n[b.c]\nd = 2\n"))
    paths: list[KeyPath] = [("b", "c", "missing"), ("b", "c", "d", 7), ("nothing",)]

    assert [positions.line(path) for path in paths] == [2, 3, 1]


SCALARS = st.one_of(
    st.integers(-5, 5).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(alphabet="ab#]}=,'\n\\", max_size=6).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace("\n", "\\n") + '"'
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[ " + ",\n ".join(items) + " ]"),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=6))
def test_the_line_of_each_key_is_where_a_search_finds_it_and_every_value_has_a_line(values: list[str]) -> None:
    text = "".join(f"[t.k{index}]\nkey{index} = {value} # end\n" for index, value in enumerate(values))
    tomllib.loads(text)

    lines = toml_lines(text)

    for index in range(len(values)):
        expected = next(at for at, line in enumerate(text.split("\n"), 1) if line.startswith(f"key{index} = "))
        assert lines["t", f"k{index}", f"key{index}"] == expected

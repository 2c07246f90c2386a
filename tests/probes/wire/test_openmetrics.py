import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.openmetrics import (
    MAX_LABELS,
    MAX_LINE,
    MAX_SERIES,
    Found,
    Sample,
    decode_line,
    find,
    looks_like_metrics,
    selector_of,
)

PAGE = """\
# HELP http_requests_total All "requests".
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000
http_requests_total_of_others 7
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
 something_weird{problem="division by zero"} +Inf -3982045
foo_bucket{le="0.01"} 0 # {trace_id="KOO5S4vxi0o"} 0.67
rpc_duration_seconds{quantile="0.5",} NaN
# EOF
"""


def test_the_samples_of_the_formats_own_examples() -> None:
    found = [sample for line in PAGE.split("\n") if (sample := decode_line(line)) is not None]
    assert found[:-1] == [
        Sample("http_requests_total", (("code", "200"), ("method", "post")), 1027.0),
        Sample("http_requests_total", (("code", "400"), ("method", "post")), 3.0),
        Sample("http_requests_total_of_others", (), 7.0),
        Sample(
            "msdos_file_access_time_seconds",
            (("error", 'Cannot find file:\n"FILE.TXT"'), ("path", "C:\\DIR\\FILE.TXT")),
            1.458255915e9,
        ),
        Sample("metric_without_timestamp_and_labels", (), 12.47),
        Sample("something_weird", (("problem", "division by zero"),), math.inf),
        Sample("foo_bucket", (("le", "0.01"),), 0.0),
    ]
    assert math.isnan(found[-1].value)


def test_names_of_any_signs_stand_within_the_braces() -> None:
    assert decode_line('{"http.duration", "a.b"="c"} 5') == Sample("http.duration", (("a.b", "c"),), 5.0)


@pytest.mark.parametrize(
    "line",
    [
        "name",
        "name value",
        "name{a=b} 1",
        'name{a="b} 1',
        'name{a="b"',
        'name{a="b"}',
        'name{a="b" c="d"} 1',
        'name{a!="b"} 1',
        "{} 1",
        "1 1",
        "name 1 2 3",
        "name 1_000",
        "name1.5x",
        "name 0x10",
        "a" * (MAX_LINE + 1) + " 1",
        "name{" + ",".join(f'l{number}="x"' for number in range(MAX_LABELS + 1)) + "} 1",
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(AnswerError):
        decode_line(line)


@pytest.mark.parametrize(
    ("selector", "values"),
    [
        ("http_requests_total", [1027.0, 3.0]),
        ('http_requests_total{code="400"}', [3.0]),
        ("http_requests_total{code='400'}", [3.0]),
        ('http_requests_total{code!="400"}', [1027.0]),
        ('http_requests_total{code=~"4..", method!~"get|put"}', [3.0]),
        ('http_requests_total{code!~"4.."}', [1027.0]),
        ('http_requests_total{none=""}', [1027.0, 3.0]),
        ("http_requests", []),
        ("requests_total", []),
        ("something_weird{}", [math.inf]),
    ],
)
def test_a_selector_takes_the_series_it_means(selector: str, values: list[float]) -> None:
    assert [sample.value for sample in find(PAGE, selector_of(selector)).samples] == values


@pytest.mark.parametrize("text", ["", "1x", "a b", "a{", 'a{b="c"', 'a{b="c"} 5', 'a{b=~"("}', "a[5m]", "rate(a)"])
def test_what_is_no_selector_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match='write "node_load1"'):
        selector_of(text)


def test_broken_lines_of_other_names_do_no_harm_and_own_ones_are_counted() -> None:
    page = 'x{a="1"} 1\nother{{{\nx{a=2} 2\nx 3 4 5 6\nx{a="3"} 3'
    assert find(page, selector_of("x")) == Found(
        (Sample("x", (("a", "1"),), 1.0), Sample("x", (("a", "3"),), 3.0)), 4, 2, "labels that cannot be read: 'a=2} 2'"
    )


def test_no_more_series_than_allowed_are_read() -> None:
    page = "\n".join(f'x{{n="{number}"}} 1' for number in range(MAX_SERIES + 10))
    found = find(page, selector_of("x"))
    assert (len(found.samples), found.broken, found.broken_line) == (MAX_SERIES, 1, f"more than {MAX_SERIES} series")


def test_a_page_of_something_else_is_told_apart() -> None:
    assert looks_like_metrics(PAGE)
    assert not looks_like_metrics("<html><body>Not Found</body></html>\n")
    assert not looks_like_metrics("# EOF\n")


@given(st.text(alphabet='ab_{}=",\\\n #1.eNaI+-~!\x00é', max_size=200))
def test_any_mixture_of_its_signs_is_taken_or_refused(text: str) -> None:
    for line in text.split("\n"):
        try:
            decode_line(line)
        except AnswerError:
            continue
    find(text, selector_of("a"))
    with contextlib.suppress(ValueError):
        selector_of(text)


def test_a_page_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    whole = {sample.labels for sample in find(PAGE, selector_of("http_requests_total")).samples}
    for end in range(len(PAGE)):
        assert {sample.labels for sample in find(PAGE[:end], selector_of("http_requests_total")).samples} <= whole


@given(st.integers(0, len(PAGE) - 1), st.characters())
def test_a_page_with_any_sign_changed_is_read(at: int, sign: str) -> None:
    for name in ("http_requests_total", "foo_bucket", "msdos_file_access_time_seconds"):
        find(PAGE[:at] + sign + PAGE[at + 1 :], selector_of(name))


def test_hostile_lines_take_no_time() -> None:
    for line in (
        'x{a="' + "\\" * 60_000,
        "x{" + 'a="",' * 12_000,
        "x" * 60_000,
        "x " + " " * 60_000,
        "x 1" + "1" * 60_000,
    ):
        try:
            decode_line(line)
        except AnswerError:
            continue

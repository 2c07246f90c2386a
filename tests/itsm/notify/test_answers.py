import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.answers import at_path, by_status, parsed, retry_after, said
from btimd.itsm.outbox import OutcomeKind
from tests.itsm.notify.examples import NOW


@pytest.mark.parametrize(
    ("path", "found"), [("a.b.1.c", 7), ("a", {"b": [0, {"c": 7}]}), ("a.x", None), ("a.b.9", None), ("a.b.-1", None), ("a.b.1.c.d", None)]
)  # fmt: skip
def test_a_path_leads_into_a_document(path: str, found: object) -> None:
    assert at_path({"a": {"b": [0, {"c": 7}]}}, path) == found


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Fri, 20 Nov 2026 02:03:00 GMT", 60.0), ("Fri, 20 Nov 2020 02:03:00 GMT", 0.0), ("soon", None), (None, None), ("9" * 30, None)],
)  # fmt: skip
def test_how_long_to_wait_is_read_from_both_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_what_an_answer_says_is_fit_for_a_log() -> None:
    assert [said(value) for value in ("a\r\n\x1bb", 3, True, None, {"x": 1}, "y" * 500)] == [
        "a b",
        "3",
        "true",
        "",
        "",
        "y" * 200,
    ]
    assert said("x" * 195 + "secret", ("secret",)) == "x" * 195 + "***"
    assert parsed(b"[" * 100_000) is None
    assert parsed(b"\xff{") is None


@given(st.integers(0, 999), st.text(max_size=20), st.binary(max_size=40))
def test_any_answer_means_something(status: int, header: str, octets: bytes) -> None:
    assert by_status(status, {"Retry-After": header}, NOW).kind in OutcomeKind
    at_path(parsed(octets), header)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.speech import spoken_digits


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("4711", "zh", "四七一一"),
        ("4711", "en", "four seven one one"),
        ("P1", "zh", "一级"),
        ("P2", "en", "priority two"),
        ("10:02", "zh", "10点2分"),
        ("10:00", "en", "10 o'clock"),
        ("11-22 10:05", "zh", "11月22日10点5分"),
        ("11-22 10:05", "en", "22 of month 11, 10 05"),
        ("oracle01 #7", "zh", "oracle零一 七"),
        ("<a href=x>*b*", "en", "a href x b"),
        ("10.1.2.3:1521", "zh", "一零.一.二.三:一五二一"),
        ("\ue000\ue001", "zh", ""),
    ],
)
def test_numbers_are_read_digit_by_digit_and_times_as_times(text: str, language: str, said: str) -> None:
    assert spoken_digits(text, language) == said


@given(st.text(max_size=100), st.sampled_from(["zh", "en"]))
def test_any_text_can_be_said(text: str, language: str) -> None:
    said = spoken_digits(text, language)
    assert "\ue000" not in said
    assert "\ue001" not in said

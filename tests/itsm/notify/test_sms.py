import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.sms import Alphabet, Size, alphabet_of, clusters, fitted, shortened, size_of

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e8\U0001f1f3"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", Size(Alphabet.GSM7, 0, 1)),
        ("a" * 160, Size(Alphabet.GSM7, 160, 1)),
        ("a" * 161, Size(Alphabet.GSM7, 161, 2)),
        ("a" * 306, Size(Alphabet.GSM7, 306, 2)),
        ("a" * 307, Size(Alphabet.GSM7, 307, 3)),
        ("€" * 80, Size(Alphabet.GSM7, 160, 1)),
        ("a" * 152 + "€" * 5, Size(Alphabet.GSM7, 162, 2)),  # the escape is not parted from its letter
        ("中" * 70, Size(Alphabet.UCS2, 70, 1)),
        ("中" * 71, Size(Alphabet.UCS2, 71, 2)),
        ("中" * 134, Size(Alphabet.UCS2, 134, 2)),
        ("中" * 135, Size(Alphabet.UCS2, 135, 3)),
        ("中" * 66 + "\U0001f525" + "中" * 66, Size(Alphabet.UCS2, 134, 3)),  # nor a surrogate from its other half
    ],
)
def test_parts_are_counted_as_phones_count_them(text: str, size: Size) -> None:
    assert size_of(text) == size


def test_characters_that_readers_see_as_one_stay_one() -> None:
    assert list(clusters(f"e\u0301{FAMILY}中{FLAG}{FLAG}1\ufe0f\u20e3")) == [
        "e\u0301",
        FAMILY,
        "中",
        FLAG,
        FLAG,
        "1\ufe0f\u20e3",
    ]


@pytest.mark.parametrize(
    ("text", "keep", "cut"),
    [
        ("监听中断", 4, "监听中断"),
        ("监听中断", 2, "监听…"),
        ("监听中断", 0, ""),
        ("listener stopped", 14, "listener…"),
        ("unbelievably", 5, "unbel…"),
        (f"ab{FAMILY}c", 3, f"ab{FAMILY}…"),
    ],
)
def test_a_cut_keeps_characters_whole_and_words_where_that_loses_little(text: str, keep: int, cut: str) -> None:
    assert shortened(text, keep, "…") == cut


def test_what_matters_least_is_cut_first_and_what_matters_most_never() -> None:
    values = {"text": "数据库监听器不响应连接请求" * 12, "title": "监听中断"}

    written = fitted(lambda held: f"[P1] {held['title']} {held['text']} #4711 回复 1接", values, ("text", "title"), 1)

    assert written.startswith("[P1] 监听中断 数据库")
    assert written.endswith("… #4711 回复 1接")
    assert size_of(written) == Size(Alphabet.UCS2, 70, 1)


@given(st.text(max_size=300), st.text(max_size=300), st.integers(1, 3))
def test_any_text_fits_and_keeps_its_end(title: str, text: str, parts: int) -> None:
    written = fitted(
        lambda held: f"{held['title']} {held['text']} #4711", {"title": title, "text": text}, ("text", "title"), parts
    )

    assert size_of(written).parts <= parts
    assert written.endswith(" #4711")


@given(st.text(max_size=400), st.integers(1, 2))
def test_a_text_that_must_not_be_cut_is_cut_at_its_end_only(text: str, parts: int) -> None:
    written = fitted(lambda _: text, {}, (), parts)

    assert size_of(written).parts <= parts
    assert written == text or written.rstrip("….").rstrip() in text


@given(st.text(max_size=60))
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text
    assert alphabet_of(text) in Alphabet

import pytest

from btimd.itsm.notify import words
from btimd.model.notification import NoticeKind


@pytest.mark.parametrize("table", [words.SHORT, words.SPOKEN, words.HEADLINE])
def test_both_languages_have_words_for_every_kind(table: dict[str, dict[NoticeKind, str]]) -> None:
    assert {language: set(kinds) for language, kinds in table.items()} == {"zh": set(NoticeKind), "en": set(NoticeKind)}


def test_both_languages_know_the_same_states_and_labels() -> None:
    assert set(words.STATUS["zh"]) == set(words.STATUS["en"])
    assert set(words.LABELS["zh"]) == set(words.LABELS["en"]) <= words.PLACEHOLDERS


def test_both_languages_know_the_same_news() -> None:
    assert set(words.NEWS["zh"]) == set(words.NEWS["en"])
    assert set(words.NEWS["zh"]).isdisjoint(words.STATUS["zh"])

"""Articles as files: what is written is read back; what is no article is refused in words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.cli.ctl_articlefiles import MAX_OCTETS, ArticleFileError, article_file, read_article, text_of
from btimd.model.knowledge import Language
from btimd.model.knowledgework import ArticleText
from tests.fakes.knowledge import ARTICLE

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40).map(str.strip)
NAMES = st.lists(TEXT.filter(bool), max_size=3).map(tuple)


@given(
    st.builds(
        ArticleText, title=TEXT.filter(bool), symptom=TEXT, cause=TEXT, workaround=TEXT, solution=TEXT, category=TEXT,
        language=st.sampled_from(Language), nodes=NAMES, kinds=NAMES, signatures=NAMES, keywords=NAMES,
    ),
    st.text(max_size=20),
)  # fmt: skip
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, text: ArticleText, heading: str
) -> None:
    path = tmp_path_factory.mktemp("a") / "a.toml"
    clean = "".join(one for one in heading if one.isprintable())
    path.write_text(article_file(text, clean), encoding="utf-8", newline="")
    assert read_article(path) == text


def test_a_file_is_made_for_people() -> None:
    assert article_file(text_of(ARTICLE), "KB-1, version 4").splitlines()[:4] == [
        "# KB-1, version 4", 'title = "监听中断"', 'symptom = "支付失败"', 'cause = "进程用尽"',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title = 1", "title is no text; write it in quotes"),
        (b"titel = 'x'", "'titel' is no field of an article; known: category, cause, "),
        (b"title = 'x'\nnodes = 'y'", 'nodes is no list of texts; write it as ["...", "..."]'),
        (b"title = 'x'\nlanguage = 'fr'", "language is 'fr'; write zh or en"),
        (b"title = ' '", "it has no title; write one"),
        (b"title = 'x", "is no TOML in UTF-8"),
        (b"title = '\xff'", "is no TOML in UTF-8"),
        (b"#" * (MAX_OCTETS + 1), "it has more than 512 KiB; an article is shorter"),
    ],
)
def test_what_is_no_article_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(ArticleFileError) as refused:
        read_article(path)
    assert str(refused.value).startswith(str(path)) or str(refused.value).startswith(f"{path} ")
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArticleFileError, match="cannot read .*none.toml: No such file"):
        read_article(tmp_path / "none.toml")

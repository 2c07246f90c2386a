"""HTML becomes lines of words."""

import pytest

from btimd.itsm.intake.htmltext import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><td>Host</td><td>web01</td></tr><tr><td>State</td><td>DOWN</td></tr></table>", "Host web01\n\nState DOWN"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<p>a\n  b</p>&amp;&#25903;", "a b\n&支"),
        ("<style>x</style>a<!-- hidden <b> -->b", "ab"),
        ("<style>never closed", ""),
        ("a < b", "a b"),
        ("<!-- never closed", ""),
        ("<title>t</title><body>x", "x"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_people_see_is_kept(html: str, text: str) -> None:
    assert html_to_text(html) == text

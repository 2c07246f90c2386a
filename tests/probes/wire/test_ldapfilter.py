import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.ber import encode
from btimd.probes.wire.ldapfilter import encode_filter


def text(value: str) -> bytes:
    return encode(4, value.encode())


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("(objectClass=*)", encode(0x87, b"objectClass")),
        ("(uid=probe)", encode(0xA3, text("uid"), text("probe"))),
        ("(cn=a\\2ab)", encode(0xA3, text("cn"), text("a*b"))),
        ("(cn=)", encode(0xA3, text("cn"), text(""))),
        ("(n>=5)", encode(0xA5, text("n"), text("5"))),
        ("(n<=5)", encode(0xA6, text("n"), text("5"))),
        ("(n~=5)", encode(0xA8, text("n"), text("5"))),
        (
            "(cn=a*b*c)",
            encode(0xA4, text("cn"), encode(0x30, encode(0x80, b"a"), encode(0x81, b"b"), encode(0x82, b"c"))),
        ),
        ("(cn=*b)", encode(0xA4, text("cn"), encode(0x30, encode(0x82, b"b")))),
        (
            "(&(a=1)(|(b=2)(!(c=3))))",
            encode(
                0xA0,
                encode(0xA3, text("a"), text("1")),
                encode(0xA1, encode(0xA3, text("b"), text("2")), encode(0xA2, encode(0xA3, text("c"), text("3")))),
            ),
        ),
    ],
)
def test_a_filter_is_sent_as_the_standard_says(written: str, sent: bytes) -> None:
    assert encode_filter(written) == sent


@pytest.mark.parametrize(
    "written",
    ["", "uid=a", "(uid)", "(uid=a", "(uid=a)x", "(&)", "(!(a=1)(b=2))", "(&(a=1)", "(" * 50, "(ü=1)", "(=1)"],
)
def test_what_is_no_filter_is_said_in_words(written: str) -> None:
    with pytest.raises(ValueError, match="is not understood from"):
        encode_filter(written)


@given(st.text("()&|!=*<>~a1\\", max_size=40))
def test_anything_is_a_filter_or_refused(written: str) -> None:
    with contextlib.suppress(ValueError):
        assert encode_filter(written)

import pytest

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.mail import MAX_LINE, MAX_LINES, MAX_RECEIVED, LineReader, Logon, Reply, ReplyReader


def test_octets_become_lines_however_they_come() -> None:
    reader = LineReader()
    for octet in b"+OK hi\r\nbare\n\xff":
        reader.add(bytes((octet,)))
    assert (reader.take(), reader.take(), reader.take()) == ("+OK hi", "bare", None)
    assert not reader.is_empty
    reader.add(b"\n")
    assert (reader.take(), reader.is_empty, reader.has_begun) == ("\ufffd", True, True)


def test_no_more_is_held_than_the_limits() -> None:
    reader = LineReader()
    reader.add(b"x" * MAX_LINE)
    with pytest.raises(AnswerError, match="a line over 8192 octets"):
        reader.take()
    reader = LineReader()
    with pytest.raises(AnswerError, match="over 131072 octets"):
        reader.add(b"\n" * (MAX_RECEIVED + 1))
    reader = LineReader()
    reader.add(b"\n" * (MAX_LINES + 1))
    assert [reader.take() for _ in range(MAX_LINES)] == [""] * MAX_LINES
    with pytest.raises(AnswerError, match="over 1000 lines"):
        reader.take()


def replies(*lines: str, free_text: bool = False) -> list[Reply]:
    reader = ReplyReader(free_text=free_text)
    return [reply for line in lines if (reply := reader.take(line)) is not None]


def test_replies_of_one_and_of_many_lines() -> None:
    assert replies("220-a", "220 b", "250") == [Reply(220, ("a", "b")), Reply(250, ("",))]
    assert replies("211-Features:", " UTF8", "211 End", free_text=True) == [Reply(211, ("Features:", " UTF8", "End"))]
    assert str(Reply(550, ("no\x1b",))) == "550 no?"


@pytest.mark.parametrize("lines", [("",), ("22",), ("220_x",), ("920 x",), ("220-a", "250 b"), ("220-a", " b")])
def test_what_is_no_reply_is_told(lines: tuple[str, ...]) -> None:
    with pytest.raises(AnswerError, match="the line"):
        replies(*lines)


def test_a_password_is_never_shown_and_never_breaks_its_line() -> None:
    assert repr(Logon("me", "secret")) == "Logon('me')"
    assert Logon("me", "secret").hidden == ("AG1lAHNlY3JldA==", "c2VjcmV0", "secret")
    for text in ("a\r\nQUIT", "a\0"):
        with pytest.raises(ValueError, match="must not hold control characters"):
            Logon("me", text)

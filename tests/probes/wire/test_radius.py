import hmac
from hashlib import md5

import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.radius import (
    Expect,
    RadiusDialogue,
    RadiusQuestion,
    attributes_of,
    encode_request,
    hide_password,
)
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

TOKEN = 0x1122_3344_5566_7788
ASKED = RadiusQuestion("xyzzy5461", "nemo", "arctangent")
REQUEST = encode_request(ASKED, TOKEN)


def dialogue(question: RadiusQuestion = ASKED) -> RadiusDialogue:
    return RadiusDialogue("10.2.0.18", 0, question, TOKEN)


def answer(
    code: int, words: bytes = b"", *, secret: bytes = b"xyzzy5461", number: int = 0x88, signed: bool = True
) -> bytes:
    attributes = (b"\x12" + bytes((len(words) + 2,)) + words if words else b"") + (b"\x50\x12" + bytes(16)) * signed
    head = bytes((code, number)) + (20 + len(attributes)).to_bytes(2)
    if signed:
        attributes = attributes[:-16] + hmac.digest(secret, head + REQUEST[4:20] + attributes, "md5")
    return head + md5(head + REQUEST[4:20] + attributes + secret).digest() + attributes  # noqa: S324  RFC 2865's own


def test_a_password_is_hidden_as_the_standard_shows() -> None:
    authenticator = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")  # RFC 2865 section 7.1
    assert hide_password(b"arctangent", b"xyzzy5461", authenticator) == bytes.fromhex(
        "0dbe708d93d413ce3196e43f782a0aee"
    )
    assert len(hide_password(b"", b"s", authenticator)) == 16
    assert len(hide_password(b"x" * 17, b"s", authenticator)) == 32


def test_a_request_is_signed_and_tells_no_password() -> None:
    assert (REQUEST[0], REQUEST[1], int.from_bytes(REQUEST[2:4])) == (1, 0x88, len(REQUEST))
    found = [(kind, value) for kind, _, value in attributes_of(REQUEST)]
    assert [kind for kind, _ in found] == [80, 1, 2, 32]
    assert (found[1][1], found[3][1]) == (b"nemo", b"btimd")
    blank = REQUEST[:22] + bytes(16) + REQUEST[38:]
    assert found[0][1] == hmac.digest(b"xyzzy5461", blank, "md5")
    assert b"arctangent" not in REQUEST
    assert encode_request(RadiusQuestion("s"), TOKEN)[0] == 12


def test_an_accept_is_good() -> None:
    sent, end = play(dialogue(), [answer(2, b"welcome")])
    assert sent == [REQUEST]
    assert told(end) == (ErrorClass.NONE, "10.2.0.18:1812 answers Access-Accept: welcome")
    assert end is not None
    assert dict(end.values) == {"answer_seconds": 0.125}


@pytest.mark.parametrize(
    ("question", "said", "error", "detail"),
    [
        (ASKED, answer(3), ErrorClass.WRONG_ANSWER, "answers Access-Reject, expected accept"),
        (ASKED, answer(11), ErrorClass.WRONG_ANSWER, "answers Access-Challenge, expected accept"),
        (ASKED, answer(3, b"no arctangent"), ErrorClass.WRONG_ANSWER, "answers Access-Reject: no ***, expected accept"),
        (
            RadiusQuestion("xyzzy5461", "nemo", "arctangent", expect=Expect.REJECT),
            answer(3),
            ErrorClass.NONE,
            "answers Access-Reject",
        ),
        (
            RadiusQuestion("xyzzy5461", "nemo", "arctangent", expect=Expect.ANY),
            answer(11),
            ErrorClass.NONE,
            "answers Access-Challenge",
        ),
        (
            RadiusQuestion("xyzzy5461", "nemo", "arctangent", is_authenticator_required=True),
            answer(2, signed=False),
            ErrorClass.WRONG_ANSWER,
            "answers Access-Accept, without a Message-Authenticator",
        ),
        (ASKED, answer(2, signed=False), ErrorClass.NONE, "answers Access-Accept"),
        (
            ASKED,
            answer(2, secret=b"other"),
            ErrorClass.PROTOCOL_ERROR,
            "sends an answer that is signed with another secret",
        ),
        (ASKED, b"\2\x88", ErrorClass.PROTOCOL_ERROR, "sends a packet of 2 octets"),
        (
            ASKED,
            answer(2, number=1),
            ErrorClass.TIMEOUT,
            (
                "does not answer a RADIUS request (down, overloaded, or this client or the key it shares is not known there) "
                "within 0.4 s"
            ),
        ),
    ],
)
def test_every_other_answer_says_why(question: RadiusQuestion, said: Piece, error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(question), [said])) == (error, f"10.2.0.18:1812 {detail}")


def test_a_wrong_message_authenticator_is_told() -> None:
    good = answer(2, signed=True)
    wrong = good[:-1] + bytes((good[-1] ^ 1,))
    resigned = wrong[:4] + md5(wrong[:4] + REQUEST[4:20] + wrong[20:] + b"xyzzy5461").digest() + wrong[20:]  # noqa: S324  the same
    assert told(ends(dialogue, [resigned]))[1] == "10.2.0.18:1812 sends an answer with a wrong Message-Authenticator"


def test_what_does_not_fit_is_refused_and_secrets_are_not_shown() -> None:
    with pytest.raises(ValueError, match="a password up to 128"):
        dialogue(RadiusQuestion("s", "u", "x" * 129))
    with pytest.raises(ValueError, match="nas_identifier has 1 to 253 octets"):
        dialogue(RadiusQuestion("s", nas_identifier=""))
    assert repr(ASKED) == "RadiusQuestion('nemo', 'btimd', <Expect.ACCEPT: 'accept'>)"


def test_nothing_breaks_it() -> None:
    survives_cuts(dialogue, [answer(2, b"welcome")])
    survives_changes(dialogue, [answer(2, b"welcome")])

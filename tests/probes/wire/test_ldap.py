import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.ber import ENUMERATED, OCTET_STRING, SEQUENCE, encode, encode_integer
from btimd.probes.wire.dialogue import Closed
from btimd.probes.wire.ldap import LdapDialogue, LdapQuestion
from btimd.probes.wire.ldapmessage import encode_bind, encode_start_tls
from btimd.probes.wire.tls import TlsMode, TlsOptions
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

LATER = TlsOptions(TlsMode.LATER, verify=False)
ASKED = LdapQuestion("cn=me", "secret", "dc=corp", "sub", "(uid=*)", "2")


def answer(number: int, tag: int, code: int = 0, words: str = "") -> bytes:
    result = (encode_integer(code, ENUMERATED), encode(OCTET_STRING), encode(OCTET_STRING, words.encode()))
    return encode(SEQUENCE, encode_integer(number), encode(tag, *result))


def entry(name: str) -> bytes:
    return encode(SEQUENCE, encode_integer(2), encode(0x64, encode(OCTET_STRING, name.encode()), encode(SEQUENCE)))


BOUND = answer(1, 0x61)
DONE = answer(2, 0x65)
SECURE = answer(1, 0x78)


def dialogue(tls: TlsOptions = TlsOptions(), question: LdapQuestion = ASKED) -> LdapDialogue:  # noqa: B008
    return LdapDialogue("10.2.0.38", 0, question, tls)


def test_a_whole_talk_in_tls() -> None:
    talk = [SECURE, BOUND, entry("uid=a") + entry("uid=b"), DONE]
    sent, end = play(dialogue(LATER), talk)
    assert sent[:3] == [encode_start_tls(1), "TLS", encode_bind(1, "cn=me", "secret")]
    assert (
        sent[3]
        == bytes.fromhex("302902010263240407")
        + b"dc=corp"
        + bytes.fromhex("0a01020a010002010302011e010100")
        + b"\x87\3uid"
        + bytes.fromhex("30050403")
        + b"1.1"
    )
    assert told(end) == (ErrorClass.NONE, "10.2.0.38:389 finds 2 entries of (uid=*) at dc=corp")
    assert end is not None
    assert (end.values["entries"], end.values["bind_seconds"], end.values["search_seconds"]) == (2, 0.125, 0.25)
    survives_cuts(lambda: dialogue(LATER), talk)
    survives_changes(lambda: dialogue(LATER), talk)


@pytest.mark.parametrize(
    ("tls", "pieces", "error", "detail"),
    [
        (
            TlsOptions(),
            [answer(1, 0x61, 49, "no secret here")],
            ErrorClass.WRONG_ANSWER,
            " does not let cn=me log on: invalidCredentials (49): no *** here",
        ),
        (TlsOptions(), [BOUND, entry("a"), DONE], ErrorClass.WRONG_ANSWER, " finds 1 entries of (uid=*) at dc=corp, expected 2"),
        (
            TlsOptions(),
            [BOUND, encode(SEQUENCE, encode_integer(2), encode(0x73)), DONE],
            ErrorClass.WRONG_ANSWER,
            " finds 0 entries of (uid=*) at dc=corp, expected 2 (1 referrals to other servers)",
        ),
        (
            TlsOptions(),
            [BOUND, answer(2, 0x65, 52)],
            ErrorClass.WRONG_ANSWER,
            " does not search below dc=corp: unavailable (52)",
        ),
        (
            TlsOptions(),
            [answer(0, 0x78, 52, "going down")],
            ErrorClass.WRONG_ANSWER,
            " closes the connection: unavailable (52): going down",
        ),
        (
            LATER,
            [answer(1, 0x78, 2, "no TLS")],
            ErrorClass.WRONG_ANSWER,
            " does not begin TLS: protocolError (2): no TLS",
        ),
        (LATER, [SECURE + BOUND[:3]], ErrorClass.PROTOCOL_ERROR, " sends octets before TLS stands"),
        (
            TlsOptions(),
            [DONE],
            ErrorClass.PROTOCOL_ERROR,
            " does not speak LDAP: message 2, operation 0x65 in answer to bind",
        ),
        (
            TlsOptions(),
            [BOUND],
            ErrorClass.NO_ANSWER,
            " accepts the connection and does not answer search (0.4 s waited)",
        ),
        (TlsOptions(), [Closed()], ErrorClass.NO_ANSWER, " accepts the connection and closes it without an answer"),
    ],
)  # fmt: skip
def test_every_other_end_says_where(tls: TlsOptions, pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(tls), pieces)) == (error, f"10.2.0.38:389{detail}")


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (LdapQuestion(expect_count="many"), "expect_count 'many' is none"),
        (LdapQuestion(expect_count="5000"), "expect_count '5000' is none"),
        (LdapQuestion(scope="all"), "scope 'all' is unknown"),
        (LdapQuestion(filter="uid"), "filter 'uid' is not understood"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(question: LdapQuestion, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        dialogue(question=question)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(ASKED)

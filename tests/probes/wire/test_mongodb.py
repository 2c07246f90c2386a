import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.bson import Document
from btimd.probes.wire.dialogue import AnswerError, Secure
from btimd.probes.wire.mongodb import MongoDialogue, decode_message, encode_message
from btimd.probes.wire.script import Account, Question, Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told

PROBE = Account("probe", "secret")
ALONE = encode_message(9, {"isWritablePrimary": True, "maxWireVersion": 21, "ok": 1.0})
PRIMARY = encode_message(9, {"isWritablePrimary": True, "setName": "rs0", "primary": "a:27017", "ok": 1.0})
SECONDARY = encode_message(
    9, {"isWritablePrimary": False, "secondary": True, "setName": "rs0", "primary": "a:27017", "ok": 1.0}
)
PONG = encode_message(9, {"ok": 1.0})


def dialogue(account: Account | None = None, role: str = "", *, state: bool = False) -> MongoDialogue:
    return MongoDialogue("10.2.0.60", 0, account or Account(), Question(state=state), role=role, token=7)


def asked(data: bytes) -> Document:
    return decode_message(data[4:])


def failure(code: int, name: str, message: str) -> bytes:
    return encode_message(9, {"ok": 0.0, "errmsg": message, "code": code, "codeName": name})


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert asked(sent(begin(speaking))) == {"hello": 1, "helloOk": True, "$db": "admin"}
    assert asked(sent(speak(speaking, PRIMARY))) == {"ping": 1, "maxTimeMS": 2000, "$db": "admin"}
    actions = speak(speaking, PONG, at=1.5)
    assert told(actions) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.60:27017 is primary of replica set 'rs0' and answers ping",
    )
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "is_primary": 1.0,
        "query_seconds": 0.5,
        "answer_seconds": 1.5,
    }


def server_side(first: bytes, secret: str, hash_name: str) -> tuple[bytes, bytes]:
    """Return (challenge, the server's signature for the client's true answer) as a server would make them."""
    bare = first.removeprefix(b"n,,")
    nonce = bare.partition(b",r=")[2] + b"theirs"
    challenge = b"r=" + nonce + b",s=" + base64.b64encode(b"salt") + b",i=4096"
    salted = hashlib.pbkdf2_hmac(hash_name, secret.encode(), b"salt", 4096)
    message = bare + b"," + challenge + b",c=biws,r=" + nonce
    key = hmac.new(salted, b"Server Key", hash_name).digest()
    return challenge, b"v=" + base64.b64encode(hmac.new(key, message, hash_name).digest())


def test_an_account_logs_on_by_scram() -> None:
    speaking = dialogue(PROBE)
    begin(speaking)
    start = asked(sent(speak(speaking, ALONE)))
    assert (start["saslStart"], start["mechanism"], start["$db"]) == (1, "SCRAM-SHA-256", "admin")
    assert isinstance(start["payload"], bytes)
    challenge, signature = server_side(start["payload"], "secret", "sha256")
    answer = asked(sent(speak(speaking, encode_message(9, {"conversationId": 5, "payload": challenge, "ok": 1.0}))))
    assert (answer["saslContinue"], answer["conversationId"]) == (1, 5)
    last = encode_message(9, {"payload": signature, "done": True, "ok": 1.0})
    assert asked(sent(speak(speaking, last)))["ping"] == 1
    assert told(speak(speaking, PONG))[2] == "10.2.0.60:27017 stands alone and answers ping"


def test_an_account_that_has_only_sha_1_is_tried_with_that() -> None:
    speaking = dialogue(PROBE)
    begin(speaking)
    speak(speaking, ALONE)
    refusal = failure(334, "MechanismUnavailable", "Unable to use SCRAM-SHA-256 based authentication mechanism")
    start = asked(sent(speak(speaking, refusal)))
    assert start["mechanism"] == "SCRAM-SHA-1"
    assert isinstance(start["payload"], bytes)
    secret = hashlib.md5(b"probe:mongo:secret", usedforsecurity=False).hexdigest()
    challenge, signature = server_side(start["payload"], secret, "sha1")
    speak(speaking, encode_message(9, {"conversationId": 5, "payload": challenge, "ok": 1.0}))
    undone = encode_message(9, {"payload": signature, "done": False, "ok": 1.0})
    assert asked(sent(speak(speaking, undone)))["payload"] == b""
    assert asked(sent(speak(speaking, PONG)))["ping"] == 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [failure(59, "CommandNotFound", "no such command: hello"), ALONE, PONG],
            (Health.GOOD, ErrorClass.NONE, "stands alone and answers ping"),
        ),
        (
            [SECONDARY, PONG],
            (Health.GOOD, ErrorClass.NONE, "is secondary of replica set 'rs0' and answers ping"),
        ),
        (
            [encode_message(9, {"isWritablePrimary": True, "msg": "isdbgrid", "ok": 1.0}), PONG],
            (Health.GOOD, ErrorClass.NONE, "is a router (mongos) and answers ping"),
        ),
        (
            [encode_message(9, {"secondary": True, "setName": "rs0", "ok": 1.0})],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "is secondary of replica set 'rs0', which has no primary"),
        ),
        (
            [encode_message(9, {"secondary": False, "setName": "rs0", "ok": 1.0})],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is other of replica set 'rs0': it starts, recovers or is removed",
            ),
        ),
        (
            [encode_message(9, {"ok": 1.0})],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is in no state to be read or written, and in no replica set",
            ),
        ),
        (
            [failure(91, "ShutdownInProgress", "The server is in quiesce mode")],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says 91 (ShutdownInProgress): The server is in quiesce mode"),
        ),
        (
            [ALONE, failure(50, "MaxTimeMSExpired", "operation exceeded time limit")],
            (Health.BAD, ErrorClass.NO_ANSWER, "says 50 (MaxTimeMSExpired): operation exceeded time limit"),
        ),
        (
            [b"HTTP/1.0 200 OK\r\n\r\n"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak MongoDB: a message that begins with b'HTTP/1.0 200'",
            ),
        ),
    ],
)
def test_what_else_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.60:27017 {expected[2]}")


def test_a_wrong_password_says_nothing_about_the_server() -> None:
    found = converse(dialogue(PROBE), ALONE, failure(18, "AuthenticationFailed", "Authentication failed."))
    assert (found.health, found.error, found.detail) == (
        Health.UNKNOWN,
        ErrorClass.NOT_PERMITTED,
        "10.2.0.60:27017 says 18 (AuthenticationFailed): Authentication failed.; check the probe's user, password and rights",
    )


def test_the_role_may_be_expected_and_the_state_told() -> None:
    assert converse(dialogue(role="secondary"), PRIMARY).detail == (
        "10.2.0.60:27017 is primary of replica set 'rs0', expected secondary"
    )
    status = encode_message(9, {"connections": {"current": 12, "available": 800}, "ok": 1.0})
    values = converse(dialogue(state=True), PRIMARY, PONG, status).values
    assert (values["connections_used"], values["connections_free"]) == (12.0, 800.0)
    with pytest.raises(ValueError, match="role 'king' is unknown"):
        dialogue(role="king")


def test_tls_comes_first() -> None:
    assert begin(dialogue(Account(tls=Tls.VERIFIED))) == [Secure("10.2.0.60", verify=True)]


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(AnswerError, match="begins with"):
        decode_message(bytes(40))


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, PRIMARY, PONG)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", ALONE, ALONE[:40]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(PROBE), start, *pieces)


@given(
    st.dictionaries(
        st.sampled_from(["ok", "code", "errmsg", "setName", "payload", "isWritablePrimary", "connections"]),
        st.one_of(st.integers(-9, 99), st.text(max_size=4), st.binary(max_size=4), st.booleans(), st.just({"a": 1})),
        max_size=7,
    )
)
def test_documents_that_make_no_sense_never_break_the_dialogue(document: Document) -> None:
    message = encode_message(9, document)
    babble(dialogue(PROBE), message, message, ALONE, message, message)

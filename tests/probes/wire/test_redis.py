import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Secure, Secured
from btimd.probes.wire.redis import RedisDialogue
from btimd.probes.wire.resp import encode_command
from btimd.probes.wire.script import Account, Question, Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told

SECRET = Account("probe", "secret", "", Tls.OFF)
PONG = b"+PONG\r\n"
OK = b"+OK\r\n"


def info(*lines: str, role: str = "master") -> bytes:
    text = "\r\n".join(["# Server", "redis_version:7.0.15", f"role:{role}", "connected_clients:3", *lines, ""]).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)


def dialogue(
    account: Account | None = None, question: Question | None = None, role: str = "", resp3: bool = False
) -> RedisDialogue:
    return RedisDialogue("10.2.0.40", 0, account or Account(), question, role=role, resp3=resp3)


def test_a_whole_conversation() -> None:
    speaking = dialogue(SECRET)
    assert sent(begin(speaking)) == encode_command("AUTH", "probe", "secret")
    assert sent(speak(speaking, OK)) == encode_command("PING")
    assert sent(speak(speaking, PONG)) == encode_command("INFO")
    actions = speak(speaking, info("loading:0", "used_memory:100"))
    assert told(actions) == (Health.GOOD, ErrorClass.NONE, "10.2.0.40:6379 answers PING, Redis 7.0.15, master")
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "logon_seconds": 1.0,
        "query_seconds": 0.0,
        "answer_seconds": 1.0,
        "connected_clients": 3.0,
        "used_memory": 100.0,
        "loading": 0.0,
    }


def test_the_ways_of_logging_on() -> None:
    assert sent(begin(dialogue(Account(password="secret")))) == encode_command("AUTH", "secret")
    assert sent(begin(dialogue(SECRET, resp3=True))) == encode_command("HELLO", "3", "AUTH", "probe", "secret")
    assert sent(begin(dialogue(resp3=True))) == encode_command("HELLO", "3")
    secure = dialogue(Account(tls=Tls.UNVERIFIED))
    assert begin(secure) == [Secure("10.2.0.40", verify=False)]
    assert sent(speak(secure, Secured())) == encode_command("PING")


@pytest.mark.parametrize(
    ("account", "answers", "expected"),
    [
        (
            None,
            [b"-NOAUTH Authentication required.\r\n"],
            (Health.GOOD, ErrorClass.NONE, "answers and asks for a password; no command was tried"),
        ),
        (
            SECRET,
            [b"-WRONGPASS invalid username-password pair\r\n"],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "says WRONGPASS invalid username-password pair; check the probe's user, password and rights",
            ),
        ),
        (
            None,
            [b"-LOADING Redis is loading the dataset in memory\r\n"],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says LOADING Redis is loading the dataset in memory"),
        ),
        (
            SECRET,
            [b"-ERR max number of clients reached\r\n"],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says ERR max number of clients reached"),
        ),
        (
            None,
            [PONG, info("loading:1")],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "is loading its data set, Redis 7.0.15, master"),
        ),
        (
            None,
            [PONG, info("master_link_status:down", role="slave")],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is a replica whose link to its master is down, Redis 7.0.15, slave",
            ),
        ),
        (
            None,
            [PONG, b"-NOPERM no\r\n"],
            (Health.GOOD, ErrorClass.NONE, "answers PING; INFO is not allowed"),
        ),
        (
            None,
            [b":1\r\n"],
            (Health.BAD, ErrorClass.PROTOCOL_ERROR, "does not speak RESP (Redis): PING answered with 1"),
        ),
    ],
)
def test_what_else_may_come(
    account: Account | None, answers: list[bytes], expected: tuple[Health, ErrorClass, str]
) -> None:
    found = converse(dialogue(account), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.40:6379 {expected[2]}")


def test_the_role_and_the_answer_may_be_expected() -> None:
    found = converse(dialogue(role="replica"), PONG, info())
    assert found.detail == "10.2.0.40:6379 is 'master', expected 'slave', Redis 7.0.15, master"
    asked = dialogue(question=Question('GET "a b"', "7"))
    assert sent(begin(asked)) == encode_command("GET", "a b")
    assert told(speak(asked, b"$1\r\n6\r\n")) == (
        Health.BAD,
        ErrorClass.WRONG_ANSWER,
        "10.2.0.40:6379 answers the query with '6', expected '7'",
    )


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="role 'king' is unknown"):
        dialogue(role="king")
    with pytest.raises(ValueError, match="is no command: No closing quotation"):
        dialogue(question=Question('GET "'))


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(lambda: dialogue(SECRET), OK, PONG, info())


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", OK + PONG]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(SECRET), start, *pieces)

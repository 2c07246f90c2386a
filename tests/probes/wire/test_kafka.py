import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind
from btimd.probes.wire.dialogue import Secure
from btimd.probes.wire.kafka import KafkaDialogue
from btimd.probes.wire.kafkamessage import metadata_request, request, string
from btimd.probes.wire.script import Account, Tls
from tests.probes import servers
from tests.probes.running import probe
from tests.probes.running import told as told_by
from tests.probes.samples import check
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told
from tests.probes.wire.test_kafkamessage import metadata, partition
from tests.probes.wire.test_mongodb import server_side

PROBE = Account("probe", "secret")


def response(number: int, content: bytes) -> bytes:
    return struct.pack("!ii", len(content) + 4, number) + content


VERSIONS = response(1, struct.pack("!hihhhhhh", 0, 2, 3, 0, 12, 18, 0, 3))
WELL = response(2, metadata(8, partition(8, 0, 1, (1, 2)), partition(8, 1, 2, (2, 1))))


def dialogue(
    account: Account | None = None, topic: str = "orders", least: float | None = None, mechanism: str = "SCRAM-SHA-256"
) -> KafkaDialogue:
    return KafkaDialogue(
        "10.2.0.70", 0, account or Account(), topic=topic, least_brokers=least, mechanism=mechanism, token=7
    )


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert sent(begin(speaking)) == request(18, 0, 1)
    assert sent(speak(speaking, VERSIONS)) == request(3, 8, 2, metadata_request(8, ["orders"]))
    actions = speak(speaking, WELL, at=1.5)
    assert told(actions) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.70:9092 knows 2 brokers; topic 'orders' has 2 partitions with leaders and all replicas",
    )
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "query_seconds": 0.5,
        "answer_seconds": 1.5,
        "brokers": 2,
        "partitions": 2,
        "leaderless_partitions": 0,
        "under_replicated_partitions": 0,
    }


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [VERSIONS, response(2, metadata(8, partition(8, 0, -1, ()), partition(8, 1, 2, (2,))))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says that topic 'orders' has partitions without leader: 0"),
        ),
        (
            [VERSIONS, response(2, metadata(8, *[partition(8, at, 1, (1,)) for at in range(10)]))],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "says that topic 'orders' has partitions with replicas that lag or are gone: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more",
            ),
        ),
        (
            [VERSIONS, response(2, metadata(8, error=3))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says UNKNOWN_TOPIC_OR_PARTITION for topic 'orders'"),
        ),
        (
            [VERSIONS, response(2, metadata(8, error=29))],
            (Health.UNKNOWN, ErrorClass.NOT_PERMITTED, "says TOPIC_AUTHORIZATION_FAILED for topic 'orders'"),
        ),
        (
            [VERSIONS, response(2, metadata(8, controller=-1))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "knows 2 brokers and no controller"),
        ),
        (
            [response(1, struct.pack("!hihhh", 0, 1, 3, 0, 2))],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "is so old that asking for a topic would make it; leave the topic out",
            ),
        ),
        (
            [response(1, struct.pack("!hihhh", 0, 1, 3, 9, 13))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "knows Metadata 9 to 13; 1 to 8 are asked"),
        ),
        (
            [response(1, struct.pack("!hi", 8, 0))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says BROKER_NOT_AVAILABLE when asked for its versions"),
        ),
        (
            [b"HTTP/1.1 400 Bad Request\r\n"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak Kafka: a response that begins with b'HTTP/1.1'",
            ),
        ),
        (
            [VERSIONS, response(2, metadata(8, topic="other"))],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak Kafka: metadata without the topic that was asked for",
            ),
        ),
    ],
)
def test_what_else_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.70:9092 {expected[2]}")


def test_brokers_are_counted() -> None:
    none = response(2, metadata(8, topic=""))
    assert converse(dialogue(topic="", least=2), VERSIONS, none).detail == "10.2.0.70:9092 knows 2 brokers"
    assert (
        converse(dialogue(topic="", least=3), VERSIONS, none).detail == "10.2.0.70:9092 knows 2 brokers, fewer than 3"
    )


def authenticated(number: int, data: bytes, error: int = 0, text: str = "") -> bytes:
    return response(number, struct.pack("!h", error) + string(text) + struct.pack("!i", len(data)) + data)


def test_an_account_logs_on_by_scram() -> None:
    speaking = dialogue(PROBE)
    begin(speaking)
    assert sent(speak(speaking, VERSIONS)) == request(17, 1, 2, string("SCRAM-SHA-256"))
    first = sent(speak(speaking, response(2, struct.pack("!hi", 0, 0))))
    challenge, signature = server_side(first[first.index(b"n,,") :], "secret", "sha256")
    assert b"c=biws" in sent(speak(speaking, authenticated(3, challenge)))
    assert sent(speak(speaking, authenticated(4, signature))) == request(3, 8, 5, metadata_request(8, ["orders"]))


def test_an_account_logs_on_plainly_where_the_operator_says_so() -> None:
    speaking = dialogue(Account("probe", "secret", tls=Tls.OFF), mechanism="PLAIN")
    begin(speaking)
    speak(speaking, VERSIONS)
    assert sent(speak(speaking, response(2, struct.pack("!hi", 0, 0)))).endswith(b"\0probe\0secret")
    assert told(speak(speaking, authenticated(3, b"", 58, "Authentication failed"))) == (
        Health.UNKNOWN,
        ErrorClass.NOT_PERMITTED,
        "10.2.0.70:9092 says SASL_AUTHENTICATION_FAILED: Authentication failed; check the probe's user and password",
    )
    with pytest.raises(ValueError, match="PLAIN sends the password readable"):
        dialogue(PROBE, mechanism="PLAIN")
    with pytest.raises(ValueError, match="mechanism 'NTLM' is unknown"):
        dialogue(mechanism="NTLM")
    with pytest.raises(ValueError, match="longer than 249"):
        dialogue(topic="x" * 250)


def test_a_mechanism_that_is_not_offered() -> None:
    refused = response(2, struct.pack("!hi", 33, 1) + string("GSSAPI"))
    assert converse(dialogue(PROBE), VERSIONS, refused).detail == (
        "10.2.0.70:9092 says UNSUPPORTED_SASL_MECHANISM for SCRAM-SHA-256; it offers GSSAPI"
    )
    assert begin(dialogue(Account(tls=Tls.UNVERIFIED))) == [Secure("10.2.0.70", verify=False)]


async def test_a_broker_on_a_socket() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (VERSIONS, WELL):
            await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
            writer.write(answer)

    async with servers.tcp_server(broker) as port:
        result = await probe(check(kind=CheckKind.KAFKA, port=port, options={"topic": "orders", "min_brokers": "2"}))
    assert told_by(result) == (
        Health.GOOD,
        ErrorClass.NONE,
        f"127.0.0.1:{port} knows 2 brokers; topic 'orders' has 2 partitions with leaders and all replicas",
    )


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, VERSIONS, WELL)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", VERSIONS, VERSIONS + WELL[:9]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)

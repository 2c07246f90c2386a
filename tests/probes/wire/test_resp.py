import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.resp import RedisError, Reply, decode_info, encode_command, read_reply
from btimd.probes.wire.script import Script, Talk
from tests.probes.wire.scripts import babble, converse


class Reader(Script):
    protocol = "RESP"
    reply: Reply = None

    @override
    def _conversation(self) -> Talk[str]:
        self.reply = yield from read_reply()
        return "done"


def read(data: bytes) -> Reply:
    reader = Reader("10.0.0.1", 1)
    assert converse(reader, data).error is ErrorClass.NONE
    return reader.reply


def test_commands_are_arrays() -> None:
    assert encode_command("GET", "\u00e9") == b"*2\r\n$3\r\nGET\r\n$2\r\n\xc3\xa9\r\n"


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+PONG\r\n", "PONG"),
        (b"-ERR no\r\n", RedisError("ERR no")),
        (b":-12\r\n", -12),
        (b"$5\r\nhe\r\no\r\n", "he\r\no"),
        (b"$0\r\n\r\n", ""),
        (b"$-1\r\n", None),
        (b"*2\r\n:1\r\n*1\r\n+a\r\n", [1, ["a"]]),
        (b"*-1\r\n", None),
        (b"_\r\n", None),
        (b"#t\r\n", "t"),
        (b"%1\r\n+a\r\n:1\r\n", ["a", 1]),
        (b"=7\r\ntxt:abc\r\n", "abc"),
        (b"!6\r\nERR no\r\n", RedisError("ERR no")),
    ],
)
def test_replies_are_read(data: bytes, reply: Reply) -> None:
    found = read(data)
    assert (found, type(found)) == (reply, type(reply))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400\r\n",
        b"$99999999\r\n",
        b"$x\r\n",
        b"$1\r\nabc",
        b"*99999\r\n",
        b"*1\r\n" * 9,
        b":" + b"9" * 30 + b"\r\n",
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    assert converse(Reader("10.0.0.1", 1), data).error is ErrorClass.PROTOCOL_ERROR


def test_info_is_read() -> None:
    assert decode_info("# Server\r\nredis_version:7.0\r\nrole:master\r\n\r\nx") == {
        "redis_version": "7.0",
        "role": "master",
    }
    assert RedisError("NOAUTH Authentication required.").code == "NOAUTH"


@given(st.lists(st.binary(max_size=40), max_size=4), st.sampled_from([b"", b"*3\r\n", b"$3\r\n"]))
def test_garbage_never_breaks_the_reader(pieces: list[bytes], start: bytes) -> None:
    babble(Reader("10.0.0.1", 1), start, *pieces, bytes(300_000))

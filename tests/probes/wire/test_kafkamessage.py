import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.kafkamessage import (
    Metadata,
    Partition,
    Topic,
    decode_api_versions,
    decode_authenticate,
    decode_handshake,
    decode_metadata,
    error_name,
    metadata_request,
    request,
    string,
)


def ids(*numbers: int) -> bytes:
    return struct.pack(f"!i{len(numbers)}i", len(numbers), *numbers)


def partition(version: int, number: int, leader: int, in_sync: tuple[int, ...]) -> bytes:
    return (
        struct.pack("!hii", 0, number, leader) + (bytes(4) if version >= 7 else b"") + ids(1, 2) + ids(*in_sync)
        + (ids() if version >= 5 else b"")
    )  # fmt: skip


def metadata(version: int, *partitions: bytes, controller: int = 1, error: int = 0, topic: str = "orders") -> bytes:
    broker = struct.pack("!i", 1) + string("kafka-1") + struct.pack("!i", 9092) + b"\xff\xff"
    content = bytes(4) if version >= 3 else b""
    content += struct.pack("!i", 2) + broker * 2 + (string("cluster") if version >= 2 else b"")
    content += struct.pack("!i", controller)
    if not topic:
        return content + struct.pack("!i", 0)
    content += struct.pack("!ih", 1, error) + string(topic) + b"\0" + struct.pack("!i", len(partitions))
    return content + b"".join(partitions) + (bytes(4) if version >= 8 else b"")


def test_a_request_has_its_head() -> None:
    assert request(3, 8, 2, b"x") == b"\0\0\0\x10" + b"\0\3\0\x08\0\0\0\2\0\5btimd" + b"x"
    assert metadata_request(1, []) == bytes(4)
    assert metadata_request(4, ["a"]) == b"\0\0\0\1\0\1a\0"
    assert metadata_request(8, ["a"]) == b"\0\0\0\1\0\1a\0\0\0"


@pytest.mark.parametrize("version", range(1, 9))
def test_metadata_of_every_version_is_read(version: int) -> None:
    content = metadata(version, partition(version, 0, 1, (1, 2)), partition(version, 1, -1, (2,)))
    parts = Partition(0, 0, 1, 2, 2), Partition(1, 0, -1, 2, 1)
    assert decode_metadata(content, version) == Metadata(2, 1, (Topic("orders", 0, parts),))


def test_other_responses_are_read() -> None:
    versions = struct.pack("!hihhh", 0, 1, 3, 0, 12)
    assert decode_api_versions(versions) == (0, {3: (0, 12)})
    assert decode_handshake(struct.pack("!hi", 33, 1) + string("GSSAPI")) == (33, ("GSSAPI",))
    assert decode_authenticate(struct.pack("!h", 58) + string("no") + b"\0\0\0\1x") == (58, "no", b"x")
    assert (error_name(3), error_name(999)) == ("UNKNOWN_TOPIC_OR_PARTITION", "error 999")


def test_lists_longer_than_the_message_are_refused() -> None:
    with pytest.raises(AnswerError, match="a list of 2147483647 things"):
        decode_api_versions(b"\0\0\x7f\xff\xff\xff")


@given(st.binary(max_size=80), st.integers(1, 8))
def test_garbage_is_read_or_refused(garbage: bytes, version: int) -> None:
    for decode in (decode_api_versions, decode_handshake, decode_authenticate, lambda d: decode_metadata(d, version)):
        try:
            decode(garbage)
        except AnswerError:
            continue

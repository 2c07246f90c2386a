"""Requests and responses of Kafka (Apache Kafka protocol guide).

request:  size (4), api (2), version (2), correlation (4), client (2 + text), content
response: size (4), correlation (4), content
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of

METADATA: Final = 3
SASL_HANDSHAKE: Final = 17
API_VERSIONS: Final = 18
SASL_AUTHENTICATE: Final = 36
UNSUPPORTED_VERSION: Final = 35
MAX_RESPONSE: Final = 256 * 1024
NEWEST_METADATA: Final = 8
NO_CREATION: Final = 4
"""From this version of Metadata on a question can say that a topic is not to be made."""
_MOST: Final = 20_000

ERRORS: Final = {
    3: "UNKNOWN_TOPIC_OR_PARTITION", 5: "LEADER_NOT_AVAILABLE", 8: "BROKER_NOT_AVAILABLE", 9: "REPLICA_NOT_AVAILABLE",
    17: "INVALID_TOPIC_EXCEPTION", 29: "TOPIC_AUTHORIZATION_FAILED", 31: "CLUSTER_AUTHORIZATION_FAILED",
    33: "UNSUPPORTED_SASL_MECHANISM", 34: "ILLEGAL_SASL_STATE", 35: "UNSUPPORTED_VERSION",
    58: "SASL_AUTHENTICATION_FAILED", 72: "LISTENER_NOT_FOUND",
}  # fmt: skip


def error_name(code: int) -> str:
    """Return an error as Kafka names it."""
    return ERRORS.get(code, f"error {code}")


def request(api: int, version: int, correlation: int, content: bytes = b"") -> bytes:
    """Return a request."""
    head = struct.pack("!hhi", api, version, correlation) + string("btimd")
    return struct.pack("!i", len(head) + len(content)) + head + content


def string(value: str) -> bytes:
    """Return a text with its length."""
    data = value.encode()
    return struct.pack("!h", len(data)) + data


def metadata_request(version: int, topics: Sequence[str]) -> bytes:
    """Return the content of a question about topics; none = about the brokers alone."""
    content = struct.pack("!i", len(topics)) + b"".join(string(topic) for topic in topics)
    if version >= NO_CREATION:
        content += b"\0"
    return content + (b"\0\0" if version >= 8 else b"")


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition; leader -1: nobody writes it."""

    id: int
    error: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Topic:
    """What the cluster says about a topic."""

    name: str
    error: int
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The cluster as one broker sees it. controller -1: there is none."""

    brokers: int
    controller: int
    topics: tuple[Topic, ...]


def decode_api_versions(content: bytes) -> tuple[int, dict[int, tuple[int, int]]]:
    """Return (error, oldest and newest version of every api) of a response of version 0."""
    octets = Octets(content)
    error = octets.number(2, signed=True)
    found: dict[int, tuple[int, int]] = {}
    for _ in range(_count(octets)):
        api, oldest, newest = octets.number(2), octets.number(2), octets.number(2)
        found[api] = oldest, newest
    return error, found


def decode_metadata(content: bytes, version: int) -> Metadata:
    """Return a response of version 1 to 8."""
    octets = Octets(content)
    if version >= 3:
        octets.take(4)
    brokers = _count(octets)
    for _ in range(brokers):
        octets.take(4)
        _string(octets)
        octets.take(4)
        _string(octets)
    if version >= 2:
        _string(octets)
    controller = octets.number(4, signed=True)
    topics: list[Topic] = []
    for _ in range(_count(octets)):
        error, name = octets.number(2, signed=True), _string(octets)
        octets.take(1)
        partitions = tuple(_partition(octets, version) for _ in range(_count(octets)))
        if version >= 8:
            octets.take(4)
        topics.append(Topic(name, error, partitions))
    return Metadata(brokers, controller, tuple(topics))


def _partition(octets: Octets, version: int) -> Partition:
    error, number, leader = octets.number(2, signed=True), octets.number(4), octets.number(4, signed=True)
    if version >= 7:
        octets.take(4)
    replicas, in_sync = _ids(octets), _ids(octets)
    if version >= 5:
        _ids(octets)
    return Partition(number, error, leader, replicas, in_sync)


def _ids(octets: Octets) -> int:
    count = _count(octets)
    octets.take(4 * count)
    return count


def _count(octets: Octets) -> int:
    count = octets.number(4, signed=True)
    if not -1 <= count <= min(_MOST, octets.left):
        raise AnswerError(f"a list of {count} things in {octets.left} octets")
    return max(0, count)


def _string(octets: Octets) -> str:
    size = octets.number(2, signed=True)
    return "" if size < 0 else text_of(octets.take(size))


def decode_handshake(content: bytes) -> tuple[int, tuple[str, ...]]:
    """Return (error, mechanisms) of a SaslHandshake response."""
    octets = Octets(content)
    return octets.number(2, signed=True), tuple(_string(octets) for _ in range(_count(octets)))


def decode_authenticate(content: bytes) -> tuple[int, str, bytes]:
    """Return (error, its text, data) of a SaslAuthenticate response of version 0."""
    octets = Octets(content)
    return octets.number(2, signed=True), _string(octets), octets.sized(4)

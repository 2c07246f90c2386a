"""Kafka: does a broker answer, and has the topic its leaders and replicas."""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.kafkamessage import (
    API_VERSIONS,
    MAX_RESPONSE,
    METADATA,
    NEWEST_METADATA,
    NO_CREATION,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    UNSUPPORTED_VERSION,
    Metadata,
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
from btimd.probes.wire.scram import HASHES, Scram, nonce_of, prepared
from btimd.probes.wire.script import Account, Halt, Script, Talk, Tls, Want

KAFKA_PORT: Final = 9092
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_NOT_AUTHORIZED: Final = frozenset({29, 31})


class KafkaDialogue(Script):
    """Asks a broker for its versions and the cluster's metadata.

    Good when there is a controller and, with a topic, every partition has a leader and all its replicas in sync.
    least_brokers: fewer of them in the cluster are bad.
    """

    protocol = "Kafka"
    max_octets = MAX_RESPONSE + 64 * 1024

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        *,
        topic: str = "",
        least_brokers: float | None = None,
        mechanism: str = "SCRAM-SHA-256",
        token: int = 0,
    ) -> None:
        super().__init__(host, port or KAFKA_PORT)
        if mechanism not in MECHANISMS:
            raise ValueError(f"mechanism {mechanism!r} is unknown; write one of {', '.join(MECHANISMS)}")
        if len(topic) > 249:
            raise ValueError("topic is longer than 249 characters")
        if mechanism == "PLAIN" and account.user and account.tls is Tls.OFFERED:
            raise ValueError('PLAIN sends the password readable: write tls = "true", "unverified" or "false"')
        self._account = account
        self._topic = topic
        self._least = least_brokers
        self._mechanism = mechanism
        self._token = token
        self._correlation = 0

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        self._doing = "tell its versions"
        error, versions = decode_api_versions((yield from self._ask(API_VERSIONS, 0)))
        if error not in {0, UNSUPPORTED_VERSION}:
            raise Halt(ErrorClass.WRONG_ANSWER, f"says {error_name(error)} when asked for its versions")
        if self._account.user and self._account.password is not None:
            yield from self._log_on(self._account.password)
            self._elapsed("logon_seconds")
        self._doing = "tell about its cluster"
        oldest, newest = versions.get(METADATA, (1, 1))
        version = min(newest, NEWEST_METADATA)
        if version < max(1, oldest):
            raise Halt(
                ErrorClass.WRONG_ANSWER, f"knows Metadata {oldest} to {newest}; 1 to {NEWEST_METADATA} are asked"
            )
        if self._topic and version < NO_CREATION:
            raise Halt(ErrorClass.NOT_PERMITTED, "is so old that asking for a topic would make it; leave the topic out")
        began = self._now
        content = metadata_request(version, [self._topic] if self._topic else [])
        metadata = decode_metadata((yield from self._ask(METADATA, version, content)), version)
        self._elapsed("query_seconds", began)
        self._elapsed("answer_seconds")
        return self._judge(metadata)

    def _ask(self, api: int, version: int, content: bytes = b"") -> Talk[bytes]:
        self._correlation += 1
        yield Send(request(api, version, self._correlation, content))
        head = yield Want(8)
        size, correlation = int.from_bytes(head[:4]), int.from_bytes(head[4:])
        if not 4 <= size <= MAX_RESPONSE or correlation != self._correlation:
            raise AnswerError(f"a response that begins with {head!r}")
        return (yield Want(size - 4))

    def _log_on(self, password: str) -> Talk[None]:
        self._doing = "finish the logon"
        error, known = decode_handshake((yield from self._ask(SASL_HANDSHAKE, 1, string(self._mechanism))))
        if error:
            offers = printable(", ".join(known), 60) or "none"
            detail = f"says {error_name(error)} for {self._mechanism}; it offers {offers}"
            raise Halt(ErrorClass.NOT_PERMITTED, detail)
        if self._mechanism not in HASHES:
            yield from self._authenticate(b"\0" + self._account.user.encode() + b"\0" + password.encode())
            return
        scram = Scram(self._mechanism, self._account.user, prepared(password), nonce_of(self._token))
        challenge = yield from self._authenticate(scram.first)
        last = yield from self._authenticate(scram.answer(challenge))
        if said := scram.finish(last):
            raise Halt(ErrorClass.NOT_PERMITTED, f"does not let the account in: {said}")

    def _authenticate(self, data: bytes) -> Talk[bytes]:
        content = len(data).to_bytes(4) + data
        error, text, answer = decode_authenticate((yield from self._ask(SASL_AUTHENTICATE, 0, content)))
        if error:
            says = f"says {error_name(error)}: {printable(text, 120)}"
            raise Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's user and password")
        return answer

    def _judge(self, metadata: Metadata) -> str:
        self._values["brokers"] = metadata.brokers
        cluster = f"knows {metadata.brokers} brokers"
        if self._least is not None and metadata.brokers < self._least:
            raise Halt(ErrorClass.WRONG_ANSWER, f"{cluster}, fewer than {self._least:g}")
        if metadata.controller < 0:
            raise Halt(ErrorClass.WRONG_ANSWER, f"{cluster} and no controller")
        if not self._topic:
            return cluster
        found = next((topic for topic in metadata.topics if topic.name == self._topic), None)
        if found is None:
            raise AnswerError("metadata without the topic that was asked for")
        return f"{cluster}; {self._judge_topic(found)}"

    def _judge_topic(self, topic: Topic) -> str:
        name = f"topic {printable(topic.name, 60)!r}"
        if topic.error:
            denied = topic.error in _NOT_AUTHORIZED
            error = ErrorClass.NOT_PERMITTED if denied else ErrorClass.WRONG_ANSWER
            raise Halt(error, f"says {error_name(topic.error)} for {name}")
        leaderless = [part.id for part in topic.partitions if part.leader < 0]
        behind = [part.id for part in topic.partitions if part.in_sync < part.replicas]
        self._values["partitions"] = len(topic.partitions)
        self._values["leaderless_partitions"] = len(leaderless)
        self._values["under_replicated_partitions"] = len(behind)
        if leaderless:
            raise Halt(ErrorClass.WRONG_ANSWER, f"says that {name} has partitions without leader: {_few(leaderless)}")
        if behind:
            detail = f"says that {name} has partitions with replicas that lag or are gone: {_few(behind)}"
            raise Halt(ErrorClass.WRONG_ANSWER, detail)
        return f"{name} has {len(topic.partitions)} partitions with leaders and all replicas"


def _few(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in sorted(numbers)[:8])
    return shown if len(numbers) <= 8 else f"{shown} and {len(numbers) - 8} more"

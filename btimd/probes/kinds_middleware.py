"""The kinds of checks for middleware: queues, transaction monitors, application servers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.kinds_logon import PLAIN_TLS, USER, account_of, number_of, plain_account_of
from btimd.probes.wire.amqp import AMQP_PORT, AmqpDialogue
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.kafka import KAFKA_PORT, KafkaDialogue


def _amqp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    if check.options.get("queue") and "password_file" not in check.options:
        raise ValueError("a queue is asked about after a logon: write user and password_file")
    return AmqpDialogue(
        check.host,
        check.port,
        plain_account_of(check, secrets),
        queue=check.options.get("queue", ""),
        most_messages=number_of(check, "max_messages"),
        least_readers=number_of(check, "min_consumers"),
    )


def _kafka(check: Check, token: int, secrets: Secrets) -> Dialogue:
    return KafkaDialogue(
        check.host,
        check.port,
        account_of(check, secrets),
        topic=check.options.get("topic", ""),
        least_brokers=number_of(check, "min_brokers"),
        mechanism=check.options.get("mechanism", "SCRAM-SHA-256"),
        token=token,
    )


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.AMQP: KindSpec(
        3.0,
        Closure.LOCAL,
        _amqp,
        default_port=AMQP_PORT,
        options={
            **USER,
            **PLAIN_TLS,
            "database": 'the virtual host; default `"/"`',
            "queue": "the queue to ask about; it is not made where it is missing",
            "max_messages": "more messages in the queue are bad; default: any number is good",
            "min_consumers": "fewer consumers of the queue are bad; default: any number is good",
        },
    ),
    CheckKind.KAFKA: KindSpec(
        2.0,
        Closure.LOCAL,
        _kafka,
        default_port=KAFKA_PORT,
        options={
            **USER,
            "tls": '`"true"`, `"unverified"` (any certificate) or `"false"`; default: plain',
            "mechanism": '`"PLAIN"`, `"SCRAM-SHA-256"` (default) or `"SCRAM-SHA-512"`',
            "topic": "the topic whose partitions must have leaders and all replicas; a missing one is not made",
            "min_brokers": "fewer brokers in the cluster are bad; default: any number is good",
        },
    ),
})  # fmt: skip

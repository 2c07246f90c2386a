"""The kinds of checks for middleware: queues, transaction monitors, application servers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.kinds_logon import PLAIN_TLS, USER, account_of, number_of, plain_account_of, tls_of
from btimd.probes.wire.ajp import AJP_PORT, AjpDialogue
from btimd.probes.wire.amqp import AMQP_PORT, AmqpDialogue
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.iiop import IIOP_PORT, IiopDialogue
from btimd.probes.wire.kafka import KAFKA_PORT, KafkaDialogue
from btimd.probes.wire.mq import MQ_PORT, MqDialogue
from btimd.probes.wire.nrpc import NRPC_PORT, NrpcDialogue
from btimd.probes.wire.tuxedo import TuxedoDialogue
from btimd.probes.wire.weblogic import T3_PORT, T3Dialogue


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


def _mq(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    names = check.options.get("channel", ""), check.options.get("queue_manager", "")
    return MqDialogue(check.host, check.port, channel=names[0], manager=names[1], tls=tls_of(check))


def _tuxedo(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return TuxedoDialogue(check.host, check.port)


def _t3(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return T3Dialogue(check.host, check.port, tls=tls_of(check))


def _iiop(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    key = check.options.get("object", "")
    return IiopDialogue(check.host, check.port, key=key or "NameService", must_be_here=bool(key), tls=tls_of(check))


def _nrpc(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return NrpcDialogue(check.host, check.port, expect=check.options.get("expect", ""))


def _ajp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return AjpDialogue(
        check.host,
        check.port,
        path=check.options.get("path", ""),
        expect_status=check.options.get("expect_status", "2xx,3xx"),
        host_header=check.options.get("host_header", ""),
        secret=secrets.get("secret", ""),
    )


_TLS: Final = '`"true"`, `"unverified"` (any certificate) or `"false"` (default)'

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
    CheckKind.MQ: KindSpec(
        2.0,
        Closure.LOCAL,
        _mq,
        default_port=MQ_PORT,
        options={
            "channel": "the server-connection channel to begin; default: any queue manager that answers is good",
            "queue_manager": "its name must be this; default: any",
            "tls": _TLS,
        },
    ),
    CheckKind.TUXEDO: KindSpec(1.5, Closure.LOCAL, _tuxedo, needs_port=True),
    CheckKind.T3: KindSpec(2.0, Closure.LOCAL, _t3, default_port=T3_PORT, options={"tls": _TLS}),
    CheckKind.IIOP: KindSpec(
        2.0,
        Closure.LOCAL,
        _iiop,
        default_port=IIOP_PORT,
        options={
            "object": "the key of an object that the ORB must know; default: NameService, which it need not know",
            "tls": _TLS,
        },
    ),
    CheckKind.NRPC: KindSpec(
        2.0,
        Closure.LOCAL,
        _nrpc,
        default_port=NRPC_PORT,
        options={"expect": "the server's name must hold this text, such as `CN=mail01/O=Corp`; default: any"},
    ),
    CheckKind.AJP: KindSpec(
        3.0,
        Closure.LOCAL,
        _ajp,
        default_port=AJP_PORT,
        options={
            "path": "path and query of a GET to send after CPING; default: CPING alone",
            "expect_status": "the statuses that are good; default `2xx,3xx`",
            "host_header": "the Host header; default: `host`",
            "secret_file": "the file that holds the connector's secret",
        },
    ),
})  # fmt: skip

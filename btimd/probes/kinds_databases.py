"""The kinds of checks for databases."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.kinds_logon import (
    PLAIN_TLS,
    QUERY,
    STATE,
    TLS,
    USER,
    account_of,
    plain_account_of,
    question_of,
)
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.drda import DRDA_PORT, DrdaDialogue
from btimd.probes.wire.informix import INFORMIX_PORT, InformixDialogue
from btimd.probes.wire.mongodb import MONGODB_PORT, MongoDialogue
from btimd.probes.wire.mssql import MSSQL_PORT, MssqlDialogue
from btimd.probes.wire.mysql import MYSQL_PORT, MysqlDialogue
from btimd.probes.wire.oracle import ORACLE_PORT, OracleDialogue
from btimd.probes.wire.redis import REDIS_PORT, RedisDialogue
from btimd.probes.wire.sybase import SYBASE_PORT, SybaseDialogue


def _mysql(check: Check, token: int, secrets: Secrets) -> Dialogue:
    account = account_of(check, secrets)
    return MysqlDialogue(check.host, check.port, account, question_of(check), token=token)


def _redis(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    resp = check.options.get("resp", "2")
    if resp not in {"2", "3"}:
        raise ValueError(f'resp {resp!r} is unknown; write "2" or "3"')
    account = plain_account_of(check, secrets, needs_user=False)
    role = check.options.get("role", "")
    return RedisDialogue(check.host, check.port, account, question_of(check), role=role, resp3=resp == "3")


def _mongodb(check: Check, token: int, secrets: Secrets) -> Dialogue:
    account = account_of(check, secrets)
    role = check.options.get("role", "")
    return MongoDialogue(check.host, check.port, account, question_of(check), role=role, token=token)


def _oracle(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    service, sid = check.options.get("service_name", ""), check.options.get("sid", "")
    return OracleDialogue(check.host, check.port, service=service, sid=sid)


def _mssql(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return MssqlDialogue(check.host, check.port, plain_account_of(check, secrets), question_of(check))


def _sybase(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    return SybaseDialogue(check.host, check.port, plain_account_of(check, secrets), question_of(check))


def _db2(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return DrdaDialogue(check.host, check.port, database=check.options.get("database", ""))


def _informix(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    return InformixDialogue(check.host, check.port, instance=check.options.get("instance", "btimd"))


_ONE_VALUE: Final[Mapping[str, str]] = MappingProxyType({
    "query": "a SELECT of one value, asked after the logon; default `SELECT 1`",
    "expect": "that value must be this text; default: any",
})  # fmt: skip

KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.MYSQL: KindSpec(
        6.0,
        Closure.FULL,
        _mysql,
        heavy=True,
        default_port=MYSQL_PORT,
        options={**USER, "database": "the database to open; default: none", **TLS, **QUERY, **STATE},
    ),
    CheckKind.REDIS: KindSpec(
        2.0,
        Closure.LOCAL,
        _redis,
        default_port=REDIS_PORT,
        options={
            "user": 'who logs on; default `"default"`',
            "password_file": "the file that holds the password",
            **PLAIN_TLS,
            "query": 'a command, such as `"GET heartbeat"`; default `PING`',
            "expect": "its answer must be this text; default: any",
            "role": '`"master"` or `"replica"`: what it must be; default: either',
            "resp": '`"3"` speaks RESP3 (HELLO); default `"2"`',
        },
    ),
    CheckKind.MONGODB: KindSpec(
        3.0,
        Closure.LOCAL,
        _mongodb,
        default_port=MONGODB_PORT,
        options={
            **USER,
            "database": 'where the account is kept (authSource); default `"admin"`',
            "tls": '`"true"`, `"unverified"` (any certificate) or `"false"` (default)',
            "role": '`"primary"` or `"secondary"`: what the member must be; default: either',
            "depth": '`"state"`: also its connections, as values (needs the role clusterMonitor)',
        },
    ),
    CheckKind.ORACLE: KindSpec(
        2.0,
        Closure.LOCAL,
        _oracle,
        default_port=ORACLE_PORT,
        options={
            "service_name": "the service that the listener must accept; default: only the listener is asked",
            "sid": "the SID, for databases that have no service name",
        },
    ),
    CheckKind.MSSQL: KindSpec(
        4.0,
        Closure.LOCAL,
        _mssql,
        default_port=MSSQL_PORT,
        options={**USER, "database": "the database to open; default: that of the user", **PLAIN_TLS, **_ONE_VALUE},
    ),
    CheckKind.SYBASE: KindSpec(
        4.0,
        Closure.LOCAL,
        _sybase,
        default_port=SYBASE_PORT,
        options={**USER, **PLAIN_TLS, **_ONE_VALUE},
    ),
    CheckKind.DB2: KindSpec(
        2.0,
        Closure.LOCAL,
        _db2,
        default_port=DRDA_PORT,
        options={"database": "the database that the server must know; default: only the server is asked"},
    ),
    CheckKind.INFORMIX: KindSpec(
        2.0,
        Closure.LOCAL,
        _informix,
        default_port=INFORMIX_PORT,
        options={"instance": "the name of the server (INFORMIXSERVER); the answer is good with any"},
    ),
})  # fmt: skip

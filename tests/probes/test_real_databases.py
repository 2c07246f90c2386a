"""Probes against databases as they are installed on real machines."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.service import Check, CheckKind
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes import servers
from tests.probes.running import probe, told
from tests.probes.samples import check
from tests.programs import need

PASSWORD = "pa\u00df wort,="
pytestmark = [pytest.mark.slow, pytest.mark.real_server]

ACCOUNTS = (
    f"CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'",
    "GRANT pg_monitor TO locked",
    "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'secret'",
    "SET password_encryption = 'md5'; CREATE ROLE clear LOGIN PASSWORD 'secret'",
    "CREATE TABLE stock (part int, pieces int)",
    "INSERT INTO stock VALUES (7, 42)",
    "GRANT SELECT, UPDATE ON stock TO locked",
    "CREATE TABLE salaries (amount int)",
)


def psql(port: int, sql: str) -> None:
    command = [need("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "probe", "-d", "postgres", "-qX"]
    subprocess.run(
        [*command, "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, capture_output=True, timeout=PATIENCE_SECONDS
    )


@pytest.fixture(scope="module")
def postgres() -> Iterator[int]:
    with servers.postgres(tls=False) as port:
        for statement in ACCOUNTS:
            psql(port, statement)
        yield port


def sql(port: int, user: str = "locked", **options: str) -> Check:
    options = {"user": user, "database": "postgres", "password_file": "x", **options}
    return check(kind=CheckKind.POSTGRES, port=port, options=options, timeout=60.0)


async def test_postgresql_lets_accounts_in(postgres: int) -> None:
    for user, secret, tls in (("locked", PASSWORD, ""), ("hashed", "secret", ""), ("clear", "secret", "false")):
        result = await probe(sql(postgres, user, tls=tls), secret=secret)
        assert told(result) == (Health.GOOD, ErrorClass.NONE, f"127.0.0.1:{postgres} answers SELECT 1"), user
        wrong = await probe(sql(postgres, user, tls=tls), secret="wrong")
        assert (wrong.health, wrong.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED), user
        assert "28P01: password authentication failed" in wrong.detail
    clear = await probe(sql(postgres, "clear"), secret="secret")
    assert "asks for the password in clear outside TLS" in clear.detail


async def test_postgresql_answers_queries(postgres: int) -> None:
    count = {"query": "SELECT pieces FROM stock WHERE part = 7", "expect": "42"}
    assert (await probe(sql(postgres, **count), secret=PASSWORD)).health is Health.GOOD
    written = {"query": "UPDATE stock SET pieces = 41 RETURNING pieces", "expect": "41"}
    assert (await probe(sql(postgres, **written), secret=PASSWORD)).health is Health.GOOD
    again = await probe(sql(postgres, **count), secret=PASSWORD)
    assert again.health is Health.GOOD, "what the query writes is rolled back"
    broken = await probe(sql(postgres, query="SELECT 1/0"), secret=PASSWORD)
    assert told(broken) == (
        Health.BAD,
        ErrorClass.WRONG_ANSWER,
        f"127.0.0.1:{postgres} says ERROR 22012: division by zero",
    )
    hidden = await probe(sql(postgres, query="SELECT amount FROM salaries"), secret=PASSWORD)
    assert told(hidden) == (
        Health.UNKNOWN,
        ErrorClass.NOT_PERMITTED,
        f"127.0.0.1:{postgres} says ERROR 42501: permission denied for table salaries; grant it to the probe's user",
    )
    slow = check(
        kind=CheckKind.POSTGRES,
        port=postgres,
        options={"user": "probe", "database": "postgres", "query": "SELECT pg_sleep(9)"},
        timeout=0.5,
    )
    assert told(await probe(slow)) == (
        Health.BAD,
        ErrorClass.NO_ANSWER,
        f"127.0.0.1:{postgres} says ERROR 57014: canceling statement due to statement timeout",
    )


async def test_postgresql_tells_who_waits_for_a_lock(postgres: int) -> None:
    free = await probe(sql(postgres, depth="state", max_lock_wait="0.1"), secret=PASSWORD)
    assert free.health is Health.GOOD
    assert free.values["connections_max"] == 100.0
    assert (free.values["waiting_locks"], free.values["in_recovery"]) == (0.0, 0.0)
    command = [need("psql"), "-h", "127.0.0.1", "-p", str(postgres), "-U", "probe", "-d", "postgres", "-qXc"]
    holding = "BEGIN; LOCK TABLE stock; SELECT pg_sleep(60)"
    quick = sql(postgres, query="SELECT pieces FROM stock")
    quick = Check("db", "node", quick.kind, quick.host, quick.port, quick.options, 0.3)
    with servers.running([*command, holding]):
        blocked = await until_bad(quick)
        with servers.running([*command, "UPDATE stock SET pieces = 1"]):
            waits = await until_bad(sql(postgres, depth="state", max_lock_wait="0.1"))
    assert "57014: canceling statement due to statement timeout" in blocked.detail
    assert waits.error is ErrorClass.WRONG_ANSWER
    assert waits.values["waiting_locks"] >= 1.0
    assert "for a lock, more than 0.1 s" in waits.detail


async def until_bad(of: Check) -> ProbeResult:
    tries = 200
    while (result := await probe(of, secret=PASSWORD)).health is not Health.BAD and tries:
        tries -= 1
        await asyncio.sleep(0.02)
    return result


@pytest.fixture(scope="module")
def mariadb() -> Iterator[int]:
    with servers.mariadb() as (port, socket):
        for statement in (
            f"CREATE USER probe@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            "GRANT PROCESS ON *.* TO probe@'127.0.0.1'",
            "CREATE USER blind@'127.0.0.1' IDENTIFIED BY 'secret'",
            "CREATE DATABASE erp",
            "CREATE TABLE erp.stock (part int PRIMARY KEY, pieces int) ENGINE=InnoDB",
            "INSERT INTO erp.stock VALUES (7, 42)",
            "GRANT SELECT, UPDATE ON erp.stock TO probe@'127.0.0.1'",
        ):
            subprocess.run(maria(socket, statement), check=True, capture_output=True, timeout=PATIENCE_SECONDS)
        yield port


def maria(socket: str, statement: str) -> list[str]:
    charset = "--default-character-set=utf8mb4"
    return [need("mariadb"), "--no-defaults", charset, "-uroot", "-S", socket, "-e", statement]


def my(port: int, user: str = "probe", timeout: float = 10.0, **options: str) -> Check:
    account = {"user": user, "password_file": "x"} if user else {}
    return check(kind=CheckKind.MYSQL, port=port, options={**account, **options}, timeout=timeout)


async def test_mariadb_is_understood(mariadb: int) -> None:
    nobody = await probe(my(mariadb, ""))
    assert nobody.health is Health.GOOD
    assert "MariaDB" in nobody.detail
    assert nobody.detail.endswith("lets nobody in without an account; SQL was not tried")
    for tls in ("", "false", "unverified"):
        found = await probe(my(mariadb, tls=tls), secret=PASSWORD)
        assert (found.health, found.error) == (Health.GOOD, ErrorClass.NONE), found.detail
        assert found.detail.endswith("and answers SELECT 1")
        assert ("tls_seconds" in found.values) is (tls != "false")
    verified = await probe(my(mariadb, tls="true"), secret=PASSWORD)
    assert verified.error is ErrorClass.PROTOCOL_ERROR
    assert "certificate not accepted" in verified.detail
    wrong = await probe(my(mariadb), secret="wrong")
    assert (wrong.health, wrong.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED)
    assert "1045 (28000): Access denied for user 'probe'@'127.0.0.1'" in wrong.detail


async def test_mariadb_answers_queries(mariadb: int) -> None:
    count = my(mariadb, database="erp", query="SELECT pieces FROM stock WHERE part = 7", expect="42")
    assert (await probe(count, secret=PASSWORD)).health is Health.GOOD
    write = my(mariadb, query="UPDATE erp.stock SET pieces = 1")
    assert (await probe(write, secret=PASSWORD)).health is Health.GOOD
    again = await probe(count, secret=PASSWORD)
    assert again.health is Health.GOOD, "what the query writes is rolled back"
    hidden = await probe(my(mariadb, query="SELECT * FROM mysql.user"), secret=PASSWORD)
    assert (hidden.health, hidden.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED)
    slow = await probe(my(mariadb, query="SELECT SLEEP(9), part FROM erp.stock", timeout=2.0), secret=PASSWORD)
    assert slow.error is ErrorClass.NO_ANSWER
    assert "1969 (70100)" in slow.detail
    state = await probe(my(mariadb, depth="state"), secret=PASSWORD)
    assert state.values["connections_max"] == 151.0
    assert state.values["waiting_locks"] == 0.0
    assert state.values["connections_used"] >= 1.0
    blind = await probe(my(mariadb, "blind", depth="state"), secret="secret")
    assert blind.health is Health.GOOD
    assert "waiting_locks" not in blind.values


def red(port: int, **options: str) -> Check:
    return check(kind=CheckKind.REDIS, port=port, options=options, timeout=60.0)


async def test_redis_is_understood(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as port, servers.redis(tmp_path, "--requirepass", "secret") as locked:
        plain = await probe(red(port))
        assert told(plain)[:2] == (Health.GOOD, ErrorClass.NONE)
        assert "answers PING, Redis 7." in plain.detail
        assert plain.detail.endswith(", master")
        assert {"query_seconds", "connected_clients", "used_memory"} <= plain.values.keys()
        assert (await probe(red(port, resp="3", query="ECHO hi", expect="hi"))).health is Health.GOOD
        assert (await probe(red(port, role="replica"))).error is ErrorClass.WRONG_ANSWER
        unknown = await probe(red(port, query="NONSENSE"))
        assert (unknown.error, "ERR unknown command" in unknown.detail) == (ErrorClass.WRONG_ANSWER, True)
        asks = await probe(red(locked))
        assert told(asks) == (
            Health.GOOD,
            ErrorClass.NONE,
            f"127.0.0.1:{locked} answers and asks for a password; no command was tried",
        )
        for resp in ("2", "3"):
            account = {"password_file": "x", "tls": "false", "resp": resp}
            assert (await probe(red(locked, **account), secret="secret")).health is Health.GOOD
            wrong = await probe(red(locked, **account), secret="wrong")
            assert (wrong.health, wrong.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED)
        with servers.redis(tmp_path, "--replicaof", "127.0.0.1", str(free_port())) as orphan:
            lost = await probe(red(orphan, role="replica"))
    assert lost.error is ErrorClass.WRONG_ANSWER
    assert "is a replica whose link to its master is down" in lost.detail

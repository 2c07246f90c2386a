"""Probes against nginx, dnsmasq and PostgreSQL as they are installed on real machines."""

from pathlib import Path

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, CheckKind
from tests.ports import free_port
from tests.probes import servers
from tests.probes.running import probe, told, web
from tests.probes.samples import check


@pytest.mark.slow
@pytest.mark.real_server
async def test_nginx_is_understood(tmp_path: Path) -> None:
    with servers.nginx(tmp_path) as (port, tls_port):
        results = {
            name: await probe(of)
            for name, of in {
                "good": web(port, path="/health", expect_status="200", expect_text="is well"),
                "text": web(port, path="/health", expect_text="is ill"),
                "404": web(port, path="/missing"),
                "500": web(port, path="/broken"),
                "moved": web(port, path="/moved"),
                "host": web(port, path="/host", host_header="erp.example", expect_text="erp.example"),
                "big": web(port, path="/big.txt", expect_text="is well"),
                "chunked": web(port, path="/chunked", expect_text="is well"),
                "tls": web(tls_port, path="/health", tls="unverified"),
                "strange certificate": web(tls_port, path="/health", tls="true"),
                "tls on a plain port": web(port, path="/health", tls="unverified"),
                "plain on a tls port": web(tls_port, path="/health"),
            }.items()
        }
    assert {name: (result.error, result.values.get("status")) for name, result in results.items()} == {
        "good": (ErrorClass.NONE, 200),
        "text": (ErrorClass.WRONG_ANSWER, 200),
        "404": (ErrorClass.WRONG_ANSWER, 404),
        "500": (ErrorClass.WRONG_ANSWER, 500),
        "moved": (ErrorClass.NONE, 302),
        "host": (ErrorClass.NONE, 200),
        "big": (ErrorClass.NONE, 200),
        "chunked": (ErrorClass.NONE, 200),
        "tls": (ErrorClass.NONE, 200),
        "strange certificate": (ErrorClass.CERTIFICATE, None),
        "tls on a plain port": (ErrorClass.PROTOCOL_ERROR, None),
        "plain on a tls port": (ErrorClass.WRONG_ANSWER, 400),
    }
    assert results["big"].values["body_octets"] == results["chunked"].values["body_octets"] == 720_000
    assert results["tls"].values["tls_seconds"] > 0.0
    assert "certificate of localhost is self-signed and not trusted" in results["strange certificate"].detail


@pytest.mark.slow
@pytest.mark.real_server
async def test_dnsmasq_is_understood(tmp_path: Path) -> None:
    async with servers.tcp_server(servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as web_port:
        with servers.dnsmasq(tmp_path) as port:
            questions = {
                "address": {"name": "erp.example", "expect": "127.0.0.1"},
                "other address": {"name": "erp.example", "expect": "10.2.0.10"},
                "ipv6": {"name": "v6.example", "record": "AAAA", "expect": "::1"},
                "no ipv6": {"name": "erp.example", "record": "AAAA"},
                "alias": {"name": "www.example", "expect": "127.0.0.1"},
                "text": {"name": "erp.example", "record": "TXT", "expect": "hello world"},
                "mail": {"name": "erp.example", "record": "MX", "expect": "mail.example"},
                "unknown": {"name": "crm.example"},
                "not served": {"name": "example.com"},
                "long": {"name": "many.example", "expect": "127.0.1.199"},
            }
            results = {
                name: await probe(check(kind=CheckKind.DNS, port=port, options=options))
                for name, options in questions.items()
            }
            by_name = Check("web", "node", CheckKind.HTTP, "erp.example", web_port, {"resolver": f"127.0.0.1:{port}"})
            by_unknown_name = Check(
                "web", "node", CheckKind.HTTP, "crm.example", web_port, {"resolver": f"127.0.0.1:{port}"}
            )
            found, not_found = await probe(by_name), await probe(by_unknown_name)
        silent = await probe(check(kind=CheckKind.DNS, port=port, options={"name": "erp.example"}))
    assert {name: result.error for name, result in results.items()} == {
        "address": ErrorClass.NONE,
        "other address": ErrorClass.WRONG_ANSWER,
        "ipv6": ErrorClass.NONE,
        "no ipv6": ErrorClass.NAME_ERROR,
        "alias": ErrorClass.NONE,
        "text": ErrorClass.NONE,
        "mail": ErrorClass.NONE,
        "unknown": ErrorClass.NAME_ERROR,
        "not served": ErrorClass.WRONG_ANSWER,
        "long": ErrorClass.NONE,
    }
    assert results["long"].values["records"] == 199, "over TCP, UDP carries 31"
    assert told(found) == (Health.GOOD, ErrorClass.NONE, f"erp.example:{web_port}/ answers HTTP 200 OK")
    assert told(not_found) == (
        Health.BAD,
        ErrorClass.NAME_ERROR,
        f"crm.example is not resolved by name server 127.0.0.1:{port}: it says that the name does not exist",
    )
    assert silent.error is ErrorClass.REFUSED


def sql(port: int, user: str = "probe", database: str = "postgres") -> Check:
    return check(kind=CheckKind.POSTGRES, port=port, options={"user": user, "database": database}, timeout=60.0)


@pytest.mark.slow
@pytest.mark.real_server
@pytest.mark.parametrize("tls", [False, True])
async def test_postgresql_is_understood(tls: bool) -> None:
    with servers.postgres(tls=tls) as port:
        row = await probe(sql(port))
        no_database = await probe(sql(port, database="nope"))
        no_entry = await probe(sql(port, user="stranger"))
        password = await probe(sql(port, user="locked"))
        wrong_protocol = await probe(web(port))
        stopped = free_port()
    assert told(row) == (Health.GOOD, ErrorClass.NONE, f"127.0.0.1:{port} answers SELECT 1")
    assert row.values.keys() >= {"connect_seconds", "logon_seconds", "answer_seconds"}
    assert ("tls_seconds" in row.values) is tls
    assert told(no_database) == (
        Health.BAD,
        ErrorClass.WRONG_ANSWER,
        f'127.0.0.1:{port} says FATAL 3D000: database "nope" does not exist',
    )
    assert (no_entry.health, no_entry.error) == (Health.BAD, ErrorClass.WRONG_ANSWER)
    assert "28000: no pg_hba.conf entry" in no_entry.detail
    assert told(password) == (
        Health.GOOD,
        ErrorClass.NONE,
        f"127.0.0.1:{port} answers the handshake and asks for SASL (SCRAM); SQL was not tried",
    )
    assert wrong_protocol.error in {ErrorClass.NO_ANSWER, ErrorClass.PROTOCOL_ERROR, ErrorClass.RESET}
    assert (await probe(sql(stopped))).error is ErrorClass.REFUSED

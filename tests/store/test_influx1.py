"""The InfluxDB 1.x client speaks the documented requests and tells refusals, absence and mistakes apart."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btimd.model.points import SeriesQuery, SeriesRow
from btimd.store.delivery import PostError
from btimd.store.influx1 import Influx1Client, retry_after
from btimd.store.settings import InfluxSettings
from tests.store.contract import ContractServer, contract_server

QUERY = SeriesQuery("m", ("f",), 0, 1000)


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as server:
        yield server


Connect = Callable[..., Influx1Client]


@pytest.fixture
def connect(server: ContractServer) -> Iterator[Connect]:
    clients: list[Influx1Client] = []

    def make(**settings: Any) -> Influx1Client:
        clients.append(Influx1Client(InfluxSettings.model_validate({"url": server.url, "timeout": "5s"} | settings)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
        client.close_query()


def test_lines_are_posted_with_database_precision_and_password(
    server: ContractServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "password").chmod(0o600)
    client = connect(username="btimd", password_file=tmp_path / "password", database="net work")
    client.post([b"m f=1i 1\n", b"m f=2i 2\n"])
    client.post([b"m f=3i 3\n"])
    assert server.lines == ["m f=1i 1", "m f=2i 2", "m f=3i 3"]
    assert {seen["Authorization"] for seen in server.headers_seen} == {
        "Basic " + base64.b64encode(b"btimd:s3cret").decode()
    }


def test_a_refusal_carries_the_status_and_the_servers_words(server: ContractServer, connect: Connect) -> None:
    client = connect()
    for status, body, headers, text, pause in (
        (400, b'{"error":"unable to parse"}', {}, "unable to parse", 0.0),
        (503, b"busy", {"Retry-After": "17"}, "busy", 17.0),
        (404, b'["?"]', {"Retry-After": "Sat, 21 Nov 2026 19:00:00 GMT"}, '["?"]', 0.0),
    ):
        server.status, server.error_body, server.error_headers = status, body, headers
        with pytest.raises(PostError) as caught:
            client.post([b"m f=1i 1\n"])
        assert str(caught.value) == f"{server.url} answered {status}: {text}"
        assert (caught.value.status, caught.value.retry_after_seconds) == (status, pause)
    server.status = 204
    client.post([b"m f=2i 2\n"])
    assert server.lines == ["m f=2i 2"]


def test_an_idle_connection_the_server_closed_is_opened_again_without_ado(
    server: ContractServer, connect: Connect
) -> None:
    client = connect()
    server.close_after_answer = True
    for number in range(3):
        client.post([b"m f=%di %d\n" % (number, number)])
    assert len(server.lines) == 3


def test_a_server_that_is_not_there_or_hangs_up_is_away(server: ContractServer, connect: Connect) -> None:
    server.drop_connections = True
    with pytest.raises(PostError, match=f"no answer from {server.url}: ") as caught:
        connect().post([b"m f=1i 1\n"])
    assert caught.value.status is None
    with pytest.raises(PostError, match="Connection refused") as caught:
        connect(url="http://127.0.0.1:1").post([b"m f=1i 1\n"])
    assert caught.value.status is None
    with pytest.raises(PostError, match="Connection refused"):
        connect(url="http://127.0.0.1:1").query(QUERY)


def test_a_query_is_asked_in_influxql_and_read_from_json(server: ContractServer, connect: Connect) -> None:
    client = connect()
    series = {"name": "m", "columns": ["time", "f0"], "values": [[0, 7.5]]}
    server.answer = json.dumps({"results": [{"statement_id": 0, "series": [series]}]}).encode()
    assert client.query(QUERY) == [SeriesRow(0, (), (7.5,))]
    assert server.questions == ['SELECT sum("f") AS "f0" FROM "m" WHERE time >= 0ms AND time < 1000ms']
    server.answer = b'{"results":[{"error":"database not found: btimd"}]}'
    with pytest.raises(ValueError, match="database not found: btimd"):
        client.query(QUERY)
    server.answer_status, server.answer = 401, b'{"error":"authorization failed"}'
    with pytest.raises(PostError, match="answered 401: authorization failed"):
        client.query(QUERY)


def test_a_secret_others_can_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(ValueError, match="can be read by others") as caught:
        Influx1Client(InfluxSettings(username="btimd", password_file=tmp_path / "password"))
    assert "s3cret" not in str(caught.value)


def test_retry_after_is_seconds_or_nothing() -> None:
    assert [retry_after(header) for header in ("17", "", None, "soon", "-1")] == [17.0, 0.0, 0.0, 0.0, 0.0]

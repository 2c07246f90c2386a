"""The InfluxDB 2.x client: influxdb-client's batching writer one batch at a time, and Flux."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btimd.model.points import SeriesQuery, SeriesRow
from btimd.store.delivery import PostError
from btimd.store.influx import Influx2Client
from btimd.store.settings import InfluxSettings
from tests.store.contract import ContractServer, contract_server

Connect = Callable[..., Influx2Client]

QUERY = SeriesQuery(
    measurement="flows",
    fields=("octets", "users"),
    from_milliseconds=1_700_000_000_000,
    to_milliseconds=1_700_000_120_000,
    group_by=("business", "region"),
    step_milliseconds=60_000,
)

# Annotated CSV as the 2.x API reference shows it: one table per group, blank line between, \r\n at each line's end.
ANSWER = """\
#datatype,string,long,string,string,string,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double
#group,false,false,true,true,true,true,true,false,false
#default,_result,,,,,,,,
,result,table,_field,business,region,_start,_stop,_time,_value
,,0,octets,erp,north,2023-11-14T22:13:20Z,2023-11-14T22:15:20Z,2023-11-14T22:13:20Z,5
,,0,octets,erp,north,2023-11-14T22:13:20Z,2023-11-14T22:15:20Z,2023-11-14T22:14:00Z,7.5
,,1,users,erp,north,2023-11-14T22:13:20Z,2023-11-14T22:15:20Z,2023-11-14T22:14:00Z,41

#datatype,string,long,string,string,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double
#group,false,false,true,true,true,true,false,false
#default,_result,,,,,,,
,result,table,_field,business,_start,_stop,_time,_value
,,2,octets,hr,2023-11-14T22:13:20Z,2023-11-14T22:15:20Z,2023-11-14T22:14:00Z,9

""".replace("\n", "\r\n").encode()


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as server:
        yield server


@pytest.fixture
def connect(server: ContractServer) -> Iterator[Connect]:
    clients: list[Influx2Client] = []

    def make(**settings: Any) -> Influx2Client:
        clients.append(
            Influx2Client(InfluxSettings.model_validate({"url": server.url, "org": "net", "timeout": "5s"} | settings))
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_batch_is_one_request_with_the_token_and_post_returns_when_it_is_answered(
    server: ContractServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    (tmp_path / "token").chmod(0o600)
    client = connect(token_file=tmp_path / "token")
    client.post([b"m f=1i 1\n", b"m f=2i 2\n"])
    assert server.lines == ["m f=1i 1", "m f=2i 2"]
    client.post([b"m f=3i 3\n"])
    assert server.lines == ["m f=1i 1", "m f=2i 2", "m f=3i 3"]
    assert server.requests == 2
    assert {seen["Authorization"] for seen in server.headers_seen} == {"Token t0ken"}


def test_a_refusal_is_raised_by_the_post_that_met_it_and_the_next_one_is_free_of_it(
    server: ContractServer, connect: Connect
) -> None:
    client = connect()
    for status, body, headers, text, pause in (
        (400, b'{"code":"invalid","message":"unable to parse"}', {}, "unable to parse", 0.0),
        (429, b'{"message":"slow down"}', {"Retry-After": "17"}, "slow down", 17.0),
        (503, b'{"message":"busy"}', {}, "busy", 0.0),
        (401, b'{"message":"unauthorized access"}', {}, "unauthorized access", 0.0),
    ):
        server.status, server.error_body, server.error_headers = status, body, headers
        with pytest.raises(PostError) as caught:
            client.post([b"m f=1i 1\n"])
        assert str(caught.value) == f"{server.url} answered {status}: {text}"
        assert (caught.value.status, caught.value.retry_after_seconds) == (status, pause)
    assert server.requests == 4  # none was repeated by the client on its own
    server.status = 204
    client.post([b"m f=2i 2\n"])
    assert server.lines == ["m f=2i 2"]


def test_a_server_that_is_not_there_or_hangs_up_is_away(server: ContractServer, connect: Connect) -> None:
    server.drop_connections = True
    with pytest.raises(PostError, match=f"no answer from {server.url}: ") as caught:
        connect().post([b"m f=1i 1\n"])
    assert caught.value.status is None
    gone = connect(url="http://127.0.0.1:1")
    with pytest.raises(PostError, match="no answer from http://127.0.0.1:1: .*refused") as caught:
        gone.post([b"m f=1i 1\n"])
    assert caught.value.status is None
    with pytest.raises(PostError, match="no answer from http://127.0.0.1:1: .*refused"):
        gone.query(QUERY)


def test_a_query_is_asked_in_flux_and_read_from_annotated_csv(server: ContractServer, connect: Connect) -> None:
    client = connect()
    server.answer = ANSWER
    assert client.query(QUERY) == [
        SeriesRow(1_699_999_980_000, ("erp", "north"), (5.0, None)),
        SeriesRow(1_700_000_040_000, ("erp", "north"), (7.5, 41.0)),
        SeriesRow(1_700_000_040_000, ("hr", ""), (9.0, None)),
    ]
    assert server.questions[0].splitlines()[-1] == (
        '  |> aggregateWindow(every: 60000ms, fn: sum, createEmpty: false, timeSrc: "_start")'
    )
    server.answer = b"\r\n"
    assert client.query(QUERY) == []


def test_a_query_the_server_cannot_compile_or_may_not_answer_says_why(server: ContractServer, connect: Connect) -> None:
    client = connect()
    server.answer_status, server.answer = 400, b'{"code":"invalid","message":"compilation failed: error at @1:1"}'
    with pytest.raises(ValueError, match="compilation failed: error at @1:1"):
        client.query(QUERY)
    server.answer_status, server.answer = 404, b'{"code":"not found","message":"could not find bucket btimd"}'
    with pytest.raises(PostError, match="answered 404: could not find bucket btimd"):
        client.query(QUERY)


def test_closing_gives_the_threads_back(connect: Connect) -> None:
    client = connect()
    client.post([b"m f=1i 1\n"])
    client.close()
    client.close()

"""One rule for every server: nothing that was flushed is lost, the order stays, a bad point stops nobody."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from btimd.model.points import PointBlock
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store import lineprotocol
from btimd.store.delivery import Delivery, DeliverySettings, Outcome, Poster, PostError, classify, pause_seconds
from btimd.store.spool import Spool
from btimd.store.storemetrics import StoreMetrics
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.store.examples import T0, points


class ScriptedServer(Poster):
    """Takes lines, or refuses as it is told: `error` for everything, `poison` for what holds this text."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.posts = 0
        self.error: PostError | None = None
        self.poison = "no such text"
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()

    @override
    def post(self, payloads: Sequence[bytes]) -> None:
        self.gate.wait(PATIENCE_SECONDS)
        self.posts += 1
        if self.error is not None:
            raise self.error
        text = b"".join(payloads).decode()
        if self.poison in text:
            raise PostError(400, f"partial write: {self.poison} is bad")
        self.lines += text.splitlines()

    @override
    def close(self) -> None:
        self.closed = True


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


Starter = Callable[..., Delivery]


@pytest.fixture
def starter(tmp_path: Path, server: ScriptedServer, metrics: Metrics) -> Iterator[Starter]:
    started: list[Delivery] = []

    def start(spool_bytes: int = 1_000_000, queue_points: int = 1_000, batch_bytes: int = 100_000) -> Delivery:
        delivery = Delivery(
            poster=server,
            spool=Spool(tmp_path / "spool", spool_bytes),
            settings=DeliverySettings(
                flush_seconds=0.01,
                queue_points=queue_points,
                batch_bytes=batch_bytes,
                longest_pause_seconds=0.01,
                remedies={401: "check the token"},
            ),
            metrics=StoreMetrics(metrics),
            clock=ManualClock(now=T0),
            log=Log("store"),
        )
        started.append(delivery)
        delivery.start()
        return delivery

    yield start
    server.gate.set()
    for delivery in started:
        delivery.stop()


def lines_of(*blocks: PointBlock) -> list[str]:
    return [line for block in blocks for line in lineprotocol.encode(block).decode().splitlines()]


def test_points_arrive_in_the_order_they_were_written(
    starter: Starter, server: ScriptedServer, metrics: Metrics
) -> None:
    delivery = starter()
    blocks = [points(number, 3, number) for number in range(50)]
    for block in blocks:
        delivery.write(block)
    wait_until(lambda: len(server.lines) == 150)
    assert server.lines == lines_of(*blocks)
    wait_until(lambda: metrics.value("btimd_store_points_written_total") == 150)
    assert metrics.value("btimd_store_points_spooled_total") == 150
    assert delivery.health() == ComponentHealth()


def test_while_the_server_is_away_points_wait_in_the_spool_then_they_catch_up_in_order(
    starter: Starter, server: ScriptedServer, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.error = PostError(None, "no answer from http://x: connection refused")
    delivery = starter(batch_bytes=300)
    blocks = [points(number, 2, number) for number in range(40)]
    for block in blocks:
        delivery.write(block)
    assert delivery.flush(10.0)
    wait_until(lambda: server.posts > 3)
    assert metrics.value("btimd_store_spool_points") == 80
    assert metrics.value("btimd_store_spool_bytes") > 0
    assert metrics.value("btimd_store_failed_attempts_total") >= 3
    health = delivery.health()
    assert health.level is HealthLevel.WARNING
    assert health.reason == "no answer from http://x: connection refused; 80 points wait in the spool"
    server.error = None
    wait_until(lambda: delivery.health() == ComponentHealth())
    assert server.lines == lines_of(*blocks)
    assert metrics.value("btimd_store_spool_points") == 0
    assert metrics.value("btimd_store_points_written_total") == 80
    assert [record.getMessage().split()[0] for record in caplog.records] == ["store-server-away", "store-caught-up"]


def test_the_spool_outlives_a_stop_and_is_sent_by_the_next_start(starter: Starter, server: ScriptedServer) -> None:
    server.error = PostError(503, "busy")
    first = starter()
    first.write(points(0, 2, 1))
    first.stop()
    assert server.closed
    server.error = None
    second = starter()
    second.write(points(2, 1, 7))
    wait_until(lambda: len(server.lines) == 3)
    assert server.lines == lines_of(points(0, 2, 1), points(2, 1, 7))


def test_a_stop_delivers_what_was_just_written(starter: Starter, server: ScriptedServer) -> None:
    delivery = starter()
    delivery.write(points(0, 5, 1))
    delivery.stop()
    assert server.lines == lines_of(points(0, 5, 1))
    delivery.write(points(5, 5, 1))
    assert len(server.lines) == 5


@pytest.mark.parametrize("bad", [1, 7, 16])
def test_only_the_points_the_server_refuses_are_dropped_counted_and_logged(
    starter: Starter, server: ScriptedServer, metrics: Metrics, caplog: pytest.LogCaptureFixture, bad: int
) -> None:
    server.poison = f"octets={bad}i,"
    delivery = starter()
    block = points(0, 16, 1)
    delivery.write(block)
    delivery.write(points(16, 1, 99))
    wait_until(lambda: metrics.value("btimd_store_points_written_total") == 16)
    assert server.lines == [line for line in lines_of(block, points(16, 1, 99)) if server.poison not in line]
    assert metrics.value("btimd_store_points_rejected_total") == 1
    assert [record.getMessage() for record in caplog.records] == [
        f'store-points-refused points=1 reason="partial write: octets={bad}i, is bad" held_back=0'
    ]
    assert delivery.health() == ComponentHealth()


def test_when_nearly_all_is_refused_the_search_ends_and_the_queue_goes_on(
    starter: Starter, server: ScriptedServer, metrics: Metrics
) -> None:
    server.poison = "business=erp"
    delivery = starter()
    delivery.write(points(0, 900, 1))
    delivery.write(points(0, 1, 5, business="hr"))
    wait_until(lambda: metrics.value("btimd_store_points_rejected_total") >= 900)
    assert delivery.flush(10.0)
    delivery.write(points(1, 1, 6, business="hr"))
    wait_until(lambda: lines_of(points(1, 1, 6, business="hr"))[0] in server.lines)
    assert server.posts < 280
    refused = metrics.value("btimd_store_points_rejected_total")
    assert refused + metrics.value("btimd_store_points_written_total") == 902


def test_wrong_credentials_keep_the_points_and_say_what_to_fix(
    starter: Starter, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.error = PostError(401, "http://x answered 401: unauthorized access")
    delivery = starter()
    delivery.write(points(0, 3, 1))
    wait_until(lambda: server.posts > 2)
    assert delivery.health() == ComponentHealth(
        HealthLevel.ERROR,
        "http://x answered 401: unauthorized access; check the token; 3 points wait in the spool",
    )
    (record,) = caplog.records
    assert record.getMessage() == (
        'store-server-refuses-us reason="http://x answered 401: unauthorized access; check the token"'
        ' meanwhile="points are kept in the spool"'
    )
    server.error = None
    wait_until(lambda: len(server.lines) == 3)


def test_a_full_spool_lets_the_oldest_go_and_counts_its_points(
    starter: Starter, server: ScriptedServer, metrics: Metrics
) -> None:
    server.error = PostError(None, "away")
    delivery = starter(spool_bytes=20_000)
    for number in range(60):
        delivery.write(points(number * 10, 10, number))
        assert delivery.flush(10.0)
    dropped = metrics.value("btimd_store_points_dropped_total", {"reason": "spool-full"})
    assert dropped > 100
    server.error = None
    wait_until(lambda: delivery.health() == ComponentHealth())
    assert len(server.lines) == 600 - dropped
    assert server.lines[-1] == lines_of(points(590, 10, 59))[-1]


def test_points_the_disk_damaged_in_the_spool_are_counted(
    starter: Starter, server: ScriptedServer, metrics: Metrics, tmp_path: Path
) -> None:
    server.gate.clear()
    delivery = starter()
    for number in range(3):
        delivery.write(points(number, 1, number))
        assert delivery.flush(10.0)
    (segment,) = (tmp_path / "spool").glob("*.spool")
    raw = bytearray(segment.read_bytes())
    raw[-1] ^= 0xFF
    segment.write_bytes(raw)
    server.gate.set()
    wait_until(lambda: metrics.value("btimd_store_points_dropped_total", {"reason": "damaged"}) == 1)
    assert delivery.flush(10.0)
    wait_until(lambda: len(server.lines) == 2)


def test_a_block_that_cannot_be_encoded_is_refused_and_the_rest_goes_on(
    starter: Starter, server: ScriptedServer, metrics: Metrics
) -> None:
    delivery = starter()
    delivery.write(PointBlock("m", np.array([1]), {}, {"f": np.array(["text"])}))
    delivery.write(points(0, 1, 1))
    wait_until(lambda: len(server.lines) == 1)
    assert metrics.value("btimd_store_points_rejected_total") == 1


def test_a_slow_server_does_not_keep_points_from_becoming_durable(
    starter: Starter, server: ScriptedServer, metrics: Metrics
) -> None:
    server.gate.clear()
    delivery = starter()
    for number in range(5):
        delivery.write(points(number, 1, number))
        assert delivery.flush(10.0)
    assert metrics.value("btimd_store_points_spooled_total") == 5
    assert metrics.value("btimd_store_points_written_total") == 0


def test_the_age_of_what_waits_is_told(tmp_path: Path, server: ScriptedServer, metrics: Metrics) -> None:
    spool = Spool(tmp_path, 1_000_000)
    spool.append(b"m f=1 1\n", 1, T0 - 90.0)
    server.error = PostError(None, "away")
    settings = DeliverySettings(
        flush_seconds=0.01, queue_points=10, batch_bytes=1000, longest_pause_seconds=0.01, remedies={}
    )
    delivery = Delivery(
        poster=server, spool=spool, settings=settings, metrics=StoreMetrics(metrics), clock=ManualClock(now=T0),
        log=Log("store"),
    )  # fmt: skip
    delivery.start()
    assert metrics.value("btimd_store_spool_age_seconds") == 90.0
    delivery.stop()


def test_a_delivery_that_never_started_gives_everything_back(
    tmp_path: Path, server: ScriptedServer, metrics: Metrics
) -> None:
    settings = DeliverySettings(
        flush_seconds=0.01, queue_points=10, batch_bytes=1000, longest_pause_seconds=0.01, remedies={}
    )
    delivery = Delivery(
        poster=server, spool=Spool(tmp_path, 1000), settings=settings, metrics=StoreMetrics(metrics),
        clock=ManualClock(), log=Log("store"),
    )  # fmt: skip
    delivery.stop()
    assert server.closed
    Spool(tmp_path, 1000).close()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (None, Outcome.AWAY), (408, Outcome.AWAY), (429, Outcome.AWAY), (500, Outcome.AWAY), (503, Outcome.AWAY),
        (302, Outcome.AWAY), (401, Outcome.MISCONFIGURED), (403, Outcome.MISCONFIGURED), (404, Outcome.MISCONFIGURED),
        (400, Outcome.REFUSED), (413, Outcome.REFUSED), (422, Outcome.REFUSED),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int | None, outcome: Outcome) -> None:
    assert classify(status) is outcome


def test_pauses_double_up_to_the_longest_and_heed_the_server() -> None:
    assert [pause_seconds(failures, 60.0, 0.0) for failures in (1, 2, 3, 7, 5000)] == [1.0, 2.0, 4.0, 60.0, 60.0]
    assert [pause_seconds(1, 60.0, wanted) for wanted in (30.0, 3600.0)] == [30.0, 60.0]

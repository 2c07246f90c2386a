"""Exporters on real sockets: shared pages, rates, silence; and Prometheus' own node exporter."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind, Closure
from btimd.probes.catalogue import SPECS, problem_of, work_for
from btimd.probes.kinds_others import ScrapeErrand
from btimd.probes.scrapes import Scrapes
from btimd.probes.transport import Transport
from btimd.probes.wire.dialogue import Outcome
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import wait_until
from tests.ports import free_port
from tests.probes.samples import check
from tests.probes.servers import accepts
from tests.probes.snmpagents import running
from tests.programs import need


@contextlib.asynccontextmanager
async def exporter(page: Callable[[int, bytes], bytes]) -> AsyncIterator[int]:
    """Serve pages, each made of its number and the request; yields the port."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(page(asked, request))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def packed(text: str) -> bytes:
    body = gzip.compress(text.encode())
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def runner(metrics: Metrics | None = None) -> Scrapes:
    clock = SystemClock()
    return Scrapes(Transport(clock, Log("scrapes")), clock=clock, metrics=metrics or Metrics())


async def asked(scrapes: Scrapes, port: int, options: dict[str, str], *, within: float = 3.0) -> Outcome:
    of = check(kind=CheckKind.PROMETHEUS, port=port, timeout=within, options=options)
    errand = work_for(of, 1, {"token": "t0k"} if "token_file" in options else {})
    assert isinstance(errand, ScrapeErrand)
    return await scrapes.run(errand, within)


async def test_one_page_answers_all_checks_of_a_moment() -> None:
    metrics = Metrics()
    scrapes = runner(metrics)
    async with exporter(lambda number, _: packed(f"pages {number}\nload1 5\n")) as port:
        outcomes = await asyncio.gather(
            asked(scrapes, port, {"series": "pages"}),
            asked(scrapes, port, {"series": "load1", "critical": "> 4"}),
            asked(scrapes, port, {"series": "none"}),
        )
        again = await asked(scrapes, port, {"series": "pages"})
    assert [one.health for one in (*outcomes, again)] == [Health.GOOD, Health.BAD, Health.UNKNOWN, Health.GOOD]
    assert again.values["value"] == 1.0
    assert again.detail == f"127.0.0.1:{port}/metrics: pages is 1"
    assert metrics.value("btimd_probes_scrapes_total") == 1.0
    assert metrics.value("btimd_probes_scrapes_shared_total") == 3.0


async def test_a_rate_is_read_twice_the_first_time() -> None:
    scrapes = runner()
    async with exporter(lambda number, _: packed(f"errors_total {number * 1000}\n")) as port:
        outcome = await asked(scrapes, port, {"series": "errors_total", "aggregate": "rate", "critical": "> 10"})
    assert outcome.health is Health.BAD
    assert 100 < outcome.values["value"] <= 1000


async def test_the_token_is_sent() -> None:
    def page(_: int, request: bytes) -> bytes:
        return packed("up 1\n") if b"Authorization: Bearer t0k\r\n" in request else b"HTTP/1.1 401 No\r\n\r\n"

    async with exporter(page) as port:
        good = await asked(runner(), port, {"series": "up", "token_file": "x"})
        bad = await asked(runner(), port, {"series": "up"})
    assert good.health is Health.GOOD
    assert (bad.health, "answers HTTP 401; correct token_file" in bad.detail) == (Health.UNKNOWN, True)


async def test_an_exporter_that_is_silent_says_nothing_of_the_node_unless_told_so() -> None:
    async with exporter(lambda *_: b"") as port:
        pass
    unknown = await asked(runner(), port, {"series": "up"})
    bad = await asked(runner(), port, {"series": "up", "silence": "bad"})
    text = f"127.0.0.1:{port} refuses: the host answers, nobody listens there"
    assert (unknown.health, unknown.error, unknown.detail) == (Health.UNKNOWN, ErrorClass.REFUSED, text)
    assert (bad.health, bad.error, bad.detail) == (Health.BAD, ErrorClass.REFUSED, text)


async def test_one_that_waits_less_does_not_break_off_what_others_wait_for() -> None:
    release = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await release.wait()
        writer.write(packed("up 1\n"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        scrapes = runner()
        patient = asyncio.ensure_future(asked(scrapes, port, {"series": "up"}, within=20.0))
        await asyncio.sleep(0)
        hasty = await asked(scrapes, port, {"series": "up"}, within=0.1)
        release.set()
        assert (await patient).health is Health.GOOD
    assert hasty.detail == "127.0.0.1 gives no page of metrics within 0.1 s"


@pytest.mark.parametrize(
    ("options", "port", "problem"),
    [
        ({"series": "up"}, 0, "a prometheus check needs the port of its exporter"),
        ({}, 1, "a prometheus check needs the series to look at"),
        ({"series": "up{"}, 1, "series 'up{' is none"),
        ({"series": "up", "aggregate": "median"}, 1, "aggregate 'median' is unknown; write one of each, sum"),
        ({"series": "up", "critical": "much"}, 1, "critical: limit 'much' is none"),
        ({"series": "up", "silence": "good"}, 1, "silence 'good' is unknown; write unknown or bad"),
        ({"series": "up", "tls": "yes"}, 1, "tls 'yes' is unknown"),
        ({"series": "up", "path": "metrics"}, 1, "path 'metrics' must begin with /"),
    ],
)
def test_options_that_make_no_sense_are_said(options: dict[str, str], port: int, problem: str) -> None:
    assert problem_of(check(kind=CheckKind.PROMETHEUS, port=port, options=options)).startswith(problem)


def test_an_exporter_tells_of_the_node_itself() -> None:
    assert SPECS[CheckKind.PROMETHEUS].closure is Closure.OWN


@pytest.mark.real_server
async def test_the_node_exporter_is_understood(tmp_path: Path) -> None:
    port = free_port()
    collectors = [f"--collector.{name}" for name in ("loadavg", "cpu", "filesystem", "meminfo")]
    command = [
        need("prometheus-node-exporter"),
        f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults",
        *collectors,
    ]
    scrapes = runner()
    async with running(command, {}, tmp_path / "log"):
        await asyncio.to_thread(wait_until, lambda: accepts(port), "the node exporter")
        load = await asked(scrapes, port, {"series": "node_load1"}, within=60.0)
        cpu = await asked(
            scrapes,
            port,
            {"series": 'node_cpu_seconds_total{mode!="idle"}', "aggregate": "rate", "critical": "> 999"},
            within=60.0,
        )
        disks = await asked(
            scrapes,
            port,
            {"series": "node_filesystem_avail_bytes", "per": "node_filesystem_size_bytes", "critical": "< 0"},
            within=60.0,
        )
        memory = await asked(
            scrapes,
            port,
            {"series": "node_memory_MemAvailable_bytes", "per": "node_memory_MemTotal_bytes"},
            within=60.0,
        )
    assert [load.health, cpu.health, disks.health, memory.health] == [Health.GOOD] * 4
    assert cpu.values["value"] >= 0
    assert 0 < memory.values["value"] < 1


async def test_the_daemons_own_page_is_understood() -> None:
    own = Metrics()
    own.counter("btimd_test_total", "x", ("kind",)).labels('a"b\\c\nd').inc(7)
    page = b"HTTP/1.1 200 OK\r\n\r\n" + own.text()
    async with exporter(lambda *_: page) as port:
        outcome = await asked(runner(), port, {"series": "btimd_test_total", "critical": "!= 7"})
    assert outcome.health is Health.GOOD
